// SPDX-License-Identifier: GPL-2.0
/*
 * Is a packet NST's? Of TCP the socket is asked, for the bytes of a segment do
 * not tell; of UDP the datagram itself, for each is a record.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/ktime.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <linux/timekeeping.h>
#include <linux/udp.h>
#include <net/inet_sock.h>
#include <net/ipv6.h>
#include <net/request_sock.h>
#include <net/sock_reuseport.h>
#include <net/tcp.h>
#include "compat_guard.h"
#include "core/keyring.h"
#include "core/netns.h"
#include "core/wire.h"
#include "guard/judge.h"
#include "limits.h"
#include "tcp/sealed.h"
#include "tcp/sock.h"

/* At LOCAL_IN a datagram of IPv4 is whole; a raw socket may send pieces. */
static enum nst_guard_verdict find4(struct nst_guard_packet *p)
{
	const int start = skb_network_offset(p->skb);
	const struct iphdr *iph;
	struct iphdr buf;

	iph = skb_header_pointer(p->skb, start, sizeof(buf), &buf);
	if (!iph || iph->ihl < 5)
		return NST_GUARD_MALFORMED;
	if (iph->protocol != IPPROTO_TCP && iph->protocol != IPPROTO_UDP)
		return NST_GUARD_OTHER;
	p->proto = iph->protocol;
	p->at = start + 4 * iph->ihl;
	return ip_is_fragment(iph) ? NST_GUARD_FRAGMENT : NST_GUARD_SEALED;
}

/*
 * Follows the extension headers as the receiver does. What is inside AH or ESP,
 * or another IP header, comes along by itself once it is out of that.
 */
static enum nst_guard_verdict find6(struct nst_guard_packet *p)
{
	const int start = skb_network_offset(p->skb);
	const struct ipv6_opt_hdr *opt;
	const struct ipv6hdr *hdr;
	struct ipv6_opt_hdr opt_buf;
	struct ipv6hdr hdr_buf;
	unsigned int i, at;
	u8 next;

	hdr = skb_header_pointer(p->skb, start, sizeof(hdr_buf), &hdr_buf);
	if (!hdr)
		return NST_GUARD_MALFORMED;
	next = hdr->nexthdr;
	at = start + sizeof(hdr_buf);
	for (i = 0; i < NST_GUARD_HEADERS_MAX; i++) {
		switch (next) {
		case IPPROTO_TCP:
		case IPPROTO_UDP:
			p->proto = next;
			p->at = at;
			return NST_GUARD_SEALED;
		case NEXTHDR_FRAGMENT:
			return NST_GUARD_FRAGMENT;
		case NEXTHDR_HOP:
		case NEXTHDR_ROUTING:
		case NEXTHDR_DEST:
			break;
		default:
			return NST_GUARD_OTHER;
		}
		opt = skb_header_pointer(p->skb, at, sizeof(opt_buf), &opt_buf);
		if (!opt)
			return NST_GUARD_MALFORMED;
		next = opt->nexthdr;
		at += ipv6_optlen(opt);
	}
	return NST_GUARD_MALFORMED;
}

/**
 * nst_guard_find() - look for the transport header and the ports
 * @p: @net, @skb, @ipv6 and @out are set; the rest is filled
 *
 * Context: any.
 * Return: NST_GUARD_SEALED if there are ports; NST_GUARD_OTHER,
 * NST_GUARD_FRAGMENT or NST_GUARD_MALFORMED.
 */
enum nst_guard_verdict nst_guard_find(struct nst_guard_packet *p)
{
	enum nst_guard_verdict verdict;
	const __be16 *ports;
	__be16 buf[2];

	p->proto = 0;
	verdict = p->ipv6 ? find6(p) : find4(p);
	if (verdict != NST_GUARD_SEALED)
		return verdict;
	ports = skb_header_pointer(p->skb, p->at, sizeof(buf), buf);
	if (!ports)
		return NST_GUARD_MALFORMED;
	p->source = ports[0];
	p->dest = ports[1];
	return NST_GUARD_SEALED;
}

/* Have all the listeners NST that share the port of one by SO_REUSEPORT? */
static bool group_sealed(const struct sock *listener)
{
	const struct sock_reuseport *group =
		rcu_dereference(listener->sk_reuseport_cb);
	unsigned int i, nr;

	if (!group)
		return true;
	nr = READ_ONCE(group->num_socks);
	smp_rmb();	/* pairs with smp_wmb() in __reuseport_add_sock() */
	if (nr > NST_GUARD_GROUP_MAX)
		return false;
	for (i = 0; i < nr; i++)
		if (!nst_tcp_rx_sealed(group->socks[i]))
			return false;
	return true;
}

/*
 * The child of a request has what its listener has before any byte comes to it.
 * A listener that shares its port is taken at its word only with all the others:
 * when it closes, the request may go over to one of them.
 */
static bool request_sealed(const struct sock *sk)
{
	const struct sock *listener = inet_reqsk(sk)->rsk_listener;

	return listener && READ_ONCE(listener->sk_state) == TCP_LISTEN &&
	       nst_tcp_rx_sealed(listener) && group_sealed(listener);
}

/*
 * May payload come to this socket? A listener has no bytes of its own: what it
 * would make of a segment is a connection out of a SYN cookie.
 */
static bool receiver_sealed(const struct sock *sk)
{
	switch (READ_ONCE(sk->sk_state)) {
	case TCP_TIME_WAIT:
		return true;	/* it only answers what comes late */
	case TCP_NEW_SYN_RECV:
		return request_sealed(sk);
	case TCP_LISTEN:
		return false;
	default:
		return sk_is_tcp(sk) && nst_tcp_rx_sealed(sk);
	}
}

static bool in_sealed(const struct nst_guard_packet *p)
{
	struct sock *sk = p->skb->sk;
	bool sealed;

	/* Found early, or chosen by an administrator: TCP will take this one. */
	if (sk)
		return receiver_sealed(sk);
	sk = p->ipv6 ?
		nst_compat_lookup6(p->net, p->skb, p->source, ntohs(p->dest)) :
		nst_compat_lookup4(p->net, p->skb, p->source, ntohs(p->dest));
	if (!sk)
		return false;
	sealed = receiver_sealed(sk);
	sock_gen_put(sk);
	return sealed;
}

/* A raw socket, and nobody's segment, have no NST, whatever they look like. */
static bool out_sealed(const struct nst_guard_packet *p, u32 seq,
		       unsigned int len)
{
	const struct sock *sk = p->skb->sk;

	return sk && sk_fullsock(sk) && sk_is_tcp(sk) &&
	       nst_tcp_tx_sealed(sk, seq, len);
}

static enum nst_guard_verdict judge_tcp(const struct nst_guard_packet *p)
{
	const struct tcphdr *th;
	struct tcphdr buf;
	unsigned int len;

	th = skb_header_pointer(p->skb, p->at, sizeof(buf), &buf);
	if (!th)
		return NST_GUARD_MALFORMED;
	len = 4 * th->doff;
	if (len < sizeof(*th) || p->at + len > p->skb->len)
		return NST_GUARD_MALFORMED;
	if (p->at + len == p->skb->len)
		return NST_GUARD_EMPTY;
	/* With a Fast Open cookie it would reach the program before accept(). */
	if (th->syn)
		return NST_GUARD_SYN_DATA;
	if (p->out ? out_sealed(p, ntohl(th->seq), p->skb->len - p->at - len) :
		     in_sealed(p))
		return NST_GUARD_SEALED;
	return NST_GUARD_PLAIN;
}

/* One datagram: @len bytes from @at on. */
static enum nst_guard_verdict judge_record(const struct nst_guard_packet *p,
					   unsigned int at, unsigned int len)
{
	const struct nst_net *nn = nst_net(p->net);
	u8 buf[NST_WIRE_HDR_LEN];
	struct nst_hdr hdr;
	const u8 *wire;
	s64 window, off;

	if (len < NST_WIRE_HDR_LEN)
		return NST_GUARD_HEADER;
	wire = skb_header_pointer(p->skb, at, sizeof(buf), buf);
	if (!wire || nst_wire_decode(&hdr, wire, IPPROTO_UDP) ||
	    len != NST_WIRE_HDR_LEN + nst_wire_body_len(hdr.suite, hdr.len))
		return NST_GUARD_HEADER;
	if (nst_keyring_check_rx(nn->ring, hdr.kid))
		return NST_GUARD_KID;
	window = (s64)READ_ONCE(nn->time_window) * NSEC_PER_SEC;
	off = hdr.timestamp - ktime_get_real_ns();
	if (off > window || off < -window)
		return NST_GUARD_TIME;
	return NST_GUARD_SEALED;
}

/* Offloading makes one packet of several datagrams, all but the last as long. */
static unsigned int datagram_len(const struct sk_buff *skb, unsigned int len)
{
	const struct skb_shared_info *info = skb_shinfo(skb);

	if (!skb_is_gso(skb) ||
	    !(info->gso_type & (SKB_GSO_UDP_L4 | SKB_GSO_FRAGLIST)))
		return len;
	return info->gso_size;
}

static enum nst_guard_verdict judge_udp(const struct nst_guard_packet *p)
{
	unsigned int at = p->at + sizeof(struct udphdr), left, each, len;
	enum nst_guard_verdict verdict;
	const struct udphdr *uh;
	struct udphdr buf;

	uh = skb_header_pointer(p->skb, p->at, sizeof(buf), &buf);
	if (!uh)
		return NST_GUARD_MALFORMED;
	left = p->skb->len - at;
	each = datagram_len(p->skb, left);
	/* Nothing may hide behind the datagram's end. */
	if (each == left && ntohs(uh->len) != left + sizeof(*uh))
		return NST_GUARD_MALFORMED;
	do {
		len = min(left, each);
		verdict = judge_record(p, at, len);
		if (verdict != NST_GUARD_SEALED)
			return verdict;
		at += len;
		left -= len;
	} while (left);
	return NST_GUARD_SEALED;
}

/**
 * nst_guard_judge() - may the packet pass?
 * @p: filled by nst_guard_find()
 *
 * Context: under RCU, softirq or process.
 * Return: NST_GUARD_SEALED or NST_GUARD_EMPTY if it may; why it may not.
 */
enum nst_guard_verdict nst_guard_judge(const struct nst_guard_packet *p)
{
	return p->proto == IPPROTO_TCP ? judge_tcp(p) : judge_udp(p);
}
