// SPDX-License-Identifier: GPL-2.0
/*
 * The work item that derives keys for datagrams of unknown sessions, which wait for
 * it (wait.c), and sees whether they are authentic. Then the session comes to life,
 * and the datagram comes in again by UDP's entry, but for the very socket that it
 * had come to: UDP looks for none where a datagram has one already, as early
 * demultiplexing and TPROXY have it.
 *
 * Anybody can invent sessions, so the time that deriving takes is bounded, for the
 * whole host.
 */
#include <linux/cpumask.h>
#include <linux/memcontrol.h>
#include <linux/netdevice.h>
#include <linux/percpu.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/udp.h>
#include <net/dst.h>
#include <net/protocol.h>
#include <net/tcp_states.h>
#include "core/cipher.h"
#include "core/lookup.h"
#include "core/session.h"
#include "event.h"
#include "limits.h"
#include "trace.h"
#include "udp/buf.h"
#include "udp/derive.h"
#include "udp/queue.h"
#include "udp/watch.h"

struct workqueue_struct *nst_udp_wq;

static void derive(struct work_struct *work);
static DECLARE_DELAYED_WORK(derive_work, derive);

/* Of the work item alone, as what follows. */
static struct nst_budget budget;

/* Somebody waits until another has looked for a suite; the one just served does. */
static bool looking;
static bool waited;

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

static void free_waiting(struct nst_udp_waiting *w)
{
	kfree_skb(w->skb);
	kfree(w);
}

static void refuse(const struct nst_udp_sender *sender,
		   const struct nst_udp_waiting *w, enum nst_drop drop)
{
	const struct nst_hdr *hdr = &w->dgram.hdr;
	struct nst_udp *nst = sender->nst;

	atomic64_inc(&nst->drops[drop]);
	nst_stats_inc(nst->nn->stats, drop);
	trace_nst_drop(NULL, drop, nst_drop_errno(drop));
	nst_event_drop(sock_net(sender->sk), drop, hdr->kid, hdr->timestamp);
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
		refuse(sender, w, NST_DROP_GONE);
		free_waiting(w);
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

/* A connected socket tells on which CPU its datagrams come in: not on this one. */
static void restore_cpu(struct sock *sk, int cpu)
{
	if (READ_ONCE(sk->sk_state) == TCP_ESTABLISHED)
		WRITE_ONCE(sk->sk_incoming_cpu, cpu);
}

/*
 * UDP keeps the route of a datagram that has its socket already, for early
 * demultiplexing to give it to those that follow. This one's was looked up for it
 * alone, and is wrong for them if they come to another address: a group, or none.
 * Early demultiplexing has its own kept again by the next.
 */
static void forget_route(struct sock *sk)
{
	dst_release(unrcu_pointer(xchg(&sk->sk_rx_dst, NULL)));
}

/* Bring the datagram's session to life, or say why not. */
static enum nst_drop bring_up(const struct nst_udp_sender *sender,
			      const struct nst_udp_waiting *w)
{
	const struct nst_hdr *hdr = &w->dgram.hdr;
	struct nst_net *nn = sender->nst->nn;
	struct nst_bounds bounds;
	struct nst_candidate new;
	enum nst_drop drop;

	drop = nst_candidate_derive(&new, sender->conf, hdr);
	if (drop)
		return drop;
	nst_stats_inc(nn->stats, NST_MIB_UDP_DERIVED);
	drop = nst_cipher_cause(nst_udp_buf_trial(&new.keys->ep.cipher, w->skb,
						  hdr));
	if (drop) {
		nst_candidate_free(&new);
		return drop;
	}
	bounds = nst_net_bounds(nn);
	return nst_candidate_add(&new, &bounds);
}

/**
 * struct turn - a sender's turn
 * @sender: whose
 * @from: the line that it has come from
 * @to: where the others go that wait of it; NST_LINES: back to where it was
 * @ns: what it has taken; the turn ends when that is NST_DERIVE_TURN_NS
 */
struct turn {
	struct nst_udp_sender *sender;
	enum nst_udp_line_nr from;
	enum nst_udp_line_nr to;
	u64 ns;
};

#define KINDS	(4 * (NST_WIRE_SUITE_MAX + 1))

/* What takes as long as this: of the suite, and of that length. */
static unsigned int kind_of(const struct nst_hdr *hdr, bool derives)
{
	unsigned int size = hdr->len < 2048 ? 0 : hdr->len < 8192 ? 1 :
			    hdr->len < 32768 ? 2 : 3;

	BUILD_BUG_ON(2 * KINDS > NST_BUDGET_KINDS);
	return (derives ? 0 : KINDS) + 4 * hdr->suite + size;
}

/* The same, paid for: in time, and in memory by who made the socket. */
static enum nst_drop pay(struct turn *turn, const struct nst_udp_waiting *w)
{
	const struct nst_udp_sender *sender = turn->sender;
	struct nst_watch watch = nst_watch_start();
	struct mem_cgroup *old;
	enum nst_drop drop;
	bool disturbed;
	u64 ns;

	old = set_active_memcg(sender->nst->memcg);
	drop = bring_up(sender, w);
	set_active_memcg(old);
	ns = nst_watch_stop(&watch, &disturbed);
	turn->ns += nst_budget_charge(&budget, turn->from - NST_LINE_NEXT,
				      kind_of(&w->dgram.hdr, true), ns,
				      disturbed);
	return drop;
}

/* On its device, to its socket; with bottom halves off. */
static void enter_again(struct turn *turn, struct nst_udp_waiting *w)
{
	struct nst_watch watch = nst_watch_start();
	struct sock *sk = turn->sender->sk;
	bool disturbed;
	u64 ns;

	this_cpu_write(comes_again, true);
	set_receiver(w->skb, sk);
	enter_udp(w->skb);
	/* At once: its reader is awake already. */
	restore_cpu(sk, w->cpu);
	this_cpu_write(comes_again, false);
	forget_route(sk);
	w->skb = NULL;
	ns = nst_watch_stop(&watch, &disturbed);
	/* Of no budget, but of the user's turn: it is opened here. */
	turn->ns += nst_budget_cost(&budget, kind_of(&w->dgram.hdr, false), ns,
				    disturbed);
}

/* The datagram enters UDP again, for its socket, if its device is there. */
static enum nst_drop readmit(struct turn *turn, struct nst_udp_waiting *w)
{
	struct net *net = sock_net(turn->sender->sk);
	enum nst_drop drop = NST_DROP_GONE;

	local_bh_disable();
	rcu_read_lock();
	w->skb->dev = dev_get_by_index_rcu(net, w->ifindex);
	if (w->skb->dev) {
		enter_again(turn, w);
		drop = NST_OK;
	}
	rcu_read_unlock();
	local_bh_enable();
	return drop;
}

/* Is it still to be taken, by whichever session? Time has passed. */
static enum nst_drop judge_again(const struct nst_udp_sender *sender,
				 struct nst_udp_waiting *w,
				 struct nst_found *found)
{
	enum nst_drop drop;

	rcu_read_lock();
	drop = nst_session_find(sender->conf, &w->dgram.hdr, found);
	if (!drop)
		drop = nst_session_judge(found, &w->dgram,
					 nst_net_window(sender->nst->nn));
	rcu_read_unlock();
	return drop;
}

/*
 * One datagram, judged to be @drop. Returns true if others of its sender can follow at
 * once: it has cost no derivation, or that came to something.
 */
static bool serve_one(struct turn *turn, struct nst_udp_waiting *w,
		      enum nst_drop drop, bool costly)
{
	struct nst_udp_sender *sender = turn->sender;

	if (costly)
		drop = pay(turn, w);
	if (costly && !drop)
		turn->to = NST_LINE_READY;
	if (!drop)
		drop = readmit(turn, w);
	if (drop)
		refuse(sender, w, drop);
	return !drop || !costly;
}

/*
 * Is it to wait for more than its turn: for the suite to be looked for, or in another
 * line, because its session has gone, or lost its keys, while its sender stood in line
 * as known?
 */
static bool waits_on(struct turn *turn, const struct nst_udp_waiting *w,
		     const struct nst_found *found)
{
	if (turn->from == NST_LINE_READY) {
		turn->to = found->ses ? NST_LINE_NEXT : NST_LINE_FRESH;
		return true;
	}
	if (nst_suite_ask_datagrams(w->dgram.hdr.suite) != -EAGAIN)
		return false;
	looking = true;
	waited = true;
	/* As dear as a turn that derives, or who waits would have all the rounds. */
	turn->ns = NST_DERIVE_TURN_NS;
	return true;
}

/* The next datagram. Returns false if it is to wait. */
static bool serve_next(struct turn *turn, struct nst_udp_waiting *w, bool *more)
{
	struct nst_found found = {};
	enum nst_drop drop = judge_again(turn->sender, w, &found);
	bool costly = !drop && !found.keys;

	if (costly && waits_on(turn, w, &found))
		return false;
	if (found.keys)
		turn->to = NST_LINE_READY;
	*more = serve_one(turn, w, drop, costly);
	return true;
}

/*
 * What the sender's first datagrams bring to life, the others need not wait for, but
 * for those that have waited as long. The time of a turn bounds their number, too.
 */
static void serve(struct nst_udp_sender *sender, enum nst_udp_line_nr line)
{
	struct turn turn = { .sender = sender, .from = line, .to = NST_LINES };
	bool last = false, more = true;
	struct nst_udp_waiting *w;

	while (turn.ns < NST_DERIVE_TURN_NS && more && !last) {
		turn.ns += NST_DERIVE_SERVE_NS;
		w = nst_udp_queue_first(sender);
		if (!serve_next(&turn, w, &more))
			break;
		last = nst_udp_queue_done(sender, w);
		free_waiting(w);
		cond_resched();
	}
	nst_udp_line_give(sender, line, turn.ns);
	if (last || !nst_udp_queue_again(sender, turn.to))
		nst_udp_sender_free(sender);
}

static bool serve_line(enum nst_udp_line_nr line)
{
	struct nst_udp_sender *sender = nst_udp_line_next(line);

	if (sender)
		serve(sender, line);
	return sender;
}

/* Derives for whose turn it is. If nobody's, it tells how long to rest; 0: no need. */
static bool serve_unknown(u64 *rest)
{
	unsigned int line, cpus = num_online_cpus();
	bool some = false;
	u64 ns;

	*rest = 0;
	nst_budget_fill(&budget, ktime_get_ns(), cpus);
	for (line = NST_LINE_NEXT; line < NST_LINES; line++) {
		if (!nst_udp_line_some(line))
			continue;
		ns = nst_budget_rest(&budget, line - NST_LINE_NEXT, cpus);
		if (ns && (!*rest || ns < *rest))
			*rest = ns;
		waited = false;
		if (ns || !serve_line(line))
			continue;
		some = true;
		/* Who waits for a suite takes no turn from the other line. */
		if (!waited)
			break;
	}
	return some;
}

static void derive(struct work_struct *work)
{
	unsigned int i;
	bool more;
	u64 rest;

	looking = false;
	/* What costs no derivation waits for one at most, and for no budget. */
	for (i = 0, more = true; more && i < NST_DERIVE_ROUNDS; i++) {
		more = serve_line(NST_LINE_READY);
		more |= serve_unknown(&rest);
		cond_resched();
	}
	/*
	 * Who waits until this has run, as a namespace that goes, waits for no more
	 * than that, whatever comes in. What is left is this work's own to come back
	 * for: only the first in an empty line wakes it. Who waits for a suite is asked
	 * again and again, but not without a pause.
	 */
	if (more)
		queue_delayed_work(nst_udp_wq, &derive_work, looking);
	else if (rest)
		queue_delayed_work(nst_udp_wq, &derive_work,
				   nsecs_to_jiffies(rest) + 1);
}

/**
 * nst_udp_derive_soon() - have the work look at once: something waits
 *
 * Context: any.
 */
void nst_udp_derive_soon(void)
{
	mod_delayed_work(nst_udp_wq, &derive_work, 0);
}

/* What closed sockets have left to the workqueue still refers to namespaces. */
static __net_exit void udp_net_exit_batch(struct list_head *list)
{
	rcu_barrier();
	flush_workqueue(nst_udp_wq);
}

static struct pernet_operations udp_net_ops = {
	.exit_batch = udp_net_exit_batch,
};

/**
 * nst_udp_derive_init() - get ready to derive keys; after nst_netns_init()
 *
 * Context: process.
 * Return: 0 or a negative errno.
 */
int nst_udp_derive_init(void)
{
	int err;

	nst_budget_init(&budget, ktime_get_ns());
	nst_udp_wq = alloc_workqueue("nst_udp", WQ_UNBOUND, 0);
	if (!nst_udp_wq)
		return -ENOMEM;
	err = register_pernet_subsys(&udp_net_ops);
	if (err)
		destroy_workqueue(nst_udp_wq);
	return err;
}

/**
 * nst_udp_derive_exit() - undo nst_udp_derive_init(); no socket may be left
 *
 * Context: process.
 */
void nst_udp_derive_exit(void)
{
	unregister_pernet_subsys(&udp_net_ops);
	cancel_delayed_work_sync(&derive_work);
	destroy_workqueue(nst_udp_wq);
}
