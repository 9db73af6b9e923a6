// SPDX-License-Identifier: GPL-2.0
/* Programs under nst-run --forward-secret, and their peers. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/nst.h>
#include <netinet/tcp.h>
#include <nst/exchange.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "secrettest.h"

const char *secret_error(long ret)
{
	return ret < 0 ? strerrorname_np(errno) : "0";
}

const char *secret_keys(int fd)
{
	struct nst_crypto_info tx, rx;
	socklen_t len = sizeof(tx);

	if (getsockopt(fd, SOL_NST, NST_TX, &tx, &len) ||
	    getsockopt(fd, SOL_NST, NST_RX, &rx, &len))
		return "none";
	return tx.nr_keys == 1 && rx.nr_keys == 1 ? "own" : "box";
}

int secret_state(int fd)
{
	struct tcp_info info = { .tcpi_state = 99 };
	socklen_t len = sizeof(info);

	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);
	return info.tcpi_state;
}

int secret_plain(int port, int flags)
{
	struct sockaddr_in addr = under_addr(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

	if (fd < 0 || (connect(fd, (void *)&addr, sizeof(addr)) &&
		       errno != EINPROGRESS))
		return -1;
	return fd;
}

int secret_ended(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	char buf[4096];
	ssize_t n;

	for (;;) {
		if (poll(&poll_fd, 1, LONG) != 1)
			return 0;
		n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
		if (n <= 0)
			return 1;
	}
}

pid_t secret_begun(const char *line)
{
	return strncmp(line, "begun ", 6) ? -1 : atoi(line + 6);
}

const struct nst_opts secret_strict = {
	.size = sizeof(secret_strict), .flags = NST_F_STRICT,
};

int secret_accept(int listener)
{
	struct pollfd poll_fd = { .fd = listener, .events = POLLIN };

	if (poll(&poll_fd, 1, LONG) != 1)
		return -1;
	return accept4(listener, NULL, NULL, SOCK_CLOEXEC);
}

int secret_dial(void)
{
	struct sockaddr_in addr = under_addr(UNDER_COVERED);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (nst_tcp(fd, &secret_strict) ||
	    connect(fd, (void *)&addr, sizeof(addr)))
		return -1;
	return fd;
}

int secret_peer(const char *word)
{
	int fd = secret_dial(), err;
	char buf[16] = "";

	err = fd < 0 ? -1 : nst_exchange(fd, NULL, LONG);
	if (!err && (send(fd, word, strlen(word), MSG_NOSIGNAL) < 0 ||
		     recv(fd, buf, sizeof(buf), 0) != 5))
		err = -1;
	close(fd);
	return err;
}

int secret_serve(int conn)
{
	char buf[256] = "";
	ssize_t n;

	fcntl(conn, F_SETFL, 0);
	n = recv(conn, buf, sizeof(buf) - 1, 0);
	printf("%s %s\n", secret_keys(conn), n > 0 ? buf : secret_error(n));
	send(conn, "reply", 5, MSG_NOSIGNAL);
	close(conn);
	return n == 3 && !memcmp(buf, "end", 3);
}
