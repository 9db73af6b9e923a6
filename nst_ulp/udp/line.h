/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lines of those of whom datagrams wait: who is next, and how many there may be. Of
 * the users, who was given the least of the worker's time; then the sockets of a
 * user take turns, and the senders to a socket. Each line is for itself, and has
 * room of its own: what strangers invent is in nobody's way who is known.
 *
 * Locking: one spinlock for the host, taken in softirq and with bottom halves off
 * elsewhere; a leaf. What is done under it takes the same time whatever waits.
 */
#ifndef _NST_UDP_LINE_H
#define _NST_UDP_LINE_H

#include <linux/spinlock.h>
#include "udp/sock.h"

/**
 * struct nst_udp_sender - what waits of one sender, at one socket
 * @node: in the table of all; RCU. Not there: all that waited is another's
 * @rcu: frees it after its readers
 * @turn: among the senders to its socket; empty while the work has it
 * @lock: see "Locking" of sock.h
 * @deriving: the work has the first one, whose keys it derives; under @lock
 * @nst: the socket's state
 * @sk: the socket; holds a reference
 * @conf: of the socket when the first datagram came; holds a reference
 * @name: of the session to be; immutable, as all before, and the context
 * @context: the application's; a copy, for @conf may go before a reader does
 * @context_len: bytes of it
 * @line: where it waits
 * @nr: datagrams that wait
 * @bytes: memory that they take, as far as it is charged to the socket
 * @size: all that they take
 * @waiting: they, in order
 */
struct nst_udp_sender {
	struct hlist_node node;
	struct rcu_head rcu;
	struct list_head turn;
	spinlock_t lock;
	bool deriving;
	struct nst_udp *nst;
	struct sock *sk;
	struct nst_conf *conf;
	struct nst_session_name name;
	u8 context[NST_CONTEXT_MAX];
	u8 context_len;
	enum nst_udp_line_nr line;
	unsigned int nr;
	unsigned int bytes;
	unsigned int size;
	struct list_head waiting;
};

/* For who changes what waits, or where. */
extern spinlock_t nst_udp_line_lock;

struct nst_udp_user *nst_udp_user_get(u64 id);
void nst_udp_user_put(struct nst_udp_user *user);

enum nst_drop nst_udp_line_room(const struct nst_udp *nst,
				enum nst_udp_line_nr line, unsigned int nr,
				unsigned int size);
bool nst_udp_line_some(enum nst_udp_line_nr line);
struct nst_udp_sender *nst_udp_line_next(enum nst_udp_line_nr line);
void nst_udp_line_give(struct nst_udp_sender *sender, enum nst_udp_line_nr line,
		       u64 ns);
/* Of these, the caller holds the lock. */
void nst_udp_line_up(struct nst_udp_sender *sender);
void nst_udp_line_leave(struct nst_udp_sender *sender);
void nst_udp_line_change(struct nst_udp_sender *sender,
			 enum nst_udp_line_nr line);
unsigned int nst_udp_line_cost(const struct nst_udp_sender *sender,
			       unsigned int bytes);
void nst_udp_line_charge(struct nst_udp_sender *sender, int bytes);
void nst_udp_line_add(struct nst_udp_sender *sender, int nr, int size);

#endif /* _NST_UDP_LINE_H */
