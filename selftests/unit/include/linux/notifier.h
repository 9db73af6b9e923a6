/* SPDX-License-Identifier: GPL-2.0 */
/* Host shim: callbacks of notifiers. */
#ifndef _SHIM_LINUX_NOTIFIER_H
#define _SHIM_LINUX_NOTIFIER_H

#include <linux/types.h>

#define NOTIFY_DONE	0
#define NOTIFY_OK	1

struct notifier_block {
	int (*notifier_call)(struct notifier_block *nb, unsigned long action,
			     void *data);
	struct notifier_block *next;
	int priority;
};

#endif /* _SHIM_LINUX_NOTIFIER_H */
