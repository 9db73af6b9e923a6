/* SPDX-License-Identifier: GPL-2.0 */
/* What the shim's kinds of transforms share. */
#ifndef _SHIM_CRYPTO_H
#define _SHIM_CRYPTO_H

#include <linux/crypto.h>

/* Accounts for a new transform, or says why there is none. */
void *shim_tfm_alloc(const char *name, size_t size);
void shim_tfm_free(void *tfm, size_t size);

/* libgcrypt's number of the block cipher "aes" or "sm4"; 0: no such cipher. */
int shim_block_cipher(const char *name, size_t name_len, unsigned int key_len);
/* libgcrypt's number of "hmac(sha256)" or "hmac(sm3)"; 0: no such MAC. */
int shim_hmac(const char *name, size_t name_len);

/* Does @req now, or at crypto_wait_req() if requests are to be asynchronous. */
int shim_submit(void *req, int (*todo)(void *req), crypto_completion_t complete,
		void *data, bool sync);

#endif /* _SHIM_CRYPTO_H */
