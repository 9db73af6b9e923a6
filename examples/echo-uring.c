// SPDX-License-Identifier: GPL-2.0
/*
 * echo-uring [PORT]: sends back what it receives, many connections in one
 * thread by io_uring, with the keys of the namespace's box (nstkeyctl load).
 *
 *   cc -o echo-uring echo-uring.c $(pkg-config --cflags --libs libnst liburing)
 */
#include <err.h>
#include <errno.h>
#include <liburing.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <nst/nst.h>

struct conn {
	int fd;
	int len;	/* received, and to be sent back */
	int sent;
	char buf[16384];
};

static struct io_uring ring;

static void request_accept(int listener)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

	/* What it returns has NST, as its listener. */
	io_uring_prep_accept(sqe, listener, NULL, NULL, 0);
	io_uring_sqe_set_data(sqe, NULL);
}

/* Send what is left of a buffer, or receive the next. */
static void request(struct conn *conn)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

	if (conn->sent < conn->len)
		io_uring_prep_send(sqe, conn->fd, conn->buf + conn->sent,
				   conn->len - conn->sent, MSG_NOSIGNAL);
	else
		io_uring_prep_recv(sqe, conn->fd, conn->buf,
				   sizeof(conn->buf), 0);
	io_uring_sqe_set_data(sqe, conn);
}

static void accepted(int fd)
{
	struct conn *conn = fd < 0 ? NULL : calloc(1, sizeof(*conn));

	if (conn) {
		conn->fd = fd;
		request(conn);
	} else if (fd >= 0) {
		close(fd);
	}
}

/* @n bytes have been sent or received; or the end, or an error. */
static void went_on(struct conn *conn, int n)
{
	if (n <= 0) {
		if (n < 0)
			warnx("%s", nst_strerror(n));
		close(conn->fd);
		free(conn);
		return;
	}
	if (conn->sent < conn->len) {
		conn->sent += n;
	} else {
		conn->sent = 0;
		conn->len = n;
	}
	request(conn);
}

int main(int argc, char **argv)
{
	struct nst_opts opts = {
		.size = sizeof(opts), .context = "echo", .context_len = 4,
	};
	struct sockaddr_in6 addr = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(argc > 1 ? atoi(argv[1]) : 7007),
	};
	int fd = socket(AF_INET6, SOCK_STREAM, 0), one = 1, e, n;
	struct io_uring_cqe *cqe;
	struct conn *conn;

	e = nst_tcp(fd, &opts);
	if (e)
		errx(1, "NST: %s", nst_strerror(e));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || listen(fd, 16))
		err(1, "listen");
	e = io_uring_queue_init(64, &ring, 0);
	if (e)
		errx(1, "io_uring: %s", strerror(-e));
	request_accept(fd);
	for (;;) {
		io_uring_submit(&ring);
		if (io_uring_wait_cqe(&ring, &cqe))
			continue;
		conn = io_uring_cqe_get_data(cqe);
		n = cqe->res;
		io_uring_cqe_seen(&ring, cqe);
		if (conn) {
			went_on(conn, n);
		} else {
			accepted(n);
			request_accept(fd);
		}
	}
}
