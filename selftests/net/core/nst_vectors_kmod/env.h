/* SPDX-License-Identifier: GPL-2.0 */
/* What the code under test gets for the clock and the random numbers. */
#ifndef _NST_VECTORS_ENV_H
#define _NST_VECTORS_ENV_H

#include <linux/types.h>

u64 vec_real_ns(void);
u32 vec_random_u32(void);
u64 vec_random_u64(void);

#endif /* _NST_VECTORS_ENV_H */
