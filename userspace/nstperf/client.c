// SPDX-License-Identifier: GPL-2.0
/* The client: a whole plan against a server. */
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "client.h"
#include "document.h"
#include "frame.h"
#include "hello.h"
#include "machine.h"
#include "measure.h"
#include "meter.h"
#include "object.h"
#include "payload.h"
#include "trouble.h"
#include "verdict.h"

#define CONNECT_S	10

/* What is left of a plan. */
struct plan {
	const struct options *options;
	struct document doc;
	int fd;
	unsigned int planned;
	unsigned int done;
	unsigned int bad;
	enum outcome last;
};

/* Once; who presses it twice does not want to wait. */
static void on_interrupt(int nr)
{
	measure_interrupted = 1;
	signal(nr, SIG_DFL);
}

static int connect_to(const struct options *options)
{
	struct addrinfo hints = {
		.ai_family = options->family, .ai_socktype = SOCK_STREAM,
	}, *all, *ai;
	struct timeval limit = { CONNECT_S, 0 };
	int fd = -1, e;
	char port[8];

	snprintf(port, sizeof(port), "%u", options->port);
	e = getaddrinfo(options->host, port, &hints, &all);
	if (e)
		return trouble("%s: %s", options->host, gai_strerror(e));
	for (ai = all; ai; ai = ai->ai_next) {
		fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd < 0) {
			e = errno;
			continue;
		}
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
		if (!connect(fd, ai->ai_addr, ai->ai_addrlen))
			break;
		e = errno;
		close(fd);
		fd = -1;
	}
	freeaddrinfo(all);
	if (fd < 0)
		return trouble("no server at %s port %u: %s", options->host,
			       options->port, e == EINPROGRESS ?
			       "no answer" : strerror(e));
	return fd;
}

/* What is usual, if no size was given. */
static uint32_t usual_size(enum scenario scenario)
{
	const struct scenario_info *info = scenario_info(scenario);

	if (info->datagrams)
		return 1200;
	return info->answer == ANSWER_ECHO ? 64 : 16384;
}

static void make_test(struct test *test, const struct options *o,
		      enum scenario scenario, unsigned int mode, uint64_t size,
		      uint64_t file_size)
{
	*test = (struct test){
		.scenario = scenario, .mode = mode, .size = size,
		.file_size = file_size, .streams = o->streams,
		.requests = o->requests, .count = o->count,
		.seconds = o->seconds, .warmup = o->warmup,
		.timeout = o->timeout, .verify = o->verify,
		.cpu = o->server_cpu,
	};
}

/* Calls @row for each mode of that scenario, until it says that there is no more. */
static int each_mode(struct plan *plan, enum scenario scenario, uint64_t size,
		     uint64_t file_size,
		     int (*row)(struct plan *plan, const struct test *test))
{
	const struct options *o = plan->options;
	struct test test;
	unsigned int m;

	if (test_check_size(scenario, size))
		return 0;
	for (m = 0; m < NR_MODES; m++) {
		if (!(o->modes & 1U << m) || !mode_can(m, scenario))
			continue;
		make_test(&test, o, scenario, m, size, file_size);
		if (row(plan, &test))
			return 1;
	}
	return 0;
}

/* The same for each size, for each file's size, for each scenario. */
static void each(struct plan *plan,
		 int (*row)(struct plan *plan, const struct test *test))
{
	const struct options *o = plan->options;
	unsigned int s, f, i, files, nr = o->nr_sizes ? o->nr_sizes : 1;

	for (s = 0; s < NR_SCENARIOS; s++) {
		if (!(o->scenarios & 1U << s))
			continue;
		files = scenario_info(s)->file ? o->nr_file_sizes : 1;
		for (f = 0; f < files; f++)
			for (i = 0; i < nr; i++)
				if (each_mode(plan, s, o->nr_sizes ? o->sizes[i] :
					      usual_size(s), o->file_sizes[f], row))
					return;
	}
}

static int count_row(struct plan *plan, const struct test *test)
{
	(void)test;
	plan->planned++;
	return 0;
}

/* What is left out of a plan, as it makes no sense, is said. */
static void say_left_out(const struct options *o)
{
	unsigned int s, i;

	for (s = 0; s < NR_SCENARIOS; s++)
		for (i = 0; o->scenarios & 1U << s && i < o->nr_sizes; i++)
			if (test_check_size(s, o->sizes[i]))
				fprintf(stderr, "nstperf: left out: %s, not %llu\n",
					trouble_text(),
					(unsigned long long)o->sizes[i]);
}

static int do_row(struct plan *plan, const struct test *test)
{
	FILE *tty = plan->options->quiet || !isatty(2) ? NULL : stderr;
	bool print = !plan->options->quiet && !(plan->doc.path &&
		     !strcmp(plan->doc.path, "-"));
	struct json_object *run;

	if (tty)
		fprintf(tty, "\r[%u/%u] %s %s %u ...\033[K", plan->done + 1,
			plan->planned, scenario_info(test->scenario)->name,
			mode_info(test->mode)->name, test->size);
	plan->last = measure(plan->fd, test, plan->options, &run);
	if (tty)
		fputs("\r\033[K", tty);
	if (!run)
		return 1;
	plan->done++;
	if (plan->last != OUTCOME_OK) {
		plan->bad++;
		if (!print)
			fprintf(stderr, "nstperf: %s %s %u: %s\n",
				scenario_info(test->scenario)->name,
				mode_info(test->mode)->name, test->size,
				object_text(run, "why"));
	}
	if (print) {
		verdict_print(run, plan->done, plan->planned);
		fflush(stdout);
	}
	document_add(&plan->doc, run);
	return measure_interrupted;
}

static void do_rounds(struct plan *plan)
{
	unsigned int i;

	for (i = 0; i < plan->options->repeat && plan->last != OUTCOME_GONE &&
	     !measure_interrupted; i++)
		each(plan, do_row);
}

/* Says how it ended, in the document too. */
static int end(struct plan *plan)
{
	char why[TROUBLE_MAX] = "", gone[TROUBLE_MAX];

	snprintf(gone, sizeof(gone), "%s", trouble_text());
	if (measure_interrupted)
		snprintf(why, sizeof(why), "interrupted after %u of %u runs",
			 plan->done, plan->planned);
	else if (plan->last == OUTCOME_GONE)
		snprintf(why, sizeof(why), "%.250s, after %u of %u runs", gone,
			 plan->done, plan->planned);
	else if (plan->bad)
		snprintf(why, sizeof(why), "%u of %u runs could not be done",
			 plan->bad, plan->planned);
	if (why[0])
		fprintf(stderr, "nstperf: %s\n", why);
	if (document_end(&plan->doc, why[0] ? why : NULL)) {
		fprintf(stderr, "nstperf: %s\n", trouble_text());
		return 1;
	}
	return why[0] ? 1 : 0;
}

/* Runs of another family are others, not more rounds. */
static int add_family(struct plan *plan)
{
	union address peer;
	socklen_t len = sizeof(peer);
	bool mapped;

	if (getpeername(plan->fd, &peer.any, &len))
		return trouble("the server is gone: %s", strerror(errno));
	mapped = peer.any.sa_family == AF_INET6 &&
		 IN6_IS_ADDR_V4MAPPED(&peer.in6.sin6_addr);
	object_add_text(object_object(plan->doc.json, "settings"), "family",
			peer.any.sa_family == AF_INET6 && !mapped ? "IPv6" : "IPv4");
	return 0;
}

static int begin(struct plan *plan)
{
	struct json_object *theirs;
	bool same;

	plan->fd = connect_to(plan->options);
	if (plan->fd < 0)
		return -1;
	frame_watch(plan->fd);
	theirs = hello_as_client(plan->fd, &same);
	if (!theirs)
		return -1;
	return document_begin(&plan->doc, plan->options,
			      machine_to_json(plan->fd), theirs, same,
			      plan->planned) ?: add_family(plan);
}

int client_run(const struct options *options)
{
	struct sigaction sa = { .sa_handler = on_interrupt };
	struct plan plan = { .options = options, .fd = -1 };
	int rc;

	if (payload_init() || run_check_cpu(options->cpu)) {
		fprintf(stderr, "nstperf: %s\n", trouble_text());
		return 1;
	}
	say_left_out(options);
	each(&plan, count_row);
	plan.planned *= options->repeat;
	if (!plan.planned) {
		fprintf(stderr, "nstperf: nothing to do: no such mode has such a scenario\n");
		return 2;
	}
	if (begin(&plan)) {
		fprintf(stderr, "nstperf: %s\n", trouble_text());
		return 1;
	}
	meter_init();
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	do_rounds(&plan);
	rc = end(&plan);
	close(plan.fd);
	return rc;
}
