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

#define REALS(X)							\
	X(socket) X(listen) X(connect) X(bind) X(setsockopt)		\
	X(sendto) X(sendmsg) X(sendmmsg) X(recvmsg) X(recvmmsg)		\
	X(execve) X(execvpe) X(execveat) X(fexecve)			\
	X(posix_spawn) X(posix_spawnp) X(system) X(popen) X(wordexp)	\
	X(dlmopen) X(syscall)

#define REAL_DECLARE(name) __typeof__(name) *name;
struct reals {
	REALS(REAL_DECLARE)
};

extern struct reals real;

int real_lacks(const void *function);

#endif /* NST_RUN_REAL_H */
