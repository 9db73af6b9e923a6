/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Host shim: work. Nothing runs by itself: what is due is done by
 * shim_work_run(), outside of locks and readers.
 */
#ifndef _SHIM_LINUX_WORKQUEUE_H
#define _SHIM_LINUX_WORKQUEUE_H

#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/rcupdate.h>

/* @due is a time of the clock that counts since boot. */
struct work_struct {
	void (*func)(struct work_struct *work);
	struct work_struct *next;
	u64 due;
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

extern struct workqueue_struct *system_unbound_wq;

#define WQ_UNBOUND	2

#define INIT_WORK(w, f)							\
	do {								\
		(w)->func = (f);					\
		(w)->next = NULL;					\
		(w)->queued = false;					\
	} while (0)
#define __WORK_INITIALIZER(w, f) { .func = (f) }
#define DECLARE_WORK(w, f)	struct work_struct w = { .func = (f) }
#define INIT_RCU_WORK(w, f)	INIT_WORK(&(w)->work, f)
#define INIT_DELAYED_WORK(w, f)	INIT_WORK(&(w)->work, f)
#define to_rcu_work(w)		container_of(w, struct rcu_work, work)
#define to_delayed_work(w)	container_of(w, struct delayed_work, work)

struct workqueue_struct *alloc_workqueue(const char *name, unsigned int flags,
					 int max);
void destroy_workqueue(struct workqueue_struct *wq);
bool queue_work(struct workqueue_struct *wq, struct work_struct *work);
bool queue_rcu_work(struct workqueue_struct *wq, struct rcu_work *work);
bool queue_delayed_work(struct workqueue_struct *wq, struct delayed_work *work,
			unsigned long delay);
bool cancel_work_sync(struct work_struct *work);
bool cancel_delayed_work_sync(struct delayed_work *work);

/*
 * The grace periods have ended, and the workers get their turn with all that is
 * due by now.
 */
void shim_work_run(void);
/* No work may be queued in memory that is about to be freed. */
void shim_work_check(const void *mem, size_t len);
/* What another thread does just behind a cancel_*_sync(); NULL: nothing. */
extern void (*shim_work_cancelled)(void);

#endif /* _SHIM_LINUX_WORKQUEUE_H */
