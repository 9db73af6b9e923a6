// SPDX-License-Identifier: GPL-2.0
/*
 * The engine of seccomp's user notification. Two processes of nst-run stay:
 *
 *   the one that was started      passes signals on, and ends as the program does
 *   the supervisor, its child     is the parent of the program and makes its calls
 *                                 until the last process under it has ended
 *
 * So a program that leaves others behind, as a daemon does, gives the shell back,
 * and they keep their supervisor. It has a session of its own: no terminal ends it.
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
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "explain.h"
#include "journal.h"
#include "notify.h"
#include "notify/child.h"
#include "notify/serve.h"

/* What nst-run itself has open, and a call of the program needs for its time. */
#define FILES_MIN	32

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
	struct rlimit limit;
	struct child child;
	sigset_t mask;

	if (!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_cur < FILES_MIN) {
		snprintf(why, size,
			 "needs room for %d descriptors, and has it for %llu (ulimit -n)",
			 FILES_MIN, (unsigned long long)limit.rlim_cur);
		return 0;
	}
	sigprocmask(SIG_SETMASK, NULL, &mask);
	if (child_start(&child, run, &mask, why, size))
		return 0;
	child_end(&child);
	return 1;
}

/*
 * What a process has of the program's would keep others waiting for their ends.
 * @keep: what it needs, which gets new numbers: the lowest, and nothing behind.
 */
static int let_go(int **keep, int nr)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), i;

	if (null < 0)
		return -1;
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	/* First out of the way of each other's, and no further: see ulimit -n. */
	for (i = 0; i < nr; i++) {
		*keep[i] = fcntl(*keep[i], F_DUPFD_CLOEXEC, 3 + nr);
		if (*keep[i] < 0)
			return -1;
	}
	for (i = 0; i < nr; i++) {
		dup3(*keep[i], 3 + i, O_CLOEXEC);
		*keep[i] = 3 + i;
	}
	return close_range(3 + nr, ~0U, 0);
}

/* The program has ended, and so has what its shell waits for. */
static void let_go_of_rest(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null >= 0) {
		dup2(null, STDERR_FILENO);
		close(null);
	}
	if (chdir("/"))
		return;
}

/*
 * One descriptor for each call that is under way, and two more; beside a connect()
 * those of its process's listeners.
 */
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

/* While @front is there it passes on what the program is to have: once. */
static void pass(const struct signalfd_siginfo *info, pid_t program, pid_t front)
{
	/* The terminal told the program, too. */
	if (info->ssi_code == SI_KERNEL)
		return;
	if (program > 0 && getppid() == front)
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

/* What the supervisor says: the program's number, then how it has ended. */
static void tell(int report, int word)
{
	/* Who was killed wants to know no more. */
	if (write(report, &word, sizeof(word)) != sizeof(word))
		return;
}

/*
 * Until the filter has no users, and nobody is left to wait for. Processes may
 * be under it that are no children of ours. Returns how the program has ended.
 */
static int supervise(struct child *child, int signals, int report, pid_t front)
{
	struct pollfd poll_fds[] = {
		{ .fd = signals, .events = POLLIN }, { .fd = child->notify },
	};
	struct signalfd_siginfo info;
	pid_t program = child->pid;
	int status = 0, left, unused = 0;

	for (;;) {
		left = reap(&program, &status);
		if (!program && report >= 0) {
			tell(report, status);
			close(report);
			report = -1;
			let_go_of_rest();
		}
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
			pass(&info, program, front);
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

/*
 * Keys pass through its memory, and nobody may look there: not the program, whose
 * user it has, nor who reads a core. Behind the fork of the program, which must be
 * looked into.
 */
static void be_private(void)
{
	struct rlimit no_core = { 0 };

	prctl(PR_SET_DUMPABLE, 0);
	setrlimit(RLIMIT_CORE, &no_core);
}

/* Its threads, and all else that must be there before the program runs. */
static int prepare(struct child *child, const struct run *run, int *signals,
		   int *report)
{
	int *keep[] = { &child->pidfd, &child->notify, &child->talk, report };
	sigset_t all;

	/* If it is ignored, nobody learns how the program ended. */
	signal(SIGCHLD, SIG_DFL);
	raise_limit();
	setsid();
	sigprocmask(SIG_SETMASK, NULL, &all);
	/* That one is the supervisor's own (waits.c). */
	sigdelset(&all, SIGRTMAX);
	if (run->policy.secret)
		be_private();
	if (let_go(keep, 4))
		return -errno;
	*signals = signalfd(-1, &all, SFD_CLOEXEC);
	if (*signals < 0)
		return -errno;
	return serve_start(&run->policy, child->notify);
}

__attribute__((noreturn))
static void be_supervisor(const struct run *run, const sigset_t *mask,
			  pid_t front, int report)
{
	struct child child;
	char why[256] = "";
	int signals = -1, err;

	child_follow(front);
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
		run_refuse(RUN_EXIT_REFUSED, "cannot become the parent of all: %s",
			   strerror(errno));
	if (child_start(&child, run, mask, why, sizeof(why)))
		run_refuse(RUN_EXIT_REFUSED, "the notify engine %s", why);
	err = prepare(&child, run, &signals, &report);
	if (err) {
		child_end(&child);
		run_refuse(RUN_EXIT_REFUSED, "the notify engine cannot start: %s",
			   strerror(-err));
	}
	tell(report, child.pid);
	child_go(&child);
	/* What is explained at the end is waited for. */
	err = supervise(&child, signals, run->explain ? -1 : report, front);
	if (run->explain) {
		explain_report();
		tell(report, err);
	}
	_exit(0);
}

/* The next word of the supervisor's, with what comes for us meanwhile. */
static int hear(int report, int signals, int program, int *word)
{
	struct pollfd poll_fds[] = {
		{ .fd = report, .events = POLLIN },
		{ .fd = program < 0 ? -1 : signals, .events = POLLIN },
	};
	struct signalfd_siginfo info;

	for (;;) {
		if (poll(poll_fds, 2, -1) < 0)
			continue;
		if (poll_fds[0].revents)
			return read(report, word, sizeof(*word)) ==
				sizeof(*word);
		/* The terminal told the program, too. */
		if (read(signals, &info, sizeof(info)) == sizeof(info) &&
		    info.ssi_code != SI_KERNEL && info.ssi_signo != SIGCHLD)
			syscall(SYS_pidfd_send_signal, program, info.ssi_signo,
				NULL, 0);
	}
}

/* Until the program has ended. Returns how. */
static int be_front(pid_t supervisor, int report)
{
	int *keep[] = { &report };
	int signals, program, pid, status;
	sigset_t all;

	sigprocmask(SIG_SETMASK, NULL, &all);
	if (let_go(keep, 1)) {
		kill(supervisor, SIGKILL);
		run_refuse(RUN_EXIT_REFUSED, "the notify engine cannot start: %s",
			   strerror(errno));
	}
	signals = signalfd(-1, &all, SFD_CLOEXEC);
	if (hear(report, signals, -1, &pid)) {
		program = syscall(SYS_pidfd_open, pid, 0);
		if (hear(report, signals, program, &status))
			return status;
	}
	/* It has said why, or was killed; and so it is with this one then. */
	while (waitpid(supervisor, &status, 0) < 0)
		if (errno != EINTR)
			return RUN_EXIT_REFUSED << 8;
	return status;
}

/**
 * notify_run() - run the program under the engine
 * @run: what was asked for
 *
 * Return: the exit status.
 */
int notify_run(const struct run *run)
{
	pid_t front = getpid(), supervisor;
	int report[2];
	sigset_t mask;

	journal_init();
	if (run->explain)
		begin_to_explain();
	block_signals(&mask);
	/* If it is ignored, nobody learns how the supervisor ended. */
	signal(SIGCHLD, SIG_DFL);
	if (pipe2(report, O_CLOEXEC))
		run_refuse(RUN_EXIT_REFUSED, "the notify engine has no pipe: %s",
			   strerror(errno));
	supervisor = fork();
	if (supervisor < 0)
		run_refuse(RUN_EXIT_REFUSED, "the notify engine has no process: %s",
			   strerror(errno));
	if (!supervisor) {
		close(report[0]);
		be_supervisor(run, &mask, front, report[1]);
	}
	close(report[1]);
	return end_as(be_front(supervisor, report[0]));
}
