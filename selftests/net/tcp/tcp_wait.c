// SPDX-License-Identifier: GPL-2.0
/*
 * Calls on a TCP socket with NST that wait: blocking and not, timeouts,
 * low-water marks, signals, small buffers, and what TCP itself holds back.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include "kselftest_harness.h"
#include "tcptest.h"

/* A time limit; ticks of a loaded guest come late, and then all at once. */
#define WAIT_MS		400
#define WAITED_MS	100

TCPTEST_PAIRS(wait, TCPTEST_VARIANTS_FEW);

/* --- blocking, timeouts, low-water marks ---------------------------------- */

TEST_F(wait, blocking_100k)
{
	pid_t pid = tcptest_receiver(self->b, 0, 100000, 100000);

	EXPECT_EQ(0, tcptest_send(self->a, 0, 100000, 50000));
	EXPECT_EQ(0, tcptest_reap(pid));
}

static int nonblocking_recv(int fd, size_t len)
{
	uint8_t buf[3333];
	size_t got = 0;
	ssize_t n;

	while (got < len) {
		n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN) {
			usleep(1000);
			continue;
		}
		if (n <= 0)
			return -EIO;
		if (!tcptest_same(buf, n, got))
			return -EILSEQ;
		got += n;
	}
	return 0;
}

/* As much of len bytes as goes without waiting; how many, or -errno. */
static ssize_t nonblocking_send(int fd, size_t from, size_t len)
{
	uint8_t buf[3000];
	size_t sent = 0;
	ssize_t n;

	while (sent < len) {
		n = len - sent < sizeof(buf) ? len - sent : sizeof(buf);
		tcptest_fill(buf, n, from + sent);
		n = send(fd, buf, n, MSG_DONTWAIT);
		if (n < 0)
			return errno == EAGAIN ? (ssize_t)sent : -errno;
		sent += n;
	}
	return sent;
}

TEST_F(wait, low_water_mark)
{
	uint8_t buf[20];

	ASSERT_EQ(0, tcptest_send(self->a, 0, 15, 10));
	ASSERT_EQ(0, tcptest_set_int(self->b, SOL_SOCKET, SO_RCVLOWAT, 8));
	ASSERT_EQ(1, recv(self->b, buf, 1, MSG_WAITALL));
	ASSERT_EQ(6, recv(self->b, buf + 1, 6, MSG_WAITALL));
	ASSERT_EQ(8, recv(self->b, buf + 7, 10, 0));
	EXPECT_TRUE(tcptest_same(buf, 15, 0));
}

/* A reader asks for more than one record, and waits for so much. */
TEST_F(wait, low_water_mark_waits)
{
	uint8_t buf[64];
	pid_t pid;

	ASSERT_EQ(0, tcptest_set_int(self->b, SOL_SOCKET, SO_RCVLOWAT, 30));
	pid = fork();
	if (!pid) {
		usleep(20000);
		tcptest_send(self->a, 0, 10, 10);
		usleep(20000);
		tcptest_send(self->a, 10, 10, 10);
		usleep(20000);
		_exit(-tcptest_send(self->a, 20, 10, 10));
	}
	EXPECT_EQ(30, recv(self->b, buf, sizeof(buf), 0));
	EXPECT_TRUE(tcptest_same(buf, 30, 0));
	EXPECT_EQ(0, tcptest_reap(pid));
}

/* Two readers, whichever comes first: neither waits for ever. */
TEST_F(wait, receive_timeout_of_two)
{
	long start = nsttest_now_ms();
	pid_t pid;
	char byte;

	ASSERT_EQ(0, tcptest_timeout(self->b, SO_RCVTIMEO, WAIT_MS));
	pid = fork();
	if (!pid)
		_exit(recv(self->b, &byte, 1, 0) == -1 ? errno : 0);
	TCPTEST_EXPECT_AGAIN(self->b, 0);
	EXPECT_EQ(-EAGAIN, tcptest_reap(pid));
	EXPECT_LE(WAITED_MS, nsttest_now_ms() - start);
	EXPECT_GE(TCPTEST_SOON_MS, nsttest_now_ms() - start);
	ASSERT_EQ(0, tcptest_send(self->a, 0, 5, 5));
	EXPECT_EQ(0, tcptest_recv(self->b, 0, 5, 5));
}

TEST_F(wait, send_timeout)
{
	uint8_t buf[16384] = {};
	size_t sent = 0;
	long start;
	ssize_t n;

	ASSERT_EQ(0, tcptest_set_int(self->a, SOL_SOCKET, SO_SNDBUF, 1));
	ASSERT_EQ(0, tcptest_timeout(self->a, SO_SNDTIMEO, WAIT_MS));
	do {
		start = nsttest_now_ms();
		tcptest_fill(buf, sizeof(buf), sent);
		n = send(self->a, buf, sizeof(buf), 0);
		sent += n > 0 ? n : 0;
	} while (n == sizeof(buf));
	EXPECT_TRUE(n > 0 || errno == EAGAIN);
	EXPECT_LE(WAITED_MS, nsttest_now_ms() - start);
	/* What was taken arrives, whole. */
	ASSERT_EQ(0, tcptest_timeout(self->a, SO_SNDTIMEO, TCPTEST_SOON_MS));
	EXPECT_EQ(0, tcptest_recv(self->b, 0, sent, 65536));
	ASSERT_EQ(0, tcptest_send(self->a, sent, 5, 5));
	EXPECT_EQ(0, tcptest_recv(self->b, sent, 5, 5));
	TCPTEST_EXPECT_AGAIN(self->b, MSG_DONTWAIT);
}

/* What has come by the end of the time is returned. */
TEST_F(wait, waitall_until_timeout)
{
	uint8_t buf[100];
	long start;

	ASSERT_EQ(0, tcptest_timeout(self->b, SO_RCVTIMEO, WAIT_MS));
	ASSERT_EQ(0, tcptest_send(self->a, 0, 50, 30));
	start = nsttest_now_ms();
	EXPECT_EQ(50, recv(self->b, buf, sizeof(buf), MSG_WAITALL));
	EXPECT_LE(WAITED_MS, nsttest_now_ms() - start);
	EXPECT_TRUE(tcptest_same(buf, 50, 0));
	ASSERT_EQ(0, tcptest_send(self->a, 50, 50, 30));
	EXPECT_EQ(0, tcptest_recv(self->b, 50, 50, 50));
}

static void on_signal(int sig)
{
	(void)sig;
}

TEST_F(wait, waitall_until_signal)
{
	struct sigaction sa = { .sa_handler = on_signal };
	uint8_t buf[100];
	pid_t pid;

	ASSERT_EQ(0, tcptest_send(self->a, 0, 50, 30));
	pid = fork();
	if (!pid) {
		sigaction(SIGUSR1, &sa, NULL);
		_exit(recv(self->b, buf, sizeof(buf), MSG_WAITALL));
	}
	ASSERT_EQ(0, tcptest_asleep(pid));
	kill(pid, SIGUSR1);
	EXPECT_EQ(-50, tcptest_reap(pid));
	EXPECT_EQ(0, tcptest_bind(self->a, self->b));
}

TEST_F(wait, one_byte_at_a_time)
{
	ASSERT_EQ(0, tcptest_send(self->a, 0, 3000, 1000));
	EXPECT_EQ(0, tcptest_recv(self->b, 0, 3000, 1));
}

/*
 * A pair whose @b has had the smallest receive buffer from the start. (Once
 * TCP has offered more it cannot take that back, and crawls.)
 *
 * In strict mode 48 bytes go ahead, so that the next segment, which fills the
 * window, is shorter than those that the sender would like. In the smallest
 * buffer TCP then may offer this one's length for ever, and the sender sends
 * only when its persist timer says so: plain TCP of 6.12 does it as well, if
 * 48 bytes go ahead.
 */
static void small_pair(struct __test_metadata *_metadata,
		       const struct tcptest_conf *conf, int *a, int *b)
{
	ASSERT_EQ(0, nsttest_pair(conf->family, conf->strict ? 4096 : 1, b, a));
	ASSERT_EQ(0, tcptest_key(*a, conf, NST_F_INITIATOR));
	ASSERT_EQ(0, tcptest_key(*b, conf, NST_F_RESPONDER));
	ASSERT_EQ(0, tcptest_record_max(*a, NST_RECORD_MAX_MAX));
	ASSERT_EQ(0, tcptest_record_max(*b, NST_RECORD_MAX_MAX));
	ASSERT_EQ(0, tcptest_set_int(*b, SOL_SOCKET, SO_SNDBUF, 1));
}

/*
 * Nothing is there for the reader before the first byte, and nobody reads until
 * the sender's buffer is full: both ends meet EAGAIN, whoever runs when. (The
 * buffers are small from the start, or TCP would go on at the pace of its timers.)
 */
TEST_F(wait, nonblocking_100k)
{
	size_t len = 100000, sent;
	uint8_t byte;
	pid_t pid;
	ssize_t n;
	int a, b;

	small_pair(_metadata, &variant->conf, &a, &b);
	ASSERT_EQ(0, tcptest_set_int(a, SOL_SOCKET, SO_SNDBUF, 100));
	ASSERT_EQ(0, tcptest_settle(a));
	ASSERT_EQ(-1, recv(b, &byte, 1, MSG_DONTWAIT));
	ASSERT_EQ(EAGAIN, errno);
	n = nonblocking_send(a, 0, len);
	ASSERT_LT(0, n);
	ASSERT_GT(len, n);
	sent = n;
	pid = fork();
	if (!pid)
		_exit(-nonblocking_recv(b, len));
	while (sent < len) {
		n = nonblocking_send(a, sent, len - sent);
		ASSERT_LE(0, n);
		sent += n;
		usleep(1000);
	}
	EXPECT_EQ(0, tcptest_reap(pid));
	close(a);
	close(b);
}

/* Records many times as large as the buffers, both ways at once. */
TEST_F(wait, small_buffers)
{
	size_t len = 4 * NST_RECORD_MAX_MAX;
	pid_t pid[3];
	int a, b, i;

	small_pair(_metadata, &variant->conf, &a, &b);
	pid[0] = tcptest_sender(a, 0, len, NST_RECORD_MAX_MAX);
	pid[1] = tcptest_sender(b, 7, len, NST_RECORD_MAX_MAX);
	pid[2] = tcptest_receiver(a, 7, len, 20000);
	EXPECT_EQ(0, tcptest_recv(b, 0, len, 3000));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, tcptest_reap(pid[i]));
	close(a);
	close(b);
}

/* The same for a reader who only reads when poll() says so. */
TEST_F(wait, small_buffers_with_poll)
{
	size_t len = 4 * NST_RECORD_MAX_MAX, got = 0;
	uint8_t buf[5000];
	pid_t pid;
	ssize_t n;
	int a, b;

	small_pair(_metadata, &variant->conf, &a, &b);
	pid = tcptest_sender(a, 0, len, NST_RECORD_MAX_MAX);
	while (got < len) {
		ASSERT_EQ(POLLIN, tcptest_poll(b, POLLIN, TCPTEST_SOON_MS));
		n = recv(b, buf, sizeof(buf), MSG_DONTWAIT);
		ASSERT_LT(0, n);
		ASSERT_TRUE(tcptest_same(buf, n, got));
		got += n;
	}
	EXPECT_EQ(0, tcptest_reap(pid));
	close(a);
	close(b);
}

/* --- a peer that says nothing --------------------------------------------- */

/* A strict end may not send before it is answered, and says so. */
TEST_F(wait, strict_and_silence)
{
	struct tcptest_conf conf = variant->conf;
	int a, b;
	long start;

	conf.strict = true;
	ASSERT_EQ(0, nsttest_pair(conf.family, 0, &b, &a));
	ASSERT_EQ(0, tcptest_key(a, &conf, NST_F_INITIATOR));
	EXPECT_EQ(-1, send(a, "x", 1, MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(0, tcptest_poll(a, POLLOUT, TCPTEST_NEVER_MS));
	ASSERT_EQ(0, tcptest_timeout(a, SO_SNDTIMEO, WAIT_MS));
	start = nsttest_now_ms();
	EXPECT_EQ(-1, send(a, "x", 1, 0));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_LE(WAITED_MS, nsttest_now_ms() - start);
	/* Nothing is lost by that. */
	ASSERT_EQ(0, tcptest_key(b, &conf, NST_F_RESPONDER));
	ASSERT_EQ(0, tcptest_settle(a));
	EXPECT_EQ(0, tcptest_bind(a, b));
	close(a);
	close(b);
}

/* Data and the end come, in this order, while somebody looks all the time. */
static int look_until_end(int fd)
{
	char buf[64];
	size_t got = 0;
	ssize_t n;

	do {
		n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
		got += n > 0 ? n : 0;
	} while (n > 0 || (n < 0 && errno == EAGAIN));
	return n ? -errno : got == 10 ? 0 : -ENODATA;
}

/*
 * This end has sent its FIN, so that the connection is over with the peer's: also
 * to whoever has just seen that nothing is there. (Takes more than one processor.)
 */
TEST_F_TIMEOUT(wait, end_behind_a_look, 120)
{
	pid_t pid;
	int i, a, b;
	char byte;

	for (i = 0; i < 50; i++) {
		ASSERT_EQ(0, tcptest_pair(&variant->conf, &a, &b));
		ASSERT_EQ(0, shutdown(a, SHUT_WR));
		ASSERT_EQ(0, recv(b, &byte, 1, 0));
		pid = fork();
		if (!pid) {
			usleep(i * 80);
			if (tcptest_send(b, 0, 10, 10))
				_exit(1);
			_exit(shutdown(b, SHUT_WR) ? 2 : 0);
		}
		ASSERT_EQ(0, look_until_end(a)) {
			TH_LOG("round %d", i);
		}
		ASSERT_EQ(0, tcptest_reap(pid));
		close(a);
		close(b);
	}
}

/* Half a record, and four who wait for it: they sleep. */
TEST_F(wait, nobody_spins_on_half_a_record)
{
	struct epoll_event ev = { .events = EPOLLIN };
	struct tcptest_proxy p;
	uint8_t rec[512];
	struct rusage use;
	pid_t pid[4];
	ssize_t len;
	int i, ep;

	ASSERT_EQ(0, tcptest_proxy_open(&p, &variant->conf));
	ASSERT_EQ(0, tcptest_key(p.a, &variant->conf, NST_F_INITIATOR));
	ASSERT_EQ(0, tcptest_key(p.b, &variant->conf, NST_F_RESPONDER));
	ASSERT_EQ(0, tcptest_proxy_settle(&p));
	ASSERT_EQ(0, tcptest_send(p.a, 0, 100, 100));
	len = tcptest_fetch(p.a_raw, rec, sizeof(rec), 60);
	ASSERT_LE(148, len);
	ASSERT_EQ(0, peer_write(p.b_raw, rec, len - 1));
	for (i = 0; i < 4; i++) {
		pid[i] = fork();
		if (pid[i])
			continue;
		ep = epoll_create1(0);
		epoll_ctl(ep, EPOLL_CTL_ADD, p.b, &ev);
		if (epoll_wait(ep, &ev, 1, 500))
			_exit(1);
		getrusage(RUSAGE_SELF, &use);
		_exit(use.ru_utime.tv_sec || use.ru_stime.tv_sec ||
		      use.ru_stime.tv_usec > 300000);
	}
	for (i = 0; i < 4; i++)
		EXPECT_EQ(0, tcptest_reap(pid[i]));
	ASSERT_EQ(0, peer_write(p.b_raw, rec + len - 1, 1));
	EXPECT_EQ(0, tcptest_recv(p.b, 0, 100, 100));
	tcptest_proxy_close(&p);
}

/* --- options of TCP that hold data back ----------------------------------- */

TEST_F(wait, cork)
{
	ASSERT_EQ(0, tcptest_bind(self->a, self->b));
	ASSERT_EQ(0, tcptest_set_int(self->a, SOL_TCP, TCP_NODELAY, 0));
	ASSERT_EQ(0, tcptest_set_int(self->a, SOL_TCP, TCP_CORK, 1));
	ASSERT_EQ(0, tcptest_send(self->a, 0, 10, 10));
	ASSERT_EQ(0, tcptest_send(self->a, 10, 10, 10));
	ASSERT_EQ(0, tcptest_set_int(self->a, SOL_TCP, TCP_CORK, 0));
	EXPECT_EQ(0, tcptest_recv(self->b, 0, 20, 20));
	/* And by itself, after TCP's 200 ms. */
	ASSERT_EQ(0, tcptest_set_int(self->a, SOL_TCP, TCP_CORK, 1));
	ASSERT_EQ(0, tcptest_send(self->a, 0, 10, 10));
	EXPECT_EQ(0, tcptest_recv(self->b, 0, 10, 10));
}

TEST_F(wait, notsent_low_water_mark)
{
	size_t len = 300000, sent = 0;
	uint8_t buf[20000];
	pid_t pid;
	ssize_t n;

	ASSERT_EQ(0, tcptest_set_int(self->a, SOL_TCP, TCP_NOTSENT_LOWAT, 1));
	pid = tcptest_receiver(self->b, 0, len, 4000);
	while (sent < len) {
		ASSERT_EQ(0, tcptest_settle(self->a));
		n = len - sent < sizeof(buf) ? len - sent : sizeof(buf);
		tcptest_fill(buf, n, sent);
		n = send(self->a, buf, n, MSG_DONTWAIT);
		ASSERT_TRUE(n > 0 || errno == EAGAIN);
		sent += n > 0 ? n : 0;
	}
	EXPECT_EQ(0, tcptest_reap(pid));
	/* The same with a blocking sender. */
	pid = tcptest_receiver(self->b, 0, len, 65536);
	EXPECT_EQ(0, tcptest_send(self->a, 0, len, 50000));
	EXPECT_EQ(0, tcptest_reap(pid));
}

/* TCP_USER_TIMEOUT, with a peer that reads nothing: as on a plain socket. */
TEST(user_timeout)
{
	const struct tcptest_conf conf = {
		.cipher_id = NST_CIPHER_AES_GCM, .family = AF_INET,
	};
	static char buf[100000];
	int nst, a, b;

	for (nst = 0; nst < 2; nst++) {
		ASSERT_EQ(0, nsttest_pair(AF_INET, 4096, &b, &a));
		if (nst)
			ASSERT_EQ(0, tcptest_key(a, &conf, NST_F_INITIATOR));
		ASSERT_EQ(0, tcptest_set_int(a, SOL_TCP, TCP_USER_TIMEOUT,
					     1000));
		ASSERT_EQ(0, tcptest_timeout(a, SO_SNDTIMEO, TCPTEST_SOON_MS));
		while (send(a, buf, sizeof(buf), MSG_NOSIGNAL) > 0)
			;
		EXPECT_EQ(ETIMEDOUT, errno);
		EXPECT_EQ(POLLHUP, tcptest_poll(a, POLLHUP, 0) & POLLHUP);
		EXPECT_EQ(-1, send(a, buf, 1, MSG_NOSIGNAL));
		EXPECT_EQ(EPIPE, errno);
		close(a);
		close(b);
	}
}

TEST_HARNESS_MAIN
