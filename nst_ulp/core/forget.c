// SPDX-License-Identifier: GPL-2.0
/* How memories forget, and what gives way if there is no room. */
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include "core/claim.h"
#include "core/forget.h"
#include "core/owner.h"
#include "limits.h"

/*
 * How much one call forgets at most. As many STARTs as make room for a session, and
 * some more, so that what is over a bound that was lowered shrinks; not many,
 * because a lock is held.
 */
#define FORGET_MAX	48

/* Claims that one step of nst_memories_shed() looks at, as above. */
#define SHED_STEP	32

/**
 * nst_memory_newest() - the newest timestamp that a memory may have taken
 * @mem: it knows no session
 *
 * Context: any, under the set's lock.
 * Return: the timestamp, ns.
 */
u64 nst_memory_newest(const struct nst_memory *mem)
{
	return max(nst_starts_newest(&mem->starts), mem->sessions.floor);
}

/**
 * nst_memory_end() - an idle memory ends
 * @set: its set
 * @mem: nothing is remembered in detail in it any more
 *
 * Each owner that held the secret keeps a floor.
 *
 * Context: any, under the set's lock.
 */
void nst_memory_end(struct nst_memories *set, struct nst_memory *mem)
{
	lockdep_assert_held(&set->lock);
	WRITE_ONCE(mem->left, nst_memory_newest(mem));
	nst_memory_end_idle(set, mem);
	WRITE_ONCE(mem->made, false);
	nst_memory_unsettle(set, mem);
}

static void free_start(struct nst_start *start)
{
	list_del(&start->mine);
	nst_owner_charge(start->claim, -NST_START_BYTES);
	kfree(start);
}

/**
 * nst_memory_forget_start() - forget the oldest of a memory's STARTs
 * @mem: the memory
 *
 * Context: any, under the set's lock.
 * Return: false if there is none.
 */
bool nst_memory_forget_start(struct nst_memory *mem)
{
	struct nst_start *start = nst_starts_forget(&mem->starts);

	if (!start)
		return false;
	free_start(start);
	return true;
}

/* For want of room; it is not too old. */
static bool push_start(struct nst_memories *set, struct nst_memory *mem)
{
	bool some = nst_memory_forget_start(mem);

	if (some)
		nst_stats_inc(set->stats, NST_MIB_TCP_PUSHED);
	return some;
}

/**
 * nst_memory_forget_session() - forget a session
 * @set: its set
 * @ses: freed after a grace period
 *
 * Context: any, under the set's lock.
 */
void nst_memory_forget_session(struct nst_memories *set, struct nst_session *ses)
{
	struct nst_claim *claim = ses->claim;

	lockdep_assert_held(&set->lock);
	nst_sessions_leave(&set->table, ses);
	nst_sessions_forget(&claim->mem->sessions, ses);
	list_del(&ses->mine);
	claim->nr_sessions--;
	claim->owner->nr_sessions--;
	list_del(&ses->all);
	set->nr_sessions--;
	nst_stats_add(set->stats, NST_MIB_UDP_SESSIONS, -1);
	nst_owner_charge(claim, -NST_SESSION_BYTES);
	nst_session_release(&ses->free);
}

/* For want of room; what it has taken is not too old. */
static void push_out(struct nst_memories *set, struct nst_session *ses)
{
	nst_memory_forget_session(set, ses);
	nst_stats_inc(set->stats, NST_MIB_UDP_PUSHED);
}

/*
 * One of a claim's own STARTs goes, the oldest that there is. Those of others stay
 * that are older, though the floor refuses them now: they are not its to give.
 */
static bool push_own_start(struct nst_memories *set, struct nst_claim *claim)
{
	struct nst_starts *starts = &claim->mem->starts;
	struct nst_start *start = nst_starts_oldest_of(starts, claim,
						       &claim->starts);

	if (!start)
		return false;
	nst_starts_drop(starts, start);
	free_start(start);
	nst_stats_inc(set->stats, NST_MIB_TCP_PUSHED);
	return true;
}

/* Are STARTs more of a claim than its sessions, and the memory itself? */
static bool mostly_starts(const struct nst_claim *claim)
{
	u64 sessions = (u64)claim->nr_sessions * NST_SESSION_BYTES;

	if (claim->mem->payer == claim)
		sessions += NST_MEMORY_BYTES;
	return claim->bytes - sessions >= sessions;
}

/* A session goes, for want of room, if it may: one of the owner who gives way. */
static bool push_session(struct nst_memories *set, struct nst_session *ses,
			 u64 before, u64 beyond)
{
	ses = nst_sessions_retire(ses, before, beyond);
	if (ses)
		push_out(set, ses);
	return ses;
}

/* What takes more memory of a claim goes, one of it, whatever its timestamp is. */
static bool forget_one(struct nst_memories *set, struct nst_claim *claim)
{
	struct nst_session *ses = NULL;

	if (!mostly_starts(claim))
		nst_sessions_look(&claim->sessions, claim->nr_sessions, 0, &ses);
	return push_session(set, ses, U64_MAX, U64_MAX) ||
	       push_own_start(set, claim);
}

/* Somebody who has something in a memory; there is something in it. */
static struct nst_claim *other_payer(const struct nst_memory *mem)
{
	struct rb_node *first = rb_first(&mem->starts.root);

	if (first)
		return rb_entry(first, struct nst_start, node)->claim;
	return list_first_entry(&mem->sessions.known, struct nst_session,
				known)->claim;
}

/* The same of a memory that no box needs: it may end at any time. */
static bool give_of_idle(struct nst_memories *set, struct nst_claim *claim)
{
	struct nst_memory *mem = claim->mem;

	if (mem->payer != claim || claim->bytes != NST_MEMORY_BYTES)
		return forget_one(set, claim);
	/* All that it holds is the memory itself. */
	if (!mem->starts.nr && !mem->sessions.nr)
		nst_memory_end(set, mem);
	else
		nst_owner_pay(mem, other_payer(mem));
	return true;
}

/*
 * Do others have the secret, so that a floor of it is theirs, too? For the sake of
 * @by, which may be NULL, it may rise in its own memory.
 */
static bool is_shared(const struct nst_claim *claim, const struct nst_claim *by)
{
	return claim->mem->boxes > claim->boxes &&
	       (!by || claim->mem != by->mem);
}

/*
 * Whom an owner asks for something, and in this order: secrets that he alone has and
 * that are much of what he holds; then those that others have, too; then what he alone
 * has, however little it is. (A new one would keep nothing if it came first.)
 */
enum turn {
	TURN_LARGE,
	TURN_SHARED,
	TURN_SMALL,
	TURN_LAST = TURN_SMALL,
};

static bool is_asked(const struct nst_claim *claim, const struct nst_claim *by,
		     enum turn turn)
{
	/* What no box needs goes first, however small. */
	if (turn == TURN_LARGE && !claim->mem->payer &&
	    claim->bytes < claim->owner->bytes / 8)
		return false;
	return is_shared(claim, by) == (turn == TURN_SHARED);
}

/*
 * An owner has to do with less. Of sessions only such go that are older than @before:
 * the oldest of some candidates, of as many secrets as it takes to have that many.
 */
static bool give_some(struct nst_memories *set, struct nst_owner *owner,
		      const struct nst_claim *by, u64 before, enum turn turn)
{
	struct nst_claim *claim = nst_owner_first(owner);
	struct nst_session *best = NULL;
	unsigned int i, seen = 0;

	for (i = 0; claim && i < NST_CLAIM_LOOKS;
	     i++, claim = nst_owner_next(claim)) {
		if (!is_asked(claim, by, turn))
			continue;
		if (claim->mem->payer)
			return give_of_idle(set, claim);
		if (mostly_starts(claim)) {
			if (!best)
				return push_own_start(set, claim);
			continue;
		}
		seen += nst_sessions_look(&claim->sessions, claim->nr_sessions,
					  0, &best);
		if (seen < NST_SESSION_CANDIDATES)
			continue;
		if (push_session(set, best, before, U64_MAX))
			return true;
		best = NULL;
		seen = 0;
	}
	return push_session(set, best, before, U64_MAX);
}

/* Where no session may go: a START, of the first claim that has one. */
static bool give_start(struct nst_memories *set, struct nst_owner *owner,
		       const struct nst_claim *by, enum turn turn)
{
	struct nst_claim *claim = nst_owner_first(owner);
	unsigned int i;

	for (i = 0; claim && i < NST_CLAIM_LOOKS;
	     i++, claim = nst_owner_next(claim))
		if (is_asked(claim, by, turn) && push_own_start(set, claim))
			return true;
	return false;
}

/*
 * An owner has to do with less, for the sake of @by or, if that is NULL, of another
 * owner: the turns up to @last. Returns false if nothing came of it.
 */
static bool give_way(struct nst_memories *set, struct nst_owner *owner,
		     const struct nst_claim *by, u64 before, enum turn last)
{
	enum turn turn;

	for (turn = 0; turn <= last; turn++)
		if (give_some(set, owner, by, before, turn) ||
		    give_start(set, owner, by, turn))
			return true;
	return false;
}

/*
 * An owner's memory is full of what the clock was ahead for, and was set back: of his
 * other secrets that goes, which nobody could date today. Their floors rise to where
 * the clock was, but a new key is not refused for what came of the old ones. From a
 * secret that has come to use since only if it has to be (@used): no sender's next
 * session comes to life above such a floor.
 */
static bool give_future(struct nst_memories *set, struct nst_claim *by,
			u64 beyond, bool used)
{
	struct nst_claim *claim = nst_owner_first(by->owner);
	u64 from = used ? beyond + 1 : 0;
	unsigned int i;

	for (i = 0; claim && i < NST_CLAIM_LOOKS;
	     i++, claim = nst_owner_next(claim)) {
		struct nst_session *ses = NULL;

		if (claim->mem == by->mem || is_shared(claim, by))
			continue;
		nst_sessions_look(&claim->sessions, claim->nr_sessions, from,
				  &ses);
		if (push_session(set, ses, 0, beyond))
			return true;
	}
	return false;
}

/* @big gives way for what @by takes, dated no later than @before. */
static bool give(struct nst_memories *set, struct nst_owner *big,
		 struct nst_claim *by, u64 before,
		 const struct nst_bounds *bounds)
{
	u64 beyond = before + 2 * bounds->window;

	if (big != by->owner)
		return give_way(set, big, NULL, U64_MAX, TURN_LAST);
	/* In time for the new key's own, which would go last and leave it one. */
	return give_future(set, by, beyond, false) ||
	       give_way(set, big, by, before, TURN_SHARED) ||
	       give_future(set, by, beyond, true) ||
	       give_way(set, big, by, before, TURN_LAST);
}

/* Who has too much, if @more comes to what @owner holds? */
static struct nst_owner *too_big(struct nst_owner *owner, u64 more,
				 const struct nst_bounds *bounds)
{
	if (owner->bytes + more > bounds->owner_bytes)
		return owner;
	if (owner->set->bytes + more > bounds->total_bytes)
		return nst_owner_biggest(owner->set);
	return NULL;
}

/**
 * nst_memory_trim() - bring what an owner has just added to under all bounds
 * @claim: the owner's
 * @before: of his sessions only such go whose newest timestamp is below this
 * @bounds: the namespace's settings
 *
 * Context: any, under the set's lock.
 */
void nst_memory_trim(struct nst_claim *claim, u64 before,
		     const struct nst_bounds *bounds)
{
	struct nst_owner *owner = claim->owner, *big;
	struct nst_memories *set = owner->set;
	unsigned int i;

	for (i = 0; i < FORGET_MAX; i++) {
		if (claim->mem->starts.nr > bounds->starts) {
			push_start(set, claim->mem);
			continue;
		}
		big = too_big(owner, 0, bounds);
		if (!big)
			break;
		/* A START is taken: if nothing else may go, then one for it. */
		if (!give(set, big, claim, before, bounds) &&
		    !push_own_start(set, claim))
			break;
	}
}

/* A secret's own sessions; two at a time, so that a bound that was lowered acts. */
static enum nst_drop room_in_memory(struct nst_memories *set,
				    struct nst_memory *mem, u64 before,
				    unsigned int most)
{
	struct nst_session *ses;
	unsigned int i;

	for (i = 0; i < 2 && mem->sessions.nr >= most; i++) {
		ses = nst_sessions_oldest(&mem->sessions, before);
		if (!ses)
			return NST_DROP_SESSION_FULL;
		push_out(set, ses);
	}
	return NST_OK;
}

/**
 * nst_memory_make_room() - forget what has to go for a session that comes
 * @claim: whose session it will be
 * @before: of the secret's and the owner's sessions only such go whose newest
 *	timestamp is below this. What another owner holds too much of goes whatever
 *	it is: nobody is refused for it
 * @bounds: the namespace's settings
 *
 * Floors may rise, also the newcomer's.
 *
 * Context: any, under the set's lock.
 * Return: NST_OK; NST_DROP_SESSION_FULL if the secret has too many and none that
 * may go; NST_DROP_OWNER_FULL or NST_DROP_TOTAL_FULL if its owner has too much, or
 * all of them together, and what went was not enough.
 */
enum nst_drop nst_memory_make_room(struct nst_claim *claim, u64 before,
				   const struct nst_bounds *bounds)
{
	struct nst_owner *owner = claim->owner, *big;
	struct nst_memories *set = owner->set;
	enum nst_drop drop;
	unsigned int i;

	lockdep_assert_held(&set->lock);
	if (claim->mem->made) {
		drop = room_in_memory(set, claim->mem, before,
				      bounds->sessions);
		if (drop)
			return drop;
	}
	for (i = 0; i < FORGET_MAX; i++) {
		big = too_big(owner, NST_SESSION_BYTES, bounds);
		if (!big)
			return NST_OK;
		if (!give(set, big, claim, before, bounds))
			break;
	}
	/* What another holds too much of goes on going when the next comes. */
	if (big != owner)
		return NST_OK;
	return owner->bytes + NST_SESSION_BYTES > bounds->owner_bytes ?
	       NST_DROP_OWNER_FULL : NST_DROP_TOTAL_FULL;
}

/* Who holds most: is that too much, and idle memories the reason? */
static bool shed_step(struct nst_memories *set, const struct nst_bounds *bounds)
{
	struct nst_owner *big;
	struct nst_claim *first;
	unsigned int i;

	lockdep_assert_held(&set->lock);
	for (i = 0; i < SHED_STEP; i++) {
		big = nst_owner_biggest(set);
		if (!big || big->bytes <= bounds->owner_bytes)
			return false;
		first = nst_owner_first(big);
		if (first->mem->payer != first ||
		    !give_way(set, big, NULL, U64_MAX, TURN_LAST))
			return false;
	}
	return true;
}

/**
 * nst_memories_shed() - memories became idle: end those that are too many
 * @set: of a namespace
 * @bounds: the namespace's settings
 *
 * Whose keys go is charged for the memories, asked or not. Nothing that a box needs
 * goes.
 *
 * Context: process, may sleep.
 */
void nst_memories_shed(struct nst_memories *set, const struct nst_bounds *bounds)
{
	bool more;

	do {
		spin_lock_bh(&set->lock);
		more = shed_step(set, bounds);
		spin_unlock_bh(&set->lock);
		cond_resched();
	} while (more);
}
