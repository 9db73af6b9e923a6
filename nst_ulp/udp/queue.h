/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Datagrams that wait until their session is known: who is next, and how many there
 * may be. Of the users, who was given the least of the worker's time; then the sockets
 * of a user take turns, and the senders to a socket. Each line is for itself, and has
 * room of its own: what strangers invent is in nobody's way who is known.
 *
 * Locking: one spinlock for the host, taken in softirq and with bottom halves off
 * elsewhere; a leaf. What is done under it takes the same time whatever waits.
 */
#ifndef _NST_UDP_QUEUE_H
#define _NST_UDP_QUEUE_H

#include "udp/sock.h"

/**
 * struct nst_udp_waiting - a datagram without a session
 * @list: of its sender
 * @skb: from the UDP header on; holds its route, but no device: one that goes
 *	away must not wait for it
 * @charged: bytes that the socket is charged for it
 * @ifindex: of the device that it came from
 * @cpu: where it came in
 * @dgram: what was read of it
 */
struct nst_udp_waiting {
	struct list_head list;
	struct sk_buff *skb;
	unsigned int charged;
	int ifindex;
	int cpu;
	struct nst_dgram dgram;
};

/**
 * struct nst_udp_sender - what waits of one sender, at one socket
 * @node: in the table of all; RCU
 * @rcu: frees it after its readers
 * @turn: among the senders to its socket; empty while it is served
 * @nst: the socket's state
 * @sk: the socket; holds a reference
 * @conf: of the socket when the first datagram came; holds a reference
 * @name: of the session to be; immutable, as all before, and the context
 * @context: the application's; a copy, for @conf may go before a reader does
 * @context_len: bytes of it
 * @line: where it waits
 * @nr: datagrams that wait
 * @bytes: memory that they take, as far as it is charged to the socket
 * @waiting: they, in order
 */
struct nst_udp_sender {
	struct hlist_node node;
	struct rcu_head rcu;
	struct list_head turn;
	struct nst_udp *nst;
	struct sock *sk;
	struct nst_conf *conf;
	struct nst_session_name name;
	u8 context[NST_CONTEXT_MAX];
	u8 context_len;
	enum nst_udp_line_nr line;
	unsigned int nr;
	unsigned int bytes;
	struct list_head waiting;
};

struct nst_udp_user *nst_udp_user_get(u64 id);
void nst_udp_user_put(struct nst_udp_user *user);

void nst_udp_queue_init(struct nst_udp_queue *queue);
enum nst_drop nst_udp_queue_room(const struct nst_udp *nst,
				 enum nst_udp_line_nr line,
				 const struct sk_buff *skb);
bool nst_udp_queue_has(struct nst_udp *nst, const struct nst_session_id *id);
enum nst_drop nst_udp_queue_add(struct nst_udp_sender *new,
				struct nst_udp_waiting *w, bool *used,
				bool *wake);
bool nst_udp_queue_some(enum nst_udp_line_nr line);
struct nst_udp_sender *nst_udp_queue_next(enum nst_udp_line_nr line);
void nst_udp_queue_give(struct nst_udp_sender *sender, enum nst_udp_line_nr line,
			u64 ns);
struct nst_udp_waiting *nst_udp_queue_first(struct nst_udp_sender *sender);
bool nst_udp_queue_done(struct nst_udp_sender *sender,
			struct nst_udp_waiting *w);
bool nst_udp_queue_again(struct nst_udp_sender *sender,
			 enum nst_udp_line_nr line);
struct nst_udp_sender *nst_udp_queue_close(struct nst_udp *nst);

#endif /* _NST_UDP_QUEUE_H */
