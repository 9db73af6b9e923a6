// SPDX-License-Identifier: GPL-2.0
/*
 * Who sends waits, or is told that he would have to: for room in SO_SNDBUF, and for
 * another who changes the epoch.
 *
 * UDP asks for room when it gets a datagram, which is sealed then: who waits there has
 * a buffer, and what is sealed gets old. So room is asked for before, and what is
 * promised to a send counts until UDP has charged it. UDP asks again, and finds it.
 */
#include <linux/sched/signal.h>
#include <linux/wait.h>
#include <net/sock.h>
#include "udp/room.h"

/**
 * nst_udp_tell_refused() - there may be another answer now
 * @nst: the state of a socket, of which somebody has given up or waits
 *
 * Context: process.
 */
void nst_udp_tell_refused(struct nst_udp *nst)
{
	WRITE_ONCE(nst->send_refused, false);
	nst->sk->sk_write_space(nst->sk);
}

/* From now on whoever makes a difference tells of it. */
static void set_refused(struct nst_udp *nst)
{
	sk_set_bit(SOCKWQ_ASYNC_NOSPACE, nst->sk);
	WRITE_ONCE(nst->send_refused, true);
	/* Pairs with nst_udp_room_give() and nst_udp_conf_unlock(). */
	smp_mb();
}

/* 1: there may be room; 0: not yet; or what ends the wait. */
static int look(struct nst_udp *nst, unsigned int room, long timeo)
{
	struct sock *sk = nst->sk;
	int err = sock_error(sk);

	if (err)
		return err;
	if (READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN)
		return -EPIPE;
	if (nst_udp_room(nst, room))
		return 1;
	/* UDP looks at it to count what was refused. */
	set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
	set_refused(nst);
	if (nst_udp_room(nst, room))
		return 1;
	if (!timeo)
		return -EAGAIN;
	return signal_pending(current) ? sock_intr_errno(timeo) : 0;
}

/**
 * nst_udp_room_wait() - wait for room in SO_SNDBUF, as UDP does
 * @nst: the socket's state
 * @room: from nst_udp_room_for(); 0: it was promised, but UDP has found none
 * @timeo: jiffies to wait at most; receives what is left
 *
 * Context: process.
 * Return: 0 if there may be room; -EAGAIN; -EPIPE if sending was shut; the error of
 * the socket, which has none then; -EINTR, -ERESTARTSYS.
 */
int nst_udp_room_wait(struct nst_udp *nst, unsigned int room, long *timeo)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	int ret;

	add_wait_queue(sk_sleep(nst->sk), &wait);
	while (!(ret = look(nst, room, *timeo)))
		*timeo = wait_woken(&wait, TASK_INTERRUPTIBLE, *timeo);
	remove_wait_queue(sk_sleep(nst->sk), &wait);
	return min(ret, 0);
}

/**
 * nst_udp_conf_lock() - take conf_lock to send
 * @nst: the socket's state
 * @may_wait: for who derives keys; who may not is told as of room
 *
 * Context: process.
 * Return: 0; -EAGAIN; -ERESTARTSYS.
 */
int nst_udp_conf_lock(struct nst_udp *nst, bool may_wait)
{
	if (may_wait)
		return mutex_lock_interruptible(&nst->conf_lock) ?
		       -ERESTARTSYS : 0;
	if (mutex_trylock(&nst->conf_lock))
		return 0;
	set_refused(nst);
	return mutex_trylock(&nst->conf_lock) ? 0 : -EAGAIN;
}

/**
 * nst_udp_conf_unlock() - give up conf_lock
 * @nst: the socket's state
 *
 * Context: process.
 */
void nst_udp_conf_unlock(struct nst_udp *nst)
{
	mutex_unlock(&nst->conf_lock);
	/* Pairs with set_refused(). */
	smp_mb();
	if (unlikely(READ_ONCE(nst->send_refused)))
		nst_udp_tell_refused(nst);
}
