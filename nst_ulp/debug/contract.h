/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The promises of the protocol on which all others rest, checked while tests run: no
 * key seals twice with the same IV, no receiver takes the same record twice, and
 * nothing moves before a record is authentic. For NST_DEBUG=1 only, else there is
 * nothing of it.
 */
#ifndef _NST_CONTRACT_H
#define _NST_CONTRACT_H

#include <linux/types.h>

#ifdef NST_DEBUG

/**
 * struct nst_contract_key - by what the checks know a key
 * @print: a keyed hash of the key material, 0: none yet
 */
struct nst_contract_key {
	u64 print;
};

/**
 * struct nst_contract_state - what only an authentic record may change
 * @print: a keyed hash of it, as it was when it was last to change; 0: never
 */
struct nst_contract_state {
	u64 print;
};

void nst_contract_key(struct nst_contract_key *key, const void *okm, size_t len);
void nst_contract_sealed(const struct nst_contract_key *key, u64 iv_high, u64 iv_low);
void nst_contract_taken(const struct nst_contract_key *key, const void *receiver,
			u64 timestamp, u64 nonce);
void nst_contract_unmoved(const struct nst_contract_state *state, const void *now,
			  size_t len);
void nst_contract_moved(struct nst_contract_state *state, const void *now, size_t len);

#else

struct nst_contract_key {};
struct nst_contract_state {};

static inline void nst_contract_key(struct nst_contract_key *key, const void *okm,
				    size_t len)
{
}

static inline void nst_contract_sealed(const struct nst_contract_key *key, u64 iv_high,
				       u64 iv_low)
{
}

static inline void nst_contract_taken(const struct nst_contract_key *key,
				      const void *receiver, u64 timestamp, u64 nonce)
{
}

static inline void nst_contract_unmoved(const struct nst_contract_state *state,
					const void *now, size_t len)
{
}

static inline void nst_contract_moved(struct nst_contract_state *state, const void *now,
				      size_t len)
{
}

#endif

#endif /* _NST_CONTRACT_H */
