/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A record on its way out: gathered from a program's memory, sealed, handed to
 * TCP. It knows pages and streams, but no socket.
 */
#ifndef _NST_TXREC_H
#define _NST_TXREC_H

#include <linux/types.h>
#include "tcp/pieces.h"

struct iov_iter;
struct nst_hdr;
struct nst_stream;

/**
 * enum nst_txrec_from - how plaintext may be taken
 * @NST_TXREC_COPY: copied, for it may change before the record is sealed
 * @NST_TXREC_PIN: user memory that stays as it is until then may be borrowed
 * @NST_TXREC_SPLICE: pages of a file or pipe, borrowed
 */
enum nst_txrec_from {
	NST_TXREC_COPY,
	NST_TXREC_PIN,
	NST_TXREC_SPLICE,
};

struct nst_txrec *nst_txrec_get(u8 type);
void nst_txrec_put(struct nst_txrec *rec);
int nst_txrec_gather(struct nst_txrec *rec, struct iov_iter *iter,
		     unsigned int n, enum nst_txrec_from from);
void nst_txrec_trim(struct nst_txrec *rec, unsigned int len);
struct nst_txrec *nst_txrec_lift(struct nst_txrec *rec);
int nst_txrec_seal(struct nst_txrec *rec, struct nst_stream *st,
		   struct nst_hdr *hdr);
void nst_txrec_advance(struct nst_txrec *rec, unsigned int n);
unsigned int nst_txrec_left(const struct nst_txrec *rec);
unsigned int nst_txrec_mem(const struct nst_txrec *rec);
void nst_txrec_exit(void);

#endif /* _NST_TXREC_H */
