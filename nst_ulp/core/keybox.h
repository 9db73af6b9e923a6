/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Key boxes: kid -> secret. A box is immutable; a keyring is where a namespace
 * or a socket finds its present one. Every change makes a new box and
 * publishes it, so readers need no lock and a change is atomic.
 */
#ifndef _NST_KEYBOX_H
#define _NST_KEYBOX_H

#include <linux/mutex.h>
#include <linux/nst.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/types.h>
#include "core/memories.h"
#include "drop.h"

/**
 * enum nst_key_state - what a key of a box may be used for
 * @NST_KEY_ACCEPT: receive only
 * @NST_KEY_ACTIVE: send and receive. In a namespace's box exactly one key,
 *	unless the box is empty; in a private box all of them
 * @NST_KEY_RETIRED: refused; kept so that the refusal has its own name
 */
enum nst_key_state {
	NST_KEY_ACCEPT,
	NST_KEY_ACTIVE,
	NST_KEY_RETIRED,
};

/**
 * struct nst_boxkey - one secret, shared by successive boxes and by epochs
 * @ref: boxes that hold it plus epochs derived from it
 * @kid: 1..65535, immutable
 * @claim: on the memory of the secret; a user of it, immutable
 * @tx_streams: live streams whose current sending epoch comes from it
 * @rx_streams: live streams whose current receiving epoch comes from it
 * @secret: immutable; never leaves the kernel, zeroed with the object
 */
struct nst_boxkey {
	refcount_t ref;
	u16 kid;
	struct nst_claim *claim;
	atomic_t tx_streams;
	atomic_t rx_streams;
	u8 secret[NST_KEY_SIZE];
};

/**
 * struct nst_box - an immutable table of keys
 * @rcu: frees it after its readers
 * @nr: slots in use, 0..NST_BOX_KEYS_MAX
 * @active: what senders with kid 0 use; NULL: none. Borrowed from @slot
 * @slot: sorted by kid, each holds a reference on its key
 */
struct nst_box {
	struct rcu_head rcu;
	unsigned int nr;
	struct nst_boxkey *active;
	struct nst_box_slot {
		struct nst_boxkey *key;
		enum nst_key_state state;
	} slot[];
};

/**
 * struct nst_keyring - where a namespace or socket finds its present box
 * @ref: owners: the namespace, and each configuration that uses it
 * @lock: serialises changes; taken in process context, no other lock inside
 * @box: the present box, never NULL; RCU, written under @lock
 * @gen: grows with each change, after @box is published; no two keyrings have
 *	the same, and none has 0. Who has looked up a key under a generation
 *	need not look again while it stands
 * @owner: who is charged for what is taken under its keys; a user of it
 * @private: a socket's own box, not the namespace's
 */
struct nst_keyring {
	refcount_t ref;
	struct mutex lock;
	struct nst_box __rcu *box;
	u64 gen;
	struct nst_owner *owner;
	bool private;
};

/* Input of nst_keyring_replace() and nst_keyring_add(). */
struct nst_box_entry {
	u16 kid;
	enum nst_key_state state;
	u8 secret[NST_KEY_SIZE];
};

struct nst_keyring *nst_keyring_alloc(struct nst_owner *owner, bool private);
struct nst_keyring *nst_keyring_get(struct nst_keyring *ring);
void nst_keyring_put(struct nst_keyring *ring);

int nst_keyring_replace(struct nst_keyring *ring,
			const struct nst_box_entry *entry, unsigned int nr);
int nst_keyring_add(struct nst_keyring *ring,
		    const struct nst_box_entry *entry);
int nst_keyring_activate(struct nst_keyring *ring, u16 kid);
int nst_keyring_retire(struct nst_keyring *ring, u16 kid);
int nst_keyring_del(struct nst_keyring *ring, u16 kid);
int nst_keyring_flush(struct nst_keyring *ring);

int nst_keyring_find_tx(struct nst_keyring *ring, u16 kid,
			struct nst_boxkey **key, u64 *gen);
enum nst_drop nst_keyring_find_rx(struct nst_keyring *ring, u16 kid,
				  struct nst_boxkey **key, u64 *gen);
enum nst_drop nst_keyring_peek_rx(struct nst_keyring *ring, u16 kid,
				  struct nst_boxkey **key);
enum nst_drop nst_keyring_check_rx(struct nst_keyring *ring, u16 kid);

const struct nst_box *nst_keyring_box(struct nst_keyring *ring);

void nst_boxkey_put(struct nst_boxkey *key);

#endif /* _NST_KEYBOX_H */
