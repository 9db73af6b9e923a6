// SPDX-License-Identifier: GPL-2.0
/*
 * What a TCP socket with NST is: where its state is, how long that lives, and who is
 * called to work for it.
 */
#include <linux/memcontrol.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/tcp.h>
#include <linux/wait_bit.h>
#include <linux/workqueue.h>
#include <net/tcp.h>
#include "limits.h"
#include "tcp/queue.h"
#include "tcp/sock.h"
#include "tcp/stall.h"
#include "tcp/txrec.h"

/*
 * Offered by ulp.c, which writes the rest at load; here because it tells whose a
 * socket's state is.
 */
struct tcp_ulp_ops nst_tcp_ulp = {
	.name	= "nst",
	.owner	= THIS_MODULE,
};

static struct workqueue_struct *nst_wq;
static struct kmem_cache *nst_cache;

/* How many struct nst_tcp there are; unloading waits for none. */
static atomic_t nst_live = ATOMIC_INIT(0);

/* What the two works do; written at load. */
static const struct nst_tcp_works *works;

/*
 * Free what the state holds and that may have to sleep for it: the keys of its epochs,
 * and its records. Nobody uses it any more but who looks at it under RCU: the guard
 * does, at the configuration, which is left.
 */
static void empty(struct nst_tcp *nst)
{
	nst_epoch_free(&nst->st.tx.ep);
	nst_epoch_free(&nst->st.rx.ep);
	nst_txrec_put(nst->tx_open);
	nst_txrec_put(nst->tx_out);
	nst->tx_open = NULL;
	nst->tx_out = NULL;
	__skb_queue_purge(&nst->plain);
	nst_stall_drop(nst);
	/* Not charged any more: nst_tcp_uninstall() has come first. */
	kfree_skb(nst->head.body);
	nst->head.body = NULL;
}

/* Behind a grace period, perhaps in softirq. */
static void free_empty(struct nst_tcp *nst)
{
	/* Its epochs hold nothing any more. */
	nst_stream_free(&nst->st);
	mem_cgroup_put(nst->memcg);
	mem_cgroup_put(nst->adopter);
	if (nst->parent)
		nst_tcp_put(nst->parent);
	memzero_explicit(nst, sizeof(*nst));
	kmem_cache_free(nst_cache, nst);
	if (atomic_dec_and_test(&nst_live))
		wake_up_var(&nst_live);
}

static void free_rcu(struct rcu_head *rcu)
{
	free_empty(container_of(rcu, struct nst_tcp, free.rcu));
}

static void free_work(struct work_struct *work)
{
	struct nst_tcp *nst = container_of(to_rcu_work(work), struct nst_tcp,
					   free);

	empty(nst);
	free_empty(nst);
}

/**
 * nst_tcp_empty() - a socket is closed: free its keys and records
 * @nst: its state, NST_TCP_DEAD, behind nst_tcp_work_cancel() or _end()
 *
 * Context: process, without a lock of the socket; who has the last program's
 * reference, and will put it.
 */
void nst_tcp_empty(struct nst_tcp *nst)
{
	/* Nobody waits for them; a worker that comes late sees that it is dead. */
	mutex_lock(&nst->rx_lock);
	mutex_lock(&nst->tx_lock);
	empty(nst);
	mutex_unlock(&nst->tx_lock);
	mutex_unlock(&nst->rx_lock);
	set_bit(NST_TCP_EMPTY, &nst->flags);
}

/**
 * nst_tcp_put() - give a reference back
 * @nst: the socket's state
 *
 * Context: any; what must sleep to free it is left to the workqueue, if close() has
 * not done it.
 */
void nst_tcp_put(struct nst_tcp *nst)
{
	if (!refcount_dec_and_test(&nst->ref))
		return;
	/* If this is the end of @idle, nobody looks at that any more. */
	INIT_RCU_WORK(&nst->free, free_work);
	if (test_bit(NST_TCP_EMPTY, &nst->flags))
		call_rcu(&nst->free.rcu, free_rcu);
	else
		queue_rcu_work(nst_wq, &nst->free);
}

/* What a work holds from when it is queued until it has run. */
static void put_both(struct nst_tcp *nst)
{
	struct sock *sk = nst->sk;

	nst_tcp_put(nst);
	sock_put(sk);
}

static void queue(struct nst_tcp *nst, struct delayed_work *work,
		  unsigned long delay)
{
	sock_hold(nst->sk);
	refcount_inc(&nst->ref);
	if (!queue_delayed_work(nst_wq, work, delay))
		put_both(nst);
}

/* The worker sleeps long, for what may come soon. */
static void hurry(struct nst_tcp *nst)
{
	sock_hold(nst->sk);
	refcount_inc(&nst->ref);
	if (mod_delayed_work(nst_wq, &nst->work, 0))
		put_both(nst);
}

/**
 * nst_tcp_borrow() - have the socket for the worker, if nobody owns it
 * @nst: the socket's state
 *
 * By the spinlock alone, as softirqs do. A program may own the socket for as long
 * as it likes, by a page fault in one of the kernel's own socket options, and must
 * not keep the worker of all sockets: it calls the worker again when it gives the
 * socket up, see nst_tcp_release_cb().
 *
 * Context: process.
 * Return: true if the caller holds the spinlock now, until nst_tcp_return().
 */
bool nst_tcp_borrow(struct nst_tcp *nst)
{
	struct sock *sk = nst->sk;

	spin_lock_bh(&sk->sk_lock.slock);
	if (!sock_owned_by_user(sk)) {
		/* Sparse does not follow a lock that is only perhaps taken. */
		__release(&sk->sk_lock.slock);
		return true;
	}
	set_bit(NST_TCP_WAITS, &nst->flags);
	spin_unlock_bh(&sk->sk_lock.slock);
	return false;
}

/**
 * nst_tcp_return() - undo nst_tcp_borrow()
 * @nst: the socket's state
 */
void nst_tcp_return(struct nst_tcp *nst)
{
	/* See nst_tcp_borrow(). */
	__acquire(&nst->sk->sk_lock.slock);
	spin_unlock_bh(&nst->sk->sk_lock.slock);
}

/**
 * nst_tcp_kick() - have the worker run
 * @nst: the socket's state
 * @delay: jiffies
 *
 * Context: any, while the caller keeps the socket.
 */
void nst_tcp_kick(struct nst_tcp *nst, unsigned long delay)
{
	if (test_bit(NST_TCP_DEAD, &nst->flags))
		return;
	if (!delay && (test_bit(NST_TCP_LINGER, &nst->flags) ||
		       READ_ONCE(nst->tx_untold)))
		hurry(nst);
	else
		queue(nst, &nst->work, delay);
}

/**
 * nst_tcp_owes() - is there something for the worker, now that it can be done?
 * @nst: the socket's state; its connection has come to stand, or to a program, or
 *	has got keys
 *
 * A start record that is asked for, what has come before, or what a call has left.
 * Whoever brings one of these about calls the worker behind it, too.
 *
 * Context: any, while the caller keeps the socket.
 * Return: false if surely not.
 */
bool nst_tcp_owes(const struct nst_tcp *nst)
{
	/*
	 * What the caller has changed goes first: either we see what is owed, or who
	 * brings it about, and its worker, sees that change.
	 */
	smp_mb();
	return nst_stream_asks_start(&nst->st) || nst_tcp_queued(nst->sk) ||
	       READ_ONCE(nst->flags) || READ_ONCE(nst->tx_open) ||
	       READ_ONCE(nst->tx_out);
}

/**
 * nst_tcp_rekick() - queue the worker if it missed a lock just released
 * @nst: the socket's state
 *
 * Context: process, after rx_lock or tx_lock was unlocked.
 */
void nst_tcp_rekick(struct nst_tcp *nst)
{
	/* Pairs with try_lock() of work.c: unlock, then look. */
	smp_mb();
	if (test_bit(NST_TCP_KICK, &nst->flags) &&
	    test_and_clear_bit(NST_TCP_KICK, &nst->flags))
		nst_tcp_kick(nst, 0);
}

/*
 * What tcp_abort() does, which waits for the socket. The program is told by
 * sk_err, as far as it has not been told already. Spinlock of the socket.
 */
static void reset(struct nst_tcp *nst)
{
	struct sock *sk = nst->sk;

	if (test_bit(NST_TCP_DEAD, &nst->flags) || sk->sk_state == TCP_CLOSE)
		return;
	nst->base->disconnect(sk, 0);
	WRITE_ONCE(sk->sk_err, -nst->rx_err);
	WRITE_ONCE(sk->sk_shutdown, SHUTDOWN_MASK);
	sk_error_report(sk);
	sk->sk_state_change(sk);
}

/**
 * nst_tcp_abort() - reset the connection, now or as soon as nobody owns it
 * @nst: the socket's state; its rx_err says why
 *
 * Context: process.
 */
void nst_tcp_abort(struct nst_tcp *nst)
{
	set_bit(NST_TCP_ABORT, &nst->flags);
	if (!nst_tcp_borrow(nst))
		return;
	clear_bit(NST_TCP_ABORT, &nst->flags);
	reset(nst);
	nst_tcp_return(nst);
}

/**
 * nst_tcp_watch_queue() - the part of nst_tcp_watch() that is seldom needed
 * @nst: the socket's state
 *
 * Context: as nst_tcp_watch().
 */
void nst_tcp_watch_queue(struct nst_tcp *nst)
{
	queue(nst, &nst->idle, round_jiffies_up_relative(NST_IDLE_SECONDS * HZ));
	/* Pairs with nst_tcp_work_forget(): queue, then look. */
	smp_mb();
	if (test_bit(NST_TCP_DEAD, &nst->flags) &&
	    cancel_delayed_work(&nst->idle))
		put_both(nst);
}

static void run_work(struct work_struct *work)
{
	struct nst_tcp *nst = container_of(to_delayed_work(work),
					   struct nst_tcp, work);

	works->serve(nst);
	put_both(nst);
}

/**
 * nst_tcp_linger() - what the worker does for a closed connection
 * @nst: the socket's state, NST_TCP_LINGER
 *
 * Context: process, in the worker, without a lock.
 */
void nst_tcp_linger(struct nst_tcp *nst)
{
	works->look_after(nst);
}

static void run_idle(struct work_struct *work)
{
	struct nst_tcp *nst = container_of(to_delayed_work(work),
					   struct nst_tcp, idle);

	works->look_idle(nst);
	put_both(nst);
}

/**
 * nst_tcp_alloc() - make the state of a socket
 * @sk: a TCP socket
 * @parent: the listener whose memory cgroup pays; NULL: the caller's
 * @gfp: how
 *
 * Context: any that @gfp allows; process without @parent.
 * Return: the state with one reference, the socket's; NULL without memory.
 */
struct nst_tcp *nst_tcp_alloc(struct sock *sk, const struct nst_tcp *parent,
			      gfp_t gfp)
{
	struct mem_cgroup *memcg, *old = NULL;
	struct nst_tcp *nst;

	if (parent)
		old = set_active_memcg(parent->memcg);
	nst = kmem_cache_zalloc(nst_cache, gfp);
	/* NULL stands for the one that is active. */
	memcg = get_mem_cgroup_from_mm(parent ? NULL : current->mm);
	if (parent)
		set_active_memcg(old);
	if (!nst) {
		mem_cgroup_put(memcg);
		return NULL;
	}
	nst->memcg = memcg;
	atomic_inc(&nst_live);
	refcount_set(&nst->ref, 1);
	nst->sk = sk;
	nst->st.nn = nst_net(sock_net(sk));
	nst->st.tx.ep.tx = true;
	nst->record_max = NST_RECORD_MAX_DEFAULT;
	spin_lock_init(&nst->conf_lock);
	mutex_init(&nst->tx_lock);
	mutex_init(&nst->rx_lock);
	__skb_queue_head_init(&nst->plain);
	INIT_DELAYED_WORK(&nst->work, run_work);
	INIT_DELAYED_WORK(&nst->idle, run_idle);
	return nst;
}

/**
 * nst_tcp_work_cancel() - a socket is closed: end its works
 * @nst: its state, NST_TCP_DEAD
 *
 * Context: process, without a lock of the socket.
 */
void nst_tcp_work_cancel(struct nst_tcp *nst)
{
	if (cancel_delayed_work_sync(&nst->work))
		put_both(nst);
	if (cancel_delayed_work_sync(&nst->idle))
		put_both(nst);
}

/**
 * nst_tcp_work_end() - the worker itself has closed its socket
 * @nst: its state, NST_TCP_DEAD
 *
 * Context: process, in the worker, without a lock of the socket.
 */
void nst_tcp_work_end(struct nst_tcp *nst)
{
	if (cancel_delayed_work(&nst->work))
		put_both(nst);
	if (cancel_delayed_work_sync(&nst->idle))
		put_both(nst);
}

/**
 * nst_tcp_work_forget() - a socket goes that nobody has accepted
 * @nst: its state, NST_TCP_DEAD
 *
 * The worker ends by itself, soon; the other work would keep the sock, its
 * namespace and the module for seconds.
 *
 * Context: any, while the caller holds a reference on the sock and on @nst.
 */
void nst_tcp_work_forget(struct nst_tcp *nst)
{
	/* Pairs with nst_tcp_watch(): NST_TCP_DEAD, then look. */
	smp_mb();
	if (cancel_delayed_work(&nst->idle))
		put_both(nst);
}

/**
 * nst_tcp_sock_start() - be ready for sockets
 * @todo: what their works do
 *
 * Return: 0 or -ENOMEM.
 */
int nst_tcp_sock_start(const struct nst_tcp_works *todo)
{
	works = todo;
	/* See NST_TCP_NO_STATE. */
	BUILD_BUG_ON(__alignof__(struct nst_tcp) <= NST_TCP_NO_STATE);
	nst_cache = KMEM_CACHE(nst_tcp, SLAB_ACCOUNT);
	if (!nst_cache)
		return -ENOMEM;
	/* Storage may lie on a socket, and memory be freed by writing to it. */
	nst_wq = alloc_workqueue("nst", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (nst_wq)
		return 0;
	kmem_cache_destroy(nst_cache);
	return -ENOMEM;
}

/**
 * nst_tcp_sock_stop() - undo nst_tcp_sock_start()
 *
 * No socket has NST any more, but the last ones may still wait to be freed:
 * workers, some of them delayed, put the last references.
 */
void nst_tcp_sock_stop(void)
{
	wait_var_event(&nst_live, !atomic_read(&nst_live));
	destroy_workqueue(nst_wq);
	kmem_cache_destroy(nst_cache);
}
