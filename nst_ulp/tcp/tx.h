/* SPDX-License-Identifier: GPL-2.0 */
/* Sending over TCP. */
#ifndef _NST_TCP_TX_H
#define _NST_TCP_TX_H

#include <linux/socket.h>
#include "tcp/sock.h"

int nst_tcp_sendmsg(struct sock *sk, struct msghdr *msg, size_t size);
int nst_tcp_sendpage(struct sock *sk, struct page *page, int offset,
		     size_t size, int flags);
void nst_tcp_splice_eof(struct socket *sock);
int nst_tcp_tx_finish(struct nst_tcp *nst);
void nst_tcp_tx_work(struct nst_tcp *nst);

#endif /* _NST_TCP_TX_H */
