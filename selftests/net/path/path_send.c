// SPDX-License-Identifier: GPL-2.0
/* Ways of sending. See path_move.h. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#include "path_move.h"

#define PIECE	65536

const char *const path_send_names[PATH_SENDS] = {
	"write", "poll", "edge", "level_vectors", "sendfile", "splice", "more",
};

/* Takes note; @n: what a call has returned. Returns 1 if it was interrupted. */
static int note(struct half *h, ssize_t n)
{
	if (n < 0)
		return errno == EINTR ? 1 : -errno;
	atomic_fetch_add(&h->moved, n);
	return 0;
}

/* The next piece: some bytes of random number, at @buf. */
static size_t next(struct half *h, uint8_t *buf)
{
	size_t left = h->len - atomic_load(&h->moved), n;

	n = path_range(&h->r, 1, path_once_in(&h->r, 4) ? 300 : PIECE);
	n = n < left ? n : left;
	tcptest_fill(buf, n, h->from + atomic_load(&h->moved));
	return n;
}

static bool is_done(const struct half *h)
{
	return atomic_load(&h->moved) >= h->len;
}

static int send_blocking(struct half *h, int flags)
{
	uint8_t buf[PIECE];
	int ret = 0;
	size_t n;

	while (ret >= 0 && !is_done(h)) {
		n = next(h, buf);
		if (n == h->len - atomic_load(&h->moved) ||
		    path_once_in(&h->r, 3))
			ret = note(h, send(h->fd, buf, n, MSG_NOSIGNAL));
		else
			ret = note(h, send(h->fd, buf, n, MSG_NOSIGNAL | flags));
	}
	return ret < 0 ? ret : 0;
}

static int send_polling(struct half *h)
{
	struct pollfd pfd = { .fd = h->fd, .events = POLLOUT };
	uint8_t buf[PIECE];
	int ret = 0;
	size_t n;

	while (ret >= 0 && !is_done(h)) {
		n = next(h, buf);
		ret = note(h, send(h->fd, buf, n, MSG_NOSIGNAL | MSG_DONTWAIT));
		if (ret == -EAGAIN)
			ret = poll(&pfd, 1, -1) < 0 && errno != EINTR ? -errno : 0;
	}
	return ret < 0 ? ret : 0;
}

static ssize_t send_vectors(int fd, uint8_t *buf, size_t n)
{
	struct iovec iov[3];
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 3 };
	size_t third = n / 3;
	int i;

	for (i = 0; i < 3; i++) {
		iov[i].iov_base = buf + i * third;
		iov[i].iov_len = i < 2 ? third : n - 2 * third;
	}
	return sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* @events: EPOLLOUT, and whatever kind of it */
static int send_epoll(struct half *h, uint32_t events)
{
	struct epoll_event ev = { .events = events };
	int ep = epoll_create1(EPOLL_CLOEXEC), ret = 0;
	uint8_t buf[PIECE];

	if (ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, h->fd, &ev))
		return -errno;
	while (ret >= 0 && !is_done(h)) {
		ret = note(h, send_vectors(h->fd, buf, next(h, buf)));
		if (ret == -EAGAIN)
			ret = epoll_wait(ep, &ev, 1, -1) < 0 &&
			      errno != EINTR ? -errno : 0;
	}
	close(ep);
	return ret < 0 ? ret : 0;
}

/* A file of what is to be sent. */
static int pattern_file(const struct half *h)
{
	int fd = memfd_create("pattern", MFD_CLOEXEC);
	uint8_t buf[PIECE];
	size_t at, n;

	for (at = 0; fd >= 0 && at < h->len; at += n) {
		n = h->len - at < PIECE ? h->len - at : PIECE;
		tcptest_fill(buf, n, h->from + at);
		if (write(fd, buf, n) != (ssize_t)n) {
			close(fd);
			return -EIO;
		}
	}
	return fd < 0 ? -errno : fd;
}

static int send_file(struct half *h)
{
	int file = pattern_file(h), ret = 0;
	off_t at = 0;

	if (file < 0)
		return file;
	while (ret >= 0 && !is_done(h))
		ret = note(h, sendfile(h->fd, file, &at,
				       path_range(&h->r, 1, 4 * PIECE)));
	close(file);
	return ret < 0 ? ret : 0;
}

/* Out of a pipe, all of @n bytes. */
static int splice_out(struct half *h, int from, size_t n)
{
	int more = path_once_in(&h->r, 2) &&
		   n + atomic_load(&h->moved) < h->len ? SPLICE_F_MORE : 0;

	while (n) {
		ssize_t got = splice(from, NULL, h->fd, NULL, n, more);
		int ret = note(h, got);

		if (ret < 0)
			return ret;
		n -= got > 0 ? got : 0;
	}
	return 0;
}

static int send_splice(struct half *h)
{
	uint8_t buf[PIECE];
	int fds[2], ret = 0;
	ssize_t n;

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	while (ret >= 0 && !is_done(h)) {
		n = next(h, buf);
		/* A pipe has room for sixteen pages. */
		n = write(fds[1], buf, n < 32768 ? n : 32768);
		ret = n < 0 ? -errno : splice_out(h, fds[0], n);
	}
	close(fds[0]);
	close(fds[1]);
	return ret < 0 ? ret : 0;
}

int path_send_all(struct half *h)
{
	int ret;

	switch (h->way) {
	case 0:
		ret = send_blocking(h, 0);
		break;
	case 1:
		ret = send_polling(h);
		break;
	case 2:
		ret = send_epoll(h, EPOLLOUT | EPOLLET);
		break;
	case 3:
		ret = send_epoll(h, EPOLLOUT);
		break;
	case 4:
		ret = send_file(h);
		break;
	case 5:
		ret = send_splice(h);
		break;
	default:
		ret = send_blocking(h, MSG_MORE);
	}
	if (!ret && shutdown(h->fd, SHUT_WR))
		ret = -errno;
	if (!ret)
		atomic_fetch_add(&h->moved, 1);
	return ret;
}
