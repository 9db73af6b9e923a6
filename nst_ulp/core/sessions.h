/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The sessions that are known under one secret, and how far back they go: what
 * was taken of the datagrams of each sender in each of its epochs. Nothing here
 * knows keys.
 */
#ifndef _NST_SESSIONS_H
#define _NST_SESSIONS_H

#include <linux/list.h>
#include <linux/nst.h>
#include <linux/rbtree.h>
#include <linux/rhashtable.h>
#include <linux/seqlock.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>
#include "core/replay.h"
#include "core/wire.h"
#include "debug/contract.h"
#include "limits.h"

struct nst_claim;
struct nst_memory;

/**
 * struct nst_session_name - what is the same in all datagrams of a session
 * @mem: memory of the secret
 * @epoch: identity of the epoch
 * @upper: upper half of the nonce
 * @context_hash: keyed hash of the application's context
 */
struct nst_session_name {
	const struct nst_memory *mem;
	struct nst_epoch_id epoch;
	u32 upper;
	u32 context_hash;
};

/**
 * struct nst_session_id - by what a session is found
 * @name: its name
 * @context: the application's context, zeros behind its length
 * @context_len: bytes of it
 */
struct nst_session_id {
	struct nst_session_name name;
	const u8 *context;
	u8 context_len;
};

/**
 * struct nst_session_keys - what opens the datagrams of a session
 * @free: frees it after a grace period; by whom it was made
 * @kept: a driver may use it for ever; never freed. Set once
 */
struct nst_session_keys {
	struct rcu_work free;
	bool kept;
};

/**
 * struct nst_session - datagrams of one sender in one epoch
 * @node: in the table of its set, under the set's lock; RCU
 * @name: what it is found by; immutable, as the context
 * @context_len: bytes of @context
 * @context: the application's
 * @number: never another's; immutable
 * @floor: of the secret's sessions when this came to life; only a timestamp
 *	above it is taken. Immutable from then on
 * @live: has come to life. Set once, under the set's lock
 * @known: in its memory; under the set's lock
 * @all: in its set; under the set's lock
 * @claim: who is charged; under the set's lock
 * @mine: in its sessions; under the set's lock
 * @by_place: in its memory; under the set's lock
 * @place: where in it: the highest nonce, or one shortly before, without its lower
 *	16 bits. Under the set's lock, read without to see that it is another
 * @keys: NULL: no box has the secret, or the keys have to be derived again.
 *	RCU, changed under the set's lock
 * @free: frees it after a grace period; by whom it was made
 * @lock: protects all that follows; inside of the set's lock
 * @dead: forgotten; nothing is taken any more
 * @newest: newest timestamp taken, ns
 * @records: datagrams taken; read without the lock to refuse early
 * @win: nonces taken by anybody
 * @top_at: CLOCK_MONOTONIC in ns when the highest of them was first taken
 * @by_group: those of them whose first copy came to a group address; NULL: none
 * @twin: the session of the same epoch whose upper half of the nonce is the next or
 *	the one before; RCU, changed under the set's lock
 * @others: @records of @twin; written under that one's lock
 * @last: debug builds: how the last authentic datagram has left @win
 */
struct nst_session {
	struct rhash_head node;
	struct nst_session_name name;
	u8 context_len;
	u8 context[NST_CONTEXT_MAX];
	u64 number;
	u64 floor;
	bool live;
	struct list_head known;
	struct list_head all;
	struct nst_claim *claim;
	struct list_head mine;
	struct rb_node by_place;
	u64 place;
	struct nst_session_keys __rcu *keys;
	struct rcu_work free;

	spinlock_t lock;
	bool dead;
	u64 newest;
	u64 records;
	struct nst_replay win;
	u64 top_at;
	struct nst_replay *by_group;
	struct nst_session __rcu *twin;
	u64 others;
	struct nst_contract_state last;
};

/**
 * struct nst_sessions - the sessions that are known under one secret
 * @known: they; those that were candidates last are behind
 * @by_place: they, sorted by @place; RCU
 * @moves: counts its changes, for who looks there without the lock
 * @nr: how many
 * @nr_keyed: how many of them have keys
 * @floor: newest timestamp that was ever forgotten; a datagram without a
 *	session must be above it. Read without the lock to refuse early
 *
 * Belongs to a memory and is protected by the lock of its set.
 */
struct nst_sessions {
	struct list_head known;
	struct rb_root by_place;
	seqcount_t moves;
	unsigned int nr;
	unsigned int nr_keyed;
	u64 floor;
};

/* Has its highest nonce gone on so far that others look for it elsewhere? */
static inline bool nst_session_strayed(const struct nst_session *ses)
{
	return READ_ONCE(ses->win.top) >> 16 != READ_ONCE(ses->place);
}

/*
 * Has its epoch had all the records that it may have? Both sessions of one may be
 * about to take a record.
 */
static inline bool nst_session_spent(const struct nst_session *ses)
{
	u64 others = READ_ONCE(ses->others);

	return READ_ONCE(ses->records) + others + !!others >=
	       NST_EPOCH_RECORDS_MAX;
}

void nst_session_release(struct rcu_work *free);
int nst_sessions_table(struct rhashtable *table);
struct nst_session *nst_sessions_find(struct rhashtable *table,
				      const struct nst_session_id *id);
int nst_sessions_enter(struct rhashtable *table, struct nst_session *ses);
void nst_sessions_leave(struct rhashtable *table, struct nst_session *ses);
void nst_sessions_pair(struct rhashtable *table, struct nst_session *ses);

void nst_sessions_init(struct nst_sessions *sessions, u64 floor);
void nst_sessions_add(struct nst_sessions *sessions, struct nst_session *ses);
struct nst_session *nst_sessions_oldest(struct nst_sessions *sessions,
					u64 before);
unsigned int nst_sessions_look(struct list_head *mine, unsigned int nr,
			       u64 from, struct nst_session **best);
struct nst_session *nst_sessions_retire(struct nst_session *ses, u64 before,
					u64 beyond);
void nst_sessions_forget(struct nst_sessions *sessions,
			 struct nst_session *ses);
void nst_sessions_place(struct nst_sessions *sessions, struct nst_session *ses);
bool nst_sessions_none_near(const struct nst_sessions *sessions, u64 nonce);
bool nst_sessions_follows(const struct nst_sessions *sessions, u64 nonce);
bool nst_session_expire(struct nst_session *ses, u64 real, u64 window);
int nst_sessions_module_init(void);
void nst_sessions_module_exit(void);

#endif /* _NST_SESSIONS_H */
