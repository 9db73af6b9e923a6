// SPDX-License-Identifier: GPL-2.0
/*
 * The SM4 block cipher, GB/T 32907-2016.
 *
 * Timing. The S-box is the only thing that secret values index. It is kept
 * as the bare 256 bytes, and every cache line of it is read before the first
 * round, so that the lookups of a block hit the cache whatever the key
 * is. A table that merges the S-box with the linear step saves a fifth of the
 * instructions but is four times as large, and a computed (bit-sliced) S-box,
 * which has no lookups at all, pays off only with many blocks at a time: the
 * crypto API hands a single-block cipher one. What remains open is an attacker
 * who evicts lines from another thread of the same core during a block.
 */
#include "sm4.h"

static const u8 sbox[256] = {
	0xd6, 0x90, 0xe9, 0xfe, 0xcc, 0xe1, 0x3d, 0xb7,
	0x16, 0xb6, 0x14, 0xc2, 0x28, 0xfb, 0x2c, 0x05,
	0x2b, 0x67, 0x9a, 0x76, 0x2a, 0xbe, 0x04, 0xc3,
	0xaa, 0x44, 0x13, 0x26, 0x49, 0x86, 0x06, 0x99,
	0x9c, 0x42, 0x50, 0xf4, 0x91, 0xef, 0x98, 0x7a,
	0x33, 0x54, 0x0b, 0x43, 0xed, 0xcf, 0xac, 0x62,
	0xe4, 0xb3, 0x1c, 0xa9, 0xc9, 0x08, 0xe8, 0x95,
	0x80, 0xdf, 0x94, 0xfa, 0x75, 0x8f, 0x3f, 0xa6,
	0x47, 0x07, 0xa7, 0xfc, 0xf3, 0x73, 0x17, 0xba,
	0x83, 0x59, 0x3c, 0x19, 0xe6, 0x85, 0x4f, 0xa8,
	0x68, 0x6b, 0x81, 0xb2, 0x71, 0x64, 0xda, 0x8b,
	0xf8, 0xeb, 0x0f, 0x4b, 0x70, 0x56, 0x9d, 0x35,
	0x1e, 0x24, 0x0e, 0x5e, 0x63, 0x58, 0xd1, 0xa2,
	0x25, 0x22, 0x7c, 0x3b, 0x01, 0x21, 0x78, 0x87,
	0xd4, 0x00, 0x46, 0x57, 0x9f, 0xd3, 0x27, 0x52,
	0x4c, 0x36, 0x02, 0xe7, 0xa0, 0xc4, 0xc8, 0x9e,
	0xea, 0xbf, 0x8a, 0xd2, 0x40, 0xc7, 0x38, 0xb5,
	0xa3, 0xf7, 0xf2, 0xce, 0xf9, 0x61, 0x15, 0xa1,
	0xe0, 0xae, 0x5d, 0xa4, 0x9b, 0x34, 0x1a, 0x55,
	0xad, 0x93, 0x32, 0x30, 0xf5, 0x8c, 0xb1, 0xe3,
	0x1d, 0xf6, 0xe2, 0x2e, 0x82, 0x66, 0xca, 0x60,
	0xc0, 0x29, 0x23, 0xab, 0x0d, 0x53, 0x4e, 0x6f,
	0xd5, 0xdb, 0x37, 0x45, 0xde, 0xfd, 0x8e, 0x2f,
	0x03, 0xff, 0x6a, 0x72, 0x6d, 0x6c, 0x5b, 0x51,
	0x8d, 0x1b, 0xaf, 0x92, 0xbb, 0xdd, 0xbc, 0x7f,
	0x11, 0xd9, 0x5c, 0x41, 0x1f, 0x10, 0x5a, 0xd8,
	0x0a, 0xc1, 0x31, 0x88, 0xa5, 0xcd, 0x7b, 0xbd,
	0x2d, 0x74, 0xd0, 0x12, 0xb8, 0xe5, 0xb4, 0xb0,
	0x89, 0x69, 0x97, 0x4a, 0x0c, 0x96, 0x77, 0x7e,
	0x65, 0xb9, 0xf1, 0x09, 0xc5, 0x6e, 0xc6, 0x84,
	0x18, 0xf0, 0x7d, 0xec, 0x3a, 0xdc, 0x4d, 0x20,
	0x79, 0xee, 0x5f, 0x3e, 0xd7, 0xcb, 0x39, 0x48,
};

/* the system parameter FK of the key schedule */
static const u32 family_key[4] = {
	0xa3b1bac6, 0x56aa3350, 0x677d9197, 0xb27022dc,
};

/* touch every line of 64 bytes, wherever in a line the table begins */
static __always_inline void sbox_prefetch(void)
{
	(void)READ_ONCE(sbox[0]);
	(void)READ_ONCE(sbox[64]);
	(void)READ_ONCE(sbox[128]);
	(void)READ_ONCE(sbox[192]);
	(void)READ_ONCE(sbox[255]);
}

/* tau: the S-box on each byte */
static __always_inline u32 substitute(u32 x)
{
	return (u32)sbox[x >> 24] << 24 | (u32)sbox[x >> 16 & 0xff] << 16 |
	       (u32)sbox[x >> 8 & 0xff] << 8 | sbox[x & 0xff];
}

/*
 * One round: the new word from the oldest and the other three. The linear
 * step x ^ x<<<2 ^ x<<<10 ^ x<<<18 ^ x<<<24 is written with nested rotations,
 * which takes one less.
 */
static __always_inline u32 data_round(u32 x0, u32 x1, u32 x2, u32 x3, u32 rk)
{
	u32 x = substitute(x1 ^ x2 ^ x3 ^ rk);

	return x0 ^ x ^ rol32(x, 24) ^
	       rol32(x ^ rol32(x, 8) ^ rol32(x, 16), 2);
}

/* the round of the key schedule has a linear step of its own */
static __always_inline u32 key_round(u32 x0, u32 x1, u32 x2, u32 x3, u32 ck)
{
	u32 x = substitute(x1 ^ x2 ^ x3 ^ ck);

	return x0 ^ x ^ rol32(x, 13) ^ rol32(x, 23);
}

/* CK of round @i: byte j of it is (4i + j) * 7 modulo 256 */
static u32 round_constant(unsigned int i)
{
	u32 ck = 0;
	unsigned int j;

	for (j = 0; j < 4; j++)
		ck = ck << 8 | ((4 * i + j) * 7 & 0xff);
	return ck;
}

/**
 * nst_sm4_key_expand() - compute the round keys
 * @key: filled in; the caller zeroes it when done
 * @in: NST_SM4_KEY_LEN bytes, any alignment
 *
 * Context: any; no allocation, no FPU.
 */
void nst_sm4_key_expand(struct nst_sm4_key *key, const u8 *in)
{
	u32 k[4];
	unsigned int i;

	sbox_prefetch();
	for (i = 0; i < 4; i++)
		k[i] = get_unaligned_be32(in + 4 * i) ^ family_key[i];

	for (i = 0; i < NST_SM4_ROUNDS; i++) {
		u32 *oldest = &k[i % 4];

		*oldest = key_round(*oldest, k[(i + 1) % 4], k[(i + 2) % 4],
				    k[(i + 3) % 4], round_constant(i));
		key->enc[i] = *oldest;
		key->dec[NST_SM4_ROUNDS - 1 - i] = *oldest;
	}
	memzero_explicit(k, sizeof(k));
}

/**
 * nst_sm4_block_crypt() - encrypt or decrypt one block
 * @rk: &struct nst_sm4_key.enc or .dec, NST_SM4_ROUNDS words
 * @dst: NST_SM4_BLOCK_LEN bytes, any alignment
 * @src: NST_SM4_BLOCK_LEN bytes, any alignment; may be @dst
 *
 * Context: any; no allocation, no FPU.
 */
void nst_sm4_block_crypt(const u32 *rk, u8 *dst, const u8 *src)
{
	u32 x0 = get_unaligned_be32(src);
	u32 x1 = get_unaligned_be32(src + 4);
	u32 x2 = get_unaligned_be32(src + 8);
	u32 x3 = get_unaligned_be32(src + 12);
	const u32 *end = rk + NST_SM4_ROUNDS;

	sbox_prefetch();
	for (; rk < end; rk += 4) {
		x0 = data_round(x0, x1, x2, x3, rk[0]);
		x1 = data_round(x1, x2, x3, x0, rk[1]);
		x2 = data_round(x2, x3, x0, x1, rk[2]);
		x3 = data_round(x3, x0, x1, x2, rk[3]);
	}
	put_unaligned_be32(x3, dst);
	put_unaligned_be32(x2, dst + 4);
	put_unaligned_be32(x1, dst + 8);
	put_unaligned_be32(x0, dst + 12);
}
