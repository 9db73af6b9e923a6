// SPDX-License-Identifier: GPL-2.0
/*
 * Room in TCP's send buffer.
 *
 * A record that was begun goes to TCP whole, see tx.c, and close() has no time to
 * wait. TCP looks at its limit at each buffer that it begins, though, not at each
 * record, and asks a proto only whether there is less room than that. So the limit
 * is raised for a record that passes it, by what that record takes and no more. Who
 * asks without the socket lock is answered by the true one.
 */
#include <linux/sched.h>
#include <linux/tcp.h>
#include <net/tcp.h>
#include "tcp/room.h"

/* What one of TCP's buffers takes besides its data, with what allocators add. */
#define BUFFER_COST	SKB_TRUESIZE(roundup_pow_of_two(MAX_TCP_HEADER + \
				SKB_DATA_ALIGN(sizeof(struct skb_shared_info))))

/*
 * What a record takes on TCP's queue, or more: TCP begins a buffer when one has a
 * segment's bytes, at least, or no place for another piece. Options make a segment
 * smaller than mss_cache says.
 */
static int cost(const struct sock *sk, unsigned int len, unsigned int pieces)
{
	unsigned int mss = max(tcp_sk(sk)->mss_cache / 2, 1U);

	return len + (len / mss + pieces + 1) * BUFFER_COST;
}

/**
 * nst_tcp_room_begin() - let TCP take a record whole
 * @nst: the socket
 * @len: bytes that TCP is about to be given
 * @pieces: in so many pieces
 *
 * Context: under the socket lock or its spinlock, until nst_tcp_room_end().
 * Return: for that.
 */
int nst_tcp_room_begin(struct nst_tcp *nst, unsigned int len,
		       unsigned int pieces)
{
	struct sock *sk = nst->sk;
	int sndbuf = READ_ONCE(sk->sk_sndbuf);
	s64 need = (s64)sk->sk_wmem_queued + cost(sk, len, pieces);

	WRITE_ONCE(nst->pusher, current);
	if (likely(need < sndbuf))
		return sndbuf;
	need = min_t(s64, need, INT_MAX);
	WRITE_ONCE(nst->true_sndbuf, sndbuf);
	WRITE_ONCE(nst->raised_sndbuf, need);
	/* Pairs with true_sndbuf(). */
	smp_wmb();
	WRITE_ONCE(sk->sk_sndbuf, need);
	return sndbuf;
}

/**
 * nst_tcp_room_end() - undo nst_tcp_room_begin()
 * @nst: the socket
 * @sndbuf: what that has returned
 *
 * Context: as there.
 */
void nst_tcp_room_end(struct nst_tcp *nst, int sndbuf)
{
	struct sock *sk = nst->sk;

	/* Short of memory TCP may have moderated it meanwhile. */
	if (READ_ONCE(sk->sk_sndbuf) > sndbuf)
		WRITE_ONCE(sk->sk_sndbuf, sndbuf);
	/* A program may set that very limit later. Pairs with true_sndbuf(). */
	smp_wmb();
	WRITE_ONCE(nst->raised_sndbuf, 0);
	WRITE_ONCE(nst->pusher, NULL);
}

/* The limit that a program knows, also while another one is in its place. */
static int true_sndbuf(const struct nst_tcp *nst)
{
	const struct sock *sk = nst->sk;
	int now, sndbuf;

	do {
		now = READ_ONCE(sk->sk_sndbuf);
		/* Pairs with nst_tcp_room_begin(). */
		smp_rmb();
		sndbuf = now == READ_ONCE(nst->raised_sndbuf) ?
			 READ_ONCE(nst->true_sndbuf) : now;
		/* Both are of the time at which @now was the limit. */
		smp_rmb();
	} while (unlikely(now != READ_ONCE(sk->sk_sndbuf)));
	return sndbuf;
}

/**
 * nst_tcp_memory_free() - proto.stream_memory_free
 * @sk: the socket
 * @wake: as TCP's: 1 if a program that slept for room is to have some
 *
 * Context: any.
 * Return: true if there is room for more, or TCP asks in the middle of a record.
 */
bool nst_tcp_memory_free(const struct sock *sk, int wake)
{
	struct nst_tcp *nst = nst_tcp(sk);
	int queued, sndbuf;

	if (nst) {
		if (READ_ONCE(nst->pusher) == current)
			return true;
		sndbuf = true_sndbuf(nst);
		queued = READ_ONCE(sk->sk_wmem_queued);
		if (queued >= sndbuf || (wake && sndbuf - queued < queued >> 1))
			return false;
	}
	return tcp_stream_memory_free(sk, wake);
}
