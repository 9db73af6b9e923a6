// SPDX-License-Identifier: GPL-2.0
/* A library that is preloaded beside nst-run's, and wraps connect() as well. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <spawn.h>
#include <sys/socket.h>

int runwrap_connects;

int connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	int (*next)(int fd, const struct sockaddr *addr, socklen_t len);

	next = (__typeof__(next))dlsym(RTLD_NEXT, "connect");
	runwrap_connects++;
	return next(fd, addr, len);
}

/* libc has it since 2.39. libc's own posix_spawn() is past any library. */
int pidfd_spawn(int *pidfd, const char *path,
		const posix_spawn_file_actions_t *actions,
		const posix_spawnattr_t *attr, char *const argv[],
		char *const envp[])
{
	void *libc = dlopen("libc.so.6", RTLD_NOW);
	__typeof__(posix_spawn) *next;
	pid_t pid;

	next = (__typeof__(next))dlsym(libc, "posix_spawn");
	*pidfd = -1;
	return next(&pid, path, actions, attr, argv, envp);
}
