/* SPDX-License-Identifier: GPL-2.0 */
/* Datagrams on their way out. */
#ifndef _NST_UDP_TX_H
#define _NST_UDP_TX_H

#include "udp/sock.h"

int nst_udp_sendmsg(struct sock *sk, struct msghdr *msg, size_t len);
#ifdef NST_HAVE_SENDPAGE
int nst_udp_sendpage(struct sock *sk, struct page *page, int offset,
		     size_t size, int flags);
#endif
void nst_udp_splice_eof(struct socket *sock);

#endif /* _NST_UDP_TX_H */
