// SPDX-License-Identifier: GPL-2.0
/*
 * The engine of seccomp's user notification: nst-run stays, as the parent of the
 * program and the supervisor of its calls, until the last process under it has
 * ended.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>
#include "explain.h"
#include "journal.h"
#include "notify.h"
#include "notify/child.h"
#include "notify/serve.h"

/**
 * notify_works() - can this engine run the program here?
 * @run: what was asked for
 * @why: receives what is in the way, as words behind "the notify engine"
 * @size: of @why
 *
 * Return: 1 or 0.
 */
int notify_works(const struct run *run, char *why, size_t size)
{
	struct child child;
	sigset_t mask;

	sigprocmask(SIG_SETMASK, NULL, &mask);
	if (child_start(&child, run, &mask, why, size))
		return 0;
	child_end(&child);
	return 1;
}

/* What it has of the program's would keep others waiting for their ends. */
static int let_go(struct child *child)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int keep[] = { child->pidfd, child->notify, child->talk };
	unsigned int i, next = 3;

	if (null < 0)
		return -1;
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	/* At the lowest numbers, and nothing behind them. */
	for (i = 0; i < 3; i++) {
		keep[i] = fcntl(keep[i], F_DUPFD_CLOEXEC, 100);
		if (keep[i] < 0)
			return -1;
	}
	for (i = 0; i < 3; i++)
		dup3(keep[i], next++, O_CLOEXEC);
	child->pidfd = 3;
	child->notify = 4;
	child->talk = 5;
	return close_range(next, ~0U, 0);
}

/* One descriptor for each call that is under way, and two more. */
static void raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/*
 * Children of ours: the program, and what was left to us by parents that ended.
 * Signals are for the program; if it has ended, for all of the others.
 */
static void pass_to_all(int sig)
{
	char path[64], list[4096], *at = list, *end;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, list, sizeof(list) - 1);
	if (fd >= 0)
		close(fd);
	list[n > 0 ? n : 0] = 0;
	for (;; at = end) {
		pid_t pid = strtol(at, &end, 10);

		if (end == at)
			return;
		kill(pid, sig);
	}
}

static void pass(const struct signalfd_siginfo *info, pid_t program)
{
	/* The terminal told the program, too. */
	if (info->ssi_code == SI_KERNEL)
		return;
	if (program > 0)
		kill(program, info->ssi_signo);
	else
		pass_to_all(info->ssi_signo);
}

/* Reap what has ended. Returns 0 if nothing is left. */
static int reap(pid_t *program, int *status)
{
	int ended;
	pid_t pid;

	for (;;) {
		pid = waitpid(-1, &ended, WNOHANG);
		if (pid <= 0)
			return !pid;
		if (pid != *program)
			continue;
		*program = 0;
		*status = ended;
	}
}

/*
 * Until the filter has no users, and nobody is left to wait for. Processes may
 * be under it that are no children of ours.
 */
static int supervise(struct child *child, int signals)
{
	struct pollfd poll_fds[] = {
		{ .fd = signals, .events = POLLIN }, { .fd = child->notify },
	};
	struct signalfd_siginfo info;
	pid_t program = child->pid;
	int status = 0, left, unused = 0;

	for (;;) {
		left = reap(&program, &status);
		if (!left && !program && unused)
			return status;
		if (poll(poll_fds, 2, -1) < 0)
			continue;
		if (poll_fds[1].revents) {
			unused = 1;
			poll_fds[1].fd = -1;
		}
		if (poll_fds[0].revents &&
		    read(signals, &info, sizeof(info)) == sizeof(info) &&
		    info.ssi_signo != SIGCHLD)
			pass(&info, program);
	}
}

/* End as the program did. */
static int end_as(int status)
{
	struct rlimit no_core = { 0 };
	sigset_t all;

	if (!WIFSIGNALED(status))
		return WEXITSTATUS(status);
	setrlimit(RLIMIT_CORE, &no_core);
	signal(WTERMSIG(status), SIG_DFL);
	raise(WTERMSIG(status));
	sigfillset(&all);
	sigprocmask(SIG_UNBLOCK, &all, NULL);
	return 128 + WTERMSIG(status);
}

static void block_signals(sigset_t *before)
{
	static const int own[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT,
				   SIGTRAP, SIGSYS, SIGTSTP, SIGTTIN, SIGTTOU };
	unsigned int i;
	sigset_t all;

	sigfillset(&all);
	for (i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		sigdelset(&all, own[i]);
	sigdelset(&all, SIGRTMAX);
	sigprocmask(SIG_SETMASK, &all, before);
}

/* Nobody but this process counts, so the memory's descriptor is of no use. */
static void begin_to_explain(void)
{
	int fd = explain_make();

	if (fd < 0)
		run_refuse(RUN_EXIT_REFUSED, "--explain: %s", strerror(-fd));
	close(fd);
	explain_begin();
}

/**
 * notify_run() - run the program under the engine
 * @run: what was asked for
 *
 * Return: the exit status.
 */
int notify_run(const struct run *run)
{
	struct child child;
	char why[256] = "";
	sigset_t mask, all;
	int signals, err;

	journal_init();
	if (run->explain)
		begin_to_explain();
	block_signals(&mask);
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
		run_refuse(RUN_EXIT_REFUSED, "cannot become the parent of all: %s",
			   strerror(errno));
	if (child_start(&child, run, &mask, why, sizeof(why)))
		run_refuse(RUN_EXIT_REFUSED, "the notify engine %s", why);
	/* If it is ignored, nobody learns how the program ended. */
	signal(SIGCHLD, SIG_DFL);
	raise_limit();
	sigprocmask(SIG_SETMASK, NULL, &all);
	signals = -1;
	err = let_go(&child) ? -errno : 0;
	if (!err) {
		signals = signalfd(-1, &all, SFD_CLOEXEC);
		err = signals < 0 ? -errno : serve_start(&run->policy,
							 child.notify);
	}
	if (err) {
		child_end(&child);
		run_refuse(RUN_EXIT_REFUSED, "the notify engine cannot start: %s",
			   strerror(-err));
	}
	child_go(&child);
	err = supervise(&child, signals);
	if (run->explain)
		explain_report();
	return end_as(err);
}
