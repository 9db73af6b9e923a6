// SPDX-License-Identifier: GPL-2.0
/* Transforms in general, waiting, and the hashes. */
#include <gcrypt.h>
#include <crypto/algapi.h>
#include <crypto/hash.h>
#include "crypto.h"

/* Enough for the salt, an IKM, and T(i-1), info and counter of HKDF. */
#define HASH_INPUT_MAX	(HASH_MAX_DESCSIZE - sizeof(struct hash_state))

struct hash_state {
	u64 len;
	u8 data[];
};

struct crypto_shash {
	struct crypto_tfm base;
	struct crypto_alg alg;
	/* libgcrypt's number: of a MAC, or, if @mac is NULL, of a plain digest. */
	int algo;
	gcry_mac_hd_t mac;
	/* It has its key, or needs none. */
	bool ready;
};

void *shim_tfm_alloc(const char *name, size_t size)
{
	void *tfm;

	might_sleep();
	if (shim_crypto_missing && strstr(name, shim_crypto_missing))
		return ERR_PTR(-ENOENT);
	if (shim_should_fail())
		return ERR_PTR(-ENOMEM);
	gcry_check_version(NULL);
	tfm = calloc(1, size);
	if (!tfm)
		abort();
	shim_live_tfms++;
	return tfm;
}

void shim_tfm_free(void *tfm, size_t size)
{
	memset(tfm, 0, size);
	free(tfm);
	shim_live_tfms--;
}

int shim_block_cipher(const char *name, size_t len, unsigned int key_len)
{
	if (len == 3 && !memcmp(name, "sm4", 3))
		return !key_len || key_len == 16 ? GCRY_CIPHER_SM4 : 0;
	if (len != 3 || memcmp(name, "aes", 3))
		return 0;
	switch (key_len) {
	case 0:
	case 16:
		return GCRY_CIPHER_AES128;
	case 24:
		return GCRY_CIPHER_AES192;
	case 32:
		return GCRY_CIPHER_AES256;
	}
	return 0;
}

int shim_hmac(const char *name, size_t len)
{
	if (len == 12 && !memcmp(name, "hmac(sha256)", 12))
		return GCRY_MAC_HMAC_SHA256;
	if (len == 9 && !memcmp(name, "hmac(sm3)", 9))
		return GCRY_MAC_HMAC_SM3;
	return 0;
}

void (*shim_crypto_looked)(void);

int crypto_has_alg(const char *name, u32 type, u32 mask)
{
	(void)type;
	(void)mask;
	might_sleep();
	if (shim_crypto_looked)
		shim_crypto_looked();
	return !shim_crypto_missing || !strstr(name, shim_crypto_missing);
}

struct crypto_template *crypto_lookup_template(const char *name)
{
	static struct crypto_template template;

	return crypto_has_alg(name, 0, 0) ? &template : NULL;
}

const char *crypto_tfm_alg_driver_name(struct crypto_tfm *tfm)
{
	return tfm->__crt_alg->cra_driver_name;
}

/* Waiting */

void crypto_req_done(void *data, int err)
{
	struct crypto_wait *wait = data;

	wait->err = err;
}

int shim_submit(void *req, int (*todo)(void *req), crypto_completion_t complete,
		void *data, bool sync)
{
	struct crypto_wait *wait = data;

	if (sync || !shim_crypto_async)
		return todo(req);
	if (complete != crypto_req_done || !wait) {
		shim_bug(__FILE__, __LINE__, "no one waits for a request");
		return -EINVAL;
	}
	wait->todo = todo;
	wait->req = req;
	return -EINPROGRESS;
}

int crypto_wait_req(int err, struct crypto_wait *wait)
{
	if (err != -EINPROGRESS && err != -EBUSY)
		return err;
	might_sleep();
	if (!wait->todo) {
		shim_bug(__FILE__, __LINE__, "waits for nothing");
		return -EINVAL;
	}
	crypto_req_done(wait, wait->todo(wait->req));
	wait->todo = NULL;
	return wait->err;
}

/* Hashes */

static int plain_hash(const char *name)
{
	if (!strcmp(name, "sha256"))
		return GCRY_MD_SHA256;
	return strcmp(name, "sm3") ? 0 : GCRY_MD_SM3;
}

struct crypto_shash *crypto_alloc_shash(const char *name, u32 type, u32 mask)
{
	struct crypto_shash *tfm;
	int mac = shim_hmac(name, strlen(name));
	int algo = mac ?: plain_hash(name);

	(void)type;
	(void)mask;
	if (!algo)
		return ERR_PTR(-ENOENT);
	tfm = shim_tfm_alloc(name, sizeof(*tfm));
	if (IS_ERR(tfm))
		return tfm;
	tfm->algo = algo;
	tfm->alg.cra_driver_name = mac ? "shim-hmac" : "shim-hash";
	tfm->base.__crt_alg = &tfm->alg;
	tfm->ready = !mac;
	if (mac && gcry_mac_open(&tfm->mac, algo, 0, NULL))
		abort();
	return tfm;
}

void crypto_free_shash(struct crypto_shash *tfm)
{
	if (IS_ERR_OR_NULL(tfm))
		return;
	if (tfm->mac)
		gcry_mac_close(tfm->mac);
	shim_tfm_free(tfm, sizeof(*tfm));
}

struct crypto_tfm *crypto_shash_tfm(struct crypto_shash *tfm)
{
	return &tfm->base;
}

const char *crypto_shash_driver_name(struct crypto_shash *tfm)
{
	return tfm->alg.cra_driver_name;
}

int crypto_shash_setkey(struct crypto_shash *tfm, const u8 *key,
			unsigned int len)
{
	if (WARN_ON(!tfm->mac))
		return -EINVAL;
	tfm->ready = false;
	if (shim_should_fail())
		return -ENOMEM;
	if (gcry_mac_setkey(tfm->mac, key, len))
		return -EINVAL;
	tfm->ready = true;
	return 0;
}

unsigned int crypto_shash_digestsize(struct crypto_shash *tfm)
{
	return tfm->mac ? gcry_mac_get_algo_maclen(tfm->algo) :
			  gcry_md_get_algo_dlen(tfm->algo);
}

unsigned int crypto_shash_descsize(struct crypto_shash *tfm)
{
	(void)tfm;
	return HASH_MAX_DESCSIZE;
}

int crypto_shash_init(struct shash_desc *desc)
{
	struct hash_state *state = (void *)desc->__ctx;

	if (!desc->tfm->ready)
		return -ENOKEY;
	memset(state, 0, HASH_MAX_DESCSIZE);
	return 0;
}

int crypto_shash_update(struct shash_desc *desc, const u8 *data,
			unsigned int len)
{
	struct hash_state *state = (void *)desc->__ctx;

	if (state->len + len > HASH_INPUT_MAX)
		abort();
	memcpy(state->data + state->len, data, len);
	state->len += len;
	return 0;
}

static int digest(struct crypto_shash *tfm, const u8 *data, size_t len, u8 *out)
{
	size_t size = crypto_shash_digestsize(tfm);

	if (!tfm->ready)
		return -ENOKEY;
	if (!tfm->mac) {
		gcry_md_hash_buffer(tfm->algo, out, data, len);
		return 0;
	}
	if (gcry_mac_reset(tfm->mac) || gcry_mac_write(tfm->mac, data, len) ||
	    gcry_mac_read(tfm->mac, out, &size))
		abort();
	return 0;
}

int crypto_shash_final(struct shash_desc *desc, u8 *out)
{
	struct hash_state *state = (void *)desc->__ctx;

	return digest(desc->tfm, state->data, state->len, out);
}

int crypto_shash_finup(struct shash_desc *desc, const u8 *data,
		       unsigned int len, u8 *out)
{
	return crypto_shash_update(desc, data, len) ?:
	       crypto_shash_final(desc, out);
}

int crypto_shash_digest(struct shash_desc *desc, const u8 *data,
			unsigned int len, u8 *out)
{
	return digest(desc->tfm, data, len, out);
}

int crypto_shash_tfm_digest(struct crypto_shash *tfm, const u8 *data,
			    unsigned int len, u8 *out)
{
	return digest(tfm, data, len, out);
}
