/* SPDX-License-Identifier: GPL-2.0 */
/* The worker's part of sending. */
#ifndef _NST_TCP_TXWORK_H
#define _NST_TCP_TXWORK_H

#include "tcp/sock.h"

void nst_tcp_tx_work(struct nst_tcp *nst);

#endif /* _NST_TCP_TXWORK_H */
