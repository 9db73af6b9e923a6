/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Host shim: the interface of the kernel's red-black tree over a plain search
 * tree. What the tests compare is order and content, not balance.
 */
#ifndef _SHIM_LINUX_RBTREE_H
#define _SHIM_LINUX_RBTREE_H

#include <linux/kernel.h>

struct rb_node {
	struct rb_node *parent;
	struct rb_node *rb_left;
	struct rb_node *rb_right;
};

struct rb_root {
	struct rb_node *rb_node;
};

#define RB_ROOT			((struct rb_root) { NULL })
#define RB_EMPTY_ROOT(r)	(!(r)->rb_node)
#define RB_EMPTY_NODE(n)	((n)->parent == (n))
#define RB_CLEAR_NODE(n)	((n)->parent = (n))
#define rb_parent(n)		((n)->parent)
#define rb_entry(p, type, m)	container_of(p, type, m)
#define rb_entry_safe(p, type, m)					\
	({								\
		typeof(p) __p = (p);					\
		__p ? rb_entry(__p, type, m) : NULL;			\
	})

struct rb_node *rb_first(const struct rb_root *root);
struct rb_node *rb_last(const struct rb_root *root);
struct rb_node *rb_next(const struct rb_node *node);
struct rb_node *rb_prev(const struct rb_node *node);
struct rb_node *rb_first_postorder(const struct rb_root *root);
struct rb_node *rb_next_postorder(const struct rb_node *node);
void rb_erase(struct rb_node *node, struct rb_root *root);

static inline void rb_link_node(struct rb_node *node, struct rb_node *parent,
				struct rb_node **link)
{
	node->parent = parent;
	node->rb_left = NULL;
	node->rb_right = NULL;
	*link = node;
}

#define rb_link_node_rcu(n, parent, link)	rb_link_node(n, parent, link)

static inline void rb_insert_color(struct rb_node *node, struct rb_root *root)
{
	/* A search tree has no colours; the node must hang in it, though. */
	WARN_ON(!root->rb_node || (!node->parent && root->rb_node != node));
}

#define rbtree_postorder_for_each_entry_safe(pos, n, root, m)		\
	for (pos = rb_entry_safe(rb_first_postorder(root), typeof(*pos), m); \
	     pos && ({ n = rb_entry_safe(rb_next_postorder(&pos->m),	\
					 typeof(*pos), m); 1; });	\
	     pos = n)

#endif /* _SHIM_LINUX_RBTREE_H */
