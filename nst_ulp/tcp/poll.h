/* SPDX-License-Identifier: GPL-2.0 */
/* Is there something to read, and how much? */
#ifndef _NST_TCP_POLL_H
#define _NST_TCP_POLL_H

#include <linux/poll.h>
#include "tcp/sock.h"

bool nst_tcp_readable(const struct nst_tcp *nst);
bool nst_tcp_control_waits(const struct nst_tcp *nst);
__poll_t nst_tcp_poll(struct file *file, struct socket *sock,
		      struct poll_table_struct *table);
NST_IOCTL(nst_tcp_ioctl);
int nst_tcp_set_rcvlowat(struct sock *sk, int val);

#endif /* _NST_TCP_POLL_H */
