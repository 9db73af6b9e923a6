// SPDX-License-Identifier: GPL-2.0
/*
 * Every way to send a datagram: the system calls, iovecs of every shape, files
 * and pipes, control messages, a full send buffer, and what is refused.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <time.h>

#include "kselftest_harness.h"
#include "udptest.h"

UDPTEST_PAIRS(send, UDPTEST_VARIANTS_FEW, udptest_pair);

/* Whatever a test has tried: nothing is left over, and the socket works. */
FIXTURE_TEARDOWN(send)
{
	EXPECT_TRUE(udptest_silent(self->b));
	EXPECT_EQ(0, udptest_send(self->a, 4711, 47));
	EXPECT_EQ(0, udptest_recv(self->b, 4711, 47));
	close(self->a);
	close(self->b);
}

/* --- system calls ---------------------------------------------------------- */

TEST_F(send, write)
{
	uint8_t buf[1000];

	udptest_fill(buf, sizeof(buf), 1);
	EXPECT_EQ(1000, write(self->a, buf, sizeof(buf)));
	EXPECT_EQ(0, udptest_recv(self->b, 1, 1000));
	EXPECT_EQ(0, write(self->a, buf, 0));
	EXPECT_EQ(0, udptest_recv(self->b, 0, 0));
}

/* @nr pieces of @len[] bytes, as one datagram of number @id. */
static ssize_t send_pieces(int fd, uint32_t id, const size_t *len, size_t nr,
			   bool use_writev)
{
	struct iovec iov[nr];
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = nr };
	uint8_t buf[UDPTEST_MAX];
	size_t i, at = 0;
	ssize_t n;

	for (i = 0; i < nr; i++) {
		iov[i].iov_base = buf + at;
		iov[i].iov_len = len[i];
		at += len[i];
	}
	udptest_fill(buf, at, id);
	n = use_writev ? writev(fd, iov, nr) : sendmsg(fd, &msg, 0);
	return n < 0 ? -errno : n;
}

TEST_F(send, iovecs)
{
	static const size_t shape[][8] = {
		{ 100 }, { 1, 1, 1, 1, 1, 1, 1, 1 }, { 0, 10, 0, 0, 20, 0 },
		{ 4095, 1, 4096, 4097, 3 }, { 1, 9000 }, { 9000, 1 },
		{ 48, 16, 15, 17, 1 }, { 60000, 1000, 7 }, { 0, 0, 0 },
		{ 2000, 2000, 2000, 2000, 2000, 2000, 2000, 2000 },
	};
	size_t i, k, sum;

	for (i = 0; i < sizeof(shape) / sizeof(shape[0]); i++) {
		for (sum = 0, k = 0; k < 8; k++)
			sum += shape[i][k];
		EXPECT_EQ((ssize_t)sum,
			  send_pieces(self->a, i, shape[i], 8, false));
		EXPECT_EQ(0, udptest_recv(self->b, i, sum));
		EXPECT_EQ((ssize_t)sum,
			  send_pieces(self->a, i, shape[i], 8, true));
		/* A writev() of nothing does not reach the socket. */
		if (sum)
			EXPECT_EQ(0, udptest_recv(self->b, i, sum));
	}
}

TEST_F(send, many_small_pieces)
{
	size_t len[1024], i;

	for (i = 0; i < 1024; i++)
		len[i] = 1 + i % 3;
	EXPECT_EQ(2047, send_pieces(self->a, 5, len, 1024, false));
	EXPECT_EQ(0, udptest_recv(self->b, 5, 2047));
}

TEST_F(send, no_iovec)
{
	struct msghdr msg = {};

	EXPECT_EQ(0, sendmsg(self->a, &msg, 0));
	EXPECT_EQ(0, udptest_recv(self->b, 0, 0));
}

TEST_F(send, sendmmsg)
{
	struct mmsghdr msgs[16] = {};
	uint8_t buf[16][600];
	struct iovec iov[16];
	int i;

	for (i = 0; i < 16; i++) {
		udptest_fill(buf[i], 100 + 30 * i, i);
		iov[i].iov_base = buf[i];
		iov[i].iov_len = 100 + 30 * i;
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	ASSERT_EQ(0, udptest_meet(self->a, self->b));
	ASSERT_EQ(16, sendmmsg(self->a, msgs, 16, 0));
	for (i = 0; i < 16; i++) {
		EXPECT_EQ(100 + 30 * i, (int)msgs[i].msg_len);
		ASSERT_EQ(0, udptest_recv(self->b, i, 100 + 30 * i));
	}
}

/* One in the middle cannot go: those before it have gone. */
TEST_F(send, sendmmsg_in_part)
{
	size_t len[3] = { 10, udptest_longest(&variant->conf) + 1, 10 };
	struct mmsghdr msgs[3] = {};
	uint8_t buf[UDPTEST_MAX];
	struct iovec iov[3];
	int i;

	udptest_fill(buf, sizeof(buf), 9);
	for (i = 0; i < 3; i++) {
		iov[i].iov_base = buf;
		iov[i].iov_len = len[i];
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	EXPECT_EQ(1, sendmmsg(self->a, msgs, 3, 0));
	EXPECT_EQ(0, udptest_recv(self->b, 9, 10));
}

/* A connected socket may send elsewhere. */
TEST_F(send, to_another)
{
	int c = udptest_bound(&variant->conf);
	struct udptest_name to, from, a;

	ASSERT_LE(0, c);
	ASSERT_EQ(0, udptest_name(c, &to));
	ASSERT_EQ(0, udptest_name(self->a, &a));
	EXPECT_EQ(0, udptest_sendto(self->a, &to, 1, 100));
	EXPECT_EQ(0, udptest_recvfrom(c, &from, 1, 100));
	EXPECT_EQ(udptest_port(&a), udptest_port(&from));
	close(c);
}

TEST_F(send, bad_destinations)
{
	struct udptest_name to;

	udptest_loopback(&variant->conf, 0, &to);
	EXPECT_EQ(-EINVAL, udptest_sendto(self->a, &to, 1, 1));
	to.len = 4;
	EXPECT_EQ(-EINVAL, udptest_sendto(self->a, &to, 1, 1));
	udptest_loopback(&variant->conf, 9, &to);
	to.ss.ss_family = AF_UNIX;
	EXPECT_GT(0, udptest_sendto(self->a, &to, 1, 1));
}

/* --- memory that is not there ---------------------------------------------- */

TEST_F(send, fault)
{
	uint8_t *mem = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct iovec iov[2] = { { mem, 100 }, { mem + 4096, 100 } };

	ASSERT_NE(MAP_FAILED, mem);
	ASSERT_EQ(0, munmap(mem + 4096, 4096));
	EXPECT_EQ(-1, send(self->a, mem + 4096, 100, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, send(self->a, mem + 4000, 97, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, writev(self->a, iov, 2));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, send(self->a, mem, 60000, 0));
	EXPECT_EQ(EFAULT, errno);
	memset(mem, 0, 96);
	EXPECT_EQ(96, send(self->a, mem + 4000, 96, 0));
	EXPECT_EQ(96, recv(self->b, mem, 200, 0));
	munmap(mem, 4096);
}

/* --- files and pipes ------------------------------------------------------- */

static int file_of(size_t len, uint32_t nr)
{
	int fd = memfd_create("file", 0);
	uint8_t buf[UDPTEST_MAX];

	udptest_fill(buf, len, nr);
	if (fd >= 0 && pwrite(fd, buf, len, 0) != (ssize_t)len) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* Receives what file_of() has, and in how many datagrams it came. */
static int gather(int fd, size_t len, uint32_t nr)
{
	uint8_t buf[UDPTEST_MAX];
	size_t at = 0;
	int count = 0;
	ssize_t n;

	while (at < len) {
		n = recv(fd, buf + at, sizeof(buf) - at, 0);
		if (n <= 0)
			return n ? -errno : -EIO;
		at += n;
		count++;
	}
	return udptest_same(buf, len, nr) ? count : -EILSEQ;
}

static int count_sendfile(int from, int to, size_t len, uint32_t nr)
{
	int ret, fd = file_of(len, nr);

	if (fd < 0)
		return fd;
	ret = sendfile(from, fd, NULL, len) == (ssize_t)len ?
		gather(to, len, nr) : -errno;
	close(fd);
	return ret;
}

/* In as many datagrams as plain UDP makes of it: IPv6 on 6.1 one for a page. */
TEST_F(send, sendfile)
{
	static const size_t len[] = { 1, 100, 4096, 4097, 10000, 20000, 60000 };
	struct udptest_conf plain = { .family = variant->conf.family };
	size_t i;
	int a, b;

	ASSERT_EQ(0, udptest_pair(&plain, &a, &b));
	ASSERT_EQ(0, udptest_meet(self->a, self->b));
	for (i = 0; i < sizeof(len) / sizeof(len[0]); i++) {
		int count = count_sendfile(a, b, len[i], i);

		ASSERT_LT(0, count);
		EXPECT_EQ(count, count_sendfile(self->a, self->b, len[i], i)) {
			TH_LOG("%zu bytes", len[i]);
		}
	}
	close(a);
	close(b);
}

/* What is sent from the page cache leaves the file as it is. */
TEST_F(send, sendfile_leaves_the_file)
{
	int fd = file_of(9000, 3);
	uint8_t buf[9000];

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, udptest_meet(self->a, self->b));
	EXPECT_EQ(9000, sendfile(self->a, fd, NULL, 9000));
	EXPECT_LT(0, gather(self->b, 9000, 3));
	ASSERT_EQ(9000, pread(fd, buf, sizeof(buf), 0));
	EXPECT_TRUE(udptest_same(buf, sizeof(buf), 3));
	close(fd);
}

TEST_F(send, splice)
{
	uint8_t buf[3000];
	int pipe_fd[2];

	ASSERT_EQ(0, pipe(pipe_fd));
	udptest_fill(buf, sizeof(buf), 8);
	ASSERT_EQ(3000, write(pipe_fd[1], buf, sizeof(buf)));
	EXPECT_EQ(3000, splice(pipe_fd[0], NULL, self->a, NULL, 3000, 0));
	EXPECT_EQ(0, udptest_recv(self->b, 8, 3000));
	/* Two writes, one datagram each when asked for one at a time. */
	ASSERT_EQ(1000, write(pipe_fd[1], buf, 1000));
	ASSERT_EQ(2000, write(pipe_fd[1], buf, 2000));
	EXPECT_EQ(1000, splice(pipe_fd[0], NULL, self->a, NULL, 1000, 0));
	EXPECT_EQ(2000, splice(pipe_fd[0], NULL, self->a, NULL, 2000, 0));
	EXPECT_EQ(0, udptest_recv(self->b, 8, 1000));
	EXPECT_EQ(0, udptest_recv(self->b, 8, 2000));
	close(pipe_fd[0]);
	close(pipe_fd[1]);
}

TEST_F(send, splice_unconnected)
{
	int fd = udptest_bound(&variant->conf), pipe_fd[2];

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, pipe(pipe_fd));
	ASSERT_EQ(4, write(pipe_fd[1], "1234", 4));
	EXPECT_EQ(-1, splice(pipe_fd[0], NULL, fd, NULL, 4, 0));
	EXPECT_EQ(EDESTADDRREQ, errno);
	close(fd);
	close(pipe_fd[0]);
	close(pipe_fd[1]);
}

/* --- control messages ------------------------------------------------------ */

struct ctl {
	int level;
	int on;		/* option of the receiver */
	int type;	/* control message at both ends */
	int option;	/* of the sender: the same, for all datagrams */
};

static int get_ctl(int fd, uint32_t nr, const struct ctl *c)
{
	uint8_t buf[200];
	int value = 0;
	bool found;
	ssize_t n;

	n = udptest_recv_ctl(fd, buf, sizeof(buf), 0, c->level, c->type,
			     &value, c->type == IP_TOS && c->level == SOL_IP ?
			     1 : sizeof(value), &found);
	if (n != 100 || !udptest_same(buf, 100, nr))
		return -EILSEQ;
	return found ? value : -ENOENT;
}

static void check_ctl(struct __test_metadata *_metadata, int a, int b,
		      const struct ctl *c, int value)
{
	ASSERT_EQ(0, udptest_meet(a, b));
	ASSERT_EQ(0, tcptest_set_int(b, c->level, c->on, 1));
	EXPECT_EQ(100, udptest_send_ctl(a, NULL, 1, 100, c->level, c->type,
					&value, sizeof(value)));
	EXPECT_EQ(value, get_ctl(b, 1, c));
	ASSERT_EQ(0, tcptest_set_int(a, c->level, c->option, value + 4));
	EXPECT_EQ(0, udptest_send(a, 2, 100));
	EXPECT_EQ(value + 4, get_ctl(b, 2, c));
}

TEST_F(send, type_of_service)
{
	static const struct ctl c[2] = {
		{ SOL_IP, IP_RECVTOS, IP_TOS, IP_TOS },
		{ SOL_IPV6, IPV6_RECVTCLASS, IPV6_TCLASS, IPV6_TCLASS },
	};

	check_ctl(_metadata, self->a, self->b,
		  &c[udptest_is_v6(&variant->conf)], 0x28);
}

TEST_F(send, time_to_live)
{
	static const struct ctl c[2] = {
		{ SOL_IP, IP_RECVTTL, IP_TTL, IP_TTL },
		{ SOL_IPV6, IPV6_RECVHOPLIMIT, IPV6_HOPLIMIT,
		  IPV6_UNICAST_HOPS },
	};

	check_ctl(_metadata, self->a, self->b,
		  &c[udptest_is_v6(&variant->conf)], 33);
}

/* The source that IP_PKTINFO asks for, and where it arrived. */
TEST_F(send, packet_info)
{
	struct in_pktinfo in = { .ipi_spec_dst.s_addr = htonl(0x7f000002) };
	struct in6_pktinfo in6 = { .ipi6_addr = in6addr_loopback };
	bool v6 = udptest_is_v6(&variant->conf), found;
	int fd = udptest_new(&variant->conf), b;
	struct udptest_name to;
	uint8_t buf[100];

	ASSERT_LE(0, fd);
	b = udptest_bound(&variant->conf);
	ASSERT_LE(0, b);
	ASSERT_EQ(0, udptest_name(b, &to));
	ASSERT_EQ(0, tcptest_set_int(b, v6 ? SOL_IPV6 : SOL_IP,
				     v6 ? IPV6_RECVPKTINFO : IP_PKTINFO, 1));
	if (v6) {
		EXPECT_EQ(50, udptest_send_ctl(fd, &to, 1, 50, SOL_IPV6,
					       IPV6_PKTINFO, &in6,
					       sizeof(in6)));
		memset(&in6, 0, sizeof(in6));
		EXPECT_EQ(50, udptest_recv_ctl(b, buf, 100, 0, SOL_IPV6,
					       IPV6_PKTINFO, &in6, sizeof(in6),
					       &found));
		EXPECT_TRUE(found);
		EXPECT_EQ(1, (int)in6.ipi6_ifindex);
		EXPECT_EQ(0, memcmp(&in6.ipi6_addr, &in6addr_loopback, 16));
	} else {
		struct udptest_name from;

		EXPECT_EQ(50, udptest_send_ctl(fd, &to, 1, 50, SOL_IP,
					       IP_PKTINFO, &in, sizeof(in)));
		EXPECT_EQ(0, udptest_arrived(b));
		EXPECT_EQ(50, udptest_recv_ctl(b, buf, 100, MSG_PEEK, SOL_IP,
					       IP_PKTINFO, &in, sizeof(in),
					       &found));
		EXPECT_TRUE(found);
		EXPECT_EQ(htonl(0x7f000001), in.ipi_addr.s_addr);
		EXPECT_EQ(1, in.ipi_ifindex);
		EXPECT_EQ(0, udptest_recvfrom(b, &from, 1, 50));
		udptest_address(&variant->conf, "127.0.0.2", "::1",
				udptest_port(&from), &to);
		EXPECT_EQ(0, memcmp(&to.ss, &from.ss, to.len));
	}
	close(fd);
	close(b);
}

TEST_F(send, bad_control_messages)
{
	int value = 5;

	/* Plain IPv6 passes over messages of IPv4. */
	if (!udptest_is_v6(&variant->conf))
		EXPECT_EQ(-EINVAL, udptest_send_ctl(self->a, NULL, 1, 10,
						    SOL_IP, 200, &value,
						    sizeof(value)));
	EXPECT_EQ(-EINVAL, udptest_send_ctl(self->a, NULL, 1, 10, SOL_SOCKET,
					    0x4444, &value, sizeof(value)));
	EXPECT_EQ(-EINVAL, udptest_send_ctl(self->a, NULL, 1, 10, SOL_UDP,
					    77, &value, sizeof(value)));
}

/* --- a full send buffer ---------------------------------------------------- */

#define FULL_LEN	900
#define SLOW		"tc qdisc %s dev lo root tbf rate %s burst 3000 limit 1000000"

FIXTURE(full)
{
	int a;
	int b;
	uint32_t sent;
};

FIXTURE_VARIANT(full)
{
	struct udptest_conf conf;
};

UDPTEST_VARIANTS_FEW(full);

/* Loopback passes on so little that the send buffer fills. */
FIXTURE_SETUP(full)
{
	ASSERT_EQ(0, nsttest_netns());
	ASSERT_EQ(0, udptest_met(&variant->conf, &self->a, &self->b));
	ASSERT_EQ(0, udptest_lo_mtu(1500));
	ASSERT_EQ(0, udptest_run(SLOW, "add", "2400bit"));
	ASSERT_EQ(0, tcptest_set_int(self->a, SOL_SOCKET, SO_SNDBUF, 1));
	for (self->sent = 0; self->sent < 200; self->sent++) {
		uint8_t buf[FULL_LEN];

		udptest_fill(buf, sizeof(buf), self->sent);
		if (send(self->a, buf, sizeof(buf), MSG_DONTWAIT) < 0)
			break;
	}
	ASSERT_EQ(EAGAIN, errno);
	ASSERT_LE(2, self->sent);
	ASSERT_GT(200, self->sent);
}

FIXTURE_TEARDOWN(full)
{
	close(self->a);
	close(self->b);
}

TEST_F(full, poll)
{
	EXPECT_EQ(0, tcptest_poll(self->a, POLLOUT, 0));
	/* What waits there is gone with it. */
	ASSERT_EQ(0, udptest_run("tc qdisc del dev lo root"));
	EXPECT_EQ(POLLOUT, tcptest_poll(self->a, POLLOUT, TCPTEST_SOON_MS));
	while (udptest_try(self->b) > 0)
		;
	EXPECT_EQ(0, udptest_send(self->a, 7, FULL_LEN));
	EXPECT_EQ(0, udptest_recv(self->b, 7, FULL_LEN));
}

TEST_F(full, timeout)
{
	struct timespec t[2];
	long ms;

	ASSERT_EQ(0, tcptest_timeout(self->a, SO_SNDTIMEO, 100));
	clock_gettime(CLOCK_MONOTONIC, &t[0]);
	EXPECT_EQ(-EAGAIN, udptest_send(self->a, 1, FULL_LEN));
	clock_gettime(CLOCK_MONOTONIC, &t[1]);
	ms = (t[1].tv_sec - t[0].tv_sec) * 1000 +
	     (t[1].tv_nsec - t[0].tv_nsec) / 1000000;
	EXPECT_LE(50, ms);
	EXPECT_EQ(-1, send(self->a, "x", 1, MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
}

/* Nothing is sealed for which there is no room: no nonce is lost, nothing gets old. */
TEST_F(full, takes_no_nonce)
{
	struct nst_info before, after;
	int i;

	/* Plain UDP has no nonces. */
	if (!variant->conf.cipher_id)
		return;
	ASSERT_EQ(0, tcptest_info(self->a, &before));
	for (i = 0; i < 20; i++) {
		EXPECT_EQ(-1, send(self->a, "x", 1, MSG_DONTWAIT));
		EXPECT_EQ(EAGAIN, errno);
	}
	ASSERT_EQ(0, tcptest_timeout(self->a, SO_SNDTIMEO, 10));
	EXPECT_EQ(-EAGAIN, udptest_send(self->a, 1, FULL_LEN));
	ASSERT_EQ(0, tcptest_info(self->a, &after));
	EXPECT_EQ(before.tx.records, after.tx.records);
}

/* What was refused for want of room is not sent later. */
TEST_F(full, none_lost_none_more)
{
	uint32_t nr;

	ASSERT_EQ(0, udptest_run(SLOW, "change", "8mbit"));
	for (nr = 0; nr < self->sent; nr++)
		ASSERT_EQ(0, udptest_recv(self->b, nr, FULL_LEN));
	EXPECT_TRUE(udptest_silent(self->b));
}

TEST_HARNESS_MAIN
