/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A keyring is where a namespace or a socket finds its present key box. Every
 * change makes a new box and publishes it, so readers need no lock and a change
 * is atomic.
 */
#ifndef _NST_KEYRING_H
#define _NST_KEYRING_H

#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/types.h>
#include "core/keybox.h"
#include "core/keyroom.h"
#include "drop.h"

/**
 * struct nst_keyring - where a namespace or socket finds its present box
 * @ref: owners: the namespace, and each configuration that uses it
 * @private: a socket's own box, not the namespace's
 * @lock: serialises changes; taken in process context, no other lock inside
 * @box: the present box, never NULL; RCU, written under @lock
 * @gen: grows with each change, after @box is published; no two keyrings have
 *	the same, and none has 0. Who has looked up a key under a generation
 *	need not look again while it stands
 * @owner: who is charged for what is taken under its keys; a user of it
 * @room: who waits for a change, see keywait.c
 */
struct nst_keyring {
	refcount_t ref;
	bool private;
	struct mutex lock;
	struct nst_box __rcu *box;
	u64 gen;
	struct nst_owner *owner;
	struct nst_keyroom room;
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

#endif /* _NST_KEYRING_H */
