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
#include <crypto/algapi.h>
#include <crypto/authenc.h>
#include <crypto/hash.h>
#include <crypto/skcipher.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/nst.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/workqueue.h>
#include "core/cipher.h"
#include "limits.h"

#define MAC_KEY_LEN	32

static const struct nst_suite suites[] = {
	[NST_CIPHER_AES_GCM] = {
		.name = "aes-gcm", .aead = "gcm(aes)",
		.hmac = "hmac(sha256)", .hash = "sha256",
		.key_len = 16, .okm_len = 28,
	},
	[NST_CIPHER_AES_CBC] = {
		.name = "aes-cbc", .aead = "authenc(hmac(sha256),cbc(aes))",
		.ivgen = "cbc(aes)",
		.hmac = "hmac(sha256)", .hash = "sha256",
		.key_len = 16, .okm_len = 64,
	},
	[NST_CIPHER_SM4_GCM] = {
		.name = "sm4-gcm", .aead = "gcm(sm4)",
		.hmac = "hmac(sm3)", .hash = "sm3",
		.key_len = 16, .okm_len = 28,
	},
	[NST_CIPHER_SM4_CBC] = {
		.name = "sm4-cbc", .aead = "authenc(hmac(sm3),cbc(sm4))",
		.ivgen = "cbc(sm4)", .untested = true,
		.hmac = "hmac(sm3)", .hash = "sm3",
		.key_len = 16, .okm_len = 64,
	},
	[NST_CIPHER_AES_256_GCM] = {
		.name = "aes-256-gcm", .aead = "gcm(aes)",
		.hmac = "hmac(sha256)", .hash = "sha256",
		.key_len = 32, .okm_len = 44,
	},
	[NST_CIPHER_AES_256_CBC] = {
		.name = "aes-256-cbc", .aead = "authenc(hmac(sha256),cbc(aes))",
		.ivgen = "cbc(aes)",
		.hmac = "hmac(sha256)", .hash = "sha256",
		.key_len = 32, .okm_len = 96,
	},
	[NST_CIPHER_CHACHA20_POLY1305] = {
		.name = "chacha20-poly1305", .aead = "rfc7539(chacha20,poly1305)",
		.hmac = "hmac(sha256)", .hash = "sha256",
		.key_len = 32, .okm_len = 44,
	},
};

static_assert(ARRAY_SIZE(suites) == NST_WIRE_SUITE_MAX + 1);

/* Until when (ns since boot) a suite is taken to be missing; 0: it is not. */
static u64 missing_until[NST_WIRE_SUITE_MAX + 1];

/*
 * The suites that were found when they were looked for last, those that somebody has
 * asked for since, and those that were looked for ever.
 */
static unsigned long found, asked, looked;

/**
 * nst_suite() - look a suite up
 * @id: 1..NST_WIRE_SUITE_MAX
 *
 * Return: its line of the table; NULL if there is none.
 */
const struct nst_suite *nst_suite(u8 id)
{
	if (!id || id >= ARRAY_SIZE(suites))
		return NULL;
	return &suites[id];
}

static int missing(int err)
{
	return err == -ENOENT || err == -ELIBBAD ? -ENOPKG : err;
}

static int alloc_transforms(struct nst_cipher *fresh)
{
	const struct nst_suite *desc = nst_suite(fresh->suite);
	int err;

	fresh->aead = crypto_alloc_aead(desc->aead, 0, 0);
	if (IS_ERR(fresh->aead))
		return missing(PTR_ERR(fresh->aead));
	err = crypto_aead_setauthsize(fresh->aead, NST_WIRE_TOKEN_LEN);
	if (!err && desc->ivgen) {
		fresh->ivgen = crypto_alloc_sync_skcipher(desc->ivgen, 0, 0);
		if (IS_ERR(fresh->ivgen))
			err = missing(PTR_ERR(fresh->ivgen));
	}
	if (err)
		crypto_free_aead(fresh->aead);
	return err;
}

/* To search for what is missing runs modprobe: not for each who asks. */
static bool known_missing(u8 suite)
{
	u64 until = READ_ONCE(missing_until[suite]);

	return until && ktime_get_boottime_ns() < until;
}

static int remember(u8 suite, int err)
{
	u64 until = 0;

	if (err == -ENOPKG) {
		until = ktime_get_boottime_ns() + NST_SUITE_RETRY * NSEC_PER_SEC;
		clear_bit(suite, &found);
	}
	if (!err || until)
		WRITE_ONCE(missing_until[suite], until);
	return err;
}

/**
 * nst_cipher_init() - have the transforms of a suite at hand
 * @cipher: zeroed, or in use with any suite
 * @suite: 1..NST_WIRE_SUITE_MAX
 *
 * Does nothing if @cipher has that suite already. On an error @cipher is as
 * it was. A suite that was missing is not searched again for
 * NST_SUITE_RETRY.
 *
 * Context: process, may load modules.
 * Return: 0; -ENOPKG if this kernel cannot do the suite; another errno.
 */
int nst_cipher_init(struct nst_cipher *cipher, u8 suite)
{
	struct nst_cipher fresh = { .suite = suite };
	int err;

	if (!nst_suite(suite))
		return -ENOPKG;
	if (cipher->suite == suite)
		return 0;
	if (known_missing(suite))
		return -ENOPKG;
	err = remember(suite, alloc_transforms(&fresh));
	if (err)
		return err;
	nst_cipher_free(cipher);
	*cipher = fresh;
	return 0;
}

/* The driver of the AEAD, found by making one. */
static int whole_driver(u8 id, char *aead, size_t size)
{
	struct nst_cipher cipher = { .suite = id };
	int err = alloc_transforms(&cipher);

	if (err)
		return err;
	strscpy(aead, crypto_tfm_alg_driver_name(crypto_aead_tfm(cipher.aead)),
		size);
	nst_cipher_free(&cipher);
	return 0;
}

/*
 * The name that the template will give, from that of its parts, which have tests:
 * to make the whole is to have "alg: No test" in the kernel's log, and who only
 * looks should leave no trace there.
 */
static int parts_driver(const struct nst_suite *suite, const char *hmac,
			char *aead, size_t size)
{
	struct crypto_template *tmpl = crypto_lookup_template("authenc");
	struct crypto_skcipher *enc;

	if (!tmpl)
		return -ENOPKG;
	module_put(tmpl->module);
	enc = crypto_alloc_skcipher(suite->ivgen, 0, 0);
	if (IS_ERR(enc))
		return missing(PTR_ERR(enc));
	snprintf(aead, size, "authenc(%s,%s)", hmac,
		 crypto_tfm_alg_driver_name(crypto_skcipher_tfm(enc)));
	crypto_free_skcipher(enc);
	return 0;
}

/**
 * nst_suite_driver() - which drivers of this kernel do a suite
 * @id: 1..NST_WIRE_SUITE_MAX
 * @aead: receives the AEAD's driver name
 * @hmac: receives the HMAC's driver name
 * @size: bytes of each of the two
 *
 * Looks for them anew also if the suite was missing a moment ago.
 *
 * Context: process, may load modules.
 * Return: 0; -ENOPKG if this kernel cannot do the suite; another errno.
 */
int nst_suite_driver(u8 id, char *aead, char *hmac, size_t size)
{
	const struct nst_suite *suite = nst_suite(id);
	struct crypto_shash *shash;

	if (!suite)
		return -ENOPKG;
	shash = crypto_alloc_shash(suite->hmac, 0, 0);
	if (IS_ERR(shash))
		return remember(id, missing(PTR_ERR(shash)));
	strscpy(hmac, crypto_tfm_alg_driver_name(crypto_shash_tfm(shash)), size);
	crypto_free_shash(shash);
	return remember(id, suite->untested ?
			parts_driver(suite, hmac, aead, size) :
			whole_driver(id, aead, size));
}

/**
 * nst_suite_check() - can this kernel do a suite?
 * @id: 1..NST_WIRE_SUITE_MAX
 *
 * Makes no transforms if all that it takes is there.
 *
 * Context: process, may load modules.
 * Return: 0; -ENOPKG if it cannot; another errno.
 */
int nst_suite_check(u8 id)
{
	char aead[CRYPTO_MAX_ALG_NAME], hmac[CRYPTO_MAX_ALG_NAME];
	const struct nst_suite *suite = nst_suite(id);
	int err = 0;

	if (!suite || known_missing(id))
		return -ENOPKG;
	if (!crypto_has_alg(suite->aead, CRYPTO_ALG_TYPE_AEAD,
			    CRYPTO_ALG_TYPE_MASK) ||
	    !crypto_has_alg(suite->hmac, CRYPTO_ALG_TYPE_SHASH,
			    CRYPTO_ALG_TYPE_MASK))
		err = nst_suite_driver(id, aead, hmac, sizeof(aead));
	if (!err)
		set_bit(id, &found);
	return err;
}

static void look(struct work_struct *work)
{
	u8 id;

	for (id = 1; id <= NST_WIRE_SUITE_MAX; id++) {
		if (!test_and_clear_bit(id, &asked))
			continue;
		nst_suite_check(id);
		set_bit(id, &looked);
	}
}

static DECLARE_WORK(look_work, look);

/**
 * nst_suite_ask() - is a suite there? For who must not wait until that is known
 * @id: 1..NST_WIRE_SUITE_MAX
 *
 * To look for it may run modprobe, which may take as long as it likes. Others do that.
 *
 * Context: any.
 * Return: 0; -ENOPKG if this kernel cannot do the suite; -EAGAIN: ask again.
 */
int nst_suite_ask(u8 id)
{
	if (test_bit(id, &found))
		return 0;
	if (known_missing(id))
		return -ENOPKG;
	set_bit(id, &asked);
	queue_work(system_unbound_wq, &look_work);
	return -EAGAIN;
}

/**
 * nst_suite_ask_all() - have all suites looked for that never were
 *
 * For who will meet any of them, and will not want to wait then.
 *
 * Context: any.
 */
void nst_suite_ask_all(void)
{
	u8 id;

	for (id = 1; id <= NST_WIRE_SUITE_MAX; id++)
		if (!test_bit(id, &looked))
			nst_suite_ask(id);
}

/**
 * nst_suite_exit() - nobody asks any more
 *
 * Context: process, at module exit.
 */
void nst_suite_exit(void)
{
	cancel_work_sync(&look_work);
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
		return missing(err);
	}
	cipher->nosimd = nosimd;
	return 0;
}

/* The suites whose algorithms are at hand, and when to look for the others again. */
static unsigned long at_hand;
static u64 look_at[NST_WIRE_SUITE_MAX + 1];

static int have(u8 id)
{
	struct nst_cipher cipher = {};
	struct crypto_shash *hmac;
	int err = nst_cipher_init_atomic(&cipher, id);

	if (err)
		return err;
	nst_cipher_free(&cipher);
	hmac = crypto_alloc_shash(nst_suite(id)->hmac, 0, 0);
	if (IS_ERR(hmac))
		return missing(PTR_ERR(hmac));
	crypto_free_shash(hmac);
	set_bit(id, &at_hand);
	return 0;
}

/**
 * nst_suite_at_hand() - may a suite be used without a long wait?
 * @id: 1..NST_WIRE_SUITE_MAX
 *
 * For who serves many. One that was missing is looked for seldom: each look runs
 * modprobe, and whoever sends a datagram can name any suite.
 *
 * Context: process, may load modules.
 * Return: 0; -ENOPKG if this kernel cannot do the suite, or could not lately;
 * another errno.
 */
int nst_suite_at_hand(u8 id)
{
	u64 now = ktime_get_boottime_ns();
	int err;

	if (test_bit(id, &at_hand))
		return 0;
	if (now < READ_ONCE(look_at[id]))
		return -ENOPKG;
	err = have(id);
	if (err == -ENOPKG)
		WRITE_ONCE(look_at[id], now + NST_SUITE_LOOK * NSEC_PER_SEC);
	return err;
}

/**
 * nst_suite_have() - have the algorithms of a suite at hand from now on
 * @id: 1..NST_WIRE_SUITE_MAX; 0: of all that this kernel can do
 *
 * The first transform that softirqs can use takes a tenth of a second: the kernel
 * puts its algorithm together and tests it.
 *
 * Context: process, may load modules.
 */
void nst_suite_have(u8 id)
{
	if (!id)
		for (id = 1; id <= NST_WIRE_SUITE_MAX; id++)
			nst_suite_at_hand(id);
	else if (!test_bit(id, &at_hand))
		have(id);
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
 * nst_cipher_free() - give the transforms back and forget the keys
 * @cipher: initialised or zeroed; zeroed afterwards
 *
 * Context: process. The crypto API zeroes a transform when it frees it.
 */
void nst_cipher_free(struct nst_cipher *cipher)
{
	if (cipher->aead)
		crypto_free_aead(cipher->aead);
	if (cipher->nosimd)
		crypto_free_aead(cipher->nosimd);
	if (cipher->ivgen)
		crypto_free_sync_skcipher(cipher->ivgen);
	memzero_explicit(cipher, sizeof(*cipher));
}
