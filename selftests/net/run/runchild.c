// SPDX-License-Identifier: GPL-2.0
/*
 * runpoke: a server in a child, started in every way there is. The client is the
 * parent, so both must be covered or neither.
 */
#define _GNU_SOURCE
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

static char self[] = "/proc/self/exe";

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
		execve(self, server_argv, env);
		break;
	case EXECV:
		execv(self, server_argv);
		break;
	case EXECVP:
		execvp("runpoke", server_argv);
		break;
	case EXECVPE:
		execvpe("runpoke", server_argv, env);
		break;
	case EXECL:
		execl(self, "runpoke", "-q", "server", NULL);
		break;
	case EXECLE:
		execle(self, "runpoke", "-q", "server", NULL, env);
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
		syscall(SYS_execve, self, server_argv, env);
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
	int out[2], fd = open(self, O_PATH | O_CLOEXEC);
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
		execve(self, server_argv, no_env);
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
		err = posix_spawn(&pid, self, &actions, NULL, server_argv,
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
	execv(args[0], args);
	perror(args[0]);
	return errno == EACCES ? 126 : 127;
}

/* A listener as the descriptor that comes from elsewhere. */
static int served(char **args)
{
	return serve(atoi(args[0]));
}

/* hand PROGRAM ARGUMENT...: descriptor 3 of it is a listener, made here. */
static int hand(char **args)
{
	int lfd = listener(AF_INET, PORT), status;
	pid_t pid = fork();

	NEED(pid >= 0);
	if (!pid) {
		NEED(dup2(lfd, 3) == 3);
		setenv("LISTEN_FDS", "1", 1);
		execvp(args[0], args);
		_exit(99);
	}
	close(lfd);
	NEED(waitpid(pid, &status, 0) == pid);
	return !WIFEXITED(status) ? 1 : WEXITSTATUS(status);
}

const struct scenario child_scenarios[] = {
	{ "server", server },
	{ "child", by_exec },
	{ "vfork", by_vfork },
	{ "fork", by_fork },
	{ "spawn", by_spawn },
	{ "popen", by_popen },
	{ "system", by_system },
	{ "exec", only_exec },
	{ "served", served },
	{ "hand", hand },
	{ NULL, NULL }
};
