/* SPDX-License-Identifier: GPL-2.0 */
/* The keys of one epoch of one direction. */
#ifndef _NST_EPOCH_H
#define _NST_EPOCH_H

#include <linux/types.h>
#include "core/cipher.h"
#include "core/keybox.h"
#include "core/wire.h"

/**
 * struct nst_epoch - the keys of one epoch, and how far they are used
 * @id: which epoch; @id.suite 0: there is none
 * @tx: counts among its box key's sending streams, else the receiving ones
 * @vmfork: VM forks seen when the epoch began
 * @cipher: transforms, kept over epochs of the same suite; none while the epoch
 *	is parked
 * @key: the box key, with a reference and a count of one stream; NULL: none
 * @gen: generation of the keyring under which @key was last looked up
 * @records: records sealed or accepted
 * @bytes: plaintext bytes in them
 *
 * Belongs to a stream and is protected by that direction's lock.
 */
struct nst_epoch {
	struct nst_epoch_id id;
	bool tx;
	unsigned int vmfork;
	struct nst_cipher cipher;
	struct nst_boxkey *key;
	u64 gen;
	u64 records;
	u64 bytes;
};

int nst_epoch_begin(struct nst_epoch *ep, const struct nst_epoch_id *id,
		    struct nst_boxkey *key, u64 gen, u8 proto,
		    const u8 *salt, const u8 *context, u8 context_len);
bool nst_epoch_keep(struct nst_epoch *ep, struct nst_boxkey *key, u64 gen);
struct nst_boxkey *nst_epoch_rekey(struct nst_epoch *ep,
				   struct nst_boxkey *key);
int nst_epoch_unpark(struct nst_epoch *ep, u8 proto, const u8 *salt,
		     const u8 *context, u8 context_len);
void nst_epoch_park(struct nst_epoch *ep);
void nst_epoch_end(struct nst_epoch *ep);
void nst_epoch_free(struct nst_epoch *ep);
unsigned int nst_epoch_pick(struct nst_epoch_id *id);
unsigned int nst_epoch_vmforks(void);
int nst_epoch_init(void);
void nst_epoch_exit(void);

/* Under way, but without its keys? */
static inline bool nst_epoch_parked(const struct nst_epoch *ep)
{
	return ep->id.suite && !ep->cipher.suite;
}

static inline bool nst_epoch_is(const struct nst_epoch *ep,
				const struct nst_hdr *hdr)
{
	return ep->id.suite == hdr->suite && ep->id.kpos == hdr->kpos &&
	       ep->id.kval == hdr->kval && ep->id.bound == hdr->bound &&
	       ep->id.kid == hdr->kid && ep->id.epoch == hdr->epoch;
}

#endif /* _NST_EPOCH_H */
