/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A UDP socket with NST.
 *
 * Locking
 * =======
 *
 * A datagram to be sent passes nst_udp_sendmsg() -> a buffer, sealed there
 * (buf.c) -> UDP's own sendmsg (tx.c). One received passes UDP's lookup ->
 * nst_udp_encap_rcv(), which opens it where it stands -> UDP's receive queue
 * (rx.c); if its session is unknown, the queue of the host (queue.c) and a
 * work item that derives its keys (derive.c) come between.
 *
 *  conf_lock  mutex; what is set for the socket, and the change to a new epoch.
 *             Held while keys are derived, never while a datagram is sealed. Who
 *             must not wait for it is told when it is free, as of room
 *  tx_lock    spinlock, a leaf, process context only; the next nonce, the
 *             present epoch and its counts
 *  splice_lock  mutex; what was spliced in and waits for the rest of its
 *             datagram
 *  recv_lock  rw_semaphore; held for writing by readers who have room for control
 *             messages while they look at a datagram's type and take it, for
 *             reading by the others; never while a reader waits for a datagram.
 *             Only ever tried: its holder may be in a page fault without end, so
 *             who waits does so on recv_wait, as he waits for a datagram
 *  nst_udp_sender.lock  spinlock, with bottom halves off; held while a datagram that
 *             has waited is opened and enters UDP, in which what comes of the same
 *             sender waits for it, and keeps the order
 *  the lock of line.c  spinlock, taken in softirq; datagrams that wait. A leaf
 *
 * Order: nst_udp_sender.lock > all that UDP takes for a datagram that comes, and the
 * lock of line.c. splice_lock > conf_lock > socket lock > sk_callback_lock, and conf_lock >
 * tx_lock. Only the attach takes the socket lock. What softirqs need of a socket,
 * they find by RCU: @rx and @own.
 *
 * Lifetime: struct nst_udp is made by the attach and lives as long as the sock,
 * whose sk_destruct frees it (state.c), after a grace period. close() gives up
 * what it receives with. A datagram that waits holds its sock, the sock holds the
 * namespace, and both hold the module: it by a reference of its own, besides the
 * one that the socket file holds for the ops. What sk_destruct leaves to the
 * workqueue is done before the namespace's state goes (derive.c).
 *
 * Others in UDP: who has read sk_prot before the attach is inside UDP behind it,
 * too. Senders that have a buffer, or wait for the socket lock, are waited for
 * (-EBUSY). What cannot be seen, nst_udp_check() finds by what it has left: a
 * corked socket, another encap_rcv. IPV6_ADDRFORM leaves UDP's proto: nobody of
 * ours is asked then, encap_rcv drops, and sk_write_space shuts sending.
 *
 *  hook            context                      may race with
 *  sk_prot, ops    process                      IPV6_ADDRFORM, under the socket lock
 *  encap_rcv       softirq, RCU                 attach, close, UDP_ENCAP
 *  sk_write_space  any, sk_wmem_alloc held      IPV6_ADDRFORM, close
 *  sk_destruct     callback of RCU              nobody, but the exit of the module
 */
#ifndef _NST_UDP_SOCK_H
#define _NST_UDP_SOCK_H

#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/rhashtable.h>
#include <linux/rwsem.h>
#include <linux/skbuff.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <net/sock.h>
#include "core/budget.h"
#include "core/session.h"

struct nst_udp_user;

/* The lines in which datagrams wait, the best first. */
enum nst_udp_line_nr {
	NST_LINE_READY,		/* their session is known: nothing to derive */
	NST_LINE_NEXT,		/* of NST_BUDGET_NEXT */
	NST_LINE_FRESH,		/* of NST_BUDGET_FRESH */
	NST_LINES
};

/**
 * struct nst_udp_line - what waits at a socket in one line
 * @nr: datagrams; read without the lock
 * @bytes: memory that they take, as far as it is charged to the socket; likewise
 * @size: all that they take; likewise
 * @ring: the socket among those of its user; empty: nobody of @sender
 * @sender: whose datagrams wait
 */
struct nst_udp_line {
	unsigned int nr;
	unsigned int bytes;
	unsigned int size;
	struct list_head ring;
	struct list_head sender;
};

/**
 * struct nst_udp_queue - what waits at a socket; under the lock of line.c
 * @closed: nothing waits any more. Set once
 * @nr: datagrams in all lines; read without the lock
 * @line: the lines
 */
struct nst_udp_queue {
	bool closed;
	unsigned int nr;
	struct nst_udp_line line[NST_LINES];
};

/**
 * struct nst_udp_rx - what a socket receives with; immutable
 * @conf: holds a reference
 * @free: gives it up after a grace period
 */
struct nst_udp_rx {
	struct nst_conf *conf;
	struct rcu_work free;
};

/**
 * struct nst_udp_epoch - an epoch that a socket sends in
 * @ref: the socket, and each sender that seals under it
 * @ep: keys and counts; counts, @ep.key and @ep.gen under tx_lock
 * @born: CLOCK_BOOTTIME in ns when it began
 */
struct nst_udp_epoch {
	refcount_t ref;
	struct nst_epoch ep;
	u64 born;
};

/**
 * struct nst_udp_own - the epochs that a socket sends in, or did lately
 * @rcu: frees it after its readers
 * @nr: entries, at least 1
 * @entry: the present epoch first; @entry[].until is when to forget one,
 *	CLOCK_BOOTTIME in ns; U64_MAX for the present one
 */
struct nst_udp_own {
	struct rcu_head rcu;
	unsigned int nr;
	struct {
		struct nst_epoch_id id;
		u64 until;
	} entry[];
};

/**
 * struct nst_udp - NST's state of one UDP socket
 * @sk: the socket
 * @node: it is found by @sk, whatever is in sk_user_data
 * @rcu: frees this
 * @nn: the namespace's state; the socket keeps the namespace alive
 * @base: the proto that the socket had
 * @encap_rcv: what the attach has given UDP to call, see nst_udp_check()
 * @destruct: sk_destruct that the socket had, called behind ours
 * @write_space: sk_write_space that it had; NULL if it is of IPv4: not replaced
 * @id: its place in @nn's list of sockets
 * @members: what it has taken of datagrams that came to groups
 * @user: whose it is; one of his sockets
 * @memcg: of who made it: what is kept for it is charged there; holds a reference
 * @queue: what waits until its session is known
 * @role: set in every datagram sent: 0, NST_WIRE_INITIATOR or _RESPONDER;
 *	changed under conf_lock, read without
 * @free: frees this; queued by sk_destruct
 * @retired: closed; softirqs drop what they bring. Set once
 * @broken: changed behind the attach: EIO for good. Set once, without a lock
 * @rx: what it receives with; NULL: no key. RCU, changed under conf_lock
 * @own: its own epochs; NULL: none yet. RCU, changed under conf_lock
 * @rx_records: datagrams accepted
 * @rx_bytes: plaintext bytes in them
 * @rx_last: epoch of the last one accepted, struct nst_epoch_id as a number
 * @drops: datagrams for it that were refused, by cause; index 0 is unused
 * @typed: one of them was of a type other than data. Set in softirq, never reset
 * @conf_lock: see "Locking"
 * @tx_conf: what it sends with; NULL: no key. Changed under conf_lock and
 *	tx_lock
 * @tx_kid: key to send with, 0 = the active one; changed under conf_lock and
 *	tx_lock
 * @tx_lock: see "Locking"
 * @epoch: the present epoch; NULL: none yet. Changed under both locks
 * @renew: the next datagram begins a new epoch
 * @nonce: of the next datagram; read by softirqs without the lock
 * @first_nonce: of the first datagram; set before @own
 * @tx_records: datagrams sealed
 * @tx_bytes: plaintext bytes in them
 * @tx_epochs: epochs begun
 * @promised: room in SO_SNDBUF that sends under way will take (room.c); more under
 *	tx_lock only
 * @send_refused: somebody waits for room, or was told to come again; whoever makes a
 *	difference to that has him told
 * @gso_size: UDP_SEGMENT: plaintext bytes of a segment, 0: off
 * @recv_lock: see "Locking"
 * @recv_wait: who waits for @recv_lock
 * @recv_refused: somebody has given up waiting for @recv_lock, or must not wait;
 *	its holder has another told of what is there
 * @splice_lock: see "Locking"
 * @splice_ended: nothing more comes; for who holds @splice_lock
 * @spliced: plaintext spliced in, NST_UDP_PAYLOAD_MAX bytes of room; NULL: none
 * @spliced_len: bytes in it; read without the lock to see that there are none
 */
struct nst_udp {
	struct sock *sk;
	struct rhash_head node;
	struct rcu_head rcu;
	struct nst_net *nn;
	struct proto *base;
	int (*encap_rcv)(struct sock *sk, struct sk_buff *skb);
	void (*destruct)(struct sock *sk);
	void (*write_space)(struct sock *sk);
	u32 id;
	struct nst_members members;
	struct nst_udp_user *user;
	struct mem_cgroup *memcg;
	struct nst_udp_queue queue;
	u32 role;
	bool retired;
	bool broken;
	struct work_struct free;

	struct nst_udp_rx __rcu *rx;
	struct nst_udp_own __rcu *own;
	atomic64_t rx_records;
	atomic64_t rx_bytes;
	u64 rx_last;
	atomic64_t drops[NST_DROP_MAX];
	bool typed;

	struct mutex conf_lock;
	struct nst_conf *tx_conf;
	u16 tx_kid;

	spinlock_t tx_lock;
	struct nst_udp_epoch *epoch;
	bool renew;
	u64 nonce;
	u64 first_nonce;
	u64 tx_records;
	u64 tx_bytes;
	u32 tx_epochs;
	atomic_t promised;
	bool send_refused;
	u16 gso_size;

	struct rw_semaphore recv_lock;
	struct wait_queue_head recv_wait;
	bool recv_refused;
	struct mutex splice_lock;
	bool splice_ended;
	u8 *spliced;
	unsigned int spliced_len;
};

/* The largest UDP payload over IPv4; its header's 20 bytes are already off. */
#define NST_UDP_PAYLOAD_MAX	(65535 - 20 - 8)
/* IPv6 does not count its header. */
#define NST_UDP6_PAYLOAD_MAX	(65535 - 8)

/* Any but 0: UDP asks for no more, and programs cannot set this one. */
#define NST_UDP_ENCAP_TYPE	200

enum { NST_UDP_V4, NST_UDP_V6, NST_UDP_FAMILIES };

extern struct proto *nst_udp_base_prot[NST_UDP_FAMILIES];
extern struct proto nst_udp_prot[NST_UDP_FAMILIES];

static inline int nst_udp_family(const struct sock *sk)
{
	return sk->sk_family == AF_INET6 ? NST_UDP_V6 : NST_UDP_V4;
}

struct nst_udp *nst_udp(const struct sock *sk);
struct nst_udp *nst_udp_of(const struct sock *sk);
bool nst_udp_is_taken(const struct nst_udp *nst);
int nst_udp_enter(struct nst_udp *nst);
void nst_udp_leave(struct nst_udp *nst);
int nst_udp_find_init(void);
void nst_udp_find_exit(void);
bool nst_udp_left(const struct nst_udp *nst);
int nst_udp_check(struct nst_udp *nst);
void nst_udp_shut(struct sock *sk);

#endif /* _NST_UDP_SOCK_H */
