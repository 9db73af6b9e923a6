/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Datagrams that wait until their session is known. Those of one sender, at one
 * socket, wait one behind the other. Under the lock of the lines (line.h).
 */
#ifndef _NST_UDP_QUEUE_H
#define _NST_UDP_QUEUE_H

#include "udp/line.h"

/**
 * struct nst_udp_waiting - a datagram without a session
 * @list: of its sender
 * @skb: from the UDP header on; holds its route, but no device: one that goes
 *	away must not wait for it
 * @size: memory that it takes
 * @cost: bytes of that which the socket is charged for
 * @charged: is it, now?
 * @ifindex: of the device that it came from
 * @cpu: where it came in
 * @dgram: what was read of it
 */
struct nst_udp_waiting {
	struct list_head list;
	struct sk_buff *skb;
	unsigned int size;
	unsigned int cost;
	bool charged;
	int ifindex;
	int cpu;
	struct nst_dgram dgram;
};

void nst_udp_queue_init(struct nst_udp_queue *queue);
enum nst_drop nst_udp_queue_room(const struct nst_udp *nst,
				 enum nst_udp_line_nr line,
				 const struct sk_buff *skb);
struct nst_udp_sender *nst_udp_queue_find(struct nst_udp *nst,
					  const struct nst_session_id *id);
enum nst_drop nst_udp_queue_add(struct nst_udp_sender *new,
				struct nst_udp_waiting *w, bool *used,
				bool *wake);
struct nst_udp_waiting *nst_udp_queue_first(struct nst_udp_sender *sender);
struct nst_udp_waiting *nst_udp_queue_take(struct nst_udp_sender *sender);
void nst_udp_queue_took(struct nst_udp_sender *sender,
			const struct nst_udp_waiting *w);
bool nst_udp_queue_empty(struct nst_udp_sender *sender, bool *unused);
bool nst_udp_queue_done(struct nst_udp_sender *sender,
			struct nst_udp_waiting *w);
bool nst_udp_queue_again(struct nst_udp_sender *sender,
			 enum nst_udp_line_nr line);
struct nst_udp_sender *nst_udp_queue_close(struct nst_udp *nst);

#endif /* _NST_UDP_QUEUE_H */
