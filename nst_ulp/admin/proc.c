// SPDX-License-Identifier: GPL-2.0
/* /proc/net/nst_stat: a line for each counter of the namespace. */
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/seq_file_net.h>
#include <net/net_namespace.h>
#include "admin/proc.h"
#include "core/netns.h"
#include "stats.h"

static int show(struct seq_file *seq, void *v)
{
	struct nst_net *nn = nst_net(seq_file_single_net(seq));
	unsigned int i;

	/* 0 is NST_OK, which is no cause. */
	for (i = 1; i < NST_MIB_MAX; i++)
		seq_printf(seq, "%-32s%llu\n", nst_stats_name(i),
			   nst_stats_sum(nn->stats, i));
	return 0;
}

static __net_init int proc_init(struct net *net)
{
	if (!proc_create_net_single("nst_stat", 0444, net->proc_net, show,
				    NULL))
		return -ENOMEM;
	return 0;
}

static __net_exit void proc_exit(struct net *net)
{
	remove_proc_entry("nst_stat", net->proc_net);
}

static struct pernet_operations proc_ops = {
	.init = proc_init,
	.exit = proc_exit,
};

/**
 * nst_proc_init() - show the counters in all namespaces; after
 * nst_netns_init()
 *
 * Context: process.
 * Return: 0 or a negative errno.
 */
int nst_proc_init(void)
{
	return register_pernet_subsys(&proc_ops);
}

/**
 * nst_proc_exit() - take the file away; before nst_netns_exit()
 *
 * Context: process.
 */
void nst_proc_exit(void)
{
	unregister_pernet_subsys(&proc_ops);
}
