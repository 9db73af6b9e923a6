// SPDX-License-Identifier: GPL-2.0
/*
 * The SM3 hash, GB/T 32905-2016. No table, no secret index, no secret branch:
 * its time depends on the length of the message alone.
 */
#include "sm3.h"

#define T_LOW	0x79cc4519	/* rounds 0..15 */
#define T_HIGH	0x7a879d8a	/* rounds 16..63 */
#define W_WORDS	68		/* expanded message */

/* the initial chaining value */
static const u32 iv[8] = {
	0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600,
	0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e,
};

static __always_inline u32 ff(u32 x, u32 y, u32 z, bool low)
{
	return low ? x ^ y ^ z : (x & y) | ((x | y) & z);
}

static __always_inline u32 gg(u32 x, u32 y, u32 z, bool low)
{
	return low ? x ^ y ^ z : ((y ^ z) & x) ^ z;
}

static __always_inline u32 p0(u32 x)
{
	return x ^ rol32(x, 9) ^ rol32(x, 17);
}

static __always_inline u32 p1(u32 x)
{
	return x ^ rol32(x, 15) ^ rol32(x, 23);
}

/*
 * One round on words that keep their places; the caller renames them from
 * round to round instead of moving eight values. @t is T_j <<< j.
 */
static __always_inline void one_round(u32 a, u32 *b, u32 c, u32 *d, u32 e,
				      u32 *f, u32 g, u32 *h, const u32 *w,
				      u32 t, bool low)
{
	u32 ss1 = rol32(rol32(a, 12) + e + t, 7);
	u32 ss2 = ss1 ^ rol32(a, 12);

	*d += ff(a, *b, c, low) + ss2 + (w[0] ^ w[4]);
	*h = p0(*h + gg(e, *f, g, low) + ss1 + w[0]);
	*b = rol32(*b, 9);
	*f = rol32(*f, 19);
}

/* rounds @j to @j + 3; after four renamings the words have their names back */
static __always_inline void four_rounds(u32 *v, const u32 *w, u32 t, bool low)
{
	one_round(v[0], &v[1], v[2], &v[3], v[4], &v[5], v[6], &v[7],
		  w, t, low);
	one_round(v[3], &v[0], v[1], &v[2], v[7], &v[4], v[5], &v[6],
		  w + 1, rol32(t, 1), low);
	one_round(v[2], &v[3], v[0], &v[1], v[6], &v[7], v[4], &v[5],
		  w + 2, rol32(t, 2), low);
	one_round(v[1], &v[2], v[3], &v[0], v[5], &v[6], v[7], &v[4],
		  w + 3, rol32(t, 3), low);
}

static void expand(u32 *w, const u8 *block)
{
	unsigned int j;

	for (j = 0; j < 16; j++)
		w[j] = get_unaligned_be32(block + 4 * j);
	for (; j < W_WORDS; j++)
		w[j] = p1(w[j - 16] ^ w[j - 9] ^ rol32(w[j - 3], 15)) ^
		       rol32(w[j - 13], 7) ^ w[j - 6];
}

static void compress(u32 *h, const u8 *data, size_t blocks)
{
	u32 w[W_WORDS], v[8];
	unsigned int j;

	for (; blocks; blocks--, data += NST_SM3_BLOCK_LEN) {
		expand(w, data);
		memcpy(v, h, sizeof(v));
		for (j = 0; j < 16; j += 4)
			four_rounds(v, w + j, rol32(T_LOW, j), true);
		for (; j < 64; j += 4)
			four_rounds(v, w + j, rol32(T_HIGH, j), false);
		for (j = 0; j < 8; j++)
			h[j] ^= v[j];
	}
	/* under HMAC the first block is the key */
	memzero_explicit(w, sizeof(w));
	memzero_explicit(v, sizeof(v));
}

/**
 * nst_sm3_init() - begin a hash
 * @st: initialised
 *
 * Context: any.
 */
void nst_sm3_init(struct nst_sm3_state *st)
{
	memset(st, 0, sizeof(*st));
	memcpy(st->h, iv, sizeof(st->h));
}

/**
 * nst_sm3_update() - add bytes to a hash
 * @st: from nst_sm3_init()
 * @data: @len bytes, any alignment; not read if @len is 0
 * @len: any number of bytes
 *
 * Context: any; no allocation, no FPU, about 350 bytes of stack.
 */
void nst_sm3_update(struct nst_sm3_state *st, const u8 *data, size_t len)
{
	size_t have = st->count % NST_SM3_BLOCK_LEN;
	size_t room = NST_SM3_BLOCK_LEN - have;

	if (!len)
		return;
	st->count += len;
	if (have && len >= room) {
		memcpy(st->buf + have, data, room);
		compress(st->h, st->buf, 1);
		data += room;
		len -= room;
		have = 0;
	}
	if (!have && len >= NST_SM3_BLOCK_LEN) {
		compress(st->h, data, len / NST_SM3_BLOCK_LEN);
		data += len & ~(size_t)(NST_SM3_BLOCK_LEN - 1);
		len %= NST_SM3_BLOCK_LEN;
	}
	memcpy(st->buf + have, data, len);
}

/**
 * nst_sm3_final() - pad the message and give the digest
 * @st: consumed and zeroed
 * @out: NST_SM3_DIGEST_LEN bytes, any alignment
 *
 * Context: any; no allocation, no FPU, about 350 bytes of stack.
 */
void nst_sm3_final(struct nst_sm3_state *st, u8 *out)
{
	const size_t len_at = NST_SM3_BLOCK_LEN - sizeof(u64);
	size_t have = st->count % NST_SM3_BLOCK_LEN;
	unsigned int i;

	st->buf[have++] = 0x80;
	if (have > len_at) {	/* no room left for the length */
		memset(st->buf + have, 0, NST_SM3_BLOCK_LEN - have);
		compress(st->h, st->buf, 1);
		have = 0;
	}
	memset(st->buf + have, 0, len_at - have);
	put_unaligned_be64(st->count * 8, st->buf + len_at);
	compress(st->h, st->buf, 1);

	for (i = 0; i < 8; i++)
		put_unaligned_be32(st->h[i], out + 4 * i);
	memzero_explicit(st, sizeof(*st));
}
