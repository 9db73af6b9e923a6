/* SPDX-License-Identifier: GPL-2.0 */
/* Host shim: sorting, by libc. */
#ifndef _SHIM_LINUX_SORT_H
#define _SHIM_LINUX_SORT_H

#include <linux/kernel.h>

static inline void sort(void *base, size_t num, size_t size,
			int (*cmp)(const void *a, const void *b),
			void (*swap_func)(void *a, void *b, int size))
{
	WARN_ON(swap_func);
	if (num)
		qsort(base, num, size, cmp);
}

#endif /* _SHIM_LINUX_SORT_H */
