// SPDX-License-Identifier: GPL-2.0
/* Stay behind while the program runs, as --explain must. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "wait.h"

static const int passed_on[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1,
	SIGUSR2, SIGWINCH, SIGCONT };

#define NR_PASSED_ON	(sizeof(passed_on) / sizeof(passed_on[0]))

static pid_t program;

/* A terminal tells the program itself; a kill does not. */
static void pass_on(int sig, siginfo_t *info, void *context)
{
	(void)context;
	if (info->si_code <= 0 && info->si_pid != program)
		kill(program, sig);
}

static void set_signals(void)
{
	struct sigaction act = { .sa_flags = SA_SIGINFO | SA_RESTART };
	unsigned int i;

	act.sa_sigaction = pass_on;
	for (i = 0; i < NR_PASSED_ON; i++)
		sigaction(passed_on[i], &act, NULL);
}

/**
 * wait_for_program() - until it has ended; signals are passed on to it
 * @pid: the program, a child; signals are blocked
 * @old: the mask that was in force before
 *
 * Return: its exit status, as a shell has it.
 */
int wait_for_program(pid_t pid, const sigset_t *old)
{
	int status;

	program = pid;
	set_signals();
	sigprocmask(SIG_SETMASK, old, NULL);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 1;
	if (WIFSIGNALED(status))
		return 128 + WTERMSIG(status);
	return WEXITSTATUS(status);
}
