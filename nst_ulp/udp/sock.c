// SPDX-License-Identifier: GPL-2.0
/*
 * What a UDP socket with NST is: whether it is one, where its state is, and whether
 * it still is what the attach has made of it.
 */
#include <linux/rhashtable.h>
#include <linux/udp.h>
#include <net/sock.h>
#include <net/udp.h>
#include "udp/sock.h"

/* UDP's own, learned at load from sockets made for that: not all are exported. */
struct proto *nst_udp_base_prot[NST_UDP_FAMILIES];

/* The same with our functions; written at load, then read only. */
struct proto nst_udp_prot[NST_UDP_FAMILIES];

/* The attached sockets. Who asks by sk_user_data first comes here rarely. */
static struct rhashtable states;

static const struct rhashtable_params params = {
	.key_len	= sizeof_field(struct nst_udp, sk),
	.key_offset	= offsetof(struct nst_udp, sk),
	.head_offset	= offsetof(struct nst_udp, node),
	.automatic_shrinking = true,
};

/**
 * nst_udp_find_init() - get ready for nst_udp_enter()
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int nst_udp_find_init(void)
{
	return rhashtable_init(&states, &params);
}

/**
 * nst_udp_find_exit() - undo nst_udp_find_init(); no socket may be left
 *
 * Context: process.
 */
void nst_udp_find_exit(void)
{
	rhashtable_destroy(&states);
}

/*
 * The kernel's NFS server writes sk_user_data without looking, and leaves NULL
 * behind. A pointer with this flag alone is nobody's else on a UDP socket (those of
 * BPF have more), so that another's, which may be freed at any time, is not even
 * looked through.
 */
static void *mark_of(const struct nst_udp *nst)
{
	return (void *)((uintptr_t)nst | SK_USER_DATA_NOCOPY);
}

/**
 * nst_udp_enter() - let a socket's state be found
 * @nst: the state, for good once this has come to something
 *
 * Context: any, under sk_callback_lock; the socket has none yet.
 * Return: 0 or -ENOMEM.
 */
int nst_udp_enter(struct nst_udp *nst)
{
	if (rhashtable_insert_fast(&states, &nst->node, params))
		return -ENOMEM;
	rcu_assign_pointer(__sk_user_data(nst->sk), mark_of(nst));
	return 0;
}

/**
 * nst_udp_leave() - undo nst_udp_enter(), at the end of the sock
 * @nst: the state; others may come by it until a grace period is over
 *
 * Context: any.
 */
void nst_udp_leave(struct nst_udp *nst)
{
	rhashtable_remove_fast(&states, &nst->node, params);
}

/**
 * nst_udp_of() - NST's state of a socket that has one, if only as UDP's own again
 * @sk: a UDP socket
 *
 * Context: as nst_udp(); a softirq, or the sock's end.
 * Return: NULL if it has none.
 */
struct nst_udp *nst_udp_of(const struct sock *sk)
{
	void *data = rcu_dereference_check(__sk_user_data(sk), true);
	uintptr_t flags = (uintptr_t)data & ~SK_USER_DATA_PTRMASK;
	struct nst_udp *nst;

	if (likely(flags == SK_USER_DATA_NOCOPY)) {
		nst = (void *)((uintptr_t)data & SK_USER_DATA_PTRMASK);
		if (likely(nst->sk == sk))
			return nst;
	}
	return rhashtable_lookup_fast(&states, &sk, params);
}

/**
 * nst_udp_is_taken() - has somebody else written sk_user_data?
 * @nst: the socket's state
 *
 * He may take what it receives by ways of his own, and knows nothing of NST.
 *
 * Context: any.
 */
bool nst_udp_is_taken(const struct nst_udp *nst)
{
	return rcu_access_pointer(__sk_user_data(nst->sk)) != mark_of(nst);
}

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
	return nst_udp_of(sk);
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
 * behind it, have UDP cut what it sends, or give its datagrams to somebody else. A
 * part of the kernel that is given the descriptor may make the socket its own.
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
		   !nst_udp_is_taken(nst) &&
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
