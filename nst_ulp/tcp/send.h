/* SPDX-License-Identifier: GPL-2.0 */
/* sendmsg() and its like. */
#ifndef _NST_TCP_SEND_H
#define _NST_TCP_SEND_H

#include <linux/socket.h>
#include "tcp/sock.h"

int nst_tcp_sendmsg(struct sock *sk, struct msghdr *msg, size_t size);
int nst_tcp_sendpage(struct sock *sk, struct page *page, int offset,
		     size_t size, int flags);
void nst_tcp_splice_eof(struct socket *sock);

#endif /* _NST_TCP_SEND_H */
