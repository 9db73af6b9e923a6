// SPDX-License-Identifier: GPL-2.0
/*
 * Receive records, one at a time: each is taken off TCP's queue under the
 * socket lock (head.c) and decrypted after that lock is dropped.
 */
#include <linux/tcp.h>
#include <linux/uio.h>
#include <net/tcp.h>
#include "core/aead.h"
#include "core/lookup.h"
#include "core/stream_rx.h"
#include "event.h"
#include "tcp/head.h"
#include "tcp/intact.h"
#include "tcp/mem.h"
#include "tcp/queue.h"
#include "tcp/rx.h"
#include "tcp/rxend.h"
#include "tcp/stall.h"
#include "trace.h"

/* What find_head() found. */
enum found {
	FOUND_NONE,	/* no record for the caller */
	FOUND_RECORD,	/* held in @rec, off the queue */
	FOUND_EPOCH,	/* a record of an epoch whose keys must be derived */
	FOUND_DROP,	/* *drop says why the stream ends */
	FOUND_NOMEM,	/* nothing has changed */
};

/* A child that nobody has accepted; a closed socket has no program either. */
static bool is_child(const struct nst_tcp *nst)
{
	return !nst->sk->sk_socket && !test_bit(NST_TCP_CLOSED, &nst->flags);
}

/*
 * Make room for the rest of the head record. Without memory its bytes stay with
 * TCP, the reader waits, and the worker tries again.
 */
static enum found gather(struct nst_tcp *nst, gfp_t gfp)
{
	if (!is_child(nst) && nst_tcp_head_gather(nst, gfp))
		nst_tcp_kick(nst, NST_TCP_RETRY);
	return FOUND_NONE;
}

/*
 * The record in @rec was taken: count what of it is on its way to the list, in
 * place of the @waited bytes that it is counted with already.
 */
static void note_opening(struct nst_tcp *nst, const struct nst_rxrec *rec,
			 struct nst_rx_want *want, u32 waited)
{
	const struct nst_hdr *hdr = &rec->hdr;

	want->rest = rec->opened ? waited : 0;
	if (!rec->opened && hdr->type == NST_TYPE_DATA)
		want->rest = hdr->len - nst_tcp_direct_len(hdr, want);
	WRITE_ONCE(nst->turn, hdr->type >= NST_TYPE_APP_MIN);
	WRITE_ONCE(nst->plain_len, nst->plain_len + want->rest - waited);
	WRITE_ONCE(nst->opening, want->rest || nst->turn);
}

/* It has come there, or will never come. Pairs with poll. */
static void end_opening(struct nst_tcp *nst, struct nst_rx_want *want, bool lost)
{
	if (lost)
		WRITE_ONCE(nst->plain_len, nst->plain_len - want->rest);
	/* Pairs with readable(). */
	smp_store_release(&nst->opening, false);
}

/* May the record at the head be taken now? FOUND_RECORD: yes. */
static enum found judge_locked(struct nst_tcp *nst, struct nst_rxrec *rec,
			       enum nst_drop *drop, gfp_t gfp)
{
	struct nst_head *head = &nst->head;

	*drop = nst_tcp_intact(nst) ? head->bad : NST_DROP_FOREIGN;
	if (nst->st.rx.closed && !head->known && !*drop)
		*drop = NST_DROP_AFTER_CLOSE;
	if (*drop)
		return FOUND_DROP;
	if (!head->known)
		return gather(nst, gfp);
	rec->hdr = head->hdr;
	*drop = nst_stream_rx_judge(&nst->st, &rec->hdr);
	if (*drop)
		return FOUND_DROP;
	if (head->total - head->got > nst_tcp_queued(nst->sk)) {
		/* If its key is refused, what derives it tells why. */
		if (!nst_stream_rx_knows_key(&nst->st, &rec->hdr))
			return FOUND_EPOCH;
		return gather(nst, gfp);
	}
	/* accept() charges its cgroup for what it finds on TCP's queue. */
	if (is_child(nst) && !rec->hdr.start)
		return FOUND_NONE;
	if (!nst_stream_rx_has_keys(&nst->st, &rec->hdr))
		return FOUND_EPOCH;
	return FOUND_RECORD;
}

/*
 * Plaintext for nobody: close() resets the connection in place of the close
 * record, and behind it the stream fails.
 */
static enum found find_unread(struct nst_tcp *nst, struct nst_rxrec *rec,
			      enum nst_drop *drop)
{
	if (!test_bit(NST_TCP_LINGER, &nst->flags))
		return FOUND_NONE;
	rec->hdr = nst->head.hdr;
	*drop = NST_DROP_UNREAD;
	return FOUND_DROP;
}

/*
 * Take the record at the head off the queue, if there is memory to open it too.
 * Else its bytes stay with TCP.
 */
static enum found take(struct nst_tcp *nst, const struct nst_rx_want *want,
		       struct nst_rxrec *rec, u8 *wire, gfp_t gfp)
{
	bool paid = is_child(nst);
	int charge = 0;
	u32 len;

	rec->op = nst_op_get(&nst->st.rx.ep.cipher, gfp);
	if (!rec->op)
		return FOUND_NOMEM;
	if (nst_tcp_needs_buffer(nst, &rec->hdr, want, &len)) {
		rec->plain = nst_rxrec_buffer(len, paid ? gfp | __GFP_ACCOUNT :
							  gfp);
		if (!rec->plain)
			goto no_memory;
		nst_plain(rec->plain)->paid = paid;
		charge = paid ? 0 : rec->plain->truesize;
	}
	if (charge)
		nst_tcp_mem_rx_move(nst, charge);
	if (!nst_tcp_head_take(nst, rec, wire, gfp)) {
		nst_tcp_mem_rx_cover(nst);
		return FOUND_RECORD;
	}
	if (charge)
		nst_tcp_mem_rx_move(nst, -charge);
	kfree_skb(rec->plain);
	rec->plain = NULL;
no_memory:
	nst_op_put(rec->op);
	return FOUND_NOMEM;
}

/*
 * Look at the head. What the worker is the first to see was not told of: TCP had it
 * announced in the middle of a push of ours, say, or it came with a SYN.
 */
static enum nst_head_state look(struct nst_tcp *nst,
				const struct nst_rx_want *want)
{
	bool ready = nst->head.ready;
	enum nst_head_state state = nst_tcp_head_look(nst);

	if (want->worker && !ready && nst->head.ready)
		nst->data_ready(nst->sk);
	return state;
}

static enum found find_locked(struct nst_tcp *nst, struct nst_rx_want *want,
			      struct nst_rxrec *rec, u8 *wire,
			      enum nst_drop *drop, gfp_t gfp)
{
	enum nst_head_state state = look(nst, want);
	bool closed = test_bit(NST_TCP_CLOSED, &nst->flags);
	enum found found;

	if (!nst_tcp_mem_rx_settled(nst) && !is_child(nst))
		nst_tcp_mem_rx_settle(nst);
	want->shutdown = nst_tcp_rcv_shut(nst);
	want->fin = sock_flag(nst->sk, SOCK_DONE);
	want->gone = nst_tcp_gone(nst->sk);
	/* Behind close() nobody sets keys any more. */
	if (!want->worker || closed)
		nst->turn = false;
	if (closed && nst_tcp_head_unread(nst))
		return find_unread(nst, rec, drop);
	if (state == HEAD_WAIT ||
	    (want->worker && (state == HEAD_READY || nst->turn)))
		return FOUND_NONE;
	found = judge_locked(nst, rec, drop, gfp);
	if (found == FOUND_RECORD)
		found = take(nst, want, rec, wire, gfp);
	if (found != FOUND_RECORD)
		return found;
	note_opening(nst, rec, want, 0);
	nst_tcp_head_next(nst);
	/* What comes to light may be the worker's, and no byte need come for it. */
	if (look(nst, want) == HEAD_WORK && !want->worker && !nst->turn)
		nst_tcp_kick(nst, 0);
	return FOUND_RECORD;
}

static enum found find_head(struct nst_tcp *nst, struct nst_rx_want *want,
			    struct nst_rxrec *rec, u8 *wire,
			    enum nst_drop *drop)
{
	/* Under the spinlock it cannot sleep, and what it leaves it comes again for. */
	gfp_t gfp = GFP_NOWAIT | __GFP_NOWARN;
	struct sock *sk = nst->sk;
	enum found found = FOUND_NONE;

	if (!want->worker) {
		/* A call that may not wait has nobody killed for it either. */
		gfp = GFP_KERNEL;
		if (want->nowait)
			gfp |= __GFP_NORETRY | __GFP_NOWARN;
		lock_sock(sk);
		found = find_locked(nst, want, rec, wire, drop, gfp);
		release_sock(sk);
		return found;
	}
	if (!nst_tcp_borrow(nst))
		return FOUND_NONE;
	/* A child thrown away meanwhile has nothing on its queue any more. */
	if (!test_bit(NST_TCP_DEAD, &nst->flags))
		found = find_locked(nst, want, rec, wire, drop, gfp);
	nst_tcp_return(nst);
	return found;
}

/*
 * Of a record that waits for memory the worker opens what no reader must ask for,
 * and what one has asked for and has no plaintext.
 */
static bool is_workers(const struct nst_rxrec *rec)
{
	const struct nst_hdr *hdr = &rec->hdr;

	return rec->opened || hdr->start ||
	       (!hdr->len && hdr->type < NST_TYPE_APP_MIN);
}

/* As find_head(), for a record that waits for memory: it is off the queue. */
static enum found find_stalled(struct nst_tcp *nst, struct nst_rx_want *want,
			       struct nst_rxrec *rec, u8 *wire,
			       enum nst_drop *drop)
{
	u32 waited = nst_stall_len(nst);

	*rec = nst->stalled->rec;
	if (want->worker && !is_workers(rec))
		return FOUND_NONE;
	/* Plaintext for nobody. close() has seen it. */
	if (rec->hdr.len && test_bit(NST_TCP_CLOSED, &nst->flags))
		return FOUND_NONE;
	if (!rec->opened) {
		*drop = nst_stream_rx_judge(&nst->st, &rec->hdr);
		if (*drop)
			return FOUND_DROP;
		if (!nst_stream_rx_has_keys(&nst->st, &rec->hdr))
			return FOUND_EPOCH;
		if (nst_stall_fit(nst, GFP_KERNEL | __GFP_NORETRY |
				       __GFP_NOWARN))
			return FOUND_NOMEM;
	}
	nst_stall_take(nst, rec, wire);
	note_opening(nst, rec, want, waited);
	return FOUND_RECORD;
}

static enum found find(struct nst_tcp *nst, struct nst_rx_want *want,
		       struct nst_rxrec *rec, u8 *wire, enum nst_drop *drop)
{
	if (unlikely(nst->stalled))
		return find_stalled(nst, want, rec, wire, drop);
	return find_head(nst, want, rec, wire, drop);
}

/* Put a record off. It is as readable as it was on TCP's queue. */
static void stall(struct nst_tcp *nst, const struct nst_rxrec *rec,
		  const u8 *wire, const struct nst_rx_want *want)
{
	u32 len;

	nst_stall_keep(nst, rec, wire);
	nst_stats_inc(nst->st.nn->stats, NST_MIB_RX_STALLED);
	len = nst_stall_len(nst);
	WRITE_ONCE(nst->plain_len, nst->plain_len + len - want->rest);
	/* Pairs with readable(). */
	smp_store_release(&nst->opening, len || nst->turn);
}

/* Open the record that was found. Returns as nst_tcp_rx_one(). */
static int open_found(struct nst_tcp *nst, struct nst_rxrec *rec,
		      const u8 *wire, struct nst_rx_want *want)
{
	bool opened = rec->opened;
	enum nst_drop drop = nst_tcp_open(nst, rec, wire, want);

	if (drop && rec->again) {
		stall(nst, rec, wire, want);
	} else {
		nst_op_put(rec->op);
		if (drop)
			nst_tcp_rx_fail(nst, drop, &rec->hdr);
		end_opening(nst, want, drop);
	}
	if (rec->opened && !opened && rec->hdr.start)
		nst_tcp_rx_bound(nst);
	/* An end that a reader has asked for, and had no memory for. */
	if (want->worker && nst->st.rx.closed)
		nst->data_ready(nst->sk);
	if (!drop)
		return 1;
	return rec->again ? -ENOMEM : nst->rx_err;
}

/*
 * Have the keys of an epoch. Its suite is looked for by others, as whoever wants
 * rx_lock should not wait for that: until it is found all is as without memory.
 */
static enum nst_drop have_keys(struct nst_tcp *nst, const struct nst_hdr *hdr)
{
	enum nst_drop drop;
	int err = 0;

	/* What this socket has transforms of need not be looked for. */
	if (nst->st.rx.ep.cipher.suite != hdr->suite)
		err = nst_suite_ask(hdr->suite);
	switch (err) {
	case 0:
		drop = nst_stream_rx_keys(&nst->st, hdr);
		nst_tcp_watch(nst);
		return drop;
	case -ENOPKG:
		return NST_DROP_NO_SUITE;
	default:
		return NST_DROP_NOMEM;
	}
}

/* As nst_tcp_rx_one(). */
static int receive(struct nst_tcp *nst, struct nst_rx_want *want)
{
	struct nst_rxrec rec = {};
	u8 wire[NST_WIRE_HDR_LEN];
	enum nst_drop drop;
	enum found found;

	if (nst->rx_err)
		return nst->rx_err;
	while ((found = find(nst, want, &rec, wire, &drop)) == FOUND_EPOCH) {
		drop = have_keys(nst, &rec.hdr);
		if (drop == NST_DROP_NOMEM)
			return -ENOMEM;
		if (drop)
			return nst_tcp_rx_fail(nst, drop, &rec.hdr);
	}
	switch (found) {
	case FOUND_NONE:
		return 0;
	case FOUND_DROP:
		return nst_tcp_rx_fail(nst, drop, &rec.hdr);
	case FOUND_RECORD:
		break;
	default:
		return -ENOMEM;
	}
	return open_found(nst, &rec, wire, want);
}

/*
 * What waits for its reader is charged to the socket, and no longer than it does. The
 * worker is called again if somebody owns the socket. A child's waits until it is
 * accepted.
 */
static void settle(struct nst_tcp *nst, bool worker)
{
	if (likely(nst_tcp_mem_rx_settled(nst)) || is_child(nst))
		return;
	if (!worker)
		lock_sock(nst->sk);
	else if (!nst_tcp_borrow(nst))
		return;
	nst_tcp_mem_rx_settle(nst);
	if (worker)
		nst_tcp_return(nst);
	else
		release_sock(nst->sk);
}

/**
 * nst_tcp_rx_one() - receive the next record, if it is there
 * @nst: the socket
 * @want: see there. With @want->worker set it takes only what no reader waits
 *	for: the START, records without a body, what ends the stream, and the
 *	part of a record that TCP has no room to complete
 *
 * Context: process, under rx_lock.
 * Return: 1: a record was received; 0: there is none; -ENOMEM, and rx_err is 0:
 * there is no memory for it now, and @want->copied tells what was received all the
 * same; another errno: receiving has ended.
 */
int nst_tcp_rx_one(struct nst_tcp *nst, struct nst_rx_want *want)
{
	int err;

	lockdep_assert_held(&nst->rx_lock);
	want->copied = 0;
	err = receive(nst, want);
	settle(nst, want->worker);
	return err;
}

/*
 * Without a key nothing is taken off the queue: a START may be there, for a key that
 * comes yet. If nothing is, and the peer has ended, none will come.
 */
static void see_keyless_end(struct nst_tcp *nst)
{
	bool ended;

	if (!nst_tcp_borrow(nst))
		return;
	ended = !test_bit(NST_TCP_DEAD, &nst->flags) &&
		sock_flag(nst->sk, SOCK_DONE) && !nst_tcp_queued(nst->sk);
	nst_tcp_return(nst);
	if (ended)
		nst_tcp_rx_unstarted(nst);
}

/**
 * nst_tcp_rx_settle() - a reader has taken plaintext: the socket pays no longer for it
 * @nst: the socket
 *
 * Context: process, under rx_lock.
 */
void nst_tcp_rx_settle(struct nst_tcp *nst)
{
	lockdep_assert_held(&nst->rx_lock);
	settle(nst, false);
}

/**
 * nst_tcp_rx_work() - the worker's part of receiving
 * @nst: the socket
 *
 * Context: process, under rx_lock.
 */
void nst_tcp_rx_work(struct nst_tcp *nst)
{
	struct nst_rx_want want = { .worker = true };
	unsigned int nr = 0;
	int err = 0;

	if (test_bit(NST_TCP_TORN, &nst->flags))
		nst_tcp_rx_fail(nst, NST_DROP_FOREIGN, NULL);
	/* Somebody was told to come again, and no byte need come for that. */
	if (test_and_clear_bit(NST_TCP_STARVED, &nst->flags))
		nst->data_ready(nst->sk);
	if (!READ_ONCE(nst->st.rx.conf)) {
		see_keyless_end(nst);
		return;
	}
	do {
		/* It may have no look at the socket now. */
		want.fin = false;
		err = nst_tcp_rx_one(nst, &want);
	} while (err > 0 && ++nr < NST_TCP_BATCH);
	if (!err && want.fin)
		nst_tcp_rx_unstarted(nst);
	if (err == -ENOMEM && !nst->rx_err)
		nst_tcp_kick(nst, NST_TCP_RETRY);
	/* Others want rx_lock and the worker, too. */
	if (nr == NST_TCP_BATCH)
		nst_tcp_kick(nst, 0);
}
