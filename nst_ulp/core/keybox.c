// SPDX-License-Identifier: GPL-2.0
/*
 * Key boxes, which do not change once they are published, and their keys.
 *
 * Lifetime: a box holds a reference on each of its keys and drops them in its
 * RCU callback. So a key that a reader finds in a box lives at least until the
 * reader's rcu_read_unlock(), and taking a reference before that needs no test
 * for zero.
 */
#include <linux/atomic.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include "core/claim.h"
#include "core/keybox.h"

/**
 * nst_boxkey_alloc() - a key for a box
 * @owner: whose box holds it
 * @entry: the key; borrowed, the caller wipes it
 *
 * Context: process.
 * Return: the key with one reference, and held by one box; NULL without memory.
 */
struct nst_boxkey *nst_boxkey_alloc(struct nst_owner *owner,
				    const struct nst_box_entry *entry)
{
	struct nst_boxkey *key = kzalloc(sizeof(*key), GFP_KERNEL_ACCOUNT);

	if (!key)
		return NULL;
	key->claim = nst_claim_new(owner, entry->secret);
	if (!key->claim) {
		kfree(key);
		return NULL;
	}
	refcount_set(&key->ref, 1);
	key->kid = entry->kid;
	memcpy(key->secret, entry->secret, sizeof(key->secret));
	return key;
}

/**
 * nst_boxkey_put() - give back a reference on a key
 * @key: the key; NULL is allowed. The last reference wipes and frees it
 *
 * Context: any.
 */
void nst_boxkey_put(struct nst_boxkey *key)
{
	if (!key || !refcount_dec_and_test(&key->ref))
		return;
	nst_claim_put(key->claim);
	kfree_sensitive(key);
}

/**
 * nst_box_alloc() - a box without keys
 * @nr: slots
 *
 * Context: process.
 * Return: the box, whose slots are empty; NULL without memory.
 */
struct nst_box *nst_box_alloc(unsigned int nr)
{
	struct nst_box *box = kvzalloc(struct_size(box, slot, nr),
				       GFP_KERNEL_ACCOUNT);

	if (box)
		box->nr = nr;
	return box;
}

/**
 * nst_box_free() - free a box and give back its keys
 * @box: without readers; slots without a key are allowed
 *
 * Context: any.
 */
void nst_box_free(struct nst_box *box)
{
	u64 boot = ktime_get_boottime_ns();
	unsigned int i;

	for (i = 0; i < box->nr; i++) {
		struct nst_boxkey *key = box->slot[i].key;

		if (!key)
			continue;
		nst_claim_release(key->claim, boot);
		nst_boxkey_put(key);
	}
	kvfree(box);
}

static void box_free_rcu(struct rcu_head *rcu)
{
	nst_box_free(container_of(rcu, struct nst_box, rcu));
}

/**
 * nst_box_free_later() - free a box behind its last reader
 * @box: one that nobody can find any more
 *
 * Context: any.
 */
void nst_box_free_later(struct nst_box *box)
{
	call_rcu(&box->rcu, box_free_rcu);
}

/**
 * nst_box_position() - where a kid is, or where it belongs
 * @box: the box
 * @kid: the kid
 *
 * Context: any.
 * Return: index of the first slot whose kid is not below @kid; @box->nr if there
 * is none.
 */
unsigned int nst_box_position(const struct nst_box *box, u16 kid)
{
	unsigned int low = 0, high = box->nr;

	while (low < high) {
		unsigned int mid = (low + high) / 2;

		if (box->slot[mid].key->kid < kid)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/**
 * nst_box_find() - the slot of a kid
 * @box: the box
 * @kid: the kid
 *
 * Context: any.
 * Return: the slot, borrowed from @box; NULL if there is none.
 */
const struct nst_box_slot *nst_box_find(const struct nst_box *box, u16 kid)
{
	unsigned int pos = nst_box_position(box, kid);

	if (pos == box->nr || box->slot[pos].key->kid != kid)
		return NULL;
	return &box->slot[pos];
}

/**
 * nst_boxkey_hold() - a new box holds the key of an old one
 * @key: the key
 *
 * Context: process, while the old one holds it.
 * Return: @key.
 */
struct nst_boxkey *nst_boxkey_hold(struct nst_boxkey *key)
{
	refcount_inc(&key->ref);
	nst_claim_hold(key->claim);
	return key;
}

static void slot_copy(struct nst_box_slot *to, const struct nst_box_slot *from)
{
	nst_boxkey_hold(from->key);
	*to = *from;
}

/**
 * nst_box_copy_gap() - copy a box with room for a slot
 * @old: the box
 * @gap: where the empty slot is; @old->nr: at the end
 *
 * Context: process.
 * Return: the copy; NULL without memory.
 */
struct nst_box *nst_box_copy_gap(const struct nst_box *old, unsigned int gap)
{
	struct nst_box *box = nst_box_alloc(old->nr + 1);
	unsigned int i;

	if (!box)
		return NULL;
	box->active = old->active;
	for (i = 0; i < old->nr; i++)
		slot_copy(&box->slot[i + (i >= gap)], &old->slot[i]);
	return box;
}

/**
 * nst_box_copy() - copy a box without a slot
 * @old: the box
 * @hole: which one; @old->nr: none, all are copied
 *
 * Context: process.
 * Return: the copy; NULL without memory.
 */
struct nst_box *nst_box_copy(const struct nst_box *old, unsigned int hole)
{
	struct nst_box *box = nst_box_alloc(old->nr - (hole < old->nr));
	unsigned int i;

	if (!box)
		return NULL;
	box->active = old->active;
	for (i = 0; i < old->nr; i++)
		if (i != hole)
			slot_copy(&box->slot[i - (i > hole)], &old->slot[i]);
	return box;
}

/**
 * nst_box_activate() - make a key the active one
 * @box: not published yet
 * @pos: index of the key; the one that was active becomes accept-only
 *
 * Context: any.
 */
void nst_box_activate(struct nst_box *box, unsigned int pos)
{
	unsigned int i;

	for (i = 0; i < box->nr; i++)
		if (box->slot[i].state == NST_KEY_ACTIVE)
			box->slot[i].state = NST_KEY_ACCEPT;
	box->slot[pos].state = NST_KEY_ACTIVE;
	box->active = box->slot[pos].key;
}
