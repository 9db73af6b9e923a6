// SPDX-License-Identifier: GPL-2.0
/*
 * How many closed connections go on behind close(), see close.c, and which go first
 * when these are too many.
 *
 * Those whose FIN is not acknowledged count as TCP's orphans do, against its limit.
 * One that only waits for its peer's FIN were no orphan to TCP any more, but as
 * small as a TIME-WAIT, so it must not be counted there: strangers who never send
 * theirs would leave no room for those who still have data under way. It has a
 * bound of its own here, and what is too much of these is TCP's.
 */
#include <linux/list.h>
#include <linux/spinlock.h>
#include "tcp/crowd.h"
#include "tcp/orphans.h"

/* Of all namespaces, by enum nst_tcp_crowd; the oldest first. */
static struct list_head crowds[] = {
	LIST_HEAD_INIT(crowds[NST_TCP_UNACKED]),
	LIST_HEAD_INIT(crowds[NST_TCP_HALF_CLOSED]),
	LIST_HEAD_INIT(crowds[NST_TCP_CROWDED_OUT]),
};

static unsigned int sizes[ARRAY_SIZE(crowds)];
static DEFINE_SPINLOCK(crowd_lock);

static void resize(enum nst_tcp_crowd crowd, int by)
{
	lockdep_assert_held(&crowd_lock);
	WRITE_ONCE(sizes[crowd], sizes[crowd] + by);
}

static void move(struct nst_tcp *nst, enum nst_tcp_crowd to)
{
	resize(nst->crowd, -1);
	resize(to, 1);
	list_move_tail(&nst->lingering, &crowds[to]);
	WRITE_ONCE(nst->crowd, to);
}

/**
 * nst_tcp_crowd_enter() - a connection goes on without its program
 * @nst: the socket's state
 *
 * Context: process.
 */
void nst_tcp_crowd_enter(struct nst_tcp *nst)
{
	spin_lock_bh(&crowd_lock);
	nst->crowd = NST_TCP_UNACKED;
	list_add_tail(&nst->lingering, &crowds[NST_TCP_UNACKED]);
	resize(NST_TCP_UNACKED, 1);
	spin_unlock_bh(&crowd_lock);
	nst_stats_inc(nst->st.nn->stats, NST_MIB_LINGERING);
}

/**
 * nst_tcp_crowd_leave() - it does so no more
 * @nst: the socket's state
 *
 * Context: process.
 */
void nst_tcp_crowd_leave(struct nst_tcp *nst)
{
	spin_lock_bh(&crowd_lock);
	list_del(&nst->lingering);
	resize(nst->crowd, -1);
	spin_unlock_bh(&crowd_lock);
	nst_stats_add(nst->st.nn->stats, NST_MIB_LINGERING, -1);
}

/* The oldest have waited longest for their peers. */
static void thin_out(unsigned int max)
{
	struct nst_tcp *oldest;

	lockdep_assert_held(&crowd_lock);
	while (sizes[NST_TCP_HALF_CLOSED] > max) {
		oldest = list_first_entry(&crowds[NST_TCP_HALF_CLOSED],
					  struct nst_tcp, lingering);
		move(oldest, NST_TCP_CROWDED_OUT);
		nst_tcp_kick(oldest, 0);
	}
}

/**
 * nst_tcp_crowd_acked() - all that a connection has sent is acknowledged
 * @nst: the socket's state; it waits for its peer's FIN alone
 * @thin: see to it that these are not too many; the caller is a kernel thread
 *
 * Context: any but for @thin; @nst is in the crowd.
 */
void nst_tcp_crowd_acked(struct nst_tcp *nst, bool thin)
{
	unsigned int max = thin ? nst_orphans_max() : UINT_MAX;

	spin_lock_bh(&crowd_lock);
	if (nst->crowd == NST_TCP_UNACKED)
		move(nst, NST_TCP_HALF_CLOSED);
	thin_out(max);
	spin_unlock_bh(&crowd_lock);
}

/**
 * nst_tcp_crowd_is_full() - are there more than TCP's limit of orphans?
 *
 * Context: a kernel thread.
 * Return: true if so, without those that wait for their peer's FIN alone.
 */
bool nst_tcp_crowd_is_full(void)
{
	return READ_ONCE(sizes[NST_TCP_UNACKED]) > nst_orphans_max();
}

/**
 * nst_tcp_crowd_kick() - have the worker look at all of them
 */
void nst_tcp_crowd_kick(void)
{
	struct nst_tcp *nst;
	int i;

	spin_lock_bh(&crowd_lock);
	for (i = 0; i < ARRAY_SIZE(crowds); i++)
		list_for_each_entry(nst, &crowds[i], lingering)
			nst_tcp_kick(nst, 0);
	spin_unlock_bh(&crowd_lock);
}
