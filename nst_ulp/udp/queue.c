// SPDX-License-Identifier: GPL-2.0
/*
 * Users that something waits for, by what they were given; rings of the sockets of
 * each, and of the senders to each socket, of which whoever is taken from the front
 * goes to the end. One of each for every line.
 */
#include <linux/hash.h>
#include <linux/jhash.h>
#include <linux/minmax.h>
#include <linux/random.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include "limits.h"
#include "udp/queue.h"

#define SENDER_BITS	10
#define USER_BITS	6

/**
 * struct nst_udp_user - who has sockets, whatever his namespaces and boxes
 * @node: in the table of all
 * @id: a kuid of the host; immutable
 * @sockets: how many he has
 * @active: of those, where something waits, in each line; read without the lock
 * @share: what he was given, in each line; he wants more while something waits
 * @socket: his sockets where something waits, in each line
 */
struct nst_udp_user {
	struct hlist_node node;
	u64 id;
	unsigned int sockets;
	unsigned int active[NST_LINES];
	struct nst_share share[NST_LINES];
	struct list_head socket[NST_LINES];
};

static DEFINE_SPINLOCK(lock);
static struct hlist_head users[1 << USER_BITS];
static struct hlist_head senders[1 << SENDER_BITS];
static struct nst_shares shares[NST_LINES];

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
	unsigned int i;

	user->id = id;
	for (i = 0; i < NST_LINES; i++) {
		nst_share_init(&user->share[i]);
		INIT_LIST_HEAD(&user->socket[i]);
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

/*
 * May so many datagrams of so many bytes more wait in a line, or why not? The first
 * one may be as large as it likes, as in UDP's queue; see charge_of().
 */
static enum nst_drop room(const struct nst_udp *nst, enum nst_udp_line_nr line,
			  unsigned int nr, unsigned int bytes)
{
	unsigned int others = READ_ONCE(nst->user->active[line]);
	unsigned int had = READ_ONCE(nst->queue.line[line].nr);
	unsigned int sum = READ_ONCE(nst->queue.line[line].bytes) + bytes;
	unsigned int rcvbuf = READ_ONCE(nst->sk->sk_rcvbuf);
	unsigned int rmem = atomic_read(&nst->sk->sk_rmem_alloc);

	if (!had && nr == 1)
		return rmem > rcvbuf ? NST_DROP_RCVBUF :
		       others < NST_PENDING_MAX ? NST_OK :
						  NST_DROP_SESSION_QUEUE;
	others -= had && others;
	if (had + nr > NST_PENDING_MAX / (others + 1) ||
	    sum > NST_PENDING_BYTES / (others + 1))
		return NST_DROP_SESSION_QUEUE;
	return sum > rcvbuf / 2 || rmem + bytes > rcvbuf ? NST_DROP_RCVBUF :
							   NST_OK;
}

/**
 * nst_udp_queue_room() - may one more wait at a socket?
 * @nst: the socket's state
 * @line: where it would
 * @skb: the datagram
 *
 * What a user may have waiting in a line is shared out among his sockets that
 * something waits at, NST_PENDING_MAX at most: who comes later finds his share. A
 * line takes half of SO_RCVBUF at most, so strangers leave the other half to senders
 * that are known. Also looked at without the lock, so that a flood costs no
 * allocation.
 *
 * Context: any.
 * Return: NST_OK; NST_DROP_SESSION_QUEUE; NST_DROP_RCVBUF.
 */
enum nst_drop nst_udp_queue_room(const struct nst_udp *nst,
				 enum nst_udp_line_nr line,
				 const struct sk_buff *skb)
{
	return room(nst, line, 1, skb->truesize);
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
	struct nst_udp_line *line = &sender->nst->queue.line[sender->line];
	struct nst_udp_user *user = sender->nst->user;

	lockdep_assert_held(&lock);
	list_add_tail(&sender->turn, &line->sender);
	if (list_empty(&line->ring))
		list_add_tail(&line->ring, &user->socket[sender->line]);
	nst_share_enter(&shares[sender->line], &user->share[sender->line]);
}

/* From now on it has no turn. */
static void step_out(struct nst_udp_sender *sender)
{
	struct nst_udp_line *line = &sender->nst->queue.line[sender->line];
	struct nst_udp_user *user = sender->nst->user;

	lockdep_assert_held(&lock);
	list_del_init(&sender->turn);
	if (list_empty(&line->sender))
		list_del_init(&line->ring);
	if (list_empty(&user->socket[sender->line]))
		nst_share_leave(&shares[sender->line],
				&user->share[sender->line]);
}

/*
 * What a datagram of so many bytes is charged to its socket. The first one in a line
 * may be larger than that has room for: it is charged what leaves half of SO_RCVBUF
 * to others, so that one which somebody has invented keeps nobody out.
 */
static unsigned int charge_of(const struct nst_udp_sender *sender,
			      unsigned int bytes)
{
	unsigned int rcvbuf = READ_ONCE(sender->sk->sk_rcvbuf);
	unsigned int rmem = atomic_read(&sender->sk->sk_rmem_alloc);

	if (sender->nst->queue.line[sender->line].nr)
		return bytes;
	return min3(bytes, rcvbuf / 2, rcvbuf > rmem ? rcvbuf - rmem : 0);
}

/* More waits in its line, or less. */
static void count(struct nst_udp_sender *sender, int nr, int bytes)
{
	struct nst_udp_line *line = &sender->nst->queue.line[sender->line];
	bool was = line->nr;

	lockdep_assert_held(&lock);
	WRITE_ONCE(line->nr, line->nr + nr);
	WRITE_ONCE(line->bytes, line->bytes + bytes);
	if (was != !!line->nr)
		sender->nst->user->active[sender->line] += was ? -1 : 1;
}

static void change_line(struct nst_udp_sender *sender, enum nst_udp_line_nr line)
{
	bool has_turn = !list_empty(&sender->turn);

	if (line == sender->line)
		return;
	if (has_turn)
		step_out(sender);
	count(sender, -(int)sender->nr, -(int)sender->bytes);
	sender->line = line;
	count(sender, sender->nr, sender->bytes);
	if (has_turn)
		line_up(sender);
}

/* Its datagrams wait no more, and nobody finds it. */
static void unlink(struct nst_udp_sender *sender)
{
	lockdep_assert_held(&lock);
	hlist_del_rcu(&sender->node);
}

static void charge(struct nst_udp_sender *sender, int bytes)
{
	count(sender, 0, bytes);
	sender->bytes += bytes;
	atomic_add(bytes, &sender->sk->sk_rmem_alloc);
}

static void add_nr(struct nst_udp_sender *sender, int nr)
{
	struct nst_udp_queue *queue = &sender->nst->queue;

	count(sender, nr, 0);
	sender->nr += nr;
	WRITE_ONCE(queue->nr, queue->nr + nr);
}

/*
 * May a datagram wait in a better line than those of its sender that wait already?
 * They go there as well, so there is to be room for all.
 */
static bool may_rise(const struct nst_udp_sender *sender,
		     enum nst_udp_line_nr line, unsigned int bytes)
{
	return line < sender->line &&
	       !room(sender->nst, line, sender->nr + 1, sender->bytes + bytes);
}

/* Who has @new's datagrams, if there is room for one of so many bytes. */
static enum nst_drop enter(struct nst_udp_sender *new, unsigned int bytes,
			   bool *used, struct nst_udp_sender **who)
{
	struct nst_session_id id = {
		.name = new->name, .context = new->context,
		.context_len = new->context_len,
	};
	struct nst_udp_sender *sender = find(new->nst, &id);
	enum nst_drop drop;

	*who = sender ?: new;
	if (sender && may_rise(sender, new->line, bytes)) {
		change_line(sender, new->line);
		return NST_OK;
	}
	drop = room(new->nst, (*who)->line, 1, bytes);
	if (drop || sender)
		return drop;
	*used = true;
	hlist_add_head_rcu(&new->node, chain(new->nst, &new->name));
	line_up(new);
	return NST_OK;
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
	spin_lock_bh(&lock);
	some = nst_udp_queue_some(line);
	if (!new->nst->queue.closed)
		drop = enter(new, w->skb->truesize, used, &sender);
	if (!drop) {
		list_add_tail(&w->list, &sender->waiting);
		w->charged = charge_of(sender, w->skb->truesize);
		add_nr(sender, 1);
		charge(sender, w->charged);
	}
	*wake = !some && nst_udp_queue_some(line);
	spin_unlock_bh(&lock);
	return drop;
}

/**
 * nst_udp_queue_some() - does something wait?
 * @line: where
 */
bool nst_udp_queue_some(enum nst_udp_line_nr line)
{
	return !RB_EMPTY_ROOT(&shares[line].root);
}

/**
 * nst_udp_queue_next() - whose turn is it?
 * @line: in which line
 *
 * Context: process.
 * Return: a sender, which is found still, so that what comes of it lines up behind;
 * for nst_udp_queue_give(), and _done() or _again(). NULL: nothing waits.
 */
struct nst_udp_sender *nst_udp_queue_next(enum nst_udp_line_nr line)
{
	struct nst_udp_sender *sender = NULL;
	struct nst_udp_user *user;
	struct nst_share *share;
	struct nst_udp_line *at;

	spin_lock_bh(&lock);
	share = nst_share_next(&shares[line]);
	if (!share)
		goto out;
	user = container_of(share - line, struct nst_udp_user, share[0]);
	at = list_first_entry(&user->socket[line], struct nst_udp_line, ring);
	sender = list_first_entry(&at->sender, struct nst_udp_sender, turn);
	list_move_tail(&at->ring, &user->socket[line]);
	step_out(sender);
out:
	spin_unlock_bh(&lock);
	return sender;
}

/**
 * nst_udp_queue_give() - what a user's turn has taken
 * @sender: from nst_udp_queue_next()
 * @line: likewise
 * @ns: so much time, not 0
 *
 * Context: process.
 */
void nst_udp_queue_give(struct nst_udp_sender *sender, enum nst_udp_line_nr line,
			u64 ns)
{
	spin_lock_bh(&lock);
	nst_share_give(&shares[line], &sender->nst->user->share[line], ns);
	spin_unlock_bh(&lock);
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
	/* Before it enters UDP, which counts it once more. */
	charge(sender, -(int)w->charged);
	w->charged = 0;
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
	add_nr(sender, -1);
	last = list_empty(&sender->waiting);
	if (last)
		unlink(sender);
	spin_unlock_bh(&lock);
	return last;
}

/* What waits is freed by whom it is left to. */
static void drop_all(struct nst_udp_sender *sender)
{
	unlink(sender);
	charge(sender, -(int)sender->bytes);
	add_nr(sender, -(int)sender->nr);
}

/**
 * nst_udp_queue_again() - more of a sender wait, at the end of a line
 * @sender: from nst_udp_queue_next()
 * @line: which; NST_LINES: where it is
 *
 * Context: process.
 * Return: false if the socket was closed: @sender and what waits is the caller's, to
 * be freed after a grace period.
 */
bool nst_udp_queue_again(struct nst_udp_sender *sender, enum nst_udp_line_nr line)
{
	bool closed;

	spin_lock_bh(&lock);
	closed = sender->nst->queue.closed;
	if (closed) {
		drop_all(sender);
	} else {
		if (line != NST_LINES)
			change_line(sender, line);
		line_up(sender);
	}
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
	struct nst_udp_line *line = nst->queue.line;
	struct nst_udp_sender *sender = NULL;
	unsigned int i;

	spin_lock_bh(&lock);
	nst->queue.closed = true;
	for (i = 0; i < NST_LINES && !sender; i++)
		sender = list_first_entry_or_null(&line[i].sender,
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
	unsigned int i;

	for (i = 0; i < NST_LINES; i++) {
		INIT_LIST_HEAD(&queue->line[i].ring);
		INIT_LIST_HEAD(&queue->line[i].sender);
	}
}
