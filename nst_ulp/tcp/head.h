/* SPDX-License-Identifier: GPL-2.0 */
/* The record at the head of TCP's receive queue. */
#ifndef _NST_TCP_HEAD_H
#define _NST_TCP_HEAD_H

#include "tcp/sock.h"

struct nst_rxrec;

/* What the record at the head waits for. */
enum nst_head_state {
	HEAD_WAIT,	/* not complete */
	HEAD_WORK,	/* something to do that no reader waits for */
	HEAD_READY,	/* a reader's */
};

bool nst_tcp_head_unread(const struct nst_tcp *nst);
void nst_tcp_head_drop_cut(struct nst_tcp *nst);
enum nst_head_state nst_tcp_head_look(struct nst_tcp *nst);
void nst_tcp_head_reset(struct nst_tcp *nst);
int nst_tcp_head_gather(struct nst_tcp *nst, gfp_t gfp);
void nst_tcp_head_next(struct nst_tcp *nst);
int nst_tcp_head_take(struct nst_tcp *nst, struct nst_rxrec *rec, u8 *wire,
		      gfp_t gfp);

#endif /* _NST_TCP_HEAD_H */
