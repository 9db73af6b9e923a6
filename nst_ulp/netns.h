/* SPDX-License-Identifier: GPL-2.0 */
/* What NST keeps for each network namespace. */
#ifndef _NST_NETNS_H
#define _NST_NETNS_H

#include <linux/atomic.h>
#include <net/net_namespace.h>
#include "keybox.h"
#include "startcache.h"
#include "stats.h"

struct ctl_table;
struct ctl_table_header;

/**
 * struct nst_net - NST's state of one network namespace
 * @ring: the namespace's box; holds one reference, never NULL
 * @cache: STARTs accepted under the namespace's box
 * @private_cache: STARTs accepted under any private box
 * @stats: counters
 * @sysctl: registration of net.nst, owned by sysctl.c
 * @sysctl_table: what is registered, owned by sysctl.c
 * @private_sessions: UDP sessions known in the tables of all private boxes
 * @enabled: sysctl, 0 refuses new attaches
 * @strict: sysctl, 1 refuses keys without NST_F_STRICT
 * @time_window: sysctl, seconds that a START may be off either way
 * @start_cache_max: sysctl, STARTs remembered in each cache
 * @udp_sessions_max: sysctl, UDP sessions known in each table
 * @rekey_records: sysctl, records after which a sender begins a new epoch
 * @rekey_bytes: sysctl, plaintext bytes after which it does
 *
 * The sysctls are read with READ_ONCE() and bounded when they are written.
 */
struct nst_net {
	struct nst_keyring *ring;
	struct nst_startcache cache;
	struct nst_startcache private_cache;
	struct nst_stats __percpu *stats;
	struct ctl_table_header *sysctl;
	struct ctl_table *sysctl_table;
	atomic_t private_sessions;
	int enabled;
	int strict;
	int time_window;
	unsigned int start_cache_max;
	unsigned int udp_sessions_max;
	unsigned long rekey_records;
	unsigned long rekey_bytes;
};

struct nst_net *nst_net(const struct net *net);
int nst_netns_init(void);
void nst_netns_exit(void);

#endif /* _NST_NETNS_H */
