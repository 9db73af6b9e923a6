// SPDX-License-Identifier: GPL-2.0
/*
 * Memories: one for each secret of a namespace, made when the first thing is
 * taken under it. What is taken is judged and remembered in one step.
 */
#include <linux/minmax.h>
#include <linux/slab.h>
#include "core/claim.h"
#include "core/forget.h"
#include "core/memory.h"
#include "core/owner.h"
#include "limits.h"

/* What a memory begins with, if @claim's owner makes it. */
static u64 floor_before(const struct nst_claim *claim)
{
	const struct nst_memory *mem = claim->mem;

	return max(claim->owner->given_up,
		   mem->nr_left || mem->nr_unsettled ? mem->left : 0);
}

static u64 floor_of_starts(const struct nst_claim *claim)
{
	const struct nst_memory *mem = claim->mem;

	lockdep_assert_held(&claim->owner->set->lock);
	return mem->made ? mem->starts.floor : floor_before(claim);
}

/**
 * nst_claim_floor() - up to which time a START is refused, whatever else it is
 * @claim: of the box key
 *
 * Context: process or softirq, does not sleep.
 * Return: a timestamp, ns; 0: none.
 */
u64 nst_claim_floor(struct nst_claim *claim)
{
	struct nst_memories *set = claim->owner->set;
	u64 floor;

	spin_lock_bh(&set->lock);
	floor = floor_of_starts(claim);
	spin_unlock_bh(&set->lock);
	return floor;
}

/* The first thing is taken. */
static void make(struct nst_claim *maker)
{
	struct nst_memory *mem = maker->mem;
	u64 floor = floor_before(maker);

	nst_starts_init(&mem->starts, floor);
	nst_sessions_init(&mem->sessions, floor);
	/* Who sees this sees the floors. */
	smp_store_release(&mem->made, true);
	if (mem->nr_left)
		nst_memory_unsettle(maker->owner->set, mem);
}

/**
 * nst_now_judge() - is a timestamp one that a memory of accepted ones can judge?
 * @now: the clocks
 * @timestamp: of a START or a datagram, not authenticated yet
 * @window_ns: how far it may be off, either way
 * @born: CLOCK_BOOTTIME in ns when the memory began
 *
 * What was sealed before the memory began may have been accepted before, and
 * nobody would know. Clocks may be anywhere.
 *
 * Context: any.
 * Return: NST_OK, NST_DROP_TIME_PAST, NST_DROP_TIME_FUTURE or
 * NST_DROP_CACHE_AGE.
 */
enum nst_drop nst_now_judge(const struct nst_now *now, u64 timestamp,
			    u64 window_ns, u64 born)
{
	u64 remembers = now->boot > born ? now->boot - born : 0;

	/* One from the future has a negative age. */
	if (timestamp > now->real)
		return timestamp - now->real > window_ns ?
		       NST_DROP_TIME_FUTURE : NST_OK;
	if (now->real - timestamp > window_ns)
		return NST_DROP_TIME_PAST;
	return now->real - timestamp >= remembers ? NST_DROP_CACHE_AGE :
						    NST_OK;
}

/**
 * nst_claim_judge_start() - may a START still be taken as fresh?
 * @claim: of the box key
 * @timestamp: of the START, not authenticated yet
 * @now: the clocks
 * @window: how far the timestamp may be off, either way, ns
 *
 * Whether it has been here before is not looked at: that is done in one step
 * with remembering it, by nst_claim_take_start(), after authentication.
 *
 * Context: process or softirq, does not sleep.
 * Return: NST_OK, NST_DROP_TIME_PAST, NST_DROP_TIME_FUTURE, NST_DROP_CACHE_AGE
 * or NST_DROP_CACHE_FLOOR.
 */
enum nst_drop nst_claim_judge_start(struct nst_claim *claim, u64 timestamp,
				    const struct nst_now *now, u64 window)
{
	struct nst_memories *set = claim->owner->set;
	enum nst_drop drop;

	drop = nst_now_judge(now, timestamp, window,
			     nst_memories_begin(set));
	if (drop)
		return drop;
	return timestamp > nst_claim_floor(claim) ? NST_OK :
						    NST_DROP_CACHE_FLOOR;
}

/*
 * Under the lock; @new is the memory's if NST_OK is returned. Of the owner's sessions
 * one dated ahead pushes out none that is not older than the clock.
 */
static enum nst_drop take_start(struct nst_claim *claim, struct nst_start *new,
				u64 real, const struct nst_bounds *bounds)
{
	u64 timestamp = new->timestamp;

	/* The key has left all of the owner's boxes meanwhile. */
	if (!claim->boxes || claim->owner->set->closed)
		return NST_DROP_NO_KID;
	if (timestamp <= floor_of_starts(claim))
		return NST_DROP_CACHE_FLOOR;
	if (!claim->mem->made)
		make(claim);
	if (!nst_starts_insert(&claim->mem->starts, new))
		return NST_DROP_REPLAYED;
	list_add_tail(&new->mine, &claim->starts);
	nst_owner_charge(claim, NST_START_BYTES);
	nst_memory_trim(claim, min(timestamp, real), bounds);
	return NST_OK;
}

/*
 * The record is off TCP's queue and cannot go back, and a worker that serves others
 * may be the one who takes it: a full cgroup pays beyond its limit, at once, instead
 * of holding him up. What an owner may hold bounds it, and only who has the key can
 * cause it.
 */
#define GFP_START	(GFP_ATOMIC | __GFP_ACCOUNT | __GFP_NOWARN)

/**
 * nst_claim_take_start() - take an authenticated START, once
 * @claim: of the box key that nst_claim_judge_start() judged it by
 * @timestamp: of the START
 * @nonce: of the START
 * @real: CLOCK_REALTIME in ns
 * @bounds: the namespace's settings
 *
 * The memory cgroup that is active pays: that of who made the socket.
 *
 * Context: process.
 * Return: NST_OK if it was new and is remembered now; NST_DROP_NO_KID;
 * NST_DROP_CACHE_FLOOR if the floor has risen above it meanwhile;
 * NST_DROP_REPLAYED; NST_DROP_NOMEM.
 */
enum nst_drop nst_claim_take_start(struct nst_claim *claim, u64 timestamp,
				   u64 nonce, u64 real,
				   const struct nst_bounds *bounds)
{
	struct nst_memories *set = claim->owner->set;
	struct nst_start *new = kmalloc(sizeof(*new), GFP_START);
	enum nst_drop drop;

	BUILD_BUG_ON(sizeof(*new) > NST_START_BYTES);
	BUILD_BUG_ON(sizeof(struct nst_memory) + sizeof(struct nst_claim) >
		     NST_MEMORY_BYTES);
	if (!new)
		return NST_DROP_NOMEM;
	new->timestamp = timestamp;
	new->nonce = nonce;
	new->claim = claim;
	spin_lock_bh(&set->lock);
	drop = take_start(claim, new, real, bounds);
	spin_unlock_bh(&set->lock);
	if (drop)
		kfree(new);
	return drop;
}

/**
 * nst_claim_session_floor() - the same of a datagram that has no session
 * @claim: of the box key
 *
 * A look without the lock, so that what anybody invents takes none: also where the
 * secret has no memory yet. What the floor was a moment ago is enough, for what is
 * taken is judged by it once more, under the lock.
 *
 * Context: process or softirq, does not sleep.
 * Return: a timestamp, ns; 0: none.
 */
u64 nst_claim_session_floor(const struct nst_claim *claim)
{
	const struct nst_memory *mem = claim->mem;
	u64 given_up;

	/* Pairs with make(). */
	if (smp_load_acquire(&mem->made))
		return READ_ONCE(mem->sessions.floor);
	given_up = READ_ONCE(claim->owner->given_up);
	if (!READ_ONCE(mem->nr_left) && !READ_ONCE(mem->nr_unsettled))
		return given_up;
	return max(given_up, READ_ONCE(mem->left));
}

/**
 * nst_claim_sessions() - of how many senders datagrams came within the window
 * @claim: of the box key
 *
 * A look without the lock, to be told: sessions of the secret, whose ever.
 *
 * Context: any.
 * Return: their number.
 */
unsigned int nst_claim_sessions(const struct nst_claim *claim)
{
	const struct nst_memory *mem = claim->mem;

	/* Pairs with make(). */
	return smp_load_acquire(&mem->made) ? READ_ONCE(mem->sessions.nr) : 0;
}

/**
 * nst_claim_judge_dgram() - may a datagram still be taken as fresh?
 * @claim: of the box key
 * @ses: its session, borrowed under RCU; NULL: there is none
 * @timestamp: of the datagram, not authenticated yet
 * @now: the clocks
 * @window: how far the timestamp may be off, either way, ns
 *
 * Context: process or softirq, does not sleep.
 * Return: as nst_claim_judge_start().
 */
enum nst_drop nst_claim_judge_dgram(struct nst_claim *claim,
				    const struct nst_session *ses,
				    u64 timestamp, const struct nst_now *now,
				    u64 window)
{
	enum nst_drop drop;
	u64 floor;

	drop = nst_now_judge(now, timestamp, window,
			     nst_memories_begin(claim->owner->set));
	if (drop)
		return drop;
	floor = ses ? ses->floor : nst_claim_session_floor(claim);
	return timestamp > floor ? NST_OK : NST_DROP_CACHE_FLOOR;
}

static bool above_floor(const struct nst_claim *claim,
			const struct nst_session *ses)
{
	const struct nst_memory *mem = claim->mem;

	lockdep_assert_held(&claim->owner->set->lock);
	return ses->newest > (mem->made ? mem->sessions.floor :
					  floor_before(claim));
}

static enum nst_drop bring_to_life(struct nst_claim *claim,
				   struct nst_session *new, u64 real,
				   const struct nst_bounds *bounds)
{
	enum nst_drop drop;

	/* Nothing is forgotten for what is refused anyhow. */
	if (!above_floor(claim, new))
		return NST_DROP_CACHE_FLOOR;
	drop = nst_memory_make_room(claim, min(new->newest, real), bounds);
	if (drop)
		return drop;
	if (!above_floor(claim, new))
		return NST_DROP_CACHE_FLOOR;
	if (!claim->mem->made)
		make(claim);
	new->claim = claim;
	list_add_tail(&new->mine, &claim->sessions);
	claim->nr_sessions++;
	claim->owner->nr_sessions++;
	nst_sessions_add(&claim->mem->sessions, new);
	nst_owner_charge(claim, NST_SESSION_BYTES);
	return NST_OK;
}

static enum nst_drop insert_session(struct nst_claim *claim,
				    struct nst_session *new, u64 real,
				    const struct nst_bounds *bounds)
{
	struct nst_memories *set = claim->owner->set;
	enum nst_drop drop;

	/* First of all, so that nothing is forgotten for want of memory. */
	if (nst_sessions_enter(&set->table, new))
		return NST_DROP_NOMEM;
	drop = bring_to_life(claim, new, real, bounds);
	if (drop) {
		nst_sessions_leave(&set->table, new);
		return drop;
	}
	nst_sessions_pair(&set->table, new);
	list_add_tail(&new->all, &set->sessions);
	if (!set->nr_sessions++ && set->wake)
		set->wake(set->wake_arg, NST_WAKE_EXPIRE);
	nst_stats_inc(set->stats, NST_MIB_UDP_SESSIONS);
	nst_stats_inc(set->stats, NST_MIB_RX_EPOCHS);
	return NST_OK;
}

static struct nst_session *find_same(struct nst_memories *set,
				     const struct nst_session *ses)
{
	struct nst_session_id id = {
		.name = ses->name, .context = ses->context,
		.context_len = ses->context_len,
	};
	struct nst_session *found;

	rcu_read_lock();
	found = nst_sessions_find(&set->table, &id);
	rcu_read_unlock();
	return found;
}

/* What is not needed of @new and @keys goes, when nobody looks at it any more. */
static enum nst_drop take_session(struct nst_claim *claim,
				  struct nst_session *new,
				  struct nst_session_keys *keys, u64 real,
				  const struct nst_bounds *bounds)
{
	struct nst_memories *set = claim->owner->set;
	struct nst_session *ses = find_same(set, new);
	enum nst_drop drop = NST_OK;

	lockdep_assert_held(&set->lock);
	if (!ses) {
		drop = insert_session(claim, new, real, bounds);
		ses = new;
	}
	if (ses != new || drop)
		nst_session_release(&new->free);
	if (drop || rcu_access_pointer(ses->keys)) {
		nst_session_release(&keys->free);
		return drop;
	}
	rcu_assign_pointer(ses->keys, keys);
	claim->mem->sessions.nr_keyed++;
	return NST_OK;
}

/**
 * nst_claim_take_session() - a session comes to life, or gets its keys back
 * @claim: of the box key
 * @new: from who has derived @keys; a datagram of it was authentic, which has still
 *	to be taken. The memory's, or freed
 * @keys: its keys; the session's, or freed
 * @real: CLOCK_REALTIME in ns
 * @bounds: the namespace's settings
 *
 * Context: process.
 * Return: NST_OK, and there is such a session, be it this one or another;
 * NST_DROP_NO_KID; NST_DROP_CACHE_FLOOR if the datagram is not above the floor any
 * more; NST_DROP_SESSION_FULL, _OWNER_FULL or _TOTAL_FULL if there is no room and
 * nothing that may be forgotten for it; NST_DROP_NOMEM.
 */
enum nst_drop nst_claim_take_session(struct nst_claim *claim,
				     struct nst_session *new,
				     struct nst_session_keys *keys, u64 real,
				     const struct nst_bounds *bounds)
{
	struct nst_memories *set = claim->owner->set;
	enum nst_drop drop;

	spin_lock_bh(&set->lock);
	/* The key has left all of the owner's boxes meanwhile. */
	if (!claim->boxes || set->closed) {
		nst_session_release(&new->free);
		nst_session_release(&keys->free);
		drop = NST_DROP_NO_KID;
	} else {
		drop = take_session(claim, new, keys, real, bounds);
	}
	spin_unlock_bh(&set->lock);
	return drop;
}

/**
 * nst_claim_place() - a session has taken a nonce far ahead
 * @claim: of the box key
 * @ses: the session, borrowed under RCU
 *
 * Context: any, under rcu_read_lock().
 */
void nst_claim_place(struct nst_claim *claim, struct nst_session *ses)
{
	struct nst_memories *set = claim->owner->set;

	spin_lock_bh(&set->lock);
	if (!READ_ONCE(ses->dead))
		nst_sessions_place(&claim->mem->sessions, ses);
	spin_unlock_bh(&set->lock);
}

/**
 * nst_claim_follows() - may a datagram be of a known sender's next epoch?
 * @claim: of the box key
 * @nonce: of the datagram, which has no session
 *
 * A flood of what nobody knows takes no lock.
 *
 * Context: any, under rcu_read_lock().
 */
bool nst_claim_follows(struct nst_claim *claim, u64 nonce)
{
	struct nst_memories *set = claim->owner->set;
	bool follows;

	/* Pairs with make(). */
	if (!smp_load_acquire(&claim->mem->made) ||
	    nst_sessions_none_near(&claim->mem->sessions, nonce))
		return false;
	spin_lock_bh(&set->lock);
	follows = claim->mem->made &&
		  nst_sessions_follows(&claim->mem->sessions, nonce);
	spin_unlock_bh(&set->lock);
	return follows;
}
