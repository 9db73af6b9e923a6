/* SPDX-License-Identifier: GPL-2.0 */
/* What a TCP socket with NST has, for those who put it there. */
#ifndef _NST_TCP_SOCK_H
#define _NST_TCP_SOCK_H

#include <net/tcp.h>
#include "tcp_ulp.h"

enum { NST_TCP_V4, NST_TCP_V6, NST_TCP_FAMILIES };

extern struct proto *nst_tcp_base_prot[NST_TCP_FAMILIES];
extern const struct proto_ops *nst_tcp_base_ops[NST_TCP_FAMILIES];
extern struct proto nst_tcp_prot[NST_TCP_FAMILIES];
extern struct proto_ops nst_tcp_ops[NST_TCP_FAMILIES];

/*
 * Of a socket that has NST; of one that was closed while TCP still had plaintext
 * to send.
 */
extern struct tcp_ulp_ops nst_tcp_ulp;
extern struct tcp_ulp_ops nst_tcp_ulp_mixed;

void nst_tcp_adopt(struct sock *sk);
void nst_tcp_claim(struct sock *sk);
void nst_tcp_unclaim(struct sock *sk);
void nst_tcp_hold_module(struct sock *sk);
void nst_tcp_release_cb(struct sock *sk);
bool nst_tcp_plaintext_left(const struct nst_tcp *nst);

static inline int nst_tcp_family(const struct sock *sk)
{
	return sk->sk_family == AF_INET6 ? NST_TCP_V6 : NST_TCP_V4;
}

#endif /* _NST_TCP_SOCK_H */
