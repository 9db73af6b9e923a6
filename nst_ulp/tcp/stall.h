/* SPDX-License-Identifier: GPL-2.0 */
/* A record that is off TCP's queue and waits for memory to be opened. */
#ifndef _NST_TCP_STALL_H
#define _NST_TCP_STALL_H

#include "tcp/rxrec.h"

struct nst_tcp;

/**
 * struct nst_stalled - a record that waits for memory
 * @rec: the record, without a place for its plaintext
 * @wire: its header
 *
 * Lives in its own operation, so that keeping it needs no memory.
 */
struct nst_stalled {
	struct nst_rxrec rec;
	u8 wire[NST_WIRE_HDR_LEN];
};

u32 nst_stall_len(const struct nst_tcp *nst);
void nst_stall_keep(struct nst_tcp *nst, const struct nst_rxrec *rec,
		    const u8 *wire);
int nst_stall_fit(struct nst_tcp *nst, gfp_t gfp);
void nst_stall_take(struct nst_tcp *nst, struct nst_rxrec *rec, u8 *wire);
void nst_stall_drop(struct nst_tcp *nst);

#endif /* _NST_TCP_STALL_H */
