// SPDX-License-Identifier: GPL-2.0
/* Is a stream NST's alone? See "Locking" in sock.h. */
#include <linux/tcp.h>
#include <net/tcp.h>
#include "tcp/intact.h"

/**
 * nst_tcp_join() - begin where TCP's stream is now
 * @nst: the socket's state; the connection stands, and the program's calls
 *	have come to NST since its first byte, or since this one
 *
 * Context: under the socket lock or its spinlock.
 */
void nst_tcp_join(struct nst_tcp *nst)
{
	nst->joined = true;
	nst_tcp_mark(nst, 0);
}

/**
 * nst_tcp_mark() - remember where NST leaves TCP's stream
 * @nst: the socket's state
 * @giving: bytes that TCP is about to be given; they are NST's already
 *
 * Context: under the socket lock or its spinlock.
 */
void nst_tcp_mark(struct nst_tcp *nst, unsigned int giving)
{
	const struct tcp_sock *tp = tcp_sk(nst->sk);

	WRITE_ONCE(nst->tx_next, tp->write_seq + giving);
	nst->rx_next = tp->copied_seq;
}

/* Has nobody but NST written? A FIN takes a sequence number, if it is sent. */
static bool tx_intact(const struct nst_tcp *nst)
{
	u32 more = tcp_sk(nst->sk)->write_seq - nst->tx_next;

	switch (nst->sk->sk_state) {
	case TCP_CLOSE:
		return true;	/* nothing is sent any more */
	case TCP_FIN_WAIT1:
	case TCP_FIN_WAIT2:
	case TCP_CLOSING:
	case TCP_LAST_ACK:
		return more <= 1;
	default:
		return !more;
	}
}

/**
 * nst_tcp_intact() - has nobody given TCP bytes, or taken some, but NST?
 * @nst: the socket's state
 *
 * Context: under the socket lock or its spinlock.
 * Return: false if the stream must end, because it has bytes, or lacks some,
 * that are not NST's.
 */
bool nst_tcp_intact(const struct nst_tcp *nst)
{
	return nst->joined && tx_intact(nst) &&
	       tcp_sk(nst->sk)->copied_seq == nst->rx_next;
}
