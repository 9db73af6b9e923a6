/* SPDX-License-Identifier: GPL-2.0 */
/* What a program sets for a direction of its socket, TCP and UDP alike. */
#ifndef _NST_CONF_H
#define _NST_CONF_H

#include <linux/refcount.h>
#include <linux/sockptr.h>
#include <linux/types.h>
#include "core/keybox.h"
#include "core/netns.h"

/* Directions that an option sets. */
enum {
	NST_SET_TX = 1,
	NST_SET_RX = 2,
};

/**
 * struct nst_conf - what a program has set for a direction; immutable
 * @ref: directions that use it
 * @suite: suite to send with; receiving: the only one accepted, 0 = any
 * @context_len: bytes of @context
 * @kid: key to send with, 0 = the active one; receiving: the only one
 *	accepted, 0 = any
 * @nr_keys: keys in the private box that was given, 0 = the namespace's box
 * @flags: NST_F_*
 * @ring: where the keys are; holds a reference
 * @context_hash: keyed, of @context; nobody can make two contexts meet
 * @context: the application's context, zeros behind its length
 */
struct nst_conf {
	refcount_t ref;
	u8 suite;
	u8 context_len;
	u16 kid;
	u16 nr_keys;
	u32 flags;
	u32 context_hash;
	struct nst_keyring *ring;
	u8 context[NST_CONTEXT_MAX];
};

struct nst_conf *nst_conf_parse(struct nst_net *nn, sockptr_t optval,
				unsigned int len, int dirs, u32 flags);
bool nst_conf_agree(const struct nst_conf *a, const struct nst_conf *b);
void nst_conf_tell(const struct nst_conf *conf, struct nst_crypto_info *info);
struct nst_conf *nst_conf_get(struct nst_conf *conf);
void nst_conf_put(struct nst_conf *conf);

#endif /* _NST_CONF_H */
