// SPDX-License-Identifier: GPL-2.0
/* runpoke: what programs do with UDP. */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "runpoke.h"

static int server(int family, int port)
{
	int fd = socket(family, SOCK_DGRAM, 0);
	struct address addr;

	NEED(fd >= 0);
	address_of(&addr, family, port);
	NEED(!bind(fd, (struct sockaddr *)&addr.sa, addr.len));
	return fd;
}

/* The mark comes to the server, and an answer goes back. */
static int answer(int sfd, int cfd)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	char buf[sizeof(MARK)];

	NEED(recvfrom(sfd, buf, sizeof(buf), 0, (struct sockaddr *)&from,
		      &len) == sizeof(buf));
	NEED(!memcmp(buf, MARK, sizeof(buf)));
	NEED(sendto(sfd, buf, sizeof(buf), 0, (struct sockaddr *)&from, len) ==
	     sizeof(buf));
	memset(buf, 0, sizeof(buf));
	NEED(recv(cfd, buf, sizeof(buf), 0) == sizeof(buf));
	NEED(!memcmp(buf, MARK, sizeof(buf)));
	return 0;
}

static int by_sendto(int family)
{
	int sfd = server(family, PORT), fd = socket(family, SOCK_DGRAM, 0), i;
	struct address addr;

	address_of(&addr, family, PORT);
	for (i = 0; i < 3; i++) {
		NEED(sendto(fd, MARK, sizeof(MARK), 0,
			    (struct sockaddr *)&addr.sa, addr.len) ==
		     sizeof(MARK));
		answer(sfd, fd);
	}
	return 0;
}

static int udp4(char **args)
{
	(void)args;
	return by_sendto(AF_INET);
}

static int udp6(char **args)
{
	(void)args;
	return by_sendto(AF_INET6);
}

static int connected(char **args)
{
	int sfd = server(AF_INET, PORT), fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct address addr;

	(void)args;
	address_of(&addr, AF_INET, PORT);
	NEED(!connect(fd, (struct sockaddr *)&addr.sa, addr.len));
	NEED(write(fd, MARK, sizeof(MARK)) == sizeof(MARK));
	return answer(sfd, fd);
}

static void message(struct mmsghdr *mm, struct iovec *iov, struct address *addr)
{
	memset(mm, 0, sizeof(*mm));
	iov->iov_base = MARK;
	iov->iov_len = sizeof(MARK);
	mm->msg_hdr.msg_iov = iov;
	mm->msg_hdr.msg_iovlen = 1;
	mm->msg_hdr.msg_name = &addr->sa;
	mm->msg_hdr.msg_namelen = addr->len;
}

/* sendmsg [LENGTH]: the kernel cuts one that is longer than any address. */
static int by_sendmsg(char **args)
{
	int sfd = server(AF_INET, PORT), fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct address addr;
	struct mmsghdr mm;
	struct iovec iov;

	address_of(&addr, AF_INET, PORT);
	message(&mm, &iov, &addr);
	if (args[0])
		mm.msg_hdr.msg_namelen = atoi(args[0]);
	NEED(sendmsg(fd, &mm.msg_hdr, 0) == sizeof(MARK));
	return answer(sfd, fd);
}

/* The second of two is the one to the port that is named. */
static int by_sendmmsg(char **args)
{
	int sfd = server(AF_INET, PORT), fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct address other, addr;
	struct mmsghdr mm[2];
	struct iovec iov[2];

	address_of(&other, AF_INET, PORT + 1);
	address_of(&addr, AF_INET, PORT);
	message(&mm[0], &iov[0], &other);
	message(&mm[1], &iov[1], &addr);
	if (args[0])
		mm[1].msg_hdr.msg_namelen = atoi(args[0]);
	NEED(sendmmsg(fd, mm, 2, 0) == 2);
	return answer(sfd, fd);
}

static int by_syscall(char **args)
{
	int sfd = server(AF_INET, PORT), fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct address addr;

	(void)args;
	address_of(&addr, AF_INET, PORT);
	NEED(syscall(SYS_sendto, fd, MARK, sizeof(MARK), 0, &addr.sa,
		     addr.len) == sizeof(MARK));
	return answer(sfd, fd);
}

/* bind() to port 0: what the kernel gives is known only afterwards. */
static int any_port(char **args)
{
	int sfd = server(AF_INET, 0), fd = server(AF_INET, PORT);
	struct sockaddr_in addr;
	socklen_t len = sizeof(addr);

	(void)args;
	NEED(!getsockname(sfd, (struct sockaddr *)&addr, &len));
	NEED(sendto(fd, MARK, sizeof(MARK), 0, (struct sockaddr *)&addr, len) ==
	     sizeof(MARK));
	return answer(sfd, fd);
}

/* What it holds back is plaintext, which NST cannot take over. */
static int corked(char **args)
{
	int fd = server(AF_INET, 0), one = 1, off = 0;
	struct address other, addr;

	(void)args;
	address_of(&other, AF_INET, PORT + 1);
	address_of(&addr, AF_INET, PORT);
	NEED(!setsockopt(fd, IPPROTO_UDP, UDP_CORK, &one, sizeof(one)));
	NEED(sendto(fd, MARK, 1, 0, (struct sockaddr *)&other.sa, other.len) ==
	     1);
	NEED(connect(fd, (struct sockaddr *)&addr.sa, addr.len) == -1);
	NEED(errno == EBUSY);
	NEED(!setsockopt(fd, IPPROTO_UDP, UDP_CORK, &off, sizeof(off)));
	NEED(!connect(fd, (struct sockaddr *)&addr.sa, addr.len));
	return 0;
}

const struct scenario datagram_scenarios[] = {
	{ "udp4", udp4 },
	{ "udp6", udp6 },
	{ "udp_connect", connected },
	{ "sendmsg", by_sendmsg },
	{ "sendmmsg", by_sendmmsg },
	{ "udp_syscall", by_syscall },
	{ "udp_any", any_port },
	{ "corked", corked },
	{ NULL, NULL }
};
