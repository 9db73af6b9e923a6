// SPDX-License-Identifier: GPL-2.0
/*
 * What a TCP socket with NST is: which functions it has, where its state is, and
 * what of its bytes is sealed.
 */
#include <linux/module.h>
#include <linux/net.h>
#include <linux/tcp.h>
#include <net/tcp.h>
#include "tcp_sock.h"

/* What TCP sockets have; learnt from two sockets of our own at load. */
struct proto *nst_tcp_base_prot[NST_TCP_FAMILIES];
const struct proto_ops *nst_tcp_base_ops[NST_TCP_FAMILIES];

/*
 * The same with our functions; written at load, then read only. A request for a
 * connection points to its listener's proto and reads a field of it until it
 * times out, which may be after the listener, and then the module, have gone. So
 * the protos are not part of the module, and once a listener had them they stay.
 */
struct proto *nst_tcp_prot[NST_TCP_FAMILIES];
struct proto_ops nst_tcp_ops[NST_TCP_FAMILIES];

/**
 * nst_tcp() - NST's state of a socket
 * @sk: a TCP socket whose sk_prot is or was ours
 *
 * Context: any, as long as the caller keeps the socket from being closed.
 * Return: the state; NULL if a clone had no memory for it: then nothing works
 * on the socket, in plaintext least of all.
 */
struct nst_tcp *nst_tcp(const struct sock *sk)
{
	if (inet_csk(sk)->icsk_ulp_ops != &nst_tcp_ulp)
		return NULL;
	return (__force struct nst_tcp *)inet_csk(sk)->icsk_ulp_data;
}

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
 * nst_tcp_tx_sealed() - is what a socket sends, from a byte on, sealed?
 * @sk: a TCP socket, not a request or TIME_WAIT
 * @seq: sequence number of the first byte of a segment
 *
 * True also after close(), when NST has left the socket, and TCP goes on to send
 * what was sealed before. What TCP was given before the attach is not.
 *
 * Context: under RCU, in the transmission of the socket's own segment.
 */
bool nst_tcp_tx_sealed(const struct sock *sk, u32 seq)
{
	const struct nst_tcp *nst = nst_tcp(sk);

	if (!nst)
		return inet_csk(sk)->icsk_ulp_ops == &nst_tcp_ulp;
	if (!READ_ONCE(nst->st.tx.conf))
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
	const struct tcp_ulp_ops *ops = READ_ONCE(inet_csk(sk)->icsk_ulp_ops);
	const struct nst_tcp *nst = nst_tcp(sk);

	if (nst)
		return READ_ONCE(nst->st.rx.conf);
	return (ops == &nst_tcp_ulp || ops == &nst_tcp_ulp_mixed) &&
	       sock_flag(sk, SOCK_DEAD);
}

/**
 * nst_tcp_adopt() - complete a socket whose accept() overlapped the attach
 * @sk: one of ours, in a system call
 *
 * accept() takes the operations of a listener before it waits; so a child with
 * NST may come to a socket with TCP's.
 *
 * Context: process.
 */
void nst_tcp_adopt(struct sock *sk)
{
	int family = nst_tcp_family(sk);
	const struct proto_ops *ops = &nst_tcp_ops[family];

	if (likely(READ_ONCE(sk->sk_socket->ops) == ops))
		return;
	if (cmpxchg(&sk->sk_socket->ops, nst_tcp_base_ops[family], ops) ==
	    nst_tcp_base_ops[family])
		__module_get(THIS_MODULE);
}
