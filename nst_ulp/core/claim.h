/* SPDX-License-Identifier: GPL-2.0 */
/* Claims: whose boxes have a secret, or had it. */
#ifndef _NST_CLAIM_H
#define _NST_CLAIM_H

#include "core/memories.h"

struct nst_claim *nst_claim_new(struct nst_owner *owner, const u8 *secret);
void nst_claim_hold(struct nst_claim *claim);
void nst_claim_release(struct nst_claim *claim, u64 boot);
void nst_claim_put(struct nst_claim *claim);
/* Of these, the caller holds the set's lock. */
void nst_claim_unlink(struct nst_claim *claim);
void nst_claim_unlink_unused(struct nst_claim *claim);
void nst_memory_remove(struct nst_memories *set, struct nst_memory *mem);
void nst_memory_unref(struct nst_memories *set, struct nst_memory *mem);
void nst_memory_end_idle(struct nst_memories *set, struct nst_memory *mem);
void nst_memory_unsettle(struct nst_memories *set, struct nst_memory *mem);
void nst_memory_settle(struct nst_memories *set, struct nst_memory *mem);

#endif /* _NST_CLAIM_H */
