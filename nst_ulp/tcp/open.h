/* SPDX-License-Identifier: GPL-2.0 */
/* To open a record that is off TCP's queue. */
#ifndef _NST_TCP_OPEN_H
#define _NST_TCP_OPEN_H

#include "tcp/rxrec.h"
#include "tcp/sock.h"

/**
 * struct nst_rx_want - what the caller of nst_tcp_rx_one() is after
 * @iter: where to decrypt data to; NULL: to the list of plaintext
 * @room: bytes that may go there
 * @worker: take only what is not for a reader, see nst_tcp_rx_one()
 * @nowait: do not wait for memory that others must give back first
 * @rest: receives the plaintext bytes of the record that go to the list
 * @copied: receives the bytes that went to @iter
 * @boundary: receives whether these end with their record
 * @shutdown: receives, when there was no record: TCP takes no more
 * @fin: the same: and that because the peer has sent its FIN
 * @gone: the same: nothing more comes, as the connection is over or has an error
 */
struct nst_rx_want {
	struct iov_iter *iter;
	size_t room;
	bool worker;
	bool nowait;
	u32 rest;
	size_t copied;
	bool boundary;
	bool shutdown;
	bool fin;
	bool gone;
};

u32 nst_tcp_direct_len(const struct nst_hdr *hdr,
		       const struct nst_rx_want *want);
bool nst_tcp_needs_buffer(const struct nst_tcp *nst, const struct nst_hdr *hdr,
			  const struct nst_rx_want *want, u32 *len);
enum nst_drop nst_tcp_open(struct nst_tcp *nst, struct nst_rxrec *rec,
			   const u8 *wire, struct nst_rx_want *want);

#endif /* _NST_TCP_OPEN_H */
