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
			  size_t len)
{
	bool send = arg->op == NST_BATCH_SEND;
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

static ssize_t batch_write(struct file *file, const char __user *buf,
			   size_t len, loff_t *pos)
{
	struct nst_batch arg;
	struct socket *sock;
	u64 left;
	ssize_t n = 0;
	int err;

	if (len != sizeof(arg))
		return -EINVAL;
	if (copy_from_user(&arg, buf, len))
		return -EFAULT;
	sock = sockfd_lookup(arg.fd, &err);
	if (!sock)
		return err;
	for (left = arg.total; left; left -= n) {
		n = batch_call(sock, &arg, min(arg.size, left));
		if (!n)
			n = -ECONNRESET;
		if (n > 0 && signal_pending(current))
			n = -EINTR;
		if (n < 0)
			break;
		cond_resched();
	}
	sockfd_put(sock);
	return n < 0 ? n : len;
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
