// SPDX-License-Identifier: GPL-2.0
/* Attach NST to a TCP socket, keep it on its children, take it off again. */
#include <linux/bpf.h>
#include <linux/kmemleak.h>
#include <linux/module.h>
#include <linux/net.h>
#include <linux/skmsg.h>
#include <linux/slab.h>
#include <linux/tcp.h>
#include <net/inet_common.h>
#include <net/tcp.h>
#include "limits.h"
#include "tcp_recv.h"
#include "tcp_rx.h"
#include "tcp_tx.h"
#include "tcp_ulp.h"
#include "tcp_work.h"
#include "txrec.h"

enum { V4, V6, NR_FAMILIES };

/* What TCP sockets have; learnt from two sockets of our own at load. */
static struct proto *base_prot[NR_FAMILIES];
static const struct proto_ops *base_ops[NR_FAMILIES];

/*
 * The same with our functions; written at load, then read only. A request for a
 * connection points to its listener's proto and reads a field of it until it
 * times out, which may be after the listener, and then the module, have gone. So
 * the protos are not part of the module, and once a listener had them they stay.
 */
static struct proto *nst_prot[NR_FAMILIES];
static struct proto_ops nst_ops[NR_FAMILIES];
static bool listener_seen;

static struct tcp_ulp_ops nst_ulp;
/* Of a socket that was closed while TCP still had plaintext to send. */
static struct tcp_ulp_ops nst_ulp_mixed;

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
	if (inet_csk(sk)->icsk_ulp_ops != &nst_ulp)
		return NULL;
	return (__force struct nst_tcp *)inet_csk(sk)->icsk_ulp_data;
}

/* Has TCP still to deliver what it was given before the attach? */
static bool plaintext_left(const struct nst_tcp *nst)
{
	return READ_ONCE(tcp_sk(nst->sk)->bytes_acked) < nst->plain_until;
}

/**
 * nst_tcp_tx_sealed() - is what a socket sends, from a byte on, sealed?
 * @sk: a TCP socket, not a request or TIME_WAIT
 * @seq: sequence number of the first byte of a segment
 *
 * True also after close(), when NST has left the socket, and TCP goes on to send
 * what was sealed before. What TCP was given before the attach is not.
 *
 * Context: under RCU, in the transmission of the socket's own segment.
 */
bool nst_tcp_tx_sealed(const struct sock *sk, u32 seq)
{
	const struct nst_tcp *nst = nst_tcp(sk);

	if (!nst)
		return inet_csk(sk)->icsk_ulp_ops == &nst_ulp;
	if (!READ_ONCE(nst->st.tx.conf))
		return false;
	return !plaintext_left(nst) || !before(seq, nst->seal_seq);
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
	const struct tcp_ulp_ops *ops = READ_ONCE(inet_csk(sk)->icsk_ulp_ops);
	const struct nst_tcp *nst = nst_tcp(sk);

	if (nst)
		return READ_ONCE(nst->st.rx.conf);
	return (ops == &nst_ulp || ops == &nst_ulp_mixed) &&
	       sock_flag(sk, SOCK_DEAD);
}

static int family_of(const struct sock *sk)
{
	return sk->sk_family == AF_INET6 ? V6 : V4;
}

/**
 * nst_tcp_adopt() - complete a socket whose accept() overlapped the attach
 * @sk: one of ours, in a system call
 *
 * accept() takes the operations of a listener before it waits; so a child with
 * NST may come to a socket with TCP's.
 *
 * Context: process.
 */
void nst_tcp_adopt(struct sock *sk)
{
	int family = family_of(sk);
	const struct proto_ops *ops = &nst_ops[family];

	if (likely(READ_ONCE(sk->sk_socket->ops) == ops))
		return;
	if (cmpxchg(&sk->sk_socket->ops, base_ops[family], ops) ==
	    base_ops[family])
		__module_get(THIS_MODULE);
}

static void state_change(struct sock *sk)
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
	nst->base = base_prot[family];
	nst->base_ops = base_ops[family];
	write_lock_bh(&sk->sk_callback_lock);
	nst->data_ready = sk->sk_data_ready;
	nst->state_change = sk->sk_state_change;
	nst->rcvlowat = sk->sk_rcvlowat;
	WRITE_ONCE(sk->sk_rcvlowat, 1);
	note_plaintext(nst);
	/* The core sets it too, but only behind us. */
	inet_csk(sk)->icsk_ulp_ops = &nst_ulp;
	rcu_assign_pointer(inet_csk(sk)->icsk_ulp_data, nst);
	sk->sk_data_ready = nst_tcp_data_ready;
	sk->sk_state_change = state_change;
	WRITE_ONCE(sk->sk_prot, nst_prot[family]);
	WRITE_ONCE(sk->sk_socket->ops, &nst_ops[family]);
	write_unlock_bh(&sk->sk_callback_lock);
	nst_stats_inc(nst->st.nn->stats, NST_MIB_SOCKETS);
}

/*
 * Give the socket back to TCP as it was. The caller puts the reference that
 * the socket had. Under the socket lock or its spinlock.
 */
static void uninstall(struct nst_tcp *nst)
{
	struct sock *sk = nst->sk;

	set_bit(NST_TCP_DEAD, &nst->flags);
	write_lock_bh(&sk->sk_callback_lock);
	sk->sk_data_ready = nst->data_ready;
	sk->sk_state_change = nst->state_change;
	WRITE_ONCE(sk->sk_prot, nst->base);
	if (plaintext_left(nst))
		WRITE_ONCE(inet_csk(sk)->icsk_ulp_ops, &nst_ulp_mixed);
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
	WRITE_ONCE(listener_seen, true);
	WRITE_ONCE(inet_csk(sk)->icsk_ulp_ops, &nst_ulp);
	synchronize_net();
}

/* tcp_ulp_ops.init: setsockopt(TCP_ULP). Socket lock. */
static int attach(struct sock *sk)
{
	int family = family_of(sk);
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
	if (READ_ONCE(sk->sk_prot) != base_prot[family] || !sk->sk_socket ||
	    READ_ONCE(sk->sk_socket->ops) != base_ops[family])
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

/*
 * tcp_ulp_ops.clone: a listener's child comes to life, in softirq, as a copy of
 * it. What was copied may be of before or after its attach, so all but the
 * pointer to the listener's state is set here. It cannot fail: without memory,
 * or in the middle of the listener's attach, the child has no state, and nothing
 * works on it.
 */
static void clone(const struct request_sock *req, struct sock *sk,
		  const gfp_t priority)
{
	struct nst_tcp *parent = nst_tcp(sk), *nst;

	/* tcp_cleanup_ulp() will put one for each child. */
	__module_get(THIS_MODULE);
	WRITE_ONCE(listener_seen, true);
	/* TIME_WAIT looks at it long after the module may have gone. */
	sk->sk_prot_creator = base_prot[family_of(sk)];
	WRITE_ONCE(sk->sk_prot, nst_prot[family_of(sk)]);
	nst = parent ? nst_tcp_alloc(sk, priority) : NULL;
	if (nst) {
		nst->base = parent->base;
		nst->base_ops = parent->base_ops;
		nst->data_ready = parent->data_ready;
		nst->state_change = parent->state_change;
		sk->sk_data_ready = nst_tcp_data_ready;
		sk->sk_state_change = state_change;
		WRITE_ONCE(sk->sk_rcvlowat, 1);
		inherit(nst, parent);
		nst_stats_inc(nst->st.nn->stats, NST_MIB_SOCKETS);
	}
	rcu_assign_pointer(inet_csk(sk)->icsk_ulp_data, nst);
}

/*
 * tcp_ulp_ops.release: the sock is being destroyed. After close() nothing is
 * left to do; a child that was never accepted comes here first.
 */
static void release(struct sock *sk)
{
	struct nst_tcp *nst = nst_tcp(sk);

	if (nst) {
		uninstall(nst);
		nst_tcp_work_forget(nst);
		nst_tcp_put(nst);
	} else if (sk->sk_prot == nst_prot[family_of(sk)]) {
		WRITE_ONCE(sk->sk_prot, sk->sk_prot_creator);
	}
}

/*
 * Say goodbye on the wire. Returns true if TCP has to reset instead: because
 * the program wants that, or because it has left something unread. TCP would
 * reset for that anyway, but only behind a close record that tells the peer of
 * a clean end.
 */
static bool end_stream(struct nst_tcp *nst)
{
	struct sock *sk = nst->sk;
	bool abort;

	mutex_lock(&nst->rx_lock);
	nst_tcp_drain(nst);
	abort = nst_tcp_rx_unread(nst);
	mutex_unlock(&nst->rx_lock);
	if (sock_flag(sk, SOCK_LINGER) && !sk->sk_lingertime)
		abort = true;
	mutex_lock(&nst->tx_lock);
	if (!abort)
		abort = nst_tcp_tx_finish(nst) == -EAGAIN;
	mutex_unlock(&nst->tx_lock);
	return abort;
}

static void tcp_close_nst(struct sock *sk, long timeout)
{
	struct nst_tcp *nst = nst_tcp(sk);
	struct proto *base = base_prot[family_of(sk)];
	bool abort = false;

	if (!nst) {
		WRITE_ONCE(sk->sk_prot, base);
		base->close(sk, timeout);
		return;
	}
	if (READ_ONCE(sk->sk_state) == TCP_LISTEN)
		WRITE_ONCE(listener_seen, true);
	else
		abort = end_stream(nst);
	lock_sock(sk);
	uninstall(nst);
	if (abort) {
		sock_set_flag(sk, SOCK_LINGER);
		sk->sk_lingertime = 0;
	}
	release_sock(sk);
	nst_tcp_work_cancel(nst);
	base->close(sk, timeout);
	nst_tcp_put(nst);
}

/*
 * connect(AF_UNSPEC) on a connection is refused, as in kTLS: the stream could
 * not go on. But connect() itself disconnects a socket whose connection was
 * refused, so that the program may try again, and a listener that is shut down
 * itself and the children that nobody has accepted.
 */
static int tcp_disconnect_nst(struct sock *sk, int flags)
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
		WRITE_ONCE(listener_seen, true);
	if (fresh) {
		nst_tcp_head_reset(nst);
		nst->plain_until = 0;
	}
	return base_prot[family_of(sk)]->disconnect(sk,
									  flags);
}

static bool memory_free(const struct sock *sk, int wake)
{
	struct nst_tcp *nst = nst_tcp(sk);

	/* A sealed record goes in whole; see tcp_tx.c. */
	if (nst && test_bit(NST_TCP_PUSHING, &nst->flags))
		return true;
	return tcp_stream_memory_free(sk, wake);
}

static int shutdown(struct socket *sock, int how)
{
	struct sock *sk = sock->sk;
	struct nst_tcp *nst = nst_tcp(sk);
	const struct proto_ops *ops;
	bool connected;
	int err = 0;

	if (!nst)
		return -EIO;
	ops = nst->base_ops;
	connected = (1 << READ_ONCE(sk->sk_state)) & (TCPF_ESTABLISHED |
						      TCPF_CLOSE_WAIT);
	if (how != SHUT_WR && how != SHUT_RDWR)
		return ops->shutdown(sock, how);
	if (mutex_lock_interruptible(&nst->tx_lock))
		return -ERESTARTSYS;
	if (!(READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN))
		err = nst_tcp_tx_finish(nst);
	if (err == -EAGAIN)
		set_bit(NST_TCP_SHUT, &nst->flags);
	mutex_unlock(&nst->tx_lock);
	nst_tcp_rekick(nst);
	if (err != -EAGAIN) {
		err = ops->shutdown(sock, how);
		/* A peer that is gone answers the close record with a reset. */
		return err == -ENOTCONN && connected ? 0 : err;
	}
	/* The worker will do it; the other half need not wait. */
	nst_tcp_kick(nst, 1);
	return how == SHUT_RDWR ? ops->shutdown(sock, SHUT_RD) : 0;
}

static int accept_nst(NST_ACCEPT_ARGS)
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
	if (READ_ONCE(newsock->sk->sk_prot) != nst_prot[family_of(newsock->sk)]) {
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

static struct tcp_ulp_ops nst_ulp = {
	.name		= "nst",
	.owner		= THIS_MODULE,
	.init		= attach,
	.clone		= clone,
	.release	= release,
};

/* The module is put, and the name shown, through either. */
static struct tcp_ulp_ops nst_ulp_mixed = {
	.name		= "nst",
	.owner		= THIS_MODULE,
};

static struct proto *build_prot(const struct proto *base,
				const struct nst_tcp_hooks *hooks)
{
	struct proto *prot = kmemdup(base, sizeof(*base), GFP_KERNEL);

	if (!prot)
		return NULL;
	prot->sendmsg = nst_tcp_sendmsg;
	prot->recvmsg = nst_tcp_recvmsg;
	prot->close = tcp_close_nst;
	prot->disconnect = tcp_disconnect_nst;
	prot->setsockopt = hooks->setsockopt;
	prot->getsockopt = hooks->getsockopt;
	prot->ioctl = nst_tcp_ioctl;
	prot->stream_memory_free = memory_free;
#ifdef NST_HAVE_SENDPAGE
	prot->sendpage = nst_tcp_sendpage;
#endif
#ifdef CONFIG_BPF_SYSCALL
	prot->psock_update_sk_prot = NULL;
#endif
	return prot;
}

static void free_prots(void)
{
	int i;

	for (i = 0; i < NR_FAMILIES; i++) {
		if (listener_seen)
			kmemleak_not_leak(nst_prot[i]);
		else
			kfree(nst_prot[i]);
	}
}

/* Whatever reaches TCP's queues behind sk_prot's back is taken away. */
static void build_ops(struct proto_ops *ops, const struct proto_ops *base)
{
	*ops = *base;
	ops->owner = THIS_MODULE;
	ops->poll = nst_tcp_poll;
	ops->accept = accept_nst;
	ops->shutdown = shutdown;
	ops->read_sock = NULL;
	ops->read_skb = NULL;
	ops->sendmsg_locked = NULL;
	ops->splice_read = NULL;
	ops->mmap = sock_no_mmap;
	ops->peek_len = NULL;
	ops->set_peek_off = NULL;
	ops->set_rcvlowat = nst_tcp_set_rcvlowat;
#ifdef NST_HAVE_SENDPAGE
	ops->sendpage_locked = NULL;
#endif
#ifdef NST_HAVE_SPLICE_EOF
	ops->splice_eof = nst_tcp_splice_eof;
#endif
}

static int learn(int family, int pf, const struct nst_tcp_hooks *hooks)
{
	struct socket *sock;
	int err = sock_create_kern(&init_net, pf, SOCK_STREAM, IPPROTO_TCP,
				   &sock);

	if (err)
		return err;
	base_prot[family] = sock->sk->sk_prot;
	base_ops[family] = sock->ops;
	nst_prot[family] = build_prot(base_prot[family], hooks);
	build_ops(&nst_ops[family], base_ops[family]);
	sock_release(sock);
	return nst_prot[family] ? 0 : -ENOMEM;
}

/**
 * nst_tcp_init() - offer the ULP
 * @hooks: what the layers above do; needed only during the call
 *
 * Return: 0 or an errno.
 */
int nst_tcp_init(const struct nst_tcp_hooks *hooks)
{
	int err = learn(V4, PF_INET, hooks);

	if (!err)
		err = learn(V6, PF_INET6, hooks);
	if (err && err != -EAFNOSUPPORT)
		goto fail;
	err = nst_tcp_work_start();
	if (err)
		goto fail;
	nst_ulp.get_info = hooks->get_info;
	nst_ulp.get_info_size = hooks->get_info_size;
	err = tcp_register_ulp(&nst_ulp);
	if (!err)
		return 0;
	nst_tcp_work_stop();
fail:
	free_prots();
	return err;
}

/**
 * nst_tcp_exit() - undo nst_tcp_init()
 *
 * No socket has NST any more, but the last ones may still wait to be freed.
 */
void nst_tcp_exit(void)
{
	tcp_unregister_ulp(&nst_ulp);
	nst_tcp_work_stop();
	nst_txrec_exit();
	free_prots();
}

MODULE_ALIAS_TCP_ULP("nst");
