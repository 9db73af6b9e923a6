/* SPDX-License-Identifier: GPL-2.0 */
/* Attach NST to a TCP socket, and take it off again. */
#ifndef _NST_TCP_ATTACH_H
#define _NST_TCP_ATTACH_H

#include "tcp/sock.h"

int nst_tcp_connect(struct socket *sock, struct NST_SOCKADDR *addr, int len,
		    int flags);
void nst_tcp_state_change(struct sock *sk);
int nst_tcp_attach(struct sock *sk);
void nst_tcp_install(struct nst_tcp *nst);
bool nst_tcp_plaintext_goes_on(const struct nst_tcp *nst);
void nst_tcp_uninstall(struct nst_tcp *nst);
int nst_tcp_disconnect(struct sock *sk, int flags);

#endif /* _NST_TCP_ATTACH_H */
