// SPDX-License-Identifier: GPL-2.0
/*
 * A UDP socket gets NST: by setsockopt(NST_ATTACH), or it is born so. A proto and
 * proto_ops of ours stand in UDP's place for what a program does; what the
 * network does comes by encap_rcv and encap_err_rcv.
 */
#include <linux/delay.h>
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
#include "udp/attach.h"
#include "udp/buf.h"
#include "udp/derive.h"
#include "udp/err.h"
#include "udp/opt.h"
#include "udp/recv.h"
#include "udp/rx.h"
#include "udp/sock.h"
#include "udp/state.h"
#include "udp/tx.h"

/* Datagrams queued before the attach: no socket holds more than that. */
#define PURGE_MAX	(1U << 20)

/* How long the attach waits for senders, in jiffies. */
#define ATTACH_PATIENCE	(HZ / 5)

/* As nst_udp_base_prot and nst_udp_prot. */
static const struct proto_ops *base_ops[NST_UDP_FAMILIES];
static struct proto_ops nst_ops[NST_UDP_FAMILIES];

/*
 * UDP looks at encap_rcv only while some socket has one, which it knows by code
 * that is patched. These sockets have one for the life of the module, so that
 * no program's first socket, or last, makes all CPUs wait for that.
 */
static struct socket *learned[NST_UDP_FAMILIES];

/* Nobody attaches before the module is there to stay. */
static bool open;

/*
 * proto.close. What the softirqs that still find the socket need of its state
 * stays until the sock goes.
 */
static void udp_close(struct sock *sk, long timeout)
{
	struct nst_udp *nst = nst_udp(sk);

	nst_udp_retire(nst);
	nst->base->close(sk, timeout);
}

/*
 * sk_write_space of sockets of IPv6: the first sign that the socket has become
 * one of IPv4 by IPV6_ADDRFORM, and UDP's own.
 */
static void udp_write_space(struct sock *sk)
{
	struct nst_udp *nst;

	/* Pairs with adopt_sock(). */
	smp_rmb();
	nst = nst_udp_of(sk);
	if (unlikely(nst_udp_left(nst)))
		nst_udp_shut(sk);
	nst->write_space(sk);
}

/* What came before the attach was not NST's. Nobody reads it, ours waits. */
static void purge(struct sock *sk)
{
	struct proto *base = nst_udp_base_prot[nst_udp_family(sk)];
	unsigned int i;

	for (i = 0; i < PURGE_MAX; i++) {
		struct msghdr msg = {};

		/* An error of the socket is not the end of the queue. */
		if (nst_compat_recv_nothing(base, sk, &msg) == -EAGAIN)
			break;
		cond_resched();
	}
}

/* Does anybody wait for the socket's lock? He has begun before us. */
static bool is_contended(struct sock *sk)
{
	bool waiting;

	spin_lock_bh(&sk->sk_lock.slock);
	/* Who waits is listed under the spinlock. */
	waiting = waitqueue_active(&sk->sk_lock.wq);
	spin_unlock_bh(&sk->sk_lock.slock);
	return waiting;
}

/*
 * May NST be attached to it? -EAGAIN: not while there are others in UDP. A
 * sender has charged a buffer to the socket before it reads the program's bytes.
 */
static int check(struct sock *sk)
{
	int family = nst_udp_family(sk);

	lockdep_assert_held(&sk->sk_callback_lock);
	if (nst_udp(sk))
		return -EEXIST;
	if (!READ_ONCE(nst_net(sock_net(sk))->enabled))
		return -EPERM;
	if (sk->sk_prot != nst_udp_base_prot[family] || !sk->sk_socket ||
	    sk->sk_socket->ops != base_ops[family])
		return -EBUSY;
	if (rcu_access_pointer(__sk_user_data(sk)) || udp_sk(sk)->encap_type)
		return -EBUSY;
	/* It had NST, and somebody has written over all else that tells of it. */
	if (sk->sk_destruct == nst_udp_destruct)
		return -EBUSY;
	if (udp_sk(sk)->pending || udp_test_bit(CORK, sk))
		return -EBUSY;
	return sk_wmem_alloc_get(sk) ? -EAGAIN : 0;
}

/* The sock calls us when it goes, whatever has become of proto and ops then. */
static void adopt_sock(struct sock *sk, struct nst_udp *nst)
{
	nst->destruct = sk->sk_destruct;
	sk->sk_destruct = nst_udp_destruct;
	/* Softirqs find it by lookups until then. */
	sock_set_flag(sk, SOCK_RCU_FREE);
	__module_get(THIS_MODULE);
	if (sk->sk_family != AF_INET6)
		return;
	nst->write_space = sk->sk_write_space;
	/* Behind the state that it uses. */
	smp_store_release(&sk->sk_write_space, udp_write_space);
}

/*
 * Softirqs and senders look without a lock. A softirq that sees encap_rcv finds the
 * state, which has been entered; a sender that sees our proto finds encap_rcv, or he
 * would take the socket for one that was changed.
 */
static void adopt(struct sock *sk, struct nst_udp *nst)
{
	int family = nst_udp_family(sk);
	struct udp_sock *up = udp_sk(sk);

	nst->base = nst_udp_base_prot[family];
	nst->encap_rcv = nst_udp_encap_rcv;
	/* UDP would cut in the middle of records. */
	nst->gso_size = up->gso_size;
	WRITE_ONCE(up->gso_size, 0);
	clear_bit(SOCK_SUPPORT_ZC, &sk->sk_socket->flags);
	adopt_sock(sk, nst);
	/* The socket file holds what its ops belong to. */
	__module_get(THIS_MODULE);
	sk->sk_socket->ops = &nst_ops[family];
	up->encap_err_rcv = nst_udp_encap_err_rcv;
	/* Pairs with nst_udp_encap_rcv(). */
	smp_store_release(&up->encap_rcv, nst_udp_encap_rcv);
	WRITE_ONCE(up->encap_type, NST_UDP_ENCAP_TYPE);
	/* Pairs with nst_udp(). */
	smp_store_release(&sk->sk_prot, &nst_udp_prot[family]);
	nst_stats_inc(nst->nn->stats, NST_MIB_SOCKETS);
}

/*
 * Can a datagram have come to it? One without a port may have had one: who dissolves
 * an association keeps what is queued. UDP sets the flag with the first port, and
 * nobody clears it.
 */
static bool was_bound(const struct sock *sk)
{
	return inet_sk(sk)->inet_num || sock_flag(sk, SOCK_RCU_FREE);
}

static int try_install(struct sock *sk, struct nst_udp *nst, bool *bound)
{
	int err = -EAGAIN;

	lock_sock(sk);
	/* Before adopt_sock(), which sets the flag for all. */
	*bound = was_bound(sk);
	if (!is_contended(sk)) {
		/* Others who want a socket's sk_user_data hold this one. */
		write_lock_bh(&sk->sk_callback_lock);
		err = check(sk) ?: nst_udp_enter(nst);
		if (!err)
			adopt(sk, nst);
		write_unlock_bh(&sk->sk_callback_lock);
	}
	if (!err)
		udp_tunnel_encap_enable(sk);
	release_sock(sk);
	return err;
}

/*
 * Attaches, and leaves the socket without a datagram that came before. A sender
 * that sleeps in UDP looks like a datagram on its way to the device: the latter
 * goes in no time.
 */
static int install(struct sock *sk, struct nst_udp *nst)
{
	unsigned long until = jiffies + ATTACH_PATIENCE;
	bool bound;
	int err;

	while ((err = try_install(sk, nst, &bound)) == -EAGAIN) {
		if (time_after(jiffies, until))
			return -EBUSY;
		if (msleep_interruptible(1))
			return -ERESTARTSYS;
	}
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
 * One reference on the module is the socket file's afterwards, another one the
 * sock's.
 *
 * Context: process.
 * Return: 0; -EOPNOTSUPP if it is no UDP socket; -EEXIST if it has NST; -EPERM if
 * net.nst.enabled is 0; -EBUSY if something else has changed it, it is corked, or
 * a sender is inside UDP; -ENOMEM; -ERESTARTSYS.
 */
int nst_udp_attach(struct sock *sk)
{
	struct nst_udp *nst;
	int err;

	if (sk->sk_type != SOCK_DGRAM || sk->sk_protocol != IPPROTO_UDP ||
	    !nst_udp_base_prot[nst_udp_family(sk)])
		return -EOPNOTSUPP;
	nst = nst_udp_alloc(sk);
	if (!nst)
		return -ENOMEM;
	/* No key is set, and so nothing read, before the queue is empty. */
	mutex_lock(&nst->conf_lock);
	err = install(sk, nst);
	mutex_unlock(&nst->conf_lock);
	if (err)
		nst_udp_discard(nst);
	else
		nst_udp_show(nst);
	return err;
}

#if IS_ENABLED(CONFIG_NETFILTER)
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

static int offer_attach(void)
{
	int err = nf_register_sockopt(&attach4);

	if (err)
		return err;
	err = nf_register_sockopt(&attach6);
	if (err)
		nf_unregister_sockopt(&attach4);
	return err;
}

static void withdraw_attach(void)
{
	nf_unregister_sockopt(&attach6);
	nf_unregister_sockopt(&attach4);
}
#else
/* Options of others reach a socket through netfilter: AF_NST is left. */
static int offer_attach(void) { return 0; }
static void withdraw_attach(void) {}
#endif

static void build(int family)
{
	struct proto *prot = &nst_udp_prot[family];
	struct proto_ops *ops = &nst_ops[family];

	*prot = *nst_udp_base_prot[family];
	prot->close = udp_close;
	prot->sendmsg = nst_udp_sendmsg;
	prot->recvmsg = nst_udp_recvmsg;
	prot->setsockopt = nst_udp_opt_set;
	prot->getsockopt = nst_udp_opt_get;
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

static int learn(int family, int pf)
{
	struct socket *sock;
	int err = sock_create_kern(&init_net, pf, SOCK_DGRAM, IPPROTO_UDP,
				   &sock);

	if (err)
		return err;
	nst_udp_base_prot[family] = sock->sk->sk_prot;
	base_ops[family] = sock->ops;
	build(family);
	lock_sock(sock->sk);
	udp_tunnel_encap_enable(sock->sk);
	release_sock(sock->sk);
	learned[family] = sock;
	return 0;
}

static void forget_learned(void)
{
	int i;

	for (i = 0; i < NST_UDP_FAMILIES; i++)
		if (learned[i])
			sock_release(learned[i]);
}

/**
 * nst_udp_init() - get ready for nst_udp_open(); after nst_netns_init()
 *
 * Context: process.
 * Return: 0 or a negative errno.
 */
int nst_udp_init(void)
{
	int err = nst_udp_find_init();

	if (err)
		return err;
	err = learn(NST_UDP_V4, PF_INET);
	if (!err)
		err = learn(NST_UDP_V6, PF_INET6);
	/* A kernel, or a command line, without IPv6. */
	if (err && err != -EAFNOSUPPORT)
		goto no_wait;
	err = nst_udp_derive_init();
	if (err)
		goto no_wait;
	err = offer_attach();
	if (!err)
		return 0;
	nst_udp_derive_exit();
no_wait:
	forget_learned();
	nst_udp_find_exit();
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
	withdraw_attach();
	/* A sock's last words are spoken in a callback of RCU. */
	synchronize_net();
	rcu_barrier();
	nst_udp_derive_exit();
	nst_udp_buf_exit();
	forget_learned();
	nst_udp_find_exit();
}
