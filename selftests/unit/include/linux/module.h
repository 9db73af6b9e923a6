/* SPDX-License-Identifier: GPL-2.0 */
/* Host shim: nothing is loaded. */
#ifndef _SHIM_LINUX_MODULE_H
#define _SHIM_LINUX_MODULE_H

#include <linux/kernel.h>

#define EXPORT_SYMBOL_GPL(x)
#define MODULE_LICENSE(x)
#define MODULE_DESCRIPTION(x)
#define MODULE_PARM_DESC(name, x)
#define module_param(name, type, mode)
#define request_module(...)	0

struct module;

static inline void module_put(struct module *module)
{
	(void)module;
}

#endif /* _SHIM_LINUX_MODULE_H */
