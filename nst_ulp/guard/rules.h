/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guard: on a guarded local port plaintext neither arrives nor leaves.
 *
 * Rules are kept like keys: a table is immutable, every change makes a new one
 * and publishes it, so the hooks need no lock and a change is atomic. The
 * counters of a rule live as long as it is in one table after the other.
 *
 * The hooks (hook.c) are there only while there are rules.
 */
#ifndef _NST_GUARD_H
#define _NST_GUARD_H

#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/types.h>
#include "guard/judge.h"

struct net;

/* A fragment belongs to no rule that one could know. */
#define NST_GUARD_NR_OF_RULE	NST_GUARD_FRAGMENT

/**
 * struct nst_guard_counts - what a rule has seen, one set a CPU
 * @packets: by direction, 1 is out, and enum nst_guard_verdict
 */
struct nst_guard_counts {
	u64 packets[2][NST_GUARD_NR_OF_RULE];
};

/**
 * struct nst_guard_rule - what successive tables share of a rule
 * @ref: tables that it is in
 * @counts: its counters
 */
struct nst_guard_rule {
	refcount_t ref;
	struct nst_guard_counts __percpu *counts;
};

/**
 * struct nst_guard_entry - a rule as it is asked for
 * @proto: IPPROTO_TCP or IPPROTO_UDP
 * @port: local port, 1..65535
 * @dry_run: count, do not drop
 */
struct nst_guard_entry {
	u8 proto;
	u16 port;
	bool dry_run;
};

/**
 * struct nst_guard_table - an immutable table of rules
 * @rcu: frees it after its readers
 * @nr: rules, 0..NST_GUARD_RULES_MAX
 * @strict: there is one that drops: what no rule can be found for is dropped
 * @slot: sorted by protocol and port, each holds a reference on its rule
 */
struct nst_guard_table {
	struct rcu_head rcu;
	unsigned int nr;
	bool strict;
	struct nst_guard_slot {
		struct nst_guard_entry entry;
		struct nst_guard_rule *rule;
	} slot[];
};

/**
 * struct nst_guard - the guard of a namespace
 * @lock: mutex; serialises changes
 * @table: the present table, never NULL; RCU, written under @lock
 * @gen: grows with each change; under @lock
 * @watched: struct nst_guard_watch was told of a first rule; under @lock
 */
struct nst_guard {
	struct mutex lock;
	struct nst_guard_table __rcu *table;
	unsigned int gen;
	bool watched;
};

/**
 * struct nst_guard_watch - who is told that a namespace has rules
 * @first: the first comes, or one behind none; an errno, and it does not
 * @last: there is none any more
 *
 * Both under the lock of the namespace's guard, in process context.
 */
struct nst_guard_watch {
	int (*first)(struct net *net);
	void (*last)(struct net *net);
};

struct nst_guard *nst_guard(const struct net *net);
const struct nst_guard_table *nst_guard_table(struct nst_guard *guard);
const struct nst_guard_slot *nst_guard_rule(const struct nst_guard_table *table,
					    const struct nst_guard_entry *entry);
u64 nst_guard_sum(const struct nst_guard_rule *rule, bool out,
		  enum nst_guard_verdict verdict);

int nst_guard_set(struct net *net, const struct nst_guard_entry *entry);
int nst_guard_del(struct net *net, const struct nst_guard_entry *entry);
int nst_guard_replace(struct net *net, const struct nst_guard_entry *entry,
		      unsigned int nr);

int nst_guard_init(const struct nst_guard_watch *told);
void nst_guard_exit(void);

#endif /* _NST_GUARD_H */
