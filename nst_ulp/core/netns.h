/* SPDX-License-Identifier: GPL-2.0 */
/* What NST keeps for each network namespace. */
#ifndef _NST_NETNS_H
#define _NST_NETNS_H

#include <linux/time64.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <net/net_namespace.h>
#include "core/keybox.h"
#include "core/keyroom.h"
#include "core/memories.h"
#include "limits.h"
#include "stats.h"

struct ctl_table;
struct ctl_table_header;

/* What a close() may wait for before it gives its end up. */
enum nst_close_wait {
	NST_CLOSE_MEMORY,
	NST_CLOSE_CONNECTION,	/* TCP Fast Open: it does not stand yet */
	NST_CLOSE_WAITS,
};

/**
 * struct nst_net - NST's state of one network namespace
 * @ring: the namespace's box; holds one reference, never NULL
 * @memories: what secrets were used for; holds a reference
 * @expire: forgets what is too old, ends memories that no box needs
 * @park: gives up keys that no box has any more
 * @user_ns: of the namespace, which holds it
 * @keyless: TCP sockets that were accepted without keys, which their listeners may
 *	get yet; see tcp/work.c
 * @stats: counters
 * @sysctl: registration of net.nst, owned by sysctl.c
 * @sysctl_table: what is registered, owned by sysctl.c
 * @udp_sockets: the UDP sockets that have NST, struct nst_udp, by number; under
 *	its own lock, which softirqs take
 * @udp_next: the number that the next one should have; as @udp_sockets
 * @in_vain: whose close() has waited in vain, and until when the next does not; by
 *	what for and user, see tcp/patience.c
 * @enabled: sysctl, 0 refuses new attaches
 * @strict: sysctl, 1 refuses keys without NST_F_STRICT
 * @time_window: sysctl, seconds that a START may be off either way
 * @start_cache_max: sysctl, STARTs remembered for each secret
 * @udp_sessions_max: sysctl, UDP sessions known under each secret
 * @rekey_records: sysctl, records after which a sender begins a new epoch
 * @rekey_bytes: sysctl, plaintext bytes after which it does
 *
 * The sysctls are read with READ_ONCE() and bounded when they are written.
 */
struct nst_net {
	struct nst_keyring *ring;
	struct nst_memories *memories;
	struct delayed_work expire;
	struct work_struct park;
	struct user_namespace *user_ns;
	struct nst_keyroom keyless;
	struct nst_stats __percpu *stats;
	struct ctl_table_header *sysctl;
	struct ctl_table *sysctl_table;
	struct xarray udp_sockets;
	u32 udp_next;
	u64 in_vain[NST_CLOSE_WAITS][NST_CLOSERS];
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
u64 nst_net_user(const struct nst_net *nn);
u64 nst_host_user(void);
int nst_netns_init(void);
void nst_netns_exit(void);

/* How far a timestamp may be off, ns. */
static inline u64 nst_net_window(const struct nst_net *nn)
{
	return (u64)READ_ONCE(nn->time_window) * NSEC_PER_SEC;
}

/* The settings that a memory needs. */
static inline struct nst_bounds nst_net_bounds(const struct nst_net *nn)
{
	struct nst_bounds bounds = {
		.window = nst_net_window(nn),
		.starts = READ_ONCE(nn->start_cache_max),
		.sessions = READ_ONCE(nn->udp_sessions_max),
	};

	bounds.owner_bytes = NST_OWNER_SECRETS *
			     ((u64)bounds.starts * NST_START_BYTES +
			      (u64)bounds.sessions * NST_SESSION_BYTES);
	bounds.total_bytes = NST_OWNERS_FULL * bounds.owner_bytes;
	return bounds;
}

#endif /* _NST_NETNS_H */
