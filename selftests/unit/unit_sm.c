// SPDX-License-Identifier: GPL-2.0
/*
 * Unit test of nst_sm/: sm4.c, sm3.c and kat.c as they are in the module,
 * against the standards and against libgcrypt. Prints TAP. The random inputs
 * come from a generator with a fixed seed, so that a failure repeats.
 */
#include <gcrypt.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../nst_sm/sm3.h"
#include "../../nst_sm/sm4.h"
#include "../../nst_sm/kat.c"

#define ROUNDS	2000

static bool has_failed;

/* a case goes on after a failure and reports the first */
static void check(bool ok, int line, const char *what)
{
	if (!ok && !has_failed)
		printf("# line %d: %s\n", line, what);
	has_failed |= !ok;
}

#define CHECK(cond) check(cond, __LINE__, #cond)
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static u64 rnd_state = 0x9e3779b97f4a7c15ULL;

static u32 rnd(void)
{
	rnd_state ^= rnd_state << 13;
	rnd_state ^= rnd_state >> 7;
	rnd_state ^= rnd_state << 17;
	return rnd_state >> 32;
}

static void rnd_fill(u8 *p, size_t len)
{
	while (len--)
		*p++ = rnd();
}

static void must(gcry_error_t err)
{
	if (!err)
		return;
	printf("Bail out! libgcrypt: %s\n", gcry_strerror(err));
	exit(1);
}

static gcry_cipher_hd_t reference_open(int mode, const u8 *key)
{
	gcry_cipher_hd_t ref;

	must(gcry_cipher_open(&ref, GCRY_CIPHER_SM4, mode, 0));
	must(gcry_cipher_setkey(ref, key, NST_SM4_KEY_LEN));
	return ref;
}

static void nst_kat_run__standard_vectors(void)
{
	const char *failed = nst_kat_run();

	if (failed)
		printf("# %s\n", failed);
	CHECK(!failed);
}

/* GB/T 32907 A.2; too slow for the load of a module in an emulated guest */
static void nst_sm4_block_crypt__million_times(void)
{
	static const u8 want[NST_SM4_BLOCK_LEN] = {
		0x59, 0x52, 0x98, 0xc7, 0xc6, 0xfd, 0x27, 0x1f,
		0x04, 0x02, 0xf8, 0x04, 0xc3, 0x3d, 0x3f, 0x66,
	};
	struct nst_sm4_key key;
	u8 block[NST_SM4_BLOCK_LEN];
	int i;

	nst_sm4_key_expand(&key, sm4_key);
	memcpy(block, sm4_key, sizeof(block));
	for (i = 0; i < 1000000; i++)
		nst_sm4_block_crypt(key.enc, block, block);
	CHECK(!memcmp(block, want, sizeof(block)));
	for (i = 0; i < 1000000; i++)
		nst_sm4_block_crypt(key.dec, block, block);
	CHECK(!memcmp(block, sm4_key, sizeof(block)));
}

static void nst_sm4_key_expand__dec_is_enc_backwards(void)
{
	struct nst_sm4_key key;
	u8 in[NST_SM4_KEY_LEN];
	int i;

	rnd_fill(in, sizeof(in));
	nst_sm4_key_expand(&key, in);
	for (i = 0; i < NST_SM4_ROUNDS; i++)
		CHECK(key.enc[i] == key.dec[NST_SM4_ROUNDS - 1 - i]);
}

static void nst_sm4_block_crypt__matches_libgcrypt(void)
{
	struct nst_sm4_key key;
	u8 in[NST_SM4_KEY_LEN], src[16], got[16], want[16];
	int i;

	for (i = 0; i < ROUNDS; i++) {
		gcry_cipher_hd_t ref;

		rnd_fill(in, sizeof(in));
		rnd_fill(src, sizeof(src));
		ref = reference_open(GCRY_CIPHER_MODE_ECB, in);
		nst_sm4_key_expand(&key, in);

		must(gcry_cipher_encrypt(ref, want, 16, src, 16));
		nst_sm4_block_crypt(key.enc, got, src);
		CHECK(!memcmp(got, want, 16));

		must(gcry_cipher_decrypt(ref, want, 16, src, 16));
		nst_sm4_block_crypt(key.dec, got, src);
		CHECK(!memcmp(got, want, 16));
		gcry_cipher_close(ref);
	}
}

/* heap buffers of exact size: the address sanitizer sees each byte beyond */
static void nst_sm4_block_crypt__any_alignment(void)
{
	struct nst_sm4_key key;
	unsigned int from, to;
	u8 src[16], want[16];

	rnd_fill(src, sizeof(src));
	nst_sm4_key_expand(&key, src);
	nst_sm4_block_crypt(key.enc, want, src);
	for (from = 0; from < 8; from++) {
		for (to = 0; to < 8; to++) {
			u8 *in = malloc(from + 16), *out = malloc(to + 16);

			memcpy(in + from, src, 16);
			nst_sm4_block_crypt(key.enc, out + to, in + from);
			CHECK(!memcmp(out + to, want, 16));
			free(in);
			free(out);
		}
	}
}

/* chained as the template of the kernel does it, each block in place */
static void nst_sm4_block_crypt__cbc_matches_libgcrypt(void)
{
	struct nst_sm4_key key;
	u8 in[NST_SM4_KEY_LEN], iv[16], text[1024], want[1024];
	int i;

	for (i = 0; i < ROUNDS / 10; i++) {
		size_t len = (rnd() % 64 + 1) * 16, at, j;
		gcry_cipher_hd_t ref;
		const u8 *prev = iv;

		rnd_fill(in, sizeof(in));
		rnd_fill(iv, sizeof(iv));
		rnd_fill(text, len);
		ref = reference_open(GCRY_CIPHER_MODE_CBC, in);
		must(gcry_cipher_setiv(ref, iv, 16));
		must(gcry_cipher_encrypt(ref, want, len, text, len));
		gcry_cipher_close(ref);

		nst_sm4_key_expand(&key, in);
		for (at = 0; at < len; at += 16) {
			for (j = 0; j < 16; j++)
				text[at + j] ^= prev[j];
			nst_sm4_block_crypt(key.enc, text + at, text + at);
			prev = text + at;
		}
		CHECK(!memcmp(text, want, len));
	}
}

static void sm3_of(u8 *out, const u8 *data, size_t len, size_t split)
{
	struct nst_sm3_state st;

	nst_sm3_init(&st);
	nst_sm3_update(&st, data, split);
	nst_sm3_update(&st, data + split, len - split);
	nst_sm3_final(&st, out);
}

/* every length over the padding's edges, cut at every place */
static void nst_sm3_update__every_split(void)
{
	u8 got[NST_SM3_DIGEST_LEN], want[NST_SM3_DIGEST_LEN];
	size_t len, split;

	for (len = 0; len <= 200; len++) {
		u8 *data = malloc(len + 1);	/* malloc(0) may be NULL */

		rnd_fill(data, len);
		gcry_md_hash_buffer(GCRY_MD_SM3, want, data, len);
		for (split = 0; split <= len; split++) {
			sm3_of(got, data, len, split);
			CHECK(!memcmp(got, want, sizeof(got)));
		}
		free(data);
	}
}

static void nst_sm3_update__random_pieces(void)
{
	static u8 data[16384];
	u8 got[NST_SM3_DIGEST_LEN], want[NST_SM3_DIGEST_LEN];
	int i;

	rnd_fill(data, sizeof(data));
	for (i = 0; i < ROUNDS / 4; i++) {
		size_t len = rnd() % sizeof(data), at = 0;
		struct nst_sm3_state st;

		nst_sm3_init(&st);
		while (at < len) {
			size_t piece = rnd() % 300;

			if (piece > len - at)
				piece = len - at;
			nst_sm3_update(&st, data + at, piece);
			at += piece;
		}
		nst_sm3_final(&st, got);
		gcry_md_hash_buffer(GCRY_MD_SM3, want, data, len);
		CHECK(!memcmp(got, want, sizeof(got)));
	}
}

static void nst_sm3_update__nothing_reads_nothing(void)
{
	struct nst_sm3_state st, before;

	nst_sm3_init(&st);
	nst_sm3_update(&st, sm4_key, sizeof(sm4_key));
	before = st;
	nst_sm3_update(&st, NULL, 0);
	CHECK(!memcmp(&st, &before, sizeof(st)));
}

/* a hash can be copied half-way: HMAC in the kernel depends on it */
static void nst_sm3_update__copied_state_goes_on(void)
{
	u8 data[150], got[NST_SM3_DIGEST_LEN], want[NST_SM3_DIGEST_LEN];
	struct nst_sm3_state st, copy;

	rnd_fill(data, sizeof(data));
	nst_sm3_init(&st);
	nst_sm3_update(&st, data, 100);
	copy = st;
	nst_sm3_final(&st, got);
	nst_sm3_update(&copy, data + 100, 50);
	nst_sm3_final(&copy, got);
	gcry_md_hash_buffer(GCRY_MD_SM3, want, data, sizeof(data));
	CHECK(!memcmp(got, want, sizeof(got)));
}

/* the last block of a message of 4 GiB, padded here by hand */
static void nst_sm3_final__length_beyond_32_bits(void)
{
	u8 got[NST_SM3_DIGEST_LEN], block[NST_SM3_BLOCK_LEN] = { 0x80 };
	struct nst_sm3_state st, hand;
	int i;

	nst_sm3_init(&st);
	st.count = 1ULL << 32;
	nst_sm3_final(&st, got);

	nst_sm3_init(&hand);
	block[NST_SM3_BLOCK_LEN - 5] = 8;	/* 2^35 bits */
	nst_sm3_update(&hand, block, sizeof(block));
	for (i = 0; i < 8; i++)
		CHECK(get_unaligned_be32(got + 4 * i) == hand.h[i]);
}

static void nst_sm3_final__zeroes_the_state(void)
{
	struct nst_sm3_state st;
	u8 out[NST_SM3_DIGEST_LEN];
	size_t i;

	nst_sm3_init(&st);
	nst_sm3_update(&st, sm4_key, sizeof(sm4_key));
	nst_sm3_final(&st, out);
	for (i = 0; i < sizeof(st); i++)
		CHECK(!((u8 *)&st)[i]);
}

#define CASE(name) { #name, name }

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	CASE(nst_kat_run__standard_vectors),
	CASE(nst_sm4_key_expand__dec_is_enc_backwards),
	CASE(nst_sm4_block_crypt__million_times),
	CASE(nst_sm4_block_crypt__matches_libgcrypt),
	CASE(nst_sm4_block_crypt__any_alignment),
	CASE(nst_sm4_block_crypt__cbc_matches_libgcrypt),
	CASE(nst_sm3_update__every_split),
	CASE(nst_sm3_update__random_pieces),
	CASE(nst_sm3_update__nothing_reads_nothing),
	CASE(nst_sm3_update__copied_state_goes_on),
	CASE(nst_sm3_final__length_beyond_32_bits),
	CASE(nst_sm3_final__zeroes_the_state),
};

int main(void)
{
	unsigned int i, failed = 0;

	if (!gcry_check_version("1.9.0")) {	/* the first with SM4 */
		printf("Bail out! libgcrypt is older than 1.9\n");
		return 1;
	}
	must(gcry_control(GCRYCTL_DISABLE_SECMEM, 0));
	must(gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0));

	printf("TAP version 13\n1..%zu\n", ARRAY_SIZE(cases));
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		has_failed = false;
		cases[i].run();
		failed += has_failed;
		printf("%s %u %s\n", has_failed ? "not ok" : "ok", i + 1,
		       cases[i].name);
	}
	return failed ? 1 : 0;
}
