/* SPDX-License-Identifier: GPL-2.0 */
/* What the guard asks of the network stack; part of compat.h, for its files. */
#ifndef _NST_COMPAT_GUARD_H
#define _NST_COMPAT_GUARD_H

#include <linux/ipv6.h>
#include <net/inet6_hashtables.h>
#include <net/inet_hashtables.h>
#include <net/netfilter/ipv6/nf_defrag_ipv6.h>
#include <net/tcp.h>

/* 7.x finds the table of connections by itself. */
#ifdef NST_HAVE_LOOKUP_HASHINFO
#define NST_LOOKUP(net) (net), (net)->ipv4.tcp_death_row.hashinfo
#else
#define NST_LOOKUP(net) (net)
#endif

static inline struct sock *
nst_compat_lookup4(struct net *net, const struct sk_buff *skb, __be16 source,
		   u16 dest)
{
	return __inet_lookup_established(NST_LOOKUP(net), ip_hdr(skb)->saddr,
					 source, ip_hdr(skb)->daddr, dest,
					 inet_iif(skb), inet_sdif(skb));
}

#if IS_ENABLED(CONFIG_IPV6)
static inline struct sock *
nst_compat_lookup6(struct net *net, const struct sk_buff *skb, __be16 source,
		   u16 dest)
{
	return __inet6_lookup_established(NST_LOOKUP(net),
					  &ipv6_hdr(skb)->saddr, source,
					  &ipv6_hdr(skb)->daddr, dest,
					  inet6_iif(skb), inet6_sdif(skb));
}
#else
static inline struct sock *
nst_compat_lookup6(struct net *net, const struct sk_buff *skb, __be16 source,
		   u16 dest)
{
	return NULL;
}
#endif

/*
 * A fragment of IPv6 joins the others of its datagram. Who reassembles for
 * connection tracking does it; in a kernel without that, no fragment passes.
 *
 * Return: 0 if @skb is the whole datagram now; -EINPROGRESS if it is kept;
 * another errno if it is no good.
 */
#if IS_REACHABLE(CONFIG_NF_DEFRAG_IPV6)
static inline int nst_compat_gather(struct net *net, struct sk_buff *skb,
				    u32 user)
{
	return nf_ct_frag6_gather(net, skb, user);
}
#else
static inline int nst_compat_gather(struct net *net, struct sk_buff *skb,
				    u32 user)
{
	return -EOPNOTSUPP;
}
#endif

#endif /* _NST_COMPAT_GUARD_H */
