// SPDX-License-Identifier: GPL-2.0
/*
 * The rules of a record stream for who sends: START, nonces, binding, limits. Those
 * for who receives are in stream_rx.c.
 */
#include <linux/in.h>
#include <linux/jiffies.h>
#include <linux/random.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include "core/kdf.h"
#include "core/keyring.h"
#include "core/stream.h"
#include "limits.h"

/**
 * nst_stream_free() - forget keys and configuration of both directions
 * @st: no longer used by anyone
 *
 * Context: process.
 */
void nst_stream_free(struct nst_stream *st)
{
	nst_epoch_free(&st->tx.ep);
	nst_epoch_free(&st->rx.ep);
	nst_conf_put(st->tx.conf);
	nst_conf_put(st->rx.conf);
	st->tx.conf = NULL;
	st->rx.conf = NULL;
}

/**
 * nst_stream_tx_bindable() - is the peer's START authenticated?
 * @st: the stream
 *
 * Context: any.
 * Return: true if records sent from now on are BOUND.
 */
bool nst_stream_tx_bindable(const struct nst_stream *st)
{
	/* Pairs with nst_stream_rx_accept(): @rx.start is read after it. */
	return smp_load_acquire(&st->rx_started);
}

/**
 * nst_stream_tx_wants_start() - must the stream begin with a start record?
 * @st: the stream
 *
 * Context: under the sender's lock.
 * Return: true if no START was sent yet and this end, or the peer by a start
 * record of its own, asks for one without a body.
 */
bool nst_stream_tx_wants_start(const struct nst_stream *st)
{
	if (st->tx.started || !st->tx.conf)
		return false;
	if (READ_ONCE(st->flags) & NST_F_STRICT)
		return READ_ONCE(st->rx.conf);
	return nst_stream_tx_bindable(st) && READ_ONCE(st->peer_strict);
}

/**
 * nst_stream_tx_at_limit() - are the records or bytes of the epoch used up?
 * @st: the stream
 *
 * Context: under the sender's lock.
 * Return: true if the next record begins a new epoch for that.
 */
bool nst_stream_tx_at_limit(const struct nst_stream *st)
{
	const struct nst_epoch *ep = &st->tx.ep;

	return ep->records >= READ_ONCE(st->nn->rekey_records) ||
	       ep->bytes >= READ_ONCE(st->nn->rekey_bytes);
}

/* Is the epoch under way at its end, whatever the box says? */
static bool tx_epoch_is_over(const struct nst_stream *st)
{
	const struct nst_tx_stream *tx = &st->tx;
	const struct nst_epoch *ep = &tx->ep;

	if (!ep->id.suite || tx->renew || !tx->started)
		return true;
	if (!ep->id.bound && nst_stream_tx_bindable(st))
		return true;
	if (ep->id.suite != tx->conf->suite)
		return true;
	if (ep->vmfork != nst_epoch_vmforks())
		return true;
	return nst_stream_tx_at_limit(st);
}

/* Both STARTs, the own one being @start. */
static void tx_salt(const struct nst_stream *st, const u8 *start, bool bound,
		    u8 *salt)
{
	memset(salt, 0, NST_KDF_SALT_LEN);
	memcpy(salt, start, NST_WIRE_START_LEN);
	if (bound)
		memcpy(salt + NST_WIRE_START_LEN, st->rx.start,
		       NST_WIRE_START_LEN);
}

static int tx_new_epoch(struct nst_stream *st, const u8 *start,
			struct nst_boxkey *key, u64 gen)
{
	struct nst_tx_stream *tx = &st->tx;
	struct nst_conf *conf = tx->conf;
	struct nst_epoch_id id = {
		.suite = conf->suite, .kid = key->kid,
		.bound = nst_stream_tx_bindable(st),
	};
	unsigned int vmfork = nst_epoch_pick(&id);
	u8 salt[NST_KDF_SALT_LEN];
	int err;

	tx_salt(st, start, id.bound, salt);
	err = nst_epoch_begin(&tx->ep, &id, key, gen, IPPROTO_TCP, salt,
			      conf->context, conf->context_len);
	if (err)
		return err;
	tx->ep.vmfork = vmfork;
	tx->epochs++;
	tx->renew = false;
	nst_stats_inc(st->nn->stats, NST_MIB_TX_EPOCHS);
	return 0;
}

/* The epoch under way goes on; it may be parked. */
static int tx_resume(struct nst_stream *st, const u8 *start)
{
	struct nst_tx_stream *tx = &st->tx;
	u8 salt[NST_KDF_SALT_LEN];

	if (likely(!nst_epoch_parked(&tx->ep)))
		return 0;
	tx_salt(st, start, tx->ep.id.bound, salt);
	return nst_epoch_unpark(&tx->ep, IPPROTO_TCP, salt, tx->conf->context,
				tx->conf->context_len);
}

/* Have the keys of the next record, in the epoch under way or a new one. */
static int tx_keys(struct nst_stream *st, const u8 *start)
{
	struct nst_tx_stream *tx = &st->tx;
	struct nst_keyring *ring = tx->conf->ring;
	bool over = tx_epoch_is_over(st);
	struct nst_boxkey *key;
	u64 gen;
	int err;

	if (!over && READ_ONCE(ring->gen) == tx->ep.gen)
		return tx_resume(st, start);
	err = nst_keyring_find_tx(ring, tx->kid, &key, &gen);
	if (err)
		return err;
	if (!over && nst_epoch_keep(&tx->ep, key, gen))
		return tx_resume(st, start);
	return tx_new_epoch(st, start, key, gen);
}

/**
 * nst_stream_tx_begin() - header and keys of the next record
 * @st: the stream
 * @hdr: receives the header
 * @type: record type
 * @len: plaintext bytes
 *
 * Nothing of the stream moves but its epoch: the caller seals the record and
 * then calls nst_stream_tx_commit(), or gives up and may begin again.
 *
 * Context: process, under the sender's lock.
 * Return: 0; -ENOKEY without a key; -EKEYREVOKED if the key was retired;
 * -EPIPE behind the close record; -EAGAIN too soon after nst_stream_tx_fail();
 * another errno.
 */
int nst_stream_tx_begin(struct nst_stream *st, struct nst_hdr *hdr, u8 type,
			unsigned int len)
{
	struct nst_tx_stream *tx = &st->tx;
	u8 start[NST_WIRE_START_LEN];
	int err;

	if (!tx->conf)
		return -ENOKEY;
	if (tx->closed)
		return -EPIPE;
	if (unlikely(tx->not_before) &&
	    time_before64(get_jiffies_64(), tx->not_before))
		return -EAGAIN;
	memset(hdr, 0, sizeof(*hdr));
	hdr->timestamp = ktime_get_real_ns();
	if (!tx->started)
		tx->nonce = get_random_u64();
	hdr->nonce = tx->nonce;
	hdr->start = !tx->started;
	if (hdr->start)
		nst_wire_ts_nonce(start, hdr->timestamp, hdr->nonce);
	else
		memcpy(start, tx->start, sizeof(start));
	err = tx_keys(st, start);
	if (err)
		return err;
	nst_wire_set_epoch(hdr, &tx->ep.id);
	hdr->role = READ_ONCE(st->role);
	hdr->type = type;
	hdr->len = len;
	return 0;
}

/**
 * nst_stream_tx_fail() - a record could not be sealed for want of something
 * @st: the stream
 * @spent: the cipher may have begun: its nonce is not used again under these keys
 *
 * Each try may derive the keys of an epoch. Whoever tries again at once does not cost
 * more than one in NST_SEAL_PAUSE.
 *
 * Context: under the sender's lock.
 */
void nst_stream_tx_fail(struct nst_stream *st, bool spent)
{
	/* As who waits counts: ticks that come late come at once. */
	u64 now = get_jiffies_64();

	if (spent)
		st->tx.renew = true;
	/* Who was told to come later does not put it off. */
	if (now >= st->tx.not_before)
		st->tx.not_before = now + msecs_to_jiffies(NST_SEAL_PAUSE);
}

/**
 * nst_stream_tx_commit() - a record is sealed and will go out
 * @st: the stream
 * @hdr: from nst_stream_tx_begin()
 *
 * Context: under the sender's lock, before a byte of the record leaves.
 */
void nst_stream_tx_commit(struct nst_stream *st, const struct nst_hdr *hdr)
{
	struct nst_tx_stream *tx = &st->tx;

	if (hdr->start) {
		nst_wire_ts_nonce(tx->start, hdr->timestamp, hdr->nonce);
		tx->started = true;
		/* Pairs with nst_stream_rx_judge(): @tx.start goes first. */
		smp_store_release(&st->tx_started, true);
		nst_stats_inc(st->nn->stats, NST_MIB_TX_STREAMS);
	}
	if (hdr->type == NST_TYPE_CLOSE)
		tx->closed = true;
	tx->not_before = 0;
	tx->nonce++;
	tx->records++;
	tx->bytes += hdr->len;
	tx->ep.records++;
	tx->ep.bytes += hdr->len;
	nst_stats_inc(st->nn->stats, NST_MIB_TX_RECORDS);
	nst_stats_add(st->nn->stats, NST_MIB_TX_BYTES, hdr->len);
}
