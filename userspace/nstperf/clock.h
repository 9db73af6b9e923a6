/* SPDX-License-Identifier: GPL-2.0 */
/* The time, for intervals. */
#ifndef NSTPERF_CLOCK_H
#define NSTPERF_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

#endif /* NSTPERF_CLOCK_H */
