/* SPDX-License-Identifier: GPL-2.0 */
/* What NST keeps for each network namespace. */
#ifndef _NST_NETNS_H
#define _NST_NETNS_H

#include <linux/atomic.h>
#include <linux/time64.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <net/net_namespace.h>
#include "keybox.h"
#include "limits.h"
#include "memory.h"
#include "stats.h"

struct ctl_table;
struct ctl_table_header;

/**
 * struct nst_net - NST's state of one network namespace
 * @ring: the namespace's box; holds one reference, never NULL
 * @memories: what secrets were used for; holds a reference
 * @expire: ends memories that no box needs
 * @user_ns: of the namespace, which holds it
 * @stats: counters
 * @sysctl: registration of net.nst, owned by sysctl.c
 * @sysctl_table: what is registered, owned by sysctl.c
 * @private_sessions: UDP sessions known in the tables of all private boxes
 * @udp_sockets: the UDP sockets that have NST, struct nst_udp, by number; under
 *	its own lock, which softirqs take
 * @udp_next: the number that the next one should have; as @udp_sockets
 * @enabled: sysctl, 0 refuses new attaches
 * @strict: sysctl, 1 refuses keys without NST_F_STRICT
 * @time_window: sysctl, seconds that a START may be off either way
 * @start_cache_max: sysctl, STARTs remembered for each secret
 * @udp_sessions_max: sysctl, UDP sessions known in each table
 * @rekey_records: sysctl, records after which a sender begins a new epoch
 * @rekey_bytes: sysctl, plaintext bytes after which it does
 *
 * The sysctls are read with READ_ONCE() and bounded when they are written.
 */
struct nst_net {
	struct nst_keyring *ring;
	struct nst_memories *memories;
	struct delayed_work expire;
	struct user_namespace *user_ns;
	struct nst_stats __percpu *stats;
	struct ctl_table_header *sysctl;
	struct ctl_table *sysctl_table;
	atomic_t private_sessions;
	struct xarray udp_sockets;
	u32 udp_next;
	int enabled;
	int strict;
	int time_window;
	unsigned int start_cache_max;
	unsigned int udp_sessions_max;
	unsigned long rekey_records;
	unsigned long rekey_bytes;
};

struct nst_net *nst_net(const struct net *net);
struct nst_owner *nst_net_owner(struct nst_net *nn);
int nst_netns_init(void);
void nst_netns_exit(void);

/* The settings that a memory needs. */
static inline struct nst_bounds nst_net_bounds(const struct nst_net *nn)
{
	struct nst_bounds bounds = {
		.window = (u64)READ_ONCE(nn->time_window) * NSEC_PER_SEC,
		.starts = READ_ONCE(nn->start_cache_max),
	};

	bounds.owner_bytes = NST_OWNER_SECRETS *
			     ((u64)bounds.starts * NST_START_BYTES);
	bounds.total_bytes = NST_OWNERS_FULL * bounds.owner_bytes;
	return bounds;
}

#endif /* _NST_NETNS_H */
