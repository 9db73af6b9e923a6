/* SPDX-License-Identifier: GPL-2.0 */
/* Host shim: who acts is who the test says. */
#ifndef _SHIM_LINUX_CRED_H
#define _SHIM_LINUX_CRED_H

#include <linux/user_namespace.h>

#define current_user_ns()	shim_user_ns
#define current_euid()		((kuid_t){ shim_euid })

#endif /* _SHIM_LINUX_CRED_H */
