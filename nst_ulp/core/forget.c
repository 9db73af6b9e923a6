// SPDX-License-Identifier: GPL-2.0
/*
 * How memories forget: what is too old, what there is no room for, what no box
 * needs any more.
 */
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

/* Memories or sessions that one step looks at, as above. */
#define EXPIRE_STEP	32

/* The newest timestamp that may have been taken; no session is known. */
static u64 newest_of(const struct nst_memory *mem)
{
	return max(nst_starts_newest(&mem->starts), mem->sessions.floor);
}

/*
 * An idle memory ends, in which nothing is remembered in detail any more; each owner
 * that held the secret keeps a floor.
 */
static void end(struct nst_memories *set, struct nst_memory *mem)
{
	lockdep_assert_held(&set->lock);
	mem->left = newest_of(mem);
	nst_memory_end_idle(set, mem);
	WRITE_ONCE(mem->made, false);
	nst_memory_unsettle(set, mem);
}

static bool forget_start(struct nst_memory *mem)
{
	struct nst_start *start = nst_starts_forget(&mem->starts);

	if (!start)
		return false;
	nst_owner_charge(start->claim, -NST_START_BYTES);
	kfree(start);
	return true;
}

/* For want of room; it is not too old. */
static bool push_start(struct nst_memories *set, struct nst_memory *mem)
{
	bool some = forget_start(mem);

	if (some)
		nst_stats_inc(set->stats, NST_MIB_TCP_PUSHED);
	return some;
}

static void forget_session(struct nst_memories *set, struct nst_session *ses)
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
	forget_session(set, ses);
	nst_stats_inc(set->stats, NST_MIB_UDP_PUSHED);
}

/*
 * What takes more memory of a claim goes, one of it. No session that another owner is
 * charged for, and none that is not older than @before. Of STARTs the oldest goes,
 * whose ever it is: the floor that one of the claim's leaves refuses all before it
 * anyhow. Returns false if there is nothing to forget.
 */
static bool forget_one(struct nst_memories *set, struct nst_claim *claim,
		       u64 before)
{
	u64 sessions = (u64)claim->nr_sessions * NST_SESSION_BYTES;
	u64 starts = claim->bytes - sessions;
	struct nst_session *ses = NULL;

	if (claim->mem->payer == claim)
		starts -= NST_MEMORY_BYTES;
	if (sessions > starts)
		ses = nst_sessions_oldest_of(&claim->sessions,
					     claim->nr_sessions, before);
	if (ses)
		push_out(set, ses);
	else if (!starts || !push_start(set, claim->mem))
		return false;
	return true;
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

/* An owner has to do with less. Returns false if nothing came of it. */
static bool give_way(struct nst_memories *set, struct nst_owner *owner,
		     u64 before)
{
	struct nst_claim *claim = nst_owner_first(owner);
	struct nst_memory *mem = claim->mem;

	if (mem->payer != claim || claim->bytes != NST_MEMORY_BYTES)
		return forget_one(set, claim, before);
	/* All that it holds is the memory itself. */
	if (!mem->starts.nr && !mem->sessions.nr)
		end(set, mem);
	else
		nst_owner_pay(mem, other_payer(mem));
	return true;
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
		if (!give_way(set, big, big == owner ? before : U64_MAX))
			push_start(set, claim->mem);
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
		if (!give_way(set, big, big == owner ? before : U64_MAX))
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
	for (i = 0; i < EXPIRE_STEP; i++) {
		big = nst_owner_biggest(set);
		if (!big || big->bytes <= bounds->owner_bytes)
			return false;
		first = nst_owner_first(big);
		if (first->mem->payer != first || !give_way(set, big, U64_MAX))
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

/* Looks at @nr sessions, whose ever. */
static void expire_sessions(struct nst_memories *set, unsigned int nr,
			    u64 real, u64 window)
{
	struct nst_session *ses;

	while (nr-- && !list_empty(&set->sessions)) {
		ses = list_first_entry(&set->sessions, struct nst_session, all);
		list_move_tail(&ses->all, &set->sessions);
		if (nst_session_expire(ses, real, window))
			forget_session(set, ses);
	}
}

static bool is_over(const struct nst_memory *mem, const struct nst_now *now,
		    u64 window)
{
	u64 newest = newest_of(mem);

	return !mem->sessions.nr && newest < now->real && now->real - newest > window &&
	       now->boot >= mem->unheld && now->boot - mem->unheld >= 2 * window;
}

/* One that is over ends, when the last of its STARTs has gone. Returns whether it has. */
static bool end_step(struct nst_memories *set, struct nst_memory *mem)
{
	unsigned int i;

	for (i = 0; i < EXPIRE_STEP; i++)
		if (!forget_start(mem)) {
			end(set, mem);
			return true;
		}
	return false;
}

/* Looks at @nr idle memories, but only so far as one has much to forget. */
static unsigned int expire_step(struct nst_memories *set, unsigned int nr,
				const struct nst_now *now, u64 window)
{
	struct nst_memory *mem;
	unsigned int i;

	lockdep_assert_held(&set->lock);
	for (i = 0; i < nr && !list_empty(&set->idle); i++) {
		mem = list_first_entry(&set->idle, struct nst_memory, idle);
		list_move_tail(&mem->idle, &set->idle);
		if (!is_over(mem, now, window))
			continue;
		if (end_step(set, mem))
			return i + 1;
		/* It is the next again. */
		list_move(&mem->idle, &set->idle);
		return i;
	}
	/* There may be fewer than there were. */
	return nr;
}

static void expire_idle(struct nst_memories *set, const struct nst_now *now,
			u64 window)
{
	unsigned int left = READ_ONCE(set->nr_idle);

	while (left) {
		spin_lock_bh(&set->lock);
		left -= expire_step(set, min_t(unsigned int, left, EXPIRE_STEP),
				    now, window);
		spin_unlock_bh(&set->lock);
		cond_resched();
	}
}

/**
 * nst_memories_expire() - forget what is too old, and end what has done its time
 * @set: of a namespace
 * @now: the clocks
 * @bounds: the namespace's settings
 *
 * Context: process, may sleep.
 * Return: true if some are left that may expire or end later.
 */
bool nst_memories_expire(struct nst_memories *set, const struct nst_now *now,
			 const struct nst_bounds *bounds)
{
	unsigned int left = READ_ONCE(set->nr_sessions), nr;

	while (left) {
		nr = min_t(unsigned int, left, EXPIRE_STEP);
		spin_lock_bh(&set->lock);
		expire_sessions(set, nr, now->real, bounds->window);
		spin_unlock_bh(&set->lock);
		left -= nr;
		cond_resched();
	}
	expire_idle(set, now, bounds->window);
	return READ_ONCE(set->nr_idle) || READ_ONCE(set->nr_sessions);
}

static void park(struct nst_memories *set, struct nst_sessions *sessions,
		 struct nst_session *ses)
{
	struct nst_session_keys *keys;

	keys = rcu_replace_pointer(ses->keys, NULL,
				   lockdep_is_held(&set->lock));
	if (!keys)
		return;
	sessions->nr_keyed--;
	nst_session_release(&keys->free);
}

/* One memory's next sessions. */
static void park_step(struct nst_memories *set, struct nst_memory *mem)
{
	struct nst_sessions *sessions = &mem->sessions;
	struct nst_session *ses;
	unsigned int i;

	lockdep_assert_held(&set->lock);
	for (i = 0; i < EXPIRE_STEP && sessions->nr_keyed; i++) {
		ses = list_first_entry(&sessions->known, struct nst_session,
				       known);
		list_move_tail(&ses->known, &sessions->known);
		park(set, sessions, ses);
	}
	if (!sessions->nr_keyed)
		list_del_init(&mem->parking);
}

/**
 * nst_memories_park() - give up the keys of sessions whose secret no box has
 * @set: of a namespace
 *
 * What they have taken stays known.
 *
 * Context: process, may sleep.
 */
void nst_memories_park(struct nst_memories *set)
{
	bool more;

	do {
		spin_lock_bh(&set->lock);
		more = !list_empty(&set->parking);
		if (more)
			park_step(set, list_first_entry(&set->parking,
							struct nst_memory,
							parking));
		spin_unlock_bh(&set->lock);
		cond_resched();
	} while (more);
}

/**
 * nst_memories_settle() - tell all claims what has become of their memories
 * @set: of a namespace
 *
 * Context: process, may sleep.
 */
void nst_memories_settle(struct nst_memories *set)
{
	bool more;

	do {
		spin_lock_bh(&set->lock);
		more = !list_empty(&set->settling);
		if (more)
			nst_memory_settle(set,
					  list_first_entry(&set->settling,
							   struct nst_memory,
							   settling));
		spin_unlock_bh(&set->lock);
		cond_resched();
	} while (more);
}

/* Under the lock: after some steps others have their turn. */
static void give_turn(struct nst_memories *set, unsigned int *steps)
{
	if (++*steps % EXPIRE_STEP)
		return;
	spin_unlock_bh(&set->lock);
	cond_resched();
	spin_lock_bh(&set->lock);
}

/* Sessions of a namespace that has gone. */
static void close_sessions(struct nst_memories *set, unsigned int *steps)
{
	while (!list_empty(&set->sessions)) {
		forget_session(set, list_first_entry(&set->sessions,
						     struct nst_session, all));
		give_turn(set, steps);
	}
}

static void close_claim(struct nst_claim *claim)
{
	nst_owner_charge(claim, -(s64)claim->bytes);
	if (claim->has_left)
		nst_owner_unleave(claim);
	nst_claim_unlink(claim);
}

/* One memory of a namespace that has gone. Box keys may still refer to it. */
static void close_memory(struct nst_memories *set, struct nst_memory *mem,
			 unsigned int *steps)
{
	struct rb_root starts = mem->starts.root;

	mem->refs++;
	if (mem->payer)
		nst_memory_end_idle(set, mem);
	nst_starts_init(&mem->starts, 0);
	WRITE_ONCE(mem->made, false);
	list_del_init(&mem->settling);
	while (!list_empty(&mem->claims)) {
		close_claim(list_first_entry(&mem->claims, struct nst_claim,
					     node));
		give_turn(set, steps);
	}
	nst_memory_remove(set, mem);
	nst_memory_unref(set, mem);
	spin_unlock_bh(&set->lock);
	nst_starts_free(&starts);
	spin_lock_bh(&set->lock);
}

static void close_owners(struct hlist_head *head)
{
	struct nst_owner *owner;
	struct hlist_node *next;

	hlist_for_each_entry_safe(owner, next, head, node) {
		if (owner->users)
			continue;
		owner->users++;
		nst_owner_unuse(owner);
	}
}

/**
 * nst_memories_silence() - tell the namespace of nothing any more
 * @set: its set
 *
 * Keys may be given up while the namespace goes, by what is freed late: what it
 * is woken for can be cancelled behind this, and stays so.
 *
 * Context: process.
 */
void nst_memories_silence(struct nst_memories *set)
{
	spin_lock_bh(&set->lock);
	set->wake = NULL;
	spin_unlock_bh(&set->lock);
}

/**
 * nst_memories_close() - the namespace goes: forget everything
 * @set: its set; the caller's reference is given back
 *
 * Context: process, may sleep.
 */
void nst_memories_close(struct nst_memories *set)
{
	unsigned int i, steps = 0;
	struct rb_node *node;

	spin_lock_bh(&set->lock);
	set->closed = true;
	close_sessions(set, &steps);
	while ((node = rb_first(&set->memory)))
		close_memory(set, rb_entry(node, struct nst_memory, node),
			     &steps);
	for (i = 0; i < ARRAY_SIZE(set->owner); i++)
		close_owners(&set->owner[i]);
	spin_unlock_bh(&set->lock);
	rhashtable_destroy(&set->table);
	nst_memories_put(set);
}
