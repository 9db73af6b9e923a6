// SPDX-License-Identifier: GPL-2.0
/* Is there something to read, and how much? What poll(), FIONREAD and epoll ask. */
#include <asm/ioctls.h>
#include <linux/poll.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <net/tcp.h>
#include "tcp/poll.h"

/**
 * nst_tcp_readable() - is there something to read, or an end or error to be told?
 * @nst: the socket
 *
 * Context: any.
 * Return: true if a reader need not sleep.
 */
bool nst_tcp_readable(const struct nst_tcp *nst)
{
	/*
	 * In the order in which a record goes from one to the next. Pairs with
	 * the head's release in head.c.
	 */
	if (smp_load_acquire(&nst->head.ready))
		return true;
	/* Pairs with end_opening(). */
	if (smp_load_acquire(&nst->opening))
		return true;
	return !skb_queue_empty_lockless(&nst->plain) ||
	       READ_ONCE(nst->rx_err) || READ_ONCE(nst->st.rx.closed);
}

/**
 * nst_tcp_control_waits() - does a control record wait on the list of plaintext?
 * @nst: the socket
 *
 * It is the last there.
 *
 * Context: any.
 * Return: true if so.
 */
bool nst_tcp_control_waits(const struct nst_tcp *nst)
{
	if (!READ_ONCE(nst->turn))
		return false;
	/* Pairs with end_opening(). */
	return smp_load_acquire(&nst->opening) ||
	       !skb_queue_empty_lockless(&nst->plain);
}

/*
 * As TCP: a poller is told of data when SO_RCVLOWAT bytes are there, or when
 * they cannot come because of those that are.
 */
static bool enough(const struct nst_tcp *nst)
{
	const struct tcp_sock *tp = tcp_sk(nst->sk);
	/* Pairs with nst_tcp_head_next(). */
	int n = smp_load_acquire(&nst->head.ahead.bytes);
	/* So does this. */
	bool more = smp_load_acquire(&nst->head.ahead.more);

	/* What a reader must gather, or be told of. */
	if (!n && !more && READ_ONCE(nst->head.ready))
		return true;
	n += READ_ONCE(nst->plain_len);
	/* An empty control record is not counted, and there all the same. */
	if (!READ_ONCE(nst->plain_len) && !skb_queue_empty_lockless(&nst->plain))
		return true;
	/* No data comes behind a record of another type; nor if TCP is full. */
	return n >= READ_ONCE(nst->rcvlowat) || READ_ONCE(nst->rx_err) ||
	       more || nst_tcp_control_waits(nst) ||
	       READ_ONCE(nst->st.rx.closed) || tcp_rmem_pressure(nst->sk) ||
	       tcp_receive_window(tp) <= inet_csk(nst->sk)->icsk_ack.rcv_mss;
}

/**
 * nst_tcp_poll() - proto_ops.poll
 * @file: the socket's file
 * @sock: the socket
 * @table: the caller's poll table
 *
 * As TCP's, but readable only if there is plaintext, an end or an error, and
 * in strict mode writable only once the stream is bound.
 *
 * Context: process.
 * Return: EPOLL* mask.
 */
__poll_t nst_tcp_poll(struct file *file, struct socket *sock,
		      struct poll_table_struct *table)
{
	struct sock *sk = sock->sk;
	struct nst_tcp *nst = nst_tcp(sk);
	__poll_t mask = tcp_poll(file, sock, table);

	if (!nst || READ_ONCE(sk->sk_state) == TCP_LISTEN)
		return mask;
	mask &= ~(EPOLLIN | EPOLLRDNORM | EPOLLPRI);
	if ((nst_tcp_readable(nst) && enough(nst)) || nst_tcp_rcv_shut(nst))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (nst_tcp_rcv_shut(nst))
		mask |= EPOLLRDHUP;
	if (nst_tcp_rcv_shut(nst) &&
	    (READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN))
		mask |= EPOLLHUP;
	if (READ_ONCE(nst->st.rx.closed))
		mask |= EPOLLRDHUP;
	if ((READ_ONCE(nst->st.flags) & NST_F_STRICT) &&
	    !nst_stream_tx_bindable(&nst->st) && !READ_ONCE(nst->rx_err) &&
	    !(mask & (EPOLLERR | EPOLLHUP)))
		mask &= ~(EPOLLOUT | EPOLLWRNORM);
	return mask;
}

/* Plaintext up to the first control record or the end. Socket lock. */
static int count_plain(const struct nst_tcp *nst)
{
	int n = READ_ONCE(nst->plain_len);

	if (READ_ONCE(nst->rx_err) || nst_tcp_control_waits(nst))
		return n;
	return n + nst->head.ahead.bytes;
}

/*
 * nst_tcp_ioctl() - proto.ioctl
 *
 * SIOCINQ counts the plaintext of all complete data records, whether they are
 * decrypted and judged or not, as a reader who is told that there is no more may
 * go to sleep. What TCP would count in ciphertext is refused.
 *
 * Context: process.
 * Return: 0 or an errno.
 */
NST_IOCTL(nst_tcp_ioctl)
{
	struct nst_tcp *nst = nst_tcp(sk);
	int n;

	if (!nst)
		return -EIO;
	switch (cmd) {
	case SIOCINQ:
		if (READ_ONCE(sk->sk_state) == TCP_LISTEN)
			return -EINVAL;
		lock_sock(sk);
		n = count_plain(nst);
		release_sock(sk);
		return NST_IOCTL_RESULT(n);
	case SIOCOUTQ:
	case SIOCOUTQNSD:
	case SIOCATMARK:
		return -EOPNOTSUPP;
	default:
		return nst->base->ioctl(sk, cmd, NST_IOCTL_PASS);
	}
}

/**
 * nst_tcp_set_rcvlowat() - proto_ops.set_rcvlowat
 * @sk: the socket
 * @val: SO_RCVLOWAT, plaintext bytes
 *
 * TCP grows its buffer for it, but goes on telling us of every byte: it counts
 * ciphertext on its own queue only, and would hold back a START, the end, and
 * the rest of what is decrypted in part. So getsockopt() always says 1.
 *
 * Context: under the socket lock.
 * Return: 0 or an errno.
 */
int nst_tcp_set_rcvlowat(struct sock *sk, int val)
{
	struct nst_tcp *nst = nst_tcp(sk);
	u32 end;
	int err;

	if (!nst)
		return -EIO;
	/* It may call our data_ready, though it has not dropped anything. */
	end = nst->rx_end;
	nst->rx_end = tcp_sk(sk)->rcv_nxt - 1;
	err = nst->base_ops->set_rcvlowat(sk, val);
	nst->rx_end = end;
	/* Not more than TCP's buffer can hold: it has seen to that. */
	WRITE_ONCE(nst->rcvlowat, sk->sk_rcvlowat);
	WRITE_ONCE(sk->sk_rcvlowat, 1);
	/* Who was told to wait for more looks again; decrypted bytes TCP does not see. */
	if (nst_tcp_readable(nst) && enough(nst))
		nst->data_ready(sk);
	return err;
}
