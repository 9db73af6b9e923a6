// SPDX-License-Identifier: GPL-2.0
/*
 * What stands between a listener and accept() under --forward-secret.
 *
 * accept() takes all connections that have come, as guests, and gives the program
 * one whose keys have been exchanged. The exchanges go on at the same time, in a
 * thread of their own (the keeper), so a peer that is silent holds up nobody; it
 * is sent away after SECRET_MS. Who has no box cannot get the place of a guest
 * that has it: of too many one without goes, of the host that has most.
 *
 * A program that waits for its listener by poll() is woken by ring.c.
 *
 * No listener is held: with the program's last descriptor of it the port is free,
 * a ring finds nobody, and its guests are sent away, as TCP does it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include "door.h"
#include "keeper.h"
#include "listeners.h"
#include "ring.h"
#include "waits.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE	71
#endif

static uint64_t own_netns;

/**
 * door_init() - be ready for listeners
 *
 * Return: 0 or a negative errno.
 */
int door_init(void)
{
	socklen_t len = sizeof(own_netns);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), err = 0;

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &own_netns,
				 &len))
		err = -errno;
	if (fd >= 0)
		close(fd);
	return err ? err : keeper_start();
}

const char door_why[] =
	"--forward-secret: refused for a listener in another network namespace or on one device";

/**
 * door_fits() - can the program be woken when a connection is ready?
 * @fd: a listener, or what is to become one
 *
 * Return: 0 or a negative errno: not from here if it is in another network
 * namespace, or takes what comes by one device only.
 */
int door_fits(int fd)
{
	uint64_t netns = 0;
	char device[16] = "";
	socklen_t len = sizeof(netns);

	if (getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &netns, &len) ||
	    netns != own_netns)
		return -EXDEV;
	len = sizeof(device);
	if (getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, &len) ||
	    (len && *device && strcmp(device, "lo")))
		return -ENODEV;
	return 0;
}

/**
 * door_know() - a listener of the program
 * @fd: a copy of it
 * @number: what the program calls it
 */
void door_know(int fd, int number)
{
	socklen_t len = sizeof(uint64_t);
	uint64_t cookie;

	if (!getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len))
		listeners_know(cookie, number);
}

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id	_sigev_un._tid	/* glibc before 2.38 */
#endif

/* An accept() that should have found one is not waited in for longer. */
#define TAKEN_MS	10

/*
 * Again and again, as the first may come before the call. The signal is that of
 * waits.c, and does nothing but end a call.
 */
static int start_clock(timer_t *clock)
{
	struct itimerspec often = {
		.it_value.tv_nsec = TAKEN_MS * 1000000L,
		.it_interval.tv_nsec = TAKEN_MS * 1000000L,
	};
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMAX,
	};

	event.sigev_notify_thread_id = gettid();
	if (timer_create(CLOCK_MONOTONIC, &event, clock))
		return -ENOMEM;
	if (!timer_settime(*clock, 0, &often, NULL))
		return 0;
	timer_delete(*clock);
	return -ENOMEM;
}

static int accept_one(int fd, struct sockaddr_storage *addr, socklen_t *len)
{
	*len = sizeof(*addr);
	fd = accept4(fd, (struct sockaddr *)addr, len, SOCK_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/*
 * Without a wait, though the listener may block: its flags are those of everybody
 * who has it, and no business of ours. Someone who is not under this nst-run may
 * take first what poll() has seen; that holds up nobody else here, so the lock is
 * let go. Two of ours would take from each other.
 */
static int accept_now(struct door *door, int fd, struct sockaddr_storage *addr,
		      socklen_t *len)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	timer_t clock;
	int err;

	if (!call_blocks(fd))
		return accept_one(fd, addr, len);
	if (door->taking || poll(&poll_fd, 1, 0) != 1)
		return -EAGAIN;
	door->taking = 1;
	pthread_mutex_unlock(&guests.lock);
	err = start_clock(&clock);
	if (!err) {
		err = accept_one(fd, addr, len);
		timer_delete(clock);
	}
	pthread_mutex_lock(&guests.lock);
	door->taking = 0;
	return err == -EINTR ? -EAGAIN : err;
}

/*
 * All that have come. Returns how many, or a negative errno. A peer with NST
 * speaks at once, so nothing is lost by taking TCP_DEFER_ACCEPT away; but a ring
 * says nothing.
 */
static int take_in(struct door *door, int fd)
{
	int zero = 0;
	struct sockaddr_storage addr;
	unsigned int i;
	socklen_t len;
	int n = 0, err;

	setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &zero, sizeof(zero));
	for (i = 0; i < 2 * PENDING_MAX && door->done < DONE_MAX; i++) {
		err = accept_now(door, fd, &addr, &len);
		if (err == -EAGAIN)
			break;
		if (err == -ECONNABORTED || err == -EPROTO || err == -EINTR)
			continue;
		if ((err == -EMFILE || err == -ENFILE) && door->pending) {
			guest_send_away(door, guest_worst(door));
			continue;
		}
		if (err < 0)
			return err;
		if (ring_heard(door, &addr)) {
			door->rings++;
			close(err);
			continue;
		}
		guest_receive(door, err, &addr, len);
		n++;
	}
	if (n)
		guest_tell(guests.wake, 1);
	return n;
}

/* Milliseconds that an accept() may last (SO_RCVTIMEO); -1: for ever */
static int limit_of(int fd)
{
	struct timeval tv = { 0 };
	socklen_t len = sizeof(tv);

	if (getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, &len) ||
	    (!tv.tv_sec && !tv.tv_usec))
		return -1;
	if (tv.tv_sec > 1000000)
		return -1;
	return tv.tv_sec * 1000 + tv.tv_usec / 1000;
}

/* Until something comes, or is done. 0, or what accept() ends with. */
static int wait_at(struct call *call, int fd, struct door *door, int limit,
		   long long since)
{
	struct pollfd fds[] = {
		{ .fd = fd, .events = POLLIN },
		{ .fd = door->event, .events = POLLIN },
	};
	long long left = limit < 0 ? -1 : since + limit - secret_now();
	struct wait wait;
	uint64_t count;
	int err;

	if (limit >= 0 && left <= 0)
		return -EAGAIN;
	door->waiting++;
	pthread_mutex_unlock(&guests.lock);
	waits_begin(&wait, &call->target, 0);
	err = poll(fds, 2, left) < 0 ? -errno : 0;
	err = waits_end(&wait, err, limit >= 0);
	pthread_mutex_lock(&guests.lock);
	door->waiting--;
	if (fds[1].revents && read(door->event, &count, sizeof(count)) < 0)
		return 0;
	return err < 0 ? err : 0;
}

/*
 * A listener that blocks: its program may have looked by poll() first, so what
 * had come by then and was no good must not hold it for ever. EINTR is what a
 * program that does so expects. Others do not look, and may end of any error: a
 * program that was once in accept() before there was anything is such a one, and
 * is given a connection and nothing else.
 */
static int take(struct call *call, int fd, struct door *door,
		struct door_guest *guest)
{
	unsigned int before = door->failed + door->rings;
	int missed = listeners_was_missed(door->cookie), seen = -1;
	int limit = limit_of(fd), err;
	long long since = secret_now();

	for (;;) {
		err = take_in(door, fd);
		if (guest_take_out(door, guest))
			return 0;
		if (err < 0)
			return err;
		if (!call_blocks(fd) || !call->may_block)
			return -EAGAIN;
		if (seen < 0) {
			seen = err || missed ||
				door->failed + door->rings != before;
			if (!seen && !door->pending)
				listeners_sleeps(door->cookie);
			seen = seen && !listeners_is_asleep(door->cookie);
		}
		if (seen && !door->pending &&
		    (missed || door->failed + door->rings != before))
			return -EINTR;
		err = wait_at(call, fd, door, limit, since);
		if (err)
			return err;
	}
}

/* Who was told of a connection that is there may not have taken it. */
static void tell_of_done(struct door *door)
{
	if (door->done && door->waiting)
		guest_tell(door->event, 1);
	ring_for(door);
}

/**
 * door_accept() - accept() on a listener of a covered port
 * @call: it
 * @fd: the copy of the listener
 * @guest: receives a connection
 *
 * Return: 0, or the negative errno that the call has to end with.
 */
int door_accept(struct call *call, int fd, struct door_guest *guest)
{
	struct door *door;
	int err;

	pthread_mutex_lock(&guests.lock);
	err = guest_door(fd, &door);
	if (!err) {
		door->users++;
		err = take(call, fd, door, guest);
		door->users--;
		tell_of_done(door);
		guest_free_doors();
	}
	pthread_mutex_unlock(&guests.lock);
	return err;
}

/**
 * door_back() - a connection that the program has no room for just now
 * @fd: the copy of the listener
 * @taken: of door_accept()
 */
void door_back(int fd, const struct door_guest *taken)
{
	struct guest *guest = calloc(1, sizeof(*guest));
	struct door *door;

	pthread_mutex_lock(&guests.lock);
	if (guest && !guest_door(fd, &door)) {
		guest->fd = taken->fd;
		guest->addr = taken->addr;
		guest->len = taken->len;
		guest->polled = -1;
		guest_enter(door, guest);
		tell_of_done(door);
	} else {
		free(guest);
		close(taken->fd);
	}
	pthread_mutex_unlock(&guests.lock);
}

/* Connections that have come to a listener and were not taken */
static unsigned int queued(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);
	return info.tcpi_state == TCP_LISTEN ? info.tcpi_unacked : 0;
}

/**
 * door_mind() - take in what has come, while the program cannot
 * @fd: the copy of the listener
 *
 * A ring stays in its queue, for whoever is told of it by poll(), unless there is
 * a connection beside it.
 *
 * Return: 1 if poll() tells when this is to be done again; 0 if it would do so at
 * once, and in vain.
 */
int door_mind(int fd)
{
	struct door *door;
	int n = 0, quiet = 0;

	pthread_mutex_lock(&guests.lock);
	if (!guest_door(fd, &door)) {
		door->users++;
		if (door->ring < 0 || queued(fd) > 1)
			n = take_in(door, fd);
		if (n > 0)
			listeners_missed(door->cookie);
		door->users--;
		tell_of_done(door);
		quiet = n >= 0 && door->ring < 0 && door->done < DONE_MAX;
		guest_free_doors();
	}
	pthread_mutex_unlock(&guests.lock);
	return quiet;
}
