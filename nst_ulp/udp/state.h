/* SPDX-License-Identifier: GPL-2.0 */
/* The state of a UDP socket: made, listed, and freed. */
#ifndef _NST_UDP_STATE_H
#define _NST_UDP_STATE_H

#include "udp/sock.h"

struct nst_udp *nst_udp_alloc(struct sock *sk);
void nst_udp_discard(struct nst_udp *nst);
void nst_udp_show(struct nst_udp *nst);
struct nst_udp *nst_udp_next_get(struct nst_net *nn, unsigned long *id);
struct nst_udp_rx *nst_udp_rx_new(struct nst_conf *conf);
void nst_udp_rx_put(struct nst_udp_rx *rx);
void nst_udp_retire(struct nst_udp *nst);
void nst_udp_destruct(struct sock *sk);

#endif /* _NST_UDP_STATE_H */
