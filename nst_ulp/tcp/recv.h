/* SPDX-License-Identifier: GPL-2.0 */
/* From plaintext to the reader. */
#ifndef _NST_TCP_RECV_H
#define _NST_TCP_RECV_H

#include <linux/socket.h>
#include "tcp/sock.h"

NST_RECVMSG(nst_tcp_recvmsg);
void nst_tcp_drain(struct nst_tcp *nst);

#endif /* _NST_TCP_RECV_H */
