/* SPDX-License-Identifier: GPL-2.0 */
/* Host shim: a keyed hash, any; here FNV-1a, mixed. */
#ifndef _SHIM_LINUX_SIPHASH_H
#define _SHIM_LINUX_SIPHASH_H

#include <linux/types.h>

typedef struct {
	u64 key[2];
} siphash_key_t;

static inline u64 siphash(const void *data, size_t len,
			  const siphash_key_t *key)
{
	const u8 *p = data;
	u64 hash = 0xcbf29ce484222325ull ^ key->key[0];

	while (len--)
		hash = (hash ^ *p++) * 0x100000001b3ull;
	hash ^= key->key[1];
	hash *= 0x9E3779B97F4A7C15ull;
	return hash ^ hash >> 32;
}

#endif /* _SHIM_LINUX_SIPHASH_H */
