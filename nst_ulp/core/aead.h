/* SPDX-License-Identifier: GPL-2.0 */
/* To seal and open a record: the working memory of an AEAD call, and the call. */
#ifndef _NST_AEAD_H
#define _NST_AEAD_H

#include <linux/crypto.h>
#include <linux/gfp.h>
#include <linux/scatterlist.h>
#include <linux/string.h>
#include <linux/types.h>
#include "core/cipher.h"
#include "core/wire.h"

struct sk_buff;

/* Scatterlist entries of an operation besides the body's: AAD, tag, padding. */
#define NST_OP_SG_EXTRA		3
/*
 * Pieces of a body. A record of 64 KiB touches 17 pages of user memory; with
 * what iovecs, ends of page fragments and network segments add, more than
 * this is gathered into one buffer first.
 */
#define NST_OP_FRAGS		40
/*
 * Below this, copying costs less than finding and pinning pages of a program.
 */
#define NST_OP_BOUNCE		4096
/* What the owner of an operation may leave in it. */
#define NST_OP_KEEP		224

/**
 * struct nst_op - the working memory of one AEAD call
 * @src: the AAD, then what goes in, at index 1 and behind
 * @dst: the AAD's copy, then what comes out
 * @aad: authenticated header bytes, what @src begins with
 * @aad_out: where an AEAD that copies the AAD puts it
 * @pad: zeros behind a plaintext, or room for the padding of one
 * @token: the tag of a record to be opened
 * @iv: IV of the record
 * @bounce: where a short record is decrypted before it is copied to a reader
 * @abandoned: called if a driver keeps the operation although it must not; the
 *	owner's, set before nst_cipher_open_atomic()
 * @skb: for @abandoned
 * @flat: the owner's: the AAD stands in front of the body, in one piece, so that
 *	nothing but that and the token is in @src, and @dst is not used; the record
 *	is sealed or opened where it stands
 * @keep: the owner's, for an operation that is put off
 * @req_size: bytes of @req behind which memory ends
 * @req_used: bytes of it that the cipher may write to
 * @req: room for the request of any suite
 *
 * Taken with nst_op_get() and given back with nst_op_put(): each CPU keeps
 * one, so that a record costs no allocation.
 */
struct nst_op {
	struct scatterlist src[NST_OP_FRAGS + NST_OP_SG_EXTRA];
	struct scatterlist dst[NST_OP_FRAGS + NST_OP_SG_EXTRA];
	u8 aad[NST_WIRE_AAD_LEN];
	u8 aad_out[NST_WIRE_AAD_LEN];
	u8 pad[NST_WIRE_BLOCK];
	u8 token[NST_WIRE_TOKEN_LEN];
	u8 iv[16];
	u8 bounce[NST_OP_BOUNCE];
	void (*abandoned)(struct nst_op *op);
	struct sk_buff *skb;
	bool flat;
	u8 keep[NST_OP_KEEP] __aligned(8);
	unsigned int req_size;
	unsigned int req_used;
	u8 req[] __aligned(CRYPTO_MINALIGN);
};

/*
 * Fill an entry of an operation's list. The lists are used again and again, so
 * an old end mark goes first; sg_mark_end() sets the new one.
 */
static inline void nst_sg_page(struct scatterlist *sg, struct page *page,
			       unsigned int len, unsigned int offset)
{
	sg->page_link = 0;
	sg_set_page(sg, page, len, offset);
}

static inline void nst_sg_buf(struct scatterlist *sg, void *buf,
			      unsigned int len)
{
	sg->page_link = 0;
	sg_set_buf(sg, buf, len);
}

/**
 * nst_op_token() - list the token of a record to be opened, and set the AAD
 * @op: what of @op->src goes to @op->dst has been copied there: the entry behind the
 *	body is overwritten
 * @wire: the record's header
 * @nr: pieces of the body, listed from index 1 on
 *
 * Context: any.
 */
static inline void nst_op_token(struct nst_op *op, const u8 *wire,
				unsigned int nr)
{
	nst_wire_aad(op->aad, wire);
	memcpy(op->token, wire + NST_WIRE_OFF_TOKEN, NST_WIRE_TOKEN_LEN);
	nst_sg_buf(&op->src[nr + 1], op->token, NST_WIRE_TOKEN_LEN);
	sg_mark_end(&op->src[nr + 1]);
}

/**
 * nst_op_flat() - list an AAD and what stands behind it in one piece
 * @op: its @src is used from index 1 on by the caller, if at all; one entry is to be
 *	marked as the end
 * @aad: the AAD, then the body
 * @len: bytes of both; of the room for the token, too, if that is behind them
 *
 * For a short record that costs less than lists of pieces.
 *
 * Context: any.
 */
static inline void nst_op_flat(struct nst_op *op, void *aad, unsigned int len)
{
	op->flat = true;
	nst_sg_buf(&op->src[0], aad, len);
}

struct nst_op *nst_op_get(const struct nst_cipher *cipher, gfp_t gfp);
struct nst_op *nst_op_refit(struct nst_op *op, const struct nst_cipher *cipher,
			    gfp_t gfp);
void nst_op_put(struct nst_op *op);

int nst_cipher_seal(struct nst_cipher *cipher, struct nst_op *op,
		    const struct nst_hdr *hdr);
int nst_cipher_open(struct nst_cipher *cipher, struct nst_op *op,
		    const struct nst_hdr *hdr);
int nst_cipher_open_trial(struct nst_cipher *cipher, struct nst_op *op,
			  const struct nst_hdr *hdr);
int nst_cipher_open_atomic(struct nst_cipher *cipher, struct nst_op *op,
			   const struct nst_hdr *hdr);
void nst_op_exit(void);

#endif /* _NST_AEAD_H */
