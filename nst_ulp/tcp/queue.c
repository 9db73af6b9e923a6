// SPDX-License-Identifier: GPL-2.0
/* TCP's receive queue: how much is there, and where a byte stands. */
#include <linux/tcp.h>
#include <net/tcp.h>
#include "tcp/queue.h"

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
 * nst_tcp_walk_on() - look at bytes of the queue, from a sequence number on
 * @sk: the socket
 * @at: the buffer to begin with; receives that of the last byte
 * @seq: of the first byte, which does not stand before *@at
 * @n: how many
 * @fn: called for each stretch of them, until it returns an error
 * @arg: passed to @fn
 *
 * Context: under the socket lock or its spinlock.
 * Return: 0; -ENODATA if they are not all there; what @fn has returned.
 */
int nst_tcp_walk_on(struct sock *sk, struct sk_buff **at, u32 seq, u32 n,
		    nst_walk_fn fn, void *arg)
{
	struct sk_buff *skb = *at;
	int err = 0;

	if (!skb)
		return -ENODATA;
	skb_queue_walk_from(&sk->sk_receive_queue, skb) {
		u32 part, off;

		if (!n || err)
			break;
		*at = skb;
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

/**
 * nst_tcp_walk() - look at bytes of the queue, from its front
 * @sk: the socket
 * @skip: bytes before the first one
 * @n: how many
 * @fn: called for each stretch of them, until it returns an error
 * @arg: passed to @fn
 *
 * Context: under the socket lock or its spinlock.
 * Return: as nst_tcp_walk_on().
 */
int nst_tcp_walk(struct sock *sk, u32 skip, u32 n, nst_walk_fn fn, void *arg)
{
	u32 seq = tcp_sk(sk)->copied_seq, off;
	struct sk_buff *skb = tcp_recv_skb(sk, seq, &off);

	return nst_tcp_walk_on(sk, &skb, seq + skip, n, fn, arg);
}

/**
 * nst_tcp_find_buffer() - where to begin to look for a byte
 * @sk: the socket
 * @seq: its sequence number
 *
 * From the end for what has come of late, from the front behind a control record
 * that was taken.
 *
 * Context: under the socket lock or its spinlock.
 * Return: a buffer that the byte does not stand before; NULL if there is none.
 */
struct sk_buff *nst_tcp_find_buffer(struct sock *sk, u32 seq)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb;

	if (seq - tp->copied_seq < tp->rcv_nxt - seq)
		return skb_peek(&sk->sk_receive_queue);
	skb_queue_reverse_walk(&sk->sk_receive_queue, skb)
		if (!after(TCP_SKB_CB(skb)->seq, seq))
			return skb;
	return NULL;
}

static int copy_bytes(void *arg, struct sk_buff *skb, u32 off, u32 n)
{
	u8 **to = arg;
	int err = skb_copy_bits(skb, off, *to, n);

	*to += n;
	return err;
}

/**
 * nst_tcp_copy_on() - copy bytes of the queue, from a sequence number on
 * @sk: the socket
 * @at: the buffer to begin with; receives that of the last byte
 * @seq: of the first byte, which does not stand before *@at
 * @n: how many
 * @to: where to
 *
 * Context: under the socket lock or its spinlock.
 * Return: 0; -ENODATA if they are not all there; -EFAULT.
 */
int nst_tcp_copy_on(struct sock *sk, struct sk_buff **at, u32 seq, u32 n,
		    u8 *to)
{
	return nst_tcp_walk_on(sk, at, seq, n, copy_bytes, &to);
}

/**
 * nst_tcp_copy() - copy bytes of the queue, from its front
 * @sk: the socket
 * @n: how many
 * @to: where to
 *
 * Context: under the socket lock or its spinlock.
 * Return: as nst_tcp_copy_on().
 */
int nst_tcp_copy(struct sock *sk, u32 n, u8 *to)
{
	return nst_tcp_walk(sk, 0, n, copy_bytes, &to);
}
