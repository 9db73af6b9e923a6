// SPDX-License-Identifier: GPL-2.0
/*
 * libnst-tls where it works: a connection that begins in TLS and goes on as NST,
 * in each role and way, under the key that RFC 8446 gives, of which nothing is
 * left behind.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <malloc.h>
#include <nst/tls.h>
#include <openssl/kdf.h>
#include <pthread.h>

#include "kselftest_harness.h"
#include "memscan.h"
#include "tcptest.h"
#include "tlstest.h"

#define LABEL	"EXPORTER-nst1"

/* --- the keys that are set ------------------------------------------------ */

/* By role, and inverted, so that it is not what is looked for. */
static uint8_t keys[TLSTEST_ENDS][NST_KEY_SIZE];

int __real_setsockopt(int fd, int level, int name, const void *value,
		      socklen_t len);
int __wrap_setsockopt(int fd, int level, int name, const void *value,
		      socklen_t len);
int __wrap_setsockopt(int fd, int level, int name, const void *value,
		      socklen_t len)
{
	const struct nst_crypto_info *info = value;
	int i, end;

	if (level == SOL_NST && len == sizeof(*info) + sizeof(struct nst_key)) {
		end = info->flags & NST_F_RESPONDER ? TLSTEST_SERVER :
						      TLSTEST_CLIENT;
		for (i = 0; i < NST_KEY_SIZE; i++)
			keys[end][i] = ~info->keys[0].key[i];
	}
	return __real_setsockopt(fd, level, name, value, len);
}

/* --- what both have afterwards -------------------------------------------- */

static void expect_data(struct __test_metadata *_metadata, struct tlstest *t)
{
	int a = t->fd[TLSTEST_CLIENT], b = t->fd[TLSTEST_SERVER];

	EXPECT_EQ(0, fcntl(a, F_SETFL, 0));
	EXPECT_EQ(0, fcntl(b, F_SETFL, 0));
	EXPECT_EQ(0, tcptest_send(a, 0, 50000, 7000));
	EXPECT_EQ(0, tcptest_recv(b, 0, 50000, 50000));
	EXPECT_EQ(0, tcptest_send(b, 3, 50000, 7000));
	EXPECT_EQ(0, tcptest_recv(a, 3, 50000, 50000));
}

/* An end of a strict stream, with its role, a box of one key, and no TLS. */
static void expect_nst(struct __test_metadata *_metadata, struct tlstest *t,
		       int end)
{
	uint32_t role = end == TLSTEST_SERVER ? NST_F_RESPONDER :
						NST_F_INITIATOR;
	struct nst_crypto_info set;
	socklen_t len = sizeof(set);
	struct nst_info info;

	EXPECT_EQ(1, nst_is_attached(t->fd[end]));
	ASSERT_EQ(0, nst_info(t->fd[end], &info));
	EXPECT_EQ(NST_F_STRICT | role, info.flags);
	EXPECT_EQ(1, info.tx.kid);
	EXPECT_EQ(1, info.rx.kid);
	EXPECT_EQ(1, info.tx.bound);
	EXPECT_EQ(1, info.rx.bound);
	ASSERT_EQ(0, getsockopt(t->fd[end], SOL_NST, NST_RX, &set, &len));
	EXPECT_EQ(1, set.nr_keys);
	EXPECT_EQ(-1, SSL_get_fd(t->ssl[end]));
	EXPECT_EQ(0, memcmp(keys[0], keys[1], NST_KEY_SIZE));
}

/* Both ends by nst_tls_step() until both have an end. */
struct both {
	struct tlstest *t;
	const struct nst_opts *opts;
	int err[TLSTEST_ENDS];
};

static void step_both(void *arg)
{
	long until = nsttest_now_ms() + TCPTEST_SOON_MS;
	struct both *both = arg;
	int i;

	both->err[0] = 1;
	both->err[1] = 1;
	while ((both->err[0] > 0 || both->err[1] > 0) &&
	       nsttest_now_ms() < until)
		for (i = 0; i < TLSTEST_ENDS; i++)
			if (both->err[i] > 0)
				both->err[i] = nst_tls_step(both->t->ssl[i],
							    both->opts);
}

/* --- ways ----------------------------------------------------------------- */

FIXTURE(tls)
{
	struct tlstest t;
};

FIXTURE_VARIANT(tls)
{
	bool mutual;
};

FIXTURE_VARIANT_ADD(tls, server_alone)
{
	.mutual = false,
};

FIXTURE_VARIANT_ADD(tls, client_certificate)
{
	.mutual = true,
};

FIXTURE_SETUP(tls)
{
	ASSERT_EQ(0, tlstest_open(&self->t, variant->mutual));
}

FIXTURE_TEARDOWN(tls)
{
	tlstest_close(&self->t);
}

TEST_F(tls, in_steps)
{
	struct both both = { .t = &self->t };

	ASSERT_EQ(0, tlstest_nonblock(&self->t));
	step_both(&both);
	ASSERT_EQ(0, both.err[0]);
	ASSERT_EQ(0, both.err[1]);
	expect_data(_metadata, &self->t);
	expect_nst(_metadata, &self->t, TLSTEST_CLIENT);
	expect_nst(_metadata, &self->t, TLSTEST_SERVER);
	/* Who it was can be asked still. */
	EXPECT_NE(NULL, SSL_get0_peer_certificate(self->t.ssl[0]));
	EXPECT_EQ(variant->mutual,
		  !!SSL_get0_peer_certificate(self->t.ssl[1]));
}

static void *step_once(void *arg)
{
	struct tlstest *t = arg;

	return (void *)(long)nst_tls_step(t->ssl[TLSTEST_SERVER], NULL);
}

/* On sockets that wait, one call is all. */
TEST_F(tls, blocking)
{
	pthread_t thread;
	void *err;

	ASSERT_EQ(0, pthread_create(&thread, NULL, step_once, &self->t));
	EXPECT_EQ(0, nst_tls_step(self->t.ssl[TLSTEST_CLIENT], NULL));
	ASSERT_EQ(0, pthread_join(thread, &err));
	EXPECT_EQ(NULL, err);
	expect_data(_metadata, &self->t);
	expect_nst(_metadata, &self->t, TLSTEST_CLIENT);
	expect_nst(_metadata, &self->t, TLSTEST_SERVER);
}

static int export_key(SSL *ssl, uint8_t *key, const char *context)
{
	return SSL_export_keying_material(ssl, key, NST_KEY_SIZE, LABEL,
					  strlen(LABEL),
					  (const unsigned char *)context,
					  strlen(context), 1);
}

/* The program's own handshake. */
TEST_F(tls, behind_a_handshake)
{
	struct nst_opts opts = {
		.size = sizeof(opts), .cipher = NST_CIPHER_CHACHA20_POLY1305,
		.context = "tls", .context_len = 3,
	};
	uint8_t key[TLSTEST_ENDS][NST_KEY_SIZE];
	int i, end;

	ASSERT_EQ(0, tlstest_shake_prepared(&self->t));
	for (end = 0; end < TLSTEST_ENDS; end++) {
		ASSERT_EQ(1, export_key(self->t.ssl[end], key[end], "tls"));
		EXPECT_EQ(0, nst_from_tls(self->t.ssl[end], &opts));
		for (i = 0; i < NST_KEY_SIZE; i++)
			EXPECT_EQ(0xff, keys[end][i] ^ key[end][i]);
	}
	expect_data(_metadata, &self->t);
	expect_nst(_metadata, &self->t, TLSTEST_CLIENT);
	expect_nst(_metadata, &self->t, TLSTEST_SERVER);
}

/* The client has gone on before the server has looked at its Finished. */
TEST_F(tls, client_is_ahead)
{
	struct tlstest *t = &self->t;

	ASSERT_EQ(0, tlstest_nonblock(t));
	ASSERT_EQ(POLLIN, nst_tls_step(t->ssl[0], NULL));
	ASSERT_EQ(POLLIN, tcptest_poll(t->fd[1], POLLIN, TCPTEST_SOON_MS));
	ASSERT_EQ(POLLIN, nst_tls_step(t->ssl[1], NULL));
	ASSERT_EQ(POLLIN, tcptest_poll(t->fd[0], POLLIN, TCPTEST_SOON_MS));
	ASSERT_EQ(0, nst_tls_step(t->ssl[0], NULL));
	/* Strict: nothing before the server has keys, thus has accepted it. */
	EXPECT_EQ(-1, send(t->fd[0], "early", 5, MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	ASSERT_EQ(0, nst_tls_step(t->ssl[1], NULL));
	expect_data(_metadata, t);
}

/* --- what is left --------------------------------------------------------- */

/* OpenSSL 3.0 wipes little of an SSL that is freed; nst_from_tls(3) says so. */
static bool wiping;

static void wiping_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	if (p && wiping)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

static __attribute__((constructor)) void begin(void)
{
	CRYPTO_set_mem_functions(NULL, NULL, wiping_free);
}

/* The secret that exporters are made of, as OpenSSL tells for debugging. */
static uint8_t exporter[64];
static size_t exporter_len;

static void note(const SSL *ssl, const char *line)
{
	const char *at;

	(void)ssl;
	if (strncmp(line, "EXPORTER_SECRET ", 16))
		return;
	at = strrchr(line, ' ') + 1;
	for (exporter_len = 0; exporter_len < sizeof(exporter) &&
	     sscanf(at, "%2hhx", &exporter[exporter_len]) == 1; at += 2)
		exporter_len++;
}

static void tls13_kdf(uint8_t *out, size_t len, const uint8_t *secret,
		      const uint8_t *info, size_t info_len)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, NULL);

	EVP_PKEY_derive_init(ctx);
	EVP_PKEY_CTX_set_hkdf_mode(ctx, EVP_PKEY_HKDEF_MODE_EXPAND_ONLY);
	EVP_PKEY_CTX_set_hkdf_md(ctx, EVP_sha384());
	EVP_PKEY_CTX_set1_hkdf_key(ctx, secret, 48);
	EVP_PKEY_CTX_add1_hkdf_info(ctx, info, info_len);
	EVP_PKEY_derive(ctx, out, &len);
	EVP_PKEY_CTX_free(ctx);
}

/*
 * Of the label's own secret, from which the key can be made, inverted: what
 * libssl has between the two and does not wipe.
 */
static void make_between(uint8_t inverted[MEMSCAN_BYTES])
{
	uint8_t info[256], hash[48], secret[48];
	size_t n = 0, i;

	EVP_Digest("", 0, hash, NULL, EVP_sha384(), NULL);
	info[n++] = 0;
	info[n++] = sizeof(secret);
	info[n++] = 6 + strlen(LABEL);
	n += sprintf((char *)info + n, "tls13 " LABEL);
	info[n++] = sizeof(hash);
	memcpy(info + n, hash, sizeof(hash));
	tls13_kdf(secret, sizeof(secret), exporter, info, n + sizeof(hash));
	for (i = 0; i < MEMSCAN_BYTES; i++)
		inverted[i] = ~secret[i];
	explicit_bzero(secret, sizeof(secret));
}

static void make_both(void *arg)
{
	struct both *both = arg;
	int i;

	for (i = 0; i < TLSTEST_ENDS; i++)
		both->err[i] = nst_from_tls(both->t->ssl[i], NULL);
}

TEST(keys_are_new_and_wiped)
{
	uint8_t between[MEMSCAN_BYTES];
	uint8_t first[NST_KEY_SIZE];
	struct tlstest t;
	struct both both = { .t = &t };
	int i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, tlstest_open(&t, false));
		SSL_CTX_set_keylog_callback(t.ctx[0], note);
		ASSERT_EQ(0, tlstest_shake_prepared(&t));
		ASSERT_EQ(48, exporter_len);
		make_between(between);
		explicit_bzero(exporter, sizeof(exporter));
		EXPECT_EQ(0, memscan_count(between));
		ASSERT_EQ(0, memscan_apart(make_both, &both));
		EXPECT_EQ(0, both.err[0]);
		EXPECT_EQ(0, both.err[1]);
		EXPECT_EQ(0, memscan_count(between));
		EXPECT_EQ(0, memscan_count(keys[0]));
		expect_data(_metadata, &t);
		if (!i)
			memcpy(first, keys[0], sizeof(first));
		tlstest_close(&t);
	}
	EXPECT_NE(0, memcmp(first, keys[0], sizeof(first)));
}

/* What libssl keeps in the SSL, with a program that minds. */
TEST(program_that_minds)
{
	uint8_t source[MEMSCAN_BYTES];
	struct tlstest t;
	int i;

	wiping = true;
	ASSERT_EQ(0, tlstest_open(&t, false));
	SSL_CTX_set_keylog_callback(t.ctx[0], note);
	ASSERT_EQ(0, tlstest_shake_prepared(&t));
	ASSERT_EQ(48, exporter_len);
	for (i = 0; i < MEMSCAN_BYTES; i++)
		source[i] = ~exporter[i];
	explicit_bzero(exporter, sizeof(exporter));
	EXPECT_EQ(0, nst_from_tls(t.ssl[0], NULL));
	EXPECT_EQ(0, nst_from_tls(t.ssl[1], NULL));
	EXPECT_LT(0, memscan_count(source));
	tlstest_close(&t);
	EXPECT_EQ(0, memscan_count(source));
}

TEST(lines_of_errors)
{
	static const int errs[] = {
		EACCES, EBADFD, EBADMSG, ECONNABORTED, EEXIST, EINPROGRESS,
		EINVAL, EIO, EKEYREJECTED, ENOTCONN, ENOTEMPTY, EOPNOTSUPP,
		EPROTO, EPROTONOSUPPORT,
	};
	const char *line;
	size_t i;

	for (i = 0; i < sizeof(errs) / sizeof(errs[0]); i++) {
		line = nst_tls_strerror(-errs[i]);
		EXPECT_STRNE(line, nst_strerror(errs[i]));
		EXPECT_NE(NULL, strstr(line, "; "));
	}
	/* No errno: it waits. */
	EXPECT_EQ(nst_tls_strerror(POLLIN), nst_tls_strerror(POLLOUT));
	EXPECT_STRNE(nst_tls_strerror(POLLIN), nst_strerror(POLLIN));
	EXPECT_STREQ(nst_strerror(-ENOENT), nst_tls_strerror(-ENOENT));
	EXPECT_STREQ(nst_strerror(-2147483647 - 1),
		     nst_tls_strerror(-2147483647 - 1));
}

TEST_HARNESS_MAIN
