/* SPDX-License-Identifier: GPL-2.0 */
/* Datagrams that wait for a session, and the work that derives its keys. */
#ifndef _NST_UDP_WAIT_H
#define _NST_UDP_WAIT_H

#include "udp/sock.h"

/* Derives keys, and frees what softirqs may know for a grace period. */
extern struct workqueue_struct *nst_udp_wq;

bool nst_udp_comes_again(void);
enum nst_drop nst_udp_wait(struct nst_udp *nst, struct nst_udp_rx *rx,
			   const struct nst_found *found,
			   const struct nst_dgram *dgram, struct sk_buff *skb);
void nst_udp_wait_close(struct nst_udp *nst);
int nst_udp_wait_init(void);
void nst_udp_wait_exit(void);

#endif /* _NST_UDP_WAIT_H */
