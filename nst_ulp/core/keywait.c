// SPDX-License-Identifier: GPL-2.0
/*
 * Who waits for a key that a box does not have yet, or lets nobody send with: a
 * stream that owes its peer a START, and no program of which sends anything.
 */
#include <linux/list.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include "core/keywait.h"

/* Of all lists: seldom taken, and each is waited for by its own namespace alone. */
static DEFINE_SPINLOCK(wait_lock);

/* Returns what it held. */
static struct nst_keyring *leave(struct nst_keywait *wait)
{
	struct nst_keyring *ring = wait->ring;

	lockdep_assert_held(&wait_lock);
	if (ring)
		list_del(&wait->entry);
	/* Pairs with nst_keywait_waits(): whoever sees it may free @wait. */
	smp_store_release(&wait->ring, NULL);
	return ring;
}

/**
 * nst_keywait_waits() - does it wait, or is it just being woken?
 * @wait: who
 *
 * Context: any.
 * Return: false if nothing of this file touches it any more.
 */
bool nst_keywait_waits(const struct nst_keywait *wait)
{
	/* Pairs with leave(). */
	return smp_load_acquire(&wait->ring);
}

/**
 * nst_keywait_begin() - wait for the next change of a box
 * @wait: who; @wait->wake is set. It waits nowhere else any more
 * @ring: the box's; the caller has or borrows a reference
 *
 * Whoever has looked at the box before looks behind this at @ring->gen: what changed
 * it in between wakes nobody.
 *
 * Context: any.
 */
void nst_keywait_begin(struct nst_keywait *wait, struct nst_keyring *ring)
{
	struct nst_keyring *old;

	nst_keyring_get(ring);
	spin_lock_bh(&wait_lock);
	old = leave(wait);
	WRITE_ONCE(wait->ring, ring);
	list_add_tail(&wait->entry, &ring->waiters);
	spin_unlock_bh(&wait_lock);
	nst_keyring_put(old);
}

/**
 * nst_keywait_end() - wait no more
 * @wait: who; it need not wait
 *
 * Context: any. @wait->wake does not run any more when this has returned.
 */
void nst_keywait_end(struct nst_keywait *wait)
{
	struct nst_keyring *ring;

	spin_lock_bh(&wait_lock);
	ring = leave(wait);
	spin_unlock_bh(&wait_lock);
	nst_keyring_put(ring);
}

/**
 * nst_keywait_wake() - a box has changed: wake who waits for that
 * @ring: the box's
 *
 * Those who wait by now, each once, and others may run in between. It does not sleep
 * to spare them its works: genetlink, which calls it, holds a lock of all families.
 *
 * Context: process.
 */
void nst_keywait_wake(struct nst_keyring *ring)
{
	struct nst_keywait *wait;
	LIST_HEAD(woken);

	spin_lock_bh(&wait_lock);
	list_splice_init(&ring->waiters, &woken);
	while (!list_empty(&woken)) {
		wait = list_first_entry(&woken, struct nst_keywait, entry);
		/* In this order: who has left may be gone. */
		wait->wake(wait);
		leave(wait);
		spin_unlock_bh(&wait_lock);
		/* What @wait held: the caller has one, so it is not the last. */
		nst_keyring_put(ring);
		cond_resched();
		spin_lock_bh(&wait_lock);
	}
	spin_unlock_bh(&wait_lock);
}
