// SPDX-License-Identifier: GPL-2.0
/*
 * The queue of the host: senders, of which each datagram finds its own in a table,
 * and what waits of each. Whose turn it is, is a matter of the lines (line.c).
 */
#include <linux/hash.h>
#include <linux/jhash.h>
#include <linux/random.h>
#include <linux/rculist.h>
#include <linux/string.h>
#include "udp/queue.h"

#define SENDER_BITS	10

static struct hlist_head senders[1 << SENDER_BITS];

/**
 * nst_udp_queue_room() - may one more wait at a socket?
 * @nst: the socket's state
 * @line: where it would
 * @skb: the datagram
 *
 * A user has twice NST_PENDING_MAX in a line, and a socket of his what is left of
 * that: who comes later finds a share. Of SO_RCVBUF strangers leave a quarter to
 * senders that are known. Also looked at without the lock, so that a flood costs no
 * allocation.
 *
 * Context: any.
 * Return: NST_OK; NST_DROP_SESSION_QUEUE; NST_DROP_RCVBUF.
 */
enum nst_drop nst_udp_queue_room(const struct nst_udp *nst,
				 enum nst_udp_line_nr line,
				 const struct sk_buff *skb)
{
	return nst_udp_line_room(nst, line, 1, skb->truesize);
}

static struct hlist_head *chain(const struct nst_udp *nst,
				const struct nst_session_name *name)
{
	static u32 seed __read_mostly;

	BUILD_BUG_ON(sizeof(*name) % sizeof(u32));
	net_get_random_once(&seed, sizeof(seed));
	return &senders[jhash2((const u32 *)name, sizeof(*name) / sizeof(u32),
			       seed ^ hash_ptr(nst, 32)) >> (32 - SENDER_BITS)];
}

static bool is_of(const struct nst_udp_sender *sender,
		  const struct nst_udp *nst, const struct nst_session_id *id)
{
	return sender->nst == nst &&
	       !memcmp(&sender->name, &id->name, sizeof(id->name)) &&
	       sender->context_len == id->context_len &&
	       !memcmp(sender->context, id->context, id->context_len);
}

static struct nst_udp_sender *find(const struct nst_udp *nst,
				   const struct nst_session_id *id)
{
	struct nst_udp_sender *sender;

	hlist_for_each_entry_rcu(sender, chain(nst, &id->name), node,
				 lockdep_is_held(&nst_udp_line_lock))
		if (is_of(sender, nst, id))
			return sender;
	return NULL;
}

/**
 * nst_udp_queue_find() - of whom does something wait at a socket?
 * @nst: the socket's state
 * @id: of the session
 *
 * Context: any, under rcu_read_lock().
 * Return: the sender; NULL: nothing of that one.
 */
struct nst_udp_sender *nst_udp_queue_find(struct nst_udp *nst,
					  const struct nst_session_id *id)
{
	return find(nst, id);
}

/* Its datagrams wait no more, and nobody finds it. */
static void unlink(struct nst_udp_sender *sender)
{
	lockdep_assert_held(&nst_udp_line_lock);
	hlist_del_init_rcu(&sender->node);
}

/*
 * May a datagram wait in a better line than those of its sender that wait already?
 * They go there as well, so there is to be room for all.
 */
static bool may_rise(const struct nst_udp_sender *sender,
		     enum nst_udp_line_nr line, unsigned int size)
{
	return line < sender->line &&
	       !nst_udp_line_room(sender->nst, line, sender->nr + 1,
				  sender->size + size);
}

/* Who has @new's datagrams, if there is room for one of so many bytes. */
static enum nst_drop enter(struct nst_udp_sender *new, unsigned int size,
			   bool *used, struct nst_udp_sender **who)
{
	struct nst_session_id id = {
		.name = new->name, .context = new->context,
		.context_len = new->context_len,
	};
	struct nst_udp_sender *sender = find(new->nst, &id);
	enum nst_drop drop;

	*who = sender ?: new;
	if (sender && may_rise(sender, new->line, size)) {
		nst_udp_line_change(sender, new->line);
		return NST_OK;
	}
	drop = nst_udp_line_room(new->nst, (*who)->line, 1, size);
	if (drop || sender)
		return drop;
	*used = true;
	hlist_add_head_rcu(&new->node, chain(new->nst, &new->name));
	nst_udp_line_up(new);
	return NST_OK;
}

/* Its socket is charged for a datagram, or is not any more. */
static void charge(struct nst_udp_sender *sender, struct nst_udp_waiting *w,
		   bool charged)
{
	int cost = w->cost;

	if (w->charged != charged)
		nst_udp_line_charge(sender, charged ? cost : -cost);
	w->charged = charged;
}

/**
 * nst_udp_queue_add() - a datagram waits
 * @new: its sender, if it is the first of one
 * @w: the datagram; the queue's if NST_OK is returned
 * @used: receives whether @new is the queue's, too
 * @wake: receives whether it is the only one whose turn it can be in its line: nobody
 *	serves that, nor rests until he may
 *
 * Context: any.
 * Return: as nst_udp_queue_room(); NST_DROP_GONE if the socket is closed.
 */
enum nst_drop nst_udp_queue_add(struct nst_udp_sender *new,
				struct nst_udp_waiting *w, bool *used,
				bool *wake)
{
	enum nst_udp_line_nr line = new->line;
	enum nst_drop drop = NST_DROP_GONE;
	struct nst_udp_sender *sender;
	bool some;

	*used = false;
	w->size = w->skb->truesize;
	spin_lock_bh(&nst_udp_line_lock);
	some = nst_udp_line_some(line);
	if (!new->nst->queue.closed)
		drop = enter(new, w->size, used, &sender);
	if (!drop) {
		list_add_tail(&w->list, &sender->waiting);
		w->cost = nst_udp_line_cost(sender, w->size);
		nst_udp_line_add(sender, 1, w->size);
		charge(sender, w, true);
	}
	*wake = !some && nst_udp_line_some(line);
	spin_unlock_bh(&nst_udp_line_lock);
	return drop;
}

/**
 * nst_udp_queue_first() - what waits longest of a sender
 * @sender: from nst_udp_line_next()
 *
 * Context: process.
 * Return: the datagram, charged to its socket no more. It keeps its place until
 * nst_udp_queue_done(), so that nothing overtakes it. NULL: others have taken all, and
 * the sender is the caller's, to be freed after a grace period.
 */
struct nst_udp_waiting *nst_udp_queue_first(struct nst_udp_sender *sender)
{
	struct nst_udp_waiting *w;

	spin_lock_bh(&nst_udp_line_lock);
	w = list_first_entry_or_null(&sender->waiting, struct nst_udp_waiting,
				     list);
	/* Before it enters UDP, which counts it once more. */
	if (w)
		charge(sender, w, false);
	spin_unlock_bh(&nst_udp_line_lock);
	return w;
}

/**
 * nst_udp_queue_take() - take what waits longest of a sender
 * @sender: from nst_udp_queue_find()
 *
 * It counts until nst_udp_queue_took(), and the sender is found until
 * nst_udp_queue_empty(), so that nothing overtakes it.
 *
 * Context: any, under the sender's lock and rcu_read_lock().
 * Return: the datagram, the caller's; NULL: there is none, or the socket was closed.
 */
struct nst_udp_waiting *nst_udp_queue_take(struct nst_udp_sender *sender)
{
	struct nst_udp_waiting *w = NULL;

	spin_lock_bh(&nst_udp_line_lock);
	if (!hlist_unhashed(&sender->node))
		w = list_first_entry_or_null(&sender->waiting,
					     struct nst_udp_waiting, list);
	if (w) {
		charge(sender, w, false);
		list_del(&w->list);
	}
	spin_unlock_bh(&nst_udp_line_lock);
	return w;
}

/**
 * nst_udp_queue_took() - a datagram waits no more
 * @sender: its sender
 * @w: what nst_udp_queue_take() gave
 *
 * Context: any, under the sender's lock and rcu_read_lock().
 */
void nst_udp_queue_took(struct nst_udp_sender *sender,
			const struct nst_udp_waiting *w)
{
	spin_lock_bh(&nst_udp_line_lock);
	/* Who has closed the socket has counted it. */
	if (!hlist_unhashed(&sender->node))
		nst_udp_line_add(sender, -1, -(int)w->size);
	spin_unlock_bh(&nst_udp_line_lock);
}

/**
 * nst_udp_queue_empty() - does nothing wait of a sender any more?
 * @sender: from nst_udp_queue_find()
 * @unused: receives whether the sender is the caller's, to be freed after a grace
 *	period
 *
 * Context: any, under the sender's lock and rcu_read_lock().
 */
bool nst_udp_queue_empty(struct nst_udp_sender *sender, bool *unused)
{
	bool empty;

	*unused = false;
	spin_lock_bh(&nst_udp_line_lock);
	empty = hlist_unhashed(&sender->node);
	if (!empty && list_empty(&sender->waiting)) {
		empty = true;
		unlink(sender);
		/* Without a turn, the work has it, and finds that. */
		*unused = !list_empty(&sender->turn);
		if (*unused)
			nst_udp_line_leave(sender);
	}
	spin_unlock_bh(&nst_udp_line_lock);
	return empty;
}

/**
 * nst_udp_queue_done() - a datagram waits no more
 * @sender: its sender
 * @w: what nst_udp_queue_first() gave; the caller's
 *
 * Context: process.
 * Return: true if it was the last: @sender is the caller's, to be freed after a grace
 * period.
 */
bool nst_udp_queue_done(struct nst_udp_sender *sender,
			struct nst_udp_waiting *w)
{
	bool last;

	spin_lock_bh(&nst_udp_line_lock);
	list_del(&w->list);
	nst_udp_line_add(sender, -1, -(int)w->size);
	last = list_empty(&sender->waiting);
	if (last)
		unlink(sender);
	spin_unlock_bh(&nst_udp_line_lock);
	return last;
}

/* What waits is freed by whom it is left to. */
static void drop_all(struct nst_udp_sender *sender)
{
	unlink(sender);
	nst_udp_line_charge(sender, -(int)sender->bytes);
	nst_udp_line_add(sender, -(int)sender->nr, -(int)sender->size);
}

/**
 * nst_udp_queue_again() - more of a sender wait, at the end of a line
 * @sender: from nst_udp_line_next()
 * @line: which; NST_LINES: where it is
 *
 * The first of them, if nst_udp_queue_first() gave it, is charged again.
 *
 * Context: process.
 * Return: false if the socket was closed, or others have taken all: @sender and what
 * waits is the caller's, to be freed after a grace period.
 */
bool nst_udp_queue_again(struct nst_udp_sender *sender, enum nst_udp_line_nr line)
{
	struct nst_udp_waiting *w;
	bool over;

	spin_lock_bh(&nst_udp_line_lock);
	over = hlist_unhashed(&sender->node);
	if (!over && sender->nst->queue.closed) {
		over = true;
		drop_all(sender);
	}
	if (!over) {
		/* None: who has taken the last one has not done with it. */
		w = list_first_entry_or_null(&sender->waiting,
					     struct nst_udp_waiting, list);
		if (w)
			charge(sender, w, true);
		if (line != NST_LINES)
			nst_udp_line_change(sender, line);
		nst_udp_line_up(sender);
	}
	spin_unlock_bh(&nst_udp_line_lock);
	return !over;
}

/**
 * nst_udp_queue_close() - nothing waits at a socket any more
 * @nst: its state
 *
 * Context: any.
 * Return: a sender, and what waits of it, the caller's, to be freed after a grace
 * period; there may be more. NULL: that was all.
 */
struct nst_udp_sender *nst_udp_queue_close(struct nst_udp *nst)
{
	struct nst_udp_line *line = nst->queue.line;
	struct nst_udp_sender *sender = NULL;
	unsigned int i;

	spin_lock_bh(&nst_udp_line_lock);
	nst->queue.closed = true;
	for (i = 0; i < NST_LINES && !sender; i++)
		sender = list_first_entry_or_null(&line[i].sender,
						  struct nst_udp_sender, turn);
	if (sender) {
		nst_udp_line_leave(sender);
		drop_all(sender);
	}
	spin_unlock_bh(&nst_udp_line_lock);
	return sender;
}

/**
 * nst_udp_queue_init() - a socket at which nothing waits
 * @queue: the socket's
 */
void nst_udp_queue_init(struct nst_udp_queue *queue)
{
	unsigned int i;

	for (i = 0; i < NST_LINES; i++) {
		INIT_LIST_HEAD(&queue->line[i].ring);
		INIT_LIST_HEAD(&queue->line[i].sender);
	}
}
