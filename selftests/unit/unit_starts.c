// SPDX-License-Identifier: GPL-2.0
/* starts.c: what is known is not taken, what is forgotten raises the floor. */
#include <linux/slab.h>
#include <shim/test.h>
#include "core/starts.h"

static struct nst_starts starts;

static bool add(u64 timestamp, u64 nonce)
{
	struct nst_start *start = kzalloc(sizeof(*start), GFP_KERNEL);

	NEED(start);
	start->timestamp = timestamp;
	start->nonce = nonce;
	if (nst_starts_insert(&starts, start))
		return true;
	kfree(start);
	return false;
}

static u64 forget(void)
{
	struct nst_start *start = nst_starts_forget(&starts);
	u64 timestamp = start ? start->timestamp : 0;

	kfree(start);
	return timestamp;
}

TEST(nst_starts_insert__once)
{
	nst_starts_init(&starts, 0);
	CHECK(add(100, 1));
	CHECK(!add(100, 1));
	CHECK(add(100, 2));
	CHECK(add(101, 1));
	CHECK(!add(101, 1));
	CHECK_EQ(starts.nr, 3);
	nst_starts_free(&starts.root);
}

TEST(nst_starts_insert__extreme_values)
{
	static const u64 v[] = { 1, 2, 1ULL << 63, ~0ULL - 1, ~0ULL };
	unsigned int i, k;

	nst_starts_init(&starts, 0);
	for (i = 0; i < ARRAY_SIZE(v); i++)
		for (k = 0; k < ARRAY_SIZE(v); k++)
			CHECK(add(v[i], v[k]));
	for (i = 0; i < ARRAY_SIZE(v); i++)
		for (k = 0; k < ARRAY_SIZE(v); k++)
			CHECK(!add(v[i], v[k]));
	CHECK_EQ(nst_starts_newest(&starts), ~0ULL);
	nst_starts_free(&starts.root);
}

TEST(nst_starts_forget__the_oldest_first)
{
	unsigned int i;

	nst_starts_init(&starts, 0);
	for (i = 0; i < 100; i++)
		CHECK(add(1000 + (i * 37) % 100, i));
	for (i = 0; i < 100; i++) {
		CHECK_EQ(forget(), 1000 + i);
		CHECK_EQ(starts.floor, 1000 + i);
	}
	CHECK_EQ(forget(), 0);
	CHECK_EQ(starts.nr, 0);
	CHECK_EQ(starts.floor, 1099);
}

/* A floor that came from elsewhere may be above all that is there. */
TEST(nst_starts_forget__a_floor_does_not_sink)
{
	nst_starts_init(&starts, 500);
	CHECK_EQ(nst_starts_newest(&starts), 500);
	CHECK(add(100, 1));
	CHECK_EQ(nst_starts_newest(&starts), 500);
	CHECK_EQ(forget(), 100);
	CHECK_EQ(starts.floor, 500);
}
