/* SPDX-License-Identifier: GPL-2.0 */
/* Key boxes: kid -> secret. A box is immutable once it is published. */
#ifndef _NST_KEYBOX_H
#define _NST_KEYBOX_H

#include <linux/nst.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/types.h>
#include "core/memories.h"

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

/* A key as it comes from outside. */
struct nst_box_entry {
	u16 kid;
	enum nst_key_state state;
	u8 secret[NST_KEY_SIZE];
};

struct nst_boxkey *nst_boxkey_alloc(struct nst_owner *owner,
				    const struct nst_box_entry *entry);
struct nst_boxkey *nst_boxkey_hold(struct nst_boxkey *key);
void nst_boxkey_put(struct nst_boxkey *key);

struct nst_box *nst_box_alloc(unsigned int nr);
struct nst_box *nst_box_copy(const struct nst_box *old, unsigned int hole);
struct nst_box *nst_box_copy_gap(const struct nst_box *old, unsigned int gap);
void nst_box_activate(struct nst_box *box, unsigned int pos);
unsigned int nst_box_position(const struct nst_box *box, u16 kid);
const struct nst_box_slot *nst_box_find(const struct nst_box *box, u16 kid);
void nst_box_free(struct nst_box *box);
void nst_box_free_later(struct nst_box *box);

#endif /* _NST_KEYBOX_H */
