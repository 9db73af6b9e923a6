// SPDX-License-Identifier: GPL-2.0
/* Stopwatches that know whether what they have timed had its processor to itself. */
#include <linux/kernel_stat.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/timekeeping.h>
#include "udp/watch.h"

/*
 * A sum that changes if anything else runs on this processor: another task, an
 * interrupt but that of its timer, a softirq, another guest.
 */
static u64 others_ran(void)
{
	u64 sum = current->nvcsw + current->nivcsw;
	const struct kernel_stat *stat;
	unsigned int i;

	preempt_disable();
	stat = this_cpu_ptr(&kstat);
	sum += stat->irqs_sum;
	for (i = 0; i < NR_SOFTIRQS; i++)
		sum += stat->softirqs[i];
	sum += kcpustat_this_cpu->cpustat[CPUTIME_STEAL];
	preempt_enable();
	return sum;
}

/**
 * nst_watch_start() - something begins
 *
 * Context: any.
 */
struct nst_watch nst_watch_start(void)
{
	u64 others = others_ran();

	return (struct nst_watch){ .others = others, .began = ktime_get_ns() };
}

/**
 * nst_watch_stop() - it has ended
 * @watch: from nst_watch_start()
 * @disturbed: receives whether not all of the time was its own
 *
 * Context: any.
 * Return: how long it took, ns.
 */
u64 nst_watch_stop(const struct nst_watch *watch, bool *disturbed)
{
	u64 ns = ktime_get_ns() - watch->began;

	*disturbed = watch->others != others_ran();
	return ns;
}
