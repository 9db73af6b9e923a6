// SPDX-License-Identifier: GPL-2.0
/*
 * Every suite is one AEAD of the crypto API, so the record layer above knows
 * no difference between them: authenc() does encrypt-then-MAC over the AAD and
 * the ciphertext just as the protocol's CBC suites ask, compares in constant
 * time before it decrypts, and truncates the tag.
 *
 * Transforms are allocated with mask 0: asked for a synchronous AES-GCM, 6.1
 * and 6.12 give a slow one. What is asynchronous by then is waited for. A cipher
 * for softirqs, which cannot wait, has a second, synchronous one: see aead.c.
 */
#include <crypto/aead.h>
#include <crypto/authenc.h>
#include <crypto/skcipher.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/nst.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "core/cipher.h"
#include "core/suite.h"

#define MAC_KEY_LEN	32

/**
 * nst_cipher_make() - make the transforms of a suite, whatever is known of it
 * @fresh: zeroed; has them afterwards, nothing of use after an error
 * @suite: 1..NST_WIRE_SUITE_MAX
 *
 * Context: process, may load modules.
 * Return: 0; -ENOPKG if this kernel cannot do the suite; another errno.
 */
int nst_cipher_make(struct nst_cipher *fresh, u8 suite)
{
	const struct nst_suite *desc = nst_suite(suite);
	int err;

	fresh->suite = suite;
	fresh->aead = crypto_alloc_aead(desc->aead, 0, 0);
	if (IS_ERR(fresh->aead))
		return nst_suite_missing(PTR_ERR(fresh->aead));
	err = crypto_aead_setauthsize(fresh->aead, NST_WIRE_TOKEN_LEN);
	if (!err && desc->ivgen) {
		fresh->ivgen = crypto_alloc_sync_skcipher(desc->ivgen, 0, 0);
		if (IS_ERR(fresh->ivgen))
			err = nst_suite_missing(PTR_ERR(fresh->ivgen));
	}
	if (err)
		crypto_free_aead(fresh->aead);
	return err;
}

/* It lives as long as the transforms, which no cgroup pays for either. */
static int keep(struct nst_cipher *cipher, const u8 *key, const u8 *iv)
{
	if (!cipher->key)
		cipher->key = kzalloc(NST_CIPHER_KEY_MAX, GFP_KERNEL);
	if (!cipher->key)
		return -ENOMEM;
	memcpy(cipher->key, key, nst_suite(cipher->suite)->key_len);
	memcpy(cipher->iv, iv, sizeof(cipher->iv));
	cipher->keeps = true;
	return 0;
}

/**
 * nst_cipher_init() - have the transforms of a suite at hand
 * @cipher: zeroed, or in use with any suite
 * @suite: 1..NST_WIRE_SUITE_MAX
 *
 * Does nothing if @cipher has that suite already. On an error @cipher is as
 * it was. A suite that was missing is not searched again for
 * NST_SUITE_RETRY. What nst_cipher_park() has kept stays so.
 *
 * Context: process, may load modules.
 * Return: 0; -ENOPKG if this kernel cannot do the suite; another errno.
 */
int nst_cipher_init(struct nst_cipher *cipher, u8 suite)
{
	struct nst_cipher fresh = {};
	int err;

	if (!nst_suite(suite))
		return -ENOPKG;
	if (cipher->suite == suite)
		return 0;
	if (nst_suite_known_missing(suite))
		return -ENOPKG;
	err = nst_suite_remember(suite, nst_cipher_make(&fresh, suite));
	if (err)
		return err;
	if (cipher->keeps && !cipher->suite)
		err = keep(&fresh, cipher->kept, cipher->iv);
	if (err) {
		nst_cipher_free(&fresh);
		return err;
	}
	nst_cipher_free(cipher);
	*cipher = fresh;
	memzero_explicit(&fresh, sizeof(fresh));
	return 0;
}

static bool is_async(struct crypto_aead *aead)
{
	return crypto_aead_tfm(aead)->__crt_alg->cra_flags & CRYPTO_ALG_ASYNC;
}

/**
 * nst_cipher_init_atomic() - have a suite at hand that softirqs can open with
 * @cipher: zeroed
 * @suite: 1..NST_WIRE_SUITE_MAX
 *
 * Context: process, may load modules.
 * Return: 0; -ENOPKG if this kernel cannot do the suite; another errno, after
 * which @cipher is as it was.
 */
int nst_cipher_init_atomic(struct nst_cipher *cipher, u8 suite)
{
	struct crypto_aead *nosimd;
	int err = nst_cipher_init(cipher, suite);

	if (err || !is_async(cipher->aead))
		return err;
	nosimd = crypto_alloc_aead(nst_suite(suite)->aead, 0, CRYPTO_ALG_ASYNC);
	err = PTR_ERR_OR_ZERO(nosimd);
	if (!err) {
		err = crypto_aead_setauthsize(nosimd, NST_WIRE_TOKEN_LEN);
		if (err)
			crypto_free_aead(nosimd);
	}
	if (err) {
		nst_cipher_free(cipher);
		err = nst_suite_missing(err);
		if (err == -ENOPKG)
			nst_suite_forget(NST_SUITE_DATAGRAMS, suite);
		return err;
	}
	cipher->nosimd = nosimd;
	return 0;
}

/* key ‖ mac_key of the OKM, in the form that authenc() takes its keys. */
static int set_authenc_key(struct crypto_aead *aead, const u8 *okm,
			   unsigned int key_len)
{
	struct {
		struct rtattr rta;
		struct crypto_authenc_key_param param;
		u8 keys[MAC_KEY_LEN + 32];
	} blob;
	int err;

	blob.rta.rta_len = RTA_LENGTH(sizeof(blob.param));
	blob.rta.rta_type = CRYPTO_AUTHENC_KEYA_PARAM;
	blob.param.enckeylen = cpu_to_be32(key_len);
	memcpy(blob.keys, okm + key_len, MAC_KEY_LEN);
	memcpy(blob.keys + MAC_KEY_LEN, okm, key_len);
	err = crypto_aead_setkey(aead, (u8 *)&blob,
				 offsetof(typeof(blob), keys) + MAC_KEY_LEN +
				 key_len);
	memzero_explicit(&blob, sizeof(blob));
	return err;
}

static int set_aead_key(struct crypto_aead *aead, const struct nst_suite *desc,
			const u8 *okm)
{
	if (desc->ivgen)
		return set_authenc_key(aead, okm, desc->key_len);
	return crypto_aead_setkey(aead, okm, desc->key_len);
}

/**
 * nst_cipher_setkey() - key a cipher for an epoch
 * @cipher: initialised, no operation under way
 * @okm: the suite's okm_len bytes of key material
 *
 * After an error the cipher has no usable key.
 *
 * Context: process.
 * Return: 0 or an errno.
 */
int nst_cipher_setkey(struct nst_cipher *cipher, const u8 *okm)
{
	const struct nst_suite *desc = nst_suite(cipher->suite);
	int err;

	err = set_aead_key(cipher->aead, desc, okm);
	if (!err && cipher->nosimd)
		err = set_aead_key(cipher->nosimd, desc, okm);
	if (err)
		return err;
	nst_contract_key(&cipher->known, okm, desc->okm_len);
	if (!desc->ivgen) {
		memcpy(cipher->iv, okm + desc->key_len, sizeof(cipher->iv));
		return 0;
	}
	return crypto_sync_skcipher_setkey(cipher->ivgen,
					   okm + desc->key_len + MAC_KEY_LEN,
					   desc->key_len);
}

/**
 * nst_cipher_keep() - have the key at hand for nst_cipher_park()
 * @cipher: keyed
 * @okm: what it was keyed with
 *
 * In the CBC suites it is not.
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int nst_cipher_keep(struct nst_cipher *cipher, const u8 *okm)
{
	if (cipher->ivgen)
		return 0;
	return keep(cipher, okm, okm + nst_suite(cipher->suite)->key_len);
}

/**
 * nst_cipher_kept() - the key material that was kept
 * @cipher: initialised, with the suite that it was kept for
 * @okm: receives what nst_cipher_setkey() takes; the caller wipes it
 *
 * Context: any.
 * Return: false if none was; @okm is as it was.
 */
bool nst_cipher_kept(const struct nst_cipher *cipher, u8 *okm)
{
	unsigned int len = nst_suite(cipher->suite)->key_len;

	if (!cipher->keeps)
		return false;
	memcpy(okm, cipher->key, len);
	memcpy(okm + len, cipher->iv, sizeof(cipher->iv));
	return true;
}

/**
 * nst_cipher_forget() - the epoch is over: keep its key no longer
 * @cipher: initialised, parked or zeroed. Its transforms stay, and keyed, until they
 *	are keyed anew or freed
 *
 * Context: any.
 */
void nst_cipher_forget(struct nst_cipher *cipher)
{
	if (!cipher->keeps)
		return;
	if (cipher->suite)
		memzero_explicit(cipher->key, NST_CIPHER_KEY_MAX);
	else
		memzero_explicit(cipher->kept, NST_CIPHER_KEY_MAX);
	memzero_explicit(cipher->iv, sizeof(cipher->iv));
	cipher->keeps = false;
}

/**
 * nst_cipher_park() - give the transforms back, but not the key
 * @cipher: initialised, parked or zeroed
 *
 * Context: process.
 */
void nst_cipher_park(struct nst_cipher *cipher)
{
	struct nst_cipher was = { .keeps = cipher->keeps };

	if (!cipher->suite)
		return;
	if (was.keeps) {
		memcpy(was.kept, cipher->key, sizeof(was.kept));
		memcpy(was.iv, cipher->iv, sizeof(was.iv));
	}
	nst_cipher_free(cipher);
	*cipher = was;
	memzero_explicit(&was, sizeof(was));
}

/**
 * nst_cipher_free() - give the transforms back and forget the keys
 * @cipher: initialised, parked or zeroed; zeroed afterwards
 *
 * Context: process. The crypto API zeroes a transform when it frees it.
 */
void nst_cipher_free(struct nst_cipher *cipher)
{
	if (cipher->suite) {
		crypto_free_aead(cipher->aead);
		if (cipher->nosimd)
			crypto_free_aead(cipher->nosimd);
		if (cipher->ivgen)
			crypto_free_sync_skcipher(cipher->ivgen);
		kfree_sensitive(cipher->key);
	}
	memzero_explicit(cipher, sizeof(*cipher));
}
