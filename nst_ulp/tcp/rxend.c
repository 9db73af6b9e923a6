// SPDX-License-Identifier: GPL-2.0
/* How receiving ends, and who has to be told: readers, and who waits for a START. */
#include <linux/tcp.h>
#include <net/tcp.h>
#include "event.h"
#include "tcp/rxend.h"
#include "tcp/stall.h"
#include "trace.h"

/* What waits for memory will not be opened any more. */
static void forget_stalled(struct nst_tcp *nst)
{
	if (!nst->stalled)
		return;
	WRITE_ONCE(nst->plain_len, nst->plain_len - nst_stall_len(nst));
	nst_stall_drop(nst);
	WRITE_ONCE(nst->opening, false);
}

/* Wake senders who have waited for the peer's START: it has come, or never will. */
static void wake_strict(struct nst_tcp *nst)
{
	struct sock *sk = nst->sk;
	struct socket_wq *wq;

	if (!(READ_ONCE(nst->st.flags) & NST_F_STRICT))
		return;
	/* It looks at the struct socket, which close() may take away. */
	rcu_read_lock();
	sk->sk_write_space(sk);
	/* It wakes nobody while there is no room, and these do not wait for room. */
	wq = rcu_dereference(sk->sk_wq);
	if (skwq_has_sleeper(wq))
		wake_up_interruptible_poll(&wq->wait, EPOLLOUT | EPOLLWRNORM |
						      EPOLLWRBAND);
	rcu_read_unlock();
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
	/* Behind a truncation sending goes on, and may fail yet: push_locked(). */
	if (nst->rx_err && (nst->rx_drop != NST_DROP_TRUNCATED ||
			    drop == NST_DROP_TRUNCATED))
		return nst->rx_err;
	nst->rx_drop = drop;
	WRITE_ONCE(nst->rx_err, nst_drop_errno(drop));
	forget_stalled(nst);
	nst_stats_inc(nst->st.nn->stats, drop);
	trace_nst_drop(sk, drop, nst->rx_err);
	if (hdr)
		nst_event_drop(sock_net(sk), drop, hdr->kid, hdr->timestamp);
	/*
	 * A child that nobody has accepted is reset at accept(): either it
	 * sees the error there, or the socket is seen here.
	 */
	smp_mb();
	if (drop != NST_DROP_TRUNCATED && sk->sk_socket)
		nst_tcp_abort(nst);
	nst->data_ready(sk);
	wake_strict(nst);
	/* A shutdown() may have waited for the same. */
	if (test_bit(NST_TCP_SHUT, &nst->flags))
		nst_tcp_kick(nst, 0);
	return nst->rx_err;
}

/**
 * nst_tcp_rx_bound() - the peer's START has come
 * @nst: the socket
 *
 * Senders may be bound by it. In strict mode, of either end, this end's START may be
 * due, and what has waited for the peer's goes on.
 *
 * Context: process, under rx_lock.
 */
void nst_tcp_rx_bound(struct nst_tcp *nst)
{
	if (nst_stream_asks_start(&nst->st))
		nst_tcp_kick(nst, 0);
	wake_strict(nst);
}

/**
 * nst_tcp_rx_unstarted() - the peer has ended, and has sent nothing that is whole
 * @nst: the socket
 *
 * Who waits for its START, to send, may have nobody that reads.
 *
 * Context: process, under rx_lock.
 */
void nst_tcp_rx_unstarted(struct nst_tcp *nst)
{
	if ((READ_ONCE(nst->st.flags) & NST_F_STRICT) && !nst->st.rx.started)
		nst_tcp_rx_fail(nst, NST_DROP_TRUNCATED, NULL);
}
