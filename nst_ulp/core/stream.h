/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The two directions of one TCP connection as the protocol sees them: which
 * record may come next and under which keys. Nothing here knows a socket.
 */
#ifndef _NST_STREAM_H
#define _NST_STREAM_H

#include <linux/types.h>
#include "core/conf.h"
#include "core/epoch.h"
#include "core/netns.h"
#include "core/wire.h"
#include "drop.h"

/**
 * struct nst_tx_stream - the sending direction
 * @conf: NULL: no key is set; holds a reference
 * @ep: the current epoch
 * @nonce: of the next record
 * @records: sealed since the START
 * @bytes: plaintext bytes in them
 * @epochs: begun
 * @kid: key to send with, 0 = the active one: @conf's, or what NST_REKEY said
 * @not_before: a record could not be sealed; none is tried until then, jiffies
 * @renew: the next record begins a new epoch
 * @started: the START is sealed
 * @closed: the close record is sealed
 * @start: timestamp and nonce of the own START; valid once @started
 */
struct nst_tx_stream {
	struct nst_conf *conf;
	struct nst_epoch ep;
	u64 nonce;
	u64 records;
	u64 bytes;
	u64 not_before;
	u32 epochs;
	u16 kid;
	bool renew;
	bool started;
	bool closed;
	u8 start[NST_WIRE_START_LEN];
};

/**
 * struct nst_rx_stream - the receiving direction
 * @conf: NULL: no key is set; holds a reference
 * @ep: the current epoch
 * @nonce: that the next record must have; valid once @started
 * @records: accepted since the START
 * @bytes: plaintext bytes in them
 * @epochs: accepted
 * @started: the START is accepted
 * @must_bind: nothing unbound is taken any more
 * @closed: the close record is accepted
 * @start: timestamp and nonce of the peer's START; valid once @started
 * @last: debug builds: how the last authentic record has left all this
 */
struct nst_rx_stream {
	struct nst_conf *conf;
	struct nst_epoch ep;
	u64 nonce;
	u64 records;
	u64 bytes;
	u32 epochs;
	bool started;
	bool must_bind;
	bool closed;
	u8 start[NST_WIRE_START_LEN];
	struct nst_contract_state last;
};

/**
 * struct nst_stream - both directions, and what one tells the other
 * @nn: the namespace's state; the socket keeps the namespace alive
 * @flags: NST_F_* in force, those of both configurations; changed under tx_lock
 *	and rx_lock, read without
 * @role: set in every record sent: 0, NST_WIRE_INITIATOR or _RESPONDER; as
 *	@flags
 * @tx_started: @tx.start is valid; published by the sender with release before
 *	the START can leave, read by the receiver with acquire
 * @rx_started: @rx.start is valid; the other way round
 * @peer_strict: the peer's START was a start record; published as @rx_started
 * @tx: under the sender's lock
 * @rx: under the receiver's lock
 *
 * See "Locking" in tcp/sock.h.
 */
struct nst_stream {
	struct nst_net *nn;
	u32 flags;
	u32 role;
	bool tx_started;
	bool rx_started;
	bool peer_strict;
	struct nst_tx_stream tx;
	struct nst_rx_stream rx;
};

/**
 * nst_stream_asks_start() - may a start record be due?
 * @st: the stream
 *
 * Context: any; who has just set keys or accepted a START sees what that asks for.
 * Return: false if surely none is: neither end has asked for one so far.
 */
static inline bool nst_stream_asks_start(const struct nst_stream *st)
{
	return (READ_ONCE(st->flags) & NST_F_STRICT) ||
	       READ_ONCE(st->peer_strict);
}

void nst_stream_free(struct nst_stream *st);

bool nst_stream_tx_bindable(const struct nst_stream *st);
bool nst_stream_tx_wants_start(const struct nst_stream *st);
bool nst_stream_tx_at_limit(const struct nst_stream *st);
int nst_stream_tx_begin(struct nst_stream *st, struct nst_hdr *hdr, u8 type,
			unsigned int len);
void nst_stream_tx_fail(struct nst_stream *st, bool spent);
void nst_stream_tx_commit(struct nst_stream *st, const struct nst_hdr *hdr);

#endif /* _NST_STREAM_H */
