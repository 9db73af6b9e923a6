// SPDX-License-Identifier: GPL-2.0
/*
 * The end of a connection with NST: shutdown, close, linger, half-close, what
 * a reset does, and streams that were damaged or cut on their way.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>

#include "kselftest_harness.h"
#include "tcptest.h"

FIXTURE(end)
{
	int a;
	int b;
};

FIXTURE_VARIANT(end)
{
	struct tcptest_conf conf;
};

TCPTEST_VARIANTS_FEW(end);

FIXTURE_SETUP(end)
{
	ASSERT_EQ(0, tcptest_pair(&variant->conf, &self->a, &self->b));
}

FIXTURE_TEARDOWN(end)
{
	if (self->a >= 0)
		close(self->a);
	if (self->b >= 0)
		close(self->b);
}

/* Bytes that one recv returns, or -errno. */
static int one_recv(int fd)
{
	char buf[64];
	ssize_t n = recv(fd, buf, sizeof(buf), 0);

	return n < 0 ? -errno : n;
}

static int one_send(int fd)
{
	return send(fd, "x", 1, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int close_now(int fd)
{
	struct linger now = { .l_onoff = 1 };

	if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)))
		return -errno;
	return close(fd) ? -errno : 0;
}

/* --- orderly ends --------------------------------------------------------- */

/* As <linux/tcp.h> goes on, which libc's <netinet/tcp.h> does not. */
struct segs_info {
	struct tcp_info tcp;
	uint64_t rates_and_bytes[4];
	uint32_t segs_out;
	uint32_t segs_in;
};

/* Waits until all that @fd has sent is acknowledged. */
static bool settled(int fd, struct segs_info *info)
{
	socklen_t len = sizeof(*info);
	int i;

	for (i = 0; i < 2000; i++) {
		if (getsockopt(fd, SOL_TCP, TCP_INFO, info, &len))
			return false;
		if (!info->tcp.tcpi_unacked)
			return true;
		usleep(10000);
	}
	return false;
}

/* A segment less for each connection, for either end to handle and to acknowledge. */
TEST_F(end, close_record_goes_with_the_fin)
{
	struct segs_info a, b, a2, b2;

	ASSERT_EQ(0, tcptest_send(self->b, 0, 100, 100));
	ASSERT_EQ(0, tcptest_recv(self->a, 0, 100, 100));
	ASSERT_EQ(0, tcptest_send(self->a, 0, 100, 100));
	ASSERT_EQ(0, tcptest_recv(self->b, 0, 100, 100));
	ASSERT_TRUE(settled(self->b, &b));
	ASSERT_TRUE(settled(self->a, &a));
	ASSERT_TRUE(settled(self->b, &b));
	ASSERT_EQ(0, shutdown(self->a, SHUT_WR));
	ASSERT_EQ(0, one_recv(self->b));
	ASSERT_TRUE(settled(self->a, &a2));
	ASSERT_TRUE(settled(self->b, &b2));
	EXPECT_EQ(1 + a2.tcp.tcpi_total_retrans - a.tcp.tcpi_total_retrans,
		  b2.segs_in - b.segs_in);
}

TEST_F(end, half_close_with_long_answer)
{
	size_t len = 1000000;
	pid_t pid;

	ASSERT_EQ(0, tcptest_send(self->a, 0, 100, 100));
	ASSERT_EQ(0, shutdown(self->a, SHUT_WR));
	EXPECT_EQ(-EPIPE, one_send(self->a));
	ASSERT_EQ(0, tcptest_recv(self->b, 0, 100, 100));
	EXPECT_EQ(0, one_recv(self->b));
	pid = fork();
	if (!pid) {
		int ret = tcptest_send(self->b, 0, len, 65536);

		_exit(ret ? -ret : shutdown(self->b, SHUT_WR));
	}
	EXPECT_EQ(0, tcptest_recv(self->a, 0, len, 65536));
	EXPECT_EQ(0, one_recv(self->a));
	EXPECT_EQ(0, one_recv(self->a));
	EXPECT_EQ(0, tcptest_reap(pid));
}

TEST_F(end, data_then_close)
{
	ASSERT_EQ(0, tcptest_send(self->a, 0, 30000, 30000));
	ASSERT_EQ(0, close(self->a));
	self->a = -1;
	EXPECT_EQ(0, tcptest_recv(self->b, 0, 30000, 1000));
	EXPECT_EQ(0, one_recv(self->b));
	EXPECT_EQ(0, one_recv(self->b));
}

TEST_F(end, close_without_a_word)
{
	ASSERT_EQ(0, close(self->a));
	self->a = -1;
	EXPECT_EQ(0, one_recv(self->b));
}

/* The first to close has the other's START and close record unread. */
TEST_F(end, close_leaves_no_reset)
{
	ASSERT_EQ(0, tcptest_send(self->a, 0, 10, 10));
	ASSERT_EQ(0, tcptest_recv(self->b, 0, 10, 10));
	ASSERT_EQ(0, shutdown(self->b, SHUT_WR));
	ASSERT_EQ(POLLIN, tcptest_poll(self->a, POLLIN, TCPTEST_SOON_MS));
	ASSERT_EQ(0, close(self->a));
	self->a = -1;
	EXPECT_EQ(0, one_recv(self->b));
}

TEST_F(end, shutdown_read)
{
	ASSERT_EQ(0, shutdown(self->b, SHUT_RD));
	EXPECT_EQ(0, one_recv(self->b));
	ASSERT_EQ(0, tcptest_send(self->b, 0, 10, 10));
	EXPECT_EQ(0, tcptest_recv(self->a, 0, 10, 10));
}

TEST_F(end, shutdown_twice)
{
	ASSERT_EQ(0, shutdown(self->a, SHUT_WR));
	ASSERT_EQ(0, shutdown(self->a, SHUT_WR));
	EXPECT_EQ(0, one_recv(self->b));
	ASSERT_EQ(0, shutdown(self->b, SHUT_RDWR));
	EXPECT_EQ(0, one_recv(self->a));
	EXPECT_EQ(-EPIPE, one_send(self->b));
}

TEST_F(end, shutdown_with_open_record)
{
	ASSERT_EQ(5, tcptest_sendv(self->a, 0, 1, 5, MSG_MORE));
	ASSERT_EQ(0, shutdown(self->a, SHUT_RDWR));
	EXPECT_EQ(0, tcptest_recv(self->b, 0, 5, 5));
	EXPECT_EQ(0, one_recv(self->b));
}

/* A socket that is done may be bound again, but no more. */
TEST_F(end, reuse)
{
	struct sockaddr_storage ss = { .ss_family = variant->conf.family };
	socklen_t len = sizeof(ss);

	ASSERT_EQ(0, shutdown(self->b, SHUT_RDWR));
	ASSERT_EQ(0, shutdown(self->a, SHUT_RDWR));
	ASSERT_EQ(0, close(self->b));
	self->b = -1;
	EXPECT_NE(0, tcptest_poll(self->a, POLLIN, TCPTEST_SOON_MS) & POLLHUP);
	/* POLLHUP tells of both FINs, which come before the port is free. */
	ASSERT_EQ(0, tcptest_state(self->a, TCP_CLOSE));
	EXPECT_EQ(0, bind(self->a, (void *)&ss, len));
	EXPECT_EQ(-1, listen(self->a, 10));
	EXPECT_EQ(EINVAL, errno);
	ASSERT_EQ(0, getsockname(self->a, (void *)&ss, &len));
	EXPECT_EQ(-1, connect(self->a, (void *)&ss, len));
	EXPECT_EQ(EISCONN, errno);
}

TEST_F(end, disconnect)
{
	struct sockaddr_storage ss = { .ss_family = AF_UNSPEC };

	ASSERT_EQ(0, tcptest_send(self->a, 0, 10, 10));
	EXPECT_EQ(-1, connect(self->b, (void *)&ss, sizeof(ss)));
	EXPECT_EQ(EOPNOTSUPP, errno);
	EXPECT_EQ(0, tcptest_recv(self->b, 0, 10, 10));
	EXPECT_EQ(0, tcptest_bind(self->a, self->b));
}

TEST_F(end, addresses_stay)
{
	struct sockaddr_storage name, peer;
	socklen_t n = sizeof(name), p = sizeof(peer);

	ASSERT_EQ(0, getsockname(self->a, (void *)&name, &n));
	ASSERT_EQ(0, getpeername(self->b, (void *)&peer, &p));
	ASSERT_EQ(n, p);
	EXPECT_EQ(variant->conf.family, name.ss_family);
	EXPECT_EQ(0, memcmp(&name, &peer, n));
}

/* --- abrupt ends ---------------------------------------------------------- */

TEST_F(end, linger_zero)
{
	ASSERT_EQ(0, tcptest_bind(self->a, self->b));
	ASSERT_EQ(0, close_now(self->a));
	self->a = -1;
	EXPECT_EQ(-ECONNRESET, one_recv(self->b));
	EXPECT_EQ(-EPIPE, one_send(self->b));
}

TEST_F(end, linger_zero_with_open_record)
{
	ASSERT_EQ(5, tcptest_sendv(self->a, 0, 1, 5, MSG_MORE));
	ASSERT_EQ(0, close_now(self->a));
	self->a = -1;
	EXPECT_EQ(-ECONNRESET, one_recv(self->b));
}

TEST_F(end, linger)
{
	struct linger soon = { .l_onoff = 1, .l_linger = 5 };

	ASSERT_EQ(0, setsockopt(self->a, SOL_SOCKET, SO_LINGER, &soon,
				sizeof(soon)));
	ASSERT_EQ(0, tcptest_send(self->a, 0, 50000, 50000));
	ASSERT_EQ(0, close(self->a));
	self->a = -1;
	EXPECT_EQ(0, tcptest_recv(self->b, 0, 50000, 50000));
	EXPECT_EQ(0, one_recv(self->b));
}

/* TCP answers unread data with a reset, and so does NST with plaintext. */
TEST_F(end, close_with_unread_data)
{
	ASSERT_EQ(0, tcptest_bind(self->a, self->b));
	ASSERT_EQ(0, tcptest_send(self->b, 0, 10, 10));
	ASSERT_EQ(0, tcptest_arrived(self->a, 10));
	ASSERT_EQ(0, close(self->a));
	self->a = -1;
	EXPECT_EQ(-ECONNRESET, one_recv(self->b));
}

/* Unread and not even looked at. */
TEST_F(end, close_with_unseen_data)
{
	ASSERT_EQ(0, tcptest_bind(self->a, self->b));
	ASSERT_EQ(0, tcptest_send(self->b, 0, 10, 10));
	ASSERT_EQ(POLLIN, tcptest_poll(self->a, POLLIN, TCPTEST_SOON_MS));
	ASSERT_EQ(0, close(self->a));
	self->a = -1;
	EXPECT_EQ(-ECONNRESET, one_recv(self->b));
}

static volatile sig_atomic_t pipes;

static void count_pipe(int sig)
{
	(void)sig;
	pipes++;
}

TEST_F(end, sigpipe)
{
	signal(SIGPIPE, count_pipe);
	ASSERT_EQ(0, shutdown(self->a, SHUT_WR));
	EXPECT_EQ(-1, send(self->a, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(EPIPE, errno);
	EXPECT_EQ(0, pipes);
	EXPECT_EQ(-1, send(self->a, "x", 1, 0));
	EXPECT_EQ(EPIPE, errno);
	EXPECT_EQ(1, pipes);
	EXPECT_EQ(-1, write(self->a, "x", 1));
	EXPECT_EQ(2, pipes);
}

/* --- damage on the way ---------------------------------------------------- */

FIXTURE(way)
{
	struct tcptest_proxy p;
	uint8_t rec[4096];
	size_t len;
	struct nsttest_counters before;
};

FIXTURE_VARIANT(way)
{
	struct tcptest_conf conf;
};

TCPTEST_VARIANTS_SUITES(way);

FIXTURE_SETUP(way)
{
	struct tcptest_proxy *p = &self->p;

	ASSERT_EQ(0, tcptest_proxy_open(p, &variant->conf));
	ASSERT_EQ(0, tcptest_key(p->a, &variant->conf, NST_F_INITIATOR));
	ASSERT_EQ(0, tcptest_key(p->b, &variant->conf, NST_F_RESPONDER));
	ASSERT_EQ(0, tcptest_proxy_settle(p));
	ASSERT_EQ(0, tcptest_send(p->a, 0, 1, 1));
	ASSERT_EQ(0, tcptest_proxy_pump(p, 60));
	ASSERT_EQ(0, tcptest_recv(p->b, 0, 1, 1));
	ASSERT_EQ(0, nsttest_counters(&self->before));
}

FIXTURE_TEARDOWN(way)
{
	tcptest_proxy_close(&self->p);
}

/* Takes what @a has sent; its last record is the one to be damaged. */
static void take(struct __test_metadata *_metadata, FIXTURE_DATA(way) *self,
		 size_t want)
{
	self->len = tcptest_fetch(self->p.a_raw, self->rec, sizeof(self->rec),
				  60);
	ASSERT_LE(want, self->len);
}

static void expect_bad(struct __test_metadata *_metadata,
		       FIXTURE_DATA(way) *self)
{
	int b = self->p.b, pipe_fd[2], err;
	struct nst_info info;

	EXPECT_EQ(-EBADMSG, one_recv(b));
	EXPECT_EQ(-EBADMSG, one_recv(b));
	ASSERT_EQ(0, pipe(pipe_fd));
	EXPECT_EQ(-1, splice(b, NULL, pipe_fd[1], NULL, 10, 0));
	EXPECT_EQ(EBADMSG, errno);
	EXPECT_EQ(POLLIN, tcptest_poll(b, POLLIN, 0) & POLLIN);
	ASSERT_EQ(0, tcptest_info(b, &info));
	EXPECT_EQ(EBADMSG, info.error);
	EXPECT_STREQ("NstRxAuth+1", nsttest_grown(&self->before));
	/* The connection is reset; what the other end said may be read. */
	EXPECT_EQ(-ECONNRESET, nsttest_drain(self->p.b_raw));
	/* A send may be the one that is told why; later ones are not. */
	err = one_send(b);
	EXPECT_TRUE(err == -EBADMSG || err == -EPIPE);
	EXPECT_EQ(-EPIPE, one_send(b));
	EXPECT_EQ(-EBADMSG, one_recv(b));
	close(pipe_fd[0]);
	close(pipe_fd[1]);
}

TEST_F(way, bad_token)
{
	ASSERT_EQ(0, tcptest_send(self->p.a, 0, 40, 40));
	take(_metadata, self, 88);
	self->rec[PEER_TOKEN_OFF] ^= 1;
	ASSERT_EQ(0, peer_write(self->p.b_raw, self->rec, self->len));
	expect_bad(_metadata, self);
}

TEST_F(way, bad_body)
{
	ASSERT_EQ(0, tcptest_send(self->p.a, 0, 40, 40));
	take(_metadata, self, 88);
	self->rec[self->len - 1] ^= 0x80;
	ASSERT_EQ(0, peer_write(self->p.b_raw, self->rec, self->len));
	expect_bad(_metadata, self);
}

TEST_F(way, bad_control_record)
{
	ASSERT_EQ(4, tcptest_send_type(self->p.a, TCPTEST_CTL, "ctrl", 4, 0));
	take(_metadata, self, 52);
	self->rec[self->len - 1] ^= 1;
	ASSERT_EQ(0, peer_write(self->p.b_raw, self->rec, self->len));
	expect_bad(_metadata, self);
}

/* What was good before it is read, by one large read. */
TEST_F(way, bad_in_large_read)
{
	uint8_t buf[3000];

	ASSERT_EQ(0, tcptest_send(self->p.a, 0, 300, 100));
	take(_metadata, self, 3 * 148);
	self->rec[self->len - 1] ^= 1;
	ASSERT_EQ(0, peer_write(self->p.b_raw, self->rec, self->len));
	ASSERT_EQ(POLLIN, tcptest_poll(self->p.b, POLLIN, TCPTEST_SOON_MS));
	usleep(20000);
	ASSERT_EQ(200, recv(self->p.b, buf, sizeof(buf), MSG_WAITALL));
	EXPECT_TRUE(tcptest_same(buf, 200, 0));
	expect_bad(_metadata, self);
}

TEST_F(way, bad_while_reader_sleeps)
{
	pid_t pid = fork();

	if (!pid)
		_exit(-one_recv(self->p.b));
	ASSERT_EQ(0, tcptest_send(self->p.a, 0, 40, 40));
	take(_metadata, self, 88);
	self->rec[self->len - 1] ^= 1;
	ASSERT_EQ(0, peer_write(self->p.b_raw, self->rec, self->len));
	EXPECT_EQ(-EBADMSG, tcptest_reap(pid));
	expect_bad(_metadata, self);
}

/* Bytes that are no record, by ones that are refused at sight. */
TEST_F(way, no_record)
{
	memset(self->rec, 0x55, 64);
	ASSERT_EQ(0, peer_write(self->p.b_raw, self->rec, 64));
	EXPECT_EQ(-EPROTO, one_recv(self->p.b));
	EXPECT_EQ(-EPROTO, one_recv(self->p.b));
	EXPECT_EQ(-ECONNRESET, nsttest_drain(self->p.b_raw));
}

/* FIN without a close record is no end of file. */
static void run_cut(struct __test_metadata *_metadata, FIXTURE_DATA(way) *self,
		    size_t missing)
{
	int b = self->p.b;

	ASSERT_EQ(0, tcptest_send(self->p.a, 0, 80, 40));
	take(_metadata, self, 2 * 88);
	ASSERT_EQ(0, peer_write(self->p.b_raw, self->rec, self->len - missing));
	ASSERT_EQ(0, shutdown(self->p.b_raw, SHUT_WR));
	ASSERT_EQ(0, tcptest_recv(b, 0, missing ? 40 : 80, 80));
	EXPECT_EQ(-ECONNABORTED, one_recv(b));
	EXPECT_EQ(-ECONNABORTED, one_recv(b));
	EXPECT_EQ(POLLIN, tcptest_poll(b, POLLIN, 0) & POLLIN);
	EXPECT_STREQ("NstRxTruncated+1", nsttest_grown(&self->before));
	/* The other direction is alive. */
	ASSERT_EQ(0, tcptest_send(b, 0, 1000, 100));
	ASSERT_EQ(0, tcptest_proxy_pump(&self->p, 60) == -EPIPE);
	EXPECT_EQ(0, tcptest_recv(self->p.a, 0, 1000, 1000));
	EXPECT_EQ(-ECONNABORTED, one_recv(b));
}

TEST_F(way, cut_behind_a_record)
{
	run_cut(_metadata, self, 0);
}

TEST_F(way, cut_inside_a_body)
{
	run_cut(_metadata, self, 1);
}

TEST_F(way, cut_inside_a_header)
{
	run_cut(_metadata, self, 70);
}

TEST_F(way, cut_while_reader_sleeps)
{
	pid_t pid = fork();

	if (!pid)
		_exit(-one_recv(self->p.b));
	usleep(20000);
	ASSERT_EQ(0, shutdown(self->p.b_raw, SHUT_WR));
	EXPECT_EQ(-ECONNABORTED, tcptest_reap(pid));
	EXPECT_EQ(-ECONNABORTED, one_recv(self->p.b));
}

/* Urgent bytes make TCP's queue odd; the stream dies of them, no more. */
TEST_F(way, urgent_bytes)
{
	uint8_t *buf = calloc(1, 65536);
	int i;

	ASSERT_NE(NULL, buf);
	send(self->p.b_raw, buf, 5, MSG_OOB | MSG_NOSIGNAL);
	for (i = 0; i < 64; i++) {
		send(self->p.b_raw, buf, i ? 1024 : 65536,
		     MSG_DONTWAIT | MSG_NOSIGNAL);
		send(self->p.b_raw, buf, 5, MSG_OOB | MSG_NOSIGNAL);
	}
	EXPECT_EQ(-EPROTO, one_recv(self->p.b));
	EXPECT_EQ(-EPROTO, one_recv(self->p.b));
	free(buf);
}

TEST_HARNESS_MAIN
