/* SPDX-License-Identifier: GPL-2.0 */
/* To forget, and what gives way if there is no room. */
#ifndef _NST_FORGET_H
#define _NST_FORGET_H

#include "core/memories.h"

/* Of these, the caller holds the set's lock. */
u64 nst_memory_newest(const struct nst_memory *mem);
void nst_memory_end(struct nst_memories *set, struct nst_memory *mem);
bool nst_memory_forget_start(struct nst_memory *mem);
void nst_memory_forget_session(struct nst_memories *set,
			       struct nst_session *ses);
void nst_memory_trim(struct nst_claim *claim, u64 before,
		     const struct nst_bounds *bounds);
enum nst_drop nst_memory_make_room(struct nst_claim *claim, u64 before,
				   const struct nst_bounds *bounds);

void nst_memories_shed(struct nst_memories *set, const struct nst_bounds *bounds);

#endif /* _NST_FORGET_H */
