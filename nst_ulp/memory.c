// SPDX-License-Identifier: GPL-2.0
/*
 * Memories: one for each secret of a namespace, made when the first thing is
 * taken under it, and ended when no box has held it for long enough.
 */
#include <linux/minmax.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/nst.h>
#include "limits.h"
#include "memory.h"

/*
 * How much one call forgets at most. More than one, so that what is over a
 * bound that was lowered shrinks; not many, because a lock is held.
 */
#define FORGET_MAX	32

/* Memories that one step of expiring looks at, as above. */
#define EXPIRE_STEP	32

/* CLOCK_BOOTTIME in ns when this machine was last cloned; 0: never. */
static u64 cloned;

/**
 * nst_memories_alloc() - begin to remember
 * @boot: CLOCK_BOOTTIME in ns
 * @wake: called when nst_memories_expire() has something to do; any context,
 *	under the lock
 * @arg: passed to @wake
 *
 * Context: process.
 * Return: a set without memories; NULL without memory.
 */
struct nst_memories *nst_memories_alloc(u64 boot,
					void (*wake)(void *arg), void *arg)
{
	struct nst_memories *set = kvzalloc(sizeof(*set), GFP_KERNEL_ACCOUNT);

	if (!set)
		return NULL;
	refcount_set(&set->ref, 1);
	set->born = boot;
	set->wake = wake;
	set->wake_arg = arg;
	set->left_max = NST_LEFT_MAX;
	get_random_bytes(set->key, sizeof(set->key));
	spin_lock_init(&set->lock);
	set->by_bytes = RB_ROOT;
	INIT_LIST_HEAD(&set->idle);
	return set;
}

/**
 * nst_memories_put() - give a reference back
 * @set: the set
 *
 * Context: any.
 */
void nst_memories_put(struct nst_memories *set)
{
	if (refcount_dec_and_test(&set->ref))
		kvfree(set);
}

/**
 * nst_memories_cloned() - this machine may have a twin from now on
 * @boot: CLOCK_BOOTTIME in ns
 *
 * What was sealed before that may have been taken by the twin.
 *
 * Context: any.
 */
void nst_memories_cloned(u64 boot)
{
	WRITE_ONCE(cloned, boot);
}

static struct hlist_head *chain(struct nst_memories *set,
				const struct nst_secret_name *name)
{
	u64 first = name->half[0] >> (64 - NST_MEMORY_BITS);

	return &set->memory[first];
}

/* The memory is of no use to anybody any more. */
static void unref(struct nst_memory *mem)
{
	if (--mem->refs)
		return;
	hlist_del_init(&mem->node);
	kfree(mem);
}

static void free_claim(struct nst_claim *claim)
{
	unref(claim->mem);
	nst_owner_unuse(claim->owner);
	kfree(claim);
}

static void unlink_claim(struct nst_claim *claim)
{
	list_del_init(&claim->node);
	if (!claim->users)
		free_claim(claim);
}

/* No box of the owner has the secret, and no trace of that is needed. */
static void unlink_unused(struct nst_claim *claim)
{
	if (!claim->boxes && !claim->mem->made && !claim->has_left &&
	    !list_empty(&claim->node))
		unlink_claim(claim);
}

static struct nst_secret_name name_of(const struct nst_memories *set,
				      const u8 *secret)
{
	struct nst_secret_name name;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(name.half); i++)
		name.half[i] = siphash(secret, NST_KEY_SIZE, &set->key[i]);
	return name;
}

static struct nst_memory *find(struct nst_memories *set,
			       const struct nst_secret_name *name)
{
	struct nst_memory *mem;

	lockdep_assert_held(&set->lock);
	hlist_for_each_entry(mem, chain(set, name), node)
		if (!memcmp(&mem->name, name, sizeof(*name)))
			return mem;
	return NULL;
}

static struct nst_claim *claim_of(struct nst_memory *mem,
				  const struct nst_owner *owner)
{
	struct nst_claim *claim;

	list_for_each_entry(claim, &mem->claims, node)
		if (claim->owner == owner)
			return claim;
	return NULL;
}

/* Nobody knows it yet. */
static void init_memory(struct nst_memories *set, struct nst_memory *mem,
			const struct nst_secret_name *name)
{
	mem->name = *name;
	INIT_LIST_HEAD(&mem->claims);
	hlist_add_head(&mem->node, chain(set, name));
}

static void init_claim(struct nst_claim *claim, struct nst_owner *owner,
		       struct nst_memory *mem)
{
	claim->owner = owner;
	owner->users++;
	claim->mem = mem;
	mem->refs++;
	list_add_tail(&claim->node, &mem->claims);
}

/* No box has the secret any more: the memory can go before others. */
static void begin_idle(struct nst_memories *set, struct nst_claim *payer,
		       u64 boot)
{
	struct nst_memory *mem = payer->mem;
	struct nst_claim *claim;

	mem->unheld = boot;
	mem->payer = payer;
	list_add_tail(&mem->idle, &set->idle);
	set->nr_idle++;
	nst_owner_charge(payer, NST_MEMORY_BYTES);
	list_for_each_entry(claim, &mem->claims, node)
		nst_owner_first(claim, true);
	if (set->wake)
		set->wake(set->wake_arg);
}

static void end_idle(struct nst_memories *set, struct nst_memory *mem)
{
	struct nst_claim *claim;

	list_del(&mem->idle);
	set->nr_idle--;
	nst_owner_charge(mem->payer, -NST_MEMORY_BYTES);
	mem->payer = NULL;
	list_for_each_entry(claim, &mem->claims, node)
		nst_owner_first(claim, false);
}

static void hold(struct nst_claim *claim)
{
	struct nst_memory *mem = claim->mem;

	claim->boxes++;
	if (!mem->boxes++ && mem->payer)
		end_idle(claim->owner->set, mem);
}

/**
 * nst_claim_new() - a box has a secret
 * @owner: of the box
 * @secret: NST_KEY_SIZE bytes; borrowed
 *
 * Context: process.
 * Return: the owner's claim, with one user and one box more; NULL without
 * memory.
 */
struct nst_claim *nst_claim_new(struct nst_owner *owner, const u8 *secret)
{
	struct nst_claim *claim, *new_claim = kzalloc(sizeof(*new_claim),
						      GFP_KERNEL_ACCOUNT);
	struct nst_memory *mem, *new_mem = kzalloc(sizeof(*new_mem),
						   GFP_KERNEL_ACCOUNT);
	struct nst_memories *set = owner->set;
	struct nst_secret_name name = name_of(set, secret);

	if (!new_claim || !new_mem) {
		kfree(new_claim);
		kfree(new_mem);
		return NULL;
	}
	spin_lock_bh(&set->lock);
	mem = find(set, &name);
	if (!mem) {
		mem = new_mem;
		new_mem = NULL;
		init_memory(set, mem, &name);
	}
	claim = claim_of(mem, owner);
	if (!claim) {
		claim = new_claim;
		new_claim = NULL;
		init_claim(claim, owner, mem);
	}
	claim->users++;
	hold(claim);
	spin_unlock_bh(&set->lock);
	kfree(new_claim);
	kfree(new_mem);
	return claim;
}

/**
 * nst_claim_hold() - another box of the owner has the secret
 * @claim: of a box that has it
 *
 * Context: any.
 */
void nst_claim_hold(struct nst_claim *claim)
{
	struct nst_memories *set = claim->owner->set;

	spin_lock_bh(&set->lock);
	hold(claim);
	spin_unlock_bh(&set->lock);
}

/**
 * nst_claim_release() - a box has gone
 * @claim: on a secret that it had; the caller is a user of it
 * @boot: CLOCK_BOOTTIME in ns
 *
 * Context: any.
 */
void nst_claim_release(struct nst_claim *claim, u64 boot)
{
	struct nst_memories *set = claim->owner->set;
	struct nst_memory *mem = claim->mem;

	spin_lock_bh(&set->lock);
	claim->boxes--;
	if (!--mem->boxes && mem->made)
		begin_idle(set, claim, boot);
	unlink_unused(claim);
	spin_unlock_bh(&set->lock);
}

/**
 * nst_claim_put() - a box key does not refer to it any more
 * @claim: what nst_claim_new() gave
 *
 * Context: any.
 */
void nst_claim_put(struct nst_claim *claim)
{
	struct nst_memories *set = claim->owner->set;

	refcount_inc(&set->ref);
	spin_lock_bh(&set->lock);
	if (!--claim->users && list_empty(&claim->node))
		free_claim(claim);
	spin_unlock_bh(&set->lock);
	nst_memories_put(set);
}

/* What a memory begins with, if @claim's owner makes it. */
static u64 floor_before(const struct nst_claim *claim)
{
	u64 floor = claim->owner->given_up;
	const struct nst_claim *other;

	list_for_each_entry(other, &claim->mem->claims, node)
		floor = max(floor, other->left);
	return floor;
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
	struct nst_claim *claim;

	nst_starts_init(&mem->starts, floor_before(maker));
	mem->made = true;
	list_for_each_entry(claim, &mem->claims, node)
		if (claim->has_left)
			nst_owner_unleave(claim);
}

/* The newest timestamp that may have been taken. */
static u64 newest_of(const struct nst_memory *mem)
{
	return nst_starts_newest(&mem->starts);
}

/* Gives everything back; what it remembers in detail is the caller's. */
static void empty(struct nst_memories *set, struct nst_memory *mem,
		  struct rb_root *starts)
{
	struct nst_claim *claim;

	if (mem->payer)
		end_idle(set, mem);
	list_for_each_entry(claim, &mem->claims, node)
		nst_owner_charge(claim, -(s64)claim->bytes);
	*starts = mem->starts.root;
	nst_starts_init(&mem->starts, 0);
	mem->made = false;
}

/* An idle memory ends; each owner that held the secret keeps a floor. */
static void end(struct nst_memories *set, struct nst_memory *mem,
		struct rb_root *starts)
{
	struct nst_claim *claim, *next, *lost;
	u64 floor = newest_of(mem);

	lockdep_assert_held(&set->lock);
	mem->refs++;
	empty(set, mem, starts);
	/* What is lost is of the same owner, and so never the next here. */
	list_for_each_entry_safe(claim, next, &mem->claims, node) {
		lost = nst_owner_leave(claim, floor);
		if (lost)
			unlink_unused(lost);
	}
	unref(mem);
}

static void forget_start(struct nst_memory *mem)
{
	struct nst_start *start = nst_starts_forget(&mem->starts);

	if (!start)
		return;
	nst_owner_charge(start->claim, -NST_START_BYTES);
	kfree(start);
}

/* An owner has to do with less: what no box needs goes first. */
static void give_way(struct nst_memories *set, struct nst_owner *owner)
{
	struct nst_claim *claim = list_first_entry(&owner->charged,
						   struct nst_claim, charged);
	struct nst_memory *mem = claim->mem;
	struct rb_root none;

	if (mem->starts.nr)
		forget_start(mem);
	else
		end(set, mem, &none);
}

/* Brings what @claim's owner has just added to under all bounds. */
static void trim(struct nst_claim *claim, const struct nst_bounds *bounds)
{
	struct nst_owner *owner = claim->owner;
	struct nst_memories *set = owner->set;
	unsigned int i;

	for (i = 0; i < FORGET_MAX; i++) {
		if (claim->mem->starts.nr > bounds->starts)
			forget_start(claim->mem);
		else if (owner->bytes > bounds->owner_bytes)
			give_way(set, owner);
		else if (set->bytes > bounds->total_bytes)
			give_way(set, nst_owner_biggest(set));
		else
			break;
	}
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
			     max(set->born, READ_ONCE(cloned)));
	if (drop)
		return drop;
	return timestamp > nst_claim_floor(claim) ? NST_OK :
						    NST_DROP_CACHE_FLOOR;
}

/* Under the lock; @new is the memory's if NST_OK is returned. */
static enum nst_drop take_start(struct nst_claim *claim, struct nst_start *new,
				const struct nst_bounds *bounds)
{
	/* The key has left all of the owner's boxes meanwhile. */
	if (!claim->boxes || claim->owner->set->closed)
		return NST_DROP_NO_KID;
	if (new->timestamp <= floor_of_starts(claim))
		return NST_DROP_CACHE_FLOOR;
	if (!claim->mem->made)
		make(claim);
	if (!nst_starts_insert(&claim->mem->starts, new))
		return NST_DROP_REPLAYED;
	nst_owner_charge(claim, NST_START_BYTES);
	trim(claim, bounds);
	return NST_OK;
}

/**
 * nst_claim_take_start() - take an authenticated START, once
 * @claim: of the box key that nst_claim_judge_start() judged it by
 * @timestamp: of the START
 * @nonce: of the START
 * @bounds: the namespace's settings
 *
 * Context: process, may sleep.
 * Return: NST_OK if it was new and is remembered now; NST_DROP_NO_KID;
 * NST_DROP_CACHE_FLOOR if the floor has risen above it meanwhile;
 * NST_DROP_REPLAYED; NST_DROP_NOMEM.
 */
enum nst_drop nst_claim_take_start(struct nst_claim *claim, u64 timestamp,
				   u64 nonce, const struct nst_bounds *bounds)
{
	struct nst_memories *set = claim->owner->set;
	struct nst_start *new = kmalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
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
	drop = take_start(claim, new, bounds);
	spin_unlock_bh(&set->lock);
	if (drop)
		kfree(new);
	return drop;
}

static bool is_over(const struct nst_memory *mem, const struct nst_now *now,
		    u64 window)
{
	u64 newest = newest_of(mem);

	return newest < now->real && now->real - newest > window &&
	       now->boot >= mem->unheld && now->boot - mem->unheld >= 2 * window;
}

/* Looks at @nr idle memories; stops behind one that leaves something to free. */
static unsigned int expire_step(struct nst_memories *set, unsigned int nr,
				const struct nst_now *now, u64 window,
				struct rb_root *starts)
{
	unsigned int i;

	lockdep_assert_held(&set->lock);
	for (i = 0; i < nr && !list_empty(&set->idle); i++) {
		struct nst_memory *mem = list_first_entry(&set->idle,
							  struct nst_memory,
							  idle);

		list_move_tail(&mem->idle, &set->idle);
		if (!is_over(mem, now, window))
			continue;
		end(set, mem, starts);
		if (!RB_EMPTY_ROOT(starts))
			return i + 1;
	}
	return i;
}

/**
 * nst_memories_expire() - end the memories that have done their time
 * @set: of a namespace
 * @now: the clocks
 * @bounds: the namespace's settings
 *
 * Context: process, may sleep.
 * Return: true if some are left that may end later.
 */
bool nst_memories_expire(struct nst_memories *set, const struct nst_now *now,
			 const struct nst_bounds *bounds)
{
	unsigned int left = READ_ONCE(set->nr_idle), nr;
	struct rb_root starts = RB_ROOT;

	while (left) {
		spin_lock_bh(&set->lock);
		nr = expire_step(set, min_t(unsigned int, left, EXPIRE_STEP),
				 now, bounds->window, &starts);
		spin_unlock_bh(&set->lock);
		if (!nr)
			break;
		left -= nr;
		nst_starts_free(&starts);
		cond_resched();
	}
	return READ_ONCE(set->nr_idle);
}

/* One memory of a namespace that has gone. Box keys may still refer to it. */
static void close_memory(struct nst_memories *set, struct nst_memory *mem)
{
	struct nst_claim *claim, *next;
	struct rb_root starts;

	mem->refs++;
	empty(set, mem, &starts);
	list_for_each_entry_safe(claim, next, &mem->claims, node) {
		if (claim->has_left)
			nst_owner_unleave(claim);
		unlink_claim(claim);
	}
	hlist_del_init(&mem->node);
	unref(mem);
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
	unsigned int i;

	spin_lock_bh(&set->lock);
	set->closed = true;
	for (i = 0; i < ARRAY_SIZE(set->memory); i++)
		while (!hlist_empty(&set->memory[i]))
			close_memory(set, hlist_entry(set->memory[i].first,
						      struct nst_memory, node));
	for (i = 0; i < ARRAY_SIZE(set->owner); i++)
		close_owners(&set->owner[i]);
	spin_unlock_bh(&set->lock);
	nst_memories_put(set);
}
