/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the secrets of a namespace were used for, so that nothing is taken twice
 * (protocol: Memory, Owners). Nothing here knows a socket, and time is given by
 * the caller.
 *
 * A memory belongs to one secret, whatever boxes hold it. A claim ties it to an
 * owner whose boxes hold the secret, or did. A memory that ends stays as what it
 * leaves behind, for as long as one of its claims keeps that; it may come to life
 * again.
 *
 * Locking
 * =======
 *
 *  set->lock  spinlock; all that is in this header but what is immutable. Taken in
 *             softirq and with bottom halves off elsewhere. What is done under it
 *             is bounded, whatever a table holds. The locks of sessions and of the
 *             table that they are found in are inside, nothing else
 *
 * Sessions are found under RCU and freed after a grace period, in process context:
 * transforms are not freed in softirq.
 */
#ifndef _NST_MEMORIES_H
#define _NST_MEMORIES_H

#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/refcount.h>
#include <linux/siphash.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/uidgid.h>
#include "core/sessions.h"
#include "core/starts.h"
#include "drop.h"
#include "stats.h"

struct user_namespace;

/* The owner of a namespace's box; others are users, by their kuid. */
#define NST_OWNER_NETNS		(~0ULL)

#define NST_OWNER_BITS		6

/**
 * struct nst_now - the clocks, read once for one judgement
 * @real: CLOCK_REALTIME in ns
 * @boot: CLOCK_BOOTTIME in ns
 */
struct nst_now {
	u64 real;
	u64 boot;
};

/**
 * struct nst_bounds - the namespace's settings, read once for one step
 * @window: how far a timestamp may be off, either way, ns
 * @starts: STARTs that a memory remembers, at least 1
 * @sessions: sessions that a memory remembers, at least 1
 * @owner_bytes: what one owner may hold
 * @total_bytes: what all owners may hold together
 */
struct nst_bounds {
	u64 window;
	unsigned int starts;
	unsigned int sessions;
	u64 owner_bytes;
	u64 total_bytes;
};

/* What there is to do for nst_memories_expire(), or at once for _park(), _shed(). */
enum nst_wake {
	NST_WAKE_EXPIRE,
	NST_WAKE_PARK,
	NST_WAKE_SHED,
};

/**
 * struct nst_secret_name - how a memory knows its secret: by a keyed hash
 * @half: two SipHashes under keys of the set
 */
struct nst_secret_name {
	u64 half[2];
};

/**
 * struct nst_memories - the memories of a namespace
 * @ref: the namespace, and each owner
 * @born: CLOCK_BOOTTIME in ns when it began to remember
 * @key: of the hash that secrets are known by; random, immutable
 * @wake: tells the namespace that there is something to do; any context, under
 *	@lock; NULL: the namespace goes
 * @wake_arg: its argument
 * @stats: counters of the namespace; not used any more once @closed
 * @table: finds sessions; immutable, but for what is in it
 * @left_max: floors that an owner keeps, at least 1; immutable
 * @lock: see "Locking"
 * @closed: the namespace has gone; nothing is remembered any more
 * @memory: by name, which nobody can foresee; there may be any number
 * @owner: by id
 * @by_bytes: owners that hold something, by how much
 * @bytes: what they hold together
 * @idle: memories whose secret no box holds, in no order
 * @nr_idle: how many
 * @parking: those of them that have sessions with keys still
 * @settling: memories with claims that are not settled
 * @sessions: all sessions, in the order in which they are looked at
 * @nr_sessions: how many
 */
struct nst_memories {
	refcount_t ref;
	u64 born;
	siphash_key_t key[2];
	void (*wake)(void *arg, enum nst_wake what);
	void *wake_arg;
	struct nst_stats __percpu *stats;
	struct rhashtable table;
	unsigned int left_max;
	spinlock_t lock;
	bool closed;
	struct rb_root memory;
	struct hlist_head owner[1 << NST_OWNER_BITS];
	struct rb_root by_bytes;
	u64 bytes;
	struct list_head idle;
	unsigned int nr_idle;
	struct list_head parking;
	struct list_head settling;
	struct list_head sessions;
	unsigned int nr_sessions;
};

/**
 * struct nst_owner - who is charged
 * @node: in its set
 * @set: holds a reference
 * @id: a kuid, or NST_OWNER_NETNS; immutable
 * @users: keyrings and claims. Without any it stays if it has given up
 *	something
 * @bytes: what it holds
 * @nr_sessions: sessions among that
 * @nr_idle: memories that no box needs among that
 * @by_bytes: in the set's tree while it holds something
 * @charged: claims that it is charged for, sorted: what should give way is last
 * @left: claims that keep a floor for a later memory, the lowest first
 * @nr_left: how many
 * @given_up: the newest floor that it could not keep; 0: none. A floor of every
 *	memory that it makes
 */
struct nst_owner {
	struct hlist_node node;
	struct nst_memories *set;
	u64 id;
	unsigned int users;
	u64 bytes;
	unsigned int nr_sessions;
	unsigned int nr_idle;
	struct rb_node by_bytes;
	struct rb_root charged;
	struct rb_root left;
	unsigned int nr_left;
	u64 given_up;
};

/**
 * struct nst_owner_look - what there is to be told of an owner
 * @id: a kuid, or NST_OWNER_NETNS
 * @bytes: what it holds
 * @sessions: among that
 * @starts: among that
 * @floors: that it keeps
 */
struct nst_owner_look {
	u64 id;
	u64 bytes;
	unsigned int sessions;
	unsigned int starts;
	unsigned int floors;
};

/**
 * struct nst_claim - that an owner's boxes hold a secret, or did
 * @node: in its memory; empty once it is of no meaning any more
 * @by_owner: likewise
 * @charged: in its owner's tree while @bytes is not 0
 * @by_left: in its owner's tree if @has_left
 * @mem: the memory; holds it
 * @owner: the owner; a user of it
 * @users: box keys that refer to this
 * @boxes: boxes of the owner that hold the secret
 * @life: of the memory when this was settled last
 * @bytes: what the owner is charged for here
 * @sessions: of those that are charged to it; candidates go behind
 * @nr_sessions: how many
 * @starts: STARTs that are charged to it
 * @left: floor for a later memory of the secret
 * @has_left: @left is kept
 */
struct nst_claim {
	struct list_head node;
	struct rb_node by_owner;
	struct rb_node charged;
	struct rb_node by_left;
	struct nst_memory *mem;
	struct nst_owner *owner;
	unsigned int users;
	unsigned int boxes;
	unsigned int life;
	unsigned int nr_sessions;
	u64 bytes;
	struct list_head sessions;
	struct list_head starts;
	u64 left;
	bool has_left;
};

/**
 * struct nst_memory - what one secret was used for
 * @node: in its set, from the first claim to the last or until the set is closed
 * @name: of the secret; immutable
 * @refs: claims, in @claims or not
 * @claims: of all owners that held the secret in its life, and of those that
 *	keep what an earlier one left. Those that are not settled come first
 * @by_owner: they, sorted by the address of their owner
 * @settling: in the set's list, if not all are settled
 * @life: counts when it was made, and when it ended
 * @nr_claims: how many @claims there are
 * @nr_unsettled: of those, which do not yet keep what this leaves, or still keep
 *	what it has taken up
 * @boxes: boxes that hold the secret, whose ever
 * @made: it remembers; else it waits for the first thing taken. Read without the
 *	lock to refuse early
 * @idle: in the set's list, if it is made and no box holds the secret
 * @parking: in the set's list, if there are keys to be given up
 * @unheld: CLOCK_BOOTTIME in ns when the last box went, if it is idle
 * @payer: who is charged for what it takes while it is idle; his claim gives way
 *	before others
 * @left: what an earlier one left, the same to all of @claims that keep it, or are to
 * @nr_left: how many do
 * @starts: STARTs that were taken, if it is made
 * @sessions: sessions that are known, if it is made
 */
struct nst_memory {
	struct rb_node node;
	struct nst_secret_name name;
	unsigned int refs;
	unsigned int boxes;
	struct list_head claims;
	struct rb_root by_owner;
	struct list_head settling;
	unsigned int life;
	unsigned int nr_claims;
	unsigned int nr_unsettled;
	bool made;
	struct list_head idle;
	struct list_head parking;
	u64 unheld;
	struct nst_claim *payer;
	u64 left;
	unsigned int nr_left;
	struct nst_starts starts;
	struct nst_sessions sessions;
};

struct nst_memories *nst_memories_alloc(u64 boot,
					struct nst_stats __percpu *stats,
					void (*wake)(void *arg,
						     enum nst_wake what),
					void *arg);
void nst_memories_cloned(u64 boot);
u32 nst_memories_hash(const struct nst_memories *set, const u8 *data,
		      unsigned int len);
void nst_memories_put(struct nst_memories *set);
u64 nst_memories_begin(const struct nst_memories *set);

#endif /* _NST_MEMORIES_H */
