/* SPDX-License-Identifier: GPL-2.0 */
/* What gives way, and what is too old. */
#ifndef _NST_FORGET_H
#define _NST_FORGET_H

#include "core/memories.h"

/* Of these two, the caller holds the set's lock. */
void nst_memory_trim(struct nst_claim *claim, u64 before,
		     const struct nst_bounds *bounds);
enum nst_drop nst_memory_make_room(struct nst_claim *claim, u64 before,
				   const struct nst_bounds *bounds);

bool nst_memories_expire(struct nst_memories *set, const struct nst_now *now,
			 const struct nst_bounds *bounds);
void nst_memories_shed(struct nst_memories *set, const struct nst_bounds *bounds);
void nst_memories_park(struct nst_memories *set);
void nst_memories_settle(struct nst_memories *set);
void nst_memories_silence(struct nst_memories *set);
void nst_memories_close(struct nst_memories *set);

#endif /* _NST_FORGET_H */
