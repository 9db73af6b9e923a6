/* SPDX-License-Identifier: GPL-2.0 */
/* Host shim: AEADs, over libgcrypt. */
#ifndef _SHIM_CRYPTO_AEAD_H
#define _SHIM_CRYPTO_AEAD_H

#include <linux/crypto.h>
#include <linux/scatterlist.h>

struct crypto_aead;

struct aead_request {
	struct crypto_aead *tfm;
	u32 flags;
	crypto_completion_t complete;
	void *data;
	unsigned int assoclen;
	unsigned int cryptlen;
	u8 *iv;
	struct scatterlist *src;
	struct scatterlist *dst;
	u64 __ctx[] CRYPTO_MINALIGN_ATTR;
};

struct crypto_aead *crypto_alloc_aead(const char *name, u32 type, u32 mask);
void crypto_free_aead(struct crypto_aead *tfm);
struct crypto_tfm *crypto_aead_tfm(struct crypto_aead *tfm);
int crypto_aead_setkey(struct crypto_aead *tfm, const u8 *key,
		       unsigned int len);
int crypto_aead_setauthsize(struct crypto_aead *tfm, unsigned int size);
unsigned int crypto_aead_authsize(struct crypto_aead *tfm);
unsigned int crypto_aead_ivsize(struct crypto_aead *tfm);
unsigned int crypto_aead_reqsize(struct crypto_aead *tfm);
int crypto_aead_encrypt(struct aead_request *req);
int crypto_aead_decrypt(struct aead_request *req);
struct aead_request *aead_request_alloc(struct crypto_aead *tfm, gfp_t gfp);
void aead_request_free(struct aead_request *req);

static inline struct crypto_aead *crypto_aead_reqtfm(struct aead_request *req)
{
	return req->tfm;
}

static inline void aead_request_set_tfm(struct aead_request *req,
					struct crypto_aead *tfm)
{
	req->tfm = tfm;
}

static inline void aead_request_set_callback(struct aead_request *req,
					     u32 flags,
					     crypto_completion_t complete,
					     void *data)
{
	req->flags = flags;
	req->complete = complete;
	req->data = data;
}

static inline void aead_request_set_crypt(struct aead_request *req,
					  struct scatterlist *src,
					  struct scatterlist *dst,
					  unsigned int cryptlen, u8 *iv)
{
	req->src = src;
	req->dst = dst;
	req->cryptlen = cryptlen;
	req->iv = iv;
}

static inline void aead_request_set_ad(struct aead_request *req,
				       unsigned int assoclen)
{
	req->assoclen = assoclen;
}

#endif /* _SHIM_CRYPTO_AEAD_H */
