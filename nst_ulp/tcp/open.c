// SPDX-License-Identifier: GPL-2.0
/*
 * A record that is off TCP's queue: authenticated, decrypted to where it belongs,
 * and accepted by the stream. Nothing of it can go back to TCP.
 */
#include <linux/sched/mm.h>
#include <linux/tcp.h>
#include <linux/uio.h>
#include <net/tcp.h>
#include "core/aead.h"
#include "core/stream_rx.h"
#include "tcp/open.h"
#include "trace.h"

/**
 * nst_tcp_direct_len() - how much of a record may go straight to the reader?
 * @hdr: the record's header
 * @want: what the reader is after
 *
 * Context: any.
 * Return: bytes of plaintext, from its beginning.
 */
u32 nst_tcp_direct_len(const struct nst_hdr *hdr, const struct nst_rx_want *want)
{
	u32 n = min_t(size_t, hdr->len, want->room);

	if (!want->iter || hdr->type != NST_TYPE_DATA)
		return 0;
	if (n >= NST_OP_BOUNCE)
		return user_backed_iter(want->iter) ? n : 0;
	return n == hdr->len ? n : 0;
}

/**
 * nst_tcp_needs_buffer() - will a record need a buffer of its own?
 * @nst: the socket
 * @hdr: the record's header
 * @want: what the reader is after
 * @len: receives how much of it has no place with the reader
 *
 * An empty control record has a buffer, too.
 *
 * Context: under rx_lock.
 * Return: true if so.
 */
bool nst_tcp_needs_buffer(const struct nst_tcp *nst, const struct nst_hdr *hdr,
			  const struct nst_rx_want *want, u32 *len)
{
	*len = hdr->len - nst_tcp_direct_len(hdr, want);
	/* Behind close() it is an empty record, which nobody reads any more. */
	return *len || (hdr->type >= NST_TYPE_APP_MIN &&
			!test_bit(NST_TCP_CLOSED, &nst->flags));
}

/*
 * A buffer for plaintext of which the reader's memory was to be the place, and is
 * not. Its record cannot go back to TCP, so it is charged later, beyond the limits
 * if need be.
 */
static struct sk_buff *late_buffer(u32 len)
{
	return nst_rxrec_buffer(len, GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN) ?:
	       nst_rxrec_buffer(len, GFP_ATOMIC | __GFP_NOWARN);
}

/* There is no memory to go on with a record: it is tried again, later. */
static enum nst_drop want_memory(struct nst_rxrec *rec)
{
	rec->again = true;
	return NST_DROP_NOMEM;
}

/* Choose where the plaintext goes. */
static enum nst_drop place(struct nst_rxrec *rec, struct nst_rx_want *want)
{
	u32 n = nst_tcp_direct_len(&rec->hdr, want), rest;

	/* Memory that cannot be pinned is copied to, from the list. */
	if (n >= NST_OP_BOUNCE)
		nst_rxrec_pin(rec, want->iter, n);
	else if (n)
		nst_rxrec_bounce(rec);
	rest = rec->hdr.len - rec->user;
	if (rest > (rec->plain ? rec->plain->len : 0)) {
		kfree_skb(rec->plain);
		rec->plain = late_buffer(rest);
		if (!rec->plain)
			return want_memory(rec);
	}
	nst_rxrec_rest(rec);
	return NST_OK;
}

/* Let the stream move on over what is authentic. */
static enum nst_drop accept(struct nst_tcp *nst, struct nst_rxrec *rec)
{
	struct mem_cgroup *old;
	enum nst_drop drop;

	/* A START is remembered at the expense of who made the socket. */
	old = set_active_memcg(nst->memcg);
	drop = nst_stream_rx_accept(&nst->st, &rec->hdr);
	set_active_memcg(old);
	/* A replay, say: the reader must not see it. */
	if (drop && rec->nr_dst)
		sg_zero_buffer(&rec->op->dst[1], rec->nr_dst, rec->hdr.len, 0);
	return drop == NST_DROP_NOMEM ? want_memory(rec) : drop;
}

static void queue_plain(struct nst_tcp *nst, struct sk_buff *skb, u8 type,
			struct nst_rx_want *want)
{
	nst_plain(skb)->type = type;
	nst_plain(skb)->off = 0;
	nst->plain_mem += skb->truesize;
	if (nst_plain(skb)->paid)
		nst->plain_paid += skb->truesize;
	__skb_queue_tail(&nst->plain, skb);
	if (type != NST_TYPE_DATA || skb->len == want->rest)
		return;
	WRITE_ONCE(nst->plain_len, nst->plain_len + skb->len - want->rest);
	want->rest = skb->len;
	/* Nobody expected that much: the reader's memory was not what it said. */
	nst->data_ready(nst->sk);
}

/* Give the plaintext away. An unreadable rest of a bounce buffer is kept. */
static enum nst_drop deliver(struct nst_tcp *nst, struct nst_rxrec *rec,
			     struct nst_rx_want *want)
{
	size_t n = rec->user;

	if (!rec->opened) {
		rec->opened = true;
		if (n && !rec->nr_user)
			n = copy_to_iter(rec->op->bounce, rec->user,
					 want->iter);
		want->copied = n;
		want->boundary = n && n == rec->hdr.len;
		rec->given = n;
	}
	if (rec->given < rec->user) {
		n = rec->user - rec->given;
		rec->plain = late_buffer(n);
		if (!rec->plain)
			return want_memory(rec);
		skb_store_bits(rec->plain, 0, rec->op->bounce + rec->given, n);
	}
	if (!rec->plain)
		return NST_OK;
	queue_plain(nst, rec->plain, rec->hdr.type, want);
	rec->plain = NULL;
	return NST_OK;
}

/* Authenticate and decrypt a record, and let the stream move on. */
static enum nst_drop open_sealed(struct nst_tcp *nst, struct nst_rxrec *rec,
				 const u8 *wire, struct nst_rx_want *want)
{
	enum nst_drop drop = place(rec, want);

	if (!drop)
		drop = nst_rxrec_open(rec, &nst->st.rx.ep.cipher, wire);
	if (!drop)
		drop = accept(nst, rec);
	return drop;
}

/* Nothing is held any more, but what the record needs to be tried again. */
static void release(struct nst_rxrec *rec, struct nst_rx_want *want, bool again)
{
	/* Next time it may be another reader's memory. */
	if (again && !rec->opened && rec->nr_user)
		iov_iter_revert(want->iter, rec->user);
	nst_rxrec_release_dst(rec);
	kfree_skb(rec->plain);
	rec->plain = NULL;
	if (!again || rec->opened)
		nst_rxrec_release_src(rec);
	if (again && !rec->opened)
		rec->user = 0;
}

/**
 * nst_tcp_open() - open a record and let the stream move on
 * @nst: the socket
 * @rec: the record, taken off TCP's queue; nothing of it is held afterwards but
 *	its operation
 * @wire: its header
 * @want: what the reader is after; receives what came of it
 *
 * Context: process, under rx_lock, without the socket lock.
 * Return: NST_OK or why the stream ends. NST_DROP_NOMEM with @rec->again set: it
 * does not, and the same is called again with this record, which is held so long.
 */
enum nst_drop nst_tcp_open(struct nst_tcp *nst, struct nst_rxrec *rec,
			   const u8 *wire, struct nst_rx_want *want)
{
	struct nst_stream *st = &nst->st;
	u32 epochs = st->rx.epochs;
	bool opened = rec->opened;
	enum nst_drop drop = NST_OK;

	rec->again = false;
	if (!opened)
		drop = open_sealed(nst, rec, wire, want);
	if (!drop)
		drop = deliver(nst, rec, want);
	release(rec, want, rec->again);
	if (opened || (drop && !rec->opened))
		return drop;
	if (epochs != st->rx.epochs)
		trace_nst_epoch(nst->sk, false, rec->hdr.suite, rec->hdr.kid,
				rec->hdr.epoch, rec->hdr.bound);
	trace_nst_record_in(nst->sk, rec->hdr.type, rec->hdr.len,
			    rec->hdr.nonce, rec->hdr.kid, rec->hdr.epoch);
	return drop;
}
