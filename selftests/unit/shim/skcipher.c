// SPDX-License-Identifier: GPL-2.0
/* ecb() and cbc() of the block ciphers. */
#include <gcrypt.h>
#include <crypto/skcipher.h>
#include "crypto.h"

#define REQSIZE		64
#define BLOCK		16

struct crypto_skcipher {
	struct crypto_tfm base;
	struct crypto_alg alg;
	const char *cipher;
	int mode;
	bool sync;
	gcry_cipher_hd_t hd;
};

struct crypto_skcipher *crypto_alloc_skcipher(const char *name, u32 type,
					      u32 mask)
{
	static const struct {
		const char *name, *cipher;
		int mode;
	} known[] = {
		{ "cbc(aes)", "aes", GCRY_CIPHER_MODE_CBC },
		{ "ecb(aes)", "aes", GCRY_CIPHER_MODE_ECB },
		{ "cbc(sm4)", "sm4", GCRY_CIPHER_MODE_CBC },
		{ "ecb(sm4)", "sm4", GCRY_CIPHER_MODE_ECB },
	};
	struct crypto_skcipher *tfm;
	size_t i;

	(void)type;
	for (i = 0; i < ARRAY_SIZE(known); i++) {
		if (strcmp(known[i].name, name))
			continue;
		tfm = shim_tfm_alloc(name, sizeof(*tfm));
		if (IS_ERR(tfm))
			return tfm;
		tfm->cipher = known[i].cipher;
		tfm->mode = known[i].mode;
		tfm->sync = mask & CRYPTO_ALG_ASYNC;
		tfm->alg.cra_driver_name = "shim-skcipher";
		tfm->base.__crt_alg = &tfm->alg;
		return tfm;
	}
	return ERR_PTR(-ENOENT);
}

void crypto_free_skcipher(struct crypto_skcipher *tfm)
{
	if (IS_ERR_OR_NULL(tfm))
		return;
	gcry_cipher_close(tfm->hd);
	shim_tfm_free(tfm, sizeof(*tfm));
}

struct crypto_tfm *crypto_skcipher_tfm(struct crypto_skcipher *tfm)
{
	return &tfm->base;
}

int crypto_skcipher_setkey(struct crypto_skcipher *tfm, const u8 *key,
			   unsigned int len)
{
	int algo = shim_block_cipher(tfm->cipher, 3, len);

	gcry_cipher_close(tfm->hd);
	tfm->hd = NULL;
	if (shim_should_fail())
		return -ENOMEM;
	if (!algo || !len)
		return -EINVAL;
	if (gcry_cipher_open(&tfm->hd, algo, tfm->mode, 0) ||
	    gcry_cipher_setkey(tfm->hd, key, len))
		abort();
	return 0;
}

unsigned int crypto_skcipher_reqsize(struct crypto_skcipher *tfm)
{
	(void)tfm;
	return REQSIZE;
}

unsigned int crypto_skcipher_ivsize(struct crypto_skcipher *tfm)
{
	return tfm->mode == GCRY_CIPHER_MODE_CBC ? BLOCK : 0;
}

static int crypt(struct skcipher_request *req, bool encrypt)
{
	struct crypto_skcipher *tfm = req->tfm;
	unsigned int len = req->cryptlen;
	u8 *buf;

	if (!tfm->hd)
		return -ENOKEY;
	if (len % BLOCK)
		return -EINVAL;
	memset(req->__ctx, 0x5a, REQSIZE);
	buf = malloc(len + 1);
	if (!buf ||
	    sg_copy_to_buffer(req->src, ~0U, buf, len) != len ||
	    gcry_cipher_reset(tfm->hd) ||
	    (crypto_skcipher_ivsize(tfm) &&
	     gcry_cipher_setiv(tfm->hd, req->iv, BLOCK)))
		abort();
	if (encrypt ? gcry_cipher_encrypt(tfm->hd, buf, len, NULL, 0) :
		      gcry_cipher_decrypt(tfm->hd, buf, len, NULL, 0))
		abort();
	if (sg_copy_from_buffer(req->dst, ~0U, buf, len) != len)
		abort();
	free(buf);
	return 0;
}

static int do_encrypt(void *req)
{
	return crypt(req, true);
}

static int do_decrypt(void *req)
{
	return crypt(req, false);
}

int crypto_skcipher_encrypt(struct skcipher_request *req)
{
	return shim_submit(req, do_encrypt, req->complete, req->data,
			   req->tfm->sync);
}

int crypto_skcipher_decrypt(struct skcipher_request *req)
{
	return shim_submit(req, do_decrypt, req->complete, req->data,
			   req->tfm->sync);
}

struct skcipher_request *skcipher_request_alloc(struct crypto_skcipher *tfm,
						gfp_t gfp)
{
	struct skcipher_request *req = kzalloc(sizeof(*req) + REQSIZE, gfp);

	if (req)
		req->tfm = tfm;
	return req;
}

void skcipher_request_free(struct skcipher_request *req)
{
	kfree_sensitive(req);
}
