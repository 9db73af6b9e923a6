// SPDX-License-Identifier: GPL-2.0
/*
 * Every way to receive a datagram, and what tells that one is there: only an
 * authentic one does.
 */
#define _GNU_SOURCE
#include <linux/filter.h>
#include <linux/sockios.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>

#include "kselftest_harness.h"
#include "udptest.h"

UDPTEST_PAIRS(recv, UDPTEST_VARIANTS_FEW, udptest_met);

FIXTURE_TEARDOWN(recv)
{
	EXPECT_TRUE(udptest_silent(self->b));
	EXPECT_EQ(0, udptest_send(self->a, 4711, 47));
	EXPECT_EQ(0, udptest_recv(self->b, 4711, 47));
	close(self->a);
	close(self->b);
}

TEST_F(recv, nothing_there)
{
	char byte;

	EXPECT_EQ(-1, recv(self->b, &byte, 1, MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(-1, recv(self->b, &byte, 1, MSG_DONTWAIT | MSG_PEEK));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(0, tcptest_poll(self->b, POLLIN, 0));
	EXPECT_EQ(POLLOUT, tcptest_poll(self->b, POLLIN | POLLOUT, 0));
}

TEST_F(recv, recvmmsg)
{
	struct mmsghdr msgs[12] = {};
	uint8_t buf[12][500];
	struct sockaddr_storage ss[12];
	struct iovec iov[12];
	struct udptest_name a;
	int i;

	ASSERT_EQ(0, udptest_name(self->a, &a));
	for (i = 0; i < 12; i++) {
		iov[i].iov_base = buf[i];
		iov[i].iov_len = sizeof(buf[i]);
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
		msgs[i].msg_hdr.msg_name = &ss[i];
		msgs[i].msg_hdr.msg_namelen = sizeof(ss[i]);
		ASSERT_EQ(0, udptest_send(self->a, i, 20 * i));
	}
	ASSERT_EQ(0, udptest_arrived(self->b));
	ASSERT_EQ(12, recvmmsg(self->b, msgs, 12, 0, NULL));
	for (i = 0; i < 12; i++) {
		EXPECT_EQ(20 * i, (int)msgs[i].msg_len);
		EXPECT_TRUE(udptest_same(buf[i], 20 * i, i));
		EXPECT_EQ(a.len, msgs[i].msg_hdr.msg_namelen);
		EXPECT_EQ(0, memcmp(&a.ss, &ss[i], a.len));
	}
	ASSERT_EQ(0, udptest_send(self->a, 1, 20));
	ASSERT_EQ(0, udptest_arrived(self->b));
	EXPECT_EQ(1, recvmmsg(self->b, msgs, 12, MSG_WAITFORONE, NULL));
}

TEST_F(recv, peek)
{
	uint8_t buf[2000];
	int i;

	ASSERT_EQ(0, udptest_send(self->a, 1, 1000));
	ASSERT_EQ(0, udptest_send(self->a, 2, 500));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(1000, recv(self->b, buf, sizeof(buf), MSG_PEEK));
		EXPECT_TRUE(udptest_same(buf, 1000, 1));
	}
	/* In part, too. */
	EXPECT_EQ(10, recv(self->b, buf, 10, MSG_PEEK));
	EXPECT_EQ(1000, recv(self->b, buf, 10, MSG_PEEK | MSG_TRUNC));
	EXPECT_EQ(0, udptest_recv(self->b, 1, 1000));
	EXPECT_EQ(0, udptest_recv(self->b, 2, 500));
}

/* MSG_TRUNC tells the plaintext's length, whatever the buffer's. */
TEST_F(recv, truncated)
{
	uint8_t buf[100];
	int flags;

	ASSERT_EQ(0, udptest_send(self->a, 1, 1000));
	EXPECT_EQ(100, tcptest_recv_flags(self->b, buf, 100, 0, &flags));
	EXPECT_EQ(MSG_TRUNC, flags & MSG_TRUNC);
	EXPECT_TRUE(udptest_same(buf, 100, 1));
	ASSERT_EQ(0, udptest_send(self->a, 2, 1001));
	EXPECT_EQ(1001, tcptest_recv_flags(self->b, buf, 100, MSG_TRUNC,
					   &flags));
	EXPECT_EQ(MSG_TRUNC, flags & MSG_TRUNC);
	EXPECT_TRUE(udptest_same(buf, 100, 2));
	ASSERT_EQ(0, udptest_send(self->a, 3, 100));
	EXPECT_EQ(100, tcptest_recv_flags(self->b, buf, 100, MSG_TRUNC,
					  &flags));
	EXPECT_EQ(0, flags & MSG_TRUNC);
	/* The rest of a datagram is gone. */
	ASSERT_EQ(0, udptest_send(self->a, 4, 50));
	EXPECT_EQ(0, tcptest_recv_flags(self->b, buf, 0, 0, &flags));
	EXPECT_EQ(MSG_TRUNC, flags & MSG_TRUNC);
}

TEST_F(recv, scattered)
{
	uint8_t buf[300];
	struct iovec iov[4] = {
		{ buf, 1 }, { buf + 1, 0 }, { buf + 1, 99 }, { buf + 100, 200 },
	};

	ASSERT_EQ(0, udptest_send(self->a, 1, 250));
	EXPECT_EQ(250, readv(self->b, iov, 4));
	EXPECT_TRUE(udptest_same(buf, 250, 1));
	ASSERT_EQ(0, udptest_send(self->a, 2, 250));
	EXPECT_EQ(250, read(self->b, buf, sizeof(buf)));
	EXPECT_TRUE(udptest_same(buf, 250, 2));
}

/* A datagram that its reader has no memory for is lost, as it always was. */
TEST_F(recv, fault)
{
	uint8_t *mem = mmap(NULL, 4096, PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, mem);
	ASSERT_EQ(0, udptest_send(self->a, 1, 250));
	EXPECT_EQ(-1, recv(self->b, mem, 250, MSG_PEEK));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, recv(self->b, mem, 250, 0));
	EXPECT_EQ(EFAULT, errno);
	munmap(mem, 4096);
}

static int waiting(int fd)
{
	int bytes = -1;

	return ioctl(fd, FIONREAD, &bytes) ? -errno : bytes;
}

/* Bytes of the next datagram, as plaintext. */
TEST_F(recv, fionread)
{
	EXPECT_EQ(0, waiting(self->b));
	ASSERT_EQ(0, udptest_send(self->a, 1, 333));
	ASSERT_EQ(0, udptest_send(self->a, 2, 21));
	ASSERT_EQ(0, udptest_arrived(self->b));
	EXPECT_EQ(333, waiting(self->b));
	EXPECT_EQ(0, udptest_recv(self->b, 1, 333));
	EXPECT_EQ(21, waiting(self->b));
	EXPECT_EQ(0, udptest_recv(self->b, 2, 21));
	EXPECT_EQ(0, waiting(self->b));
	ASSERT_EQ(0, udptest_send(self->a, 0, 0));
	ASSERT_EQ(0, udptest_arrived(self->b));
	EXPECT_EQ(0, waiting(self->b));
	EXPECT_EQ(0, udptest_recv(self->b, 0, 0));
}

TEST_F(recv, siocoutq)
{
	int bytes = -1;

	ASSERT_EQ(0, ioctl(self->a, SIOCOUTQ, &bytes));
	EXPECT_EQ(0, bytes);
}

TEST_F(recv, peek_off)
{
	uint8_t want[200], buf[200];
	int off = -1;
	socklen_t len = sizeof(off);

	udptest_fill(want, 200, 1);
	ASSERT_EQ(0, tcptest_set_int(self->b, SOL_SOCKET, SO_PEEK_OFF, 0));
	ASSERT_EQ(0, udptest_send(self->a, 1, 200));
	ASSERT_EQ(0, udptest_arrived(self->b));
	EXPECT_EQ(50, recv(self->b, buf, 50, MSG_PEEK));
	EXPECT_EQ(0, memcmp(buf, want, 50));
	EXPECT_EQ(150, recv(self->b, buf, 200, MSG_PEEK));
	EXPECT_EQ(0, memcmp(buf, want + 50, 150));
	ASSERT_EQ(0, getsockopt(self->b, SOL_SOCKET, SO_PEEK_OFF, &off, &len));
	EXPECT_EQ(200, off);
	EXPECT_EQ(0, udptest_recv(self->b, 1, 200));
}

/* --- waiting --------------------------------------------------------------- */

TEST_F(recv, timeout)
{
	struct timespec t[2];
	char byte;
	long ms;

	ASSERT_EQ(0, tcptest_timeout(self->b, SO_RCVTIMEO, 100));
	clock_gettime(CLOCK_MONOTONIC, &t[0]);
	EXPECT_EQ(-1, recv(self->b, &byte, 1, 0));
	EXPECT_EQ(EAGAIN, errno);
	clock_gettime(CLOCK_MONOTONIC, &t[1]);
	ms = (t[1].tv_sec - t[0].tv_sec) * 1000 +
	     (t[1].tv_nsec - t[0].tv_nsec) / 1000000;
	EXPECT_LE(50, ms);
	ASSERT_EQ(0, tcptest_timeout(self->b, SO_RCVTIMEO, 12000));
}

static void *recv_later(void *arg)
{
	return (void *)(long)udptest_recv(*(int *)arg, 5, 700);
}

TEST_F(recv, woken)
{
	pthread_t thread;
	void *result;

	ASSERT_EQ(0, pthread_create(&thread, NULL, recv_later, &self->b));
	usleep(30000);
	EXPECT_EQ(0, udptest_send(self->a, 5, 700));
	pthread_join(thread, &result);
	EXPECT_EQ(NULL, result);
}

/* What an attacker has to offer: garbage of the right and the wrong sizes. */
static int forge(int fd, struct udptest_name *to)
{
	struct peer_hdr h = {
		.magic = PEER_MAGIC, .version = 1,
		.cipher_id = NST_CIPHER_AES_GCM, .len = 100,
		.kpos = 3, .kval = 4, .kid = NSTTEST_KID,
	};
	uint8_t buf[PEER_HDR_SIZE + 100];
	size_t len;

	h.timestamp = peer_now();
	peer_random(&h.nonce, sizeof(h.nonce));
	peer_random(buf, sizeof(buf));
	for (len = 0; len <= sizeof(buf); len += 37)
		if (sendto(fd, buf, len, 0, udptest_sa(to), to->len) < 0)
			return -errno;
	peer_hdr_put(buf, &h);
	if (sendto(fd, buf, sizeof(buf), 0, udptest_sa(to), to->len) < 0)
		return -errno;
	return 0;
}

FIXTURE(forged)
{
	int a;
	int b;
	int raw;
	struct udptest_name a_name;
	struct udptest_name b_name;
	struct nsttest_counters before;
};

FIXTURE_VARIANT(forged)
{
	struct udptest_conf conf;
};

UDPTEST_VARIANTS_NST(forged);

/* Its sockets are not connected, so anybody's datagrams reach them. */
FIXTURE_SETUP(forged)
{
	struct udptest_conf plain = { .family = variant->conf.family };

	self->a = udptest_bound(&variant->conf);
	self->b = udptest_bound(&variant->conf);
	self->raw = udptest_bound(&plain);
	ASSERT_LE(0, self->a);
	ASSERT_LE(0, self->b);
	ASSERT_LE(0, self->raw);
	ASSERT_EQ(0, udptest_name(self->a, &self->a_name));
	ASSERT_EQ(0, udptest_name(self->b, &self->b_name));
	ASSERT_EQ(0, udptest_sendto(self->a, &self->b_name, 1, 10));
	ASSERT_EQ(0, udptest_recv(self->b, 1, 10));
	ASSERT_EQ(0, nsttest_counters(&self->before));
}

FIXTURE_TEARDOWN(forged)
{
	EXPECT_EQ(0, udptest_sendto(self->a, &self->b_name, 2, 100));
	EXPECT_EQ(0, udptest_recv(self->b, 2, 100));
	close(self->a);
	close(self->b);
	close(self->raw);
}

TEST_F(forged, poll_is_not_woken)
{
	ASSERT_EQ(0, forge(self->raw, &self->b_name));
	EXPECT_EQ(0, tcptest_poll(self->b, POLLIN | POLLERR | POLLPRI,
				  TCPTEST_NEVER_MS));
	EXPECT_EQ(0, waiting(self->b));
	EXPECT_EQ(-EAGAIN, udptest_try(self->b));
	EXPECT_NE(0, strcmp("", nsttest_grown(&self->before)));
}

/* Of the six that forge() sends, one has no magic at all, four a wrong one. */
TEST_F(forged, counted)
{
	long n[2] = { nsttest_stat("NstRxDgramLength"),
		      nsttest_stat("NstRxHdrMagic") };
	int round;

	ASSERT_LE(0, n[0]);
	for (round = 1; round <= 3; round++) {
		ASSERT_EQ(0, forge(self->raw, &self->b_name));
		EXPECT_EQ(n[0] + round,
			  udptest_stat_at_last("NstRxDgramLength",
					       n[0] + round));
		EXPECT_EQ(n[1] + 4 * round,
			  udptest_stat_at_last("NstRxHdrMagic",
					       n[1] + 4 * round));
	}
}

TEST_F(forged, epoll_is_not_woken)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
	int ep = epoll_create1(0);

	ASSERT_LE(0, ep);
	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, self->b, &ev));
	ASSERT_EQ(0, forge(self->raw, &self->b_name));
	EXPECT_EQ(0, epoll_wait(ep, &ev, 1, TCPTEST_NEVER_MS));
	ASSERT_EQ(0, udptest_sendto(self->a, &self->b_name, 3, 10));
	EXPECT_EQ(1, epoll_wait(ep, &ev, 1, TCPTEST_SOON_MS));
	EXPECT_EQ(0, udptest_recv(self->b, 3, 10));
	EXPECT_EQ(0, epoll_wait(ep, &ev, 1, 0));
	close(ep);
}

TEST_F(forged, recv_is_not_woken)
{
	pthread_t thread;
	void *result;

	ASSERT_EQ(0, pthread_create(&thread, NULL, recv_later, &self->b));
	usleep(30000);
	ASSERT_EQ(0, forge(self->raw, &self->b_name));
	ASSERT_EQ(0, udptest_sendto(self->a, &self->b_name, 5, 700));
	pthread_join(thread, &result);
	EXPECT_EQ(NULL, result);
}

/* Not one of them takes room in the receive buffer. */
TEST_F(forged, leaves_the_buffer)
{
	int i;

	ASSERT_EQ(0, tcptest_set_int(self->b, SOL_SOCKET, SO_RCVBUF, 1));
	for (i = 0; i < 50; i++)
		ASSERT_EQ(0, forge(self->raw, &self->b_name));
	ASSERT_EQ(0, udptest_sendto(self->a, &self->b_name, 4, 100));
	EXPECT_EQ(0, udptest_recv(self->b, 4, 100));
}

/* --- the receive buffer ---------------------------------------------------- */

TEST_F(recv, overflow)
{
	int i, came = 0;

	ASSERT_EQ(0, tcptest_set_int(self->b, SOL_SOCKET, SO_RCVBUF, 8192));
	for (i = 0; i < 100; i++)
		ASSERT_EQ(0, udptest_send(self->a, i, 1000));
	ASSERT_EQ(0, udptest_arrived(self->b));
	usleep(50000);
	while (udptest_try(self->b) == 1000)
		came++;
	EXPECT_LE(2, came);
	EXPECT_GT(60, came);
}

/* --- what comes along ------------------------------------------------------ */

TEST_F(recv, timestamp)
{
	struct timespec now, then = {};
	uint8_t buf[100];
	bool found;

	ASSERT_EQ(0, tcptest_set_int(self->b, SOL_SOCKET, SO_TIMESTAMPNS, 1));
	clock_gettime(CLOCK_REALTIME, &now);
	ASSERT_EQ(0, udptest_send(self->a, 1, 10));
	EXPECT_EQ(10, udptest_recv_ctl(self->b, buf, sizeof(buf), 0,
				       SOL_SOCKET, SO_TIMESTAMPNS, &then,
				       sizeof(then), &found));
	EXPECT_TRUE(found);
	EXPECT_LE(now.tv_sec - 1, then.tv_sec);
	EXPECT_GE(now.tv_sec + 20, then.tv_sec);
}

TEST_F(recv, overflow_count)
{
	uint32_t drops = 0;
	uint8_t buf[1000];
	bool found;
	int i;

	ASSERT_EQ(0, tcptest_set_int(self->b, SOL_SOCKET, SO_RXQ_OVFL, 1));
	ASSERT_EQ(0, tcptest_set_int(self->b, SOL_SOCKET, SO_RCVBUF, 8192));
	for (i = 0; i < 100; i++)
		ASSERT_EQ(0, udptest_send(self->a, i, 1000));
	/* Some may come late: by ksoftirqd, when the processor was busy. */
	do {
		while (udptest_try(self->b) == 1000)
			;
	} while (!udptest_silent(self->b));
	ASSERT_EQ(0, udptest_send(self->a, 1, 10));
	EXPECT_EQ(10, udptest_recv_ctl(self->b, buf, sizeof(buf), 0,
				       SOL_SOCKET, SO_RXQ_OVFL, &drops,
				       sizeof(drops), &found));
	EXPECT_TRUE(found);
	EXPECT_LT(40, (int)drops);
}

/* A filter sees UDP's header, then plaintext. */
TEST_F(recv, filter)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 8 + 100, 0, 3),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 8),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 3, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 8 + 20),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog prog = { .len = 6, .filter = code };
	uint32_t nr;

	ASSERT_EQ(0, setsockopt(self->b, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
				sizeof(prog)));
	for (nr = 1; nr < 6; nr++) {
		ASSERT_EQ(0, udptest_send(self->a, nr, 100));
		ASSERT_EQ(0, udptest_send(self->a, 3, 99 + 2 * (nr % 2)));
	}
	/* One that it lets pass, as far as it says. */
	EXPECT_EQ(0, udptest_recv(self->b, 3, 20));
	EXPECT_TRUE(udptest_silent(self->b));
	ASSERT_EQ(0, tcptest_set_int(self->b, SOL_SOCKET, SO_DETACH_FILTER, 0));
}

TEST_F(recv, harmless_options)
{
	static const int opts[] = {
		SO_BUSY_POLL, SO_PRIORITY, SO_MARK, SO_TIMESTAMP,
		SO_INCOMING_CPU,
	};
	size_t i;

	for (i = 0; i < sizeof(opts) / sizeof(opts[0]); i++)
		EXPECT_EQ(0, tcptest_set_int(self->b, SOL_SOCKET, opts[i], 1)) {
			TH_LOG("option %d", opts[i]);
		}
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, udptest_send(self->a, i, 100));
		ASSERT_EQ(0, udptest_recv(self->b, i, 100));
	}
	EXPECT_EQ(-EAGAIN, udptest_try(self->b));
}

TEST_HARNESS_MAIN
