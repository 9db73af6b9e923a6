/* SPDX-License-Identifier: GPL-2.0 */
/* Host shim: nothing to wait for in a single thread. */
#ifndef _SHIM_LINUX_COMPLETION_H
#define _SHIM_LINUX_COMPLETION_H

#include <linux/kernel.h>

struct completion {
	int done;
};

#endif /* _SHIM_LINUX_COMPLETION_H */
