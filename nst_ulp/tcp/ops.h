/* SPDX-License-Identifier: GPL-2.0 */
/* The operations of a TCP socket with NST, for those who put them there. */
#ifndef _NST_TCP_OPS_H
#define _NST_TCP_OPS_H

#include <net/tcp.h>
#include "tcp/sock.h"

enum { NST_TCP_V4, NST_TCP_V6, NST_TCP_FAMILIES };

extern struct proto *nst_tcp_base_prot[NST_TCP_FAMILIES];
extern const struct proto_ops *nst_tcp_base_ops[NST_TCP_FAMILIES];
extern struct proto nst_tcp_prot[NST_TCP_FAMILIES];
extern struct proto_ops nst_tcp_ops[NST_TCP_FAMILIES];

void nst_tcp_adopt(struct sock *sk);
void nst_tcp_claim(struct sock *sk);
void nst_tcp_unclaim(struct sock *sk);
int nst_tcp_creator(const struct sock *sk);
void nst_tcp_hold_module(struct sock *sk);

static inline int nst_tcp_family(const struct sock *sk)
{
	return sk->sk_family == AF_INET6 ? NST_TCP_V6 : NST_TCP_V4;
}

#endif /* _NST_TCP_OPS_H */
