/* SPDX-License-Identifier: GPL-2.0 */
/* Owners: who is charged for what is remembered, and who gives way. */
#ifndef _NST_OWNER_H
#define _NST_OWNER_H

#include "core/memories.h"

bool nst_owner_look(struct nst_memories *set, unsigned int at[2],
		    struct nst_owner_look *look);
u64 nst_owner_id(const struct user_namespace *top,
		 const struct user_namespace *ns, kuid_t uid);
struct nst_owner *nst_owner_get(struct nst_memories *set, u64 id);
void nst_owner_put(struct nst_owner *owner);
/* Of these, the caller holds the set's lock. */
void nst_owner_unuse(struct nst_owner *owner);
void nst_owner_charge(struct nst_claim *claim, s64 bytes);
void nst_owner_pay(struct nst_memory *mem, struct nst_claim *payer);
struct nst_claim *nst_owner_first(struct nst_owner *owner);
struct nst_claim *nst_owner_next(const struct nst_claim *claim);
struct nst_owner *nst_owner_biggest(struct nst_memories *set);
struct nst_claim *nst_owner_leave(struct nst_claim *claim, u64 floor);
void nst_owner_unleave(struct nst_claim *claim);

#endif /* _NST_OWNER_H */
