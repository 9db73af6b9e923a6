// SPDX-License-Identifier: GPL-2.0
/* startcache.c: no START is taken twice, whatever the clocks do. */
#include <linux/ktime.h>
#include <linux/slab.h>
#include <shim/test.h>
#include "startcache.h"

#define SEC	((u64)NSEC_PER_SEC)
#define WINDOW	(30 * SEC)

static struct nst_startcache cache;
static struct nst_now now;

/* A cache that is @age old, at a time of day that is far from 0. */
static void begin(u64 age)
{
	now.real = 1000000 * SEC;
	now.boot = 5000 * SEC;
	nst_startcache_init(&cache, now.boot - age);
}

static enum nst_drop check(u64 timestamp)
{
	return nst_startcache_check(&cache, timestamp, &now, WINDOW);
}

TEST(nst_startcache_check__window)
{
	begin(3600 * SEC);
	CHECK_EQ(check(now.real), NST_OK);
	CHECK_EQ(check(now.real - WINDOW), NST_OK);
	CHECK_EQ(check(now.real - WINDOW - 1), NST_DROP_TIME_PAST);
	CHECK_EQ(check(now.real + WINDOW), NST_OK);
	CHECK_EQ(check(now.real + WINDOW + 1), NST_DROP_TIME_FUTURE);
	CHECK_EQ(check(0), NST_DROP_TIME_PAST);
	CHECK_EQ(check(~0ULL), NST_DROP_TIME_FUTURE);
	CHECK_EQ(check(1ULL << 63), NST_DROP_TIME_FUTURE);
	nst_startcache_exit(&cache);
}

/* A clock near either end of its range must not wrap. */
TEST(nst_startcache_check__window_at_the_ends_of_time)
{
	begin(3600 * SEC);
	now.real = 10 * SEC;
	CHECK_EQ(check(1), NST_OK);
	CHECK_EQ(check(40 * SEC), NST_OK);
	CHECK_EQ(check(40 * SEC + 1), NST_DROP_TIME_FUTURE);
	CHECK_EQ(check(~0ULL), NST_DROP_TIME_FUTURE);
	now.real = ~0ULL - 10 * SEC;
	CHECK_EQ(check(~0ULL), NST_OK);
	CHECK_EQ(check(now.real - WINDOW), NST_OK);
	CHECK_EQ(check(now.real - WINDOW - 1), NST_DROP_TIME_PAST);
	CHECK_EQ(check(1), NST_DROP_TIME_PAST);
	nst_startcache_exit(&cache);
}

TEST(nst_startcache_check__older_than_the_cache)
{
	begin(10 * SEC);
	CHECK_EQ(check(now.real - 10 * SEC + 1), NST_OK);
	CHECK_EQ(check(now.real - 10 * SEC), NST_DROP_CACHE_AGE);
	CHECK_EQ(check(now.real - 11 * SEC), NST_DROP_CACHE_AGE);
	CHECK_EQ(check(now.real + 1), NST_OK);
	nst_startcache_exit(&cache);
}

TEST(nst_startcache_check__time_goes_before_age)
{
	begin(10 * SEC);
	CHECK_EQ(check(now.real - 31 * SEC), NST_DROP_TIME_PAST);
	nst_startcache_exit(&cache);
}

TEST(nst_startcache_check__a_cache_born_now)
{
	begin(0);
	CHECK_EQ(check(now.real), NST_DROP_CACHE_AGE);
	CHECK_EQ(check(now.real - 1), NST_DROP_CACHE_AGE);
	CHECK_EQ(check(now.real + 1), NST_OK);
	nst_startcache_exit(&cache);
}

/* CLOCK_BOOTTIME does not go back; if it did, nothing may be let in. */
TEST(nst_startcache_check__boottime_before_birth)
{
	begin(0);
	now.boot -= SEC;
	CHECK_EQ(check(now.real), NST_DROP_CACHE_AGE);
	nst_startcache_exit(&cache);
}

TEST(nst_startcache_check__does_not_remember)
{
	begin(3600 * SEC);
	CHECK_EQ(check(now.real), NST_OK);
	CHECK_EQ(check(now.real), NST_OK);
	CHECK_EQ(cache.nr, 0);
	nst_startcache_exit(&cache);
}

TEST(nst_startcache_add__once)
{
	begin(3600 * SEC);
	CHECK_EQ(nst_startcache_add(&cache, 100, 1, 16), NST_OK);
	CHECK_EQ(nst_startcache_add(&cache, 100, 1, 16), NST_DROP_REPLAYED);
	CHECK_EQ(nst_startcache_add(&cache, 100, 2, 16), NST_OK);
	CHECK_EQ(nst_startcache_add(&cache, 101, 1, 16), NST_OK);
	CHECK_EQ(nst_startcache_add(&cache, 100, 2, 16), NST_DROP_REPLAYED);
	CHECK_EQ(nst_startcache_add(&cache, 101, 1, 16), NST_DROP_REPLAYED);
	CHECK_EQ(cache.nr, 3);
	nst_startcache_exit(&cache);
	CHECK_EQ(cache.nr, 0);
}

TEST(nst_startcache_add__extreme_values)
{
	static const u64 v[] = { 1, 2, 1ULL << 63, ~0ULL - 1, ~0ULL };
	unsigned int i, k;

	begin(3600 * SEC);
	for (i = 0; i < ARRAY_SIZE(v); i++)
		for (k = 0; k < ARRAY_SIZE(v); k++)
			CHECK_EQ(nst_startcache_add(&cache, v[i], v[k], 100),
				 NST_OK);
	for (i = 0; i < ARRAY_SIZE(v); i++)
		for (k = 0; k < ARRAY_SIZE(v); k++)
			CHECK_EQ(nst_startcache_add(&cache, v[i], v[k], 100),
				 NST_DROP_REPLAYED);
	nst_startcache_exit(&cache);
}

TEST(nst_startcache_add__a_full_cache_forgets_the_oldest)
{
	unsigned int i;

	begin(3600 * SEC);
	for (i = 0; i < 20; i++)
		CHECK_EQ(nst_startcache_add(&cache, now.real + i, 7, 16),
			 NST_OK);
	CHECK_EQ(cache.nr, 16);
	CHECK_EQ(cache.floor, now.real + 3);
	/* Forgotten, but not to be had again. */
	for (i = 0; i < 4; i++) {
		CHECK_EQ(check(now.real + i), NST_DROP_CACHE_FLOOR);
		CHECK_EQ(nst_startcache_add(&cache, now.real + i, 7, 16),
			 NST_DROP_CACHE_FLOOR);
	}
	for (i = 4; i < 20; i++) {
		CHECK_EQ(check(now.real + i), NST_OK);
		CHECK_EQ(nst_startcache_add(&cache, now.real + i, 7, 16),
			 NST_DROP_REPLAYED);
	}
	CHECK_EQ(cache.nr, 16);
	nst_startcache_exit(&cache);
}

/* Equal timestamps: one of them forgotten closes the door to all. */
TEST(nst_startcache_add__equal_timestamps)
{
	unsigned int i;

	begin(3600 * SEC);
	for (i = 0; i < 16; i++)
		CHECK_EQ(nst_startcache_add(&cache, now.real, i, 16), NST_OK);
	CHECK_EQ(nst_startcache_add(&cache, now.real, 16, 16), NST_OK);
	CHECK_EQ(cache.floor, now.real);
	for (i = 0; i < 20; i++)
		CHECK_EQ(nst_startcache_add(&cache, now.real, i, 16),
			 NST_DROP_CACHE_FLOOR);
	nst_startcache_exit(&cache);
}

/* One that is older than all in a full cache is taken, once. */
TEST(nst_startcache_add__the_new_one_is_the_oldest)
{
	unsigned int i;

	begin(3600 * SEC);
	for (i = 0; i < 16; i++)
		CHECK_EQ(nst_startcache_add(&cache, now.real + i, 0, 16),
			 NST_OK);
	CHECK_EQ(nst_startcache_add(&cache, now.real - 5, 0, 16), NST_OK);
	CHECK_EQ(nst_startcache_add(&cache, now.real - 5, 0, 16),
		 NST_DROP_CACHE_FLOOR);
	CHECK_EQ(nst_startcache_add(&cache, now.real - 6, 0, 16),
		 NST_DROP_CACHE_FLOOR);
	nst_startcache_exit(&cache);
}

TEST(nst_startcache_add__a_lowered_limit)
{
	unsigned int i;

	begin(3600 * SEC);
	for (i = 0; i < 200; i++)
		CHECK_EQ(nst_startcache_add(&cache, now.real + i, 0, 200),
			 NST_OK);
	for (i = 200; i < 220; i++)
		CHECK_EQ(nst_startcache_add(&cache, now.real + i, 0, 16),
			 NST_OK);
	CHECK_EQ(cache.nr, 16);
	for (i = 0; i < 220; i++)
		CHECK(nst_startcache_add(&cache, now.real + i, 0, 16));
	nst_startcache_exit(&cache);
}

TEST(nst_startcache_add__the_smallest_limit)
{
	begin(3600 * SEC);
	CHECK_EQ(nst_startcache_add(&cache, 10, 0, 1), NST_OK);
	CHECK_EQ(nst_startcache_add(&cache, 10, 0, 1), NST_DROP_REPLAYED);
	CHECK_EQ(nst_startcache_add(&cache, 11, 0, 1), NST_OK);
	CHECK_EQ(nst_startcache_add(&cache, 10, 0, 1), NST_DROP_CACHE_FLOOR);
	CHECK_EQ(nst_startcache_add(&cache, 11, 0, 1), NST_DROP_REPLAYED);
	CHECK_EQ(cache.nr, 1);
	nst_startcache_exit(&cache);
}

TEST(nst_startcache_add__without_memory)
{
	begin(3600 * SEC);
	shim_fail_at(1);
	CHECK_EQ(nst_startcache_add(&cache, 10, 0, 16), NST_DROP_NOMEM);
	CHECK(shim_fail_hit());
	CHECK_EQ(cache.nr, 0);
	CHECK_EQ(cache.floor, 0);
	CHECK_EQ(nst_startcache_add(&cache, 10, 0, 16), NST_OK);
	nst_startcache_exit(&cache);
}

/* The clock set back by a day and forth again: what was taken stays taken. */
TEST(nst_startcache__clock_set_back_and_forth)
{
	u64 day = 86400 * SEC, was;
	unsigned int i;

	begin(3600 * SEC);
	was = now.real;
	CHECK_EQ(nst_startcache_add(&cache, was, 1, 16), NST_OK);
	now.real -= day;
	now.boot += SEC;
	/* What the earlier clock has sealed is from the future now. */
	CHECK_EQ(check(was), NST_DROP_TIME_FUTURE);
	/* And these push the cache over its limit: they are the oldest. */
	for (i = 0; i < 15; i++) {
		CHECK_EQ(check(now.real + i), NST_OK);
		CHECK_EQ(nst_startcache_add(&cache, now.real + i, 1, 16),
			 NST_OK);
	}
	CHECK_EQ(nst_startcache_add(&cache, now.real + 15, 1, 16), NST_OK);
	CHECK_EQ(check(now.real), NST_DROP_CACHE_FLOOR);
	now.real += day;
	now.boot += SEC;
	CHECK_EQ(check(was), NST_OK);
	CHECK_EQ(nst_startcache_add(&cache, was, 1, 16), NST_DROP_REPLAYED);
	nst_startcache_exit(&cache);
}

/* Everything that was ever accepted, against a random history. */
#define HISTORY	4000

static struct {
	u64 timestamp, nonce;
} history[HISTORY];

static unsigned int nr_history;

static bool accepted_before(u64 timestamp, u64 nonce)
{
	unsigned int i;

	for (i = 0; i < nr_history; i++)
		if (history[i].timestamp == timestamp &&
		    history[i].nonce == nonce)
			return true;
	return false;
}

/* One START, new or out of the history, as an attacker might send it. */
static enum nst_drop attempt(unsigned int limit, bool *replay)
{
	u64 timestamp = now.real - WINDOW - SEC +
			test_random(62) * SEC + test_random(3);
	u64 nonce = test_random(4);
	enum nst_drop drop;

	if (nr_history && test_random(2)) {
		unsigned int i = test_random(nr_history);

		timestamp = history[i].timestamp;
		nonce = history[i].nonce;
	}
	*replay = accepted_before(timestamp, nonce);
	drop = check(timestamp);
	/* The floor may rise between check and add, not fall. */
	if (!drop)
		drop = nst_startcache_add(&cache, timestamp, nonce, limit);
	if (!drop && nr_history < HISTORY) {
		history[nr_history].timestamp = timestamp;
		history[nr_history++].nonce = nonce;
	}
	return drop;
}

TEST(nst_startcache__random_history_has_no_replay)
{
	unsigned int round, i, taken = 0;
	bool replay;

	for (round = 0; round < 20; round++) {
		unsigned int limit = 1 + test_random(300);

		nr_history = 0;
		begin(test_random(60) * SEC);
		for (i = 0; i < 3000 && nr_history < HISTORY; i++) {
			u64 floor = cache.floor;
			enum nst_drop drop = attempt(limit, &replay);

			taken += !drop;
			if (!CHECK(drop || !replay))
				test_abort();
			CHECK(cache.floor >= floor);
			CHECK(cache.nr <= limit);
			/* The clock jumps, BOOTTIME only goes on. */
			now.boot += test_random(2) * SEC;
			now.real += test_random(4) * SEC / 2;
			if (!test_random(50))
				now.real -= test_random(100) * SEC;
		}
		nst_startcache_exit(&cache);
	}
	CHECK(taken > 1000);
}

/* The cache refuses no more than the protocol says. */
TEST(nst_startcache__takes_all_that_is_new_and_above_the_floor)
{
	unsigned int i;

	begin(3600 * SEC);
	for (i = 0; i < 5000; i++) {
		u64 timestamp = now.real - test_random(30) * SEC, nonce = i;
		enum nst_drop drop = check(timestamp);

		CHECK_EQ(drop, timestamp > cache.floor ? NST_OK :
						NST_DROP_CACHE_FLOOR);
		if (!drop)
			CHECK_EQ(nst_startcache_add(&cache, timestamp, nonce,
						    64), NST_OK);
		now.real += SEC / 4;
		now.boot += SEC / 4;
	}
	nst_startcache_exit(&cache);
}
