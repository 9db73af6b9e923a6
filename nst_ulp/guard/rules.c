// SPDX-License-Identifier: GPL-2.0
/* The rules of the guard. */
#include <linux/slab.h>
#include <linux/sort.h>
#include <net/netns/generic.h>
#include "guard/rules.h"
#include "limits.h"

static unsigned int guard_id __read_mostly;

/* Written at load, before there can be a rule. */
static const struct nst_guard_watch *watch __read_mostly;

/**
 * nst_guard() - the guard of a namespace
 * @net: the namespace
 *
 * Context: any, from nst_guard_init() to nst_guard_exit().
 * Return: never NULL.
 */
struct nst_guard *nst_guard(const struct net *net)
{
	return net_generic(net, guard_id);
}

/**
 * nst_guard_table() - the present table, for whoever lists it
 * @guard: its lock is held by the caller
 *
 * Return: a table that stays the present one until the lock is dropped.
 */
const struct nst_guard_table *nst_guard_table(struct nst_guard *guard)
{
	return rcu_dereference_protected(guard->table,
					 lockdep_is_held(&guard->lock));
}

/**
 * nst_guard_sum() - one counter of a rule, over all CPUs
 * @rule: the rule
 * @out: of packets that leave
 * @verdict: below NST_GUARD_NR_OF_RULE
 *
 * Context: any.
 * Return: the value.
 */
u64 nst_guard_sum(const struct nst_guard_rule *rule, bool out,
		  enum nst_guard_verdict verdict)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(rule->counts, cpu)
				 ->packets[out][verdict]);
	return sum;
}

static int compare(const struct nst_guard_entry *a,
		   const struct nst_guard_entry *b)
{
	if (a->proto != b->proto)
		return a->proto < b->proto ? -1 : 1;
	return (int)a->port - (int)b->port;
}

static int compare_slots(const void *a, const void *b)
{
	const struct nst_guard_slot *x = a, *y = b;

	return compare(&x->entry, &y->entry);
}

/**
 * nst_guard_rule() - the rule for a port
 * @table: some table
 * @entry: protocol and port
 *
 * Context: any.
 * Return: the rule, borrowed from @table; NULL if there is none.
 */
const struct nst_guard_slot *nst_guard_rule(const struct nst_guard_table *table,
					    const struct nst_guard_entry *entry)
{
	unsigned int low = 0, high = table->nr;

	while (low < high) {
		unsigned int mid = (low + high) / 2;
		int order = compare(&table->slot[mid].entry, entry);

		if (!order)
			return &table->slot[mid];
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

static void rule_put(struct nst_guard_rule *rule)
{
	if (!rule || !refcount_dec_and_test(&rule->ref))
		return;
	free_percpu(rule->counts);
	kfree(rule);
}

static struct nst_guard_rule *rule_alloc(void)
{
	struct nst_guard_rule *rule = kzalloc(sizeof(*rule),
					      GFP_KERNEL_ACCOUNT);

	if (!rule)
		return NULL;
	rule->counts = alloc_percpu_gfp(struct nst_guard_counts,
					GFP_KERNEL_ACCOUNT);
	if (!rule->counts) {
		kfree(rule);
		return NULL;
	}
	refcount_set(&rule->ref, 1);
	return rule;
}

/* Only for a table without readers. Slots without a rule are allowed. */
static void table_free(struct nst_guard_table *table)
{
	unsigned int i;

	for (i = 0; i < table->nr; i++)
		rule_put(table->slot[i].rule);
	kvfree(table);
}

static void table_free_rcu(struct rcu_head *rcu)
{
	table_free(container_of(rcu, struct nst_guard_table, rcu));
}

static struct nst_guard_table *table_alloc(unsigned int nr)
{
	struct nst_guard_table *table = kvzalloc(struct_size(table, slot, nr),
						 GFP_KERNEL_ACCOUNT);

	if (table)
		table->nr = nr;
	return table;
}

/* A rule that stays keeps its counters, also if it is a dry run no more. */
static struct nst_guard_rule *rule_for(const struct nst_guard_table *old,
				       const struct nst_guard_entry *entry)
{
	const struct nst_guard_slot *slot = nst_guard_rule(old, entry);

	if (!slot)
		return rule_alloc();
	refcount_inc(&slot->rule->ref);
	return slot->rule;
}

/* Gives each entry of a new table its rule, and puts them in order. */
static int table_fill(struct nst_guard_table *table,
		      const struct nst_guard_table *old)
{
	unsigned int i;

	for (i = 0; i < table->nr; i++) {
		struct nst_guard_slot *slot = &table->slot[i];

		slot->rule = rule_for(old, &slot->entry);
		if (!slot->rule)
			return -ENOMEM;
		table->strict |= !slot->entry.dry_run;
	}
	sort(table->slot, table->nr, sizeof(table->slot[0]), compare_slots,
	     NULL);
	for (i = 1; i < table->nr; i++)
		if (!compare(&table->slot[i - 1].entry, &table->slot[i].entry))
			return -EEXIST;
	return 0;
}

/*
 * Makes @table the present one. Who hooks packets is there before the first rule,
 * and until the last is gone.
 */
static int publish(struct net *net, struct nst_guard_table *table)
{
	struct nst_guard *guard = nst_guard(net);
	struct nst_guard_table *old;
	int err;

	if (table->nr && !guard->watched) {
		err = watch->first(net);
		if (err)
			return err;
		guard->watched = true;
	}
	old = rcu_replace_pointer(guard->table, table,
				  lockdep_is_held(&guard->lock));
	guard->gen++;
	if (!table->nr && guard->watched) {
		watch->last(net);
		guard->watched = false;
	}
	call_rcu(&old->rcu, table_free_rcu);
	return 0;
}

/* Fills and publishes @table, whose entries are set, or frees it. */
static int change(struct net *net, struct nst_guard_table *table)
{
	int err = table_fill(table, nst_guard_table(nst_guard(net)));

	if (!err)
		err = publish(net, table);
	if (err)
		table_free(table);
	return err;
}

/* A table of @nr entries, the first ones as in @old but for one. */
static struct nst_guard_table *table_copy(const struct nst_guard_table *old,
					  const struct nst_guard_entry *but,
					  unsigned int nr)
{
	struct nst_guard_table *table = table_alloc(nr);
	unsigned int i, n = 0;

	for (i = 0; table && i < old->nr; i++)
		if (compare(&old->slot[i].entry, but))
			table->slot[n++].entry = old->slot[i].entry;
	return table;
}

static int set_locked(struct net *net, const struct nst_guard_entry *entry)
{
	const struct nst_guard_table *old = nst_guard_table(nst_guard(net));
	const struct nst_guard_slot *slot = nst_guard_rule(old, entry);
	unsigned int nr = slot ? old->nr : old->nr + 1;
	struct nst_guard_table *table;

	if (slot && slot->entry.dry_run == entry->dry_run)
		return 0;
	if (nr > NST_GUARD_RULES_MAX)
		return -ENOSPC;
	table = table_copy(old, entry, nr);
	if (!table)
		return -ENOMEM;
	table->slot[nr - 1].entry = *entry;
	return change(net, table);
}

/**
 * nst_guard_set() - guard a port
 * @net: where
 * @entry: the rule. If there is one for the port it only becomes a dry run, or
 *	stops being one, and goes on counting
 *
 * Context: process.
 * Return: 0, also if it is there already; -ENOSPC if there is no room; -ENOMEM.
 */
int nst_guard_set(struct net *net, const struct nst_guard_entry *entry)
{
	struct nst_guard *guard = nst_guard(net);
	int err;

	mutex_lock(&guard->lock);
	err = set_locked(net, entry);
	mutex_unlock(&guard->lock);
	return err;
}

static int del_locked(struct net *net, const struct nst_guard_entry *entry)
{
	const struct nst_guard_table *old = nst_guard_table(nst_guard(net));
	struct nst_guard_table *table;

	if (!nst_guard_rule(old, entry))
		return -ENOENT;
	table = table_copy(old, entry, old->nr - 1);
	if (!table)
		return -ENOMEM;
	return change(net, table);
}

/**
 * nst_guard_del() - guard a port no more
 * @net: where
 * @entry: protocol and port
 *
 * Context: process.
 * Return: 0; -ENOENT if there is no such rule; -ENOMEM.
 */
int nst_guard_del(struct net *net, const struct nst_guard_entry *entry)
{
	struct nst_guard *guard = nst_guard(net);
	int err;

	mutex_lock(&guard->lock);
	err = del_locked(net, entry);
	mutex_unlock(&guard->lock);
	return err;
}

/**
 * nst_guard_replace() - put other rules in place of the present ones
 * @net: where
 * @entry: the rules, in any order; those that are there already go on counting
 * @nr: how many; with 0, nothing is guarded any more
 *
 * Context: process.
 * Return: 0; -E2BIG for too many; -EEXIST if two are for the same port;
 * -ENOMEM. Nothing has changed then.
 */
int nst_guard_replace(struct net *net, const struct nst_guard_entry *entry,
		      unsigned int nr)
{
	struct nst_guard *guard = nst_guard(net);
	struct nst_guard_table *table;
	unsigned int i;
	int err;

	if (nr > NST_GUARD_RULES_MAX)
		return -E2BIG;
	table = table_alloc(nr);
	if (!table)
		return -ENOMEM;
	for (i = 0; i < nr; i++)
		table->slot[i].entry = entry[i];
	mutex_lock(&guard->lock);
	err = change(net, table);
	mutex_unlock(&guard->lock);
	return err;
}

static __net_init int guard_net_init(struct net *net)
{
	struct nst_guard *guard = nst_guard(net);
	struct nst_guard_table *table = table_alloc(0);

	if (!table)
		return -ENOMEM;
	mutex_init(&guard->lock);
	RCU_INIT_POINTER(guard->table, table);
	return 0;
}

/* A grace period before what the hooks look at goes: see guard_net_exit(). */
static __net_exit void guard_net_pre_exit(struct net *net)
{
	struct nst_guard *guard = nst_guard(net);

	mutex_lock(&guard->lock);
	if (guard->watched)
		watch->last(net);
	guard->watched = false;
	mutex_unlock(&guard->lock);
}

static __net_exit void guard_net_exit(struct net *net)
{
	struct nst_guard *guard = nst_guard(net);

	table_free(rcu_dereference_protected(guard->table, true));
	mutex_destroy(&guard->lock);
}

static struct pernet_operations guard_net_ops = {
	.init = guard_net_init,
	.pre_exit = guard_net_pre_exit,
	.exit = guard_net_exit,
	.id = &guard_id,
	.size = sizeof(struct nst_guard),
};

/**
 * nst_guard_init() - have a guard in each namespace; after nst_netns_init()
 * @told: who is told of first and last rules, until nst_guard_exit()
 *
 * Context: process.
 * Return: 0 or a negative errno.
 */
int nst_guard_init(const struct nst_guard_watch *told)
{
	watch = told;
	return register_pernet_subsys(&guard_net_ops);
}

/**
 * nst_guard_exit() - have none; nobody may change rules any more
 *
 * The hooks of all namespaces are gone when it returns.
 *
 * Context: process.
 */
void nst_guard_exit(void)
{
	unregister_pernet_subsys(&guard_net_ops);
}
