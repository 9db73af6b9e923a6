/* SPDX-License-Identifier: GPL-2.0 */
/* Host shim: a hash, any; here FNV-1a. */
#ifndef _SHIM_LINUX_JHASH_H
#define _SHIM_LINUX_JHASH_H

#include <linux/types.h>

static inline u32 jhash(const void *key, u32 len, u32 seed)
{
	const u8 *p = key;
	u32 hash = 2166136261u ^ seed;

	while (len--)
		hash = (hash ^ *p++) * 16777619u;
	return hash;
}

static inline u32 jhash_2words(u32 a, u32 b, u32 seed)
{
	const u32 words[2] = { a, b };

	return jhash(words, sizeof(words), seed);
}

static inline u32 jhash_3words(u32 a, u32 b, u32 c, u32 seed)
{
	const u32 words[3] = { a, b, c };

	return jhash(words, sizeof(words), seed);
}

#endif /* _SHIM_LINUX_JHASH_H */
