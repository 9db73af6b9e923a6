// SPDX-License-Identifier: GPL-2.0
/*
 * How old a datagram may be: the window of time, the age of the table of
 * sessions, the floor that a full table leaves behind, and what becomes of
 * sessions that end.
 */
#include <time.h>

#include "udp_hostile.h"

#define WINDOW		2	/* seconds, where a test waits for its end */
#define SESSIONS	16	/* the least that the sysctl takes */

FIXTURE(time)
{
	struct udpend *e;
	struct udpend_conf conf;
	struct dgram d;
	struct dgram first;
};

FIXTURE_VARIANT(time)
{
	struct udpend_conf conf;
};

UDPEND_V(time, ipv4, NST_CIPHER_AES_GCM, AF_INET, false);
UDPEND_V(time, ipv6_private, NST_CIPHER_AES_CBC, AF_INET6, true);
UDPEND_V(time, ipv6, NST_CIPHER_SM4_GCM, AF_INET6, false);
UDPEND_V(time, ipv4_private, NST_CIPHER_CHACHA20_POLY1305, AF_INET, true);

FIXTURE_SETUP(time)
{
	self->conf = variant->conf;
	self->e = NULL;
}

FIXTURE_TEARDOWN(time)
{
	end_close(self->e);
}

/* --- the window ----------------------------------------------------------- */

/* A datagram of timestamp @timestamp, with @u's next nonce. */
static void make_time(struct udppeer *u, struct dgram *d, uint64_t timestamp)
{
	make_at(u, d, u->nonce++, timestamp);
}

TEST_F(time, past_and_future)
{
	struct udpend *e = end_live(_metadata, &self->conf);
	uint64_t now = peer_now();

	self->e = e;
	make_time(&e->p, &self->d, now - 40 * SECOND);
	refuse(_metadata, e, &self->d, "NstRxTimePast");
	make_time(&e->p, &self->d, 0);
	refuse(_metadata, e, &self->d, "NstRxTimePast");
	make_time(&e->p, &self->d, 1);
	refuse(_metadata, e, &self->d, "NstRxTimePast");
	make_time(&e->p, &self->d, now + 3600 * SECOND);
	refuse(_metadata, e, &self->d, "NstRxTimeFuture");
	make_time(&e->p, &self->d, 1ull << 63);
	refuse(_metadata, e, &self->d, "NstRxTimeFuture");
	make_time(&e->p, &self->d, UINT64_MAX);
	refuse(_metadata, e, &self->d, "NstRxTimeFuture");
	expect_unharmed(_metadata, e);
}

/* As the first datagram of a session, too: before a key is derived. */
TEST_F(time, of_a_stranger)
{
	struct udpend *e = end_live(_metadata, &self->conf);
	int64_t derived = nsttest_stat("NstUdpDerived");
	struct udppeer u;

	self->e = e;
	EXPECT_LE(2, derived);
	udppeer_init(&u, variant->conf.cipher_id, &udpend_box[0], NULL);
	make_time(&u, &self->d, peer_now() - 40 * SECOND);
	refuse(_metadata, e, &self->d, "NstRxTimePast");
	make_time(&u, &self->d, peer_now() + 3600 * SECOND);
	refuse(_metadata, e, &self->d, "NstRxTimeFuture");
	EXPECT_EQ(derived, nsttest_stat("NstUdpDerived"));
	EXPECT_EQ(2, nsttest_stat("NstUdpSessions"));
	expect_unharmed(_metadata, e);
}

/* Sends it; was it taken, or counted as refused? */
static bool is_taken(struct __test_metadata *_metadata, struct udpend *e,
		     const struct dgram *d)
{
	uint64_t end = peer_now() + NSTTEST_TIMEOUT * SECOND;
	uint8_t buf[2048];

	ASSERT_EQ(0, nsttest_counters(&e->before));
	e->sent = peer_now();
	ASSERT_EQ(0, udpend_send(e->raw, &e->to, d->b, d->len));
	while (peer_now() < end) {
		if (recv(e->k, buf, sizeof(buf), MSG_DONTWAIT) >= 0)
			return true;
		if (*nsttest_grown(&e->before))
			return false;
		usleep(500);
	}
	EXPECT_GT(end, peer_now());
	return false;
}

/*
 * The edges, to the nanosecond where that can be told: the receiver reads its
 * clock after this end did, and no later than the counters say so.
 */
TEST_F(time, edge_of_past)
{
	struct udpend *e;
	uint64_t margin, begin;

	self->conf.window = WINDOW;
	e = end_live(_metadata, &self->conf);
	self->e = e;
	usleep((WINDOW + 1) * 1000000);
	make_time(&e->p, &self->d, peer_now() - WINDOW * SECOND - 1);
	refuse(_metadata, e, &self->d, "NstRxTimePast");
	/*
	 * By the same clock not outside, or so little inside that it may be
	 * outside when it is judged: then, and only then, it is refused.
	 */
	for (margin = SECOND / 100;; margin *= 2) {
		begin = peer_now();
		make_time(&e->p, &self->d, begin - WINDOW * SECOND + margin);
		if (is_taken(_metadata, e, &self->d))
			break;
		EXPECT_TRUE(udpend_is(nsttest_grown(&e->before),
				      "NstRxTimePast"));
		ASSERT_LE(margin, peer_now() - begin);
	}
	expect_unharmed(_metadata, e);
}

TEST_F(time, edge_of_future)
{
	struct udpend *e;
	uint64_t margin, begin;

	self->conf.window = WINDOW;
	e = end_live(_metadata, &self->conf);
	self->e = e;
	/* Less than the window by the receiver's clock, which goes on. */
	make_time(&e->p, &self->d, peer_now() + WINDOW * SECOND);
	take(_metadata, e, &self->d);
	for (margin = SECOND / 100;; margin *= 2) {
		begin = peer_now();
		make_time(&e->p, &self->d, begin + WINDOW * SECOND + margin);
		if (!is_taken(_metadata, e, &self->d))
			break;
		/* It took so long that it was in the window by then. */
		ASSERT_LE(margin, peer_now() - begin);
	}
	EXPECT_TRUE(udpend_is(udpend_grown(&e->before), "NstRxTimeFuture"));
}

/* The sysctl acts on the next datagram. */
TEST_F(time, window_widened)
{
	struct udpend *e;

	self->conf.window = WINDOW;
	e = end_live(_metadata, &self->conf);
	self->e = e;
	make_time(&e->p, &self->d, peer_now() + 60 * SECOND);
	refuse(_metadata, e, &self->d, "NstRxTimeFuture");
	ASSERT_EQ(0, udpend_sysctl("timestamp_window", 3600));
	take(_metadata, e, &self->d);
}

/* --- the table's age ------------------------------------------------------ */

TEST_F(time, older_than_the_table)
{
	struct udpend *e = end_live(_metadata, &self->conf);
	struct udppeer u;

	self->e = e;
	make_time(&e->p, &self->d, e->born[0] - 1);
	refuse(_metadata, e, &self->d, "NstRxCacheAge");
	make_time(&e->p, &self->d, peer_now() - 20 * SECOND);
	refuse(_metadata, e, &self->d, "NstRxCacheAge");
	udppeer_init(&u, variant->conf.cipher_id, &udpend_box[0], NULL);
	make_time(&u, &self->d, peer_now() - 20 * SECOND);
	refuse(_metadata, e, &self->d, "NstRxCacheAge");
	make_time(&e->p, &self->d, e->born[1]);
	take(_metadata, e, &self->d);
	expect_unharmed(_metadata, e);
}

/* --- the end of a session ------------------------------------------------- */

TEST_F(time, forgotten_after_the_window)
{
	struct udpend *e;

	self->conf.window = WINDOW;
	e = end_live(_metadata, &self->conf);
	self->e = e;
	make(&e->p, &self->first);
	take(_metadata, e, &self->first);
	EXPECT_EQ(2, nsttest_stat("NstUdpSessions"));
	usleep((WINDOW + 1) * 1000000);
	refuse(_metadata, e, &self->first, "NstRxTimePast");
	/* Whoever comes next finds the table empty but for itself. */
	udppeer_epoch(&e->p);
	take_next(_metadata, e, &e->p);
	EXPECT_EQ(1, udpend_stat_wait("NstUdpSessions", 1));
	/* The window is set to what it was: they are gone for good. */
	ASSERT_EQ(0, udpend_sysctl("timestamp_window", 30));
	refuse(_metadata, e, &self->first,
	       "NstRxReplayed|NstRxCacheFloor|NstRxCacheAge");
	expect_unharmed(_metadata, e);
}

/* A session whose sender is ahead lives until its time has come and gone. */
TEST_F(time, sender_ahead)
{
	struct udpend *e;

	self->conf.window = WINDOW;
	e = end_live(_metadata, &self->conf);
	self->e = e;
	make_time(&e->p, &self->d, peer_now() + WINDOW * SECOND);
	take(_metadata, e, &self->d);
	usleep(WINDOW * 1000000);
	/* Not a replay that a forgotten session would let in. */
	refuse(_metadata, e, &self->d, "NstRxReplayed|NstRxTimePast");
	usleep((WINDOW + 1) * 1000000);
	refuse(_metadata, e, &self->d, "NstRxTimePast");
	expect_unharmed(_metadata, e);
}

/* --- the floor ------------------------------------------------------------ */

/* Both peers seal under one secret: its sessions are bounded, and its floor rises. */
static struct udpend *end_of_one_secret(struct __test_metadata *_metadata,
					const struct udpend_conf *conf)
{
	struct udpend *e = end_open(_metadata, conf);

	udppeer_init(&e->other, conf->cipher_id, &udpend_box[0], NULL);
	return e;
}

/* @nr more sessions, one datagram each, sealed now. */
static void crowd(struct __test_metadata *_metadata, struct udpend *e, int nr)
{
	struct udppeer u = e->other;
	int i;

	for (i = 0; i < nr; i++) {
		udppeer_epoch(&u);
		take_next(_metadata, e, &u);
	}
}

TEST_F(time, full_table_leaves_a_floor)
{
	struct udpend *e;
	uint64_t old;

	self->conf.sessions = SESSIONS;
	e = end_of_one_secret(_metadata, &self->conf);
	self->e = e;
	old = peer_now();
	make(&e->p, &self->first);
	take(_metadata, e, &self->first);
	crowd(_metadata, e, SESSIONS - 1);
	EXPECT_EQ(SESSIONS, nsttest_stat("NstUdpSessions"));
	refuse(_metadata, e, &self->first, "NstRxReplayed");
	/* The one that pushes the first one out. */
	crowd(_metadata, e, 1);
	EXPECT_EQ(SESSIONS, nsttest_stat("NstUdpSessions"));
	refuse(_metadata, e, &self->first, "NstRxCacheFloor");
	/* And nothing of another session that is not above it. */
	make_time(&e->other, &self->d, old);
	refuse(_metadata, e, &self->d, "NstRxCacheFloor");
	/* Above it the forgotten one comes to life again. */
	take_next(_metadata, e, &e->p);
	take_next(_metadata, e, &e->other);
	EXPECT_EQ(SESSIONS, nsttest_stat("NstUdpSessions"));
	refuse(_metadata, e, &self->first, "NstRxCacheFloor");
}

/* Many more: the table has its size, none of the forgotten comes back. */
TEST_F(time, overrun_table)
{
	static struct dgram all[3 * SESSIONS];
	struct udpend *e;
	struct udppeer u;
	int i;

	self->conf.sessions = SESSIONS;
	e = end_of_one_secret(_metadata, &self->conf);
	self->e = e;
	u = e->p;
	for (i = 0; i < 3 * SESSIONS; i++) {
		udppeer_epoch(&u);
		make(&u, &all[i]);
		take(_metadata, e, &all[i]);
		EXPECT_GE(SESSIONS, nsttest_stat("NstUdpSessions"));
	}
	for (i = 0; i < 2 * SESSIONS; i++)
		refuse(_metadata, e, &all[i], "NstRxCacheFloor");
	for (; i < 3 * SESSIONS; i++)
		refuse(_metadata, e, &all[i], "NstRxReplayed");
	expect_unharmed(_metadata, e);
}

/* A session born above a floor takes nothing that is not above it. */
TEST_F(time, floor_of_birth)
{
	struct udpend *e;
	uint64_t early, base;
	struct udppeer u;

	self->conf.sessions = SESSIONS;
	e = end_of_one_secret(_metadata, &self->conf);
	self->e = e;
	early = peer_now();
	crowd(_metadata, e, SESSIONS + 4);
	u = e->p;
	base = u.nonce;
	make_at(&u, &self->d, base + 10, peer_now());
	take(_metadata, e, &self->d);
	/* In the window and never seen, but sealed before that. */
	make_at(&u, &self->d, base + 5, early);
	refuse(_metadata, e, &self->d, "NstRxCacheFloor");
	make_at(&u, &self->d, base + 5, peer_now());
	take(_metadata, e, &self->d);
}

/* One that was born before the floor rose takes what came late. */
TEST_F(time, late_for_an_old_session)
{
	struct udpend *e;
	struct udppeer u;

	self->conf.sessions = SESSIONS;
	e = end_of_one_secret(_metadata, &self->conf);
	self->e = e;
	take_next(_metadata, e, &e->p);
	make(&e->p, &self->first);
	u = e->p;
	udppeer_epoch(&u);
	make(&u, &self->d);
	/* Held up, while others come and go; the session stays fresh. */
	crowd(_metadata, e, SESSIONS - 1);
	take_next(_metadata, e, &e->p);
	crowd(_metadata, e, SESSIONS - 1);
	take_next(_metadata, e, &e->p);
	refuse(_metadata, e, &self->d, "NstRxCacheFloor");
	take(_metadata, e, &self->first);
	refuse(_metadata, e, &self->first, "NstRxReplayed");
}

/* The limit lowered: the oldest go, and leave their floor. */
TEST_F(time, limit_lowered)
{
	struct udpend *e = end_of_one_secret(_metadata, &self->conf);

	self->e = e;
	make(&e->p, &self->first);
	take(_metadata, e, &self->first);
	crowd(_metadata, e, 2 * SESSIONS);
	EXPECT_EQ(2 * SESSIONS + 1, nsttest_stat("NstUdpSessions"));
	ASSERT_EQ(0, udpend_sysctl("udp_sessions_max", SESSIONS));
	/* Not all at once, but more go than come. */
	crowd(_metadata, e, 2 * SESSIONS);
	EXPECT_EQ(SESSIONS, nsttest_stat("NstUdpSessions"));
	refuse(_metadata, e, &self->first, "NstRxCacheFloor");
	expect_unharmed(_metadata, e);
}

/* Nobody's forged datagrams push a session out. */
TEST_F(time, forged_sessions_forget_nothing)
{
	struct udpend *e;
	struct udppeer u;
	int i;

	self->conf.sessions = SESSIONS;
	e = end_live(_metadata, &self->conf);
	self->e = e;
	u = e->p;
	for (i = 0; i < 2 * SESSIONS; i++) {
		udppeer_epoch(&u);
		make(&u, &self->d);
		self->d.b[PEER_TOKEN_OFF + 15] ^= 1;
		refuse(_metadata, e, &self->d, "NstRxAuth");
		EXPECT_EQ(2, nsttest_stat("NstUdpSessions"));
	}
	expect_unharmed(_metadata, e);
}

/* --- a clock that is set --------------------------------------------------- */

/* Moves the clock by @seconds; the guest is this program's alone. */
static int move_clock(int seconds)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_REALTIME, &ts))
		return -errno;
	ts.tv_sec += seconds;
	return clock_settime(CLOCK_REALTIME, &ts) ? -errno : 0;
}

FIXTURE(clock)
{
	struct udpend *e;
	int moved;
	struct dgram d;
};

FIXTURE_SETUP(clock)
{
	const struct udpend_conf conf = {
		.family = AF_INET, .cipher_id = NST_CIPHER_AES_GCM,
		.sessions = SESSIONS,
	};

	self->moved = 0;
	self->e = end_open(_metadata, &conf);
}

FIXTURE_TEARDOWN(clock)
{
	if (self->moved)
		move_clock(-self->moved);
	end_close(self->e);
}

/*
 * It was an hour ahead, long enough for a key's sessions to be as many as there may
 * be, and is set back. What lives goes on; new sessions of that key are refused, and
 * nothing of then is taken again; under another key all is well.
 */
TEST_F(clock, an_hour_ahead_and_back)
{
	struct udpend *e = self->e;
	struct dgram ahead;
	int i;

	ASSERT_EQ(0, move_clock(3600));
	self->moved = 3600;
	for (i = 0; i < SESSIONS; i++) {
		udppeer_epoch(&e->p);
		make(&e->p, &ahead);
		take_at(_metadata, e, e->raw, e->k, &e->to, &ahead);
	}
	EXPECT_EQ(SESSIONS, nsttest_stat("NstUdpSessions"));
	ASSERT_EQ(0, move_clock(-3600));
	self->moved = 0;
	make(&e->p, &self->d);
	take_at(_metadata, e, e->raw, e->k, &e->to, &self->d);
	refuse(_metadata, e, &ahead, "NstRxTimeFuture");
	for (i = 0; i < 3; i++) {
		udppeer_epoch(&e->p);
		make(&e->p, &self->d);
		refuse(_metadata, e, &self->d, "NstRxSessionFull");
	}
	/* The way out: other keys. */
	for (i = 0; i < 2 * SESSIONS; i++) {
		udppeer_epoch(&e->other);
		make(&e->other, &self->d);
		take_at(_metadata, e, e->raw, e->k, &e->to, &self->d);
	}
}

TEST_HARNESS_MAIN
