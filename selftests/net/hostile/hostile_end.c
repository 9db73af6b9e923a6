// SPDX-License-Identifier: GPL-2.0
/*
 * The end of a stream, good and bad, and streams that are odd but allowed:
 * what looks hostile and must be delivered all the same.
 */
#include <sys/wait.h>

#include "hostile.h"

static const struct nsttest_conf responder = {
	.cipher_id = NST_CIPHER_AES_GCM,
	.nr_keys = NSTTEST_KEYS,
	.flags = NST_F_RESPONDER,
};

static void expect_eof(struct __test_metadata *_metadata, struct conn *c)
{
	char byte;

	EXPECT_EQ(0, recv_woken(_metadata, c->k, &byte, 1, 0));
	EXPECT_EQ(0, recv_woken(_metadata, c->k, &byte, 1, 0));
}

/* --- FIN without a close record ------------------------------------------- */

FIXTURE(fin)
{
	struct conn *c;
};

FIXTURE_VARIANT(fin)
{
	int bind;	/* the kernel has sent before */
	int good;	/* a record is complete */
	size_t part;	/* so many bytes of the next one */
};

FIXTURE_VARIANT_ADD(fin, before_first) { };
FIXTURE_VARIANT_ADD(fin, before_first_bound) { .bind = 1 };
FIXTURE_VARIANT_ADD(fin, after_first) { .good = 1 };
FIXTURE_VARIANT_ADD(fin, after_first_bound) { .bind = 1, .good = 1 };
FIXTURE_VARIANT_ADD(fin, inside_first_magic) { .part = 3 };
FIXTURE_VARIANT_ADD(fin, inside_first_header) { .part = 47 };
FIXTURE_VARIANT_ADD(fin, inside_first_body) { .part = 50 };
FIXTURE_VARIANT_ADD(fin, inside_magic) { .good = 1, .part = 1 };
FIXTURE_VARIANT_ADD(fin, inside_header) { .good = 1, .part = 20 };
FIXTURE_VARIANT_ADD(fin, between_header_and_body) { .good = 1, .part = 48 };
FIXTURE_VARIANT_ADD(fin, inside_body) { .bind = 1, .good = 1, .part = 62 };

FIXTURE_SETUP(fin)
{
	self->c = NULL;
}

FIXTURE_TEARDOWN(fin)
{
	conn_close(self->c);
}

/* Receiving has failed; the other direction goes on to its own close. */
static void expect_sending_works(struct __test_metadata *_metadata,
				 struct conn *c)
{
	uint8_t plain[PEER_HDR_SIZE];
	struct peer_hdr h;

	ASSERT_EQ(4, send(c->k, "last", 4, MSG_NOSIGNAL));
	ASSERT_EQ(4, peer_recv(&c->p, &h, plain));
	EXPECT_EQ(0, memcmp(plain, "last", 4));
	ASSERT_EQ(0, shutdown(c->k, SHUT_WR));
	ASSERT_EQ(0, peer_recv(&c->p, &h, plain));
	EXPECT_EQ(PEER_CLOSE, h.flags & PEER_F_TYPE);
	EXPECT_EQ(-EPIPE, peer_recv(&c->p, &h, plain));
}

static void run_fin(struct __test_metadata *_metadata,
		    FIXTURE_DATA(fin) *self,
		    const FIXTURE_VARIANT(fin) *variant, int family)
{
	struct conn *c = conn_open(_metadata, family, 0, &responder);
	size_t whole;

	self->c = c;
	if (variant->bind)
		conn_bind(_metadata, c);
	if (variant->good)
		conn_add(c, PEER_DATA, GOOD, GOOD_LEN);
	whole = c->len;
	conn_add(c, PEER_DATA, EVIL, EVIL_LEN);
	c->len = whole + variant->part;
	conn_flush(_metadata, c, c->len);
	ASSERT_EQ(0, shutdown(c->raw, SHUT_WR));
	if (variant->good)
		expect_data(_metadata, c, GOOD);
	expect_sticky(_metadata, c, ECONNABORTED);
	expect_counted(_metadata, c, "NstRxTruncated");
	expect_sending_works(_metadata, c);
	expect_error(_metadata, c->k, ECONNABORTED);
	expect_counted(_metadata, c, "NstRxTruncated");
}

TEST_F(fin, ipv4)
{
	run_fin(_metadata, self, variant, AF_INET);
}

TEST_F(fin, ipv6)
{
	run_fin(_metadata, self, variant, AF_INET6);
}

/* --- behind the close record ---------------------------------------------- */

FIXTURE(behind)
{
	struct conn *c;
};

FIXTURE_VARIANT(behind)
{
	uint8_t type;
	size_t part;		/* 0: the whole record */
};

FIXTURE_VARIANT_ADD(behind, data_record) { .type = PEER_DATA };
FIXTURE_VARIANT_ADD(behind, control_record) { .type = 16 };
FIXTURE_VARIANT_ADD(behind, close_record) { .type = PEER_CLOSE };
FIXTURE_VARIANT_ADD(behind, one_byte) { .part = 1 };
FIXTURE_VARIANT_ADD(behind, header) { .part = PEER_HDR_SIZE };

FIXTURE_SETUP(behind)
{
	self->c = conn_open(_metadata, AF_INET, 0, &responder);
	conn_add(self->c, PEER_DATA, GOOD, GOOD_LEN);
	conn_add(self->c, PEER_CLOSE, NULL, 0);
}

FIXTURE_TEARDOWN(behind)
{
	conn_close(self->c);
}

static void add_behind(struct conn *c, const FIXTURE_VARIANT(behind) *variant)
{
	size_t before = c->len;

	conn_add(c, variant->type, EVIL,
		 variant->type == PEER_CLOSE ? 0 : EVIL_LEN);
	if (variant->part)
		c->len = before + variant->part;
}

/* The end of file may be seen first; the error must follow. */
static void expect_fatal_after_eof(struct __test_metadata *_metadata,
				   struct conn *c)
{
	int i, ret = 0;
	char byte;

	for (i = 0; i < 200 && !ret; i++) {
		ret = recv(c->k, &byte, 1, 0);
		usleep(ret ? 0 : 10000);
	}
	EXPECT_EQ(-1, ret);
	expect_fatal(_metadata, c, EPROTO, "NstRxAfterClose");
}

TEST_F(behind, together)
{
	add_behind(self->c, variant);
	conn_flush(_metadata, self->c, self->c->len);
	expect_data(_metadata, self->c, GOOD);
	expect_fatal_after_eof(_metadata, self->c);
}

TEST_F(behind, apart)
{
	conn_flush(_metadata, self->c, self->c->len);
	expect_data(_metadata, self->c, GOOD);
	expect_eof(_metadata, self->c);
	add_behind(self->c, variant);
	conn_flush(_metadata, self->c, 1);
	expect_fatal_after_eof(_metadata, self->c);
}

/* --- the clean end -------------------------------------------------------- */

FIXTURE(clean)
{
	struct conn *c;
};

FIXTURE_SETUP(clean)
{
	self->c = conn_open(_metadata, AF_INET6, 0, &responder);
}

FIXTURE_TEARDOWN(clean)
{
	if (self->c)
		EXPECT_STREQ("", nsttest_grown(&self->c->before));
	conn_close(self->c);
}

TEST_F(clean, close_then_fin)
{
	conn_add(self->c, PEER_DATA, GOOD, GOOD_LEN);
	conn_add(self->c, PEER_CLOSE, NULL, 0);
	conn_flush(_metadata, self->c, self->c->len);
	ASSERT_EQ(0, shutdown(self->c->raw, SHUT_WR));
	expect_data(_metadata, self->c, GOOD);
	expect_eof(_metadata, self->c);
	expect_sending_works(_metadata, self->c);
}

TEST_F(clean, close_without_fin)
{
	conn_add(self->c, PEER_DATA, GOOD, GOOD_LEN);
	conn_add(self->c, PEER_CLOSE, NULL, 0);
	conn_flush(_metadata, self->c, 1);
	expect_data(_metadata, self->c, GOOD);
	expect_eof(_metadata, self->c);
	expect_sending_works(_metadata, self->c);
}

TEST_F(clean, close_is_first_record)
{
	conn_add(self->c, PEER_CLOSE, NULL, 0);
	conn_flush(_metadata, self->c, self->c->len);
	ASSERT_EQ(0, shutdown(self->c->raw, SHUT_WR));
	expect_eof(_metadata, self->c);
	expect_sending_works(_metadata, self->c);
}

/* The close record is the end of file; a reset behind it adds nothing. */
TEST_F(clean, close_then_reset)
{
	struct linger now = { .l_onoff = 1 };

	conn_add(self->c, PEER_DATA, GOOD, GOOD_LEN);
	conn_add(self->c, PEER_CLOSE, NULL, 0);
	conn_flush(_metadata, self->c, self->c->len);
	ASSERT_EQ(0, setsockopt(self->c->raw, SOL_SOCKET, SO_LINGER, &now,
				sizeof(now)));
	close(self->c->raw);
	self->c->raw = -1;
	expect_data(_metadata, self->c, GOOD);
	expect_eof(_metadata, self->c);
}

/* A reset in the middle is TCP's error, and no cause of NST's. */
TEST_F(clean, reset_inside_record)
{
	struct linger now = { .l_onoff = 1 };

	conn_add(self->c, PEER_DATA, GOOD, GOOD_LEN);
	conn_add(self->c, PEER_DATA, EVIL, EVIL_LEN);
	self->c->len -= 3;
	conn_flush(_metadata, self->c, self->c->len);
	ASSERT_EQ(0, setsockopt(self->c->raw, SOL_SOCKET, SO_LINGER, &now,
				sizeof(now)));
	close(self->c->raw);
	self->c->raw = -1;
	expect_data(_metadata, self->c, GOOD);
	expect_error(_metadata, self->c->k, ECONNRESET);
}

/*
 * TCP takes an urgent byte out of the stream, so the record around it cannot
 * fit any more. Neither it nor what follows is delivered.
 */
TEST(urgent_byte_inside_record)
{
	struct conn *c = conn_open(_metadata, AF_INET, 0, &responder);
	size_t at = PEER_HDR_SIZE + 4;
	char buf[64];
	ssize_t n;

	conn_add(c, PEER_DATA, EVIL, EVIL_LEN);
	conn_add(c, PEER_DATA, LATE, LATE_LEN);
	ASSERT_EQ(0, peer_write(c->raw, c->out, at));
	ASSERT_EQ(1, send(c->raw, c->out + at, 1, MSG_OOB));
	/* The record may be refused before its rest is out. */
	c->reset = peer_write(c->raw, c->out + at + 1, c->len - at - 1) ==
		   -ECONNRESET;
	n = recv(c->k, buf, EVIL_LEN, MSG_WAITALL);
	if (n > 0) {
		/* Kept in its place, the byte is data like any other. */
		EXPECT_EQ(EVIL_LEN, n);
		EXPECT_EQ(0, memcmp(buf, EVIL, EVIL_LEN));
	} else {
		EXPECT_EQ(-1, n);
		expect_fatal(_metadata, c, EBADMSG, "NstRxAuth");
	}
	conn_close(c);
}

/* --- odd, but allowed ----------------------------------------------------- */

TEST_F(clean, empty_records_are_not_eof)
{
	int i;

	for (i = 0; i < 20; i++)
		conn_add(self->c, PEER_DATA, NULL, 0);
	conn_add(self->c, PEER_DATA, GOOD, GOOD_LEN);
	conn_flush(_metadata, self->c, self->c->len);
	expect_data(_metadata, self->c, GOOD);
}

/* What stands behind an empty record wakes a poller, without more to come. */
TEST_F(clean, empty_record_before_poll)
{
	struct pollfd pfd = { .fd = self->c->k, .events = POLLIN };
	char byte;
	int i;

	for (i = 0; i < 20; i++) {
		conn_add(self->c, PEER_DATA, "a", 1);
		conn_add(self->c, PEER_DATA, NULL, 0);
	}
	conn_flush(_metadata, self->c, self->c->len);
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(1, poll(&pfd, 1, (NSTTEST_TIMEOUT - 2) * 1000)) {
			TH_LOG("record %d", i);
		}
		ASSERT_EQ(1, recv(self->c->k, &byte, 1, MSG_DONTWAIT));
	}
}

/* The counter starts anywhere and wraps. */
TEST_F(clean, nonce_wraps)
{
	self->c->p.tx.nonce = UINT64_MAX - 1;
	conn_add(self->c, PEER_DATA, "a", 1);
	conn_add(self->c, PEER_DATA, "b", 1);
	conn_add(self->c, PEER_DATA, "c", 1);
	conn_add(self->c, PEER_DATA, "d", 1);
	conn_flush(_metadata, self->c, self->c->len);
	expect_data(_metadata, self->c, "abcd");
}

/* Only a START's time is judged. */
TEST_F(clean, time_runs_wild_after_start)
{
	static const uint64_t times[] = { 0, UINT64_MAX, 1, 1ull << 63 };
	struct peer_hdr h;
	size_t i;

	conn_add(self->c, PEER_DATA, "x", 1);
	for (i = 0; i < 4; i++) {
		peer_prepare(&self->c->p, &h, PEER_DATA, 1);
		h.timestamp = times[i];
		conn_add_hdr(self->c, &h, "y", 1, 0);
	}
	conn_flush(_metadata, self->c, self->c->len);
	expect_data(_metadata, self->c, "xyyyy");
}

/* An epoch for each record, under either key, perturbed or not, any suite. */
TEST_F(clean, epoch_per_record)
{
	struct peer_hdr h;
	int i;

	for (i = 0; i < 21; i++) {
		peer_epoch(&self->c->p, nsttest_box[i % 2].kid);
		peer_prepare(&self->c->p, &h, PEER_DATA, 1);
		h.cipher_id = 1 + i % PEER_SUITES;
		h.kpos = i % 5 * 8;
		if (!h.kpos)
			h.kval = 0;
		conn_add_hdr(self->c, &h, "abcdefghijklmnopqrstu" + i, 1, 0);
	}
	conn_flush(_metadata, self->c, self->c->len);
	expect_data(_metadata, self->c, "abcdefghijklmnopqrstu");
}

/* Neither end need say which one it is. */
TEST_F(clean, peer_without_role)
{
	self->c->p.role = 0;
	conn_add(self->c, PEER_DATA, GOOD, GOOD_LEN);
	conn_flush(_metadata, self->c, self->c->len);
	expect_data(_metadata, self->c, GOOD);
	conn_bind(_metadata, self->c);
	conn_add(self->c, PEER_DATA, LATE, LATE_LEN);
	conn_flush(_metadata, self->c, self->c->len);
	expect_data(_metadata, self->c, LATE);
}

/*
 * SO_RCVLOWAT counts what the reader gets: a record that completes it, with
 * what is decrypted already, wakes it, however short that record is.
 */
TEST_F(clean, rcvlowat_counts_what_is_decrypted)
{
	static char buf[30000];
	int low = 20000, status;
	pid_t pid;

	conn_close(self->c);
	self->c = conn_open_mss(_metadata, AF_INET, 0, 1400, &responder);
	ASSERT_EQ(0, setsockopt(self->c->k, SOL_SOCKET, SO_RCVLOWAT, &low,
				sizeof(low)));
	ASSERT_EQ(0, peer_send(&self->c->p, PEER_DATA, buf, 30000));
	ASSERT_EQ(low, recv(self->c->k, buf, low, 0));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		usleep(200000);
		_exit(peer_send(&self->c->p, PEER_DATA, buf, 10000) ? 1 : 0);
	}
	EXPECT_EQ(low, recv_woken(_metadata, self->c->k, buf, low, 0));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

/* --- every suite: sizes, both directions, small buffers ------------------- */

FIXTURE(suite)
{
	struct conn *c;
};

FIXTURE_VARIANT(suite)
{
	uint8_t cipher_id;
	int family;
};

#define SUITE(name, id, fam)						\
FIXTURE_VARIANT_ADD(suite, name) { .cipher_id = id, .family = fam }

SUITE(aes_gcm, NST_CIPHER_AES_GCM, AF_INET6);
SUITE(aes_cbc, NST_CIPHER_AES_CBC, AF_INET);
SUITE(sm4_gcm, NST_CIPHER_SM4_GCM, AF_INET);
SUITE(sm4_cbc, NST_CIPHER_SM4_CBC, AF_INET6);
SUITE(aes_256_gcm, NST_CIPHER_AES_256_GCM, AF_INET);
SUITE(aes_256_cbc, NST_CIPHER_AES_256_CBC, AF_INET6);
SUITE(chacha20, NST_CIPHER_CHACHA20_POLY1305, AF_INET);

FIXTURE_SETUP(suite)
{
	self->c = NULL;
}

FIXTURE_TEARDOWN(suite)
{
	if (self->c)
		EXPECT_STREQ("", nsttest_grown(&self->c->before));
	conn_close(self->c);
}

static struct conn *suite_open(struct __test_metadata *_metadata,
			       const FIXTURE_VARIANT(suite) *variant,
			       int rcvbuf, int mss, const char *context)
{
	struct nsttest_conf conf = responder;

	conf.cipher_id = variant->cipher_id;
	conf.context = context;
	return conn_open_mss(_metadata, variant->family, rcvbuf, mss, &conf);
}

static uint8_t pattern(size_t at)
{
	return at * 31 + (at >> 8);
}

/* Blocks in recv(), or sleeps in poll() and never blocks in recv(). */
enum reader { BLOCKS, POLLS };

static ssize_t read_as(struct __test_metadata *_metadata, struct conn *c,
		       enum reader reader, void *buf, size_t len)
{
	struct pollfd pfd = { .fd = c->k, .events = POLLIN };

	if (reader == BLOCKS)
		return recv_woken(_metadata, c->k, buf, len, 0);
	if (poll(&pfd, 1, (NSTTEST_TIMEOUT - 2) * 1000) != 1)
		return -1;
	return recv(c->k, buf, len, MSG_DONTWAIT);
}

/* Reads @len bytes in pieces of odd sizes; they follow pattern(@from). */
static void expect_pattern(struct __test_metadata *_metadata, struct conn *c,
			   enum reader reader, size_t from, size_t len)
{
	static const size_t sizes[] = { 1, 15, 4096, 333, 20000 };
	uint8_t buf[20000];
	size_t at = 0, want;
	unsigned int i = 0;
	ssize_t n, j;

	while (at < len) {
		want = sizes[i++ % 5];
		if (want > len - at)
			want = len - at;
		n = read_as(_metadata, c, reader, buf, want);
		ASSERT_LT(0, n) {
			TH_LOG("errno %d after %zu bytes", errno, at);
		}
		for (j = 0; j < n; j++, at++)
			ASSERT_EQ(pattern(from + at), buf[j]);
	}
}

/* The kernel's answer of @len bytes, in records as it likes. */
static void expect_answer(struct __test_metadata *_metadata, struct conn *c,
			  const uint8_t *want, size_t len)
{
	uint8_t *plain = malloc(PEER_RECORD_MAX);
	struct peer_hdr h;
	size_t at = 0;
	int n;

	ASSERT_NE(NULL, plain);
	ASSERT_EQ(len, send(c->k, want, len, 0));
	while (at < len) {
		n = peer_recv(&c->p, &h, plain);
		ASSERT_LT(0, n);
		ASSERT_LE(at + n, len);
		EXPECT_EQ(c->p.cipher_id, h.cipher_id);
		EXPECT_EQ(PEER_F_RESPONDER, h.flags & PEER_F_ROLES);
		ASSERT_EQ(0, memcmp(plain, want + at, n));
		at += n;
	}
	free(plain);
}

TEST_F(suite, sizes_both_ways)
{
	static const size_t sizes[] = { 1, 15, 16, 17, 31, 4080, 4096, 16384,
					65520, 65535 };
	uint8_t buf[PEER_PLAIN_MAX];
	struct peer_hdr h;
	struct conn *c;
	size_t i;

	for (i = 0; i < sizeof(buf); i++)
		buf[i] = pattern(i);
	self->c = c = suite_open(_metadata, variant, 0, 0, "suite.example:7");
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		ASSERT_EQ(0, peer_send(&c->p, PEER_DATA, buf, sizes[i]));
		expect_pattern(_metadata, c, BLOCKS, 0, sizes[i]);
		expect_answer(_metadata, c, buf, sizes[i]);
	}
	ASSERT_EQ(0, peer_send(&c->p, PEER_CLOSE, NULL, 0));
	expect_eof(_metadata, c);
	ASSERT_EQ(0, shutdown(c->k, SHUT_WR));
	ASSERT_EQ(0, peer_recv(&c->p, &h, buf));
	EXPECT_EQ(PEER_CLOSE, h.flags & PEER_F_TYPE);
}

/*
 * Two records of the largest size, each many times the receive buffer. The
 * first @slow bytes go out one by one, what follows in short segments.
 */
static void run_small_buffer(struct __test_metadata *_metadata,
			     struct conn *c, enum reader how, size_t slow,
			     size_t chunk)
{
	uint8_t *buf = malloc(2 * PEER_PLAIN_MAX);
	int status, ret;
	pid_t pid;
	size_t i;

	ASSERT_NE(NULL, buf);
	for (i = 0; i < 2 * PEER_PLAIN_MAX; i++)
		buf[i] = pattern(i);
	conn_add(c, PEER_DATA, buf, PEER_PLAIN_MAX);
	conn_add(c, PEER_DATA, buf + PEER_PLAIN_MAX, PEER_PLAIN_MAX);
	conn_add(c, PEER_CLOSE, NULL, 0);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		ret = peer_write_chunks(c->raw, c->out, slow, 1);
		if (!ret)
			ret = peer_write_chunks(c->raw, c->out + slow,
						c->len - slow, chunk);
		_exit(ret ? 1 : 0);
	}
	expect_pattern(_metadata, c, how, 0, 2 * PEER_PLAIN_MAX);
	expect_eof(_metadata, c);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	free(buf);
}

TEST_F(suite, small_buffer)
{
	self->c = suite_open(_metadata, variant, 1, 0, NULL);
	run_small_buffer(_metadata, self->c, BLOCKS, 0,
			 PEER_RECORD_MAX);
}

TEST_F(suite, small_buffer_short_segments)
{
	self->c = suite_open(_metadata, variant, 1, 0, NULL);
	run_small_buffer(_metadata, self->c, BLOCKS, 600, 499);
}

/* As on a real network, where many segments make a record. */
TEST_F(suite, small_buffer_small_mss)
{
	self->c = suite_open(_metadata, variant, 6000, 1200, NULL);
	run_small_buffer(_metadata, self->c, BLOCKS, 0,
			 PEER_RECORD_MAX);
}

TEST_F(suite, small_buffer_polled)
{
	self->c = suite_open(_metadata, variant, 6000, 1200, NULL);
	run_small_buffer(_metadata, self->c, POLLS, 0, PEER_RECORD_MAX);
}

TEST_F(suite, smallest_buffer_polled)
{
	self->c = suite_open(_metadata, variant, 1, 0, NULL);
	run_small_buffer(_metadata, self->c, POLLS, 200, 3000);
}

TEST_F(suite, large_buffer_small_mss)
{
	self->c = suite_open(_metadata, variant, 0, 536, NULL);
	run_small_buffer(_metadata, self->c, BLOCKS, 0,
			 PEER_RECORD_MAX);
}

TEST_HARNESS_MAIN
