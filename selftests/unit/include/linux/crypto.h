/* SPDX-License-Identifier: GPL-2.0 */
/* Host shim: what all kinds of transforms share. */
#ifndef _SHIM_LINUX_CRYPTO_H
#define _SHIM_LINUX_CRYPTO_H

#include <linux/completion.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>

#define CRYPTO_MINALIGN			8
#define CRYPTO_MINALIGN_ATTR		__aligned(CRYPTO_MINALIGN)
#define CRYPTO_ALG_ASYNC		0x00000080
#define CRYPTO_ALG_TYPE_MASK	0x0000000f
#define CRYPTO_ALG_TYPE_AEAD	0x00000003
#define CRYPTO_ALG_TYPE_SHASH	0x0000000e
#define CRYPTO_ALG_ALLOCATES_MEMORY	0x00010000
#define CRYPTO_TFM_REQ_MAY_SLEEP	0x00000200
#define CRYPTO_TFM_REQ_MAY_BACKLOG	0x00000400
#define CRYPTO_TFM_REQ_FORBID_WEAK_KEYS	0x00000100
#define CRYPTO_MAX_ALG_NAME		128

struct crypto_alg {
	int cra_priority;
	const char *cra_driver_name;
	u32 cra_flags;
};

struct crypto_tfm {
	struct crypto_alg *__crt_alg;
};

typedef void (*crypto_completion_t)(void *data, int err);

/* What compat.h says of a kernel with that type of completion. */
#define NST_CRYPTO_DONE(name)		void name(void *data, int err)
#define NST_CRYPTO_DONE_DATA		data

/* Waits for what an asynchronous request left undone. */
struct crypto_wait {
	int err;
	int (*todo)(void *req);
	void *req;
};

#define DECLARE_CRYPTO_WAIT(w)	struct crypto_wait w = { 0 }

static inline void crypto_init_wait(struct crypto_wait *wait)
{
	memset(wait, 0, sizeof(*wait));
}

void crypto_req_done(void *data, int err);
int crypto_wait_req(int err, struct crypto_wait *wait);
int crypto_has_alg(const char *name, u32 type, u32 mask);
/* What happens while an algorithm is looked for; NULL: nothing. */
extern void (*shim_crypto_looked)(void);
const char *crypto_tfm_alg_driver_name(struct crypto_tfm *tfm);

#endif /* _SHIM_LINUX_CRYPTO_H */
