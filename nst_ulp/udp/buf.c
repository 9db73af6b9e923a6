// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers. The plaintext of a send is gathered in one and sealed there, each
 * datagram as a record with its header in front; and a copy of what may begin a
 * session is opened in one.
 *
 * UDP copies once more, into its packets: of the kernels at hand the oldest can
 * do nothing else, and pages that UDP would take as they are cost an allocation
 * each, as much as copying from a buffer that is in the cache.
 */
#include <linux/bvec.h>
#include <linux/scatterlist.h>
#include <linux/sched/mm.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>
#include "core/aead.h"
#include "trace.h"
#include "udp/buf.h"

/*
 * One spare buffer a CPU, made when that first sends, or NULL while somebody has it.
 * It is the host's and charged to nobody; what is needed beside it is charged to who
 * needs it, and freed then. Taken and given back by exchange, also from elsewhere.
 * Nobody has it while he waits for a page of his: that may take for ever.
 */
static DEFINE_PER_CPU(struct nst_udp_buf *, buf_spare);
static DEFINE_PER_CPU(int, buf_made);

static void buf_free(struct nst_udp_buf *buf)
{
	if (!buf)
		return;
	while (buf->nr)
		__free_page(buf->page[--buf->nr]);
	kfree(buf);
}

static gfp_t gfp_of(const struct nst_udp_buf *buf)
{
	return buf->spare ? GFP_KERNEL : GFP_KERNEL_ACCOUNT;
}

/* The spare one of this CPU, if it is there or was not made yet; else another. */
static struct nst_udp_buf *buf_take(void)
{
	int cpu = raw_smp_processor_id(), *made = per_cpu_ptr(&buf_made, cpu);
	struct nst_udp_buf **spare = per_cpu_ptr(&buf_spare, cpu);
	struct nst_udp_buf *buf = xchg(spare, NULL);
	bool first;

	if (buf)
		return buf;
	first = !READ_ONCE(*made) && !xchg(made, 1);
	buf = kzalloc(sizeof(*buf), first ? GFP_KERNEL : GFP_KERNEL_ACCOUNT);
	if (first && buf)
		buf->spare = spare;
	else if (first)
		WRITE_ONCE(*made, 0);
	return buf;
}

/* Gives it room for so many bytes; without memory it is put, and NULL returned. */
static inline struct nst_udp_buf *buf_grow(struct nst_udp_buf *buf, unsigned int len)
{
	unsigned int nr = DIV_ROUND_UP(len, PAGE_SIZE);

	if (!buf)
		return NULL;
	while (buf->nr < nr) {
		struct page *page = alloc_page(gfp_of(buf));

		if (!page) {
			nst_udp_buf_put(buf);
			return NULL;
		}
		buf->page[buf->nr] = page;
		bvec_set_page(&buf->vec[buf->nr++], page, PAGE_SIZE, 0);
	}
	return buf;
}

/**
 * nst_udp_buf_get() - a buffer to seal in
 * @len: bytes that it has to have room for, at most what NST_UDP_BUF_PAGES take
 *
 * Context: process.
 * Return: the buffer, for nst_udp_buf_put(); NULL without memory.
 */
struct nst_udp_buf *nst_udp_buf_get(unsigned int len)
{
	return buf_grow(buf_take(), len);
}

/**
 * nst_udp_buf_put() - a buffer is used no more
 * @buf: the buffer; the spare one goes back to its CPU
 *
 * Context: process.
 */
void nst_udp_buf_put(struct nst_udp_buf *buf)
{
	if (buf->spare)
		/* Pairs with the exchange of buf_take(). */
		smp_store_release(buf->spare, buf);
	else
		buf_free(buf);
}

/* @from may be NULL: zeros. */
static void buf_write(struct nst_udp_buf *buf, unsigned int off,
		      const void *from, unsigned int len)
{
	while (len) {
		unsigned int in_page = offset_in_page(off);
		unsigned int n = min_t(unsigned int, len, PAGE_SIZE - in_page);
		void *to = page_address(buf->page[off / PAGE_SIZE]) + in_page;

		if (from) {
			memcpy(to, from, n);
			from += n;
		} else {
			memset(to, 0, n);
		}
		off += n;
		len -= n;
	}
}

/* Lists the pieces of the buffer behind the AAD; returns the next entry. */
static unsigned int buf_list(struct nst_udp_buf *buf, struct nst_op *op,
			     unsigned int off, unsigned int len)
{
	unsigned int i = 1;

	for (; len; i++) {
		unsigned int in_page = offset_in_page(off);
		unsigned int n = min_t(unsigned int, len, PAGE_SIZE - in_page);
		struct page *page = buf->page[off / PAGE_SIZE];

		nst_sg_page(&op->src[i], page, n, in_page);
		nst_sg_page(&op->dst[i], page, n, in_page);
		off += n;
		len -= n;
	}
	return i;
}

/* A datagram's body, from @off of it on; true if it has one of that length. */
static bool buf_copy(struct nst_udp_buf *buf, const struct sk_buff *skb,
		     unsigned int off, unsigned int len)
{
	unsigned int i, n;

	for (i = 0; len; i++) {
		n = min_t(unsigned int, len, PAGE_SIZE);
		if (skb_copy_bits(skb, off, page_address(buf->page[i]), n))
			return false;
		off += n;
		len -= n;
	}
	return true;
}

static void buf_wipe(struct nst_udp_buf *buf, unsigned int len)
{
	unsigned int i, n;

	for (i = 0; len; i++) {
		n = min_t(unsigned int, len, PAGE_SIZE);
		memzero_explicit(page_address(buf->page[i]), n);
		len -= n;
	}
}

/* One that is the caller's alone takes the place of a spare one, of @len bytes. */
static struct nst_udp_buf *buf_leave(struct nst_udp_buf *spare,
				     unsigned int filled, unsigned int len)
{
	struct nst_udp_buf *buf;
	unsigned int i, n;

	buf = buf_grow(kzalloc(sizeof(*buf), GFP_KERNEL_ACCOUNT), len);
	for (i = 0; buf && filled; i++) {
		n = min_t(unsigned int, filled, PAGE_SIZE);
		memcpy(page_address(buf->page[i]), page_address(spare->page[i]),
		       n);
		filled -= n;
	}
	if (buf)
		nst_udp_buf_put(spare);
	return buf;
}

/* As much plaintext as is there, if no page may be waited for. */
static unsigned int copy_in(const struct nst_udp_buf *buf, unsigned int off,
			    unsigned int n, struct iov_iter *iter)
{
	struct page *page = buf->page[off / PAGE_SIZE];

	if (unlikely(!buf->spare))
		return copy_page_from_iter(page, offset_in_page(off), n, iter);
	pagefault_disable();
	n = copy_page_from_iter(page, offset_in_page(off), n, iter);
	pagefault_enable();
	return n;
}

/*
 * Plaintext goes to @off of the buffer, which in all is to have room for @all bytes.
 * Another takes its place if a page has to be waited for.
 */
static int buf_fill(struct nst_udp_buf **at, unsigned int off, unsigned int len,
		    unsigned int all, struct iov_iter *iter)
{
	struct nst_udp_buf *buf = *at;
	unsigned int want, n;

	while (len) {
		want = min_t(unsigned int, len, PAGE_SIZE - offset_in_page(off));
		n = copy_in(buf, off, want, iter);
		off += n;
		len -= n;
		if (likely(n == want))
			continue;
		if (!buf->spare)
			return -EFAULT;
		buf = buf_leave(buf, off, all);
		if (!buf)
			return -ENOBUFS;
		*at = buf;
	}
	return 0;
}

/*
 * The pieces of a record that goes over the end of a page. What is sealed is followed
 * by the token, which stands in the operation then.
 */
static u8 *set_pieces(struct nst_udp_buf *buf, struct nst_op *op,
		      unsigned int off, unsigned int body, const u8 *wire)
{
	unsigned int last = buf_list(buf, op, off + NST_WIRE_HDR_LEN, body);

	nst_wire_aad(op->aad, wire);
	sg_mark_end(&op->src[last - 1]);
	nst_sg_buf(&op->dst[last], op->token, NST_WIRE_TOKEN_LEN);
	sg_mark_end(&op->dst[last]);
	return op->token;
}

/*
 * The AAD in front of the body, in the place of its header, and the token behind it:
 * there is room in the page, and the next record's header comes later.
 */
static u8 *set_flat(struct nst_op *op, u8 *at, unsigned int body, const u8 *wire)
{
	u8 *aad = at + NST_WIRE_HDR_LEN - NST_WIRE_AAD_LEN;

	nst_wire_aad(aad, wire);
	nst_op_flat(op, aad, NST_WIRE_AAD_LEN + body + NST_WIRE_TOKEN_LEN);
	sg_mark_end(&op->src[0]);
	return at + NST_WIRE_HDR_LEN + body;
}

/* Seals the plaintext behind the place of its header, and writes that. */
static int seal(struct nst_udp_buf *buf, unsigned int off,
		struct nst_epoch *ep, const struct nst_hdr *hdr)
{
	unsigned int body = nst_wire_body_len(hdr->suite, hdr->len);
	u8 *at = page_address(buf->page[off / PAGE_SIZE]) + offset_in_page(off);
	u8 wire[NST_WIRE_HDR_LEN], *token;
	struct nst_op *op;
	int err;

	op = nst_op_get(&ep->cipher, GFP_KERNEL);
	if (!op)
		return -ENOMEM;
	nst_wire_encode(wire, hdr);
	buf_write(buf, off + NST_WIRE_HDR_LEN + hdr->len, NULL,
		  body - hdr->len);
	if (offset_in_page(off) + NST_WIRE_HDR_LEN + body +
	    NST_WIRE_TOKEN_LEN <= PAGE_SIZE)
		token = set_flat(op, at, body, wire);
	else
		token = set_pieces(buf, op, off, body, wire);
	err = nst_cipher_seal(&ep->cipher, op, hdr);
	if (!err) {
		memcpy(wire + NST_WIRE_OFF_TOKEN, token, NST_WIRE_TOKEN_LEN);
		buf_write(buf, off, wire, sizeof(wire));
	}
	nst_op_put(op);
	return err;
}

/**
 * nst_udp_buf_seal() - gather and seal the datagrams of a send, in a row
 * @nst: the sender's state
 * @at: a buffer with room for them; receives another if that has taken its place
 * @send: what is sent
 * @iter: the plaintext
 * @epoch: what to seal under; the caller's, from nst_udp_epoch_take()
 * @nonce: of the first, likewise
 *
 * Context: process.
 * Return: 0; -EFAULT if the plaintext cannot be read; -ENOBUFS without memory; or as
 * nst_cipher_seal().
 */
int nst_udp_buf_seal(struct nst_udp *nst, struct nst_udp_buf **at,
		     const struct nst_udp_send *send, struct iov_iter *iter,
		     struct nst_udp_epoch *epoch, u64 nonce)
{
	struct nst_epoch_id *id = &epoch->ep.id;
	struct nst_hdr hdr = {
		.suite = id->suite, .kpos = id->kpos, .kval = id->kval,
		.kid = id->kid, .epoch = id->epoch, .type = send->type,
		.role = READ_ONCE(nst->role), .nonce = nonce,
	};
	unsigned int off = 0, left = send->len, i;
	int err;

	for (i = 0; i < send->nr; i++, hdr.nonce++) {
		hdr.len = send->segment ? min_t(unsigned int, left,
						send->segment) : left;
		/* A page fault may take its time, so the clock is read after it. */
		err = buf_fill(at, off + NST_WIRE_HDR_LEN, hdr.len, send->wire,
			       iter);
		if (err)
			return err;
		hdr.timestamp = ktime_get_real_ns();
		err = seal(*at, off, &epoch->ep, &hdr);
		if (err)
			return err;
		trace_nst_record_out(nst->sk, hdr.type, hdr.len, hdr.nonce,
				     hdr.kid, hdr.epoch);
		off += NST_WIRE_HDR_LEN + nst_wire_body_len(hdr.suite, hdr.len);
		left -= hdr.len;
	}
	return 0;
}

/* The copy is opened where it stands. */
static int trial(struct nst_udp_buf *buf, struct nst_cipher *cipher,
		 const u8 *wire, const struct nst_hdr *hdr)
{
	struct nst_op *op = nst_op_get(cipher, GFP_KERNEL);
	unsigned int last;
	int err;

	if (!op)
		return -ENOMEM;
	last = buf_list(buf, op, 0, nst_wire_body_len(hdr->suite, hdr->len));
	sg_mark_end(&op->dst[last - 1]);
	nst_op_token(op, wire, last - 1);
	err = nst_cipher_open_trial(cipher, op, hdr);
	nst_op_put(op);
	return err;
}

/**
 * nst_udp_buf_trial() - is a datagram authentic?
 * @cipher: as for nst_cipher_open_trial()
 * @skb: the datagram, from the UDP header on; is left as it is
 * @hdr: its header, which fits its length
 *
 * Anybody can have this called, with a datagram of any length: it takes no more
 * than single pages, as sending does.
 *
 * Context: process.
 * Return: as nst_cipher_open(); -ENOMEM.
 */
int nst_udp_buf_trial(struct nst_cipher *cipher, const struct sk_buff *skb,
		      const struct nst_hdr *hdr)
{
	unsigned int len = nst_wire_body_len(hdr->suite, hdr->len);
	unsigned int at = sizeof(struct udphdr);
	u8 wire[NST_WIRE_HDR_LEN];
	struct nst_udp_buf *buf;
	struct mem_cgroup *old;
	int err = -ENOMEM;

	/*
	 * Not from the receiver's cgroup: were it full, one worker would look there for
	 * memory, and for whom to kill, while all others wait.
	 */
	old = set_active_memcg(NULL);
	buf = nst_udp_buf_get(len);
	set_active_memcg(old);
	if (!buf)
		return -ENOMEM;
	if (!skb_copy_bits(skb, at, wire, sizeof(wire)) &&
	    buf_copy(buf, skb, at + sizeof(wire), len))
		err = trial(buf, cipher, wire, hdr);
	buf_wipe(buf, len);
	nst_udp_buf_put(buf);
	return err;
}

/**
 * nst_udp_buf_exit() - free what the CPUs keep
 *
 * Context: process, at module exit, when nothing can be sent any more.
 */
void nst_udp_buf_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		buf_free(per_cpu(buf_spare, cpu));
		per_cpu(buf_spare, cpu) = NULL;
		per_cpu(buf_made, cpu) = 0;
	}
}
