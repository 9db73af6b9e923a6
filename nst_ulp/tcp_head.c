// SPDX-License-Identifier: GPL-2.0
/*
 * The record at the head of TCP's receive queue.
 *
 * TCP's copied_seq always stands at a record's first byte, unless the record
 * is being gathered (struct nst_head). When the head record is complete, its
 * pages are referenced and it is taken off the queue, all under the socket
 * lock.
 */
#include <linux/tcp.h>
#include <net/tcp.h>
#include "rxrec.h"
#include "tcp_head.h"

/**
 * nst_tcp_queued() - how much is on TCP's queue?
 * @sk: the socket
 *
 * Context: under the socket lock, or rx_lock if more may come.
 * Return: bytes, without the FIN.
 */
u32 nst_tcp_queued(const struct sock *sk)
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
	       nst_tcp_queued(nst->sk);
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
static enum nst_head_state sort_head(const struct nst_tcp *nst)
{
	const struct nst_hdr *hdr = &nst->head.hdr;

	if (!READ_ONCE(nst->st.rx_started) || hdr->type == NST_TYPE_START)
		return HEAD_WORK;
	if (hdr->type == NST_TYPE_DATA && !hdr->len)
		return HEAD_WORK;
	return HEAD_READY;
}

static enum nst_head_state judge_head(struct nst_tcp *nst)
{
	struct nst_head *head = &nst->head;
	u32 avail = nst_tcp_queued(nst->sk), missing;

	if (!READ_ONCE(nst->st.rx.conf) || (!avail && !head->got))
		return HEAD_WAIT;
	if (!nst_tcp_intact(nst))
		return HEAD_WORK;
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

/**
 * nst_tcp_head_look() - look at what has arrived
 * @nst: the socket
 *
 * Context: under the socket lock.
 * Return: what the record at the head waits for.
 */
enum nst_head_state nst_tcp_head_look(struct nst_tcp *nst)
{
	enum nst_head_state state = judge_head(nst);

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

/**
 * nst_tcp_head_gather() - make room for the rest of the record at the head
 * @nst: the socket
 * @gfp: how to allocate
 *
 * Takes the part of it that has arrived off TCP's queue into a buffer of its
 * own.
 *
 * Context: under the socket lock.
 * Return: 0; -ENOMEM, and nothing has changed; another errno.
 */
int nst_tcp_head_gather(struct nst_tcp *nst, gfp_t gfp)
{
	struct nst_head *head = &nst->head;
	u32 avail = nst_tcp_queued(nst->sk), n, body;
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
	nst_tcp_mark(nst, 0);
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

/**
 * nst_tcp_head_take() - take the complete record at the head off the queue
 * @nst: the socket
 * @rec: holds its body from now on
 * @wire: receives its header
 * @gfp: how to allocate
 *
 * Context: under the socket lock.
 * Return: 0; an errno, and all is as before.
 */
int nst_tcp_head_take(struct nst_tcp *nst, struct nst_rxrec *rec, u8 *wire,
		      gfp_t gfp)
{
	struct nst_head *head = &nst->head;
	struct take take = { .rec = rec, .gfp = gfp };
	int err = 0;

	if (!head->got) {
		err = walk_queue(nst->sk, NST_WIRE_HDR_LEN,
				 head->total - NST_WIRE_HDR_LEN, take_piece,
				 &take);
		if (!err) {
			tcp_read_done(nst->sk, head->total);
			nst_tcp_mark(nst, 0);
		}
	}
	if (err) {
		nst_rxrec_release_src(rec);
		if (err == -ENOMEM)
			return err;
	}
	if (head->got || err) {
		err = head->got < head->total ? nst_tcp_head_gather(nst, gfp) : 0;
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
