// SPDX-License-Identifier: GPL-2.0
/* A library that a program loads as it runs, and that connects. */
#include <sys/socket.h>

int runplug_connect(int fd, const struct sockaddr *addr, socklen_t len);

int runplug_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	return connect(fd, addr, len);
}
