// SPDX-License-Identifier: GPL-2.0
/* Neither are their nonces, and their clock is their own. */
#include <linux/random.h>
#include <linux/ktime.h>
#include "env.h"
#define get_random_u64 vec_random_u64
#define ktime_get_real_ns vec_real_ns
#include "nst_ulp/core/stream.c"
