/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The SM3 hash, GB/T 32905-2016. Pure computation.
 */
#ifndef _NST_SM_SM3_H
#define _NST_SM_SM3_H

#include "env.h"

#define NST_SM3_DIGEST_LEN	32
#define NST_SM3_BLOCK_LEN	64

/**
 * struct nst_sm3_state - a hash being computed
 * @h: the chaining value
 * @count: bytes hashed so far, those in @buf included
 * @buf: the beginning of a block, @count modulo 64 bytes of it are valid
 *
 * No pointers: the crypto API copies it as export() and import(). Secret if
 * the message is; nst_sm3_final() zeroes it.
 */
struct nst_sm3_state {
	u32 h[8];
	u64 count;
	u8 buf[NST_SM3_BLOCK_LEN];
};

void nst_sm3_init(struct nst_sm3_state *st);
void nst_sm3_update(struct nst_sm3_state *st, const u8 *data, size_t len);
void nst_sm3_final(struct nst_sm3_state *st, u8 *out);

#endif
