// SPDX-License-Identifier: GPL-2.0
/* What a child has of its listener, and when it gets it. */
#include <linux/memcontrol.h>
#include <linux/net.h>
#include "tcp/inherit.h"
#include "tcp/ready.h"

/**
 * nst_tcp_inherit() - a child is born: it gets what its listener has
 * @nst: the child's state
 * @parent: the listener's
 *
 * Keys, flags and record size are the listener's, the role is the responder's
 * whatever the listener was told, and the stream is the child's own.
 *
 * Context: any; nobody has sent or received anything.
 */
void nst_tcp_inherit(struct nst_tcp *nst, struct nst_tcp *parent)
{
	struct nst_stream *st = &nst->st;

	spin_lock_bh(&parent->conf_lock);
	/* Made strict behind the listener's back, the host takes no others. */
	if (!READ_ONCE(st->nn->strict) || (parent->st.flags & NST_F_STRICT)) {
		st->tx.conf = nst_conf_get(parent->st.tx.conf);
		st->rx.conf = nst_conf_get(parent->st.rx.conf);
	}
	st->flags = parent->st.flags;
	spin_unlock_bh(&parent->conf_lock);
	if (st->tx.conf)
		st->tx.kid = st->tx.conf->kid;
	st->role = NST_WIRE_RESPONDER;
	nst->auto_role = NST_WIRE_RESPONDER;
	nst->record_max = READ_ONCE(parent->record_max);
}

/*
 * The child was born when its listener had keys for one direction alone: it gets
 * those of the other one, unless they are of another kind of stream by now.
 */
static void inherit_rest(struct nst_tcp *nst, struct nst_tcp *parent)
{
	struct nst_stream *st = &nst->st, *from = &parent->st;
	const struct nst_conf *has = st->tx.conf ?: st->rx.conf;

	lockdep_assert_held(&nst->rx_lock);
	lockdep_assert_held(&nst->tx_lock);
	spin_lock_bh(&parent->conf_lock);
	if (!st->tx.conf && from->tx.conf &&
	    nst_conf_agree(from->tx.conf, has)) {
		WRITE_ONCE(st->tx.conf, nst_conf_get(from->tx.conf));
		st->tx.kid = st->tx.conf->kid;
	}
	if (!st->rx.conf && from->rx.conf &&
	    nst_conf_agree(from->rx.conf, has))
		WRITE_ONCE(st->rx.conf, nst_conf_get(from->rx.conf));
	spin_unlock_bh(&parent->conf_lock);
}

/**
 * nst_tcp_inherit_late() - the listener may have got its keys behind a child's birth
 * @nst: the child's state
 * @parent: the listener's
 * @last: the program has come, so this was the last time
 *
 * Context: under both locks of the child.
 */
void nst_tcp_inherit_late(struct nst_tcp *nst, struct nst_tcp *parent,
			  bool last)
{
	struct nst_tcp *kept = nst->parent;
	bool dead = test_bit(NST_TCP_DEAD, &parent->flags);

	lockdep_assert_held(&nst->rx_lock);
	lockdep_assert_held(&nst->tx_lock);
	/* What a listener that is closed had is nobody's any more, nor is it kept. */
	if (!dead) {
		if (!nst->st.tx.conf && !nst->st.rx.conf)
			nst_tcp_inherit(nst, parent);
		else
			inherit_rest(nst, parent);
	}
	if (!kept ||
	    (!last && !dead && !(nst->st.tx.conf && nst->st.rx.conf)))
		return;
	WRITE_ONCE(nst->parent, NULL);
	nst_tcp_put(kept);
}

/**
 * nst_tcp_keep_parent() - a child that lacks a key remembers who may get it
 * @nst: the child's state, just made
 * @parent: the listener's
 *
 * accept() may be TCP's own: it slept over the attach. Then nobody tells the child
 * later who its listener is.
 *
 * Context: any.
 */
void nst_tcp_keep_parent(struct nst_tcp *nst, struct nst_tcp *parent)
{
	if (nst->st.tx.conf && nst->st.rx.conf)
		return;
	if (refcount_inc_not_zero(&parent->ref))
		nst->parent = parent;
}

/**
 * nst_tcp_inherit_now() - nst_tcp_inherit_late() for who cannot wait for the worker
 * @nst: the child's state; it has a program
 *
 * Context: process, without a lock of the socket.
 */
void nst_tcp_inherit_now(struct nst_tcp *nst)
{
	if (likely(!READ_ONCE(nst->parent)))
		return;
	/* Who is killed gets what a call without keys gets. */
	if (mutex_lock_killable(&nst->rx_lock))
		return;
	if (mutex_lock_killable(&nst->tx_lock)) {
		mutex_unlock(&nst->rx_lock);
		nst_tcp_rekick(nst);
		return;
	}
	if (nst->parent)
		nst_tcp_inherit_late(nst, nst->parent, true);
	mutex_unlock(&nst->tx_lock);
	mutex_unlock(&nst->rx_lock);
	/* As behind setsockopt(): what is there can be looked at, a START is due. */
	lock_sock(nst->sk);
	nst_tcp_announce(nst);
	release_sock(nst->sk);
	nst_tcp_kick(nst, 0);
}

/**
 * nst_tcp_tell_children() - children that wait for a listener's keys may look
 * @nst: the socket's state, which has got keys or is given up
 *
 * Those of other listeners look, too; but whoever has none that has waited tells nobody,
 * however many wait, or each connection that is closed would.
 *
 * Context: any.
 */
void nst_tcp_tell_children(struct nst_tcp *nst)
{
	/*
	 * Pairs with inherit() of work.c: what is set, or that it is dead, goes first;
	 * who waits by then is seen here, or sees that.
	 */
	smp_mb();
	if (unlikely(test_bit(NST_TCP_PARENT, &nst->flags)))
		nst_keyroom_wake(&nst->st.nn->keyless);
}
