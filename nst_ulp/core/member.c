// SPDX-License-Identifier: GPL-2.0
/*
 * A socket's windows over what came to groups. A window begins when a socket
 * first needs it, at the highest nonce that the session has then: of what is
 * behind, nobody knows any more whether this socket has taken it.
 */
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include "core/member.h"
#include "limits.h"

/**
 * nst_members_init() - a socket that has taken nothing, and has no keys yet
 * @members: its windows
 */
void nst_members_init(struct nst_members *members)
{
	spin_lock_init(&members->lock);
	members->since = 0;
	INIT_LIST_HEAD(&members->list);
	members->nr = 0;
}

/**
 * nst_members_rekey() - the socket's keys were set
 * @members: its windows, which stay
 *
 * Context: process.
 */
void nst_members_rekey(struct nst_members *members)
{
	spin_lock_bh(&members->lock);
	members->since = ktime_get_ns();
	spin_unlock_bh(&members->lock);
}

static struct nst_member *find(struct nst_members *members, u64 session)
{
	struct nst_member *member;

	lockdep_assert_held(&members->lock);
	list_for_each_entry(member, &members->list, list)
		if (member->session == session)
			return member;
	return NULL;
}

/* The highest nonce that a window which begins now counts as taken. */
static u64 begins_behind(const struct nst_members *members,
			 const struct nst_mark *mark)
{
	return members->since < mark->at ? mark->top - 1 : mark->top;
}

/**
 * nst_members_check() - may a socket take what others have taken already?
 * @members: its windows
 * @mark: of the session
 * @nonce: of a datagram that came to a group, first and now
 *
 * Context: any, under the session's lock.
 * Return: NST_OK, NST_DROP_WINDOW or NST_DROP_REPLAYED.
 */
enum nst_drop nst_members_check(struct nst_members *members,
				const struct nst_mark *mark, u64 nonce)
{
	struct nst_member *member;
	enum nst_drop drop;

	spin_lock(&members->lock);
	member = find(members, mark->session);
	if (member)
		drop = nst_replay_check(&member->win, nonce);
	else if ((s64)(nonce - begins_behind(members, mark)) > 0)
		drop = NST_OK;
	else
		drop = NST_DROP_REPLAYED;
	spin_unlock(&members->lock);
	return drop;
}

/* Room for one more; the one that was not used for the longest time goes. */
static struct nst_member *new_member(struct nst_members *members)
{
	struct nst_member *member;

	if (members->nr < NST_MEMBERS_MAX) {
		member = kmalloc(sizeof(*member), NST_GFP_RECEIVED);
		if (member)
			members->nr++;
		return member;
	}
	member = list_last_entry(&members->list, struct nst_member, list);
	list_del(&member->list);
	/* What came later of its session, it has not taken; nor of any other. */
	members->since = max(members->since, member->used);
	return member;
}

/**
 * nst_members_take() - a socket takes a datagram that came to a group
 * @members: its windows
 * @mark: of the session, before that took it
 * @nonce: may be taken by this socket
 *
 * Context: any, under the session's lock.
 * Return: NST_OK; NST_DROP_NOMEM, and it is not taken.
 */
enum nst_drop nst_members_take(struct nst_members *members,
			       const struct nst_mark *mark, u64 nonce)
{
	struct nst_member *member;
	u64 behind;

	spin_lock(&members->lock);
	member = find(members, mark->session);
	if (member) {
		list_del(&member->list);
	} else {
		behind = begins_behind(members, mark);
		member = new_member(members);
		if (!member) {
			spin_unlock(&members->lock);
			return NST_DROP_NOMEM;
		}
		member->session = mark->session;
		nst_replay_init_above(&member->win, behind);
	}
	list_add(&member->list, &members->list);
	nst_replay_take(&member->win, nonce);
	/* Not before whoever took it first. */
	member->used = ktime_get_ns();
	spin_unlock(&members->lock);
	return NST_OK;
}

/**
 * nst_members_free() - the socket goes
 * @members: its windows, which nobody uses any more
 */
void nst_members_free(struct nst_members *members)
{
	struct nst_member *member, *next;

	list_for_each_entry_safe(member, next, &members->list, list)
		kfree(member);
}
