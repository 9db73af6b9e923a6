// SPDX-License-Identifier: GPL-2.0
/* See input.h. */
#include <linux/rcupdate.h>
#include <shim/env.h>
#include <shim/test.h>
#include <stdio.h>
#include <stdlib.h>
#include "input.h"

static const u8 *input, *input_end;

void must(bool ok)
{
	if (!ok)
		abort();
}

u8 next(void)
{
	return more() ? *input++ : 0;
}

bool more(void)
{
	return input < input_end;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	input = data;
	input_end = data + size;
	shim_reset();
	play();
	shim_rcu_run();
	must(!shim_live_allocs && !shim_live_tfms && !shim_bugs());
	return 0;
}

/* The ends were written for the harness; here their checks end the run. */
void test_fail(const char *file, int line, const char *format, ...)
{
	(void)format;
	fprintf(stderr, "%s:%d\n", file, line);
	abort();
}

void test_abort(void)
{
	abort();
}
