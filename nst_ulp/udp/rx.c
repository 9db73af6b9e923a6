// SPDX-License-Identifier: GPL-2.0
/*
 * Receiving. UDP hands each datagram to the socket's encap_rcv in softirq, with
 * its checksum verified, before it reaches the receive queue. What is authentic
 * and new is opened where it stands and goes on as the plain datagram that it
 * carries; so queueing, poll, peeking and control messages are UDP's own.
 */
#include <linux/igmp.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/timekeeping.h>
#include <linux/udp.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/route.h>
#include "core/aead.h"
#include "core/memory.h"
#include "event.h"
#include "trace.h"
#include "udp/again.h"
#include "udp/pages.h"
#include "udp/queue.h"
#include "udp/rx.h"
#include "udp/wait.h"

#define UDP_LEN		sizeof(struct udphdr)

/* Where a datagram's body begins. */
#define BODY		(UDP_LEN + NST_WIRE_HDR_LEN)

/*
 * Did it come to more than one host? The route alone does not tell: early
 * demultiplexing gives a datagram the one that its socket's last had, and that may
 * have come to a group. Who could pass a captured datagram off as one to a group
 * could have others take it again, so the address has the last word.
 */
static bool to_group(const struct sk_buff *skb)
{
	const struct rtable *rt;
	__be32 daddr;

	if (skb->protocol != htons(ETH_P_IP))
		return ipv6_addr_is_multicast(&ipv6_hdr(skb)->daddr);
	daddr = ip_hdr(skb)->daddr;
	if (ipv4_is_multicast(daddr) || ipv4_is_lbcast(daddr))
		return true;
	rt = skb_rtable(skb);
	if (!rt || !(rt->rt_flags & (RTCF_BROADCAST | RTCF_MULTICAST)))
		return false;
	/* As routes are found: the address of any device of the same table. */
	return inet_addr_type_dev_table(dev_net(skb->dev), skb->dev, daddr) ==
	       RTN_BROADCAST;
}

/* The header by itself, and the length of the whole. */
static enum nst_drop parse(struct sk_buff *skb, struct nst_dgram *dgram)
{
	unsigned int len = skb->len - UDP_LEN;
	struct nst_hdr *hdr = &dgram->hdr;
	enum nst_drop drop;
	const u8 *wire;

	if (!pskb_may_pull(skb, UDP_LEN + min_t(unsigned int, len,
						NST_WIRE_HDR_LEN)))
		return NST_DROP_NOMEM;
	wire = skb->data + UDP_LEN;
	if (len < NST_WIRE_HDR_LEN)
		return nst_wire_probe(wire, len) ?: NST_DROP_DGRAM_LEN;
	drop = nst_wire_decode(hdr, wire, IPPROTO_UDP);
	if (drop)
		return drop;
	if (len != NST_WIRE_HDR_LEN + nst_wire_body_len(hdr->suite, hdr->len))
		return NST_DROP_DGRAM_LEN;
	return NST_OK;
}

/* Role and policy: what this socket is set to. */
static enum nst_drop judge_socket(const struct nst_udp *nst,
				  const struct nst_conf *conf,
				  const struct nst_hdr *hdr)
{
	if (hdr->role && hdr->role == READ_ONCE(nst->role))
		return NST_DROP_ROLE;
	if (conf->suite && conf->suite != hdr->suite)
		return NST_DROP_POLICY_SUITE;
	if (conf->kid && conf->kid != hdr->kid)
		return NST_DROP_POLICY_KID;
	return NST_OK;
}

static bool same_epoch(const struct nst_epoch_id *id, const struct nst_hdr *hdr)
{
	return id->epoch == hdr->epoch && id->kval == hdr->kval &&
	       id->kpos == hdr->kpos && id->kid == hdr->kid &&
	       id->suite == hdr->suite;
}

/*
 * Is it this socket's own? Nonces tell for sure what the socket has ever sent,
 * its epochs what the protocol does not take in addition.
 */
static bool reflected(const struct nst_udp *nst, const struct nst_hdr *hdr)
{
	const struct nst_udp_own *own = rcu_dereference(nst->own);
	unsigned int i;

	if (!own)
		return false;
	if (hdr->nonce - nst->first_nonce <
	    READ_ONCE(nst->nonce) - nst->first_nonce)
		return true;
	for (i = 0; i < own->nr; i++)
		if (same_epoch(&own->entry[i].id, hdr) &&
		    (!i || ktime_get_boottime_ns() < own->entry[i].until))
			return true;
	return false;
}

static void free_abandoned(struct nst_op *op)
{
	kfree_skb(op->skb);
	nst_op_put(op);
}

/*
 * A driver has broken its promise. It may use the keys and the datagram at any
 * time, and call back: the module and the keys' memory must stay. If they are to
 * go already, the grace period that follows is all the time that it has.
 */
static enum nst_drop keep_for_driver(struct nst_opener *keys)
{
	pr_warn_once("nst: a cipher driver went asynchronous, NST can't be unloaded any more\n");
	__module_get(THIS_MODULE);
	WRITE_ONCE(keys->head.kept, true);
	return NST_DROP_NOMEM;
}

static bool all_zero(const u8 *p, unsigned int n)
{
	u8 any = 0;

	while (n--)
		any |= *p++;
	return !any;
}

/* Is what stands behind the plaintext of @len bytes nothing but zeros? */
static bool well_padded(const struct sk_buff *skb, unsigned int len)
{
	unsigned int n = skb->len - BODY - len;
	u8 pad[NST_WIRE_BLOCK];

	return !n || (!skb_copy_bits(skb, BODY + len, pad, n) &&
		      all_zero(pad, n));
}

/* No byte of it may turn up anywhere. */
static void wipe(struct nst_op *op, unsigned int nr)
{
	struct scatterlist *sg = op->flat ? op->src : &op->dst[1];

	for (; nr--; sg++)
		memset(sg_virt(sg), 0, sg->length);
}

/*
 * The AAD is what is left of the header if its first bytes are moved over the token:
 * it stands right in front of the body then.
 */
static void set_flat(struct nst_op *op, const struct sk_buff *skb)
{
	u8 *wire = skb->data + UDP_LEN, *aad = wire + NST_WIRE_TOKEN_LEN;

	BUILD_BUG_ON(NST_WIRE_TOKEN_LEN + NST_WIRE_AAD_LEN != NST_WIRE_HDR_LEN);
	memcpy(op->token, wire + NST_WIRE_OFF_TOKEN, NST_WIRE_TOKEN_LEN);
	memmove(aad, wire, NST_WIRE_OFF_TOKEN);
	nst_op_flat(op, aad, skb_tail_pointer(skb) - aad);
	nst_sg_buf(&op->src[1], op->token, NST_WIRE_TOKEN_LEN);
	sg_mark_end(&op->src[1]);
}

/* The header to be authenticated, and the body where it stands. */
static unsigned int set_op(struct nst_op *op, const struct sk_buff *skb)
{
	unsigned int nr, i;

	if (likely(!skb_is_nonlinear(skb))) {
		set_flat(op, skb);
		return 1;
	}
	nr = nst_udp_map(skb, BODY, &op->src[1]);
	/* To the very places that it comes from; an empty body has one, too. */
	op->dst[1] = op->src[1];
	for (i = 2; i <= nr; i++)
		op->dst[i] = op->src[i];
	sg_mark_end(&op->dst[nr ?: 1]);
	nst_op_token(op, skb->data + UDP_LEN, nr);
	return nr;
}

/*
 * Authenticates the datagram and puts the plaintext in the body's place.
 * *@skb becomes NULL if a driver has kept it.
 */
static enum nst_drop open_body(struct nst_opener *keys,
			       const struct nst_hdr *hdr, struct sk_buff **skb)
{
	struct nst_op *op;
	unsigned int nr;
	bool padded;
	int err;

	/* The header goes as well: nobody asks for it any more. */
	if (nst_udp_unshare(*skb, BODY))
		return NST_DROP_NOMEM;
	op = nst_op_get(&keys->ep.cipher, GFP_ATOMIC | __GFP_NOWARN);
	if (!op)
		return NST_DROP_NOMEM;
	nr = set_op(op, *skb);
	op->abandoned = free_abandoned;
	op->skb = *skb;
	err = nst_cipher_open_atomic(&keys->ep.cipher, op, hdr);
	if (err == -EINPROGRESS) {
		*skb = NULL;
		return keep_for_driver(keys);
	}
	padded = err || well_padded(*skb, hdr->len);
	if (err || !padded)
		wipe(op, nr);
	nst_op_put(op);
	if (err)
		return nst_cipher_cause(err);
	return padded ? NST_OK : NST_DROP_PADDING;
}

/*
 * Makes it the datagram that was sent: the UDP header goes over the end of the
 * record's, the padding goes. The record type stays behind, in the byte in
 * front of the UDP header.
 */
static void strip(struct sk_buff *skb, const struct nst_hdr *hdr)
{
	struct udphdr *uh;

	memmove(skb->data + NST_WIRE_HDR_LEN, skb->data, UDP_LEN);
	__skb_pull(skb, NST_WIRE_HDR_LEN);
	skb_reset_transport_header(skb);
	pskb_trim_unique(skb, UDP_LEN + hdr->len);
	uh = udp_hdr(skb);
	uh->len = htons(UDP_LEN + hdr->len);
	skb->data[-1] = hdr->type;
	/* What was verified was the checksum of the ciphertext. */
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	skb->csum_level = 0;
}

/**
 * nst_udp_type_of() - the record type of a datagram
 * @skb: in the receive queue of a socket with NST
 *
 * Return: NST_TYPE_DATA or an application's.
 */
u8 nst_udp_type_of(const struct sk_buff *skb)
{
	return *(skb_transport_header(skb) - 1);
}

static void account(struct nst_udp *nst, const struct nst_hdr *hdr)
{
	struct nst_epoch_id id = nst_wire_epoch(hdr);
	u64 last;

	memcpy(&last, &id, sizeof(last));
	if (READ_ONCE(nst->rx_last) != last)
		WRITE_ONCE(nst->rx_last, last);
	/* Before it can be read: readers look there to know if types matter. */
	if (hdr->type != NST_TYPE_DATA && !READ_ONCE(nst->typed))
		WRITE_ONCE(nst->typed, true);
	atomic64_inc(&nst->rx_records);
	atomic64_add(hdr->len, &nst->rx_bytes);
	nst_stats_inc(nst->nn->stats, NST_MIB_RX_RECORDS);
	nst_stats_add(nst->nn->stats, NST_MIB_RX_BYTES, hdr->len);
	trace_nst_record_in(nst->sk, hdr->type, hdr->len, hdr->nonce, hdr->kid,
			    hdr->epoch);
}

/* Something of the same sender waits, and goes on doing so: not to be overtaken. */
static bool must_wait(struct nst_udp *nst, const struct nst_found *found,
		      struct sk_buff *skb)
{
	return unlikely(READ_ONCE(nst->queue.nr)) && !nst_udp_comes_again() &&
	       !nst_udp_catch_up(nst, &found->id, skb);
}

static enum nst_drop take(const struct nst_udp *nst,
			  const struct nst_found *found,
			  const struct nst_dgram *dgram)
{
	struct mem_cgroup *old = NULL;
	enum nst_drop drop;

	/* A window of a group may be new; who made the socket pays for it. */
	if (dgram->group)
		old = set_active_memcg(nst->memcg);
	drop = nst_dgram_take(found->ses, dgram);
	if (dgram->group)
		set_active_memcg(old);
	/* Copies of a group's are taken once by each socket, others once by all. */
	if (!drop)
		nst_contract_taken(&found->keys->ep.cipher.known,
				   dgram->group ? (void *)nst : nst->nn,
				   dgram->hdr.timestamp, dgram->hdr.nonce);
	if (!drop && nst_session_strayed(found->ses))
		nst_claim_place(found->key->claim, found->ses);
	return drop;
}

/*
 * All steps, in the order in which the protocol judges. *@skb becomes NULL if
 * the datagram waits for its session or a driver has it.
 */
static enum nst_drop receive(struct nst_udp *nst, struct nst_dgram *dgram,
			     struct sk_buff **skb)
{
	struct nst_udp_rx *rx = rcu_dereference(nst->rx);
	struct nst_found found;
	enum nst_drop drop;

	drop = parse(*skb, dgram);
	if (drop)
		return drop;
	if (!rx)
		return NST_DROP_NO_KEY;
	drop = judge_socket(nst, rx->conf, &dgram->hdr);
	if (drop)
		return drop;
	drop = nst_session_find(rx->conf, &dgram->hdr, &found);
	if (drop)
		return drop;
	if (reflected(nst, &dgram->hdr))
		return NST_DROP_REFLECTED;
	dgram->members = &nst->members;
	dgram->group = to_group(*skb);
	drop = nst_session_judge(&found, dgram, nst_net_window(nst->nn));
	if (drop)
		return drop;
	if (!found.keys || must_wait(nst, &found, *skb)) {
		drop = nst_udp_wait(nst, rx, &found, dgram, *skb);
		if (!drop)
			*skb = NULL;
		return drop;
	}
	drop = open_body(found.keys, &dgram->hdr, skb);
	if (!drop)
		drop = take(nst, &found, dgram);
	return drop;
}

static void refuse(struct nst_udp *nst, enum nst_drop drop,
		   const struct nst_hdr *hdr, const struct sk_buff *skb)
{
	atomic64_inc(&nst->drops[drop]);
	nst_stats_inc(nst->nn->stats, drop);
	trace_nst_drop(nst->sk, drop, nst_drop_errno(drop));
	/* What a member of a group says comes back to it, and is no attack. */
	if (skb && skb->pkt_type == PACKET_LOOPBACK)
		return;
	nst_event_drop(sock_net(nst->sk), drop, hdr->kid, hdr->timestamp);
}

/**
 * nst_udp_encap_rcv() - udp_sock.encap_rcv
 * @sk: a socket with NST
 * @skb: a datagram for it, from the UDP header on, its checksum verified
 *
 * Context: softirq, under rcu_read_lock(), the socket is not locked.
 * Return: 1 if @skb is plaintext now and goes on; 0 if it is taken.
 */
int nst_udp_encap_rcv(struct sock *sk, struct sk_buff *skb)
{
	struct nst_dgram dgram = {};
	struct nst_udp *nst;
	enum nst_drop drop;

	/* Pairs with the attach: who was sent here finds the state. */
	smp_rmb();
	nst = nst_udp_of(sk);
	if (unlikely(READ_ONCE(nst->retired))) {
		/* Closed a moment ago. What has waited is counted, come what may. */
		if (nst_udp_comes_again())
			refuse(nst, NST_DROP_GONE, &dgram.hdr, skb);
		consume_skb(skb);
		return 0;
	}
	if (unlikely(nst_udp_is_taken(nst))) {
		/* Nothing is opened for who does not know of NST. */
		drop = NST_DROP_FOREIGN;
	} else if (likely(!nst_udp_left(nst))) {
		drop = receive(nst, &dgram, &skb);
	} else {
		/* By IPV6_ADDRFORM it is UDP's own. */
		nst_udp_shut(sk);
		drop = NST_DROP_NO_KEY;
	}
	if (drop) {
		refuse(nst, drop, &dgram.hdr, skb);
		kfree_skb(skb);
		return 0;
	}
	if (!skb)
		return 0;
	strip(skb, &dgram.hdr);
	account(nst, &dgram.hdr);
	return 1;
}
