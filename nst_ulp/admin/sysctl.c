// SPDX-License-Identifier: GPL-2.0
/*
 * net.nst.*, in each network namespace. A value out of bounds is refused with
 * EINVAL and changes nothing.
 */
#include <linux/slab.h>
#include <linux/sysctl.h>
#include <net/net_namespace.h>
#include "admin/sysctl.h"
#include "core/netns.h"
#include "limits.h"

static int window_max = NST_TIME_WINDOW_MAX;
static unsigned int cache_min = NST_START_CACHE_MIN;
static unsigned int cache_max = NST_START_CACHE_MAX;
static unsigned int cache_default = NST_START_CACHE;
static unsigned int sessions_min = NST_SESSIONS_MIN;
static unsigned int sessions_max = NST_SESSIONS_MAX;
static unsigned int sessions_default = NST_SESSIONS;
static unsigned long rekey_min = 1;
static unsigned long rekey_records_max = NST_REKEY_RECORDS;
static unsigned long rekey_bytes_max = NST_REKEY_BYTES;

/* In the order of the table. */
enum { ENABLED, STRICT, WINDOW, CACHE, SESSIONS, RECORDS, BYTES, NR_ENTRIES };

/* One entry more than there are: 6.1 wants the end marked. */
static const struct ctl_table template[NR_ENTRIES + 1] = {
	[ENABLED] = {
		.procname	= "enabled",
		.maxlen		= sizeof(int),
		.mode		= 0644,
		.proc_handler	= proc_dointvec_minmax,
		.extra1		= SYSCTL_ZERO,
		.extra2		= SYSCTL_ONE,
	},
	[STRICT] = {
		.procname	= "strict",
		.maxlen		= sizeof(int),
		.mode		= 0644,
		.proc_handler	= proc_dointvec_minmax,
		.extra1		= SYSCTL_ZERO,
		.extra2		= SYSCTL_ONE,
	},
	[WINDOW] = {
		.procname	= "timestamp_window",
		.maxlen		= sizeof(int),
		.mode		= 0644,
		.proc_handler	= proc_dointvec_minmax,
		.extra1		= SYSCTL_ONE,
		.extra2		= &window_max,
	},
	[CACHE] = {
		.procname	= "start_cache_max",
		.maxlen		= sizeof(unsigned int),
		.mode		= 0644,
		.proc_handler	= proc_douintvec_minmax,
		.extra1		= &cache_min,
		.extra2		= &cache_max,
	},
	[SESSIONS] = {
		.procname	= "udp_sessions_max",
		.maxlen		= sizeof(unsigned int),
		.mode		= 0644,
		.proc_handler	= proc_douintvec_minmax,
		.extra1		= &sessions_min,
		.extra2		= &sessions_max,
	},
	[RECORDS] = {
		.procname	= "rekey_records",
		.maxlen		= sizeof(unsigned long),
		.mode		= 0644,
		.proc_handler	= proc_doulongvec_minmax,
		.extra1		= &rekey_min,
		.extra2		= &rekey_records_max,
	},
	[BYTES] = {
		.procname	= "rekey_bytes",
		.maxlen		= sizeof(unsigned long),
		.mode		= 0644,
		.proc_handler	= proc_doulongvec_minmax,
		.extra1		= &rekey_min,
		.extra2		= &rekey_bytes_max,
	},
};

static __net_init int sysctl_init(struct net *net)
{
	struct nst_net *nn = nst_net(net);
	struct ctl_table *table;

	table = kmemdup(template, sizeof(template), GFP_KERNEL_ACCOUNT);
	if (!table)
		return -ENOMEM;
	table[ENABLED].data = &nn->enabled;
	table[STRICT].data = &nn->strict;
	table[WINDOW].data = &nn->time_window;
	table[CACHE].data = &nn->start_cache_max;
	table[SESSIONS].data = &nn->udp_sessions_max;
	table[RECORDS].data = &nn->rekey_records;
	table[BYTES].data = &nn->rekey_bytes;
	/* Anybody can make such a namespace: it gets no more than the default. */
	if (net->user_ns != &init_user_ns) {
		table[CACHE].extra2 = &cache_default;
		table[SESSIONS].extra2 = &sessions_default;
	}
	nn->sysctl_table = table;
	nn->sysctl = register_net_sysctl_sz(net, "net/nst", table, NR_ENTRIES);
	if (!nn->sysctl) {
		kfree(table);
		return -ENOMEM;
	}
	return 0;
}

static __net_exit void sysctl_exit(struct net *net)
{
	struct nst_net *nn = nst_net(net);

	unregister_net_sysctl_table(nn->sysctl);
	kfree(nn->sysctl_table);
}

static struct pernet_operations sysctl_ops = {
	.init = sysctl_init,
	.exit = sysctl_exit,
};

/**
 * nst_sysctl_init() - show net.nst in all namespaces; after nst_netns_init()
 *
 * Context: process.
 * Return: 0 or a negative errno.
 */
int nst_sysctl_init(void)
{
	return register_pernet_subsys(&sysctl_ops);
}

/**
 * nst_sysctl_exit() - take net.nst away; before nst_netns_exit()
 *
 * Context: process.
 */
void nst_sysctl_exit(void)
{
	unregister_pernet_subsys(&sysctl_ops);
}
