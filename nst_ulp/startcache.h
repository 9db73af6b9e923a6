/* SPDX-License-Identifier: GPL-2.0 */
/* Freshness of STARTs: a START is never taken twice. */
#ifndef _NST_STARTCACHE_H
#define _NST_STARTCACHE_H

#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include "drop.h"

/**
 * struct nst_startcache - the STARTs that were accepted
 * @lock: protects all that follows; a leaf lock. A START is also judged under the
 *	spinlock of a child not accepted yet, so softirqs are off while it is held
 * @root: accepted STARTs, sorted by timestamp, then nonce
 * @nr: how many: at most the limit that nst_startcache_add() is given, but
 *	after that was lowered for some calls more
 * @floor: newest timestamp that was ever forgotten; only a START above it is
 *	taken. 0: nothing was forgotten yet
 * @born: CLOCK_BOOTTIME in ns when the cache began to remember
 */
struct nst_startcache {
	spinlock_t lock;
	struct rb_root root;
	unsigned int nr;
	u64 floor;
	u64 born;
};

/**
 * struct nst_now - the clocks, read once for one judgement
 * @real: CLOCK_REALTIME in ns
 * @boot: CLOCK_BOOTTIME in ns
 */
struct nst_now {
	u64 real;
	u64 boot;
};

enum nst_drop nst_now_judge(const struct nst_now *now, u64 timestamp,
			    u64 window_ns, u64 born);
void nst_startcache_init(struct nst_startcache *cache, u64 boot);
void nst_startcache_exit(struct nst_startcache *cache);
enum nst_drop nst_startcache_check(struct nst_startcache *cache, u64 timestamp,
				   const struct nst_now *now, u64 window_ns);
enum nst_drop nst_startcache_add(struct nst_startcache *cache, u64 timestamp,
				 u64 nonce, unsigned int max);

#endif /* _NST_STARTCACHE_H */
