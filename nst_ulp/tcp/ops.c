// SPDX-License-Identifier: GPL-2.0
/*
 * The operations of a TCP socket with NST: TCP's own, ours in their place, and who
 * else may have the socket.
 */
#include <linux/module.h>
#include <linux/net.h>
#include <linux/tcp.h>
#include <net/tcp.h>
#include "tcp/ops.h"

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
