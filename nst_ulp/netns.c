// SPDX-License-Identifier: GPL-2.0
/* Life of what NST keeps for each network namespace. */
#include <linux/ktime.h>
#include <linux/timekeeping.h>
#include <net/netns/generic.h>
#include "limits.h"
#include "netns.h"

static unsigned int netns_id __read_mostly;

/**
 * nst_net() - NST's state of a namespace
 * @net: the namespace
 *
 * Context: any, from nst_netns_init() to nst_netns_exit().
 * Return: never NULL.
 */
struct nst_net *nst_net(const struct net *net)
{
	return net_generic(net, netns_id);
}

static __net_init int netns_init(struct net *net)
{
	struct nst_net *nn = nst_net(net);
	u64 boot = ktime_get_boottime_ns();

	nn->stats = alloc_percpu(struct nst_stats);
	if (!nn->stats)
		return -ENOMEM;
	nn->ring = nst_keyring_alloc(false);
	if (!nn->ring) {
		free_percpu(nn->stats);
		return -ENOMEM;
	}
	nst_startcache_init(&nn->cache, boot);
	nst_startcache_init(&nn->private_cache, boot);
	nn->enabled = 1;
	nn->time_window = NST_TIME_WINDOW;
	nn->start_cache_max = NST_START_CACHE;
	nn->udp_sessions_max = NST_SESSIONS;
	nn->rekey_records = NST_REKEY_RECORDS;
	nn->rekey_bytes = NST_REKEY_BYTES;
	return 0;
}

static __net_exit void netns_exit(struct net *net)
{
	struct nst_net *nn = nst_net(net);

	nst_startcache_exit(&nn->private_cache);
	nst_startcache_exit(&nn->cache);
	nst_keyring_put(nn->ring);
	free_percpu(nn->stats);
}

static struct pernet_operations netns_ops = {
	.init = netns_init,
	.exit = netns_exit,
	.id = &netns_id,
	.size = sizeof(struct nst_net),
};

/**
 * nst_netns_init() - keep state for each namespace, also for those to come
 *
 * Context: process.
 * Return: 0 or a negative errno.
 */
int nst_netns_init(void)
{
	return register_pernet_subsys(&netns_ops);
}

/**
 * nst_netns_exit() - drop it; no user of nst_net() may be left
 *
 * Context: process.
 */
void nst_netns_exit(void)
{
	unregister_pernet_subsys(&netns_ops);
}
