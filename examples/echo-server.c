// SPDX-License-Identifier: GPL-2.0
/*
 * echo-server [PORT]: sends back what it receives, authenticated and encrypted
 * with the keys of the namespace's box (nstkeyctl load).
 *
 *   cc -o echo-server echo-server.c $(pkg-config --cflags --libs libnst)
 */
#include <err.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <nst/nst.h>

static void echo(int fd)
{
	struct timeval patience = { .tv_sec = 5 };
	char buf[16384];
	ssize_t n;

	/* One after another, so none may be silent, or deaf, for long. */
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	/* 0 is the end that the peer has sealed; what is cut off is an error. */
	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0)
		if (send(fd, buf, n, MSG_NOSIGNAL) != n)
			break;
	if (n < 0)
		warn("receiving");
	close(fd);
}

int main(int argc, char **argv)
{
	/* Both ends name the service, so nobody is led to another one. */
	struct nst_opts opts = {
		.size = sizeof(opts), .context = "echo", .context_len = 4,
	};
	struct sockaddr_in6 addr = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(argc > 1 ? atoi(argv[1]) : 7007),
	};
	int fd = socket(AF_INET6, SOCK_STREAM, 0), one = 1, conn, e;

	if (fd < 0)
		err(1, "socket");
	/* What is accepted has what the listener has. */
	e = nst_tcp(fd, &opts);
	if (e)
		errx(1, "NST: %s", nst_strerror(e));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || listen(fd, 16))
		err(1, "listen");
	while ((conn = accept(fd, NULL, NULL)) >= 0)
		echo(conn);
	err(1, "accept");
}
