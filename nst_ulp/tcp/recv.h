/* SPDX-License-Identifier: GPL-2.0 */
/* Reading, polling and asking how much there is to read. */
#ifndef _NST_TCP_RECV_H
#define _NST_TCP_RECV_H

#include <linux/socket.h>
#include "tcp/sock.h"

NST_RECVMSG(nst_tcp_recvmsg);
__poll_t nst_tcp_poll(struct file *file, struct socket *sock,
		      struct poll_table_struct *table);
NST_IOCTL(nst_tcp_ioctl);
int nst_tcp_set_rcvlowat(struct sock *sk, int val);
void nst_tcp_drain(struct nst_tcp *nst);

#endif /* _NST_TCP_RECV_H */
