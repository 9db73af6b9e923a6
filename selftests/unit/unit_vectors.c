// SPDX-License-Identifier: GPL-2.0
/* The vectors, over libgcrypt. */
#include <stdarg.h>
#include <linux/rcupdate.h>
#include <shim/test.h>
#include "vectest.h"

void vec_env_print(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
}

void vec_env_clock(u64 real_ns)
{
	shim_real_ns = real_ns;
}

void vec_env_random(const void *bytes, size_t len)
{
	shim_random_inject(bytes, len);
}

/* The vectors say their own TAP. */
int main(void)
{
	unsigned int failed;

	shim_reset();
	failed = vec_run();
	shim_rcu_run();
	failed += shim_bugs() || shim_live_allocs || shim_live_tfms ||
		  shim_random_left();
	if (failed)
		printf("# bugs %u, allocations %ld, transforms %ld left\n",
		       shim_bugs(), shim_live_allocs, shim_live_tfms);
	return !!failed;
}
