/* SPDX-License-Identifier: GPL-2.0 */
/* Room in TCP's send buffer: for a record that was begun, and for a program. */
#ifndef _NST_TCP_ROOM_H
#define _NST_TCP_ROOM_H

#include "tcp/sock.h"

int nst_tcp_room_begin(struct nst_tcp *nst, unsigned int len,
		       unsigned int pieces);
void nst_tcp_room_end(struct nst_tcp *nst, int sndbuf);
bool nst_tcp_memory_free(const struct sock *sk, int wake);

#endif /* _NST_TCP_ROOM_H */
