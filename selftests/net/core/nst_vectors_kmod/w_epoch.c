// SPDX-License-Identifier: GPL-2.0
/* The vectors' epochs are not chosen at random. */
#include <linux/random.h>
#include "env.h"
#define get_random_u32 vec_random_u32
#include "nst_ulp/core/epoch.c"
