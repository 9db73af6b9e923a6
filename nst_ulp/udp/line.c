// SPDX-License-Identifier: GPL-2.0
/*
 * Lines. Users that something waits for, by what they were given; rings of the
 * sockets of each, and of the senders to each socket, of which whoever is taken from
 * the front goes to the end. One of each for every line.
 */
#include <linux/hash.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include "limits.h"
#include "udp/line.h"

#define USER_BITS	6

/**
 * struct nst_udp_user - who has sockets, whatever his namespaces and boxes
 * @node: in the table of all
 * @id: a kuid of the host; immutable
 * @sockets: how many he has
 * @active: of those, where something waits, in each line; read without the lock
 * @nr: datagrams that wait at them, in each line; likewise
 * @size: memory that those take; likewise
 * @share: what he was given, in each line; he wants more while something waits
 * @socket: his sockets where something waits, in each line
 */
struct nst_udp_user {
	struct hlist_node node;
	u64 id;
	unsigned int sockets;
	unsigned int active[NST_LINES];
	unsigned int nr[NST_LINES];
	unsigned int size[NST_LINES];
	struct nst_share share[NST_LINES];
	struct list_head socket[NST_LINES];
};

DEFINE_SPINLOCK(nst_udp_line_lock);
static struct hlist_head users[1 << USER_BITS];
static struct nst_shares shares[NST_LINES];

static struct nst_udp_user *user_of(u64 id)
{
	struct nst_udp_user *user;

	lockdep_assert_held(&nst_udp_line_lock);
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
	spin_lock_bh(&nst_udp_line_lock);
	user = user_of(id);
	if (!user) {
		user = new;
		new = NULL;
		add_user(user, id);
	}
	user->sockets++;
	spin_unlock_bh(&nst_udp_line_lock);
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

	spin_lock_bh(&nst_udp_line_lock);
	last = !--user->sockets;
	if (last)
		hlist_del(&user->node);
	spin_unlock_bh(&nst_udp_line_lock);
	if (last)
		kfree(user);
}

/*
 * What SO_RCVBUF has for datagrams in a line at most: half of it, and the two lines
 * that strangers come to have three quarters together, so that neither keeps the
 * other out, nor both those whose session is known.
 */
static unsigned int most_of(const struct nst_udp *nst, enum nst_udp_line_nr line)
{
	unsigned int rcvbuf = READ_ONCE(nst->sk->sk_rcvbuf), other;

	if (line == NST_LINE_READY)
		return rcvbuf / 2;
	other = READ_ONCE(nst->queue.line[line == NST_LINE_NEXT ?
					  NST_LINE_FRESH : NST_LINE_NEXT].bytes);
	return min(rcvbuf / 2, rcvbuf / 4 * 3 - min(rcvbuf / 4 * 3, other));
}

/* A user has so much of @most in all: how much of that is left for one socket? */
static unsigned int left(unsigned int most, unsigned int used)
{
	return 2 * most - min(2 * most, used);
}

/* May so much more wait of a user, at that socket? */
static bool user_room(const struct nst_udp *nst, enum nst_udp_line_nr line,
		      unsigned int nr, unsigned int size)
{
	const struct nst_udp_user *user = nst->user;
	const struct nst_udp_line *at = &nst->queue.line[line];
	unsigned int had = READ_ONCE(at->nr);
	unsigned int nrs = left(NST_PENDING_MAX, READ_ONCE(user->nr[line]));
	unsigned int sizes = left(NST_PENDING_BYTES,
				  READ_ONCE(user->size[line]));

	/* Where nothing waits, one small one always may: that gets its turn. */
	if (!had && nr == 1)
		return READ_ONCE(user->active[line]) < NST_PENDING_MAX &&
		       (size <= NST_PENDING_SMALL || size <= sizes);
	/* Those of its own are no longer left. */
	return had + nr <= nrs && READ_ONCE(at->size) + size <= sizes;
}

/**
 * nst_udp_line_room() - may more wait at a socket?
 * @nst: the socket's state
 * @line: where it would
 * @nr: so many datagrams
 * @size: of so many bytes together
 *
 * The first one may be larger than SO_RCVBUF has room for, as in UDP's queue; see
 * nst_udp_line_cost(). What its user has bounds it all the same.
 *
 * Context: any; without the lock it is a guess.
 * Return: as nst_udp_queue_room().
 */
enum nst_drop nst_udp_line_room(const struct nst_udp *nst, enum nst_udp_line_nr line,
				unsigned int nr, unsigned int size)
{
	unsigned int sum = READ_ONCE(nst->queue.line[line].bytes) + size;
	unsigned int rcvbuf = READ_ONCE(nst->sk->sk_rcvbuf);
	unsigned int rmem = atomic_read(&nst->sk->sk_rmem_alloc);
	bool first = !READ_ONCE(nst->queue.line[line].nr) && nr == 1;

	if (first && rmem > rcvbuf)
		return NST_DROP_RCVBUF;
	if (!user_room(nst, line, nr, size))
		return NST_DROP_SESSION_QUEUE;
	return !first && (sum > most_of(nst, line) || rmem + size > rcvbuf) ?
	       NST_DROP_RCVBUF : NST_OK;
}

/**
 * nst_udp_line_up() - a sender's turn comes, behind all others that are there
 * @sender: one that has none
 *
 * Context: any, under the lock.
 */
void nst_udp_line_up(struct nst_udp_sender *sender)
{
	struct nst_udp_line *line = &sender->nst->queue.line[sender->line];
	struct nst_udp_user *user = sender->nst->user;

	lockdep_assert_held(&nst_udp_line_lock);
	list_add_tail(&sender->turn, &line->sender);
	if (list_empty(&line->ring))
		list_add_tail(&line->ring, &user->socket[sender->line]);
	nst_share_enter(&shares[sender->line], &user->share[sender->line]);
}

/**
 * nst_udp_line_leave() - from now on a sender has no turn
 * @sender: one that has
 *
 * Context: any, under the lock.
 */
void nst_udp_line_leave(struct nst_udp_sender *sender)
{
	struct nst_udp_line *line = &sender->nst->queue.line[sender->line];
	struct nst_udp_user *user = sender->nst->user;

	lockdep_assert_held(&nst_udp_line_lock);
	list_del_init(&sender->turn);
	if (list_empty(&line->sender))
		list_del_init(&line->ring);
	if (list_empty(&user->socket[sender->line]))
		nst_share_leave(&shares[sender->line],
				&user->share[sender->line]);
}

/**
 * nst_udp_line_cost() - what a datagram is charged to its socket
 * @sender: its sender
 * @bytes: memory that it takes
 *
 * The first one in a line may be larger than that has room for: it is charged what
 * leaves to others what is theirs, so that one which somebody has invented keeps
 * nobody out.
 *
 * Context: any, under the lock.
 * Return: so many bytes.
 */
unsigned int nst_udp_line_cost(const struct nst_udp_sender *sender,
			       unsigned int bytes)
{
	unsigned int rcvbuf = READ_ONCE(sender->sk->sk_rcvbuf);
	unsigned int rmem = atomic_read(&sender->sk->sk_rmem_alloc);

	if (sender->nst->queue.line[sender->line].nr)
		return bytes;
	return min3(bytes, most_of(sender->nst, sender->line),
		    rcvbuf > rmem ? rcvbuf - rmem : 0);
}

/* More waits in its line, or less. */
static void count(struct nst_udp_sender *sender, int nr, int size)
{
	struct nst_udp_line *line = &sender->nst->queue.line[sender->line];
	struct nst_udp_user *user = sender->nst->user;
	enum nst_udp_line_nr i = sender->line;
	bool was = line->nr;

	lockdep_assert_held(&nst_udp_line_lock);
	WRITE_ONCE(line->nr, line->nr + nr);
	WRITE_ONCE(line->size, line->size + size);
	WRITE_ONCE(user->nr[i], user->nr[i] + nr);
	WRITE_ONCE(user->size[i], user->size[i] + size);
	if (was != !!line->nr)
		WRITE_ONCE(user->active[i], user->active[i] + (was ? -1 : 1));
}

/* It takes more of its socket's memory, or less. */
static void charge(struct nst_udp_sender *sender, int bytes)
{
	struct nst_udp_line *line = &sender->nst->queue.line[sender->line];

	lockdep_assert_held(&nst_udp_line_lock);
	WRITE_ONCE(line->bytes, line->bytes + bytes);
}

/**
 * nst_udp_line_change() - what waits of a sender goes to another line
 * @sender: the sender; if it has a turn, that comes at the end
 * @line: where to; or where it is
 *
 * Context: any, under the lock.
 */
void nst_udp_line_change(struct nst_udp_sender *sender, enum nst_udp_line_nr line)
{
	bool has_turn = !list_empty(&sender->turn);

	if (line == sender->line)
		return;
	if (has_turn)
		nst_udp_line_leave(sender);
	count(sender, -(int)sender->nr, -(int)sender->size);
	charge(sender, -(int)sender->bytes);
	sender->line = line;
	count(sender, sender->nr, sender->size);
	charge(sender, sender->bytes);
	if (has_turn)
		nst_udp_line_up(sender);
}

/**
 * nst_udp_line_charge() - what waits of a sender takes more of its socket's memory
 * @sender: the sender
 * @bytes: so much more; below 0: less
 *
 * Context: any, under the lock.
 */
void nst_udp_line_charge(struct nst_udp_sender *sender, int bytes)
{
	charge(sender, bytes);
	sender->bytes += bytes;
	atomic_add(bytes, &sender->sk->sk_rmem_alloc);
}

/**
 * nst_udp_line_add() - more waits of a sender
 * @sender: the sender
 * @nr: so many datagrams more; below 0: fewer
 * @size: memory that these take, likewise
 *
 * Context: any, under the lock.
 */
void nst_udp_line_add(struct nst_udp_sender *sender, int nr, int size)
{
	struct nst_udp_queue *queue = &sender->nst->queue;

	count(sender, nr, size);
	sender->nr += nr;
	sender->size += size;
	WRITE_ONCE(queue->nr, queue->nr + nr);
}

/**
 * nst_udp_line_some() - does something wait?
 * @line: where
 */
bool nst_udp_line_some(enum nst_udp_line_nr line)
{
	return !RB_EMPTY_ROOT(&shares[line].root);
}

/**
 * nst_udp_line_next() - whose turn is it?
 * @line: in which line
 *
 * Context: process.
 * Return: a sender, which is found still, so that what comes of it lines up behind;
 * for nst_udp_line_give(), and nst_udp_queue_done() or _again(). NULL: nothing waits.
 */
struct nst_udp_sender *nst_udp_line_next(enum nst_udp_line_nr line)
{
	struct nst_udp_sender *sender = NULL;
	struct nst_udp_user *user;
	struct nst_share *share;
	struct nst_udp_line *at;

	spin_lock_bh(&nst_udp_line_lock);
	share = nst_share_next(&shares[line]);
	if (!share)
		goto out;
	user = container_of(share - line, struct nst_udp_user, share[0]);
	at = list_first_entry(&user->socket[line], struct nst_udp_line, ring);
	sender = list_first_entry(&at->sender, struct nst_udp_sender, turn);
	list_move_tail(&at->ring, &user->socket[line]);
	nst_udp_line_leave(sender);
out:
	spin_unlock_bh(&nst_udp_line_lock);
	return sender;
}

/**
 * nst_udp_line_give() - what a user's turn has taken
 * @sender: from nst_udp_line_next()
 * @line: likewise
 * @ns: so much time, not 0
 *
 * Context: process.
 */
void nst_udp_line_give(struct nst_udp_sender *sender, enum nst_udp_line_nr line,
		       u64 ns)
{
	spin_lock_bh(&nst_udp_line_lock);
	nst_share_give(&shares[line], &sender->nst->user->share[line], ns);
	spin_unlock_bh(&nst_udp_line_lock);
}
