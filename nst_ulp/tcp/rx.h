/* SPDX-License-Identifier: GPL-2.0 */
/* From TCP's receive queue to plaintext. */
#ifndef _NST_TCP_RX_H
#define _NST_TCP_RX_H

#include "tcp/open.h"

/*
 * Records without plaintext that are taken at one go. A peer may send them faster
 * than they are opened, and whoever takes them has other things to do.
 */
#define NST_TCP_BATCH	64

int nst_tcp_rx_one(struct nst_tcp *nst, struct nst_rx_want *want);
void nst_tcp_rx_settle(struct nst_tcp *nst);
void nst_tcp_rx_work(struct nst_tcp *nst);

#endif /* _NST_TCP_RX_H */
