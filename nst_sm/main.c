// SPDX-License-Identifier: GPL-2.0
/*
 * Registers "sm4" (a single-block cipher) and "sm3" (a hash) for kernels that
 * were built without them. On top of these two the templates of the crypto
 * API make gcm(sm4), cbc(sm4), ctr(sm4) and hmac(sm3). The priority is below
 * every in-tree implementation (the generic ones have 100), so that one of
 * those wins wherever it exists, whichever module was loaded first.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <crypto/algapi.h>
#include <crypto/internal/hash.h>
#include <linux/crypto.h>
#include <linux/fips.h>
#include <linux/module.h>

#include "kat.h"
#include "sm3.h"
#include "sm4.h"

#define NST_SM_PRIORITY	50

/*
 * The key context belongs to the crypto API, which zeroes it on free. Keys
 * have one length, and the API refuses others: cia_min_keysize, _max_keysize.
 */
static int sm4_setkey(struct crypto_tfm *tfm, const u8 *in, unsigned int len)
{
	nst_sm4_key_expand(crypto_tfm_ctx(tfm), in);
	return 0;
}

static void sm4_encrypt(struct crypto_tfm *tfm, u8 *dst, const u8 *src)
{
	const struct nst_sm4_key *key = crypto_tfm_ctx(tfm);

	nst_sm4_block_crypt(key->enc, dst, src);
}

static void sm4_decrypt(struct crypto_tfm *tfm, u8 *dst, const u8 *src)
{
	const struct nst_sm4_key *key = crypto_tfm_ctx(tfm);

	nst_sm4_block_crypt(key->dec, dst, src);
}

static struct crypto_alg sm4_alg = {
	.cra_name		= "sm4",
	.cra_driver_name	= "sm4-nst",
	.cra_priority		= NST_SM_PRIORITY,
	.cra_flags		= CRYPTO_ALG_TYPE_CIPHER,
	.cra_blocksize		= NST_SM4_BLOCK_LEN,
	.cra_ctxsize		= sizeof(struct nst_sm4_key),
	.cra_module		= THIS_MODULE,
	.cra_u.cipher = {
		.cia_min_keysize	= NST_SM4_KEY_LEN,
		.cia_max_keysize	= NST_SM4_KEY_LEN,
		.cia_setkey		= sm4_setkey,
		.cia_encrypt		= sm4_encrypt,
		.cia_decrypt		= sm4_decrypt,
	},
};

static int sm3_init(struct shash_desc *desc)
{
	nst_sm3_init(shash_desc_ctx(desc));
	return 0;
}

static int sm3_update(struct shash_desc *desc, const u8 *data,
		      unsigned int len)
{
	nst_sm3_update(shash_desc_ctx(desc), data, len);
	return 0;
}

static int sm3_final(struct shash_desc *desc, u8 *out)
{
	nst_sm3_final(shash_desc_ctx(desc), out);
	return 0;
}

#ifdef NST_SM_EXPORT_CORE
/*
 * The state without the partial block. Where these two exist, the template
 * makes an asynchronous hmac(sm3), which authenc() and AF_ALG ask for, only
 * from hashes that have them.
 */
static int sm3_export_core(struct shash_desc *desc, void *out)
{
	memcpy(out, shash_desc_ctx(desc), offsetof(struct nst_sm3_state, buf));
	return 0;
}

static int sm3_import_core(struct shash_desc *desc, const void *in)
{
	memcpy(shash_desc_ctx(desc), in, offsetof(struct nst_sm3_state, buf));
	return 0;
}
#endif

/*
 * init, update and final with a buffer of our own: the form that all kernels
 * know. The newer one in which the API keeps the partial block is optional.
 */
static struct shash_alg sm3_alg = {
	.init		= sm3_init,
	.update		= sm3_update,
	.final		= sm3_final,
#ifdef NST_SM_EXPORT_CORE
	.export_core	= sm3_export_core,
	.import_core	= sm3_import_core,
#endif
	.descsize	= sizeof(struct nst_sm3_state),
	.digestsize	= NST_SM3_DIGEST_LEN,
	.base = {
		.cra_name		= "sm3",
		.cra_driver_name	= "sm3-nst",
		.cra_priority		= NST_SM_PRIORITY,
		.cra_blocksize		= NST_SM3_BLOCK_LEN,
		.cra_module		= THIS_MODULE,
	},
};

static int __init sm_register(void)
{
	int err = crypto_register_alg(&sm4_alg);

	if (err)
		return err;
	err = crypto_register_shash(&sm3_alg);
	if (err)
		crypto_unregister_alg(&sm4_alg);
	return err;
}

/*
 * FIPS mode allows neither SM4 nor SM3, and the kernel panics there when a
 * module without a signature that it trusts registers any algorithm. The
 * module stays loaded, with nothing: after an error, every search for "sm4"
 * would load it again.
 */
static int __init nst_sm_init(void)
{
	const char *failed;

	if (fips_enabled) {
		pr_info("FIPS mode: nothing registered\n");
		return 0;
	}
	failed = nst_kat_run();
	if (failed) {
		pr_err("self-test failed: %s; nothing registered\n", failed);
		return -EINVAL;
	}
	return sm_register();
}

static void __exit nst_sm_exit(void)
{
	/* It is set at boot and never changes. */
	if (fips_enabled)
		return;
	crypto_unregister_shash(&sm3_alg);
	crypto_unregister_alg(&sm4_alg);
}

module_init(nst_sm_init);
module_exit(nst_sm_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("SM4 and SM3 for kernels built without them");
MODULE_ALIAS_CRYPTO("sm4");
MODULE_ALIAS_CRYPTO("sm4-nst");
MODULE_ALIAS_CRYPTO("sm3");
MODULE_ALIAS_CRYPTO("sm3-nst");
