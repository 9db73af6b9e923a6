/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Host shim: RCU of a single thread. A callback runs as early as RCU allows:
 * at once outside readers, else when the last reader leaves. So memory that is
 * used after its grace period may have ended is a use after free here.
 */
#ifndef _SHIM_LINUX_RCUPDATE_H
#define _SHIM_LINUX_RCUPDATE_H

#include <linux/kernel.h>
#include <linux/lockdep.h>

void shim_rcu_run(void);
void call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *head));
void shim_kfree_rcu(struct rcu_head *head, size_t offset);

static inline void rcu_read_lock(void)
{
	shim_rcu_depth++;
}

static inline void rcu_read_unlock(void)
{
	WARN_ON(shim_rcu_depth <= 0);
	if (!--shim_rcu_depth)
		shim_rcu_run();
}

#define rcu_read_lock_bh()	rcu_read_lock()
#define rcu_read_unlock_bh()	rcu_read_unlock()
#define rcu_read_lock_held()	(shim_rcu_depth > 0)

#define rcu_dereference(p)						\
	({								\
		WARN_ON(!shim_rcu_depth);				\
		READ_ONCE(p);						\
	})
#define rcu_dereference_check(p, c)					\
	({								\
		WARN_ON(!shim_rcu_depth && !(c));			\
		READ_ONCE(p);						\
	})
#define rcu_dereference_protected(p, c)					\
	({								\
		WARN_ON(!(c));						\
		READ_ONCE(p);						\
	})
#define rcu_dereference_raw(p)		READ_ONCE(p)
#define rcu_access_pointer(p)		READ_ONCE(p)
#define rcu_assign_pointer(p, v)	smp_store_release(&(p), v)
#define RCU_INIT_POINTER(p, v)		WRITE_ONCE(p, v)
#define rcu_replace_pointer(p, v, c)					\
	({								\
		typeof(p) __was = rcu_dereference_protected(p, c);	\
		rcu_assign_pointer(p, v);				\
		__was;							\
	})
#define RCU_LOCKDEP_WARN(c, s)		((void)WARN_ON(c))

#define synchronize_rcu()						\
	do {								\
		might_sleep();						\
		WARN_ON(shim_rcu_depth);				\
		shim_rcu_run();						\
	} while (0)
#define rcu_barrier()		synchronize_rcu()

#define kfree_rcu(p, member)						\
	shim_kfree_rcu(&(p)->member, offsetof(typeof(*(p)), member))
#define kvfree_rcu(p, member)	kfree_rcu(p, member)

#endif /* _SHIM_LINUX_RCUPDATE_H */
