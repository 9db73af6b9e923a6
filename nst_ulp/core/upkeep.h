/* SPDX-License-Identifier: GPL-2.0 */
/* What is done for memories from time to time, and their end. */
#ifndef _NST_UPKEEP_H
#define _NST_UPKEEP_H

#include "core/memories.h"

bool nst_memories_expire(struct nst_memories *set, const struct nst_now *now,
			 const struct nst_bounds *bounds);
void nst_memories_park(struct nst_memories *set);
void nst_memories_settle(struct nst_memories *set);
void nst_memories_silence(struct nst_memories *set);
void nst_memories_close(struct nst_memories *set);

#endif /* _NST_UPKEEP_H */
