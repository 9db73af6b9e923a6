// SPDX-License-Identifier: GPL-2.0
/* Work: a list of what is queued, done when a test lets it. */
#include <linux/ktime.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

static struct workqueue_struct unbound;
struct workqueue_struct *system_unbound_wq = &unbound;
void (*shim_work_cancelled)(void);

static struct work_struct *work_todo;

struct workqueue_struct *alloc_workqueue(const char *name, unsigned int flags,
					 int max)
{
	(void)name;
	(void)flags;
	(void)max;
	return kzalloc(sizeof(struct workqueue_struct), GFP_KERNEL);
}

void destroy_workqueue(struct workqueue_struct *wq)
{
	shim_work_run();
	kfree(wq);
}

static bool queue(struct workqueue_struct *wq, struct work_struct *work,
		  u64 due)
{
	WARN_ON(!wq || !work->func);
	if (work->queued)
		return false;
	work->queued = true;
	work->due = due;
	work->next = work_todo;
	work_todo = work;
	return true;
}

bool queue_work(struct workqueue_struct *wq, struct work_struct *work)
{
	return queue(wq, work, 0);
}

bool queue_rcu_work(struct workqueue_struct *wq, struct rcu_work *work)
{
	return queue(wq, &work->work, 0);
}

bool queue_delayed_work(struct workqueue_struct *wq, struct delayed_work *work,
			unsigned long delay)
{
	return queue(wq, &work->work,
		     shim_boot_ns + delay * (NSEC_PER_SEC / HZ));
}

/* Takes it out of the list, where @link leads to it. */
static struct work_struct *take(struct work_struct **link)
{
	struct work_struct *work = *link;

	*link = work->next;
	work->queued = false;
	return work;
}

bool cancel_work_sync(struct work_struct *work)
{
	struct work_struct **link = &work_todo;
	bool queued;

	might_sleep();
	while (*link && *link != work)
		link = &(*link)->next;
	queued = *link;
	if (queued)
		take(link);
	if (shim_work_cancelled)
		shim_work_cancelled();
	return queued;
}

bool cancel_delayed_work_sync(struct delayed_work *work)
{
	return cancel_work_sync(&work->work);
}

/* Where the list leads to something due. */
static struct work_struct **find_due(void)
{
	struct work_struct **link = &work_todo;

	while (*link && (*link)->due > shim_boot_ns)
		link = &(*link)->next;
	return link;
}

void shim_work_run(void)
{
	struct work_struct **link, *work;

	might_sleep();
	while (*(link = find_due())) {
		work = take(link);
		work->func(work);
	}
}

void shim_work_check(const void *mem, size_t len)
{
	const struct work_struct *work;

	for (work = work_todo; work; work = work->next)
		if ((const u8 *)work >= (const u8 *)mem &&
		    (const u8 *)work < (const u8 *)mem + len)
			shim_bug(__FILE__, __LINE__, "frees work that is queued");
}
