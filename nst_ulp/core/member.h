/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What one socket has taken of datagrams that came to a group: each of them is
 * taken once by each socket, in bounded memory for each.
 */
#ifndef _NST_MEMBER_H
#define _NST_MEMBER_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include "core/replay.h"
#include "drop.h"

/*
 * How what is kept of received datagrams is allocated: in softirq, and by one worker
 * that serves all users. It looks for no memory in a full cgroup, nor sleeps for one
 * that is above its limit; and it takes no more than the limit allows, as GFP_ATOMIC
 * would: who sends is not who pays.
 */
#define NST_GFP_RECEIVED	(GFP_NOWAIT | __GFP_ACCOUNT | __GFP_NOWARN)

/**
 * struct nst_member - what a socket has taken of one session's
 * @list: in its socket's, the one used last in front
 * @session: number of the session
 * @used: CLOCK_MONOTONIC in ns when it took something last
 * @win: nonces taken; what is behind where it began counts as taken
 */
struct nst_member {
	struct list_head list;
	u64 session;
	u64 used;
	struct nst_replay win;
};

/**
 * struct nst_members - the windows of one socket
 * @lock: spinlock, a leaf, inside of a session's; protects what follows
 * @since: CLOCK_MONOTONIC in ns when its keys were set, or when a window that was
 *	forgotten for want of room was used last: what was first taken by then, it
 *	may have taken
 * @list: the windows
 * @nr: how many, 0..NST_MEMBERS_MAX
 */
struct nst_members {
	spinlock_t lock;
	u64 since;
	struct list_head list;
	unsigned int nr;
};

/**
 * struct nst_mark - how far a session is when a window of it begins
 * @session: its number
 * @top: the highest nonce that it has
 * @at: CLOCK_MONOTONIC in ns when that was first taken
 */
struct nst_mark {
	u64 session;
	u64 top;
	u64 at;
};

void nst_members_init(struct nst_members *members);
void nst_members_rekey(struct nst_members *members);
enum nst_drop nst_members_check(struct nst_members *members,
				const struct nst_mark *mark, u64 nonce);
enum nst_drop nst_members_take(struct nst_members *members,
			       const struct nst_mark *mark, u64 nonce);
void nst_members_free(struct nst_members *members);

#endif /* _NST_MEMBER_H */
