/* SPDX-License-Identifier: GPL-2.0 */
/* Host shim: bits of words. */
#ifndef _SHIM_LINUX_BITOPS_H
#define _SHIM_LINUX_BITOPS_H

#include <linux/types.h>

#define BITS_PER_LONG	64

static inline void set_bit(unsigned int nr, unsigned long *word)
{
	__atomic_fetch_or(word + nr / BITS_PER_LONG,
			  1UL << nr % BITS_PER_LONG, __ATOMIC_SEQ_CST);
}

static inline void clear_bit(unsigned int nr, unsigned long *word)
{
	__atomic_fetch_and(word + nr / BITS_PER_LONG,
			   ~(1UL << nr % BITS_PER_LONG), __ATOMIC_SEQ_CST);
}

static inline bool test_and_clear_bit(unsigned int nr, unsigned long *word)
{
	unsigned long bit = 1UL << nr % BITS_PER_LONG;

	return __atomic_fetch_and(word + nr / BITS_PER_LONG, ~bit,
				  __ATOMIC_SEQ_CST) & bit;
}

static inline bool test_bit(unsigned int nr, const unsigned long *word)
{
	return word[nr / BITS_PER_LONG] >> nr % BITS_PER_LONG & 1;
}

#endif /* _SHIM_LINUX_BITOPS_H */
