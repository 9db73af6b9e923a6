// SPDX-License-Identifier: GPL-2.0
/*
 * HKDF (RFC 5869) with the hash that the suite names. HMAC is made of the plain hash
 * here: without a key the transform has no state, so one serves all derivations. An
 * HMAC of the crypto API would have to be made for each, and that takes as long as
 * the derivation itself.
 */
#include <crypto/hash.h>
#include <linux/err.h>
#include <linux/nst.h>
#include <linux/string.h>
#include "core/cipher.h"
#include "core/kdf.h"
#include "core/suite.h"

#define HASH_LEN	32	/* SHA-256 and SM3 alike */
#define BLOCK_LEN	64
#define INFO_MAX	(4 + 3 + 2 + 2 + 2 + 1 + NST_CONTEXT_MAX)

static size_t make_info(u8 *info, const struct nst_kdf *in)
{
	u8 *p = info;

	memcpy(p, "nst1", 4);
	p += 4;
	*p++ = in->proto;
	*p++ = NST_WIRE_VERSION;
	*p++ = in->suite;
	*p++ = in->kid >> 8;
	*p++ = in->kid;
	*p++ = in->kpos;
	*p++ = in->kval;
	*p++ = in->epoch >> 8;
	*p++ = in->epoch;
	*p++ = in->context_len;
	memcpy(p, in->context, in->context_len);
	return p + in->context_len - info;
}

/* Of most suites, and at hand for fingerprints anyway; NULL: nobody has asked. */
static struct crypto_shash *sha256;

/**
 * nst_kdf_init() - have SHA-256 at hand for all derivations
 *
 * Without it each derivation makes a hash of its own.
 *
 * Context: process, may load modules.
 * Return: 0 or a negative errno.
 */
int nst_kdf_init(void)
{
	struct crypto_shash *tfm = crypto_alloc_shash("sha256", 0, 0);

	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	sha256 = tfm;
	return 0;
}

/**
 * nst_kdf_exit() - give SHA-256 back
 */
void nst_kdf_exit(void)
{
	crypto_free_shash(sha256);
	sha256 = NULL;
}

/*
 * The hash of a suite, to be given back by put_hash(). A suite that was known to be
 * there is so no more if that has gone, which no module need have done.
 */
static struct crypto_shash *get_hash(u8 id)
{
	const struct nst_suite *suite = nst_suite(id);
	struct crypto_shash *tfm;
	int err;

	if (sha256 && !strcmp(suite->hash, "sha256"))
		return sha256;
	tfm = crypto_alloc_shash(suite->hash, 0, 0);
	if (!IS_ERR(tfm))
		return tfm;
	err = nst_suite_missing(PTR_ERR(tfm));
	return ERR_PTR(nst_suite_remember(id, err));
}

static void put_hash(struct crypto_shash *tfm)
{
	if (tfm != sha256)
		crypto_free_shash(tfm);
}

static void pad_key(u8 *block, const u8 *key, u8 pad)
{
	const u64 pads = pad * 0x0101010101010101ULL;
	unsigned int i;
	u64 word;

	memset(block + HASH_LEN, pad, BLOCK_LEN - HASH_LEN);
	for (i = 0; i < HASH_LEN; i += sizeof(word)) {
		memcpy(&word, key + i, sizeof(word));
		word ^= pads;
		memcpy(block + i, &word, sizeof(word));
	}
	memzero_explicit(&word, sizeof(word));
}

static int digest(struct shash_desc *hash, const u8 *text, size_t len, u8 *out)
{
	return crypto_shash_init(hash) ?:
	       crypto_shash_finup(hash, text, len, out);
}

/*
 * HMAC (RFC 2104) under a key of HASH_LEN bytes. @text begins with BLOCK_LEN bytes of
 * room; the @len bytes behind them are authenticated. The caller wipes @hash.
 */
static int hmac(struct shash_desc *hash, const u8 *key, u8 *text, size_t len,
		u8 *out)
{
	u8 outer[BLOCK_LEN + HASH_LEN];
	int err;

	pad_key(text, key, 0x36);
	pad_key(outer, key, 0x5c);
	err = digest(hash, text, BLOCK_LEN + len, outer + BLOCK_LEN);
	if (!err)
		err = digest(hash, outer, sizeof(outer), out);
	memzero_explicit(outer, sizeof(outer));
	return err;
}

static int extract(struct shash_desc *hash, const struct nst_kdf *in, u8 *prk)
{
	u8 text[BLOCK_LEN + NST_KEY_SIZE], *ikm = text + BLOCK_LEN;
	int err;

	memcpy(ikm, in->secret, NST_KEY_SIZE);
	if (in->kpos)
		ikm[in->kpos - 1] ^= in->kval;
	err = hmac(hash, in->salt, text, NST_KEY_SIZE, prk);
	memzero_explicit(text, sizeof(text));
	return err;
}

/* T(i) = HMAC(PRK, T(i-1) ‖ info ‖ i); T(0) is empty. */
static int expand(struct shash_desc *hash, const struct nst_kdf *in,
		  const u8 *prk, u8 *okm, size_t len)
{
	u8 text[BLOCK_LEN + HASH_LEN + INFO_MAX + 1], t[HASH_LEN];
	size_t before = 0, info_len, n;
	u8 *at;
	u8 i;
	int err = 0;

	for (i = 1; !err && len; i++, okm += n, len -= n) {
		at = text + BLOCK_LEN;
		memcpy(at, t, before);
		at += before;
		info_len = make_info(at, in);
		at[info_len] = i;
		err = hmac(hash, prk, text, before + info_len + 1, t);
		before = HASH_LEN;
		n = min_t(size_t, len, HASH_LEN);
		memcpy(okm, t, n);
	}
	memzero_explicit(text, sizeof(text));
	memzero_explicit(t, sizeof(t));
	return err;
}

/* The hash's state is on the stack, and wiped once: each digest begins it anew. */
static int derive(struct crypto_shash *tfm, const struct nst_kdf *in, u8 *okm,
		  size_t len)
{
	SHASH_DESC_ON_STACK(hash, tfm);
	u8 prk[HASH_LEN];
	int err;

	hash->tfm = tfm;
	err = extract(hash, in, prk);
	if (!err)
		err = expand(hash, in, prk, okm, len);
	shash_desc_zero(hash);
	memzero_explicit(prk, sizeof(prk));
	return err;
}

/**
 * nst_kdf_derive() - the keys of an epoch
 * @in: what they are derived from
 * @okm: receives @len bytes; the caller wipes them after use
 * @len: okm_len of the suite
 *
 * Context: process, may load modules.
 * Return: 0; -ENOPKG if this kernel has not the suite's hash; another errno.
 */
int nst_kdf_derive(const struct nst_kdf *in, u8 *okm, size_t len)
{
	struct crypto_shash *hash;
	int err;

	if (!nst_suite(in->suite) || in->context_len > NST_CONTEXT_MAX ||
	    in->kpos > NST_WIRE_KPOS_MAX)
		return -EINVAL;
	hash = get_hash(in->suite);
	if (IS_ERR(hash))
		return PTR_ERR(hash);
	err = derive(hash, in, okm, len);
	put_hash(hash);
	if (err)
		memzero_explicit(okm, len);
	return err;
}
