/* SPDX-License-Identifier: GPL-2.0 */
/* What of a socket's bytes is sealed. */
#ifndef _NST_TCP_SEALED_H
#define _NST_TCP_SEALED_H

#include "tcp/sock.h"

bool nst_tcp_plaintext_left(const struct nst_tcp *nst);
bool nst_tcp_tx_sealed(const struct sock *sk, u32 seq, unsigned int len);
bool nst_tcp_rx_sealed(const struct sock *sk);
void nst_tcp_leave(struct sock *sk, bool sealed);

#endif /* _NST_TCP_SEALED_H */
