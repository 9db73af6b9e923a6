/* SPDX-License-Identifier: GPL-2.0 */
/* Host shim: hashes with a key and without, over libgcrypt. */
#ifndef _SHIM_CRYPTO_HASH_H
#define _SHIM_CRYPTO_HASH_H

#include <linux/crypto.h>

#define HASH_MAX_DIGESTSIZE	64
#define HASH_MAX_DESCSIZE	368

struct crypto_shash;

struct shash_desc {
	struct crypto_shash *tfm;
	u64 __ctx[] CRYPTO_MINALIGN_ATTR;
};

struct crypto_shash *crypto_alloc_shash(const char *name, u32 type, u32 mask);
void crypto_free_shash(struct crypto_shash *tfm);
struct crypto_tfm *crypto_shash_tfm(struct crypto_shash *tfm);
int crypto_shash_setkey(struct crypto_shash *tfm, const u8 *key,
			unsigned int len);
unsigned int crypto_shash_digestsize(struct crypto_shash *tfm);
unsigned int crypto_shash_descsize(struct crypto_shash *tfm);
int crypto_shash_init(struct shash_desc *desc);
int crypto_shash_update(struct shash_desc *desc, const u8 *data,
			unsigned int len);
int crypto_shash_final(struct shash_desc *desc, u8 *out);
int crypto_shash_finup(struct shash_desc *desc, const u8 *data,
		       unsigned int len, u8 *out);
int crypto_shash_digest(struct shash_desc *desc, const u8 *data,
			unsigned int len, u8 *out);
int crypto_shash_tfm_digest(struct crypto_shash *tfm, const u8 *data,
			    unsigned int len, u8 *out);
const char *crypto_shash_driver_name(struct crypto_shash *tfm);

#define SHASH_DESC_ON_STACK(name, t)					\
	char __##name##_desc[sizeof(struct shash_desc) +		\
			     HASH_MAX_DESCSIZE] CRYPTO_MINALIGN_ATTR;	\
	struct shash_desc *name = (struct shash_desc *)__##name##_desc
#define shash_desc_zero(d)						\
	memzero_explicit(d, sizeof(*(d)) + HASH_MAX_DESCSIZE)

#endif /* _SHIM_CRYPTO_HASH_H */
