// SPDX-License-Identifier: GPL-2.0
/*
 * Keyrings: where a namespace or a socket finds its present key box. A change
 * copies the box, edits the copy and publishes it: readers see the box before or
 * the box after, never one in between.
 */
#include <linux/atomic.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <crypto/algapi.h>
#include "core/keyring.h"
#include "core/owner.h"
#include "limits.h"

/*
 * Counts the changes of all keyrings, so that no two share a generation: who
 * has exchanged one keyring for another sees that too.
 */
static atomic64_t generations = ATOMIC64_INIT(0);

/**
 * nst_keyring_box() - the present box, for whoever lists it
 * @ring: its lock is held by the caller
 *
 * Return: a box that stays the present one until the lock is dropped.
 */
const struct nst_box *nst_keyring_box(struct nst_keyring *ring)
{
	return rcu_dereference_protected(ring->box,
					 lockdep_is_held(&ring->lock));
}

/*
 * Makes @box the present one. The generation follows it, so who reads the
 * generation first and the box second can only err by looking up once more
 * than needed.
 */
static void publish(struct nst_keyring *ring, struct nst_box *box)
{
	struct nst_box *old = rcu_replace_pointer(ring->box, box,
						  lockdep_is_held(&ring->lock));

	/* After the box; pairs with generation(). */
	smp_store_release(&ring->gen, atomic64_inc_return(&generations));
	nst_box_free_later(old);
}

/**
 * nst_keyring_alloc() - a keyring with an empty box
 * @owner: who is charged; the keyring becomes a user, also if it fails
 * @private: it is a socket's own, not a namespace's
 *
 * Context: process.
 * Return: the keyring with one reference, the caller's; NULL without memory.
 */
struct nst_keyring *nst_keyring_alloc(struct nst_owner *owner, bool private)
{
	struct nst_keyring *ring = kzalloc(sizeof(*ring), GFP_KERNEL_ACCOUNT);
	struct nst_box *box = nst_box_alloc(0);

	if (!ring || !box) {
		nst_owner_put(owner);
		kfree(ring);
		kvfree(box);
		return NULL;
	}
	refcount_set(&ring->ref, 1);
	mutex_init(&ring->lock);
	RCU_INIT_POINTER(ring->box, box);
	ring->gen = atomic64_inc_return(&generations);
	ring->owner = owner;
	ring->private = private;
	nst_keyroom_init(&ring->room);
	return ring;
}

/**
 * nst_keyring_get() - another reference
 * @ring: the caller has or borrows one
 *
 * Context: any.
 * Return: @ring.
 */
struct nst_keyring *nst_keyring_get(struct nst_keyring *ring)
{
	refcount_inc(&ring->ref);
	return ring;
}

/**
 * nst_keyring_put() - give back a reference
 * @ring: NULL is allowed. Readers hold references, so the last one to go has
 *	no company and the keys are wiped here and now, but for those that
 *	epochs still hold
 *
 * Context: any.
 */
void nst_keyring_put(struct nst_keyring *ring)
{
	if (!ring || !refcount_dec_and_test(&ring->ref))
		return;
	nst_box_free(rcu_dereference_protected(ring->box, true));
	mutex_destroy(&ring->lock);
	nst_owner_put(ring->owner);
	kfree(ring);
}

static int compare_slots(const void *a, const void *b)
{
	const struct nst_box_slot *x = a, *y = b;

	return (int)x->key->kid - (int)y->key->kid;
}

/*
 * A secret that stays under its kid stays the same object: streams that use it
 * go on being counted under it. The comparison takes constant time because a
 * namespace's administrator need not be who knows the secrets in it.
 */
static struct nst_boxkey *key_for(struct nst_keyring *ring,
				  const struct nst_box *old,
				  const struct nst_box_entry *entry)
{
	const struct nst_box_slot *slot = nst_box_find(old, entry->kid);

	if (slot && !crypto_memneq(slot->key->secret, entry->secret,
				   NST_KEY_SIZE))
		return nst_boxkey_hold(slot->key);
	return nst_boxkey_alloc(ring->owner, entry);
}

/* Fills a new box, checks what a list can have wrong, and sorts it. */
static int box_fill(struct nst_keyring *ring, struct nst_box *box,
		    const struct nst_box_entry *entry)
{
	const struct nst_box *old = nst_keyring_box(ring);
	bool private = ring->private;
	unsigned int i, active = 0;

	for (i = 0; i < box->nr; i++) {
		struct nst_box_slot *slot = &box->slot[i];

		if (!entry[i].kid || entry[i].state > NST_KEY_RETIRED)
			return -EINVAL;
		slot->state = private ? NST_KEY_ACTIVE : entry[i].state;
		slot->key = key_for(ring, old, &entry[i]);
		if (!slot->key)
			return -ENOMEM;
		if (slot->state != NST_KEY_ACTIVE)
			continue;
		if (!active++)
			box->active = slot->key;
		else if (!private)
			return -ENOTUNIQ;
	}
	if (box->nr && !active)
		return -ENOKEY;
	sort(box->slot, box->nr, sizeof(box->slot[0]), compare_slots, NULL);
	for (i = 1; i < box->nr; i++)
		if (box->slot[i].key->kid == box->slot[i - 1].key->kid)
			return -EEXIST;
	return 0;
}

/**
 * nst_keyring_replace() - put a whole new box in place of the present one
 * @ring: the keyring
 * @entry: the keys, in any order; borrowed, the caller wipes them. In a private
 *	box the first is the active one and states are not looked at
 * @nr: how many. A namespace's box may be empty
 *
 * Epochs keep the keys that they were derived from until they look again.
 *
 * Context: process.
 * Return: 0; -EINVAL for kid 0, an unknown state or an empty private box;
 * -E2BIG for too many keys; -EEXIST if a kid occurs twice; -ENOTUNIQ for a
 * second active key, -ENOKEY for none; -ENOMEM. Nothing has changed then.
 */
int nst_keyring_replace(struct nst_keyring *ring,
			const struct nst_box_entry *entry, unsigned int nr)
{
	struct nst_box *box;
	int err;

	if (nr > (ring->private ? NST_PRIVATE_KEYS_MAX : NST_BOX_KEYS_MAX))
		return -E2BIG;
	if (ring->private && !nr)
		return -EINVAL;
	box = nst_box_alloc(nr);
	if (!box)
		return -ENOMEM;
	mutex_lock(&ring->lock);
	err = box_fill(ring, box, entry);
	if (!err)
		publish(ring, box);
	mutex_unlock(&ring->lock);
	if (err)
		nst_box_free(box);
	return err;
}

static int add_locked(struct nst_keyring *ring,
		      const struct nst_box_entry *entry)
{
	const struct nst_box *old = nst_keyring_box(ring);
	unsigned int pos = nst_box_position(old, entry->kid);
	struct nst_box *box;

	if (nst_box_find(old, entry->kid))
		return -EEXIST;
	if (old->nr >= NST_BOX_KEYS_MAX)
		return -ENOSPC;
	if (!old->nr && entry->state != NST_KEY_ACTIVE)
		return -ENOKEY;
	box = nst_box_copy_gap(old, pos);
	if (!box)
		return -ENOMEM;
	box->slot[pos].key = nst_boxkey_alloc(ring->owner, entry);
	if (!box->slot[pos].key) {
		nst_box_free(box);
		return -ENOMEM;
	}
	box->slot[pos].state = entry->state;
	if (entry->state == NST_KEY_ACTIVE)
		nst_box_activate(box, pos);
	publish(ring, box);
	return 0;
}

/**
 * nst_keyring_add() - add one key to a namespace's box
 * @ring: the keyring
 * @entry: the key; borrowed, the caller wipes it. With NST_KEY_ACTIVE it
 *	becomes the active one at once, the one before it accept-only
 *
 * Context: process.
 * Return: 0; -EINVAL for kid 0 or an unknown state; -EEXIST if the kid is
 * there, whatever its secret; -ENOSPC if the box is full; -ENOKEY if the
 * box is empty and the key not active; -ENOMEM.
 */
int nst_keyring_add(struct nst_keyring *ring, const struct nst_box_entry *entry)
{
	int err;

	if (!entry->kid || entry->state > NST_KEY_RETIRED)
		return -EINVAL;
	mutex_lock(&ring->lock);
	err = add_locked(ring, entry);
	mutex_unlock(&ring->lock);
	return err;
}

/*
 * Brings the key @kid to @state, which is active or retired. Being there
 * already is success without a change.
 */
static int set_state_locked(struct nst_keyring *ring, u16 kid,
			    enum nst_key_state state)
{
	const struct nst_box *old = nst_keyring_box(ring);
	const struct nst_box_slot *slot = nst_box_find(old, kid);
	struct nst_box *box;

	if (!slot)
		return -ENOKEY;
	if (slot->state == state)
		return 0;
	if (slot->state == NST_KEY_RETIRED)
		return -EKEYREVOKED;
	if (slot->state == NST_KEY_ACTIVE)
		return -EBUSY;
	box = nst_box_copy(old, old->nr);
	if (!box)
		return -ENOMEM;
	if (state == NST_KEY_ACTIVE)
		nst_box_activate(box, slot - old->slot);
	else
		box->slot[slot - old->slot].state = state;
	publish(ring, box);
	return 0;
}

static int set_state(struct nst_keyring *ring, u16 kid,
		     enum nst_key_state state)
{
	int err;

	mutex_lock(&ring->lock);
	err = set_state_locked(ring, kid, state);
	mutex_unlock(&ring->lock);
	return err;
}

/**
 * nst_keyring_activate() - let senders use a key
 * @ring: of a namespace
 * @kid: the key; the one that was active becomes accept-only
 *
 * Context: process.
 * Return: 0, also if it is active already; -ENOKEY if there is no such key;
 * -EKEYREVOKED if it is retired; -ENOMEM.
 */
int nst_keyring_activate(struct nst_keyring *ring, u16 kid)
{
	return set_state(ring, kid, NST_KEY_ACTIVE);
}

/**
 * nst_keyring_retire() - refuse a key from now on
 * @ring: of a namespace
 * @kid: the key; streams that use it fail at their next record
 *
 * Context: process.
 * Return: 0, also if it is retired already; -ENOKEY if there is no such key;
 * -EBUSY if it is the active one, of which there must be one; -ENOMEM.
 */
int nst_keyring_retire(struct nst_keyring *ring, u16 kid)
{
	return set_state(ring, kid, NST_KEY_RETIRED);
}

static int del_locked(struct nst_keyring *ring, u16 kid)
{
	const struct nst_box *old = nst_keyring_box(ring);
	const struct nst_box_slot *slot = nst_box_find(old, kid);
	struct nst_box *box;

	if (!slot)
		return -ENOKEY;
	if (slot->key == old->active && old->nr > 1)
		return -EBUSY;
	box = nst_box_copy(old, slot - old->slot);
	if (!box)
		return -ENOMEM;
	if (slot->key == old->active)
		box->active = NULL;
	publish(ring, box);
	return 0;
}

/**
 * nst_keyring_del() - remove a key
 * @ring: of a namespace
 * @kid: the key
 *
 * Context: process.
 * Return: 0; -ENOKEY if there is no such key; -EBUSY if it is the active one
 * and others would be left without one; -ENOMEM.
 */
int nst_keyring_del(struct nst_keyring *ring, u16 kid)
{
	int err;

	mutex_lock(&ring->lock);
	err = del_locked(ring, kid);
	mutex_unlock(&ring->lock);
	return err;
}

/**
 * nst_keyring_flush() - remove all keys
 * @ring: of a namespace
 *
 * Context: process.
 * Return: 0; -ENOMEM.
 */
int nst_keyring_flush(struct nst_keyring *ring)
{
	return nst_keyring_replace(ring, NULL, 0);
}

static u64 generation(const struct nst_keyring *ring)
{
	/* Before the box; pairs with publish(). */
	return smp_load_acquire(&ring->gen);
}

/**
 * nst_keyring_find_tx() - the key to send with
 * @ring: the caller holds a reference
 * @kid: which one; 0: the active one
 * @key: receives the key with a reference, the caller's
 * @gen: receives the generation under which the answer holds
 *
 * Context: any.
 * Return: 0; -ENOKEY if there is no such key, or none is active; -EKEYREVOKED
 * if it is retired; -EACCES if it is for receiving only.
 */
int nst_keyring_find_tx(struct nst_keyring *ring, u16 kid,
			struct nst_boxkey **key, u64 *gen)
{
	const struct nst_box_slot *slot;
	const struct nst_box *box;
	int err = -ENOKEY;

	*gen = generation(ring);
	rcu_read_lock();
	box = rcu_dereference(ring->box);
	if (!kid && !box->active)
		goto out;
	slot = nst_box_find(box, kid ?: box->active->kid);
	if (!slot)
		goto out;
	err = -EKEYREVOKED;
	if (slot->state == NST_KEY_RETIRED)
		goto out;
	err = -EACCES;
	if (slot->state == NST_KEY_ACCEPT)
		goto out;
	refcount_inc(&slot->key->ref);
	*key = slot->key;
	err = 0;
out:
	rcu_read_unlock();
	return err;
}

/**
 * nst_keyring_peek_rx() - the key of a received record, borrowed
 * @ring: the caller holds a reference
 * @kid: from the record's header
 * @key: receives the key, which lives as long as the caller's RCU section
 *
 * Context: any, under rcu_read_lock().
 * Return: NST_OK, NST_DROP_NO_KID or NST_DROP_KID_RETIRED.
 */
enum nst_drop nst_keyring_peek_rx(struct nst_keyring *ring, u16 kid,
				  struct nst_boxkey **key)
{
	const struct nst_box_slot *slot;

	slot = nst_box_find(rcu_dereference(ring->box), kid);
	if (!slot)
		return NST_DROP_NO_KID;
	if (slot->state == NST_KEY_RETIRED)
		return NST_DROP_KID_RETIRED;
	*key = slot->key;
	return NST_OK;
}

/**
 * nst_keyring_find_rx() - the key of a received record
 * @ring: the caller holds a reference
 * @kid: from the record's header
 * @key: receives the key with a reference, the caller's
 * @gen: receives the generation under which the answer holds
 *
 * Context: any.
 * Return: NST_OK, NST_DROP_NO_KID or NST_DROP_KID_RETIRED.
 */
enum nst_drop nst_keyring_find_rx(struct nst_keyring *ring, u16 kid,
				  struct nst_boxkey **key, u64 *gen)
{
	enum nst_drop drop;

	*gen = generation(ring);
	rcu_read_lock();
	drop = nst_keyring_peek_rx(ring, kid, key);
	if (!drop)
		refcount_inc(&(*key)->ref);
	rcu_read_unlock();
	return drop;
}

/**
 * nst_keyring_check_rx() - may a record come under this kid?
 * @ring: the caller holds a reference
 * @kid: from the record's header
 *
 * Context: any.
 * Return: as nst_keyring_find_rx().
 */
enum nst_drop nst_keyring_check_rx(struct nst_keyring *ring, u16 kid)
{
	struct nst_boxkey *key;
	enum nst_drop drop;

	rcu_read_lock();
	drop = nst_keyring_peek_rx(ring, kid, &key);
	rcu_read_unlock();
	return drop;
}
