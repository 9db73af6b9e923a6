/* SPDX-License-Identifier: GPL-2.0 */
/* A received datagram whose bytes are nobody else's. */
#ifndef _NST_UDP_PAGES_H
#define _NST_UDP_PAGES_H

struct scatterlist;
struct sk_buff;

int nst_udp_unshare(struct sk_buff *skb, unsigned int head);
unsigned int nst_udp_map(const struct sk_buff *skb, unsigned int from,
			 struct scatterlist *sg);

#endif /* _NST_UDP_PAGES_H */
