// SPDX-License-Identifier: GPL-2.0
/* Names and sums of the counters. */
#include <linux/cpumask.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include "stats.h"

static const struct {
	const char *name;
	int err;	/* errno of a TCP receiver, positive; 0: no cause */
} entries[NST_MIB_MAX] = {
#define X(sym, str, num) [NST_DROP_##sym] = { .name = str, .err = num },
	NST_DROP_LIST(X)
#undef X
#define X(sym, str) [NST_MIB_##sym] = { .name = str },
	NST_MIB_LIST(X)
#undef X
};

/**
 * nst_stats_sum() - one counter, over all CPUs
 * @stats: counters of a namespace
 * @index: enum nst_drop or enum nst_mib
 *
 * Context: any; a sum taken while others count is of some moment in between.
 * Return: the value.
 */
u64 nst_stats_sum(struct nst_stats __percpu *stats, unsigned int index)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(stats, cpu)->mib[index]);
	return sum;
}

/**
 * nst_stats_name() - the name of a counter
 * @index: enum nst_drop but 0, or enum nst_mib
 *
 * Return: a static string, as in /proc/net/nst_stat.
 */
const char *nst_stats_name(unsigned int index)
{
	return entries[index].name;
}

/**
 * nst_stats_is_gauge() - may it fall?
 * @index: enum nst_drop but 0, or enum nst_mib
 *
 * Return: true if it says how many there are now, not how many there were.
 */
bool nst_stats_is_gauge(unsigned int index)
{
	return index == NST_MIB_SOCKETS || index == NST_MIB_LINGERING ||
	       index == NST_MIB_UDP_SESSIONS;
}

/**
 * nst_drop_errno() - what a TCP receiver is told
 * @drop: the cause
 *
 * Return: a negative errno; 0 for NST_OK.
 */
int nst_drop_errno(enum nst_drop drop)
{
	return -entries[drop].err;
}
