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
#include "tcp/mem.h"
#include "tcp/tx.h"
#include "tcp/txrec.h"
#include "trace.h"

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

/* Is there a connection to send on, and a program? */
static bool is_live(const struct nst_tcp *nst)
{
	return ((1 << READ_ONCE(nst->sk->sk_state)) &
		(TCPF_ESTABLISHED | TCPF_CLOSE_WAIT)) &&
	       !test_bit(NST_TCP_LINGER, &nst->flags);
}

/* Hand over what TCP has not taken yet of the sealed record. */
static int push_locked(struct nst_tcp *nst, struct nst_txrec *rec)
{
	struct sock *sk = nst->sk;
	unsigned int left = nst_txrec_left(rec);
	int sndbuf, n;

	sock_owned_by_me(sk);
	if (!sk->sk_socket || test_bit(NST_TCP_DEAD, &nst->flags))
		return -EPIPE;
	/*
	 * TCP would tell whoever pushes, and the program would never know. It may
	 * be of a router, and the connection goes on behind it.
	 */
	if (READ_ONCE(sk->sk_err))
		return is_live(nst) ? -EAGAIN : -EPIPE;
	if (!nst_tcp_intact(nst)) {
		/* The worker resets the connection: it may take rx_lock. */
		set_bit(NST_TCP_TORN, &nst->flags);
		nst_tcp_kick(nst, 0);
		return -EPROTO;
	}
	nst_tcp_mark(nst, left);
	/* Short of memory TCP forces what exceeds the limit: the true one. */
	sk_wmem_schedule(sk, left);
	sndbuf = READ_ONCE(sk->sk_sndbuf);
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

/*
 * The worker only tries, and has the spinlock then, so TCP must not sleep; see
 * "Locking" in sock.h.
 */
static bool own(struct nst_tcp *nst, gfp_t *was)
{
	struct sock *sk = nst->sk;

	if (test_bit(NST_TCP_WORKER, &nst->flags)) {
		if (!nst_tcp_borrow(nst))
			return false;
	} else {
		lock_sock(sk);
	}
	*was = sk->sk_allocation;
	if (test_bit(NST_TCP_WORKER, &nst->flags))
		sk->sk_allocation = GFP_ATOMIC | (*was & __GFP_MEMALLOC);
	return true;
}

static void disown(struct nst_tcp *nst, gfp_t was)
{
	nst->sk->sk_allocation = was;
	if (test_bit(NST_TCP_WORKER, &nst->flags))
		nst_tcp_return(nst);
	else
		release_sock(nst->sk);
}

/*
 * Push the sealed record. 0: it is gone. -EAGAIN: TCP is out of memory, a program
 * owns the socket, or has to be told of an error first; the record stays and the
 * worker will try again. Else the record is lost and with it the stream.
 */
static int push(struct nst_tcp *nst)
{
	unsigned long pause = NST_TCP_RETRY;
	struct nst_txrec *rec = nst->tx_out;
	bool gone, untold;
	gfp_t was;
	int err;

	lockdep_assert_held(&nst->tx_lock);
	if (!own(nst, &was))
		return -EAGAIN;
	nst_tcp_mem_lend(nst);
	untold = READ_ONCE(nst->sk->sk_err);
	err = push_locked(nst, rec);
	gone = err != -EAGAIN && err != -ENOMEM && err != -ENOBUFS;
	if (gone)
		nst->tx_out = NULL;
	nst_tcp_mem_settle(nst);
	disown(nst, was);
	if (!gone) {
		/* Nothing tells that the program was told by SO_ERROR. */
		if (untold)
			pause <<= nst->tx_untold;
		WRITE_ONCE(nst->tx_untold, untold ?
			   min(nst->tx_untold + 1, NST_TCP_UNTOLD) : 0);
		nst_tcp_kick(nst, pause);
		return -EAGAIN;
	}
	WRITE_ONCE(nst->tx_untold, 0);
	nst_txrec_put(rec);
	if (err)
		nst->st.tx.closed = true;
	return err;
}

/* A record is no more, or is smaller, that the socket is charged for. */
static void settle(struct nst_tcp *nst)
{
	gfp_t was;

	if (nst_tcp_mem_settled(nst) || !own(nst, &was))
		return;
	nst_tcp_mem_settle(nst);
	disown(nst, was);
}

/*
 * Seal a record and put it on its way, on which there is none. After an error
 * it is still the caller's.
 */
static int seal(struct nst_tcp *nst, struct nst_txrec *rec)
{
	bool limit = nst_stream_tx_at_limit(&nst->st);
	u32 epochs = nst->st.tx.epochs;
	struct nst_hdr hdr;
	int err;

	lockdep_assert_held(&nst->tx_lock);
	err = nst_txrec_seal(rec, &nst->st, &hdr);
	nst_tcp_watch(nst);
	if (err)
		return err;
	nst->tx_out = rec;
	if (epochs != nst->st.tx.epochs) {
		trace_nst_epoch(nst->sk, true, hdr.suite, hdr.kid, hdr.epoch,
				hdr.bound);
		if (limit)
			nst_event_limit(sock_net(nst->sk), hdr.kid);
	}
	trace_nst_record_out(nst->sk, hdr.type, hdr.len, hdr.nonce, hdr.kid,
			     hdr.epoch);
	return 0;
}

/*
 * Push a record that was just sealed. What TCP has not taken whole yet is as
 * good as sent: it goes before anything else does.
 */
static int push_first(struct nst_tcp *nst)
{
	int err = push(nst);

	if (err != -EAGAIN)
		return err;
	nst_stats_inc(nst->st.nn->stats, NST_MIB_TX_DEFERRED);
	return 0;
}

/* Seal and push a record that was never open. It is consumed in any case. */
static int send_whole(struct nst_tcp *nst, struct nst_txrec *rec)
{
	int err = seal(nst, rec);

	if (!err)
		return push_first(nst);
	nst_txrec_put(rec);
	return err;
}

/* Seal the open record and push it. If it cannot be sealed it stays open. */
static int flush(struct nst_tcp *nst)
{
	struct nst_txrec *rec = nst->tx_open;
	int err = seal(nst, rec);

	if (err && !nst->st.tx.closed)
		return err;
	nst->tx_open = NULL;
	if (!err)
		return push_first(nst);
	nst_txrec_put(rec);
	settle(nst);
	return err;
}

/*
 * Let the open record stay open, if the socket can be charged for it; else it goes
 * as it is.
 */
static int keep_open(struct nst_tcp *nst)
{
	bool charged;

	lock_sock(nst->sk);
	charged = nst_tcp_mem_reserve(nst);
	release_sock(nst->sk);
	return charged ? 0 : flush(nst);
}

/* A record without a body: START or close. The open record is left alone. */
static int send_empty(struct nst_tcp *nst, u8 type)
{
	struct nst_txrec *rec = nst_txrec_get(type);

	return rec ? send_whole(nst, rec) : -ENOMEM;
}

static bool may_send(const struct nst_tcp *nst)
{
	const struct nst_stream *st = &nst->st;

	return !(READ_ONCE(st->flags) & NST_F_STRICT) ||
	       nst_stream_tx_bindable(st);
}

/* Can the program send at all? What sk_err says is left for it to be told. */
static int may_try(const struct nst_tcp *nst)
{
	const struct nst_stream *st = &nst->st;

	if (!st->tx.conf)
		return -ENOKEY;
	if ((st->flags & NST_F_STRICT) && !READ_ONCE(st->rx.conf))
		return -ENOKEY;
	if (st->tx.closed || test_bit(NST_TCP_SHUT, &nst->flags) ||
	    READ_ONCE(nst->sk->sk_err) ||
	    (READ_ONCE(nst->sk->sk_shutdown) & SEND_SHUTDOWN))
		return -EPIPE;
	return 0;
}

/*
 * Send what must go out before the next record can. -EAGAIN if that, the peer
 * or, with @room, the send buffer has to be waited for; else why it is in vain.
 */
static int prepare(struct nst_tcp *nst, bool room)
{
	int err = 0;

	if (nst->tx_out)
		err = push(nst);
	if (!err)
		err = may_try(nst);
	if (!err && nst_stream_tx_wants_start(&nst->st))
		err = send_empty(nst, NST_TYPE_START);
	if (err)
		return err;
	if (nst->tx_out || !may_send(nst) ||
	    (room && !sk_stream_memory_free(nst->sk)))
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

/* Wait for what prepare() missed or, if @starved, memory; without tx_lock. */
static int wait(struct tx_call *call, bool starved)
{
	struct nst_tcp *nst = call->nst;
	bool pending = nst->tx_out;
	struct sock *sk = call->sk;
	int err = 0;

	tx_unlock(call);
	lock_sock(sk);
	if (!pending && !may_send(nst)) {
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

	while ((err = prepare(call->nst, room)) == -EAGAIN || err == -ENOMEM) {
		err = wait(call, err == -ENOMEM);
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
	settle(nst);
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
		return flush(nst);
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
		err = may_seal(nst) ? flush(nst) : -ENOMEM;
	else
		err = keep_open(nst);
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
		return flush(nst);
	rec = nst_txrec_get(call->type);
	if (!rec)
		return -ENOMEM;
	/* Copies always find a piece, so less than all is want of memory. */
	got = nst_txrec_gather(rec, call->iter, size, NST_TXREC_COPY);
	if (got == size) {
		err = send_whole(nst, rec);
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
	int err = may_try(nst);

	call->done = true;
	if (err || (call->flags & MSG_MORE) || !nst->tx_open)
		return err;
	err = get_ready(call, false);
	/* Meanwhile another call may have sent it. */
	if (!err && nst->tx_open)
		err = flush(nst);
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
	return sk_stream_error(sk, flags, err);
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

static int finish(struct nst_tcp *nst)
{
	struct nst_stream *st = &nst->st;
	int err = 0;

	if (!((1 << READ_ONCE(nst->sk->sk_state)) & (TCPF_ESTABLISHED |
						     TCPF_CLOSE_WAIT)))
		return 0;
	if (nst->tx_out)
		err = push(nst);
	if (err || !st->tx.conf || st->tx.closed)
		return err;
	if (!may_send(nst))
		return -EAGAIN;
	if (nst_stream_tx_wants_start(st))
		err = send_empty(nst, NST_TYPE_START);
	/* One goes on its way when the one before is with TCP. */
	if (!err && nst->tx_open)
		err = nst->tx_out ? -EAGAIN : flush(nst);
	if (!err)
		err = nst->tx_out ? -EAGAIN : send_empty(nst, NST_TYPE_CLOSE);
	if (!err && nst->tx_out)
		err = -EAGAIN;
	return err;
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
	struct nst_tcp_scope scope = nst_tcp_scope_begin(nst->sk, false);
	int err;

	lockdep_assert_held(&nst->tx_lock);
	err = finish(nst);
	nst_tcp_scope_end(&scope);
	if (err != -ENOMEM)
		return err;
	nst_tcp_kick(nst, NST_TCP_RETRY);
	return -EAGAIN;
}

/* The shutdown that nst_tcp_tx_finish() had put off. */
static void shut_down(struct nst_tcp *nst)
{
	struct sock *sk = nst->sk;
	gfp_t was;

	if (!own(nst, &was))
		return;
	if (!test_bit(NST_TCP_DEAD, &nst->flags) &&
	    !(sk->sk_shutdown & SEND_SHUTDOWN)) {
		WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | SEND_SHUTDOWN);
		nst->base->shutdown(sk, SEND_SHUTDOWN);
		sk->sk_state_change(sk);
	}
	disown(nst, was);
}

/*
 * What was open when a splice ended goes, if another call has not seen to it. What
 * it waits for, the peer's START or the record on its way, calls the worker again.
 */
static void flush_late(struct nst_tcp *nst)
{
	int err = 0;

	if (nst->tx_open && !nst->st.tx.closed) {
		if (nst->tx_out || !may_send(nst))
			return;
		err = flush(nst);
	}
	if (err == -ENOMEM)
		nst_tcp_kick(nst, NST_TCP_RETRY);
	else
		clear_bit(NST_TCP_FLUSH, &nst->flags);
}

static void tx_work(struct nst_tcp *nst)
{
	struct nst_stream *st = &nst->st;
	struct sock *sk = nst->sk;

	settle(nst);
	if (!sk->sk_socket ||
	    !((1 << READ_ONCE(sk->sk_state)) & (TCPF_ESTABLISHED |
						TCPF_CLOSE_WAIT)))
		return;
	if (nst->tx_out && push(nst))
		return;
	/* Also while a record is open: the peer waits for it. */
	if (nst_stream_tx_wants_start(st) && !st->tx.closed &&
	    send_empty(nst, NST_TYPE_START) == -ENOMEM)
		nst_tcp_kick(nst, NST_TCP_RETRY);
	if (test_bit(NST_TCP_FLUSH, &nst->flags))
		flush_late(nst);
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
