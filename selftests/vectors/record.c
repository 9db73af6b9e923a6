// SPDX-License-Identifier: GPL-2.0
/* One record through wire, cipher and stream. */
#include <linux/err.h>
#include <linux/in.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "core/aead.h"
#include "core/stream.h"
#include "core/stream_rx.h"
#include "record.h"

static u32 next_random(u32 *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

/*
 * Fills @sg with @base[0..len), cut by @cut, pieces with an alias bit from
 * @alias instead, where they are copied to first if @fill is set.
 */
static unsigned int cut_list(struct scatterlist *sg, u8 *base, u8 *alias,
			     unsigned int len, const struct rec_cut *cut,
			     u32 seed, bool fill)
{
	unsigned int pieces = cut && cut->pieces ? cut->pieces : 1;
	unsigned int at = 0, n = 0, size;

	pieces = min_t(unsigned int, pieces, NST_OP_FRAGS - 1);
	while (at < len) {
		u8 *from = base + at;

		size = len - at;
		if (n + 1 < pieces && size > 1) {
			/* Many small pieces, some large ones. */
			u32 max = next_random(&seed) & 3 ?
				  2 * size / (pieces - n) + 1 : size;

			size = 1 + next_random(&seed) % min(max, size);
		}
		if (alias && cut && cut->alias >> n & 1) {
			from = alias + at;
			if (fill)
				memcpy(from, base + at, size);
		}
		nst_sg_buf(&sg[n++], from, size);
		at += size;
	}
	return n;
}

static struct nst_op *op_for(struct nst_cipher *cipher, const u8 *record)
{
	struct nst_op *op = nst_op_get(cipher, GFP_KERNEL);

	if (op)
		nst_wire_aad(op->aad, record);
	return op;
}

int rec_seal(struct nst_cipher *cipher, const struct nst_hdr *hdr,
	     const u8 *plaintext, u8 pad, u8 *record, const struct rec_cut *cut)
{
	unsigned int body = nst_wire_body_len(hdr->suite, hdr->len), n;
	u8 *out = record + NST_WIRE_HDR_LEN;
	u32 seed = cut ? cut->seed : 0;
	struct nst_op *op;
	int err;

	nst_wire_encode(record, hdr);
	op = op_for(cipher, record);
	if (!op)
		return -ENOMEM;
	n = 1 + cut_list(op->src + 1, (u8 *)plaintext, out, hdr->len, cut,
			 seed, true);
	if (body > hdr->len) {
		memset(op->pad, pad, sizeof(op->pad));
		nst_sg_buf(&op->src[n++], op->pad, body - hdr->len);
	}
	sg_mark_end(&op->src[n - 1]);
	n = 1 + cut_list(op->dst + 1, out, NULL, body, cut, ~seed, false);
	nst_sg_buf(&op->dst[n], record + NST_WIRE_OFF_TOKEN,
		   NST_WIRE_TOKEN_LEN);
	sg_mark_end(&op->dst[n]);
	err = nst_cipher_seal(cipher, op, hdr);
	nst_op_put(op);
	return err;
}

int rec_open(struct nst_cipher *cipher, const struct nst_hdr *hdr, u8 *record,
	     u8 *plaintext, const struct rec_cut *cut)
{
	unsigned int body = nst_wire_body_len(hdr->suite, hdr->len), n, i, at;
	u8 *in = record + NST_WIRE_HDR_LEN;
	u32 seed = cut ? cut->seed : 0;
	struct nst_op *op = op_for(cipher, record);
	int err;

	if (!op)
		return -ENOMEM;
	n = 1 + cut_list(op->src + 1, in, NULL, body, cut, ~seed, false);
	nst_sg_buf(&op->src[n], record + NST_WIRE_OFF_TOKEN,
		   NST_WIRE_TOKEN_LEN);
	sg_mark_end(&op->src[n]);
	n = cut_list(op->dst + 1, plaintext, in, body, cut, seed, false);
	sg_mark_end(&op->dst[n]);
	err = nst_cipher_open(cipher, op, hdr);
	/* Where it was decrypted in place, hand it out all the same. */
	for (i = 1, at = 0; i <= n; at += op->dst[i++].length)
		if ((u8 *)sg_virt(&op->dst[i]) == in + at)
			memcpy(plaintext + at, in + at, op->dst[i].length);
	nst_op_put(op);
	return err;
}

int rec_stream_seal(struct nst_stream *st, u8 type, const u8 *plaintext,
		    unsigned int len, u8 *record)
{
	struct nst_hdr hdr;
	int err;

	err = nst_stream_tx_begin(st, &hdr, type, len);
	if (err)
		return err;
	err = rec_seal(&st->tx.ep.cipher, &hdr, plaintext, 0, record, NULL);
	if (err)
		return err;
	nst_stream_tx_commit(st, &hdr);
	return rec_len(&hdr);
}

enum nst_drop rec_stream_open(struct nst_stream *st, u8 *record,
			      struct nst_hdr *hdr, u8 *plaintext)
{
	enum nst_drop drop = nst_wire_decode(hdr, record, IPPROTO_TCP);
	unsigned int body;
	int err;

	if (!drop)
		drop = nst_stream_rx_judge(st, hdr);
	if (!drop && !nst_stream_rx_has_keys(st, hdr))
		drop = nst_stream_rx_keys(st, hdr);
	if (drop)
		return drop;
	err = rec_open(&st->rx.ep.cipher, hdr, record, plaintext, NULL);
	if (err)
		return err == -EBADMSG ? NST_DROP_AUTH : NST_DROP_NOMEM;
	body = nst_wire_body_len(hdr->suite, hdr->len);
	if (memchr_inv(plaintext + hdr->len, 0, body - hdr->len))
		return NST_DROP_PADDING;
	return nst_stream_rx_accept(st, hdr);
}
