// SPDX-License-Identifier: GPL-2.0
/*
 * Who pays for the memory of a TCP socket, and how it is come by.
 *
 * What the sending half of a socket holds is charged to the socket as what TCP
 * itself holds, which reaches the memory cgroup of who made or accepted it: the
 * open record, and the one on its way if TCP did not take all of it. A record that
 * goes to TCP in the call that has gathered it is TCP's to charge.
 *
 * The receiving half: a record that is being gathered is charged by move_charge()
 * in head.c. Plaintext that waits for a reader is charged here, and so is a record
 * that is off TCP's queue and waits for memory. (Before accept() TCP's counters are
 * left alone, as accept() charges the cgroup for what they say: the plaintext of a
 * START is allocated by __GFP_ACCOUNT then.)
 */
#include <linux/sched/mm.h>
#include <net/sock.h>
#include <net/tcp.h>
#include "tcp/mem.h"
#include "tcp/stall.h"
#include "tcp/txrec.h"

/* What the records take that outlive the call. Under tx_lock. */
static int records(const struct nst_tcp *nst)
{
	lockdep_assert_held(&nst->tx_lock);
	return nst_txrec_mem(nst->tx_open) + nst_txrec_mem(nst->tx_out);
}

/*
 * May so many bytes more be charged? Asked for bytes to be sent TCP would force
 * them upon a cgroup that is full. They are none yet, so it is asked in the other
 * way, in which it may refuse.
 */
static bool ask(struct sock *sk, int due)
{
	int more = due - sk->sk_forward_alloc;

	return more <= 0 || __sk_mem_schedule(sk, more, SK_MEM_RECV);
}

/*
 * The same for what cannot be undone. TCP forces bytes to be sent if the send
 * buffer has no room for them, as then the sender can be made to wait. Memory that
 * is short it answers with a smaller buffer, too: of what SO_RESERVE_MEM has left or,
 * without that, of the smallest size. So it is asked for as much, and cannot refuse.
 */
static void force(struct sock *sk, int due)
{
	int more = max3((int)SOCK_MIN_SNDBUF, due - sk->sk_forward_alloc,
			sk_unused_reserved_mem(sk));
	int sndbuf = READ_ONCE(sk->sk_sndbuf);

	WRITE_ONCE(sk->sk_sndbuf, 0);
	__sk_mem_schedule(sk, more, SK_MEM_SEND);
	WRITE_ONCE(sk->sk_sndbuf, READ_ONCE(sk->sk_sndbuf) ?
		   min(sndbuf, READ_ONCE(sk->sk_sndbuf)) : sndbuf);
	/*
	 * Who has looked meanwhile, without a lock, found no room; with nothing on
	 * its way no acknowledgment would tell him. Pairs with tcp_poll().
	 */
	smp_mb();
	if (sk->sk_socket && test_bit(SOCK_NOSPACE, &sk->sk_socket->flags))
		sk->sk_write_space(sk);
}

/* Charge what is held, no less and no more. Returns false if that is refused. */
static bool charge(struct nst_tcp *nst, bool forced)
{
	int due = records(nst) - nst->tx_charged;
	struct sock *sk = nst->sk;

	/* The socket is TCP's again; nst_tcp_mem_drop() was the end of it. */
	if (test_bit(NST_TCP_DEAD, &nst->flags))
		return true;
	if (due > 0 && !ask(sk, due)) {
		if (!forced)
			return false;
		force(sk, due);
	}
	if (due > 0)
		sk_mem_charge(sk, due);
	else if (due < 0)
		sk_mem_uncharge(sk, -due);
	nst->tx_charged += due;
	return true;
}

/**
 * nst_tcp_mem_reserve() - charge the socket for what is to be held
 * @nst: the socket's state
 *
 * Context: process, under tx_lock and the socket lock.
 * Return: true if all of it is charged; false if TCP or the cgroup has no more
 * to give, and nothing has changed but the send buffer: it is full now, and
 * poll() says so.
 */
bool nst_tcp_mem_reserve(struct nst_tcp *nst)
{
	if (charge(nst, false))
		return true;
	sk_stream_moderate_sndbuf(nst->sk);
	return false;
}

/**
 * nst_tcp_mem_settled() - is the socket charged for what is held?
 * @nst: the socket's state
 *
 * Context: process, under tx_lock.
 * Return: false if nst_tcp_mem_settle() is due.
 */
bool nst_tcp_mem_settled(const struct nst_tcp *nst)
{
	return READ_ONCE(nst->tx_charged) == records(nst) ||
	       test_bit(NST_TCP_DEAD, &nst->flags);
}

/**
 * nst_tcp_mem_settle() - charge the socket for what is held, or is no more
 * @nst: the socket's state
 *
 * What is held is there in any case, so it is charged even beyond the limits.
 *
 * Context: under tx_lock and the socket lock or its spinlock.
 */
void nst_tcp_mem_settle(struct nst_tcp *nst)
{
	charge(nst, true);
}

/**
 * nst_tcp_mem_lend() - let TCP have what is charged for the records
 * @nst: the socket's state
 *
 * They go to TCP, which will charge for them; it need not ask for what the socket
 * has already. nst_tcp_mem_settle() follows, under the same socket lock.
 *
 * Context: under tx_lock and the socket lock or its spinlock.
 */
void nst_tcp_mem_lend(struct nst_tcp *nst)
{
	/* Not sk_mem_uncharge(), which would give it to others. */
	sk_mem_charge(nst->sk, -nst->tx_charged);
	WRITE_ONCE(nst->tx_charged, 0);
}

/**
 * nst_tcp_mem_drop() - charge the socket for nothing any more
 * @nst: the socket's state, NST_TCP_DEAD
 *
 * Context: under the socket lock or its spinlock.
 */
void nst_tcp_mem_drop(struct nst_tcp *nst)
{
	if (nst->tx_charged || nst->rx_charged)
		sk_mem_uncharge(nst->sk, nst->tx_charged + nst->rx_charged);
	WRITE_ONCE(nst->tx_charged, 0);
	WRITE_ONCE(nst->rx_charged, 0);
}

/* What is off TCP's queue, and not with a reader. Under rx_lock. */
static int unread_mem(const struct nst_tcp *nst)
{
	lockdep_assert_held(&nst->rx_lock);
	return nst->plain_mem - nst->plain_paid +
	       (nst->stalled ? nst_rxrec_mem(&nst->stalled->rec) : 0);
}

/**
 * nst_tcp_mem_rx_move() - charge the socket for what stands for bytes of TCP's queue
 * @nst: the socket's state
 * @n: bytes of memory; less than 0: they are charged no more
 *
 * Called before those bytes are taken off: what they were charged with goes over to
 * it before anybody else can have that, so that a record can be read however short of
 * memory TCP or the cgroup is.
 *
 * Context: under rx_lock and the socket lock or its spinlock.
 */
void nst_tcp_mem_rx_move(struct nst_tcp *nst, int n)
{
	lockdep_assert_held(&nst->rx_lock);
	if (n > 0)
		sk_mem_charge(nst->sk, n);
	else
		sk_mem_uncharge(nst->sk, -n);
	WRITE_ONCE(nst->rx_charged, nst->rx_charged + n);
}

/**
 * nst_tcp_mem_rx_cover() - have TCP give what nst_tcp_mem_rx_move() has charged
 * @nst: the socket's state; the bytes are off TCP's queue
 *
 * Context: as there.
 */
void nst_tcp_mem_rx_cover(struct nst_tcp *nst)
{
	struct sock *sk = nst->sk;

	if (likely(sk->sk_forward_alloc >= 0))
		return;
	if (!__sk_mem_schedule(sk, -sk->sk_forward_alloc, SK_MEM_RECV))
		force(sk, 0);
}

/**
 * nst_tcp_mem_rx_settled() - is the socket charged for what waits for its reader?
 * @nst: the socket's state
 *
 * Context: process, under rx_lock.
 * Return: false if nst_tcp_mem_rx_settle() is due.
 */
bool nst_tcp_mem_rx_settled(const struct nst_tcp *nst)
{
	return READ_ONCE(nst->rx_charged) == unread_mem(nst) ||
	       test_bit(NST_TCP_DEAD, &nst->flags);
}

/**
 * nst_tcp_mem_rx_settle() - charge the socket for what waits, or no more
 * @nst: the socket's state
 *
 * It is off TCP's queue and cannot go back, so it is charged even beyond the limits.
 *
 * Context: under rx_lock and the socket lock or its spinlock; not for a child that
 * nobody has accepted, whose cgroup is charged then for what TCP has.
 */
void nst_tcp_mem_rx_settle(struct nst_tcp *nst)
{
	int due = unread_mem(nst) - nst->rx_charged;

	if (test_bit(NST_TCP_DEAD, &nst->flags))
		return;
	nst_tcp_mem_rx_move(nst, due);
	nst_tcp_mem_rx_cover(nst);
}

/**
 * nst_tcp_scope_narrow() - the part of nst_tcp_scope_begin() that is seldom needed
 * @how: the socket's sk_allocation
 * @worker: as there; only then are reserves opened, as a caller opens his own
 *
 * Context: process.
 * Return: what to undo.
 */
struct nst_tcp_scope nst_tcp_scope_narrow(gfp_t how, bool worker)
{
	struct nst_tcp_scope scope = {};

	if (!(how & __GFP_IO)) {
		scope.narrow |= __GFP_IO;
		scope.noio = memalloc_noio_save();
	} else if (!(how & __GFP_FS)) {
		scope.narrow |= __GFP_FS;
		scope.nofs = memalloc_nofs_save();
	}
	if (worker && (how & __GFP_MEMALLOC)) {
		scope.narrow |= __GFP_MEMALLOC;
		scope.reserves = memalloc_noreclaim_save();
	}
	return scope;
}

/**
 * nst_tcp_scope_widen() - undo nst_tcp_scope_narrow()
 * @scope: what that returned
 */
void nst_tcp_scope_widen(const struct nst_tcp_scope *scope)
{
	if (scope->narrow & __GFP_MEMALLOC)
		memalloc_noreclaim_restore(scope->reserves);
	if (scope->narrow & __GFP_FS)
		memalloc_nofs_restore(scope->nofs);
	if (scope->narrow & __GFP_IO)
		memalloc_noio_restore(scope->noio);
}
