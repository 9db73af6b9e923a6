// SPDX-License-Identifier: GPL-2.0
/* A library that is preloaded beside nst-run's, and wraps connect() as well. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/socket.h>

int runwrap_connects;

int connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	int (*next)(int fd, const struct sockaddr *addr, socklen_t len);

	next = (__typeof__(next))dlsym(RTLD_NEXT, "connect");
	runwrap_connects++;
	return next(fd, addr, len);
}
