// SPDX-License-Identifier: GPL-2.0
/*
 * The STARTs that were accepted, so that none is accepted again. What was
 * forgotten cannot be told from a replay any more: the floor refuses it.
 *
 * Pure logic: the same file is compiled into the module and the unit tests.
 */
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include "core/starts.h"
#include "limits.h"

/**
 * nst_starts_init() - begin to remember
 * @starts: takes what is accepted from now on
 * @floor: newest timestamp that may have been accepted before; 0: none
 */
void nst_starts_init(struct nst_starts *starts, u64 floor)
{
	starts->root = RB_ROOT;
	starts->nr = 0;
	starts->floor = floor;
}

/**
 * nst_starts_insert() - remember a START, unless it is known
 * @starts: where to
 * @new: the START; belongs to @starts if true is returned
 *
 * Return: false if an equal one is there.
 */
bool nst_starts_insert(struct nst_starts *starts, struct nst_start *new)
{
	struct rb_node **link = &starts->root.rb_node, *parent = NULL;

	while (*link) {
		struct nst_start *start = rb_entry(*link, struct nst_start,
						   node);

		parent = *link;
		if (new->timestamp == start->timestamp &&
		    new->nonce == start->nonce)
			return false;
		if (new->timestamp < start->timestamp ||
		    (new->timestamp == start->timestamp &&
		     new->nonce < start->nonce))
			link = &parent->rb_left;
		else
			link = &parent->rb_right;
	}
	rb_link_node(&new->node, parent, link);
	rb_insert_color(&new->node, &starts->root);
	starts->nr++;
	return true;
}

/**
 * nst_starts_forget() - forget the oldest START
 * @starts: where from
 *
 * The oldest may be the one just inserted: that one is accepted all the same,
 * and the floor keeps it from being accepted again.
 *
 * Return: what was forgotten, the caller's; NULL if there was none.
 */
struct nst_start *nst_starts_forget(struct nst_starts *starts)
{
	struct nst_start *oldest;

	oldest = rb_entry_safe(rb_first(&starts->root), struct nst_start,
			       node);
	if (!oldest)
		return NULL;
	nst_starts_drop(starts, oldest);
	return oldest;
}

/**
 * nst_starts_drop() - forget a START, whichever
 * @starts: where from; the floor rises to it
 * @start: the START; the caller's
 */
void nst_starts_drop(struct nst_starts *starts, struct nst_start *start)
{
	starts->floor = max(starts->floor, start->timestamp);
	rb_erase(&start->node, &starts->root);
	starts->nr--;
}

/**
 * nst_starts_oldest_of() - which of a claim's STARTs to forget
 * @starts: where they are
 * @claim: the claim
 * @mine: those of it
 *
 * It takes the same time whatever is known: the oldest if it is among the first, and
 * if others have more that are older, the one that came first.
 *
 * Return: a START; NULL if there is none.
 */
struct nst_start *nst_starts_oldest_of(const struct nst_starts *starts,
				       const struct nst_claim *claim,
				       const struct list_head *mine)
{
	struct rb_node *node = rb_first(&starts->root);
	struct nst_start *start;
	unsigned int i;

	for (i = 0; node && i < NST_SESSION_CANDIDATES; i++) {
		start = rb_entry(node, struct nst_start, node);
		if (start->claim == claim)
			return start;
		node = rb_next(node);
	}
	return list_empty(mine) ? NULL :
	       list_first_entry(mine, struct nst_start, mine);
}

/**
 * nst_starts_newest() - the newest timestamp that may have been accepted
 * @starts: the STARTs
 *
 * Return: that of a START known or forgotten; 0 if there was none.
 */
u64 nst_starts_newest(const struct nst_starts *starts)
{
	const struct nst_start *newest;

	newest = rb_entry_safe(rb_last(&starts->root), struct nst_start, node);
	return newest ? max(newest->timestamp, starts->floor) : starts->floor;
}

/**
 * nst_starts_free() - free STARTs that nobody knows any more
 * @root: they
 *
 * Context: process, may sleep: there may be millions.
 */
void nst_starts_free(struct rb_root *root)
{
	struct nst_start *start, *next;

	rbtree_postorder_for_each_entry_safe(start, next, root, node) {
		kfree(start);
		cond_resched();
	}
	*root = RB_ROOT;
}
