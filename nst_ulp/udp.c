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
	nst->base_ops = base_ops[family_of(sk)];
	nst->receiver = atomic64_inc_return(&receivers);
	INIT_RCU_WORK(&nst->free, udp_free);
	mutex_init(&nst->conf_lock);
	spin_lock_init(&nst->tx_lock);
	init_rwsem(&nst->recv_lock);
	mutex_init(&nst->splice_lock);
	return nst;
}

/*
 * proto.close. Softirqs may still find the socket, and find it without state;
 * what they have then is dropped. Nobody can read any more.
 */
static void udp_close(struct sock *sk, long timeout)
{
	struct nst_udp *nst = nst_udp(sk);
	struct nst_udp_rx *rx;

	if (!nst)
		return;
	lock_sock(sk);
	rcu_assign_sk_user_data(sk, NULL);
	WRITE_ONCE(sk->sk_prot, nst->base);
	release_sock(sk);
	rx = rcu_replace_pointer(nst->rx, NULL, true);
	nst_udp_rx_put(rx);
	nst_stats_add(nst->nn->stats, NST_MIB_SOCKETS, -1);
	queue_rcu_work(nst_udp_wq, &nst->free);
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

/* May NST be attached to it? Under the socket lock. */
static int check(const struct sock *sk)
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
	return 0;
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
	udp_tunnel_encap_enable(sk);
	nst_stats_inc(nst->nn->stats, NST_MIB_SOCKETS);
}

/**
 * nst_udp_attach() - from now on the socket sends and takes nothing but NST
 * @sk: a UDP socket with a socket file, not locked
 *
 * A reference on the module is the socket file's afterwards.
 *
 * Context: process.
 * Return: 0; -EOPNOTSUPP if it is no UDP socket; -EEXIST if it has NST; -EPERM if
 * net.nst.enabled is 0; -EBUSY if something else has changed it, or it is corked;
 * -ENOMEM.
 */
int nst_udp_attach(struct sock *sk)
{
	struct nst_udp *nst;
	bool bound;
	int err;

	if (sk->sk_type != SOCK_DGRAM || sk->sk_protocol != IPPROTO_UDP ||
	    !base_prot[family_of(sk)])
		return -EOPNOTSUPP;
	nst = udp_alloc(sk);
	if (!nst)
		return -ENOMEM;
	lock_sock(sk);
	err = check(sk);
	bound = inet_sk(sk)->inet_num;
	if (!err)
		adopt(sk, nst);
	release_sock(sk);
	if (err) {
		kfree(nst);
		return err;
	}
	if (bound) {
		/* A datagram may be on its way past encap_rcv. */
		synchronize_net();
		purge(sk);
	}
	return 0;
}

static int attach_option(struct sock *sk, int optname, sockptr_t optval,
			 unsigned int optlen)
{
	int value;

	if (optname != NST_ATTACH)
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
	sock_release(sock);
	return 0;
}

/**
 * nst_udp_init() - let programs attach; after nst_netns_init()
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
		return err;
	err = nst_udp_wait_init();
	if (err)
		return err;
	err = nf_register_sockopt(&attach4);
	if (err)
		goto no_attach4;
	err = nf_register_sockopt(&attach6);
	if (!err)
		return 0;
	nf_unregister_sockopt(&attach4);
no_attach4:
	nst_udp_wait_exit();
	return err;
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
}
