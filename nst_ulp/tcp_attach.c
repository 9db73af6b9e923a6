// SPDX-License-Identifier: GPL-2.0
/* Attach NST to a TCP socket, and take it off again. */
#include <linux/module.h>
#include <linux/net.h>
#include <linux/tcp.h>
#include <net/tcp.h>
#include "tcp_attach.h"
#include "tcp_head.h"
#include "tcp_rx.h"
#include "tcp_sock.h"
#include "tcp_work.h"

/* A listener has had NST: requests may point to its proto for a while. */
bool nst_tcp_listener_seen;

/**
 * nst_tcp_state_change() - sk_state_change
 * @sk: the socket
 *
 * Context: softirq or process, under the socket lock.
 */
void nst_tcp_state_change(struct sock *sk)
{
	struct nst_tcp *nst = nst_tcp(sk);

	if (!nst)
		return;
	/*
	 * Strict mode begins as soon as the connection stands, and with TCP
	 * Fast Open a START may have come before that.
	 */
	if (sk->sk_state == TCP_ESTABLISHED)
		nst_tcp_kick(nst, 0);
	nst->state_change(sk);
}

/* Up to where TCP has plaintext that it may send again. Socket lock. */
static void note_plaintext(struct nst_tcp *nst)
{
	const struct tcp_sock *tp = tcp_sk(nst->sk);

	if (!((1 << nst->sk->sk_state) & (TCPF_SYN_SENT | TCPF_ESTABLISHED)))
		return;
	nst->seal_seq = tp->write_seq;
	nst->plain_until = tp->bytes_acked + (u32)(tp->write_seq - tp->snd_una);
}

/* Put @nst between the socket and TCP. Socket lock. */
static void install(struct nst_tcp *nst, int family)
{
	struct sock *sk = nst->sk;

	sock_owned_by_me(sk);
	nst->base = nst_tcp_base_prot[family];
	nst->base_ops = nst_tcp_base_ops[family];
	write_lock_bh(&sk->sk_callback_lock);
	nst->data_ready = sk->sk_data_ready;
	nst->state_change = sk->sk_state_change;
	nst->rcvlowat = sk->sk_rcvlowat;
	WRITE_ONCE(sk->sk_rcvlowat, 1);
	note_plaintext(nst);
	/* The core sets it too, but only behind us. */
	inet_csk(sk)->icsk_ulp_ops = &nst_tcp_ulp;
	rcu_assign_pointer(inet_csk(sk)->icsk_ulp_data, nst);
	sk->sk_data_ready = nst_tcp_data_ready;
	sk->sk_state_change = nst_tcp_state_change;
	WRITE_ONCE(sk->sk_prot, nst_tcp_prot[family]);
	WRITE_ONCE(sk->sk_socket->ops, &nst_tcp_ops[family]);
	write_unlock_bh(&sk->sk_callback_lock);
	nst_stats_inc(nst->st.nn->stats, NST_MIB_SOCKETS);
}

/**
 * nst_tcp_uninstall() - give the socket back to TCP as it was
 * @nst: its state; the caller puts the reference that the socket had
 *
 * Context: under the socket lock or its spinlock.
 */
void nst_tcp_uninstall(struct nst_tcp *nst)
{
	struct sock *sk = nst->sk;

	set_bit(NST_TCP_DEAD, &nst->flags);
	write_lock_bh(&sk->sk_callback_lock);
	sk->sk_data_ready = nst->data_ready;
	sk->sk_state_change = nst->state_change;
	WRITE_ONCE(sk->sk_prot, nst->base);
	if (nst_tcp_plaintext_left(nst))
		WRITE_ONCE(inet_csk(sk)->icsk_ulp_ops, &nst_tcp_ulp_mixed);
	rcu_assign_pointer(inet_csk(sk)->icsk_ulp_data, NULL);
	write_unlock_bh(&sk->sk_callback_lock);
	nst_stats_add(nst->st.nn->stats, NST_MIB_SOCKETS, -1);
}

/*
 * A reader or writer that fell asleep in TCP's own code would go on there and
 * take ciphertext for data. Wake it with the error that it would get now. A
 * poller does not sleep in a system call of the socket and is left alone.
 */
static void evict_sleeper(struct sock *sk, unsigned int sleepers)
{
	if (!sleepers)
		return;
	/* The sleeper's sock_error() takes it away again. */
	WRITE_ONCE(sk->sk_err, ENOKEY);
	sk_error_report(sk);
}

/* How many sleep in recv(), send() or accept(), none of them a poller. */
static unsigned int count_sleepers(struct sock *sk)
{
	struct wait_queue_head *wq = sk_sleep(sk);
	struct wait_queue_entry *entry;
	unsigned int n = 0;

	spin_lock_irq(&wq->lock);
	list_for_each_entry(entry, &wq->head, entry)
		n += entry->func == woken_wake_function ||
		     entry->func == autoremove_wake_function;
	spin_unlock_irq(&wq->lock);
	return n;
}

/*
 * A listener's children are copied from it in softirq, without its lock. Once
 * the ULP is named, and those that did not see that yet are done, each of them
 * comes through clone(); so that must be before anything else changes.
 */
static void announce_to_children(struct sock *sk)
{
	WRITE_ONCE(nst_tcp_listener_seen, true);
	WRITE_ONCE(inet_csk(sk)->icsk_ulp_ops, &nst_tcp_ulp);
	synchronize_net();
}

/**
 * nst_tcp_attach() - tcp_ulp_ops.init: setsockopt(TCP_ULP)
 * @sk: the socket
 *
 * Context: process, under the socket lock.
 * Return: 0 or an errno.
 */
int nst_tcp_attach(struct sock *sk)
{
	int family = nst_tcp_family(sk);
	unsigned int sleepers;
	struct nst_tcp *nst;

	if (!READ_ONCE(nst_net(sock_net(sk))->enabled))
		return -EPERM;
	if (!((1 << sk->sk_state) & (TCPF_CLOSE | TCPF_SYN_SENT | TCPF_LISTEN |
				     TCPF_ESTABLISHED)))
		return -ENOTCONN;
	/* Sockets of sockmap, MPTCP, SMC, KCM and their like are not ours. */
	if (sk->sk_user_data)
		return -EBUSY;
	if (READ_ONCE(sk->sk_prot) != nst_tcp_base_prot[family] || !sk->sk_socket ||
	    READ_ONCE(sk->sk_socket->ops) != nst_tcp_base_ops[family])
		return -EBUSY;
	if (tcp_sk(sk)->repair || tcp_sk(sk)->fastopen_connect)
		return -EOPNOTSUPP;
	/* One can be told, by sk_err, to come back; more, or accept(), can't. */
	sleepers = count_sleepers(sk);
	if (sleepers > (sk->sk_state == TCP_LISTEN ? 0 : 1))
		return -EBUSY;
	nst = nst_tcp_alloc(sk, GFP_KERNEL);
	if (!nst)
		return -ENOMEM;
	if (sk->sk_state == TCP_CLOSE)
		nst->auto_role = NST_WIRE_INITIATOR;
	if (sk->sk_state == TCP_LISTEN)
		announce_to_children(sk);
	/* Released by __sock_release(), after close() has left our code. */
	__module_get(THIS_MODULE);
	install(nst, family);
	evict_sleeper(sk, sleepers);
	return 0;
}

/**
 * nst_tcp_disconnect() - proto.disconnect
 * @sk: the socket
 * @flags: as TCP's
 *
 * connect(AF_UNSPEC) on a connection is refused, as in kTLS: the stream could
 * not go on. But connect() itself disconnects a socket whose connection was
 * refused, so that the program may try again, and a listener that is shut down
 * itself and the children that nobody has accepted.
 *
 * Context: under the socket lock, or its spinlock for a child that goes.
 * Return: 0 or an errno.
 */
int nst_tcp_disconnect(struct sock *sk, int flags)
{
	struct nst_tcp *nst = nst_tcp(sk);
	bool fresh = nst && !nst->st.tx.started && !nst->st.rx.started &&
		     !nst->rx_err && !nst->rec &&
		     !test_bit(NST_TCP_SHUT, &nst->flags) &&
		     ((1 << sk->sk_state) & (TCPF_CLOSE | TCPF_SYN_SENT));

	sock_owned_by_me(sk);
	if (sk->sk_socket && !fresh && sk->sk_state != TCP_LISTEN)
		return -EOPNOTSUPP;
	if (sk->sk_state == TCP_LISTEN)
		WRITE_ONCE(nst_tcp_listener_seen, true);
	if (fresh) {
		nst_tcp_head_reset(nst);
		nst->plain_until = 0;
	}
	return nst_tcp_base_prot[nst_tcp_family(sk)]->disconnect(sk, flags);
}
