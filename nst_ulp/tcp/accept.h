/* SPDX-License-Identifier: GPL-2.0 */
/* The children of a listener with NST. */
#ifndef _NST_TCP_ACCEPT_H
#define _NST_TCP_ACCEPT_H

#include "tcp/sock.h"

void nst_tcp_clone(const struct request_sock *req, struct sock *sk,
		   const gfp_t priority);
NST_ACCEPT(nst_tcp_accept);
struct nst_tcp *nst_tcp_bare_parent(const struct sock *sk);
void nst_tcp_release_cb(struct sock *sk);
int nst_tcp_listen(struct socket *sock, int backlog);
void nst_tcp_leave_group(struct sock *sk);
void nst_tcp_unhash(struct sock *sk);

#endif /* _NST_TCP_ACCEPT_H */
