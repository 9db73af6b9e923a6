/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The SM4 block cipher, GB/T 32907-2016. Pure computation.
 */
#ifndef _NST_SM_SM4_H
#define _NST_SM_SM4_H

#include "env.h"

#define NST_SM4_KEY_LEN		16
#define NST_SM4_BLOCK_LEN	16
#define NST_SM4_ROUNDS		32

/**
 * struct nst_sm4_key - an expanded key
 * @enc: round keys in the order encryption uses them
 * @dec: the same keys backwards; with them encryption is decryption
 *
 * Secret. Whoever owns one zeroes it.
 */
struct nst_sm4_key {
	u32 enc[NST_SM4_ROUNDS];
	u32 dec[NST_SM4_ROUNDS];
};

void nst_sm4_key_expand(struct nst_sm4_key *key, const u8 *in);
void nst_sm4_block_crypt(const u32 *rk, u8 *dst, const u8 *src);

#endif
