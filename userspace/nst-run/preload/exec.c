// SPDX-License-Identifier: GPL-2.0
/*
 * A program that becomes another, or starts one: the library must be in that too.
 * What it cannot be in is not run, unless nst-run was told to let it go.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "env.h"
#include "preload.h"
#include "real.h"
#include "sys.h"
#include "text.h"

#define PATH_DEFAULT	"/bin:/usr/bin"

INTERPOSED int execve(const char *path, char *const argv[], char *const envp[])
{
	if (real_lacks(&real.execve))
		return -1;
	ENV_COMPLETE(env, envp);

	if (preload_may_exec(AT_FDCWD, path))
		return -1;
	return real.execve(path, argv, env);
}

INTERPOSED int execv(const char *path, char *const argv[])
{
	return execve(path, argv, environ);
}

INTERPOSED int fexecve(int fd, char *const argv[], char *const envp[])
{
	if (real_lacks(&real.fexecve))
		return -1;
	ENV_COMPLETE(env, envp);

	if (preload_may_exec(fd, ""))
		return -1;
	return real.fexecve(fd, argv, env);
}

INTERPOSED int execveat(int dir, const char *path, char *const argv[],
			char *const envp[], int flags)
{
	if (real_lacks(&real.execveat))
		return -1;
	ENV_COMPLETE(env, envp);

	if (preload_may_exec(dir, path))
		return -1;
	return real.execveat(dir, path, argv, env, flags);
}

static int is_runnable(const char *path)
{
	return !sys_call(SYS_faccessat, AT_FDCWD, SYS_PTR(path), X_OK, 0, 0, 0);
}

/* The first file of that name in $PATH, as execvp() and posix_spawnp() find it. */
static int may_exec_found(const char *name)
{
	const char *dirs = getenv("PATH");
	char path[PATH_MAX];
	size_t len;

	if (strchr(name, '/'))
		return preload_may_exec(AT_FDCWD, name);
	for (dirs = dirs ? dirs : PATH_DEFAULT;; dirs += len + 1) {
		struct text t = { .buf = path, .size = sizeof(path) };

		len = strcspn(dirs, ":");
		text_bytes(&t, dirs, len);
		if (len)
			text_add(&t, "/");
		text_add(&t, name);
		if (is_runnable(path))
			return preload_may_exec(AT_FDCWD, path);
		if (!dirs[len])
			return 0;
	}
}

INTERPOSED int execvpe(const char *name, char *const argv[],
		       char *const envp[])
{
	if (real_lacks(&real.execvpe))
		return -1;
	ENV_COMPLETE(env, envp);

	if (may_exec_found(name))
		return -1;
	return real.execvpe(name, argv, env);
}

INTERPOSED int execvp(const char *name, char *const argv[])
{
	return execvpe(name, argv, environ);
}

static size_t count_args(va_list ap)
{
	size_t n = 1;

	while (va_arg(ap, char *))
		n++;
	return n;
}

/* The arguments behind @first, ended by NULL, as @argv on this stack. */
#define TAKE_ARGS(argv, first, ap)					\
	size_t argv##_nr, argv##_i;					\
	va_start(ap, first);						\
	argv##_nr = (first) ? count_args(ap) : 0;			\
	va_end(ap);							\
	char *argv[argv##_nr + 1];					\
	argv[0] = (char *)(first);					\
	va_start(ap, first);						\
	for (argv##_i = 1; argv##_i <= argv##_nr; argv##_i++)		\
		argv[argv##_i] = va_arg(ap, char *)

INTERPOSED int execl(const char *path, const char *arg, ...)
{
	va_list ap;

	TAKE_ARGS(argv, arg, ap);
	va_end(ap);
	return execve(path, argv, environ);
}

INTERPOSED int execlp(const char *name, const char *arg, ...)
{
	va_list ap;

	TAKE_ARGS(argv, arg, ap);
	va_end(ap);
	return execvpe(name, argv, environ);
}

INTERPOSED int execle(const char *path, const char *arg, ...)
{
	char *const *envp;
	va_list ap;

	TAKE_ARGS(argv, arg, ap);
	envp = va_arg(ap, char *const *);
	va_end(ap);
	return execve(path, argv, envp);
}

/* These return an errno. */
INTERPOSED int posix_spawn(pid_t *pid, const char *path,
			   const posix_spawn_file_actions_t *actions,
			   const posix_spawnattr_t *attr, char *const argv[],
			   char *const envp[])
{
	int err = errno, denied;

	if (real_lacks(&real.posix_spawn))
		return EOPNOTSUPP;
	ENV_COMPLETE(env, envp);

	denied = preload_may_exec(AT_FDCWD, path);
	errno = err;
	if (denied)
		return EACCES;
	return real.posix_spawn(pid, path, actions, attr, argv, env);
}

INTERPOSED int posix_spawnp(pid_t *pid, const char *name,
			    const posix_spawn_file_actions_t *actions,
			    const posix_spawnattr_t *attr, char *const argv[],
			    char *const envp[])
{
	int err = errno, denied;

	if (real_lacks(&real.posix_spawnp))
		return EOPNOTSUPP;
	ENV_COMPLETE(env, envp);

	denied = may_exec_found(name);
	errno = err;
	if (denied)
		return EACCES;
	return real.posix_spawnp(pid, name, actions, attr, argv, env);
}

/* A shell of libc's own starting, with the program's environment as it is. */
INTERPOSED int system(const char *command)
{
	if (real_lacks(&real.system))
		return -1;
	env_keep();
	return real.system(command);
}

INTERPOSED FILE *popen(const char *command, const char *mode)
{
	if (real_lacks(&real.popen))
		return NULL;
	env_keep();
	return real.popen(command, mode);
}

INTERPOSED int wordexp(const char *words, wordexp_t *result, int flags)
{
	if (real_lacks(&real.wordexp))
		return WRDE_NOSPACE;
	env_keep();
	return real.wordexp(words, result, flags);
}
