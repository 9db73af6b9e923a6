// SPDX-License-Identifier: GPL-2.0
/*
 * What a supervisor takes from the thread that waits, each thing once: a copy of
 * the socket, a copy of the memory. The decision and the call are made with the
 * copies, so it does not matter what other threads put in the place of either
 * meanwhile.
 *
 * The number of a thread that has gone may belong to another one; so whatever
 * was found by number counts only if target_valid() says afterwards that the
 * call still waits.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#include "target.h"

#ifndef PIDFD_THREAD
#define PIDFD_THREAD	O_EXCL		/* 6.9 */
#endif

static void read_groups(const char *text, struct target_status *status)
{
	char *end;

	for (; status->nr_groups < 256; text = end) {
		gid_t gid = strtoul(text, &end, 10);

		if (end == text)
			return;
		status->groups[status->nr_groups++] = gid;
	}
}

static void read_ids(const char *text, unsigned int ids[4])
{
	char *end;
	int i;

	for (i = 0; i < 4; i++, text = end)
		ids[i] = strtoul(text, &end, 10);
}

static void read_line(const char *line, struct target_status *status)
{
	const char *value = strchr(line, ':');

	if (!value)
		return;
	value++;
	if (!strncmp(line, "Tgid:", 5))
		status->tgid = atoi(value);
	else if (!strncmp(line, "Threads:", 8))
		status->threads = atoi(value);
	else if (!strncmp(line, "Umask:", 6))
		status->umask = strtoul(value, NULL, 8);
	else if (!strncmp(line, "Uid:", 4))
		read_ids(value, status->uid);
	else if (!strncmp(line, "Gid:", 4))
		read_ids(value, status->gid);
	else if (!strncmp(line, "Groups:", 7))
		read_groups(value, status);
	else if (!strncmp(line, "SigPnd:", 7))
		status->pending = strtoull(value, NULL, 16);
	else if (!strncmp(line, "ShdPnd:", 7))
		status->shared = strtoull(value, NULL, 16);
	else if (!strncmp(line, "SigBlk:", 7))
		status->blocked = strtoull(value, NULL, 16);
	else if (!strncmp(line, "CapEff:", 7))
		status->caps = strtoull(value, NULL, 16);
}

/**
 * target_status() - what /proc says of a thread
 * @tid: it
 * @status: receives it
 *
 * Return: 0, or a negative errno.
 */
int target_status(pid_t tid, struct target_status *status)
{
	char path[64], *line = NULL;
	size_t size = 0;
	FILE *file;

	memset(status, 0, sizeof(*status));
	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	/* A line as long as it is: there may be 65536 groups in one. */
	while (getline(&line, &size, file) > 0)
		read_line(line, status);
	free(line);
	fclose(file);
	return status->tgid && status->threads ? 0 : -ESRCH;
}

/**
 * target_valid() - does the call still wait?
 * @target: it
 *
 * Return: 1, or 0 if the thread was killed.
 */
int target_valid(const struct target *target)
{
	__u64 id = target->req->id;

	return !ioctl(target->notify, SECCOMP_IOCTL_NOTIF_ID_VALID, &id);
}

/**
 * target_open() - take hold of the process that waits
 * @target: becomes it
 * @notify: the supervisor's end of the filter
 * @req: the call
 *
 * Return: 0, or a negative errno; -ENOENT: it waits no longer.
 */
int target_open(struct target *target, int notify,
		const struct seccomp_notif *req)
{
	struct target_status status;
	int err;

	*target = (struct target){ .notify = notify, .req = req };
	target->pidfd = syscall(SYS_pidfd_open, req->pid, 0);
	if (target->pidfd < 0)
		target->pidfd = syscall(SYS_pidfd_open, req->pid, PIDFD_THREAD);
	if (target->pidfd < 0) {
		err = target_status(req->pid, &status);
		if (err)
			return err;
		target->leader = 1;
		target->pidfd = syscall(SYS_pidfd_open, status.tgid, 0);
	}
	if (target->pidfd < 0)
		return -errno;
	if (target_valid(target))
		return 0;
	close(target->pidfd);
	return -ENOENT;
}

/**
 * target_close() - let go of it
 * @target: it
 */
void target_close(struct target *target)
{
	close(target->pidfd);
}

/**
 * target_alone() - is the thread the only one with its descriptors?
 * @target: it
 *
 * The filter sees to it that only threads share them; the thread waits, so it
 * makes no further ones.
 *
 * Return: 1 if what a number of a descriptor means cannot change.
 */
int target_alone(const struct target *target)
{
	struct target_status status;

	return !target_status(target->req->pid, &status) &&
		status.threads == 1 && target_valid(target);
}

/**
 * target_has_proc() - does /proc tell of the processes that this one knows?
 *
 * What is looked up there goes by number, and that of another namespace is another
 * process's.
 *
 * Return: 1 if it does.
 */
int target_has_proc(void)
{
	char self[16] = "";

	return readlink("/proc/self", self, sizeof(self) - 1) > 0 &&
		atoi(self) == getpid();
}

/* Does the number mean the same in the thread's own table of descriptors? */
static int is_own(const struct target *target, int number, int fd)
{
	struct stat own, copy;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", target->req->pid, number);
	return !stat(path, &own) && !fstat(fd, &copy) &&
		own.st_dev == copy.st_dev && own.st_ino == copy.st_ino;
}

static int has_number(const struct target *target, int number)
{
	struct stat own;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", target->req->pid, number);
	return !stat(path, &own);
}

/**
 * target_fd() - a copy of a descriptor
 * @target: whose it is
 * @number: what the program calls it
 *
 * Return: a descriptor, or the negative errno that the call has to end with:
 * -EBADF is that of the kernel, -EACCES says that the process does not let its
 * supervisor look, TARGET_APART that the kernel cannot (before 6.9).
 */
int target_fd(const struct target *target, int number)
{
	int fd = syscall(SYS_pidfd_getfd, target->pidfd, number, 0);
	int err = fd < 0 ? -errno : 0;

	if (err == -EPERM)
		return -EACCES;
	if (!target->leader)
		return err ? err : fd;
	/* The first thread has ended, and what it had is no more. */
	if (err)
		return has_number(target, number) ? TARGET_APART : err;
	if (is_own(target, number, fd))
		return fd;
	close(fd);
	return TARGET_APART;
}

/**
 * target_socket() - a copy of the socket in the call's first argument
 * @target: whose call it is
 *
 * Return: as target_fd(); -ENOTSOCK is that of the kernel.
 */
int target_socket(const struct target *target)
{
	int fd = target_fd(target, (int)target->req->data.args[0]);
	int err = 0, type;
	socklen_t len = sizeof(type);

	if (fd < 0)
		return fd;
	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len))
		err = -errno;
	else if (!target_valid(target))
		err = -ENOENT;
	if (!err)
		return fd;
	close(fd);
	return err;
}

/**
 * target_same() - is a thread in the supervisor's namespace?
 * @tid: the thread
 * @ns: "net", "user", "mnt"
 *
 * Return: 1 if it is.
 */
int target_same(pid_t tid, const char *ns)
{
	struct stat own, other;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", tid, ns);
	if (stat(path, &other))
		return 0;
	snprintf(path, sizeof(path), "/proc/self/ns/%s", ns);
	return !stat(path, &own) && own.st_dev == other.st_dev &&
		own.st_ino == other.st_ino;
}

/* What a security module calls a thread; without one nothing. */
static void read_label(char *label, size_t size, const char *thread)
{
	char path[64];
	ssize_t n;
	int fd;

	memset(label, 0, size);
	snprintf(path, sizeof(path), "/proc/%s/attr/current", thread);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, label, size);
	if (n < 0)
		memset(label, 0, size);
	close(fd);
}

/**
 * target_confined_alike() - do the supervisor's calls have the thread's limits?
 * @tid: the thread
 *
 * AppArmor, SELinux and Smack judge who makes a call. Landlock's limits nobody
 * else can see.
 *
 * Return: 1 if both have the same label, or none.
 */
int target_confined_alike(pid_t tid)
{
	char own[4096], other[4096], thread[16];

	snprintf(thread, sizeof(thread), "%d", tid);
	read_label(own, sizeof(own), "thread-self");
	read_label(other, sizeof(other), thread);
	return !memcmp(own, other, sizeof(own));
}

/**
 * target_read() - copy memory of the program
 * @target: whose
 * @buf: receives it
 * @from: its address there
 * @len: how much; 0 is nothing to do
 *
 * Return: 0, or a negative errno.
 */
int target_read(const struct target *target, void *buf,
		unsigned long long from, size_t len)
{
	struct iovec here = { .iov_base = buf, .iov_len = len };
	struct iovec there = {
		.iov_base = (void *)(unsigned long)from, .iov_len = len,
	};
	ssize_t n;

	if (!len)
		return 0;
	n = process_vm_readv(target->req->pid, &here, 1, &there, 1, 0);
	if (n < 0)
		n = -errno;
	/* Who has gone has no memory. */
	if (!target_valid(target))
		return -ENOENT;
	if (n == -EPERM)
		return -EACCES;
	return n == (ssize_t)len ? 0 : -EFAULT;
}

/**
 * target_write() - put something into the program's memory
 * @target: whose
 * @to: its address there
 * @buf: what
 * @len: how much
 *
 * Return: 0, or a negative errno.
 */
int target_write(const struct target *target, unsigned long long to,
		 const void *buf, size_t len)
{
	struct iovec here = { .iov_base = (void *)buf, .iov_len = len };
	struct iovec there = {
		.iov_base = (void *)(unsigned long)to, .iov_len = len,
	};

	if (!target_valid(target))
		return -ENOENT;
	if (process_vm_writev(target->req->pid, &here, 1, &there, 1, 0) ==
	    (ssize_t)len)
		return 0;
	return target_valid(target) ? -EFAULT : -ENOENT;
}
