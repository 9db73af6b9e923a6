// SPDX-License-Identifier: GPL-2.0
/*
 * Reading is UDP's own, for what stands in the receive queue is plaintext. Only
 * the record type is not, and UDP does not say which datagram it has read. So
 * a reader who has room for control messages looks at the next datagram and
 * then reads it, while no other reader can be between the two.
 *
 * UDP is asked not to wait then; waiting is done here, without the lock.
 */
#include <linux/nst.h>
#include <linux/udp.h>
#include <net/udp.h>
#include "udp_recv.h"
#include "udp_rx.h"

/*
 * Looks at the datagram that comes next; waits for one unless told not to.
 * Returns 1 and its type; 0 if none will come; or an errno.
 */
static int next_type(struct sock *sk, int flags, u8 *type)
{
	int off = sk_peek_offset(sk, flags);
	struct sk_buff *skb;
	int err = 0;

	skb = __skb_recv_udp(sk, (flags & MSG_DONTWAIT) | MSG_PEEK, &off, &err);
	if (!skb)
		return err;
	*type = nst_udp_type_of(skb);
	consume_skb(skb);
	return 1;
}

/*
 * The type is told if it is not data, and also of data where that takes no room
 * from what UDP has to tell.
 */
static void put_type(struct msghdr *msg, u8 type)
{
	if (type != NST_TYPE_DATA ||
	    msg->msg_controllen >= CMSG_SPACE(sizeof(type)))
		put_cmsg(msg, SOL_NST, NST_GET_RECORD_TYPE, sizeof(type),
			 &type);
}

/*
 * For readers without room for a control message, while all that ever came was
 * data: any number at a time. If that has changed meanwhile, this may have been
 * the one to be told of.
 */
static int recv_plain(struct nst_udp *nst, NST_RECVMSG_ARGS)
{
	int ret;

	if (down_read_interruptible(&nst->recv_lock))
		return -ERESTARTSYS;
	ret = nst->base->recvmsg NST_RECVMSG_PASS(sk, msg, len, flags);
	up_read(&nst->recv_lock);
	if (ret >= 0 && READ_ONCE(nst->typed))
		msg->msg_flags |= MSG_CTRUNC;
	return ret;
}

/* For the others: one at a time, and nobody else. */
static int recv_typed(struct nst_udp *nst, NST_RECVMSG_ARGS)
{
	u8 type = NST_TYPE_DATA;
	int ret;

	if (down_write_killable(&nst->recv_lock))
		return -ERESTARTSYS;
	ret = next_type(sk, flags, &type);
	if (ret >= 0)
		ret = nst->base->recvmsg
			NST_RECVMSG_PASS(sk, msg, len, flags);
	up_write(&nst->recv_lock);
	if (ret >= 0)
		put_type(msg, type);
	return ret;
}

/*
 * nst_udp_recvmsg() - proto.recvmsg
 *
 * Context: process.
 * Return: bytes read; -ENOKEY without a key; or what UDP says.
 */
NST_RECVMSG(nst_udp_recvmsg)
{
	struct nst_udp *nst = nst_udp(sk);
	bool wait = !(flags & MSG_DONTWAIT);
	u8 type;
	int ret;

	if (!nst)
		return -EIO;
	if (flags & MSG_ERRQUEUE)
		return nst->base->recvmsg
			NST_RECVMSG_PASS(sk, msg, len, flags);
	if (!rcu_access_pointer(nst->rx))
		return -ENOKEY;
	for (;;) {
		flags |= MSG_DONTWAIT;
		if (msg->msg_controllen || READ_ONCE(nst->typed))
			ret = recv_typed(nst, NST_RECVMSG_GIVE);
		else
			ret = recv_plain(nst, NST_RECVMSG_GIVE);
		if (ret != -EAGAIN || !wait)
			return ret;
		ret = next_type(sk, flags & ~MSG_DONTWAIT, &type);
		if (ret <= 0)
			return ret;
	}
}
