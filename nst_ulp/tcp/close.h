/* SPDX-License-Identifier: GPL-2.0 */
/* How a stream ends when its program closes it. */
#ifndef _NST_TCP_CLOSE_H
#define _NST_TCP_CLOSE_H

#include "tcp/sock.h"

void nst_tcp_close(struct sock *sk, long timeout);
void nst_tcp_look_after(struct nst_tcp *nst);
void nst_tcp_close_stop(void);

#endif /* _NST_TCP_CLOSE_H */
