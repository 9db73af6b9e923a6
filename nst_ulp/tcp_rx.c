// SPDX-License-Identifier: GPL-2.0
/*
 * Take records off TCP's receive queue, one at a time.
 *
 * TCP's copied_seq always stands at a record's first byte, unless the record
 * is being gathered (struct nst_head). When the head record is complete, its
 * pages are referenced and it is taken off the queue, all under the socket
 * lock; it is decrypted after that lock is dropped.
 */
#include <linux/tcp.h>
#include <linux/uio.h>
#include <net/tcp.h>
#include "event.h"
#include "tcp_rx.h"
#include "trace.h"

enum head_state {
	HEAD_WAIT,	/* not complete */
	HEAD_WORK,	/* something to do that no reader waits for */
	HEAD_READY,	/* a reader's */
};

/* Bytes on TCP's queue, without the FIN. */
static u32 queued(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 n = tp->rcv_nxt - tp->copied_seq;

	if ((1 << sk->sk_state) & (TCPF_LISTEN | TCPF_SYN_SENT | TCPF_SYN_RECV))
		return 0;
	if (n && sock_flag(sk, SOCK_DONE))
		n--;
	return n;
}

/**
 * nst_tcp_rx_unread() - are there bytes that no reader has seen?
 * @nst: the socket
 *
 * Context: process, under rx_lock.
 * Return: true if plaintext, or any part of a record, is left.
 */
bool nst_tcp_rx_unread(const struct nst_tcp *nst)
{
	return !skb_queue_empty(&nst->plain) || nst->head.got ||
	       queued(nst->sk);
}

/*
 * Call @fn for each stretch of @n bytes of the queue, from @skip bytes behind
 * its front, until one returns an error. The bytes are there.
 */
static int walk_queue(struct sock *sk, u32 skip, u32 n,
		      int (*fn)(void *arg, struct sk_buff *skb, u32 off, u32 n),
		      void *arg)
{
	u32 seq = tcp_sk(sk)->copied_seq, off;
	struct sk_buff *skb = tcp_recv_skb(sk, seq, &off);
	int err = 0;

	if (!skb)
		return -ENODATA;
	seq += skip;
	skb_queue_walk_from(&sk->sk_receive_queue, skb) {
		u32 part;

		if (!n || err)
			break;
		/* Buffers may overlap: only their sequence numbers count. */
		off = seq - TCP_SKB_CB(skb)->seq;
		if (off >= skb->len)
			continue;
		part = min_t(u32, n, skb->len - off);
		err = fn(arg, skb, off, part);
		seq += part;
		n -= part;
	}
	return n && !err ? -ENODATA : err;
}

static int copy_bytes(void *arg, struct sk_buff *skb, u32 off, u32 n)
{
	u8 **to = arg;
	int err = skb_copy_bits(skb, off, *to, n);

	*to += n;
	return err;
}

/* Read the header as far as it has arrived. Socket lock. */
static void read_header(struct nst_tcp *nst, u32 avail)
{
	struct nst_head *head = &nst->head;
	u32 have = min_t(u32, head->got, NST_WIRE_HDR_LEN);
	u32 more = min_t(u32, avail, NST_WIRE_HDR_LEN - have);
	u8 *to = head->wire + have;

	if (more && walk_queue(nst->sk, 0, more, copy_bytes, &to))
		return;
	if (have + more < NST_WIRE_HDR_LEN) {
		head->bad = nst_wire_probe(head->wire, have + more);
		return;
	}
	head->bad = nst_wire_decode(&head->hdr, head->wire, IPPROTO_TCP);
	if (head->bad)
		return;
	head->known = true;
	head->total = NST_WIRE_HDR_LEN +
		      nst_wire_body_len(head->hdr.suite, head->hdr.len);
}

/*
 * Will the missing bytes not come into what TCP may still take? They do not if
 * the window is smaller than they are, nor if it is smaller than a segment: no
 * sender fills such a window but by its persist timer. Its segments are not
 * larger than we allowed, nor than half the window it has seen.
 */
static bool is_stuck(const struct sock *sk, u32 missing)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 segment = min_t(u32, tp->advmss, tcp_full_space(sk) / 2);
	u32 window = tcp_receive_window(tp);
	int rcvbuf = READ_ONCE(sk->sk_rcvbuf);

	return missing > window || window < segment ||
	       window <= inet_csk(sk)->icsk_ack.rcv_mss ||
	       atomic_read(&sk->sk_rmem_alloc) > rcvbuf - (rcvbuf >> 2);
}

/* A complete record: whose is it? */
static enum head_state sort_head(const struct nst_tcp *nst)
{
	const struct nst_hdr *hdr = &nst->head.hdr;

	if (!READ_ONCE(nst->st.rx_started) || hdr->type == NST_TYPE_START)
		return HEAD_WORK;
	if (hdr->type == NST_TYPE_DATA && !hdr->len)
		return HEAD_WORK;
	return HEAD_READY;
}

static enum head_state judge_head(struct nst_tcp *nst)
{
	struct nst_head *head = &nst->head;
	u32 avail = queued(nst->sk), missing;

	if (!READ_ONCE(nst->st.rx.conf) || (!avail && !head->got))
		return HEAD_WAIT;
	if (!head->known && !head->bad)
		read_header(nst, avail);
	if (head->bad || READ_ONCE(nst->st.rx.closed))
		return HEAD_WORK;
	missing = (head->known ? head->total : NST_WIRE_HDR_LEN) - head->got;
	if (!head->known || avail < missing)
		return avail && is_stuck(nst->sk, missing - avail) ? HEAD_WORK :
								     HEAD_WAIT;
	return sort_head(nst);
}

/* Look at what has arrived. Socket lock. */
static enum head_state update_head(struct nst_tcp *nst)
{
	enum head_state state = judge_head(nst);

	WRITE_ONCE(nst->head.ready, state == HEAD_READY);
	return state;
}

/**
 * nst_tcp_head_reset() - forget the record at the head
 * @nst: the socket
 *
 * Context: under the socket lock, or when nobody else is there.
 */
void nst_tcp_head_reset(struct nst_tcp *nst)
{
	kfree_skb(nst->head.body);
	memset(&nst->head, 0, sizeof(nst->head));
}

static int store_bytes(void *arg, struct sk_buff *skb, u32 off, u32 n)
{
	struct nst_head *head = arg;
	struct skb_seq_state st;
	unsigned int done = 0;
	const u8 *data;
	int len, err = 0;

	skb_prepare_seq_read(skb, off, off + n, &st);
	while (!err && (len = skb_seq_read(done, &data, &st))) {
		unsigned int part = min_t(unsigned int, len, n - done);
		u32 at = head->got;

		if (at < NST_WIRE_HDR_LEN) {
			part = min_t(unsigned int, part, NST_WIRE_HDR_LEN - at);
			memcpy(head->wire + at, data, part);
		} else {
			err = skb_store_bits(head->body, at - NST_WIRE_HDR_LEN,
					     data, part);
		}
		head->got += part;
		done += part;
	}
	skb_abort_seq_read(&st);
	return err ?: done < n ? -EFAULT : 0;
}

/*
 * Take the part of the head record that has arrived off TCP's queue into a
 * buffer of its own, so that TCP has room for the rest. Socket lock.
 */
static int gather(struct nst_tcp *nst, gfp_t gfp)
{
	struct nst_head *head = &nst->head;
	u32 avail = queued(nst->sk), n, body;
	int err;

	if (head->known && !head->body) {
		body = head->total - NST_WIRE_HDR_LEN;
		head->body = nst_rxrec_buffer(max_t(u32, body, 1), gfp);
		if (!head->body)
			return -ENOMEM;
		nst_stats_inc(nst->st.nn->stats, NST_MIB_RX_COPIED);
	}
	/* Without the whole header nothing but the header is taken. */
	n = (head->known ? head->total : NST_WIRE_HDR_LEN) - head->got;
	n = min(n, avail);
	err = walk_queue(nst->sk, 0, n, store_bytes, head);
	if (err)
		return err;
	tcp_read_done(nst->sk, n);
	return 0;
}

struct take {
	struct nst_rxrec *rec;
	gfp_t gfp;
};

static int take_piece(void *arg, struct sk_buff *skb, u32 off, u32 n)
{
	struct take *take = arg;

	return nst_rxrec_add(take->rec, skb, off, n, take->gfp);
}

/* Hold a body that was gathered: it needs no socket lock any more. */
static int take_gathered(struct nst_tcp *nst, struct nst_rxrec *rec, gfp_t gfp)
{
	struct sk_buff *body = nst->head.body;
	u32 len = nst->head.total - NST_WIRE_HDR_LEN;
	int err = 0;

	if (len)
		err = nst_rxrec_add(rec, body, 0, len, gfp);
	if (!err && !rec->holds) {
		/* Pages are referenced; the buffer itself may go. */
		kfree_skb(body);
		nst->head.body = NULL;
	}
	return err;
}

/*
 * Hold the complete head record in @rec and take it off the queue. On an error
 * all is as before. Socket lock.
 */
static int take_head(struct nst_tcp *nst, struct nst_rxrec *rec, u8 *wire,
		     gfp_t gfp)
{
	struct nst_head *head = &nst->head;
	struct take take = { .rec = rec, .gfp = gfp };
	int err = 0;

	if (!head->got) {
		err = walk_queue(nst->sk, NST_WIRE_HDR_LEN,
				 head->total - NST_WIRE_HDR_LEN, take_piece,
				 &take);
		if (!err)
			tcp_read_done(nst->sk, head->total);
	}
	if (err) {
		nst_rxrec_release_src(rec);
		if (err == -ENOMEM)
			return err;
	}
	if (head->got || err) {
		err = head->got < head->total ? gather(nst, gfp) : 0;
		if (!err)
			err = take_gathered(nst, rec, gfp);
		if (err) {
			nst_rxrec_release_src(rec);
			return err;
		}
	}
	memcpy(wire, head->wire, NST_WIRE_HDR_LEN);
	nst_tcp_head_reset(nst);
	return 0;
}

/**
 * nst_tcp_rx_fail() - end receiving
 * @nst: the socket
 * @drop: why; counted here, once
 * @hdr: of the record that is refused, or NULL
 *
 * The connection is reset, unless the stream was only truncated: then sending
 * may go on.
 *
 * Context: process, under rx_lock.
 * Return: the negative errno that the reader is told from now on.
 */
int nst_tcp_rx_fail(struct nst_tcp *nst, enum nst_drop drop,
		    const struct nst_hdr *hdr)
{
	struct sock *sk = nst->sk;

	lockdep_assert_held(&nst->rx_lock);
	if (nst->rx_err)
		return nst->rx_err;
	nst->rx_drop = drop;
	WRITE_ONCE(nst->rx_err, nst_drop_errno(drop));
	nst_stats_inc(nst->st.nn->stats, drop);
	trace_nst_drop(sk, drop, nst->rx_err);
	if (hdr)
		nst_event_drop(sock_net(sk), drop, hdr->kid,
			       hdr->timestamp - ktime_get_real_ns());
	/*
	 * A child that nobody has accepted is reset at accept(): either it
	 * sees the error there, or the socket is seen here.
	 */
	smp_mb();
	if (drop != NST_DROP_TRUNCATED && sk->sk_socket)
		nst_tcp_abort(nst);
	nst->data_ready(sk);
	return nst->rx_err;
}

/* Choose where the plaintext goes. */
static int place(struct nst_rxrec *rec, struct nst_rx_want *want)
{
	u16 len = rec->hdr.len;

	if (want->iter && rec->hdr.type == NST_TYPE_DATA) {
		size_t n = min_t(size_t, len, want->room);

		if (n >= NST_OP_BOUNCE && user_backed_iter(want->iter))
			nst_rxrec_pin(rec, want->iter, n);
		else if (n == len && len < NST_OP_BOUNCE)
			nst_rxrec_bounce(rec);
	}
	if (rec->user < len || rec->hdr.type >= NST_TYPE_APP_MIN)
		return nst_rxrec_rest(rec);
	return 0;
}

static void queue_plain(struct nst_tcp *nst, struct sk_buff *skb, u8 type)
{
	nst_plain(skb)->type = type;
	nst_plain(skb)->off = 0;
	nst->plain_mem += skb->truesize;
	WRITE_ONCE(nst->plain_len, nst->plain_len + skb->len);
	__skb_queue_tail(&nst->plain, skb);
}

/* Give the plaintext away. An unreadable rest of a bounce buffer is kept. */
static int deliver(struct nst_tcp *nst, struct nst_rxrec *rec,
		   struct nst_rx_want *want)
{
	size_t n = rec->user;

	if (n && !rec->nr_user)
		n = copy_to_iter(rec->op->bounce, rec->user, want->iter);
	want->copied = n;
	want->boundary = n && n == rec->hdr.len;
	if (n < rec->user) {
		rec->plain = nst_rxrec_buffer(rec->user - n, GFP_KERNEL);
		if (!rec->plain)
			return -ENOMEM;
		skb_store_bits(rec->plain, 0, rec->op->bounce + n,
			       rec->user - n);
	}
	if (rec->plain)
		queue_plain(nst, rec->plain, rec->hdr.type);
	rec->plain = NULL;
	return 0;
}

/* Open the record in @rec and let the stream move on. No socket lock. */
static enum nst_drop open_record(struct nst_tcp *nst, struct nst_rxrec *rec,
				 const u8 *wire, struct nst_rx_want *want)
{
	struct nst_stream *st = &nst->st;
	u32 epochs = st->rx.epochs;
	enum nst_drop drop;

	if (place(rec, want)) {
		drop = NST_DROP_NOMEM;
	} else {
		drop = nst_rxrec_open(rec, &st->rx.ep.cipher, wire);
		if (!drop)
			drop = nst_stream_rx_accept(st, &rec->hdr);
		/* Authentic, but a replay: the reader must not see it. */
		if (drop && drop != NST_DROP_AUTH && rec->nr_dst)
			sg_zero_buffer(&rec->op->dst[1], rec->nr_dst,
				       rec->hdr.len, 0);
	}
	if (!drop && deliver(nst, rec, want))
		drop = NST_DROP_NOMEM;
	nst_rxrec_release_dst(rec);
	nst_rxrec_release_src(rec);
	kfree_skb(rec->plain);
	if (drop)
		return drop;
	if (epochs != st->rx.epochs)
		trace_nst_epoch(nst->sk, false, rec->hdr.suite, rec->hdr.kid,
				rec->hdr.epoch, rec->hdr.bound);
	trace_nst_record_in(nst->sk, rec->hdr.type, rec->hdr.len,
			    rec->hdr.nonce, rec->hdr.kid, rec->hdr.epoch);
	return NST_OK;
}

/* The peer's START has come: senders may be bound, a START may be due. */
static void after_start(struct nst_tcp *nst)
{
	struct sock *sk = nst->sk;

	nst_tcp_kick(nst, 0);
	if (READ_ONCE(nst->st.flags) & NST_F_STRICT)
		sk->sk_write_space(sk);
}

/* What find_head() found. */
enum found {
	FOUND_NONE,	/* no record for the caller */
	FOUND_RECORD,	/* held in @rec, off the queue */
	FOUND_EPOCH,	/* a record of an epoch whose keys must be derived */
	FOUND_DROP,	/* *drop says why the stream ends */
	FOUND_NOMEM,	/* nothing has changed */
};

static enum found find_locked(struct nst_tcp *nst, struct nst_rx_want *want,
			      struct nst_rxrec *rec, u8 *wire,
			      enum nst_drop *drop, gfp_t gfp)
{
	struct nst_head *head = &nst->head;
	enum head_state state = update_head(nst);

	want->shutdown = nst->sk->sk_shutdown & RCV_SHUTDOWN;
	want->fin = sock_flag(nst->sk, SOCK_DONE);
	if (state == HEAD_WAIT || (want->worker && state == HEAD_READY))
		return FOUND_NONE;
	*drop = head->bad;
	if (*drop)
		return FOUND_DROP;
	if (nst->st.rx.closed && !head->known) {
		*drop = NST_DROP_AFTER_CLOSE;
		return FOUND_DROP;
	}
	if (!head->known || head->total - head->got > queued(nst->sk)) {
		if (nst->st.rx.closed) {
			*drop = NST_DROP_AFTER_CLOSE;
			return FOUND_DROP;
		}
		return gather(nst, gfp) ? FOUND_NOMEM : FOUND_NONE;
	}
	rec->hdr = head->hdr;
	*drop = nst_stream_rx_judge(&nst->st, &rec->hdr);
	if (*drop)
		return FOUND_DROP;
	if (!nst_stream_rx_has_keys(&nst->st, &rec->hdr))
		return FOUND_EPOCH;
	rec->op = nst_op_get(&nst->st.rx.ep.cipher, gfp);
	if (!rec->op)
		return FOUND_NOMEM;
	if (take_head(nst, rec, wire, gfp)) {
		nst_op_put(rec->op);
		return FOUND_NOMEM;
	}
	/* What comes to light may be the worker's, and no byte need come for it. */
	if (update_head(nst) == HEAD_WORK && !want->worker)
		nst_tcp_kick(nst, 0);
	return FOUND_RECORD;
}

static enum found find_head(struct nst_tcp *nst, struct nst_rx_want *want,
			    struct nst_rxrec *rec, u8 *wire,
			    enum nst_drop *drop)
{
	struct sock *sk = nst->sk;
	enum found found = FOUND_NONE;

	if (!want->worker) {
		lock_sock(sk);
		found = find_locked(nst, want, rec, wire, drop, GFP_KERNEL);
		release_sock(sk);
		return found;
	}
	spin_lock_bh(&sk->sk_lock.slock);
	if (sock_owned_by_user(sk))
		nst_tcp_kick(nst, NST_TCP_RETRY);
	/* A child thrown away meanwhile has nothing on its queue any more. */
	else if (!test_bit(NST_TCP_DEAD, &nst->flags))
		found = find_locked(nst, want, rec, wire, drop, GFP_ATOMIC);
	spin_unlock_bh(&sk->sk_lock.slock);
	return found;
}

/**
 * nst_tcp_rx_one() - receive the next record, if it is there
 * @nst: the socket
 * @want: see there. With @want->worker set it takes only what no reader waits
 *	for: the START, records without a body, what ends the stream, and the
 *	part of a record that TCP has no room to complete
 *
 * Context: process, under rx_lock.
 * Return: 1: a record was received; 0: there is none; -ENOMEM: nothing has
 * changed; another errno: receiving has ended.
 */
int nst_tcp_rx_one(struct nst_tcp *nst, struct nst_rx_want *want)
{
	struct nst_rxrec rec = {};
	u8 wire[NST_WIRE_HDR_LEN];
	enum nst_drop drop;
	enum found found;

	lockdep_assert_held(&nst->rx_lock);
	want->copied = 0;
	if (nst->rx_err)
		return nst->rx_err;
	while ((found = find_head(nst, want, &rec, wire, &drop)) == FOUND_EPOCH) {
		drop = nst_stream_rx_keys(&nst->st, &rec.hdr);
		nst_tcp_watch(nst);
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
	drop = open_record(nst, &rec, wire, want);
	nst_op_put(rec.op);
	if (drop)
		return nst_tcp_rx_fail(nst, drop, &rec.hdr);
	if (rec.hdr.start)
		after_start(nst);
	return 1;
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

	if (!READ_ONCE(nst->st.rx.conf))
		return;
	while (nr < NST_TCP_BATCH && (err = nst_tcp_rx_one(nst, &want)) > 0)
		nr++;
	if (err == -ENOMEM && !nst->rx_err)
		nst_tcp_kick(nst, NST_TCP_RETRY);
	/* Others want rx_lock and the worker, too. */
	if (nr == NST_TCP_BATCH)
		nst_tcp_kick(nst, 0);
	/* A START may have brought data, or uncovered a record behind it. */
	if (nr)
		nst->data_ready(nst->sk);
}

/**
 * nst_tcp_data_ready() - sk_data_ready: bytes or a FIN have arrived
 * @sk: the socket
 *
 * Wakes readers once for each record that is complete, and never for less.
 *
 * Context: softirq or process, under the socket lock.
 */
void nst_tcp_data_ready(struct sock *sk)
{
	struct nst_tcp *nst = nst_tcp(sk);
	enum head_state state;

	if (!nst)
		return;
	if (sk->sk_state == TCP_LISTEN) {
		nst->data_ready(sk);
		return;
	}
	state = update_head(nst);
	if (state == HEAD_WORK)
		nst_tcp_kick(nst, 0);
	if ((sk->sk_shutdown & RCV_SHUTDOWN) || READ_ONCE(sk->sk_err) ||
	    (state == HEAD_READY && (!nst->head.announced ||
				     READ_ONCE(nst->rcvlowat) > 1))) {
		nst->head.announced = true;
		nst->data_ready(sk);
	}
}
