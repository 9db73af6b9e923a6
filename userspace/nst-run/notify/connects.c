// SPDX-License-Identifier: GPL-2.0
/*
 * connect() on the copy of a socket. With --forward-secret it ends when keys have
 * been exchanged, also on a socket that does not block: a program may write as
 * soon as it is told that the connection stands, and it is nobody else who tells
 * it but poll(). So until then it gets no answer, and whatever else ends the call
 * leaves no connection behind that might come about later.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include "../journal.h"
#include "../secret.h"
#include "connects.h"
#include "listeners.h"
#include "waits.h"

/* A lost SYN is sent again after 1 s. */
#define DEAF_MS		2000

static int make(struct call *call, int fd, const void *addr, int len,
		long long deaf)
{
	if (!call_blocks(fd))
		return connect(fd, addr, len) ? -errno : 0;
	if (!call->may_block)
		return -EAGAIN;
	return waits_connect(&call->target, fd, addr, len, deaf);
}

/**
 * connects_make() - connect()
 * @call: the program's
 * @fd: the copy of its socket
 * @addr: the copy of the address
 * @len: of @addr
 *
 * Return: 0 or a negative errno.
 */
int connects_make(struct call *call, int fd, const void *addr, int len)
{
	return make(call, fd, addr, len, 0);
}

/* 0 if it cannot be told */
static int state_of(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);
	return info.tcpi_state;
}

/*
 * A connection that comes about ends; one that stands says nothing more. One that
 * was refused is at its end: the program may connect the socket again.
 */
static void give_up(int fd)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	int state = state_of(fd);

	if (state == TCP_CLOSE)
		return;
	if ((state == TCP_SYN_SENT || state == TCP_SYN_RECV) &&
	    !connect(fd, &none, sizeof(none)))
		return;
	shutdown(fd, SHUT_RDWR);
}

/* Listeners that poll() does not tell of are looked at so often. */
#define MIND_MS		100

/*
 * Signals are for later, but who has been killed waits for nothing. Connections to
 * the program do not wait, as this one's peer may be at the other end of one. 0, or
 * what the call ends with.
 */
static int wait_until(struct call *call, int fd, int events, long long until)
{
	struct pollfd fds[1 + LISTENERS_MAX];
	unsigned int nr;
	struct wait wait;
	long long left;
	int n, again;

	for (;;) {
		left = until - secret_now();
		if (left <= 0)
			return -ETIMEDOUT;
		fds[0] = (struct pollfd){ .fd = fd, .events = events };
		nr = listeners_mind(&call->target, fds + 1, &again);
		if (again && left > MIND_MS)
			left = MIND_MS;
		waits_begin(&wait, &call->target, 0);
		n = poll(fds, 1 + nr, left);
		waits_end(&wait, n < 0 ? -errno : 0, 0);
		listeners_leave(fds + 1, nr);
		if (n > 0 && fds[0].revents)
			return 0;
		if (!target_valid(&call->target))
			return -ENOENT;
	}
}

static int exchange(struct call *call, int fd, long long until)
{
	struct nst_exchange *ex;
	int err = secret_new(&ex, fd);

	if (err) {
		shutdown(fd, SHUT_RDWR);
		return err;
	}
	do {
		err = secret_step(ex);
		if (err > 0) {
			err = wait_until(call, fd, err, until);
			err = err ? err : 1;
		}
	} while (err > 0);
	/* Shuts it down if it has not come to its end. */
	secret_free(ex);
	return err;
}

static int say(struct call *call, int err)
{
	struct attach_result result = call->result;

	result.error = -err;
	call_name(&call->target);
	journal_call("connect()", &result, secret_hint(-err));
	return err;
}

/**
 * connects_secret() - connect(), and an exchange of keys
 * @call: the program's
 * @fd: the copy of its socket, which has NST
 * @addr: the copy of the address
 * @len: of @addr
 *
 * Return: 0 or a negative errno.
 */
int connects_secret(struct call *call, int fd, const void *addr, int len)
{
	long long until = secret_now() + SECRET_MS;
	int blocks = call_blocks(fd), err;

	if (!call->may_block)
		return -EAGAIN;
	/*
	 * What a signal ends is given up, and its handler may have the call begun
	 * anew: a clock that ticks must not be faster than the peer answers.
	 */
	err = make(call, fd, addr, len, secret_now() + DEAF_MS);
	/* Another thread's, or one that stood before. */
	if (err == -EISCONN || err == -EALREADY)
		return err;
	if (err == -EINPROGRESS && !blocks) {
		err = wait_until(call, fd, POLLOUT, until);
		/* It is the second one that knows, and that ends it. */
		if (!err && connect(fd, addr, len))
			err = -errno;
		if (err == -ETIMEDOUT)
			say(call, err);
	}
	if (err) {
		give_up(fd);
		return err;
	}
	if (blocks)
		until = secret_now() + SECRET_MS;
	err = exchange(call, fd, until);
	return err ? say(call, err) : 0;
}
