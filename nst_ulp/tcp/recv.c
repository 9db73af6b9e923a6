// SPDX-License-Identifier: GPL-2.0
/* From plaintext to the reader. */
#include <linux/tcp.h>
#include <linux/uio.h>
#include <net/tcp.h>
#include "tcp/head.h"
#include "tcp/inherit.h"
#include "tcp/mem.h"
#include "tcp/poll.h"
#include "tcp/queue.h"
#include "tcp/recv.h"
#include "tcp/rx.h"
#include "tcp/rxend.h"

/**
 * struct rx_call - one recvmsg() under way
 * @nst: the socket
 * @sk: the same
 * @msg: where to
 * @len: bytes it may still take
 * @copied: bytes it has taken
 * @flags: MSG_*
 * @type: record type of what it has taken; -1: nothing yet
 * @timeo: jiffies that it may still wait
 * @since: jiffies at which @timeo was that
 * @peek: MSG_PEEK: bytes of the list of plaintext already looked at
 * @locked: rx_lock is held
 * @done: nothing more fits this call: another type comes next
 * @fin: the peer's FIN was seen and no record is left
 * @shutdown: the same for any end of receiving
 * @gone: the same for the end of the connection, or an error
 */
struct rx_call {
	struct nst_tcp *nst;
	struct sock *sk;
	struct msghdr *msg;
	size_t len;
	size_t copied;
	int flags;
	int type;
	long timeo;
	unsigned long since;
	u32 peek;
	bool locked;
	bool done;
	bool fin;
	bool shutdown;
	bool gone;
};

static void rx_unlock(struct rx_call *call)
{
	if (!call->locked)
		return;
	call->locked = false;
	mutex_unlock(&call->nst->rx_lock);
	nst_tcp_rekick(call->nst);
}

/*
 * The call takes bytes of @type. A record that is not data goes alone, and
 * only to a reader who can be told its type.
 */
static int take_type(struct rx_call *call, u8 type)
{
	struct msghdr *msg = call->msg;

	if (call->type >= 0) {
		call->done = call->type != type || type != NST_TYPE_DATA;
		return 0;
	}
	if (type != NST_TYPE_DATA || msg->msg_controllen) {
		int err = put_cmsg(msg, SOL_NST, NST_GET_RECORD_TYPE,
				   sizeof(type), &type);

		if (type != NST_TYPE_DATA &&
		    (err || (msg->msg_flags & MSG_CTRUNC))) {
			msg->msg_flags &= ~MSG_CTRUNC;
			return -EIO;
		}
	}
	call->type = type;
	return 0;
}

static void drop_plain(struct nst_tcp *nst, struct sk_buff *skb)
{
	__skb_unlink(skb, &nst->plain);
	nst->plain_mem -= skb->truesize;
	if (nst_plain(skb)->paid)
		nst->plain_paid -= skb->truesize;
	kfree_skb(skb);
}

/* Copy up to @n bytes of @skb, behind @off, to the reader. */
static int copy_plain(struct rx_call *call, struct sk_buff *skb, u32 off, u32 n)
{
	if (call->flags & MSG_TRUNC)
		return 0;
	return skb_copy_datagram_msg(skb, off, call->msg, n);
}

/* Read one record of the list of plaintext, or what fits of it. */
static int read_one(struct rx_call *call, struct sk_buff *skb, u32 off)
{
	struct nst_tcp *nst = call->nst;
	bool peek = call->flags & MSG_PEEK;
	u32 n = min_t(size_t, skb->len - off, call->len);
	int err = take_type(call, nst_plain(skb)->type);

	if (err || call->done)
		return err;
	if (n && copy_plain(call, skb, off, n))
		return -EFAULT;
	call->len -= n;
	call->copied += n;
	if (off + n == skb->len)
		call->msg->msg_flags |= MSG_EOR;
	else
		call->msg->msg_flags &= ~MSG_EOR;
	if (nst_plain(skb)->type != NST_TYPE_DATA)
		call->done = true;
	if (peek) {
		call->peek += n;
		return 0;
	}
	if (nst_plain(skb)->type == NST_TYPE_DATA)
		WRITE_ONCE(nst->plain_len, nst->plain_len - n);
	nst_plain(skb)->off += n;
	if (nst_plain(skb)->off == skb->len)
		drop_plain(nst, skb);
	return 0;
}

/* Read from the list of plaintext. */
static int read_plain(struct rx_call *call)
{
	struct nst_tcp *nst = call->nst;
	u32 skip = call->peek;
	struct sk_buff *skb, *next;
	int err = 0;

	skb_queue_walk_safe(&nst->plain, skb, next) {
		u32 left = skb->len - nst_plain(skb)->off;

		if (skip && skip >= left) {
			skip -= left;
			continue;
		}
		err = read_one(call, skb, nst_plain(skb)->off + skip);
		skip = 0;
		if (err || call->done || !call->len)
			break;
	}
	return err;
}

/*
 * Receive the next record: data straight into the reader's memory if it reads
 * for good, anything else to the list.
 */
static int receive(struct rx_call *call)
{
	struct nst_rx_want want = { .nowait = !call->timeo };
	bool direct = !(call->flags & (MSG_PEEK | MSG_TRUNC)) &&
		      (call->type < 0 || call->type == NST_TYPE_DATA);
	int got;

	if (direct) {
		want.iter = &call->msg->msg_iter;
		want.room = call->len;
	}
	got = nst_tcp_rx_one(call->nst, &want);
	if (!got) {
		call->fin = want.fin;
		call->shutdown = want.shutdown;
		call->gone = want.gone;
		/* Behind the look the end has come, and perhaps bytes before it. */
		if (!want.gone && nst_tcp_gone(call->sk))
			return 1;
	}
	if (!want.copied)
		return got;
	if (call->type < 0)
		take_type(call, NST_TYPE_DATA);
	call->len -= want.copied;
	call->copied += want.copied;
	if (want.boundary)
		call->msg->msg_flags |= MSG_EOR;
	else
		call->msg->msg_flags &= ~MSG_EOR;
	return got;
}

/*
 * No record is there. Has the stream ended? Returns 1 if cleanly, or because
 * the program itself shut receiving down; 0 if not; else why it has.
 */
static int ended(struct rx_call *call)
{
	struct nst_tcp *nst = call->nst;
	struct sock *sk = call->sk;
	bool started;
	int err;

	if (nst->rx_err)
		return nst->rx_err;
	if (nst->st.rx.closed)
		return 1;
	if (call->fin)
		return nst_tcp_rx_fail(nst, NST_DROP_TRUNCATED, NULL);
	/* What has come to the connection since is for the next look. */
	if (!call->gone)
		return call->shutdown;
	/* As TCP: who has something comes again for it. */
	if (call->copied && READ_ONCE(sk->sk_err))
		return 1;
	started = nst->st.rx.started || READ_ONCE(nst->st.tx_started);
	err = sock_error(sk);
	/* What waited for the program to be told of it may go. */
	if (err && READ_ONCE(nst->tx_out))
		nst_tcp_kick(nst, 0);
	if (!err && sk->sk_state == TCP_CLOSE)
		err = started ? -ECONNRESET : -ENOTCONN;
	/* A connection is lost for good; one that never was may come yet. */
	if (err && started && sk->sk_state == TCP_CLOSE)
		WRITE_ONCE(nst->rx_err, err);
	return err ?: call->shutdown;
}

/* The same, behind what a peek has looked at already. */
static bool more_readable(const struct rx_call *call)
{
	const struct nst_tcp *nst = call->nst;

	if (!call->peek)
		return nst_tcp_readable(nst);
	return READ_ONCE(nst->head.ready) || READ_ONCE(nst->rx_err) ||
	       READ_ONCE(nst->st.rx.closed) || nst_tcp_control_waits(nst) ||
	       READ_ONCE(nst->plain_len) > call->peek;
}

/*
 * A call that is killed meanwhile goes on without the lock. As TCP's, it does not
 * count what passes while it has something to do.
 */
static int rx_relock(struct rx_call *call)
{
	if (mutex_lock_killable(&call->nst->rx_lock))
		return -EINTR;
	call->locked = true;
	call->since = jiffies;
	return 0;
}

/*
 * Sleep, without rx_lock, until there is something to look at. A call that is
 * killed comes back without the lock.
 */
static int wait_readable(struct rx_call *call)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	struct nst_tcp *nst = call->nst;
	struct sock *sk = call->sk;

	if (!call->timeo)
		return -EAGAIN;
	if (signal_pending(current))
		return sock_intr_errno(call->timeo);
	rx_unlock(call);
	lock_sock(sk);
	add_wait_queue(sk_sleep(sk), &wait);
	sk_set_bit(SOCKWQ_ASYNC_WAITDATA, sk);
	sk_wait_event(sk, &call->timeo, more_readable(call) || sk->sk_err ||
		      nst_tcp_rcv_shut(nst), &wait);
	sk_clear_bit(SOCKWQ_ASYNC_WAITDATA, sk);
	remove_wait_queue(sk_sleep(sk), &wait);
	release_sock(sk);
	return rx_relock(call);
}

/*
 * There is no memory for the next record. Returns 0 if the call may try again. If
 * it may not wait, has @enough or is interrupted, whoever reads is told of the
 * record anew, by the worker: they may have heard of all that is there.
 */
static int wait_memory(struct rx_call *call, bool enough)
{
	long pause = min_t(long, call->timeo, NST_TCP_RETRY);
	struct nst_tcp *nst = call->nst;
	int err;

	if (enough || !call->timeo) {
		err = -EAGAIN;
	} else if (signal_pending(current)) {
		err = sock_intr_errno(call->timeo);
	} else {
		rx_unlock(call);
		if (call->timeo != MAX_SCHEDULE_TIMEOUT)
			call->timeo -= pause;
		schedule_timeout_interruptible(pause);
		err = rx_relock(call);
	}
	if (err) {
		set_bit(NST_TCP_STARVED, &nst->flags);
		nst_tcp_kick(nst, NST_TCP_RETRY);
	}
	return err;
}

/* May a peek take yet another record off TCP's queue? */
static bool may_receive(const struct rx_call *call)
{
	if (!(call->flags & MSG_PEEK))
		return true;
	return call->nst->plain_mem < READ_ONCE(call->sk->sk_rcvbuf);
}

/* The time that has passed is time waited. */
static void count_wait(struct rx_call *call)
{
	unsigned long now = jiffies;

	if (call->timeo != MAX_SCHEDULE_TIMEOUT)
		call->timeo -= min_t(unsigned long, now - call->since,
				     call->timeo);
	call->since = now;
}

/*
 * The peer sends nothing but records without plaintext. Returns 1 if the call
 * goes on, which it does only for a program that wants to wait, for as long as it
 * does. One that does not is told again by the worker of what may stand behind
 * them.
 */
static int pause_flood(struct rx_call *call, size_t target)
{
	unsigned long since;
	int err;

	if (signal_pending(current))
		return sock_intr_errno(call->timeo);
	count_wait(call);
	if (!call->timeo || call->copied >= target) {
		set_bit(NST_TCP_STARVED, &call->nst->flags);
		nst_tcp_kick(call->nst, 0);
		return -EAGAIN;
	}
	/* Others want the lock: to read, or to set keys. */
	since = call->since;
	rx_unlock(call);
	cond_resched();
	err = rx_relock(call);
	call->since = since;
	return err ?: 1;
}

/* Receive a record; of those that bring the call nothing not too many at once. */
static int receive_some(struct rx_call *call, size_t target, unsigned int *nr)
{
	size_t copied = call->copied;
	int err = receive(call);

	if (err <= 0 || call->copied != copied ||
	    !skb_queue_empty(&call->nst->plain)) {
		*nr = 0;
		call->since = jiffies;
		return err;
	}
	return ++*nr < NST_TCP_BATCH ? err : pause_flood(call, target);
}

/* Read until @target bytes are there. Under rx_lock, see wait_readable(). */
static int recv_loop(struct rx_call *call, size_t target)
{
	bool waited = false;
	unsigned int nr = 0;
	int err;

	/* A call that takes no byte waits all the same, but once, as TCP's does. */
	while (call->len || call->type < 0) {
		err = read_plain(call);
		if (err || call->done || (!call->len && call->type >= 0))
			return err;
		err = may_receive(call) ? receive_some(call, target, &nr) : 0;
		if (err == -ENOMEM && !call->nst->rx_err)
			err = wait_memory(call, call->copied >= target) ?: 1;
		if (err > 0)
			continue;
		if (err || call->copied >= target)
			return err;
		if (waited && !call->len)
			return 0;
		err = ended(call);
		if (err)
			return err < 0 ? err : 0;
		if (!may_receive(call))
			return 0;
		err = wait_readable(call);
		if (err)
			return err;
		waited = true;
	}
	return 0;
}

/*
 * Tell of what comes behind what a call has taken. To a program with
 * edge-triggered epoll a short read says that nothing is left; so is FIONREAD
 * if it has read all that was counted.
 */
static void tell_next(const struct rx_call *call)
{
	struct nst_tcp *nst = call->nst;
	struct sk_buff *skb = skb_peek(&nst->plain);
	bool data;

	if (call->type < 0 || (call->flags & MSG_PEEK))
		return;
	if (!skb && !READ_ONCE(nst->head.ready))
		return;
	data = skb ? nst_plain(skb)->type == NST_TYPE_DATA :
		     READ_ONCE(nst->head.ahead.bytes);
	if (!data || call->type != NST_TYPE_DATA)
		nst->data_ready(call->sk);
}

/*
 * nst_tcp_recvmsg() - proto.recvmsg
 *
 * One call returns data of any number of records, or one record of another
 * type with its type in a control message.
 *
 * Context: process.
 * Return: bytes; 0 at the end of the stream; an errno.
 */
NST_RECVMSG(nst_tcp_recvmsg)
{
	struct nst_tcp *nst = nst_tcp(sk);
	struct rx_call call = {
		.nst = nst, .sk = sk, .msg = msg, .len = len, .flags = flags,
		.type = -1, .timeo = sock_rcvtimeo(sk, flags & MSG_DONTWAIT),
		.since = jiffies,
	};
	struct nst_tcp_scope scope;
	size_t target;
	int err;

	if (!nst)
		return -EIO;
	if (flags & MSG_ERRQUEUE)
		return nst->base->recvmsg NST_RECVMSG_PASS(sk, msg, len, flags);
	if (flags & MSG_OOB)
		return -EOPNOTSUPP;
	nst_tcp_inherit_now(nst);
	if (!READ_ONCE(nst->st.rx.conf))
		return -ENOKEY;
	if (READ_ONCE(sk->sk_state) == TCP_LISTEN)
		return -ENOTCONN;
	if (mutex_lock_interruptible(&nst->rx_lock))
		return sock_intr_errno(call.timeo);
	target = min_t(size_t, READ_ONCE(nst->rcvlowat), len);
	call.locked = true;
	scope = nst_tcp_scope_begin(sk, false);
	err = recv_loop(&call, (flags & MSG_WAITALL ? len : target) ?: 1);
	nst_tcp_scope_end(&scope);
	if (call.locked) {
		nst_tcp_rx_settle(nst);
		tell_next(&call);
	}
	rx_unlock(&call);
	if (call.type < 0 || call.type == NST_TYPE_DATA)
		return call.copied ?: err;
	return err && !call.copied ? err : call.copied;
}

/**
 * nst_tcp_drain() - take records without plaintext off the queue
 * @nst: the socket, about to be closed
 *
 * TCP answers unread bytes with a reset when it is closed; a START, a close
 * record or an empty one is nothing that a program has failed to read.
 *
 * Context: process, under rx_lock.
 */
void nst_tcp_drain(struct nst_tcp *nst)
{
	u32 left = nst_tcp_queued(nst->sk) / NST_WIRE_HDR_LEN + 1;
	struct nst_rx_want want = {};
	struct nst_tcp_scope scope;

	lockdep_assert_held(&nst->rx_lock);
	set_bit(NST_TCP_CLOSED, &nst->flags);
	if (!nst->st.rx.conf)
		return;
	scope = nst_tcp_scope_begin(nst->sk, false);
	/* All that are there now, and not what a peer goes on to send. */
	while (left-- && nst_tcp_rx_one(nst, &want) > 0)
		cond_resched();
	nst_tcp_scope_end(&scope);
}
