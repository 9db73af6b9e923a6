// SPDX-License-Identifier: GPL-2.0
/*
 * The worker's part of sending: what is due and no program sends, or was put off.
 */
#include <linux/tcp.h>
#include <net/tcp.h>
#include "tcp/tx.h"
#include "tcp/txwork.h"

/* The shutdown that nst_tcp_tx_finish() had put off. */
static void shut_down(struct nst_tcp *nst)
{
	struct sock *sk = nst->sk;
	gfp_t was;

	if (!nst_tcp_tx_own(nst, &was))
		return;
	if (!test_bit(NST_TCP_DEAD, &nst->flags) &&
	    !(sk->sk_shutdown & SEND_SHUTDOWN)) {
		WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | SEND_SHUTDOWN);
		nst->base->shutdown(sk, SEND_SHUTDOWN);
		sk->sk_state_change(sk);
	}
	nst_tcp_tx_disown(nst, was);
}

/*
 * What was open when a splice ended goes, if another call has not seen to it. What
 * it waits for, the peer's START or the record on its way, calls the worker again.
 */
static void flush_late(struct nst_tcp *nst)
{
	int err = 0;

	if (nst->tx_open && !nst->st.tx.closed) {
		if (nst->tx_out || !nst_tcp_tx_may_send(nst))
			return;
		err = nst_tcp_tx_flush(nst);
	}
	if (err == -ENOMEM)
		nst_tcp_kick(nst, NST_TCP_RETRY);
	else
		clear_bit(NST_TCP_FLUSH, &nst->flags);
}

/*
 * The end that shutdown() has put off. If the START that it waits for can come no
 * more it is a reset, as close()'s is: a FIN alone would tell a peer without NST of
 * an orderly end, and a close record must not go. Behind others' bytes it is one, too,
 * which whoever has found these has asked for.
 */
static void end_late(struct nst_tcp *nst)
{
	if (nst->st.tx.conf && nst_tcp_tx_is_vain(nst))
		nst_tcp_abort(nst);
	else if (nst_tcp_tx_finish(nst) != -EAGAIN &&
		 !test_bit(NST_TCP_TORN, &nst->flags))
		shut_down(nst);
}

/* The box has changed: the worker tries again. Under the list's spinlock. */
static void wake(struct nst_keywait *wait)
{
	nst_tcp_kick(container_of(wait, struct nst_tcp, keywait), 0);
}

/*
 * No key may send the START that is due. It goes when one may, which a program that
 * only reads brings about in no other way. @gen is of before it was looked for.
 */
static void wait_for_key(struct nst_tcp *nst, struct nst_keyring *ring, u64 gen)
{
	nst->keywait.wake = wake;
	nst_keywait_begin(&nst->keywait, ring);
	if (READ_ONCE(ring->gen) != gen)
		nst_tcp_kick(nst, 0);
	/* Pairs with nst_tcp_uninstall(): begin, then look. */
	smp_mb();
	if (test_bit(NST_TCP_DEAD, &nst->flags))
		nst_keywait_end(&nst->keywait);
}

/* Send the START that is due. */
static void start_late(struct nst_tcp *nst)
{
	struct nst_keyring *ring = nst->st.tx.conf->ring;
	/* Before the key is looked for; pairs with publish() of keyring.c. */
	u64 gen = smp_load_acquire(&ring->gen);

	switch (nst_tcp_tx_empty(nst, NST_TYPE_START)) {
	case -ENOMEM:
		nst_tcp_kick(nst, NST_TCP_RETRY);
		break;
	case -ENOKEY:
	case -EACCES:
	case -EKEYREVOKED:
		/* A box of the socket's own stays as it is. */
		if (!ring->private)
			wait_for_key(nst, ring, gen);
		break;
	default:
		break;
	}
}

static void tx_work(struct nst_tcp *nst)
{
	struct nst_stream *st = &nst->st;

	nst_tcp_tx_settle(nst);
	if (!nst->sk->sk_socket || !nst_tcp_tx_is_live(nst))
		return;
	if (nst->tx_out && nst_tcp_tx_push(nst) == -EAGAIN)
		return;
	/* Also while a record is open: the peer waits for it. */
	if (nst_stream_tx_wants_start(st) && !st->tx.closed)
		start_late(nst);
	if (test_bit(NST_TCP_FLUSH, &nst->flags))
		flush_late(nst);
	if (test_bit(NST_TCP_SHUT, &nst->flags))
		end_late(nst);
}

/**
 * nst_tcp_tx_work() - the worker's part of sending
 * @nst: the socket
 *
 * Sends the START that strict mode owes, the rest of a record that TCP refused
 * for want of memory, and the end of a stream that was waiting for either. What a
 * START waits for, a key, calls it again.
 *
 * Context: process, under tx_lock.
 */
void nst_tcp_tx_work(struct nst_tcp *nst)
{
	lockdep_assert_held(&nst->tx_lock);
	set_bit(NST_TCP_WORKER, &nst->flags);
	tx_work(nst);
	clear_bit(NST_TCP_WORKER, &nst->flags);
}
