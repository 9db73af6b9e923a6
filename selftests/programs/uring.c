// SPDX-License-Identifier: GPL-2.0
/*
 * uring serve PORT | uring ask ADDRESS PORT FILE CONNECTIONS [splice]
 *
 * A program all of whose data goes through io_uring (liburing): an echo server,
 * and a client that sends FILE on each of its connections and compares what comes
 * back. socket(), listen() and connect() are calls of the C library, so that a
 * preloaded library sees them; accept, recv, send, splice, shutdown and close are
 * the ring's.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENTRIES		1024
#define BUF_LEN		16384
#define CHUNK		30000	/* of a send; no multiple of a page */
#define SPLICE_LEN	65536

enum op { ACCEPT, RECV, SEND, FILL, DRAIN, SHUT, CLOSE };

struct conn {
	int fd;
	int pipe[2];
	size_t sent;		/* of the file, or of buf */
	size_t len;		/* of what is to be sent */
	size_t piped;		/* bytes in the pipe */
	size_t got;
	bool differs;
	char buf[BUF_LEN];
} __attribute__((aligned(64)));

static struct io_uring ring;
static const char *file;	/* mapped */
static size_t file_len;
static int file_fd = -1;
static bool by_splice;
static int open_conns;

static struct io_uring_sqe *request(void)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

	if (!sqe) {
		io_uring_submit(&ring);
		sqe = io_uring_get_sqe(&ring);
		if (!sqe)
			errx(1, "no room in the ring");
	}
	return sqe;
}

/*
 * What a completion belongs to: a connection and, in its low bits, an op. Behind
 * the prep functions, which clear it in some versions of liburing.
 */
static void name(struct io_uring_sqe *sqe, struct conn *c, enum op op)
{
	sqe->user_data = (uintptr_t)c | op;
}

static void start_accept(int fd)
{
	struct io_uring_sqe *sqe = request();

	io_uring_prep_accept(sqe, fd, NULL, NULL, 0);
	name(sqe, NULL, ACCEPT);
}

static void start_recv(struct conn *c)
{
	struct io_uring_sqe *sqe = request();

	io_uring_prep_recv(sqe, c->fd, c->buf, BUF_LEN, 0);
	name(sqe, c, RECV);
}

static void start_close(struct conn *c)
{
	struct io_uring_sqe *sqe = request();

	io_uring_prep_close(sqe, c->fd);
	name(sqe, c, CLOSE);
}

static void start_send(struct conn *c, const char *from)
{
	struct io_uring_sqe *sqe = request();
	size_t left = c->len - c->sent;

	io_uring_prep_send(sqe, c->fd, from + c->sent,
			   left < CHUNK ? left : CHUNK, MSG_NOSIGNAL);
	name(sqe, c, SEND);
}

static void start_splice(struct conn *c)
{
	struct io_uring_sqe *sqe;
	size_t left = c->len - c->sent;

	if (c->piped) {
		sqe = request();
		io_uring_prep_splice(sqe, c->pipe[0], -1, c->fd, -1, c->piped,
				     0);
		name(sqe, c, DRAIN);
		return;
	}
	sqe = request();
	io_uring_prep_splice(sqe, file_fd, c->sent, c->pipe[1], -1,
			     left < SPLICE_LEN ? left : SPLICE_LEN, 0);
	name(sqe, c, FILL);
}

/* The client's next step of sending. */
static void send_on(struct conn *c)
{
	struct io_uring_sqe *sqe;

	if (c->sent < c->len) {
		if (by_splice)
			start_splice(c);
		else
			start_send(c, file);
		return;
	}
	sqe = request();
	io_uring_prep_shutdown(sqe, c->fd, SHUT_WR);
	name(sqe, c, SHUT);
}

static void serve_accepted(int listener, int res)
{
	struct conn *c = aligned_alloc(64, sizeof(*c));

	start_accept(listener);
	if (!c)
		errx(1, "memory");
	memset(c, 0, sizeof(*c));
	c->fd = res;
	start_recv(c);
}

static void serve_one(int listener, struct conn *c, enum op what, int res)
{
	switch (what) {
	case ACCEPT:
		serve_accepted(listener, res);
		break;
	case RECV:
		c->len = res;
		c->sent = 0;
		if (res)
			start_send(c, c->buf);
		else
			start_close(c);
		break;
	case SEND:
		c->sent += res;
		if (c->sent < c->len)
			start_send(c, c->buf);
		else
			start_recv(c);
		break;
	default:
		free(c);
	}
}

static void client_got(struct conn *c, int res)
{
	if (!res) {
		start_close(c);
		return;
	}
	if (c->got + res > file_len || memcmp(file + c->got, c->buf, res))
		c->differs = true;
	c->got += res;
	start_recv(c);
}

static void client_one(struct conn *c, enum op what, int res)
{
	switch (what) {
	case RECV:
		client_got(c, res);
		break;
	case SEND:
		c->sent += res;
		send_on(c);
		break;
	case FILL:
		c->piped = res;
		send_on(c);
		break;
	case DRAIN:
		c->piped -= res;
		c->sent += res;
		send_on(c);
		break;
	case CLOSE:
		open_conns--;
		break;
	default:
		break;
	}
}

/* Runs until no connection is open; a server (listener >= 0) for ever. */
static void loop(int listener)
{
	struct io_uring_cqe *cqe;
	struct conn *c;
	enum op op;
	int res;

	while (listener >= 0 || open_conns) {
		res = io_uring_submit_and_wait(&ring, 1);
		if (res < 0)
			errx(1, "wait: %s", strerror(-res));
		while (!io_uring_peek_cqe(&ring, &cqe)) {
			c = (void *)(uintptr_t)(cqe->user_data & ~63ULL);
			op = cqe->user_data & 63;
			res = cqe->res;
			io_uring_cqe_seen(&ring, cqe);
			if (res < 0)
				errx(1, "operation %d: %s", op, strerror(-res));
			if (listener >= 0)
				serve_one(listener, c, op, res);
			else
				client_one(c, op, res);
		}
	}
}

static int serve(const char *port)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_port = htons(atoi(port)),
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (void *)&sin, sizeof(sin)) || listen(fd, 1024))
		err(1, "listen");
	start_accept(fd);
	loop(fd);
	return 0;
}

static void open_one(struct conn *c, const struct sockaddr_in *sin)
{
	memset(c, 0, sizeof(*c));
	c->len = file_len;
	c->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (pipe(c->pipe) || connect(c->fd, (void *)sin, sizeof(*sin)))
		err(1, "connect");
	open_conns++;
}

static int ask(const char *address, const char *port, int number)
{
	struct conn *c = aligned_alloc(64, number * sizeof(*c));
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_port = htons(atoi(port)),
	};
	int i, same = 0;

	if (!c || inet_pton(AF_INET, address, &sin.sin_addr) != 1)
		errx(1, "address or memory");
	for (i = 0; i < number; i++)
		open_one(&c[i], &sin);
	for (i = 0; i < number; i++) {
		start_recv(&c[i]);
		send_on(&c[i]);
	}
	loop(-1);
	for (i = 0; i < number; i++)
		same += !c[i].differs && c[i].got == file_len;
	printf("%d of %d connections\n", same, number);
	return same != number;
}

static void map_file(const char *path)
{
	struct stat st;

	file_fd = open(path, O_RDONLY);
	if (file_fd < 0 || fstat(file_fd, &st))
		err(1, "%s", path);
	file_len = st.st_size;
	file = mmap(NULL, file_len, PROT_READ, MAP_SHARED, file_fd, 0);
	if (file == MAP_FAILED)
		err(1, "%s", path);
}

int main(int argc, char **argv)
{
	int res = io_uring_queue_init(ENTRIES, &ring, 0);

	if (res < 0)
		errx(1, "io_uring: %s", strerror(-res));
	if (argc == 3 && !strcmp(argv[1], "serve"))
		return serve(argv[2]);
	if (argc >= 6 && !strcmp(argv[1], "ask")) {
		map_file(argv[4]);
		by_splice = argc > 6;
		return ask(argv[2], argv[3], atoi(argv[5]));
	}
	errx(2, "usage: see the head of uring.c");
}
