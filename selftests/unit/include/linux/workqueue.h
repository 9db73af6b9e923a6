/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Host shim: work that waits for a grace period. Nothing runs by itself: work is
 * done by shim_work_run(), outside of locks and readers.
 */
#ifndef _SHIM_LINUX_WORKQUEUE_H
#define _SHIM_LINUX_WORKQUEUE_H

#include <linux/kernel.h>
#include <linux/rcupdate.h>

struct work_struct {
	void (*func)(struct work_struct *work);
	struct work_struct *next;
	bool queued;
};

struct rcu_work {
	struct work_struct work;
};

struct delayed_work {
	struct work_struct work;
};

struct workqueue_struct {
	int unused;
};

#define WQ_UNBOUND	2

#define INIT_RCU_WORK(w, f)						\
	do {								\
		(w)->work.func = (f);					\
		(w)->work.next = NULL;					\
		(w)->work.queued = false;				\
	} while (0)
#define to_rcu_work(w)	container_of(w, struct rcu_work, work)

struct workqueue_struct *alloc_workqueue(const char *name, unsigned int flags,
					 int max);
void destroy_workqueue(struct workqueue_struct *wq);
bool queue_rcu_work(struct workqueue_struct *wq, struct rcu_work *work);
/* The grace periods have ended and the workers get their turn. */
void shim_work_run(void);

#endif /* _SHIM_LINUX_WORKQUEUE_H */
