// SPDX-License-Identifier: GPL-2.0
/*
 * The protocol family AF_NST: inet sockets that are NST from birth.
 *
 * inet makes the socket, with all rules that hold for its own, NST is attached
 * to it, and then its sock moves over to the socket that the program gets. From
 * there on nothing is left of the family but the attach: the operations are
 * those of the ULP or of NST's UDP, and the sock says AF_INET or AF_INET6.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/in.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/net.h>
#include <linux/nst.h>
#include <linux/wait_bit.h>
#include <net/sock.h>
#include <net/tcp.h>
#include "af_nst.h"
#include "udp/attach.h"

static int family = AF_NST;
module_param(family, int, 0444);
MODULE_PARM_DESC(family, "number of the protocol family AF_NST (25); 0: none");

/*
 * The number is claimed before any other part of the module shows, because it
 * may be taken, and a load that fails frees the module under whoever is using
 * it. Who asks for a socket in the meantime waits.
 */
enum { LOADING, OPEN, FAILED };
static int state = LOADING;

static void set_state(int now)
{
	/* Pairs with wait_until_loaded(). */
	smp_store_release(&state, now);
	/* Pairs with wait_var_event(): change, then look who waits. */
	smp_mb();
	wake_up_var(&state);
}

static int wait_until_loaded(void)
{
	/* Pairs with set_state(): all other parts are there. */
	int err = wait_var_event_killable(&state, smp_load_acquire(&state) !=
						  LOADING);

	if (err)
		return err;
	return READ_ONCE(state) == OPEN ? 0 : -EAFNOSUPPORT;
}

static int attach(struct sock *sk)
{
	if (sk->sk_type == SOCK_DGRAM)
		return nst_udp_attach(sk);
	return sk->sk_prot->setsockopt(sk, SOL_TCP, TCP_ULP,
				       KERNEL_SOCKPTR("nst"), 3);
}

/* net_proto_family.create; the caller keeps the module meanwhile. */
static int create(struct net *net, struct socket *sock, int protocol, int kern)
{
	int transport = sock->type == NST_SOCK_DGRAM ? IPPROTO_UDP : IPPROTO_TCP;
	struct socket *inet;
	struct sock *sk;
	int err;

	if (sock->type != NST_SOCK_STREAM && sock->type != NST_SOCK_DGRAM)
		return -ESOCKTNOSUPPORT;
	if (protocol && protocol != AF_INET && protocol != AF_INET6)
		return -EPROTONOSUPPORT;
	err = wait_until_loaded();
	if (err)
		return err;
	/* LSMs and cgroups see this one as any other of inet, and may refuse. */
	err = __sock_create(net, protocol ?: AF_INET, sock->type, transport,
			    &inet, kern);
	if (err)
		return err;
	sk = inet->sk;
	err = attach(sk);
	if (err) {
		sock_release(inet);
		return err;
	}
	sock->ops = inet->ops;
	sock->state = inet->state;
	sock->flags = inet->flags;
	inet->sk = NULL;
	sock_graft(sk, sock);
	/*
	 * With it goes the reference on the module that the attach has taken
	 * for inet->ops; __sock_create() takes that of sock->ops behind us.
	 */
	sock_release(inet);
	return 0;
}

static struct net_proto_family nst_family = {
	.create	= create,
	.owner	= THIS_MODULE,
};

/**
 * nst_af_nst_init() - claim the family's number; before all other parts
 *
 * No socket is made before nst_af_nst_open().
 *
 * Context: process.
 * Return: 0, also if the administrator wants no family; -EBUSY if the number is
 * taken, -EINVAL if it is none.
 */
int nst_af_nst_init(void)
{
	if (!family)
		return 0;
	if (family < 0 || family >= AF_MAX) {
		pr_err("family=%d is no protocol family; 1 to %d, or 0 for no AF_NST\n",
		       family, AF_MAX - 1);
		return -EINVAL;
	}
	nst_family.family = family;
	if (sock_register(&nst_family)) {
		pr_err("protocol family %d is taken; load with family= and a free number (13, 14, 18, 19, 22 mostly are), or family=0 for no AF_NST\n",
		       family);
		/* modprobe would take EEXIST for a module that is there. */
		return -EBUSY;
	}
	return 0;
}

/**
 * nst_af_nst_open() - have the family make sockets; behind all other parts
 *
 * Context: process.
 */
void nst_af_nst_open(void)
{
	set_state(OPEN);
}

/**
 * nst_af_nst_exit() - give the number back; after all other parts have gone
 *
 * When the module is unloaded nobody comes any more. When its load fails, those
 * who wait in create() are sent away, and whoever has come in by another part
 * has closed his socket; the core puts their references behind our last
 * instruction, and then the module is freed whether they have or not.
 *
 * Context: process.
 */
void nst_af_nst_exit(void)
{
	if (family) {
		set_state(FAILED);
		sock_unregister(family);
	}
#ifdef CONFIG_MODULE_UNLOAD
	/* A load that fails has one itself. */
	while (module_refcount(THIS_MODULE) > 1)
		msleep(20);
#endif
}

MODULE_ALIAS_NETPROTO(AF_NST);
