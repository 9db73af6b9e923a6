// SPDX-License-Identifier: GPL-2.0
/*
 * runpoke: sockets that have one of TCP inside, and fall back to it. SMC is a
 * family, a protocol of IP (Linux 6.11), and something that a socket of TCP
 * becomes by an option; MPTCP is a protocol of IP.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "userspace/nst-run/sys.h"
#include "runpoke.h"

#ifndef AF_SMC
#define AF_SMC		43
#endif
#ifndef IPPROTO_SMC
#define IPPROTO_SMC	256
#endif
#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP	262
#endif

/* By instructions of its own, past every library: a negative errno */
static int make(const char *how)
{
	int fd;

	if (!strcmp(how, "given"))
		return 3;
	if (!strcmp(how, "family"))
		return sys_socket(AF_SMC, SOCK_STREAM, 0);
	if (!strcmp(how, "protocol"))
		return sys_socket(AF_INET, SOCK_STREAM, IPPROTO_SMC);
	if (!strcmp(how, "mptcp"))
		return sys_socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);
	fd = sys_socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || strcmp(how, "option"))
		return fd;
	return setsockopt(fd, IPPROTO_TCP, TCP_ULP, "smc", 3) ? -errno : fd;
}

static int join(int fd, int port)
{
	struct address addr;

	address_of(&addr, AF_INET, port);
	return connect(fd, (struct sockaddr *)&addr.sa, addr.len);
}

static int hear(int fd, int port)
{
	struct address addr;

	address_of(&addr, AF_INET, port);
	NEED(!bind(fd, (struct sockaddr *)&addr.sa, addr.len));
	return listen(fd, 4);
}

/* inside_has HOW: does the kernel have such? */
static int has(char **args)
{
	return make(args[0]) < 0;
}

/* inside_pair FAMILY PROTOCOL: made by libc, both ends */
static int both(char **args)
{
	int family = atoi(args[0]), protocol = atoi(args[1]);
	int lfd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, protocol);
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, protocol);

	NEED(lfd >= 0 && fd >= 0);
	NEED(!hear(lfd, PORT) && !join(fd, PORT));
	return pair_of(lfd, fd);
}

/* inside_to HOW PORT: a client of that kind, to a listener of TCP */
static int to(char **args)
{
	int lfd = listener(AF_INET, atoi(args[1])), fd = make(args[0]);

	NEED(fd >= 0);
	NEED(!join(fd, atoi(args[1])));
	return pair_of(lfd, fd);
}

/* inside_refused HOW: it neither connects nor listens on PORT, for good reason */
static int refused(char **args)
{
	int fd = make(args[0]);

	NEED(fd >= 0);
	NEED(join(fd, PORT) == -1 && errno == EOPNOTSUPP);
	NEED(hear(fd, PORT) == -1 && errno == EOPNOTSUPP);
	return 0;
}

/* inside_hand HOW PROGRAM...: descriptor 3 of it is such a socket, without a port */
static int hand(char **args)
{
	int fd = make(args[0]);

	NEED(fd >= 0);
	NEED(fd == 3 || dup2(fd, 3) == 3);
	execvp(args[1], args + 1);
	return 99;
}

const struct scenario inside_scenarios[] = {
	{ "inside_has", has },
	{ "inside_pair", both },
	{ "inside_to", to },
	{ "inside_refused", refused },
	{ "inside_hand", hand },
	{ NULL, NULL }
};
