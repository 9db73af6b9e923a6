/* SPDX-License-Identifier: GPL-2.0 */
/* Boxes of UDP, and the datagrams that wait for a session. */
#ifndef _NST_UDP_WAIT_H
#define _NST_UDP_WAIT_H

#include "udp.h"

/* Serves all boxes, and frees what softirqs may know for a grace period. */
extern struct workqueue_struct *nst_udp_wq;

struct nst_udp_box *nst_udp_box_get(struct net *net, bool private);
void nst_udp_box_put(struct nst_udp_box *box);
enum nst_drop nst_udp_wait(const struct nst_udp *nst, struct nst_udp_rx *rx,
			   const struct nst_dgram *dgram, struct sk_buff *skb);
int nst_udp_wait_init(void);
void nst_udp_wait_exit(void);

#endif /* _NST_UDP_WAIT_H */
