/* SPDX-License-Identifier: GPL-2.0 */
/* What is taken under a secret: judged and remembered in one step. */
#ifndef _NST_MEMORY_H
#define _NST_MEMORY_H

#include "core/memories.h"

u64 nst_claim_floor(struct nst_claim *claim);
u64 nst_claim_session_floor(const struct nst_claim *claim);
unsigned int nst_claim_sessions(const struct nst_claim *claim);
enum nst_drop nst_now_judge(const struct nst_now *now, u64 timestamp,
			    u64 window_ns, u64 born);
enum nst_drop nst_claim_judge_start(struct nst_claim *claim, u64 timestamp,
				    const struct nst_now *now, u64 window);
enum nst_drop nst_claim_take_start(struct nst_claim *claim, u64 timestamp,
				   u64 nonce, u64 real,
				   const struct nst_bounds *bounds);
enum nst_drop nst_claim_judge_dgram(struct nst_claim *claim,
				    const struct nst_session *ses,
				    u64 timestamp, const struct nst_now *now,
				    u64 window);
void nst_claim_place(struct nst_claim *claim, struct nst_session *ses);
bool nst_claim_follows(struct nst_claim *claim, u64 nonce);
enum nst_drop nst_claim_take_session(struct nst_claim *claim,
				     struct nst_session *new,
				     struct nst_session_keys *keys, u64 real,
				     const struct nst_bounds *bounds);

#endif /* _NST_MEMORY_H */
