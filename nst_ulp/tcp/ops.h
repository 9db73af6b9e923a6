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

extern struct tcp_ulp_ops nst_tcp_ulp;

/*
 * What is in the place of struct nst_tcp when NST has left a socket that TCP has
 * still to bring to its end: all that is sent is sealed, or not all. There is no
 * ULP any more beside it, so nothing but the guard looks at it, and the module
 * need not stay for it.
 */
#define NST_TCP_LEFT_SEALED	((void *)1)
#define NST_TCP_LEFT_MIXED	((void *)2)

void nst_tcp_leave(struct sock *sk, bool sealed);
void nst_tcp_adopt(struct sock *sk);
void nst_tcp_claim(struct sock *sk);
void nst_tcp_unclaim(struct sock *sk);
int nst_tcp_creator(const struct sock *sk);
void nst_tcp_hold_module(struct sock *sk);
void nst_tcp_release_cb(struct sock *sk);
bool nst_tcp_plaintext_left(const struct nst_tcp *nst);

static inline int nst_tcp_family(const struct sock *sk)
{
	return sk->sk_family == AF_INET6 ? NST_TCP_V6 : NST_TCP_V4;
}

#endif /* _NST_TCP_SOCK_H */
