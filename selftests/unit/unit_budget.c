// SPDX-License-Identifier: GPL-2.0
/*
 * budget.c: a sixteenth of the processors' time, and a quarter of that kept; and to
 * each as much as to others.
 */
#include <linux/ktime.h>
#include <shim/test.h>
#include "core/budget.h"
#include "limits.h"

#define SEC	((u64)NSEC_PER_SEC)
#define ONE	100000ULL	/* ns of a derivation */

static struct nst_budget budget;
static u64 now;

static void begin(void)
{
	now = 5 * SEC;
	nst_budget_init(&budget, now);
}

/* Derives for @ns without a pause, and says how much of it was spent at work. */
static u64 work(bool next, bool fresh, unsigned int cpus, u64 ns, u64 *of_next)
{
	u64 end = now + ns, spent = 0;

	*of_next = 0;
	while (now < end) {
		unsigned int part;

		nst_budget_fill(&budget, now, cpus);
		part = next && !nst_budget_rest(&budget, NST_BUDGET_NEXT, cpus) ?
		       NST_BUDGET_NEXT : NST_BUDGET_FRESH;
		if (part == NST_BUDGET_FRESH &&
		    (!fresh || nst_budget_rest(&budget, part, cpus))) {
			now += 10000;
			continue;
		}
		now += ONE;
		spent += ONE;
		*of_next += part == NST_BUDGET_NEXT ? ONE : 0;
		nst_budget_charge(&budget, part, 0, ONE, false);
	}
	return spent;
}

static bool near(u64 got, u64 want)
{
	return got > want - want / 50 && got < want + want / 50;
}

TEST(nst_budget_charge__a_sixteenth_of_the_time)
{
	u64 next;

	begin();
	CHECK(work(true, true, 1, SEC, &next) >= NST_DERIVE_BURST_NS);
	CHECK(near(work(true, true, 1, 64 * SEC, &next), 4 * SEC));
	/* Of both, if both are asked for. */
	CHECK(near(next, SEC));
	CHECK(near(work(true, true, 4, 64 * SEC, &next), 16 * SEC));
	CHECK(near(next, 4 * SEC));
}

/* What one does not use, the other has. */
TEST(nst_budget_fill__nothing_is_lost)
{
	u64 next;

	begin();
	work(true, true, 1, SEC, &next);
	CHECK(near(work(false, true, 1, 64 * SEC, &next), 4 * SEC));
	begin();
	work(true, true, 1, SEC, &next);
	work(true, false, 1, 16 * SEC, &next);
	CHECK(near(work(true, false, 1, 64 * SEC, &next), 4 * SEC));
}

/* A flood of strangers leaves the kept part as it is. */
TEST(nst_budget_fill__a_part_is_kept)
{
	u64 next;

	begin();
	work(false, true, 1, 64 * SEC, &next);
	nst_budget_fill(&budget, now, 1);
	CHECK_EQ(budget.left[NST_BUDGET_NEXT],
		 NST_DERIVE_BURST_NS / NST_DERIVE_NEXT);
	CHECK_EQ(nst_budget_rest(&budget, NST_BUDGET_NEXT, 1), 0);
}

/* Others had the processor meanwhile: their time is not ours. */
TEST(nst_budget_charge__disturbed)
{
	unsigned int i;

	begin();
	for (i = 0; i < 100; i++)
		CHECK_EQ(nst_budget_charge(&budget, NST_BUDGET_FRESH, 1, ONE,
					   false), ONE);
	CHECK(nst_budget_charge(&budget, NST_BUDGET_FRESH, 1, SEC, true) <=
	      2 * ONE);
	CHECK(budget.kind[1].typical <= 2 * ONE);
	/* What nobody has seen that it was disturbed. */
	CHECK(nst_budget_charge(&budget, NST_BUDGET_FRESH, 1, SEC, false) <=
	      NST_DERIVE_STRAY * 2 * ONE);
	/* A clock that stood still for a day, or that went back, is no gain. */
	nst_budget_fill(&budget, now + 86400 * SEC, 64);
	CHECK_EQ(budget.left[NST_BUDGET_FRESH] + budget.left[NST_BUDGET_NEXT],
		 NST_DERIVE_BURST_NS);
}

/* It is told what something has cost, and takes nothing away. */
TEST(nst_budget_cost__of_no_part)
{
	s64 next, fresh;
	unsigned int i;

	begin();
	next = budget.left[NST_BUDGET_NEXT];
	fresh = budget.left[NST_BUDGET_FRESH];
	for (i = 0; i < 100; i++)
		CHECK_EQ(nst_budget_cost(&budget, NST_BUDGET_KINDS - 1, ONE,
					 false), ONE);
	CHECK(nst_budget_cost(&budget, NST_BUDGET_KINDS - 1, SEC, true) <=
	      2 * ONE);
	CHECK_EQ(budget.left[NST_BUDGET_NEXT], next);
	CHECK_EQ(budget.left[NST_BUDGET_FRESH], fresh);
}

/* A dear kind makes no other one dear; and is known though all are disturbed. */
TEST(nst_budget_charge__each_kind_by_itself)
{
	unsigned int i;

	begin();
	for (i = 0; i < NST_DERIVE_HELD_UP; i++)
		nst_budget_charge(&budget, NST_BUDGET_FRESH, 2,
				  20 * ONE + i % 7 * ONE, true);
	CHECK_EQ(budget.kind[2].typical, 20 * ONE);
	CHECK_EQ(nst_budget_charge(&budget, NST_BUDGET_FRESH, 2, 90 * ONE,
				   true), 20 * ONE);
	CHECK_EQ(budget.kind[1].typical, NST_DERIVE_TYPICAL_NS);
	/* And it comes down again when it is seen without. */
	for (i = 0; i < 100; i++)
		nst_budget_charge(&budget, NST_BUDGET_FRESH, 2, ONE, false);
	CHECK(near(budget.kind[2].typical, ONE));
}

#define USERS	5

/* As much time to whose derivations are dear as to whose are cheap. */
TEST(nst_share_next__by_time)
{
	static const u64 each[USERS] = { ONE, ONE, 10 * ONE, 50 * ONE, 3 * ONE };
	struct nst_share user[USERS], *share;
	struct nst_shares shares = {};
	u64 all = 0;
	unsigned int i;

	for (i = 0; i < USERS; i++) {
		nst_share_init(&user[i]);
		nst_share_enter(&shares, &user[i]);
		nst_share_enter(&shares, &user[i]);
	}
	while (all < 10000 * ONE) {
		share = nst_share_next(&shares);
		nst_share_give(&shares, share, each[share - user]);
		all += each[share - user];
	}
	for (i = 0; i < USERS; i++)
		CHECK(user[i].given + 50 * ONE >= all / USERS &&
		      user[i].given <= all / USERS + 50 * ONE);
	for (i = 0; i < USERS; i++)
		nst_share_leave(&shares, &user[i]);
	CHECK(!nst_share_next(&shares));
}

/* Who wanted nothing for a while has saved up nothing, and has not lost it. */
TEST(nst_share_enter__nothing_is_saved_up)
{
	struct nst_share a, b, *share;
	struct nst_shares shares = {};
	unsigned int i, times = 0;

	nst_share_init(&a);
	nst_share_init(&b);
	nst_share_enter(&shares, &a);
	for (i = 0; i < 1000; i++)
		nst_share_give(&shares, nst_share_next(&shares), ONE);
	nst_share_enter(&shares, &b);
	for (i = 0; i < 100; i++) {
		share = nst_share_next(&shares);
		nst_share_give(&shares, share, ONE);
		times += share == &b;
	}
	CHECK(times >= 49 && times <= 52);
	/* What was given while he was away from the line counts. */
	nst_share_leave(&shares, &b);
	nst_share_give(&shares, &b, 100 * ONE);
	nst_share_enter(&shares, &b);
	for (i = 0; i < 90; i++) {
		share = nst_share_next(&shares);
		nst_share_give(&shares, share, ONE);
		CHECK(share == &a);
	}
}
