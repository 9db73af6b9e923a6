// SPDX-License-Identifier: GPL-2.0
/*
 * Sessions: found by their name in one table of the namespace, forgotten in the
 * list of their secret. What was forgotten cannot be told from new any more:
 * the floor refuses it.
 */
#include <linux/atomic.h>
#include <linux/jhash.h>
#include <linux/rcupdate.h>
#include <linux/string.h>
#include "core/sessions.h"
#include "limits.h"

static struct workqueue_struct *release_wq;

static bool same_name(const struct nst_session_name *a,
		      const struct nst_session_name *b)
{
	return a->mem == b->mem && a->upper == b->upper &&
	       a->context_hash == b->context_hash &&
	       !memcmp(&a->epoch, &b->epoch, sizeof(a->epoch));
}

static int is_other(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct nst_session_id *id = arg->key;
	const struct nst_session *ses = obj;

	if (!same_name(&ses->name, &id->name) ||
	    ses->context_len != id->context_len)
		return 1;
	return id->context_len &&
	       memcmp(ses->context, id->context, id->context_len);
}

/*
 * Which epochs there are their senders choose, but not under which seed; contexts
 * have been hashed under a key of their own. All in one round: each datagram pays.
 */
static u32 hash_name(const void *data, u32 len, u32 seed)
{
	const struct nst_session_name *name = data;
	u32 epoch[2];

	BUILD_BUG_ON(sizeof(epoch) != sizeof(name->epoch));
	memcpy(epoch, &name->epoch, sizeof(epoch));
	return jhash_3words(epoch[0], epoch[1], name->upper,
			    seed ^ name->context_hash ^
			    (u32)(unsigned long)name->mem);
}

/* Grows and shrinks with what is known, so that a look costs the same. */
static const struct rhashtable_params params = {
	.key_len	= sizeof(struct nst_session_name),
	.key_offset	= offsetof(struct nst_session, name),
	.head_offset	= offsetof(struct nst_session, node),
	.hashfn		= hash_name,
	.obj_cmpfn	= is_other,
	.automatic_shrinking = true,
};

/**
 * nst_sessions_table() - get ready to find sessions
 * @table: of a set of memories; to be destroyed by rhashtable_destroy()
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int nst_sessions_table(struct rhashtable *table)
{
	return rhashtable_init(table, &params);
}

/**
 * nst_sessions_find() - the session of that name
 * @table: where to look
 * @id: what it is found by
 *
 * Context: any, under rcu_read_lock().
 * Return: borrowed under RCU, alive or not yet; NULL if there is none.
 */
struct nst_session *nst_sessions_find(struct rhashtable *table,
				      const struct nst_session_id *id)
{
	/* No padding, or names would differ in what nobody has set. */
	BUILD_BUG_ON(sizeof(id->name) != sizeof(id->name.mem) +
		     sizeof(id->name.epoch) + 2 * sizeof(u32));
	return rhashtable_lookup(table, id, params);
}

/**
 * nst_sessions_enter() - let a session be found
 * @table: where
 * @ses: not alive yet; there is none of that name
 *
 * Context: any, under the set's lock.
 * Return: 0; an errno if the table had to grow and could not.
 */
int nst_sessions_enter(struct rhashtable *table, struct nst_session *ses)
{
	return rhashtable_insert_fast(table, &ses->node, params);
}

/**
 * nst_sessions_leave() - let it be found no more
 * @table: where
 * @ses: freed by nst_session_release() behind this
 *
 * Context: any, under the set's lock.
 */
void nst_sessions_leave(struct rhashtable *table, struct nst_session *ses)
{
	rhashtable_remove_fast(table, &ses->node, params);
}

/**
 * nst_sessions_pair() - an epoch that passes a multiple of 2^32 has two sessions
 * @table: where they are found
 * @ses: has just come to life; if it may be the second one, they are counted
 *	together from now on
 *
 * Context: any, under the set's lock.
 */
void nst_sessions_pair(struct rhashtable *table, struct nst_session *ses)
{
	struct nst_session_id id = {
		.name = ses->name, .context = ses->context,
		.context_len = ses->context_len,
	};
	u32 first = ses->win.top;
	struct nst_session *other;

	if (first < NST_EPOCH_RECORDS_MAX)
		id.name.upper--;
	else if (-first <= NST_EPOCH_RECORDS_MAX)
		id.name.upper++;
	else
		return;
	rcu_read_lock();
	other = nst_sessions_find(table, &id);
	if (other && !rcu_access_pointer(other->twin)) {
		spin_lock(&other->lock);
		ses->others = other->records;
		rcu_assign_pointer(other->twin, ses);
		rcu_assign_pointer(ses->twin, other);
		spin_unlock(&other->lock);
	}
	rcu_read_unlock();
}

/* What the one has taken counts for the other still. */
static void unpair(struct nst_session *ses)
{
	struct nst_session *other = rcu_dereference_protected(ses->twin, true);

	if (!other)
		return;
	RCU_INIT_POINTER(other->twin, NULL);
	RCU_INIT_POINTER(ses->twin, NULL);
}

/**
 * nst_sessions_init() - begin to remember
 * @sessions: takes what comes to life from now on
 * @floor: newest timestamp that may have been taken before; 0: none
 */
void nst_sessions_init(struct nst_sessions *sessions, u64 floor)
{
	INIT_LIST_HEAD(&sessions->known);
	sessions->by_place = RB_ROOT;
	sessions->nr = 0;
	sessions->nr_keyed = 0;
	WRITE_ONCE(sessions->floor, floor);
}

static void sort_in(struct nst_sessions *sessions, struct nst_session *new)
{
	struct rb_node **link = &sessions->by_place.rb_node, *parent = NULL;
	struct nst_session *ses;

	WRITE_ONCE(new->place, READ_ONCE(new->win.top) >> 16);
	while (*link) {
		parent = *link;
		ses = rb_entry(parent, struct nst_session, by_place);
		link = new->place < ses->place ? &parent->rb_left :
						 &parent->rb_right;
	}
	rb_link_node_rcu(&new->by_place, parent, link);
	rb_insert_color(&new->by_place, &sessions->by_place);
}

/**
 * nst_sessions_place() - put a session where it is looked for
 * @sessions: of its memory
 * @ses: alive, and strayed
 *
 * Context: any, under the set's lock.
 */
void nst_sessions_place(struct nst_sessions *sessions, struct nst_session *ses)
{
	raw_write_seqcount_begin(&sessions->moves);
	rb_erase(&ses->by_place, &sessions->by_place);
	sort_in(sessions, ses);
	raw_write_seqcount_end(&sessions->moves);
}

/**
 * nst_sessions_none_near() - is a nonce for sure of no known sender's next epoch?
 * @sessions: of the secret
 * @nonce: of a datagram without a session
 *
 * A look without the lock, so that what anybody invents takes none.
 *
 * Context: any, under rcu_read_lock().
 * Return: true if nst_sessions_follows() would say no; false if it has to be asked.
 */
bool nst_sessions_none_near(const struct nst_sessions *sessions, u64 nonce)
{
	unsigned int seq = raw_read_seqcount(&sessions->moves);
	u64 place = nonce >> 16, at;
	struct rb_node *node;

	if (seq & 1)
		return false;
	node = rcu_dereference_raw(sessions->by_place.rb_node);
	while (node) {
		at = READ_ONCE(rb_entry(node, struct nst_session,
					by_place)->place);
		if (at > place)
			node = rcu_dereference_raw(node->rb_left);
		else if (at + 1 < place)
			node = rcu_dereference_raw(node->rb_right);
		else
			return false;
	}
	return !read_seqcount_retry(&sessions->moves, seq);
}

/* The last one that is not behind @place. */
static struct nst_session *last_before(const struct nst_sessions *sessions,
				       u64 place)
{
	struct rb_node *node = sessions->by_place.rb_node;
	struct nst_session *ses, *found = NULL;

	while (node) {
		ses = rb_entry(node, struct nst_session, by_place);
		if (ses->place > place) {
			node = node->rb_left;
		} else {
			found = ses;
			node = node->rb_right;
		}
	}
	return found;
}

/**
 * nst_sessions_follows() - may a nonce be of a known sender's next epoch?
 * @sessions: of the secret
 * @nonce: of a datagram without a session
 *
 * Context: any, under the set's lock.
 * Return: true if it is at most NST_NEXT_REACH above the highest of a session.
 */
bool nst_sessions_follows(const struct nst_sessions *sessions, u64 nonce)
{
	struct nst_session *ses = last_before(sessions, nonce >> 16);
	unsigned int i;

	for (i = 0; ses && i < NST_NEXT_LOOKS; i++) {
		if (nonce - READ_ONCE(ses->win.top) - 1 < NST_NEXT_REACH)
			return true;
		if (ses->place + 1 < nonce >> 16)
			return false;
		ses = rb_entry_safe(rb_prev(&ses->by_place),
				    struct nst_session, by_place);
	}
	return false;
}

/**
 * nst_sessions_add() - a session comes to life
 * @sessions: of its memory
 * @ses: the session
 */
void nst_sessions_add(struct nst_sessions *sessions, struct nst_session *ses)
{
	static atomic64_t numbers = ATOMIC64_INIT(0);

	ses->number = atomic64_inc_return(&numbers);
	ses->floor = sessions->floor;
	list_add_tail(&ses->known, &sessions->known);
	raw_write_seqcount_begin(&sessions->moves);
	sort_in(sessions, ses);
	raw_write_seqcount_end(&sessions->moves);
	sessions->nr++;
	/* Who sees this sees the floor; pairs with nst_session_find(). */
	smp_store_release(&ses->live, true);
}

static void keep_older(struct nst_session **best, struct nst_session *ses)
{
	if (!*best || READ_ONCE(ses->newest) < READ_ONCE((*best)->newest))
		*best = ses;
}

/**
 * nst_sessions_retire() - have a session take nothing more, if it may go
 * @ses: alive; NULL: there is none
 * @before: it may if its newest timestamp is below this
 * @beyond: or above this
 *
 * A datagram may have been taken since somebody looked.
 *
 * Context: any, under the set's lock.
 * Return: the session, which is to be forgotten; NULL if it stays.
 */
struct nst_session *nst_sessions_retire(struct nst_session *ses, u64 before,
					u64 beyond)
{
	bool goes;

	if (!ses)
		return NULL;
	spin_lock(&ses->lock);
	goes = ses->newest < before || ses->newest > beyond;
	if (goes)
		ses->dead = true;
	spin_unlock(&ses->lock);
	return goes ? ses : NULL;
}

/**
 * nst_sessions_oldest() - the oldest of the next candidates
 * @sessions: of a memory
 * @before: only one whose newest timestamp is below this
 *
 * It takes the same time whatever is known.
 *
 * Context: any, under the set's lock.
 * Return: a session that takes nothing more, and is to be forgotten; NULL if none of
 * the candidates may be.
 */
struct nst_session *nst_sessions_oldest(struct nst_sessions *sessions,
					u64 before)
{
	unsigned int i, n = min(sessions->nr, NST_SESSION_CANDIDATES);
	struct nst_session *ses, *best = NULL;

	for (i = 0; i < n; i++) {
		ses = list_first_entry(&sessions->known, struct nst_session,
				       known);
		list_move_tail(&ses->known, &sessions->known);
		keep_older(&best, ses);
	}
	return nst_sessions_retire(best, before, U64_MAX);
}

/**
 * nst_sessions_look() - the same, of those that one owner is charged for
 * @mine: of a claim
 * @nr: how many there are
 * @from: those whose newest timestamp is below this are passed over
 * @best: the oldest of the candidates so far, or NULL; may become one of these
 *
 * Context: any, under the set's lock.
 * Return: how many candidates there were.
 */
unsigned int nst_sessions_look(struct list_head *mine, unsigned int nr,
			       u64 from, struct nst_session **best)
{
	unsigned int i, n = min(nr, NST_SESSION_CANDIDATES);
	struct nst_session *ses;

	for (i = 0; i < n; i++) {
		ses = list_first_entry(mine, struct nst_session, mine);
		list_move_tail(&ses->mine, mine);
		if (READ_ONCE(ses->newest) >= from)
			keep_older(best, ses);
	}
	return n;
}

/**
 * nst_sessions_forget() - forget a session
 * @sessions: of its memory; the floor rises above all that it has taken
 * @ses: alive; not to be found any more
 *
 * Context: any, under the set's lock.
 */
void nst_sessions_forget(struct nst_sessions *sessions,
			 struct nst_session *ses)
{
	spin_lock(&ses->lock);
	ses->dead = true;
	if (ses->newest > sessions->floor)
		WRITE_ONCE(sessions->floor, ses->newest);
	spin_unlock(&ses->lock);
	unpair(ses);
	list_del(&ses->known);
	raw_write_seqcount_begin(&sessions->moves);
	rb_erase(&ses->by_place, &sessions->by_place);
	raw_write_seqcount_end(&sessions->moves);
	sessions->nr--;
	if (rcu_access_pointer(ses->keys))
		sessions->nr_keyed--;
}

/**
 * nst_session_expire() - is everything that a session has taken too old?
 * @ses: the session; takes nothing more if so, and is to be forgotten
 * @real: CLOCK_REALTIME in ns
 * @window: how far a timestamp may be off
 *
 * Context: any, under the set's lock.
 */
bool nst_session_expire(struct nst_session *ses, u64 real, u64 window)
{
	bool old;

	spin_lock(&ses->lock);
	old = ses->newest < real && real - ses->newest > window;
	if (old)
		ses->dead = true;
	spin_unlock(&ses->lock);
	return old;
}

/**
 * nst_session_release() - free something of a session after a grace period
 * @free: of a session, or of its keys
 *
 * Context: any.
 */
void nst_session_release(struct rcu_work *free)
{
	queue_rcu_work(release_wq, free);
}

/**
 * nst_sessions_module_init() - get ready to free sessions
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int nst_sessions_module_init(void)
{
	release_wq = alloc_workqueue("nst_session", WQ_UNBOUND, 0);
	return release_wq ? 0 : -ENOMEM;
}

/**
 * nst_sessions_module_exit() - free what was forgotten; nothing may be known
 *
 * Context: process.
 */
void nst_sessions_module_exit(void)
{
	/* Grace periods queue the last work items. */
	rcu_barrier();
	destroy_workqueue(release_wq);
}
