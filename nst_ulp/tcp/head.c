// SPDX-License-Identifier: GPL-2.0
/*
 * The record at the head of TCP's receive queue, and what is complete behind it.
 *
 * TCP's copied_seq always stands at a record's first byte, unless the record
 * is being gathered (struct nst_head). When the head record is complete, its
 * pages are referenced and it is taken off the queue, all under the socket
 * lock.
 */
#include <linux/tcp.h>
#include <net/tcp.h>
#include "tcp/head.h"
#include "tcp/intact.h"
#include "tcp/queue.h"
#include "tcp/rxrec.h"

/**
 * nst_tcp_head_unread() - has plaintext come that no reader has taken?
 * @nst: the socket, behind nst_tcp_head_look()
 *
 * A header that announces some is enough, unless the peer's FIN has cut its
 * record off.
 *
 * Context: under the socket lock.
 * Return: true if so.
 */
bool nst_tcp_head_unread(const struct nst_tcp *nst)
{
	const struct nst_ahead *ahead = &nst->head.ahead;

	if (ahead->bytes)
		return true;
	/* The record that the count has come to: @more tells that it is whole. */
	return ahead->total && ahead->plain &&
	       (ahead->more || !sock_flag(nst->sk, SOCK_DONE));
}

/**
 * nst_tcp_head_drop_cut() - take off the queue what the peer's FIN has cut off
 * @nst: the socket, about to be given back to TCP
 *
 * It is nothing that a program has failed to read.
 *
 * Context: process, under the socket lock, behind nst_tcp_head_look().
 */
void nst_tcp_head_drop_cut(struct nst_tcp *nst)
{
	const struct nst_head *head = &nst->head;
	u32 n = nst_tcp_queued(nst->sk);

	sock_owned_by_me(nst->sk);
	if (!n || !nst->st.rx.conf || !sock_flag(nst->sk, SOCK_DONE) ||
	    !nst_tcp_intact(nst))
		return;
	/* What is whole is TCP's to answer. */
	if (head->bad || head->got + n >= (head->known ? head->total :
							 NST_WIRE_HDR_LEN))
		return;
	tcp_read_done(nst->sk, n);
	nst_tcp_mark(nst, 0);
}

/* Read the header as far as it has arrived. Socket lock. */
static void read_header(struct nst_tcp *nst, u32 avail)
{
	struct nst_head *head = &nst->head;
	u32 have = min_t(u32, head->got, NST_WIRE_HDR_LEN);
	u32 more = min_t(u32, avail, NST_WIRE_HDR_LEN - have);

	if (more && nst_tcp_copy(nst->sk, more, head->wire + have))
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
 *
 * Short of memory, TCP or the socket's cgroup drops what comes, but for sockets
 * whose queue is empty. So that has to be.
 */
static bool is_stuck(const struct nst_tcp *nst, u32 missing)
{
	const struct sock *sk = nst->sk;
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 segment = min_t(u32, tp->advmss, tcp_full_space(sk) / 2);
	u32 window = tcp_receive_window(tp);
	int rcvbuf = READ_ONCE(sk->sk_rcvbuf);

	return nst->head.refused || missing > window || window < segment ||
	       window <= inet_csk(sk)->icsk_ack.rcv_mss ||
	       tcp_under_memory_pressure(sk) ||
	       atomic_read(&sk->sk_rmem_alloc) > rcvbuf - (rcvbuf >> 2);
}

/* A complete record: whose is it? */
static enum nst_head_state sort_head(const struct nst_tcp *nst)
{
	const struct nst_hdr *hdr = &nst->head.hdr;

	if (!READ_ONCE(nst->st.rx_started) || hdr->type == NST_TYPE_START ||
	    test_bit(NST_TCP_CLOSED, &nst->flags))
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
		return avail && is_stuck(nst, missing - avail) ? HEAD_WORK :
								 HEAD_WAIT;
	return sort_head(nst);
}

/*
 * Read what the count needs of the header behind the records counted. It is not in
 * front of *@at, which is NULL at first.
 */
static int read_next(struct nst_tcp *nst, struct sk_buff **at)
{
	struct nst_ahead *ahead = &nst->head.ahead;
	u32 seq = tcp_sk(nst->sk)->copied_seq - nst->head.got + ahead->len;
	struct nst_hdr hdr = nst->head.hdr;
	u8 wire[NST_WIRE_HDR_LEN];
	int err = 0;

	if (ahead->len) {
		*at = *at ?: nst_tcp_find_buffer(nst->sk, seq);
		err = nst_tcp_copy_on(nst->sk, at, seq, sizeof(wire), wire);
	}
	if (err || (ahead->len && nst_wire_decode(&hdr, wire, IPPROTO_TCP)))
		return -EPROTO;
	ahead->total = NST_WIRE_HDR_LEN + nst_wire_body_len(hdr.suite, hdr.len);
	ahead->plain = hdr.len;
	ahead->type = hdr.type;
	return 0;
}

/* The record behind those counted is complete. */
static void count_next(struct nst_ahead *ahead)
{
	if (ahead->type != NST_TYPE_DATA && ahead->type != NST_TYPE_START) {
		WRITE_ONCE(ahead->more, true);
		ahead->stop = true;
		return;
	}
	WRITE_ONCE(ahead->bytes, ahead->bytes + ahead->plain);
	ahead->len += ahead->total;
	ahead->total = 0;
}

/*
 * Count the records that have become complete. The loop is bounded by the bytes
 * that have come since it ran last, or since a control record left the queue, and
 * walks over their buffers once.
 */
static void look_ahead(struct nst_tcp *nst)
{
	struct nst_ahead *ahead = &nst->head.ahead;
	u32 have = nst->head.got + nst_tcp_queued(nst->sk);
	struct sk_buff *at = NULL;

	while (!ahead->stop && have >= ahead->need) {
		if (ahead->total)
			count_next(ahead);
		else if (have - ahead->len >= NST_WIRE_HDR_LEN)
			ahead->stop = read_next(nst, &at);
		ahead->need = ahead->len + (ahead->total ?: NST_WIRE_HDR_LEN);
	}
}

static void free_body(struct nst_tcp *nst)
{
	kfree_skb(nst->head.body);
	if (nst->head.charged)
		sk_mem_uncharge(nst->sk, nst->head.charged);
}

/**
 * nst_tcp_head_next() - the record at the head was taken: the next one is the head
 * @nst: the socket
 *
 * Poll, which has no lock, must find the record in one place at least: so it is on
 * its way to the list (@opening, @plain_len) before it leaves the count, and
 * nst_tcp_head_look() says whether there is more.
 *
 * Context: under the socket lock.
 */
void nst_tcp_head_next(struct nst_tcp *nst)
{
	struct nst_head *head = &nst->head;
	struct nst_ahead *ahead = &head->ahead;

	if (ahead->len) {
		ahead->len -= head->total;
		ahead->need -= head->total;
		/* Pairs with enough(). */
		smp_store_release(&ahead->bytes, ahead->bytes - head->hdr.len);
	} else {
		/* Pairs with enough(). */
		smp_store_release(&ahead->more, false);
		ahead->need = 0;
		ahead->total = 0;
		ahead->stop = false;
	}
	free_body(nst);
	/* Nor is poll() told for a moment that nothing is there. */
	memset((u8 *)head + offsetof(struct nst_head, wire), 0,
	       offsetof(struct nst_head, ready) -
	       offsetof(struct nst_head, wire));
}

/*
 * Is there something for a reader? If it is not judged before a reader comes,
 * also what ends the stream, or must be gathered.
 */
static bool is_readable(const struct nst_tcp *nst, enum nst_head_state state)
{
	const struct nst_ahead *ahead = &nst->head.ahead;

	return ahead->bytes || ahead->more ||
	       (state == HEAD_WORK && nst->turn && !ahead->len);
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

	if (nst->head.known && !READ_ONCE(nst->st.rx.closed))
		look_ahead(nst);
	/* Pairs with poll, which looks at @opening next. */
	smp_store_release(&nst->head.ready, is_readable(nst, state));
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
	free_body(nst);
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

/* Have room for @n bytes of the body, page by page. */
static int grow_body(struct nst_head *head, u32 n, gfp_t gfp)
{
	struct page *page;

	if (!head->body) {
		head->body = alloc_skb(0, gfp);
		if (!head->body)
			return -ENOMEM;
	}
	while (head->body->len < n) {
		page = alloc_page(gfp);
		if (!page)
			return -ENOMEM;
		skb_add_rx_frag(head->body, skb_shinfo(head->body)->nr_frags,
				page, 0, PAGE_SIZE, PAGE_SIZE);
	}
	return 0;
}

/*
 * Take @n bytes, which @head has a copy of, off TCP's queue, and charge the
 * socket for the copy. What those bytes were charged with goes over to it before
 * anybody else can have that, so that a record is completed however short of
 * memory TCP or the cgroup is. It falls short by a page or two at most; what is
 * refused of these is charged with the next bytes.
 */
static void move_charge(struct nst_head *head, struct sock *sk, u32 n)
{
	int due = head->body ? head->body->truesize - head->charged : 0;
	int lack;

	/* Below zero, perhaps, until the queue has given back its own. */
	sk_mem_charge(sk, due);
	tcp_read_done(sk, n);
	/* It says yes to a body of the reserves, and may have charged nothing. */
	if (head->body && sk->sk_forward_alloc < 0)
		sk_rmem_schedule(sk, head->body, 0);
	/* What is short beyond @due is its plaintext's, see nst_tcp_mem_rx_cover(). */
	lack = head->body ? min(due, -sk->sk_forward_alloc) : 0;
	if (lack > 0) {
		due -= lack;
		sk_mem_uncharge(sk, lack);
	}
	head->charged += due;
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
	u32 avail = nst_tcp_queued(nst->sk), n;
	bool first = !head->body;
	int err;

	/* Without the whole header nothing but the header is taken. */
	n = (head->known ? head->total : NST_WIRE_HDR_LEN) - head->got;
	n = min(n, avail);
	if (head->known) {
		err = grow_body(head, head->got + n - NST_WIRE_HDR_LEN, gfp);
		if (err)
			return err;
		if (first)
			nst_stats_inc(nst->st.nn->stats, NST_MIB_RX_COPIED);
	}
	err = nst_tcp_walk(nst->sk, 0, n, store_bytes, head);
	if (err)
		return err;
	move_charge(head, nst->sk, n);
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
		/* Its pages are nobody else's, who would count them. */
		rec->mem = PAGE_ALIGN(len);
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
 * It goes on to be the head until nst_tcp_head_next().
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
		err = nst_tcp_walk(nst->sk, NST_WIRE_HDR_LEN,
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
	return 0;
}
