// SPDX-License-Identifier: GPL-2.0
/*
 * Claims: whose boxes have a secret, or had it, and with them the life of a
 * memory's place in its set.
 */
#include <linux/mm.h>
#include <linux/siphash.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/nst.h>
#include "core/claim.h"
#include "core/owner.h"
#include "limits.h"

/**
 * nst_memory_remove() - a memory is not found any more
 * @set: the set
 * @mem: its memory, maybe not found any more already
 *
 * Context: any, under the set's lock.
 */
void nst_memory_remove(struct nst_memories *set, struct nst_memory *mem)
{
	if (RB_EMPTY_NODE(&mem->node))
		return;
	rb_erase(&mem->node, &set->memory);
	RB_CLEAR_NODE(&mem->node);
}

/**
 * nst_memory_unref() - a claim less
 * @set: the set
 * @mem: its memory; freed if that was the last
 *
 * Context: any, under the set's lock.
 */
void nst_memory_unref(struct nst_memories *set, struct nst_memory *mem)
{
	if (--mem->refs)
		return;
	nst_memory_remove(set, mem);
	list_del(&mem->settling);
	kfree(mem);
}

static void free_claim(struct nst_claim *claim)
{
	nst_memory_unref(claim->owner->set, claim->mem);
	nst_owner_unuse(claim->owner);
	kfree(claim);
}

/**
 * nst_claim_unlink() - it is of no meaning any more
 * @claim: the claim; freed if no box key refers to it
 *
 * Context: any, under the set's lock.
 */
void nst_claim_unlink(struct nst_claim *claim)
{
	struct nst_memory *mem = claim->mem;

	list_del_init(&claim->node);
	rb_erase(&claim->by_owner, &mem->by_owner);
	mem->nr_claims--;
	if (claim->life != mem->life)
		WRITE_ONCE(mem->nr_unsettled, mem->nr_unsettled - 1);
	if (!claim->users)
		free_claim(claim);
}

/**
 * nst_claim_unlink_unused() - the same, if no trace of it is needed
 * @claim: maybe one whose owner's boxes have the secret
 *
 * Context: any, under the set's lock.
 */
void nst_claim_unlink_unused(struct nst_claim *claim)
{
	if (!claim->boxes && !claim->mem->made && !claim->has_left &&
	    claim->life == claim->mem->life && !list_empty(&claim->node))
		nst_claim_unlink(claim);
}

/* What has become of the memory, for one of its claims. */
static void settle(struct nst_claim *claim)
{
	struct nst_memory *mem = claim->mem;
	struct nst_claim *lost = NULL;

	list_move_tail(&claim->node, &mem->claims);
	claim->life = mem->life;
	WRITE_ONCE(mem->nr_unsettled, mem->nr_unsettled - 1);
	if (claim->has_left)
		nst_owner_unleave(claim);
	if (!mem->made)
		lost = nst_owner_leave(claim, mem->left);
	if (lost)
		nst_claim_unlink_unused(lost);
}

/**
 * nst_memory_settle() - tell some more claims what has become of their memory
 * @set: the set
 * @mem: its memory
 *
 * Context: any, under the set's lock.
 */
void nst_memory_settle(struct nst_memories *set, struct nst_memory *mem)
{
	unsigned int i;

	lockdep_assert_held(&set->lock);
	mem->refs++;
	for (i = 0; i < NST_SETTLE_STEP && mem->nr_unsettled; i++)
		settle(list_first_entry(&mem->claims, struct nst_claim, node));
	if (!mem->nr_unsettled)
		list_del_init(&mem->settling);
	nst_memory_unref(set, mem);
}

/**
 * nst_memory_unsettle() - a memory was made, or has ended
 * @set: the set
 * @mem: its memory
 *
 * Each owner that held the secret keeps what a memory leaves, until there is one
 * again. They may be many: some are told at once, the others by
 * nst_memories_settle(). Until then @mem knows what is left, and none of them is
 * forgotten.
 *
 * Context: any, under the set's lock.
 */
void nst_memory_unsettle(struct nst_memories *set, struct nst_memory *mem)
{
	lockdep_assert_held(&set->lock);
	mem->life++;
	WRITE_ONCE(mem->nr_unsettled, mem->nr_claims);
	if (list_empty(&mem->settling))
		list_add_tail(&mem->settling, &set->settling);
	mem->refs++;
	nst_memory_settle(set, mem);
	if (mem->nr_unsettled && set->wake)
		set->wake(set->wake_arg, NST_WAKE_PARK);
	nst_memory_unref(set, mem);
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

/*
 * Where the memory of that name is, or would be: below @parent then. A tree, so that
 * however many secrets somebody has, he makes nobody else's look much longer.
 */
static struct rb_node **place(struct nst_memories *set,
			      const struct nst_secret_name *name,
			      struct rb_node **parent)
{
	struct rb_node **link = &set->memory.rb_node;
	int order;

	lockdep_assert_held(&set->lock);
	*parent = NULL;
	while (*link) {
		order = memcmp(name, &rb_entry(*link, struct nst_memory,
					       node)->name, sizeof(*name));
		if (!order)
			break;
		*parent = *link;
		link = order < 0 ? &(*link)->rb_left : &(*link)->rb_right;
	}
	return link;
}

static struct nst_claim *claim_of(const struct nst_memory *mem,
				  const struct nst_owner *owner)
{
	struct rb_node *node = mem->by_owner.rb_node;
	struct nst_claim *claim;

	while (node) {
		claim = rb_entry(node, struct nst_claim, by_owner);
		if (claim->owner == owner)
			return claim;
		node = owner < claim->owner ? node->rb_left : node->rb_right;
	}
	return NULL;
}

static void sort_in(struct nst_memory *mem, struct nst_claim *new)
{
	struct rb_node **link = &mem->by_owner.rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = new->owner < rb_entry(parent, struct nst_claim,
					     by_owner)->owner ?
		       &parent->rb_left : &parent->rb_right;
	}
	rb_link_node(&new->by_owner, parent, link);
	rb_insert_color(&new->by_owner, &mem->by_owner);
}

/* Nobody knows it yet. */
static void init_memory(struct nst_memories *set, struct nst_memory *mem,
			const struct nst_secret_name *name,
			struct rb_node *parent, struct rb_node **link)
{
	mem->name = *name;
	rb_link_node(&mem->node, parent, link);
	rb_insert_color(&mem->node, &set->memory);
	INIT_LIST_HEAD(&mem->claims);
	INIT_LIST_HEAD(&mem->parking);
	INIT_LIST_HEAD(&mem->settling);
	mem->by_owner = RB_ROOT;
	/* Once: what it remembers may begin anew while somebody looks. */
	seqcount_init(&mem->sessions.moves);
}

/* The memory of that name; @new, if there is none, which is NULL then. */
static struct nst_memory *find_or_add(struct nst_memories *set,
				      const struct nst_secret_name *name,
				      struct nst_memory **new)
{
	struct rb_node *parent, **link = place(set, name, &parent);
	struct nst_memory *mem;

	if (*link)
		return rb_entry(*link, struct nst_memory, node);
	mem = *new;
	*new = NULL;
	init_memory(set, mem, name, parent, link);
	return mem;
}

static void init_claim(struct nst_claim *claim, struct nst_owner *owner,
		       struct nst_memory *mem)
{
	claim->owner = owner;
	owner->users++;
	claim->mem = mem;
	INIT_LIST_HEAD(&claim->sessions);
	INIT_LIST_HEAD(&claim->starts);
	claim->life = mem->life;
	mem->refs++;
	mem->nr_claims++;
	list_add_tail(&claim->node, &mem->claims);
	sort_in(mem, claim);
}

/* No box has the secret any more: the memory can go before others. */
static void begin_idle(struct nst_memories *set, struct nst_claim *payer,
		       u64 boot)
{
	struct nst_memory *mem = payer->mem;

	mem->unheld = boot;
	list_add_tail(&mem->idle, &set->idle);
	set->nr_idle++;
	nst_owner_pay(mem, payer);
	if (mem->sessions.nr_keyed)
		list_add_tail(&mem->parking, &set->parking);
	if (!set->wake)
		return;
	set->wake(set->wake_arg, NST_WAKE_EXPIRE);
	if (mem->sessions.nr_keyed)
		set->wake(set->wake_arg, NST_WAKE_PARK);
	/* Who pays for it may hold too much now. */
	set->wake(set->wake_arg, NST_WAKE_SHED);
}

/**
 * nst_memory_end_idle() - a box has the secret again, or the memory goes
 * @set: the set
 * @mem: its memory, idle
 *
 * Context: any, under the set's lock.
 */
void nst_memory_end_idle(struct nst_memories *set, struct nst_memory *mem)
{
	list_del(&mem->idle);
	list_del_init(&mem->parking);
	set->nr_idle--;
	nst_owner_pay(mem, NULL);
}

static void hold(struct nst_claim *claim)
{
	struct nst_memory *mem = claim->mem;

	claim->boxes++;
	if (!mem->boxes++ && mem->payer)
		nst_memory_end_idle(claim->owner->set, mem);
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
	mem = find_or_add(set, &name, &new_mem);
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
	nst_claim_unlink_unused(claim);
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
