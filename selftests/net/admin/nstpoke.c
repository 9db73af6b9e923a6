// SPDX-License-Identifier: GPL-2.0
/*
 * nstpoke COMMAND...: sockets with the keys of the namespace's box, for scripts.
 * What fails is told by the errno's name, with exit status 1.
 *
 *   pair tcp|udp SUITE        moves a few bytes between two sockets on loopback
 *   serve PORT                accepts connections and reads them to their end
 *   call ADDRESS PORT         connects, sends, and waits for the peer's end
 *   hold tcp|udp PORT SUITE   a socket on that port says "ready" and stays
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <nst/nst.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TEXT	"0123456789"

static int fail(void)
{
	puts(strerrorname_np(errno));
	return 1;
}

/* A socket with NST and keys, or -1. */
static int open_nst(int type, int suite)
{
	struct nst_opts opts = {
		.size = sizeof(opts), .cipher = suite,
		.context = "poke", .context_len = 4,
	};
	int fd = socket(AF_INET, type, 0), one = 1, err;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	err = type == SOCK_STREAM ? nst_tcp(fd, &opts) : nst_udp(fd, &opts);
	errno = -err;
	return err ? -1 : fd;
}

static int put_on(int fd, int type, const char *address, int port)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET, .sin_port = htons(port),
	};

	inet_pton(AF_INET, address, &sin.sin_addr);
	if (bind(fd, (void *)&sin, sizeof(sin)))
		return -1;
	return type == SOCK_STREAM ? listen(fd, 16) : 0;
}

static int moves(int from, int to)
{
	char buf[sizeof(TEXT)];

	return send(from, TEXT, sizeof(TEXT), MSG_NOSIGNAL) == sizeof(TEXT) &&
	       recv(to, buf, sizeof(buf), 0) == sizeof(TEXT) &&
	       !memcmp(buf, TEXT, sizeof(TEXT));
}

static int pair(int type, int suite)
{
	struct timeval tv = { .tv_sec = 20 };
	int a = open_nst(type, suite), b = open_nst(type, suite);
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);

	if (a < 0 || b < 0 || put_on(b, type, "127.0.0.1", 0) ||
	    getsockname(b, (void *)&sin, &len) ||
	    connect(a, (void *)&sin, len))
		return fail();
	if (type == SOCK_STREAM) {
		b = accept(b, NULL, NULL);
	} else {
		len = sizeof(sin);
		if (getsockname(a, (void *)&sin, &len) ||
		    connect(b, (void *)&sin, len))
			return fail();
	}
	setsockopt(a, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(b, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	if (!moves(a, b) || !moves(b, a))
		return fail();
	puts("ok");
	return 0;
}

static int serve(int port)
{
	int fd = open_nst(SOCK_STREAM, NST_CIPHER_AES_GCM), conn;
	char buf[4096];

	if (fd < 0 || put_on(fd, SOCK_STREAM, "0.0.0.0", port))
		return fail();
	puts("ready");
	fflush(stdout);
	while ((conn = accept(fd, NULL, NULL)) >= 0) {
		while (recv(conn, buf, sizeof(buf), 0) > 0)
			;
		close(conn);
	}
	return fail();
}

static int call(const char *address, int port)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET, .sin_port = htons(port),
	};
	int fd = open_nst(SOCK_STREAM, NST_CIPHER_AES_GCM);
	char byte;

	inet_pton(AF_INET, address, &sin.sin_addr);
	if (fd < 0 || connect(fd, (void *)&sin, sizeof(sin)) ||
	    send(fd, TEXT, sizeof(TEXT), MSG_NOSIGNAL) < 0)
		return fail();
	/* A peer that refuses may have reset the connection already. */
	if ((shutdown(fd, SHUT_WR) && errno != ENOTCONN) ||
	    recv(fd, &byte, 1, 0) < 0)
		return fail();
	puts("ok");
	return 0;
}

static int hold(int type, int port, int suite)
{
	int fd = open_nst(type, suite);

	if (fd < 0 || put_on(fd, type, "127.0.0.1", port))
		return fail();
	puts("ready");
	fflush(stdout);
	pause();
	return 0;
}

static int type_of(const char *word)
{
	return strcmp(word, "udp") ? SOCK_STREAM : SOCK_DGRAM;
}

int main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";

	if (argc == 4 && !strcmp(command, "pair"))
		return pair(type_of(argv[2]), atoi(argv[3]));
	if (argc == 3 && !strcmp(command, "serve"))
		return serve(atoi(argv[2]));
	if (argc == 4 && !strcmp(command, "call"))
		return call(argv[2], atoi(argv[3]));
	if (argc == 5 && !strcmp(command, "hold"))
		return hold(type_of(argv[2]), atoi(argv[3]), atoi(argv[4]));
	fputs("see the head of nstpoke.c\n", stderr);
	return 2;
}
