// SPDX-License-Identifier: GPL-2.0
/*
 * exchange listen PORT: answers one line after another, each of a connection
 * exchange ADDRESS PORT TEXT: sends a line, and prints the answer
 *
 * Both agree on a key that no box has before the first byte, so that who gets
 * the box later cannot read what was recorded.
 *
 *   cc exchange.c $(pkg-config --cflags --libs libnst-exchange) -o exchange
 */
#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <nst/exchange.h>

#define PATIENCE	5000	/* milliseconds */

/* The exchange wants a strict stream. */
static int open_socket(void)
{
	struct nst_opts opts = {
		.size = sizeof(opts), .flags = NST_F_STRICT,
		.context = "exchange", .context_len = 8,
	};
	int fd = socket(AF_INET6, SOCK_STREAM, 0), e;

	if (fd < 0)
		err(1, "socket");
	e = nst_tcp(fd, &opts);
	if (e)
		errx(1, "NST: %s", nst_strerror(e));
	return fd;
}

static void serve(struct sockaddr_in6 *addr)
{
	struct timeval patience = { .tv_sec = PATIENCE / 1000 };
	int fd = open_socket(), one = 1, conn, e;
	char line[512];
	ssize_t n;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)addr, sizeof(*addr)) || listen(fd, 16))
		err(1, "listen");
	while ((conn = accept(fd, NULL, NULL)) >= 0) {
		/* One after another, so none may be silent for long. */
		setsockopt(conn, SOL_SOCKET, SO_RCVTIMEO, &patience,
			   sizeof(patience));
		e = nst_exchange(conn, NULL, PATIENCE);
		n = e ? 0 : recv(conn, line, sizeof(line), 0);
		if (e)
			warnx("exchange: %s", nst_strerror(e));
		else if (n > 0 && send(conn, line, n, MSG_NOSIGNAL) != n)
			warn("send");
		close(conn);
	}
	err(1, "accept");
}

static void ask(struct sockaddr_in6 *addr, const char *text)
{
	int fd = open_socket(), e;
	char line[512];
	ssize_t n;

	if (connect(fd, (struct sockaddr *)addr, sizeof(*addr)))
		err(1, "connect");
	e = nst_exchange(fd, NULL, PATIENCE);
	if (e)
		errx(1, "exchange: %s", nst_strerror(e));
	if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		err(1, "send");
	n = recv(fd, line, sizeof(line), 0);
	if (n < 0)
		err(1, "recv");
	printf("%.*s\n", (int)n, line);
	close(fd);
}

int main(int argc, char **argv)
{
	struct sockaddr_in6 addr = { .sin6_family = AF_INET6 };

	if (argc < 3)
		errx(2, "exchange listen PORT | exchange ADDRESS PORT TEXT");
	addr.sin6_port = htons(atoi(argv[2]));
	if (!strcmp(argv[1], "listen"))
		serve(&addr);
	if (argc < 4 || inet_pton(AF_INET6, argv[1], &addr.sin6_addr) != 1)
		errx(2, "an address of IPv6, a port and a text");
	ask(&addr, argv[3]);
	return 0;
}
