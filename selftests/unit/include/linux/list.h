/* SPDX-License-Identifier: GPL-2.0 */
/* Host shim: doubly linked lists. */
#ifndef _SHIM_LINUX_LIST_H
#define _SHIM_LINUX_LIST_H

#include <linux/kernel.h>

#define LIST_HEAD_INIT(n)	{ &(n), &(n) }
#define LIST_HEAD(n)		struct list_head n = LIST_HEAD_INIT(n)

static inline void INIT_LIST_HEAD(struct list_head *l)
{
	l->next = l;
	l->prev = l;
}

static inline void list_add_tail(struct list_head *n, struct list_head *head)
{
	n->prev = head->prev;
	n->next = head;
	head->prev->next = n;
	head->prev = n;
}

static inline void list_add(struct list_head *n, struct list_head *head)
{
	list_add_tail(n, head->next);
}

static inline void list_del(struct list_head *n)
{
	n->next->prev = n->prev;
	n->prev->next = n->next;
	n->next = NULL;
	n->prev = NULL;
}

static inline void list_del_init(struct list_head *n)
{
	list_del(n);
	INIT_LIST_HEAD(n);
}

static inline void list_move(struct list_head *n, struct list_head *head)
{
	list_del(n);
	list_add(n, head);
}

static inline void list_move_tail(struct list_head *n, struct list_head *head)
{
	list_del(n);
	list_add_tail(n, head);
}

static inline void list_splice_tail_init(struct list_head *from,
					 struct list_head *head)
{
	if (from->next == from)
		return;
	from->next->prev = head->prev;
	from->prev->next = head;
	head->prev->next = from->next;
	head->prev = from->prev;
	INIT_LIST_HEAD(from);
}

static inline bool list_empty(const struct list_head *l)
{
	return l->next == l;
}

#define list_entry(p, type, m)		container_of(p, type, m)
#define list_first_entry(h, type, m)	list_entry((h)->next, type, m)
#define list_last_entry(h, type, m)	list_entry((h)->prev, type, m)
#define list_for_each_entry(pos, head, m)				\
	for (pos = list_entry((head)->next, typeof(*pos), m);		\
	     &pos->m != (head);						\
	     pos = list_entry(pos->m.next, typeof(*pos), m))
#define list_for_each_entry_safe(pos, n, head, m)			\
	for (pos = list_entry((head)->next, typeof(*pos), m),		\
	     n = list_entry(pos->m.next, typeof(*pos), m);		\
	     &pos->m != (head);						\
	     pos = n, n = list_entry(n->m.next, typeof(*n), m))

static inline void hlist_add_head(struct hlist_node *n, struct hlist_head *h)
{
	n->next = h->first;
	if (n->next)
		n->next->pprev = &n->next;
	h->first = n;
	n->pprev = &h->first;
}

static inline bool hlist_empty(const struct hlist_head *h)
{
	return !h->first;
}

#define hlist_del(n)		hlist_del_init(n)

static inline void hlist_del_init(struct hlist_node *n)
{
	if (!n->pprev)
		return;
	*n->pprev = n->next;
	if (n->next)
		n->next->pprev = n->pprev;
	n->next = NULL;
	n->pprev = NULL;
}

#define hlist_entry(p, type, m)	container_of(p, type, m)
#define hlist_entry_safe(p, type, m)					\
	({								\
		struct hlist_node *__p = (p);				\
		__p ? container_of(__p, type, m) : NULL;		\
	})
#define hlist_for_each_entry(pos, head, m)				\
	for (pos = hlist_entry_safe((head)->first, typeof(*pos), m);	\
	     pos;							\
	     pos = hlist_entry_safe(pos->m.next, typeof(*pos), m))
#define hlist_for_each_entry_safe(pos, n, head, m)			\
	for (pos = hlist_entry_safe((head)->first, typeof(*pos), m);	\
	     pos && ({ n = pos->m.next; 1; });				\
	     pos = hlist_entry_safe(n, typeof(*pos), m))

#endif /* _SHIM_LINUX_LIST_H */
