// SPDX-License-Identifier: GPL-2.0
/*
 * Datagrams of unknown sessions. Keys are not derived in softirq: such a
 * datagram waits until a work item has derived them and has seen that it is
 * authentic (derive.c). What comes of its sender meanwhile waits behind it.
 *
 * Anybody can invent sessions, so what waits is bounded.
 */
#include <linux/memcontrol.h>
#include <linux/netdevice.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <net/dst.h>
#include "core/memory.h"
#include "udp/again.h"
#include "udp/derive.h"
#include "udp/queue.h"
#include "udp/wait.h"

static struct nst_udp_sender *new_sender(struct nst_udp *nst,
					 struct nst_udp_rx *rx,
					 const struct nst_found *found,
					 enum nst_udp_line_nr line)
{
	struct nst_udp_sender *sender = kmalloc(sizeof(*sender),
						NST_GFP_RECEIVED);

	if (!sender)
		return NULL;
	/* A lookup by RCU may have found it a moment before its end. */
	if (!refcount_inc_not_zero(&nst->sk->sk_refcnt)) {
		kfree(sender);
		return NULL;
	}
	sender->nst = nst;
	sender->sk = nst->sk;
	sender->conf = nst_conf_get(rx->conf);
	sender->name = found->id.name;
	memcpy(sender->context, rx->conf->context, sizeof(sender->context));
	sender->context_len = rx->conf->context_len;
	sender->line = line;
	sender->nr = 0;
	sender->bytes = 0;
	sender->size = 0;
	spin_lock_init(&sender->lock);
	sender->deriving = false;
	INIT_LIST_HEAD(&sender->turn);
	INIT_LIST_HEAD(&sender->waiting);
	return sender;
}

static struct nst_udp_waiting *new_waiting(const struct nst_dgram *dgram,
					   struct sk_buff *skb)
{
	struct nst_udp_waiting *w = kmalloc(sizeof(*w), NST_GFP_RECEIVED);

	if (!w)
		return NULL;
	w->skb = skb;
	w->cpu = smp_processor_id();
	w->charged = false;
	w->dgram = *dgram;
	w->ifindex = skb->dev->ifindex;
	return w;
}

static enum nst_drop line_up(struct nst_udp_sender *sender,
			     struct nst_udp_waiting *w)
{
	struct net_device *dev = w->skb->dev;
	enum nst_drop drop;
	bool used, wake;

	w->skb->dev = NULL;
	drop = nst_udp_queue_add(sender, w, &used, &wake);
	if (!used)
		nst_udp_sender_free(sender);
	if (drop) {
		w->skb->dev = dev;
		return drop;
	}
	/* Nobody is late for what those in another line have used up. */
	if (wake)
		nst_udp_derive_soon();
	return NST_OK;
}

static enum nst_drop wait_charged(struct nst_udp *nst, struct nst_udp_rx *rx,
				  const struct nst_found *found,
				  const struct nst_dgram *dgram,
				  enum nst_udp_line_nr line,
				  struct sk_buff *skb)
{
	struct nst_udp_sender *sender;
	struct nst_udp_waiting *w;
	enum nst_drop drop;

	w = new_waiting(dgram, skb);
	if (!w)
		return NST_DROP_NOMEM;
	sender = new_sender(nst, rx, found, line);
	drop = sender ? line_up(sender, w) : NST_DROP_NOMEM;
	if (drop)
		kfree(w);
	return drop;
}

/*
 * What anybody can invent stays behind what only a known sender comes to. Whether it
 * is that is not asked while there is no room for either.
 */
static enum nst_udp_line_nr line_for(const struct nst_udp *nst,
				     const struct nst_found *found, u64 nonce,
				     const struct sk_buff *skb)
{
	if (found->keys)
		return NST_LINE_READY;
	if (nst_udp_queue_room(nst, NST_LINE_NEXT, skb))
		return NST_LINE_FRESH;
	if (found->ses || nst_claim_follows(found->key->claim, nonce))
		return NST_LINE_NEXT;
	return NST_LINE_FRESH;
}

/**
 * nst_udp_wait() - let a datagram wait until its session is known
 * @nst: its receiver
 * @rx: what that receives with
 * @found: by what its session is found
 * @dgram: what was read of it, judged
 * @skb: the datagram, from the UDP header on; taken if NST_OK is returned
 *
 * Context: softirq, under rcu_read_lock().
 * Return: NST_OK; NST_DROP_SESSION_QUEUE or NST_DROP_RCVBUF if there is no room;
 * NST_DROP_GONE if it has waited, or what it came by is no more; NST_DROP_NOMEM.
 */
enum nst_drop nst_udp_wait(struct nst_udp *nst, struct nst_udp_rx *rx,
			   const struct nst_found *found,
			   const struct nst_dgram *dgram, struct sk_buff *skb)
{
	enum nst_udp_line_nr line = line_for(nst, found, dgram->hdr.nonce, skb);
	struct mem_cgroup *old;
	enum nst_drop drop;

	/* One that has waited has had its chance. */
	if (nst_udp_comes_again())
		return NST_DROP_GONE;
	drop = nst_udp_queue_room(nst, line, skb);
	if (drop)
		return drop;
	/* Also if it was lost before: UDP reads the route of what comes again. */
	if (!skb_dst_force(skb))
		return NST_DROP_GONE;
	old = set_active_memcg(nst->memcg);
	drop = wait_charged(nst, rx, found, dgram, line, skb);
	set_active_memcg(old);
	if (!drop)
		nst_stats_inc(nst->nn->stats, NST_MIB_UDP_WAITED);
	return drop;
}

/**
 * nst_udp_wait_close() - drop what waits at a socket
 * @nst: its state
 *
 * Context: any.
 */
void nst_udp_wait_close(struct nst_udp *nst)
{
	struct nst_udp_sender *sender;

	while ((sender = nst_udp_queue_close(nst)))
		nst_udp_sender_free(sender);
}
