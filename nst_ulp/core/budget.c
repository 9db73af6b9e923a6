// SPDX-License-Identifier: GPL-2.0
/* A bucket of time for each part; what one has no room for, the other gets. */
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/time64.h>
#include "core/budget.h"
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
	unsigned int i;

	for (i = 0; i < NST_BUDGET_PARTS; i++)
		budget->left[i] = most(i);
	for (i = 0; i < NST_BUDGET_KINDS; i++)
		budget->kind[i] = (struct nst_budget_kind){
			.typical = NST_DERIVE_TYPICAL_NS,
		};
	budget->filled = now;
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
	return div_u64((1 - budget->left[part]) * share * NST_DERIVE_SHARE,
		       cpus);
}

/* It was held up for who knows how long. What it cost itself was less. */
static u64 cost_held_up(struct nst_budget_kind *kind, u64 ns)
{
	if (!kind->held_up++ || ns < kind->least)
		kind->least = ns;
	if (kind->held_up == NST_DERIVE_HELD_UP) {
		/* Not all of them can have been held up for that long. */
		kind->typical = max(kind->typical, kind->least);
		kind->held_up = 0;
	}
	return min(ns, kind->typical);
}

static u64 cost(struct nst_budget_kind *kind, u64 ns)
{
	kind->held_up = 0;
	ns = min(ns, NST_DERIVE_STRAY * kind->typical);
	kind->typical += ((s64)ns - (s64)kind->typical) / 8;
	return ns;
}

/**
 * nst_budget_cost() - what something has cost
 * @budget: knows what is usual; nothing is taken from it
 * @kind: of which kind it was, below NST_BUDGET_KINDS
 * @ns: how long it took
 * @disturbed: others ran meanwhile: it cost what it usually does
 *
 * Return: ns.
 */
u64 nst_budget_cost(struct nst_budget *budget, unsigned int kind, u64 ns,
		    bool disturbed)
{
	return disturbed ? cost_held_up(&budget->kind[kind], ns) :
			   cost(&budget->kind[kind], ns);
}

/**
 * nst_budget_charge() - a derivation is done
 * @budget: the budget
 * @part: whose it was
 * @kind: of which kind, below NST_BUDGET_KINDS
 * @ns: how long it took
 * @disturbed: others ran meanwhile: it is charged as it usually is
 *
 * Return: what was charged, ns.
 */
u64 nst_budget_charge(struct nst_budget *budget, enum nst_budget_part part,
		      unsigned int kind, u64 ns, bool disturbed)
{
	ns = nst_budget_cost(budget, kind, ns, disturbed);
	/* One long stall is forgiven in as much time as fills the bucket. */
	budget->left[part] = max(budget->left[part] - (s64)ns, -most(part));
	return ns;
}

/**
 * nst_share_init() - somebody who was given nothing, and wants nothing
 * @share: his
 */
void nst_share_init(struct nst_share *share)
{
	RB_CLEAR_NODE(&share->node);
	share->given = 0;
}

static void sort_in(struct nst_shares *shares, struct nst_share *new)
{
	struct rb_node **link = &shares->root.rb_node, *parent = NULL;
	struct nst_share *share;

	while (*link) {
		parent = *link;
		share = rb_entry(parent, struct nst_share, node);
		link = new->given < share->given ? &parent->rb_left :
						   &parent->rb_right;
	}
	rb_link_node(&new->node, parent, link);
	rb_insert_color(&new->node, &shares->root);
}

/**
 * nst_share_enter() - he wants something
 * @shares: of all who do
 * @share: his, maybe among them already
 */
void nst_share_enter(struct nst_shares *shares, struct nst_share *share)
{
	if (!RB_EMPTY_NODE(&share->node))
		return;
	share->given = max(share->given, shares->given);
	sort_in(shares, share);
}

/**
 * nst_share_leave() - he wants nothing any more
 * @shares: of all who do
 * @share: his, among them
 */
void nst_share_leave(struct nst_shares *shares, struct nst_share *share)
{
	rb_erase(&share->node, &shares->root);
	RB_CLEAR_NODE(&share->node);
}

/**
 * nst_share_next() - whose turn is it?
 * @shares: of all who want something
 *
 * Return: his, who was given the least; of several, who waits the longest. NULL:
 * nobody wants anything.
 */
struct nst_share *nst_share_next(struct nst_shares *shares)
{
	struct nst_share *share;

	share = rb_entry_safe(rb_first(&shares->root), struct nst_share, node);
	if (share)
		shares->given = max(shares->given, share->given);
	return share;
}

/**
 * nst_share_give() - he was given something
 * @shares: of all who want something
 * @share: his, whether he wants more or not
 * @n: how much
 */
void nst_share_give(struct nst_shares *shares, struct nst_share *share, u64 n)
{
	bool wants = !RB_EMPTY_NODE(&share->node);

	if (wants)
		rb_erase(&share->node, &shares->root);
	share->given += n;
	if (wants)
		sort_in(shares, share);
}
