// SPDX-License-Identifier: GPL-2.0
/*
 * Streams with random damage. Whatever was done to the bytes, the receiver
 * delivers what stands before the damage, at most, and then ends with an
 * error of protocol.md section 7: no hang, no end of file, no other data.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "hostile.h"

#define ROUNDS		60
#define RECORDS		6
#define RECORD_LEN	700
#define STREAM_LEN	(RECORDS * RECORD_LEN)

FIXTURE(damage)
{
	struct conn *c;
	unsigned int seed;
	size_t ends[RECORDS];	/* of each record, on the wire */
	uint8_t was[RECORDS * (PEER_HDR_SIZE + RECORD_LEN + 16)];
};

FIXTURE_VARIANT(damage)
{
	void (*damage)(uint8_t *bytes, size_t *len);
};

static size_t below(size_t n)
{
	return random() % n;
}

static void flip_bit(uint8_t *bytes, size_t *len)
{
	bytes[below(*len)] ^= 1 << below(8);
}

static void flip_header_bit(uint8_t *bytes, size_t *len)
{
	(void)len;
	bytes[below(PEER_HDR_SIZE)] ^= 1 << below(8);
}

static void overwrite(uint8_t *bytes, size_t *len)
{
	size_t at = below(*len), i;

	for (i = at; i < *len && i < at + 100; i++)
		bytes[i] = random();
}

static void cut_out(uint8_t *bytes, size_t *len)
{
	size_t at = below(*len), n = 1 + below(200);

	if (n > *len - at)
		n = *len - at;
	memmove(bytes + at, bytes + at + n, *len - at - n);
	*len -= n;
}

static void insert_bytes(uint8_t *bytes, size_t *len)
{
	size_t at = below(*len), n = 1 + below(200), i;

	memmove(bytes + at + n, bytes + at, *len - at);
	for (i = 0; i < n; i++)
		bytes[at + i] = random();
	*len += n;
}

static void repeat_bytes(uint8_t *bytes, size_t *len)
{
	size_t at = below(*len), n = 1 + below(900);

	if (n > *len - at)
		n = *len - at;
	memmove(bytes + at + n, bytes + at, *len - at);
	*len += n;
}

static void cut_off(uint8_t *bytes, size_t *len)
{
	(void)bytes;
	*len = below(*len);
}

FIXTURE_VARIANT_ADD(damage, flip_bit) { .damage = flip_bit };
FIXTURE_VARIANT_ADD(damage, flip_header_bit) { .damage = flip_header_bit };
FIXTURE_VARIANT_ADD(damage, overwrite) { .damage = overwrite };
FIXTURE_VARIANT_ADD(damage, cut_out) { .damage = cut_out };
FIXTURE_VARIANT_ADD(damage, insert) { .damage = insert_bytes };
FIXTURE_VARIANT_ADD(damage, repeat) { .damage = repeat_bytes };
FIXTURE_VARIANT_ADD(damage, cut_off) { .damage = cut_off };

FIXTURE_SETUP(damage)
{
	self->c = NULL;
	peer_random(&self->seed, sizeof(self->seed));
	srandom(self->seed);
}

FIXTURE_TEARDOWN(damage)
{
	conn_close(self->c);
}

static const int allowed[] = { EPROTO, EBADMSG, EKEYREJECTED, ESTALE, ENOKEY,
			       ECONNABORTED };

static int is_allowed(int err)
{
	size_t i;

	for (i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
		if (allowed[i] == err)
			return 1;
	}
	return 0;
}

static uint8_t pattern(size_t at)
{
	return at * 7 + (at >> 8);
}

/* The first byte that is not as it was. */
static size_t first_change(const uint8_t *a, size_t a_len, const uint8_t *b,
			   size_t b_len)
{
	size_t i;

	for (i = 0; i < a_len && i < b_len && a[i] == b[i]; i++)
		;
	return i;
}

static void build_stream(FIXTURE_DATA(damage) *self)
{
	uint8_t plain[RECORD_LEN];
	int r, i;

	for (r = 0; r < RECORDS; r++) {
		for (i = 0; i < RECORD_LEN; i++)
			plain[i] = pattern(r * RECORD_LEN + i);
		conn_add(self->c, PEER_DATA, plain, RECORD_LEN);
		self->ends[r] = self->c->len;
	}
}

/* Plaintext bytes in the records that end at or before wire byte @at. */
static size_t whole_until(const FIXTURE_DATA(damage) *self, size_t at)
{
	size_t r = 0;

	while (r < RECORDS && self->ends[r] <= at)
		r++;
	return r * RECORD_LEN;
}

static void one_round(struct __test_metadata *_metadata,
		      FIXTURE_DATA(damage) *self,
		      const FIXTURE_VARIANT(damage) *variant, int round)
{
	const struct nsttest_conf conf = {
		.cipher_id = 1 + round % PEER_SUITES,
		.nr_keys = NSTTEST_KEYS,
		.flags = NST_F_RESPONDER,
	};
	size_t want, have = 0, at, len;
	uint8_t buf[STREAM_LEN];
	ssize_t n;

	self->c = conn_open(_metadata, round % 2 ? AF_INET : AF_INET6, 0,
			    &conf);
	build_stream(self);
	len = self->c->len;
	memcpy(self->was, self->c->out, len);
	variant->damage(self->c->out, &self->c->len);
	want = whole_until(self, first_change(self->was, len, self->c->out,
					      self->c->len));
	conn_flush(_metadata, self->c, 1 + below(3000));
	shutdown(self->c->raw, SHUT_WR);
	while ((n = recv(self->c->k, buf, 1 + below(sizeof(buf)), 0)) > 0) {
		for (at = 0; at < (size_t)n; at++, have++)
			ASSERT_EQ(pattern(have), buf[at]);
	}
	EXPECT_EQ(-1, n);
	EXPECT_EQ(1, is_allowed(errno)) {
		TH_LOG("errno %d, seed %u, round %d", errno, self->seed, round);
	}
	EXPECT_EQ(want, have) {
		TH_LOG("seed %u, round %d", self->seed, round);
	}
	EXPECT_NE(NULL, strstr(nsttest_grown(&self->c->before), "+1"));
	EXPECT_EQ(NULL, strchr(nsttest_grown(&self->c->before), ' '));
	conn_close(self->c);
	self->c = NULL;
}

TEST_F(damage, only_what_is_before_it)
{
	int round;

	for (round = 0; round < ROUNDS; round++)
		one_round(_metadata, self, variant, round);
}

/* Nothing like a record at all. */
TEST(noise__never_delivered)
{
	const struct nsttest_conf conf = {
		.cipher_id = NST_CIPHER_AES_GCM, .nr_keys = NSTTEST_KEYS,
	};
	struct conn *c;
	char byte;
	int i;

	for (i = 0; i < 100; i++) {
		c = conn_open(_metadata, AF_INET, 0, &conf);
		c->len = 1 + i * 10;
		peer_random(c->out, c->len);
		/* half of them get past the early judgement */
		if (i % 2 && c->len > 5)
			memcpy(c->out, "NSTP\1", 5);
		conn_flush(_metadata, c, c->len);
		shutdown(c->raw, SHUT_WR);
		EXPECT_EQ(-1, recv(c->k, &byte, 1, 0));
		EXPECT_EQ(1, is_allowed(errno));
		conn_close(c);
	}
}

/* --- pages that change while they are decrypted --------------------------- */

#define PAGES_LEN	16000
#define PAGES_MAP	(5 * 4096)

/* Hands @len bytes at @from to TCP without copying them. */
static int splice_out(int fd, const uint8_t *from, size_t len)
{
	struct iovec iov = { .iov_base = (void *)from, .iov_len = len };
	int p[2], ret = 0;
	ssize_t n;

	if (pipe(p))
		return -errno;
	n = vmsplice(p[1], &iov, 1, 0);
	if (n != (ssize_t)len)
		ret = -EIO;
	while (!ret && len) {
		n = splice(p[0], NULL, fd, NULL, len, 0);
		if (n <= 0)
			ret = -EIO;
		else
			len -= n;
	}
	close(p[0]);
	close(p[1]);
	return ret;
}

static pid_t start_changing(volatile uint8_t *byte)
{
	pid_t pid = fork();

	/* not for ever, should the test end early */
	if (!pid)
		alarm(60);
	while (!pid)
		*byte ^= 0x40;
	return pid;
}

/*
 * A peer on the same host gives TCP pages that it still can write to. What is
 * delivered is what was authenticated, or nothing is.
 */
TEST(pages_change__delivered_as_sealed_or_not_at_all)
{
	const struct nsttest_conf conf = {
		.cipher_id = NST_CIPHER_AES_GCM, .nr_keys = NSTTEST_KEYS,
	};
	uint8_t *map, plain[PAGES_LEN], got[PAGES_LEN];
	struct conn *c;
	ssize_t n;
	pid_t pid;
	int i;

	map = mmap(NULL, PAGES_MAP, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, map);
	pid = start_changing(map + PEER_HDR_SIZE + PAGES_LEN / 2);
	ASSERT_LT(0, pid);
	for (i = 0; i < PAGES_LEN; i++)
		plain[i] = pattern(i);
	for (i = 0; i < 100; i++) {
		c = conn_open(_metadata, AF_INET, 0, &conf);
		conn_add(c, PEER_DATA, plain, PAGES_LEN);
		memcpy(map, c->out, c->len);
		EXPECT_EQ(0, splice_out(c->raw, map, c->len));
		n = recv(c->k, got, sizeof(got), MSG_WAITALL);
		if (n > 0) {
			EXPECT_EQ(PAGES_LEN, n);
			EXPECT_EQ(0, memcmp(got, plain, PAGES_LEN));
		} else {
			EXPECT_EQ(EBADMSG, errno);
		}
		conn_close(c);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	munmap(map, PAGES_MAP);
}

/* --- connections that end anyhow ------------------------------------------ */

static void reset_at_close(int fd)
{
	struct linger now = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

/* What a program does to its end, in any order. */
static void act(struct conn *c, const struct nsttest_conf *conf)
{
	char buf[8000] = { 0 };

	switch (below(8)) {
	case 0:
		shutdown(c->k, SHUT_WR);
		break;
	case 1:
		shutdown(c->k, SHUT_RDWR);
		break;
	case 2:
		nsttest_install(c->k, conf);
		break;
	case 3:
		reset_at_close(c->k);
		break;
	case 4:
		send(c->k, buf, below(sizeof(buf)), MSG_DONTWAIT | MSG_NOSIGNAL);
		break;
	case 5:
		send(c->k, buf, 9, MSG_DONTWAIT | MSG_NOSIGNAL | MSG_MORE);
		break;
	default:
		recv(c->k, buf, below(sizeof(buf)), MSG_DONTWAIT);
	}
}

/* Nothing is expected but that the kernel survives and forgets it all. */
TEST(churn__any_end_at_any_time)
{
	struct nsttest_conf conf = { .nr_keys = NSTTEST_KEYS };
	uint8_t plain[RECORD_LEN] = { 0 };
	uint64_t begin = peer_now();
	struct conn *c;
	size_t i, n;

	/* On a slow machine less often: a test has 30 seconds. */
	for (i = 0; i < 400 && peer_now() - begin < 15000000000ull; i++) {
		conf.cipher_id = 1 + i % PEER_SUITES;
		conf.flags = below(3) ? 0 : NST_F_STRICT;
		c = conn_open(_metadata, i % 2 ? AF_INET : AF_INET6,
			      below(2) * 3000, &conf);
		for (n = below(5); n; n--)
			conn_add(c, below(6) ? PEER_DATA : 16, plain,
				 below(RECORD_LEN));
		if (!below(3))
			conn_add(c, PEER_CLOSE, NULL, 0);
		if (c->len && !below(3))
			flip_bit(c->out, &c->len);
		if (c->len && !below(3))
			cut_off(c->out, &c->len);
		if (!below(2))
			act(c, &conf);
		send(c->raw, c->out, c->len, MSG_DONTWAIT | MSG_NOSIGNAL);
		for (n = below(4); n; n--)
			act(c, &conf);
		if (!below(3))
			reset_at_close(c->raw);
		if (below(2)) {
			close(c->raw);
			c->raw = -1;
			act(c, &conf);
		}
		conn_close(c);
	}
}

TEST_HARNESS_MAIN
