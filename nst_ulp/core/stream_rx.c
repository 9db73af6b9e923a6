// SPDX-License-Identifier: GPL-2.0
/*
 * The rules of a record stream for who receives: each record is judged, opened,
 * and then accepted.
 */
#include <linux/in.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include "core/kdf.h"
#include "core/keyring.h"
#include "core/memory.h"
#include "core/stream_rx.h"
#include "limits.h"

/* What no record moves before it is authentic. */
struct progress {
	u64 nonce;
	u64 records;
	u64 bytes;
	u8 started;
	u8 must_bind;
	u8 closed;
	u8 start[NST_WIRE_START_LEN];
} __packed;

static struct progress progress_of(const struct nst_rx_stream *rx)
{
	struct progress now = {
		.nonce = rx->nonce, .records = rx->records, .bytes = rx->bytes,
		.started = rx->started, .must_bind = rx->must_bind,
		.closed = rx->closed,
	};

	memcpy(now.start, rx->start, sizeof(now.start));
	return now;
}

static void check_unmoved(const struct nst_rx_stream *rx)
{
	struct progress now = progress_of(rx);

	nst_contract_unmoved(&rx->last, &now, sizeof(now));
}

static void note_progress(struct nst_stream *st, const struct nst_hdr *hdr)
{
	struct nst_rx_stream *rx = &st->rx;
	struct progress now = progress_of(rx);

	nst_contract_moved(&rx->last, &now, sizeof(now));
	/*
	 * A START is taken once in its namespace, and what follows it with it. But
	 * a start record says nothing, and may come again in another connection.
	 */
	if (hdr->type != NST_TYPE_START)
		nst_contract_taken(&rx->ep.cipher.known, st->nn,
				   hdr->timestamp, hdr->nonce);
}

/* START, nonce, close, binding: the record's place in its stream. */
static enum nst_drop judge_place(const struct nst_stream *st,
				 const struct nst_hdr *hdr, bool tx_started)
{
	const struct nst_rx_stream *rx = &st->rx;
	bool strict = rx->must_bind || (READ_ONCE(st->flags) & NST_F_STRICT);

	if (!rx->started && !hdr->start)
		return NST_DROP_START_MISSING;
	if (rx->started && hdr->start)
		return NST_DROP_START_REPEATED;
	if (rx->started && hdr->nonce != rx->nonce)
		return NST_DROP_NONCE;
	if (rx->closed)
		return NST_DROP_AFTER_CLOSE;
	if (strict && !hdr->bound && hdr->type != NST_TYPE_START)
		return NST_DROP_UNBOUND;
	if (hdr->bound && !tx_started)
		return NST_DROP_EARLY_BOUND;
	return NST_OK;
}

/* The epoch's key may have been retired, deleted or replaced meanwhile. */
static enum nst_drop judge_kid(struct nst_stream *st, const struct nst_hdr *hdr)
{
	struct nst_rx_stream *rx = &st->rx;
	struct nst_epoch *ep = &rx->ep;
	struct nst_boxkey *key;
	enum nst_drop drop;
	u64 gen;

	if (nst_epoch_is(ep, hdr) && READ_ONCE(rx->conf->ring->gen) == ep->gen)
		return NST_OK;
	drop = nst_keyring_find_rx(rx->conf->ring, hdr->kid, &key, &gen);
	if (drop)
		return drop;
	if (nst_epoch_is(ep, hdr)) {
		if (nst_epoch_keep(ep, key, gen))
			return NST_OK;
		/* Another secret under the same kid: derive anew. */
		nst_epoch_end(ep);
	}
	nst_boxkey_put(key);
	return NST_OK;
}

/* A START that is neither BOUND nor a start record must be fresh. */
static bool must_be_fresh(const struct nst_hdr *hdr)
{
	return hdr->start && !hdr->bound && hdr->type != NST_TYPE_START;
}

static enum nst_drop judge_time(struct nst_stream *st,
				const struct nst_hdr *hdr)
{
	struct nst_now now = {
		.real = ktime_get_real_ns(), .boot = ktime_get_boottime_ns(),
	};
	struct nst_boxkey *key;
	enum nst_drop drop;
	u64 gen;

	drop = nst_keyring_find_rx(st->rx.conf->ring, hdr->kid, &key, &gen);
	if (drop)
		return drop;
	drop = nst_claim_judge_start(key->claim, hdr->timestamp, &now,
				     nst_net_bounds(st->nn).window);
	nst_boxkey_put(key);
	return drop;
}

/* kid, limit, reflection, time: what is judged once the suite is at hand. */
static enum nst_drop judge_key(struct nst_stream *st, const struct nst_hdr *hdr,
			       bool tx_started)
{
	const struct nst_rx_stream *rx = &st->rx;
	u8 start[NST_WIRE_START_LEN];
	enum nst_drop drop;

	drop = judge_kid(st, hdr);
	if (drop)
		return drop;
	if (nst_epoch_is(&rx->ep, hdr) &&
	    rx->ep.records >= NST_EPOCH_RECORDS_MAX)
		return NST_DROP_EPOCH_LIMIT;
	if (!hdr->start)
		return NST_OK;
	nst_wire_ts_nonce(start, hdr->timestamp, hdr->nonce);
	if (tx_started && !memcmp(start, st->tx.start, sizeof(start)))
		return NST_DROP_REFLECTED;
	return must_be_fresh(hdr) ? judge_time(st, hdr) : NST_OK;
}

/**
 * nst_stream_rx_judge() - all that can be said before authentication
 * @st: the stream, with a receiving key set
 * @hdr: of the next record, sane by itself
 *
 * Context: under the receiver's lock; does not sleep.
 * Return: NST_OK or the first cause that applies. If the record is of another
 * suite than the last one, or the epoch is parked, what the protocol judges
 * behind the suite is left to nst_stream_rx_keys().
 */
enum nst_drop nst_stream_rx_judge(struct nst_stream *st,
				  const struct nst_hdr *hdr)
{
	const struct nst_rx_stream *rx = &st->rx;
	/* Pairs with nst_stream_tx_commit(). */
	bool tx_started = smp_load_acquire(&st->tx_started);
	enum nst_drop drop;

	check_unmoved(rx);
	drop = judge_place(st, hdr, tx_started);
	if (drop)
		return drop;
	if (hdr->role && hdr->role == READ_ONCE(st->role))
		return NST_DROP_ROLE;
	if (rx->conf->suite && rx->conf->suite != hdr->suite)
		return NST_DROP_POLICY_SUITE;
	if (rx->conf->kid && rx->conf->kid != hdr->kid)
		return NST_DROP_POLICY_KID;
	/* Loading a suite may sleep: nst_stream_rx_keys() does it and goes on. */
	if (rx->ep.cipher.suite != hdr->suite)
		return NST_OK;
	return judge_key(st, hdr, tx_started);
}

/**
 * nst_stream_rx_knows_key() - is it worth while to wait for a record's body?
 * @st: the stream
 * @hdr: passed nst_stream_rx_judge()
 *
 * Context: under the receiver's lock; does not sleep.
 * Return: false if what nst_stream_rx_judge() may have left over speaks against
 * the record; nst_stream_rx_keys() tells the cause then.
 */
bool nst_stream_rx_knows_key(struct nst_stream *st, const struct nst_hdr *hdr)
{
	/* Pairs with nst_stream_tx_commit(). */
	bool tx_started = smp_load_acquire(&st->tx_started);

	return judge_key(st, hdr, tx_started) == NST_OK;
}

/**
 * nst_stream_rx_has_keys() - are the keys of the record's epoch at hand?
 * @st: the stream
 * @hdr: passed nst_stream_rx_judge()
 *
 * Context: under the receiver's lock; does not sleep.
 * Return: true if nst_stream_rx_keys() has nothing to do.
 */
bool nst_stream_rx_has_keys(const struct nst_stream *st,
			    const struct nst_hdr *hdr)
{
	return nst_epoch_is(&st->rx.ep, hdr) && !nst_epoch_parked(&st->rx.ep);
}

/* A suite that cannot be keyed cannot be done; an interrupted search can go on. */
static enum nst_drop rx_cause(int err)
{
	if (!err)
		return NST_OK;
	if (nst_cipher_may_pass(err) || err == -EINTR || err == -ETIMEDOUT)
		return NST_DROP_NOMEM;
	return NST_DROP_NO_SUITE;
}

/* Derive the keys for a record that was judged. */
static enum nst_drop rx_derive(struct nst_stream *st, const struct nst_hdr *hdr)
{
	struct nst_rx_stream *rx = &st->rx;
	struct nst_conf *conf = rx->conf;
	struct nst_epoch_id id = nst_wire_epoch(hdr);
	u8 salt[NST_KDF_SALT_LEN] = {};
	struct nst_boxkey *key;
	enum nst_drop drop;
	u64 gen;
	int err;

	if (hdr->start)
		nst_wire_ts_nonce(salt, hdr->timestamp, hdr->nonce);
	else
		memcpy(salt, rx->start, NST_WIRE_START_LEN);
	if (hdr->bound)
		memcpy(salt + NST_WIRE_START_LEN, st->tx.start,
		       NST_WIRE_START_LEN);
	if (nst_epoch_is(&rx->ep, hdr)) {
		err = nst_epoch_unpark(&rx->ep, IPPROTO_TCP, salt,
				       conf->context, conf->context_len);
		return rx_cause(err);
	}
	drop = nst_keyring_find_rx(conf->ring, hdr->kid, &key, &gen);
	if (drop)
		return drop;
	err = nst_epoch_begin(&rx->ep, &id, key, gen, IPPROTO_TCP, salt,
			      conf->context, conf->context_len);
	return rx_cause(err);
}

/**
 * nst_stream_rx_keys() - derive the keys of the record's epoch
 * @st: the stream
 * @hdr: passed nst_stream_rx_judge(), of another epoch than the last record or
 *	of one that is parked
 *
 * An old epoch ends here, before the new one is authentic: a record that
 * fails ends the stream anyway.
 *
 * Context: process, under the receiver's lock.
 * Return: NST_OK; NST_DROP_NO_SUITE; the cause that was left over; or
 * NST_DROP_NOMEM, after which the same may be tried again.
 */
enum nst_drop nst_stream_rx_keys(struct nst_stream *st,
				 const struct nst_hdr *hdr)
{
	struct nst_epoch *ep = &st->rx.ep;
	bool parked = nst_epoch_parked(ep);
	enum nst_drop drop;

	if (ep->cipher.suite != hdr->suite) {
		if (!nst_epoch_is(ep, hdr))
			nst_epoch_end(ep);
		drop = rx_cause(nst_cipher_init(&ep->cipher, hdr->suite));
		if (drop)
			return drop;
	}
	/* Pairs with nst_stream_tx_commit(). */
	drop = judge_key(st, hdr, smp_load_acquire(&st->tx_started));
	if (!drop)
		drop = rx_derive(st, hdr);
	/* The transforms of an epoch that goes on are keyed, or not there. */
	if (drop && parked)
		nst_epoch_park(ep);
	return drop;
}

/* In the memory of the secret that the START is authentic under. */
static enum nst_drop remember(struct nst_stream *st, const struct nst_hdr *hdr)
{
	struct nst_bounds bounds = nst_net_bounds(st->nn);

	return nst_claim_take_start(st->rx.ep.key->claim, hdr->timestamp,
				    hdr->nonce, ktime_get_real_ns(), &bounds);
}

/**
 * nst_stream_rx_accept() - a record is authentic: last judgement, then act
 * @st: the stream
 * @hdr: of the record
 *
 * Context: process, under the receiver's lock.
 * Return: NST_OK, and the stream has moved; or why the START is refused.
 */
enum nst_drop nst_stream_rx_accept(struct nst_stream *st,
				   const struct nst_hdr *hdr)
{
	struct nst_rx_stream *rx = &st->rx;

	check_unmoved(rx);
	if (must_be_fresh(hdr)) {
		enum nst_drop drop = remember(st, hdr);

		if (drop)
			return drop;
	}
	if (hdr->start) {
		nst_wire_ts_nonce(rx->start, hdr->timestamp, hdr->nonce);
		rx->started = true;
		WRITE_ONCE(st->peer_strict, hdr->type == NST_TYPE_START);
		/* Pairs with nst_stream_tx_bindable(): @rx.start goes first. */
		smp_store_release(&st->rx_started, true);
		nst_stats_inc(st->nn->stats, NST_MIB_RX_STREAMS);
	}
	if (hdr->bound || hdr->type == NST_TYPE_START)
		rx->must_bind = true;
	if (hdr->type == NST_TYPE_CLOSE)
		rx->closed = true;
	if (!rx->ep.records) {
		rx->epochs++;
		nst_stats_inc(st->nn->stats, NST_MIB_RX_EPOCHS);
	}
	rx->nonce = hdr->nonce + 1;
	rx->records++;
	rx->bytes += hdr->len;
	rx->ep.records++;
	rx->ep.bytes += hdr->len;
	nst_stats_inc(st->nn->stats, NST_MIB_RX_RECORDS);
	nst_stats_add(st->nn->stats, NST_MIB_RX_BYTES, hdr->len);
	note_progress(st, hdr);
	return NST_OK;
}
