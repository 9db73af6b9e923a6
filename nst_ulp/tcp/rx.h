/* SPDX-License-Identifier: GPL-2.0 */
/* From TCP's receive queue to plaintext. */
#ifndef _NST_TCP_RX_H
#define _NST_TCP_RX_H

#include "tcp/rxrec.h"
#include "tcp/sock.h"

/**
 * struct nst_rx_want - what the caller of nst_tcp_rx_one() is after
 * @iter: where to decrypt data to; NULL: to the list of plaintext
 * @room: bytes that may go there
 * @worker: take only what is not for a reader, see nst_tcp_rx_one()
 * @nowait: do not wait for memory that others must give back first
 * @tries: how often the worker has waited for memory
 * @rest: receives the plaintext bytes of the record that go to the list
 * @copied: receives the bytes that went to @iter
 * @boundary: receives whether these end with their record
 * @shutdown: receives, when there was no record: TCP takes no more
 * @fin: the same: and that because the peer has sent its FIN
 */
struct nst_rx_want {
	struct iov_iter *iter;
	size_t room;
	bool worker;
	bool nowait;
	unsigned int tries;
	u32 rest;
	size_t copied;
	bool boundary;
	bool shutdown;
	bool fin;
};

/*
 * Records without plaintext that are taken at one go. A peer may send them faster
 * than they are opened, and whoever takes them has other things to do.
 */
#define NST_TCP_BATCH	64

/* How often the worker waits for memory in one go: for two seconds in all. */
#define NST_TCP_TRIES	100

int nst_tcp_rx_one(struct nst_tcp *nst, struct nst_rx_want *want);
int nst_tcp_rx_fail(struct nst_tcp *nst, enum nst_drop drop,
		    const struct nst_hdr *hdr);
void nst_tcp_rx_work(struct nst_tcp *nst);
void nst_tcp_rx_unread(const struct nst_tcp *nst);
void nst_tcp_announce(struct nst_tcp *nst);
void nst_tcp_data_ready(struct sock *sk);

#endif /* _NST_TCP_RX_H */
