// SPDX-License-Identifier: GPL-2.0
/* budget.c: a sixteenth of the processors' time, and a quarter of that kept. */
#include <linux/ktime.h>
#include <shim/test.h>
#include "budget.h"
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
		nst_budget_charge(&budget, part, ONE, false);
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
	s64 left;

	begin();
	for (i = 0; i < 100; i++)
		nst_budget_charge(&budget, NST_BUDGET_FRESH, ONE, false);
	left = budget.left[NST_BUDGET_FRESH];
	nst_budget_charge(&budget, NST_BUDGET_FRESH, SEC, true);
	CHECK(left - budget.left[NST_BUDGET_FRESH] <= (s64)(2 * ONE));
	CHECK(budget.typical <= 2 * ONE);
	/* A clock that stood still for a day, or that went back, is no gain. */
	nst_budget_fill(&budget, now + 86400 * SEC, 64);
	CHECK_EQ(budget.left[NST_BUDGET_FRESH] + budget.left[NST_BUDGET_NEXT],
		 NST_DERIVE_BURST_NS);
}
