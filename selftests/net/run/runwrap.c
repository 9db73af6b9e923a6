// SPDX-License-Identifier: GPL-2.0
/* A library that is preloaded beside nst-run's, and wraps connect() as well. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <linux/io_uring.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

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

/* As liburing has it: the descriptor is at 196. */
int io_uring_queue_init_params(unsigned int entries, void *ring,
			       struct io_uring_params *params)
{
	void *libc = dlopen("libc.so.6", RTLD_NOW);
	long (*call)(long nr, ...);
	int fd;

	call = (__typeof__(call))dlsym(libc, "syscall");
	fd = call(SYS_io_uring_setup, entries, params);
	memcpy((char *)ring + 196, &fd, sizeof(fd));
	return fd < 0 ? fd : 0;
}
