/* SPDX-License-Identifier: GPL-2.0 */
/* Datagrams that come to wait for a session. */
#ifndef _NST_UDP_WAIT_H
#define _NST_UDP_WAIT_H

#include "udp/sock.h"

enum nst_drop nst_udp_wait(struct nst_udp *nst, struct nst_udp_rx *rx,
			   const struct nst_found *found,
			   const struct nst_dgram *dgram, struct sk_buff *skb);
void nst_udp_wait_close(struct nst_udp *nst);

#endif /* _NST_UDP_WAIT_H */
