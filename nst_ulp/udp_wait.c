// SPDX-License-Identifier: GPL-2.0
/*
 * Datagrams of unknown sessions. Keys are not derived in softirq: such a
 * datagram waits until a work item has derived them and has seen that it is
 * authentic. Then the session comes to life, and the datagram comes in again by
 * UDP's entry, but for the very socket that it had come to: UDP looks for none
 * where a datagram has one already, as early demultiplexing and TPROXY have it.
 *
 * Anybody can invent sessions, so what waits is bounded, and so is the time that
 * deriving takes.
 */
#include <linux/netdevice.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/udp.h>
#include <net/dst.h>
#include <net/netns/generic.h>
#include <net/protocol.h>
#include <net/tcp_states.h>
#include "event.h"
#include "limits.h"
#include "trace.h"
#include "udp_wait.h"

/* The most that one derivation is charged with; the rest was others' time. */
#define CHARGE_MAX_NS	(20 * NSEC_PER_MSEC)

/**
 * struct nst_udp_waiting - a datagram without a session
 * @list: in its box
 * @skb: from the UDP header on; holds its route, but no device: one that goes
 *	away must not wait for it
 * @ifindex: of the device that it came from
 * @cpu: where it came in
 * @sk: the socket that it came to; holds a reference
 * @conf: of that socket; holds a reference
 * @dgram: what was read of it
 */
struct nst_udp_waiting {
	struct list_head list;
	struct sk_buff *skb;
	int ifindex;
	int cpu;
	struct sock *sk;
	struct nst_conf *conf;
	struct nst_dgram dgram;
};

/**
 * struct nst_udp_net - what UDP has in a namespace
 * @box: of the namespace's box
 * @own: what may wait at the namespace's box
 * @private: what may wait at all private boxes together: anybody can make those
 */
struct nst_udp_net {
	struct nst_udp_box *box;
	struct nst_udp_share own;
	struct nst_udp_share private;
};

static unsigned int udp_net_id __read_mostly;
struct workqueue_struct *nst_udp_wq;

/* How long to rest before the next derivation, in ns. */
static u64 rest(struct nst_udp_share *share)
{
	u64 now = ktime_get_ns(), gain;
	s64 budget;

	spin_lock_bh(&share->lock);
	gain = (now - share->filled) / NST_DERIVE_SHARE;
	share->filled += gain * NST_DERIVE_SHARE;
	share->budget = min_t(s64, share->budget + gain, NST_DERIVE_BURST_NS);
	budget = share->budget;
	spin_unlock_bh(&share->lock);
	return budget > 0 ? 0 : (1 - budget) * NST_DERIVE_SHARE;
}

static void charge(struct nst_udp_share *share, u64 began)
{
	u64 ns = min_t(u64, ktime_get_ns() - began, CHARGE_MAX_NS);

	spin_lock_bh(&share->lock);
	share->budget -= ns;
	spin_unlock_bh(&share->lock);
}

static void free_waiting(struct nst_udp_waiting *w)
{
	kfree_skb(w->skb);
	nst_conf_put(w->conf);
	sock_put(w->sk);
	kfree(w);
}

static void refuse(struct nst_udp_box *box, struct nst_udp_waiting *w,
		   enum nst_drop drop)
{
	const struct nst_hdr *hdr = &w->dgram.hdr;
	struct nst_udp *nst = rcu_dereference_check(__sk_user_data(w->sk), true);

	atomic64_inc(&nst->drops[drop]);
	nst_stats_inc(nst_net(box->net)->stats, drop);
	trace_nst_drop(NULL, drop, nst_drop_errno(drop));
	nst_event_drop(box->net, drop, hdr->kid,
		       (s64)(hdr->timestamp - ktime_get_real_ns()));
	free_waiting(w);
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

/* A connected socket tells on which CPU its datagrams come in: not on this one. */
static void restore_cpu(struct sock *sk, int cpu)
{
	if (READ_ONCE(sk->sk_state) == TCP_ESTABLISHED)
		WRITE_ONCE(sk->sk_incoming_cpu, cpu);
}

/* The datagram enters UDP again, for its socket, if its device is there. */
static void readmit(struct nst_udp_box *box, struct nst_udp_waiting *w)
{
	local_bh_disable();
	rcu_read_lock();
	w->skb->dev = dev_get_by_index_rcu(box->net, w->ifindex);
	if (w->skb->dev) {
		set_receiver(w->skb, w->sk);
		enter_udp(w->skb);
		restore_cpu(w->sk, w->cpu);
		w->skb = NULL;
	}
	rcu_read_unlock();
	local_bh_enable();
	free_waiting(w);
}

/* Is the datagram authentic under @keys? It is left as it is. */
static enum nst_drop try_open(struct nst_opener *keys, struct sk_buff *skb,
			      const struct nst_hdr *hdr)
{
	unsigned int len = nst_wire_body_len(hdr->suite, hdr->len);
	u8 wire[NST_WIRE_HDR_LEN];
	enum nst_drop drop = NST_DROP_NOMEM;
	struct nst_op *op;
	u8 *body;
	int err;

	body = kmalloc(len + 1, GFP_KERNEL | __GFP_RETRY_MAYFAIL);
	op = nst_op_get(&keys->ep.cipher, GFP_KERNEL);
	if (!body || !op)
		goto out;
	/* Both cannot fail: the lengths were checked. */
	if (skb_copy_bits(skb, sizeof(struct udphdr), wire, sizeof(wire)) ||
	    skb_copy_bits(skb, sizeof(struct udphdr) + sizeof(wire), body, len))
		goto out;
	nst_wire_aad(op->aad, wire);
	memcpy(op->token, wire + NST_WIRE_OFF_TOKEN, NST_WIRE_TOKEN_LEN);
	nst_sg_buf(&op->src[1], body, len);
	nst_sg_buf(&op->dst[1], body, len);
	nst_sg_buf(&op->src[len ? 2 : 1], op->token, NST_WIRE_TOKEN_LEN);
	sg_mark_end(&op->src[len ? 2 : 1]);
	sg_mark_end(&op->dst[1]);
	err = nst_cipher_open_trial(&keys->ep.cipher, op, hdr);
	drop = !err ? NST_OK : err == -EBADMSG ? NST_DROP_AUTH : NST_DROP_NOMEM;
out:
	if (op)
		nst_op_put(op);
	kfree_sensitive(body);
	return drop;
}

/* Bring the datagram's session to life, or say why not. */
static enum nst_drop bring_up(struct nst_net *nn, struct nst_udp_waiting *w)
{
	const struct nst_hdr *hdr = &w->dgram.hdr;
	struct nst_bounds bounds;
	struct nst_candidate new;
	enum nst_drop drop;

	drop = nst_candidate_derive(&new, w->conf, hdr);
	if (drop)
		return drop;
	nst_stats_inc(nn->stats, NST_MIB_UDP_DERIVED);
	drop = try_open(new.keys, w->skb, hdr);
	if (drop) {
		nst_candidate_free(&new);
		return drop;
	}
	bounds = nst_net_bounds(nn);
	return nst_candidate_add(&new, &bounds);
}

static void serve(struct nst_udp_box *box, struct nst_udp_waiting *w)
{
	struct nst_net *nn = nst_net(box->net);
	struct nst_found found;
	enum nst_drop drop;
	u64 began;

	/* Time has passed; and one of the same sender may have gone before. */
	rcu_read_lock();
	drop = nst_session_find(w->conf, &w->dgram.hdr, &found);
	if (!drop)
		drop = nst_session_judge(&found, &w->dgram,
					 nst_net_window(nn));
	rcu_read_unlock();
	if (!drop && !found.keys) {
		began = ktime_get_ns();
		drop = bring_up(nn, w);
		charge(box->share, began);
	}
	if (drop)
		refuse(box, w, drop);
	else
		readmit(box, w);
}

static struct nst_udp_waiting *take_waiting(struct nst_udp_box *box)
{
	struct nst_udp_waiting *w;

	spin_lock_bh(&box->share->lock);
	w = list_first_entry_or_null(&box->waiting, struct nst_udp_waiting,
				     list);
	if (w) {
		list_del(&w->list);
		box->nr--;
		box->share->nr--;
		box->share->bytes -= w->skb->truesize;
	}
	spin_unlock_bh(&box->share->lock);
	return w;
}

static void derive(struct work_struct *work)
{
	struct nst_udp_box *box = container_of(to_delayed_work(work),
					       struct nst_udp_box, derive);
	struct nst_udp_waiting *w;
	u64 ns;

	for (;;) {
		ns = rest(box->share);
		if (ns)
			break;
		w = take_waiting(box);
		if (!w)
			return;
		serve(box, w);
		cond_resched();
	}
	queue_delayed_work(nst_udp_wq, &box->derive, nsecs_to_jiffies(ns) + 1);
}

static struct nst_udp_waiting *new_waiting(const struct nst_udp *nst,
					   struct nst_udp_rx *rx,
					   const struct nst_dgram *dgram,
					   struct sk_buff *skb)
{
	struct nst_udp_waiting *w = kmalloc(sizeof(*w),
					    GFP_ATOMIC | __GFP_NOWARN);

	if (!w)
		return NULL;
	/* A lookup by RCU may have found it a moment before its end. */
	if (!refcount_inc_not_zero(&nst->sk->sk_refcnt)) {
		kfree(w);
		return NULL;
	}
	w->sk = nst->sk;
	w->skb = skb;
	w->cpu = smp_processor_id();
	w->conf = nst_conf_get(rx->conf);
	w->dgram = *dgram;
	w->ifindex = skb->dev->ifindex;
	return w;
}

/*
 * Is there room? Also looked at first, so that a flood costs no allocation. One
 * private box has a part of what all have, so that a flood of it leaves room.
 */
static bool has_room(const struct nst_udp_box *box, const struct sk_buff *skb)
{
	const struct nst_udp_share *share = box->share;
	unsigned int most = box->private ? NST_PENDING_MAX / 4 :
						  NST_PENDING_MAX;

	return READ_ONCE(box->nr) < most &&
	       READ_ONCE(share->nr) < NST_PENDING_MAX &&
	       READ_ONCE(share->bytes) + skb->truesize <= NST_PENDING_BYTES;
}

/**
 * nst_udp_wait() - let a datagram wait until its session is known
 * @nst: its receiver
 * @rx: what that receives with
 * @dgram: what was read of it; judged, without a session
 * @skb: the datagram, from the UDP header on; taken if NST_OK is returned
 *
 * Context: softirq, under rcu_read_lock().
 * Return: NST_OK, NST_DROP_SESSION_QUEUE or NST_DROP_NOMEM.
 */
enum nst_drop nst_udp_wait(const struct nst_udp *nst, struct nst_udp_rx *rx,
			   const struct nst_dgram *dgram, struct sk_buff *skb)
{
	struct nst_udp_box *box = rx->box;
	struct nst_udp_share *share = box->share;
	struct nst_udp_waiting *w;
	bool room;

	if (!has_room(box, skb))
		return NST_DROP_SESSION_QUEUE;
	if (skb_dst(skb) && !skb_dst_force(skb))
		return NST_DROP_NOMEM;
	w = new_waiting(nst, rx, dgram, skb);
	if (!w)
		return NST_DROP_NOMEM;
	spin_lock_bh(&share->lock);
	room = has_room(box, skb);
	if (room) {
		skb->dev = NULL;
		list_add_tail(&w->list, &box->waiting);
		box->nr++;
		share->nr++;
		share->bytes += skb->truesize;
	}
	spin_unlock_bh(&share->lock);
	if (!room) {
		w->skb = NULL;
		free_waiting(w);
		return NST_DROP_SESSION_QUEUE;
	}
	nst_stats_inc(nst->nn->stats, NST_MIB_UDP_WAITED);
	queue_delayed_work(nst_udp_wq, &box->derive, 0);
	return NST_OK;
}

static struct nst_udp_box *box_alloc(struct net *net, bool private)
{
	struct nst_udp_net *un = net_generic(net, udp_net_id);
	struct nst_udp_box *box = kzalloc(sizeof(*box), GFP_KERNEL_ACCOUNT);

	if (!box)
		return NULL;
	box->share = private ? &un->private : &un->own;
	box->private = private;
	refcount_set(&box->ref, 1);
	box->net = net;
	INIT_DELAYED_WORK(&box->derive, derive);
	INIT_LIST_HEAD(&box->waiting);
	return box;
}

/**
 * nst_udp_box_get() - the namespace's, or one for a private box
 * @net: the namespace
 * @private: it is for a private box
 *
 * Context: process.
 * Return: a box with a reference, the caller's; NULL without memory.
 */
struct nst_udp_box *nst_udp_box_get(struct net *net, bool private)
{
	struct nst_udp_net *un = net_generic(net, udp_net_id);

	if (private)
		return box_alloc(net, true);
	refcount_inc(&un->box->ref);
	return un->box;
}

/**
 * nst_udp_box_put() - give a reference back
 * @box: no softirq knows it by this reference any more. NULL is allowed
 *
 * Context: process, not one of the box's own work items.
 */
void nst_udp_box_put(struct nst_udp_box *box)
{
	struct nst_udp_waiting *w;

	if (!box || !refcount_dec_and_test(&box->ref))
		return;
	cancel_delayed_work_sync(&box->derive);
	while ((w = take_waiting(box)))
		free_waiting(w);
	kfree(box);
}

static void share_init(struct nst_udp_share *share)
{
	spin_lock_init(&share->lock);
	share->budget = NST_DERIVE_BURST_NS;
	share->filled = ktime_get_ns();
}

static __net_init int udp_net_init(struct net *net)
{
	struct nst_udp_net *un = net_generic(net, udp_net_id);

	share_init(&un->own);
	share_init(&un->private);
	un->box = box_alloc(net, false);
	return un->box ? 0 : -ENOMEM;
}

/* What closed sockets have left to the workqueue still refers to namespaces. */
static __net_exit void udp_net_exit_batch(struct list_head *list)
{
	struct nst_udp_net *un;
	struct net *net;

	rcu_barrier();
	flush_workqueue(nst_udp_wq);
	list_for_each_entry(net, list, exit_list) {
		un = net_generic(net, udp_net_id);
		/* Whoever still has it, what works for it needs the namespace. */
		cancel_delayed_work_sync(&un->box->derive);
		nst_udp_box_put(un->box);
	}
}

static struct pernet_operations udp_net_ops = {
	.init = udp_net_init,
	.exit_batch = udp_net_exit_batch,
	.id = &udp_net_id,
	.size = sizeof(struct nst_udp_net),
};

/**
 * nst_udp_wait_init() - have a box in each namespace; after nst_netns_init()
 *
 * Context: process.
 * Return: 0 or a negative errno.
 */
int nst_udp_wait_init(void)
{
	int err;

	nst_udp_wq = alloc_workqueue("nst_udp", WQ_UNBOUND, 0);
	if (!nst_udp_wq)
		return -ENOMEM;
	err = register_pernet_subsys(&udp_net_ops);
	if (err)
		destroy_workqueue(nst_udp_wq);
	return err;
}

/**
 * nst_udp_wait_exit() - undo nst_udp_wait_init(); no socket may be left
 *
 * Context: process.
 */
void nst_udp_wait_exit(void)
{
	unregister_pernet_subsys(&udp_net_ops);
	destroy_workqueue(nst_udp_wq);
}
