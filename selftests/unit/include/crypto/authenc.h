/* SPDX-License-Identifier: GPL-2.0 */
/* Host shim: how authenc() takes its two keys. */
#ifndef _SHIM_CRYPTO_AUTHENC_H
#define _SHIM_CRYPTO_AUTHENC_H

#include <arpa/inet.h>
#include <linux/types.h>

#define CRYPTO_AUTHENC_KEYA_PARAM	1

struct crypto_authenc_key_param {
	__be32 enckeylen;
};

#endif /* _SHIM_CRYPTO_AUTHENC_H */
