// SPDX-License-Identifier: GPL-2.0
/* The children of a listener with NST. */
#include <linux/module.h>
#include <linux/net.h>
#include <linux/tcp.h>
#include <net/tcp.h>
#include "tcp_accept.h"
#include "tcp_attach.h"
#include "tcp_rx.h"
#include "tcp_sock.h"
#include "tcp_work.h"

/*
 * Keys, flags and record size are the listener's, the role is the responder's
 * whatever the listener was told, and the stream is the child's own.
 */
static void inherit(struct nst_tcp *nst, struct nst_tcp *parent)
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
	nst->rcvlowat = READ_ONCE(parent->rcvlowat);
}

/**
 * nst_tcp_clone() - tcp_ulp_ops.clone
 * @req: the request for the connection
 * @sk: the child
 * @priority: how to allocate
 *
 * A listener's child comes to life as a copy of it. What was copied may be of
 * before or after its attach, so all but the pointer to the listener's state is
 * set here. It cannot fail: without memory, or in the middle of the listener's
 * attach, the child has no state, and nothing works on it.
 *
 * Context: softirq, under the child's spinlock.
 */
void nst_tcp_clone(const struct request_sock *req, struct sock *sk,
		   const gfp_t priority)
{
	struct nst_tcp *parent = nst_tcp(sk), *nst;

	/* tcp_cleanup_ulp() will put one for each child. */
	__module_get(THIS_MODULE);
	WRITE_ONCE(nst_tcp_listener_seen, true);
	/* TIME_WAIT looks at it long after the module may have gone. */
	sk->sk_prot_creator = nst_tcp_base_prot[nst_tcp_family(sk)];
	WRITE_ONCE(sk->sk_prot, nst_tcp_prot[nst_tcp_family(sk)]);
	nst = parent ? nst_tcp_alloc(sk, priority) : NULL;
	if (nst) {
		nst->base = parent->base;
		nst->base_ops = parent->base_ops;
		nst->data_ready = parent->data_ready;
		nst->state_change = parent->state_change;
		sk->sk_data_ready = nst_tcp_data_ready;
		sk->sk_state_change = nst_tcp_state_change;
		WRITE_ONCE(sk->sk_rcvlowat, 1);
		inherit(nst, parent);
		nst_stats_inc(nst->st.nn->stats, NST_MIB_SOCKETS);
	}
	rcu_assign_pointer(inet_csk(sk)->icsk_ulp_data, nst);
}

/*
 * nst_tcp_accept() - proto_ops.accept
 *
 * Context: process.
 * Return: 0 or an errno.
 */
NST_ACCEPT(nst_tcp_accept)
{
	struct nst_tcp *nst = nst_tcp(sock->sk);
	int err;

	if (!nst)
		return -EIO;
	err = nst->base_ops->accept NST_ACCEPT_PASS;
	if (err)
		return err;
	/*
	 * A child from before the listener's attach is plain TCP, and so must
	 * not come out of a listener that promises encryption.
	 */
	if (READ_ONCE(newsock->sk->sk_prot) != nst_tcp_prot[nst_tcp_family(newsock->sk)]) {
		tcp_abort(newsock->sk, ECONNABORTED);
		return -ECONNABORTED;
	}
	nst = nst_tcp(newsock->sk);
	if (!nst)
		return 0;
	/* What could not be done while it had no socket. See nst_tcp_rx_fail(). */
	smp_mb();
	if (READ_ONCE(nst->rx_err) && nst->rx_drop != NST_DROP_TRUNCATED)
		tcp_abort(newsock->sk, -nst->rx_err);
	else
		nst_tcp_kick(nst, 0);
	return 0;
}
