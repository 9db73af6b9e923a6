// SPDX-License-Identifier: GPL-2.0
/*
 * Reading is UDP's own, for what stands in the receive queue is plaintext. Only
 * the record type is not, and UDP does not say which datagram it has read. So
 * a reader who has room for control messages looks at the next datagram and
 * then reads it, while no other reader can be between the two.
 *
 * UDP is asked not to wait then; waiting is done here, without the lock.
 */
#include <linux/ipv6.h>
#include <linux/nst.h>
#include <linux/udp.h>
#include <net/compat.h>
#include <net/udp.h>
#include "udp/recv.h"
#include "udp/rx.h"

/* The first datagram behind @off bytes, as UDP counts them; < 0: the first. */
static struct sk_buff *find(const struct sk_buff_head *queue, int *off)
{
	struct sk_buff *skb;

	lockdep_assert_held(&queue->lock);
	skb_queue_walk(queue, skb) {
		if (*off < 0 || *off < skb->len || (!*off && !skb->peeked))
			return skb;
		*off -= skb->len;
	}
	return NULL;
}

/* Its type, and a hold of it if wanted; under the lock of its queue. */
static int note(struct sk_buff *skb, struct sk_buff **held)
{
	if (!skb)
		return -EAGAIN;
	if (held)
		*held = skb_get(skb);
	return nst_udp_type_of(skb);
}

/*
 * Looks at the datagram that a read with @flags takes, and leaves no trace: UDP
 * does not peek twice at an empty one. Returns its type, and keeps hold of it by
 * *@held unless that is NULL; or -EAGAIN if there is none, and *@last is the end of
 * the queue.
 */
static int look(struct sock *sk, int flags, struct sk_buff **held,
		const struct sk_buff **last)
{
	struct sk_buff_head *seen = &udp_sk(sk)->reader_queue;
	struct sk_buff_head *queue = &sk->sk_receive_queue;
	int off = flags & MSG_PEEK ? READ_ONCE(sk->sk_peek_off) : -1;
	struct sk_buff *skb;
	int type;

	spin_lock_bh(&seen->lock);
	skb = find(seen, &off);
	if (!skb) {
		/* In this order UDP moves datagrams from one to the other. */
		spin_lock(&queue->lock);
		type = note(find(queue, &off), held);
		*last = queue->prev;
		spin_unlock(&queue->lock);
	} else {
		type = note(skb, held);
	}
	spin_unlock_bh(&seen->lock);
	return type;
}

/* Waits for a datagram: 1; 0 if none will come; or an errno. */
static int wait_for_more(struct sock *sk, int flags, long *timeo)
{
	struct sk_buff_head *queue = &sk->sk_receive_queue;
	const struct sk_buff *last = NULL;
	int err = -EAGAIN;

	do {
		if (look(sk, flags, NULL, &last) >= 0)
			return 1;
	} while (*timeo &&
		 !__skb_wait_for_more_packets(sk, queue, &err, timeo, last));
	return err;
}

/*
 * Has the program asked to be told of the path's MTU? UDP does that by a call of its
 * own, whenever there is one to tell.
 */
static bool wants_pmtu(const struct sock *sk)
{
#if IS_ENABLED(CONFIG_IPV6)
	return sk->sk_family == AF_INET6 && inet6_sk(sk)->rxopt.bits.rxpmtu;
#else
	return false;
#endif
}

static bool has_pmtu(const struct sock *sk)
{
#if IS_ENABLED(CONFIG_IPV6)
	return wants_pmtu(sk) && READ_ONCE(inet6_sk(sk)->rxpmtu);
#else
	return false;
#endif
}

/*
 * A read gave 0 bytes: of @held, or was the path's MTU told, which has come since
 * the look? An empty one that is only peeked at, and not for the first time, is
 * where it was either way: that this was a path's MTU is taken to be the rarer.
 */
static bool was_pmtu(struct sock *sk, int flags, const struct sk_buff *held)
{
	const struct sk_buff *last;
	struct sk_buff *now = NULL;
	bool same;

	if ((flags & MSG_PEEK) && !held->len)
		return false;
	look(sk, flags, &now, &last);
	same = now == held;
	consume_skb(now);
	return same;
}

/*
 * The type is told if it is not data, and also of data where that takes no room
 * from what UDP has to tell.
 */
static void put_type(struct msghdr *msg, u8 type)
{
	size_t room = CMSG_LEN(sizeof(type));

#ifdef CONFIG_COMPAT
	if (msg->msg_flags & MSG_CMSG_COMPAT)
		room = sizeof(struct compat_cmsghdr) + sizeof(type);
#endif
	if (type != NST_TYPE_DATA || msg->msg_controllen >= room)
		put_cmsg(msg, SOL_NST, NST_GET_RECORD_TYPE, sizeof(type),
			 &type);
}

static bool try_lock(struct nst_udp *nst, bool alone)
{
	return alone ? down_write_trylock(&nst->recv_lock) :
		       down_read_trylock(&nst->recv_lock);
}

/* Waits for the lock; 0 if it came. */
static int wait_for_lock(struct nst_udp *nst, bool alone, long *timeo)
{
	long left = 0;

	if (*timeo)
		left = wait_event_interruptible_timeout(nst->recv_wait,
							try_lock(nst, alone),
							*timeo);
	if (left < 0)
		return sock_intr_errno(*timeo);
	*timeo = left;
	return left ? 0 : -EAGAIN;
}

/*
 * Locks out other readers, or those who lock out others. Whoever has the lock
 * may be in a page fault as long as it takes, so a reader waits for it as for a
 * datagram: until his time is up, or a signal comes. A datagram wakes one who
 * waits for it; if that one gives up here, another is to be woken.
 */
static int lock(struct nst_udp *nst, bool alone, long *timeo)
{
	int err;

	if (try_lock(nst, alone))
		return 0;
	err = wait_for_lock(nst, alone, timeo);
	if (!err)
		return 0;
	WRITE_ONCE(nst->recv_refused, true);
	/* Pairs with unlock(): either sees what the other has done. */
	smp_mb();
	return try_lock(nst, alone) ? 0 : err;
}

static void unlock(struct nst_udp *nst, bool alone)
{
	struct sock *sk = nst->sk;

	if (alone)
		up_write(&nst->recv_lock);
	else
		up_read(&nst->recv_lock);
	/* With a barrier, which pairs with lock() and its wait. */
	if (wq_has_sleeper(&nst->recv_wait))
		wake_up_interruptible_all(&nst->recv_wait);
	if (unlikely(READ_ONCE(nst->recv_refused))) {
		WRITE_ONCE(nst->recv_refused, false);
		/* A poller who counts edges would wait for another datagram. */
		sk->sk_data_ready(sk);
	}
}

/*
 * Reads a datagram. Those without room for a control message read beside each
 * other while all that ever came was data. If that has changed meanwhile, this
 * may have been the one to be told of.
 */
static int recv_one(struct nst_udp *nst, bool alone, NST_RECVMSG_ARGS)
{
	struct sk_buff *held = NULL;
	const struct sk_buff *last;
	int ret, type = -1;

	lockdep_assert_held(&nst->recv_lock);
	ret = nst_udp_check(nst);
	if (ret)
		return ret;
	if (alone && !has_pmtu(sk)) {
		type = look(sk, flags, wants_pmtu(sk) ? &held : NULL, &last);
		if (type < 0)
			return sock_error(sk) ?: -EAGAIN;
	}
	ret = nst->base->recvmsg NST_RECVMSG_PASS(sk, msg, len,
						  flags | MSG_DONTWAIT);
	/* What has found no room is a datagram: an MTU report has no bytes to cut off. */
	if (!ret && held && !(msg->msg_flags & MSG_TRUNC) &&
	    was_pmtu(sk, flags, held))
		type = -1;
	consume_skb(held);
	if (ret < 0)
		return ret;
	if (type >= 0)
		put_type(msg, type);
	else if (!alone && READ_ONCE(nst->typed))
		msg->msg_flags |= MSG_CTRUNC;
	return nst_udp_check(nst) ?: ret;
}

/*
 * nst_udp_recvmsg() - proto.recvmsg
 *
 * Context: process.
 * Return: bytes read; -ENOKEY without a key; -EIO if the socket was changed
 * behind the attach; or what UDP says.
 */
NST_RECVMSG(nst_udp_recvmsg)
{
	struct nst_udp *nst = nst_udp(sk);
	bool alone;
	long timeo;
	int ret;

	if (!nst)
		return -EIO;
	/* The kernel's NFS server asks again at once, for ever, but for this. */
	if (unlikely(nst_udp_is_taken(nst)) && (flags & MSG_DONTWAIT) &&
	    rcu_access_pointer(__sk_user_data(sk)))
		return -EAGAIN;
	if (flags & MSG_ERRQUEUE)
		return nst->base->recvmsg
			NST_RECVMSG_PASS(sk, msg, len, flags);
	if (!rcu_access_pointer(nst->rx))
		return -ENOKEY;
	timeo = sock_rcvtimeo(sk, flags & MSG_DONTWAIT);
	for (;;) {
		alone = msg->msg_controllen || READ_ONCE(nst->typed);
		ret = lock(nst, alone, &timeo);
		if (ret)
			return ret;
		ret = recv_one(nst, alone, NST_RECVMSG_GIVE);
		unlock(nst, alone);
		if (ret != -EAGAIN || !timeo)
			return ret;
		ret = wait_for_more(sk, flags, &timeo);
		if (ret <= 0)
			return ret;
	}
}
