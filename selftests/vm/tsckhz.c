// SPDX-License-Identifier: GPL-2.0
/*
 * The rate of this machine's time stamp counter in kHz. An emulated processor has
 * the same counter, but finds out its rate by timers that do not keep step with
 * it on a busy machine.
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

/* The reading of the counter and the time that belong closest together. */
static void read_both(uint64_t *tsc, uint64_t *ns)
{
	uint64_t best = UINT64_MAX, before, after, count;
	int i;

	for (i = 0; i < 50; i++) {
		before = now_ns();
		count = __rdtsc();
		after = now_ns();
		if (after - before >= best)
			continue;
		best = after - before;
		*tsc = count;
		*ns = before + best / 2;
	}
}

int main(void)
{
	const struct timespec pause = { .tv_nsec = 300000000 };
	uint64_t tsc[2] = {}, ns[2] = {};

	read_both(&tsc[0], &ns[0]);
	nanosleep(&pause, NULL);
	read_both(&tsc[1], &ns[1]);
	printf("%llu\n", (unsigned long long)
	       ((tsc[1] - tsc[0]) * 1000000 / (ns[1] - ns[0])));
	return 0;
}
