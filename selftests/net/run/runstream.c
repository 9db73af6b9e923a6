// SPDX-License-Identifier: GPL-2.0
/* runpoke: what programs do with TCP. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "runpoke.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP	262
#endif

void address_of(struct address *addr, int family, int port)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&addr->sa;
	struct sockaddr_in *in = (struct sockaddr_in *)&addr->sa;

	memset(addr, 0, sizeof(*addr));
	addr->sa.ss_family = family;
	in->sin_port = htons(port);
	if (family == AF_INET6) {
		in6->sin6_addr = in6addr_loopback;
		addr->len = sizeof(*in6);
	} else {
		in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		addr->len = sizeof(*in);
	}
}

static int bound(int family, int port, int protocol)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, protocol), one = 1;
	struct address addr;

	NEED(fd >= 0);
	address_of(&addr, family, port);
	NEED(!setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	NEED(!bind(fd, (struct sockaddr *)&addr.sa, addr.len));
	return fd;
}

int listener(int family, int port)
{
	int fd = bound(family, port, 0);

	NEED(!listen(fd, 1024));
	return fd;
}

int dial(int family, int port)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct address addr;

	NEED(fd >= 0);
	address_of(&addr, family, port);
	NEED(!connect(fd, (struct sockaddr *)&addr.sa, addr.len));
	return fd;
}

/* The mark, from @a to @b. */
static int one_way(int a, int b)
{
	char buf[sizeof(MARK)];

	NEED(send(a, MARK, sizeof(MARK), MSG_NOSIGNAL) == sizeof(MARK));
	NEED(recv(b, buf, sizeof(buf), MSG_WAITALL) == sizeof(buf));
	NEED(!memcmp(buf, MARK, sizeof(buf)));
	return 0;
}

/* It there, back, and the end of each. */
int exchange(int a, int b)
{
	char c;

	one_way(a, b);
	one_way(b, a);
	NEED(!shutdown(a, SHUT_WR));
	NEED(recv(b, &c, 1, 0) == 0);
	NEED(!shutdown(b, SHUT_WR));
	NEED(recv(a, &c, 1, 0) == 0);
	return 0;
}

/* One connection of a listener: gives back what comes. */
int serve(int fd)
{
	int conn = accept(fd, NULL, NULL);
	char buf[4096];
	ssize_t n;

	NEED(conn >= 0);
	while ((n = recv(conn, buf, sizeof(buf), 0)) > 0)
		NEED(send(conn, buf, n, MSG_NOSIGNAL) == n);
	NEED(!n);
	close(conn);
	return 0;
}

/* The other end of serve(). */
int talk(int fd)
{
	char buf[sizeof(MARK)];

	NEED(send(fd, MARK, sizeof(MARK), MSG_NOSIGNAL) == sizeof(MARK));
	NEED(recv(fd, buf, sizeof(buf), MSG_WAITALL) == sizeof(buf));
	NEED(!memcmp(buf, MARK, sizeof(buf)));
	NEED(!shutdown(fd, SHUT_WR));
	NEED(recv(fd, buf, 1, 0) == 0);
	close(fd);
	return 0;
}

/* What a listener accepts, and the client. */
int pair_of(int lfd, int cfd)
{
	int conn = accept(lfd, NULL, NULL);

	NEED(conn >= 0);
	return exchange(cfd, conn);
}

static int tcp4(char **args)
{
	int lfd = listener(AF_INET, PORT);

	(void)args;
	return pair_of(lfd, dial(AF_INET, PORT));
}

static int tcp6(char **args)
{
	int lfd = listener(AF_INET6, PORT);

	(void)args;
	return pair_of(lfd, dial(AF_INET6, PORT));
}

/* A listener of both, and a client of IPv4. */
static int dual(char **args)
{
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	struct sockaddr_in6 any = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(PORT),
	};

	(void)args;
	NEED(!bind(fd, (struct sockaddr *)&any, sizeof(any)));
	NEED(!listen(fd, 4));
	return pair_of(fd, dial(AF_INET, PORT));
}

static void finish_connect(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	int err;
	socklen_t len = sizeof(err);

	NEED(poll(&p, 1, -1) == 1);
	NEED(!getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) && !err);
}

static int nonblocking(char **args)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	int lfd = listener(AF_INET, PORT);
	struct address addr;

	(void)args;
	address_of(&addr, AF_INET, PORT);
	if (connect(fd, (struct sockaddr *)&addr.sa, addr.len)) {
		NEED(errno == EINPROGRESS);
		finish_connect(fd);
	}
	/* As some programs ask how it went. */
	connect(fd, (struct sockaddr *)&addr.sa, addr.len);
	NEED(!fcntl(fd, F_SETFL, 0));
	return pair_of(lfd, fd);
}

/* Eight clients, taken as they come. */
static int epolled(char **args)
{
	int lfd = listener(AF_INET, PORT), ep = epoll_create1(0), fd[8], i, conn;
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };

	(void)args;
	NEED(!fcntl(lfd, F_SETFL, O_NONBLOCK));
	NEED(!epoll_ctl(ep, EPOLL_CTL_ADD, lfd, &ev));
	for (i = 0; i < 8; i++)
		fd[i] = dial(AF_INET, PORT);
	NEED(epoll_wait(ep, &ev, 1, -1) == 1);
	for (i = 0; i < 8; i++) {
		conn = accept4(lfd, NULL, NULL, SOCK_CLOEXEC);
		NEED(conn >= 0);
		exchange(fd[i], conn);
	}
	return 0;
}

/* Two listeners share the port; each connection is one's or the other's. */
static int reuseport(char **args)
{
	int lfd[2], i, one = 1, conn, fd;
	struct pollfd p[2];
	struct address addr;

	(void)args;
	address_of(&addr, AF_INET, PORT);
	for (i = 0; i < 2; i++) {
		lfd[i] = socket(AF_INET, SOCK_STREAM, 0);
		NEED(!setsockopt(lfd[i], SOL_SOCKET, SO_REUSEPORT, &one,
				 sizeof(one)));
		NEED(!bind(lfd[i], (struct sockaddr *)&addr.sa, addr.len));
		NEED(!listen(lfd[i], 4));
		p[i].fd = lfd[i];
		p[i].events = POLLIN;
	}
	for (i = 0; i < 8; i++) {
		fd = dial(AF_INET, PORT);
		NEED(poll(p, 2, -1) == 1);
		conn = accept(p[0].revents ? lfd[0] : lfd[1], NULL, NULL);
		NEED(conn >= 0);
		exchange(fd, conn);
	}
	return 0;
}

/* A server may listen anew to have another backlog. */
static int listen_twice(char **args)
{
	int lfd = listener(AF_INET, PORT);

	(void)args;
	NEED(!listen(lfd, 7));
	return pair_of(lfd, dial(AF_INET, PORT));
}

/*
 * The client is the one on the port that is named (as FTP's data is); its peer is
 * a plain socket, which shows what comes out.
 */
static int from_named(int fast)
{
	int lfd = listener(AF_INET, PORT + 1), fd = bound(AF_INET, PORT, 0);
	struct address addr;
	char buf[4096];
	int conn;
	ssize_t n;

	address_of(&addr, AF_INET, PORT + 1);
	if (fast) {
		n = sendto(fd, MARK, sizeof(MARK), MSG_FASTOPEN,
			   (struct sockaddr *)&addr.sa, addr.len);
	} else {
		NEED(!connect(fd, (struct sockaddr *)&addr.sa, addr.len));
		n = send(fd, MARK, sizeof(MARK), 0);
	}
	NEED(n == sizeof(MARK));
	conn = accept(lfd, NULL, NULL);
	n = recv(conn, buf, sizeof(buf), 0);
	NEED(n > 0);
	fputs(memmem(buf, n, MARK, strlen(MARK)) ? "open " : "closed ", stdout);
	return 0;
}

static int from_port(char **args)
{
	(void)args;
	return from_named(0);
}

/* many N: so many connections at once. */
static int many(char **args)
{
	int nr = atoi(args[0]), lfd = listener(AF_INET, PORT), i;
	int *a = calloc(nr, sizeof(*a)), *b = calloc(nr, sizeof(*b));
	struct rlimit limit = { 2 * nr + 64, 2 * nr + 64 };

	NEED(!setrlimit(RLIMIT_NOFILE, &limit));
	for (i = 0; i < nr; i++) {
		a[i] = dial(AF_INET, PORT);
		b[i] = accept(lfd, NULL, NULL);
		NEED(b[i] >= 0);
	}
	for (i = 0; i < nr; i++)
		one_way(a[i], b[i]);
	return 0;
}

/* No bind(): the kernel chooses the port, and all of them are named. */
static int unbound(char **args)
{
	int lfd = socket(AF_INET, SOCK_STREAM, 0);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in addr;
	socklen_t len = sizeof(addr);

	(void)args;
	NEED(!listen(lfd, 4));
	NEED(!getsockname(lfd, (struct sockaddr *)&addr, &len));
	NEED(!connect(fd, (struct sockaddr *)&addr, len));
	return pair_of(lfd, fd);
}

/* unbound_local: an address without a port, which a listener keeps. */
static int unbound_local(char **args)
{
	int lfd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in in;
	socklen_t len = sizeof(in);
	struct address addr;

	(void)args;
	address_of(&addr, AF_INET, 0);
	NEED(!setsockopt(lfd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one,
			 sizeof(one)));
	NEED(!bind(lfd, (struct sockaddr *)&addr.sa, addr.len));
	NEED(!listen(lfd, 4));
	NEED(!getsockname(lfd, (struct sockaddr *)&in, &len));
	NEED(in.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
	NEED(!connect(fd, (struct sockaddr *)&in, len));
	return pair_of(lfd, fd);
}

static int mptcp(char **args)
{
	int lfd = bound(AF_INET, PORT, IPPROTO_MPTCP);
	int fd = socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);
	struct address addr;

	(void)args;
	address_of(&addr, AF_INET, PORT);
	NEED(!listen(lfd, 4));
	NEED(!connect(fd, (struct sockaddr *)&addr.sa, addr.len));
	return pair_of(lfd, fd);
}

static int by_syscall(char **args)
{
	int lfd = syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
	int fd = syscall(SYS_socket, AF_INET, SOCK_STREAM, 0), status;
	struct address addr;
	pid_t pid;

	(void)args;
	address_of(&addr, AF_INET, PORT);
	NEED(!syscall(SYS_bind, lfd, &addr.sa, addr.len));
	NEED(!syscall(SYS_listen, lfd, 4));
	NEED(!syscall(SYS_connect, fd, &addr.sa, addr.len));
	NEED(syscall(SYS_connect, -1, &addr.sa, addr.len) == -1);
	NEED(errno == EBADF);
	/* What has nothing to do with sockets, and a fork() by this way. */
	NEED(syscall(SYS_getpid) == getpid());
	pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	NEED(pid >= 0);
	if (!pid)
		_exit(7);
	NEED(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 7);
	return pair_of(lfd, fd);
}

/* Data in the SYN: by an option of the listener and a flag of the first send. */
static int fastopen(char **args)
{
	int lfd = bound(AF_INET, PORT, 0), fd, conn, qlen = 5;
	char buf[sizeof(MARK)];
	struct address addr;

	(void)args;
	address_of(&addr, AF_INET, PORT);
	NEED(!setsockopt(lfd, IPPROTO_TCP, TCP_FASTOPEN, &qlen, sizeof(qlen)));
	NEED(!listen(lfd, 4));
	NEED(!setsockopt(lfd, IPPROTO_TCP, TCP_FASTOPEN, &qlen, sizeof(qlen)));
	fd = socket(AF_INET, SOCK_STREAM, 0);
	NEED(sendto(fd, MARK, sizeof(MARK), MSG_FASTOPEN,
		    (struct sockaddr *)&addr.sa, addr.len) == sizeof(MARK));
	conn = accept(lfd, NULL, NULL);
	NEED(recv(conn, buf, sizeof(buf), MSG_WAITALL) == sizeof(buf));
	NEED(!memcmp(buf, MARK, sizeof(buf)));
	return exchange(fd, conn);
}

static int fastopen_from(char **args)
{
	(void)args;
	return from_named(1);
}

/* The same by an option of the client, and a connect() that only notes it. */
static int fastopen_connect(char **args)
{
	int lfd = bound(AF_INET, PORT, 0), one = 1, fd;
	struct address addr;

	(void)args;
	address_of(&addr, AF_INET, PORT);
	NEED(!listen(lfd, 4));
	fd = socket(AF_INET, SOCK_STREAM, 0);
	NEED(!setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &one,
			 sizeof(one)));
	NEED(!connect(fd, (struct sockaddr *)&addr.sa, addr.len));
	/* It is told that it has it, whatever comes. */
	setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &one, sizeof(one));
	return pair_of(lfd, fd);
}

/* A client alone: what connect() says, in words. */
static int only_connect(char **args)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct address addr;

	(void)args;
	address_of(&addr, AF_INET, PORT);
	NEED(!connect(fd, (struct sockaddr *)&addr.sa, addr.len));
	return 0;
}

/* A program that began with NST, and has no keys. */
static int unkeyed(char **args)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct address addr;

	(void)args;
	address_of(&addr, AF_INET, PORT);
	NEED(!setsockopt(fd, IPPROTO_TCP, TCP_ULP, "nst", 3));
	NEED(connect(fd, (struct sockaddr *)&addr.sa, addr.len) == -1);
	NEED(errno == ENOKEY);
	return 0;
}

/* other: what a service has beside the port that is named. */
static int other(char **args)
{
	int lfd = listener(AF_INET, PORT + 1);

	(void)args;
	return pair_of(lfd, dial(AF_INET, PORT + 1));
}

/* ports N: as many connections to ports where nobody is. */
static int ports(char **args)
{
	struct address addr;
	int i, fd;

	for (i = 1; i <= atoi(args[0]); i++) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		address_of(&addr, AF_INET, i);
		NEED(connect(fd, (struct sockaddr *)&addr.sa, addr.len));
		close(fd);
	}
	return 0;
}

/*
 * into FILE: it is descriptor 2 when connect() fails, and none of the program's
 * data may be mixed with a line of others.
 */
static int into(char **args)
{
	int file = open(args[0], O_WRONLY | O_CREAT | O_TRUNC, 0600);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct address addr;

	address_of(&addr, AF_INET, PORT);
	NEED(dup2(file, STDERR_FILENO) == STDERR_FILENO);
	return !connect(fd, (struct sockaddr *)&addr.sa, addr.len);
}

static int only_listen(char **args)
{
	(void)args;
	listener(AF_INET, PORT);
	return 0;
}

const struct scenario stream_scenarios[] = {
	{ "tcp4", tcp4 },
	{ "tcp6", tcp6 },
	{ "dual", dual },
	{ "nonblocking", nonblocking },
	{ "epoll", epolled },
	{ "reuseport", reuseport },
	{ "listen_twice", listen_twice },
	{ "from_port", from_port },
	{ "many", many },
	{ "unbound", unbound },
	{ "unbound_local", unbound_local },
	{ "mptcp", mptcp },
	{ "syscall", by_syscall },
	{ "fastopen", fastopen },
	{ "fastopen_from", fastopen_from },
	{ "fastopen_connect", fastopen_connect },
	{ "connect", only_connect },
	{ "listen", only_listen },
	{ "other", other },
	{ "into", into },
	{ "unkeyed", unkeyed },
	{ "ports", ports },
	{ NULL, NULL }
};
