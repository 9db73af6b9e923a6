// SPDX-License-Identifier: GPL-2.0
/*
 * The two works that a socket has: the worker does what no program waits for, and
 * another, far apart, looks whether a direction is idle and gives its transforms
 * back. Both serve all sockets in turn, so neither waits for a lock that a program
 * can hold.
 */
#include <linux/memcontrol.h>
#include <linux/sched/mm.h>
#include <linux/tcp.h>
#include <net/tcp.h>
#include "tcp/inherit.h"
#include "tcp/mem.h"
#include "tcp/ready.h"
#include "tcp/rx.h"
#include "tcp/txwork.h"
#include "tcp/work.h"

/* The worker never waits for a lock; who holds it will call it again. */
static bool try_lock(struct nst_tcp *nst, struct mutex *lock)
{
	if (mutex_trylock(lock))
		return true;
	set_bit(NST_TCP_KICK, &nst->flags);
	/* Pairs with nst_tcp_rekick(): ask, then try once more. */
	smp_mb__after_atomic();
	return mutex_trylock(lock);
}

/*
 * Neither a connection nor one that is lost. Its locks are left alone, for
 * connect() takes the socket back from a refusal only while nobody has them; once
 * there is a connection the worker is called again.
 */
static bool is_idle(const struct nst_tcp *nst)
{
	int state = READ_ONCE(nst->sk->sk_state);

	return !READ_ONCE(nst->joined) &&
	       ((1 << state) & (TCPF_CLOSE | TCPF_SYN_SENT | TCPF_LISTEN));
}

/* Its listener has keys, or has gone. Under the room's spinlock. */
static void wake(struct nst_keywait *wait)
{
	nst_tcp_kick(container_of(wait, struct nst_tcp, keyless), 0);
}

/*
 * Take what the listener has, and wait for what it has not, as long as its program
 * has not called. The listener sets keys, then wakes who waits: so it is to wait first,
 * then to look.
 */
static void inherit(struct nst_tcp *nst)
{
	nst->keyless.wake = wake;
	set_bit(NST_TCP_PARENT, &nst->parent->flags);
	nst_keyroom_enter(&nst->st.nn->keyless, &nst->keyless);
	/* Pairs with nst_tcp_tell_children() and, for its own end, uninstall. */
	smp_mb();
	nst_tcp_inherit_late(nst, nst->parent, false);
	if (test_bit(NST_TCP_DEAD, &nst->flags))
		nst_keyroom_leave(&nst->keyless);
}

/*
 * A child was accepted, by an accept() that is TCP's: it slept over the listener's
 * attach. What could not be done while it had no socket, as nst_tcp_accept() does.
 */
static void see_adopted(struct nst_tcp *nst)
{
	struct mem_cgroup *memcg = NULL;

	lockdep_assert_held(&nst->rx_lock);
	if (nst->parent) {
		if (!try_lock(nst, &nst->tx_lock))
			return;
		inherit(nst);
		mutex_unlock(&nst->tx_lock);
	}
	if (!nst_tcp_borrow(nst))
		return;
	if (!nst->parent || nst->rx_err) {
		clear_bit(NST_TCP_ADOPTED, &nst->flags);
		nst_keyroom_leave(&nst->keyless);
	}
	if (!test_bit(NST_TCP_DEAD, &nst->flags))
		nst_tcp_announce(nst);
	swap(nst->adopter, memcg);
	nst_tcp_return(nst);
	if (memcg) {
		swap(nst->memcg, memcg);
		mem_cgroup_put(memcg);
	}
	if (nst->rx_err && nst->rx_drop != NST_DROP_TRUNCATED)
		nst_tcp_abort(nst);
}

/*
 * What no program waits for: judge a START as soon as it is there, empty
 * records, make room for a large record, send the START and the end that
 * strict mode has put off, finish what TCP had no memory for.
 */
static void serve(struct nst_tcp *nst)
{
	struct mem_cgroup *old;

	if (is_idle(nst) && !test_bit(NST_TCP_TORN, &nst->flags))
		return;
	if (!test_bit(NST_TCP_DEAD, &nst->flags) &&
	    try_lock(nst, &nst->rx_lock)) {
		if (unlikely(test_bit(NST_TCP_ADOPTED, &nst->flags)))
			see_adopted(nst);
		/* What it allocates is the socket's, see mem.c. */
		old = set_active_memcg(nst->memcg);
		nst_tcp_rx_work(nst);
		set_active_memcg(old);
		mutex_unlock(&nst->rx_lock);
	}
	if (!test_bit(NST_TCP_DEAD, &nst->flags) &&
	    try_lock(nst, &nst->tx_lock)) {
		nst_tcp_tx_work(nst);
		mutex_unlock(&nst->tx_lock);
	}
	if (test_bit(NST_TCP_ABORT, &nst->flags))
		nst_tcp_abort(nst);
}

/**
 * nst_tcp_serve() - what the worker does, see struct nst_tcp_works
 * @nst: the socket's state
 *
 * Context: process, without a lock.
 */
void nst_tcp_serve(struct nst_tcp *nst)
{
	struct nst_tcp_scope scope = nst_tcp_scope_begin(nst->sk, true);

	/* Pairs with detach(). */
	if (!test_bit_acquire(NST_TCP_LINGER, &nst->flags))
		serve(nst);
	else if (!test_bit(NST_TCP_DEAD, &nst->flags))
		nst_tcp_linger(nst);
	nst_tcp_scope_end(&scope);
	/* The next one's turn: also if a lock was taken, whose holder calls again. */
	nst_keywait_done(&nst->keywait);
	nst_keyroom_done(&nst->keyless);
}

/*
 * Park a direction's epoch if no record has passed since the last look. Returns
 * false if there is nothing left to look for until nst_tcp_watch() is called.
 */
static bool park_idle(struct nst_tcp *nst, struct mutex *lock,
		      struct nst_epoch *ep, const u64 *records, u32 *seen)
{
	u32 now = READ_ONCE(*records);
	bool idle = now == *seen;

	*seen = now;
	if (!idle || !mutex_trylock(lock))
		return true;
	idle = now == (u32)*records;
	if (idle)
		nst_epoch_park(ep);
	mutex_unlock(lock);
	nst_tcp_rekick(nst);
	return !idle;
}

/**
 * nst_tcp_look_idle() - what the other work does, see struct nst_tcp_works
 * @nst: the socket's state
 *
 * Context: process, without a lock.
 */
void nst_tcp_look_idle(struct nst_tcp *nst)
{
	struct nst_stream *st = &nst->st;
	bool again = false;

	if (!test_bit(NST_TCP_DEAD, &nst->flags)) {
		again |= park_idle(nst, &nst->tx_lock, &st->tx.ep,
				   &st->tx.records, &nst->seen_tx);
		again |= park_idle(nst, &nst->rx_lock, &st->rx.ep,
				   &st->rx.records, &nst->seen_rx);
	}
	if (again)
		nst_tcp_watch(nst);
}

