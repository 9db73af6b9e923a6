/* SPDX-License-Identifier: GPL-2.0 */
/* Where datagrams are sealed before UDP takes them, and tried before a session. */
#ifndef _NST_UDP_BUF_H
#define _NST_UDP_BUF_H

#include <linux/bvec.h>
#include <linux/udp.h>
#include "udp/sock.h"

struct iov_iter;
struct nst_cipher;
struct nst_hdr;

/* Pages that the largest send takes, with a header and padding each. */
#define NST_UDP_BUF_PAGES						\
	DIV_ROUND_UP(65536 + UDP_MAX_SEGMENTS *				\
		     (NST_WIRE_HDR_LEN + NST_WIRE_BLOCK), PAGE_SIZE)

/**
 * struct nst_udp_buf - where datagrams are sealed
 * @page: the pages; those from @nr on are NULL
 * @vec: the same, as UDP takes them
 * @nr: pages at hand
 * @spare: of the CPU whose spare one it is; NULL: it is none
 */
struct nst_udp_buf {
	struct page *page[NST_UDP_BUF_PAGES];
	struct bio_vec vec[NST_UDP_BUF_PAGES];
	unsigned int nr;
	struct nst_udp_buf **spare;
};

/**
 * struct nst_udp_send - one call of sendmsg()
 * @type: record type
 * @segment: plaintext bytes of a segment; 0: all is one datagram
 * @rewrite: some of the program's control messages are not for UDP
 * @nr: datagrams
 * @len: plaintext bytes in all
 * @wire: bytes on the wire
 * @timeo: jiffies that it may still wait for room
 * @control: control messages for UDP in place of the program's; NULL: those
 * @control_len: bytes of @control
 */
struct nst_udp_send {
	u8 type;
	u16 segment;
	bool rewrite;
	unsigned int nr;
	unsigned int len;
	unsigned int wire;
	long timeo;
	void *control;
	size_t control_len;
};

struct nst_udp_buf *nst_udp_buf_get(unsigned int len);
void nst_udp_buf_put(struct nst_udp_buf *buf);
int nst_udp_buf_seal(struct nst_udp *nst, struct nst_udp_buf **at,
		     const struct nst_udp_send *send, struct iov_iter *iter,
		     struct nst_udp_epoch *epoch, u64 nonce);
int nst_udp_buf_trial(struct nst_cipher *cipher, const struct sk_buff *skb,
		      const struct nst_hdr *hdr);
void nst_udp_buf_exit(void);

#endif /* _NST_UDP_BUF_H */
