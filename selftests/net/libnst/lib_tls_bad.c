// SPDX-License-Identifier: GPL-2.0
/*
 * libnst-tls where it must not work: each way in which a connection is not at the
 * end of a good handshake, and nothing behind it. Whatever it was, the end sends
 * nothing afterwards.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <nst/tls.h>
#include <openssl/bio.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/time.h>

#include "kselftest_harness.h"
#include "tcptest.h"
#include "tlstest.h"

#define CLIENT	TLSTEST_CLIENT
#define SERVER	TLSTEST_SERVER
#define RECORD	48	/* bytes of an empty one */

FIXTURE(tls_bad)
{
	struct tlstest t;
};

FIXTURE_SETUP(tls_bad)
{
	ASSERT_EQ(0, tlstest_open(&self->t, false));
}

FIXTURE_TEARDOWN(tls_bad)
{
	tlstest_close(&self->t);
}

/* The connection has ended: nothing can be sent, in TLS or without. */
static void expect_over(struct __test_metadata *_metadata, struct tlstest *t,
			int end)
{
	EXPECT_EQ(-1, send(t->fd[end], "plain", 5, MSG_NOSIGNAL));
	EXPECT_EQ(EPIPE, errno);
	EXPECT_GT(1, SSL_write(t->ssl[end], "plain", 5));
}

static void refuses(struct __test_metadata *_metadata, struct tlstest *t,
		    int end, int err)
{
	EXPECT_EQ(err, nst_from_tls(t->ssl[end], NULL));
	expect_over(_metadata, t, end);
	EXPECT_NE(1, nst_is_attached(t->fd[end]));
}

static void readable(struct __test_metadata *_metadata, int fd)
{
	ASSERT_EQ(POLLIN, tcptest_poll(fd, POLLIN, TCPTEST_SOON_MS) & POLLIN);
}

/* --- not at the end of a handshake ---------------------------------------- */

TEST_F(tls_bad, before_it)
{
	ASSERT_EQ(0, nst_tls_prepare(self->t.ssl[CLIENT]));
	refuses(_metadata, &self->t, CLIENT, -EINPROGRESS);
}

TEST_F(tls_bad, amid_it)
{
	struct tlstest *t = &self->t;

	ASSERT_EQ(0, tlstest_nonblock(t));
	ASSERT_EQ(0, nst_tls_prepare(t->ssl[CLIENT]));
	ASSERT_EQ(0, nst_tls_prepare(t->ssl[SERVER]));
	ASSERT_EQ(0, tlstest_go(t, CLIENT));
	readable(_metadata, t->fd[SERVER]);
	/* The server has said all it has to say, and has no proof of the client. */
	ASSERT_EQ(0, tlstest_go(t, SERVER));
	refuses(_metadata, t, SERVER, -EINPROGRESS);
	refuses(_metadata, t, CLIENT, -EINPROGRESS);
}

TEST_F(tls_bad, not_prepared)
{
	ASSERT_EQ(0, tlstest_shake(&self->t));
	refuses(_metadata, &self->t, CLIENT, -EBADFD);
	/* Too late. */
	EXPECT_EQ(-EINVAL, nst_tls_prepare(self->t.ssl[SERVER]));
	expect_over(_metadata, &self->t, SERVER);
}

TEST_F(tls_bad, older_tls)
{
	struct tlstest *t = &self->t;
	int i;

	for (i = 0; i < TLSTEST_ENDS; i++) {
		ASSERT_EQ(0, nst_tls_prepare(t->ssl[i]));
		ASSERT_EQ(1, SSL_set_min_proto_version(t->ssl[i],
						       TLS1_2_VERSION));
		ASSERT_EQ(1, SSL_set_max_proto_version(t->ssl[i],
						       TLS1_2_VERSION));
	}
	ASSERT_EQ(0, tlstest_shake(t));
	refuses(_metadata, t, CLIENT, -EPROTONOSUPPORT);
	refuses(_metadata, t, SERVER, -EPROTONOSUPPORT);
}

/* A peer that has only older ones does not get beyond the handshake. */
TEST_F(tls_bad, older_peer)
{
	struct tlstest *t = &self->t;

	ASSERT_EQ(0, tlstest_nonblock(t));
	ASSERT_EQ(1, SSL_set_max_proto_version(t->ssl[CLIENT], TLS1_2_VERSION));
	ASSERT_EQ(0, tlstest_go(t, CLIENT));
	readable(_metadata, t->fd[SERVER]);
	EXPECT_EQ(-EBADMSG, nst_tls_step(t->ssl[SERVER], NULL));
	expect_over(_metadata, t, SERVER);
}

/* One bit of the client's Finished. */
TEST_F(tls_bad, forged_finished)
{
	struct tlstest *t = &self->t;
	uint8_t flight[4096];
	ssize_t n;

	ASSERT_EQ(0, tlstest_nonblock(t));
	ASSERT_EQ(0, tlstest_go(t, CLIENT));
	readable(_metadata, t->fd[SERVER]);
	ASSERT_EQ(POLLIN, nst_tls_step(t->ssl[SERVER], NULL));
	readable(_metadata, t->fd[CLIENT]);
	ASSERT_EQ(1, tlstest_go(t, CLIENT));
	readable(_metadata, t->fd[SERVER]);
	n = recv(t->fd[SERVER], flight, sizeof(flight), 0);
	ASSERT_LT(40, n);
	flight[n - 30] ^= 1;
	ASSERT_EQ(n, send(t->fd[CLIENT], flight, n, 0));
	readable(_metadata, t->fd[SERVER]);
	EXPECT_EQ(-EBADMSG, nst_tls_step(t->ssl[SERVER], NULL));
	expect_over(_metadata, t, SERVER);
}

/* --- TLS has gone on ------------------------------------------------------ */

TEST_F(tls_bad, session_tickets)
{
	struct tlstest *t = &self->t;

	ASSERT_EQ(0, nst_tls_prepare(t->ssl[CLIENT]));
	ASSERT_EQ(0, nst_tls_prepare(t->ssl[SERVER]));
	ASSERT_EQ(1, SSL_set_num_tickets(t->ssl[SERVER], 1));
	ASSERT_EQ(0, tlstest_shake(t));
	readable(_metadata, t->fd[CLIENT]);
	refuses(_metadata, t, CLIENT, -EPROTO);
	refuses(_metadata, t, SERVER, -ENOTEMPTY);
}

/* Of a server that knows nothing of NST, and later than the client's keys. */
TEST_F(tls_bad, late_tickets)
{
	struct tlstest *t = &self->t;
	char buf[64];

	ASSERT_EQ(0, tlstest_nonblock(t));
	ASSERT_EQ(POLLIN, nst_tls_step(t->ssl[CLIENT], NULL));
	readable(_metadata, t->fd[SERVER]);
	ASSERT_EQ(0, tlstest_go(t, SERVER));
	readable(_metadata, t->fd[CLIENT]);
	ASSERT_EQ(0, nst_tls_step(t->ssl[CLIENT], NULL));
	readable(_metadata, t->fd[SERVER]);
	tlstest_go(t, SERVER);
	readable(_metadata, t->fd[CLIENT]);
	EXPECT_EQ(-1, recv(t->fd[CLIENT], buf, sizeof(buf), 0));
	EXPECT_EQ(EPROTO, errno);
	EXPECT_EQ(-1, send(t->fd[CLIENT], "plain", 5, MSG_NOSIGNAL));
}

TEST_F(tls_bad, data_sent)
{
	struct tlstest *t = &self->t;

	ASSERT_EQ(0, tlstest_shake_prepared(t));
	ASSERT_EQ(4, SSL_write(t->ssl[CLIENT], "GET ", 4));
	refuses(_metadata, t, CLIENT, -ENOTEMPTY);
	readable(_metadata, t->fd[SERVER]);
	refuses(_metadata, t, SERVER, -EPROTO);
}

TEST_F(tls_bad, data_received)
{
	struct tlstest *t = &self->t;
	char buf[4];

	ASSERT_EQ(0, tlstest_shake_prepared(t));
	ASSERT_EQ(4, SSL_write(t->ssl[CLIENT], "GET ", 4));
	readable(_metadata, t->fd[SERVER]);
	/* All of it has been read. */
	ASSERT_EQ(4, SSL_read(t->ssl[SERVER], buf, sizeof(buf)));
	ASSERT_EQ(0, SSL_has_pending(t->ssl[SERVER]));
	refuses(_metadata, t, SERVER, -ENOTEMPTY);
}

TEST_F(tls_bad, key_update)
{
	struct tlstest *t = &self->t;
	char buf[4];

	ASSERT_EQ(0, tlstest_shake_prepared(t));
	ASSERT_EQ(1, SSL_key_update(t->ssl[SERVER],
				    SSL_KEY_UPDATE_NOT_REQUESTED));
	ASSERT_EQ(1, SSL_do_handshake(t->ssl[SERVER]));
	ASSERT_EQ(1, SSL_key_update(t->ssl[CLIENT],
				    SSL_KEY_UPDATE_NOT_REQUESTED));
	ASSERT_EQ(1, SSL_do_handshake(t->ssl[CLIENT]));
	readable(_metadata, t->fd[SERVER]);
	EXPECT_EQ(-1, SSL_read(t->ssl[SERVER], buf, sizeof(buf)));
	EXPECT_EQ(1, SSL_is_init_finished(t->ssl[CLIENT]));
	EXPECT_EQ(1, SSL_is_init_finished(t->ssl[SERVER]));
	refuses(_metadata, t, SERVER, -ENOTEMPTY);
	refuses(_metadata, t, CLIENT, -ENOTEMPTY);
}

TEST_F(tls_bad, key_update_to_come)
{
	ASSERT_EQ(0, tlstest_shake_prepared(&self->t));
	ASSERT_EQ(1, SSL_key_update(self->t.ssl[CLIENT],
				    SSL_KEY_UPDATE_REQUESTED));
	refuses(_metadata, &self->t, CLIENT, -EINPROGRESS);
}

TEST_F(tls_bad, close_notify)
{
	struct tlstest *t = &self->t;

	ASSERT_EQ(0, tlstest_shake_prepared(t));
	ASSERT_EQ(0, SSL_shutdown(t->ssl[CLIENT]));
	refuses(_metadata, t, CLIENT, -ENOTEMPTY);
	readable(_metadata, t->fd[SERVER]);
	refuses(_metadata, t, SERVER, -EPROTO);
}

static int queued(int fd)
{
	int n = 0;

	return ioctl(fd, FIONREAD, &n) ? -1 : n;
}

/* libssl has taken the client's first record of NST. */
TEST_F(tls_bad, read_ahead)
{
	long until = nsttest_now_ms() + TCPTEST_SOON_MS;
	struct tlstest *t = &self->t;
	int n;

	ASSERT_EQ(0, tlstest_nonblock(t));
	ASSERT_EQ(0, nst_tls_prepare(t->ssl[CLIENT]));
	ASSERT_EQ(0, nst_tls_prepare(t->ssl[SERVER]));
	SSL_set_read_ahead(t->ssl[SERVER], 1);
	ASSERT_EQ(0, tlstest_go(t, CLIENT));
	readable(_metadata, t->fd[SERVER]);
	ASSERT_EQ(0, tlstest_go(t, SERVER));
	readable(_metadata, t->fd[CLIENT]);
	ASSERT_EQ(1, tlstest_go(t, CLIENT));
	readable(_metadata, t->fd[SERVER]);
	n = queued(t->fd[SERVER]);
	ASSERT_EQ(0, nst_from_tls(t->ssl[CLIENT], NULL));
	/* It is not nst_from_tls() that sends it, but the kernel a little later. */
	while (queued(t->fd[SERVER]) < n + RECORD) {
		ASSERT_LT(nsttest_now_ms(), until);
		usleep(1000);
	}
	ASSERT_EQ(1, tlstest_go(t, SERVER));
	refuses(_metadata, t, SERVER, -ENOTEMPTY);
}

/* It goes on in TLS later, or without anything. */
TEST_F(tls_bad, peer_goes_on)
{
	static const char *const ways[] = { "tls", "plain" };
	struct tlstest *t = &self->t;
	char buf[256];
	size_t i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, tlstest_shake_prepared(t));
		ASSERT_EQ(0, nst_from_tls(t->ssl[SERVER], NULL));
		/* All that it gets of the server is a start record. */
		readable(_metadata, t->fd[CLIENT]);
		EXPECT_EQ(RECORD, recv(t->fd[CLIENT], buf, sizeof(buf), 0));
		EXPECT_EQ(0, memcmp(buf, "NSTP", 4));
		ASSERT_EQ(5, i ? send(t->fd[CLIENT], "plain", 5, 0) :
			     SSL_write(t->ssl[CLIENT], "crypt", 5));
		readable(_metadata, t->fd[SERVER]);
		EXPECT_EQ(-1, recv(t->fd[SERVER], buf, sizeof(buf), 0));
		EXPECT_EQ(EPROTO, errno)
			TH_LOG("%s", ways[i]);
		EXPECT_EQ(-1, send(t->fd[SERVER], "plain", 5, MSG_NOSIGNAL));
		EXPECT_GT(1, recv(t->fd[CLIENT], buf, sizeof(buf), 0));
		tlstest_close(t);
		ASSERT_EQ(0, tlstest_open(t, false));
	}
}

TEST_F(tls_bad, peer_has_gone)
{
	struct tlstest *t = &self->t;

	ASSERT_EQ(0, tlstest_shake_prepared(t));
	ASSERT_EQ(0, shutdown(t->fd[CLIENT], SHUT_WR));
	readable(_metadata, t->fd[SERVER]);
	refuses(_metadata, t, SERVER, -ECONNABORTED);
}

TEST_F(tls_bad, peer_goes_in_handshake)
{
	struct tlstest *t = &self->t;

	ASSERT_EQ(0, shutdown(t->fd[SERVER], SHUT_WR));
	EXPECT_EQ(-ECONNABORTED, nst_tls_step(t->ssl[CLIENT], NULL));
	expect_over(_metadata, t, CLIENT);
}

/* Who never answers is waited for as long as the socket does. */
TEST_F(tls_bad, nobody_answers)
{
	struct timeval tv = { .tv_usec = TCPTEST_NEVER_MS * 1000 };
	struct tlstest *t = &self->t;

	ASSERT_EQ(0, setsockopt(t->fd[CLIENT], SOL_SOCKET, SO_RCVTIMEO, &tv,
				sizeof(tv)));
	EXPECT_EQ(POLLIN, nst_tls_step(t->ssl[CLIENT], NULL));
	SSL_free(t->ssl[CLIENT]);
	t->ssl[CLIENT] = NULL;
}

static void caught(int sig)
{
	(void)sig;
}

/* Signals that come meanwhile do not make it come back, not even once. */
TEST_F(tls_bad, signals_come)
{
	struct itimerval often = {
		.it_interval = { .tv_usec = 5000 }, .it_value = { .tv_usec = 5000 },
	};
	struct sigaction act = { .sa_handler = caught };
	struct tlstest *t = &self->t;
	char hello[4096];
	pid_t pid;

	/* A peer that listens, takes its time, and goes. */
	pid = fork();
	if (!pid) {
		close(t->fd[CLIENT]);
		recv(t->fd[SERVER], hello, sizeof(hello), 0);
		usleep(TCPTEST_NEVER_MS * 1000);
		_exit(0);
	}
	ASSERT_LT(0, pid);
	close(t->fd[SERVER]);
	ASSERT_EQ(0, sigaction(SIGALRM, &act, NULL));
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &often, NULL));
	EXPECT_EQ(-ECONNABORTED, nst_tls_step(t->ssl[CLIENT], NULL));
	often.it_value.tv_usec = 0;
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &often, NULL));
	expect_over(_metadata, t, CLIENT);
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
}

TEST_HARNESS_MAIN
