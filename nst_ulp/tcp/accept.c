// SPDX-License-Identifier: GPL-2.0
/* The children of a listener with NST. */
#include <linux/memcontrol.h>
#include <linux/module.h>
#include <linux/net.h>
#include <linux/tcp.h>
#include <net/sock_reuseport.h>
#include <net/tcp.h>
#include "tcp/accept.h"
#include "tcp/attach.h"
#include "tcp/inherit.h"
#include "tcp/intact.h"
#include "tcp/ops.h"
#include "tcp/ready.h"
#include "tcp/rxend.h"
#include "tcp/work.h"

/* What a child without state has in its place; NULL if it knows no listener. */
static void *bare(struct nst_tcp *parent)
{
	if (!parent || !refcount_inc_not_zero(&parent->ref))
		return NULL;
	return (void *)((uintptr_t)parent | NST_TCP_BARE);
}

/**
 * nst_tcp_bare_parent() - the listener's state that a child has in place of its own
 * @sk: the child
 *
 * Context: under the socket lock or its spinlock, or when nobody else is there.
 * Return: that state, with a reference which is the child's; NULL: none.
 */
struct nst_tcp *nst_tcp_bare_parent(const struct sock *sk)
{
	uintptr_t data = (__force uintptr_t)inet_csk(sk)->icsk_ulp_data;

	return data & NST_TCP_BARE ? (void *)(data & ~NST_TCP_BARE) : NULL;
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
 * attach, the child has no state, and gets it at accept(), or is reset there.
 *
 * Context: softirq, under the child's spinlock.
 */
void nst_tcp_clone(const struct request_sock *req, struct sock *sk,
		   const gfp_t priority)
{
	struct nst_tcp *parent = nst_tcp(sk), *nst;
	int family = nst_tcp_family(sk);

	/*
	 * tcp_cleanup_ulp() will put the module for each child. If what was
	 * copied is ours already, the core has got it, for the creator.
	 */
	if (sk->sk_prot_creator != &nst_tcp_prot[family])
		__module_get(THIS_MODULE);
	/* TIME_WAIT would hold it, or look at it after the module has gone. */
	sk->sk_prot_creator = nst_tcp_base_prot[family];
	WRITE_ONCE(sk->sk_prot, &nst_tcp_prot[family]);
	nst = parent ? nst_tcp_alloc(sk, parent, priority) : NULL;
	if (nst) {
		nst->base = parent->base;
		nst->base_ops = parent->base_ops;
		nst->data_ready = parent->data_ready;
		nst->state_change = parent->state_change;
		sk->sk_data_ready = nst_tcp_data_ready;
		sk->sk_state_change = nst_tcp_state_change;
		WRITE_ONCE(sk->sk_rcvlowat, 1);
		nst_tcp_claim(sk);
		nst->rcvlowat = READ_ONCE(parent->rcvlowat);
		nst_tcp_inherit(nst, parent);
		nst_tcp_keep_parent(nst, parent);
		nst_stats_inc(nst->st.nn->stats, NST_MIB_SOCKETS);
	}
	rcu_assign_pointer(inet_csk(sk)->icsk_ulp_data,
			   nst ?: bare(parent));
}

/* A child that its listener has made without NST, and that can have it. */
static bool is_plain(const struct sock *sk)
{
	return READ_ONCE(sk->sk_prot) == nst_tcp_base_prot[nst_tcp_family(sk)] &&
	       !inet_csk(sk)->icsk_ulp_ops && !sk->sk_user_data;
}

/*
 * Make the state of a child that has none: because it is older than its
 * listener's attach, or came over from a listener without NST, or because there
 * was no memory, or no state of the listener yet, when it was made. Nobody has
 * read or written anything. What it had in its place is the caller's. Socket lock.
 */
static int complete_child(struct sock *sk, struct nst_tcp *parent, gfp_t gfp)
{
	bool plain = is_plain(sk);
	struct nst_tcp *nst;

	if (!((1 << sk->sk_state) & (TCPF_ESTABLISHED | TCPF_CLOSE_WAIT |
				     TCPF_SYN_RECV | TCPF_CLOSE)))
		return -ECONNABORTED;
	if (!plain && inet_csk(sk)->icsk_ulp_ops != &nst_tcp_ulp)
		return -ECONNABORTED;
	nst = nst_tcp_alloc(sk, NULL, gfp);
	if (!nst) {
		nst_stats_inc(nst_net(sock_net(sk))->stats, NST_MIB_TCP_BARE);
		return -ECONNABORTED;
	}
	nst_tcp_inherit(nst, parent);
	if (plain) {
		/* tcp_cleanup_ulp() will put it. */
		__module_get(THIS_MODULE);
	} else {
		sk->sk_data_ready = parent->data_ready;
		sk->sk_state_change = parent->state_change;
	}
	nst_tcp_install(nst);
	/* Another is its own, as in nst_tcp_take_rcvlowat(). */
	if (nst->rcvlowat == 1)
		nst->rcvlowat = READ_ONCE(parent->rcvlowat);
	if (sk->sk_state != TCP_SYN_RECV)
		nst_tcp_join(nst);
	return 0;
}

/*
 * The child is the program's that accepts it; and perhaps the listener was given
 * its keys behind the child's birth.
 */
static void inherit_late(struct nst_tcp *nst, struct nst_tcp *parent)
{
	struct mem_cgroup *memcg = get_mem_cgroup_from_mm(current->mm);

	mutex_lock(&nst->rx_lock);
	mutex_lock(&nst->tx_lock);
	swap(nst->memcg, memcg);
	nst_tcp_inherit_late(nst, parent, true);
	mutex_unlock(&nst->tx_lock);
	mutex_unlock(&nst->rx_lock);
	mem_cgroup_put(memcg);
	nst_tcp_rekick(nst);
}

/* Make of a child what the listener promises. 0, or it must be reset. */
static int receive_child(struct sock *sk, struct nst_tcp *parent)
{
	struct nst_tcp *kept;
	int err = 0;

	if (nst_tcp(sk))
		inherit_late(nst_tcp(sk), parent);
	lock_sock(sk);
	kept = nst_tcp_bare_parent(sk);
	if (!nst_tcp(sk))
		err = complete_child(sk, parent, GFP_KERNEL);
	if (!err) {
		nst_tcp_take_rcvlowat(nst_tcp(sk));
		nst_tcp_announce(nst_tcp(sk));
	}
	release_sock(sk);
	if (!err && kept)
		nst_tcp_put(kept);
	return err;
}

/*
 * nst_tcp_accept() - proto_ops.accept
 *
 * What comes out of a listener with NST has NST, or is reset.
 *
 * Context: process.
 * Return: 0 or an errno.
 */
NST_ACCEPT(nst_tcp_accept)
{
	struct nst_tcp *parent = nst_tcp(sock->sk), *nst;
	struct sock *sk;
	int err;

	if (!parent)
		return -EIO;
	err = parent->base_ops->accept NST_ACCEPT_PASS;
	if (err)
		return err;
	sk = newsock->sk;
	err = receive_child(sk, parent);
	if (err) {
		tcp_abort(sk, -err);
		return err;
	}
	nst = nst_tcp(sk);
	/* What could not be done while it had no socket. See nst_tcp_rx_fail(). */
	smp_mb();
	if (READ_ONCE(nst->rx_err) && nst->rx_drop != NST_DROP_TRUNCATED)
		tcp_abort(sk, -nst->rx_err);
	else if (nst_tcp_owes(nst))
		nst_tcp_kick(nst, 0);
	return 0;
}

/*
 * A child without state was accepted by TCP's own accept(): what complete_child() does
 * for ours. If that fails it is reset, and nothing works on it any more. Spinlock of the
 * socket, which is owned by the program's accept().
 */
static void complete_adopted(struct sock *sk)
{
	struct nst_tcp *parent = nst_tcp_bare_parent(sk);

	if (parent && !complete_child(sk, parent, GFP_ATOMIC | __GFP_NOWARN)) {
		nst_tcp_keep_parent(nst_tcp(sk), parent);
		nst_tcp_put(parent);
		return;
	}
	if (!parent)
		nst_stats_inc(nst_net(sock_net(sk))->stats, NST_MIB_TCP_BARE);
	rcu_assign_pointer(inet_csk(sk)->icsk_ulp_data, NULL);
	if (parent)
		nst_tcp_put(parent);
	nst_tcp_base_prot[nst_tcp_family(sk)]->disconnect(sk, 0);
	WRITE_ONCE(sk->sk_err, ECONNABORTED);
	WRITE_ONCE(sk->sk_shutdown, SHUTDOWN_MASK);
}

/*
 * accept() takes the operations of a listener before it waits, so over an attach a
 * child with NST comes to a socket with TCP's. What nst_tcp_accept() would do for it.
 * As complete_adopted().
 */
static void adopt(struct sock *sk)
{
	struct nst_tcp *nst;

	nst_tcp_adopt(sk);
	if (!nst_tcp(sk))
		complete_adopted(sk);
	nst = nst_tcp(sk);
	if (!nst)
		return;
	nst_tcp_take_rcvlowat(nst);
	if (!nst->adopter)
		nst->adopter = get_mem_cgroup_from_mm(current->mm);
	set_bit(NST_TCP_ADOPTED, &nst->flags);
	nst_tcp_kick(nst, 0);
}

/**
 * nst_tcp_release_cb() - proto.release_cb: the socket lock is given up
 * @sk: the socket
 *
 * A child that TCP's own accept() has taken gets our operations here, before there is
 * a descriptor: accept() locks the child to join it with its socket.
 *
 * What the worker could not do because somebody owned the socket it does now.
 *
 * Context: under the spinlock of the socket, which is owned.
 */
void nst_tcp_release_cb(struct sock *sk)
{
	struct socket *sock = sk->sk_socket;
	int family = nst_tcp_family(sk);
	struct nst_tcp *nst = nst_tcp(sk);

	if (unlikely(nst && test_bit(NST_TCP_WAITS, &nst->flags))) {
		clear_bit(NST_TCP_WAITS, &nst->flags);
		nst_tcp_kick(nst, 0);
	}
	if (unlikely(sock && READ_ONCE(sock->ops) != &nst_tcp_ops[family]))
		adopt(sk);
	nst_tcp_base_prot[family]->release_cb(sk);
}

/**
 * nst_tcp_listen() - proto_ops.listen
 * @sock: the socket
 * @backlog: how many children may wait
 *
 * Context: process.
 * Return: 0 or an errno.
 */
int nst_tcp_listen(struct socket *sock, int backlog)
{
	struct sock *sk = sock->sk;
	int err;

	lock_sock(sk);
	nst_tcp_hold_module(sk);
	release_sock(sk);
	err = nst_tcp_base_ops[nst_tcp_family(sk)]->listen(sock, backlog);
	if (err)
		return err;
	lock_sock(sk);
	write_lock_bh(&sk->sk_callback_lock);
	if (sk->sk_state == TCP_LISTEN)
		nst_tcp_unclaim(sk);
	write_unlock_bh(&sk->sk_callback_lock);
	release_sock(sk);
	return 0;
}

/**
 * nst_tcp_leave_group() - keep the children of a listener that goes
 * @sk: a socket with NST, or that just had it
 *
 * With tcp_migrate_req they would go over to another socket of its reuseport
 * group, which has no NST.
 *
 * Context: process, under the socket lock.
 */
void nst_tcp_leave_group(struct sock *sk)
{
	if (sk->sk_state == TCP_LISTEN &&
	    rcu_access_pointer(sk->sk_reuseport_cb))
		reuseport_detach_sock(sk);
}

/**
 * nst_tcp_unhash() - proto.unhash: the socket is found by its ports no more
 * @sk: the socket; if it listens it is about to give up its children
 *
 * Context: under the socket lock or its spinlock.
 */
void nst_tcp_unhash(struct sock *sk)
{
	nst_tcp_leave_group(sk);
	nst_tcp_base_prot[nst_tcp_family(sk)]->unhash(sk);
}
