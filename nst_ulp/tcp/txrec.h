/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A record on its way out: gathered from a program's memory, sealed, handed to
 * TCP. It knows pages and streams, but no socket.
 */
#ifndef _NST_TXREC_H
#define _NST_TXREC_H

#include <linux/bvec.h>
#include <linux/types.h>
#include "core/aead.h"

struct iov_iter;
struct nst_stream;

/*
 * One fewer than an operation takes, so that the padding of a CBC suite always
 * finds a piece of its own.
 */
#define NST_TXREC_PIECES	(NST_OP_FRAGS - 1)

/**
 * struct nst_txrec - a record that is gathered or sealed
 * @out: the pages that go out, header first; each piece holds a page reference
 * @in: the plaintext. A piece is either borrowed (the program's own page, or
 *	one spliced in) or stands in @out where its ciphertext will stand
 * @borrowed: bit i: @in[i] holds a page reference of its own
 * @hdr: where the header stands in @out[0]; NULL: not yet
 * @hdrs: the page that headers apart from their body are taken from; kept with
 *	the memory of the record when that is used again
 * @pages: where the room in @out is taken from; kept as @hdrs
 * @nr_out: pieces in @out
 * @nr_in: pieces in @in
 * @len: plaintext bytes gathered; @out has room for
 *	the header and as many
 * @sent: bytes of @out that TCP has taken, once @sealed
 * @mem: memory that it takes, but for itself
 * @counted: the page of @pages that @mem counts already
 * @small: it takes memory page by page, as it may stay open
 * @type: record type
 * @sealed: @out is what goes over the wire, and nothing may change it
 *
 * Owned by whoever holds the socket's tx_lock.
 */
struct nst_txrec {
	struct bio_vec out[NST_OP_FRAGS];
	struct bio_vec in[NST_TXREC_PIECES];
	u64 borrowed;
	u8 *hdr;
	struct page_frag hdrs;
	struct page_frag pages;
	unsigned int nr_out;
	unsigned int nr_in;
	unsigned int len;
	unsigned int sent;
	unsigned int mem;
	struct page *counted;
	u8 type;
	bool small;
	bool sealed;
};

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
int nst_txrec_seal(struct nst_txrec *rec, struct nst_stream *st,
		   struct nst_hdr *hdr);
void nst_txrec_advance(struct nst_txrec *rec, unsigned int n);
unsigned int nst_txrec_left(const struct nst_txrec *rec);
unsigned int nst_txrec_mem(const struct nst_txrec *rec);
void nst_txrec_exit(void);

/* No more pieces fit: the record goes out as it is. */
static inline bool nst_txrec_full(const struct nst_txrec *rec)
{
	return rec->nr_in == NST_TXREC_PIECES ||
	       rec->nr_out == NST_TXREC_PIECES;
}

#endif /* _NST_TXREC_H */
