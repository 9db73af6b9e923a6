// SPDX-License-Identifier: GPL-2.0
/*
 * nst_intruder.ko: reaches into a TCP socket by TCP's own functions, as a call
 * does that was inside them before the socket had NST. A test, never part of an
 * installation.
 *
 *	echo "FD give" >/proc/nst_intruder	the socket sends plaintext
 *	echo "FD take" >/proc/nst_intruder	a byte of what it received is gone
 *	echo "FD storage" >/proc/nst_intruder	storage lies on it: who allocates for
 *						it must not wait for storage, and
 *						may use reserves
 *	echo "FD queue" >/proc/nst_intruder	somebody waits for its lock, until
 *	echo "FD leave" >/proc/nst_intruder	he does no more
 */
#include <linux/module.h>
#include <linux/net.h>
#include <linux/proc_fs.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include <net/tcp.h>

static int give(struct sock *sk)
{
	struct kvec vec = { .iov_base = "plain", .iov_len = 5 };
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };

	iov_iter_kvec(&msg.msg_iter, ITER_SOURCE, &vec, 1, vec.iov_len);
	return tcp_sendmsg(sk, &msg, vec.iov_len);
}

static int take_one(read_descriptor_t *desc, struct sk_buff *skb,
		    unsigned int offset, size_t len)
{
	desc->count = 0;
	return 1;
}

static int take(struct sock *sk)
{
	read_descriptor_t desc = { .count = 1 };
	int n;

	lock_sock(sk);
	n = tcp_read_sock(sk, &desc, take_one);
	release_sock(sk);
	return n ?: -EAGAIN;	/* the segment is still on its way */
}

static int lay_storage(struct sock *sk)
{
	lock_sock(sk);
	sk->sk_allocation = GFP_NOIO | __GFP_MEMALLOC;
	release_sock(sk);
	return 0;
}

/* It is never woken, so it is always there. */
static int stay(struct wait_queue_entry *entry, unsigned int mode, int flags,
		void *key)
{
	return 0;
}

static struct wait_queue_entry queued = { .func = stay };
static struct sock *queued_at;

static int leave(void)
{
	if (!queued_at)
		return -ENOENT;
	remove_wait_queue(&queued_at->sk_lock.wq, &queued);
	sock_put(queued_at);
	queued_at = NULL;
	return 0;
}

static int queue(struct sock *sk)
{
	if (queued_at)
		return -EBUSY;
	sock_hold(sk);
	queued_at = sk;
	add_wait_queue(&sk->sk_lock.wq, &queued);
	return 0;
}

static int act(struct sock *sk, char what)
{
	switch (what) {
	case 'g':
		return give(sk);
	case 't':
		return take(sk);
	case 's':
		return lay_storage(sk);
	case 'q':
		return queue(sk);
	case 'l':
		return leave();
	default:
		return -EINVAL;
	}
}

static ssize_t intrude(struct file *file, const char __user *buf, size_t len,
		       loff_t *pos)
{
	char text[32] = "", what[8];
	struct socket *sock;
	int fd, err;

	if (len >= sizeof(text) || copy_from_user(text, buf, len))
		return -EINVAL;
	if (sscanf(text, "%d %7s", &fd, what) != 2)
		return -EINVAL;
	sock = sockfd_lookup(fd, &err);
	if (!sock)
		return err;
	err = act(sock->sk, what[0]);
	sockfd_put(sock);
	return err < 0 ? err : len;
}

static const struct proc_ops intruder_ops = {
	.proc_write	= intrude,
};

static int __init intruder_init(void)
{
	return proc_create("nst_intruder", 0200, NULL, &intruder_ops) ? 0 :
	       -ENOMEM;
}

static void __exit intruder_exit(void)
{
	remove_proc_entry("nst_intruder", NULL);
	leave();
}

module_init(intruder_init);
module_exit(intruder_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Test of NST: bytes that go past it");
