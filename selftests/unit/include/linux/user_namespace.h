/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_USER_NAMESPACE_H
#define _SHIM_LINUX_USER_NAMESPACE_H

#include <linux/kernel.h>
#include <linux/uidgid.h>

struct user_namespace {
	struct user_namespace *parent;
	kuid_t owner;
};

extern struct user_namespace init_user_ns;

#endif /* _SHIM_LINUX_USER_NAMESPACE_H */
