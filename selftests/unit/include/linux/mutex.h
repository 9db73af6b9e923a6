/* SPDX-License-Identifier: GPL-2.0 */
/* Host shim: mutexes of a single thread: they only watch their use. */
#ifndef _SHIM_LINUX_MUTEX_H
#define _SHIM_LINUX_MUTEX_H

#include <linux/kernel.h>
#include <linux/lockdep.h>

struct mutex {
	int held;
};

#define DEFINE_MUTEX(m)		struct mutex m
#define __MUTEX_INITIALIZER(m)	{ 0 }

static inline void mutex_init(struct mutex *m)
{
	m->held = 0;
}

static inline void mutex_destroy(struct mutex *m)
{
	WARN_ON(m->held);
}

static inline void mutex_lock(struct mutex *m)
{
	might_sleep();
	WARN_ON(m->held);
	m->held = 1;
	shim_mutex_depth++;
}

static inline void mutex_unlock(struct mutex *m)
{
	WARN_ON(!m->held);
	m->held = 0;
	shim_mutex_depth--;
}

static inline bool mutex_is_locked(const struct mutex *m)
{
	return m->held;
}

#endif /* _SHIM_LINUX_MUTEX_H */
