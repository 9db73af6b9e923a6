// SPDX-License-Identifier: GPL-2.0
/* Calls that make a socket, and by which it gets its ports. */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include "preload.h"
#include "real.h"
#include "sys.h"

#ifndef IPPROTO_SMC
#define IPPROTO_SMC	256
#endif
#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP	262
#endif
#ifndef AF_SMC
#define AF_SMC		43
#endif
/* The two protocols of AF_SMC: over IPv4 and IPv6. */
#define SMC_IPV4	0
#define SMC_IPV6	1

/*
 * MPTCP and SMC (a family, and since Linux 6.11 a protocol) fall back to TCP where
 * the peer has only that, and NST is for TCP alone; the port is not known yet.
 */
INTERPOSED int socket(int family, int type, int protocol)
{
	int kind = type & ~(SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (real_lacks(&real.socket))
		return -1;
	if (kind == SOCK_STREAM && preload_policy()->tcp.nr) {
		if (family == AF_SMC && protocol <= SMC_IPV6) {
			family = protocol == SMC_IPV6 ? AF_INET6 : AF_INET;
			protocol = IPPROTO_TCP;
		} else if ((family == AF_INET || family == AF_INET6) &&
			   (protocol == IPPROTO_MPTCP ||
			    protocol == IPPROTO_SMC)) {
			protocol = IPPROTO_TCP;
		}
	}
	return real.socket(family, type, protocol);
}

INTERPOSED int listen(int fd, int backlog)
{
	if (real_lacks(&real.listen))
		return -1;
	if (preload_cover(ATTACH_LISTEN, fd, NULL, 0))
		return -1;
	return real.listen(fd, backlog);
}

/* AF_UNSPEC ends a connection; what a socket has of NST stays. */
INTERPOSED int connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	struct preload_addr copy;

	if (real_lacks(&real.connect))
		return -1;
	if (!preload_take_addr(&copy, addr, len) ||
	    copy.addr.ss_family == AF_UNSPEC)
		return real.connect(fd, addr, len);
	if (preload_cover(ATTACH_CONNECT, fd, &copy.addr, copy.len))
		return -1;
	return real.connect(fd, (struct sockaddr *)&copy.addr, copy.len);
}

INTERPOSED int __connect(int fd, const struct sockaddr *addr, socklen_t len)
	__attribute__((alias("connect")));

/* It is bound and plain, and a program may use it all the same. */
static void bury(int fd)
{
	int err = errno;

	preload_deaden(fd);
	errno = err;
}

/* Port 0 is one that the kernel chooses, and it may be one that is named. */
INTERPOSED int bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	struct preload_addr copy;
	int ret;

	if (real_lacks(&real.bind))
		return -1;
	if (!preload_take_addr(&copy, addr, len))
		return real.bind(fd, addr, len);
	if (preload_cover(ATTACH_BIND, fd, &copy.addr, copy.len))
		return -1;
	ret = real.bind(fd, (struct sockaddr *)&copy.addr, copy.len);
	if (!ret && !attach_port(&copy.addr, copy.len) &&
	    preload_policy()->udp.nr) {
		ret = preload_cover(ATTACH_BOUND, fd, NULL, 0);
		if (ret)
			bury(fd);
	}
	return ret;
}

/**
 * preload_on_named_port() - has a descriptor a port that is named for TCP?
 * @fd: the descriptor
 *
 * Return: 1 or 0.
 */
int preload_on_named_port(int fd)
{
	struct sockaddr_storage addr;
	unsigned int len = sizeof(addr);
	int port;

	if (sys_getsockname(fd, &addr, &len))
		return 0;
	port = attach_port(&addr, len);
	return port > 0 && ports_has(&preload_policy()->tcp, port);
}

/*
 * TCP Fast Open would carry data before NST: a program may believe that it has
 * it. NST itself refuses TCP_FASTOPEN_CONNECT; what was set before the attach is
 * taken away there.
 */
INTERPOSED int setsockopt(int fd, int level, int name, const void *val,
			  socklen_t len)
{
	int ret;

	if (real_lacks(&real.setsockopt))
		return -1;
	if (level == IPPROTO_TCP && name == TCP_FASTOPEN &&
	    preload_on_named_port(fd))
		return 0;
	ret = real.setsockopt(fd, level, name, val, len);
	if (ret && level == IPPROTO_TCP && name == TCP_FASTOPEN_CONNECT &&
	    errno == EOPNOTSUPP)
		return 0;
	return ret;
}
