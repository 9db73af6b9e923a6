/* SPDX-License-Identifier: GPL-2.0 */
/* libc's own functions, or those of whoever is preloaded behind this library. */
#ifndef NST_RUN_REAL_H
#define NST_RUN_REAL_H

#include <dlfcn.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <wordexp.h>

/* Newer than some <spawn.h>: glibc 2.39, and 2.43 for the names without _np. */
int pidfd_spawn(int *pidfd, const char *path,
		const posix_spawn_file_actions_t *actions,
		const posix_spawnattr_t *attr, char *const argv[],
		char *const envp[]);
int pidfd_spawnp(int *pidfd, const char *name,
		 const posix_spawn_file_actions_t *actions,
		 const posix_spawnattr_t *attr, char *const argv[],
		 char *const envp[]);
int posix_spawn_file_actions_addchdir(posix_spawn_file_actions_t *actions,
				      const char *path);
int posix_spawn_file_actions_addfchdir(posix_spawn_file_actions_t *actions,
				       int fd);

#define REALS(X)							\
	X(socket) X(listen) X(connect) X(bind) X(setsockopt)		\
	X(sendto) X(sendmsg) X(sendmmsg) X(recvmsg) X(recvmmsg)		\
	X(execve) X(execvpe) X(execveat) X(fexecve)			\
	X(posix_spawn) X(posix_spawnp) X(pidfd_spawn) X(pidfd_spawnp)	\
	X(posix_spawn_file_actions_addchdir_np)				\
	X(posix_spawn_file_actions_addfchdir_np)			\
	X(system) X(popen) X(wordexp) X(dlopen) X(dlmopen) X(syscall)

#define REAL_DECLARE(name) __typeof__(name) *name;
struct reals {
	REALS(REAL_DECLARE)
};

extern struct reals real;

int real_lacks(const void *function);

#endif /* NST_RUN_REAL_H */
