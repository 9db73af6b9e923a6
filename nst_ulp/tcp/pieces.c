// SPDX-License-Identifier: GPL-2.0
/* The pages of a record that is gathered: of its plaintext, and of what goes out. */
#include <linux/mm.h>
#include <net/sock.h>
#include "tcp/pieces.h"

/*
 * Is there room for @min bytes where an earlier record has taken its pages, or this
 * one? What may stay open takes nothing of a large one that others have left: all of
 * it would be held, and charged, for a few bytes.
 */
static bool fits(const struct nst_txrec *rec, unsigned int min)
{
	const struct page_frag *frag = &rec->pages;

	if (!frag->page)
		return false;
	if (rec->small && frag->size > PAGE_SIZE && rec->counted != frag->page)
		return false;
	return page_ref_count(frag->page) == 1 ||
	       frag->offset + min <= frag->size;
}

/* Have @min bytes at @rec->pages. */
static bool refill(struct nst_txrec *rec, unsigned int min)
{
	struct page_frag *frag = &rec->pages;
	struct page *page;

	if (!rec->small || fits(rec, min)) {
		if (!skb_page_frag_refill(min, frag, GFP_KERNEL))
			return false;
	} else {
		page = alloc_page(GFP_KERNEL);
		if (!page)
			return false;
		if (frag->page)
			put_page(frag->page);
		*frag = (struct page_frag){ .page = page, .size = PAGE_SIZE };
	}
	if (rec->counted != frag->page)
		rec->mem += frag->size;
	rec->counted = frag->page;
	return true;
}

/**
 * nst_pieces_grow() - room behind what a record has to go out
 * @rec: the record
 * @n: bytes that are wanted
 * @min: at least so many
 * @addr: receives their address
 *
 * The task's own page fragment is not used: a socket under a network block device
 * sends in the middle of another allocation from it.
 *
 * Context: process, by the owner of @rec.
 * Return: bytes got; 0 if no piece is free; -ENOMEM.
 */
int nst_pieces_grow(struct nst_txrec *rec, unsigned int n, unsigned int min,
		    u8 **addr)
{
	struct page_frag *frag = &rec->pages;
	struct bio_vec *last = NULL;

	if (!refill(rec, min))
		return -ENOMEM;
	n = min_t(unsigned int, n, frag->size - frag->offset);
	if (rec->nr_out)
		last = &rec->out[rec->nr_out - 1];
	if (last && last->bv_page == frag->page &&
	    last->bv_offset + last->bv_len == frag->offset) {
		last->bv_len += n;
	} else {
		if (rec->nr_out == NST_OP_FRAGS)
			return 0;
		get_page(frag->page);
		bvec_set_page(&rec->out[rec->nr_out++], frag->page, n,
			      frag->offset);
	}
	*addr = (u8 *)page_address(frag->page) + frag->offset;
	frag->offset += n;
	return n;
}

/**
 * nst_pieces_add_hdr() - room for the header of a record, if it has none yet
 * @rec: the record
 * @apart: the body is borrowed, and the header stands in a page of headers; else
 *	it stands right before the body
 *
 * Context: process, by the owner of @rec.
 * Return: 0 or -ENOMEM.
 */
int nst_pieces_add_hdr(struct nst_txrec *rec, bool apart)
{
	struct page_frag *frag = &rec->hdrs;
	int got;

	if (rec->hdr)
		return 0;
	if (!apart) {
		got = nst_pieces_grow(rec, NST_WIRE_HDR_LEN, NST_WIRE_HDR_LEN,
				      &rec->hdr);
		return got < 0 ? got : 0;
	}
	if (!frag->page || frag->offset + NST_WIRE_HDR_LEN > PAGE_SIZE) {
		struct page *page = alloc_page(GFP_KERNEL);

		if (!page)
			return -ENOMEM;
		if (frag->page)
			put_page(frag->page);
		frag->page = page;
		frag->offset = 0;
	}
	get_page(frag->page);
	bvec_set_page(&rec->out[rec->nr_out++], frag->page, NST_WIRE_HDR_LEN,
		      frag->offset);
	rec->hdr = (u8 *)page_address(frag->page) + frag->offset;
	frag->offset += NST_WIRE_HDR_LEN;
	rec->mem += PAGE_SIZE;
	return 0;
}

/**
 * nst_pieces_align() - let the next bytes stand where others do in their page
 * @rec: the record
 * @offset: of those others
 *
 * Without memory they stand where they come.
 *
 * Context: process, by the owner of @rec.
 */
void nst_pieces_align(struct nst_txrec *rec, unsigned int offset)
{
	struct page_frag *frag = &rec->pages;
	unsigned int skip;

	if (!refill(rec, 1))
		return;
	skip = offset_in_page(offset - frag->offset);
	/* Behind the end lies a new page, whose offset is 0. */
	if (frag->offset + skip >= frag->size)
		skip = frag->size - frag->offset;
	frag->offset += skip;
	if (frag->offset == frag->size && refill(rec, 1))
		frag->offset += offset_in_page(offset);
}

/* Nothing is left of the last piece: of its page perhaps in the one before. */
static void drop_last(struct nst_txrec *rec)
{
	struct page *page = rec->out[--rec->nr_out].bv_page;

	if (page != rec->pages.page &&
	    (!rec->nr_out || rec->out[rec->nr_out - 1].bv_page != page))
		rec->mem -= page_size(page);
	put_page(page);
}

/**
 * nst_pieces_trim_out() - give up the last of what goes out
 * @rec: the record, not sealed
 * @n: bytes
 *
 * Context: process, by the owner of @rec.
 */
void nst_pieces_trim_out(struct nst_txrec *rec, unsigned int n)
{
	while (n) {
		struct bio_vec *last = &rec->out[rec->nr_out - 1];
		unsigned int cut = min(n, last->bv_len);

		last->bv_len -= cut;
		n -= cut;
		if (!last->bv_len)
			drop_last(rec);
	}
}

/**
 * nst_pieces_reserve() - room for ciphertext whose plaintext stands elsewhere
 * @rec: the record
 * @n: bytes that are wanted
 *
 * Context: process, by the owner of @rec.
 * Return: bytes got, fewer if pieces or memory are short; -ENOMEM for none.
 */
int nst_pieces_reserve(struct nst_txrec *rec, unsigned int n)
{
	unsigned int done = 0;
	u8 *addr;
	int got;

	while (done < n && rec->nr_out < NST_TXREC_PIECES) {
		got = nst_pieces_grow(rec, n - done, 1, &addr);
		if (got < 0)
			return done ?: got;
		done += got;
	}
	return done;
}

/**
 * nst_pieces_add_in() - a stretch of plaintext
 * @rec: the record
 * @page: where it stands
 * @offset: in @page
 * @n: its bytes
 * @borrowed: it is not in what goes out; @rec takes over a reference on @page
 *
 * Context: process, by the owner of @rec, which has a piece free.
 */
void nst_pieces_add_in(struct nst_txrec *rec, struct page *page,
		       unsigned int offset, unsigned int n, bool borrowed)
{
	struct bio_vec *last = rec->nr_in ? &rec->in[rec->nr_in - 1] : NULL;

	if (!borrowed && last && last->bv_page == page &&
	    !(rec->borrowed & BIT_ULL(rec->nr_in - 1)) &&
	    last->bv_offset + last->bv_len == offset) {
		last->bv_len += n;
		return;
	}
	if (borrowed) {
		rec->borrowed |= BIT_ULL(rec->nr_in);
		rec->mem += n;
	}
	bvec_set_page(&rec->in[rec->nr_in++], page, n, offset);
}

/**
 * nst_pieces_trim_in() - give up the last of the plaintext
 * @rec: the record, not sealed
 * @n: bytes
 *
 * Context: process, by the owner of @rec.
 */
void nst_pieces_trim_in(struct nst_txrec *rec, unsigned int n)
{
	while (n) {
		struct bio_vec *last = &rec->in[rec->nr_in - 1];
		unsigned int cut = min(n, last->bv_len);
		bool borrowed = rec->borrowed & BIT_ULL(rec->nr_in - 1);

		last->bv_len -= cut;
		n -= cut;
		if (borrowed)
			rec->mem -= cut;
		if (last->bv_len)
			continue;
		rec->nr_in--;
		if (borrowed) {
			rec->borrowed &= ~BIT_ULL(rec->nr_in);
			put_page(last->bv_page);
		}
	}
}
