// SPDX-License-Identifier: GPL-2.0
/* Where the guard meets packets: every one that a namespace takes or sends. */
#include <linux/errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/skbuff.h>
#include "compat_guard.h"
#include "core/netns.h"
#include "event.h"
#include "guard/hook.h"
#include "guard/rules.h"
#include "trace.h"

/* Fragments that the guard gathers stay apart from those that others do. */
#define GATHER_USER	0x4e535447

static_assert(NST_MIB_GUARD_FRAGMENT - NST_MIB_GUARD_PLAIN ==
	      NST_GUARD_FRAGMENT - NST_GUARD_PLAIN);

static unsigned int drop_or_not(const struct nst_guard_packet *p,
				const struct nst_guard_entry *entry,
				enum nst_guard_verdict verdict)
{
	const struct nst_net *nn = nst_net(p->net);
	unsigned int cause = NST_MIB_GUARD_PLAIN + verdict - NST_GUARD_PLAIN;

	nst_stats_inc(nn->stats, cause);
	nst_stats_inc(nn->stats, entry->dry_run ? NST_MIB_GUARD_DRY :
		      p->out ? NST_MIB_GUARD_OUT : NST_MIB_GUARD_IN);
	trace_nst_guard(p->skb, p->out, entry->proto, entry->port,
			entry->dry_run, cause);
	nst_event_guard(p->net, p->out, entry->proto, entry->port,
			entry->dry_run, cause);
	return entry->dry_run ? NF_ACCEPT : NF_DROP;
}

/* A packet that may be for any port is treated as the strictest rule wants. */
static unsigned int judge_unknown(const struct nst_guard_packet *p,
				  bool dry_run, enum nst_guard_verdict verdict)
{
	struct nst_guard_entry entry = {
		.proto = p->proto,
		.dry_run = dry_run,
	};

	return drop_or_not(p, &entry, verdict);
}

static unsigned int judge(const struct nst_guard_packet *p,
			  const struct nst_guard_table *table)
{
	struct nst_guard_entry entry = {
		.proto = p->proto,
		.port = ntohs(p->out ? p->source : p->dest),
	};
	const struct nst_guard_slot *slot = nst_guard_rule(table, &entry);
	enum nst_guard_verdict verdict;

	if (!slot)
		return NF_ACCEPT;
	verdict = nst_guard_judge(p);
	if (verdict == NST_GUARD_EMPTY)
		return NF_ACCEPT;
	this_cpu_inc(slot->rule->counts->packets[p->out][verdict]);
	if (verdict == NST_GUARD_SEALED)
		return NF_ACCEPT;
	return drop_or_not(p, &slot->entry, verdict);
}

/*
 * IPv6 puts a datagram together only behind LOCAL_IN, so that is done here. What
 * the first headers say is read again later, from where it was before: those
 * between them and the fragment's are still to be looked at.
 */
static int gather(struct nst_guard_packet *p)
{
	struct sk_buff *skb = p->skb;
	int at = skb_transport_offset(skb) - skb_network_offset(skb);
	int err = nst_compat_gather(p->net, skb, GATHER_USER);

	if (err != -EINPROGRESS)
		skb_set_transport_header(skb, skb_network_offset(skb) + at);
	return err;
}

static unsigned int hook(void *priv, struct sk_buff *skb,
			 const struct nf_hook_state *state)
{
	const struct nst_guard_table *table =
		rcu_dereference(nst_guard(state->net)->table);
	struct nst_guard_packet p = {
		.net = state->net,
		.skb = skb,
		.ipv6 = state->pf == NFPROTO_IPV6,
		.out = state->hook == NF_INET_LOCAL_OUT,
	};
	enum nst_guard_verdict verdict = nst_guard_find(&p);
	int err;

	if (verdict == NST_GUARD_FRAGMENT && p.ipv6 && !p.out) {
		err = gather(&p);
		if (err == -EINPROGRESS)
			return NF_STOLEN;
		/* What cannot be a part of anything is in pieces now. */
		if (err && err != -EOPNOTSUPP && err != -ENOMEM)
			return judge_unknown(&p, false, verdict);
		/*
		 * Where nobody gathers, or has memory to begin with it, it is as it
		 * came, and still unknown.
		 */
		if (!err)
			verdict = nst_guard_find(&p);
	}
	if (verdict == NST_GUARD_OTHER)
		return NF_ACCEPT;
	if (verdict != NST_GUARD_SEALED)
		return judge_unknown(&p, !table->strict, verdict);
	return judge(&p, table);
}

/*
 * Last of all, in both directions: what is judged is what arrives or leaves,
 * after whoever translates or rewrites. Only connection tracking comes later,
 * which then remembers nothing of what was dropped.
 */
#define PRIORITY	(NF_IP_PRI_CONNTRACK_CONFIRM - 1)

#define AT(family, point) {						\
	.hook = hook, .pf = (family), .hooknum = (point),		\
	.priority = PRIORITY,						\
}

static const struct nf_hook_ops hooks[] = {
	AT(NFPROTO_IPV4, NF_INET_LOCAL_IN),
	AT(NFPROTO_IPV4, NF_INET_LOCAL_OUT),
	AT(NFPROTO_IPV6, NF_INET_LOCAL_IN),
	AT(NFPROTO_IPV6, NF_INET_LOCAL_OUT),
};

/**
 * nst_guard_hook_register() - look at the packets of a namespace from now on
 * @net: the namespace
 *
 * Context: process.
 * Return: 0 or a negative errno.
 */
int nst_guard_hook_register(struct net *net)
{
	return nf_register_net_hooks(net, hooks, ARRAY_SIZE(hooks));
}

/**
 * nst_guard_hook_unregister() - look at none any more
 * @net: the namespace
 *
 * A hook may still be running until a grace period is over.
 *
 * Context: process.
 */
void nst_guard_hook_unregister(struct net *net)
{
	nf_unregister_net_hooks(net, hooks, ARRAY_SIZE(hooks));
}
