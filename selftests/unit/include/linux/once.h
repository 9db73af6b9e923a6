/* SPDX-License-Identifier: GPL-2.0 */
/* Host shim: a secret that is drawn when it is first needed. */
#ifndef _SHIM_LINUX_ONCE_H
#define _SHIM_LINUX_ONCE_H

#include <linux/random.h>

#define get_random_once(buf, len)					\
do {									\
	static bool shim_drawn;						\
									\
	if (!shim_drawn)						\
		get_random_bytes(buf, len);				\
	shim_drawn = true;						\
} while (0)

#endif /* _SHIM_LINUX_ONCE_H */
