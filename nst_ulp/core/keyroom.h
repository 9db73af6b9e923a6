/* SPDX-License-Identifier: GPL-2.0 */
/* Where one waits for keys, and how many are woken at once. */
#ifndef _NST_KEYROOM_H
#define _NST_KEYROOM_H

#include <linux/list.h>
#include <linux/types.h>

/**
 * struct nst_keyroom - where one waits for keys
 * @waiting: for a change that has not come
 * @due: for their turn, behind a change; the first to come goes first
 * @woken: how many were woken and are not done
 *
 * Whoever waits keeps it. Under the lock in keyroom.c, and so is struct nst_keywait.
 */
struct nst_keyroom {
	struct list_head waiting;
	struct list_head due;
	unsigned int woken;
};

/**
 * struct nst_keywait - one that waits
 * @entry: in a list of @room, but for one that was woken
 * @room: where it waits. NULL: nowhere
 * @wake: called once, under a spinlock, when its turn has come; it sees to it that
 *	nst_keyroom_done() is called later, whatever becomes of it
 * @woken: it was woken, and is not done
 *
 * A part of what waits, which calls nst_keyroom_leave() before it goes, unless
 * nst_keyroom_has() says that it need not.
 */
struct nst_keywait {
	struct list_head entry;
	struct nst_keyroom *room;
	void (*wake)(struct nst_keywait *wait);
	bool woken;
};

void nst_keyroom_init(struct nst_keyroom *room);
bool nst_keyroom_has(const struct nst_keywait *wait);
struct nst_keyroom *nst_keyroom_enter(struct nst_keyroom *room,
				      struct nst_keywait *wait);
struct nst_keyroom *nst_keyroom_leave(struct nst_keywait *wait);
struct nst_keyroom *nst_keyroom_done(struct nst_keywait *wait);
void nst_keyroom_wake(struct nst_keyroom *room);

#endif /* _NST_KEYROOM_H */
