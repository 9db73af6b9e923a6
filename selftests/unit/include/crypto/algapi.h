/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Host shim: comparison that takes the same time whatever it finds, and
 * templates, which are there unless shim_crypto_missing is a part of the name.
 */
#ifndef _SHIM_CRYPTO_ALGAPI_H
#define _SHIM_CRYPTO_ALGAPI_H

#include <linux/crypto.h>
#include <linux/module.h>

struct crypto_template {
	struct module *module;
};

struct crypto_template *crypto_lookup_template(const char *name);

static inline unsigned long crypto_memneq(const void *a, const void *b,
					  size_t n)
{
	const volatile u8 *x = a, *y = b;
	u8 diff = 0;

	while (n--)
		diff |= *x++ ^ *y++;
	return diff;
}

#endif /* _SHIM_CRYPTO_ALGAPI_H */
