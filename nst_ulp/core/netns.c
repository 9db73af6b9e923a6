// SPDX-License-Identifier: GPL-2.0
/* Life of what NST keeps for each network namespace. */
#include <linux/cred.h>
#include <linux/ktime.h>
#include <linux/timekeeping.h>
#include <linux/user_namespace.h>
#include <net/netns/generic.h>
#include "core/forget.h"
#include "core/keyring.h"
#include "core/netns.h"
#include "core/owner.h"
#include "core/upkeep.h"
#include "limits.h"

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

/**
 * nst_net_user() - who acts, as the namespace knows him
 * @nn: the namespace's state
 *
 * Context: process.
 * Return: a kuid.
 */
u64 nst_net_user(const struct nst_net *nn)
{
	return nst_owner_id(nn->user_ns, current_user_ns(), current_euid());
}

/**
 * nst_net_owner() - whose is what the caller sets a key for?
 * @nn: the namespace's state
 *
 * Context: process.
 * Return: the owner, of whom the caller is a user; NULL without memory.
 */
struct nst_owner *nst_net_owner(struct nst_net *nn)
{
	return nst_owner_get(nn->memories, nst_net_user(nn));
}

/**
 * nst_host_user() - who acts, as the host knows him
 *
 * Context: process.
 * Return: a kuid; who acts in user namespaces is who made the first of them.
 */
u64 nst_host_user(void)
{
	return nst_owner_id(&init_user_ns, current_user_ns(), current_euid());
}

static void expire_later(struct nst_net *nn)
{
	/* Soon, whatever the window: it may be lowered meanwhile. */
	queue_delayed_work(system_unbound_wq, &nn->expire,
			   min(READ_ONCE(nn->time_window), NST_TIME_WINDOW) * HZ);
}

static void wake(void *arg, enum nst_wake what)
{
	struct nst_net *nn = arg;

	if (what == NST_WAKE_EXPIRE)
		expire_later(nn);
	else
		queue_work(system_unbound_wq, &nn->park);
}

static void park(struct work_struct *work)
{
	struct nst_net *nn = container_of(work, struct nst_net, park);
	struct nst_bounds bounds = nst_net_bounds(nn);

	nst_memories_shed(nn->memories, &bounds);
	nst_memories_park(nn->memories);
	nst_memories_settle(nn->memories);
}

static void expire(struct work_struct *work)
{
	struct nst_net *nn = container_of(to_delayed_work(work),
					  struct nst_net, expire);
	struct nst_bounds bounds = nst_net_bounds(nn);
	struct nst_now now = {
		.real = ktime_get_real_ns(), .boot = ktime_get_boottime_ns(),
	};

	if (nst_memories_expire(nn->memories, &now, &bounds))
		expire_later(nn);
}

static int init_memories(struct nst_net *nn)
{
	struct nst_owner *owner;

	INIT_DELAYED_WORK(&nn->expire, expire);
	INIT_WORK(&nn->park, park);
	nn->memories = nst_memories_alloc(ktime_get_boottime_ns(), nn->stats,
					  wake, nn);
	if (!nn->memories)
		return -ENOMEM;
	owner = nst_owner_get(nn->memories, NST_OWNER_NETNS);
	if (owner)
		nn->ring = nst_keyring_alloc(owner, false);
	if (nn->ring)
		return 0;
	nst_memories_close(nn->memories);
	return -ENOMEM;
}

static __net_init int netns_init(struct net *net)
{
	struct nst_net *nn = nst_net(net);

	nn->user_ns = net->user_ns;
	nst_keyroom_init(&nn->keyless);
	nn->stats = alloc_percpu(struct nst_stats);
	if (!nn->stats)
		return -ENOMEM;
	if (init_memories(nn)) {
		free_percpu(nn->stats);
		return -ENOMEM;
	}
	xa_init_flags(&nn->udp_sockets, XA_FLAGS_ALLOC1 | XA_FLAGS_LOCK_BH |
		      XA_FLAGS_ACCOUNT);
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

	/* Each socket has held the namespace. */
	WARN_ON_ONCE(!xa_empty(&nn->udp_sockets));
	nst_keyring_put(nn->ring);
	nst_memories_silence(nn->memories);
	cancel_delayed_work_sync(&nn->expire);
	cancel_work_sync(&nn->park);
	nst_memories_close(nn->memories);
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
