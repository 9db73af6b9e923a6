// SPDX-License-Identifier: GPL-2.0
/*
 * A call that is made for a program must not do what the program may not. Users,
 * capabilities, root and working directory are a thread's own as far as the
 * kernel is concerned, so a thread of the supervisor takes those of the program,
 * makes one call and ends. libc's wrappers would change all threads.
 *
 * What it cannot take is the number of the process: who asks a socket of AF_UNIX
 * for its peer (SO_PEERCRED) or for a sender (SO_PASSCRED) is told the
 * supervisor's.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "guise.h"
#include "waits.h"

struct guise {
	const struct target *target;
	int (*make)(void *arg);
	void *arg;
	int ret;
};

struct plain_call {
	const struct target *target;
	const struct seccomp_data *data;
	int fd;
	const void *addr;
	int len;
};

static long long get_caps(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct caps[2] = { 0 };

	if (syscall(SYS_capget, &head, caps))
		return -1;
	return caps[0].permitted | (unsigned long long)caps[1].permitted << 32;
}

static int set_effective(unsigned long long wanted)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct caps[2];

	if (syscall(SYS_capget, &head, caps))
		return -errno;
	caps[0].effective = caps[0].permitted & (unsigned int)wanted;
	caps[1].effective = caps[1].permitted & (unsigned int)(wanted >> 32);
	return syscall(SYS_capset, &head, caps) ? -errno : 0;
}

/* In another user namespace a capability means something else. */
static unsigned long long caps_of(const struct target *target)
{
	struct target_status status;

	if (target_status(target->req->pid, &status) ||
	    !target_same(target->req->pid, "user") || !target_valid(target))
		return 0;
	return status.caps;
}

/**
 * guise_caps() - this thread has no capability that the program has not
 * @target: the program's thread
 */
void guise_caps(const struct target *target)
{
	set_effective(caps_of(target));
}

/**
 * guise_caps_off() - it has its own ones again
 */
void guise_caps_off(void)
{
	set_effective(get_caps());
}

static int open_link(pid_t tid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", tid, name);
	return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* Root and working directory. Behind chroot() there may be no /proc. */
static int take_places(pid_t tid)
{
	int root = open_link(tid, "root"), cwd = open_link(tid, "cwd"), err = 0;
	struct stat own, other;

	if (root < 0 || cwd < 0 || fstat(root, &other) || stat("/", &own))
		err = -errno;
	else if ((own.st_dev != other.st_dev || own.st_ino != other.st_ino ||
		  !target_same(tid, "mnt")) &&
		 (fchdir(root) || chroot(".")))
		err = -errno;
	else if (fchdir(cwd))
		err = -errno;
	if (root >= 0)
		close(root);
	if (cwd >= 0)
		close(cwd);
	return err;
}

static int take_ids(const struct target_status *status)
{
	if (syscall(SYS_setgroups, status->nr_groups, status->groups) ||
	    syscall(SYS_setresgid, status->gid[0], status->gid[3],
		    status->gid[2]) ||
	    syscall(SYS_setresuid, status->uid[0], status->uid[3],
		    status->uid[2]))
		return -errno;
	return 0;
}

/* Only a supervisor that may become anybody has programs that are others. */
static int take_all(const struct target *target)
{
	pid_t tid = target->req->pid;
	struct target_status status;
	int err = target_status(tid, &status), same_user;

	same_user = target_same(tid, "user");
	if (!err && unshare(CLONE_FS))
		err = -errno;
	if (!err)
		err = take_places(tid);
	if (err)
		return err;
	umask(status.umask);
	if (geteuid() == 0)
		err = take_ids(&status);
	else if (status.uid[3] != geteuid() || status.gid[3] != getegid())
		err = -EACCES;
	if (err)
		return err;
	/* Also of one that is not root and has some, as ambient ones */
	err = set_effective(same_user ? status.caps : 0);
	if (err)
		return err;
	return target_valid(target) ? 0 : -ENOENT;
}

static void *be(void *arg)
{
	struct guise *guise = arg;

	guise->ret = take_all(guise->target);
	if (!guise->ret)
		guise->ret = guise->make(guise->arg);
	return NULL;
}

/**
 * guise_run() - make a call as the program
 * @target: the program's thread
 * @make: makes it, in a thread of its own
 * @arg: for @make
 *
 * Return: what @make returned, or a negative errno.
 */
int guise_run(const struct target *target, int (*make)(void *arg), void *arg)
{
	struct guise guise = { .target = target, .make = make, .arg = arg };
	pthread_t thread;

	if (pthread_create(&thread, NULL, be, &guise))
		return -EAGAIN;
	pthread_join(thread, NULL);
	return guise.ret;
}

static int make_plain(void *arg)
{
	const struct plain_call *call = arg;
	long ret;

	if (call->data->nr == SYS_connect)
		return waits_connect(call->target, call->fd, call->addr,
				     call->len, 0);
	if (call->data->nr == SYS_listen)
		ret = syscall(SYS_listen, call->fd, (int)call->data->args[1]);
	else
		ret = syscall(call->data->nr, call->fd, call->addr, call->len);
	return ret < 0 ? -errno : 0;
}

/**
 * guise_call() - connect(), bind() or listen() as the program
 * @target: the program's thread, and which call
 * @fd: copy of its socket
 * @addr: copy of the address, if the call has one
 * @len: of @addr
 *
 * Return: 0, or a negative errno.
 */
int guise_call(const struct target *target, int fd, const void *addr, int len)
{
	struct plain_call call = {
		.target = target, .data = &target->req->data, .fd = fd,
		.addr = addr, .len = len,
	};

	return guise_run(target, make_plain, &call);
}
