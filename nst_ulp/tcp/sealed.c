// SPDX-License-Identifier: GPL-2.0
/* What of a socket's bytes is sealed: for the guard, also when NST has left it. */
#include <linux/tcp.h>
#include <net/tcp.h>
#include "tcp/sealed.h"

/**
 * nst_tcp_plaintext_left() - has TCP still to deliver what it was given before?
 * @nst: the socket's state
 *
 * Context: any.
 * Return: true if bytes from before the attach may still be sent again.
 */
bool nst_tcp_plaintext_left(const struct nst_tcp *nst)
{
	return READ_ONCE(tcp_sk(nst->sk)->bytes_acked) < nst->plain_until;
}

/**
 * nst_tcp_tx_sealed() - is what a segment of a socket carries sealed?
 * @sk: a TCP socket, not a request or TIME_WAIT
 * @seq: sequence number of the segment's first byte
 * @len: its bytes
 *
 * True also after close(), when NST has left the socket, and TCP goes on to send
 * what was sealed before. What TCP was given before the attach is not, nor what
 * another gave it later.
 *
 * Context: under RCU, in the transmission of the socket's own segment.
 */
bool nst_tcp_tx_sealed(const struct sock *sk, u32 seq, unsigned int len)
{
	const struct nst_tcp *nst = nst_tcp(sk);

	if (!nst)
		return READ_ONCE(inet_csk(sk)->icsk_ulp_data) ==
		       (void __rcu __force *)NST_TCP_LEFT_SEALED;
	if (!READ_ONCE(nst->st.tx.conf) || !READ_ONCE(nst->joined) ||
	    after(seq + len, READ_ONCE(nst->tx_next)))
		return false;
	return !nst_tcp_plaintext_left(nst) || !before(seq, nst->seal_seq);
}

/**
 * nst_tcp_rx_sealed() - does what arrives for a socket go to NST?
 * @sk: a TCP socket, not a request or TIME_WAIT
 *
 * Also true if NST has been there and nobody can read any more: what still comes
 * TCP answers, and nobody sees it.
 *
 * Context: under RCU; the caller keeps the socket.
 */
bool nst_tcp_rx_sealed(const struct sock *sk)
{
	const struct nst_tcp *nst = nst_tcp(sk);

	if (nst)
		return READ_ONCE(nst->st.rx.conf);
	return nst_tcp_has_left((__force void *)READ_ONCE(inet_csk(sk)->icsk_ulp_data)) &&
	       sock_flag(sk, SOCK_DEAD);
}

/**
 * nst_tcp_leave() - nothing of NST is left in a socket but a mark for the guard
 * @sk: a socket without state, about to be closed for good, which TCP has still
 *	to bring to its end
 * @sealed: nothing that TCP has still to send is plaintext
 *
 * There is no ULP any more beside the mark, so nothing but the guard looks at it,
 * and the module need not stay for it.
 *
 * Who looked at the ULP before may look at the mark, but not take it for a state.
 * The caller puts the module that the core has got for the ULP.
 *
 * Context: under the socket lock.
 */
void nst_tcp_leave(struct sock *sk, bool sealed)
{
	void *mark = sealed ? NST_TCP_LEFT_SEALED : NST_TCP_LEFT_MIXED;

	sock_owned_by_me(sk);
	rcu_assign_pointer(inet_csk(sk)->icsk_ulp_data, mark);
	WRITE_ONCE(inet_csk(sk)->icsk_ulp_ops, NULL);
}
