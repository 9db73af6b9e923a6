/* SPDX-License-Identifier: GPL-2.0 */
/* How many closed connections go on. */
#ifndef _NST_TCP_CROWD_H
#define _NST_TCP_CROWD_H

#include "tcp/sock.h"

void nst_tcp_crowd_enter(struct nst_tcp *nst);
void nst_tcp_crowd_leave(struct nst_tcp *nst);
void nst_tcp_crowd_acked(struct nst_tcp *nst, bool thin);
bool nst_tcp_crowd_is_full(void);
void nst_tcp_crowd_kick(void);

#endif /* _NST_TCP_CROWD_H */
