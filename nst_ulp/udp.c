// SPDX-License-Identifier: GPL-2.0
/*
 * Life of a UDP socket with NST: attached by setsockopt(NST_ATTACH) or born so,
 * and closed. A proto and proto_ops of ours stand in UDP's place for what a
 * program does; what the network does comes by encap_rcv and encap_err_rcv.
 */
#include <linux/in.h>
#include <linux/module.h>
#include <linux/net.h>
#include <linux/netfilter.h>
#include <linux/nst.h>
#include <linux/slab.h>
#include <linux/udp.h>
#include <net/inet_common.h>
#include <net/udp.h>
#include <net/udp_tunnel.h>
#include "limits.h"
#include "udp.h"
#include "udp_epoch.h"
#include "udp_err.h"
#include "udp_recv.h"
#include "udp_rx.h"
#include "udp_tx.h"
#include "udp_wait.h"

/* Any but 0: UDP asks for no more, and programs cannot set this one. */
#define ENCAP_TYPE	200

/* Datagrams queued before the attach: no socket holds more than that. */
#define PURGE_MAX	(1U << 20)

enum { V4, V6, NR_FAMILIES };

/* UDP's own, learned at load from sockets made for that: not all are exported. */
static struct proto *base_prot[NR_FAMILIES];
static const struct proto_ops *base_ops[NR_FAMILIES];

/* The same with our functions; written at load, then read only. */
static struct proto nst_prot[NR_FAMILIES];
static struct proto_ops nst_ops[NR_FAMILIES];

/*
 * UDP looks at encap_rcv only while some socket has one, which it knows by code
 * that is patched. These sockets have one for the life of the module, so that
 * no program's first socket, or last, makes all CPUs wait for that.
 */
static struct socket *learned[NR_FAMILIES];

/* Nobody attaches before the module is there to stay. */
static bool open;

static atomic64_t receivers = ATOMIC64_INIT(0);

static int family_of(const struct sock *sk)
{
	return sk->sk_family == AF_INET6 ? V6 : V4;
}

/**
 * nst_udp() - NST's state of a socket
 * @sk: any socket
 *
 * Context: process, by someone who keeps the socket open; or under
 * rcu_read_lock().
 * Return: NULL if it is no UDP socket with NST, or closed.
 */
struct nst_udp *nst_udp(const struct sock *sk)
{
	const struct proto *prot = READ_ONCE(sk->sk_prot);

	if (prot != &nst_prot[V4] && prot != &nst_prot[V6])
		return NULL;
	return rcu_dereference_check(__sk_user_data(sk), true);
}

static void rx_free(struct work_struct *work)
{
	struct nst_udp_rx *rx = container_of(to_rcu_work(work),
					     struct nst_udp_rx, free);

	nst_conf_put(rx->conf);
	nst_udp_box_put(rx->box);
	kfree(rx);
}

/**
 * nst_udp_rx_new() - what a socket will receive with
 * @nst: the socket's state
 * @conf: the configuration; a reference is taken
 *
 * Context: process.
 * Return: NULL without memory.
 */
struct nst_udp_rx *nst_udp_rx_new(const struct nst_udp *nst,
				  struct nst_conf *conf)
{
	struct nst_udp_rx *rx = kmalloc(sizeof(*rx), GFP_KERNEL_ACCOUNT);

	if (!rx)
		return NULL;
	rx->box = nst_udp_box_get(sock_net(nst->sk), conf->ring->private);
	if (!rx->box) {
		kfree(rx);
		return NULL;
	}
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

static void udp_free(struct work_struct *work)
{
	struct nst_udp *nst = container_of(to_rcu_work(work), struct nst_udp,
					   free);

	kfree(rcu_dereference_protected(nst->own, true));
	nst_udp_epoch_put(nst->epoch);
	nst_conf_put(nst->tx_conf);
	kvfree(nst->spliced);
	mutex_destroy(&nst->conf_lock);
	mutex_destroy(&nst->splice_lock);
	kfree(nst);
}

static struct nst_udp *udp_alloc(struct sock *sk)
{
	struct nst_udp *nst = kzalloc(sizeof(*nst), GFP_KERNEL_ACCOUNT);

	if (!nst)
		return NULL;
	nst->sk = sk;
	nst->nn = nst_net(sock_net(sk));
	nst->base = base_prot[family_of(sk)];
	nst->receiver = atomic64_inc_return(&receivers);
	INIT_RCU_WORK(&nst->free, udp_free);
	mutex_init(&nst->conf_lock);
	spin_lock_init(&nst->tx_lock);
	init_rwsem(&nst->recv_lock);
	mutex_init(&nst->splice_lock);
	return nst;
}

/* Gives the socket back to UDP; false if it is none of NST's any more. */
static bool release(struct sock *sk, struct nst_udp *nst)
{
	struct udp_sock *up = udp_sk(sk);
	bool ours;

	write_lock_bh(&sk->sk_callback_lock);
	ours = rcu_access_pointer(__sk_user_data(sk)) == nst;
	if (ours)
		rcu_assign_sk_user_data(sk, NULL);
	WRITE_ONCE(sk->sk_prot, base_prot[family_of(sk)]);
	write_unlock_bh(&sk->sk_callback_lock);
	/*
	 * A packet that was queued for a program may hold the sock beyond the
	 * module. What UDP undoes of encapsulation it knows by a bit of its own.
	 * Its look at encap_err_rcv is not atomic, and found by a lookup only.
	 */
	WRITE_ONCE(up->encap_type, 0);
	WRITE_ONCE(up->encap_rcv, NULL);
	return ours;
}

/*
 * proto.close. Softirqs may still find the socket, and find it without state, or
 * without encap_rcv. What they queue then, nobody can read any more.
 */
static void udp_close(struct sock *sk, long timeout)
{
	struct nst_udp *nst = nst_udp(sk);
	struct nst_udp_rx *rx;
	bool ours;

	lock_sock(sk);
	ours = release(sk, nst);
	release_sock(sk);
	if (nst && ours) {
		rx = rcu_replace_pointer(nst->rx, NULL, true);
		nst_udp_rx_put(rx);
		nst_stats_add(nst->nn->stats, NST_MIB_SOCKETS, -1);
		queue_rcu_work(nst_udp_wq, &nst->free);
	}
	base_prot[family_of(sk)]->close(sk, timeout);
}

/* What came before the attach was not NST's. Nobody reads it, ours waits. */
static void purge(struct sock *sk)
{
	struct proto *base = base_prot[family_of(sk)];
	unsigned int i;

	for (i = 0; i < PURGE_MAX; i++) {
		struct msghdr msg = {};

		/* An error of the socket is not the end of the queue. */
		if (nst_compat_recv_nothing(base, sk, &msg) == -EAGAIN)
			break;
		cond_resched();
	}
}

/*
 * Does a sender sleep in UDP, with plaintext that it would send when it wakes?
 * Readers and pollers wait with functions of their own.
 */
static bool has_sleeping_sender(struct sock *sk)
{
	struct wait_queue_head *wq = sk_sleep(sk);
	struct wait_queue_entry *entry;
	bool found = false;

	spin_lock_irq(&wq->lock);
	list_for_each_entry(entry, &wq->head, entry)
		found |= entry->func == autoremove_wake_function ||
			 entry->func == woken_wake_function;
	spin_unlock_irq(&wq->lock);
	return found;
}

/* May NST be attached to it? Under the socket lock and sk_callback_lock. */
static int check(struct sock *sk)
{
	int family = family_of(sk);

	if (nst_udp(sk))
		return -EEXIST;
	if (!READ_ONCE(nst_net(sock_net(sk))->enabled))
		return -EPERM;
	if (sk->sk_prot != base_prot[family] || !sk->sk_socket ||
	    sk->sk_socket->ops != base_ops[family])
		return -EBUSY;
	if (rcu_access_pointer(__sk_user_data(sk)) || udp_sk(sk)->encap_type ||
	    udp_sk(sk)->pending || udp_test_bit(CORK, sk))
		return -EBUSY;
	return has_sleeping_sender(sk) ? -EBUSY : 0;
}

static void adopt(struct sock *sk, struct nst_udp *nst)
{
	int family = family_of(sk);
	struct udp_sock *up = udp_sk(sk);

	/* UDP would cut in the middle of records. */
	nst->gso_size = up->gso_size;
	WRITE_ONCE(up->gso_size, 0);
	clear_bit(SOCK_SUPPORT_ZC, &sk->sk_socket->flags);
	rcu_assign_sk_user_data(sk, nst);
	/* The socket file holds what its ops belong to. */
	__module_get(THIS_MODULE);
	sk->sk_socket->ops = &nst_ops[family];
	WRITE_ONCE(sk->sk_prot, &nst_prot[family]);
	up->encap_err_rcv = nst_udp_encap_err_rcv;
	WRITE_ONCE(up->encap_rcv, nst_udp_encap_rcv);
	WRITE_ONCE(up->encap_type, ENCAP_TYPE);
	nst_stats_inc(nst->nn->stats, NST_MIB_SOCKETS);
}

/* Attaches, and leaves the socket without a datagram that came before. */
static int install(struct sock *sk, struct nst_udp *nst)
{
	bool bound;
	int err;

	lock_sock(sk);
	/* Others who want a socket's sk_user_data hold this one. */
	write_lock_bh(&sk->sk_callback_lock);
	err = check(sk);
	if (!err)
		adopt(sk, nst);
	write_unlock_bh(&sk->sk_callback_lock);
	if (!err)
		udp_tunnel_encap_enable(sk);
	bound = inet_sk(sk)->inet_num;
	release_sock(sk);
	if (err || !bound)
		return err;
	/* A datagram may be on its way past encap_rcv. */
	synchronize_net();
	purge(sk);
	return 0;
}

/**
 * nst_udp_attach() - from now on the socket sends and takes nothing but NST
 * @sk: a UDP socket with a socket file, not locked
 *
 * A reference on the module is the socket file's afterwards.
 *
 * Context: process.
 * Return: 0; -EOPNOTSUPP if it is no UDP socket; -EEXIST if it has NST; -EPERM if
 * net.nst.enabled is 0; -EBUSY if something else has changed it, it is corked, or
 * a sender sleeps in it; -ENOMEM.
 */
int nst_udp_attach(struct sock *sk)
{
	struct nst_udp *nst;
	int err;

	if (sk->sk_type != SOCK_DGRAM || sk->sk_protocol != IPPROTO_UDP ||
	    !base_prot[family_of(sk)])
		return -EOPNOTSUPP;
	nst = udp_alloc(sk);
	if (!nst)
		return -ENOMEM;
	/* No key is set, and so nothing read, before the queue is empty. */
	mutex_lock(&nst->conf_lock);
	err = install(sk, nst);
	mutex_unlock(&nst->conf_lock);
	if (err)
		kfree(nst);
	return err;
}

static int attach_option(struct sock *sk, int optname, sockptr_t optval,
			 unsigned int optlen)
{
	int value;

	if (optname != NST_ATTACH || !READ_ONCE(open))
		return -ENOPROTOOPT;
	if (optlen != sizeof(value))
		return -EINVAL;
	if (copy_from_sockptr(&value, optval, sizeof(value)))
		return -EFAULT;
	if (value != 1)
		return -EINVAL;
	return nst_udp_attach(sk);
}

static struct nf_sockopt_ops attach4 = {
	.pf		= PF_INET,
	.set_optmin	= NST_ATTACH,
	.set_optmax	= NST_ATTACH + 1,
	.set		= attach_option,
	.owner		= THIS_MODULE,
};

static struct nf_sockopt_ops attach6 = {
	.pf		= PF_INET6,
	.set_optmin	= NST_ATTACH,
	.set_optmax	= NST_ATTACH + 1,
	.set		= attach_option,
	.owner		= THIS_MODULE,
};

static void build(int family, const struct nst_udp_hooks *hooks)
{
	struct proto *prot = &nst_prot[family];
	struct proto_ops *ops = &nst_ops[family];

	*prot = *base_prot[family];
	prot->close = udp_close;
	prot->sendmsg = nst_udp_sendmsg;
	prot->recvmsg = nst_udp_recvmsg;
	prot->setsockopt = hooks->setsockopt;
	prot->getsockopt = hooks->getsockopt;
#ifdef NST_HAVE_SENDPAGE
	prot->sendpage = nst_udp_sendpage;
#endif
#ifdef NST_HAVE_SPLICE_EOF
	prot->splice_eof = nst_udp_splice_eof;
#endif
#ifdef CONFIG_BPF_SYSCALL
	prot->psock_update_sk_prot = NULL;
#endif
	*ops = *base_ops[family];
	ops->owner = THIS_MODULE;
	/* Of sockmap, which would pass recvmsg by. */
	ops->read_skb = NULL;
}

static int learn(int family, int pf, const struct nst_udp_hooks *hooks)
{
	struct socket *sock;
	int err = sock_create_kern(&init_net, pf, SOCK_DGRAM, IPPROTO_UDP,
				   &sock);

	if (err)
		return err;
	base_prot[family] = sock->sk->sk_prot;
	base_ops[family] = sock->ops;
	build(family, hooks);
	lock_sock(sock->sk);
	udp_tunnel_encap_enable(sock->sk);
	release_sock(sock->sk);
	learned[family] = sock;
	return 0;
}

static void forget_learned(void)
{
	int i;

	for (i = 0; i < NR_FAMILIES; i++)
		if (learned[i])
			sock_release(learned[i]);
}

/**
 * nst_udp_init() - get ready for nst_udp_open(); after nst_netns_init()
 * @hooks: options, which belong to the layer above
 *
 * Context: process.
 * Return: 0 or a negative errno.
 */
int nst_udp_init(const struct nst_udp_hooks *hooks)
{
	int err = learn(V4, PF_INET, hooks);

	if (!err)
		err = learn(V6, PF_INET6, hooks);
	/* A kernel, or a command line, without IPv6. */
	if (err && err != -EAFNOSUPPORT)
		goto no_wait;
	err = nst_udp_wait_init();
	if (err)
		goto no_wait;
	err = nf_register_sockopt(&attach4);
	if (err)
		goto no_attach4;
	err = nf_register_sockopt(&attach6);
	if (!err)
		return 0;
	nf_unregister_sockopt(&attach4);
no_attach4:
	nst_udp_wait_exit();
no_wait:
	forget_learned();
	return err;
}

/**
 * nst_udp_open() - the module is there to stay: let programs attach
 *
 * Context: process, when nothing of the load can fail any more.
 */
void nst_udp_open(void)
{
	WRITE_ONCE(open, true);
}

/**
 * nst_udp_exit() - undo nst_udp_init(); no socket may be left
 *
 * Context: process.
 */
void nst_udp_exit(void)
{
	nf_unregister_sockopt(&attach6);
	nf_unregister_sockopt(&attach4);
	/* Softirqs that found a socket before it was closed; its state. */
	synchronize_net();
	rcu_barrier();
	nst_udp_wait_exit();
	nst_udp_tx_exit();
	forget_learned();
}
