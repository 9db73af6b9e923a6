// SPDX-License-Identifier: GPL-2.0
/*
 * Rings: of users that something waits for, of the sockets of each, of the senders
 * to each socket; one of each for either part of the budget. Whoever is taken from
 * the front goes to the end.
 */
#include <linux/hash.h>
#include <linux/jhash.h>
#include <linux/random.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include "limits.h"
#include "udp_queue.h"

#define SENDER_BITS	10
#define USER_BITS	6

/**
 * struct nst_udp_user - who has sockets, whatever his namespaces and boxes
 * @node: in the table of all
 * @id: a kuid of the host; immutable
 * @sockets: how many he has
 * @active: of those, where something waits
 * @ring: among all users, one for each part of the budget; empty: nothing waits
 * @socket: his sockets where something waits, likewise
 */
struct nst_udp_user {
	struct hlist_node node;
	u64 id;
	unsigned int sockets;
	unsigned int active;
	struct list_head ring[NST_BUDGET_PARTS];
	struct list_head socket[NST_BUDGET_PARTS];
};

static DEFINE_SPINLOCK(lock);
static struct hlist_head users[1 << USER_BITS];
static struct hlist_head senders[1 << SENDER_BITS];
static struct list_head ring[NST_BUDGET_PARTS] = {
	LIST_HEAD_INIT(ring[0]), LIST_HEAD_INIT(ring[1]),
};

static struct nst_udp_user *user_of(u64 id)
{
	struct nst_udp_user *user;

	lockdep_assert_held(&lock);
	hlist_for_each_entry(user, &users[hash_64(id, USER_BITS)], node)
		if (user->id == id)
			return user;
	return NULL;
}

static void add_user(struct nst_udp_user *user, u64 id)
{
	unsigned int part;

	user->id = id;
	for (part = 0; part < NST_BUDGET_PARTS; part++) {
		INIT_LIST_HEAD(&user->ring[part]);
		INIT_LIST_HEAD(&user->socket[part]);
	}
	hlist_add_head(&user->node, &users[hash_64(id, USER_BITS)]);
}

/**
 * nst_udp_user_get() - the user of that name has a socket more
 * @id: a kuid of the host
 *
 * Context: process.
 * Return: NULL without memory.
 */
struct nst_udp_user *nst_udp_user_get(u64 id)
{
	struct nst_udp_user *new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	struct nst_udp_user *user;

	if (!new)
		return NULL;
	spin_lock_bh(&lock);
	user = user_of(id);
	if (!user) {
		user = new;
		new = NULL;
		add_user(user, id);
	}
	user->sockets++;
	spin_unlock_bh(&lock);
	kfree(new);
	return user;
}

/**
 * nst_udp_user_put() - a socket less
 * @user: the user; freed with his last
 *
 * Context: any.
 */
void nst_udp_user_put(struct nst_udp_user *user)
{
	bool last;

	spin_lock_bh(&lock);
	last = !--user->sockets;
	if (last)
		hlist_del(&user->node);
	spin_unlock_bh(&lock);
	if (last)
		kfree(user);
}

/**
 * nst_udp_queue_has_room() - may one more wait at a socket?
 * @nst: the socket's state
 * @skb: the datagram
 *
 * What a user may have waiting is shared out among his sockets that something waits
 * at, NST_PENDING_MAX at most: who comes later finds his share. Half of SO_RCVBUF
 * stays free of it, for datagrams of sessions that are known. Also looked at without
 * the lock, so that a flood costs no allocation.
 *
 * Context: any.
 */
bool nst_udp_queue_has_room(const struct nst_udp *nst,
			    const struct sk_buff *skb)
{
	unsigned int others = READ_ONCE(nst->user->active);
	unsigned int nr = READ_ONCE(nst->queue.nr);
	unsigned int bytes = READ_ONCE(nst->queue.bytes) + skb->truesize;
	unsigned int rcvbuf = READ_ONCE(nst->sk->sk_rcvbuf);
	unsigned int rmem = atomic_read(&nst->sk->sk_rmem_alloc);

	/* The first one may be as large as it likes, as in UDP's queue. */
	if (!nr)
		return rmem <= rcvbuf && others < NST_PENDING_MAX;
	others -= !!others;
	return nr < NST_PENDING_MAX / (others + 1) &&
	       bytes <= NST_PENDING_BYTES / (others + 1) &&
	       bytes <= rcvbuf / 2 && rmem + skb->truesize <= rcvbuf;
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
				 lockdep_is_held(&lock))
		if (is_of(sender, nst, id))
			return sender;
	return NULL;
}

/**
 * nst_udp_queue_has() - does something of that sender wait at a socket?
 * @nst: the socket's state
 * @id: of the session
 *
 * Context: any, under rcu_read_lock().
 */
bool nst_udp_queue_has(struct nst_udp *nst, const struct nst_session_id *id)
{
	return READ_ONCE(nst->queue.nr) && find(nst, id);
}

/* Its turn comes behind all others that are there. */
static void line_up(struct nst_udp_sender *sender)
{
	struct nst_udp_user *user = sender->nst->user;
	struct nst_udp_queue *queue = &sender->nst->queue;
	enum nst_budget_part part = sender->part;

	lockdep_assert_held(&lock);
	list_add_tail(&sender->turn, &queue->sender[part]);
	if (list_empty(&queue->ring[part]))
		list_add_tail(&queue->ring[part], &user->socket[part]);
	if (list_empty(&user->ring[part]))
		list_add_tail(&user->ring[part], &ring[part]);
}

/* Its datagrams wait no more, and nobody finds it. */
static void unlink(struct nst_udp_sender *sender)
{
	lockdep_assert_held(&lock);
	hlist_del_rcu(&sender->node);
}

static void count(struct nst_udp *nst, struct nst_udp_waiting *w)
{
	struct nst_udp_queue *queue = &nst->queue;

	if (!queue->nr++)
		nst->user->active++;
	w->truesize = w->skb->truesize;
	queue->bytes += w->truesize;
	atomic_add(w->truesize, &nst->sk->sk_rmem_alloc);
}

/* Before it enters UDP, which counts it once more. */
static void uncharge(struct nst_udp *nst, struct nst_udp_waiting *w)
{
	nst->queue.bytes -= w->truesize;
	atomic_sub(w->truesize, &nst->sk->sk_rmem_alloc);
	w->truesize = 0;
}

static void uncount(struct nst_udp *nst)
{
	if (!--nst->queue.nr)
		nst->user->active--;
}

/**
 * nst_udp_queue_add() - a datagram waits
 * @new: its sender, if it is the first of one
 * @w: the datagram; the queue's if true is returned
 * @used: receives whether @new is the queue's, too
 *
 * Context: any.
 * Return: true if there was room.
 */
bool nst_udp_queue_add(struct nst_udp_sender *new, struct nst_udp_waiting *w,
		       bool *used)
{
	struct nst_session_id id = {
		.name = new->name, .context = new->context,
		.context_len = new->context_len,
	};
	struct nst_udp *nst = new->nst;
	struct nst_udp_sender *sender;
	bool room;

	*used = false;
	spin_lock_bh(&lock);
	room = !nst->queue.closed && nst_udp_queue_has_room(nst, w->skb);
	if (room) {
		sender = find(nst, &id);
		if (!sender) {
			*used = true;
			sender = new;
			hlist_add_head_rcu(&new->node, chain(nst, &new->name));
			line_up(new);
		}
		list_add_tail(&w->list, &sender->waiting);
		count(nst, w);
	}
	spin_unlock_bh(&lock);
	return room;
}

/**
 * nst_udp_queue_some() - does something wait?
 * @part: for which part of the budget
 */
bool nst_udp_queue_some(enum nst_budget_part part)
{
	return !list_empty_careful(&ring[part]);
}

/* From now on it has no turn. */
static void step_out(struct nst_udp_sender *sender)
{
	struct nst_udp_queue *queue = &sender->nst->queue;
	struct nst_udp_user *user = sender->nst->user;
	enum nst_budget_part part = sender->part;

	lockdep_assert_held(&lock);
	list_del_init(&sender->turn);
	if (list_empty(&queue->sender[part]))
		list_del_init(&queue->ring[part]);
	if (list_empty(&user->socket[part]))
		list_del_init(&user->ring[part]);
}

/**
 * nst_udp_queue_next() - whose turn is it?
 * @part: for which part of the budget
 *
 * Context: process.
 * Return: a sender, which is found still, so that what comes of it lines up behind;
 * for nst_udp_queue_done() or _again(). NULL: nothing waits.
 */
struct nst_udp_sender *nst_udp_queue_next(enum nst_budget_part part)
{
	struct nst_udp_sender *sender = NULL;
	struct nst_udp_queue *queue;
	struct nst_udp_user *user;

	spin_lock_bh(&lock);
	if (list_empty(&ring[part]))
		goto out;
	user = list_first_entry(&ring[part], struct nst_udp_user, ring[part]);
	queue = list_first_entry(&user->socket[part], struct nst_udp_queue,
				 ring[part]);
	sender = list_first_entry(&queue->sender[part], struct nst_udp_sender,
				  turn);
	list_move_tail(&queue->ring[part], &user->socket[part]);
	list_move_tail(&user->ring[part], &ring[part]);
	step_out(sender);
out:
	spin_unlock_bh(&lock);
	return sender;
}

/**
 * nst_udp_queue_first() - what waits longest of a sender
 * @sender: from nst_udp_queue_next()
 *
 * Context: process.
 * Return: the datagram, charged to its socket no more. It keeps its place until
 * nst_udp_queue_done(), so that nothing overtakes it.
 */
struct nst_udp_waiting *nst_udp_queue_first(struct nst_udp_sender *sender)
{
	struct nst_udp_waiting *w;

	spin_lock_bh(&lock);
	w = list_first_entry(&sender->waiting, struct nst_udp_waiting, list);
	uncharge(sender->nst, w);
	spin_unlock_bh(&lock);
	return w;
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

	spin_lock_bh(&lock);
	list_del(&w->list);
	uncount(sender->nst);
	last = list_empty(&sender->waiting);
	if (last)
		unlink(sender);
	spin_unlock_bh(&lock);
	return last;
}

static void drop_all(struct nst_udp_sender *sender)
{
	struct nst_udp_waiting *w;

	unlink(sender);
	list_for_each_entry(w, &sender->waiting, list) {
		uncharge(sender->nst, w);
		uncount(sender->nst);
	}
}

/**
 * nst_udp_queue_again() - more of a sender wait, at the end of the line
 * @sender: from nst_udp_queue_next()
 *
 * Context: process.
 * Return: false if the socket was closed: @sender and what waits is the caller's, to
 * be freed after a grace period.
 */
bool nst_udp_queue_again(struct nst_udp_sender *sender)
{
	bool closed;

	spin_lock_bh(&lock);
	closed = sender->nst->queue.closed;
	if (closed)
		drop_all(sender);
	else
		line_up(sender);
	spin_unlock_bh(&lock);
	return !closed;
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
	struct nst_udp_sender *sender = NULL;
	unsigned int part;

	spin_lock_bh(&lock);
	nst->queue.closed = true;
	for (part = 0; part < NST_BUDGET_PARTS && !sender; part++)
		sender = list_first_entry_or_null(&nst->queue.sender[part],
						  struct nst_udp_sender, turn);
	if (sender) {
		step_out(sender);
		drop_all(sender);
	}
	spin_unlock_bh(&lock);
	return sender;
}

/**
 * nst_udp_queue_init() - a socket at which nothing waits
 * @queue: the socket's
 */
void nst_udp_queue_init(struct nst_udp_queue *queue)
{
	unsigned int part;

	for (part = 0; part < NST_BUDGET_PARTS; part++) {
		INIT_LIST_HEAD(&queue->ring[part]);
		INIT_LIST_HEAD(&queue->sender[part]);
	}
}
