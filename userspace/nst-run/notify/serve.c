// SPDX-License-Identifier: GPL-2.0
/*
 * Each thread takes a call, makes it and answers. One more than are busy waits
 * for the next call, so one that blocks holds up no other. They stay: a program
 * whose calls blocked once does so again.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include "calls.h"
#include "door.h"
#include "serve.h"
#include "waits.h"

/* So many may block at once; the next one is told to come again (EAGAIN). */
#define THREADS_MAX	4096
#define STACK_BYTES	262144

static struct {
	pthread_mutex_t lock;
	const struct policy *policy;
	int notify;
	unsigned int threads, free;
	pthread_attr_t attr;
} serve = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void *take_calls(void *unused);

/* Under the lock */
static int add_thread(void)
{
	pthread_t thread;
	int err;

	if (serve.threads >= THREADS_MAX)
		return -EAGAIN;
	err = pthread_create(&thread, &serve.attr, take_calls, NULL);
	if (err)
		return -err;
	serve.threads++;
	serve.free++;
	return 0;
}

/* Is another thread there for other calls while this one is busy? */
static int leave_another(void)
{
	int others;

	pthread_mutex_lock(&serve.lock);
	serve.free--;
	if (!serve.free)
		add_thread();
	others = serve.free;
	pthread_mutex_unlock(&serve.lock);
	return others > 0;
}

static void be_free(void)
{
	pthread_mutex_lock(&serve.lock);
	serve.free++;
	pthread_mutex_unlock(&serve.lock);
}

static void answer(const struct seccomp_notif *req, const struct call *call,
		   int err)
{
	struct seccomp_notif_resp resp = { .id = req->id };

	if (err)
		resp.error = err;
	else if (call->go_on)
		resp.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	else
		resp.val = call->value;
	/* Who was killed meanwhile wants no answer. */
	ioctl(serve.notify, SECCOMP_IOCTL_NOTIF_SEND, &resp);
}

static void make(const struct seccomp_notif *req)
{
	struct call call = { .policy = serve.policy };
	int err;

	call.may_block = leave_another();
	err = target_open(&call.target, serve.notify, req);
	if (!err) {
		err = call_make(&call);
		target_close(&call.target);
	}
	answer(req, &call, err);
	be_free();
}

static void *take_calls(void *unused)
{
	struct seccomp_notif req;

	for (;;) {
		memset(&req, 0, sizeof(req));
		if (!ioctl(serve.notify, SECCOMP_IOCTL_NOTIF_RECV, &req))
			make(&req);
		/* A signal of waits.c, or a thread killed before its call came */
		else if (errno != EINTR && errno != ENOENT)
			return unused;
	}
}

/**
 * serve_start() - take calls from now on
 * @policy: what is covered
 * @notify: the supervisor's end of the filter
 *
 * Return: 0, or a negative errno.
 */
int serve_start(const struct policy *policy, int notify)
{
	int err = waits_init();

	if (!err && policy->secret)
		err = door_init();
	serve.policy = policy;
	serve.notify = notify;
	pthread_attr_init(&serve.attr);
	pthread_attr_setdetachstate(&serve.attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&serve.attr, STACK_BYTES);
	pthread_mutex_lock(&serve.lock);
	if (!err)
		err = add_thread();
	if (!err)
		err = add_thread();
	pthread_mutex_unlock(&serve.lock);
	return err;
}
