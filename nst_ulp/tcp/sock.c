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
 * connection points to its listener's proto until it times out, but also holds
 * the listener, which holds the module: see nst_tcp_hold_module().
 */
struct proto nst_tcp_prot[NST_TCP_FAMILIES];
struct proto_ops nst_tcp_ops[NST_TCP_FAMILIES];

/* Has NST left the socket? See tcp_sock.h. */
static bool has_left(const void *data)
{
	return data == NST_TCP_LEFT_SEALED || data == NST_TCP_LEFT_MIXED;
}

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
	void *data = (__force void *)READ_ONCE(inet_csk(sk)->icsk_ulp_data);

	if (READ_ONCE(inet_csk(sk)->icsk_ulp_ops) != &nst_tcp_ulp)
		return NULL;
	return unlikely(has_left(data)) ? NULL : data;
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
	return has_left((__force void *)READ_ONCE(inet_csk(sk)->icsk_ulp_data)) &&
	       sock_flag(sk, SOCK_DEAD);
}

/**
 * nst_tcp_leave() - nothing of NST is left in a socket but a mark for the guard
 * @sk: a socket without state, about to be closed for good
 * @sealed: nothing that TCP has still to send is plaintext
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

/**
 * nst_tcp_adopt() - give a socket its operations
 * @sk: one that has our proto, or gets it
 *
 * Context: any, under the socket lock or its spinlock.
 */
void nst_tcp_adopt(struct sock *sk)
{
	int family = nst_tcp_family(sk);

	if (cmpxchg(&sk->sk_socket->ops, nst_tcp_base_ops[family],
		    &nst_tcp_ops[family]) != nst_tcp_base_ops[family])
		return;
	/* Released by __sock_release(), after close() has left our code. */
	__module_get(THIS_MODULE);
}

/**
 * nst_tcp_creator() - which of TCP's protos was a sock made by?
 * @sk: the socket
 *
 * It is freed to the slab cache of that one, and IPV6_ADDRFORM changes all else
 * that tells one family from another.
 *
 * Context: under the socket lock.
 * Return: the index of it, ours included; -1: none of them.
 */
int nst_tcp_creator(const struct sock *sk)
{
	int i;

	for (i = 0; i < NST_TCP_FAMILIES; i++)
		if (sk->sk_prot_creator == nst_tcp_base_prot[i] ||
		    sk->sk_prot_creator == &nst_tcp_prot[i])
			return i;
	return -1;
}

/**
 * nst_tcp_hold_module() - a socket listens, or is about to
 * @sk: the socket
 *
 * As its proto is ours from birth then, the core puts the module when it frees
 * the sock, after the last of the listener's requests. Sockets that only connect
 * must not have that: TIME_WAIT would keep the module for a minute.
 *
 * Context: under the socket lock.
 */
void nst_tcp_hold_module(struct sock *sk)
{
	int creator = nst_tcp_creator(sk);

	sock_owned_by_me(sk);
	/* Others were refused at the attach. */
	if (creator < 0 || sk->sk_prot_creator == &nst_tcp_prot[creator])
		return;
	__module_get(THIS_MODULE);
	sk->sk_prot_creator = &nst_tcp_prot[creator];
}

/* For its address alone; the low bits of sk_user_data are flags. */
static const u8 claim __aligned(8);

static void *claimed(void)
{
	return (void *)((uintptr_t)&claim | SK_USER_DATA_NOCOPY);
}

/**
 * nst_tcp_claim() - keep others from the socket
 * @sk: a socket with NST, not listening
 *
 * Who wants a TCP socket for himself looks at sk_user_data first: KCM, ovpn,
 * espintcp and their like would take bytes off TCP's queue that are not plaintext,
 * and give it plaintext. A listener gives no bytes away, and BPF may want it for
 * a reuseport array.
 *
 * Context: under sk_callback_lock, or before anybody knows @sk.
 */
void nst_tcp_claim(struct sock *sk)
{
	if (!sk->sk_user_data)
		WRITE_ONCE(sk->sk_user_data, claimed());
}

/**
 * nst_tcp_unclaim() - undo nst_tcp_claim()
 * @sk: the socket; what another has put there stays
 *
 * Context: under sk_callback_lock.
 */
void nst_tcp_unclaim(struct sock *sk)
{
	lockdep_assert_held(&sk->sk_callback_lock);
	if (sk->sk_user_data == claimed())
		WRITE_ONCE(sk->sk_user_data, NULL);
}

/**
 * nst_tcp_release_cb() - proto.release_cb: the socket lock is given up
 * @sk: the socket
 *
 * accept() takes the operations of a listener before it waits, so over an attach
 * a child with NST comes to a socket with TCP's. It gets ours here, before there
 * is a descriptor: accept() locks the child to join it with its socket.
 *
 * What the worker could not do because somebody owned the socket it does now.
 *
 * Context: under the spinlock of the socket, which is owned.
 */
void nst_tcp_release_cb(struct sock *sk)
{
	int family = nst_tcp_family(sk);
	struct socket *sock = sk->sk_socket;
	struct nst_tcp *nst = nst_tcp(sk);

	if (unlikely(nst && test_bit(NST_TCP_WAITS, &nst->flags))) {
		clear_bit(NST_TCP_WAITS, &nst->flags);
		nst_tcp_kick(nst, 0);
	}
	if (unlikely(sock && READ_ONCE(sock->ops) != &nst_tcp_ops[family]))
		nst_tcp_adopt(sk);
	nst_tcp_base_prot[family]->release_cb(sk);
}
