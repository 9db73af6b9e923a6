// SPDX-License-Identifier: GPL-2.0
/*
 * What is done for memories from time to time, in process context and in steps with
 * bottom halves on between: what is too old goes, keys that no box needs are given
 * up, claims are settled; and the end of all.
 */
#include <linux/sched.h>
#include <linux/slab.h>
#include "core/claim.h"
#include "core/forget.h"
#include "core/owner.h"
#include "core/upkeep.h"

/* Memories or sessions that one step looks at: not many, because a lock is held. */
#define EXPIRE_STEP	32

/* Looks at @nr sessions, whose ever. */
static void expire_sessions(struct nst_memories *set, unsigned int nr,
			    u64 real, u64 window)
{
	struct nst_session *ses;

	while (nr-- && !list_empty(&set->sessions)) {
		ses = list_first_entry(&set->sessions, struct nst_session, all);
		list_move_tail(&ses->all, &set->sessions);
		if (nst_session_expire(ses, real, window))
			nst_memory_forget_session(set, ses);
	}
}

static bool is_over(const struct nst_memory *mem, const struct nst_now *now,
		    u64 window)
{
	u64 newest = nst_memory_newest(mem);

	return !mem->sessions.nr && newest < now->real && now->real - newest > window &&
	       now->boot >= mem->unheld && now->boot - mem->unheld >= 2 * window;
}

/* One that is over ends, when the last of its STARTs has gone. Returns whether it has. */
static bool end_step(struct nst_memories *set, struct nst_memory *mem)
{
	unsigned int i;

	for (i = 0; i < EXPIRE_STEP; i++)
		if (!nst_memory_forget_start(mem)) {
			nst_memory_end(set, mem);
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
		nst_memory_forget_session(set, list_first_entry(&set->sessions,
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
