/* SPDX-License-Identifier: GPL-2.0 */
/* A record on its way out, and the pages that it is made of. */
#ifndef _NST_PIECES_H
#define _NST_PIECES_H

#include <linux/bvec.h>
#include <linux/mm_types.h>
#include <linux/types.h>
#include "core/aead.h"

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
 * @kept: it has some of an earlier call, which nobody can bring again
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
	bool kept;
	bool sealed;
};

int nst_pieces_grow(struct nst_txrec *rec, unsigned int n, unsigned int min,
		    u8 **addr);
int nst_pieces_add_hdr(struct nst_txrec *rec, bool apart);
void nst_pieces_align(struct nst_txrec *rec, unsigned int offset);
void nst_pieces_trim_out(struct nst_txrec *rec, unsigned int n);
int nst_pieces_reserve(struct nst_txrec *rec, unsigned int n);
void nst_pieces_add_in(struct nst_txrec *rec, struct page *page,
		       unsigned int offset, unsigned int n, bool borrowed);
void nst_pieces_trim_in(struct nst_txrec *rec, unsigned int n);

/* No more pieces fit: the record goes out as it is. */
static inline bool nst_txrec_full(const struct nst_txrec *rec)
{
	return rec->nr_in == NST_TXREC_PIECES ||
	       rec->nr_out == NST_TXREC_PIECES;
}

#endif /* _NST_PIECES_H */
