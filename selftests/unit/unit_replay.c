// SPDX-License-Identifier: GPL-2.0
/* replay.c: each nonce once, in any order that the window has room for. */
#include <linux/kernel.h>
#include <linux/slab.h>
#include <shim/test.h>
#include "core/replay.h"

#define WIDTH	NST_REPLAY_WINDOW

static struct nst_replay win;

/* As a receiver uses it: checked, authenticated, taken. */
static enum nst_drop attempt(u64 nonce)
{
	enum nst_drop drop = nst_replay_check(&win, nonce);

	if (!drop)
		nst_replay_take(&win, nonce);
	return drop;
}

/* Nonces where a window may begin: at the seams of words, and of 2^64. */
static const u64 begins[] = {
	0, 1, 63, 64, 65, WIDTH - 1, WIDTH, WIDTH + 1, 4095, 4096, 4097,
	(1ULL << 31) - 1, 1ULL << 31, 1ULL << 32, (1ULL << 63) - 1,
	1ULL << 63, (1ULL << 63) + 1, -4097ULL, -4096ULL, -(u64)WIDTH, -65ULL,
	-64ULL, -63ULL, -2ULL, -1ULL,
};

TEST(nst_replay__as_wide_as_the_protocol_wants)
{
	CHECK(WIDTH >= 2048);
	/* A power of two, or the words would not meet at 2^64. */
	CHECK(!(NST_REPLAY_WORDS & (NST_REPLAY_WORDS - 1)));
}

TEST(nst_replay_init__its_nonce_is_free)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(begins); i++) {
		memset(&win, 0xff, sizeof(win));
		nst_replay_init(&win, begins[i]);
		CHECK_EQ(win.top, begins[i]);
		CHECK_EQ(attempt(begins[i]), NST_OK);
		CHECK_EQ(attempt(begins[i]), NST_DROP_REPLAYED);
	}
}

TEST(nst_replay_init_above__only_what_is_ahead_is_free)
{
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(begins); i++) {
		nst_replay_init_above(&win, begins[i]);
		for (k = 0; k < WIDTH; k++)
			CHECK_EQ(nst_replay_check(&win, begins[i] - k),
				 NST_DROP_REPLAYED);
		CHECK_EQ(nst_replay_check(&win, begins[i] - WIDTH),
			 NST_DROP_WINDOW);
		/* Backwards: no bit above the first one was set. */
		CHECK_EQ(attempt(begins[i] + WIDTH - 1), NST_OK);
		for (k = WIDTH - 2; k > 0; k--)
			CHECK_EQ(attempt(begins[i] + k), NST_OK);
		CHECK_EQ(attempt(begins[i]), NST_DROP_REPLAYED);
	}
}

TEST(nst_replay_check__changes_nothing)
{
	struct nst_replay was;
	u64 nonce;

	nst_replay_init(&win, 10000);
	nst_replay_take(&win, 10000);
	was = win;
	for (nonce = 0; nonce < 30000; nonce++)
		nst_replay_check(&win, nonce);
	CHECK_EQ(nst_replay_check(&win, 1ULL << 62), NST_OK);
	CHECK_MEM(&win, &was, sizeof(win));
}

TEST(nst_replay_take__in_order)
{
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(begins); i++) {
		nst_replay_init(&win, begins[i]);
		for (k = 0; k < 3 * WIDTH; k++) {
			CHECK_EQ(attempt(begins[i] + k), NST_OK);
			CHECK_EQ(attempt(begins[i] + k), NST_DROP_REPLAYED);
			CHECK_EQ(win.top, begins[i] + k);
		}
	}
}

/* The widest reordering: from the top down to the last one in the window. */
TEST(nst_replay_take__backwards)
{
	unsigned int i;
	int k;

	for (i = 0; i < ARRAY_SIZE(begins); i++) {
		nst_replay_init(&win, begins[i]);
		for (k = WIDTH - 1; k >= 0; k--)
			CHECK_EQ(attempt(begins[i] + k), NST_OK);
		CHECK_EQ(attempt(begins[i] - 1), NST_DROP_WINDOW);
		for (k = 0; k < WIDTH; k++)
			CHECK_EQ(attempt(begins[i] + k), NST_DROP_REPLAYED);
		CHECK_EQ(win.top, begins[i] + WIDTH - 1);
	}
}

TEST(nst_replay_check__edges_of_the_window)
{
	unsigned int i;
	u64 top;

	for (i = 0; i < ARRAY_SIZE(begins); i++) {
		top = begins[i] + 3 * WIDTH;
		nst_replay_init(&win, begins[i]);
		CHECK_EQ(attempt(top), NST_OK);
		CHECK_EQ(nst_replay_check(&win, top - WIDTH), NST_DROP_WINDOW);
		CHECK_EQ(nst_replay_check(&win, top - WIDTH + 1), NST_OK);
		CHECK_EQ(nst_replay_check(&win, top - 1), NST_OK);
		CHECK_EQ(nst_replay_check(&win, top), NST_DROP_REPLAYED);
		CHECK_EQ(nst_replay_check(&win, top + 1), NST_OK);
	}
}

/* What the window has left behind is not to be had by going on. */
TEST(nst_replay_take__a_step_drops_no_more_than_it_must)
{
	unsigned int step, k;
	u64 base = 1000000;

	for (step = 1; step < 2 * WIDTH; step += 31) {
		nst_replay_init(&win, base);
		for (k = 0; k < WIDTH; k++)
			nst_replay_take(&win, base + k);
		nst_replay_take(&win, base + WIDTH - 1 + step);
		for (k = 0; k < WIDTH; k++)
			CHECK_EQ(nst_replay_check(&win, base + k),
				 k < step ? NST_DROP_WINDOW :
					    NST_DROP_REPLAYED);
		/* What the step has passed over is free. */
		for (k = WIDTH; k < WIDTH - 1 + step; k++)
			if (k >= step)
				CHECK_EQ(nst_replay_check(&win, base + k),
					 NST_OK);
	}
}

/* A step of whole turns of the ring leaves no old bit behind. */
TEST(nst_replay_take__far_steps)
{
	static const u64 steps[] = {
		64 * NST_REPLAY_WORDS - 1, 64 * NST_REPLAY_WORDS,
		64 * NST_REPLAY_WORDS + 1, 128 * NST_REPLAY_WORDS,
		1ULL << 20, (1ULL << 31) - 1, 1ULL << 31, 1ULL << 40,
		(1ULL << 62) + 5, (1ULL << 63) - 1,
	};
	unsigned int i, s, k;

	for (s = 0; s < ARRAY_SIZE(steps); s++) {
		for (i = 0; i < ARRAY_SIZE(begins); i++) {
			u64 top = begins[i] + steps[s];

			nst_replay_init(&win, begins[i]);
			for (k = 0; k < WIDTH; k++)
				nst_replay_take(&win, begins[i] - k);
			CHECK_EQ(attempt(top), NST_OK);
			for (k = 1; k < WIDTH; k++)
				CHECK_EQ(nst_replay_check(&win, top - k),
					 NST_OK);
			CHECK_EQ(attempt(begins[i]), NST_DROP_WINDOW);
		}
	}
}

/* Half of all nonces are ahead of the top, the other half behind it. */
TEST(nst_replay_check__ahead_and_behind)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(begins); i++) {
		nst_replay_init(&win, begins[i]);
		nst_replay_take(&win, begins[i]);
		CHECK_EQ(nst_replay_check(&win, begins[i] + (~0ULL >> 1)), NST_OK);
		CHECK_EQ(nst_replay_check(&win, begins[i] - (~0ULL >> 1)),
			 NST_DROP_WINDOW);
		CHECK_EQ(win.top, begins[i]);
	}
}

/* Against a list of all that was taken. */
#define HISTORY	6000

static u64 taken[HISTORY];
static unsigned int nr_taken;

static bool was_taken(u64 nonce)
{
	unsigned int i;

	for (i = 0; i < nr_taken; i++)
		if (taken[i] == nonce)
			return true;
	return false;
}

static enum nst_drop expected(u64 nonce, u64 top)
{
	s64 ahead = nonce - top;

	if (ahead > 0)
		return NST_OK;
	if (ahead <= -(s64)WIDTH)
		return NST_DROP_WINDOW;
	return was_taken(nonce) ? NST_DROP_REPLAYED : NST_OK;
}

/* Mostly near the top, sometimes a leap, sometimes something seen before. */
static u64 any_nonce(void)
{
	switch (test_random(8)) {
	case 0:
		return nr_taken ? taken[test_random(nr_taken)] : win.top;
	case 1:
		return win.top + test_random(10 * WIDTH);
	case 2:
		return win.top - test_random(2 * WIDTH);
	case 3:
		return win.top - WIDTH + test_random(3);
	default:
		return win.top - 100 + test_random(130);
	}
}

TEST(nst_replay__random_history)
{
	unsigned int round, i;

	for (round = 0; round < ARRAY_SIZE(begins); round++) {
		nr_taken = 0;
		nst_replay_init(&win, begins[round]);
		for (i = 0; i < HISTORY; i++) {
			u64 nonce = any_nonce(), top = win.top;
			enum nst_drop want = expected(nonce, top);

			NEED_EQ(attempt(nonce), want);
			if (!want)
				taken[nr_taken++] = nonce;
			CHECK_EQ(win.top, !want && (s64)(nonce - top) > 0 ?
				 nonce : top);
		}
	}
}
