// SPDX-License-Identifier: GPL-2.0
/*
 * libnst leaves no key in the program's memory, whatever has become of a call;
 * and any thread may call it at any time.
 */
#define _GNU_SOURCE
#include <nst/nst.h>
#include <pthread.h>

#include "kselftest_harness.h"
#include "memscan.h"
#include "udptest.h"

/* --- what is left --------------------------------------------------------- */

/*
 * The key is nowhere but where the test puts it: who looks for it computes it
 * byte by byte.
 */
static uint8_t key_byte(unsigned int i)
{
	return (i * 151 + 0xc5) ^ (i * i * 7);
}

static void make_key(struct nst_key *key)
{
	unsigned int i;

	for (i = 0; i < NST_KEY_SIZE; i++)
		key->key[i] = key_byte(i);
	key->kid = 1;
}

static int count_pieces(void)
{
	uint8_t inverted[MEMSCAN_BYTES];
	unsigned int i;

	for (i = 0; i < MEMSCAN_BYTES; i++)
		inverted[i] = ~key_byte(i);
	return memscan_count(inverted);
}

typedef int call_fn(int fd, const struct nst_opts *opts);

struct attempt {
	call_fn *call;
	int fd;
	const struct nst_opts *opts;
	int err;
};

static void make_attempt(void *arg)
{
	struct attempt *attempt = arg;

	attempt->err = attempt->call(attempt->fd, attempt->opts);
}

/* Calls @call with the key, takes it away, and counts what is left. */
static int leaves(call_fn *call, int fd, struct nst_opts *opts, int *err)
{
	struct attempt attempt = { .call = call, .fd = fd, .opts = opts };
	struct nst_key *key = calloc(1, sizeof(*key));

	make_key(key);
	opts->keys = key;
	opts->nr_keys = 1;
	if (memscan_apart(make_attempt, &attempt))
		return -1;
	*err = attempt.err;
	explicit_bzero(key, sizeof(*key));
	free(key);
	return count_pieces();
}

#define EXPECT_LEAVES_NOTHING(want, call, fd, opts)			\
do {									\
	int err;							\
									\
	EXPECT_EQ(0, leaves(call, fd, opts, &err));			\
	EXPECT_EQ(want, err);						\
} while (0)

/* Who does not wipe is found. */
static int forgetful(int fd, const struct nst_opts *opts)
{
	struct {
		struct nst_crypto_info info;
		struct nst_key key;
	} value = {
		.info.version = NST_VERSION,
		.info.cipher_id = NST_CIPHER_AES_GCM,
		.info.nr_keys = 1,
	};

	value.key = opts->keys[0];
	return setsockopt(fd, SOL_NST, NST_TX_RX, &value, sizeof(value));
}

static call_fn *volatile forgetful_call = forgetful;

TEST(a_key_left_is_found)
{
	struct nst_opts opts = { .size = sizeof(opts) };
	int err, fd = socket(AF_NST, NST_SOCK_STREAM, 0);
	struct nst_key *key = calloc(1, sizeof(*key));

	ASSERT_EQ(0, count_pieces());
	EXPECT_LT(0, leaves(forgetful_call, fd, &opts, &err));
	EXPECT_EQ(0, err);
	/* also on the heap */
	make_key(key);
	EXPECT_LT(0, count_pieces());
	explicit_bzero(key, sizeof(*key));
	free(key);
	close(fd);
}

TEST(nothing_is_left)
{
	struct nst_opts opts = { .size = sizeof(opts) };
	int a, b, udp = socket(AF_INET, SOCK_DGRAM, 0), p[2];

	ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &b, &a));
	ASSERT_EQ(0, pipe(p));
	EXPECT_LEAVES_NOTHING(-ENOTSOCK, nst_tcp, p[0], &opts);
	EXPECT_LEAVES_NOTHING(-EOPNOTSUPP, nst_udp, a, &opts);
	opts.kid = 9;
	EXPECT_LEAVES_NOTHING(-ENOKEY, nst_tcp, a, &opts);
	opts.kid = 0;
	opts.flags = NST_F_INITIATOR | NST_F_RESPONDER;
	EXPECT_LEAVES_NOTHING(-EINVAL, nst_tcp, a, &opts);
	opts.flags = 0;
	EXPECT_LEAVES_NOTHING(0, nst_tcp, a, &opts);
	EXPECT_LEAVES_NOTHING(-EEXIST, nst_tcp, a, &opts);
	EXPECT_LEAVES_NOTHING(0, nst_set_keys, a, &opts);
	opts.cipher = NST_CIPHER_AES_256_GCM;
	EXPECT_LEAVES_NOTHING(0, nst_set_keys, a, &opts);
	EXPECT_LEAVES_NOTHING(0, nst_udp, udp, &opts);
	opts.size--;
	EXPECT_LEAVES_NOTHING(-EINVAL, nst_set_keys, a, &opts);
	close(a);
	close(b);
	close(udp);
}

/* Nor does using the socket bring anything back. */
TEST(nothing_comes_back)
{
	struct nst_opts opts = { .size = sizeof(opts) };
	struct nst_info info;
	int a, b;

	ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &b, &a));
	EXPECT_LEAVES_NOTHING(0, nst_tcp, a, &opts);
	EXPECT_LEAVES_NOTHING(0, nst_tcp, b, &opts);
	EXPECT_EQ(0, tcptest_bind(a, b));
	EXPECT_EQ(0, nst_rekey(a, 1));
	EXPECT_EQ(0, nst_info(a, &info));
	EXPECT_EQ(0, tcptest_bind(a, b));
	EXPECT_EQ(0, count_pieces());
	close(a);
	close(b);
}

/* --- threads -------------------------------------------------------------- */

#define THREADS	6
#define ROUNDS	60

static struct nst_opts threads_opts(struct nst_key *key)
{
	struct nst_opts opts = {
		.size = sizeof(opts), .keys = key, .nr_keys = 1,
	};

	make_key(key);
	return opts;
}

/* One thread's: sockets of its own, and each call says what it should. */
static void *alone(void *arg)
{
	long wrong = 0;
	struct nst_key key = {};
	struct nst_opts opts = threads_opts(&key);
	struct nst_info info;
	uint8_t type;
	char c;
	int i, fd;

	(void)arg;
	for (i = 0; i < ROUNDS; i++) {
		fd = socket(i % 2 ? AF_INET : AF_INET6, SOCK_STREAM, 0);
		wrong += nst_is_attached(fd) != 0;
		wrong += nst_tcp(fd, &opts) != 0;
		wrong += nst_tcp(fd, &opts) != -EEXIST;
		wrong += nst_is_attached(fd) != 1;
		wrong += nst_rekey(fd, 1) != 0;
		wrong += nst_rekey(fd, 2) != -ENOKEY;
		wrong += nst_info(fd, &info) != 0 || !info.tx.keyed;
		wrong += nst_recv_record(fd, &type, &c, 1, 0) != -ENOTCONN;
		wrong += strcmp(nst_strerror(-ENOENT), nst_strerror(ENOENT));
		wrong += strcmp(nst_cause_name(1), "NstRxForeign");
		close(fd);
	}
	return (void *)wrong;
}

TEST(threads_with_sockets_of_their_own)
{
	pthread_t threads[THREADS];
	void *wrong;
	int i;

	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, alone, NULL));
	for (i = 0; i < THREADS; i++) {
		ASSERT_EQ(0, pthread_join(threads[i], &wrong));
		EXPECT_EQ(NULL, wrong);
	}
}

static struct {
	int a;
	int b;
	bool stop;
} shared;

/* Sets the same keys again and again, and asks, while others use the socket. */
static void *meddler(void *arg)
{
	struct nst_key key = {};
	struct nst_opts opts = threads_opts(&key);
	struct nst_info info;
	long wrong = 0;
	int fd = arg ? shared.a : shared.b;

	while (!__atomic_load_n(&shared.stop, __ATOMIC_RELAXED)) {
		wrong += nst_set_keys(fd, &opts) != 0;
		wrong += nst_rekey(fd, 0) != 0;
		wrong += nst_is_attached(fd) != 1;
		wrong += nst_info(fd, &info) != 0 || info.error;
		wrong += nst_tcp(fd, &opts) != -EEXIST;
	}
	return (void *)wrong;
}

TEST(threads_with_one_socket)
{
	pthread_t threads[4];
	struct nst_key key = {};
	struct nst_opts opts = threads_opts(&key);
	uint8_t type, seen;
	char buf[8];
	void *wrong;
	int i;

	memset(&shared, 0, sizeof(shared));
	ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &shared.b, &shared.a));
	ASSERT_EQ(0, nst_tcp(shared.a, &opts));
	ASSERT_EQ(0, nst_tcp(shared.b, &opts));
	ASSERT_EQ(0, tcptest_bind(shared.a, shared.b));
	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, meddler,
					    i % 2 ? &shared : NULL));
	for (i = 0; i < ROUNDS * 5; i++) {
		type = NST_TYPE_APP_MIN + i % 200;
		ASSERT_EQ(1, nst_send_record(shared.a, type, "x", 1, 0));
		ASSERT_EQ(1, nst_recv_record(shared.b, &seen, buf, 1, 0));
		ASSERT_EQ(type, seen);
		ASSERT_EQ(5, nst_send_record(shared.b, 0, "bytes", 5, 0));
		ASSERT_EQ(0, tcptest_arrived(shared.a, 5));
		ASSERT_EQ(5, recv(shared.a, buf, 5, 0));
	}
	__atomic_store_n(&shared.stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, pthread_join(threads[i], &wrong));
		EXPECT_EQ(NULL, wrong);
	}
	close(shared.a);
	close(shared.b);
}

TEST_HARNESS_MAIN
