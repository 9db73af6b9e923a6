/* SPDX-License-Identifier: GPL-2.0 */
/* The epochs that a UDP socket sends in, and its nonces. */
#ifndef _NST_UDP_EPOCH_H
#define _NST_UDP_EPOCH_H

#include "udp/sock.h"

struct nst_udp_epoch *nst_udp_epoch_take(struct nst_udp *nst, unsigned int nr,
					 unsigned int bytes, long *timeo,
					 u64 *nonce);
void nst_udp_epoch_put(struct nst_udp_epoch *epoch);

#endif /* _NST_UDP_EPOCH_H */
