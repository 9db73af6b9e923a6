// SPDX-License-Identifier: GPL-2.0
/* Namespaces, and who acts in them. */
#include <linux/slab.h>
#include <linux/user_namespace.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#define ID	7

struct user_namespace init_user_ns;

static struct pernet_operations *ops;
static struct net *nets;

void *net_generic(const struct net *net, unsigned int id)
{
	WARN_ON(!ops || id != ID);
	return net->generic;
}

static void drop(struct net *net)
{
	shim_work_check(net->generic, ops->size);
	kfree(net->generic);
	net->generic = NULL;
}

static int begin(struct net *net)
{
	int err;

	net->generic = kzalloc(ops->size, GFP_KERNEL);
	if (!net->generic)
		return -ENOMEM;
	err = ops->init(net);
	if (err)
		drop(net);
	return err;
}

static void end(struct net *net)
{
	ops->exit(net);
	drop(net);
}

/* Those before @stop. */
static void end_all(const struct net *stop)
{
	struct net *net;

	for (net = nets; net != stop; net = net->next)
		end(net);
}

int register_pernet_subsys(struct pernet_operations *new)
{
	struct net *net;
	int err;

	might_sleep();
	WARN_ON(ops);
	ops = new;
	*ops->id = ID;
	for (net = nets; net; net = net->next) {
		err = begin(net);
		if (err) {
			end_all(net);
			ops = NULL;
			return err;
		}
	}
	return 0;
}

void unregister_pernet_subsys(struct pernet_operations *old)
{
	might_sleep();
	WARN_ON(ops != old);
	end_all(NULL);
	ops = NULL;
}

int shim_net_add(struct net *net)
{
	int err = ops ? begin(net) : 0;

	if (err)
		return err;
	net->next = nets;
	nets = net;
	return 0;
}

void shim_net_del(struct net *net)
{
	struct net **link = &nets;

	while (*link && *link != net)
		link = &(*link)->next;
	if (WARN_ON(!*link))
		return;
	*link = net->next;
	if (ops)
		end(net);
}
