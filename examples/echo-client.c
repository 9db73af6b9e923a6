// SPDX-License-Identifier: GPL-2.0
/*
 * echo-client [HOST [PORT [TEXT]]]: sends a text, and prints what comes back.
 *
 *   cc -o echo-client echo-client.c $(pkg-config --cflags --libs libnst)
 */
#include <err.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <nst/nst.h>

/* A connection with NST from its first byte. */
static int dial(const char *host, const char *port)
{
	struct nst_opts opts = {
		.size = sizeof(opts), .context = "echo", .context_len = 4,
	};
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list, *ai;
	int fd = -1, e;

	e = getaddrinfo(host, port, &hints, &list);
	if (e)
		errx(1, "%s: %s", host, gai_strerror(e));
	for (ai = list; ai; ai = ai->ai_next) {
		fd = socket(ai->ai_family, ai->ai_socktype, 0);
		if (fd < 0)
			err(1, "socket");
		e = nst_tcp(fd, &opts);
		if (e)
			errx(1, "NST: %s", nst_strerror(e));
		if (!connect(fd, ai->ai_addr, ai->ai_addrlen))
			break;
		close(fd);
		fd = -1;
	}
	freeaddrinfo(list);
	if (fd < 0)
		err(1, "%s", host);
	return fd;
}

int main(int argc, char **argv)
{
	const char *text = argc > 3 ? argv[3] : "hello\n";
	int fd = dial(argc > 1 ? argv[1] : "localhost",
		      argc > 2 ? argv[2] : "7007");
	struct nst_info info;
	char buf[4096];
	ssize_t n;

	if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		err(1, "sending");
	/* The end is sealed, too. If the peer has gone, recv() says so. */
	shutdown(fd, SHUT_WR);
	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0)
		fwrite(buf, 1, n, stdout);
	if (n < 0) {
		warn("receiving");
		/* The kernel knows more exactly why. */
		if (!nst_info(fd, &info) && info.error)
			warnx("%s: %s", nst_cause_name(info.cause),
			      nst_strerror(info.error));
		return 1;
	}
	close(fd);
	return 0;
}
