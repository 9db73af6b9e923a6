// SPDX-License-Identifier: GPL-2.0
/* A search tree under the interface of the kernel's red-black tree. */
#include <linux/rbtree.h>

static struct rb_node *leftmost(struct rb_node *node)
{
	while (node && node->rb_left)
		node = node->rb_left;
	return node;
}

static struct rb_node *rightmost(struct rb_node *node)
{
	while (node && node->rb_right)
		node = node->rb_right;
	return node;
}

struct rb_node *rb_first(const struct rb_root *root)
{
	return leftmost(root->rb_node);
}

struct rb_node *rb_last(const struct rb_root *root)
{
	return rightmost(root->rb_node);
}

struct rb_node *rb_next(const struct rb_node *node)
{
	if (node->rb_right)
		return leftmost(node->rb_right);
	while (node->parent && node == node->parent->rb_right)
		node = node->parent;
	return node->parent;
}

struct rb_node *rb_prev(const struct rb_node *node)
{
	if (node->rb_left)
		return rightmost(node->rb_left);
	while (node->parent && node == node->parent->rb_left)
		node = node->parent;
	return node->parent;
}

static struct rb_node *deepest(struct rb_node *node)
{
	while (node && (node->rb_left || node->rb_right))
		node = node->rb_left ? node->rb_left : node->rb_right;
	return node;
}

struct rb_node *rb_first_postorder(const struct rb_root *root)
{
	return deepest(root->rb_node);
}

struct rb_node *rb_next_postorder(const struct rb_node *node)
{
	struct rb_node *parent = node->parent;

	if (parent && node == parent->rb_left && parent->rb_right)
		return deepest(parent->rb_right);
	return parent;
}

/* Puts @to, or nothing, where @node hangs. */
static void replace(struct rb_node *node, struct rb_node *to,
		    struct rb_root *root)
{
	if (!node->parent)
		root->rb_node = to;
	else if (node->parent->rb_left == node)
		node->parent->rb_left = to;
	else
		node->parent->rb_right = to;
	if (to)
		to->parent = node->parent;
}

void rb_erase(struct rb_node *node, struct rb_root *root)
{
	struct rb_node *heir;

	if (!node->rb_left || !node->rb_right) {
		replace(node, node->rb_left ? node->rb_left : node->rb_right,
			root);
		return;
	}
	heir = leftmost(node->rb_right);
	if (heir->parent != node) {
		replace(heir, heir->rb_right, root);
		heir->rb_right = node->rb_right;
		heir->rb_right->parent = heir;
	}
	replace(node, heir, root);
	heir->rb_left = node->rb_left;
	heir->rb_left->parent = heir;
}
