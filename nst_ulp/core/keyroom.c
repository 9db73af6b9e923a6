// SPDX-License-Identifier: GPL-2.0
/*
 * Where one waits for keys. There is no bound on how many wait, and all of them want
 * the same worker when a key comes, which serves others, too. So a few are woken at
 * once, and each that is done has the next one woken.
 */
#include <linux/list.h>
#include <linux/spinlock.h>
#include "core/keyroom.h"
#include "limits.h"

/* Of all rooms: seldom taken, and never for longer than it takes to wake a few. */
static DEFINE_SPINLOCK(room_lock);

/* Wake those whose turn has come. */
static void wake_due(struct nst_keyroom *room)
{
	struct nst_keywait *wait;

	lockdep_assert_held(&room_lock);
	while (room->woken < NST_KEYWAITS_AT_ONCE && !list_empty(&room->due)) {
		wait = list_first_entry(&room->due, struct nst_keywait, entry);
		list_del(&wait->entry);
		WRITE_ONCE(wait->woken, true);
		room->woken++;
		wait->wake(wait);
	}
}

/* Returns where it has waited, which the caller still keeps. */
static struct nst_keyroom *leave(struct nst_keywait *wait)
{
	struct nst_keyroom *room = wait->room;

	lockdep_assert_held(&room_lock);
	if (!room)
		return NULL;
	if (wait->woken)
		room->woken--;
	else
		list_del(&wait->entry);
	WRITE_ONCE(wait->woken, false);
	/* Pairs with nst_keyroom_has(): whoever sees it may free @wait. */
	smp_store_release(&wait->room, NULL);
	return room;
}

/**
 * nst_keyroom_init() - make a room in which nobody waits
 * @room: the room
 */
void nst_keyroom_init(struct nst_keyroom *room)
{
	INIT_LIST_HEAD(&room->waiting);
	INIT_LIST_HEAD(&room->due);
	room->woken = 0;
}

/**
 * nst_keyroom_has() - does it wait, or was it woken and is not done?
 * @wait: who
 *
 * Context: any.
 * Return: false if nothing of this file touches it any more.
 */
bool nst_keyroom_has(const struct nst_keywait *wait)
{
	/* Pairs with leave(). */
	return smp_load_acquire(&wait->room);
}

/**
 * nst_keyroom_enter() - wait for the next change
 * @room: where; the caller keeps it until @wait has left
 * @wait: who; @wait->wake is set. It waits nowhere else any more
 *
 * Whoever has looked for a key before looks once more behind this: what came in
 * between wakes nobody.
 *
 * Context: any.
 * Return: where it has waited before; NULL: nowhere.
 */
struct nst_keyroom *nst_keyroom_enter(struct nst_keyroom *room,
				      struct nst_keywait *wait)
{
	struct nst_keyroom *old;

	spin_lock_bh(&room_lock);
	old = leave(wait);
	WRITE_ONCE(wait->room, room);
	list_add_tail(&wait->entry, &room->waiting);
	if (old)
		wake_due(old);
	spin_unlock_bh(&room_lock);
	return old;
}

/**
 * nst_keyroom_leave() - wait no more
 * @wait: who; it need not wait
 *
 * Context: any. @wait->wake does not run any more when this has returned.
 * Return: where it has waited, which the caller has kept; NULL: nowhere.
 */
struct nst_keyroom *nst_keyroom_leave(struct nst_keywait *wait)
{
	struct nst_keyroom *room;

	spin_lock_bh(&room_lock);
	room = leave(wait);
	if (room)
		wake_due(room);
	spin_unlock_bh(&room_lock);
	return room;
}

/**
 * nst_keyroom_done() - one that was woken has done what it could
 * @wait: who; does nothing if it was not woken, or has begun to wait anew
 *
 * Context: any.
 * Return: where it has waited, which the caller has kept; NULL: nowhere, or it still
 * does.
 */
struct nst_keyroom *nst_keyroom_done(struct nst_keywait *wait)
{
	struct nst_keyroom *room = NULL;

	if (likely(!READ_ONCE(wait->woken)))
		return NULL;
	spin_lock_bh(&room_lock);
	if (wait->woken) {
		room = leave(wait);
		wake_due(room);
	}
	spin_unlock_bh(&room_lock);
	return room;
}

/**
 * nst_keyroom_wake() - a key has come: wake who waits for that
 * @room: where; the caller keeps it
 *
 * Those who wait by now, each once and a few at a time: the others when these are
 * done.
 *
 * Context: any.
 */
void nst_keyroom_wake(struct nst_keyroom *room)
{
	spin_lock_bh(&room_lock);
	list_splice_tail_init(&room->waiting, &room->due);
	wake_due(room);
	spin_unlock_bh(&room_lock);
}
