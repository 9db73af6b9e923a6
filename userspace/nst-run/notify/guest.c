// SPDX-License-Identifier: GPL-2.0
/* Connections that were accepted, and are not the program's yet. */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <nst/nst.h>
#include "../journal.h"
#include "guest.h"

struct guests guests = { .lock = PTHREAD_MUTEX_INITIALIZER, .wake = -1 };

static uint16_t port_of(const struct door *door)
{
	return attach_port(&door->addr, door->len);
}

/**
 * guest_tell() - add to an eventfd
 * @event: it
 * @n: how much
 */
void guest_tell(int event, uint64_t n)
{
	if (n && write(event, &n, sizeof(n)) != sizeof(n))
		return;
}

/**
 * guest_failed() - say in the journal that a connection is not let in
 * @door: to whom it came
 * @err: a negative errno
 */
void guest_failed(const struct door *door, int err)
{
	struct attach_result result = {
		.protocol = IPPROTO_TCP, .port = port_of(door), .error = -err,
	};

	journal_call("accept()", &result, secret_hint(-err));
}

static void leave(struct door *door, struct guest **at)
{
	struct guest *guest = *at;

	*at = guest->next;
	if (guest->ex)
		door->pending--;
	else
		door->done--;
	secret_free(guest->ex);
	free(guest);
}

/**
 * guest_send_away() - reset a connection that is not let in
 * @door: to whom it came
 * @at: it
 */
void guest_send_away(struct door *door, struct guest **at)
{
	struct linger hard = { .l_onoff = 1 };
	int fd = (*at)->fd;

	leave(door, at);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(fd);
	door->failed++;
	guest_tell(door->event, door->waiting);
}

/* What a host has of addresses: one of IPv4, 2^64 of IPv6 */
static int same_host(const struct guest *one, const struct guest *other)
{
	const struct sockaddr_in *a = (const void *)&one->addr;
	const struct sockaddr_in *b = (const void *)&other->addr;
	const struct sockaddr_in6 *a6 = (const void *)&one->addr;
	const struct sockaddr_in6 *b6 = (const void *)&other->addr;

	if (one->addr.ss_family != other->addr.ss_family)
		return 0;
	if (one->addr.ss_family == AF_INET)
		return a->sin_addr.s_addr == b->sin_addr.s_addr;
	return !memcmp(&a6->sin6_addr, &b6->sin6_addr,
		       IN6_IS_ADDR_V4MAPPED(&a6->sin6_addr) ? 16 : 8);
}

/* Who has no box can prove nothing, but with what was recorded. */
static void find_proved(struct door *door)
{
	struct nst_info info;
	struct guest *guest;

	for (guest = door->guests; guest; guest = guest->next)
		if (guest->ex && guest->proved < 2 &&
		    !nst_info(guest->fd, &info))
			guest->proved = info.rx.bound ? 2 : info.rx.started;
}

static unsigned int count_alike(const struct door *door,
				const struct guest *guest)
{
	const struct guest *other;
	unsigned int n = 0;

	for (other = door->guests; other; other = other->next)
		n += other->ex && other->proved == guest->proved &&
			same_host(other, guest);
	return n;
}

/**
 * guest_worst() - who of those that exchange keys is to go if they are too many
 * @door: whose guest
 *
 * Whoever sends a packet is one, so those go first that have proved least of
 * having the box; of these the oldest of the host that has most.
 *
 * Return: it, or NULL.
 */
struct guest **guest_worst(struct door *door)
{
	struct guest **at, **worst = NULL;
	unsigned int most = 0, n;

	find_proved(door);
	for (at = &door->guests; *at; at = &(*at)->next) {
		if (!(*at)->ex || (worst && (*at)->proved > (*worst)->proved))
			continue;
		n = count_alike(door, *at);
		if (worst && (*at)->proved == (*worst)->proved && n <= most)
			continue;
		most = n;
		worst = at;
	}
	return worst;
}

/**
 * guest_enter() - a guest is there
 * @door: whose
 * @guest: it
 */
void guest_enter(struct door *door, struct guest *guest)
{
	struct guest **at = &door->guests;

	while (*at)
		at = &(*at)->next;
	guest->next = NULL;
	*at = guest;
	if (guest->ex)
		door->pending++;
	else
		door->done++;
}

/**
 * guest_receive() - a connection that has come begins its exchange
 * @door: to whom
 * @fd: it
 * @addr: of its peer
 * @len: of @addr
 */
void guest_receive(struct door *door, int fd,
		   const struct sockaddr_storage *addr, socklen_t len)
{
	struct guest *guest = calloc(1, sizeof(*guest));
	int err = guest ? secret_new(&guest->ex, fd) : -ENOMEM;

	if (err) {
		/* One that has ended already is none to speak of. */
		if (err != -ENOTCONN && err != -ENOKEY)
			guest_failed(door, err);
		close(fd);
		free(guest);
		door->failed++;
		return;
	}
	if (door->pending >= PENDING_MAX)
		guest_send_away(door, guest_worst(door));
	guest->fd = fd;
	guest->addr = *addr;
	guest->len = len;
	guest->events = POLLIN;
	guest->polled = -1;
	guest->until = secret_now() + SECRET_MS;
	guest_enter(door, guest);
}

static int describe(struct door *door, int fd)
{
	socklen_t size = sizeof(int);
	int v6only = 1, shared = 1;

	door->len = sizeof(door->addr);
	if (getsockname(fd, (struct sockaddr *)&door->addr, &door->len))
		return -errno;
	door->family = door->addr.ss_family;
	if (door->family == AF_INET6 &&
	    !getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, &size))
		door->ipv4 = !v6only;
	size = sizeof(int);
	getsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &shared, &size);
	door->shared = shared;
	door->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);
	return door->event < 0 ? -errno : 0;
}

/**
 * guest_door() - a listener's door
 * @fd: the copy of the listener
 * @found: receives it
 *
 * Return: 0 or a negative errno.
 */
int guest_door(int fd, struct door **found)
{
	socklen_t len = sizeof(uint64_t);
	struct door *door;
	uint64_t cookie;
	int err;

	if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len))
		return -errno;
	for (door = guests.doors; door; door = door->next) {
		if (door->cookie == cookie) {
			*found = door;
			return 0;
		}
	}
	door = calloc(1, sizeof(*door));
	if (!door)
		return -ENOMEM;
	door->cookie = cookie;
	door->ring = -1;
	err = describe(door, fd);
	if (err) {
		free(door);
		return err;
	}
	door->next = guests.doors;
	guests.doors = door;
	*found = door;
	return 0;
}

/**
 * guest_free_doors() - free those that nothing is at
 */
void guest_free_doors(void)
{
	struct door **at = &guests.doors, *door;

	while ((door = *at)) {
		if (door->guests || door->ring >= 0 || door->users) {
			at = &door->next;
			continue;
		}
		*at = door->next;
		close(door->event);
		free(door);
	}
}

/**
 * guest_take_out() - give the program a connection
 * @door: the listener's
 * @taken: receives it
 *
 * Return: 1, or 0 if none is done.
 */
int guest_take_out(struct door *door, struct door_guest *taken)
{
	struct guest **at;

	for (at = &door->guests; *at; at = &(*at)->next) {
		if ((*at)->ex)
			continue;
		taken->fd = (*at)->fd;
		taken->addr = (*at)->addr;
		taken->len = (*at)->len;
		leave(door, at);
		return 1;
	}
	return 0;
}
