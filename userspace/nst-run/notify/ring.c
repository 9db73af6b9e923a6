// SPDX-License-Identifier: GPL-2.0
/*
 * A program that waits for its listener by poll() and its like must be woken when
 * an exchange is done. A listener is readable when there is a connection to be
 * accepted and never else, so one is made, from here to the listener's own
 * address. accept() knows it by its address, and drops it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "ring.h"

/* A ring that nobody answers is tried again so often, after so long. */
#define RINGS		3

/**
 * ring_end() - end one
 * @door: the listener's
 */
void ring_end(struct door *door)
{
	struct linger hard = { .l_onoff = 1 };

	if (door->ring < 0)
		return;
	setsockopt(door->ring, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(door->ring);
	door->ring = -1;
}

static int is_any(const struct in6_addr *addr)
{
	return !memcmp(addr, &in6addr_any, sizeof(*addr));
}

/* Where the listener is to be found from its own host. */
static void find_way(const struct door *door, struct sockaddr_storage *addr,
		     int mapped)
{
	static const struct in6_addr ipv4_loopback = {
		.s6_addr = { [10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1 },
	};
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)addr;
	struct sockaddr_in *in = (struct sockaddr_in *)addr;

	*addr = door->addr;
	if (door->family == AF_INET && in->sin_addr.s_addr == INADDR_ANY)
		in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else if (door->family == AF_INET6 && is_any(&in6->sin6_addr))
		in6->sin6_addr = mapped ? ipv4_loopback : in6addr_loopback;
}

/* The same address at both ends, so nothing leaves the host. */
static int try_ring(struct door *door, int mapped)
{
	int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
	socklen_t len = sizeof(door->ring_addr);
	int fd = socket(door->family, type, IPPROTO_TCP);
	struct sockaddr_storage to, from;

	if (fd < 0)
		return -1;
	find_way(door, &to, mapped);
	from = to;
	((struct sockaddr_in *)&from)->sin_port = 0;
	if (!bind(fd, (struct sockaddr *)&from, door->len) &&
	    (!connect(fd, (struct sockaddr *)&to, door->len) ||
	     errno == EINPROGRESS) &&
	    !getsockname(fd, (struct sockaddr *)&door->ring_addr, &len))
		return fd;
	close(fd);
	return -1;
}

/**
 * ring_for() - wake a program, if a connection waits for it and nobody does
 * @door: the listener's
 */
void ring_for(struct door *door)
{
	long long now = secret_now();

	if (!door->done || door->waiting || door->ring >= 0 ||
	    (door->unheard && now < door->ring_at))
		return;
	door->ring = try_ring(door, 0);
	if (door->ring < 0 && door->ipv4)
		door->ring = try_ring(door, 1);
	door->ring_at = now;
	if (door->ring < 0) {
		door->unheard++;
		door->ring_at += RING_AGAIN_MS;
	}
	guest_tell(guests.wake, 1);
}

static int is_ring_of(const struct door *door,
		      const struct sockaddr_storage *addr)
{
	const struct sockaddr_in6 *a6 = (const void *)addr;
	const struct sockaddr_in6 *b6 = (const void *)&door->ring_addr;
	const struct sockaddr_in *a = (const void *)addr;
	const struct sockaddr_in *b = (const void *)&door->ring_addr;

	if (door->ring < 0 || addr->ss_family != door->family ||
	    a->sin_port != b->sin_port)
		return 0;
	if (door->family == AF_INET)
		return a->sin_addr.s_addr == b->sin_addr.s_addr;
	return !memcmp(&a6->sin6_addr, &b6->sin6_addr, sizeof(a6->sin6_addr));
}

/**
 * ring_heard() - end a ring, if a connection that has come is one
 * @door: to whom it has come
 * @addr: of the connection's peer
 *
 * Listeners that share a port (SO_REUSEPORT) share what comes, so it may be one
 * for another of them, for which the next is tried.
 *
 * Return: 1 if it is one, and is to be dropped; or 0.
 */
int ring_heard(struct door *door, const struct sockaddr_storage *addr)
{
	struct door *whose;

	for (whose = guests.doors; whose; whose = whose->next) {
		if (!is_ring_of(whose, addr))
			continue;
		ring_end(whose);
		whose->unheard = 0;
		if (whose != door)
			ring_for(whose);
		return 1;
	}
	return 0;
}

/**
 * ring_state() - has it been heard?
 * @door: the listener's, which has one
 *
 * Return: TCP_ESTABLISHED, TCP_SYN_SENT, ...
 */
int ring_state(const struct door *door)
{
	struct tcp_info info = { .tcpi_state = TCP_CLOSE };
	socklen_t len = sizeof(info);

	getsockopt(door->ring, IPPROTO_TCP, TCP_INFO, &info, &len);
	return info.tcpi_state;
}

/* Has it found nobody? Its queue may be full, but not for ever. */
static int is_unheard(const struct door *door)
{
	int state = ring_state(door);

	if (state == TCP_SYN_SENT)
		return secret_now() - door->ring_at >= RING_MS;
	return state != TCP_ESTABLISHED;
}

/* It may have come to a stranger who listens there, too. */
static int is_astray(const struct door *door)
{
	return door->shared && ring_state(door) == TCP_ESTABLISHED &&
		secret_now() - door->ring_at >= RING_AGAIN_MS;
}

/**
 * ring_look() - see what has become of it, and make one if it is due
 * @door: the listener's
 */
void ring_look(struct door *door)
{
	if (door->ring >= 0 && is_unheard(door)) {
		ring_end(door);
		door->unheard++;
		door->ring_at = secret_now() + RING_AGAIN_MS;
	} else if (door->ring >= 0 && is_astray(door)) {
		ring_end(door);
	}
	if (door->unheard < RINGS) {
		ring_for(door);
		return;
	}
	/* The listener has gone, or cannot be reached, and nobody knows which. */
	door->unheard = 0;
	while (door->guests)
		guest_send_away(door, &door->guests);
}
