/* SPDX-License-Identifier: GPL-2.0 */
/* The state of a UDP socket, and its end. */
#ifndef _NST_UDP_SOCK_H
#define _NST_UDP_SOCK_H

#include "udp.h"

struct nst_udp *nst_udp_alloc(struct sock *sk);
void nst_udp_discard(struct nst_udp *nst);
void nst_udp_show(struct nst_udp *nst);
void nst_udp_retire(struct nst_udp *nst);
void nst_udp_destruct(struct sock *sk);

#endif /* _NST_UDP_SOCK_H */
