// SPDX-License-Identifier: GPL-2.0
/*
 * Fingerprints of keys: the first bytes of SHA-256("nst-fp" || key). Two hosts
 * compare them to see that they hold the same key. A key is 32 random bytes, so
 * its hash gives nothing away.
 */
#include <crypto/hash.h>
#include <linux/err.h>
#include <linux/nst.h>
#include <linux/string.h>
#include "core/fingerprint.h"

#define LABEL		"nst-fp"
#define LABEL_LEN	(sizeof(LABEL) - 1)
#define SHA256_LEN	32

/* Without a key and so without state: all callers share it. */
static struct crypto_shash *sha256;

/**
 * nst_fingerprint_init() - get SHA-256
 *
 * Context: process, may load modules.
 * Return: 0 or a negative errno.
 */
int nst_fingerprint_init(void)
{
	struct crypto_shash *tfm = crypto_alloc_shash("sha256", 0, 0);

	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	sha256 = tfm;
	return 0;
}

/**
 * nst_fingerprint_exit() - give SHA-256 back
 */
void nst_fingerprint_exit(void)
{
	crypto_free_shash(sha256);
}

/**
 * nst_fingerprint() - the fingerprint of a key
 * @secret: the key, NST_KEY_SIZE bytes
 * @fp: receives it
 *
 * Context: process.
 * Return: 0 or a negative errno.
 */
int nst_fingerprint(const u8 *secret, u8 fp[NST_FINGERPRINT_LEN])
{
	u8 text[LABEL_LEN + NST_KEY_SIZE], digest[SHA256_LEN];
	int err;

	memcpy(text, LABEL, LABEL_LEN);
	memcpy(text + LABEL_LEN, secret, NST_KEY_SIZE);
	err = crypto_shash_tfm_digest(sha256, text, sizeof(text), digest);
	memzero_explicit(text, sizeof(text));
	if (!err)
		memcpy(fp, digest, NST_FINGERPRINT_LEN);
	return err;
}
