// SPDX-License-Identifier: GPL-2.0
/*
 * /proc/nst_batch. A write runs many sends or receives in one system call
 * (batch.h): in User Mode Linux a system call costs several microseconds of
 * ptrace, which would hide what is to be compared. A read tells how much CPU
 * time the kernel, a process of the host, has had: the host's other work slows
 * the clock's seconds down, not these.
 */
#include <linux/file.h>
#include <linux/module.h>
#include <linux/net.h>
#include <linux/proc_fs.h>
#include <linux/sched/signal.h>
#include <linux/time_types.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include <asm/unistd.h>

#include "batch.h"

static ssize_t batch_call(struct socket *sock, const struct nst_batch *arg,
			  bool send, size_t len)
{
	struct msghdr msg = {};
	struct iovec iov;
	int err;

	err = import_single_range(send ? WRITE : READ,
				  u64_to_user_ptr(arg->buffer), len, &iov,
				  &msg.msg_iter);
	if (err)
		return err;
	return send ? sock_sendmsg(sock, &msg) : sock_recvmsg(sock, &msg, 0);
}

/* Calls of at most each bytes, until all of total went through. */
static ssize_t batch_calls(struct socket *sock, const struct nst_batch *arg,
			   bool send, u64 each, u64 total)
{
	ssize_t n;

	for (; total; total -= min_t(u64, n, total)) {
		n = batch_call(sock, arg, send, min(each, total));
		if (!n)
			return -ECONNRESET;
		if (n > 0 && signal_pending(current))
			return -EINTR;
		if (n < 0)
			return n;
		cond_resched();
	}
	return 0;
}

/* A read takes a datagram, however long, so reads are of read_size. */
static ssize_t batch_bursts(struct socket *sock, const struct nst_batch *arg)
{
	struct socket *peer;
	ssize_t len;
	u64 done, n;
	int err;

	peer = sockfd_lookup(arg->peer, &err);
	if (!peer)
		return err;
	for (done = 0; !err && done < arg->total; done += arg->burst) {
		err = batch_calls(sock, arg, true, arg->size, arg->burst);
		for (n = 0; !err && n < arg->burst; n += len) {
			len = batch_call(peer, arg, false, arg->read_size);
			if (len <= 0)
				err = len ?: -ECONNRESET;
		}
	}
	sockfd_put(peer);
	return err;
}

static ssize_t batch_write(struct file *file, const char __user *buf,
			   size_t len, loff_t *pos)
{
	struct nst_batch arg;
	struct socket *sock;
	int err;

	if (len != sizeof(arg))
		return -EINVAL;
	if (copy_from_user(&arg, buf, len))
		return -EFAULT;
	sock = sockfd_lookup(arg.fd, &err);
	if (!sock)
		return err;
	switch (arg.op) {
	case NST_BATCH_SEND:
	case NST_BATCH_RECV:
		err = batch_calls(sock, &arg, arg.op == NST_BATCH_SEND,
				  arg.size, arg.total);
		break;
	case NST_BATCH_BURSTS:
		err = arg.burst ? batch_bursts(sock, &arg) : -EINVAL;
		break;
	default:
		err = -EINVAL;
	}
	sockfd_put(sock);
	return err ?: len;
}

/* A system call of kernel code goes to the host. */
static int host_cpu_time(struct __kernel_timespec *ts)
{
	long ret = __NR_clock_gettime;

	asm volatile("syscall" : "+a" (ret)
		     : "D" (CLOCK_PROCESS_CPUTIME_ID), "S" (ts)
		     : "rcx", "r11", "memory");
	return ret;
}

static ssize_t batch_read(struct file *file, char __user *buf, size_t len,
			  loff_t *pos)
{
	struct __kernel_timespec ts;
	char text[40];
	int err;

	err = host_cpu_time(&ts);
	if (err)
		return err;
	err = scnprintf(text, sizeof(text), "%lld.%09lld\n", ts.tv_sec,
			ts.tv_nsec);
	return simple_read_from_buffer(buf, len, pos, text, err);
}

static const struct proc_ops batch_ops = {
	.proc_read = batch_read,
	.proc_write = batch_write,
};

static int __init batch_init(void)
{
	if (!proc_create("nst_batch", 0600, NULL, &batch_ops))
		return -ENOMEM;
	return 0;
}

static void __exit batch_exit(void)
{
	remove_proc_entry("nst_batch", NULL);
}

module_init(batch_init);
module_exit(batch_exit);
MODULE_DESCRIPTION("Many socket calls in one system call, for benchmarks");
MODULE_LICENSE("GPL");
