// SPDX-License-Identifier: GPL-2.0
/*
 * An exchange of keys where it is not at home: sockets that are no stream or have no
 * peer, a peer that is slow, silent or no NST, signals, and data that is under way. It
 * succeeds, or there is an error by name, soon, and nothing is sent any more.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <nst/exchange.h>
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>

#include "kselftest_harness.h"
#include "tcptest.h"

#define SOON	(nsttest_patience(10) * 1000)

static const struct nst_key key = { .kid = 7, .key = "no secret" };
static const struct nst_opts strict = {
	.size = sizeof(strict), .flags = NST_F_STRICT, .keys = &key, .nr_keys = 1,
};

static int open_pair(int *a, int *b)
{
	struct tcptest_conf conf = {
		.cipher_id = NST_CIPHER_AES_GCM, .family = AF_INET,
		.strict = true,
	};

	return tcptest_pair(&conf, a, b);
}

/* The connection has ended: nothing can be sent. */
static void expect_over(struct __test_metadata *_metadata, int fd)
{
	/* The first may be told what ended receiving. */
	EXPECT_EQ(-1, send(fd, "plain", 5, MSG_NOSIGNAL));
	EXPECT_EQ(-1, send(fd, "plain", 5, MSG_NOSIGNAL));
	EXPECT_EQ(EPIPE, errno);
}

static void expect_data(struct __test_metadata *_metadata, int a, int b)
{
	EXPECT_EQ(0, tcptest_send(a, 0, 50000, 7000));
	EXPECT_EQ(0, tcptest_recv(b, 0, 50000, 50000));
	EXPECT_EQ(0, tcptest_send(b, 3, 50000, 7000));
	EXPECT_EQ(0, tcptest_recv(a, 3, 50000, 50000));
}

static void *whole(void *arg)
{
	return (void *)(long)nst_exchange(*(int *)arg, NULL, SOON);
}

/* --- sockets that it is not for ------------------------------------------- */

TEST(datagrams)
{
	struct sockaddr_storage to;
	struct nst_opts opts = { .size = sizeof(opts), .keys = &key, .nr_keys = 1 };
	socklen_t len = nsttest_loopback(&to, AF_INET, 9);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	ASSERT_LE(0, fd);
	EXPECT_EQ(-ENOPROTOOPT, nst_exchange(fd, NULL, SOON));
	EXPECT_EQ(-1, sendto(fd, "plain", 5, MSG_NOSIGNAL, (void *)&to, len));
	EXPECT_EQ(EPIPE, errno);
	close(fd);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	ASSERT_EQ(0, nst_udp(fd, &opts));
	ASSERT_EQ(0, connect(fd, (void *)&to, len));
	EXPECT_EQ(-EINVAL, nst_exchange(fd, NULL, SOON));
	expect_over(_metadata, fd);
	close(fd);
}

TEST(no_socket)
{
	struct nst_exchange *ex = (void *)1;
	int fds[2];

	ASSERT_EQ(0, pipe(fds));
	EXPECT_EQ(-ENOTSOCK, nst_exchange(fds[0], NULL, SOON));
	EXPECT_EQ(-ENOTSOCK, nst_exchange_new(&ex, fds[0], NULL));
	EXPECT_EQ(NULL, ex);
	close(fds[0]);
	close(fds[1]);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	EXPECT_GT(0, nst_exchange(fds[0], NULL, SOON));
	expect_over(_metadata, fds[0]);
	close(fds[0]);
	close(fds[1]);
}

/* None has a peer. */
TEST(listener)
{
	struct sockaddr_storage at;
	socklen_t len = nsttest_loopback(&at, AF_INET, 0);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct nst_opts opts = strict;

	opts.flags |= NST_F_RESPONDER;
	ASSERT_EQ(0, bind(fd, (void *)&at, len));
	ASSERT_EQ(0, listen(fd, 1));
	ASSERT_EQ(0, nst_tcp(fd, &opts));
	EXPECT_EQ(-ENOTCONN, nst_exchange(fd, NULL, SOON));
	close(fd);
}

TEST(not_connected)
{
	uint32_t roles[] = { 0, NST_F_INITIATOR, NST_F_RESPONDER };
	struct nst_opts opts;
	unsigned int i;
	int fd;

	for (i = 0; i < 3; i++) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		opts = strict;
		opts.flags |= roles[i];
		ASSERT_EQ(0, nst_tcp(fd, &opts));
		EXPECT_EQ(i == 2 ? -ENOTCONN : -EPIPE,
			  nst_exchange(fd, NULL, SOON));
		EXPECT_EQ(-1, send(fd, "plain", 5, MSG_NOSIGNAL));
		close(fd);
	}
}

/* Sockets that have NST from birth are no others. */
TEST(af_nst)
{
	struct sockaddr_storage at;
	socklen_t len = nsttest_loopback(&at, AF_INET, 0);
	int lis = socket(AF_NST, NST_SOCK_STREAM, AF_INET), a, b;
	pthread_t thread;
	void *err;

	a = socket(AF_NST, NST_SOCK_STREAM, AF_INET);
	ASSERT_EQ(0, nst_tcp(lis, &strict));
	ASSERT_EQ(0, nst_tcp(a, &strict));
	ASSERT_EQ(0, bind(lis, (void *)&at, len));
	ASSERT_EQ(0, listen(lis, 1));
	ASSERT_EQ(0, getsockname(lis, (void *)&at, &len));
	ASSERT_EQ(0, connect(a, (void *)&at, len));
	b = accept(lis, NULL, NULL);
	ASSERT_LE(0, b);
	ASSERT_EQ(0, pthread_create(&thread, NULL, whole, &b));
	EXPECT_EQ(0, nst_exchange(a, NULL, SOON));
	ASSERT_EQ(0, pthread_join(thread, &err));
	EXPECT_EQ(NULL, err);
	expect_data(_metadata, a, b);
	close(a);
	close(b);
	close(lis);
}

/* --- a peer without NST --------------------------------------------------- */

/* What comes of an exchange of @initiator with one that sends @text and @ends. */
static int with_plain(struct __test_metadata *_metadata, bool initiator,
		      const char *text, bool ends)
{
	struct tcptest_conf conf = {
		.cipher_id = NST_CIPHER_AES_GCM, .family = AF_INET,
		.strict = true,
	};
	int kern, raw, err;

	ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &kern, &raw));
	ASSERT_EQ(0, tcptest_key(kern, &conf, initiator ? NST_F_INITIATOR :
				 NST_F_RESPONDER));
	if (*text)
		ASSERT_EQ(strlen(text), send(raw, text, strlen(text), 0));
	/* It may have been reset by now. */
	if (ends && shutdown(raw, SHUT_WR))
		ASSERT_EQ(ENOTCONN, errno);
	err = nst_exchange(kern, NULL, *text || ends ? SOON : TCPTEST_NEVER_MS);
	expect_over(_metadata, kern);
	close(kern);
	close(raw);
	return err;
}

/* By what sending says, or receiving, whichever comes first. */
static bool is_end(int err)
{
	return err == -EPIPE || err == -ECONNABORTED;
}

TEST(peer_without_nst)
{
	static const char *http = "HTTP/1.1 400 Bad Request\r\n\r\n";
	int i;

	for (i = 0; i < 2; i++) {
		EXPECT_EQ(-EPROTO, with_plain(_metadata, i, http, false));
		EXPECT_EQ(-EPROTO, with_plain(_metadata, i, http, true));
		EXPECT_TRUE(is_end(with_plain(_metadata, i, "NSTP", true)));
		EXPECT_TRUE(is_end(with_plain(_metadata, i, "", true)));
		EXPECT_EQ(-ETIMEDOUT, with_plain(_metadata, i, "", false));
	}
}

/* --- a slow one, and loops ------------------------------------------------ */

/* One byte at most from @from to @to. */
static int dribble(int from, int to)
{
	char byte;
	ssize_t n = recv(from, &byte, 1, MSG_DONTWAIT);

	return n == 1 && send(to, &byte, 1, 0) == 1;
}

TEST(a_byte_at_a_time)
{
	struct tcptest_conf conf = {
		.cipher_id = NST_CIPHER_AES_GCM, .family = AF_INET,
		.strict = true,
	};
	int err[2] = { 1, 1 }, bytes = 0, steps = 0, i;
	struct nst_exchange *ex[2];
	struct tcptest_proxy p;

	ASSERT_EQ(0, tcptest_proxy_open(&p, &conf));
	ASSERT_EQ(0, tcptest_key(p.a, &conf, NST_F_INITIATOR));
	ASSERT_EQ(0, tcptest_key(p.b, &conf, NST_F_RESPONDER));
	ASSERT_EQ(0, nst_exchange_new(&ex[0], p.a, NULL));
	ASSERT_EQ(0, nst_exchange_new(&ex[1], p.b, NULL));
	while (err[0] > 0 || err[1] > 0) {
		for (i = 0; i < 2; i++)
			err[i] = nst_exchange_step(ex[i]);
		steps++;
		bytes += dribble(p.a_raw, p.b_raw) + dribble(p.b_raw, p.a_raw);
	}
	EXPECT_EQ(0, err[0]);
	EXPECT_EQ(0, err[1]);
	EXPECT_LT(160, bytes);
	EXPECT_LE(bytes / 2, steps);
	nst_exchange_free(ex[0]);
	nst_exchange_free(ex[1]);
	tcptest_proxy_close(&p);
}

/* What is asked for is all that is waited for, and the end stays the end. */
TEST(one_loop_for_both)
{
	struct nst_exchange *ex[2];
	struct pollfd fds[2];
	int err[2], i;

	ASSERT_EQ(0, open_pair(&fds[0].fd, &fds[1].fd));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, fcntl(fds[i].fd, F_SETFL, O_NONBLOCK));
		ASSERT_EQ(0, nst_exchange_new(&ex[i], fds[i].fd, NULL));
		err[i] = nst_exchange_step(ex[i]);
	}
	ASSERT_EQ(POLLIN, err[0]);
	while (err[0] > 0 || err[1] > 0) {
		for (i = 0; i < 2; i++) {
			fds[i].events = err[i] > 0 ? err[i] : 0;
			fds[i].revents = 0;
		}
		ASSERT_LT(0, poll(fds, 2, SOON));
		for (i = 0; i < 2; i++)
			if (err[i] > 0 && fds[i].revents)
				err[i] = nst_exchange_step(ex[i]);
	}
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(0, err[i]);
		EXPECT_EQ(0, nst_exchange_step(ex[i]));
		nst_exchange_free(ex[i]);
		ASSERT_EQ(0, fcntl(fds[i].fd, F_SETFL, 0));
	}
	expect_data(_metadata, fds[0].fd, fds[1].fd);
	close(fds[0].fd);
	close(fds[1].fd);
}

/* Message 1 has no room before the peer has read what was sent before. */
TEST(behind_a_full_buffer)
{
	int err[2] = { 1, 1 }, fd[2], i;
	static char buf[65536];
	struct nst_exchange *ex[2];
	size_t sent = 0;
	ssize_t n;

	ASSERT_EQ(0, open_pair(&fd[0], &fd[1]));
	while ((n = send(fd[0], buf, sizeof(buf), MSG_DONTWAIT)) > 0)
		sent += n;
	ASSERT_EQ(EAGAIN, errno);
	ASSERT_EQ(0, nst_exchange_new(&ex[0], fd[0], NULL));
	ASSERT_EQ(POLLOUT, nst_exchange_step(ex[0]));
	while (sent) {
		n = recv(fd[1], buf, sent < sizeof(buf) ? sent : sizeof(buf), 0);
		ASSERT_LT(0, n);
		sent -= n;
	}
	ASSERT_EQ(0, nst_exchange_new(&ex[1], fd[1], NULL));
	ASSERT_NE(0, tcptest_poll(fd[0], POLLOUT, TCPTEST_SOON_MS));
	while (err[0] > 0 || err[1] > 0)
		for (i = 0; i < 2; i++)
			err[i] = nst_exchange_step(ex[i]);
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(0, err[i]);
		nst_exchange_free(ex[i]);
	}
	expect_data(_metadata, fd[0], fd[1]);
	close(fd[0]);
	close(fd[1]);
}

TEST(no_time)
{
	int a, b;

	ASSERT_EQ(0, open_pair(&a, &b));
	EXPECT_EQ(-ETIMEDOUT, nst_exchange(b, NULL, 0));
	expect_over(_metadata, b);
	close(a);
	close(b);
}

/* --- signals -------------------------------------------------------------- */

static volatile sig_atomic_t signals;

static void count(int sig)
{
	(void)sig;
	signals++;
}

static void every_ms(int ms)
{
	struct itimerval often = {
		.it_interval.tv_usec = 1000 * ms, .it_value.tv_usec = 1000 * ms,
	};

	setitimer(ITIMER_REAL, &often, NULL);
}

/* Begins when the other end has been interrupted some times. */
static void *whole_late(void *arg)
{
	while (signals < 10)
		usleep(1000);
	return whole(arg);
}

FIXTURE(signals) {
	int a;
	int b;
};

FIXTURE_VARIANT(signals) {
	int flags;
};

FIXTURE_VARIANT_ADD(signals, interrupt) { .flags = 0 };
FIXTURE_VARIANT_ADD(signals, restart) { .flags = SA_RESTART };

FIXTURE_SETUP(signals)
{
	struct sigaction act = {
		.sa_handler = count, .sa_flags = variant->flags,
	};

	ASSERT_EQ(0, open_pair(&self->a, &self->b));
	ASSERT_EQ(0, sigaction(SIGALRM, &act, NULL));
	signals = 0;
}

FIXTURE_TEARDOWN(signals)
{
	every_ms(0);
	close(self->a);
	close(self->b);
}

TEST_F(signals, do_not_end_it)
{
	sigset_t set;
	pthread_t thread;
	void *err;

	/* They are for this thread. */
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	ASSERT_EQ(0, pthread_sigmask(SIG_BLOCK, &set, NULL));
	ASSERT_EQ(0, pthread_create(&thread, NULL, whole_late, &self->b));
	ASSERT_EQ(0, pthread_sigmask(SIG_UNBLOCK, &set, NULL));
	every_ms(5);
	EXPECT_EQ(0, nst_exchange(self->a, NULL, 2 * SOON));
	every_ms(0);
	EXPECT_LE(10, signals);
	ASSERT_EQ(0, pthread_join(thread, &err));
	EXPECT_EQ(NULL, err);
	expect_data(_metadata, self->a, self->b);
}

TEST_F(signals, do_not_make_it_longer)
{
	every_ms(5);
	EXPECT_EQ(-ETIMEDOUT, nst_exchange(self->b, NULL, 100));
	EXPECT_LT(0, signals);
	expect_over(_metadata, self->b);
}

/* --- data under way ------------------------------------------------------- */

/* Steps of @ex until it ends, as long as something comes. */
static int drive(struct nst_exchange *ex, int fd)
{
	int err;

	while ((err = nst_exchange_step(ex)) > 0)
		if (!tcptest_poll(fd, err, TCPTEST_SOON_MS))
			return -ETIME;
	return err;
}

/* An open record that the initiator has begun goes out in front of message 1. */
TEST(more_before_message_1)
{
	struct nst_exchange *ex;
	int a, b;

	ASSERT_EQ(0, open_pair(&a, &b));
	ASSERT_EQ(5, send(a, "begun", 5, MSG_MORE));
	ASSERT_EQ(0, nst_exchange_new(&ex, a, NULL));
	ASSERT_EQ(POLLIN, nst_exchange_step(ex));
	EXPECT_EQ(-EPROTO, nst_exchange(b, NULL, SOON));
	expect_over(_metadata, b);
	EXPECT_GT(0, drive(ex, a));
	nst_exchange_free(ex);
	expect_over(_metadata, a);
	close(a);
	close(b);
}

/* The same of the responder, in front of message 2. */
TEST(more_before_message_2)
{
	struct nst_exchange *ex;
	char buf[16];
	int a, b;

	ASSERT_EQ(0, open_pair(&a, &b));
	ASSERT_EQ(5, send(b, "begun", 5, MSG_MORE));
	ASSERT_EQ(0, nst_exchange_new(&ex, a, NULL));
	ASSERT_EQ(POLLIN, nst_exchange_step(ex));
	EXPECT_EQ(0, nst_exchange(b, NULL, SOON));
	EXPECT_EQ(-EPROTO, drive(ex, a));
	EXPECT_EQ(-EPROTO, nst_exchange_step(ex));
	nst_exchange_free(ex);
	expect_over(_metadata, a);
	EXPECT_GE(0, recv(b, buf, sizeof(buf), 0));
	close(a);
	close(b);
}

/* Begun behind message 2, and ended when the initiator has its keys. */
TEST(more_behind_message_2)
{
	struct nst_exchange *ex;
	char buf[16];
	int a, b;

	ASSERT_EQ(0, open_pair(&a, &b));
	ASSERT_EQ(0, nst_exchange_new(&ex, a, NULL));
	ASSERT_EQ(POLLIN, nst_exchange_step(ex));
	EXPECT_EQ(0, nst_exchange(b, NULL, SOON));
	ASSERT_EQ(5, send(b, "begun", 5, MSG_MORE));
	EXPECT_EQ(0, drive(ex, a));
	nst_exchange_free(ex);
	ASSERT_EQ(4, send(b, " end", 4, 0));
	EXPECT_EQ(9, recv(a, buf, sizeof(buf), 0));
	EXPECT_EQ(0, memcmp(buf, "begun end", 9));
	expect_data(_metadata, a, b);
	close(a);
	close(b);
}

/* One end begins a second one, of which the other knows nothing. */
TEST(once_more_alone)
{
	pthread_t thread;
	char buf[64];
	void *err;
	int a, b;

	ASSERT_EQ(0, open_pair(&a, &b));
	ASSERT_EQ(0, pthread_create(&thread, NULL, whole, &b));
	EXPECT_EQ(0, nst_exchange(a, NULL, SOON));
	ASSERT_EQ(0, pthread_join(thread, &err));
	EXPECT_EQ(NULL, err);
	EXPECT_EQ(-ETIMEDOUT, nst_exchange(a, NULL, TCPTEST_NEVER_MS));
	expect_over(_metadata, a);
	EXPECT_EQ(-1, recv(b, buf, sizeof(buf), 0));
	EXPECT_EQ(EIO, errno);
	close(a);
	close(b);
}

TEST_HARNESS_MAIN
