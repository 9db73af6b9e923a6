// SPDX-License-Identifier: GPL-2.0
/* Attach NST to a TCP socket, and take it off again. */
#include <linux/module.h>
#include <linux/net.h>
#include <linux/tcp.h>
#include <net/inet_common.h>
#include <net/tcp.h>
#include "tcp/attach.h"
#include "tcp/crowd.h"
#include "tcp/head.h"
#include "tcp/inherit.h"
#include "tcp/intact.h"
#include "tcp/mem.h"
#include "tcp/ops.h"
#include "tcp/opt.h"
#include "tcp/ready.h"
#include "tcp/rx.h"
#include "tcp/sealed.h"
#include "tcp/work.h"

/*
 * Has TCP been given more than its SYN, since it was connect()? Not syn_data, which
 * outlives a disconnect. Socket lock.
 */
static bool is_written(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	return tp->bytes_acked + (u32)(tp->write_seq - tp->snd_una) > 1;
}

/*
 * The connection stands, and nothing was written or read yet; unless a call from
 * before the attach has sent plaintext with the SYN.
 */
static void join_first(struct nst_tcp *nst)
{
	struct sock *sk = nst->sk;

	if (!is_written(sk) || nst->plain_until)
		nst_tcp_join(nst);
	/* It may have been a listener before. */
	write_lock_bh(&sk->sk_callback_lock);
	nst_tcp_claim(sk);
	write_unlock_bh(&sk->sk_callback_lock);
}

/* connect() finds sk_disconnects as it was; see evict_readers(). Socket lock. */
static void end_eviction(struct nst_tcp *nst)
{
	if (!nst->evicting)
		return;
	nst->sk->sk_disconnects--;
	WRITE_ONCE(nst->evicting, false);
}

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
	if (!((1 << sk->sk_state) & (TCPF_SYN_SENT | TCPF_SYN_RECV)))
		end_eviction(nst);
	if (sk->sk_state == TCP_ESTABLISHED && !nst->joined)
		join_first(nst);
	/* A program's own, with a struct socket, comes to nst_tcp_set_rcvlowat(). */
	if (sk->sk_state == TCP_ESTABLISHED)
		nst_tcp_take_rcvlowat(nst);
	/* A Fast Open child that is reset before it stands leaves what has come. */
	if (sk->sk_state == TCP_CLOSE && !nst->joined &&
	    nst->auto_role == NST_WIRE_RESPONDER) {
		join_first(nst);
		nst_tcp_announce(nst);
	}
	/*
	 * Strict mode begins as soon as the connection stands, and with TCP
	 * Fast Open a START may have come before that. A closed connection goes
	 * by what its FIN and its peer's do.
	 */
	if (sk->sk_state == TCP_FIN_WAIT2 &&
	    test_bit(NST_TCP_LINGER, &nst->flags))
		nst_tcp_crowd_acked(nst, false);
	if ((sk->sk_state == TCP_ESTABLISHED && nst_tcp_owes(nst)) ||
	    test_bit(NST_TCP_LINGER, &nst->flags))
		nst_tcp_kick(nst, 0);
	nst->state_change(sk);
}

/*
 * Up to where TCP has plaintext that it may send again, and where the stream
 * begins. Socket lock.
 */
static void note_plaintext(struct nst_tcp *nst)
{
	const struct tcp_sock *tp = tcp_sk(nst->sk);

	if (!((1 << nst->sk->sk_state) & (TCPF_SYN_SENT | TCPF_ESTABLISHED)))
		return;
	nst->seal_seq = tp->write_seq;
	nst->plain_until = tp->bytes_acked + (u32)(tp->write_seq - tp->snd_una);
	if (nst->sk->sk_state == TCP_ESTABLISHED)
		nst_tcp_join(nst);
}

/* What the socket has without NST. Socket lock. */
static void remember(struct nst_tcp *nst)
{
	struct sock *sk = nst->sk;
	int family = nst_tcp_family(sk);

	nst->base = nst_tcp_base_prot[family];
	nst->base_ops = nst_tcp_base_ops[family];
	nst->data_ready = sk->sk_data_ready;
	nst->state_change = sk->sk_state_change;
	nst->rcvlowat = sk->sk_rcvlowat;
}

/**
 * nst_tcp_install() - put NST between a socket and TCP
 * @nst: the state that the socket gets; its reference becomes the socket's
 *
 * Context: process, under the socket lock.
 */
void nst_tcp_install(struct nst_tcp *nst)
{
	struct sock *sk = nst->sk;
	int family = nst_tcp_family(sk);

	sock_owned_by_me(sk);
	remember(nst);
	write_lock_bh(&sk->sk_callback_lock);
	WRITE_ONCE(sk->sk_rcvlowat, 1);
	note_plaintext(nst);
	/* The core sets it too, but only behind us. */
	inet_csk(sk)->icsk_ulp_ops = &nst_tcp_ulp;
	rcu_assign_pointer(inet_csk(sk)->icsk_ulp_data, nst);
	sk->sk_data_ready = nst_tcp_data_ready;
	sk->sk_state_change = nst_tcp_state_change;
	WRITE_ONCE(sk->sk_prot, &nst_tcp_prot[family]);
	if (sk->sk_state != TCP_LISTEN)
		nst_tcp_claim(sk);
	nst_tcp_adopt(sk);
	write_unlock_bh(&sk->sk_callback_lock);
	nst_stats_inc(nst->st.nn->stats, NST_MIB_SOCKETS);
}

/**
 * nst_tcp_plaintext_goes_on() - has TCP bytes to send that are not sealed?
 * @nst: the socket's state
 *
 * Context: under the socket lock or its spinlock.
 * Return: true if so; they may be what others gave it.
 */
bool nst_tcp_plaintext_goes_on(const struct nst_tcp *nst)
{
	if ((1 << nst->sk->sk_state) & (TCPF_CLOSE | TCPF_LISTEN))
		return false;
	return nst_tcp_plaintext_left(nst) || !nst_tcp_intact(nst);
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
	/* Pairs with wait_for_key() of txwork.c, inherit() of work.c: then look. */
	smp_mb__after_atomic();
	if (nst_keyroom_has(&nst->keywait))
		nst_keywait_end(&nst->keywait);
	if (nst_keyroom_has(&nst->keyless))
		nst_keyroom_leave(&nst->keyless);
	nst_tcp_tell_children(nst);
	/* What it charges to the socket ends here. */
	nst_tcp_head_reset(nst);
	nst_tcp_mem_drop(nst);
	write_lock_bh(&sk->sk_callback_lock);
	sk->sk_data_ready = nst->data_ready;
	sk->sk_state_change = nst->state_change;
	WRITE_ONCE(sk->sk_prot, nst->base);
	nst_tcp_unclaim(sk);
	rcu_assign_pointer(inet_csk(sk)->icsk_ulp_data, NULL);
	write_unlock_bh(&sk->sk_callback_lock);
	nst_stats_add(nst->st.nn->stats, NST_MIB_SOCKETS, -1);
}

/*
 * A listener's children are copied from it in softirq, without its lock. So the
 * state is there before the ULP is named; and once it is named, and those that
 * did not see that yet are done, each of them comes through nst_tcp_clone(): that
 * must be before anything else changes.
 */
static void announce_to_children(struct nst_tcp *nst)
{
	struct inet_connection_sock *icsk = inet_csk(nst->sk);

	remember(nst);
	nst_tcp_hold_module(nst->sk);
	rcu_assign_pointer(icsk->icsk_ulp_data, nst);
	/* A copy may have the name alone all the same; see nst_tcp_accept(). */
	smp_wmb();
	WRITE_ONCE(icsk->icsk_ulp_ops, &nst_tcp_ulp);
	synchronize_net();
}

/* May NST come between this socket and TCP? Socket lock. */
static int check(const struct sock *sk)
{
	int family = nst_tcp_family(sk);

	if (inet_csk(sk)->icsk_ulp_ops)
		return -EEXIST;
	if (!READ_ONCE(nst_net(sock_net(sk))->enabled))
		return -EPERM;
	if (!((1 << sk->sk_state) & (TCPF_CLOSE | TCPF_SYN_SENT | TCPF_LISTEN |
				     TCPF_ESTABLISHED)))
		return -ENOTCONN;
	/* Sockets of sockmap, MPTCP, SMC, KCM and their like are not ours. */
	if (sk->sk_user_data)
		return -EBUSY;
	if (READ_ONCE(sk->sk_prot) != nst_tcp_base_prot[family] ||
	    nst_tcp_creator(sk) < 0 || !sk->sk_socket ||
	    READ_ONCE(sk->sk_socket->ops) != nst_tcp_base_ops[family])
		return -EBUSY;
	/* What is refused behind it is refused before it. */
	if (tcp_sk(sk)->repair || tcp_sk(sk)->fastopen_connect ||
	    tcp_sk(sk)->recvmsg_inq || READ_ONCE(sk->sk_peek_off) >= 0)
		return -EOPNOTSUPP;
	/* It would go on in TCP's own code, with plaintext. */
	if (sk->sk_write_pending)
		return -EBUSY;
	return 0;
}

/*
 * A recv() or splice() that sleeps in TCP's own code would go on there and take
 * ciphertext for data. This count tells it that the connection it waits for is
 * no more: it comes back with what it has, or EPIPE. accept() and pollers do not
 * look at the count. A connect() does, but only once it has come to an end: so
 * before it has, the count is what it was again, and also before another one
 * begins. Socket lock.
 */
static void evict_readers(struct nst_tcp *nst)
{
	struct sock *sk = nst->sk;

	if (sk->sk_state == TCP_SYN_SENT)
		WRITE_ONCE(nst->evicting, true);
	else if (sk->sk_state != TCP_ESTABLISHED)
		return;
	sk->sk_disconnects++;
	wake_up_interruptible_all(sk_sleep(sk));
}

/*
 * Attach, if nobody waits for the lock: a call of TCP's own that comes behind
 * it would not know. Returns -EAGAIN if somebody does, or a segment. Socket lock.
 */
static int install_alone(struct nst_tcp *nst)
{
	struct sock *sk = nst->sk;
	bool alone;

	spin_lock_bh(&sk->sk_lock.slock);
	/* Who waits is put there under this spinlock. */
	alone = !waitqueue_active(&sk->sk_lock.wq);
	/* What has come meanwhile may be the end of SYN_SENT, see evict_readers(). */
	if (sk->sk_state == TCP_SYN_SENT && sk->sk_backlog.tail)
		alone = false;
	if (alone)
		nst_tcp_install(nst);
	spin_unlock_bh(&sk->sk_lock.slock);
	if (!alone)
		return -EAGAIN;
	evict_readers(nst);
	return 0;
}

/* One try, with all that may have changed since the last. Socket lock. */
static int try_attach(struct nst_tcp *nst, bool first)
{
	struct sock *sk = nst->sk;
	int err = check(sk);

	if (err)
		return err;
	/*
	 * A connect() that has just succeeded may not have seen it yet. It is on
	 * the queue since before it gave up the socket lock.
	 */
	if (first && sk->sk_state == TCP_ESTABLISHED &&
	    sk->sk_socket->state == SS_CONNECTING &&
	    /* with others, perhaps: then this costs a pause, no more */
	    waitqueue_active(sk_sleep(sk)))
		return -EAGAIN;
	nst->auto_role = sk->sk_state == TCP_CLOSE ? NST_WIRE_INITIATOR : 0;
	if (sk->sk_state != TCP_LISTEN)
		return install_alone(nst);
	announce_to_children(nst);
	nst_tcp_install(nst);
	return 0;
}

/* Those who wait for the lock go first. Socket lock, given up meanwhile. */
static void let_others(struct sock *sk)
{
	release_sock(sk);
	schedule_timeout_uninterruptible(NST_TCP_YIELD);
	lock_sock(sk);
}

/**
 * nst_tcp_attach() - tcp_ulp_ops.init: setsockopt(TCP_ULP)
 * @sk: the socket
 *
 * Who is inside TCP's own code with this socket is let through, sent back or,
 * with something to send, the reason not to attach; see "Locking" in sock.h
 * for who cannot be seen.
 *
 * Context: process, under the socket lock, which is given up in between.
 * Return: 0 or an errno.
 */
int nst_tcp_attach(struct sock *sk)
{
	struct nst_tcp *nst;
	int err, i;

	err = check(sk);
	if (err)
		return err;
	nst = nst_tcp_alloc(sk, NULL, GFP_KERNEL);
	if (!nst)
		return -ENOMEM;
	for (i = 0; (err = try_attach(nst, !i)) == -EAGAIN; i++) {
		if (i == NST_TCP_YIELDS)
			break;
		let_others(sk);
	}
	if (!err) {
		/* Those who were sent back look at the count before it is lowered. */
		if (nst->evicting && waitqueue_active(sk_sleep(sk)))
			let_others(sk);
		return 0;
	}
	nst_tcp_put(nst);
	return err == -EAGAIN ? -EBUSY : err;
}

/* Is there no connection, or not yet? Socket lock. */
static bool may_disconnect(const struct sock *sk)
{
	return (1 << sk->sk_state) & (TCPF_CLOSE | TCPF_SYN_SENT);
}

/* Has nothing of a connection come to NST yet, and left nothing? */
static bool is_fresh(const struct nst_tcp *nst)
{
	lockdep_assert_held(&nst->rx_lock);
	lockdep_assert_held(&nst->tx_lock);
	return !nst->st.tx.started && !nst->st.rx.started && !nst->rx_err &&
	       !nst->tx_open && !nst->tx_out && !nst->stalled &&
	       !test_bit(NST_TCP_SHUT, &nst->flags);
}

/* Under both locks and the socket lock. */
static int disconnect(struct nst_tcp *nst, int flags)
{
	if (!is_fresh(nst))
		return -EOPNOTSUPP;
	nst_tcp_head_reset(nst);
	nst->plain_until = 0;
	nst->joined = false;
	clear_bit(NST_TCP_SHUT_RD, &nst->flags);
	nst_tcp_begin_anew(nst);
	/* A connect() that waits is told of what its caller counts, as by TCP. */
	end_eviction(nst);
	return nst->base->disconnect(nst->sk, flags);
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
 * Who holds rx_lock may have a record of the old connection in hand, and who
 * holds tx_lock one for it. They take the socket lock behind it, so they are not
 * waited for.
 *
 * Context: under the socket lock, or its spinlock for a child that goes.
 * Return: 0 or an errno.
 */
int nst_tcp_disconnect(struct sock *sk, int flags)
{
	struct nst_tcp *nst = nst_tcp(sk);
	int err = -EBUSY;

	if (!sk->sk_socket || sk->sk_state == TCP_LISTEN) {
		if (nst && sk->sk_socket)
			nst_tcp_begin_anew(nst);
		return nst_tcp_base_prot[nst_tcp_family(sk)]->disconnect(sk,
									 flags);
	}
	sock_owned_by_me(sk);
	/* Refused for good, so also while somebody has a record in hand. */
	if (!nst || !may_disconnect(sk))
		return -EOPNOTSUPP;
	if (!mutex_trylock(&nst->rx_lock))
		return err;
	if (mutex_trylock(&nst->tx_lock)) {
		err = disconnect(nst, flags);
		mutex_unlock(&nst->tx_lock);
	}
	mutex_unlock(&nst->rx_lock);
	nst_tcp_rekick(nst);
	return err;
}

/*
 * connect(AF_UNSPEC). One that nst_tcp_disconnect() refuses has no effect: the core
 * has counted it before it asks, and who sleeps would take it for one that was done.
 */
static int connect_none(struct socket *sock, struct NST_SOCKADDR *addr, int len,
			int flags)
{
	struct sock *sk = sock->sk;
	socket_state state;
	int disconnects, err;

	lock_sock(sk);
	state = sock->state;
	disconnects = sk->sk_disconnects;
	err = __inet_stream_connect(sock, addr, len, flags, 0);
	if (err) {
		sk->sk_disconnects = disconnects;
		sock->state = state;
	}
	release_sock(sk);
	return err;
}

/*
 * A connect() that had failed could not take the socket back from its connection, as
 * somebody had a record in hand, see nst_tcp_disconnect(). Then this one does.
 */
static int disconnect_late(struct socket *sock, int flags)
{
	struct sock *sk = sock->sk;
	int err = 0;

	lock_sock(sk);
	if (sock->state == SS_DISCONNECTING && sk->sk_state == TCP_CLOSE) {
		err = nst_tcp_disconnect(sk, flags);
		if (!err)
			sock->state = SS_UNCONNECTED;
	}
	release_sock(sk);
	return err == -EBUSY ? err : 0;
}

/**
 * nst_tcp_connect() - proto_ops.connect
 * @sock: the socket
 * @addr: to whom
 * @len: bytes of it
 * @flags: O_NONBLOCK
 *
 * Context: process.
 * Return: 0 or an errno.
 */
int nst_tcp_connect(struct socket *sock, struct NST_SOCKADDR *addr, int len,
		    int flags)
{
	struct nst_tcp *nst = nst_tcp(sock->sk);
	int err;

	if (!nst)
		return -EIO;
	if (len >= (int)sizeof(addr->sa_family) && addr->sa_family == AF_UNSPEC)
		return connect_none(sock, addr, len, flags);
	if (READ_ONCE(nst->evicting)) {
		lock_sock(sock->sk);
		end_eviction(nst);
		release_sock(sock->sk);
	}
	if (unlikely(READ_ONCE(sock->state) == SS_DISCONNECTING)) {
		err = disconnect_late(sock, flags);
		if (err)
			return err;
	}
	return nst->base_ops->connect(sock, addr, len, flags);
}
