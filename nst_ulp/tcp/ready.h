/* SPDX-License-Identifier: GPL-2.0 */
/* What has arrived: who is told of it. */
#ifndef _NST_TCP_READY_H
#define _NST_TCP_READY_H

#include "tcp/sock.h"

void nst_tcp_take_rcvlowat(struct nst_tcp *nst);
void nst_tcp_rx_unread(const struct nst_tcp *nst);
void nst_tcp_announce(struct nst_tcp *nst);
void nst_tcp_data_ready(struct sock *sk);

#endif /* _NST_TCP_READY_H */
