// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel lets a thread whose call the supervisor makes be killed, but no
 * signal wakes it (SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV). So while such a call
 * blocks, one thread here looks twenty times a second for a signal that came, or
 * for a thread that went, and has the call ended with EINTR. Calls that do not
 * block are never seen here.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include "../secret.h"
#include "waits.h"

#define TICK_NS		50000000L
/* No more than this part of a processor goes into looking. */
#define SHARE		10

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t some = PTHREAD_COND_INITIALIZER;
static struct wait *first;

static enum wait_end look(struct wait *wait)
{
	struct target_status status;
	pid_t tid = wait->target->req->pid;

	if (target_status(tid, &status) || !target_valid(wait->target))
		return WAIT_GONE;
	if (wait->deaf && secret_now() < wait->deaf)
		return WAIT_GOES_ON;
	if (status.pending & ~status.blocked)
		return WAIT_SIGNAL;
	if (!(status.shared & ~status.blocked))
		return WAIT_GOES_ON;
	/* The kernel gives the first thread what that has not blocked. */
	if (tid == status.tgid)
		return WAIT_SIGNAL;
	/* Another one takes it soon, or it is for this one. */
	return wait->seen++ ? WAIT_SIGNAL_ANY : WAIT_GOES_ON;
}

static void look_at_all(void)
{
	struct wait *wait;

	for (wait = first; wait; wait = wait->next) {
		if (wait->end == WAIT_GOES_ON)
			wait->end = look(wait);
		/* Again and again: it may not have been in the call yet. */
		if (wait->end != WAIT_GOES_ON)
			pthread_kill(wait->thread, SIGRTMAX);
	}
}

static void *ticks(void *unused)
{
	struct timespec from, to, pause;
	long long spent;

	(void)unused;
	for (;;) {
		pthread_mutex_lock(&lock);
		while (!first)
			pthread_cond_wait(&some, &lock);
		clock_gettime(CLOCK_MONOTONIC, &from);
		look_at_all();
		clock_gettime(CLOCK_MONOTONIC, &to);
		pthread_mutex_unlock(&lock);
		spent = (to.tv_sec - from.tv_sec) * 1000000000LL +
			to.tv_nsec - from.tv_nsec;
		if (spent < TICK_NS / SHARE)
			spent = TICK_NS / SHARE;
		spent *= SHARE;
		pause.tv_sec = spent / 1000000000LL;
		pause.tv_nsec = spent % 1000000000LL;
		nanosleep(&pause, NULL);
	}
	return NULL;
}

static void nothing(int sig)
{
	(void)sig;
}

/**
 * waits_init() - start the thread that looks
 *
 * Return: 0, or a negative errno.
 */
int waits_init(void)
{
	struct sigaction action = { .sa_handler = nothing };
	pthread_t thread;
	sigset_t own;

	sigaction(SIGRTMAX, &action, NULL);
	sigemptyset(&own);
	sigaddset(&own, SIGRTMAX);
	pthread_sigmask(SIG_UNBLOCK, &own, NULL);
	return -pthread_create(&thread, NULL, ticks, NULL);
}

/**
 * waits_begin() - a call begins that may block
 * @wait: it
 * @target: who waits for it
 * @deaf: no signal ends it before then (secret_now()); 0: any does
 */
void waits_begin(struct wait *wait, const struct target *target,
		 long long deaf)
{
	*wait = (struct wait){
		.thread = pthread_self(), .target = target, .deaf = deaf,
	};
	pthread_mutex_lock(&lock);
	wait->next = first;
	wait->back = &first;
	if (first)
		first->back = &wait->next;
	first = wait;
	pthread_cond_signal(&some);
	pthread_mutex_unlock(&lock);
}

/**
 * waits_end() - the call has ended
 * @wait: it
 * @err: what it gave
 * @timeout: has the socket a limit of time (SO_SNDTIMEO)? The kernel does not
 *	begin such a call anew.
 *
 * Where it is certain that a signal waits for the thread, the kernel gets its own
 * word for that, and makes EINTR of it or begins the call anew, as the signal's
 * handler asks for.
 *
 * Return: what the program gets; 1 if the call is to be made again.
 */
int waits_end(struct wait *wait, int err, int timeout)
{
	enum wait_end end;

	pthread_mutex_lock(&lock);
	*wait->back = wait->next;
	if (wait->next)
		wait->next->back = wait->back;
	end = wait->end;
	pthread_mutex_unlock(&lock);
	if (err != -EINTR)
		return err;
	if (end == WAIT_GOES_ON)
		return 1;
	return end == WAIT_SIGNAL && !timeout ? -ERESTARTSYS : -EINTR;
}

static int has_timeout(int fd)
{
	struct timeval tv = { 0 };
	socklen_t len = sizeof(tv);

	return !getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, &len) &&
		(tv.tv_sec || tv.tv_usec);
}

/**
 * waits_connect() - a connect() that may block, and ends by signals as it should
 * @target: who waits for it
 * @fd: the copy of the socket
 * @addr: the copy of the address
 * @len: of @addr
 * @deaf: as waits_begin() has it
 *
 * Return: what the program gets.
 */
int waits_connect(const struct target *target, int fd, const void *addr,
		  int len, long long deaf)
{
	struct wait wait;
	int err;

	do {
		waits_begin(&wait, target, deaf);
		err = syscall(SYS_connect, fd, addr, len) ? -errno : 0;
		err = waits_end(&wait, err, has_timeout(fd));
	} while (err == 1);
	return err;
}
