// SPDX-License-Identifier: GPL-2.0
/*
 * udp-echo listen PORT: sends datagrams back, many with each system call
 * udp-echo HOST PORT TEXT: sends a text, and prints what comes back
 *
 * With the keys of the namespace's box (nstkeyctl load).
 *
 *   cc -o udp-echo udp-echo.c $(pkg-config --cflags --libs libnst)
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <nst/nst.h>

#define MANY	32
#define LONGEST	2048
#define TRIES	3	/* a second each */

static char bufs[MANY][LONGEST];
static struct sockaddr_in6 peers[MANY];
static struct iovec iov[MANY];
static struct mmsghdr msgs[MANY];

/* Room for as many as may come. */
static void prepare(void)
{
	for (int i = 0; i < MANY; i++) {
		iov[i] = (struct iovec){ bufs[i], LONGEST };
		msgs[i].msg_hdr = (struct msghdr){
			.msg_name = &peers[i], .msg_namelen = sizeof(peers[i]),
			.msg_iov = &iov[i], .msg_iovlen = 1,
		};
	}
}

/* Each to whom it came from. One that cannot be sent is left out, as UDP does. */
static void answer(int fd, int nr)
{
	int done = 0, n;

	for (int i = 0; i < nr; i++)
		iov[i].iov_len = msgs[i].msg_len;
	while (done < nr) {
		n = sendmmsg(fd, msgs + done, nr - done, 0);
		if (n < 0)
			warn("sending");
		done += n > 0 ? n : 1;
	}
}

/* Before bind() or connect(): no datagram that is not authentic gets in. */
static int open_socket(int family)
{
	struct nst_opts opts = {
		.size = sizeof(opts), .context = "echo", .context_len = 4,
	};
	int fd = socket(family, SOCK_DGRAM, 0), e;

	if (fd < 0)
		err(1, "socket");
	e = nst_udp(fd, &opts);
	if (e)
		errx(1, "NST: %s", nst_strerror(e));
	return fd;
}

static void serve(int port)
{
	struct sockaddr_in6 addr = {
		.sin6_family = AF_INET6, .sin6_port = htons(port),
	};
	int fd = open_socket(AF_INET6), n;

	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)))
		err(1, "bind");
	for (;;) {
		prepare();
		n = recvmmsg(fd, msgs, MANY, MSG_WAITFORONE, NULL);
		if (n > 0)
			answer(fd, n);
		else if (errno != EINTR)
			warn("receiving");
	}
}

static int dial(const char *host, const char *port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_DGRAM }, *list;
	int e = getaddrinfo(host, port, &hints, &list), fd;

	if (e)
		errx(1, "%s: %s", host, gai_strerror(e));
	fd = open_socket(list->ai_family);
	if (connect(fd, list->ai_addr, list->ai_addrlen))
		err(1, "%s", host);
	freeaddrinfo(list);
	return fd;
}

/*
 * A datagram may be lost, so it is sent again. One under a key that the peer has
 * not is dropped there, and no answer comes either.
 */
static void ask(int fd, const char *text)
{
	struct timeval patience = { .tv_sec = 1 };
	ssize_t n = -1;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	for (int i = 0; i < TRIES && n < 0; i++) {
		if (send(fd, text, strlen(text), 0) < 0)
			err(1, "sending");
		n = recv(fd, bufs[0], LONGEST, 0);
		if (n < 0 && errno != EAGAIN)
			err(1, "receiving");
	}
	if (n < 0)
		errx(1, "no answer: is it there, and has it the same box?");
	printf("%.*s", (int)n, bufs[0]);
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "listen"))
		serve(atoi(argv[2]));
	if (argc != 4)
		errx(2, "udp-echo listen PORT | udp-echo HOST PORT TEXT");
	ask(dial(argv[1], argv[2]), argv[3]);
	return 0;
}
