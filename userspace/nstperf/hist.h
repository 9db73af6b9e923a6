/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A histogram of times, as HDR histograms are: each power of two is divided into
 * 128 buckets, so that a value is known to one part in 128 wherever it is. (Debian
 * has no such library for C.)
 */
#ifndef NSTPERF_HIST_H
#define NSTPERF_HIST_H

#include <json-c/json.h>
#include <stdint.h>

#define HIST_SUB	128
/* Up to 2^40 ns, 18 minutes; what is longer counts as that. */
#define HIST_BUCKETS	(HIST_SUB * 35)

struct hist {
	uint64_t count;
	uint64_t min;
	uint64_t max;
	double sum;
	uint64_t bucket[HIST_BUCKETS];
};

void hist_add(struct hist *hist, uint64_t ns);
void hist_merge(struct hist *to, const struct hist *from);

/* The value that @share (0 to 1) of all are not above; the exact maximum for 1. */
uint64_t hist_quantile(const struct hist *hist, double share);

/* Count, min, mean, quantiles, and a curve of value and share. */
struct json_object *hist_to_json(const struct hist *hist);

#endif /* NSTPERF_HIST_H */
