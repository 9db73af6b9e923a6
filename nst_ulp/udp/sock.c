// SPDX-License-Identifier: GPL-2.0
/*
 * What a UDP socket with NST is: whether it is one, and whether it still is what
 * the attach has made of it.
 */
#include <linux/udp.h>
#include <net/sock.h>
#include <net/udp.h>
#include "udp/sock.h"

/* UDP's own, learned at load from sockets made for that: not all are exported. */
struct proto *nst_udp_base_prot[NST_UDP_FAMILIES];

/* The same with our functions; written at load, then read only. */
struct proto nst_udp_prot[NST_UDP_FAMILIES];

/**
 * nst_udp() - NST's state of a socket
 * @sk: any socket
 *
 * Context: process, by someone who keeps the socket open; or under
 * rcu_read_lock().
 * Return: NULL if it is no UDP socket with NST, or not any more.
 */
struct nst_udp *nst_udp(const struct sock *sk)
{
	/* Pairs with adopt(): who sees ours sees all that the attach has set. */
	const struct proto *prot = smp_load_acquire(&sk->sk_prot);

	if (prot != &nst_udp_prot[NST_UDP_V4] && prot != &nst_udp_prot[NST_UDP_V6])
		return NULL;
	return rcu_dereference_check(__sk_user_data(sk), true);
}

static bool is_ours(const struct proto *prot)
{
	return prot == &nst_udp_prot[NST_UDP_V4] || prot == &nst_udp_prot[NST_UDP_V6];
}

/**
 * nst_udp_left() - has IPV6_ADDRFORM made it UDP's own?
 * @nst: its state
 *
 * The proto does not tell: while the attach goes on it is UDP's, too.
 *
 * Context: any.
 */
bool nst_udp_left(const struct nst_udp *nst)
{
	return nst->base == nst_udp_base_prot[NST_UDP_V6] &&
	       READ_ONCE(nst->sk->sk_family) != AF_INET6;
}

/**
 * nst_udp_check() - is the socket still as the attach has left it?
 * @nst: its state
 *
 * A setsockopt() that began before the attach, and slept, may cork the socket
 * behind it, have UDP cut what it sends, or give its datagrams to somebody else.
 * Nobody is told when that happens, so it is looked for at every send and receive,
 * before and after: then what was sealed may stand behind plaintext, and what is
 * read may never have been authenticated.
 *
 * Context: process.
 * Return: 0, or -EIO for good.
 */
int nst_udp_check(struct nst_udp *nst)
{
	const struct udp_sock *up = udp_sk(nst->sk);

	if (likely(!READ_ONCE(nst->broken) && !READ_ONCE(up->pending) &&
		   !udp_test_bit(CORK, nst->sk) && !READ_ONCE(up->gso_size) &&
		   READ_ONCE(up->encap_type) == NST_UDP_ENCAP_TYPE &&
		   READ_ONCE(up->encap_rcv) == nst->encap_rcv &&
		   is_ours(READ_ONCE(nst->sk->sk_prot))))
		return 0;
	WRITE_ONCE(nst->broken, true);
	return -EIO;
}

/**
 * nst_udp_shut() - let UDP refuse what the program sends (EPIPE)
 * @sk: a socket whose proto is UDP's again
 *
 * Context: any. Not under the socket lock: if a shutdown() at the same time
 * writes over it, the next sign makes up for that.
 */
void nst_udp_shut(struct sock *sk)
{
	WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | SEND_SHUTDOWN);
}
