/* SPDX-License-Identifier: GPL-2.0 */
/* Host shim: sizes that saturate instead of wrapping. */
#ifndef _SHIM_LINUX_OVERFLOW_H
#define _SHIM_LINUX_OVERFLOW_H

#include <linux/types.h>

#define check_add_overflow(a, b, d)	__builtin_add_overflow(a, b, d)
#define check_sub_overflow(a, b, d)	__builtin_sub_overflow(a, b, d)
#define check_mul_overflow(a, b, d)	__builtin_mul_overflow(a, b, d)

static inline size_t array_size(size_t n, size_t size)
{
	size_t out;

	return __builtin_mul_overflow(n, size, &out) ? SIZE_MAX : out;
}

static inline size_t size_add(size_t a, size_t b)
{
	size_t out;

	return __builtin_add_overflow(a, b, &out) ? SIZE_MAX : out;
}

#define size_mul(a, b)		array_size(a, b)
#define flex_array_size(p, member, n)					\
	array_size(n, sizeof(*(p)->member))
#define struct_size(p, member, n)					\
	size_add(sizeof(*(p)), flex_array_size(p, member, n))
#define struct_size_t(type, member, n)					\
	struct_size((type *)NULL, member, n)

#endif /* _SHIM_LINUX_OVERFLOW_H */
