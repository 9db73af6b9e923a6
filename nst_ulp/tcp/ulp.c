// SPDX-License-Identifier: GPL-2.0
/* Offer NST for TCP sockets, and end a stream when its socket is closed. */
#include <linux/bpf.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/net.h>
#include <linux/skmsg.h>
#include <linux/slab.h>
#include <linux/tcp.h>
#include <net/inet_common.h>
#include <net/tcp.h>
#include "limits.h"
#include "tcp/accept.h"
#include "tcp/attach.h"
#include "tcp/close.h"
#include "tcp/diag.h"
#include "tcp/head.h"
#include "tcp/inherit.h"
#include "tcp/ops.h"
#include "tcp/opt.h"
#include "tcp/orphans.h"
#include "tcp/poll.h"
#include "tcp/recv.h"
#include "tcp/room.h"
#include "tcp/rx.h"
#include "tcp/send.h"
#include "tcp/tx.h"
#include "tcp/txrec.h"
#include "tcp/ulp.h"
#include "tcp/work.h"

/*
 * tcp_ulp_ops.release: the sock is being destroyed. After close() nothing is
 * left to do; a child that was never accepted comes here first.
 */
static void release(struct sock *sk)
{
	struct nst_tcp *nst = nst_tcp(sk), *parent = nst_tcp_bare_parent(sk);

	if (nst) {
		nst_tcp_uninstall(nst);
		nst_tcp_work_forget(nst);
		nst_tcp_put(nst);
	} else if (sk->sk_prot == &nst_tcp_prot[nst_tcp_family(sk)]) {
		WRITE_ONCE(sk->sk_prot, sk->sk_prot_creator);
	}
	if (parent)
		nst_tcp_put(parent);
}

/*
 * SHUT_RD is NST's: TCP would answer the peer's close record with a reset, too, as
 * soon as this end has sent its FIN. Returns false without a connection to shut.
 */
static bool shut_reading(struct nst_tcp *nst)
{
	struct sock *sk = nst->sk;
	bool ours;

	lock_sock(sk);
	ours = nst->st.rx.conf &&
	       !((1 << sk->sk_state) & (TCPF_CLOSE | TCPF_LISTEN |
					TCPF_SYN_SENT));
	if (ours) {
		set_bit(NST_TCP_SHUT_RD, &nst->flags);
		sk->sk_state_change(sk);
	}
	release_sock(sk);
	return ours;
}

/*
 * Sends what is open and the close record. *@err is -EAGAIN if the worker will, else
 * what has come of it; *@open says that something was open. Returns false if the call
 * is killed, and then the worker will, too.
 */
static bool end_stream(struct nst_tcp *nst, bool *open, int *err)
{
	/* A plain socket's waits for those who send, too, whatever signal comes. */
	if (mutex_lock_killable(&nst->tx_lock)) {
		set_bit(NST_TCP_SHUT, &nst->flags);
		nst_tcp_kick(nst, 0);
		return false;
	}
	*open = nst->tx_open;
	if (!(READ_ONCE(nst->sk->sk_shutdown) & SEND_SHUTDOWN))
		*err = nst_tcp_tx_finish(nst);
	if (*err == -EAGAIN)
		set_bit(NST_TCP_SHUT, &nst->flags);
	mutex_unlock(&nst->tx_lock);
	nst_tcp_rekick(nst);
	return true;
}

static int shutdown(struct socket *sock, int how)
{
	struct sock *sk = sock->sk;
	struct nst_tcp *nst = nst_tcp(sk);
	const struct proto_ops *ops;
	bool connected, open = false;
	int err = 0, lost;

	if (!nst)
		return -EIO;
	nst_tcp_inherit_now(nst);
	ops = nst->base_ops;
	connected = (1 << READ_ONCE(sk->sk_state)) & (TCPF_ESTABLISHED |
						      TCPF_CLOSE_WAIT);
	if ((how == SHUT_RD || how == SHUT_RDWR) && shut_reading(nst)) {
		if (how == SHUT_RD)
			return 0;
		how = SHUT_WR;
	}
	if (how != SHUT_WR && how != SHUT_RDWR)
		return ops->shutdown(sock, how);
	if (!end_stream(nst, &open, &err))
		return -EINTR;
	/* No orderly end: the worker resets the connection. */
	if (test_bit(NST_TCP_TORN, &nst->flags))
		return -EPROTO;
	if (err != -EAGAIN) {
		/* What MSG_MORE has held back and no key could seal. */
		lost = open ? err : 0;
		err = ops->shutdown(sock, how);
		/* A peer that is gone answers the close record with a reset. */
		return err == -ENOTCONN && connected ? lost : err ?: lost;
	}
	/* The worker will do it; the other half need not wait. */
	nst_tcp_kick(nst, 1);
	return how == SHUT_RDWR ? ops->shutdown(sock, SHUT_RD) : 0;
}

static void build_prot(struct proto *prot, const struct proto *base)
{
	*prot = *base;
	prot->owner = THIS_MODULE;
	prot->sendmsg = nst_tcp_sendmsg;
	prot->recvmsg = nst_tcp_recvmsg;
	prot->close = nst_tcp_close;
	prot->disconnect = nst_tcp_disconnect;
	prot->unhash = nst_tcp_unhash;
	prot->release_cb = nst_tcp_release_cb;
	prot->setsockopt = nst_sockopt_set;
	prot->getsockopt = nst_sockopt_get;
	prot->ioctl = nst_tcp_ioctl;
	prot->stream_memory_free = nst_tcp_memory_free;
#ifdef NST_HAVE_SENDPAGE
	prot->sendpage = nst_tcp_sendpage;
#endif
#ifdef CONFIG_BPF_SYSCALL
	prot->psock_update_sk_prot = NULL;
#endif
}

/* Whatever reaches TCP's queues behind sk_prot's back is taken away. */
static void build_ops(struct proto_ops *ops, const struct proto_ops *base)
{
	*ops = *base;
	ops->owner = THIS_MODULE;
	ops->poll = nst_tcp_poll;
	ops->connect = nst_tcp_connect;
	ops->accept = nst_tcp_accept;
	ops->listen = nst_tcp_listen;
	ops->shutdown = shutdown;
	ops->read_sock = NULL;
	ops->read_skb = NULL;
	ops->sendmsg_locked = NULL;
	ops->splice_read = NULL;
	ops->mmap = sock_no_mmap;
	ops->peek_len = NULL;
	ops->set_peek_off = NULL;
	ops->set_rcvlowat = nst_tcp_set_rcvlowat;
#ifdef NST_HAVE_SENDPAGE
	ops->sendpage_locked = NULL;
#endif
#ifdef NST_HAVE_SPLICE_EOF
	ops->splice_eof = nst_tcp_splice_eof;
#endif
}

static void build_ulp(struct tcp_ulp_ops *ulp)
{
	ulp->init = nst_tcp_attach;
	ulp->clone = nst_tcp_clone;
	ulp->release = release;
	ulp->get_info = nst_diag_info;
	ulp->get_info_size = nst_diag_info_size;
}

static int learn(int family, int pf)
{
	struct socket *sock;
	int err = sock_create_kern(&init_net, pf, SOCK_STREAM, IPPROTO_TCP,
				   &sock);

	if (err)
		return err;
	nst_tcp_base_prot[family] = sock->sk->sk_prot;
	nst_tcp_base_ops[family] = sock->ops;
	build_prot(&nst_tcp_prot[family], nst_tcp_base_prot[family]);
	build_ops(&nst_tcp_ops[family], nst_tcp_base_ops[family]);
	sock_release(sock);
	return 0;
}

/**
 * nst_tcp_init() - offer the ULP
 *
 * Return: 0 or an errno.
 */
int nst_tcp_init(void)
{
	static const struct nst_tcp_works works = {
		.serve		= nst_tcp_serve,
		.look_after	= nst_tcp_look_after,
		.look_idle	= nst_tcp_look_idle,
	};
	int err = learn(NST_TCP_V4, PF_INET);

	if (!err)
		err = learn(NST_TCP_V6, PF_INET6);
	if (err && err != -EAFNOSUPPORT)
		return err;
	err = nst_tcp_sock_start(&works);
	if (err)
		return err;
	build_ulp(&nst_tcp_ulp);
	err = nst_orphans_init();
	if (err)
		goto stop;
	err = tcp_register_ulp(&nst_tcp_ulp);
	if (!err)
		return 0;
	nst_orphans_exit();
stop:
	nst_tcp_sock_stop();
	return err;
}

/**
 * nst_tcp_exit() - undo nst_tcp_init()
 *
 * No program's socket has NST any more, but closed ones may wait for their peer,
 * and the last ones to be freed.
 */
void nst_tcp_exit(void)
{
	tcp_unregister_ulp(&nst_tcp_ulp);
	nst_tcp_close_stop();
	nst_tcp_sock_stop();
	/* inet_diag calls us under neither RCU nor a lock; it does not sleep. */
	synchronize_rcu_tasks();
	nst_orphans_exit();
	nst_txrec_exit();
}

MODULE_ALIAS_TCP_ULP("nst");
