// SPDX-License-Identifier: GPL-2.0
/*
 * The work item that derives keys for datagrams of unknown sessions, which wait for
 * it (wait.c), and sees whether they are authentic. Then the session comes to life,
 * and the datagram enters UDP again (again.c).
 *
 * Anybody can invent sessions, so the time that deriving takes is bounded, for the
 * whole host.
 */
#include <linux/cpumask.h>
#include <linux/memcontrol.h>
#include <linux/sched/mm.h>
#include <linux/timekeeping.h>
#include "core/cipher.h"
#include "core/lookup.h"
#include "core/session.h"
#include "limits.h"
#include "udp/again.h"
#include "udp/buf.h"
#include "udp/derive.h"
#include "udp/watch.h"

struct workqueue_struct *nst_udp_wq;

static void derive(struct work_struct *work);
static DECLARE_DELAYED_WORK(derive_work, derive);

/* Of the work item alone, as what follows. */
static struct nst_budget budget;

/* Somebody waits until another has looked for a suite; the one just served does. */
static bool looking;
static bool waited;

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

/* The same for one that enters UDP again: of no budget, but of the user's turn. */
static enum nst_drop readmit(struct turn *turn, struct nst_udp_waiting *w)
{
	struct nst_watch watch = nst_watch_start();
	enum nst_drop drop = nst_udp_again(turn->sender->sk, w);
	bool disturbed;
	u64 ns;

	ns = nst_watch_stop(&watch, &disturbed);
	turn->ns += nst_budget_cost(&budget, kind_of(&w->dgram.hdr, false), ns,
				    disturbed);
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
	if (costly && !drop)
		turn->to = NST_LINE_READY;
	if (!drop)
		drop = readmit(turn, w);
	if (drop)
		nst_udp_again_refuse(turn->sender->nst, w, drop);
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

/*
 * One that costs a derivation, by which it becomes @drop: not under the lock, but
 * nobody takes what waits meanwhile. Returns false if it is to wait.
 */
static bool derive_one(struct turn *turn, const struct nst_udp_waiting *w,
		       const struct nst_found *found, enum nst_drop *drop)
	__must_hold(&turn->sender->lock)
{
	struct nst_udp_sender *sender = turn->sender;
	bool waits;

	sender->deriving = true;
	spin_unlock_bh(&sender->lock);
	waits = waits_on(turn, w, found);
	if (!waits)
		*drop = pay(turn, w);
	spin_lock_bh(&sender->lock);
	sender->deriving = false;
	return !waits;
}

/* The next datagram, if there is one. Returns false if it is to wait. */
static bool serve_next(struct turn *turn, bool *more, bool *last)
{
	struct nst_udp_sender *sender = turn->sender;
	struct nst_found found = {};
	struct nst_udp_waiting *w;
	bool costly, done = true;
	enum nst_drop drop;

	spin_lock_bh(&sender->lock);
	w = nst_udp_queue_first(sender);
	*last = !w;
	if (!w)
		goto out;
	drop = judge_again(sender, w, &found);
	costly = !drop && !found.keys;
	if (costly)
		done = derive_one(turn, w, &found, &drop);
	else if (!drop)
		turn->to = NST_LINE_READY;
	if (!done)
		goto out;
	*more = serve_one(turn, w, drop, costly);
	*last = nst_udp_queue_done(sender, w);
	nst_udp_waiting_free(w);
out:
	spin_unlock_bh(&sender->lock);
	return done;
}

/*
 * What the sender's first datagrams bring to life, the others need not wait for, but
 * for those that have waited as long. The time of a turn bounds their number, too.
 */
static void serve(struct nst_udp_sender *sender, enum nst_udp_line_nr line)
{
	struct turn turn = { .sender = sender, .from = line, .to = NST_LINES };
	bool last = false, more = true;

	while (turn.ns < NST_DERIVE_TURN_NS && more && !last) {
		turn.ns += NST_DERIVE_SERVE_NS;
		if (!serve_next(&turn, &more, &last))
			break;
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
