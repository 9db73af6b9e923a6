// SPDX-License-Identifier: GPL-2.0
/* A connection in any mode: what goes through it. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <unistd.h>
#include "conn.h"
#include "tls.h"
#include "trouble.h"

int conn_write(struct conn *conn, const void *buf, size_t len)
{
	const char *p = buf;
	ssize_t n;

	while (len) {
		if (conn->tls)
			n = tls_write(conn, p, len);
		else
			n = send(conn->fd, p, len, MSG_NOSIGNAL);
		if (n < 0 && conn->tls)
			return -1;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return conn_trouble(conn, "send");
		p += n;
		len -= n;
	}
	return 0;
}

ssize_t conn_read(struct conn *conn, void *buf, size_t len)
{
	ssize_t n;

	if (conn->tls)
		return tls_read(conn, buf, len);
	do {
		n = recv(conn->fd, buf, len, 0);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? conn_trouble(conn, "receive") : n;
}

int conn_read_all(struct conn *conn, void *buf, size_t len)
{
	char *to = buf;
	ssize_t n;

	while (len) {
		n = conn_read(conn, to, len);
		if (n < 0)
			return -1;
		if (!n)
			return trouble("the other end closed in the middle");
		to += n;
		len -= n;
	}
	return 0;
}

static int need_buf(struct conn *conn)
{
	if (!conn->buf)
		conn->buf = malloc(CONN_BUF);
	return conn->buf ? 0 : trouble("no memory");
}

static int need_pipe(struct conn *conn)
{
	if (conn->pipe[0] >= 0)
		return 0;
	if (pipe2(conn->pipe, O_CLOEXEC))
		return trouble("pipe: %s", strerror(errno));
	return 0;
}

/* What a program does instead whose user space encrypts. */
static int carry(struct conn *conn, int file, off_t at, size_t len)
{
	ssize_t n;

	if (need_buf(conn))
		return -1;
	for (; len; at += n, len -= n) {
		n = pread(file, conn->buf, len < CONN_BUF ? len : CONN_BUF,
			  at);
		if (n <= 0)
			return trouble("read: %s", n ? strerror(errno) :
				       "the file has become shorter");
		if (conn_write(conn, conn->buf, n))
			return -1;
	}
	return 0;
}

int conn_sendfile(struct conn *conn, int file, off_t at, size_t len)
{
	ssize_t n;

	if (conn->tls)
		return carry(conn, file, at, len);
	while (len) {
		n = sendfile(conn->fd, file, &at, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return conn_trouble(conn, "sendfile");
		if (!n)
			return trouble("the file has become shorter");
		len -= n;
	}
	return 0;
}

/* @len bytes that are in the pipe. */
static int splice_out(struct conn *conn, int to, size_t len, bool more)
{
	ssize_t n;

	while (len) {
		n = splice(conn->pipe[0], NULL, to, NULL, len,
			   SPLICE_F_MOVE | (more ? SPLICE_F_MORE : 0));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return conn_trouble(conn, "splice");
		len -= n;
	}
	return 0;
}

int conn_splice(struct conn *conn, int file, off_t at, size_t len)
{
	ssize_t n;

	if (conn->tls)
		return carry(conn, file, at, len);
	if (need_pipe(conn))
		return -1;
	while (len) {
		n = splice(file, &at, conn->pipe[1], NULL, len, SPLICE_F_MOVE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return trouble("splice from the file: %s", n ?
				       strerror(errno) : "it has become shorter");
		len -= n;
		if (splice_out(conn, conn->fd, n, len))
			return -1;
	}
	return 0;
}

static int carry_back(struct conn *conn)
{
	ssize_t n;

	if (need_buf(conn))
		return -1;
	while ((n = conn_read(conn, conn->buf, CONN_BUF)) > 0)
		if (conn_write(conn, conn->buf, n))
			return -1;
	return n ? -1 : 0;
}

int conn_splice_back(struct conn *conn)
{
	ssize_t n;

	if (conn->tls)
		return carry_back(conn);
	if (need_pipe(conn))
		return -1;
	for (;;) {
		n = splice(conn->fd, NULL, conn->pipe[1], NULL, CONN_BUF,
			   SPLICE_F_MOVE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return conn_trouble(conn, "splice from the socket");
		if (!n)
			return 0;
		if (splice_out(conn, conn->fd, n, false))
			return -1;
	}
}

int conn_end(struct conn *conn)
{
	if (conn->ended)
		return 0;
	conn->ended = true;
	if (conn->tls && tls_end(conn))
		return -1;
	if (shutdown(conn->fd, SHUT_WR))
		return conn_trouble(conn, "shutdown");
	return 0;
}
