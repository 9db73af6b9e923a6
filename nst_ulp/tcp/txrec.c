// SPDX-License-Identifier: GPL-2.0
/*
 * Build and seal one record. Large pieces of a program's memory are encrypted
 * from where they stand into the pages that go out. Small ones are copied to
 * their place in those pages and encrypted there: a copy of a few hundred
 * bytes costs less than finding and pinning their page.
 */
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/uio.h>
#include <net/sock.h>
#include "core/aead.h"
#include "core/stream.h"
#include "tcp/txrec.h"

/* From this length on, a stretch of user memory is pinned, not copied. */
#define PIN_MIN		4096

/* Pages pinned at a time. */
#define PIN_BATCH	16

/*
 * A cipher walks source and destination page by page. If both cross into the
 * next page at the same byte, it takes half as many steps. So a body whose
 * plaintext is borrowed stands at the same offset in its page as that does, and
 * the header goes elsewhere, or each record would shift the next one.
 */
#define ALIGN_MIN	(2 * PAGE_SIZE)

/* One spare record a CPU, or NULL; taken and given back by exchange. */
static DEFINE_PER_CPU(struct nst_txrec *, txrec_spare);

/**
 * nst_txrec_get() - begin a record
 * @type: its type
 *
 * Context: process.
 * Return: an empty record, or NULL without memory.
 */
struct nst_txrec *nst_txrec_get(u8 type)
{
	struct nst_txrec *rec = this_cpu_xchg(txrec_spare, NULL);

	if (!rec)
		rec = kzalloc(sizeof(*rec), GFP_KERNEL);
	if (!rec)
		return NULL;
	rec->borrowed = 0;
	rec->nr_out = 0;
	rec->nr_in = 0;
	rec->len = 0;
	rec->sent = 0;
	rec->mem = 0;
	rec->counted = NULL;
	rec->small = false;
	rec->kept = false;
	rec->hdr = NULL;
	rec->type = type;
	rec->sealed = false;
	return rec;
}

static void free_spare(struct nst_txrec *rec)
{
	if (rec && rec->hdrs.page)
		put_page(rec->hdrs.page);
	if (rec && rec->pages.page)
		put_page(rec->pages.page);
	kfree(rec);
}

/**
 * nst_txrec_put() - be done with a record
 * @rec: in any state, or NULL
 */
void nst_txrec_put(struct nst_txrec *rec)
{
	unsigned int i;

	if (!rec)
		return;
	for (i = 0; i < rec->nr_in; i++)
		if (rec->borrowed & BIT_ULL(i))
			put_page(rec->in[i].bv_page);
	for (i = 0; i < rec->nr_out; i++)
		put_page(rec->out[i].bv_page);
	if (this_cpu_cmpxchg(txrec_spare, NULL, rec))
		free_spare(rec);
}

/* Copy to where the ciphertext will stand. */
static int gather_copy(struct nst_txrec *rec, struct iov_iter *iter,
		       unsigned int n)
{
	unsigned int done = 0;
	int err = nst_pieces_add_hdr(rec, false);

	if (err)
		return err;
	while (done < n && !nst_txrec_full(rec)) {
		struct bio_vec *out;
		size_t copied;
		u8 *addr;
		int got;

		got = nst_pieces_grow(rec, n - done, 1, &addr);
		if (got <= 0)
			return done ?: got;
		copied = copy_from_iter(addr, got, iter);
		if (copied < got)
			nst_pieces_trim_out(rec, got - copied);
		if (copied) {
			out = &rec->out[rec->nr_out - 1];
			nst_pieces_add_in(rec, out->bv_page,
					  out->bv_offset + out->bv_len - copied, copied,
			       false);
		}
		done += copied;
		if (copied < got)
			return done ?: -EFAULT;
	}
	return done;
}

/* Borrow the pages that the plaintext stands in. */
static int gather_pin(struct nst_txrec *rec, struct iov_iter *iter,
		      unsigned int n)
{
	unsigned int slots = min_t(unsigned int, PIN_BATCH,
				   NST_TXREC_PIECES - rec->nr_in);
	struct page *pages[PIN_BATCH];
	ssize_t got, left;
	int room, i, nr;
	size_t offset;

	room = nst_pieces_add_hdr(rec, n >= ALIGN_MIN);
	if (room)
		return room;
	got = iov_iter_get_pages2(iter, pages, n, slots, &offset);
	if (got <= 0)
		return got ?: -EFAULT;
	nr = DIV_ROUND_UP(offset + got, PAGE_SIZE);
	if (!rec->len && got >= ALIGN_MIN)
		nst_pieces_align(rec, offset);
	room = nst_pieces_reserve(rec, got);
	if (room < got)
		iov_iter_revert(iter, got - max(room, 0));
	left = max(room, 0);
	for (i = 0; i < nr; i++, offset = 0) {
		unsigned int part = min_t(ssize_t, left, PAGE_SIZE - offset);

		if (part)
			nst_pieces_add_in(rec, pages[i], offset, part, true);
		else
			put_page(pages[i]);
		left -= part;
	}
	return room;
}

/* Take one stretch of plaintext, or if all is copied any number of them. */
static int gather_some(struct nst_txrec *rec, struct iov_iter *iter,
		       unsigned int n, enum nst_txrec_from from)
{
	unsigned int seg = min_t(size_t, n, iov_iter_single_seg_count(iter));
	int got;

	if (from == NST_TXREC_SPLICE)
		return gather_pin(rec, iter, seg);
	if (from == NST_TXREC_PIN && seg >= PIN_MIN && user_backed_iter(iter)) {
		got = gather_pin(rec, iter, seg);
		/* What can be read need not be memory that can be pinned. */
		if (got >= 0 || got == -ENOMEM)
			return got;
	}
	return gather_copy(rec, iter, seg ?: n);
}

/**
 * nst_txrec_gather() - take plaintext into the record
 * @rec: not sealed
 * @iter: where it is; advanced by what was taken
 * @n: bytes, at most what @iter has
 * @from: how it may be taken
 *
 * Context: process, may fault.
 * Return: bytes taken, fewer than @n if nst_txrec_full() or for want of memory;
 * -ENOMEM if none; -EFAULT, and nothing is taken, if any of the bytes cannot be
 * read.
 */
int nst_txrec_gather(struct nst_txrec *rec, struct iov_iter *iter,
		     unsigned int n, enum nst_txrec_from from)
{
	unsigned int before = rec->len;
	int got = 0;

	rec->small = from == NST_TXREC_COPY;
	while (rec->len - before < n && !nst_txrec_full(rec)) {
		got = gather_some(rec, iter, n - (rec->len - before), from);
		if (got <= 0)
			break;
		rec->len += got;
	}
	if (got >= 0 || got == -ENOMEM)
		return (int)(rec->len - before) ?: got;
	iov_iter_revert(iter, rec->len - before);
	nst_txrec_trim(rec, before);
	return got;
}

/**
 * nst_txrec_trim() - take back what was gathered last
 * @rec: not sealed
 * @len: plaintext bytes to keep
 */
void nst_txrec_trim(struct nst_txrec *rec, unsigned int len)
{
	nst_pieces_trim_out(rec, rec->len - len);
	nst_pieces_trim_in(rec, rec->len - len);
	rec->len = len;
}

/* Does plaintext stand where its ciphertext will? */
static bool is_in_place(const struct nst_txrec *rec)
{
	return rec->nr_in &&
	       rec->borrowed != GENMASK_ULL(rec->nr_in - 1, 0);
}

/**
 * nst_txrec_lift() - have the plaintext outlast a cipher that fails half-way
 * @rec: not sealed
 *
 * Its ciphertext will stand in other pages.
 *
 * Context: process.
 * Return: @rec, or another record in its place; NULL without memory, and @rec is
 * as before.
 */
struct nst_txrec *nst_txrec_lift(struct nst_txrec *rec)
{
	struct nst_txrec *new;
	unsigned int i;

	if (!is_in_place(rec))
		return rec;
	new = nst_txrec_get(rec->type);
	if (!new)
		return NULL;
	for (i = 0; i < rec->nr_in; i++) {
		struct bio_vec *in = &rec->in[i];

		get_page(in->bv_page);
		nst_pieces_add_in(new, in->bv_page, in->bv_offset, in->bv_len,
				  true);
	}
	if (nst_pieces_add_hdr(new, false) ||
	    nst_pieces_reserve(new, rec->len) != rec->len) {
		nst_txrec_put(new);
		return NULL;
	}
	new->len = rec->len;
	new->kept = rec->kept;
	nst_txrec_put(rec);
	return new;
}

static void build_lists(struct nst_txrec *rec, struct nst_op *op,
			unsigned int pad)
{
	struct scatterlist *sg = &op->src[1];
	unsigned int i;

	for (i = 0; i < rec->nr_in; i++, sg++)
		nst_sg_page(sg, rec->in[i].bv_page, rec->in[i].bv_len,
			    rec->in[i].bv_offset);
	if (pad) {
		memset(op->pad, 0, sizeof(op->pad));
		nst_sg_buf(sg++, op->pad, pad);
	}
	sg_mark_end(sg - 1);

	sg = &op->dst[1];
	for (i = 0; i < rec->nr_out; i++) {
		unsigned int skip = i ? 0 : NST_WIRE_HDR_LEN;

		if (rec->out[i].bv_len > skip)
			nst_sg_page(sg++, rec->out[i].bv_page,
				    rec->out[i].bv_len - skip,
				    rec->out[i].bv_offset + skip);
	}
	nst_sg_buf(sg, rec->hdr + NST_WIRE_OFF_TOKEN, NST_WIRE_TOKEN_LEN);
	sg_mark_end(sg);
}

/**
 * nst_txrec_seal() - encrypt the record
 * @rec: not sealed
 * @st: its stream; moves on if the record is sealed
 * @hdr: receives the record's header
 *
 * After an error the record is as before, but for what stood where its ciphertext
 * goes: the cipher may have failed half-way. What it has made goes nowhere, and the
 * nonce will seal under the keys of another epoch. A cipher that is broken closes
 * the stream.
 *
 * Context: process, under the sender's lock.
 * Return: 0; what nst_stream_tx_begin() returns; -ENOMEM for any want that may
 * pass, of the cipher's driver too.
 */
int nst_txrec_seal(struct nst_txrec *rec, struct nst_stream *st,
		   struct nst_hdr *hdr)
{
	unsigned int pad, room = 0;
	struct nst_op *op;
	int err;

	err = nst_pieces_add_hdr(rec, false);
	if (!err)
		err = nst_stream_tx_begin(st, hdr, rec->type, rec->len);
	if (err) {
		if (!nst_cipher_may_pass(err))
			return err;
		nst_stream_tx_fail(st, false);
		return -ENOMEM;
	}
	pad = nst_wire_body_len(hdr->suite, rec->len) - rec->len;
	while (room < pad) {
		u8 *addr;

		err = nst_pieces_grow(rec, pad - room, pad - room, &addr);
		if (err <= 0)
			goto fail;
		room += err;
	}
	err = -ENOMEM;
	op = nst_op_get(&st->tx.ep.cipher, GFP_KERNEL);
	if (!op)
		goto fail;
	nst_wire_encode(rec->hdr, hdr);
	nst_wire_aad(op->aad, rec->hdr);
	build_lists(rec, op, pad);
	err = nst_cipher_seal(&st->tx.ep.cipher, op, hdr);
	nst_op_put(op);
	if (err) {
		if (nst_cipher_may_pass(err)) {
			nst_stream_tx_fail(st, true);
			err = -ENOMEM;
		} else {
			st->tx.closed = true;
		}
		goto fail;
	}
	nst_pieces_trim_in(rec, rec->len);
	rec->sealed = true;
	nst_stream_tx_commit(st, hdr);
	return 0;

fail:
	nst_pieces_trim_out(rec, room);
	return err ?: -ENOMEM;
}

/**
 * nst_txrec_left() - what TCP has not taken yet
 * @rec: sealed
 *
 * Return: bytes.
 */
unsigned int nst_txrec_left(const struct nst_txrec *rec)
{
	unsigned int i, left = 0;

	for (i = 0; i < rec->nr_out; i++)
		left += rec->out[i].bv_len;
	return left;
}

/**
 * nst_txrec_mem() - what memory does a record hold?
 * @rec: in any state, or NULL
 *
 * What TCP has taken is its own to count. All of a page that is used in part is
 * counted, as nobody else has the rest.
 *
 * Return: bytes.
 */
unsigned int nst_txrec_mem(const struct nst_txrec *rec)
{
	return rec ? sizeof(*rec) + rec->mem - rec->sent : 0;
}

/**
 * nst_txrec_advance() - TCP has taken some of a sealed record
 * @rec: sealed; afterwards @rec->out is what is left
 * @n: bytes taken
 */
void nst_txrec_advance(struct nst_txrec *rec, unsigned int n)
{
	unsigned int i, gone = 0;

	rec->sent += n;
	while (gone < rec->nr_out && n >= rec->out[gone].bv_len) {
		n -= rec->out[gone].bv_len;
		put_page(rec->out[gone++].bv_page);
	}
	for (i = gone; i < rec->nr_out; i++)
		rec->out[i - gone] = rec->out[i];
	rec->nr_out -= gone;
	if (n) {
		rec->out[0].bv_offset += n;
		rec->out[0].bv_len -= n;
	}
}

/**
 * nst_txrec_exit() - free what the CPUs keep
 *
 * Context: process, at module exit, when nothing sends any more.
 */
void nst_txrec_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		free_spare(per_cpu(txrec_spare, cpu));
		per_cpu(txrec_spare, cpu) = NULL;
	}
}
