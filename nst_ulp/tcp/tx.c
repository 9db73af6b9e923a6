// SPDX-License-Identifier: GPL-2.0
/*
 * Records on their way: sealed, and handed to TCP.
 *
 * A record goes to TCP whole. As TCP does with one of its buffers, NST begins
 * a record only while the socket has room and then lets it exceed the limit by
 * as much as the record is long. So a full send buffer is met between records,
 * never inside one. Only if the host is out of memory does TCP take a part of a
 * record; the rest of the same sealed bytes follows later.
 */
#include <linux/tcp.h>
#include <linux/uio.h>
#include "compat_tcp.h"
#include "event.h"
#include "tcp/intact.h"
#include "tcp/mem.h"
#include "tcp/room.h"
#include "tcp/tx.h"
#include "tcp/txrec.h"
#include "trace.h"

/**
 * nst_tcp_tx_is_live() - is there a connection to send on, and a program?
 * @nst: the socket
 *
 * Context: any.
 * Return: true if so.
 */
bool nst_tcp_tx_is_live(const struct nst_tcp *nst)
{
	return ((1 << READ_ONCE(nst->sk->sk_state)) &
		(TCPF_ESTABLISHED | TCPF_CLOSE_WAIT)) &&
	       !test_bit(NST_TCP_LINGER, &nst->flags);
}

/* Hand over what TCP has not taken yet of the sealed record. */
static int push_locked(struct nst_tcp *nst, struct nst_txrec *rec)
{
	struct sock *sk = nst->sk;
	unsigned int left = nst_txrec_left(rec);
	/* The FIN goes right behind a close record: in the same segment. */
	int more = rec->type == NST_TYPE_CLOSE ? MSG_MORE : 0;
	int sndbuf, n;

	sock_owned_by_me(sk);
	if (!sk->sk_socket || test_bit(NST_TCP_DEAD, &nst->flags))
		return -EPIPE;
	/*
	 * TCP would tell whoever pushes, and the program would never know. It may
	 * be of a router, and the connection goes on behind it.
	 */
	if (READ_ONCE(sk->sk_err))
		return nst_tcp_tx_is_live(nst) ? -EAGAIN : -EPIPE;
	if (!nst_tcp_intact(nst)) {
		/* The worker resets the connection: it may take rx_lock. */
		set_bit(NST_TCP_TORN, &nst->flags);
		nst_tcp_kick(nst, 0);
		return -EPROTO;
	}
	nst_tcp_mark(nst, left);
	/* Short of memory TCP forces what exceeds the limit: the true one. */
	sk_wmem_schedule(sk, left);
	/* A record was begun, so it goes in whole; see the top. */
	sndbuf = nst_tcp_room_begin(nst, left, rec->nr_out);
	n = nst_compat_send_pages(sk, rec->out, rec->nr_out, left, more);
	nst_tcp_room_end(nst, sndbuf);
	nst_tcp_mark(nst, 0);
	if (n < 0)
		return n;
	nst_txrec_advance(rec, n);
	return n < left ? -EAGAIN : 0;
}

/**
 * nst_tcp_tx_own() - have the socket for a moment
 * @nst: the socket
 * @was: for nst_tcp_tx_disown()
 *
 * The worker only tries, and has the spinlock then, so TCP must not sleep; see
 * "Locking" in sock.h.
 *
 * Context: process, under tx_lock.
 * Return: true if the caller has it.
 */
bool nst_tcp_tx_own(struct nst_tcp *nst, gfp_t *was)
{
	struct sock *sk = nst->sk;

	if (test_bit(NST_TCP_WORKER, &nst->flags)) {
		if (!nst_tcp_borrow(nst))
			return false;
	} else {
		lock_sock(sk);
	}
	*was = sk->sk_allocation;
	if (test_bit(NST_TCP_WORKER, &nst->flags))
		sk->sk_allocation = GFP_ATOMIC | (*was & __GFP_MEMALLOC);
	return true;
}

/**
 * nst_tcp_tx_disown() - undo nst_tcp_tx_own()
 * @nst: the socket
 * @was: what that told
 */
void nst_tcp_tx_disown(struct nst_tcp *nst, gfp_t was)
{
	nst->sk->sk_allocation = was;
	if (test_bit(NST_TCP_WORKER, &nst->flags))
		nst_tcp_return(nst);
	else
		release_sock(nst->sk);
}

/*
 * The program was told of the error that a record has waited for. The worker may be
 * away for long, for that alone, and has other things to do.
 */
static void end_untold(struct nst_tcp *nst)
{
	if (!nst->tx_untold)
		return;
	nst_tcp_kick(nst, 0);
	WRITE_ONCE(nst->tx_untold, 0);
}

/**
 * nst_tcp_tx_push() - give TCP the record that is on its way
 * @nst: the socket, with one
 *
 * Context: process, under tx_lock.
 * Return: 0: it is gone. -EAGAIN: TCP is out of memory, a program owns the socket,
 * or has to be told of an error first; the record stays and the worker will try
 * again. Else the record is lost and with it the stream.
 */
int nst_tcp_tx_push(struct nst_tcp *nst)
{
	unsigned long pause = NST_TCP_RETRY;
	struct nst_txrec *rec = nst->tx_out;
	bool gone, untold;
	gfp_t was;
	int err;

	lockdep_assert_held(&nst->tx_lock);
	if (!nst_tcp_tx_own(nst, &was))
		return -EAGAIN;
	nst_tcp_mem_lend(nst);
	untold = READ_ONCE(nst->sk->sk_err);
	err = push_locked(nst, rec);
	gone = err != -EAGAIN && err != -ENOMEM && err != -ENOBUFS;
	if (gone)
		nst->tx_out = NULL;
	nst_tcp_mem_settle(nst);
	nst_tcp_tx_disown(nst, was);
	if (!gone) {
		if (!untold)
			end_untold(nst);
		/* Nothing tells that the program was told by SO_ERROR. */
		nst_tcp_kick(nst, untold ? pause << nst->tx_untold : pause);
		if (untold)
			WRITE_ONCE(nst->tx_untold,
				   min(nst->tx_untold + 1, NST_TCP_UNTOLD));
		return -EAGAIN;
	}
	end_untold(nst);
	nst_txrec_put(rec);
	if (err)
		nst->st.tx.closed = true;
	return err;
}

/**
 * nst_tcp_tx_settle() - a record is no more, or smaller, that the socket is charged for
 * @nst: the socket
 *
 * Context: process, under tx_lock.
 */
void nst_tcp_tx_settle(struct nst_tcp *nst)
{
	gfp_t was;

	if (nst_tcp_mem_settled(nst) || !nst_tcp_tx_own(nst, &was))
		return;
	nst_tcp_mem_settle(nst);
	nst_tcp_tx_disown(nst, was);
}

/*
 * Seal a record and put it on its way, on which there is none. After an error
 * it is still the caller's.
 */
static int seal(struct nst_tcp *nst, struct nst_txrec *rec)
{
	bool limit = nst_stream_tx_at_limit(&nst->st);
	u32 epochs = nst->st.tx.epochs;
	struct nst_hdr hdr;
	int err;

	lockdep_assert_held(&nst->tx_lock);
	err = nst_txrec_seal(rec, &nst->st, &hdr);
	nst_tcp_watch(nst);
	if (err)
		return err;
	nst->tx_out = rec;
	if (epochs != nst->st.tx.epochs) {
		trace_nst_epoch(nst->sk, true, hdr.suite, hdr.kid, hdr.epoch,
				hdr.bound);
		if (limit)
			nst_event_limit(sock_net(nst->sk), hdr.kid);
	}
	trace_nst_record_out(nst->sk, hdr.type, hdr.len, hdr.nonce, hdr.kid,
			     hdr.epoch);
	return 0;
}

/*
 * Push a record that was just sealed. What TCP has not taken whole yet is as
 * good as sent: it goes before anything else does.
 */
static int push_first(struct nst_tcp *nst)
{
	int err = nst_tcp_tx_push(nst);

	if (err != -EAGAIN)
		return err;
	nst_stats_inc(nst->st.nn->stats, NST_MIB_TX_DEFERRED);
	return 0;
}

/**
 * nst_tcp_tx_send() - seal and push a record that was never open
 * @nst: the socket; no record is on its way
 * @rec: the record, which is consumed in any case
 *
 * Context: process, under tx_lock.
 * Return: 0, also if TCP has not taken all of it yet; an errno if it is lost.
 */
int nst_tcp_tx_send(struct nst_tcp *nst, struct nst_txrec *rec)
{
	int err = seal(nst, rec);

	if (!err)
		return push_first(nst);
	nst_txrec_put(rec);
	return err;
}

/**
 * nst_tcp_tx_flush() - seal the open record and push it
 * @nst: the socket; no record is on its way
 *
 * Context: process, under tx_lock.
 * Return: 0; an errno, and the record stays open if it could not be sealed; of that
 * the caller takes back, or throws away, what it has brought itself.
 */
int nst_tcp_tx_flush(struct nst_tcp *nst)
{
	struct nst_txrec *rec = nst->tx_open;
	int err;

	if (rec->kept) {
		rec = nst_txrec_lift(rec);
		if (!rec)
			return -ENOMEM;
		nst->tx_open = rec;
	}
	err = seal(nst, rec);
	if (err && !nst->st.tx.closed) {
		nst_tcp_tx_settle(nst);
		return err;
	}
	nst->tx_open = NULL;
	if (!err)
		return push_first(nst);
	nst_txrec_put(rec);
	nst_tcp_tx_settle(nst);
	return err;
}

/**
 * nst_tcp_tx_keep_open() - let the open record stay open
 * @nst: the socket
 *
 * If it cannot be charged to the socket it goes as it is.
 *
 * Context: process, under tx_lock. Takes the socket lock.
 * Return: 0; as nst_tcp_tx_flush().
 */
int nst_tcp_tx_keep_open(struct nst_tcp *nst)
{
	bool charged;

	lock_sock(nst->sk);
	charged = nst_tcp_mem_reserve(nst);
	release_sock(nst->sk);
	if (!charged)
		return nst_tcp_tx_flush(nst);
	nst->tx_open->kept = true;
	return 0;
}

/**
 * nst_tcp_tx_empty() - send a record without a body: START or close
 * @nst: the socket; no record is on its way
 * @type: which
 *
 * The open record is left alone.
 *
 * Context: process, under tx_lock.
 * Return: as nst_tcp_tx_send(); -ENOMEM.
 */
int nst_tcp_tx_empty(struct nst_tcp *nst, u8 type)
{
	struct nst_txrec *rec = nst_txrec_get(type);

	return rec ? nst_tcp_tx_send(nst, rec) : -ENOMEM;
}

/**
 * nst_tcp_tx_may_send() - is there nothing of the peer to be waited for?
 * @nst: the socket
 *
 * Context: any.
 * Return: false if the stream is strict and its peer's START has not come.
 */
bool nst_tcp_tx_may_send(const struct nst_tcp *nst)
{
	const struct nst_stream *st = &nst->st;

	return !(READ_ONCE(st->flags) & NST_F_STRICT) ||
	       nst_stream_tx_bindable(st);
}

/**
 * nst_tcp_tx_is_vain() - will what the stream waits for never come?
 * @nst: the socket
 *
 * Context: any.
 * Return: true if it is strict and its peer's START has failed, or the peer has
 * ended without one.
 */
bool nst_tcp_tx_is_vain(const struct nst_tcp *nst)
{
	return READ_ONCE(nst->rx_err) && !nst_tcp_tx_may_send(nst);
}

/**
 * nst_tcp_tx_may_try() - can the program send at all?
 * @nst: the socket
 *
 * What sk_err says is left for it to be told.
 *
 * Context: process, under tx_lock.
 * Return: 0; -ENOKEY; -EPIPE.
 */
int nst_tcp_tx_may_try(const struct nst_tcp *nst)
{
	const struct nst_stream *st = &nst->st;

	if (!st->tx.conf)
		return -ENOKEY;
	if ((st->flags & NST_F_STRICT) && !READ_ONCE(st->rx.conf))
		return -ENOKEY;
	if (st->tx.closed || test_bit(NST_TCP_SHUT, &nst->flags) ||
	    READ_ONCE(nst->sk->sk_err) || nst_tcp_tx_is_vain(nst) ||
	    (READ_ONCE(nst->sk->sk_shutdown) & SEND_SHUTDOWN))
		return -EPIPE;
	return 0;
}

/**
 * nst_tcp_tx_prepare() - send what must go out before the next record can
 * @nst: the socket
 * @room: there must be room in the send buffer, too
 *
 * Context: process, under tx_lock.
 * Return: 0; -EAGAIN or -ENOMEM if something has to be waited for; else why it is in
 * vain.
 */
int nst_tcp_tx_prepare(struct nst_tcp *nst, bool room)
{
	int err = 0;

	if (nst->tx_out)
		err = nst_tcp_tx_push(nst);
	if (!err)
		err = nst_tcp_tx_may_try(nst);
	if (!err && nst_stream_tx_wants_start(&nst->st))
		err = nst_tcp_tx_empty(nst, NST_TYPE_START);
	if (err)
		return err;
	if (nst->tx_out || !nst_tcp_tx_may_send(nst) ||
	    (room && !sk_stream_memory_free(nst->sk)))
		return -EAGAIN;
	return 0;
}

static int finish(struct nst_tcp *nst)
{
	struct nst_stream *st = &nst->st;
	int err = 0;

	/* TCP Fast Open: accepted before the connection stands, which it soon will. */
	if (READ_ONCE(nst->sk->sk_state) == TCP_SYN_RECV)
		return st->tx.conf ? -EAGAIN : 0;
	if (!nst_tcp_tx_is_live(nst))
		return 0;
	if (nst->tx_out)
		err = nst_tcp_tx_push(nst);
	if (err || !st->tx.conf || st->tx.closed)
		return err;
	if (!nst_tcp_tx_may_send(nst))
		return -EAGAIN;
	if (nst_stream_tx_wants_start(st))
		err = nst_tcp_tx_empty(nst, NST_TYPE_START);
	/* One goes on its way when the one before is with TCP. */
	if (!err && nst->tx_open)
		err = nst->tx_out ? -EAGAIN : nst_tcp_tx_flush(nst);
	if (!err)
		err = nst->tx_out ? -EAGAIN : nst_tcp_tx_empty(nst, NST_TYPE_CLOSE);
	if (!err && nst->tx_out)
		err = -EAGAIN;
	return err;
}

/**
 * nst_tcp_tx_finish() - send what is pending, then the close record
 * @nst: the socket
 *
 * Context: process, under tx_lock.
 * Return: 0 if TCP may send its FIN; -EAGAIN if something must come first: the
 * peer's START (strict mode), the connection or memory; another errno if the stream
 * is lost.
 */
int nst_tcp_tx_finish(struct nst_tcp *nst)
{
	struct nst_tcp_scope scope = nst_tcp_scope_begin(nst->sk, false);
	int err;

	lockdep_assert_held(&nst->tx_lock);
	err = finish(nst);
	nst_tcp_scope_end(&scope);
	if (err != -ENOMEM)
		return err;
	nst_tcp_kick(nst, NST_TCP_RETRY);
	return -EAGAIN;
}
