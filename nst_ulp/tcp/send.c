// SPDX-License-Identifier: GPL-2.0
/*
 * From sendmsg() to a record: a call waits until it may send, gathers, and has the
 * record sealed and handed to TCP (tx.c).
 */
#include <linux/tcp.h>
#include <linux/uio.h>
#include <net/tcp.h>
#include "compat_tcp.h"
#include "tcp/inherit.h"
#include "tcp/mem.h"
#include "tcp/send.h"
#include "tcp/tx.h"
#include "tcp/txrec.h"

#define TX_FLAGS (MSG_MORE | MSG_EOR | MSG_DONTWAIT | MSG_NOSIGNAL |	\
		  MSG_CMSG_COMPAT | MSG_DONTROUTE | MSG_CONFIRM |	\
		  MSG_BATCH | MSG_WAITALL | MSG_SPLICE_PAGES |		\
		  NST_SENDPAGE_FLAGS)

/**
 * struct tx_call - one send under way
 * @nst: the socket
 * @sk: the same
 * @iter: what is left to be sent
 * @flags: MSG_*
 * @type: the type of its records
 * @timeo: jiffies that it may still wait
 * @locked: tx_lock is held
 * @done: all is sent or in the open record
 */
struct tx_call {
	struct nst_tcp *nst;
	struct sock *sk;
	struct iov_iter *iter;
	int flags;
	u8 type;
	long timeo;
	bool locked;
	bool done;
};

static int tx_lock(struct tx_call *call)
{
	if (mutex_lock_interruptible(&call->nst->tx_lock))
		return sock_intr_errno(call->timeo);
	call->locked = true;
	return 0;
}

static void tx_unlock(struct tx_call *call)
{
	if (!call->locked)
		return;
	call->locked = false;
	mutex_unlock(&call->nst->tx_lock);
	nst_tcp_rekick(call->nst);
}

static bool is_over(const struct nst_tcp *nst)
{
	const struct sock *sk = nst->sk;

	return READ_ONCE(sk->sk_err) || nst_tcp_tx_is_vain(nst) ||
	       (READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN);
}

static int wait_for_peer(struct sock *sk, struct nst_tcp *nst, long *timeo)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	int err = 0;

	add_wait_queue(sk_sleep(sk), &wait);
	while (!nst_tcp_tx_may_send(nst) && !err) {
		if (is_over(nst))
			err = -EPIPE;
		else if (!*timeo)
			err = -EAGAIN;
		else if (signal_pending(current))
			err = sock_intr_errno(*timeo);
		else
			sk_wait_event(sk, timeo, nst_tcp_tx_may_send(nst) ||
				      is_over(nst), &wait);
	}
	remove_wait_queue(sk_sleep(sk), &wait);
	return err;
}

/* Wait for what nst_tcp_tx_prepare() missed or, if @starved, memory; without tx_lock. */
static int wait(struct tx_call *call, bool starved)
{
	struct nst_tcp *nst = call->nst;
	bool pending = nst->tx_out;
	struct sock *sk = call->sk;
	int err = 0;

	tx_unlock(call);
	lock_sock(sk);
	if (!pending && !nst_tcp_tx_may_send(nst)) {
		err = wait_for_peer(sk, nst, &call->timeo);
	} else if (pending || starved || !sk_stream_memory_free(sk)) {
		set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
		sk_set_bit(SOCKWQ_ASYNC_NOSPACE, sk);
		err = sk_stream_wait_memory(sk, &call->timeo);
		/* As TCP: who waits for an edge gets it from no acknowledgment. */
		if (err == -EAGAIN && starved &&
		    tcp_rtx_and_write_queues_empty(sk))
			sk->sk_write_space(sk);
	}
	release_sock(sk);
	return err ?: tx_lock(call);
}

/* Come to where a record can be gathered or, without @room, sealed. */
static int get_ready(struct tx_call *call, bool room)
{
	int err;

	while ((err = nst_tcp_tx_prepare(call->nst, room)) == -EAGAIN || err == -ENOMEM) {
		err = wait(call, err == -ENOMEM);
		if (err)
			break;
	}
	return err;
}

static bool is_connected(const struct sock *sk)
{
	return (1 << READ_ONCE(sk->sk_state)) & (TCPF_ESTABLISHED |
						 TCPF_CLOSE_WAIT);
}

static int wait_connected(struct tx_call *call)
{
	struct nst_tcp *nst = call->nst;
	struct sock *sk = call->sk;
	bool evicting;
	int err = 0;

	if (is_connected(sk))
		return 0;
	lock_sock(sk);
	while (!err && !is_connected(sk)) {
		evicting = nst->evicting;
		err = sk_stream_wait_connect(sk, &call->timeo);
		if (!err)
			break;
		/* The end of an eviction looks like a disconnect to who waits. */
		if (err == -EPIPE && evicting && !nst->evicting)
			err = 0;
	}
	release_sock(sk);
	return err;
}

/*
 * May what was gathered be sealed? Then it has to be held if TCP does not take it,
 * so short of memory TCP must be able to: as much as is there, or as it forces
 * for a socket that has nothing under way.
 */
static bool may_seal(struct nst_tcp *nst)
{
	struct sock *sk = nst->sk;
	bool may;

	if (likely(!tcp_under_memory_pressure(sk)))
		return true;
	lock_sock(sk);
	may = !sk->sk_wmem_queued || nst_tcp_mem_reserve(nst);
	release_sock(sk);
	return may;
}

/* How a call with @flags may take plaintext, if the record is @full then. */
static enum nst_txrec_from take_how(int flags, bool full)
{
	if (flags & MSG_SPLICE_PAGES)
		return NST_TXREC_SPLICE;
	/* Behind its send() a program may write to its memory again. */
	return (flags & MSG_MORE) && !full ? NST_TXREC_COPY : NST_TXREC_PIN;
}

/* What a call has gathered is not sent; what was open before stays. */
static void ungather(struct nst_tcp *nst, struct iov_iter *iter,
		     unsigned int before, unsigned int got)
{
	if (!nst->tx_open)
		return;
	iov_iter_revert(iter, got);
	nst_txrec_trim(nst->tx_open, before);
	if (!before) {
		nst_txrec_put(nst->tx_open);
		nst->tx_open = NULL;
	}
	nst_tcp_tx_settle(nst);
}

/*
 * Gather into the open record, a new one if need be, and seal and push it
 * unless it stays open for more. Returns the bytes taken.
 */
static int send_data(struct tx_call *call)
{
	struct nst_tcp *nst = call->nst;
	u32 max = READ_ONCE(nst->record_max);
	bool more = call->flags & MSG_MORE;
	unsigned int before, want;
	int got, err = 0;

	/* Whatever becomes of one that is full already, come back. */
	if (nst->tx_open && nst->tx_open->len >= max)
		return nst_tcp_tx_flush(nst);
	if (!nst->tx_open)
		nst->tx_open = nst_txrec_get(NST_TYPE_DATA);
	if (!nst->tx_open)
		return -ENOMEM;
	before = nst->tx_open->len;
	want = min_t(size_t, iov_iter_count(call->iter), max - before);
	got = nst_txrec_gather(nst->tx_open, call->iter, want,
			       take_how(call->flags, before + want == max));
	call->done = !iov_iter_count(call->iter);
	if (got < 0)
		err = got;
	else if (!more || !call->done || nst->tx_open->len == max ||
		 nst_txrec_full(nst->tx_open))
		err = may_seal(nst) ? nst_tcp_tx_flush(nst) : -ENOMEM;
	else
		err = nst_tcp_tx_keep_open(nst);
	if (!err)
		return got;
	call->done = false;
	ungather(nst, call->iter, before, max(got, 0));
	return err;
}

/*
 * Send all in one record, or nothing. What is open goes first. Returns the bytes
 * sent.
 */
static int send_control(struct tx_call *call)
{
	int size = iov_iter_count(call->iter), got, err;
	struct nst_tcp *nst = call->nst;
	struct nst_txrec *rec;

	if (nst->tx_open)
		return nst_tcp_tx_flush(nst);
	rec = nst_txrec_get(call->type);
	if (!rec)
		return -ENOMEM;
	/* Copies always find a piece, so less than all is want of memory. */
	got = nst_txrec_gather(rec, call->iter, size, NST_TXREC_COPY);
	if (got == size) {
		err = nst_tcp_tx_send(nst, rec);
	} else {
		nst_txrec_put(rec);
		err = got < 0 ? got : -ENOMEM;
	}
	call->done = !err;
	if (err)
		iov_iter_revert(call->iter, max(got, 0));
	return err ?: got;
}

/*
 * A call that brings nothing is told of errors as by TCP. Without MSG_MORE
 * nothing stays open: that of which the program was told that it is sent goes,
 * room or not.
 */
static int send_nothing(struct tx_call *call)
{
	struct nst_tcp *nst = call->nst;
	int err = nst_tcp_tx_may_try(nst);

	call->done = true;
	if (err || (call->flags & MSG_MORE) || !nst->tx_open)
		return err;
	err = get_ready(call, false);
	/* Meanwhile another call may have sent it. */
	if (!err && nst->tx_open)
		err = nst_tcp_tx_flush(nst);
	call->done = err != -ENOMEM;
	return err;
}

/*
 * The next step of a call. Returns the bytes taken; -ENOMEM if nothing has
 * changed for want of memory.
 */
static int send_step(struct tx_call *call)
{
	int err;

	if (call->type == NST_TYPE_DATA && !iov_iter_count(call->iter))
		return send_nothing(call);
	err = get_ready(call, true);
	if (err)
		return err;
	return call->type == NST_TYPE_DATA ? send_data(call) :
					     send_control(call);
}

static int send_iter(struct sock *sk, struct iov_iter *iter, int flags, u8 type)
{
	struct tx_call call = {
		.nst = nst_tcp(sk), .sk = sk, .iter = iter, .flags = flags,
		.type = type,
		.timeo = sock_sndtimeo(sk, flags & MSG_DONTWAIT),
	};
	struct nst_tcp_scope scope = nst_tcp_scope_begin(sk, false);
	size_t sent = 0;
	int err, got;
	bool told;

	nst_tcp_inherit_now(call.nst);
	err = wait_connected(&call) ?: tx_lock(&call);
	while (!err && !call.done) {
		got = send_step(&call);
		if (got == -ENOMEM)
			err = wait(&call, true);
		else if (got < 0)
			err = got;
		else
			sent += got;
	}
	tx_unlock(&call);
	nst_tcp_scope_end(&scope);
	if (sent || !err)
		return sent;
	told = err == -EPIPE && READ_ONCE(sk->sk_err);
	err = sk_stream_error(sk, flags, err);
	/* What waited for the program to be told of it may go. */
	if (told && READ_ONCE(call.nst->tx_out))
		nst_tcp_kick(call.nst, 0);
	return err;
}

/*
 * The record type that the call asks for, or an errno. The socket layer's own
 * messages are judged as TCP judges them, and have no effect; what belongs to
 * other levels is none of ours.
 */
static int record_type(struct sock *sk, struct msghdr *msg)
{
	struct sockcm_cookie unused;
	int type = NST_TYPE_DATA;
	struct cmsghdr *cmsg;

	sockcm_init(&unused, sk);
	if (sock_cmsg_send(sk, msg, &unused))
		return -EINVAL;
	for_each_cmsghdr(cmsg, msg) {
		if (cmsg->cmsg_level != SOL_NST)
			continue;
		if (cmsg->cmsg_type != NST_SET_RECORD_TYPE ||
		    cmsg->cmsg_len != CMSG_LEN(sizeof(u8)))
			return -EINVAL;
		type = *(u8 *)CMSG_DATA(cmsg);
		if (type != NST_TYPE_DATA && type < NST_TYPE_APP_MIN)
			return -EINVAL;
	}
	return type;
}

/**
 * nst_tcp_sendmsg() - proto.sendmsg
 * @sk: the socket
 * @msg: what to send
 * @size: bytes of it
 *
 * Context: process.
 * Return: bytes taken, which are sealed or, with MSG_MORE, in the open record;
 * or an errno.
 */
int nst_tcp_sendmsg(struct sock *sk, struct msghdr *msg, size_t size)
{
	struct nst_tcp *nst = nst_tcp(sk);
	int flags = msg->msg_flags, type = NST_TYPE_DATA;

	if (!nst)
		return -EIO;
	if (flags & ~TX_FLAGS)
		return -EOPNOTSUPP;
	if ((flags & MSG_MORE) && (flags & MSG_EOR))
		return -EINVAL;
	if (msg->msg_controllen) {
		type = record_type(sk, msg);
		if (type < 0)
			return type;
	}
	if (type != NST_TYPE_DATA) {
		if (flags & MSG_MORE)
			return -EINVAL;
		if (size > READ_ONCE(nst->record_max))
			return -EMSGSIZE;
	}
	return send_iter(sk, &msg->msg_iter, flags, type);
}

#ifdef NST_HAVE_SENDPAGE
/**
 * nst_tcp_sendpage() - proto.sendpage: one page of a file or pipe
 * @sk: the socket
 * @page: the page, borrowed until its record is sealed
 * @offset: in it
 * @size: bytes
 * @flags: MSG_*
 *
 * Context: process.
 * Return: bytes taken or an errno.
 */
int nst_tcp_sendpage(struct sock *sk, struct page *page, int offset,
		     size_t size, int flags)
{
	struct bio_vec bvec;
	struct iov_iter iter;

	if (!nst_tcp(sk))
		return -EIO;
	if (flags & ~TX_FLAGS)
		return -EOPNOTSUPP;
	if (flags & MSG_SENDPAGE_NOTLAST)
		flags |= MSG_MORE;
	bvec.bv_page = page;
	bvec.bv_offset = offset;
	bvec.bv_len = size;
	iov_iter_bvec(&iter, ITER_SOURCE, &bvec, 1, size);
	return send_iter(sk, &iter, flags | MSG_SPLICE_PAGES, NST_TYPE_DATA);
}
#endif

/**
 * nst_tcp_splice_eof() - proto_ops.splice_eof: a splice has ended early
 * @sock: the socket
 *
 * Context: process.
 */
void nst_tcp_splice_eof(struct socket *sock)
{
	struct nst_tcp *nst = nst_tcp(sock->sk);
	struct iov_iter iter;
	struct kvec none = {};

	if (!nst)
		return;
	iov_iter_kvec(&iter, ITER_SOURCE, &none, 1, 0);
	send_iter(sock->sk, &iter, MSG_DONTWAIT | MSG_NOSIGNAL, NST_TYPE_DATA);
	/* It could not go yet, and no call need come behind it. */
	if (READ_ONCE(nst->tx_open)) {
		set_bit(NST_TCP_FLUSH, &nst->flags);
		nst_tcp_kick(nst, NST_TCP_RETRY);
	}
}
