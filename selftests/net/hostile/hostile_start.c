// SPDX-License-Identifier: GPL-2.0
/*
 * START records that are replayed, reflected or stale, and strict mode.
 */
#include <sys/wait.h>

#include "hostile.h"

#define SECOND	1000000000ull
#define YEAR	(365 * 86400 * SECOND)

#define CONF(cipher, what) {						\
	.cipher_id = cipher, .nr_keys = NSTTEST_KEYS, .flags = what	\
}

static const struct nsttest_conf plain = CONF(NST_CIPHER_AES_GCM, 0);
static const struct nsttest_conf responder =
	CONF(NST_CIPHER_AES_GCM, NST_F_RESPONDER);

FIXTURE(start)
{
	struct conn *c;
	struct conn *d;
	uint8_t plain[PEER_RECORD_MAX];
	uint8_t saved[PEER_RECORD_MAX];
	size_t saved_len;
};

FIXTURE_VARIANT(start)
{
	int family;
};

FIXTURE_VARIANT_ADD(start, ipv4) { .family = AF_INET };
FIXTURE_VARIANT_ADD(start, ipv6) { .family = AF_INET6 };

FIXTURE_SETUP(start)
{
	self->c = NULL;
	self->d = NULL;
}

FIXTURE_TEARDOWN(start)
{
	conn_close(self->c);
	conn_close(self->d);
}

#define OPEN(conf)	conn_open(_metadata, variant->family, 0, conf)

/* A good START with GOOD on @c; its bytes are kept. */
static void save_start(struct __test_metadata *_metadata,
		       FIXTURE_DATA(start) *self)
{
	conn_add(self->c, PEER_DATA, GOOD, GOOD_LEN);
	memcpy(self->saved, self->c->out, self->c->len);
	self->saved_len = self->c->len;
	conn_flush(_metadata, self->c, self->c->len);
}

static void replay_saved(struct __test_metadata *_metadata,
			 FIXTURE_DATA(start) *self)
{
	ASSERT_EQ(0, peer_write(self->d->raw, self->saved, self->saved_len));
}

/* --- replay --------------------------------------------------------------- */

TEST_F(start, replayed)
{
	self->c = OPEN(&responder);
	save_start(_metadata, self);
	expect_data(_metadata, self->c, GOOD);
	self->d = OPEN(&responder);
	replay_saved(_metadata, self);
	expect_fatal(_metadata, self->d, EKEYREJECTED, "NstRxReplayed");
	/* The connection that it belongs to goes on. */
	ASSERT_EQ(0, peer_send(&self->c->p, PEER_DATA, GOOD, GOOD_LEN));
	expect_data(_metadata, self->c, GOOD);
}

/*
 * Waits until the kernel has judged a START. poll() tells of it as soon as it has
 * come, which is before.
 */
static int wait_judged(int fd)
{
	struct nst_info info;
	socklen_t len = sizeof(info);
	int i;

	for (i = 0; i < NSTTEST_TIMEOUT * 100; i++) {
		if (getsockopt(fd, SOL_NST, NST_INFO, &info, &len))
			return -errno;
		if (info.rx.started)
			return 0;
		usleep(10000);
	}
	return -ETIMEDOUT;
}

/* It was judged when it came in, not when the application read it. */
TEST_F(start, replayed_before_first_is_read)
{
	self->c = OPEN(&responder);
	save_start(_metadata, self);
	ASSERT_EQ(0, wait_judged(self->c->k));
	self->d = OPEN(&responder);
	replay_saved(_metadata, self);
	expect_fatal(_metadata, self->d, EKEYREJECTED, "NstRxReplayed");
	expect_data(_metadata, self->c, GOOD);
}

/* Also after the first connection has gone. */
TEST_F(start, replayed_after_close)
{
	self->c = OPEN(&responder);
	save_start(_metadata, self);
	expect_data(_metadata, self->c, GOOD);
	close(self->c->k);
	self->c->k = -1;
	self->d = OPEN(&responder);
	replay_saved(_metadata, self);
	expect_fatal(_metadata, self->d, EKEYREJECTED, "NstRxReplayed");
}

/* Both copies are there but for a byte, which then comes to both. */
TEST_F(start, replayed_at_once)
{
	char a[64], b[64];
	ssize_t n, m;
	pid_t pid;
	int status;

	self->c = OPEN(&responder);
	self->d = OPEN(&responder);
	self->saved_len = peer_append(&self->c->p, PEER_DATA, GOOD, GOOD_LEN,
				      self->saved) - 1;
	ASSERT_EQ(0, peer_write(self->c->raw, self->saved, self->saved_len));
	ASSERT_EQ(0, peer_write(self->d->raw, self->saved, self->saved_len));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(peer_write(self->c->raw,
				 self->saved + self->saved_len, 1) ? 1 : 0);
	ASSERT_EQ(0, peer_write(self->d->raw, self->saved + self->saved_len,
				1));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	n = recv(self->c->k, a, sizeof(a), 0);
	m = recv(self->d->k, b, sizeof(b), 0);
	EXPECT_EQ(GOOD_LEN - 1, n + m);
	expect_counted(_metadata, self->c, "NstRxReplayed");
}

/* Two empty kinds of START leave their trace as well. */
TEST_F(start, replayed_close)
{
	char byte;

	self->c = OPEN(&responder);
	conn_add(self->c, PEER_CLOSE, NULL, 0);
	memcpy(self->saved, self->c->out, self->c->len);
	self->saved_len = self->c->len;
	conn_flush(_metadata, self->c, self->c->len);
	EXPECT_EQ(0, recv(self->c->k, &byte, 1, 0));
	self->d = OPEN(&responder);
	replay_saved(_metadata, self);
	expect_fatal(_metadata, self->d, EKEYREJECTED, "NstRxReplayed");
}

/* A START that was not authentic is not remembered. */
TEST_F(start, forged_does_not_block_the_real_one)
{
	self->c = OPEN(&responder);
	self->saved_len = peer_append(&self->c->p, PEER_DATA, GOOD, GOOD_LEN,
				      self->saved);
	self->saved[self->saved_len - 1] ^= 1;
	self->d = OPEN(&responder);
	replay_saved(_metadata, self);
	expect_fatal(_metadata, self->d, EBADMSG, "NstRxAuth");
	self->saved[self->saved_len - 1] ^= 1;
	ASSERT_EQ(0, peer_write(self->c->raw, self->saved, self->saved_len));
	expect_data(_metadata, self->c, GOOD);
}

/* Both apply: the tag is judged first. */
TEST_F(start, tag_before_replay)
{
	self->c = OPEN(&responder);
	save_start(_metadata, self);
	expect_data(_metadata, self->c, GOOD);
	self->saved[PEER_TOKEN_OFF] ^= 1;
	self->d = OPEN(&responder);
	replay_saved(_metadata, self);
	expect_fatal(_metadata, self->d, EBADMSG, "NstRxAuth");
}

/* --- another connection's, another service's ------------------------------ */

/* A whole recorded strict stream: its START is taken, the rest is not. */
TEST_F(start, strict_stream_replayed)
{
	const struct nsttest_conf conf =
		CONF(NST_CIPHER_AES_GCM, NST_F_STRICT | NST_F_RESPONDER);
	struct peer_hdr h;

	self->c = OPEN(&conf);
	conn_add(self->c, PEER_STARTREC, NULL, 0);
	conn_flush(_metadata, self->c, self->c->len);
	memcpy(self->saved, self->c->out, PEER_HDR_SIZE);
	ASSERT_EQ(0, peer_recv(&self->c->p, &h, self->plain));
	self->saved_len = PEER_HDR_SIZE;
	self->saved_len += peer_append(&self->c->p, PEER_DATA, GOOD, GOOD_LEN,
				       self->saved + PEER_HDR_SIZE);
	ASSERT_EQ(0, peer_write(self->c->raw, self->saved + PEER_HDR_SIZE,
				self->saved_len - PEER_HDR_SIZE));
	expect_data(_metadata, self->c, GOOD);
	self->d = OPEN(&conf);
	/* Before its own START a bound record would be refused as such. */
	ASSERT_EQ(0, peer_recv(&self->d->p, &h, self->plain));
	replay_saved(_metadata, self);
	expect_fatal(_metadata, self->d, EBADMSG, "NstRxAuth");
}

TEST_F(start, other_context)
{
	struct nsttest_conf conf = responder;

	conf.context = "service.one";
	self->c = OPEN(&conf);
	memcpy(self->c->p.context.bytes, "service.two", 11);
	conn_add(self->c, PEER_DATA, EVIL, EVIL_LEN);
	conn_flush(_metadata, self->c, self->c->len);
	expect_fatal(_metadata, self->c, EBADMSG, "NstRxAuth");
}

TEST_F(start, longer_context)
{
	struct nsttest_conf conf = responder;

	conf.context = "service";
	self->c = OPEN(&conf);
	self->c->p.context.len = 8;
	conn_add(self->c, PEER_DATA, EVIL, EVIL_LEN);
	conn_flush(_metadata, self->c, self->c->len);
	expect_fatal(_metadata, self->c, EBADMSG, "NstRxAuth");
}

/* --- reflection ----------------------------------------------------------- */

/* Takes the kernel's START off the wire, as it is. */
static void save_kernel_start(struct __test_metadata *_metadata,
			      FIXTURE_DATA(start) *self, size_t len)
{
	self->saved_len = PEER_HDR_SIZE + len;
	ASSERT_EQ(self->saved_len, recv(self->c->raw, self->saved,
					self->saved_len, MSG_WAITALL));
}

TEST_F(start, reflected)
{
	self->c = OPEN(&plain);
	ASSERT_EQ(2, send(self->c->k, "k!", 2, 0));
	save_kernel_start(_metadata, self, 2);
	ASSERT_EQ(0, peer_write(self->c->raw, self->saved, self->saved_len));
	expect_fatal(_metadata, self->c, EKEYREJECTED, "NstRxReflected");
}

TEST_F(start, reflected_start_record)
{
	const struct nsttest_conf conf = CONF(NST_CIPHER_AES_GCM,
					      NST_F_STRICT);

	self->c = OPEN(&conf);
	save_kernel_start(_metadata, self, 0);
	ASSERT_EQ(0, peer_write(self->c->raw, self->saved, self->saved_len));
	expect_fatal(_metadata, self->c, EKEYREJECTED, "NstRxReflected");
}

/* With a role, the role is judged first. */
TEST_F(start, reflected_with_role)
{
	self->c = OPEN(&responder);
	ASSERT_EQ(2, send(self->c->k, "k!", 2, 0));
	save_kernel_start(_metadata, self, 2);
	ASSERT_EQ(0, peer_write(self->c->raw, self->saved, self->saved_len));
	expect_fatal(_metadata, self->c, EKEYREJECTED, "NstRxRole");
}

/* One responder's START led to another responder. */
TEST_F(start, crossed_with_role)
{
	self->c = OPEN(&responder);
	ASSERT_EQ(2, send(self->c->k, "k!", 2, 0));
	save_kernel_start(_metadata, self, 2);
	self->d = OPEN(&responder);
	replay_saved(_metadata, self);
	expect_fatal(_metadata, self->d, EKEYREJECTED, "NstRxRole");
}

/* --- time ----------------------------------------------------------------- */

static void emit_start_at(struct __test_metadata *_metadata, struct conn *c,
			  uint64_t timestamp)
{
	struct peer_hdr h;

	peer_prepare(&c->p, &h, PEER_DATA, GOOD_LEN);
	h.timestamp = timestamp;
	conn_emit(_metadata, c, &h, GOOD);
}

TEST_F(start, time_past)
{
	self->c = OPEN(&responder);
	emit_start_at(_metadata, self->c, peer_now() - 40 * SECOND);
	expect_fatal(_metadata, self->c, ESTALE, "NstRxTimePast");
}

TEST_F(start, time_0)
{
	self->c = OPEN(&responder);
	emit_start_at(_metadata, self->c, 0);
	expect_fatal(_metadata, self->c, ESTALE, "NstRxTimePast");
}

TEST_F(start, time_future)
{
	self->c = OPEN(&responder);
	emit_start_at(_metadata, self->c, peer_now() + 40 * SECOND);
	expect_fatal(_metadata, self->c, ESTALE, "NstRxTimeFuture");
}

TEST_F(start, time_last)
{
	self->c = OPEN(&responder);
	emit_start_at(_metadata, self->c, UINT64_MAX);
	expect_fatal(_metadata, self->c, ESTALE, "NstRxTimeFuture");
}

TEST_F(start, time_ahead_within_window)
{
	self->c = OPEN(&responder);
	emit_start_at(_metadata, self->c, peer_now() + 20 * SECOND);
	expect_data(_metadata, self->c, GOOD);
}

/* Both apply: the kid is judged first. */
TEST_F(start, kid_before_time)
{
	struct peer_hdr h;

	self->c = OPEN(&responder);
	peer_prepare(&self->c->p, &h, PEER_DATA, EVIL_LEN);
	h.kid = NSTTEST_KID_UNKNOWN;
	h.timestamp = 0;
	conn_emit(_metadata, self->c, &h, EVIL);
	expect_fatal(_metadata, self->c, ENOKEY, "NstRxNoKid");
}

/* The cache is younger than the START: it may have forgotten it. */
TEST_F(start, cache_younger)
{
	ASSERT_EQ(0, nsttest_netns());
	self->c = OPEN(&responder);
	emit_start_at(_metadata, self->c, peer_now() - 20 * SECOND);
	expect_fatal(_metadata, self->c, ESTALE, "NstRxCacheAge");
}

/* What a full cache has forgotten bounds what it takes. */
TEST_F(start, cache_floor)
{
	uint64_t first;
	int i;

	ASSERT_EQ(0, nsttest_netns());
	ASSERT_EQ(0, nsttest_write_file("/proc/sys/net/nst/start_cache_max",
					"16\n"));
	usleep(50000);
	first = peer_now();
	for (i = 0; i < 20; i++) {
		self->c = OPEN(&responder);
		emit_start_at(_metadata, self->c, peer_now());
		expect_data(_metadata, self->c, GOOD);
		conn_close(self->c);
		self->c = NULL;
	}
	self->c = OPEN(&responder);
	emit_start_at(_metadata, self->c, first);
	expect_fatal(_metadata, self->c, ESTALE, "NstRxCacheFloor");
}

/* @c goes over to the same box but for a bit of each key, as a stranger's. */
static void make_strange(struct __test_metadata *_metadata, struct conn *c)
{
	static struct peer_secret strange[NSTTEST_KEYS];
	struct nsttest_info ti;
	unsigned int i;

	nsttest_fill(&ti, NST_CIPHER_AES_GCM);
	ti.info.flags = responder.flags;
	for (i = 0; i < NSTTEST_KEYS; i++) {
		ti.keys[i].key[5] ^= 0x40;
		strange[i] = nsttest_box[i];
		strange[i].key[5] ^= 0x40;
	}
	ASSERT_EQ(0, setsockopt(c->k, SOL_NST, NST_TX_RX, &ti, sizeof(ti)));
	peer_init(&c->p, c->raw, NST_CIPHER_AES_GCM, strange, NSTTEST_KEYS);
	c->p.role = PEER_F_INITIATOR;
}

/* What comes under one secret raises no floor for another. */
TEST_F(start, floor_of_another_secret)
{
	int i;

	ASSERT_EQ(0, nsttest_netns());
	ASSERT_EQ(0, nsttest_write_file("/proc/sys/net/nst/start_cache_max",
					"16\n"));
	for (i = 0; i < 20; i++) {
		self->c = OPEN(&responder);
		make_strange(_metadata, self->c);
		emit_start_at(_metadata, self->c, peer_now() + 20 * SECOND);
		expect_data(_metadata, self->c, GOOD);
		conn_close(self->c);
		self->c = NULL;
	}
	self->c = OPEN(&responder);
	emit_start_at(_metadata, self->c, peer_now());
	expect_data(_metadata, self->c, GOOD);
	EXPECT_STREQ("", nsttest_grown(&self->c->before));
	/* For the secret itself it has risen. */
	self->d = OPEN(&responder);
	make_strange(_metadata, self->d);
	emit_start_at(_metadata, self->d, peer_now());
	expect_fatal(_metadata, self->d, ESTALE, "NstRxCacheFloor");
}

/* A START that is bound is of this connection, whatever its clock says. */
TEST_F(start, bound_needs_no_clock)
{
	self->c = OPEN(&responder);
	conn_bind(_metadata, self->c);
	emit_start_at(_metadata, self->c, peer_now() - YEAR);
	expect_data(_metadata, self->c, GOOD);
	EXPECT_STREQ("", nsttest_grown(&self->c->before));
}

/* --- strict --------------------------------------------------------------- */

TEST_F(start, start_record_needs_no_clock)
{
	struct peer_hdr h;

	self->c = OPEN(&responder);
	peer_prepare(&self->c->p, &h, PEER_STARTREC, 0);
	h.timestamp = YEAR;
	conn_emit(_metadata, self->c, &h, NULL);
	/* Not strict itself, the kernel answers at once all the same. */
	ASSERT_EQ(0, peer_recv(&self->c->p, &h, self->plain));
	EXPECT_EQ(PEER_STARTREC, h.flags & PEER_F_TYPE);
	EXPECT_NE(0, h.flags & PEER_F_BOUND);
	ASSERT_EQ(0, peer_send(&self->c->p, PEER_DATA, GOOD, GOOD_LEN));
	expect_data(_metadata, self->c, GOOD);
	EXPECT_STREQ("", nsttest_grown(&self->c->before));
}

/* Whoever began with a start record stays bound. */
TEST_F(start, unbound_after_start_record)
{
	struct peer_hdr h;

	self->c = OPEN(&responder);
	conn_add(self->c, PEER_STARTREC, NULL, 0);
	peer_prepare(&self->c->p, &h, PEER_DATA, EVIL_LEN);
	conn_emit(_metadata, self->c, &h, EVIL);
	expect_fatal(_metadata, self->c, EPROTO, "NstRxUnbound");
}

static const struct nsttest_conf strict =
	CONF(NST_CIPHER_AES_GCM, NST_F_STRICT | NST_F_RESPONDER);

TEST_F(start, strict_takes_no_data_start)
{
	self->c = OPEN(&strict);
	conn_add(self->c, PEER_DATA, EVIL, EVIL_LEN);
	conn_flush(_metadata, self->c, self->c->len);
	expect_fatal(_metadata, self->c, EPROTO, "NstRxUnbound");
}

TEST_F(start, strict_takes_no_unbound_close)
{
	self->c = OPEN(&strict);
	conn_add(self->c, PEER_CLOSE, NULL, 0);
	conn_flush(_metadata, self->c, self->c->len);
	expect_fatal(_metadata, self->c, EPROTO, "NstRxUnbound");
}

TEST_F(start, strict_takes_no_unbound_record)
{
	self->c = OPEN(&strict);
	conn_add(self->c, PEER_STARTREC, NULL, 0);
	conn_add(self->c, PEER_DATA, EVIL, EVIL_LEN);
	conn_flush(_metadata, self->c, 1);
	expect_fatal(_metadata, self->c, EPROTO, "NstRxUnbound");
}

/* Without waiting for the application, and nothing but it before binding. */
TEST_F(start, strict_sends_start_record_alone)
{
	struct pollfd pfd = { .events = POLLIN };
	struct peer_hdr h;

	self->c = OPEN(&strict);
	ASSERT_EQ(0, peer_recv(&self->c->p, &h, self->plain));
	EXPECT_EQ(PEER_STARTREC, h.flags & PEER_F_TYPE);
	EXPECT_EQ(0, h.flags & PEER_F_BOUND);
	EXPECT_EQ(-1, send(self->c->k, "k!", 2, MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	pfd.fd = self->c->raw;
	EXPECT_EQ(0, poll(&pfd, 1, 100));

	ASSERT_EQ(0, peer_send(&self->c->p, PEER_DATA, GOOD, GOOD_LEN));
	expect_data(_metadata, self->c, GOOD);
	ASSERT_EQ(2, send(self->c->k, "k!", 2, 0));
	ASSERT_EQ(2, peer_recv(&self->c->p, &h, self->plain));
	EXPECT_NE(0, h.flags & PEER_F_BOUND);
}

/* SO_RCVLOWAT is about what readers wait for, not about the START. */
TEST_F(start, rcvlowat_does_not_hold_start_back)
{
	struct peer_hdr h;
	int low = 20000;

	self->c = OPEN(&strict);
	ASSERT_EQ(0, setsockopt(self->c->k, SOL_SOCKET, SO_RCVLOWAT, &low,
				sizeof(low)));
	ASSERT_EQ(0, peer_recv(&self->c->p, &h, self->plain));
	ASSERT_EQ(0, peer_send(&self->c->p, PEER_STARTREC, NULL, 0));
	ASSERT_EQ(2, send(self->c->k, "k!", 2, 0));
	ASSERT_EQ(2, peer_recv(&self->c->p, &h, self->plain));
	EXPECT_NE(0, h.flags & PEER_F_BOUND);
}

TEST_F(start, strict_close_before_binding_resets)
{
	self->c = OPEN(&strict);
	close(self->c->k);
	self->c->k = -1;
	expect_reset(_metadata, self->c);
}

/* Shut down before it is bound: the close record comes when it is. */
TEST_F(start, strict_shutdown_waits_for_binding)
{
	struct pollfd pfd = { .events = POLLIN };
	struct peer_hdr h;

	self->c = OPEN(&strict);
	ASSERT_EQ(0, peer_recv(&self->c->p, &h, self->plain));
	ASSERT_EQ(0, shutdown(self->c->k, SHUT_WR));
	pfd.fd = self->c->raw;
	EXPECT_EQ(0, poll(&pfd, 1, 100));
	ASSERT_EQ(0, peer_send(&self->c->p, PEER_DATA, GOOD, GOOD_LEN));
	expect_data(_metadata, self->c, GOOD);
	ASSERT_EQ(0, peer_recv(&self->c->p, &h, self->plain));
	EXPECT_EQ(PEER_CLOSE, h.flags & PEER_F_TYPE);
	EXPECT_NE(0, h.flags & PEER_F_BOUND);
	EXPECT_EQ(-EPIPE, peer_recv(&self->c->p, &h, self->plain));
}

TEST_HARNESS_MAIN
