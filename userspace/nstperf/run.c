// SPDX-License-Identifier: GPL-2.0
/* A test under way, at one end. */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "run.h"

/* A stream's work, as a thread's argument. */
struct job {
	struct stream *stream;
	int (*work)(struct stream *stream);
};

struct run *run_alloc(const struct test *test)
{
	struct run *run = calloc(1, sizeof(*run));
	pthread_condattr_t attr;
	unsigned int i;

	if (run)
		run->streams = calloc(test->streams, sizeof(*run->streams));
	if (!run || !run->streams) {
		free(run);
		trouble("no memory");
		return NULL;
	}
	run->test = *test;
	run->listener = -1;
	run->file = -1;
	run->cpu = -1;
	for (i = 0; i < TEST_STREAMS_MAX; i++)
		run->sockets[i] = -1;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&run->wake, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_init(&run->lock, NULL);
	for (i = 0; i < test->streams; i++) {
		run->streams[i].run = run;
		run->streams[i].nr = i;
		conn_init(&run->streams[i].conn);
	}
	return run;
}

void run_free(struct run *run)
{
	unsigned int i;

	if (!run)
		return;
	for (i = 0; i < run->test.streams; i++)
		conn_close(&run->streams[i].conn);
	for (i = 0; i < TEST_STREAMS_MAX; i++)
		if (run->sockets[i] >= 0)
			close(run->sockets[i]);
	if (run->listener >= 0)
		close(run->listener);
	if (run->file >= 0)
		close(run->file);
	free(run->streams);
	free(run);
}

static bool may_use(cpu_set_t *set)
{
	CPU_ZERO(set);
	return !sched_getaffinity(getpid(), sizeof(*set), set);
}

int run_check_cpu(int cpu)
{
	cpu_set_t set;

	if (cpu < 0 || !may_use(&set) || (cpu < CPU_SETSIZE && CPU_ISSET(cpu, &set)))
		return 0;
	return trouble("there is no processor %d that this program may use", cpu);
}

static int pin(const struct run *run, unsigned int nr)
{
	int cpu = run->cpu, e;
	cpu_set_t all, set;

	if (cpu < 0)
		return 0;
	if (run_check_cpu(cpu))
		return -1;
	if (may_use(&all))
		for (; nr; nr--)
			do {
				cpu = (cpu + 1) % CPU_SETSIZE;
			} while (!CPU_ISSET(cpu, &all));
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	e = pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
	return e ? trouble("processor %d: %s", cpu, strerror(e)) : 0;
}

static void *stream_main(void *arg)
{
	struct job job = *(struct job *)arg;
	struct stream *stream = job.stream;
	struct run *run = stream->run;

	free(arg);
	if (pin(run, stream->nr) || job.work(stream)) {
		snprintf(stream->why, sizeof(stream->why), "%s",
			 trouble_text());
		atomic_store(&stream->failed, true);
	}
	conn_close(&stream->conn);
	pthread_mutex_lock(&run->lock);
	atomic_fetch_sub(&run->alive, 1);
	pthread_cond_broadcast(&run->wake);
	pthread_mutex_unlock(&run->lock);
	return NULL;
}

static int start_stream(struct stream *stream,
			int (*work)(struct stream *stream))
{
	struct job *job = malloc(sizeof(*job));
	int e;

	if (!job)
		return ENOMEM;
	*job = (struct job){ stream, work };
	e = pthread_create(&stream->thread, NULL, stream_main, job);
	if (e)
		free(job);
	return e;
}

int run_start(struct run *run, int (*work)(struct stream *stream))
{
	sigset_t all, old;
	unsigned int i;
	int e = 0;

	/* Ctrl-C is for the main thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	atomic_store(&run->alive, run->test.streams);
	for (i = 0; i < run->test.streams && !e; i++)
		e = start_stream(&run->streams[i], work);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!e)
		return 0;
	/* The one that failed counts as a stream that has ended. */
	run->test.streams = i - 1;
	run_abort(run);
	run_join(run);
	return trouble("cannot start stream %u: %s", i, strerror(e));
}

void run_join(struct run *run)
{
	unsigned int i;

	for (i = 0; i < run->test.streams; i++)
		pthread_join(run->streams[i].thread, NULL);
}

void run_phase(struct run *run, enum phase phase)
{
	pthread_mutex_lock(&run->lock);
	atomic_store(&run->phase, phase);
	pthread_cond_broadcast(&run->wake);
	pthread_mutex_unlock(&run->lock);
}

bool run_ended(struct run *run, unsigned int ms)
{
	struct timespec until;
	int rc = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += ms % 1000 * 1000000L;
	until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&run->lock);
	while (atomic_load(&run->alive) && !rc)
		rc = pthread_cond_timedwait(&run->wake, &run->lock, &until);
	pthread_mutex_unlock(&run->lock);
	return !rc;
}

void run_abort(struct run *run)
{
	unsigned int i;

	run_phase(run, PHASE_STOP);
	if (run->listener >= 0)
		shutdown(run->listener, SHUT_RDWR);
	for (i = 0; i < run->test.streams; i++)
		conn_abort(&run->streams[i].conn);
}

void run_hold(struct run *run)
{
	pthread_mutex_lock(&run->lock);
	while (atomic_load(&run->phase) == PHASE_HOLD)
		pthread_cond_wait(&run->wake, &run->lock);
	pthread_mutex_unlock(&run->lock);
}

bool run_more(struct run *run)
{
	switch (atomic_load_explicit(&run->phase, memory_order_relaxed)) {
	case PHASE_STOP:
		return false;
	case PHASE_MEASURE:
		return !run->test.count ||
			atomic_fetch_add(&run->taken, 1) < run->test.count;
	default:
		return true;
	}
}

const char *run_why(const struct run *run)
{
	unsigned int i;

	for (i = 0; i < run->test.streams; i++)
		if (atomic_load(&run->streams[i].failed))
			return run->streams[i].why;
	return NULL;
}

unsigned long long run_sum(const struct run *run, size_t member)
{
	unsigned long long sum = 0;
	unsigned int i;

	for (i = 0; i < run->test.streams; i++)
		sum += atomic_load((atomic_ullong *)
				   ((char *)&run->streams[i] + member));
	return sum;
}
