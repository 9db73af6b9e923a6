/* SPDX-License-Identifier: GPL-2.0 */
/* Host shim: spinlocks of a single thread: they only watch their use. */
#ifndef _SHIM_LINUX_SPINLOCK_H
#define _SHIM_LINUX_SPINLOCK_H

#include <linux/kernel.h>
#include <linux/lockdep.h>

typedef struct {
	int held;
} spinlock_t;

#define DEFINE_SPINLOCK(l)	spinlock_t l
#define __SPIN_LOCK_UNLOCKED(l)	{ 0 }

static inline void spin_lock_init(spinlock_t *l)
{
	l->held = 0;
}

static inline void spin_lock(spinlock_t *l)
{
	WARN_ON(l->held);
	l->held = 1;
	shim_spin_depth++;
	shim_spin_times++;
}

static inline void spin_unlock(spinlock_t *l)
{
	WARN_ON(!l->held);
	l->held = 0;
	shim_spin_depth--;
}

#define spin_lock_bh(l)			spin_lock(l)
#define spin_unlock_bh(l)		spin_unlock(l)
#define spin_lock_irqsave(l, f)		do { (f) = 0; spin_lock(l); } while (0)
#define spin_unlock_irqrestore(l, f)	do { (void)(f); spin_unlock(l); } while (0)
#define assert_spin_locked(l)		lockdep_assert_held(l)

static inline bool spin_trylock(spinlock_t *l)
{
	if (l->held)
		return false;
	spin_lock(l);
	return true;
}

#define local_bh_disable()	((void)shim_spin_depth++)
#define local_bh_enable()	((void)shim_spin_depth--)
#define preempt_disable()	((void)shim_spin_depth++)
#define preempt_enable()	((void)shim_spin_depth--)

#endif /* _SHIM_LINUX_SPINLOCK_H */
