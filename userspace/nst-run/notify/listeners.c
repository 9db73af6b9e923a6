// SPDX-License-Identifier: GPL-2.0
/*
 * A program that is in connect() until keys are there accepts nothing, and its
 * peer may be in the same place, with a connection to the program's listener. So
 * while a connect() is held up, what comes to the listeners of its process begins
 * its exchange. accept() finds them done.
 *
 * A listener is known by its cookie, and by the number that it had in the last
 * listen() or accept(). A process that has another one by that number, or none, is
 * not concerned. No listener is held for longer than poll() lasts: who closes his
 * last descriptor wants the port to be free.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "door.h"
#include "guest.h"
#include "listeners.h"

/**
 * struct known - a listener that the program was seen with
 * @cookie: the kernel's name of the socket; 0: none
 * @number: what the program called it
 * @missed: connections were taken in that no accept() has asked for
 * @asleep: an accept() came before there was anything: the program does not look
 *	first, by poll()
 */
static struct known {
	uint64_t cookie;
	int number, missed, asleep;
} list[LISTENERS_MAX];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Under the lock */
static struct known *find(uint64_t cookie)
{
	unsigned int i;

	for (i = 0; i < LISTENERS_MAX; i++)
		if (list[i].cookie == cookie)
			return &list[i];
	return NULL;
}

/**
 * listeners_know() - a program listens, or accepts
 * @cookie: of the listener
 * @number: what the program calls it
 */
void listeners_know(uint64_t cookie, int number)
{
	static unsigned int oldest;
	struct known *known;

	pthread_mutex_lock(&lock);
	known = find(cookie);
	if (!known) {
		known = &list[oldest++ % LISTENERS_MAX];
		*known = (struct known){ .cookie = cookie };
	}
	known->number = number;
	pthread_mutex_unlock(&lock);
}

/* Sets a mark, or takes it away; returns what it was before. */
static int mark(uint64_t cookie, size_t member, int set)
{
	struct known *known;
	int was = 0, *at;

	pthread_mutex_lock(&lock);
	known = find(cookie);
	if (known) {
		at = (int *)((char *)known + member);
		was = *at;
		*at = set < 0 ? was : set;
	}
	pthread_mutex_unlock(&lock);
	return was;
}

/**
 * listeners_missed() - a connection was taken in, and not for an accept()
 * @cookie: of the listener
 */
void listeners_missed(uint64_t cookie)
{
	mark(cookie, offsetof(struct known, missed), 1);
}

/**
 * listeners_was_missed() - was one since this was asked last?
 * @cookie: of the listener
 *
 * Return: 1 if so.
 */
int listeners_was_missed(uint64_t cookie)
{
	return mark(cookie, offsetof(struct known, missed), 0);
}

/**
 * listeners_sleeps() - an accept() waits for what has not come
 * @cookie: of the listener
 */
void listeners_sleeps(uint64_t cookie)
{
	mark(cookie, offsetof(struct known, asleep), 1);
}

/**
 * listeners_is_asleep() - has one ever?
 * @cookie: of the listener
 *
 * Return: 1 if so.
 */
int listeners_is_asleep(uint64_t cookie)
{
	return mark(cookie, offsetof(struct known, asleep), -1);
}

/*
 * A copy of what a process has by that number, if it is that listener. A negative
 * errno: there is none now; if it is for want of room, there may be one later.
 */
static int copy_of(const struct target *target, const struct known *known)
{
	int fd = target_fd(target, known->number);
	socklen_t len = sizeof(uint64_t);
	uint64_t cookie;

	if (fd < 0)
		return fd;
	if (!getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len) &&
	    cookie == known->cookie && target_valid(target))
		return fd;
	close(fd);
	return -EBADF;
}

static int is_full(int err)
{
	return err == -EMFILE || err == -ENFILE || err == -ENOMEM;
}

/**
 * listeners_mind() - take in what has come to a process while it is held up
 * @target: a thread of it
 * @fds: receives its listeners, LISTENERS_MAX at most; poll() tells when this is
 *	to be done again. Those that it is not to look at are complements
 * @again: receives 1 if it is to be done again after a while, whatever poll() says
 *
 * Return: how many; they are for listeners_leave().
 */
unsigned int listeners_mind(const struct target *target, struct pollfd *fds,
			    int *again)
{
	struct known copy[LISTENERS_MAX];
	unsigned int i, n = 0;
	int fd;

	pthread_mutex_lock(&lock);
	memcpy(copy, list, sizeof(copy));
	pthread_mutex_unlock(&lock);
	*again = 0;
	for (i = 0; i < LISTENERS_MAX; i++) {
		if (!copy[i].cookie)
			continue;
		fd = copy_of(target, &copy[i]);
		if (is_full(fd))
			*again = 1;
		if (fd < 0)
			continue;
		/* poll() tells of the end of one that was shut down, asked or not. */
		fds[n] = (struct pollfd){ .fd = ~fd };
		if (door_mind(fd))
			fds[n] = (struct pollfd){ .fd = fd, .events = POLLIN };
		else
			*again = 1;
		n++;
	}
	/* Another thread may close one, and make no use of ours. */
	if (n && !target_alone(target))
		*again = 1;
	return n;
}

/**
 * listeners_leave() - let them go
 * @fds: of listeners_mind()
 * @nr: how many
 */
void listeners_leave(const struct pollfd *fds, unsigned int nr)
{
	while (nr--)
		close(fds[nr].fd < 0 ? ~fds[nr].fd : fds[nr].fd);
}
