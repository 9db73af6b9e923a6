/* SPDX-License-Identifier: GPL-2.0 */
/* Host shim: ticks, in which delays are told. */
#ifndef _SHIM_LINUX_JIFFIES_H
#define _SHIM_LINUX_JIFFIES_H

#include <linux/ktime.h>

#define HZ	250

#endif /* _SHIM_LINUX_JIFFIES_H */
