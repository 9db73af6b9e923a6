// SPDX-License-Identifier: GPL-2.0
/*
 * A datagram is opened where it stands, so its bytes must be nobody else's: not
 * those of a clone, nor pages of a file that its sender has given away. A small
 * one is made linear for that. A large one that came in pieces would need up to
 * 64 KiB in one piece then, which softirqs do not get once memory is in pieces
 * itself; it is copied to single pages.
 */
#include <linux/mm.h>
#include <linux/skbuff.h>
#include "core/aead.h"
#include "core/cipher.h"
#include "udp/pages.h"

/* Up to this length, one page has room for the linear datagram. */
#define LINEAR_MAX	(SKB_WITH_OVERHEAD(PAGE_SIZE) - 512)

/* As many as the longest datagram takes. */
static_assert(DIV_ROUND_UP(65535, PAGE_SIZE) <= NST_OP_FRAGS);

static int copy_body(struct sk_buff *to, const struct sk_buff *from,
		     unsigned int head)
{
	struct skb_shared_info *info = skb_shinfo(to);
	unsigned int i, at = head;
	int err = 0;

	for (i = 0; i < info->nr_frags && !err; i++) {
		err = skb_copy_bits(from, at, skb_frag_address(&info->frags[i]),
				    skb_frag_size(&info->frags[i]));
		at += skb_frag_size(&info->frags[i]);
	}
	return err;
}

/* What skb_copy_header() leaves out, because it is where the pieces are listed. */
static void copy_info(struct sk_buff *to, const struct sk_buff *from)
{
	*skb_hwtstamps(to) = *skb_hwtstamps((struct sk_buff *)from);
	skb_shinfo(to)->tx_flags = skb_shinfo(from)->tx_flags;
}

/* A copy with @head bytes in its linear part, the rest in single pages. */
static struct sk_buff *copy_to_pages(const struct sk_buff *skb,
				     unsigned int head)
{
	unsigned int room = skb_headroom(skb), body = skb->len - head;
	struct sk_buff *copy;
	int err;

	copy = alloc_skb_with_frags(room + head, body, 0, &err,
				    GFP_ATOMIC | __GFP_NOWARN);
	if (!copy)
		return NULL;
	/* Headers are found by their distance from the beginning. */
	skb_reserve(copy, room);
	skb_put(copy, head);
	memcpy(copy->head, skb->head, room + head);
	copy->data_len = body;
	copy->len += body;
	if (copy_body(copy, skb, head)) {
		kfree_skb(copy);
		return NULL;
	}
	skb_copy_header(copy, skb);
	copy_info(copy, skb);
	return copy;
}

/**
 * nst_udp_make_own() - what nst_udp_unshare() has to do, if anything
 * @skb: the datagram, in pieces or with bytes that others may have
 * @head: as for nst_udp_unshare()
 *
 * Context: softirq.
 * Return: 0 or -ENOMEM, and nothing has changed.
 */
int nst_udp_make_own(struct sk_buff *skb, unsigned int head)
{
	struct sk_buff *copy;

	if (skb->len <= LINEAR_MAX)
		return skb_ensure_writable(skb, skb->len);
	copy = copy_to_pages(skb, head);
	if (!copy)
		return -ENOMEM;
	/* UDP goes on with the datagram that it has given us. */
	skb_morph(skb, copy);
	consume_skb(copy);
	return 0;
}

/**
 * nst_udp_map() - where the bytes of a datagram are
 * @skb: the datagram, after nst_udp_unshare()
 * @from: where to begin, as that was told for @head
 * @sg: receives the places, at most NST_OP_FRAGS
 *
 * Return: how many.
 */
unsigned int nst_udp_map(const struct sk_buff *skb, unsigned int from,
			 struct scatterlist *sg)
{
	const struct skb_shared_info *info = skb_shinfo(skb);
	unsigned int i;

	if (!skb_is_nonlinear(skb)) {
		nst_sg_buf(sg, skb->data + from, skb->len - from);
		return skb->len > from;
	}
	for (i = 0; i < info->nr_frags; i++)
		nst_sg_page(&sg[i], skb_frag_page(&info->frags[i]),
			    skb_frag_size(&info->frags[i]),
			    skb_frag_off(&info->frags[i]));
	return i;
}
