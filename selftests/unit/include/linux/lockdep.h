/* SPDX-License-Identifier: GPL-2.0 */
/* Host shim: lock assertions that hold. */
#ifndef _SHIM_LINUX_LOCKDEP_H
#define _SHIM_LINUX_LOCKDEP_H

#include <linux/kernel.h>

#define lockdep_is_held(l)	((l)->held)
#define lockdep_assert_held(l)	((void)WARN_ON(!(l)->held))
#define lockdep_assert_once(c)	((void)WARN_ON(!(c)))
#define lockdep_assert(c)	((void)WARN_ON(!(c)))

#endif /* _SHIM_LINUX_LOCKDEP_H */
