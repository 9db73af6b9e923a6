// SPDX-License-Identifier: GPL-2.0
/*
 * A clock was an hour ahead, long enough for a key's STARTs to be as many as may be, and
 * is set back. (Of datagrams: udp_session_time.)
 */
#include <time.h>

#include "hostile.h"

#define STARTS	16	/* the smallest bound there is */

static const struct nsttest_conf responder = {
	.cipher_id = NST_CIPHER_AES_GCM, .nr_keys = NSTTEST_KEYS,
	.flags = NST_F_RESPONDER,
};

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
	int moved;
	struct conn *c;
	uint8_t start[PEER_RECORD_MAX];
	size_t len;
};

FIXTURE_SETUP(clock)
{
	self->moved = 0;
	self->c = NULL;
	ASSERT_EQ(0, nsttest_netns());
	ASSERT_EQ(0, nsttest_write_file("/proc/sys/net/nst/start_cache_max",
					"16\n"));
}

FIXTURE_TEARDOWN(clock)
{
	if (self->moved)
		move_clock(-self->moved);
	conn_close(self->c);
}

/* A connection of that key whose START is of now; its bytes are kept. */
static struct conn *begin(struct __test_metadata *_metadata,
			  FIXTURE_DATA(clock) *self, uint16_t kid)
{
	struct conn *c = conn_open(_metadata, AF_INET, 0, &responder);

	peer_epoch(&c->p, kid);
	conn_add(c, PEER_DATA, GOOD, GOOD_LEN);
	memcpy(self->start, c->out, c->len);
	self->len = c->len;
	conn_flush(_metadata, c, c->len);
	return c;
}

static void takes(struct __test_metadata *_metadata,
		  FIXTURE_DATA(clock) *self, uint16_t kid)
{
	struct conn *c = begin(_metadata, self, kid);

	expect_data(_metadata, c, GOOD);
	conn_close(c);
}

static void refuses(struct __test_metadata *_metadata,
		    FIXTURE_DATA(clock) *self, const char *cause)
{
	struct conn *c = begin(_metadata, self, NSTTEST_KID);

	expect_fatal(_metadata, c, ESTALE, cause);
	conn_close(c);
}

/* The bytes that were kept, on another connection. */
static void replay(struct __test_metadata *_metadata,
		   FIXTURE_DATA(clock) *self, int err, const char *cause)
{
	struct conn *c = conn_open(_metadata, AF_INET, 0, &responder);

	ASSERT_EQ(0, peer_write(c->raw, self->start, self->len));
	expect_fatal(_metadata, c, err, cause);
	conn_close(c);
}

/*
 * What lives goes on; new connections of that key are refused, and nothing of then is
 * taken again; under another key all is well.
 */
TEST_F(clock, an_hour_ahead_and_back)
{
	int i;

	ASSERT_EQ(0, move_clock(3600));
	self->moved = 3600;
	self->c = begin(_metadata, self, NSTTEST_KID);
	expect_data(_metadata, self->c, GOOD);
	for (i = 0; i < STARTS; i++)
		takes(_metadata, self, NSTTEST_KID);
	ASSERT_EQ(0, move_clock(-3600));
	self->moved = 0;
	replay(_metadata, self, ESTALE, "NstRxTimeFuture");
	ASSERT_EQ(0, peer_send(&self->c->p, PEER_DATA, GOOD, GOOD_LEN));
	expect_data(_metadata, self->c, GOOD);
	for (i = 0; i < 3; i++)
		refuses(_metadata, self, "NstRxCacheFloor");
	/* The way out: another key. */
	for (i = 0; i < 2 * STARTS; i++)
		takes(_metadata, self, NSTTEST_KID_OTHER);
	replay(_metadata, self, EKEYREJECTED, "NstRxReplayed");
}

/* It was ahead for a few connections only, so nothing of that key was forgotten. */
TEST_F(clock, ahead_for_a_moment)
{
	int i;

	ASSERT_EQ(0, move_clock(3600));
	self->moved = 3600;
	takes(_metadata, self, NSTTEST_KID);
	ASSERT_EQ(0, move_clock(-3600));
	self->moved = 0;
	replay(_metadata, self, ESTALE, "NstRxTimeFuture");
	for (i = 0; i < STARTS / 2; i++)
		takes(_metadata, self, NSTTEST_KID);
}

TEST_HARNESS_MAIN
