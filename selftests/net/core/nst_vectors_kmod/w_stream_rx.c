// SPDX-License-Identifier: GPL-2.0
/* As in w_stream.c: the clock is the vectors'. */
#include <linux/ktime.h>
#include "env.h"
#define ktime_get_real_ns vec_real_ns
#include "nst_ulp/core/stream_rx.c"
