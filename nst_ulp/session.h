/* SPDX-License-Identifier: GPL-2.0 */
/*
 * UDP sessions as the protocol sees them: which datagram was taken before, and
 * under which keys it is. Nothing here knows a socket or a packet.
 *
 * Locking
 * =======
 *
 *  table->lock    spinlock; which sessions there are, and the floor
 *  session->lock  spinlock; what a session has taken, and its box key
 *
 * Both are taken in softirq and with bottom halves off elsewhere; table->lock
 * goes first. Sessions are looked up under RCU and freed after a grace period,
 * by a work item because transforms are not freed in softirq. No cryptography
 * runs under a lock.
 */
#ifndef _NST_SESSION_H
#define _NST_SESSION_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>
#include "conf.h"
#include "drop.h"
#include "epoch.h"
#include "replay.h"
#include "wire.h"

/**
 * struct nst_dgram - what is judged of a datagram
 * @hdr: its header, sane
 * @receiver: number of the socket that it came to
 * @group: it came to a multicast or broadcast address
 */
struct nst_dgram {
	struct nst_hdr hdr;
	u64 receiver;
	bool group;
};

/**
 * struct nst_member - what one socket of a group has taken of a session
 * @next: another socket, or NULL
 * @receiver: number of the socket
 * @win: nonces taken by it
 */
struct nst_member {
	struct nst_member *next;
	u64 receiver;
	struct nst_replay win;
};

/**
 * struct nst_session - datagrams of one sender in one epoch
 * @node: in its table; RCU, changed under the table's lock
 * @ep: its keys. @ep.id, @ep.cipher never change; @ep.key, @ep.gen and the
 *	counts change under @lock
 * @context_len: bytes of @context
 * @context_hash: of @context and its length
 * @context: the application's context, immutable
 * @floor: the table's when the session came to life; only a timestamp above it
 *	is taken. Immutable
 * @free: frees it after a grace period
 * @lock: protects all that follows
 * @kept: a driver may use it for ever; never freed
 * @dead: forgotten; nothing is taken any more
 * @newest: newest timestamp taken, ns
 * @win: nonces taken by anybody
 * @by_group: those of them that came to a group address; NULL: none did
 * @members: what each socket has taken of those
 * @nr_members: how many
 * @left: highest nonce that a socket took which is no member any more; who is
 *	none takes only what is ahead of it
 * @has_left: there was one
 */
struct nst_session {
	struct hlist_node node;
	struct nst_epoch ep;
	u8 context_len;
	u32 context_hash;
	u8 context[NST_CONTEXT_MAX];
	u64 floor;
	struct rcu_work free;

	spinlock_t lock;
	bool kept;
	bool dead;
	u64 newest;
	struct nst_replay win;
	struct nst_replay *by_group;
	struct nst_member *members;
	unsigned int nr_members;
	u64 left;
	bool has_left;
};

/**
 * struct nst_sessions - a table of sessions; its box owns it
 * @nn: the namespace's state, which outlives the table
 * @private: of a private box
 * @seed: of the hash
 * @bits: the hash has 2^@bits chains
 * @born: CLOCK_BOOTTIME in ns when the table began to remember
 * @lock: protects what follows
 * @floor: newest timestamp ever forgotten; a datagram without a session must
 *	be above it. Read without the lock by nst_sessions_judge()
 * @nr: sessions known
 * @hand: chain whose sessions were candidates last
 * @hash: the chains
 */
struct nst_sessions {
	struct nst_net *nn;
	bool private;
	u32 seed;
	unsigned int bits;
	u64 born;
	spinlock_t lock;
	u64 floor;
	unsigned int nr;
	unsigned int hand;
	struct hlist_head hash[];
};

struct nst_sessions *nst_sessions_alloc(struct nst_net *nn, bool private);
void nst_sessions_free(struct nst_sessions *table);

enum nst_drop nst_sessions_find(struct nst_sessions *table,
				const struct nst_conf *conf,
				const struct nst_hdr *hdr,
				struct nst_session **found);
enum nst_drop nst_sessions_judge(struct nst_sessions *table,
				 struct nst_session *ses,
				 const struct nst_dgram *dgram);
enum nst_drop nst_session_accept(struct nst_sessions *table,
				 struct nst_session *ses,
				 const struct nst_dgram *dgram);

enum nst_drop nst_session_new(const struct nst_conf *conf,
			      const struct nst_hdr *hdr,
			      struct nst_session **new);
void nst_session_keep(struct nst_session *ses);
void nst_session_free(struct nst_session *ses);
enum nst_drop nst_sessions_add(struct nst_sessions *table,
			       struct nst_session *ses,
			       const struct nst_hdr *hdr);
unsigned int nst_sessions_expire(struct nst_sessions *table);

int nst_session_init(void);
void nst_session_exit(void);

#endif /* _NST_SESSION_H */
