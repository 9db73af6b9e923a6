// SPDX-License-Identifier: GPL-2.0
/*
 * Owners: who is charged for what is remembered, and what floors he keeps of
 * memories that have ended.
 */
#include <linux/hash.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/uidgid.h>
#include <linux/user_namespace.h>
#include "core/owner.h"
#include "limits.h"

/**
 * nst_owner_id() - who acts, as a user namespace knows him
 * @top: that user namespace
 * @ns: where he acts
 * @uid: who he is there
 *
 * In one below @top all count as who made the first of them, whatever subordinate
 * ids they have. Who came from outside is who he is there.
 *
 * Context: any.
 * Return: a kuid.
 */
u64 nst_owner_id(const struct user_namespace *top,
		 const struct user_namespace *ns, kuid_t uid)
{
	kuid_t maker = uid;

	for (; ns && ns != top; ns = ns->parent)
		maker = ns->owner;
	return __kuid_val(ns ? maker : uid);
}

static struct hlist_head *chain(struct nst_memories *set, u64 id)
{
	return &set->owner[hash_64(id, NST_OWNER_BITS)];
}

static struct nst_owner *find(struct nst_memories *set, u64 id)
{
	struct nst_owner *owner;

	lockdep_assert_held(&set->lock);
	hlist_for_each_entry(owner, chain(set, id), node)
		if (owner->id == id)
			return owner;
	return NULL;
}

static void add(struct nst_memories *set, struct nst_owner *owner, u64 id)
{
	refcount_inc(&set->ref);
	owner->set = set;
	owner->id = id;
	owner->charged = RB_ROOT;
	owner->left = RB_ROOT;
	hlist_add_head(&owner->node, chain(set, id));
}

/**
 * nst_owner_get() - the owner of that name
 * @set: of the namespace
 * @id: a kuid, or NST_OWNER_NETNS
 *
 * Context: process.
 * Return: an owner with one user more, the caller; NULL without memory.
 */
struct nst_owner *nst_owner_get(struct nst_memories *set, u64 id)
{
	struct nst_owner *new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	struct nst_owner *owner;

	if (!new)
		return NULL;
	spin_lock_bh(&set->lock);
	owner = find(set, id);
	if (!owner) {
		owner = new;
		new = NULL;
		add(set, owner, id);
	}
	owner->users++;
	spin_unlock_bh(&set->lock);
	kfree(new);
	return owner;
}

/**
 * nst_owner_unuse() - one user less
 * @owner: freed if that was the last and there is nothing to remember
 *
 * Context: any, under the set's lock, whose reference the caller holds apart.
 */
void nst_owner_unuse(struct nst_owner *owner)
{
	struct nst_memories *set = owner->set;

	lockdep_assert_held(&set->lock);
	if (--owner->users || (owner->given_up && !set->closed))
		return;
	hlist_del(&owner->node);
	kfree(owner);
	/* Not the last: the caller has one. */
	refcount_dec(&set->ref);
}

/**
 * nst_owner_put() - give back what nst_owner_get() gave
 * @owner: the owner
 *
 * Context: any.
 */
void nst_owner_put(struct nst_owner *owner)
{
	struct nst_memories *set = owner->set;

	refcount_inc(&set->ref);
	spin_lock_bh(&set->lock);
	nst_owner_unuse(owner);
	spin_unlock_bh(&set->lock);
	nst_memories_put(set);
}

/* The one at @at in its chain. */
static const struct nst_owner *nth(const struct nst_memories *set,
				   const unsigned int at[2])
{
	const struct nst_owner *owner;
	unsigned int i = 0;

	lockdep_assert_held(&set->lock);
	hlist_for_each_entry(owner, &set->owner[at[0]], node)
		if (i++ == at[1])
			return owner;
	return NULL;
}

static bool look_at(struct nst_memories *set, const unsigned int at[2],
		    struct nst_owner_look *look)
{
	const struct nst_owner *owner;
	u64 rest;

	spin_lock_bh(&set->lock);
	owner = nth(set, at);
	if (owner) {
		rest = owner->bytes -
		       (u64)owner->nr_sessions * NST_SESSION_BYTES -
		       (u64)owner->nr_idle * NST_MEMORY_BYTES;
		*look = (struct nst_owner_look){
			.id = owner->id, .bytes = owner->bytes,
			.sessions = owner->nr_sessions,
			.starts = rest / NST_START_BYTES,
			.floors = owner->nr_left,
		};
	}
	spin_unlock_bh(&set->lock);
	return owner;
}

/**
 * nst_owner_look() - what the next owner holds
 * @set: of the namespace
 * @at: where to go on; zeros at first
 * @look: receives it
 *
 * One that is there all the time is told once, if no other comes or goes meanwhile.
 *
 * Context: process.
 * Return: false if there is none any more.
 */
bool nst_owner_look(struct nst_memories *set, unsigned int at[2],
		    struct nst_owner_look *look)
{
	for (; at[0] < ARRAY_SIZE(set->owner); at[0]++, at[1] = 0) {
		if (look_at(set, at, look)) {
			at[1]++;
			return true;
		}
	}
	return false;
}

static void sort_in(struct nst_memories *set, struct nst_owner *new)
{
	struct rb_node **link = &set->by_bytes.rb_node, *parent = NULL;
	struct nst_owner *owner;

	while (*link) {
		parent = *link;
		owner = rb_entry(parent, struct nst_owner, by_bytes);
		link = new->bytes < owner->bytes ? &parent->rb_left :
						   &parent->rb_right;
	}
	rb_link_node(&new->by_bytes, parent, link);
	rb_insert_color(&new->by_bytes, &set->by_bytes);
}

/* What no box needs goes first, then of what there is most. */
static u64 weight(const struct nst_claim *claim)
{
	return claim->mem->payer == claim ? U64_MAX : claim->bytes;
}

static void sort_claim(struct nst_owner *owner, struct nst_claim *new)
{
	struct rb_node **link = &owner->charged.rb_node, *parent = NULL;
	struct nst_claim *claim;

	while (*link) {
		parent = *link;
		claim = rb_entry(parent, struct nst_claim, charged);
		link = weight(new) < weight(claim) ? &parent->rb_left :
						     &parent->rb_right;
	}
	rb_link_node(&new->charged, parent, link);
	rb_insert_color(&new->charged, &owner->charged);
}

/**
 * nst_owner_charge() - an owner holds more, or less
 * @claim: what for
 * @bytes: how much more; below 0: less
 *
 * Context: any, under the set's lock.
 */
void nst_owner_charge(struct nst_claim *claim, s64 bytes)
{
	struct nst_owner *owner = claim->owner;
	struct nst_memories *set = owner->set;

	lockdep_assert_held(&set->lock);
	if (!bytes)
		return;
	if (owner->bytes)
		rb_erase(&owner->by_bytes, &set->by_bytes);
	if (claim->bytes)
		rb_erase(&claim->charged, &owner->charged);
	claim->bytes += bytes;
	owner->bytes += bytes;
	set->bytes += bytes;
	if (owner->bytes)
		sort_in(set, owner);
	if (claim->bytes)
		sort_claim(owner, claim);
}

/**
 * nst_owner_pay() - who is charged for a memory that no box needs?
 * @mem: the memory
 * @payer: he, from now on; NULL: nobody, a box has the secret
 *
 * Context: any, under the set's lock.
 */
void nst_owner_pay(struct nst_memory *mem, struct nst_claim *payer)
{
	struct nst_claim *former = mem->payer;

	mem->payer = payer;
	if (former)
		former->owner->nr_idle--;
	if (payer)
		payer->owner->nr_idle++;
	/* What they hold changes, so they find their places by who pays now. */
	if (former)
		nst_owner_charge(former, -NST_MEMORY_BYTES);
	if (payer)
		nst_owner_charge(payer, NST_MEMORY_BYTES);
}

/**
 * nst_owner_first() - for what should an owner do with less first?
 * @owner: holds something
 *
 * Context: any, under the set's lock.
 */
struct nst_claim *nst_owner_first(struct nst_owner *owner)
{
	lockdep_assert_held(&owner->set->lock);
	return rb_entry(rb_last(&owner->charged), struct nst_claim, charged);
}

/**
 * nst_owner_next() - and for what behind that?
 * @claim: of nst_owner_first() or this
 *
 * Context: any, under the set's lock.
 * Return: NULL if there is nothing else.
 */
struct nst_claim *nst_owner_next(const struct nst_claim *claim)
{
	lockdep_assert_held(&claim->owner->set->lock);
	return rb_entry_safe(rb_prev(&claim->charged), struct nst_claim,
			     charged);
}

/**
 * nst_owner_biggest() - the owner that holds most
 * @set: of the namespace
 *
 * Context: any, under the set's lock.
 * Return: NULL if nobody holds anything.
 */
struct nst_owner *nst_owner_biggest(struct nst_memories *set)
{
	lockdep_assert_held(&set->lock);
	return rb_entry_safe(rb_last(&set->by_bytes), struct nst_owner,
			     by_bytes);
}

static void sort_left(struct nst_owner *owner, struct nst_claim *new)
{
	struct rb_node **link = &owner->left.rb_node, *parent = NULL;
	struct nst_claim *claim;

	while (*link) {
		parent = *link;
		claim = rb_entry(parent, struct nst_claim, by_left);
		link = new->left < claim->left ? &parent->rb_left :
						 &parent->rb_right;
	}
	rb_link_node(&new->by_left, parent, link);
	rb_insert_color(&new->by_left, &owner->left);
	owner->nr_left++;
}

/**
 * nst_owner_leave() - a memory has ended: its owner keeps a floor for a later one
 * @claim: the owner's on that memory
 * @floor: what the memory leaves
 *
 * Context: any, under the set's lock.
 * Return: the claim whose floor the owner gave up for that, maybe this one; it
 * keeps nothing any more. NULL: he could keep all of them.
 */
struct nst_claim *nst_owner_leave(struct nst_claim *claim, u64 floor)
{
	struct nst_owner *owner = claim->owner;
	struct nst_claim *lowest;

	lockdep_assert_held(&owner->set->lock);
	claim->left = floor;
	claim->has_left = true;
	WRITE_ONCE(claim->mem->left, floor);
	WRITE_ONCE(claim->mem->nr_left, claim->mem->nr_left + 1);
	sort_left(owner, claim);
	if (owner->nr_left <= owner->set->left_max)
		return NULL;
	lowest = rb_entry(rb_first(&owner->left), struct nst_claim, by_left);
	/* One that is not settled: its memory knows more than it keeps. */
	if (lowest->life == lowest->mem->life)
		WRITE_ONCE(owner->given_up,
			   max(owner->given_up, lowest->left));
	nst_owner_unleave(lowest);
	return lowest;
}

/**
 * nst_owner_unleave() - a floor need not be kept any more
 * @claim: one that keeps a floor
 *
 * Context: any, under the set's lock.
 */
void nst_owner_unleave(struct nst_claim *claim)
{
	struct nst_owner *owner = claim->owner;

	lockdep_assert_held(&owner->set->lock);
	rb_erase(&claim->by_left, &owner->left);
	owner->nr_left--;
	WRITE_ONCE(claim->mem->nr_left, claim->mem->nr_left - 1);
	claim->has_left = false;
	claim->left = 0;
}
