// SPDX-License-Identifier: GPL-2.0
/*
 * runtest SECONDS PROGRAM [ARG...]: runs one test in the guest.
 *
 * A test gets a network, a process and a mount namespace of its own with lo
 * up: what it leaves behind (a key box, sysctls, interfaces, processes) does
 * not reach the next one, and goes through the module's namespace exit. The
 * exit status is the test's, 128 + n if signal n killed it, 124 if the time
 * ran out.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STATUS_BROKEN	125	/* this program failed, not the test */
#define STATUS_TIMEOUT	124
#define STATUS_SIGNAL	128

static void broken(const char *what)
{
	fprintf(stderr, "# runtest: %s: %s\n", what, strerror(errno));
	exit(STATUS_BROKEN);
}

static int status_of(int wstatus)
{
	if (WIFEXITED(wstatus))
		return WEXITSTATUS(wstatus);
	return STATUS_SIGNAL + WTERMSIG(wstatus);
}

static void lo_up(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &ifr) < 0)
		broken("lo");
	close(fd);
}

/* /proc and /sys show the namespaces of who mounts them. */
static void mount_views(void)
{
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("proc", "/proc", "proc", 0, NULL) < 0 ||
	    mount("sysfs", "/sys", "sysfs", 0, NULL) < 0)
		broken("mount");
	/* Not every kernel has these. */
	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, NULL);
}

/*
 * The first process of the namespace. It is not the test itself because the
 * kernel shields pid 1 from signals without a handler (SIGPIPE, SIGALRM).
 * When it exits, the kernel kills all that is left in the namespace.
 */
static void run_inside(char **argv)
{
	int wstatus;
	pid_t pid, p;

	mount_views();
	lo_up();
	pid = fork();
	if (pid < 0)
		broken("fork");
	if (!pid) {
		setsid();
		execv(argv[0], argv);
		broken(argv[0]);
	}
	do {
		p = wait(&wstatus);
	} while (p != pid);
	_exit(status_of(wstatus));
}

int main(int argc, char **argv)
{
	struct timespec limit = { 0 };
	sigset_t chld;
	int wstatus, late;
	pid_t pid;

	if (argc >= 3)
		limit.tv_sec = atoi(argv[1]);
	if (limit.tv_sec <= 0) {
		fprintf(stderr, "usage: runtest SECONDS PROGRAM [ARG...]\n");
		return STATUS_BROKEN;
	}
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	if (unshare(CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWNS) < 0)
		broken("unshare");
	pid = fork();
	if (pid < 0)
		broken("fork");
	if (!pid) {
		sigprocmask(SIG_UNBLOCK, &chld, NULL);
		run_inside(argv + 2);
	}
	late = sigtimedwait(&chld, NULL, &limit) < 0;
	if (late)
		kill(pid, SIGKILL);
	if (waitpid(pid, &wstatus, 0) < 0)
		broken("waitpid");
	return late ? STATUS_TIMEOUT : status_of(wstatus);
}
