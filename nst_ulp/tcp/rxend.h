/* SPDX-License-Identifier: GPL-2.0 */
/* How receiving ends. */
#ifndef _NST_TCP_RXEND_H
#define _NST_TCP_RXEND_H

#include "tcp/sock.h"

int nst_tcp_rx_fail(struct nst_tcp *nst, enum nst_drop drop,
		    const struct nst_hdr *hdr);
void nst_tcp_rx_bound(struct nst_tcp *nst);
void nst_tcp_rx_unstarted(struct nst_tcp *nst);

#endif /* _NST_TCP_RXEND_H */
