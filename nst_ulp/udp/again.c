// SPDX-License-Identifier: GPL-2.0
/*
 * A datagram that has waited comes in again by UDP's entry, but for the very socket
 * that it had come to: UDP looks for none where a datagram has one already, as early
 * demultiplexing and TPROXY have it.
 *
 * The work item has it do so (derive.c), and what comes of the same sender once the
 * keys are there: each takes more out of the line than goes in, so that a line ends
 * however fast its sender is.
 */
#include <linux/netdevice.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/udp.h>
#include <net/dst.h>
#include <net/protocol.h>
#include <net/tcp_states.h>
#include "event.h"
#include "limits.h"
#include "trace.h"
#include "udp/again.h"

/* Is a datagram entering UDP again, on this CPU? With bottom halves off. */
static DEFINE_PER_CPU(bool, comes_again);

/**
 * nst_udp_comes_again() - is it one that has waited?
 *
 * Context: softirq, or as entered from there.
 */
bool nst_udp_comes_again(void)
{
	return this_cpu_read(comes_again);
}

/**
 * nst_udp_waiting_free() - a datagram waits no more
 * @w: the datagram; freed, unless UDP has it
 *
 * Context: any.
 */
void nst_udp_waiting_free(struct nst_udp_waiting *w)
{
	kfree_skb(w->skb);
	kfree(w);
}

/**
 * nst_udp_again_refuse() - one that has waited is refused
 * @nst: its receiver
 * @w: the datagram
 * @drop: the cause, which is counted
 *
 * Context: any.
 */
void nst_udp_again_refuse(struct nst_udp *nst, const struct nst_udp_waiting *w,
			  enum nst_drop drop)
{
	const struct nst_hdr *hdr = &w->dgram.hdr;

	atomic64_inc(&nst->drops[drop]);
	nst_stats_inc(nst->nn->stats, drop);
	trace_nst_drop(NULL, drop, nst_drop_errno(drop));
	nst_event_drop(sock_net(nst->sk), drop, hdr->kid, hdr->timestamp);
}

/**
 * nst_udp_sender_free() - a sender is the queue's no more
 * @sender: the sender, with what waits of it still: for a socket that was closed
 *
 * Context: any.
 */
void nst_udp_sender_free(struct nst_udp_sender *sender)
{
	struct nst_udp_waiting *w, *next;

	list_for_each_entry_safe(w, next, &sender->waiting, list) {
		nst_udp_again_refuse(sender->nst, w, NST_DROP_GONE);
		nst_udp_waiting_free(w);
	}
	nst_conf_put(sender->conf);
	sock_put(sender->sk);
	kfree_rcu(sender, rcu);
}

/* Hands the datagram to UDP. */
static void enter_udp(struct sk_buff *skb)
{
	bool ip4 = skb->protocol == htons(ETH_P_IP);
	const struct net_protocol *v4;
	int ret = 0;

	if (ip4) {
		v4 = rcu_dereference(inet_protos[IPPROTO_UDP]);
		ret = v4->handler(skb);
	} else {
#if IS_ENABLED(CONFIG_IPV6)
		const struct inet6_protocol *v6;

		v6 = rcu_dereference(inet6_protos[IPPROTO_UDP]);
		ret = v6->handler(skb);
#endif
	}
	/* A socket that became another protocol's wants it to go on as that. */
	if (ip4 ? ret < 0 : ret > 0)
		kfree_skb(skb);
}

/* Has UDP's entry find the socket with the datagram instead of looking for one. */
static void set_receiver(struct sk_buff *skb, struct sock *sk)
{
	skb_orphan(skb);
	sock_hold(sk);
	skb->sk = sk;
	skb->destructor = sock_edemux;
}

/* UDP has verified its checksum, by more than may be left of what it came with. */
static void set_verified(struct sk_buff *skb)
{
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	skb->csum_level = 0;
}

/* A connected socket tells on which CPU its datagrams come in: not on this one. */
static void restore_cpu(struct sock *sk, int cpu)
{
	if (READ_ONCE(sk->sk_state) == TCP_ESTABLISHED)
		WRITE_ONCE(sk->sk_incoming_cpu, cpu);
}

/* The route that a socket keeps for early demultiplexing, taken from it for a while. */
struct kept_route {
	struct dst_entry *dst;
	u32 cookie;
};

/*
 * UDP keeps the route of a datagram that has its socket already, for early
 * demultiplexing to give it to those that follow. This one's was looked up for it
 * alone, and is wrong for them if they come to another address: a group, or none. So
 * what was kept before is put by; datagrams that rest on it without a reference, here
 * or on other CPUs, still do.
 */
static void take_route(struct sock *sk, struct kept_route *kept)
{
	kept->cookie = READ_ONCE(sk->sk_rx_dst_cookie);
	kept->dst = unrcu_pointer(xchg(&sk->sk_rx_dst, NULL));
}

static void give_back_route(struct sock *sk, const struct kept_route *kept)
{
	/* A cookie of another has a route looked up anew, no more. */
	WRITE_ONCE(sk->sk_rx_dst_cookie, kept->cookie);
	dst_release(unrcu_pointer(xchg(&sk->sk_rx_dst,
				       RCU_INITIALIZER(kept->dst))));
}

/* On its device, to its socket; with bottom halves off. */
static void enter_again(struct sock *sk, struct nst_udp_waiting *w)
{
	struct kept_route kept;

	take_route(sk, &kept);
	this_cpu_write(comes_again, true);
	set_receiver(w->skb, sk);
	set_verified(w->skb);
	enter_udp(w->skb);
	/* At once: its reader is awake already. */
	restore_cpu(sk, w->cpu);
	this_cpu_write(comes_again, false);
	give_back_route(sk, &kept);
	w->skb = NULL;
}

/**
 * nst_udp_again() - a datagram enters UDP again
 * @sk: its socket
 * @w: the datagram; UDP has it then
 *
 * Context: any, under its sender's lock.
 * Return: NST_OK; NST_DROP_GONE if the device that it came from is no more.
 */
enum nst_drop nst_udp_again(struct sock *sk, struct nst_udp_waiting *w)
{
	enum nst_drop drop = NST_DROP_GONE;

	local_bh_disable();
	rcu_read_lock();
	w->skb->dev = dev_get_by_index_rcu(sock_net(sk), w->ifindex);
	if (w->skb->dev) {
		enter_again(sk, w);
		drop = NST_OK;
	}
	rcu_read_unlock();
	local_bh_enable();
	return drop;
}

/* Some of what waits of a sender. Returns true if no more does. */
static bool take_some(struct nst_udp *nst, struct nst_udp_sender *sender)
{
	unsigned int i, bytes = 0;
	struct nst_udp_waiting *w;
	enum nst_drop drop;

	/* What the first one waits for, the others wait for behind it. */
	for (i = 0; i < NST_READY_TAKE && !sender->deriving; i++) {
		if (i >= NST_READY_TAKE_MIN && bytes >= NST_READY_BYTES)
			return false;
		w = nst_udp_queue_take(sender);
		if (!w)
			return true;
		bytes += w->dgram.hdr.len;
		drop = nst_udp_again(nst->sk, w);
		if (drop)
			nst_udp_again_refuse(nst, w, drop);
		nst_udp_queue_took(sender, w);
		nst_udp_waiting_free(w);
	}
	return false;
}

/**
 * nst_udp_catch_up() - take what waits of a sender whose session is known
 * @nst: the receiver's state
 * @id: of the session; its keys are there
 * @skb: the newcomer; gets a reference to its route
 *
 * Who sends faster than the work opens would have all that comes wait, for good, did
 * it only line up.
 *
 * Context: softirq, under rcu_read_lock(); not for one that comes again.
 * Return: true if nothing waits any more; else the newcomer has to, behind the rest,
 * and so has one whose route has just gone, which nst_udp_wait() refuses.
 */
bool nst_udp_catch_up(struct nst_udp *nst, const struct nst_session_id *id,
		      struct sk_buff *skb)
{
	struct nst_udp_sender *sender = nst_udp_queue_find(nst, id);
	bool none, unused;

	/* A lookup by RCU may have found the socket a moment before its end. */
	if (!sender || !refcount_inc_not_zero(&nst->sk->sk_refcnt))
		return true;
	/* Its route may be the socket's, of which another CPU may have taken it. */
	if (!skb_dst_force(skb)) {
		sock_put(nst->sk);
		return false;
	}
	/* The work has it while one datagram is opened, with bottom halves off. */
	spin_lock(&sender->lock);
	none = take_some(nst, sender);
	none |= nst_udp_queue_empty(sender, &unused);
	spin_unlock(&sender->lock);
	if (unused)
		nst_udp_sender_free(sender);
	sock_put(nst->sk);
	return none;
}
