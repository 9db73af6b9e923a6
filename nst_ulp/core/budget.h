/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How much of the host's time deriving keys for unknown datagrams may take. A part
 * is kept for senders that go on into their next epoch. And who is next: of those
 * who want something, the one who was given the least. Time is given by the caller.
 */
#ifndef _NST_BUDGET_H
#define _NST_BUDGET_H

#include <linux/rbtree.h>
#include <linux/types.h>

/* Whose derivation it is. */
enum nst_budget_part {
	NST_BUDGET_NEXT,	/* of a sender that is known */
	NST_BUDGET_FRESH,
	NST_BUDGET_PARTS
};

/* Kinds of work, which do not all take as long: the caller's. */
#define NST_BUDGET_KINDS	64

/**
 * struct nst_budget_kind - what one piece of work of a kind takes
 * @typical: usually, ns
 * @least: the least that one of the last took, which were all held up
 * @held_up: how many of those there were
 */
struct nst_budget_kind {
	u64 typical;
	u64 least;
	unsigned int held_up;
};

/**
 * struct nst_budget - what deriving may take still
 * @left: of each part, ns; below 0 it has to rest
 * @filled: when it was last filled up, CLOCK_MONOTONIC in ns
 * @kind: what derivations take, and other work for what waits
 */
struct nst_budget {
	s64 left[NST_BUDGET_PARTS];
	u64 filled;
	struct nst_budget_kind kind[NST_BUDGET_KINDS];
};

/**
 * struct nst_share - what somebody was given
 * @node: among those who want something; empty: he does not
 * @given: so much; who comes back after a while has saved up nothing
 */
struct nst_share {
	struct rb_node node;
	u64 given;
};

/**
 * struct nst_shares - those who want something
 * @root: by what they were given
 * @given: what the last one had been given
 */
struct nst_shares {
	struct rb_root root;
	u64 given;
};

void nst_budget_init(struct nst_budget *budget, u64 now);
void nst_budget_fill(struct nst_budget *budget, u64 now, unsigned int cpus);
u64 nst_budget_rest(const struct nst_budget *budget, enum nst_budget_part part,
		    unsigned int cpus);
u64 nst_budget_cost(struct nst_budget *budget, unsigned int kind, u64 ns,
		    bool disturbed);
u64 nst_budget_charge(struct nst_budget *budget, enum nst_budget_part part,
		      unsigned int kind, u64 ns, bool disturbed);

void nst_share_init(struct nst_share *share);
void nst_share_enter(struct nst_shares *shares, struct nst_share *share);
void nst_share_leave(struct nst_shares *shares, struct nst_share *share);
struct nst_share *nst_share_next(struct nst_shares *shares);
void nst_share_give(struct nst_shares *shares, struct nst_share *share, u64 n);

#endif /* _NST_BUDGET_H */
