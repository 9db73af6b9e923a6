// SPDX-License-Identifier: GPL-2.0
/*
 * The state of a UDP socket. It is made by the attach and freed with the sock,
 * whatever has become of the socket's proto and ops until then.
 */
#include <linux/memcontrol.h>
#include <linux/module.h>
#include <linux/slab.h>
#include "udp/epoch.h"
#include "udp/derive.h"
#include "udp/line.h"
#include "udp/queue.h"
#include "udp/state.h"
#include "udp/wait.h"

static void rx_free(struct work_struct *work)
{
	struct nst_udp_rx *rx = container_of(to_rcu_work(work),
					     struct nst_udp_rx, free);

	nst_conf_put(rx->conf);
	kfree(rx);
}

/**
 * nst_udp_rx_new() - what a socket will receive with
 * @conf: the configuration; a reference is taken
 *
 * Context: process.
 * Return: NULL without memory.
 */
struct nst_udp_rx *nst_udp_rx_new(struct nst_conf *conf)
{
	struct nst_udp_rx *rx = kmalloc(sizeof(*rx), GFP_KERNEL_ACCOUNT);

	if (!rx)
		return NULL;
	rx->conf = nst_conf_get(conf);
	INIT_RCU_WORK(&rx->free, rx_free);
	return rx;
}

/**
 * nst_udp_rx_put() - give it up
 * @rx: softirqs may still use it; NULL is allowed
 *
 * Context: process.
 */
void nst_udp_rx_put(struct nst_udp_rx *rx)
{
	if (rx)
		queue_rcu_work(nst_udp_wq, &rx->free);
}

static void dealloc(struct nst_udp *nst)
{
	nst_udp_user_put(nst->user);
	mem_cgroup_put(nst->memcg);
	/* Who looks for another's state may come by this one. */
	kfree_rcu(nst, rcu);
}

static void udp_free(struct work_struct *work)
{
	struct nst_udp *nst = container_of(work, struct nst_udp, free);

	kfree(rcu_dereference_protected(nst->own, true));
	nst_udp_epoch_put(nst->epoch);
	nst_conf_put(nst->tx_conf);
	kvfree(nst->spliced);
	nst_members_free(&nst->members);
	mutex_destroy(&nst->conf_lock);
	mutex_destroy(&nst->splice_lock);
	dealloc(nst);
}

/**
 * nst_udp_alloc() - state for a socket that has none yet
 * @sk: the socket
 *
 * It has its place in the namespace's list, but is not seen there yet.
 *
 * Context: process.
 * Return: NULL without memory. For nst_udp_discard() if it comes to nothing.
 */
struct nst_udp *nst_udp_alloc(struct sock *sk)
{
	struct nst_udp *nst = kzalloc(sizeof(*nst), GFP_KERNEL_ACCOUNT);

	if (!nst)
		return NULL;
	nst->user = nst_udp_user_get(nst_host_user());
	if (!nst->user) {
		kfree(nst);
		return NULL;
	}
	nst->memcg = get_mem_cgroup_from_mm(current->mm);
	nst->sk = sk;
	nst->nn = nst_net(sock_net(sk));
	if (xa_alloc_cyclic_bh(&nst->nn->udp_sockets, &nst->id, NULL,
			       xa_limit_32b, &nst->nn->udp_next,
			       GFP_KERNEL) < 0) {
		dealloc(nst);
		return NULL;
	}
	nst_members_init(&nst->members);
	nst_udp_queue_init(&nst->queue);
	INIT_WORK(&nst->free, udp_free);
	mutex_init(&nst->conf_lock);
	spin_lock_init(&nst->tx_lock);
	init_rwsem(&nst->recv_lock);
	init_waitqueue_head(&nst->recv_wait);
	mutex_init(&nst->splice_lock);
	return nst;
}

/**
 * nst_udp_discard() - undo nst_udp_alloc()
 * @nst: the state, which no socket has got
 *
 * Context: process.
 */
void nst_udp_discard(struct nst_udp *nst)
{
	xa_erase_bh(&nst->nn->udp_sockets, nst->id);
	dealloc(nst);
}

/**
 * nst_udp_show() - the socket has NST: let it be seen in the namespace's list
 * @nst: its state
 *
 * Context: process, by someone who keeps the socket open.
 */
void nst_udp_show(struct nst_udp *nst)
{
	/* Its place is there: nothing is allocated, and nothing can fail. */
	xa_store_bh(&nst->nn->udp_sockets, nst->id, nst, 0);
}

/**
 * nst_udp_next_get() - the next of a namespace's sockets, in the order of ids
 * @nn: the namespace's state
 * @id: where to begin; receives the socket's
 *
 * What is there from the first call to the last is found once, whatever comes
 * and goes meanwhile.
 *
 * Context: process.
 * Return: the state of a socket, which the caller has to sock_put(); NULL: there
 * is none.
 */
struct nst_udp *nst_udp_next_get(struct nst_net *nn, unsigned long *id)
{
	struct nst_udp *nst;

	/* Who is listed is not freed under the lock; he may be about to go. */
	xa_lock_bh(&nn->udp_sockets);
	nst = xa_find(&nn->udp_sockets, id, ULONG_MAX, XA_PRESENT);
	while (nst && !refcount_inc_not_zero(&nst->sk->sk_refcnt))
		nst = xa_find_after(&nn->udp_sockets, id, ULONG_MAX,
				    XA_PRESENT);
	xa_unlock_bh(&nn->udp_sockets);
	return nst;
}

/**
 * nst_udp_retire() - nobody reads or writes the socket any more
 * @nst: its state; softirqs may still find it, and drop what they bring
 *
 * Context: close() of the socket, or the end of the sock; any.
 */
void nst_udp_retire(struct nst_udp *nst)
{
	WRITE_ONCE(nst->retired, true);
	xa_erase_bh(&nst->nn->udp_sockets, nst->id);
	nst_udp_rx_put(rcu_replace_pointer(nst->rx, NULL, true));
	nst_udp_wait_close(nst);
	nst_stats_add(nst->nn->stats, NST_MIB_SOCKETS, -1);
}

/**
 * nst_udp_destruct() - sk_destruct of a socket with NST
 * @sk: the sock, which nobody can find any more
 *
 * proto.close has retired it, but for one case: IPV6_ADDRFORM, called before the
 * attach, has put UDP's proto and ops in the place of ours behind it. Then the
 * socket file has not given back its reference on the module either.
 *
 * Context: a callback of RCU, because of SOCK_RCU_FREE. nst_udp_exit() waits for
 * it behind the last reference on the module.
 */
void nst_udp_destruct(struct sock *sk)
{
	struct nst_udp *nst = nst_udp_of(sk);
	void (*destruct)(struct sock *sk) = nst->destruct;

	nst_udp_leave(nst);
	if (!nst->retired) {
		nst_udp_retire(nst);
		module_put(THIS_MODULE);
	}
	queue_work(nst_udp_wq, &nst->free);
	destruct(sk);
	module_put(THIS_MODULE);
}
