/* SPDX-License-Identifier: GPL-2.0 */
/* Host shim: unauthenticated ciphers, over libgcrypt. */
#ifndef _SHIM_CRYPTO_SKCIPHER_H
#define _SHIM_CRYPTO_SKCIPHER_H

#include <linux/crypto.h>
#include <linux/scatterlist.h>

#define MAX_SYNC_SKCIPHER_REQSIZE	384

struct crypto_skcipher;

struct crypto_sync_skcipher;

struct skcipher_request {
	struct crypto_skcipher *tfm;
	u32 flags;
	crypto_completion_t complete;
	void *data;
	unsigned int cryptlen;
	u8 *iv;
	struct scatterlist *src;
	struct scatterlist *dst;
	u64 __ctx[] CRYPTO_MINALIGN_ATTR;
};

struct crypto_skcipher *crypto_alloc_skcipher(const char *name, u32 type,
					      u32 mask);
void crypto_free_skcipher(struct crypto_skcipher *tfm);
struct crypto_tfm *crypto_skcipher_tfm(struct crypto_skcipher *tfm);
int crypto_skcipher_setkey(struct crypto_skcipher *tfm, const u8 *key,
			   unsigned int len);
unsigned int crypto_skcipher_reqsize(struct crypto_skcipher *tfm);
unsigned int crypto_skcipher_ivsize(struct crypto_skcipher *tfm);
int crypto_skcipher_encrypt(struct skcipher_request *req);
int crypto_skcipher_decrypt(struct skcipher_request *req);
struct skcipher_request *skcipher_request_alloc(struct crypto_skcipher *tfm,
						gfp_t gfp);
void skcipher_request_free(struct skcipher_request *req);

static inline void skcipher_request_set_tfm(struct skcipher_request *req,
					    struct crypto_skcipher *tfm)
{
	req->tfm = tfm;
}

static inline void skcipher_request_set_callback(struct skcipher_request *req,
						 u32 flags,
						 crypto_completion_t complete,
						 void *data)
{
	req->flags = flags;
	req->complete = complete;
	req->data = data;
}

static inline void skcipher_request_set_crypt(struct skcipher_request *req,
					      struct scatterlist *src,
					      struct scatterlist *dst,
					      unsigned int cryptlen, void *iv)
{
	req->src = src;
	req->dst = dst;
	req->cryptlen = cryptlen;
	req->iv = iv;
}

#define SKCIPHER_REQUEST_ON_STACK_SIZE					\
	(sizeof(struct skcipher_request) + MAX_SYNC_SKCIPHER_REQSIZE)

/* Synchronous transforms are the same objects under another type. */
static inline struct crypto_sync_skcipher *
crypto_alloc_sync_skcipher(const char *name, u32 type, u32 mask)
{
	return (struct crypto_sync_skcipher *)
		crypto_alloc_skcipher(name, type, mask | CRYPTO_ALG_ASYNC);
}

#define crypto_free_sync_skcipher(t) \
	crypto_free_skcipher((struct crypto_skcipher *)(t))
#define crypto_sync_skcipher_setkey(t, k, n) \
	crypto_skcipher_setkey((struct crypto_skcipher *)(t), k, n)
#define skcipher_request_set_sync_tfm(r, t) \
	skcipher_request_set_tfm(r, (struct crypto_skcipher *)(t))
#define skcipher_request_zero(r) \
	memzero_explicit(r, SKCIPHER_REQUEST_ON_STACK_SIZE)

#define SYNC_SKCIPHER_REQUEST_ON_STACK(name, tfm)			\
	char __##name##_desc[SKCIPHER_REQUEST_ON_STACK_SIZE]		\
		CRYPTO_MINALIGN_ATTR = { 0 };				\
	struct skcipher_request *name = (void *)__##name##_desc;	\
	skcipher_request_set_sync_tfm(name, tfm)

#endif /* _SHIM_CRYPTO_SKCIPHER_H */
