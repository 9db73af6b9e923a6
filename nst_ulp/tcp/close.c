// SPDX-License-Identifier: GPL-2.0
/*
 * How a stream ends when its program closes it.
 *
 * TCP answers whatever comes for a socket without a program with a reset, a close
 * record too. So a connection that ends in an orderly way is half-closed, loses
 * its struct socket, and is TCP's again only when the peer's FIN has come: until
 * then the worker takes what carries no plaintext. To TCP it looks like a child
 * that nobody has accepted yet, but one whose own FIN is sent.
 *
 * TCP bounds the time and number of such connections only if they are its
 * orphans, so here that is done for it: they end when TCP would end them. They
 * hold their namespace as long, as TCP's orphans do; not the module, see
 * nst_tcp_close_stop().
 */
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/tcp.h>
#include <net/tcp.h>
#include "compat_tcp.h"
#include "tcp/accept.h"
#include "tcp/attach.h"
#include "tcp/close.h"
#include "tcp/crowd.h"
#include "tcp/head.h"
#include "tcp/ops.h"
#include "tcp/patience.h"
#include "tcp/queue.h"
#include "tcp/ready.h"
#include "tcp/recv.h"
#include "tcp/rx.h"
#include "tcp/sealed.h"
#include "tcp/stall.h"
#include "tcp/tx.h"
#include "tcp/work.h"

/* What TCP does if tcp_orphan_retries is 0. */
#define ORPHAN_RETRIES	8

/* How often close() tries to send the end, at NST_TCP_RETRY, before it resets. */
#define END_TRIES	5

static bool stopping;

/*
 * Take NST off the socket. A listener keeps the name, so that no child is born
 * plain until TCP has closed it. Socket lock.
 */
static void take_off(struct nst_tcp *nst)
{
	bool sealed = !nst_tcp_plaintext_goes_on(nst);
	struct sock *sk = nst->sk;

	nst_tcp_leave_group(sk);
	nst_tcp_uninstall(nst);
	if (sk->sk_state == TCP_LISTEN)
		return;
	nst_tcp_leave(sk, sealed);
	/* While it lingers it does not hold the module. */
	if (!test_bit(NST_TCP_LINGER, &nst->flags))
		module_put(THIS_MODULE);
}

/*
 * Has plaintext come that nobody will read? It may have since close() looked, with
 * the peer's FIN right behind it. Socket lock.
 */
static bool has_unread(struct nst_tcp *nst)
{
	sock_owned_by_me(nst->sk);
	if (!nst->st.rx.conf ||
	    ((1 << nst->sk->sk_state) & (TCPF_CLOSE | TCPF_LISTEN)))
		return false;
	nst_tcp_head_look(nst);
	return nst_tcp_head_unread(nst);
}

/*
 * Give the socket back to TCP, which closes it, by a @reset if need be. It waits
 * for @timeout at most. The references of the socket's program go.
 */
static void give_back(struct nst_tcp *nst, long timeout, bool reset)
{
	bool lingers = test_bit(NST_TCP_LINGER, &nst->flags);
	struct proto *base = nst->base;
	struct sock *sk = nst->sk;

	lock_sock(sk);
	if (!reset && has_unread(nst)) {
		nst_tcp_rx_unread(nst);
		reset = true;
	}
	if (!reset)
		nst_tcp_head_drop_cut(nst);
	take_off(nst);
	if (reset) {
		sock_set_flag(sk, SOCK_LINGER);
		sk->sk_lingertime = 0;
	}
	release_sock(sk);
	if (lingers) {
		nst_tcp_crowd_leave(nst);
		nst_tcp_work_end(nst);
	} else {
		nst_tcp_work_cancel(nst);
	}
	base->close(sk, timeout);
	nst_tcp_empty(nst);
	nst_tcp_put(nst);
}

/* --- connections that go on ----------------------------------------------- */

/* What becomes of a closed connection. */
enum fate {
	FATE_LIVE,	/* it waits for its peer */
	FATE_END,	/* it is TCP's again, which knows what to do */
	FATE_RESET,	/* it has waited too long, has failed or is one too many */
};

/*
 * For how long TCP tries to send what an orphan has left, jiffies: its timeouts
 * double, from the shortest to the longest one.
 */
static unsigned long orphan_time(const struct sock *sk)
{
	unsigned int nr = READ_ONCE(sock_net(sk)->ipv4.sysctl_tcp_orphan_retries);
	unsigned int doubling = ilog2(TCP_RTO_MAX / TCP_RTO_MIN);

	nr = nr ?: ORPHAN_RETRIES;
	return ((2UL << min(nr, doubling)) - 1) * TCP_RTO_MIN +
	       (nr > doubling ? nr - doubling : 0) * (unsigned long)TCP_RTO_MAX;
}

/*
 * The peer has no room, and answers when TCP asks whether that is still so. TCP
 * goes on with an orphan then until the time between two questions has doubled up
 * to the longest one, which is later than it gives up sending.
 */
static bool peer_is_full(const struct sock *sk)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);

	return !tcp_sk(sk)->packets_out && tcp_send_head(sk) &&
	       !icsk->icsk_probes_out &&
	       inet_csk_rto_backoff(icsk, TCP_RTO_MAX) < TCP_RTO_MAX;
}

/*
 * Its FIN is not acknowledged, and perhaps data before it. Each byte that is
 * makes the time begin anew, and so does the answer of a peer that has no room; it
 * is looked at four times in it. Socket lock.
 */
static enum fate judge_unacked(struct nst_tcp *nst, unsigned long *delay)
{
	unsigned long time = orphan_time(nst->sk);
	u32 una = tcp_sk(nst->sk)->snd_una ?: 1;

	if (!nst->linger_until || nst->linger_una != una ||
	    peer_is_full(nst->sk)) {
		nst->linger_una = una;
		nst->linger_until = (jiffies + time) ?: 1;
	}
	*delay = time / 4 + 1;
	return time_before(jiffies, nst->linger_until) ? FATE_LIVE : FATE_RESET;
}

/* The peer's FIN is all that is missing. Socket lock. */
static enum fate judge_half_closed(struct nst_tcp *nst, unsigned long *delay)
{
	struct tcp_sock *tp = tcp_sk(nst->sk);

	if (tp->linger2 < 0)
		return FATE_END;
	if (READ_ONCE(nst->crowd) == NST_TCP_CROWDED_OUT)
		return FATE_END;
	if (!nst->linger_until || nst->linger_una) {
		nst->linger_una = 0;
		nst->linger_until = (jiffies + tcp_fin_time(nst->sk)) ?: 1;
	}
	*delay = nst->linger_until - jiffies;
	if (time_before(jiffies, nst->linger_until))
		return FATE_LIVE;
	/*
	 * TCP would wait as long again for what we have waited for. It makes of it
	 * the least it knows, some round trips, as for a peer that is just late.
	 */
	tp->linger2 = 1;
	return FATE_END;
}

/*
 * Is a whole record on the queue that has nothing to read? TCP would reset the
 * connection for it. Its peer's FIN has come, so there will be no more of them: the
 * worker takes some at a time, and has perhaps no memory just now. Socket lock.
 */
static bool has_records(struct nst_tcp *nst)
{
	if (!nst->st.rx.conf || nst->rx_err || READ_ONCE(nst->st.rx.closed))
		return false;
	nst_tcp_head_look(nst);
	return nst->head.ahead.len || nst->head.ahead.more;
}

/* @many: there are more of them than there may be. Socket lock. */
static enum fate judge(struct nst_tcp *nst, bool many, unsigned long *delay)
{
	struct sock *sk = nst->sk;
	enum fate fate = FATE_END;

	sock_owned_by_me(sk);
	if (READ_ONCE(stopping))
		return FATE_END;
	if (nst->rx_err && nst->rx_drop != NST_DROP_TRUNCATED)
		return FATE_RESET;
	if (sk->sk_state == TCP_FIN_WAIT1 ||
	    (sk->sk_state == TCP_CLOSING && has_records(nst)))
		fate = judge_unacked(nst, delay);
	else if (sk->sk_state == TCP_FIN_WAIT2)
		fate = judge_half_closed(nst, delay);
	if (fate != FATE_LIVE)
		return fate;
	/* TCP asks neither of a half-closed one, of which it keeps next to nothing. */
	if (sk->sk_state == TCP_FIN_WAIT2)
		return nst_compat_out_of_memory(sk) ? FATE_END : FATE_LIVE;
	return many || nst_compat_out_of_memory(sk) ? FATE_RESET : FATE_LIVE;
}

/**
 * nst_tcp_look_after() - see a closed connection to its end
 * @nst: the socket's state, NST_TCP_LINGER
 *
 * Context: process, in the worker, without a lock.
 */
void nst_tcp_look_after(struct nst_tcp *nst)
{
	struct sock *sk = nst->sk;
	unsigned long delay = 0;
	struct mem_cgroup *old;
	unsigned int state;
	bool many, acked;
	enum fate fate;

	mutex_lock(&nst->rx_lock);
	old = set_active_memcg(nst->memcg);
	nst_tcp_rx_work(nst);
	set_active_memcg(old);
	mutex_unlock(&nst->rx_lock);
	/* What reads the limit wants no lock of a socket. */
	state = BIT(READ_ONCE(sk->sk_state));
	many = (state & (TCPF_FIN_WAIT1 | TCPF_CLOSING)) &&
	       !nst->linger_until && nst_tcp_crowd_is_full();
	acked = !nst->linger_until || nst->linger_una;
	lock_sock(sk);
	fate = judge(nst, many, &delay);
	acked = acked && sk->sk_state == TCP_FIN_WAIT2;
	/* Sooner if a kick has come meanwhile. */
	if (fate == FATE_LIVE)
		nst_tcp_kick(nst, delay + 1);
	release_sock(sk);
	if (fate != FATE_LIVE)
		give_back(nst, 0, fate == FATE_RESET);
	else if (acked)
		nst_tcp_crowd_acked(nst, true);
}

/*
 * SO_LINGER: close() waits until its FIN is acknowledged, or plaintext comes for
 * nobody. Returns the time that is left, for TCP to wait. Socket lock.
 */
static long wait_acked(struct nst_tcp *nst, long timeout)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	struct sock *sk = nst->sk;

	add_wait_queue(sk_sleep(sk), &wait);
	while (timeout && sk->sk_state == TCP_FIN_WAIT1 &&
	       !signal_pending(current) && !has_unread(nst))
		sk_wait_event(sk, &timeout, sk->sk_state != TCP_FIN_WAIT1,
			      &wait);
	remove_wait_queue(sk_sleep(sk), &wait);
	return timeout;
}

/*
 * Send the FIN. Returns false if nothing is left to wait for, or nothing that is
 * NST's. Socket lock.
 */
static bool half_close(struct nst_tcp *nst, long *timeout)
{
	struct sock *sk = nst->sk;

	sock_owned_by_me(sk);
	/* The kernel's own sockets hold no namespace that could wait for them. */
	if (!nst->st.rx.conf || !sk->sk_net_refcnt ||
	    !((1 << sk->sk_state) & (TCPF_ESTABLISHED | TCPF_FIN_WAIT1 |
				     TCPF_FIN_WAIT2)))
		return false;
	WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | SEND_SHUTDOWN);
	nst->base->shutdown(sk, SEND_SHUTDOWN);
	*timeout = wait_acked(nst, *timeout);
	return (1 << sk->sk_state) & (TCPF_FIN_WAIT1 | TCPF_FIN_WAIT2);
}

/*
 * As sock_orphan(), but to TCP it is none, nor has it shut down receiving.
 * Socket lock.
 */
static void detach(struct nst_tcp *nst)
{
	struct sock *sk = nst->sk;

	nst_tcp_crowd_enter(nst);
	/* Pairs with nst_tcp_serve(), which looks after it if it sees the bit. */
	smp_mb__before_atomic();
	set_bit(NST_TCP_LINGER, &nst->flags);
	write_lock_bh(&sk->sk_callback_lock);
	if (!sock_flag(sk, SOCK_DONE))
		WRITE_ONCE(sk->sk_shutdown, SEND_SHUTDOWN);
	sk_set_socket(sk, NULL);
	RCU_INIT_POINTER(sk->sk_wq, NULL);
	write_unlock_bh(&sk->sk_callback_lock);
	/* The struct socket holds it until close() has left. */
	module_put(THIS_MODULE);
}

/*
 * Let a connection go on without its program. Returns true if @nst, the socket
 * and its references are the worker's now; false if close() goes on with them.
 */
static bool linger(struct nst_tcp *nst, long *timeout)
{
	struct sock *sk = nst->sk;
	bool lingers;

	/* The worker may be done before the lock is quite given up. */
	sock_hold(sk);
	lock_sock(sk);
	/* Plaintext that is there is answered here, behind it by data_ready. */
	lingers = !has_unread(nst) && half_close(nst, timeout) &&
		  !has_unread(nst);
	if (lingers) {
		detach(nst);
		/* Most peers answer at once, and then one look is enough. */
		nst_tcp_kick(nst, nst_tcp_queued(sk) ? 0 : 1);
	}
	release_sock(sk);
	sock_put(sk);
	return lingers;
}

/**
 * nst_tcp_close_stop() - end all connections that linger
 *
 * They have waited for their peers longer than the module is wanted, so they are
 * TCP's from now on. Who waits until no state is left has waited for this.
 *
 * Context: process; no program's socket has NST any more.
 */
void nst_tcp_close_stop(void)
{
	WRITE_ONCE(stopping, true);
	nst_tcp_crowd_kick();
}

/* --- close() -------------------------------------------------------------- */

/* Has the program left plaintext unread, or without a key anything? */
static bool is_unread(struct nst_tcp *nst)
{
	struct sock *sk = nst->sk;
	struct sk_buff *skb;
	bool unread;

	lockdep_assert_held(&nst->rx_lock);
	/* Of the empty records that wait there nothing is left to read. */
	skb_queue_walk(&nst->plain, skb)
		if (nst_plain(skb)->off < skb->len)
			return true;
	if (nst->stalled && nst->stalled->rec.hdr.len)
		return true;
	lock_sock(sk);
	nst_tcp_head_look(nst);
	unread = nst->st.rx.conf ? nst_tcp_head_unread(nst) :
				   nst_tcp_queued(sk);
	release_sock(sk);
	return unread;
}

static enum nst_close_wait waits_for(const struct nst_tcp *nst)
{
	return READ_ONCE(nst->sk->sk_state) == TCP_SYN_RECV ?
	       NST_CLOSE_CONNECTION : NST_CLOSE_MEMORY;
}

/*
 * Send what is pending and the close record. What there is no memory for, or no
 * connection yet, may be a little later, see patience.c. (The worker cannot send
 * for it: to have no room TCP notes in the struct socket, which goes with
 * close().) Returns false if it cannot be sent.
 */
static bool send_end(struct nst_tcp *nst)
{
	struct nst_net *nn = nst->st.nn;
	bool wait = nst_tcp_may_wait(nn, waits_for(nst));
	unsigned int left = wait ? END_TRIES : 1;
	bool again;
	int err;

	for (;;) {
		mutex_lock(&nst->tx_lock);
		/* What a router has said nobody can be told any more. */
		sock_error(nst->sk);
		/* What is last needs no rest after what was tried before. */
		nst->st.tx.not_before = 0;
		err = nst_tcp_tx_finish(nst);
		again = err == -EAGAIN && nst_tcp_tx_may_send(nst);
		mutex_unlock(&nst->tx_lock);
		if (!again || !--left || fatal_signal_pending(current))
			break;
		schedule_timeout_killable(NST_TCP_RETRY);
	}
	if (again && wait && !left)
		nst_tcp_waited_in_vain(nn, waits_for(nst));
	return err != -EAGAIN && !test_bit(NST_TCP_TORN, &nst->flags);
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
	abort = is_unread(nst) ||
		(nst->rx_drop && nst->rx_drop != NST_DROP_TRUNCATED);
	mutex_unlock(&nst->rx_lock);
	if (sock_flag(sk, SOCK_LINGER) && !sk->sk_lingertime)
		abort = true;
	return abort || !send_end(nst);
}

/*
 * A connection that does not linger has had its peer's FIN, perhaps since close()
 * looked first. For the close record in front of it TCP would reset.
 */
static void drain_again(struct nst_tcp *nst)
{
	if (READ_ONCE(nst->sk->sk_state) == TCP_LISTEN)
		return;
	mutex_lock(&nst->rx_lock);
	nst_tcp_drain(nst);
	mutex_unlock(&nst->rx_lock);
}

/**
 * nst_tcp_close() - proto.close
 * @sk: the socket
 * @timeout: jiffies that it may wait until what is sent is acknowledged
 *
 * Context: process.
 */
void nst_tcp_close(struct sock *sk, long timeout)
{
	struct proto *base = nst_tcp_base_prot[nst_tcp_family(sk)];
	struct nst_tcp *nst = nst_tcp(sk);
	bool abort = false;

	if (!nst) {
		WRITE_ONCE(sk->sk_prot, base);
		base->close(sk, timeout);
		return;
	}
	if (READ_ONCE(sk->sk_state) != TCP_LISTEN)
		abort = end_stream(nst);
	if (!abort && linger(nst, &timeout))
		return;
	if (!abort)
		drain_again(nst);
	give_back(nst, timeout, abort);
}
