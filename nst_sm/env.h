/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What sm4.c, sm3.c and kat.c need from their surroundings. They are plain
 * computation and are compiled into the module as well as into the unit test
 * on the host; this header is the only place that knows which of the two.
 */
#ifndef _NST_SM_ENV_H
#define _NST_SM_ENV_H

#ifdef __KERNEL__

#include <linux/bitops.h>
#include <linux/compiler.h>
#include <linux/string.h>
#include <linux/types.h>
#ifdef NST_SM_LINUX_UNALIGNED	/* Kbuild looks where the header is */
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif

#else /* host */

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

typedef __u8 u8;
typedef __u32 u32;
typedef __u64 u64;

#define READ_ONCE(x)		__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define memzero_explicit(p, n)	explicit_bzero(p, n)

static inline u32 rol32(u32 word, unsigned int shift)
{
	return word << (shift & 31) | word >> (-shift & 31);
}

static inline u32 get_unaligned_be32(const void *p)
{
	const u8 *b = p;

	return (u32)b[0] << 24 | (u32)b[1] << 16 | (u32)b[2] << 8 | b[3];
}

static inline void put_unaligned_be32(u32 val, void *p)
{
	u8 *b = p;

	b[0] = val >> 24;
	b[1] = val >> 16;
	b[2] = val >> 8;
	b[3] = val;
}

static inline void put_unaligned_be64(u64 val, void *p)
{
	put_unaligned_be32(val >> 32, p);
	put_unaligned_be32(val, (u8 *)p + 4);
}

#endif

#endif
