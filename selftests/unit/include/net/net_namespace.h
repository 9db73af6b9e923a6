/* SPDX-License-Identifier: GPL-2.0 */
/* Host shim: namespaces that come and go when a test says so. */
#ifndef _SHIM_NET_NET_NAMESPACE_H
#define _SHIM_NET_NET_NAMESPACE_H

#include <linux/kernel.h>
#include <linux/slab.h>

#define __net_init
#define __net_exit

struct user_namespace;

struct net {
	struct user_namespace *user_ns;
	struct net *next;
	void *generic;
};

struct pernet_operations {
	int (*init)(struct net *net);
	void (*exit)(struct net *net);
	unsigned int *id;
	size_t size;
};

/* One at a time is known. */
int register_pernet_subsys(struct pernet_operations *ops);
void unregister_pernet_subsys(struct pernet_operations *ops);

/* A namespace comes, unless that fails; it goes. */
int shim_net_add(struct net *net);
void shim_net_del(struct net *net);

#endif /* _SHIM_NET_NET_NAMESPACE_H */
