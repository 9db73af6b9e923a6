/* SPDX-License-Identifier: GPL-2.0 */
/* Host shim: ticks, in which delays are told. */
#ifndef _SHIM_LINUX_JIFFIES_H
#define _SHIM_LINUX_JIFFIES_H

#include <linux/ktime.h>

#define HZ	250

#define get_jiffies_64()	(shim_boot_ns / (NSEC_PER_SEC / HZ))
#define time_before64(a, b)	((s64)((a) - (b)) < 0)
#define msecs_to_jiffies(ms)	(((ms) * HZ + 999) / 1000)

#endif /* _SHIM_LINUX_JIFFIES_H */
