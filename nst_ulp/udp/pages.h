/* SPDX-License-Identifier: GPL-2.0 */
/* A received datagram whose bytes are nobody else's. */
#ifndef _NST_UDP_PAGES_H
#define _NST_UDP_PAGES_H

#include <linux/skbuff.h>

struct scatterlist;

int nst_udp_make_own(struct sk_buff *skb, unsigned int head);
unsigned int nst_udp_map(const struct sk_buff *skb, unsigned int from,
			 struct scatterlist *sg);

/**
 * nst_udp_unshare() - have a datagram's bytes to oneself
 * @skb: the datagram; nobody else has it, though he may have its bytes
 * @head: bytes that are in its linear part, and stay there
 *
 * Afterwards it is linear, or all but the first @head bytes are in pages.
 *
 * Context: softirq.
 * Return: 0 or -ENOMEM, and nothing has changed.
 */
static inline int nst_udp_unshare(struct sk_buff *skb, unsigned int head)
{
	if (likely(!skb_is_nonlinear(skb) && !skb_cloned(skb)))
		return 0;
	return nst_udp_make_own(skb, head);
}

#endif /* _NST_UDP_PAGES_H */
