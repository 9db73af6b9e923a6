// SPDX-License-Identifier: GPL-2.0
/* A histogram of times. */
#include "hist.h"
#include "object.h"

#define SUB_BITS	7

/* Values below HIST_SUB are their own bucket; of others the 8 highest bits count. */
static unsigned int bucket_of(uint64_t ns)
{
	unsigned int shift, i;

	if (ns < HIST_SUB)
		return ns;
	shift = 63 - __builtin_clzll(ns) - SUB_BITS;
	i = (shift + 1) * HIST_SUB + (ns >> shift) - HIST_SUB;
	return i < HIST_BUCKETS ? i : HIST_BUCKETS - 1;
}

/* The highest value in a bucket. */
static uint64_t value_of(unsigned int bucket)
{
	unsigned int shift;

	if (bucket < HIST_SUB)
		return bucket;
	shift = bucket / HIST_SUB - 1;
	return ((bucket % HIST_SUB + HIST_SUB + 1ULL) << shift) - 1;
}

void hist_add(struct hist *hist, uint64_t ns)
{
	if (!hist->count || ns < hist->min)
		hist->min = ns;
	if (ns > hist->max)
		hist->max = ns;
	hist->count++;
	hist->sum += ns;
	hist->bucket[bucket_of(ns)]++;
}

void hist_merge(struct hist *to, const struct hist *from)
{
	unsigned int i;

	if (!from->count)
		return;
	if (!to->count || from->min < to->min)
		to->min = from->min;
	if (from->max > to->max)
		to->max = from->max;
	to->count += from->count;
	to->sum += from->sum;
	for (i = 0; i < HIST_BUCKETS; i++)
		to->bucket[i] += from->bucket[i];
}

uint64_t hist_quantile(const struct hist *hist, double share)
{
	uint64_t seen = 0, value;
	unsigned int i;

	for (i = 0; i < HIST_BUCKETS; i++) {
		seen += hist->bucket[i];
		if (seen && seen >= share * hist->count) {
			value = value_of(i);
			return value < hist->max ? value : hist->max;
		}
	}
	return hist->max;
}

struct json_object *hist_to_json(const struct hist *hist)
{
	static const double shares[] = {
		0, .1, .25, .5, .75, .9, .95, .99, .995, .999, .9995, .9999, 1
	};
	struct json_object *json = json_object_new_object();
	struct json_object *curve = json_object_new_array(), *point;
	uint64_t value;
	unsigned int i;

	object_add_count(json, "count", hist->count);
	object_add_count(json, "min_ns", hist->min);
	object_add_count(json, "mean_ns", hist->count ? hist->sum / hist->count : 0);
	object_add_count(json, "p50_ns", hist_quantile(hist, .5));
	object_add_count(json, "p99_ns", hist_quantile(hist, .99));
	object_add_count(json, "p99_9_ns", hist_quantile(hist, .999));
	object_add_count(json, "max_ns", hist->max);
	for (i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
		point = json_object_new_array();
		json_object_array_add(point, json_object_new_double(shares[i]));
		value = hist_quantile(hist, shares[i]);
		json_object_array_add(point, json_object_new_int64(value));
		json_object_array_add(curve, point);
	}
	json_object_object_add(json, "curve", curve);
	return json;
}
