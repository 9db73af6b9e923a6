// SPDX-License-Identifier: GPL-2.0
/* What has arrived: who is told of it. */
#include <linux/tcp.h>
#include <net/tcp.h>
#include "tcp/head.h"
#include "tcp/ready.h"
#include "trace.h"

/*
 * TCP tells of bytes that it had to drop, too, so that what is on its queue is
 * taken off. Then the record at the head must not wait there for its end. It is
 * TCP's call: what others want to have told comes by nst_tcp_announce().
 */
static bool note_refusal(struct nst_tcp *nst)
{
	u32 end = tcp_sk(nst->sk)->rcv_nxt;
	bool refused = nst->rx_end == end;

	if (refused)
		nst->head.refused = true;
	nst->rx_end = end;
	return refused;
}

/**
 * nst_tcp_take_rcvlowat() - keep SO_RCVLOWAT that a BPF program has set
 * @nst: the state of a child that no program has yet
 *
 * Then TCP would count ciphertext by it, and the worker hear of no START that is
 * shorter. It is set as the connection comes to stand, so it is taken behind that;
 * and at accept(), for what is set meanwhile.
 *
 * Context: under the socket lock or its spinlock.
 */
void nst_tcp_take_rcvlowat(struct nst_tcp *nst)
{
	int lowat = READ_ONCE(nst->sk->sk_rcvlowat);

	if (likely(lowat == 1))
		return;
	WRITE_ONCE(nst->rcvlowat, lowat);
	WRITE_ONCE(nst->sk->sk_rcvlowat, 1);
}

/*
 * Look at what has arrived: is that news for a reader? Each record with
 * plaintext that has become complete is, and with SO_RCVLOWAT each byte may be.
 * Behind a record that ends the count nobody looks, so there all is.
 */
static bool has_news(struct nst_tcp *nst)
{
	const struct nst_head *head = &nst->head;
	u32 bytes = head->ahead.bytes;
	bool ready = head->ready;

	if (nst_tcp_head_look(nst) == HEAD_WORK && !READ_ONCE(nst->turn))
		nst_tcp_kick(nst, 0);
	if (!head->ready)
		return false;
	return !ready || head->ahead.bytes != bytes || head->ahead.more ||
	       READ_ONCE(nst->rcvlowat) > 1;
}

/**
 * nst_tcp_rx_unread() - count plaintext that comes for nobody
 * @nst: the socket, closed by its program; its connection is about to be reset
 *
 * Context: under the socket lock or its spinlock.
 */
void nst_tcp_rx_unread(const struct nst_tcp *nst)
{
	nst_stats_inc(nst->st.nn->stats, NST_DROP_UNREAD);
	trace_nst_drop(nst->sk, NST_DROP_UNREAD,
		       nst_drop_errno(NST_DROP_UNREAD));
}

/*
 * Something has come for a socket that its program has closed. TCP resets a
 * connection that gets data for nobody before it looks at the next segment, which
 * may be a FIN that is acknowledged; so does NST with plaintext. Socket lock.
 */
static void closed_ready(struct nst_tcp *nst)
{
	struct sock *sk = nst->sk;

	nst_tcp_head_look(nst);
	if (nst_tcp_head_unread(nst) &&
	    ((1 << sk->sk_state) & (TCPF_FIN_WAIT1 | TCPF_FIN_WAIT2))) {
		nst_tcp_rx_unread(nst);
		nst->base->disconnect(sk, 0);
		nst_tcp_head_reset(nst);
	}
	nst_tcp_kick(nst, 0);
}

/**
 * nst_tcp_announce() - tell readers of the records that have become complete
 * @nst: the socket, no listener
 *
 * Wakes them for each with plaintext, whether it is judged or not, and never for
 * less: a reader with edge-triggered epoll may have been told of all that was
 * there before, and waits for what was not.
 *
 * Context: under the socket lock or its spinlock.
 */
void nst_tcp_announce(struct nst_tcp *nst)
{
	struct sock *sk = nst->sk;

	if (unlikely(test_bit(NST_TCP_LINGER, &nst->flags))) {
		closed_ready(nst);
		return;
	}
	/* close() waits for a header already; nobody else is there by then. */
	if (has_news(nst) || (sk->sk_shutdown & RCV_SHUTDOWN) ||
	    READ_ONCE(sk->sk_err) || test_bit(NST_TCP_CLOSED, &nst->flags))
		nst->data_ready(sk);
	/* No START comes behind the FIN. */
	if ((sk->sk_shutdown & RCV_SHUTDOWN) &&
	    !READ_ONCE(nst->st.rx_started) &&
	    (READ_ONCE(nst->st.flags) & NST_F_STRICT))
		nst_tcp_kick(nst, 0);
}

/**
 * nst_tcp_data_ready() - sk_data_ready: bytes or a FIN have arrived
 * @sk: the socket
 *
 * Context: softirq or process, under the socket lock; for a listener, which may
 * have been shut down meanwhile, under its child's.
 */
void nst_tcp_data_ready(struct sock *sk)
{
	struct nst_tcp *nst = nst_tcp(sk);

	if (!nst)
		return;
	if (!READ_ONCE(nst->joined) &&
	    ((1 << READ_ONCE(sk->sk_state)) & (TCPF_LISTEN | TCPF_CLOSE))) {
		nst->data_ready(sk);
		return;
	}
	/* TCP may still put on the queue what it had no memory for: no reset here. */
	if (note_refusal(nst) && test_bit(NST_TCP_LINGER, &nst->flags))
		nst_tcp_kick(nst, 0);
	else
		nst_tcp_announce(nst);
}
