// SPDX-License-Identifier: GPL-2.0
/* Find, hold and open one record. */
#include <linux/mm.h>
#include <linux/uio.h>
#include "compat_pages.h"
#include "core/aead.h"
#include "tcp/rxrec.h"

/* Pages pinned at a time. */
#define PIN_BATCH	16

/*
 * May somebody outside the kernel write to a page of a buffer? Its buffer should tell
 * (SKBFL_SHARED_FRAG), or it was copied for a receiver (skb_orphan_frags_rx(), for
 * rings of packet sockets and MSG_ZEROCOPY). But stable kernels have lost that mark
 * where buffers are joined, and XDP sockets set none. What the kernel has for packets
 * is no file's nor a program's memory, and mapped nowhere.
 *
 * No suite is beyond this. Each driver at hand reads the ciphertext twice: the GCM
 * and ChaCha20 templates and authenc() authenticate all of it and then decrypt it; the
 * AES-GCM of x86, in one pass, loads each block once to hash and once to decrypt.
 */
static bool is_written_to(struct page *page)
{
	struct folio *folio = page_folio(page);

	return READ_ONCE(folio->mapping) || folio_mapped(folio);
}

static int src_add(struct nst_rxrec *rec, struct page *page, unsigned int n,
		   unsigned int offset, bool ref)
{
	/* The token takes the entry behind the last piece. */
	if (rec->nr_src == NST_OP_FRAGS)
		return -E2BIG;
	rec->nr_src++;
	nst_sg_page(&rec->op->src[rec->nr_src], page, n, offset);
	if (ref) {
		get_page(page);
		rec->src_refs |= BIT_ULL(rec->nr_src);
	}
	return 0;
}

/* Pieces of the linear part, if @offset lies in it. */
static int add_head(struct nst_rxrec *rec, struct sk_buff *skb,
		    unsigned int *offset, unsigned int *n)
{
	unsigned int headlen = skb_headlen(skb), part;
	u8 *data;
	int err;

	if (*offset >= headlen) {
		*offset -= headlen;
		return 0;
	}
	data = skb->data + *offset;
	part = min(*n, headlen - *offset);
	err = src_add(rec, virt_to_page(data), part, offset_in_page(data),
		      false);
	*offset = 0;
	*n -= part;
	return err;
}

static int add_frags(struct nst_rxrec *rec, struct sk_buff *skb,
		     unsigned int *offset, unsigned int *n, bool ref)
{
	int i, err = 0;

	for (i = 0; !err && *n && i < skb_shinfo(skb)->nr_frags; i++) {
		skb_frag_t *frag = &skb_shinfo(skb)->frags[i];
		unsigned int size = skb_frag_size(frag), part;

		if (*offset >= size) {
			*offset -= size;
			continue;
		}
		part = min(*n, size - *offset);
		if (is_written_to(skb_frag_page(frag)))
			return -EUCLEAN;
		err = src_add(rec, skb_frag_page(frag), part,
			      skb_frag_off(frag) + *offset, ref);
		*offset = 0;
		*n -= part;
	}
	return err;
}

/*
 * What is kept of a buffer by who holds so many bytes of it, by a clone or by
 * references to their pages, that nobody else counts. TCP counts all of a buffer as
 * long as it has bytes of it left, which are behind these; then it frees what is not
 * kept. The truesize of pages is known only for all of them.
 */
static unsigned int kept(const struct sk_buff *skb, unsigned int offset,
			 unsigned int n, bool clone)
{
	unsigned int head = SKB_TRUESIZE(skb_end_offset(skb)), pages;

	if (offset + n < skb->len)
		return clone ? SKB_DATA_ALIGN(sizeof(*skb)) : 0;
	if (clone)
		return skb->truesize;
	pages = skb->truesize > head ? skb->truesize - head : 0;
	return max_t(u64, n, div_u64((u64)pages * n, skb->data_len));
}

/**
 * nst_rxrec_add() - add pieces of the body
 * @rec: the record
 * @skb: on TCP's receive queue, under the socket lock
 * @offset: where they begin in it
 * @n: bytes of them
 * @gfp: for a clone, if one is needed
 *
 * What is added is held until nst_rxrec_release_src(), whatever becomes of
 * @skb: pages by a reference, the rest (linear parts, fragment lists) by a
 * clone of the skb.
 *
 * Return: 0; -E2BIG if there are too many pieces; -EUCLEAN if someone outside
 * the kernel may still write to them; -ENOMEM.
 */
int nst_rxrec_add(struct nst_rxrec *rec, struct sk_buff *skb,
		  unsigned int offset, unsigned int n, gfp_t gfp)
{
	bool hold = offset < skb_headlen(skb) || skb_has_frag_list(skb);
	struct sk_buff *frag;
	int err;

	/* The tag must not be checked on other bytes than are decrypted. */
	if (skb_has_shared_frag(skb) || !skb_frags_readable(skb))
		return -EUCLEAN;
	rec->mem += kept(skb, offset, n, hold);
	if (hold) {
		skb = skb_clone(skb, gfp);
		if (!skb)
			return -ENOMEM;
		skb->next = rec->holds;
		rec->holds = skb;
	}
	err = add_head(rec, skb, &offset, &n);
	if (!err)
		err = add_frags(rec, skb, &offset, &n, !hold);
	if (err || !n || !skb_has_frag_list(skb))
		return err;
	skb_walk_frags(skb, frag) {
		if (skb_has_frag_list(frag))
			return -E2BIG;
		err = add_head(rec, frag, &offset, &n);
		if (!err)
			err = add_frags(rec, frag, &offset, &n, false);
		if (err || !n)
			break;
	}
	return err;
}

/**
 * nst_rxrec_release_src() - let go of the body
 * @rec: no operation under way; may be filled again
 */
void nst_rxrec_release_src(struct nst_rxrec *rec)
{
	unsigned int i;

	for (i = 1; i <= rec->nr_src; i++)
		if (rec->src_refs & BIT_ULL(i))
			put_page(sg_page(&rec->op->src[i]));
	rec->src_refs = 0;
	rec->nr_src = 0;
	rec->mem = 0;
	while (rec->holds) {
		struct sk_buff *skb = rec->holds;

		rec->holds = skb->next;
		skb->next = NULL;
		consume_skb(skb);
	}
}

/**
 * nst_rxrec_mem() - what memory does a record hold that waits?
 * @rec: the record, without a place for its plaintext
 *
 * What TCP has counted of it until it was taken off the queue, and counts no more.
 *
 * Return: bytes.
 */
unsigned int nst_rxrec_mem(const struct nst_rxrec *rec)
{
	return sizeof(*rec->op) + rec->op->req_size + rec->mem;
}

/**
 * nst_rxrec_buffer() - a buffer for a body or a plaintext
 * @len: bytes, at most NST_WIRE_BODY_MAX
 * @gfp: allocation flags
 *
 * Return: an skb of @len undefined bytes; NULL without memory.
 */
struct sk_buff *nst_rxrec_buffer(unsigned int len, gfp_t gfp)
{
	struct sk_buff *skb;
	int err;

	if (len <= SKB_MAX_ALLOC / 2) {
		skb = alloc_skb(len, gfp);
		if (skb)
			skb_put(skb, len);
		return skb;
	}
	skb = alloc_skb_with_frags(0, len, PAGE_ALLOC_COSTLY_ORDER, &err, gfp);
	if (skb) {
		skb->data_len = len;
		skb->len = len;
	}
	return skb;
}

static void dst_add(struct nst_rxrec *rec, struct page *page, unsigned int n,
		    unsigned int offset)
{
	rec->nr_dst++;
	nst_sg_page(&rec->op->dst[rec->nr_dst], page, n, offset);
}

/**
 * nst_rxrec_pin() - decrypt into a reader's memory
 * @rec: without a destination yet
 * @iter: the reader's memory; advanced by what is pinned
 * @n: bytes, at most what @iter has
 *
 * A reference alone would not hold them: if another thread forks, the program
 * may be given a copy and the plaintext go to what only the child has.
 *
 * Context: process, may fault.
 * Return: bytes pinned, perhaps fewer than @n; they are in @rec->user too.
 */
int nst_rxrec_pin(struct nst_rxrec *rec, struct iov_iter *iter, unsigned int n)
{
	struct page *pages[PIN_BATCH];

	while (rec->user < n) {
		/* Leave entries for the rest's buffer and the padding. */
		unsigned int slots = min_t(unsigned int, PIN_BATCH,
					   NST_OP_FRAGS / 2 - rec->nr_dst);
		size_t offset;
		ssize_t got, left;
		int i;

		if (!slots)
			break;
		got = nst_compat_pin_pages(iter, pages, n - rec->user, slots,
					   &offset);
		if (got <= 0)
			break;
		for (i = 0, left = got; left; i++, offset = 0) {
			unsigned int part = min_t(ssize_t, left,
						  PAGE_SIZE - offset);

			dst_add(rec, pages[i], part, offset);
			left -= part;
		}
		rec->user += got;
	}
	rec->nr_user = rec->nr_dst;
	return rec->user;
}

/**
 * nst_rxrec_bounce() - decrypt a short record into the operation's own buffer
 * @rec: without a destination yet, of at most NST_OP_BOUNCE bytes
 */
void nst_rxrec_bounce(struct nst_rxrec *rec)
{
	rec->user = rec->hdr.len;
	if (!rec->user)
		return;
	rec->nr_dst++;
	nst_sg_buf(&rec->op->dst[rec->nr_dst], rec->op->bounce, rec->user);
}

/**
 * nst_rxrec_rest() - decrypt what has no place yet into the buffer
 * @rec: the record; @rec->plain has room for just that, or is NULL and there is
 *	none
 */
void nst_rxrec_rest(struct nst_rxrec *rec)
{
	struct sk_buff *skb = rec->plain;
	int i;

	if (!skb)
		return;
	if (skb_headlen(skb)) {
		rec->nr_dst++;
		nst_sg_buf(&rec->op->dst[rec->nr_dst], skb->data,
			   skb_headlen(skb));
	}
	for (i = 0; i < skb_shinfo(skb)->nr_frags; i++) {
		skb_frag_t *frag = &skb_shinfo(skb)->frags[i];

		dst_add(rec, skb_frag_page(frag), skb_frag_size(frag),
			skb_frag_off(frag));
	}
}

/**
 * nst_rxrec_open() - authenticate and decrypt
 * @rec: with its whole body and with room for its whole plaintext
 * @cipher: keyed for the record's epoch
 * @wire: the record's header
 *
 * Plaintext that is not authentic is wiped before this returns.
 *
 * Context: process, under the receiver's lock.
 * Return: NST_OK, NST_DROP_AUTH, NST_DROP_PADDING or, also if the driver fails,
 * NST_DROP_NOMEM: @rec->again tells whether that may pass.
 */
enum nst_drop nst_rxrec_open(struct nst_rxrec *rec, struct nst_cipher *cipher,
			     const u8 *wire)
{
	unsigned int len = rec->hdr.len;
	unsigned int pad = nst_wire_body_len(rec->hdr.suite, len) - len;
	struct nst_op *op = rec->op;
	int err;

	nst_op_token(op, wire, rec->nr_src);
	if (pad)
		nst_sg_buf(&op->dst[rec->nr_dst + 1], op->pad, pad);
	if (rec->nr_dst || pad)
		sg_mark_end(&op->dst[rec->nr_dst + !!pad]);
	err = nst_cipher_open(cipher, op, &rec->hdr);
	if (!err && pad && memchr_inv(op->pad, 0, pad))
		err = -EINVAL;
	if (!err)
		return NST_OK;
	if (rec->nr_dst)
		sg_zero_buffer(&op->dst[1], rec->nr_dst, len, 0);
	if (err == -EBADMSG)
		return NST_DROP_AUTH;
	rec->again = nst_cipher_may_pass(err);
	return err == -EINVAL ? NST_DROP_PADDING : NST_DROP_NOMEM;
}

/**
 * nst_rxrec_release_dst() - let go of the reader's pages
 * @rec: no operation under way
 *
 * @rec->plain stays the caller's.
 */
void nst_rxrec_release_dst(struct nst_rxrec *rec)
{
	struct page *pages[NST_OP_FRAGS / 2];
	unsigned int i;

	for (i = 0; i < rec->nr_user; i++)
		pages[i] = sg_page(&rec->op->dst[i + 1]);
	unpin_user_pages_dirty_lock(pages, rec->nr_user, true);
	rec->nr_user = 0;
	rec->nr_dst = 0;
}
