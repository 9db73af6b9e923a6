/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How much of the host's time deriving keys for unknown datagrams may take. A part
 * is kept for senders that go on into their next epoch. Time is given by the
 * caller.
 */
#ifndef _NST_BUDGET_H
#define _NST_BUDGET_H

#include <linux/types.h>

/* Whose derivation it is. */
enum nst_budget_part {
	NST_BUDGET_NEXT,	/* of a sender that is known */
	NST_BUDGET_FRESH,
	NST_BUDGET_PARTS
};

/**
 * struct nst_budget - what deriving may take still
 * @left: of each part, ns; below 0 it has to rest
 * @filled: when it was last filled up, CLOCK_MONOTONIC in ns
 * @typical: what one derivation takes, ns
 */
struct nst_budget {
	s64 left[NST_BUDGET_PARTS];
	u64 filled;
	u64 typical;
};

void nst_budget_init(struct nst_budget *budget, u64 now);
void nst_budget_fill(struct nst_budget *budget, u64 now, unsigned int cpus);
u64 nst_budget_rest(const struct nst_budget *budget, enum nst_budget_part part,
		    unsigned int cpus);
void nst_budget_charge(struct nst_budget *budget, enum nst_budget_part part,
		       u64 ns, bool disturbed);

#endif /* _NST_BUDGET_H */
