/* SPDX-License-Identifier: GPL-2.0 */
/* Host shim: nothing is loaded but what a test says. */
#ifndef _SHIM_LINUX_MODULE_H
#define _SHIM_LINUX_MODULE_H

#include <linux/kernel.h>
#include <linux/notifier.h>

#define EXPORT_SYMBOL_GPL(x)
#define MODULE_LICENSE(x)
#define MODULE_DESCRIPTION(x)
#define MODULE_PARM_DESC(name, x)
#define module_param(name, type, mode)
#define request_module(...)	0

struct module;

enum module_state {
	MODULE_STATE_LIVE,
	MODULE_STATE_COMING,
	MODULE_STATE_GOING,
};

int register_module_notifier(struct notifier_block *nb);
int unregister_module_notifier(struct notifier_block *nb);
/* A module has come so far. */
void shim_module_event(unsigned long state);

static inline void module_put(struct module *module)
{
	(void)module;
}

#endif /* _SHIM_LINUX_MODULE_H */
