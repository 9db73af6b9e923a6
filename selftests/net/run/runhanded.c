// SPDX-License-Identifier: GPL-2.0
/*
 * runpoke: descriptors that come from a process without NST, and what else gets
 * into a program past libc's calls.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/nst.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "runpoke.h"

static int status_of(pid_t pid)
{
	int status;

	NEED(waitpid(pid, &status, 0) == pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* A descriptor of this number stays open in what is run. */
static void place(int fd, int number)
{
	if (fd == number)
		NEED(!fcntl(fd, F_SETFD, 0));
	else
		NEED(dup2(fd, number) == number);
}

/* hand PROGRAM ARGUMENT...: descriptor 3 of it is a listener, made here. */
static int hand(char **args)
{
	int lfd = listener(AF_INET, PORT);
	pid_t pid = fork();

	NEED(pid >= 0);
	if (!pid) {
		place(lfd, 3);
		setenv("LISTEN_FDS", "1", 1);
		execvp(args[0], args);
		_exit(99);
	}
	close(lfd);
	return status_of(pid);
}

/* woken PROGRAM...: as hand, but a client has connected already. */
static int woken(char **args)
{
	int lfd = listener(AF_INET, PORT), fd;
	pid_t pid = fork();

	NEED(pid >= 0);
	if (!pid) {
		fd = dial(AF_INET, PORT);
		place(lfd, 3);
		place(fd, 4);
		execvp(args[0], args);
		_exit(99);
	}
	close(lfd);
	return status_of(pid);
}

/* inetd PROGRAM...: 3 is an accepted connection, 4 its other end. */
static int inetd(char **args)
{
	int lfd = listener(AF_INET, PORT), fd = dial(AF_INET, PORT);
	int conn = accept(lfd, NULL, NULL);
	pid_t pid = fork();

	NEED(pid >= 0 && conn >= 0);
	if (!pid) {
		place(conn, 3);
		place(fd, 4);
		execvp(args[0], args);
		_exit(99);
	}
	return status_of(pid);
}

/* served: 3 is a listener. */
static int served(char **args)
{
	(void)args;
	return pair_of(3, dial(AF_INET, PORT));
}

static int served_first(char **args)
{
	(void)args;
	return pair_of(3, 4);
}

static int served_pair(char **args)
{
	(void)args;
	return exchange(4, 3);
}

static void control(struct msghdr *msg, struct iovec *iov, char *buf, size_t n)
{
	static char byte;

	memset(msg, 0, sizeof(*msg));
	iov->iov_base = &byte;
	iov->iov_len = 1;
	msg->msg_iov = iov;
	msg->msg_iovlen = 1;
	msg->msg_control = buf;
	msg->msg_controllen = n;
}

static void send_fd(int sock, int fd)
{
	char buf[CMSG_SPACE(sizeof(fd))] = { 0 };
	struct cmsghdr *cmsg;
	struct msghdr msg;
	struct iovec iov;

	control(&msg, &iov, buf, sizeof(buf));
	cmsg = CMSG_FIRSTHDR(&msg);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	NEED(sendmsg(sock, &msg, 0) == 1);
}

static int recv_fd(int sock, int many)
{
	char buf[CMSG_SPACE(sizeof(int))];
	struct mmsghdr mm;
	struct iovec iov;
	int fd;

	control(&mm.msg_hdr, &iov, buf, sizeof(buf));
	if (many)
		NEED(recvmmsg(sock, &mm, 1, 0, NULL) == 1);
	else
		NEED(recvmsg(sock, &mm.msg_hdr, 0) == 1);
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&mm.msg_hdr)), sizeof(fd));
	return fd;
}

/* pass PROGRAM...: 3 is a socket by which a listener, made here, comes. */
static int pass(char **args)
{
	int lfd = listener(AF_INET, PORT), sock[2];
	pid_t pid;

	NEED(!socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, sock));
	pid = fork();
	NEED(pid >= 0);
	if (!pid) {
		place(sock[1], 3);
		execvp(args[0], args);
		_exit(99);
	}
	send_fd(sock[0], lfd);
	close(lfd);
	return status_of(pid);
}

/* taken [many]: takes it. */
static int taken(char **args)
{
	return pair_of(recv_fd(3, !!args[0]), dial(AF_INET, PORT));
}

/* taken_dead COMMAND: what it takes behind COMMAND leads nowhere. */
static int taken_dead(char **args)
{
	int fd;

	NEED(!system(args[0]));
	fd = recv_fd(3, 0);
	NEED(accept(fd, NULL, NULL) == -1 && errno == EINVAL);
	return 0;
}

/* A library in a namespace of its own has a libc of its own. */
static int new_space(char **args)
{
	(void)args;
	if (dlmopen(LM_ID_NEWLM, "libc.so.6", RTLD_NOW))
		return 0;
	fprintf(stderr, "%s\n", dlerror());
	return 1;
}

/* deepbind: the client's connect() is in a library that has libc's first. */
static int deepbind(char **args)
{
	int lfd = listener(AF_INET, PORT), fd = socket(AF_INET, SOCK_STREAM, 0);
	/* Found beside the program, by what that says (DT_RUNPATH). */
	void *plug = dlopen("runplug.so", RTLD_NOW | RTLD_DEEPBIND);
	int (*join)(int fd, const struct sockaddr *addr, socklen_t len);
	struct address addr;

	(void)args;
	NEED(plug);
	join = (__typeof__(join))dlsym(plug, "runplug_connect");
	address_of(&addr, AF_INET, PORT);
	NEED(join && !join(fd, (struct sockaddr *)&addr.sa, addr.len));
	return pair_of(lfd, fd);
}

/* Another preloaded library counts what comes by it (runwrap.c). */
static int wrapped(char **args)
{
	int lfd = listener(AF_INET, PORT), fd = dial(AF_INET, PORT);
	int *nr = dlsym(RTLD_DEFAULT, "runwrap_connects");

	(void)args;
	NEED(nr && *nr == 1);
	return pair_of(lfd, fd);
}

/* The first of the calls that a filter stops is interrupted. */
static void *interrupt_first(void *arg)
{
	int fd = *(int *)arg, first = 1;

	for (;;) {
		struct seccomp_notif_resp resp = { 0 };
		struct seccomp_notif notif = { 0 };

		if (ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &notif))
			continue;
		resp.id = notif.id;
		resp.error = first ? -EINTR : 0;
		resp.flags = first ? 0 : SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		first = 0;
		ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &resp);
	}
	return NULL;
}

/* interrupted: the keys of the listener do not get in at once. */
static int interrupted(char **args)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_setsockopt, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, args[1])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SOL_NST, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { sizeof(filter) / sizeof(*filter), filter };
	pthread_t thread;
	int fd, lfd;

	(void)args;
	NEED(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		     SECCOMP_FILTER_FLAG_NEW_LISTENER, &prog);
	NEED(fd >= 0);
	NEED(!pthread_create(&thread, NULL, interrupt_first, &fd));
	lfd = listener(AF_INET, PORT);
	return pair_of(lfd, dial(AF_INET, PORT));
}

/* errno is as it was, and no descriptor is left in a new process. */
static int untouched(char **args)
{
	int fd = dup(0);

	(void)args;
	NEED(fd == 3);
	return 0;
}

const struct scenario handed_scenarios[] = {
	{ "hand", hand },
	{ "woken", woken },
	{ "inetd", inetd },
	{ "served", served },
	{ "served_first", served_first },
	{ "served_pair", served_pair },
	{ "pass", pass },
	{ "taken", taken },
	{ "taken_dead", taken_dead },
	{ "new_space", new_space },
	{ "deepbind", deepbind },
	{ "wrapped", wrapped },
	{ "interrupted", interrupted },
	{ "untouched", untouched },
	{ NULL, NULL }
};
