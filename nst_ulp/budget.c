// SPDX-License-Identifier: GPL-2.0
/* A bucket of time for each part; what one has no room for, the other gets. */
#include <linux/minmax.h>
#include <linux/time64.h>
#include "budget.h"
#include "limits.h"

static s64 most(enum nst_budget_part part)
{
	s64 next = NST_DERIVE_BURST_NS / NST_DERIVE_NEXT;

	return part == NST_BUDGET_NEXT ? next : NST_DERIVE_BURST_NS - next;
}

/**
 * nst_budget_init() - nothing was taken yet
 * @budget: the budget
 * @now: CLOCK_MONOTONIC in ns
 */
void nst_budget_init(struct nst_budget *budget, u64 now)
{
	unsigned int part;

	for (part = 0; part < NST_BUDGET_PARTS; part++)
		budget->left[part] = most(part);
	budget->filled = now;
	budget->typical = NST_DERIVE_TYPICAL_NS;
}

/* Returns what there is no room for. */
static s64 add(struct nst_budget *budget, enum nst_budget_part part, s64 ns)
{
	s64 room = most(part) - budget->left[part];
	s64 n = min(ns, room);

	budget->left[part] += n;
	return ns - n;
}

/**
 * nst_budget_fill() - time has passed
 * @budget: the budget
 * @now: CLOCK_MONOTONIC in ns
 * @cpus: processors of the host
 */
void nst_budget_fill(struct nst_budget *budget, u64 now, unsigned int cpus)
{
	/* More than this fills it, and is no number that overflows. */
	u64 passed = min_t(u64, now - budget->filled, 3600ULL * NSEC_PER_SEC);
	s64 gain = passed * cpus / NST_DERIVE_SHARE, next, over;

	if (!gain)
		return;
	budget->filled = now;
	next = gain / NST_DERIVE_NEXT;
	over = add(budget, NST_BUDGET_NEXT, next);
	over = add(budget, NST_BUDGET_FRESH, gain - next + over);
	add(budget, NST_BUDGET_NEXT, over);
}

/**
 * nst_budget_rest() - how long to rest before the next derivation
 * @budget: filled just now
 * @part: whose it would be
 * @cpus: processors of the host
 *
 * Return: ns; 0: go on.
 */
u64 nst_budget_rest(const struct nst_budget *budget, enum nst_budget_part part,
		    unsigned int cpus)
{
	u64 share = part == NST_BUDGET_NEXT ? NST_DERIVE_NEXT : 1;

	if (budget->left[part] > 0)
		return 0;
	return (1 - budget->left[part]) * share * NST_DERIVE_SHARE / cpus;
}

/**
 * nst_budget_charge() - a derivation is done
 * @budget: the budget
 * @part: whose it was
 * @ns: how long it took
 * @disturbed: others ran meanwhile: it is charged as it usually is
 */
void nst_budget_charge(struct nst_budget *budget, enum nst_budget_part part,
		       u64 ns, bool disturbed)
{
	if (disturbed)
		ns = min(ns, budget->typical);
	else
		budget->typical += ((s64)ns - (s64)budget->typical) / 8;
	/* One long stall is forgiven in as much time as fills the bucket. */
	budget->left[part] = max(budget->left[part] - (s64)ns, -most(part));
}
