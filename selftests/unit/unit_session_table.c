// SPDX-License-Identifier: GPL-2.0
/* Sessions of a memory are bounded, and nothing that was forgotten comes again. */
#include "core/keyring.h"
#include "core/memory.h"
#include "receiver.h"

#define LIMIT	NST_SESSIONS_MIN

static void begin_small(void)
{
	receiver_begin(AGE);
	nn.udp_sessions_max = LIMIT;
}

TEST(nst_sessions_add__full_table_forgets_the_oldest)
{
	u64 now = shim_real_ns - SEC;
	unsigned int i;

	begin_small();
	for (i = 0; i < LIMIT; i++)
		CHECK_EQ(try(i, NONCE, now + i), NST_OK);
	CHECK_EQ(known(), LIMIT);
	CHECK_EQ(floor_of_7(), 0);
	CHECK_EQ(try(LIMIT, NONCE, now + LIMIT), NST_OK);
	CHECK_EQ(known(), LIMIT);
	CHECK_EQ(floor_of_7(), now);
	/* Its datagrams, and any other that is not above the floor. */
	CHECK_EQ(try(0, NONCE, now), NST_DROP_CACHE_FLOOR);
	CHECK_EQ(try(0, NONCE + 1, now), NST_DROP_CACHE_FLOOR);
	CHECK_EQ(try(1000, NONCE, now), NST_DROP_CACHE_FLOOR);
	/* The others are known still. */
	for (i = 1; i <= LIMIT; i++)
		CHECK_EQ(try(i, NONCE, now + i), NST_DROP_REPLAYED);
	/* Room is made by what is older than who comes, and only by that. */
	CHECK_EQ(try(1000, NONCE, now + 1), NST_DROP_SESSION_FULL);
	CHECK_EQ(floor_of_7(), now);
	CHECK_EQ(try(1000, NONCE, now + 2), NST_OK);
	CHECK_EQ(floor_of_7(), now + 1);
	receiver_done();
}

/* Sessions dated ahead of the clock: they keep their place, and raise nothing. */
TEST(nst_sessions_add__full_of_what_is_ahead_of_the_clock)
{
	u64 now = shim_real_ns;
	unsigned int i;

	begin_small();
	for (i = 0; i < LIMIT; i++)
		CHECK_EQ(try(i, NONCE, now + SEC + i), NST_OK);
	for (i = 0; i < 100; i++)
		CHECK_EQ(try(100 + i, NONCE, now + 2 * SEC + i),
			 NST_DROP_SESSION_FULL);
	CHECK_EQ(floor_of_7(), 0);
	CHECK_EQ(known(), LIMIT);
	/* The clock has come by. */
	shim_real_ns += 2 * SEC;
	CHECK_EQ(try(100, NONCE, shim_real_ns), NST_OK);
	CHECK_EQ(floor_of_7(), now + SEC);
	receiver_done();
}

/* A newcomer looks at a few, whatever the table holds; and never at none. */
TEST(nst_sessions_add__one_of_some_candidates)
{
	u64 now = shim_real_ns - SEC;
	unsigned int i;

	receiver_begin(AGE);
	nn.udp_sessions_max = 20 * LIMIT;
	for (i = 0; i < 20 * LIMIT; i++)
		CHECK_EQ(try(i, NONCE, now + i), NST_OK);
	for (i = 20 * LIMIT; i < 30 * LIMIT; i++) {
		u64 floor = floor_of_7();

		CHECK_EQ(try(i, NONCE, now + i), NST_OK);
		CHECK_EQ(known(), 20 * LIMIT);
		CHECK(floor_of_7() >= floor && floor_of_7() < now + i);
	}
	receiver_done();
}

/* The oldest by its newest timestamp, not by its birth. */
TEST(nst_sessions_add__what_is_in_use_stays)
{
	u64 now = shim_real_ns - SEC;
	unsigned int i;

	begin_small();
	for (i = 0; i < LIMIT; i++)
		CHECK_EQ(try(i, NONCE, now + i), NST_OK);
	CHECK_EQ(try(0, NONCE + 1, now + 100), NST_OK);
	CHECK_EQ(try(LIMIT, NONCE, now + 101), NST_OK);
	CHECK_EQ(floor_of_7(), now + 1);
	CHECK_EQ(try(0, NONCE, now), NST_DROP_REPLAYED);
	CHECK_EQ(try(1, NONCE, now + 1), NST_DROP_CACHE_FLOOR);
	/* A late one of a session older than the floor is taken. */
	CHECK_EQ(try(0, NONCE + 2, now + 1), NST_OK);
	receiver_done();
}

TEST(nst_sessions_judge__floor_of_birth)
{
	u64 now = shim_real_ns - SEC;
	unsigned int i;

	begin_small();
	for (i = 0; i < LIMIT + 5; i++)
		CHECK_EQ(try(i, NONCE, now + i), NST_OK);
	CHECK_EQ(floor_of_7(), now + 4);
	CHECK_EQ(try(500, NONCE, now + 50), NST_OK);
	CHECK_EQ(try(500, NONCE + 1, now + 4), NST_DROP_CACHE_FLOOR);
	CHECK_EQ(try(500, NONCE + 1, now + 50), NST_OK);
	CHECK_EQ(try(500, NONCE + 2, now + 51), NST_OK);
	receiver_done();
}

TEST(nst_sessions_add__limit_lowered)
{
	u64 now = shim_real_ns - SEC;
	unsigned int i;

	receiver_begin(AGE);
	for (i = 0; i < 3 * LIMIT; i++)
		CHECK_EQ(try(i, NONCE, now + i), NST_OK);
	CHECK_EQ(known(), 3 * LIMIT);
	nn.udp_sessions_max = LIMIT;
	for (; i < 6 * LIMIT; i++)
		CHECK_EQ(try(i, NONCE, now + i), NST_OK);
	CHECK_EQ(known(), LIMIT);
	for (i = 0; i < 5 * LIMIT; i++)
		CHECK_EQ(try(i, NONCE, now + i), NST_DROP_CACHE_FLOOR);
	for (; i < 6 * LIMIT; i++)
		CHECK_EQ(try(i, NONCE, now + i), NST_DROP_REPLAYED);
	receiver_done();
}

/* The bound is each secret's; and no floor is anybody else's. */
TEST(nst_sessions_add__bound_of_each_secret)
{
	u64 now = shim_real_ns - SEC;
	unsigned int i;

	begin_small();
	for (i = 0; i < 3 * LIMIT; i++)
		CHECK_EQ(try(i, NONCE, now + i), NST_OK);
	CHECK_EQ(known(), LIMIT);
	for (i = 0; i < 3 * LIMIT; i++) {
		datagram(i, NONCE, now + i - SEC)->kid = 9;
		CHECK_EQ(attempt(), NST_OK);
	}
	CHECK_EQ(known(), 2 * LIMIT);
	for (i = 2 * LIMIT; i < 3 * LIMIT; i++)
		CHECK_EQ(try(i, NONCE, now + i), NST_DROP_REPLAYED);
	receiver_done();
}

/* Keys were derived for two datagrams of the same new session at once. */
TEST(nst_candidate_add__twice)
{
	struct nst_bounds bounds;
	struct nst_candidate one, two;

	receiver_begin(AGE);
	bounds = nst_net_bounds(&nn);
	datagram(1, NONCE, shim_real_ns);
	NEED_EQ(nst_candidate_derive(&one, &conf, &dgram.hdr), NST_OK);
	NEED_EQ(nst_candidate_derive(&two, &conf, &dgram.hdr), NST_OK);
	CHECK_EQ(nst_candidate_add(&one, &bounds), NST_OK);
	CHECK_EQ(nst_candidate_add(&two, &bounds), NST_OK);
	shim_work_run();
	CHECK_EQ(attempt(), NST_OK);
	CHECK_EQ(attempt(), NST_DROP_REPLAYED);
	CHECK_EQ(known(), 1);
	receiver_done();
}

/* The table of the namespace could not grow: nothing is forgotten for that. */
TEST(nst_candidate_add__without_memory)
{
	struct nst_bounds bounds;
	struct nst_candidate new;
	unsigned int i;

	begin_small();
	bounds = nst_net_bounds(&nn);
	for (i = 0; i < LIMIT; i++)
		CHECK_EQ(try(i, NONCE, shim_real_ns - SEC), NST_OK);
	datagram(LIMIT, NONCE, shim_real_ns);
	NEED_EQ(nst_candidate_derive(&new, &conf, &dgram.hdr), NST_OK);
	shim_fail_at(1);
	CHECK_EQ(nst_candidate_add(&new, &bounds), NST_DROP_NOMEM);
	CHECK(shim_fail_hit());
	shim_work_run();
	CHECK_EQ(known(), LIMIT);
	CHECK_EQ(floor_of_7(), 0);
	receiver_done();
}

/* The key left the box while keys were derived. */
TEST(nst_candidate_add__no_box_any_more)
{
	struct nst_bounds bounds;
	struct nst_candidate new;

	receiver_begin(AGE);
	bounds = nst_net_bounds(&nn);
	datagram(1, NONCE, shim_real_ns)->kid = 9;
	NEED_EQ(nst_candidate_derive(&new, &conf, &dgram.hdr), NST_OK);
	NEED_EQ(nst_keyring_del(nn.ring, 9), 0);
	CHECK_EQ(nst_candidate_add(&new, &bounds), NST_DROP_NO_KID);
	shim_work_run();
	CHECK_EQ(known(), 0);
	receiver_done();
}

/* The floor rose while its keys were derived. */
TEST(nst_sessions_add__floor_rose_meanwhile)
{
	u64 now = shim_real_ns - SEC;
	struct nst_bounds bounds;
	struct nst_candidate new;
	unsigned int i;

	begin_small();
	bounds = nst_net_bounds(&nn);
	datagram(999, NONCE, now);
	NEED_EQ(nst_candidate_derive(&new, &conf, &dgram.hdr), NST_OK);
	for (i = 0; i < LIMIT + 1; i++)
		CHECK_EQ(try(i, NONCE, now + i), NST_OK);
	CHECK_EQ(nst_candidate_add(&new, &bounds), NST_DROP_CACHE_FLOOR);
	shim_work_run();
	receiver_done();
}

TEST(nst_sessions_expire__edges)
{
	u64 then = shim_real_ns;

	receiver_begin(AGE);
	CHECK_EQ(try(1, NONCE, then), NST_OK);
	CHECK_EQ(try(2, NONCE, then + SEC), NST_OK);
	shim_real_ns = then + WINDOW;
	shim_boot_ns += WINDOW;
	/* It could be taken to the last ns, so it is not forgotten yet. */
	expire();
	CHECK_EQ(known(), 2);
	CHECK_EQ(try(1, NONCE, then), NST_DROP_REPLAYED);
	shim_real_ns++;
	CHECK_EQ(try(1, NONCE, then), NST_DROP_TIME_PAST);
	expire();
	CHECK_EQ(known(), 1);
	CHECK_EQ(floor_of_7(), then);
	CHECK_EQ(try(2, NONCE, then + SEC), NST_DROP_REPLAYED);
	shim_real_ns += SEC;
	expire();
	CHECK_EQ(known(), 0);
	CHECK_EQ(floor_of_7(), then + SEC);
	receiver_done();
}

/* The clock is set back after sessions were forgotten. */
TEST(nst_sessions_expire__clock_set_back)
{
	u64 then = shim_real_ns;

	receiver_begin(AGE);
	CHECK_EQ(try(1, NONCE, then), NST_OK);
	shim_real_ns += 10 * WINDOW;
	expire();
	CHECK_EQ(known(), 0);
	shim_real_ns = then;
	CHECK_EQ(try(1, NONCE, then), NST_DROP_CACHE_FLOOR);
	CHECK_EQ(try(1, NONCE, then + 1), NST_OK);
	/* Set far back: it waits for its time, and is not forgotten. */
	shim_real_ns = then - 100 * WINDOW;
	expire();
	CHECK_EQ(known(), 1);
	CHECK_EQ(try(1, NONCE, then + 1), NST_DROP_TIME_FUTURE);
	shim_real_ns = then;
	CHECK_EQ(try(1, NONCE, then + 1), NST_DROP_REPLAYED);
	receiver_done();
}

/* --- everything that was ever accepted, against a random history ---------- */

#define HISTORY	3000

static struct {
	u16 epoch;
	u64 nonce, timestamp;
	const struct nst_members *members;	/* NULL: for all */
} history[HISTORY];

static unsigned int nr_history;

/*
 * Was it taken by this receiver, or by one for all? A sender uses no nonce
 * twice; so what differs in its timestamp only is another box's or nobody's.
 */
static bool accepted_before(void)
{
	unsigned int i;

	for (i = 0; i < nr_history; i++)
		if (history[i].epoch == dgram.hdr.epoch &&
		    history[i].nonce == dgram.hdr.nonce &&
		    history[i].timestamp == dgram.hdr.timestamp &&
		    (!dgram.group || !history[i].members ||
		     history[i].members == dgram.members))
			return true;
	return false;
}

/* Nonces go on, leap, fall back; some datagrams are old ones. */
static void any_datagram(void)
{
	static u64 at[64];
	u16 epoch = test_random(40);
	u64 nonce, timestamp = shim_real_ns - test_random(40) * SEC +
			       test_random(10) * SEC + test_random(3);

	at[epoch] += test_random(20) ? test_random(3) : test_random(100000);
	nonce = at[epoch] - (test_random(4) ? 0 : test_random(30));
	if (nr_history && !test_random(3)) {
		unsigned int i = test_random(nr_history);

		epoch = history[i].epoch;
		nonce = history[i].nonce;
		timestamp = history[i].timestamp;
	}
	datagram(epoch, nonce, timestamp);
	dgram.group = !test_random(4);
	dgram.members = &members[1 + test_random(80)];
}

/* Clocks, limits and boxes move. */
static void any_change(void)
{
	shim_boot_ns += test_random(2) * SEC / 4;
	shim_real_ns += test_random(4) * SEC / 8;
	if (!test_random(50))
		shim_real_ns -= test_random(100) * SEC;
	if (!test_random(60))
		nn.udp_sessions_max = LIMIT + test_random(30);
	if (!test_random(80))
		nn.time_window = 1 + test_random(60);
	if (!test_random(40))
		expire();
	if (!test_random(200)) {
		struct nst_box_entry back = key_of(7, NST_KEY_ACTIVE, 7);

		/* The same secret comes back. */
		NEED_EQ(nst_keyring_flush(nn.ring), 0);
		NEED_EQ(nst_keyring_add(nn.ring, &back), 0);
	}
	shim_work_run();
}

static unsigned int random_history(void)
{
	unsigned int i, taken = 0;

	nr_history = 0;
	receiver_begin(test_random(60) * SEC);
	nn.udp_sessions_max = LIMIT + test_random(30);
	for (i = 0; i < 4000 && nr_history < HISTORY; i++) {
		u64 floor = floor_of_7();
		enum nst_drop drop;
		bool replay;

		any_datagram();
		replay = accepted_before();
		drop = attempt();
		if (!CHECK(drop || !replay))
			test_abort();
		CHECK(floor_of_7() >= floor);
		if (!drop) {
			taken++;
			history[nr_history].epoch = dgram.hdr.epoch;
			history[nr_history].nonce = dgram.hdr.nonce;
			history[nr_history].timestamp = dgram.hdr.timestamp;
			history[nr_history++].members = dgram.group ?
							dgram.members : NULL;
		}
		any_change();
	}
	receiver_done();
	return taken;
}

TEST(nst_sessions__random_history_has_no_replay)
{
	unsigned int round, taken = 0;

	for (round = 0; round < 60; round++)
		taken += random_history();
	CHECK(taken > 12000);
}

/* --- whose next epoch it may be ------------------------------------------- */

static bool follows(u64 nonce)
{
	struct nst_boxkey *key;
	bool yes;

	rcu_read_lock();
	NEED_EQ(nst_keyring_peek_rx(nn.ring, dgram.hdr.kid, &key), NST_OK);
	yes = nst_claim_follows(key->claim, nonce);
	rcu_read_unlock();
	return yes;
}

TEST(nst_claim_follows__edges)
{
	static const u64 at[] = { 5, 0xffff, 0x10000, 0x1fffff, 1ULL << 40,
				  0xffffffff };
	u64 now = shim_real_ns, i;

	for (i = 0; i < ARRAY_SIZE(at); i++) {
		receiver_begin(AGE);
		CHECK(!follows(at[i]));
		CHECK_EQ(try(1, at[i], now), NST_OK);
		CHECK(!follows(at[i]));
		CHECK(!follows(at[i] - 1));
		CHECK(follows(at[i] + 1));
		CHECK(follows(at[i] + NST_NEXT_REACH));
		CHECK(!follows(at[i] + NST_NEXT_REACH + 1));
		/* Under the same secret, no other. */
		dgram.hdr.kid = 9;
		CHECK(!follows(at[i] + 1));
		receiver_done();
	}
}

/* What strangers invent costs no lock, however much is known. */
TEST(nst_claim_follows__takes_no_lock)
{
	u64 now = shim_real_ns, n = NONCE;
	unsigned long times;
	unsigned int i;

	receiver_begin(AGE);
	for (i = 0; i < 200; i++, n += 1 << 20)
		CHECK_EQ(try(i, n, now), NST_OK);
	times = shim_spin_times;
	for (i = 0; i < 200; i++)
		CHECK(!follows(NONCE - (1 << 18) + ((u64)i << 20)));
	CHECK(!follows(0) && !follows(~0ULL) && !follows(n + (1ULL << 40)));
	CHECK_EQ(shim_spin_times, times);
	CHECK(follows(NONCE + 1) && follows(n - (1 << 20) + 1));
	CHECK_EQ(shim_spin_times, times + 2);
	receiver_done();
}

/* The highest nonce goes on, and with it where it is looked for. */
TEST(nst_claim_place__goes_on)
{
	u64 now = shim_real_ns, n = NONCE;
	struct nst_found found;
	unsigned int i;

	receiver_begin(AGE);
	for (i = 0; i < 100; i++) {
		n += test_random(100000);
		CHECK_EQ(try(1, n, now), NST_OK);
		rcu_read_lock();
		NEED_EQ(nst_session_find(&conf, &dgram.hdr, &found), NST_OK);
		if (nst_session_strayed(found.ses))
			nst_claim_place(found.key->claim, found.ses);
		CHECK(!nst_session_strayed(found.ses));
		rcu_read_unlock();
		CHECK(follows(n + 1) && follows(n + NST_NEXT_REACH));
		CHECK(!follows(n) && !follows(n + NST_NEXT_REACH + 1));
	}
	shim_real_ns += 10 * WINDOW;
	expire();
	CHECK(!follows(n + 1));
	receiver_done();
}
