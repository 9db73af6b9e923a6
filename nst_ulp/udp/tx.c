// SPDX-License-Identifier: GPL-2.0
/*
 * Sending. The plaintext is copied into a buffer and sealed there, and UDP's own
 * sendmsg sends that, so addresses, routes, options, limits and errors are
 * UDP's. With UDP_SEGMENT each segment becomes a record of its own; UDP cuts the
 * buffer where they meet.
 */
#include <linux/err.h>
#include <linux/nst.h>
#include <linux/slab.h>
#include <linux/udp.h>
#include <net/ipv6.h>
#include <net/udp.h>
#include "limits.h"
#include "udp/buf.h"
#include "udp/epoch.h"
#include "udp/room.h"
#include "udp/tx.h"

/* How often UDP is asked again that has found no room where some was promised. */
#define SEND_TRIES	16

/* Bytes of a record on the wire. */
static unsigned int wire_len(u8 suite, unsigned int len)
{
	return NST_WIRE_HDR_LEN + nst_wire_body_len(suite, len);
}

/* How long the datagrams get. */
static void measure(struct nst_udp_send *send, u8 suite)
{
	unsigned int first = send->nr - 1;

	send->wire = first * wire_len(suite, send->segment) +
		     wire_len(suite, send->len - first * send->segment);
}

/* Does it go over IPv4? An IPv6 socket may speak that, too. */
static bool over_ipv4(const struct sock *sk, const struct msghdr *msg)
{
#if IS_ENABLED(CONFIG_IPV6)
	const struct sockaddr_in6 *to = msg->msg_name;

	if (sk->sk_family != AF_INET6)
		return true;
	if (to && msg->msg_namelen >= SIN6_LEN_RFC2133 &&
	    to->sin6_family == AF_INET6)
		return ipv6_addr_v4mapped(&to->sin6_addr);
	if (to && msg->msg_namelen >= sizeof(struct sockaddr_in))
		return to->sin6_family == AF_INET;
	return ipv6_addr_v4mapped(&sk->sk_v6_daddr);
#else
	return true;
#endif
}

/* What UDP would have counted as refused for want of room, or memory. */
static int count_refused(struct sock *sk, const struct msghdr *msg, int err)
{
	bool full = test_bit(SOCK_NOSPACE, &sk->sk_socket->flags);

	if (err == -ENOBUFS || (full && (err == -EAGAIN || err == -EINTR ||
					 err == -ERESTARTSYS)))
		SNMP_INC_STATS(__UDPX_MIB(sk, over_ipv4(sk, msg)),
			       UDP_MIB_SNDBUFERRORS);
	return err;
}

/* What NST understands of the control messages. */
static int read_control(struct msghdr *msg, struct nst_udp_send *send)
{
	struct cmsghdr *cmsg;

	for_each_cmsghdr(cmsg, msg) {
		if (!CMSG_OK(msg, cmsg))
			return -EINVAL;
		if (cmsg->cmsg_level == SOL_UDP &&
		    cmsg->cmsg_type == UDP_SEGMENT) {
			if (cmsg->cmsg_len != CMSG_LEN(sizeof(u16)))
				return -EINVAL;
			send->segment = *(u16 *)CMSG_DATA(cmsg);
			send->rewrite = true;
		}
		if (cmsg->cmsg_level != SOL_NST)
			continue;
		if (cmsg->cmsg_type != NST_SET_RECORD_TYPE ||
		    cmsg->cmsg_len != CMSG_LEN(sizeof(u8)))
			return -EINVAL;
		send->type = *(u8 *)CMSG_DATA(cmsg);
		if (send->type && send->type < NST_TYPE_APP_MIN)
			return -EINVAL;
	}
	return 0;
}

/*
 * The program's control messages again, but for those that are NST's; and where
 * UDP shall cut, which is at the length of a record, not of its plaintext.
 */
static int write_control(struct msghdr *msg, struct nst_udp_send *send, u8 suite)
{
	u16 cut = wire_len(suite, send->segment);
	struct cmsghdr *cmsg, *to;
	size_t used = 0;

	if (!send->rewrite && send->nr == 1)
		return 0;
	send->control = kzalloc(CMSG_ALIGN(msg->msg_controllen) +
				CMSG_SPACE(sizeof(cut)), GFP_KERNEL_ACCOUNT);
	if (!send->control)
		return -ENOMEM;
	for_each_cmsghdr(cmsg, msg) {
		if (cmsg->cmsg_level == SOL_UDP &&
		    cmsg->cmsg_type == UDP_SEGMENT)
			continue;
		memcpy(send->control + used, cmsg, cmsg->cmsg_len);
		used += CMSG_ALIGN(cmsg->cmsg_len);
	}
	send->control_len = used;
	if (send->nr == 1)
		return 0;
	to = send->control + used;
	to->cmsg_level = SOL_UDP;
	to->cmsg_type = UDP_SEGMENT;
	to->cmsg_len = CMSG_LEN(sizeof(cut));
	*(u16 *)CMSG_DATA(to) = cut;
	send->control_len = used + CMSG_SPACE(sizeof(cut));
	return 0;
}

/* Hands @len bytes of the buffer to UDP, with the program's address and options. */
static int try_part(struct nst_udp *nst, const struct msghdr *msg,
		    struct nst_udp_buf *buf, const struct nst_udp_send *send,
		    unsigned int off, unsigned int len)
{
	struct msghdr out = *msg;

	out.msg_flags &= ~(MSG_SPLICE_PAGES | MSG_MORE);
	out.msg_flags |= MSG_DONTWAIT;
	if (send->control) {
		out.msg_control = send->control;
		out.msg_controllen = send->control_len;
		out.msg_control_is_user = false;
	}
	iov_iter_bvec(&out.msg_iter, ITER_SOURCE, buf->vec,
		      DIV_ROUND_UP(off + len, PAGE_SIZE), off + len);
	iov_iter_advance(&out.msg_iter, off);
	return nst->base->sendmsg(nst->sk, &out, len);
}

/*
 * The same, and waits as long as the call may still. There was room, so UDP seldom
 * says that there is none: SO_SNDBUF was lowered, or it takes more than expected.
 */
static int send_part(struct nst_udp *nst, const struct msghdr *msg,
		     struct nst_udp_buf *buf, struct nst_udp_send *send,
		     unsigned int off, unsigned int len)
{
	int ret, tries = 0;

	/* Others than UDP may say so, for whom nobody can wait. */
	do {
		ret = try_part(nst, msg, buf, send, off, len);
		if (likely(ret != -EAGAIN) || !send->timeo ||
		    tries++ == SEND_TRIES)
			return ret;
		ret = nst_udp_room_wait(nst, 0, &send->timeo);
	} while (!ret);
	return ret;
}

/*
 * What UDP takes in one call. The headers of records make a call longer than the
 * program's: what plain UDP would have taken in one may take two.
 */
static unsigned int part_max(const struct nst_udp_send *send, u8 suite)
{
	unsigned int segment = wire_len(suite, send->segment);

	if (send->nr == 1)
		return send->wire;
	return max_t(unsigned int, 1, NST_UDP_PAYLOAD_MAX / segment) * segment;
}

/*
 * Hands the sealed buffer to UDP. Plain UDP takes all segments or none, so when
 * the first part is on its way, another one that fails is lost as datagrams may
 * be. An ICMP error that has come back meanwhile is for the next call.
 */
static int send_buf(struct nst_udp *nst, struct msghdr *msg,
		    struct nst_udp_buf *buf, struct nst_udp_send *send,
		    u8 suite)
{
	unsigned int max = part_max(send, suite), off, n;
	int err, ret;

	ret = send_part(nst, msg, buf, send, 0, min(max, send->wire));
	for (off = max; ret >= 0 && off < send->wire; off += n) {
		n = min(max, send->wire - off);
		err = send_part(nst, msg, buf, send, off, n);
		if (err == -ECONNREFUSED || err == -EHOSTUNREACH)
			WRITE_ONCE(nst->sk->sk_err, -err);
		if (err < 0)
			break;
	}
	return ret < 0 ? ret : send->len;
}

/* Seals what is sent and gives it to UDP. */
static int seal_and_send(struct nst_udp *nst, struct msghdr *msg,
			 struct nst_udp_send *send, struct nst_udp_epoch *epoch,
			 u64 nonce)
{
	u8 suite = epoch->ep.id.suite;
	struct nst_udp_buf *buf;
	int ret;

	measure(send, suite);
	ret = write_control(msg, send, suite);
	if (ret)
		return ret;
	buf = nst_udp_buf_get(send->wire);
	ret = buf ? nst_udp_buf_seal(nst, &buf, send, &msg->msg_iter, epoch,
				     nonce) : -ENOBUFS;
	if (unlikely(ret))
		count_refused(nst->sk, msg, ret);
	else
		ret = send_buf(nst, msg, buf, send, suite);
	if (buf)
		nst_udp_buf_put(buf);
	kfree(send->control);
	if (ret < 0)
		return ret;
	nst_stats_add(nst->nn->stats, NST_MIB_TX_RECORDS, send->nr);
	nst_stats_add(nst->nn->stats, NST_MIB_TX_BYTES, send->len);
	return ret;
}

/* Cuts into segments what plain UDP would cut. */
static int cut(const struct sock *sk, const struct msghdr *msg,
	       struct nst_udp_send *send)
{
	if (!send->segment || send->len <= send->segment)
		return 0;
	if (send->len > NST_UDP_PAYLOAD_MAX &&
	    (send->len > NST_UDP6_PAYLOAD_MAX || over_ipv4(sk, msg)))
		return -EMSGSIZE;
	send->nr = DIV_ROUND_UP(send->len, send->segment);
	return send->nr > UDP_MAX_SEGMENTS ? -EINVAL : 0;
}

static int send_datagrams(struct nst_udp *nst, struct msghdr *msg,
			  unsigned int len)
{
	struct nst_udp_send send = {
		.segment = READ_ONCE(nst->gso_size), .nr = 1, .len = len,
		.timeo = sock_sndtimeo(nst->sk, msg->msg_flags & MSG_DONTWAIT),
	};
	struct nst_udp_epoch *epoch;
	u64 nonce;
	int ret;

	ret = read_control(msg, &send);
	if (ret)
		return ret;
	ret = nst_udp_check(nst) ?: cut(nst->sk, msg, &send);
	if (ret)
		return ret;
	epoch = nst_udp_epoch_take(nst, send.nr, len, &send.timeo, &nonce);
	if (IS_ERR(epoch))
		return count_refused(nst->sk, msg, PTR_ERR(epoch));
	ret = seal_and_send(nst, msg, &send, epoch, nonce);
	nst_udp_epoch_put(epoch);
	nst_udp_room_give(nst, nst_udp_room_for(send.nr, len));
	/* What began before the attach may have put bytes in front of it. */
	return nst_udp_check(nst) ?: ret;
}

/* Sends what was spliced in, or forgets it if that cannot be. */
static int send_spliced(struct nst_udp *nst, int flags)
{
	struct msghdr msg = { .msg_flags = flags };
	struct kvec vec = {
		.iov_base = nst->spliced, .iov_len = nst->spliced_len,
	};
	int ret;

	lockdep_assert_held(&nst->splice_lock);
	iov_iter_kvec(&msg.msg_iter, ITER_SOURCE, &vec, 1, vec.iov_len);
	ret = send_datagrams(nst, &msg, vec.iov_len);
	WRITE_ONCE(nst->spliced_len, 0);
	kvfree(nst->spliced);
	nst->spliced = NULL;
	return ret < 0 ? ret : 0;
}

static int add_spliced(struct nst_udp *nst, struct iov_iter *iter,
		       unsigned int len, int flags)
{
	if (!nst->spliced)
		nst->spliced = kvmalloc(NST_UDP_PAYLOAD_MAX,
					GFP_KERNEL_ACCOUNT);
	if (!nst->spliced)
		return -ENOBUFS;
	if (len > NST_UDP_PAYLOAD_MAX - nst->spliced_len) {
		WRITE_ONCE(nst->spliced_len, 0);
		return -EMSGSIZE;
	}
	if (!copy_from_iter_full(nst->spliced + nst->spliced_len, len, iter))
		return -EFAULT;
	WRITE_ONCE(nst->spliced_len, nst->spliced_len + len);
	return flags & MSG_MORE ? 0 : send_spliced(nst, flags);
}

/* Whoever has the lock finishes what splice_eof() did not wait for. */
static void splice_unlock(struct nst_udp *nst)
{
	do {
		if (xchg(&nst->splice_ended, false) && nst->spliced_len)
			send_spliced(nst, MSG_DONTWAIT);
		mutex_unlock(&nst->splice_lock);
		/* Pairs with nst_udp_splice_eof(). */
		smp_mb();
	} while (READ_ONCE(nst->splice_ended) &&
		 mutex_trylock(&nst->splice_lock));
}

static int splice_lock(struct nst_udp *nst, int flags)
{
	/* Who has it may be in a page fault. */
	if (flags & MSG_DONTWAIT)
		return mutex_trylock(&nst->splice_lock) ? 0 : -EAGAIN;
	return mutex_lock_interruptible(&nst->splice_lock) ? -ERESTARTSYS : 0;
}

/*
 * A file or pipe comes in pieces, which together are one datagram, as in plain
 * UDP. So what is spliced in is gathered until a piece comes without MSG_MORE.
 * What is sent meanwhile joins it, but for what is of another type: that is sent by
 * itself, to its own address, and so is @msg if the rest has gone before it.
 */
static int splice(struct nst_udp *nst, struct msghdr *msg, unsigned int len)
{
	bool more = msg->msg_flags & MSG_MORE;
	struct nst_udp_send send = {};
	int ret = read_control(msg, &send);

	if (ret)
		return ret;
	if (more && send.type != NST_TYPE_DATA)
		return -EOPNOTSUPP;
	ret = splice_lock(nst, msg->msg_flags);
	if (ret)
		return ret;
	if (!more && (!nst->spliced_len || send.type != NST_TYPE_DATA)) {
		splice_unlock(nst);
		return send_datagrams(nst, msg, len);
	}
	ret = add_spliced(nst, &msg->msg_iter, len, msg->msg_flags);
	splice_unlock(nst);
	return ret ?: len;
}

/**
 * nst_udp_sendmsg() - proto.sendmsg
 * @sk: the socket
 * @msg: what to send, where to and how
 * @len: bytes of it
 *
 * Context: process.
 * Return: @len; -ENOKEY without a key; -EOPNOTSUPP for what would gather or not
 * copy (MSG_MORE, MSG_ZEROCOPY); -EMSGSIZE if it does not fit together with the
 * record's header; -EIO if the socket was changed behind the attach; or what UDP
 * says.
 */
int nst_udp_sendmsg(struct sock *sk, struct msghdr *msg, size_t len)
{
	struct nst_udp *nst = nst_udp(sk);
	bool spliced;

	if (!nst)
		return -EIO;
	if (len > 0xffff)
		return -EMSGSIZE;
	if (msg->msg_flags & (MSG_OOB | MSG_ZEROCOPY))
		return -EOPNOTSUPP;
	spliced = NST_SPLICE_FLAG(msg->msg_flags);
	if ((msg->msg_flags & MSG_MORE) && !spliced)
		return -EOPNOTSUPP;
	if (READ_ONCE(nst->spliced_len) || (msg->msg_flags & MSG_MORE))
		return splice(nst, msg, len);
	return send_datagrams(nst, msg, len);
}

#ifdef NST_HAVE_SENDPAGE
/**
 * nst_udp_sendpage() - proto.sendpage
 * @sk: the socket
 * @page: of a file or pipe; only read
 * @offset: in @page
 * @size: bytes of it
 * @flags: MSG_*
 *
 * Context: process.
 * Return: as nst_udp_sendmsg().
 */
int nst_udp_sendpage(struct sock *sk, struct page *page, int offset,
		     size_t size, int flags)
{
	struct nst_udp *nst = nst_udp(sk);
	struct msghdr msg = { .msg_flags = flags & ~NST_SENDPAGE_FLAGS };
	struct bio_vec vec;

	if (!nst)
		return -EIO;
	if (flags & MSG_SENDPAGE_NOTLAST)
		msg.msg_flags |= MSG_MORE;
	bvec_set_page(&vec, page, size, offset);
	iov_iter_bvec(&msg.msg_iter, ITER_SOURCE, &vec, 1, size);
	return splice(nst, &msg, size);
}
#endif

/**
 * nst_udp_splice_eof() - proto.splice_eof: nothing more will be spliced in
 * @sock: the socket
 *
 * Nobody can be told that it has to wait, so if somebody is at it, it is his to
 * send what is there.
 *
 * Context: process.
 */
void nst_udp_splice_eof(struct socket *sock)
{
	struct nst_udp *nst = nst_udp(sock->sk);

	if (!nst || !READ_ONCE(nst->spliced_len))
		return;
	if (mutex_trylock(&nst->splice_lock)) {
		if (nst->spliced_len)
			send_spliced(nst, 0);
		splice_unlock(nst);
		return;
	}
	WRITE_ONCE(nst->splice_ended, true);
	/* Pairs with splice_unlock(): one of the two sees the other. */
	smp_mb();
	if (mutex_trylock(&nst->splice_lock))
		splice_unlock(nst);
}
