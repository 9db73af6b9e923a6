// SPDX-License-Identifier: GPL-2.0
/* HKDF (RFC 5869) with the hash that the suite names. */
#include <crypto/hash.h>
#include <linux/err.h>
#include <linux/nst.h>
#include <linux/string.h>
#include "core/cipher.h"
#include "core/kdf.h"

#define HASH_LEN	32	/* SHA-256 and SM3 alike */
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

static int extract(struct crypto_shash *hmac, const struct nst_kdf *in, u8 *prk)
{
	u8 ikm[NST_KEY_SIZE];
	int err;

	memcpy(ikm, in->secret, sizeof(ikm));
	if (in->kpos)
		ikm[in->kpos - 1] ^= in->kval;
	err = crypto_shash_setkey(hmac, in->salt, NST_KDF_SALT_LEN);
	if (!err)
		err = crypto_shash_tfm_digest(hmac, ikm, sizeof(ikm), prk);
	memzero_explicit(ikm, sizeof(ikm));
	return err;
}

/* T(i) = HMAC(PRK, T(i-1) ‖ info ‖ i); T(0) is empty. */
static int expand(struct crypto_shash *hmac, const struct nst_kdf *in,
		  const u8 *prk, u8 *okm, size_t len)
{
	u8 block[HASH_LEN + INFO_MAX + 1], t[HASH_LEN];
	size_t info_len = make_info(block + HASH_LEN, in), n;
	u8 *from = block + HASH_LEN;
	u8 i = 1;
	int err;

	err = crypto_shash_setkey(hmac, prk, HASH_LEN);
	for (; !err && len; i++, okm += n, len -= n) {
		block[HASH_LEN + info_len] = i;
		err = crypto_shash_tfm_digest(hmac, from,
					      block + HASH_LEN + info_len + 1 -
					      from, t);
		n = min_t(size_t, len, HASH_LEN);
		memcpy(okm, t, n);
		memcpy(block, t, HASH_LEN);
		from = block;
	}
	memzero_explicit(block, sizeof(block));
	memzero_explicit(t, sizeof(t));
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
	const struct nst_suite *suite = nst_suite(in->suite);
	struct crypto_shash *hmac;
	u8 prk[HASH_LEN];
	int err;

	if (!suite || in->context_len > NST_CONTEXT_MAX ||
	    in->kpos > NST_WIRE_KPOS_MAX)
		return -EINVAL;
	hmac = crypto_alloc_shash(suite->hmac, 0, 0);
	if (IS_ERR(hmac)) {
		err = PTR_ERR(hmac);
		return err == -ENOENT || err == -ELIBBAD ? -ENOPKG : err;
	}
	err = extract(hmac, in, prk);
	if (!err)
		err = expand(hmac, in, prk, okm, len);
	memzero_explicit(prk, sizeof(prk));
	crypto_free_shash(hmac);
	if (err)
		memzero_explicit(okm, len);
	return err;
}
