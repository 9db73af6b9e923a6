// SPDX-License-Identifier: GPL-2.0
/*
 * runpoke: a server in a child, started in every way there is. The client is the
 * parent, so both must be covered or neither.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "runpoke.h"

#define SELF	"/proc/self/exe"

/* "runpoke -q server", on PORT; tells by its output when it listens. */
static int server(char **args)
{
	int fd = listener(AF_INET, PORT);

	(void)args;
	puts("listening");
	fflush(stdout);
	return serve(fd);
}

static char *const server_argv[] = { "runpoke", "-q", "server", NULL };
static char *const no_env[] = { NULL };

/* Its output is read until it says so; then it is talked to. */
static int talk_to(int out, pid_t pid)
{
	char buf[64];
	int status;

	NEED(read(out, buf, sizeof(buf)) > 0);
	talk(dial(AF_INET, PORT));
	if (!pid)
		return 0;
	NEED(waitpid(pid, &status, 0) == pid);
	NEED(WIFEXITED(status) && !WEXITSTATUS(status));
	return 0;
}

enum way { EXECVE, EXECV, EXECVP, EXECVPE, EXECL, EXECLE, EXECLP, FEXECVE,
	   EXECVEAT, SYSCALL };

static void become(enum way way, int fd, char *const env[])
{
	switch (way) {
	case EXECVE:
		execve(SELF, server_argv, env);
		break;
	case EXECV:
		execv(SELF, server_argv);
		break;
	case EXECVP:
		execvp("runpoke", server_argv);
		break;
	case EXECVPE:
		execvpe("runpoke", server_argv, env);
		break;
	case EXECL:
		execl(SELF, "runpoke", "-q", "server", NULL);
		break;
	case EXECLE:
		execle(SELF, "runpoke", "-q", "server", NULL, env);
		break;
	case EXECLP:
		execlp("runpoke", "runpoke", "-q", "server", NULL);
		break;
	case FEXECVE:
		fexecve(fd, server_argv, env);
		break;
	case EXECVEAT:
		execveat(fd, "", server_argv, env, AT_EMPTY_PATH);
		break;
	case SYSCALL:
		syscall(SYS_execve, SELF, server_argv, env);
	}
}

/* execlp() and its like need $PATH, and nothing else is there. */
static int clean(void)
{
	const char *path = getenv("PATH");
	char *copy = strdup(path ? path : "/t");

	return clearenv() || setenv("PATH", copy, 1);
}

static int child(enum way way, int cleaned)
{
	int out[2], fd = open(SELF, O_PATH | O_CLOEXEC);
	pid_t pid;

	NEED(!pipe2(out, O_CLOEXEC));
	NEED(!cleaned || !clean());
	pid = fork();
	NEED(pid >= 0);
	if (!pid) {
		dup2(out[1], STDOUT_FILENO);
		become(way, fd, cleaned ? no_env : environ);
		_exit(99);
	}
	close(out[1]);
	return talk_to(out[0], pid);
}

/* child WAY [clean] */
static int by_exec(char **args)
{
	static const char *const names[] = {
		"execve", "execv", "execvp", "execvpe", "execl", "execle",
		"execlp", "fexecve", "execveat", "syscall", NULL
	};
	int i;

	for (i = 0; args[0] && names[i]; i++)
		if (!strcmp(names[i], args[0]))
			return child(i, !!args[1]);
	return 2;
}

static int by_vfork(char **args)
{
	int out[2];
	pid_t pid;

	(void)args;
	NEED(!pipe2(out, O_CLOEXEC));
	pid = vfork();
	if (!pid) {
		dup2(out[1], STDOUT_FILENO);
		execve(SELF, server_argv, no_env);
		_exit(99);
	}
	close(out[1]);
	return talk_to(out[0], pid);
}

static int by_fork(char **args)
{
	int lfd = listener(AF_INET, PORT), status;
	pid_t pid = fork();

	(void)args;
	NEED(pid >= 0);
	if (!pid)
		_exit(serve(lfd));
	talk(dial(AF_INET, PORT));
	NEED(waitpid(pid, &status, 0) == pid && !status);
	return 0;
}

static int by_spawn(char **args)
{
	posix_spawn_file_actions_t actions;
	int out[2], err;
	pid_t pid;

	NEED(!pipe2(out, O_CLOEXEC));
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
	if (args[0])
		err = posix_spawnp(&pid, "runpoke", &actions, NULL, server_argv,
				   no_env);
	else
		err = posix_spawn(&pid, SELF, &actions, NULL, server_argv,
				  no_env);
	NEED(!err);
	close(out[1]);
	return talk_to(out[0], pid);
}

static int by_popen(char **args)
{
	FILE *f;
	int rc;

	(void)args;
	NEED(!clean());
	f = popen("exec runpoke -q server", "r");
	NEED(f);
	rc = talk_to(fileno(f), 0);
	return rc || pclose(f);
}

static int by_system(char **args)
{
	int out[2];

	(void)args;
	NEED(!clean());
	NEED(!pipe(out));
	dup2(STDOUT_FILENO, 20);
	dup2(out[1], STDOUT_FILENO);
	NEED(!system("runpoke -q server &"));
	dup2(20, STDOUT_FILENO);
	return talk_to(out[0], 0);
}

/* May a program be run, and what does it say? exec PROGRAM ARGUMENT... */
static int only_exec(char **args)
{
	int err;

	execv(args[0], args);
	err = errno;
	perror(args[0]);
	return err == EACCES ? 126 : 127;
}

/* chrooted DIRECTORY PROGRAM ARGUMENT...: the same there. */
static int chrooted(char **args)
{
	NEED(!chroot(args[0]) && !chdir("/"));
	return only_exec(args + 1);
}

/* The same by posix_spawn(). */
static int only_spawn(char **args)
{
	pid_t pid;

	return posix_spawn(&pid, args[0], NULL, NULL, args, environ);
}

/* The dynamic linker takes the last LD_PRELOAD, and getenv() the first. */
static int two_lists(char **args)
{
	static char one[4096], policy[4096];
	char *env[4] = { one, policy, "LD_PRELOAD=" };
	int out[2];
	pid_t pid;

	(void)args;
	NEED(getenv("LD_PRELOAD") && getenv("NST_RUN_POLICY"));
	snprintf(one, sizeof(one), "LD_PRELOAD=%s", getenv("LD_PRELOAD"));
	snprintf(policy, sizeof(policy), "NST_RUN_POLICY=%s",
		 getenv("NST_RUN_POLICY"));
	NEED(!pipe2(out, O_CLOEXEC));
	pid = fork();
	NEED(pid >= 0);
	if (!pid) {
		dup2(out[1], STDOUT_FILENO);
		become(EXECVE, -1, env);
		_exit(99);
	}
	close(out[1]);
	return talk_to(out[0], pid);
}

/* Of a libc newer than this one, or of runwrap.so. */
static int only_pidfd_spawn(char **args)
{
	int (*spawn)(int *pidfd, const char *path,
		     const posix_spawn_file_actions_t *actions,
		     const posix_spawnattr_t *attr, char *const argv[],
		     char *const envp[]);
	int fd;

	spawn = (__typeof__(spawn))dlsym(RTLD_DEFAULT, "pidfd_spawn");
	NEED(spawn);
	return spawn(&fd, args[0], NULL, NULL, args, environ);
}

/* moved DIRECTORY PROGRAM: the program's path is relative to that. */
static int only_moved(char **args)
{
	posix_spawn_file_actions_t actions;
	int status, err;
	pid_t pid;

	NEED(!posix_spawn_file_actions_init(&actions));
	NEED(!posix_spawn_file_actions_addchdir_np(&actions, args[0]));
	err = posix_spawn(&pid, args[1], &actions, NULL, args + 1, environ);
	if (err)
		return err;
	NEED(waitpid(pid, &status, 0) == pid);
	return WEXITSTATUS(status);
}

/* execvp [ARGUMENT...], by $PATH. */
static int only_execvp(char **args)
{
	execvp(args[0], args);
	perror(args[0]);
	return 127;
}

const struct scenario child_scenarios[] = {
	{ "server", server },
	{ "child", by_exec },
	{ "vfork", by_vfork },
	{ "two_lists", two_lists },
	{ "fork", by_fork },
	{ "spawn", by_spawn },
	{ "popen", by_popen },
	{ "system", by_system },
	{ "exec", only_exec },
	{ "spawn_of", only_spawn },
	{ "pidfd_spawn_of", only_pidfd_spawn },
	{ "moved", only_moved },
	{ "execvp_of", only_execvp },
	{ "chrooted", chrooted },
	{ NULL, NULL }
};
