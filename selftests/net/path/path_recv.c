// SPDX-License-Identifier: GPL-2.0
/* Ways of receiving. See path_move.h. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/sockios.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "path_move.h"

#define PIECE	65536

const char *const path_recv_names[PATH_RECVS] = {
	"recv", "waitall", "level", "edge_until_again", "edge_until_short",
	"edge_fionread", "low_water", "splice", "peek", "timeout",
};

/*
 * Judges @n bytes, what a call has returned. Returns 1 at the end, if it is one; 2
 * if the call was interrupted.
 */
static int note(struct half *h, const uint8_t *buf, ssize_t n)
{
	size_t had = atomic_load(&h->moved);

	if (n < 0)
		return errno == EINTR ? 2 : -errno;
	if (!n && had != h->len)
		return -ENODATA;
	if (had + n > h->len || !tcptest_same(buf, n, h->from + had))
		return -EILSEQ;
	atomic_fetch_add(&h->moved, n ? n : 1);
	return !n;
}

static size_t some(struct half *h)
{
	return path_range(&h->r, 1, path_once_in(&h->r, 4) ? 300 : PIECE);
}

static int recv_blocking(struct half *h, int flags)
{
	uint8_t buf[PIECE];
	int ret = 0;

	while (ret >= 0 && ret != 1)
		ret = note(h, buf, recv(h->fd, buf, some(h), flags));
	return ret;
}

static int recv_timeout(struct half *h)
{
	uint8_t buf[PIECE];
	int ret = tcptest_timeout(h->fd, SO_RCVTIMEO, 30);

	while (ret >= 0 && ret != 1) {
		ret = note(h, buf, recv(h->fd, buf, some(h), 0));
		if (ret == -EAGAIN)
			ret = 0;
	}
	return ret;
}

/* Looks at it first; what it has seen comes. */
static int recv_peek(struct half *h)
{
	uint8_t buf[PIECE];
	size_t had;
	ssize_t n;
	int ret = 0;

	while (ret >= 0 && ret != 1) {
		had = atomic_load(&h->moved);
		n = recv(h->fd, buf, some(h), MSG_PEEK);
		if (n < 0)
			ret = errno == EINTR ? 0 : -errno;
		else if (had + n > h->len ||
			 !tcptest_same(buf, n, h->from + had))
			ret = -EILSEQ;
		else
			ret = note(h, buf, recv(h->fd, buf, n ? n : 1,
						MSG_DONTWAIT));
	}
	return ret;
}

static int recv_low_water(struct half *h)
{
	struct pollfd pfd = { .fd = h->fd, .events = POLLIN };
	uint8_t buf[PIECE];
	int ret = 0;

	while (ret >= 0 && ret != 1) {
		if (path_once_in(&h->r, 8))
			ret = tcptest_set_int(h->fd, SOL_SOCKET, SO_RCVLOWAT,
					      path_range(&h->r, 1, 2000));
		if (ret >= 0 && poll(&pfd, 1, -1) < 0 && errno != EINTR)
			ret = -errno;
		if (ret < 0)
			break;
		ret = note(h, buf, recv(h->fd, buf, PIECE, MSG_DONTWAIT));
		if (ret == -EAGAIN)
			ret = 0;
	}
	return ret;
}

static int recv_level(struct half *h, int ep)
{
	struct epoll_event ev;
	uint8_t buf[PIECE];
	int ret = 0;

	while (ret >= 0 && ret != 1) {
		if (epoll_wait(ep, &ev, 1, -1) < 0 && errno != EINTR)
			return -errno;
		ret = note(h, buf, recv(h->fd, buf, some(h), MSG_DONTWAIT));
		if (ret == -EAGAIN)
			ret = 0;
	}
	return ret;
}

/* Sleeps only if a call says that there is nothing, or brings less than it might. */
static int recv_edge(struct half *h, int ep, bool until_short)
{
	struct epoll_event ev;
	uint8_t buf[PIECE];
	bool wait = false;
	int ret = 0;

	while (ret >= 0 && ret != 1) {
		size_t want = some(h);
		ssize_t n;

		if (wait && epoll_wait(ep, &ev, 1, -1) < 0 && errno != EINTR)
			return -errno;
		wait = false;
		n = recv(h->fd, buf, want, MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN) {
			wait = true;
			continue;
		}
		ret = note(h, buf, n);
		wait = until_short && ret == 0 && n < (ssize_t)want;
	}
	return ret;
}

/* Reads what FIONREAD has counted, and no more. */
static int recv_fionread(struct half *h, int ep)
{
	struct epoll_event ev;
	uint8_t buf[PIECE];
	int ret = 0, n = 0;

	while (ret >= 0 && ret != 1) {
		ev.events = 0;
		if (!n && epoll_wait(ep, &ev, 1, -1) < 0 && errno != EINTR)
			return -errno;
		if (ioctl(h->fd, FIONREAD, &n))
			return -errno;
		if (!n && !(ev.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)))
			continue;
		ret = note(h, buf, recv(h->fd, buf, n && n < PIECE ? n : PIECE,
					MSG_DONTWAIT));
		if (ret == -EAGAIN)
			ret = 0;
	}
	return ret;
}

static int recv_splice(struct half *h)
{
	uint8_t buf[PIECE];
	int fds[2], ret = 0;
	ssize_t n;

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	while (ret >= 0 && ret != 1) {
		n = splice(h->fd, NULL, fds[1], NULL, some(h), 0);
		if (n > 0)
			n = read(fds[0], buf, n);
		ret = note(h, buf, n);
	}
	close(fds[0]);
	close(fds[1]);
	return ret;
}

static int recv_epoll(struct half *h)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLRDHUP };
	int ep = epoll_create1(EPOLL_CLOEXEC), ret;

	if (h->way > 2)
		ev.events |= EPOLLET;
	if (ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, h->fd, &ev))
		return -errno;
	if (h->way == 2)
		ret = recv_level(h, ep);
	else if (h->way == 5)
		ret = recv_fionread(h, ep);
	else
		ret = recv_edge(h, ep, h->way == 4);
	close(ep);
	return ret;
}

int path_recv_all(struct half *h)
{
	int ret;

	switch (h->way) {
	case 0:
		ret = recv_blocking(h, 0);
		break;
	case 1:
		ret = recv_blocking(h, MSG_WAITALL);
		break;
	case 2: case 3: case 4: case 5:
		ret = recv_epoll(h);
		break;
	case 6:
		ret = recv_low_water(h);
		break;
	case 7:
		ret = recv_splice(h);
		break;
	case 8:
		ret = recv_peek(h);
		break;
	default:
		ret = recv_timeout(h);
	}
	return ret == 1 ? 0 : ret;
}
