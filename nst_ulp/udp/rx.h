/* SPDX-License-Identifier: GPL-2.0 */
/* Datagrams on their way in, and what comes back of those that went out. */
#ifndef _NST_UDP_RX_H
#define _NST_UDP_RX_H

#include "udp/sock.h"

int nst_udp_encap_rcv(struct sock *sk, struct sk_buff *skb);
u8 nst_udp_type_of(const struct sk_buff *skb);

#endif /* _NST_UDP_RX_H */
