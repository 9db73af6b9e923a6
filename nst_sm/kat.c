// SPDX-License-Identifier: GPL-2.0
/*
 * Known answers from the standards: GB/T 32907-2016 appendix A.1 for SM4,
 * GB/T 32905-2016 appendix A for SM3. Run before the module registers
 * anything, so that a miscompiled cipher never reaches a record.
 */
#include "kat.h"
#include "sm3.h"
#include "sm4.h"

/* key and plaintext are the same bytes */
static const u8 sm4_key[NST_SM4_KEY_LEN] = {
	0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
	0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10,
};

static const u8 sm4_ciphertext[NST_SM4_BLOCK_LEN] = {
	0x68, 0x1e, 0xdf, 0x34, 0xd2, 0x06, 0x96, 0x5e,
	0x86, 0xb3, 0xe9, 0x4f, 0x53, 0x6e, 0x42, 0x46,
};

static const u8 sm3_abc[NST_SM3_DIGEST_LEN] = {
	0x66, 0xc7, 0xf0, 0xf4, 0x62, 0xee, 0xed, 0xd9,
	0xd1, 0xf2, 0xd4, 0x6b, 0xdc, 0x10, 0xe4, 0xe2,
	0x41, 0x67, 0xc4, 0x87, 0x5c, 0xf2, 0xf7, 0xa2,
	0x29, 0x7d, 0xa0, 0x2b, 0x8f, 0x4b, 0xa8, 0xe0,
};

/* "abcd" 16 times: exactly one block, the padding is a block of its own */
static const u8 sm3_abcd[NST_SM3_DIGEST_LEN] = {
	0xde, 0xbe, 0x9f, 0xf9, 0x22, 0x75, 0xb8, 0xa1,
	0x38, 0x60, 0x48, 0x89, 0xc1, 0x8e, 0x5a, 0x4d,
	0x6f, 0xdb, 0x70, 0xe5, 0x38, 0x7e, 0x57, 0x65,
	0x29, 0x3d, 0xcb, 0xa3, 0x9c, 0x0c, 0x57, 0x32,
};

static const char *sm4_run(void)
{
	struct nst_sm4_key key;
	u8 block[NST_SM4_BLOCK_LEN];
	const char *failed = NULL;

	nst_sm4_key_expand(&key, sm4_key);
	nst_sm4_block_crypt(key.enc, block, sm4_key);
	if (memcmp(block, sm4_ciphertext, sizeof(block)))
		failed = "SM4 encryption (GB/T 32907 A.1)";
	nst_sm4_block_crypt(key.dec, block, sm4_ciphertext);
	if (!failed && memcmp(block, sm4_key, sizeof(block)))
		failed = "SM4 decryption (GB/T 32907 A.1)";
	memzero_explicit(&key, sizeof(key));
	return failed;
}

static bool sm3_matches(const char *text, unsigned int times, const u8 *digest)
{
	struct nst_sm3_state st;
	u8 out[NST_SM3_DIGEST_LEN];

	nst_sm3_init(&st);
	while (times--)
		nst_sm3_update(&st, (const u8 *)text, strlen(text));
	nst_sm3_final(&st, out);
	return !memcmp(out, digest, sizeof(out));
}

/**
 * nst_kat_run() - compute the known answers
 *
 * Context: any.
 * Return: NULL if all are right, else the name of the first that is wrong.
 */
const char *nst_kat_run(void)
{
	const char *failed = sm4_run();

	if (failed)
		return failed;
	if (!sm3_matches("abc", 1, sm3_abc))
		return "SM3 of 3 bytes (GB/T 32905 A.1)";
	if (!sm3_matches("abcd", 16, sm3_abcd))
		return "SM3 of 64 bytes (GB/T 32905 A.2)";
	return NULL;
}
