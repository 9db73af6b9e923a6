// SPDX-License-Identifier: GPL-2.0
/*
 * ICMP errors. UDP takes a socket with an encap_rcv for a tunnel, which has no
 * sender to tell of errors, and leaves them to a function of ours. Here there
 * is a sender, who is told what UDP would have told: an error of the socket if
 * it is connected and the error is hard, and whatever it is on the error queue
 * if the program asked for that. UDP has looked after routes and MTUs before.
 *
 * The bytes on the error queue are what came back of the record: ciphertext.
 */
#include <linux/errqueue.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/udp.h>
#include <net/icmp.h>
#include <net/inet_sock.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include "udp/err.h"

/**
 * struct nst_icmp - an ICMP error, of either family
 * @err: errno, positive; 0: not for programs
 * @hard: not one that may pass by itself
 * @info: MTU, or where in the packet the trouble is
 * @origin: SO_EE_ORIGIN_ICMP or SO_EE_ORIGIN_ICMP6
 * @type: of the ICMP header
 * @code: of the ICMP header
 * @offender: where in the packet the address is that the datagram was sent to,
 *	from the network header on
 */
struct nst_icmp {
	int err;
	bool hard;
	u32 info;
	u8 origin;
	u8 type;
	u8 code;
	u16 offender;
};

static void read_icmp4(const struct sock *sk, const struct sk_buff *skb,
		       struct nst_icmp *icmp)
{
	const struct icmphdr *hdr = icmp_hdr(skb);
	const struct iphdr *iph = (const struct iphdr *)(hdr + 1);

	icmp->origin = SO_EE_ORIGIN_ICMP;
	icmp->type = hdr->type;
	icmp->code = hdr->code;
	icmp->offender = (u8 *)&iph->daddr - skb_network_header(skb);
	switch (hdr->type) {
	case ICMP_SOURCE_QUENCH:
	case ICMP_REDIRECT:
		return;
	case ICMP_PARAMETERPROB:
		icmp->err = EPROTO;
		icmp->hard = true;
		icmp->info = ntohl(hdr->un.gateway) >> 24;
		return;
	case ICMP_DEST_UNREACH:
		if (hdr->code == ICMP_FRAG_NEEDED) {
			if (inet_sk(sk)->pmtudisc == IP_PMTUDISC_DONT)
				return;
			icmp->err = EMSGSIZE;
			icmp->hard = true;
			icmp->info = ntohs(hdr->un.frag.mtu);
			return;
		}
		if (hdr->code <= NR_ICMP_UNREACH) {
			icmp->err = icmp_err_convert[hdr->code].errno;
			icmp->hard = icmp_err_convert[hdr->code].fatal;
			return;
		}
		break;
	}
	icmp->err = EHOSTUNREACH;
}

static void read_icmp6(const struct sock *sk, const struct sk_buff *skb,
		       struct nst_icmp *icmp)
{
	const struct icmp6hdr *hdr = icmp6_hdr(skb);
	const struct ipv6hdr *iph = (const struct ipv6hdr *)(hdr + 1);

	icmp->origin = SO_EE_ORIGIN_ICMP6;
	icmp->type = hdr->icmp6_type;
	icmp->code = hdr->icmp6_code;
	icmp->offender = (u8 *)&iph->daddr - skb_network_header(skb);
	if (IS_ENABLED(CONFIG_IPV6))
		icmp->hard = icmpv6_err_convert(hdr->icmp6_type,
						hdr->icmp6_code, &icmp->err);
	icmp->info = ntohl(hdr->icmp6_mtu);
	if (hdr->icmp6_type == ICMPV6_PKT_TOOBIG &&
	    inet6_sk(sk)->pmtudisc != IPV6_PMTUDISC_DONT)
		icmp->hard = true;
}

/* A copy of the ICMP packet goes to the error queue, from the payload on. */
static void queue_error(struct sock *sk, struct sk_buff *skb,
			const struct nst_icmp *icmp, unsigned int udp_offset)
{
	const struct udphdr *uh = (void *)skb->data + udp_offset;
	struct sk_buff *copy = skb_clone(skb, GFP_ATOMIC);
	struct sock_exterr_skb *serr;

	if (!copy)
		return;
	serr = SKB_EXT_ERR(copy);
	memset(&serr->ee, 0, sizeof(serr->ee));
	serr->ee.ee_errno = icmp->err;
	serr->ee.ee_origin = icmp->origin;
	serr->ee.ee_type = icmp->type;
	serr->ee.ee_code = icmp->code;
	serr->ee.ee_info = icmp->info;
	serr->addr_offset = icmp->offender;
	serr->port = uh->dest;
	if (icmp->origin == SO_EE_ORIGIN_ICMP6)
		copy->protocol = htons(ETH_P_IPV6);
	if (pskb_pull(copy, udp_offset + sizeof(*uh))) {
		skb_reset_transport_header(copy);
		if (!sock_queue_err_skb(sk, copy))
			return;
	}
	kfree_skb(copy);
}

static void report(struct sock *sk, struct sk_buff *skb, unsigned int udp_offset)
{
	bool ip4 = skb->protocol == htons(ETH_P_IP);
	struct nst_icmp icmp = {};
	bool queue;

	if (ip4) {
		read_icmp4(sk, skb, &icmp);
		queue = nst_inet_recverr(sk);
	} else {
		read_icmp6(sk, skb, &icmp);
		queue = nst_inet6_recverr(sk);
	}
	if (!icmp.err)
		return;
	if (queue)
		queue_error(sk, skb, &icmp, udp_offset);
	else if (!icmp.hard || sk->sk_state != TCP_ESTABLISHED)
		return;
	WRITE_ONCE(sk->sk_err, icmp.err);
	sk_error_report(sk);
}

/*
 * nst_udp_encap_err_rcv() - udp_sock.encap_err_rcv
 *
 * @skb begins with the header of the datagram that came back; that of ICMP is
 * its transport header.
 *
 * Context: softirq, under rcu_read_lock().
 */
#ifdef NST_HAVE_ENCAP_ERR_ARGS
NST_ENCAP_ERR_RCV(nst_udp_encap_err_rcv)
{
	report(sk, skb, payload - sizeof(struct udphdr) - skb->data);
}
#else
NST_ENCAP_ERR_RCV(nst_udp_encap_err_rcv)
{
	report(sk, skb, udp_offset);
}
#endif
