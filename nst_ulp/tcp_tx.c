// SPDX-License-Identifier: GPL-2.0
/*
 * From sendmsg() to TCP's write queue.
 *
 * A record goes to TCP whole. As TCP does with one of its buffers, NST begins
 * a record only while the socket has room and then lets it exceed the limit by
 * as much as the record is long. So a full send buffer is met between records,
 * never inside one. Only if the host is out of memory does TCP take a part of a
 * record; the rest of the same sealed bytes follows later.
 */
#include <linux/tcp.h>
#include <linux/uio.h>
#include "compat_tcp.h"
#include "event.h"
#include "tcp_tx.h"
#include "trace.h"
#include "txrec.h"

#define TX_FLAGS (MSG_MORE | MSG_EOR | MSG_DONTWAIT | MSG_NOSIGNAL |	\
		  MSG_CMSG_COMPAT | MSG_DONTROUTE | MSG_CONFIRM |	\
		  MSG_BATCH | MSG_WAITALL | MSG_SPLICE_PAGES |		\
		  NST_SENDPAGE_FLAGS)

/**
 * struct tx_call - one send under way
 * @nst: the socket
 * @sk: the same
 * @timeo: jiffies that it may still wait
 * @locked: tx_lock is held
 */
struct tx_call {
	struct nst_tcp *nst;
	struct sock *sk;
	long timeo;
	bool locked;
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

/* Hand over what TCP has not taken yet of the sealed record. */
static int push_locked(struct nst_tcp *nst, struct nst_txrec *rec)
{
	struct sock *sk = nst->sk;
	unsigned int left = nst_txrec_left(rec);
	int sndbuf = READ_ONCE(sk->sk_sndbuf), n;

	sock_owned_by_me(sk);
	if (!sk->sk_socket || test_bit(NST_TCP_DEAD, &nst->flags))
		return -EPIPE;
	if (!nst_tcp_intact(nst)) {
		/* The worker resets the connection: it may take rx_lock. */
		set_bit(NST_TCP_TORN, &nst->flags);
		nst_tcp_kick(nst, 0);
		return -EPROTO;
	}
	nst_tcp_mark(nst, left);
	/* A record was begun, so it goes in whole; see the top. */
	WRITE_ONCE(sk->sk_sndbuf, INT_MAX);
	set_bit(NST_TCP_PUSHING, &nst->flags);
	n = nst_compat_send_pages(sk, rec->out, rec->nr_out, left);
	clear_bit(NST_TCP_PUSHING, &nst->flags);
	nst_tcp_mark(nst, 0);
	/* Under memory pressure TCP may have moderated it meanwhile. */
	WRITE_ONCE(sk->sk_sndbuf, min(sndbuf, READ_ONCE(sk->sk_sndbuf)));
	if (n < 0)
		return n;
	nst_txrec_advance(rec, n);
	return n < left ? -EAGAIN : 0;
}

/* The worker only tries; see "Locking" in tcp_ulp.h. */
static bool own(struct nst_tcp *nst)
{
	if (test_bit(NST_TCP_WORKER, &nst->flags))
		return nst_tcp_trylock(nst->sk);
	lock_sock(nst->sk);
	return true;
}

/*
 * Push the sealed record. 0: it is gone. -EAGAIN: TCP is out of memory, the
 * record stays and the worker will try again. Else the record is lost and with
 * it the stream.
 */
static int push(struct nst_tcp *nst)
{
	struct nst_txrec *rec = nst->rec;
	int err;

	lockdep_assert_held(&nst->tx_lock);
	err = -EAGAIN;
	if (own(nst)) {
		err = push_locked(nst, rec);
		release_sock(nst->sk);
	}
	if (err == -EAGAIN || err == -ENOMEM || err == -ENOBUFS) {
		nst_tcp_kick(nst, NST_TCP_RETRY);
		return -EAGAIN;
	}
	nst->rec = NULL;
	nst_txrec_put(rec);
	if (err)
		nst->st.tx.closed = true;
	return err;
}

/* Seal the open record and push it. -EAGAIN as for push(). */
static int flush(struct nst_tcp *nst)
{
	struct nst_txrec *rec = nst->rec;
	bool limit = nst_stream_tx_at_limit(&nst->st);
	u32 epochs = nst->st.tx.epochs;
	struct nst_hdr hdr;
	int err;

	lockdep_assert_held(&nst->tx_lock);
	err = nst_txrec_seal(rec, &nst->st, &hdr);
	nst_tcp_watch(nst);
	if (err && nst->st.tx.closed) {
		nst->rec = NULL;
		nst_txrec_put(rec);
	}
	if (err)
		return err;
	if (epochs != nst->st.tx.epochs) {
		trace_nst_epoch(nst->sk, true, hdr.suite, hdr.kid, hdr.epoch,
				hdr.bound);
		if (limit)
			nst_event_limit(sock_net(nst->sk), hdr.kid);
	}
	trace_nst_record_out(nst->sk, hdr.type, hdr.len, hdr.nonce, hdr.kid,
			     hdr.epoch);
	err = push(nst);
	if (err == -EAGAIN)
		nst_stats_inc(nst->st.nn->stats, NST_MIB_TX_DEFERRED);
	return err;
}

/* A record without a body: START or close. */
static int send_empty(struct nst_tcp *nst, u8 type)
{
	int err;

	nst->rec = nst_txrec_get(type);
	if (!nst->rec)
		return -ENOMEM;
	err = flush(nst);
	if (err && nst->rec && !nst->rec->sealed) {
		nst_txrec_put(nst->rec);
		nst->rec = NULL;
	}
	/* Sealed and not whole with TCP yet is as good as sent. */
	return err == -EAGAIN ? 0 : err;
}

static bool may_send(const struct nst_tcp *nst)
{
	const struct nst_stream *st = &nst->st;

	return !(READ_ONCE(st->flags) & NST_F_STRICT) ||
	       nst_stream_tx_bindable(st);
}

/*
 * Send what must go out before the next record can. -EAGAIN if that, the peer
 * or, with @room, the send buffer has to be waited for; else why it is in vain.
 */
static int prepare(struct nst_tcp *nst, bool room)
{
	struct nst_stream *st = &nst->st;
	struct sock *sk = nst->sk;
	int err;

	if (nst->rec && nst->rec->sealed) {
		err = push(nst);
		if (err)
			return err;
	}
	if (!st->tx.conf)
		return -ENOKEY;
	if ((st->flags & NST_F_STRICT) && !READ_ONCE(st->rx.conf))
		return -ENOKEY;
	if (st->tx.closed || test_bit(NST_TCP_SHUT, &nst->flags) ||
	    READ_ONCE(sk->sk_err) ||
	    (READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN))
		return -EPIPE;
	if (nst_stream_tx_wants_start(st)) {
		err = send_empty(nst, NST_TYPE_START);
		if (err)
			return err;
		if (nst->rec)
			return -EAGAIN;
	}
	if (!may_send(nst) || (room && !sk_stream_memory_free(sk)))
		return -EAGAIN;
	return 0;
}

static int wait_for_peer(struct sock *sk, struct nst_tcp *nst, long *timeo)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	int err = 0;

	add_wait_queue(sk_sleep(sk), &wait);
	while (!may_send(nst) && !err) {
		if (sk->sk_err || (sk->sk_shutdown & SEND_SHUTDOWN))
			err = -EPIPE;
		else if (!*timeo)
			err = -EAGAIN;
		else if (signal_pending(current))
			err = sock_intr_errno(*timeo);
		else
			sk_wait_event(sk, timeo, may_send(nst) || sk->sk_err ||
				      (sk->sk_shutdown & SEND_SHUTDOWN), &wait);
	}
	remove_wait_queue(sk_sleep(sk), &wait);
	return err;
}

/* Wait for what prepare() missed, without tx_lock. */
static int wait(struct tx_call *call)
{
	struct nst_tcp *nst = call->nst;
	bool pending = nst->rec && nst->rec->sealed;
	struct sock *sk = call->sk;
	int err = 0;

	tx_unlock(call);
	lock_sock(sk);
	if (!pending && !may_send(nst)) {
		err = wait_for_peer(sk, nst, &call->timeo);
	} else if (pending || !sk_stream_memory_free(sk)) {
		set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
		sk_set_bit(SOCKWQ_ASYNC_NOSPACE, sk);
		err = sk_stream_wait_memory(sk, &call->timeo);
	}
	release_sock(sk);
	return err ?: tx_lock(call);
}

/* Come to where a record can be gathered or, without @room, sealed. */
static int get_ready(struct tx_call *call, bool room)
{
	int err;

	while ((err = prepare(call->nst, room)) == -EAGAIN) {
		err = wait(call);
		if (err)
			break;
	}
	return err;
}

static int wait_connected(struct tx_call *call)
{
	struct sock *sk = call->sk;
	int err = 0;

	if ((1 << READ_ONCE(sk->sk_state)) & (TCPF_ESTABLISHED |
					      TCPF_CLOSE_WAIT))
		return 0;
	lock_sock(sk);
	if (!((1 << sk->sk_state) & (TCPF_ESTABLISHED | TCPF_CLOSE_WAIT)))
		err = sk_stream_wait_connect(sk, &call->timeo);
	release_sock(sk);
	return err;
}

/*
 * Gather from @iter into the record of @type, a new one if need be, and seal
 * and push it unless it stays open for more. Returns the bytes taken.
 */
static int send_record(struct tx_call *call, struct iov_iter *iter, int flags,
		       u8 type)
{
	struct nst_tcp *nst = call->nst;
	u32 max = READ_ONCE(nst->record_max);
	enum nst_txrec_from from = NST_TXREC_COPY;
	unsigned int before, want;
	int got, err;

	if (nst->rec && (nst->rec->type != type || nst->rec->len >= max)) {
		err = flush(nst);
		/* Whatever became of it, come back with a new one. */
		return err == -EAGAIN ? 0 : err;
	}
	if (!nst->rec)
		nst->rec = nst_txrec_get(type);
	if (!nst->rec)
		return -ENOMEM;
	before = nst->rec->len;
	want = min_t(size_t, iov_iter_count(iter), max - before);
	/* Behind its send() a program may write to its memory again. */
	if (flags & MSG_SPLICE_PAGES)
		from = NST_TXREC_SPLICE;
	else if (!(flags & MSG_MORE) || before + want == max)
		from = NST_TXREC_PIN;
	got = nst_txrec_gather(nst->rec, iter, want, from);
	err = got < 0 ? got : 0;
	if (!err && (!(flags & MSG_MORE) || iov_iter_count(iter) ||
		     nst->rec->len == max || nst_txrec_full(nst->rec)))
		err = flush(nst);
	if (err && err != -EAGAIN && nst->rec && !nst->rec->sealed) {
		/* What this call gathered is not sent; what was open stays. */
		nst_txrec_trim(nst->rec, before);
		if (!before) {
			nst_txrec_put(nst->rec);
			nst->rec = NULL;
		}
	}
	return err && err != -EAGAIN ? err : got;
}

static int send_iter(struct sock *sk, struct iov_iter *iter, int flags, u8 type)
{
	struct tx_call call = {
		.nst = nst_tcp(sk), .sk = sk,
		.timeo = sock_sndtimeo(sk, flags & MSG_DONTWAIT),
	};
	size_t sent = 0;
	int err;

	err = wait_connected(&call) ?: tx_lock(&call);
	while (!err && iov_iter_count(iter)) {
		int got;

		err = get_ready(&call, true);
		if (err)
			break;
		got = send_record(&call, iter, flags, type);
		if (got < 0)
			err = got;
		else
			sent += got;
	}
	/*
	 * Without MSG_MORE nothing stays open, also if the call brings nothing:
	 * that of which the program was told that it is sent goes, room or not.
	 */
	if (!err && !sent && !(flags & MSG_MORE) && call.nst->rec &&
	    !call.nst->rec->sealed) {
		err = get_ready(&call, false);
		if (!err && call.nst->rec && !call.nst->rec->sealed)
			err = flush(call.nst);
		if (err == -EAGAIN && call.nst->rec && call.nst->rec->sealed)
			err = 0;
	}
	tx_unlock(&call);
	if (sent || !err)
		return sent;
	return sk_stream_error(sk, flags, err);
}

/* The record type that the call asks for, or an errno. */
static int record_type(struct msghdr *msg)
{
	struct cmsghdr *cmsg;
	int type = NST_TYPE_DATA;

	for_each_cmsghdr(cmsg, msg) {
		if (!CMSG_OK(msg, cmsg))
			return -EINVAL;
		if (cmsg->cmsg_level != SOL_NST ||
		    cmsg->cmsg_type != NST_SET_RECORD_TYPE ||
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
		type = record_type(msg);
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
	struct iov_iter iter;
	struct kvec none = {};

	if (!nst_tcp(sock->sk))
		return;
	iov_iter_kvec(&iter, ITER_SOURCE, &none, 1, 0);
	send_iter(sock->sk, &iter, MSG_DONTWAIT | MSG_NOSIGNAL, NST_TYPE_DATA);
}

static int finish(struct nst_tcp *nst)
{
	struct nst_stream *st = &nst->st;
	struct sock *sk = nst->sk;
	int err;

	if (!((1 << READ_ONCE(sk->sk_state)) & (TCPF_ESTABLISHED |
						TCPF_CLOSE_WAIT)))
		return 0;
	if (nst->rec && nst->rec->sealed) {
		err = push(nst);
		if (err)
			return err;
	}
	if (!st->tx.conf || st->tx.closed)
		return 0;
	if (!may_send(nst))
		return -EAGAIN;
	if (nst_stream_tx_wants_start(st)) {
		err = send_empty(nst, NST_TYPE_START);
		if (err)
			return err;
	}
	if (nst->rec && !nst->rec->sealed) {
		err = flush(nst);
		if (err)
			return err;
	}
	if (nst->rec)
		return -EAGAIN;
	err = send_empty(nst, NST_TYPE_CLOSE);
	if (err)
		return err;
	return nst->rec ? -EAGAIN : 0;
}

/**
 * nst_tcp_tx_finish() - send what is pending, then the close record
 * @nst: the socket
 *
 * Context: process, under tx_lock.
 * Return: 0 if TCP may send its FIN; -EAGAIN if something must come first: the
 * peer's START (strict mode) or memory; another errno if the stream is lost.
 */
int nst_tcp_tx_finish(struct nst_tcp *nst)
{
	int err;

	lockdep_assert_held(&nst->tx_lock);
	err = finish(nst);
	if (err != -ENOMEM)
		return err;
	nst_tcp_kick(nst, NST_TCP_RETRY);
	return -EAGAIN;
}

/* The shutdown that nst_tcp_tx_finish() had put off. */
static void shut_down(struct nst_tcp *nst)
{
	struct sock *sk = nst->sk;

	if (!own(nst)) {
		nst_tcp_kick(nst, NST_TCP_RETRY);
		return;
	}
	if (!test_bit(NST_TCP_DEAD, &nst->flags) &&
	    !(sk->sk_shutdown & SEND_SHUTDOWN)) {
		WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | SEND_SHUTDOWN);
		nst->base->shutdown(sk, SEND_SHUTDOWN);
		sk->sk_state_change(sk);
	}
	release_sock(sk);
}

static void tx_work(struct nst_tcp *nst)
{
	struct nst_stream *st = &nst->st;
	struct sock *sk = nst->sk;

	if (!sk->sk_socket ||
	    !((1 << READ_ONCE(sk->sk_state)) & (TCPF_ESTABLISHED |
						TCPF_CLOSE_WAIT)))
		return;
	if (nst->rec && nst->rec->sealed && push(nst))
		return;
	if (nst_stream_tx_wants_start(st) && !st->tx.closed && !nst->rec &&
	    send_empty(nst, NST_TYPE_START) == -ENOMEM)
		nst_tcp_kick(nst, NST_TCP_RETRY);
	if (test_bit(NST_TCP_SHUT, &nst->flags) &&
	    nst_tcp_tx_finish(nst) != -EAGAIN)
		shut_down(nst);
}

/**
 * nst_tcp_tx_work() - the worker's part of sending
 * @nst: the socket
 *
 * Sends the START that strict mode owes, the rest of a record that TCP refused
 * for want of memory, and the end of a stream that was waiting for either.
 *
 * Context: process, under tx_lock.
 */
void nst_tcp_tx_work(struct nst_tcp *nst)
{
	lockdep_assert_held(&nst->tx_lock);
	set_bit(NST_TCP_WORKER, &nst->flags);
	tx_work(nst);
	clear_bit(NST_TCP_WORKER, &nst->flags);
}
