/* SPDX-License-Identifier: GPL-2.0 */
/* Records on their way to TCP's write queue. */
#ifndef _NST_TCP_TX_H
#define _NST_TCP_TX_H

#include "tcp/sock.h"

bool nst_tcp_tx_is_live(const struct nst_tcp *nst);
bool nst_tcp_tx_own(struct nst_tcp *nst, gfp_t *was);
void nst_tcp_tx_disown(struct nst_tcp *nst, gfp_t was);
int nst_tcp_tx_push(struct nst_tcp *nst);
int nst_tcp_tx_empty(struct nst_tcp *nst, u8 type);
int nst_tcp_tx_may_try(const struct nst_tcp *nst);
bool nst_tcp_tx_may_send(const struct nst_tcp *nst);
bool nst_tcp_tx_is_vain(const struct nst_tcp *nst);
int nst_tcp_tx_prepare(struct nst_tcp *nst, bool room);
int nst_tcp_tx_send(struct nst_tcp *nst, struct nst_txrec *rec);
int nst_tcp_tx_flush(struct nst_tcp *nst);
int nst_tcp_tx_keep_open(struct nst_tcp *nst);
void nst_tcp_tx_settle(struct nst_tcp *nst);
int nst_tcp_tx_finish(struct nst_tcp *nst);

#endif /* _NST_TCP_TX_H */
