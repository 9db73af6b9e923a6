// SPDX-License-Identifier: GPL-2.0
/*
 * libnst-tls with an odd program: other BIOs than the socket, kTLS, peers that
 * were asked who they are and did not tell, early data, sessions without a key
 * exchange, wrong options, and the same connection twice.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <nst/tls.h>
#include <openssl/bio.h>

#include "kselftest_harness.h"
#include "tcptest.h"
#include "tlstest.h"

#define CLIENT	TLSTEST_CLIENT
#define SERVER	TLSTEST_SERVER
#define SIZE	sizeof(struct nst_opts)

FIXTURE(tls_odd)
{
	struct tlstest t;
};

FIXTURE_SETUP(tls_odd)
{
	ASSERT_EQ(0, tlstest_open(&self->t, false));
}

FIXTURE_TEARDOWN(tls_odd)
{
	tlstest_close(&self->t);
}

/* Nothing can be sent any more. */
static void expect_over(struct __test_metadata *_metadata, int fd)
{
	EXPECT_EQ(-1, send(fd, "plain", 5, MSG_NOSIGNAL));
	EXPECT_EQ(EPIPE, errno);
}

static void refuses(struct __test_metadata *_metadata, struct tlstest *t,
		    int end, int err)
{
	EXPECT_EQ(err, nst_from_tls(t->ssl[end], NULL));
	expect_over(_metadata, t->fd[end]);
	EXPECT_NE(1, nst_is_attached(t->fd[end]));
}

/* --- other BIOs ----------------------------------------------------------- */

TEST_F(tls_odd, no_socket)
{
	SSL *ssl = SSL_new(self->t.ctx[CLIENT]);

	EXPECT_EQ(-ENOTCONN, nst_tls_prepare(ssl));
	EXPECT_EQ(-ENOTCONN, nst_from_tls(ssl, NULL));
	EXPECT_EQ(-ENOTCONN, nst_tls_step(ssl, NULL));
	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	EXPECT_EQ(-EOPNOTSUPP, nst_tls_prepare(ssl));
	EXPECT_EQ(-EOPNOTSUPP, nst_tls_step(ssl, NULL));
	SSL_free(ssl);
	EXPECT_EQ(-EINVAL, nst_tls_prepare(NULL));
	EXPECT_EQ(-EINVAL, nst_from_tls(NULL, NULL));
	EXPECT_EQ(-EINVAL, nst_tls_step(NULL, NULL));
}

/* What keeps bytes back may keep back what is NST's. */
TEST_F(tls_odd, buffering_bio)
{
	BIO *buffer = BIO_new(BIO_f_buffer());
	SSL *ssl = self->t.ssl[CLIENT];
	BIO *bio = BIO_push(buffer, BIO_new_socket(self->t.fd[CLIENT], 0));

	SSL_set_bio(ssl, bio, bio);
	EXPECT_EQ(-EOPNOTSUPP, nst_tls_prepare(ssl));
	expect_over(_metadata, self->t.fd[CLIENT]);
}

TEST_F(tls_odd, two_sockets)
{
	SSL *ssl = self->t.ssl[CLIENT];
	int fd = dup(self->t.fd[CLIENT]);

	ASSERT_EQ(1, SSL_set_wfd(ssl, fd));
	EXPECT_EQ(-EOPNOTSUPP, nst_tls_prepare(ssl));
	expect_over(_metadata, fd);
	close(fd);
}

/* Another BIO behind the handshake, of which nothing is known. */
TEST_F(tls_odd, other_bio_later)
{
	ASSERT_EQ(0, tlstest_shake_prepared(&self->t));
	ASSERT_EQ(1, SSL_set_fd(self->t.ssl[CLIENT], self->t.fd[CLIENT]));
	refuses(_metadata, &self->t, CLIENT, -EBADFD);
}

static long look(BIO *bio, int oper, const char *argp, size_t len, int argi,
		 long argl, int ret, size_t *processed)
{
	(void)bio;
	(void)oper;
	(void)argp;
	(void)len;
	(void)argi;
	(void)argl;
	(void)processed;
	return ret;
}

TEST_F(tls_odd, callback_of_its_own)
{
	SSL *ssl = self->t.ssl[CLIENT];

	BIO_set_callback_ex(SSL_get_rbio(ssl), look);
	EXPECT_EQ(-EOPNOTSUPP, nst_tls_prepare(ssl));
	ASSERT_EQ(0, nst_tls_prepare(self->t.ssl[SERVER]));
	/* Twice is as good as once. */
	EXPECT_EQ(0, nst_tls_prepare(self->t.ssl[SERVER]));
}

/* What a program had set before is taken back. */
TEST_F(tls_odd, prepared)
{
	SSL *ssl = self->t.ssl[SERVER];

	SSL_set_options(ssl, SSL_OP_ENABLE_KTLS | SSL_OP_ALLOW_NO_DHE_KEX);
	SSL_set_read_ahead(ssl, 1);
	ASSERT_EQ(1, SSL_set_num_tickets(ssl, 3));
	ASSERT_EQ(1, SSL_set_max_early_data(ssl, 1000));
	ASSERT_EQ(1, SSL_set_min_proto_version(ssl, TLS1_2_VERSION));
	ASSERT_EQ(1, SSL_set_max_proto_version(ssl, TLS1_2_VERSION));
	ASSERT_EQ(0, nst_tls_prepare(ssl));
	EXPECT_EQ(0, SSL_get_options(ssl) & (SSL_OP_ENABLE_KTLS |
					     SSL_OP_ALLOW_NO_DHE_KEX));
	EXPECT_EQ(0, SSL_get_read_ahead(ssl));
	EXPECT_EQ(0, SSL_get_num_tickets(ssl));
	EXPECT_EQ(0, SSL_get_max_early_data(ssl));
	EXPECT_EQ(TLS1_3_VERSION, SSL_get_min_proto_version(ssl));
	EXPECT_EQ(TLS1_3_VERSION, SSL_get_max_proto_version(ssl));
}

/* A client does not say that it would show its certificate later. */
TEST_F(tls_odd, not_later)
{
	struct tlstest *t = &self->t;

	SSL_set_post_handshake_auth(t->ssl[CLIENT], 1);
	ASSERT_EQ(0, tlstest_shake_prepared(t));
	SSL_set_verify(t->ssl[SERVER], SSL_VERIFY_PEER, NULL);
	EXPECT_EQ(0, SSL_verify_client_post_handshake(t->ssl[SERVER]));
}

TEST_F(tls_odd, another_ulp)
{
	int fd = self->t.fd[CLIENT];

	ASSERT_EQ(0, tlstest_shake_prepared(&self->t));
	ASSERT_EQ(0, setsockopt(fd, SOL_TCP, TCP_ULP, "tls", 3));
	EXPECT_EQ(-EEXIST, nst_from_tls(self->t.ssl[CLIENT], NULL));
	expect_over(_metadata, fd);
}

TEST_F(tls_odd, no_tcp)
{
	SSL *ssl = self->t.ssl[CLIENT];
	int fds[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	ASSERT_EQ(1, SSL_set_fd(ssl, fds[0]));
	ASSERT_EQ(1, SSL_set_fd(self->t.ssl[SERVER], fds[1]));
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	fcntl(fds[1], F_SETFL, O_NONBLOCK);
	ASSERT_EQ(0, tlstest_shake_prepared(&self->t));
	EXPECT_EQ(-EOPNOTSUPP, nst_from_tls(ssl, NULL));
	expect_over(_metadata, fds[0]);
	close(fds[0]);
	close(fds[1]);
}

/* --- who is it? ----------------------------------------------------------- */

static int say_yes(int ok, X509_STORE_CTX *ctx)
{
	(void)ok;
	(void)ctx;
	return 1;
}

/* A callback takes what is not verified; NST does not. */
TEST_F(tls_odd, certificate_not_verified)
{
	SSL *ssl = self->t.ssl[CLIENT];

	ASSERT_EQ(1, SSL_set1_host(ssl, "somebody.else"));
	SSL_set_verify(ssl, SSL_VERIFY_PEER, say_yes);
	ASSERT_EQ(0, tlstest_shake_prepared(&self->t));
	refuses(_metadata, &self->t, CLIENT, -EACCES);
}

TEST_F(tls_odd, certificate_of_somebody_else)
{
	struct tlstest *t = &self->t;

	ASSERT_EQ(0, tlstest_nonblock(t));
	ASSERT_EQ(1, SSL_set1_host(t->ssl[CLIENT], "somebody.else"));
	ASSERT_EQ(POLLIN, nst_tls_step(t->ssl[CLIENT], NULL));
	ASSERT_EQ(POLLIN, tcptest_poll(t->fd[1], POLLIN, TCPTEST_SOON_MS));
	ASSERT_EQ(POLLIN, nst_tls_step(t->ssl[SERVER], NULL));
	ASSERT_EQ(POLLIN, tcptest_poll(t->fd[0], POLLIN, TCPTEST_SOON_MS));
	EXPECT_EQ(-EACCES, nst_tls_step(t->ssl[CLIENT], NULL));
	expect_over(_metadata, t->fd[CLIENT]);
	EXPECT_GT(0, nst_tls_step(t->ssl[SERVER], NULL));
	expect_over(_metadata, t->fd[SERVER]);
}

/* It was asked for, and TLS goes on without. */
TEST_F(tls_odd, certificate_not_shown)
{
	SSL_set_verify(self->t.ssl[SERVER], SSL_VERIFY_PEER, NULL);
	ASSERT_EQ(0, tlstest_shake_prepared(&self->t));
	refuses(_metadata, &self->t, SERVER, -EACCES);
}

/* The server does not want the client, which has its keys by then. */
TEST_F(tls_odd, client_refused)
{
	struct tlstest *t = &self->t;
	char buf[64];

	SSL_set_verify(t->ssl[SERVER], SSL_VERIFY_PEER |
		       SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	ASSERT_EQ(0, tlstest_nonblock(t));
	ASSERT_EQ(POLLIN, nst_tls_step(t->ssl[CLIENT], NULL));
	ASSERT_EQ(POLLIN, tcptest_poll(t->fd[1], POLLIN, TCPTEST_SOON_MS));
	ASSERT_EQ(POLLIN, nst_tls_step(t->ssl[SERVER], NULL));
	ASSERT_EQ(POLLIN, tcptest_poll(t->fd[0], POLLIN, TCPTEST_SOON_MS));
	ASSERT_EQ(0, nst_tls_step(t->ssl[CLIENT], NULL));
	EXPECT_EQ(-1, send(t->fd[CLIENT], "early", 5, 0));
	EXPECT_EQ(EAGAIN, errno);
	ASSERT_EQ(POLLIN, tcptest_poll(t->fd[1], POLLIN, TCPTEST_SOON_MS));
	EXPECT_EQ(-EACCES, nst_tls_step(t->ssl[SERVER], NULL));
	EXPECT_EQ(-1, send(t->fd[SERVER], "plain", 5, MSG_NOSIGNAL));
	ASSERT_NE(0, tcptest_poll(t->fd[0], POLLIN, TCPTEST_SOON_MS));
	EXPECT_EQ(-1, recv(t->fd[CLIENT], buf, sizeof(buf), 0));
	/* Its alert, or, where that was faster, the end. */
	EXPECT_TRUE(errno == EPROTO || errno == ECONNRESET);
	EXPECT_EQ(-1, send(t->fd[CLIENT], "plain", 5, MSG_NOSIGNAL));
}

/* A session of a connection to one name, resumed for another. */
TEST_F(tls_odd, certificate_of_another_connection)
{
	struct tlstest *t = &self->t;
	SSL_SESSION *session;
	char byte;

	ASSERT_EQ(0, tlstest_shake(t));
	ASSERT_EQ(POLLIN, tcptest_poll(t->fd[0], POLLIN, TCPTEST_SOON_MS));
	/* The tickets. */
	EXPECT_EQ(-1, SSL_read(t->ssl[CLIENT], &byte, 1));
	session = SSL_get1_session(t->ssl[CLIENT]);
	ASSERT_EQ(0, tlstest_again(t, session));
	SSL_SESSION_free(session);
	ASSERT_EQ(1, SSL_set1_host(t->ssl[CLIENT], "somebody.else"));
	ASSERT_EQ(0, tlstest_shake_prepared(t));
	ASSERT_EQ(1, SSL_session_reused(t->ssl[CLIENT]));
	EXPECT_EQ(X509_V_OK, SSL_get_verify_result(t->ssl[CLIENT]));
	refuses(_metadata, t, CLIENT, -EACCES);
}

/* --- a key that both knew before ------------------------------------------ */

TEST_F(tls_odd, known_key)
{
	ASSERT_EQ(0, tlstest_psk(&self->t));
	ASSERT_EQ(0, tlstest_shake_prepared(&self->t));
	EXPECT_EQ(1, SSL_session_reused(self->t.ssl[CLIENT]));
	EXPECT_EQ(0, nst_from_tls(self->t.ssl[CLIENT], NULL));
	EXPECT_EQ(0, nst_from_tls(self->t.ssl[SERVER], NULL));
	EXPECT_EQ(0, tcptest_settle(self->t.fd[CLIENT]));
}

TEST_F(tls_odd, known_key_and_no_exchange)
{
	struct tlstest *t = &self->t;
	int i;

	ASSERT_EQ(0, tlstest_psk(t));
	for (i = 0; i < TLSTEST_ENDS; i++) {
		ASSERT_EQ(0, nst_tls_prepare(t->ssl[i]));
		SSL_set_options(t->ssl[i], SSL_OP_ALLOW_NO_DHE_KEX);
	}
	ASSERT_EQ(1, SSL_set1_groups_list(t->ssl[CLIENT], "X25519"));
	ASSERT_EQ(1, SSL_set1_groups_list(t->ssl[SERVER], "P-256"));
	ASSERT_EQ(0, tlstest_shake(t));
	refuses(_metadata, t, CLIENT, -EKEYREJECTED);
	refuses(_metadata, t, SERVER, -EKEYREJECTED);
}

TEST_F(tls_odd, early_data)
{
	struct tlstest *t = &self->t;
	long until = nsttest_now_ms() + TCPTEST_SOON_MS;
	char buf[64];
	size_t n;

	ASSERT_EQ(0, tlstest_nonblock(t));
	ASSERT_EQ(0, tlstest_psk(t));
	ASSERT_EQ(0, nst_tls_prepare(t->ssl[CLIENT]));
	ASSERT_EQ(0, nst_tls_prepare(t->ssl[SERVER]));
	ASSERT_EQ(1, SSL_set_max_early_data(t->ssl[SERVER], 1000));
	ASSERT_EQ(1, SSL_write_early_data(t->ssl[CLIENT], "early", 5, &n));
	ASSERT_EQ(POLLIN, tcptest_poll(t->fd[1], POLLIN, TCPTEST_SOON_MS));
	ASSERT_EQ(SSL_READ_EARLY_DATA_SUCCESS,
		  SSL_read_early_data(t->ssl[SERVER], buf, sizeof(buf), &n));
	do {
		ASSERT_LE(0, tlstest_go(t, CLIENT));
		ASSERT_LT(nsttest_now_ms(), until);
	} while (SSL_read_early_data(t->ssl[SERVER], buf, sizeof(buf), &n) !=
		 SSL_READ_EARLY_DATA_FINISH);
	ASSERT_EQ(0, tlstest_shake(t));
	refuses(_metadata, t, CLIENT, -EKEYREJECTED);
	refuses(_metadata, t, SERVER, -EKEYREJECTED);
}

/* --- the program ---------------------------------------------------------- */

TEST_F(tls_odd, wrong_options)
{
	struct nst_key key = { .kid = 1 };
	struct {
		struct nst_opts opts;
		uint8_t more;
	} wrong[] = {
		{ .opts = { .size = 1 } },
		{ .opts = { .size = SIZE, .kid = 1 } },
		{ .opts = { .size = SIZE, .flags = NST_F_RESPONDER } },
		{ .opts = { .size = SIZE, .flags = 64 } },
		{ .opts = { .size = SIZE, .keys = &key } },
		{ .opts = { .size = SIZE, .context_len = 3 } },
		{ .opts = { .size = SIZE, .reserved = 1 } },
		{ .opts = { .size = SIZE, .context = &key, .context_len = 33 } },
		{ .opts = { .size = sizeof(wrong[0]) }, .more = 1 },
	};
	struct tlstest *t = &self->t;
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		ASSERT_EQ(0, tlstest_shake_prepared(t));
		EXPECT_EQ(wrong[i].more ? -E2BIG : -EINVAL,
			  nst_from_tls(t->ssl[CLIENT], &wrong[i].opts))
			TH_LOG("%zu", i);
		expect_over(_metadata, t->fd[CLIENT]);
		tlstest_close(t);
		ASSERT_EQ(0, tlstest_open(t, false));
	}
}

/* One handshake gives keys to one connection, once. */
TEST_F(tls_odd, twice)
{
	struct tlstest *t = &self->t, other;

	ASSERT_EQ(0, tlstest_shake_prepared(t));
	ASSERT_EQ(0, nst_from_tls(t->ssl[CLIENT], NULL));
	EXPECT_EQ(-ENOTCONN, nst_from_tls(t->ssl[CLIENT], NULL));
	EXPECT_EQ(-ENOTCONN, nst_tls_step(t->ssl[CLIENT], NULL));
	/* The connection stands, and another one is not to be had. */
	ASSERT_EQ(0, nst_from_tls(t->ssl[SERVER], NULL));
	ASSERT_EQ(0, tlstest_open(&other, false));
	ASSERT_EQ(1, SSL_set_fd(t->ssl[CLIENT], other.fd[CLIENT]));
	EXPECT_EQ(-EBADFD, nst_from_tls(t->ssl[CLIENT], NULL));
	expect_over(_metadata, other.fd[CLIENT]);
	EXPECT_EQ(0, nst_is_attached(other.fd[CLIENT]));
	ASSERT_EQ(1, SSL_set_fd(t->ssl[SERVER], other.fd[SERVER]));
	EXPECT_EQ(-EINVAL, nst_tls_step(t->ssl[SERVER], NULL));
	tlstest_close(&other);
	EXPECT_EQ(0, tcptest_settle(t->fd[CLIENT]));
	EXPECT_EQ(5, send(t->fd[CLIENT], "hello", 5, 0));
}

/* What SSL_shutdown() and SSL_free() do is not for the connection. */
TEST_F(tls_odd, goes_its_own_way)
{
	struct tlstest *t = &self->t;
	char buf[16];

	ASSERT_EQ(0, tlstest_shake_prepared(t));
	ASSERT_EQ(0, nst_from_tls(t->ssl[CLIENT], NULL));
	ASSERT_EQ(0, nst_from_tls(t->ssl[SERVER], NULL));
	EXPECT_GT(1, SSL_write(t->ssl[CLIENT], "tls", 3));
	EXPECT_GT(1, SSL_read(t->ssl[CLIENT], buf, sizeof(buf)));
	SSL_shutdown(t->ssl[CLIENT]);
	SSL_free(t->ssl[CLIENT]);
	t->ssl[CLIENT] = NULL;
	ASSERT_EQ(0, tcptest_settle(t->fd[CLIENT]));
	ASSERT_EQ(5, send(t->fd[CLIENT], "hello", 5, 0));
	ASSERT_EQ(POLLIN, tcptest_poll(t->fd[1], POLLIN, TCPTEST_SOON_MS));
	EXPECT_EQ(5, recv(t->fd[SERVER], buf, sizeof(buf), 0));
	EXPECT_EQ(0, memcmp(buf, "hello", 5));
}

/* The ends mean different services. */
TEST_F(tls_odd, other_context)
{
	struct nst_opts opts = {
		.size = sizeof(opts), .context = "other", .context_len = 5,
	};
	struct tlstest *t = &self->t;
	char buf[16];

	ASSERT_EQ(0, tlstest_shake_prepared(t));
	ASSERT_EQ(0, nst_from_tls(t->ssl[CLIENT], &opts));
	ASSERT_EQ(0, nst_from_tls(t->ssl[SERVER], NULL));
	ASSERT_NE(0, tcptest_poll(t->fd[1], POLLIN, TCPTEST_SOON_MS));
	EXPECT_EQ(-1, recv(t->fd[SERVER], buf, sizeof(buf), 0));
	EXPECT_EQ(EBADMSG, errno);
}

TEST_HARNESS_MAIN
