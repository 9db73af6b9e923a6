/* SPDX-License-Identifier: GPL-2.0 */
/* Reading, polling and asking how much there is to read. */
#ifndef _NST_TCP_RECV_H
#define _NST_TCP_RECV_H

#include <linux/socket.h>
#include "tcp_ulp.h"

int nst_tcp_recvmsg(NST_RECVMSG_ARGS);
__poll_t nst_tcp_poll(struct file *file, struct socket *sock,
		      struct poll_table_struct *table);
int nst_tcp_ioctl(struct sock *sk, int cmd, NST_IOCTL_ARG);
int nst_tcp_set_rcvlowat(struct sock *sk, int val);
void nst_tcp_drain(struct nst_tcp *nst);

#endif /* _NST_TCP_RECV_H */
