/* SPDX-License-Identifier: GPL-2.0 */
/* Host shim: a test says whether the SIMD registers may be used. */
#ifndef _SHIM_ASM_SIMD_H
#define _SHIM_ASM_SIMD_H

#include <linux/types.h>

extern bool shim_simd_usable;

static inline bool may_use_simd(void)
{
	return shim_simd_usable;
}

#endif /* _SHIM_ASM_SIMD_H */
