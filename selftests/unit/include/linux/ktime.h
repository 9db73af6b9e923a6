/* SPDX-License-Identifier: GPL-2.0 */
/* Host shim: clocks that tests set. */
#ifndef _SHIM_LINUX_KTIME_H
#define _SHIM_LINUX_KTIME_H

#include <linux/kernel.h>

#define NSEC_PER_SEC	1000000000L
#define NSEC_PER_MSEC	1000000L
#define MSEC_PER_SEC	1000L

#define ktime_get_real_ns()		(shim_real_ns)
#define ktime_get_boottime_ns()		(shim_boot_ns)
#define ktime_get_ns()			(shim_boot_ns)
#define ktime_get_real_fast_ns()	(shim_real_ns)


/* The monotonic clock is the one that counts since boot; it never sleeps. */
typedef s64 ktime_t;
#define TK_OFFS_BOOT			1
#define ktime_get()			((ktime_t)shim_boot_ns)
#define ktime_to_ns(time)		(time)
#define ktime_mono_to_real(mono)	((void)(mono), (ktime_t)shim_real_ns)
#define ktime_mono_to_any(mono, which)	((void)(which), (ktime_t)(mono))

#endif /* _SHIM_LINUX_KTIME_H */
