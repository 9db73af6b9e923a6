// SPDX-License-Identifier: GPL-2.0
/* The thread in which the exchanges of all that are waiting go on. */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "keeper.h"
#include "ring.h"

static void step(struct door *door, struct guest **at)
{
	struct guest *guest = *at;
	int err = secret_step(guest->ex);

	if (err > 0 && secret_now() < guest->until) {
		guest->events = err;
		return;
	}
	if (err) {
		guest_failed(door, err > 0 ? -ETIMEDOUT : err);
		guest_send_away(door, at);
		return;
	}
	secret_free(guest->ex);
	guest->ex = NULL;
	door->pending--;
	door->done++;
	guest_tell(door->event, door->waiting ? 1 : 0);
}

/* Those that @fds has something of, and those whose time is over. */
static void step_all(struct door *door, const struct pollfd *fds)
{
	struct guest **at = &door->guests, *guest;
	int polled;

	while ((guest = *at)) {
		polled = guest->polled;
		guest->polled = -1;
		if (guest->ex && ((polled >= 0 && fds[polled].revents) ||
				  secret_now() >= guest->until))
			step(door, at);
		if (*at == guest)
			at = &guest->next;
	}
}

static unsigned int count_fds(void)
{
	const struct door *door;
	unsigned int n = 1;

	for (door = guests.doors; door; door = door->next)
		n += door->pending + (door->ring >= 0);
	return n;
}

static int add_fd(struct pollfd *fds, unsigned int *n, int fd, short events)
{
	fds[*n] = (struct pollfd){ .fd = fd, .events = events };
	return (*n)++;
}

static void earlier(long long *until, long long at)
{
	if (*until < 0 || at < *until)
		*until = at;
}

static void list_ring(const struct door *door, struct pollfd *fds,
		      unsigned int *n, long long *until)
{
	if (door->ring >= 0) {
		add_fd(fds, n, door->ring, 0);
		if (ring_state(door) == TCP_SYN_SENT)
			earlier(until, door->ring_at + RING_MS);
		else if (door->shared)
			earlier(until, door->ring_at + RING_AGAIN_MS);
	} else if (door->unheard) {
		earlier(until, door->ring_at);
	}
}

/* What is to be waited for, and until when (-1: for ever). */
static unsigned int list_fds(struct pollfd *fds, long long *until)
{
	struct guest *guest;
	struct door *door;
	unsigned int n = 0;

	*until = -1;
	add_fd(fds, &n, guests.wake, POLLIN);
	for (door = guests.doors; door; door = door->next) {
		list_ring(door, fds, &n, until);
		for (guest = door->guests; guest; guest = guest->next) {
			if (!guest->ex)
				continue;
			guest->polled = add_fd(fds, &n, guest->fd,
					       guest->events);
			earlier(until, guest->until);
		}
	}
	return n;
}

/*
 * Not under the lock: a guest may go meanwhile, and its descriptor become another
 * one. So what poll() says is nothing but a reason to look.
 */
static void pause_for(struct pollfd *fds, unsigned int n, long long until)
{
	long long left = until < 0 ? -1 : until - secret_now();
	uint64_t count;

	if (until >= 0 && left < 1)
		left = 1;
	if (poll(fds, n, left) < 0 || read(guests.wake, &count, sizeof(count)) < 0)
		return;
}

/* What is to be waited for: NULL for want of memory, which may come again. */
static struct pollfd *list_all(unsigned int *n, long long *until)
{
	struct pollfd *fds = calloc(count_fds(), sizeof(*fds));

	if (fds)
		*n = list_fds(fds, until);
	return fds;
}

static void *keep(void *unused)
{
	struct pollfd *fds;
	struct door *door;
	long long until = 0;
	unsigned int n = 0;

	pthread_mutex_lock(&guests.lock);
	for (;;) {
		fds = list_all(&n, &until);
		pthread_mutex_unlock(&guests.lock);
		if (fds)
			pause_for(fds, n, until);
		else
			usleep(100000);
		pthread_mutex_lock(&guests.lock);
		for (door = guests.doors; fds && door; door = door->next) {
			step_all(door, fds);
			ring_look(door);
		}
		free(fds);
		guest_free_doors();
	}
	return unused;
}

/**
 * keeper_start() - start it
 *
 * Return: 0 or a negative errno.
 */
int keeper_start(void)
{
	pthread_t thread;

	guests.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (guests.wake < 0)
		return -errno;
	return -pthread_create(&thread, NULL, keep, NULL);
}
