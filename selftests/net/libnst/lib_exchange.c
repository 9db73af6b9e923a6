// SPDX-License-Identifier: GPL-2.0
/*
 * libnst-exchange on streams of the kernel: what both ends have afterwards, with
 * a peer that deviates in each point, one that never answers, and what is left.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <nst/exchange.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>

#include "kselftest_harness.h"
#include "memscan.h"
#include "tcptest.h"

#define MSG	35	/* bytes of a message with X25519 */
#define SOON	(nsttest_patience(10) * 1000)

/* --- the keys that are set ------------------------------------------------ */

/* The last ones, inverted, so that they are not what is looked for. */
static uint8_t last_key[NST_KEY_SIZE];
static unsigned int keys_set;
static uint8_t last_z[32];	/* what both ends have, and the key follows from */
static uint8_t last_prk[32];	/* what is between the two */

static void keep(uint8_t *inverted, const uint8_t *secret)
{
	int i;

	for (i = 0; i < 32; i++)
		inverted[i] = ~secret[i];
}

int __real_setsockopt(int fd, int level, int name, const void *value,
		      socklen_t len);
int __wrap_setsockopt(int fd, int level, int name, const void *value,
		      socklen_t len);
int __wrap_setsockopt(int fd, int level, int name, const void *value,
		      socklen_t len)
{
	const struct nst_crypto_info *info = value;

	if (level == SOL_NST && len == sizeof(*info) + sizeof(struct nst_key)) {
		keep(last_key, info->keys[0].key);
		__atomic_fetch_add(&keys_set, 1, __ATOMIC_RELAXED);
	}
	return __real_setsockopt(fd, level, name, value, len);
}

int __real_EVP_PKEY_derive(EVP_PKEY_CTX *ctx, unsigned char *key, size_t *len);
int __wrap_EVP_PKEY_derive(EVP_PKEY_CTX *ctx, unsigned char *key, size_t *len);
int __wrap_EVP_PKEY_derive(EVP_PKEY_CTX *ctx, unsigned char *key, size_t *len)
{
	int done = __real_EVP_PKEY_derive(ctx, key, len);

	if (done > 0 && *len == sizeof(last_z))
		keep(last_z, key);
	return done;
}

unsigned char *__real_HMAC(const EVP_MD *md, const void *key, int key_len,
			   const unsigned char *data, size_t len,
			   unsigned char *out, unsigned int *out_len);
unsigned char *__wrap_HMAC(const EVP_MD *md, const void *key, int key_len,
			   const unsigned char *data, size_t len,
			   unsigned char *out, unsigned int *out_len);
unsigned char *__wrap_HMAC(const EVP_MD *md, const void *key, int key_len,
			   const unsigned char *data, size_t len,
			   unsigned char *out, unsigned int *out_len)
{
	unsigned char *done = __real_HMAC(md, key, key_len, data, len, out,
					  out_len);

	/* HKDF-Extract takes no more than Z. */
	if (done && len == sizeof(last_z))
		keep(last_prk, out);
	return done;
}

/* --- a pair --------------------------------------------------------------- */

/* Ends @a, the initiator, and @b; some are strict, as they must be. */
TCPTEST_PAIRS(exchange, TCPTEST_VARIANTS_SUITES);

/* A pair for what does not depend on the suite. */
static int open_pair(int *a, int *b)
{
	struct tcptest_conf conf = {
		.cipher_id = NST_CIPHER_AES_GCM, .family = AF_INET,
		.strict = true,
	};

	return tcptest_pair(&conf, a, b);
}

/* Two ends, and what their last steps have said. */
struct both {
	struct nst_exchange *ex[2];
	int err[2];
};

/* Steps of both ends in turn until both have an end. */
static void step_both(void *arg)
{
	struct both *both = arg;
	int i;

	both->err[0] = 1;
	both->err[1] = 1;
	while (both->err[0] > 0 || both->err[1] > 0)
		for (i = 0; i < 2; i++)
			if (both->err[i] > 0)
				both->err[i] = nst_exchange_step(both->ex[i]);
}

static void expect_data(struct __test_metadata *_metadata, int a, int b)
{
	EXPECT_EQ(0, tcptest_send(a, 0, 50000, 7000));
	EXPECT_EQ(0, tcptest_recv(b, 0, 50000, 50000));
	EXPECT_EQ(0, tcptest_send(b, 3, 50000, 7000));
	EXPECT_EQ(0, tcptest_recv(a, 3, 50000, 50000));
}

/* The connection has ended: nothing can be sent. */
static void expect_over(struct __test_metadata *_metadata, int fd)
{
	EXPECT_EQ(-1, send(fd, "plain", 5, MSG_NOSIGNAL));
	EXPECT_EQ(EPIPE, errno);
}

/* --- it works ------------------------------------------------------------- */

TEST_F(exchange, in_steps)
{
	struct nst_crypto_info before, after;
	socklen_t len = sizeof(before);
	struct nst_info info;
	int i, fds[2] = { self->a, self->b };
	struct both both;

	if (!variant->conf.strict) {
		EXPECT_EQ(-EINVAL, nst_exchange_new(&both.ex[0], self->a,
						    NULL));
		expect_data(_metadata, self->a, self->b);
		return;
	}
	ASSERT_EQ(0, getsockopt(self->a, SOL_NST, NST_RX, &before, &len));
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, nst_exchange_new(&both.ex[i], fds[i], NULL));
	step_both(&both);
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(0, both.err[i]);
		EXPECT_EQ(NST_GROUP_X25519, nst_exchange_group(both.ex[i]));
		nst_exchange_free(both.ex[i]);
	}
	expect_data(_metadata, self->a, self->b);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, nst_info(fds[i], &info));
		EXPECT_EQ(1, info.tx.kid);
		EXPECT_EQ(1, info.rx.kid);
		EXPECT_EQ(variant->conf.cipher_id, info.tx.cipher_id);
		EXPECT_EQ(1, info.tx.bound);
	}
	ASSERT_EQ(0, getsockopt(self->a, SOL_NST, NST_RX, &after, &len));
	EXPECT_EQ(before.cipher_id, after.cipher_id);
	EXPECT_EQ(before.flags, after.flags);
	EXPECT_EQ(1, after.nr_keys);
}

static void *whole(void *arg)
{
	return (void *)(long)nst_exchange(*(int *)arg, NULL, SOON);
}

TEST(whole_call)
{
	pthread_t thread;
	void *err;
	int a, b, i;

	/* Blocking, and then not; and once more on the same connection. */
	ASSERT_EQ(0, open_pair(&a, &b));
	for (i = 0; i < 3; i++) {
		if (i == 1) {
			ASSERT_EQ(0, fcntl(a, F_SETFL, O_NONBLOCK));
			ASSERT_EQ(0, fcntl(b, F_SETFL, O_NONBLOCK));
		}
		ASSERT_EQ(0, pthread_create(&thread, NULL, whole, &b));
		EXPECT_EQ(0, nst_exchange(a, NULL, SOON));
		ASSERT_EQ(0, pthread_join(thread, &err));
		EXPECT_EQ(NULL, err);
	}
	ASSERT_EQ(0, fcntl(a, F_SETFL, 0));
	ASSERT_EQ(0, fcntl(b, F_SETFL, 0));
	expect_data(_metadata, a, b);
	close(a);
	close(b);
}

/* The responder's data is there before the initiator has looked. */
TEST(data_right_behind)
{
	struct nst_exchange *ex[2];
	char buf[16];
	int a, b;

	ASSERT_EQ(0, open_pair(&a, &b));
	ASSERT_EQ(0, nst_exchange_new(&ex[0], a, NULL));
	ASSERT_EQ(0, nst_exchange_new(&ex[1], b, NULL));
	ASSERT_EQ(POLLIN, nst_exchange_step(ex[0]));
	ASSERT_EQ(POLLIN, tcptest_poll(b, POLLIN, TCPTEST_SOON_MS));
	ASSERT_EQ(0, nst_exchange_step(ex[1]));
	ASSERT_EQ(5, send(b, "early", 5, 0));
	ASSERT_EQ(POLLIN, tcptest_poll(a, POLLIN, TCPTEST_SOON_MS));
	usleep(TCPTEST_NEVER_MS * 1000);
	ASSERT_EQ(0, nst_exchange_step(ex[0]));
	EXPECT_EQ(5, recv(a, buf, sizeof(buf), 0));
	EXPECT_EQ(0, memcmp(buf, "early", 5));
	nst_exchange_free(ex[0]);
	nst_exchange_free(ex[1]);
	expect_data(_metadata, a, b);
	close(a);
	close(b);
}

/* Nothing is left of the key, nor of what it was made from. */
static void expect_nowhere(struct __test_metadata *_metadata)
{
	static const uint8_t none[32];

	EXPECT_NE(0, memcmp(last_z, none, sizeof(none)));
	EXPECT_NE(0, memcmp(last_prk, none, sizeof(none)));
	EXPECT_EQ(0, memscan_count(last_z));
	EXPECT_EQ(0, memscan_count(last_prk));
	EXPECT_EQ(0, memscan_count(last_key));
}

/* The ends have keys that none of the boxes has, and a new one each time. */
TEST(keys_are_new_and_wiped)
{
	uint8_t first[NST_KEY_SIZE];
	struct both both;
	int a, b, i;

	ASSERT_EQ(0, open_pair(&a, &b));
	for (i = 0; i < 2; i++) {
		keys_set = 0;
		memset(last_z, 0, sizeof(last_z));
		memset(last_prk, 0, sizeof(last_prk));
		ASSERT_EQ(0, nst_exchange_new(&both.ex[0], a, NULL));
		ASSERT_EQ(0, nst_exchange_new(&both.ex[1], b, NULL));
		ASSERT_EQ(0, memscan_apart(step_both, &both));
		EXPECT_EQ(0, both.err[0]);
		EXPECT_EQ(0, both.err[1]);
		EXPECT_EQ(4, keys_set);
		expect_nowhere(_metadata);
		nst_exchange_free(both.ex[0]);
		nst_exchange_free(both.ex[1]);
		expect_nowhere(_metadata);
		if (!i)
			memcpy(first, last_key, sizeof(first));
	}
	EXPECT_NE(0, memcmp(first, last_key, sizeof(first)));
	close(a);
	close(b);
}

/* --- it cannot begin ------------------------------------------------------ */

TEST(not_for_it)
{
	struct tcptest_conf loose = {
		.cipher_id = NST_CIPHER_AES_GCM, .family = AF_INET,
	};
	struct nst_exchange *ex;
	int a, b;

	ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &b, &a));
	EXPECT_EQ(-ENOPROTOOPT, nst_exchange_new(&ex, a, NULL));
	ASSERT_EQ(0, setsockopt(b, SOL_TCP, TCP_ULP, "nst", 4));
	EXPECT_EQ(-ENOKEY, nst_exchange_new(&ex, b, NULL));
	EXPECT_EQ(-ENOPROTOOPT, nst_exchange(a, NULL, SOON));
	/* It was asked for and did not come, so nothing goes in plaintext. */
	expect_over(_metadata, a);
	close(a);
	close(b);
	ASSERT_EQ(0, tcptest_pair(&loose, &a, &b));
	EXPECT_EQ(-EINVAL, nst_exchange(a, NULL, SOON));
	expect_over(_metadata, a);
	close(a);
	close(b);
	EXPECT_EQ(-EBADF, nst_exchange(-1, NULL, SOON));
}

/* --- a peer that deviates ------------------------------------------------- */

TEST(nobody_answers)
{
	int a, b;

	ASSERT_EQ(0, open_pair(&a, &b));
	EXPECT_EQ(-ETIMEDOUT, nst_exchange(a, NULL, TCPTEST_NEVER_MS));
	expect_over(_metadata, a);
	close(a);
	close(b);
	ASSERT_EQ(0, open_pair(&a, &b));
	EXPECT_EQ(-ETIMEDOUT, nst_exchange(b, NULL, TCPTEST_NEVER_MS));
	expect_over(_metadata, b);
	close(a);
	close(b);
}

/* One that has never heard of it speaks, reads, or goes. */
TEST(never_heard_of_it)
{
	struct nst_exchange *ex;
	char buf[64];
	int a, b;

	ASSERT_EQ(0, open_pair(&a, &b));
	ASSERT_EQ(9, send(b, "220 hello", 9, 0));
	EXPECT_EQ(-EPROTO, nst_exchange(a, NULL, SOON));
	expect_over(_metadata, a);
	close(a);
	close(b);
	ASSERT_EQ(0, open_pair(&a, &b));
	ASSERT_EQ(5, send(a, "GET /", 5, 0));
	EXPECT_EQ(-EPROTO, nst_exchange(b, NULL, SOON));
	expect_over(_metadata, b);
	close(a);
	close(b);
	ASSERT_EQ(0, open_pair(&a, &b));
	ASSERT_EQ(0, nst_exchange_new(&ex, a, NULL));
	ASSERT_EQ(POLLIN, nst_exchange_step(ex));
	EXPECT_EQ(-1, recv(b, buf, sizeof(buf), 0));
	EXPECT_EQ(EIO, errno);
	close(b);
	ASSERT_NE(0, tcptest_poll(a, POLLIN, TCPTEST_SOON_MS));
	EXPECT_GT(0, nst_exchange_step(ex));
	nst_exchange_free(ex);
	expect_over(_metadata, a);
	close(a);
	ASSERT_EQ(0, open_pair(&a, &b));
	ASSERT_EQ(0, shutdown(a, SHUT_WR));
	EXPECT_EQ(-ECONNABORTED, nst_exchange(b, NULL, SOON));
	expect_over(_metadata, b);
	close(a);
	close(b);
}

/* What comes to @who as the message that is due, by a peer that does as it likes. */
static int answered(struct __test_metadata *_metadata, bool initiator,
		    int type, const uint8_t *body, size_t len)
{
	struct nst_exchange *ex;
	uint8_t drop[MSG];
	uint8_t seen;
	int a, b, fd, peer, err;

	ASSERT_EQ(0, open_pair(&a, &b));
	fd = initiator ? a : b;
	peer = initiator ? b : a;
	ASSERT_EQ(0, nst_exchange_new(&ex, fd, NULL));
	ASSERT_EQ(POLLIN, nst_exchange_step(ex));
	if (initiator) {
		ASSERT_EQ(MSG, nst_recv_record(peer, &seen, drop, MSG, 0));
		ASSERT_EQ(254, seen);
	}
	ASSERT_EQ(len, nst_send_record(peer, type, body, len, 0));
	ASSERT_NE(0, tcptest_poll(fd, POLLIN, TCPTEST_SOON_MS));
	err = nst_exchange_step(ex);
	nst_exchange_free(ex);
	if (err < 0)
		expect_over(_metadata, fd);
	close(a);
	close(b);
	return err;
}

static void deviate(struct __test_metadata *_metadata, bool initiator)
{
	int due = initiator ? 255 : 254, other = initiator ? 254 : 255;
	uint8_t body[2000] = { 1, 0, 0x1d, 9 };

	EXPECT_EQ(0, answered(_metadata, initiator, due, body, MSG));
	EXPECT_EQ(-EPROTO, answered(_metadata, initiator, due, body, MSG - 1));
	EXPECT_EQ(-EPROTO, answered(_metadata, initiator, due, body, MSG + 1));
	EXPECT_EQ(-EPROTO, answered(_metadata, initiator, due, body, 2));
	EXPECT_EQ(-EPROTO, answered(_metadata, initiator, due, body, 2000));
	EXPECT_EQ(-EPROTO, answered(_metadata, initiator, other, body, MSG));
	EXPECT_EQ(-EPROTO, answered(_metadata, initiator, 16, body, MSG));
	EXPECT_EQ(-EPROTO, answered(_metadata, initiator, 0, body, MSG));
	body[0] = 2;
	EXPECT_EQ(-EPROTO, answered(_metadata, initiator, due, body, MSG));
	body[0] = 1;
	body[3] = 0;
	EXPECT_EQ(-EKEYREJECTED, answered(_metadata, initiator, due, body, MSG));
	body[2] = 0x1e;
	EXPECT_EQ(initiator ? -EPROTO : -EPROTONOSUPPORT,
		  answered(_metadata, initiator, due, body, MSG));
	body[2] = 0;
	body[4] = 0x1d;
	EXPECT_EQ(-EPROTONOSUPPORT, answered(_metadata, initiator, due, body, 5));
}

TEST(peer_of_an_initiator)
{
	deviate(_metadata, true);
}

TEST(peer_of_a_responder)
{
	deviate(_metadata, false);
}

/* A second message 1 is under a key that is no longer taken. */
TEST(message_twice)
{
	uint8_t body[MSG] = { 1, 0, 0x1d, 9 }, type;
	struct nst_exchange *ex;
	char buf[64];
	int a, b;

	ASSERT_EQ(0, open_pair(&a, &b));
	ASSERT_EQ(0, nst_exchange_new(&ex, b, NULL));
	ASSERT_EQ(MSG, nst_send_record(a, 254, body, MSG, 0));
	ASSERT_EQ(MSG, nst_send_record(a, 254, body, MSG, 0));
	ASSERT_EQ(POLLIN, tcptest_poll(b, POLLIN, TCPTEST_SOON_MS));
	ASSERT_EQ(0, nst_exchange_step(ex));
	nst_exchange_free(ex);
	EXPECT_EQ(-ENOKEY, nst_recv_record(b, &type, buf, sizeof(buf), 0));
	close(a);
	close(b);
}

/* The ends have other keys: nothing that one sends reaches the other. */
TEST(keys_that_differ)
{
	uint8_t body[MSG] = { 1, 0, 0x1d, 9 }, type;
	struct nst_exchange *ex;
	char buf[64];
	int a, b;

	ASSERT_EQ(0, open_pair(&a, &b));
	ASSERT_EQ(0, nst_exchange_new(&ex, a, NULL));
	ASSERT_EQ(POLLIN, nst_exchange_step(ex));
	ASSERT_EQ(MSG, nst_recv_record(b, &type, buf, sizeof(buf), 0));
	ASSERT_EQ(MSG, nst_send_record(b, 255, body, MSG, 0));
	ASSERT_EQ(POLLIN, tcptest_poll(a, POLLIN, TCPTEST_SOON_MS));
	ASSERT_EQ(0, nst_exchange_step(ex));
	nst_exchange_free(ex);
	ASSERT_EQ(6, send(a, "secret", 6, 0));
	EXPECT_EQ(-ENOKEY, nst_recv_record(b, &type, buf, sizeof(buf), 0));
	close(a);
	close(b);
}

TEST_HARNESS_MAIN
