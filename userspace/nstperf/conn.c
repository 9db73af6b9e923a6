// SPDX-License-Identifier: GPL-2.0
/* A connection, or a connected UDP socket, in any mode: how it begins and ends. */
#define _GNU_SOURCE
#include <errno.h>
#include <nst/nst.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "conn.h"
#include "keys.h"
#include "tls.h"
#include "trouble.h"

/* How often who waits for datagrams or connections looks whether to go on, ms. */
#define LOOK_MS	200
#define UDP_BUF	(4 << 20)

socklen_t address_len(const union address *address)
{
	return address->any.sa_family == AF_INET6 ? sizeof(address->in6) :
						    sizeof(address->in);
}

void address_set_port(union address *address, unsigned int port)
{
	if (address->any.sa_family == AF_INET6)
		address->in6.sin6_port = htons(port);
	else
		address->in.sin_port = htons(port);
}

unsigned int address_port(const union address *address)
{
	return ntohs(address->any.sa_family == AF_INET6 ?
		     address->in6.sin6_port : address->in.sin_port);
}

bool address_same_host(const union address *a, const union address *b)
{
	if (a->any.sa_family != b->any.sa_family)
		return false;
	if (a->any.sa_family == AF_INET6)
		return !memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, 16);
	return a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
}

void conn_init(struct conn *conn)
{
	*conn = (struct conn){ .fd = -1, .pipe = { -1, -1 } };
	pthread_mutex_init(&conn->lock, NULL);
}

void conn_close(struct conn *conn)
{
	int i;

	tls_free(conn);
	pthread_mutex_lock(&conn->lock);
	if (conn->fd >= 0)
		close(conn->fd);
	conn->fd = -1;
	pthread_mutex_unlock(&conn->lock);
	for (i = 0; i < 2; i++) {
		if (conn->pipe[i] >= 0)
			close(conn->pipe[i]);
		conn->pipe[i] = -1;
	}
	free(conn->buf);
	conn->buf = NULL;
	conn->ended = false;
}

void conn_abort(struct conn *conn)
{
	pthread_mutex_lock(&conn->lock);
	if (conn->fd >= 0)
		shutdown(conn->fd, SHUT_RDWR);
	pthread_mutex_unlock(&conn->lock);
}

int conn_trouble(const struct conn *conn, const char *call)
{
	int e = errno;

	if (e == EAGAIN)
		return trouble("%s: the other end does not move any more",
			       call);
	if (conn->kind == KIND_NST && e != ECONNRESET && e != EPIPE &&
	    e != ECONNREFUSED)
		return trouble("%s: NST: %s", call, nst_strerror(-e));
	return trouble("%s: %s", call, strerror(e));
}

static void set_times(int fd, unsigned int ms, unsigned int send_ms)
{
	struct timeval t = { ms / 1000, ms % 1000 * 1000 };
	struct timeval s = { send_ms / 1000, send_ms % 1000 * 1000 };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &s, sizeof(s));
}

static int attach(int fd, const struct test *test)
{
	const struct mode_info *mode = mode_info(test->mode);

	if (mode->kind != KIND_NST)
		return 0;
	return keys_attach(fd, mode->cipher,
			   scenario_info(test->scenario)->datagrams);
}

/* The control socket speaks both, whatever the host's bindv6only says; so do others. */
static void take_ipv4(int fd, const union address *local)
{
	int zero = 0;

	if (local->any.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
}

int conn_listen(const union address *local, const struct test *test)
{
	int fd = socket(local->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int one = 1;

	if (fd < 0)
		return trouble("socket: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	take_ipv4(fd, local);
	set_times(fd, LOOK_MS, LOOK_MS);
	if (attach(fd, test)) {
		close(fd);
		return -1;
	}
	if (bind(fd, &local->any, address_len(local)) || listen(fd, 4096)) {
		trouble("cannot listen for data: %s", strerror(errno));
		close(fd);
		return -1;
	}
	return fd;
}

static void take_fd(struct conn *conn, int fd)
{
	pthread_mutex_lock(&conn->lock);
	conn->fd = fd;
	pthread_mutex_unlock(&conn->lock);
}

/* What both ends do once there is a connection. */
static int begin(struct conn *conn, const struct test *test, bool server)
{
	int one = 1;

	if (setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)))
		return conn_trouble(conn, "TCP_NODELAY");
	if (conn->kind == KIND_TLS || conn->kind == KIND_KTLS)
		return tls_start(conn, server, test);
	return 0;
}

int conn_connect(struct conn *conn, const union address *to,
		 const struct test *test)
{
	int fd = socket(to->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return trouble("socket: %s", strerror(errno));
	conn->kind = mode_info(test->mode)->kind;
	take_fd(conn, fd);
	set_times(fd, test->timeout * 1000, test->timeout * 1000);
	if (attach(fd, test))
		return -1;
	if (connect(fd, &to->any, address_len(to)))
		return conn_trouble(conn, "connect");
	return begin(conn, test, false);
}

int conn_accepted(struct conn *conn, int fd, const struct test *test)
{
	conn->kind = mode_info(test->mode)->kind;
	take_fd(conn, fd);
	set_times(fd, test->timeout * 1000, test->timeout * 1000);
	return begin(conn, test, true);
}

int conn_udp_socket(const union address *local, const struct test *test)
{
	int fd = socket(local->any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int size = UDP_BUF;

	if (fd < 0)
		return trouble("socket: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	take_ipv4(fd, local);
	set_times(fd, LOOK_MS, test->timeout * 1000);
	if (attach(fd, test)) {
		close(fd);
		return -1;
	}
	if (bind(fd, &local->any, address_len(local))) {
		trouble("cannot bind a socket for datagrams: %s",
			strerror(errno));
		close(fd);
		return -1;
	}
	return fd;
}

int conn_udp(struct conn *conn, int fd, const struct test *test, bool server)
{
	conn->kind = mode_info(test->mode)->kind;
	take_fd(conn, fd);
	return conn->kind == KIND_DTLS ? tls_start(conn, server, test) : 0;
}

unsigned int conn_retransmits(const struct conn *conn)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	if (getsockopt(conn->fd, IPPROTO_TCP, TCP_INFO, &info, &len))
		return 0;
	return info.tcpi_total_retrans;
}
