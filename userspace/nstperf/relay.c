// SPDX-License-Identifier: GPL-2.0
/* A relay between a connection and a raw socket. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "payload.h"
#include "relay.h"
#include "trouble.h"

/* What is behind the relay: sends back what comes. */
static void *behind(void *arg)
{
	int fd = *(int *)arg;
	char *buf = malloc(CONN_BUF);
	ssize_t n, did, at;

	while (buf && (n = recv(fd, buf, CONN_BUF, 0)) > 0) {
		for (at = 0; at < n; at += did) {
			did = send(fd, buf + at, n - at, MSG_NOSIGNAL);
			if (did <= 0)
				goto out;
		}
	}
out:
	shutdown(fd, SHUT_RDWR);
	free(buf);
	return NULL;
}

static int send_raw(int raw, const char *buf, size_t len)
{
	ssize_t n;

	for (; len; buf += n, len -= n) {
		n = send(raw, buf, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			n = 0;
		if (n < 0)
			return trouble("the raw socket: %s", strerror(errno));
	}
	return 0;
}

/* @len bytes that have gone out raw come back raw, and go on encrypted. */
static int bring_back(struct conn *conn, int raw, char *buf, size_t len)
{
	ssize_t n;

	while (len) {
		n = recv(raw, buf, len < CONN_BUF ? len : CONN_BUF, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return trouble("the raw socket: %s",
				       n ? strerror(errno) : "it has ended");
		if (conn_write(conn, buf, n))
			return -1;
		len -= n;
	}
	return 0;
}

static int forward(struct conn *conn, int raw, char *buf, bool verify)
{
	uint64_t at = 0;
	ssize_t n;

	for (; (n = conn_read(conn, buf, CONN_BUF)) > 0; at += n) {
		if (verify && payload_check(buf, n, at))
			return -1;
		if (send_raw(raw, buf, n) || bring_back(conn, raw, buf, n))
			return -1;
	}
	return n;
}

int relay(struct conn *conn, bool verify)
{
	pthread_t thread;
	int raw[2], e, rc;
	char *buf;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, raw))
		return trouble("socketpair: %s", strerror(errno));
	buf = malloc(CONN_BUF);
	e = buf ? pthread_create(&thread, NULL, behind, &raw[1]) : ENOMEM;
	if (e) {
		rc = trouble("no thread: %s", strerror(e));
	} else {
		rc = forward(conn, raw[0], buf, verify);
		shutdown(raw[0], SHUT_RDWR);
		pthread_join(thread, NULL);
	}
	free(buf);
	close(raw[0]);
	close(raw[1]);
	return rc;
}
