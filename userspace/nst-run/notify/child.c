// SPDX-License-Identifier: GPL-2.0
/*
 * How the program gets its filter, and the supervisor its end of it:
 *
 *   child                               supervisor
 *   installs the filter
 *   writes the number of its end   -->  pidfd_getfd()
 *   connect() that is no one       -->  is it seen, can socket and memory be
 *                                       copied? answers
 *   reads whether to go on         <--  starts its threads
 *   exec
 *
 * The child passes nothing by a message, as sends may be held up by the filter
 * already. What does not work here is known before the program starts.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/capability.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "child.h"
#include "filter.h"
#include "target.h"

/* What the connect() that is no one gives, as no other does. */
#define PROBED	EXFULL

static int has_sys_admin(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct caps[2] = { 0 };

	return !syscall(SYS_capget, &head, caps) &&
		caps[0].effective & (1U << CAP_SYS_ADMIN);
}

/*
 * systemd tells a service by number whose its sockets and its watchdog are: it
 * means the process that it started, which is the supervisor.
 */
static void rename_variable(const char *name, pid_t from)
{
	const char *value = getenv(name);
	char number[16];

	if (!value || atoi(value) != from)
		return;
	snprintf(number, sizeof(number), "%d", getpid());
	setenv(name, number, 1);
}

/**
 * child_follow() - what is meant for another process of nst-run is for this one
 * @from: it
 */
void child_follow(pid_t from)
{
	rename_variable("LISTEN_PID", from);
	rename_variable("WATCHDOG_PID", from);
}

static int install(const struct run *run)
{
	struct filter filter;

	/* Who may set it without keeps what set-uid programs are for. */
	if (!has_sys_admin() && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	filter_build(&filter, run->policy.udp.nr != 0);
	return filter_install(&filter);
}

__attribute__((noreturn))
static void become(const struct run *run, int talk, const sigset_t *mask)
{
	struct sockaddr_storage nowhere = { .ss_family = AF_UNSPEC };
	int end, err = 0;
	char go;

	child_follow(getppid());
	end = install(run);
	if (write(talk, &end, sizeof(end)) != sizeof(end) || end < 0)
		_exit(RUN_EXIT_REFUSED);
	if (!connect(talk, (struct sockaddr *)&nowhere, sizeof(nowhere)) ||
	    errno != PROBED)
		err = errno ? errno : EINVAL;
	close(end);
	if (write(talk, &err, sizeof(err)) != sizeof(err) ||
	    read(talk, &go, 1) != 1)
		_exit(RUN_EXIT_REFUSED);
	sigprocmask(SIG_SETMASK, mask, NULL);
	execv(run->path, run->argv);
	err = errno;
	fprintf(stderr, "nst-run: %s: %s\n", run->path, strerror(err));
	_exit(err == ENOENT ? RUN_EXIT_MISSING : RUN_EXIT_CANNOT);
}

/* What an errno of the filter means */
static const char *reason(int err)
{
	switch (err) {
	case EBUSY:
		return "its calls have a supervisor already, as in another nst-run";
	case EINVAL:
	case ENOSYS:
	case EOPNOTSUPP:
		return "this kernel has no user notification of seccomp (CONFIG_SECCOMP_FILTER)";
	case EACCES:
	case EPERM:
		return "seccomp is forbidden here";
	}
	return strerror(err);
}

static int get_word(int talk, int *word)
{
	return read(talk, word, sizeof(*word)) == sizeof(*word);
}

/* The call that is no one: 0 or a negative errno */
static int probe(struct child *child)
{
	struct seccomp_notif req = { 0 };
	struct seccomp_notif_resp resp = { .error = -PROBED };
	struct sockaddr_storage addr;
	struct target target;
	int err, fd;

	if (ioctl(child->notify, SECCOMP_IOCTL_NOTIF_RECV, &req))
		return -errno;
	resp.id = req.id;
	err = target_open(&target, child->notify, &req);
	if (!err) {
		fd = target_socket(&target);
		err = fd < 0 ? fd : target_read(&target, &addr,
						req.data.args[1], sizeof(addr));
		if (fd >= 0)
			close(fd);
		target_close(&target);
	}
	if (err)
		resp.error = err;
	ioctl(child->notify, SECCOMP_IOCTL_NOTIF_SEND, &resp);
	return err;
}

/* Would a read of the probe wait for ever? The filter may be another one's. */
static int comes(int notify)
{
	struct pollfd poll_fd = { .fd = notify, .events = POLLIN };

	return poll(&poll_fd, 1, 10000) == 1 && poll_fd.revents & POLLIN;
}

static int shake_hands(struct child *child, char *why, size_t size)
{
	int end, said, err;

	if (!get_word(child->talk, &end)) {
		snprintf(why, size, "does not work here: its filter killed the process");
		return -1;
	}
	if (end < 0) {
		snprintf(why, size, "does not work here: %s", reason(-end));
		return -1;
	}
	child->notify = syscall(SYS_pidfd_getfd, child->pidfd, end, 0);
	err = child->notify < 0 ? -errno : 0;
	if (!err)
		err = comes(child->notify) ? probe(child) : -EAGAIN;
	if (!err && get_word(child->talk, &said) && !said)
		return 0;
	if (err == -EPERM || err == -EACCES)
		snprintf(why, size, "may not look into processes here (kernel.yama.ptrace_scope?)");
	else
		snprintf(why, size, "does not work here: %s",
			 err ? strerror(-err) : "its first call went astray");
	return -1;
}

/**
 * child_start() - a process that waits, with the filter, for child_go()
 * @child: becomes it
 * @run: the program
 * @mask: of signals, for the program
 * @why: receives why not, as words behind "the notify engine"
 * @size: of @why
 *
 * Return: 0 or -1.
 */
int child_start(struct child *child, const struct run *run,
		const sigset_t *mask, char *why, size_t size)
{
	int pair[2];

	*child = (struct child){ .pid = -1, .pidfd = -1, .notify = -1,
				 .talk = -1 };
	if (!target_has_proc()) {
		snprintf(why, size, "needs a /proc of this PID namespace (unshare --mount-proc)");
		return -1;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
		snprintf(why, size, "has no socket pair: %s", strerror(errno));
		return -1;
	}
	child->talk = pair[0];
	child->pid = fork();
	if (!child->pid) {
		close(pair[0]);
		become(run, pair[1], mask);
	}
	close(pair[1]);
	if (child->pid > 0)
		child->pidfd = syscall(SYS_pidfd_open, child->pid, 0);
	if (child->pidfd < 0)
		snprintf(why, size, "has no process: %s", strerror(errno));
	else if (!shake_hands(child, why, size))
		return 0;
	child_end(child);
	return -1;
}

/**
 * child_go() - let it become the program
 * @child: it
 *
 * Return: 0, or -1 if it has gone.
 */
int child_go(struct child *child)
{
	int ret = send(child->talk, "", 1, MSG_NOSIGNAL) == 1 ? 0 : -1;

	close(child->talk);
	child->talk = -1;
	return ret;
}

/**
 * child_end() - end one that has not become the program
 * @child: it
 */
void child_end(struct child *child)
{
	if (child->talk >= 0)
		close(child->talk);
	if (child->notify >= 0)
		close(child->notify);
	if (child->pid > 0) {
		kill(child->pid, SIGKILL);
		waitpid(child->pid, NULL, 0);
	}
	if (child->pidfd >= 0)
		close(child->pidfd);
}
