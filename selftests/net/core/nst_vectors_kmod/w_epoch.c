// SPDX-License-Identifier: GPL-2.0
/* The vectors' epochs are not chosen at random. */
#include <linux/random.h>
#include "env.h"
#define get_random_bytes vec_random_bytes
#include "nst_ulp/core/epoch.c"
