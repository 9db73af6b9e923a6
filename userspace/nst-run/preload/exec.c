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
#include <sys/stat.h>
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

/*
 * Has an action been made by which a child changes its directory before it looks
 * for a relative path? Which one it will be in is in libc's own structures.
 */
static int moved;

/* execvp() and its like go on behind a directory of that name. */
static int is_runnable(const char *path)
{
	struct stat st;

	if (sys_call(SYS_newfstatat, AT_FDCWD, SYS_PTR(path), SYS_PTR(&st), 0, 0,
		     0) || !S_ISREG(st.st_mode))
		return 0;
	return !sys_call(SYS_faccessat, AT_FDCWD, SYS_PTR(path), X_OK, 0, 0, 0);
}

/* @elsewhere: a relative path may be that of another file */
static int may_exec_path(const char *path, int elsewhere)
{
	if (path && elsewhere && *path != '/')
		return preload_lost(path);
	return preload_may_exec(AT_FDCWD, path);
}

/* The first file of that name in $PATH, as execvp() and posix_spawnp() find it. */
static int may_exec_found(const char *name, int elsewhere)
{
	const char *dirs = getenv("PATH");
	char path[PATH_MAX];
	size_t len;

	if (strchr(name, '/'))
		return may_exec_path(name, elsewhere);
	for (dirs = dirs ? dirs : PATH_DEFAULT;; dirs += len + 1) {
		struct text t = { .buf = path, .size = sizeof(path) };

		len = strcspn(dirs, ":");
		text_bytes(&t, dirs, len);
		if (len)
			text_add(&t, "/");
		text_add(&t, name);
		if (is_runnable(path) || (elsewhere && *path != '/'))
			return may_exec_path(path, elsewhere);
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

	if (may_exec_found(name, 0))
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

typedef int spawn_fn(pid_t *pid, const char *path,
		     const posix_spawn_file_actions_t *actions,
		     const posix_spawnattr_t *attr, char *const argv[],
		     char *const envp[]);

/* These return an errno. @search: in $PATH */
static int spawn(spawn_fn *next, int search, pid_t *pid, const char *path,
		 const posix_spawn_file_actions_t *actions,
		 const posix_spawnattr_t *attr, char *const argv[],
		 char *const envp[])
{
	int elsewhere = actions && __atomic_load_n(&moved, __ATOMIC_RELAXED);
	int err = errno, denied;

	ENV_COMPLETE(env, envp);
	denied = search ? may_exec_found(path, elsewhere) :
		may_exec_path(path, elsewhere);
	errno = err;
	if (denied)
		return EACCES;
	return next(pid, path, actions, attr, argv, env);
}

INTERPOSED int posix_spawn(pid_t *pid, const char *path,
			   const posix_spawn_file_actions_t *actions,
			   const posix_spawnattr_t *attr, char *const argv[],
			   char *const envp[])
{
	if (real_lacks(&real.posix_spawn))
		return EOPNOTSUPP;
	return spawn(real.posix_spawn, 0, pid, path, actions, attr, argv, envp);
}

INTERPOSED int posix_spawnp(pid_t *pid, const char *name,
			    const posix_spawn_file_actions_t *actions,
			    const posix_spawnattr_t *attr, char *const argv[],
			    char *const envp[])
{
	if (real_lacks(&real.posix_spawnp))
		return EOPNOTSUPP;
	return spawn(real.posix_spawnp, 1, pid, name, actions, attr, argv, envp);
}

/* A newer libc has them; the descriptor is no matter here. */
INTERPOSED int pidfd_spawn(int *pidfd, const char *path,
			   const posix_spawn_file_actions_t *actions,
			   const posix_spawnattr_t *attr, char *const argv[],
			   char *const envp[])
{
	if (real_lacks(&real.pidfd_spawn))
		return EOPNOTSUPP;
	return spawn(real.pidfd_spawn, 0, pidfd, path, actions, attr, argv,
		     envp);
}

INTERPOSED int pidfd_spawnp(int *pidfd, const char *name,
			    const posix_spawn_file_actions_t *actions,
			    const posix_spawnattr_t *attr, char *const argv[],
			    char *const envp[])
{
	if (real_lacks(&real.pidfd_spawnp))
		return EOPNOTSUPP;
	return spawn(real.pidfd_spawnp, 1, pidfd, name, actions, attr, argv,
		     envp);
}

INTERPOSED int
posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *actions,
				     const char *path)
{
	if (real_lacks(&real.posix_spawn_file_actions_addchdir_np))
		return EOPNOTSUPP;
	__atomic_store_n(&moved, 1, __ATOMIC_RELAXED);
	return real.posix_spawn_file_actions_addchdir_np(actions, path);
}

INTERPOSED int
posix_spawn_file_actions_addfchdir_np(posix_spawn_file_actions_t *actions,
				      int fd)
{
	if (real_lacks(&real.posix_spawn_file_actions_addfchdir_np))
		return EOPNOTSUPP;
	__atomic_store_n(&moved, 1, __ATOMIC_RELAXED);
	return real.posix_spawn_file_actions_addfchdir_np(actions, fd);
}

/* Their names in POSIX. */
INTERPOSED int
posix_spawn_file_actions_addchdir(posix_spawn_file_actions_t *actions,
				  const char *path)
{
	return posix_spawn_file_actions_addchdir_np(actions, path);
}

INTERPOSED int
posix_spawn_file_actions_addfchdir(posix_spawn_file_actions_t *actions, int fd)
{
	return posix_spawn_file_actions_addfchdir_np(actions, fd);
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
