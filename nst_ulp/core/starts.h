/* SPDX-License-Identifier: GPL-2.0 */
/* The STARTs that were accepted under one secret, and how far back it goes. */
#ifndef _NST_STARTS_H
#define _NST_STARTS_H

#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/types.h>

struct nst_claim;

/**
 * struct nst_start - one START that was accepted
 * @node: in its struct nst_starts
 * @timestamp: of the START, ns
 * @nonce: of the START
 * @claim: whom it is charged to
 * @mine: among those of @claim, in the order in which they came
 */
struct nst_start {
	struct rb_node node;
	u64 timestamp;
	u64 nonce;
	struct nst_claim *claim;
	struct list_head mine;
};

/**
 * struct nst_starts - the STARTs that were accepted under one secret
 * @root: sorted by timestamp, then nonce
 * @nr: how many
 * @floor: newest timestamp that was ever forgotten; only a START above it is
 *	taken. 0: nothing was forgotten yet
 *
 * Belongs to a memory and is protected by the lock of its set.
 */
struct nst_starts {
	struct rb_root root;
	unsigned int nr;
	u64 floor;
};

void nst_starts_init(struct nst_starts *starts, u64 floor);
bool nst_starts_insert(struct nst_starts *starts, struct nst_start *new);
struct nst_start *nst_starts_forget(struct nst_starts *starts);
struct nst_start *nst_starts_oldest_of(const struct nst_starts *starts,
				       const struct nst_claim *claim,
				       const struct list_head *mine);
void nst_starts_drop(struct nst_starts *starts, struct nst_start *start);
u64 nst_starts_newest(const struct nst_starts *starts);
void nst_starts_free(struct rb_root *root);

#endif /* _NST_STARTS_H */
