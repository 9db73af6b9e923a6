// SPDX-License-Identifier: GPL-2.0
/*
 * Owners: who is charged for what is remembered, and what floors he keeps of
 * memories that have ended.
 */
#include <linux/hash.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include "memory.h"

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
	INIT_LIST_HEAD(&owner->charged);
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
	bool was = claim->bytes;

	lockdep_assert_held(&set->lock);
	if (!bytes)
		return;
	if (owner->bytes)
		rb_erase(&owner->by_bytes, &set->by_bytes);
	claim->bytes += bytes;
	owner->bytes += bytes;
	set->bytes += bytes;
	if (owner->bytes)
		sort_in(set, owner);
	if (!was)
		list_add_tail(&claim->charged, &owner->charged);
	else if (!claim->bytes)
		list_del(&claim->charged);
}

/**
 * nst_owner_first() - what an owner can do without goes first, or does not
 * @claim: what he is charged for
 * @first: in front of all others, or behind them
 *
 * Context: any, under the set's lock.
 */
void nst_owner_first(struct nst_claim *claim, bool first)
{
	struct list_head *list = &claim->owner->charged;

	lockdep_assert_held(&claim->owner->set->lock);
	if (!claim->bytes)
		return;
	list_del(&claim->charged);
	if (first)
		list_add(&claim->charged, list);
	else
		list_add_tail(&claim->charged, list);
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
	sort_left(owner, claim);
	if (owner->nr_left <= owner->set->left_max)
		return NULL;
	lowest = rb_entry(rb_first(&owner->left), struct nst_claim, by_left);
	owner->given_up = max(owner->given_up, lowest->left);
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
	claim->has_left = false;
	claim->left = 0;
}
