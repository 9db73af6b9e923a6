/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A record on its way in: ciphertext found in TCP's buffers, decrypted into a
 * reader's memory or into a buffer of its own. It knows pages, but no socket.
 */
#ifndef _NST_RXREC_H
#define _NST_RXREC_H

#include <linux/skbuff.h>
#include <linux/types.h>
#include "core/aead.h"

struct iov_iter;

/**
 * struct nst_rxrec - a record to be opened
 * @op: the operation whose lists are being filled; taken by the caller
 * @hdr: the record's header
 * @nr_src: pieces of the body in @op->src, from index 1
 * @src_refs: bit i: @op->src[i] holds a page reference
 * @holds: clones that keep what else @op->src points to, linked by next
 * @nr_dst: pieces of the plaintext in @op->dst, from index 1
 * @nr_user: how many of these, the first ones, are pinned pages of a reader
 * @mem: bytes that only @holds and the page references keep, and nobody else counts
 * @user: plaintext bytes that go there, or to @op->bounce
 * @plain: a buffer as long as the rest, or NULL
 * @again: what has returned NST_DROP_NOMEM may be tried again, all is as before
 * @opened: the stream has moved on over it; in @op->bounce is its plaintext, ...
 * @given: ... of which the reader has taken so many bytes of @user
 *
 * Lives on the stack of whoever holds the socket's rx_lock; while it waits for
 * memory, in its own operation (tcp/stall.h), which the socket owns then.
 */
struct nst_rxrec {
	struct nst_op *op;
	struct nst_hdr hdr;
	unsigned int nr_src;
	unsigned int nr_dst;
	unsigned int nr_user;
	u64 src_refs;
	struct sk_buff *holds;
	unsigned int mem;
	unsigned int user;
	struct sk_buff *plain;
	bool again;
	bool opened;
	unsigned int given;
};

/**
 * struct nst_plain - in the cb of a decrypted record
 * @type: its record type
 * @paid: it was allocated at the expense of a memory cgroup
 * @off: bytes already read
 */
struct nst_plain {
	u8 type;
	bool paid;
	u32 off;
};

static inline struct nst_plain *nst_plain(struct sk_buff *skb)
{
	return (struct nst_plain *)skb->cb;
}

int nst_rxrec_add(struct nst_rxrec *rec, struct sk_buff *skb,
		  unsigned int offset, unsigned int n, gfp_t gfp);
void nst_rxrec_release_src(struct nst_rxrec *rec);
unsigned int nst_rxrec_mem(const struct nst_rxrec *rec);
struct sk_buff *nst_rxrec_buffer(unsigned int len, gfp_t gfp);
int nst_rxrec_pin(struct nst_rxrec *rec, struct iov_iter *iter,
		  unsigned int n);
void nst_rxrec_bounce(struct nst_rxrec *rec);
void nst_rxrec_rest(struct nst_rxrec *rec);
enum nst_drop nst_rxrec_open(struct nst_rxrec *rec, struct nst_cipher *cipher,
			     const u8 *wire);
void nst_rxrec_release_dst(struct nst_rxrec *rec);

#endif /* _NST_RXREC_H */
