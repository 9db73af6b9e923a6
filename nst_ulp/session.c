// SPDX-License-Identifier: GPL-2.0
/* Sessions: judged before authentication, moved only after it. */
#include <linux/err.h>
#include <linux/in.h>
#include <linux/jhash.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include "kdf.h"
#include "limits.h"
#include "session.h"

#define NAMESPACE_BITS	10
#define PRIVATE_BITS	4

/*
 * Sockets of one group that a session tells apart. Each window takes half a
 * kilobyte, and anybody may open sockets. With more of them, those that have
 * taken nothing for the longest time are forgotten.
 */
#define MEMBERS_MAX	64

/*
 * Sessions that are looked at to forget one of them: as many as the smallest
 * table has, and the same whatever a table holds.
 */
#define CANDIDATES	NST_SESSIONS_MIN

static struct workqueue_struct *session_wq;

/**
 * nst_sessions_alloc() - an empty table
 * @nn: the namespace's state
 * @private: it is for a private box
 *
 * Context: process.
 * Return: a table, the caller's; NULL without memory.
 */
struct nst_sessions *nst_sessions_alloc(struct nst_net *nn, bool private)
{
	unsigned int bits = private ? PRIVATE_BITS : NAMESPACE_BITS;
	struct nst_sessions *table;

	table = kvzalloc(struct_size(table, hash, 1U << bits),
			 GFP_KERNEL_ACCOUNT);
	if (!table)
		return NULL;
	table->nn = nn;
	table->private = private;
	table->bits = bits;
	get_random_bytes(&table->seed, sizeof(table->seed));
	table->born = ktime_get_boottime_ns();
	spin_lock_init(&table->lock);
	return table;
}

static void free_members(struct nst_session *ses)
{
	struct nst_member *member, *next;

	for (member = ses->members; member; member = next) {
		next = member->next;
		kfree(member);
	}
	kfree(ses->by_group);
}

/**
 * nst_session_free() - free a session that is in no table
 * @ses: from nst_session_new(), never added
 *
 * Context: process.
 */
void nst_session_free(struct nst_session *ses)
{
	free_members(ses);
	nst_epoch_free(&ses->ep);
	kfree_sensitive(ses);
}

static void free_work(struct work_struct *work)
{
	nst_session_free(container_of(to_rcu_work(work), struct nst_session,
				      free));
}

/*
 * Forgets a session. What it has taken cannot be told from new any more, so the
 * floor rises above all of it; also if its secret was exchanged for another one,
 * for that may come back.
 */
static void forget(struct nst_sessions *table, struct nst_session *ses)
{
	lockdep_assert_held(&table->lock);
	hlist_del_rcu(&ses->node);
	spin_lock(&ses->lock);
	ses->dead = true;
	if (ses->newest > table->floor)
		WRITE_ONCE(table->floor, ses->newest);
	spin_unlock(&ses->lock);
	table->nr--;
	if (table->private)
		atomic_dec(&table->nn->private_sessions);
	nst_stats_add(table->nn->stats, NST_MIB_UDP_SESSIONS, -1);
	if (!ses->kept)
		queue_rcu_work(session_wq, &ses->free);
}

/**
 * nst_session_keep() - a driver has kept an operation: never free the session
 * @ses: the session, borrowed under RCU
 *
 * It is forgotten as others are. If that has begun already, the grace period
 * that follows is all the time that the driver has.
 *
 * Context: any.
 */
void nst_session_keep(struct nst_session *ses)
{
	spin_lock_bh(&ses->lock);
	ses->kept = true;
	spin_unlock_bh(&ses->lock);
}

/* A session whose box key was exchanged; somebody else may have been faster. */
static void forget_once(struct nst_sessions *table, struct nst_session *ses)
{
	spin_lock_bh(&table->lock);
	if (!ses->dead)
		forget(table, ses);
	spin_unlock_bh(&table->lock);
}

/**
 * nst_sessions_free() - forget all sessions, and the table
 * @table: no softirq knows it any more
 *
 * Context: process.
 */
void nst_sessions_free(struct nst_sessions *table)
{
	struct nst_session *ses;
	struct hlist_node *next;
	unsigned int i;

	spin_lock_bh(&table->lock);
	for (i = 0; i < 1U << table->bits; i++)
		hlist_for_each_entry_safe(ses, next, &table->hash[i], node)
			forget(table, ses);
	spin_unlock_bh(&table->lock);
	kvfree(table);
}

static struct hlist_head *chain(struct nst_sessions *table,
				const struct nst_epoch_id *id,
				u32 context_hash)
{
	u32 part[2];
	u32 hash;

	BUILD_BUG_ON(sizeof(*id) != sizeof(part));
	memcpy(part, id, sizeof(part));
	hash = jhash_2words(part[0], part[1], table->seed ^ context_hash);
	return &table->hash[hash >> (32 - table->bits)];
}

static struct nst_epoch_id id_of(const struct nst_hdr *hdr)
{
	return (struct nst_epoch_id){
		.suite = hdr->suite, .kpos = hdr->kpos, .kval = hdr->kval,
		.kid = hdr->kid, .epoch = hdr->epoch,
	};
}

/* Is @nonce one that the session may know of? */
static bool within_reach(const struct nst_session *ses, u64 nonce)
{
	u64 ahead = nonce - READ_ONCE(ses->win.top);

	return ahead + NST_SESSION_REACH <= 2 * NST_SESSION_REACH;
}

static bool is_of(const struct nst_session *ses, const u8 *context,
		  u8 context_len, const struct nst_hdr *hdr)
{
	return nst_epoch_is(&ses->ep, hdr) &&
	       ses->context_len == context_len &&
	       !memcmp(ses->context, context, context_len) &&
	       within_reach(ses, hdr->nonce);
}

/* Under RCU, or the table's lock. */
static struct nst_session *look_up(struct nst_sessions *table,
				   const u8 *context, u8 context_len,
				   u32 context_hash, const struct nst_hdr *hdr)
{
	struct nst_epoch_id id = id_of(hdr);
	struct nst_session *ses;

	hlist_for_each_entry_rcu(ses, chain(table, &id, context_hash), node,
				 lockdep_is_held(&table->lock))
		if (is_of(ses, context, context_len, hdr))
			return ses;
	return NULL;
}

/*
 * Another session that the datagram is of as well: a sender that jumped far
 * ahead has two, and their ranges may meet later. Each must take the datagram
 * then, or what one has seen could come again through the other.
 */
static struct nst_session *look_further(const struct nst_session *from,
					const struct nst_hdr *hdr)
{
	const struct nst_session *ses = from;

	hlist_for_each_entry_continue_rcu(ses, node)
		if (is_of(ses, from->context, from->context_len, hdr))
			return (struct nst_session *)ses;
	return NULL;
}

/* The box has changed: is the session's kid still the same secret? */
static enum nst_drop refresh(struct nst_sessions *table,
			     const struct nst_conf *conf,
			     struct nst_session **found)
{
	struct nst_session *ses = *found;
	struct nst_boxkey *key;
	enum nst_drop drop;
	bool keep;
	u64 gen;

	drop = nst_keyring_find_rx(conf->ring, ses->ep.id.kid, &key, &gen);
	if (drop)
		return drop;
	spin_lock_bh(&ses->lock);
	keep = !ses->dead && nst_epoch_keep(&ses->ep, key, gen);
	spin_unlock_bh(&ses->lock);
	if (keep)
		return NST_OK;
	nst_boxkey_put(key);
	forget_once(table, ses);
	*found = NULL;
	return NST_OK;
}

/**
 * nst_sessions_find() - the session of a datagram, and may its kid be used?
 * @table: of the receiver's box
 * @conf: the receiver's configuration
 * @hdr: of the datagram
 * @found: receives the session, borrowed under RCU, or NULL
 *
 * Context: any, under rcu_read_lock().
 * Return: NST_OK, NST_DROP_NO_KID, NST_DROP_KID_RETIRED or
 * NST_DROP_EPOCH_LIMIT.
 */
enum nst_drop nst_sessions_find(struct nst_sessions *table,
				const struct nst_conf *conf,
				const struct nst_hdr *hdr,
				struct nst_session **found)
{
	struct nst_session *ses = look_up(table, conf->context,
					  conf->context_len,
					  conf->context_hash, hdr);
	enum nst_drop drop;

	*found = ses;
	if (!ses)
		return nst_keyring_check_rx(conf->ring, hdr->kid);
	if (READ_ONCE(ses->ep.gen) != READ_ONCE(conf->ring->gen)) {
		drop = refresh(table, conf, found);
		if (drop || !*found)
			return drop;
	}
	return READ_ONCE(ses->ep.records) >= NST_EPOCH_RECORDS_MAX ?
	       NST_DROP_EPOCH_LIMIT : NST_OK;
}

/* Modulo 2^64; both are of one session. */
static bool is_ahead(u64 nonce, u64 of)
{
	return (s64)(nonce - of) > 0;
}

static struct nst_member *member_of(struct nst_session *ses, u64 receiver)
{
	struct nst_member *member = ses->members;

	while (member && member->receiver != receiver)
		member = member->next;
	return member;
}

/*
 * Was it taken? What came to one socket's own address is taken for all, what
 * came to a group's once by each.
 */
static enum nst_drop check(struct nst_session *ses,
			   const struct nst_dgram *dgram)
{
	u64 nonce = dgram->hdr.nonce;
	enum nst_drop drop = nst_replay_check(&ses->win, nonce);
	struct nst_member *member;

	lockdep_assert_held(&ses->lock);
	if (drop != NST_DROP_REPLAYED || !dgram->group || !ses->by_group ||
	    nst_replay_check(ses->by_group, nonce) != NST_DROP_REPLAYED)
		return drop;
	member = member_of(ses, dgram->receiver);
	if (member)
		return nst_replay_check(&member->win, nonce);
	/* It may have been one, and have taken this. */
	return ses->has_left && !is_ahead(nonce, ses->left) ?
	       NST_DROP_REPLAYED : NST_OK;
}

/**
 * nst_sessions_judge() - time, floor and window: all before authentication
 * @table: of the receiver's box
 * @ses: from nst_sessions_find(), or NULL
 * @dgram: the datagram
 *
 * Context: any, under rcu_read_lock().
 * Return: NST_OK or the first cause that applies.
 */
enum nst_drop nst_sessions_judge(struct nst_sessions *table,
				 struct nst_session *ses,
				 const struct nst_dgram *dgram)
{
	/* One look at the clock is enough for two times. */
	ktime_t mono = ktime_get();
	struct nst_now now = {
		.real = ktime_to_ns(ktime_mono_to_real(mono)),
		.boot = ktime_to_ns(ktime_mono_to_any(mono, TK_OFFS_BOOT)),
	};
	u64 window = (u64)READ_ONCE(table->nn->time_window) * NSEC_PER_SEC;
	enum nst_drop drop;

	drop = nst_now_judge(&now, dgram->hdr.timestamp, window, table->born);
	if (drop)
		return drop;
	if (dgram->hdr.timestamp <= (ses ? ses->floor :
				     READ_ONCE(table->floor)))
		return NST_DROP_CACHE_FLOOR;
	for (; ses && !drop; ses = look_further(ses, &dgram->hdr)) {
		spin_lock_bh(&ses->lock);
		drop = check(ses, dgram);
		spin_unlock_bh(&ses->lock);
	}
	return drop;
}

/* The member that has taken nothing for the longest time, to be another's. */
static struct nst_member *recycle_member(struct nst_session *ses)
{
	struct nst_member *member, *last = ses->members;

	for (member = last; member; member = member->next)
		if (is_ahead(last->win.top, member->win.top))
			last = member;
	if (!ses->has_left || is_ahead(last->win.top, ses->left))
		ses->left = last->win.top;
	ses->has_left = true;
	return last;
}

static struct nst_member *new_member(struct nst_session *ses)
{
	struct nst_member *member;

	if (ses->nr_members >= MEMBERS_MAX)
		return recycle_member(ses);
	member = kmalloc(sizeof(*member), GFP_ATOMIC | __GFP_NOWARN);
	if (!member)
		return NULL;
	member->next = ses->members;
	ses->members = member;
	ses->nr_members++;
	return member;
}

/* Has the socket a window of its own in this session now? */
static struct nst_member *have_member(struct nst_session *ses, u64 receiver,
				      u64 nonce)
{
	struct nst_member *member = member_of(ses, receiver);

	if (!ses->by_group) {
		ses->by_group = kmalloc(sizeof(*ses->by_group),
					GFP_ATOMIC | __GFP_NOWARN);
		if (!ses->by_group)
			return NULL;
		nst_replay_init(ses->by_group, nonce);
	}
	if (member)
		return member;
	member = new_member(ses);
	if (!member)
		return NULL;
	member->receiver = receiver;
	if (ses->has_left)
		nst_replay_init_above(&member->win, ses->left);
	else
		nst_replay_init(&member->win, nonce);
	return member;
}

static enum nst_drop accept_locked(struct nst_session *ses,
				   const struct nst_dgram *dgram)
{
	const struct nst_hdr *hdr = &dgram->hdr;
	struct nst_member *member;
	enum nst_drop drop;

	/* Forgotten meanwhile, and the floor stands above what it had taken. */
	if (ses->dead)
		return NST_DROP_CACHE_FLOOR;
	if (ses->ep.records >= NST_EPOCH_RECORDS_MAX)
		return NST_DROP_EPOCH_LIMIT;
	drop = check(ses, dgram);
	if (drop)
		return drop;
	if (dgram->group) {
		member = have_member(ses, dgram->receiver, hdr->nonce);
		if (!member)
			return NST_DROP_NOMEM;
		nst_replay_take(&member->win, hdr->nonce);
		nst_replay_take(ses->by_group, hdr->nonce);
	}
	nst_replay_take(&ses->win, hdr->nonce);
	if (hdr->timestamp > ses->newest)
		ses->newest = hdr->timestamp;
	WRITE_ONCE(ses->ep.records, ses->ep.records + 1);
	ses->ep.bytes += hdr->len;
	return NST_OK;
}

/**
 * nst_session_accept() - a datagram is authentic: judge once more, and take it
 * @table: where the session is
 * @ses: the session, borrowed under RCU
 * @dgram: the datagram
 *
 * Context: any, under rcu_read_lock().
 * Return: NST_OK, and it will not be taken again; or why it is refused.
 */
enum nst_drop nst_session_accept(struct nst_sessions *table,
				 struct nst_session *ses,
				 const struct nst_dgram *dgram)
{
	enum nst_drop drop = NST_OK;

	for (; ses && !drop; ses = look_further(ses, &dgram->hdr)) {
		spin_lock_bh(&ses->lock);
		drop = accept_locked(ses, dgram);
		spin_unlock_bh(&ses->lock);
	}
	if (drop)
		return drop;
	nst_stats_inc(table->nn->stats, NST_MIB_RX_RECORDS);
	nst_stats_add(table->nn->stats, NST_MIB_RX_BYTES, dgram->hdr.len);
	return NST_OK;
}

/**
 * nst_session_new() - a session to be, with its keys derived
 * @conf: of a receiver that the datagram came to
 * @hdr: of the datagram, not authenticated yet
 * @new: receives the session, which nobody else knows
 *
 * Context: process.
 * Return: NST_OK; NST_DROP_NO_KID or NST_DROP_KID_RETIRED; NST_DROP_NO_SUITE;
 * NST_DROP_NOMEM.
 */
enum nst_drop nst_session_new(const struct nst_conf *conf,
			      const struct nst_hdr *hdr,
			      struct nst_session **new)
{
	static const u8 salt[NST_KDF_SALT_LEN];
	struct nst_epoch_id id = id_of(hdr);
	struct nst_session *ses;
	struct nst_boxkey *key;
	enum nst_drop drop;
	u64 gen;
	int err;

	ses = kzalloc(sizeof(*ses), GFP_KERNEL);
	if (!ses)
		return NST_DROP_NOMEM;
	spin_lock_init(&ses->lock);
	INIT_RCU_WORK(&ses->free, free_work);
	err = nst_cipher_init_atomic(&ses->ep.cipher, hdr->suite);
	drop = err ? NST_OK :
	       nst_keyring_find_rx(conf->ring, hdr->kid, &key, &gen);
	if (!err && !drop)
		err = nst_epoch_begin(&ses->ep, &id, key, gen, IPPROTO_UDP,
				      salt, conf->context, conf->context_len);
	if (err)
		drop = err == -ENOPKG ? NST_DROP_NO_SUITE : NST_DROP_NOMEM;
	if (drop) {
		nst_session_free(ses);
		return drop;
	}
	ses->context_len = conf->context_len;
	ses->context_hash = conf->context_hash;
	memcpy(ses->context, conf->context, sizeof(ses->context));
	nst_replay_init(&ses->win, hdr->nonce);
	ses->newest = hdr->timestamp;
	*new = ses;
	return NST_OK;
}

static unsigned int limit_of(const struct nst_sessions *table)
{
	unsigned int max = READ_ONCE(table->nn->udp_sessions_max);

	return table->private ?
	       min_t(unsigned int, max, NST_SESSIONS_PRIVATE) : max;
}

/* The oldest of the next candidates that is older than @before. */
static struct nst_session *oldest(struct nst_sessions *table, u64 before)
{
	struct nst_session *ses, *best = NULL;
	unsigned int i, n = 0;

	for (i = 0; i < 1U << table->bits && n < CANDIDATES; i++) {
		table->hand = (table->hand + 1) & ((1U << table->bits) - 1);
		hlist_for_each_entry(ses, &table->hash[table->hand], node) {
			n++;
			if (READ_ONCE(ses->newest) < before) {
				before = ses->newest;
				best = ses;
			}
		}
	}
	return best;
}

/* Private boxes together may know as many sessions as the namespace's box. */
static bool is_full(const struct nst_sessions *table)
{
	if (table->nr >= limit_of(table))
		return true;
	return table->private &&
	       (unsigned int)atomic_read(&table->nn->private_sessions) >=
	       READ_ONCE(table->nn->udp_sessions_max);
}

/*
 * Makes room for one more, and says whether it could: only what is older than the
 * newcomer and the clock goes, or its floor would refuse others that are fresh. At
 * most two are forgotten at a time, so that a table whose limit was lowered shrinks
 * and the lock is not held for long.
 */
static bool make_room(struct nst_sessions *table, u64 timestamp)
{
	u64 before = min(timestamp, ktime_get_real_ns());
	unsigned int i;

	for (i = 0; i < 2 && is_full(table); i++) {
		struct nst_session *ses = oldest(table, before);

		if (!ses)
			return false;
		forget(table, ses);
	}
	return true;
}

/**
 * nst_sessions_add() - a session comes to life: its datagram was authentic
 * @table: the table
 * @ses: from nst_session_new(); the table's if NST_OK is returned
 * @hdr: of that datagram, which has still to be accepted
 *
 * Context: process.
 * Return: NST_OK; NST_DROP_CACHE_FLOOR if it is not above the floor any more;
 * NST_DROP_REPLAYED if there is such a session by now; NST_DROP_SESSION_QUEUE if
 * there is no room and nothing that may be forgotten for it.
 */
enum nst_drop nst_sessions_add(struct nst_sessions *table,
			       struct nst_session *ses,
			       const struct nst_hdr *hdr)
{
	enum nst_drop drop = NST_OK;

	spin_lock_bh(&table->lock);
	if (hdr->timestamp <= table->floor) {
		drop = NST_DROP_CACHE_FLOOR;
	} else if (look_up(table, ses->context, ses->context_len,
			   ses->context_hash, hdr)) {
		drop = NST_DROP_REPLAYED;
	} else if (!make_room(table, hdr->timestamp)) {
		drop = NST_DROP_SESSION_QUEUE;
	} else {
		ses->floor = table->floor;
		hlist_add_head_rcu(&ses->node,
				   chain(table, &ses->ep.id, ses->context_hash));
		table->nr++;
		if (table->private)
			atomic_inc(&table->nn->private_sessions);
		nst_stats_inc(table->nn->stats, NST_MIB_UDP_SESSIONS);
		nst_stats_inc(table->nn->stats, NST_MIB_RX_EPOCHS);
	}
	spin_unlock_bh(&table->lock);
	return drop;
}

/* Once it has, it takes nothing more: it is as good as forgotten. */
static bool has_expired(struct nst_session *ses, u64 now, u64 window)
{
	bool old;

	spin_lock(&ses->lock);
	old = ses->newest < now && now - ses->newest > window;
	if (old)
		ses->dead = true;
	spin_unlock(&ses->lock);
	return old;
}

/**
 * nst_sessions_expire() - forget the sessions that have left the window
 * @table: the table
 *
 * Context: process.
 * Return: how many are left.
 */
unsigned int nst_sessions_expire(struct nst_sessions *table)
{
	u64 window = (u64)READ_ONCE(table->nn->time_window) * NSEC_PER_SEC;
	u64 now = ktime_get_real_ns();
	struct nst_session *ses;
	struct hlist_node *next;
	unsigned int i, left;

	for (i = 0; i < 1U << table->bits; i++) {
		spin_lock_bh(&table->lock);
		hlist_for_each_entry_safe(ses, next, &table->hash[i], node) {
			if (has_expired(ses, now, window))
				forget(table, ses);
		}
		left = table->nr;
		spin_unlock_bh(&table->lock);
		cond_resched();
	}
	return left;
}

/**
 * nst_session_init() - get ready to free sessions
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int nst_session_init(void)
{
	session_wq = alloc_workqueue("nst_session", WQ_UNBOUND, 0);
	return session_wq ? 0 : -ENOMEM;
}

/**
 * nst_session_exit() - free what was forgotten; no table may be left
 *
 * Context: process.
 */
void nst_session_exit(void)
{
	/* Grace periods queue the last work items. */
	rcu_barrier();
	destroy_workqueue(session_wq);
}
