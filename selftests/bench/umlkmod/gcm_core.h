/* SPDX-License-Identifier: GPL-2.0 */
/*
 * AES-GCM with AES-NI and PCLMULQDQ, as a stream over segments of any length.
 * Only for the benchmark's User Mode Linux, whose kernel is a host process and
 * may use vector registers as any program does: they are caller-saved at each
 * context switch, and the host keeps them over a signal.
 *
 * GHASH works on byte-swapped blocks and on powers of H that are multiplied by
 * x, so that the product of two of them needs no shift before it is reduced.
 */
#ifndef _BENCH_GCM_CORE_H
#define _BENCH_GCM_CORE_H

/* xmmintrin.h would include the C library's malloc */
#define _MM_MALLOC_H_INCLUDED
#include <wmmintrin.h>
#include <smmintrin.h>

#define GCM_WIDE	8	/* blocks of one pass */
#define GCM_BLOCK	16

struct gcm_key {
	__m128i round[15];
	__m128i power[GCM_WIDE];	/* H^1 .. H^8 */
	int rounds;
};

struct gcm_stream {
	__m128i counter;	/* byte-swapped, of the block used last */
	__m128i hash;		/* byte-swapped */
	__m128i mask;		/* of the tag */
	u8 pad[GCM_BLOCK];	/* key stream of a block that is begun */
	u8 text[GCM_BLOCK];	/* its ciphertext */
	unsigned int fill;	/* bytes of that */
};

/* A product of three parts that is not reduced yet. */
struct gcm_product {
	__m128i low, middle, high;
};

static __always_inline __m128i gcm_swap(__m128i x)
{
	return _mm_shuffle_epi8(x, _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
						10, 11, 12, 13, 14, 15));
}

static __always_inline __m128i gcm_load(const void *p)
{
	return _mm_loadu_si128(p);
}

static __always_inline void gcm_store(void *p, __m128i x)
{
	_mm_storeu_si128(p, x);
}

static __always_inline void gcm_add_product(struct gcm_product *r, __m128i a, __m128i b)
{
	r->low = _mm_xor_si128(r->low, _mm_clmulepi64_si128(a, b, 0x00));
	r->high = _mm_xor_si128(r->high, _mm_clmulepi64_si128(a, b, 0x11));
	r->middle = _mm_xor_si128(r->middle,
				  _mm_xor_si128(_mm_clmulepi64_si128(a, b, 0x01),
						_mm_clmulepi64_si128(a, b, 0x10)));
}

/* Folds the low 64 bits away twice, by x^63 + x^62 + x^57 of the polynomial. */
static __always_inline __m128i gcm_reduce(struct gcm_product r)
{
	const __m128i poly = _mm_set_epi64x(0, 0xc200000000000000ULL);
	__m128i fold;
	int i;

	r.low = _mm_xor_si128(r.low, _mm_slli_si128(r.middle, 8));
	r.high = _mm_xor_si128(r.high, _mm_srli_si128(r.middle, 8));
	for (i = 0; i < 2; i++) {
		fold = _mm_clmulepi64_si128(r.low, poly, 0x00);
		r.low = _mm_xor_si128(_mm_shuffle_epi32(r.low, 0x4e), fold);
	}
	return _mm_xor_si128(r.high, r.low);
}

static __always_inline __m128i gcm_multiply(__m128i a, __m128i b)
{
	struct gcm_product r = {};

	gcm_add_product(&r, a, b);
	return gcm_reduce(r);
}

static __always_inline void gcm_hash(const struct gcm_key *key, struct gcm_stream *s,
				     __m128i block)
{
	s->hash = gcm_multiply(_mm_xor_si128(s->hash, gcm_swap(block)),
			       key->power[0]);
}

static __always_inline __m128i gcm_cipher(const struct gcm_key *key, __m128i x)
{
	int i;

	x = _mm_xor_si128(x, key->round[0]);
	for (i = 1; i < key->rounds; i++)
		x = _mm_aesenc_si128(x, key->round[i]);
	return _mm_aesenclast_si128(x, key->round[i]);
}

static __always_inline __m128i gcm_next(const struct gcm_key *key, struct gcm_stream *s)
{
	s->counter = _mm_add_epi32(s->counter, _mm_set_epi32(0, 0, 0, 1));
	return gcm_cipher(key, gcm_swap(s->counter));
}

static void gcm_set_key(struct gcm_key *key, const void *schedule, int rounds)
{
	const u8 *p = schedule;
	__m128i h, carry;
	int i;

	key->rounds = rounds;
	for (i = 0; i <= rounds; i++)
		key->round[i] = gcm_load(p + GCM_BLOCK * i);
	h = gcm_swap(gcm_cipher(key, _mm_setzero_si128()));
	carry = _mm_srli_epi64(h, 63);
	h = _mm_or_si128(_mm_slli_epi64(h, 1), _mm_slli_si128(carry, 8));
	if (_mm_extract_epi64(carry, 1))
		h = _mm_xor_si128(h, _mm_set_epi64x(0xc200000000000000ULL, 1));
	key->power[0] = h;
	for (i = 1; i < GCM_WIDE; i++)
		key->power[i] = gcm_multiply(key->power[i - 1], h);
}

/* The AAD is at most 64 bytes here; its last block is filled with zeros. */
static void gcm_begin(const struct gcm_key *key, struct gcm_stream *s,
		      const u8 *iv, const u8 *aad, unsigned int len)
{
	u8 block[GCM_BLOCK] = {};
	unsigned int n;

	memcpy(block, iv, 12);
	block[15] = 1;
	s->counter = gcm_swap(gcm_load(block));
	s->mask = gcm_cipher(key, gcm_load(block));
	s->hash = _mm_setzero_si128();
	s->fill = 0;
	for (; len; aad += n, len -= n) {
		n = len < GCM_BLOCK ? len : GCM_BLOCK;
		memset(block, 0, sizeof(block));
		memcpy(block, aad, n);
		gcm_hash(key, s, gcm_load(block));
	}
}

static __always_inline void gcm_hash_wide(const struct gcm_key *key, struct gcm_stream *s,
					  const __m128i *x)
{
	struct gcm_product r = {};
	__m128i first = _mm_xor_si128(s->hash, gcm_swap(x[0]));
	int i;

	gcm_add_product(&r, first, key->power[GCM_WIDE - 1]);
#pragma GCC unroll 8
	for (i = 1; i < GCM_WIDE; i++)
		gcm_add_product(&r, gcm_swap(x[i]), key->power[GCM_WIDE - 1 - i]);
	s->hash = gcm_reduce(r);
}

static __always_inline void gcm_wide(const struct gcm_key *key, struct gcm_stream *s,
				     u8 *dst, const u8 *src, int encrypt)
{
	const __m128i one = _mm_set_epi32(0, 0, 0, 1);
	__m128i pad[GCM_WIDE], x[GCM_WIDE], round;
	int i, r;

#pragma GCC unroll 8
	for (i = 0; i < GCM_WIDE; i++) {
		s->counter = _mm_add_epi32(s->counter, one);
		pad[i] = _mm_xor_si128(gcm_swap(s->counter), key->round[0]);
		x[i] = gcm_load(src + GCM_BLOCK * i);
	}
	if (!encrypt)
		gcm_hash_wide(key, s, x);
	for (r = 1; r < key->rounds; r++) {
		round = key->round[r];
#pragma GCC unroll 8
		for (i = 0; i < GCM_WIDE; i++)
			pad[i] = _mm_aesenc_si128(pad[i], round);
	}
	round = key->round[r];
#pragma GCC unroll 8
	for (i = 0; i < GCM_WIDE; i++) {
		x[i] = _mm_xor_si128(x[i], _mm_aesenclast_si128(pad[i], round));
		gcm_store(dst + GCM_BLOCK * i, x[i]);
	}
	if (encrypt)
		gcm_hash_wide(key, s, x);
}

/* Byte by byte through a block that segments share. */
static __always_inline unsigned int gcm_narrow(const struct gcm_key *key,
					       struct gcm_stream *s, u8 *dst, const u8 *src,
					       unsigned int len, int encrypt)
{
	unsigned int i;
	u8 in;

	if (!s->fill)
		gcm_store(s->pad, gcm_next(key, s));
	for (i = 0; i < len && s->fill < GCM_BLOCK; i++, s->fill++) {
		in = src[i];
		dst[i] = in ^ s->pad[s->fill];
		s->text[s->fill] = encrypt ? dst[i] : in;
	}
	if (s->fill == GCM_BLOCK) {
		gcm_hash(key, s, gcm_load(s->text));
		s->fill = 0;
	}
	return i;
}

static __always_inline void gcm_update(const struct gcm_key *key, struct gcm_stream *s,
				       u8 *dst, const u8 *src, unsigned int len, int encrypt)
{
	__m128i in, out;
	unsigned int n;

	for (; len; dst += n, src += n, len -= n) {
		if (s->fill || len < GCM_BLOCK) {
			n = gcm_narrow(key, s, dst, src, len, encrypt);
		} else if (len < GCM_WIDE * GCM_BLOCK) {
			n = GCM_BLOCK;
			in = gcm_load(src);
			out = _mm_xor_si128(in, gcm_next(key, s));
			gcm_store(dst, out);
			gcm_hash(key, s, encrypt ? out : in);
		} else {
			n = GCM_WIDE * GCM_BLOCK;
			gcm_wide(key, s, dst, src, encrypt);
		}
	}
}

static void gcm_end(const struct gcm_key *key, struct gcm_stream *s, u8 *tag,
		    u64 aad_len, u64 len)
{
	if (s->fill) {
		memset(s->text + s->fill, 0, GCM_BLOCK - s->fill);
		gcm_hash(key, s, gcm_load(s->text));
	}
	s->hash = _mm_xor_si128(s->hash, _mm_set_epi64x(aad_len * 8, len * 8));
	s->hash = gcm_multiply(s->hash, key->power[0]);
	gcm_store(tag, _mm_xor_si128(gcm_swap(s->hash), s->mask));
}

#endif
