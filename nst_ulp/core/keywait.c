// SPDX-License-Identifier: GPL-2.0
/*
 * Who waits for a key that a box does not have yet, or lets nobody send with: a
 * stream that owes its peer a START, and no program of which sends anything. Each
 * that waits holds a reference on the keyring, in whose room it is.
 */
#include <linux/kernel.h>
#include "core/keywait.h"

static void put(struct nst_keyroom *room)
{
	if (room)
		nst_keyring_put(container_of(room, struct nst_keyring, room));
}

/**
 * nst_keywait_begin() - wait for the next change of a box
 * @wait: who; @wait->wake is set. It waits at no other box any more
 * @ring: the box's; the caller has or borrows a reference
 *
 * Whoever has looked at the box before looks behind this at @ring->gen: what changed
 * it in between wakes nobody.
 *
 * Context: any.
 */
void nst_keywait_begin(struct nst_keywait *wait, struct nst_keyring *ring)
{
	nst_keyring_get(ring);
	put(nst_keyroom_enter(&ring->room, wait));
}

/**
 * nst_keywait_end() - wait no more
 * @wait: who; it need not wait
 *
 * Context: any. @wait->wake does not run any more when this has returned.
 */
void nst_keywait_end(struct nst_keywait *wait)
{
	put(nst_keyroom_leave(wait));
}

/**
 * nst_keywait_done() - one that was woken has tried to send
 * @wait: who; does nothing if it was not woken, or waits anew
 *
 * Context: any.
 */
void nst_keywait_done(struct nst_keywait *wait)
{
	put(nst_keyroom_done(wait));
}

/**
 * nst_keywait_wake() - a box has changed: wake who waits for that
 * @ring: the box's; the caller has a reference
 *
 * Context: any.
 */
void nst_keywait_wake(struct nst_keyring *ring)
{
	nst_keyroom_wake(&ring->room);
}
