/* SPDX-License-Identifier: GPL-2.0 */
/* Who waits for a key that a box does not have yet, or lets nobody send with. */
#ifndef _NST_KEYWAIT_H
#define _NST_KEYWAIT_H

#include <linux/types.h>
#include "core/keyring.h"

/**
 * struct nst_keywait - one that waits for a key to come into a box
 * @entry: in the list of @ring
 * @ring: where it waits; holds a reference. NULL: nowhere
 * @wake: called once, under a spinlock, when the box has changed; it may begin to
 *	wait again only later
 *
 * A part of what waits, which calls nst_keywait_end() before it goes, unless
 * nst_keywait_waits() says that it need not. Under the lock in keywait.c.
 */
struct nst_keywait {
	struct list_head entry;
	struct nst_keyring *ring;
	void (*wake)(struct nst_keywait *wait);
};

bool nst_keywait_waits(const struct nst_keywait *wait);
void nst_keywait_begin(struct nst_keywait *wait, struct nst_keyring *ring);
void nst_keywait_end(struct nst_keywait *wait);
void nst_keywait_wake(struct nst_keyring *ring);

#endif /* _NST_KEYWAIT_H */
