/* SPDX-License-Identifier: GPL-2.0 */
/* Host shim: hash chains; a deleted node keeps its way on, for readers. */
#ifndef _SHIM_LINUX_RCULIST_H
#define _SHIM_LINUX_RCULIST_H

#include <linux/list.h>
#include <linux/rcupdate.h>

#define hlist_add_head_rcu(n, h)	hlist_add_head(n, h)

static inline void hlist_del_rcu(struct hlist_node *n)
{
	*n->pprev = n->next;
	if (n->next)
		n->next->pprev = n->pprev;
	n->pprev = NULL;
}

#define hlist_for_each_entry_rcu(pos, head, m, c...)			\
	for (WARN_ON(!shim_rcu_depth && !(c)),				\
	     pos = hlist_entry_safe((head)->first, typeof(*pos), m);	\
	     pos;							\
	     pos = hlist_entry_safe(pos->m.next, typeof(*pos), m))

#define hlist_for_each_entry_continue_rcu(pos, m)			\
	for (WARN_ON(!shim_rcu_depth),					\
	     pos = hlist_entry_safe(pos->m.next, typeof(*pos), m);	\
	     pos;							\
	     pos = hlist_entry_safe(pos->m.next, typeof(*pos), m))

#endif /* _SHIM_LINUX_RCULIST_H */
