/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_UIDGID_H
#define _SHIM_LINUX_UIDGID_H

#include <linux/types.h>

typedef struct {
	u32 val;
} kuid_t;

static inline u32 __kuid_val(kuid_t uid)
{
	return uid.val;
}

#endif /* _SHIM_LINUX_UIDGID_H */
