/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A TCP socket with NST.
 *
 * Locking
 * =======
 *
 * A byte to be sent passes nst_tcp_sendmsg() -> the open record -> sealed ->
 * TCP's write queue (tx.c). A byte received passes TCP's receive queue ->
 * the head record -> decrypted into the reader's memory or the list of
 * plaintext -> the reader (rx.c, recv.c).
 *
 *  tx_lock  mutex; the sending half of struct nst_tcp and of its stream. Held
 *           while a record is gathered, sealed and handed to TCP; never while a
 *           sender waits for memory, the connection or the peer.
 *  rx_lock  mutex; the receiving half. Held while a record is taken off TCP's
 *           queue, decrypted and copied; never while a reader waits for data
 *           or memory.
 *  socket   lock_sock(), or its spinlock in softirq; TCP's queues and
 *           struct nst_tcp.head. Held to hand a record to TCP and to take one
 *           off. No cryptography runs under it.
 *
 *  conf_lock  spinlock, a leaf; the pair of configurations, which a listener's
 *           child copies in softirq.
 *
 * Order: rx_lock > tx_lock > socket. Only setsockopt() holds both mutexes.
 * keyring->lock and the START cache's lock are leaves of their own. The lock of who
 * waits for a key (core/keyroom.c) is taken under the socket's, by uninstall, and
 * under tx_lock; the worker is queued under it.
 *
 * A call that was inside TCP's own code when NST was attached, or whoever else
 * has got hold of the socket, may give TCP bytes or take some. So NST keeps where
 * it has left TCP's write_seq and copied_seq, and before it gives or takes a
 * record looks whether both are there still: nst_tcp_intact(). The look, what is
 * done and nst_tcp_mark() are under one socket lock.
 *
 * The two halves tell each other of their STARTs by the acquire and release
 * pairs of struct nst_stream.
 *
 * A holder of tx_lock or rx_lock may be stuck in a page fault of its user's
 * making. So the worker, which serves all sockets, only tries them; if it
 * fails, it leaves NST_TCP_KICK behind, and the holder, who looks for that
 * after it has unlocked, queues the worker again.
 *
 * For the same reason the worker never waits for the socket lock. It receives,
 * sends and resets under the spinlock alone, as softirqs do, which is right also
 * for a child that nobody has accepted yet: its listener may throw that away under
 * the spinlock, and TCP warns if a process owns it then. If somebody owns the
 * socket it leaves NST_TCP_WAITS behind; the owner calls it in release_cb.
 *
 * The work that parks idle epochs (stream.h), work.c, takes tx_lock and
 * rx_lock one after the other, each by trylock, and no socket lock. It is queued
 * by who has made transforms, under that direction's lock, and by itself until
 * it has parked both directions. The cipher of an epoch is so looked at only
 * under the direction's lock; without it, in softirq, nobody may ask for keys.
 *
 * Lifetime: struct nst_tcp is created by the attach or the clone and given up
 * by close(), which frees the keys and records in it, or, for a child never
 * accepted, by the ULP's release. A connection
 * that goes on behind close() (close.c) has no struct socket and does not hold
 * the module; the worker has the references of its program then, gives it up in
 * place of close(), and may wait for its locks, as no program can hold them. The
 * module's exit has the worker do so at once, and waits for it. Each work
 * that is queued holds a reference on it and on the sock; who gives up takes the
 * one that may be seconds away off the queue. sk_prot, ops, sk_data_ready and
 * sk_state_change are swapped under the socket lock and sk_callback_lock, and
 * put back before the sock can outlive the module.
 */
#ifndef _NST_TCP_SOCK_H
#define _NST_TCP_SOCK_H

#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/skbuff.h>
#include <linux/workqueue.h>
#include <net/inet_connection_sock.h>
#include <net/sock.h>
#include <net/tcp.h>
#include "core/keywait.h"
#include "core/stream.h"

struct nst_stalled;
struct nst_txrec;

/* How soon the worker tries again what it had no memory for. */
#define NST_TCP_RETRY	(HZ / 50 + 1)

/*
 * It looks less and less often whether the program has been told of an error: its
 * pause doubles so many times. A program that sends or receives is told at once.
 */
#define NST_TCP_UNTOLD	6

/*
 * How long the attach lets those go first who wait for the socket lock, and how
 * often: long enough for one that was just woken to run on a busy machine.
 */
#define NST_TCP_YIELD	(HZ / 100 + 1)
#define NST_TCP_YIELDS	25

/* Bits of nst_tcp.flags. */
enum {
	NST_TCP_DEAD,		/* given up; the worker does nothing more */
	NST_TCP_KICK,		/* the worker wants to run again */
	NST_TCP_WAITS,		/* the same, once nobody owns the socket; socket lock */
	NST_TCP_SHUT,		/* SHUT_WR waits for the stream to be bound */
	NST_TCP_SHUT_RD,	/* the program wants no more; socket lock */
	NST_TCP_WORKER,		/* the worker sends; under tx_lock */
	NST_TCP_ABORT,		/* a reset is due, see nst_tcp_abort() */
	NST_TCP_STARVED,	/* a reader had no memory; the worker tells it again */
	NST_TCP_FLUSH,		/* a splice has ended; the worker sends what is open */
	NST_TCP_TORN,		/* not intact, see nst_tcp_intact() */
	NST_TCP_CLOSED,		/* no program will read any more; under rx_lock */
	NST_TCP_ADOPTED,	/* accepted by TCP's own accept(), see work.c */
	NST_TCP_PARENT,		/* such a child of this listener has waited for keys */
	NST_TCP_LINGER,		/* closed, and goes on, see close.c */
	NST_TCP_EMPTY,		/* nothing is left in it that must sleep to be freed */
};

/* What a connection that lingers waits for; see crowd.c. */
enum nst_tcp_crowd {
	NST_TCP_UNACKED,	/* the acknowledgment of its FIN */
	NST_TCP_HALF_CLOSED,	/* its peer's FIN */
	NST_TCP_CROWDED_OUT,	/* nothing more: others have come */
};

/**
 * struct nst_ahead - how far the records on TCP's queue are complete
 * @len: bytes of the records counted, the head record being the first
 * @need: so many bytes, from there, must have come before there is something to
 *	look at: the header of the record behind @len, or all of it
 * @total: bytes of that record; 0: its header has not been read
 * @plain: plaintext bytes of it, once @total is known
 * @type: its record type, once @total is known
 * @bytes: plaintext bytes of the records counted, which are data or a START
 * @stop: the count ends there: @more, or a header that is malformed
 * @more: there a complete record stands that is neither data nor a START
 *
 * What was counted is not looked at again. Nothing but lengths and types is
 * taken from a header here, so nothing of it is judged. Under the socket lock;
 * @bytes and @more are read without by poll.
 */
struct nst_ahead {
	u32 len;
	u32 need;
	u32 total;
	u16 plain;
	u8 type;
	u32 bytes;
	bool stop;
	bool more;
};

/**
 * struct nst_head - the record at the head of the receive queue
 * @ahead: what is complete, from this record on. It and @ready stay from one record
 *	to the next; what stands between them does not, see nst_tcp_head_next()
 * @wire: its header, as far as @got or the queue goes
 * @hdr: the same, decoded, once @known
 * @known: the header is complete and sane
 * @bad: why it is not; NST_OK otherwise
 * @total: bytes of header and body, once @known
 * @got: bytes of the record already taken off TCP's queue, because TCP had no
 *	room for the rest: the header's in @wire, the body's in @body
 * @body: where those are gathered, in pages of its own that come as they do;
 *	NULL: nothing is
 * @charged: bytes of memory charged to the socket for @body: what it takes but
 *	for a page or two, see move_charge()
 * @refused: TCP has dropped bytes while this record was incomplete
 * @ready: there is something for a reader, at the head or behind records
 *	without plaintext; read without a lock by poll
 *
 * Under the socket lock, but for what is said.
 */
struct nst_head {
	struct nst_ahead ahead;
	u8 wire[NST_WIRE_HDR_LEN];
	struct nst_hdr hdr;
	struct sk_buff *body;
	u32 total;
	u32 got;
	u32 charged;
	u8 bad;
	bool known;
	bool refused;
	bool ready;
};

/**
 * struct nst_tcp - NST's state of one socket
 * @ref: the socket, and each of @work and @idle while it is queued
 * @sk: the socket; valid as long as someone holds a reference on it
 * @st: the protocol's state
 * @base: the proto that the socket had
 * @base_ops: the proto_ops that the socket had, or would get
 * @data_ready: the sk_data_ready that the socket had
 * @state_change: the sk_state_change that the socket had
 * @flags: NST_TCP_*, atomic bits
 * @work: does what no program waits for, see struct nst_tcp_works
 * @idle: parks idle epochs, see nst_tcp_watch()
 * @lingering: in one of the lists of such connections, see crowd.c
 * @crowd: in which of them
 * @linger_until: jiffies at which one is given up; 0: it was not looked at yet.
 *	Of @work alone
 * @linger_una: TCP's snd_una when that was set; 0 once its FIN is acknowledged.
 *	As @linger_until
 * @seen_tx: records sent when @idle looked last, low bits
 * @seen_rx: the same of those received
 * @free: frees this after a grace period, for inet_diag; what close() has emptied
 *	it frees in softirq. In the place of @idle, which is not queued without @ref
 * @record_max: plaintext bytes per record sent, 64..65535
 * @auto_role: the role that the socket has by itself, as @st.role
 * @plain_until: TCP has sent in plaintext what it was given before the attach;
 *	all of that is acknowledged once its bytes_acked has come to this
 * @seal_seq: sequence number of the first byte given to TCP after the attach;
 *	means something until then
 * @tx_next: TCP's write_seq behind the last byte that NST gave it, or gives it
 *	just now; see nst_tcp_intact(). Socket lock; the guard reads it without
 * @rx_next: TCP's copied_seq behind the last byte that NST took. Socket lock
 * @rx_end: TCP's rcv_nxt when it told of bytes last. Socket lock
 * @joined: @tx_next and @rx_next are known: there is a connection. Socket lock
 * @evicting: sk_disconnects is one more than connect() may find it, see
 *	evict_readers(). Socket lock; connect() looks at it without, first
 * @rcvlowat: SO_RCVLOWAT as the program has set it, plaintext bytes; TCP's own
 *	stays 1, see nst_tcp_set_rcvlowat(). Socket lock
 * @memcg: memory cgroup of who made or accepted the socket, for what the worker
 *	allocates; holds a reference. Changed under @rx_lock, by accept() or for it
 * @adopter: the one it is to be, if accept() was TCP's own; as @memcg. NULL: none.
 *	Socket lock
 * @keywait: waits for a key, for a START that is due, see txwork.c. Begun under
 *	@tx_lock
 * @keyless: waits for keys of @parent, see work.c. As @keywait
 * @parent: of a child that lacks a key the listener's state, until the program calls;
 *	holds a reference; NULL: none. Changed under both locks
 * @conf_lock: see "Locking"; @st.tx.conf and @st.rx.conf change under it, their
 *	own direction's lock and nothing less, so either is enough to read
 * @tx_lock: see "Locking"
 * @tx_open: the open record: gathered under MSG_MORE, not sealed; NULL: none.
 *	Under @tx_lock
 * @tx_out: the record on its way: sealed, and TCP has not taken all of it; goes
 *	before anything else is sealed; NULL: none. Under @tx_lock
 * @tx_charged: bytes of memory charged to the socket for both, see mem.c.
 *	Changed under @tx_lock and the socket lock, or by who ends it
 * @tx_untold: how often in a row @tx_out has waited for the program to be told of
 *	an error. Under @tx_lock; read without to see whether @work may sleep long
 * @pusher: who gives TCP a record just now; NULL: nobody. Socket lock; looked at
 *	without by who asks for room
 * @true_sndbuf: sk_sndbuf, while @raised_sndbuf is in its place for a record that
 *	passes it, see room.c. As @pusher
 * @raised_sndbuf: what was there last. As @pusher
 * @rx_lock: see "Locking"
 * @plain: decrypted records and what is left of them, struct nst_plain in cb.
 *	Changed under @rx_lock; poll looks at its length without
 * @plain_len: bytes of data in @plain not read yet, and those of a record that
 *	is being opened and will come there; as @plain
 * @plain_mem: memory that @plain takes, bounded by SO_RCVBUF and one record;
 *	under @rx_lock
 * @plain_paid: so much of it is from before accept(), and the memory cgroup of who
 *	made the listener has paid; as @plain_mem
 * @opening: a record was taken off TCP's queue and will come to @plain. Set
 *	under @rx_lock and the socket lock, read without by poll
 * @turn: the record received last was a control record, and no reader has come
 *	for the next one since: nothing behind it is judged (protocol, Turn).
 *	Changed as @opening
 * @stalled: a record off TCP's queue that waits for memory to be opened, and goes
 *	before what is there; counted as one that is being opened. NULL: none.
 *	Under @rx_lock
 * @rx_charged: bytes of memory charged to the socket for @plain and @stalled, or
 *	still so. Changed under @rx_lock and the socket lock, or by who ends it
 * @rx_drop: why receiving has ended, sticky, but for a truncation, behind which
 *	others' bytes may come to light; under @rx_lock
 * @rx_err: the same as a negative errno, or one that TCP has reported
 * @head: the record that comes next, under the socket lock
 */
struct nst_tcp {
	refcount_t ref;
	spinlock_t conf_lock;
	struct sock *sk;
	struct nst_stream st;
	struct proto *base;
	const struct proto_ops *base_ops;
	void (*data_ready)(struct sock *sk);
	void (*state_change)(struct sock *sk);
	unsigned long flags;
	struct delayed_work work;
	union {
		struct delayed_work idle;
		struct rcu_work free;
	};
	struct list_head lingering;
	unsigned long linger_until;
	u32 linger_una;
	enum nst_tcp_crowd crowd;
	u32 seen_tx;
	u32 seen_rx;
	u64 plain_until;
	u32 seal_seq;
	u32 tx_next;
	u32 rx_next;
	u32 rx_end;
	u16 record_max;
	u16 auto_role;
	int rcvlowat;
	struct mem_cgroup *memcg;
	struct mem_cgroup *adopter;
	struct nst_keywait keywait;
	struct nst_keywait keyless;
	struct nst_tcp *parent;

	struct mutex tx_lock;
	struct nst_txrec *tx_open;
	struct nst_txrec *tx_out;
	int tx_charged;
	int true_sndbuf;
	int raised_sndbuf;
	struct task_struct *pusher;

	int rx_charged;
	struct mutex rx_lock;
	struct nst_stalled *stalled;
	struct sk_buff_head plain;
	u32 plain_len;
	u32 plain_mem;
	u32 plain_paid;
	int rx_err;
	u8 rx_drop;

	u8 tx_untold;
	bool joined;
	bool evicting;
	bool opening;
	bool turn;

	struct nst_head head;
};

static_assert(NST_DROP_MAX <= U8_MAX);

/**
 * struct nst_tcp_works - what a socket's two works do
 * @serve: what no program waits for; of &struct nst_tcp.work
 * @look_after: what that does instead once NST_TCP_LINGER is set
 * @look_idle: park idle epochs; of &struct nst_tcp.idle
 */
struct nst_tcp_works {
	void (*serve)(struct nst_tcp *nst);
	void (*look_after)(struct nst_tcp *nst);
	void (*look_idle)(struct nst_tcp *nst);
};

extern struct tcp_ulp_ops nst_tcp_ulp;

/*
 * What is in the place of struct nst_tcp when NST has left a socket that TCP has
 * still to bring to its end, see nst_tcp_leave(): all that is sent is sealed, or
 * not all.
 */
#define NST_TCP_LEFT_SEALED	((void *)1)
#define NST_TCP_LEFT_MIXED	((void *)2)

static inline bool nst_tcp_has_left(const void *data)
{
	return data == NST_TCP_LEFT_SEALED || data == NST_TCP_LEFT_MIXED;
}

/*
 * What is there in a child for which there was no memory: its listener's state with
 * this bit, and a reference on that. It gets its own, or is reset, at accept().
 */
#define NST_TCP_BARE	4ul

/* No pointer to a state has one of these bits. */
#define NST_TCP_NO_STATE	7ul

/**
 * nst_tcp() - NST's state of a socket
 * @sk: a TCP socket whose sk_prot is or was ours
 *
 * Context: any, as long as the caller keeps the socket from being closed.
 * Return: the state; NULL if a clone had no memory for it: then nothing works
 * on the socket, in plaintext least of all, until accept() has made one.
 */
static inline struct nst_tcp *nst_tcp(const struct sock *sk)
{
	void *data = (__force void *)READ_ONCE(inet_csk(sk)->icsk_ulp_data);

	if (READ_ONCE(inet_csk(sk)->icsk_ulp_ops) != &nst_tcp_ulp)
		return NULL;
	return unlikely((uintptr_t)data & NST_TCP_NO_STATE) ? NULL : data;
}

struct nst_tcp *nst_tcp_alloc(struct sock *sk, const struct nst_tcp *parent,
			      gfp_t gfp);
void nst_tcp_empty(struct nst_tcp *nst);
void nst_tcp_put(struct nst_tcp *nst);
bool nst_tcp_borrow(struct nst_tcp *nst);
void nst_tcp_return(struct nst_tcp *nst);
void nst_tcp_abort(struct nst_tcp *nst);
void nst_tcp_kick(struct nst_tcp *nst, unsigned long delay);
bool nst_tcp_owes(const struct nst_tcp *nst);
void nst_tcp_rekick(struct nst_tcp *nst);
void nst_tcp_linger(struct nst_tcp *nst);
void nst_tcp_watch_queue(struct nst_tcp *nst);
void nst_tcp_work_cancel(struct nst_tcp *nst);
void nst_tcp_work_end(struct nst_tcp *nst);
void nst_tcp_work_forget(struct nst_tcp *nst);

int nst_tcp_sock_start(const struct nst_tcp_works *todo);
void nst_tcp_sock_stop(void);

/**
 * nst_tcp_rcv_shut() - does receiving end with what is there?
 * @nst: the socket's state
 *
 * Context: any.
 * Return: true if the peer's FIN has come or the program has shut it down.
 */
static inline bool nst_tcp_rcv_shut(const struct nst_tcp *nst)
{
	return (READ_ONCE(nst->sk->sk_shutdown) & RCV_SHUTDOWN) ||
	       test_bit(NST_TCP_SHUT_RD, &nst->flags);
}

/**
 * nst_tcp_gone() - is a connection over, or has it an error to tell of?
 * @sk: the socket
 *
 * What has come before may be on TCP's queue all the same: who has found nothing
 * there did so before this if both were under one socket lock.
 *
 * Context: any.
 * Return: true if so.
 */
static inline bool nst_tcp_gone(const struct sock *sk)
{
	return READ_ONCE(sk->sk_err) || READ_ONCE(sk->sk_state) == TCP_CLOSE;
}

/**
 * nst_tcp_watch() - have the other work look for idleness, in a while
 * @nst: the socket's state, whose transforms may have come to life
 *
 * Does nothing if it will anyway. A work that is pending takes the direction's
 * lock only later, and then sees those transforms.
 *
 * Context: process, under tx_lock or rx_lock; or the work itself.
 */
static inline void nst_tcp_watch(struct nst_tcp *nst)
{
	if (unlikely(!delayed_work_pending(&nst->idle)))
		nst_tcp_watch_queue(nst);
}

#endif /* _NST_TCP_SOCK_H */
