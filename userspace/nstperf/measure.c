// SPDX-License-Identifier: GPL-2.0
/* One run: the client's part, from asking the server to what came out. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "clock.h"
#include "frame.h"
#include "measure.h"
#include "meter.h"
#include "payload.h"
#include "verdict.h"
#include "work.h"

#define LOOK_MS		50
/* What the server needs to answer, beside what it waits for its streams. */
#define ANSWER_MS	15000

volatile int measure_interrupted;

static void mark(struct run *run, struct mark *mark)
{
	meter_read(&mark->meter);
	mark->bytes = RUN_SUM(run, bytes);
	mark->ops = RUN_SUM(run, ops);
}

static int forget_cached(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);
	int rc = 0;

	sync();
	if (fd < 0 || write(fd, "3", 1) != 1)
		rc = trouble("--drop-caches: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	return rc;
}

static int take_ports(struct run *run, struct json_object *json)
{
	bool datagrams = scenario_info(run->test.scenario)->datagrams;
	unsigned int i, nr = datagrams ? run->test.streams : 1;
	struct json_object *ports, *port;
	int n;

	if (!json_object_object_get_ex(json, "ports", &ports) ||
	    !json_object_is_type(ports, json_type_array) ||
	    json_object_array_length(ports) != nr)
		return trouble("the server does not say which ports it has");
	for (i = 0; i < nr; i++) {
		port = json_object_array_get_idx(ports, i);
		n = json_object_get_int(port);
		if (n < 1 || n > 65535)
			return trouble("the server has no port %d", n);
		run->ports[i] = n;
	}
	address_set_port(&run->peer, run->ports[0]);
	return 0;
}

/* Asks for the test: true if the server is ready; else it may be gone. */
static int ask(int fd, struct run *run, bool *gone)
{
	struct json_object *json;
	int rc;

	if (frame_send(fd, FRAME_TEST, test_to_json(&run->test))) {
		*gone = true;
		return -1;
	}
	rc = frame_expect(fd, FRAME_READY, &json, ANSWER_MS);
	if (rc) {
		/* A refusal begins so. */
		*gone = strncmp(trouble_text(), "the server: ", 12);
		return -1;
	}
	rc = take_ports(run, json);
	*gone = rc;
	json_object_put(json);
	return rc;
}

/* Until all streams have ended, @ms are over (0: never), or Ctrl-C. */
static void wait_streams(struct run *run, uint64_t ms)
{
	uint64_t until = clock_ns() + ms * 1000000, now;
	uint64_t left = LOOK_MS;

	while (!measure_interrupted && !run_ended(run, left) &&
	       !run_why(run)) {
		if (!ms)
			continue;
		now = clock_ns();
		if (now >= until)
			return;
		left = (until - now) / 1000000 + 1;
		left = left < LOOK_MS ? left : LOOK_MS;
	}
}

static int exchange(int fd, enum frame_type type)
{
	if (frame_send(fd, type, NULL))
		return -1;
	return frame_expect(fd, type, NULL, ANSWER_MS);
}

/* Streams run; marks are set where what is measured begins and ends. */
static int measure_streams(int fd, struct run *run, struct marks *marks)
{
	const struct test *test = &run->test;

	if (test->warmup > 0) {
		run_phase(run, PHASE_WARM);
		wait_streams(run, test->warmup * 1000 + 1);
	}
	if (exchange(fd, FRAME_BEGIN))
		return -1;
	mark(run, &marks->begin);
	run_phase(run, PHASE_MEASURE);
	wait_streams(run, test->count ? 0 : test->seconds * 1000 + 1);
	mark(run, &marks->end);
	run_phase(run, PHASE_STOP);
	/* By count all has to arrive before it has been done. */
	return test->count ? 0 : exchange(fd, FRAME_END);
}

/* Runs all, and brings back what the server says of it. */
static int measure_all(int fd, struct run *run, struct marks *marks,
		       struct json_object **theirs)
{
	int rc = work_connect(run);
	char why[TROUBLE_MAX] = "";

	if (!rc)
		rc = run_start(run, work_stream);
	if (rc) {
		snprintf(why, sizeof(why), "%s", trouble_text());
		run_abort(run);
	} else {
		rc = measure_streams(fd, run, marks);
		if (rc || measure_interrupted || run_why(run) ||
		    !run_ended(run, run->test.timeout * 1000))
			run_abort(run);
		run_join(run);
		if (rc)
			return -1;
		if (run->test.count && !run_why(run))
			mark(run, &marks->end);
	}
	if (measure_interrupted)
		return 0;
	if (frame_send(fd, FRAME_FINISH, NULL) ||
	    frame_expect(fd, FRAME_RESULT, theirs,
			 run->test.timeout * 1000 + ANSWER_MS))
		return -1;
	marks->failed = rc;
	snprintf(marks->why, sizeof(marks->why), "%s", why);
	return 0;
}

/* The longest of a plan; what is shorter is its beginning. */
static int kept = -1;

static int take_file(struct run *run, const struct options *options)
{
	uint64_t longest = 0;
	unsigned int i;

	for (i = 0; i < options->nr_file_sizes; i++)
		if (options->file_sizes[i] > longest)
			longest = options->file_sizes[i];
	if (kept < 0)
		kept = payload_file(options->file_dir, longest,
				    &measure_interrupted);
	if (kept < 0)
		return -1;
	run->file = fcntl(kept, F_DUPFD_CLOEXEC, 0);
	run->file_size = run->test.file_size;
	return run->file < 0 ? trouble("the file: %s", strerror(errno)) : 0;
}

static int prepare(int fd, struct run *run, const struct options *options)
{
	socklen_t len = sizeof(run->peer);

	run->cpu = options->cpu;
	if (getpeername(fd, &run->peer.any, &len))
		return trouble("the server is gone: %s", strerror(errno));
	if (scenario_info(run->test.scenario)->file && take_file(run, options))
		return -1;
	return options->drop_caches ? forget_cached() : 0;
}

static enum outcome note(enum outcome outcome, const struct test *test,
			 struct json_object **json)
{
	*json = verdict_without(test, outcome == OUTCOME_REFUSED ? "refused" :
				"failed", trouble_text());
	return outcome;
}

enum outcome measure(int fd, const struct test *test,
		     const struct options *options,
		     struct json_object **json)
{
	struct json_object *theirs = NULL;
	struct run *run = run_alloc(test);
	enum outcome outcome = OUTCOME_OK;
	struct marks marks = { 0 };
	bool gone = false;

	*json = NULL;
	if (!run || prepare(fd, run, options)) {
		outcome = measure_interrupted ? OUTCOME_INTERRUPTED :
			  note(OUTCOME_FAILED, test, json);
	} else if (ask(fd, run, &gone)) {
		outcome = gone ? OUTCOME_GONE :
			  note(OUTCOME_REFUSED, test, json);
	} else if (measure_all(fd, run, &marks, &theirs)) {
		outcome = OUTCOME_GONE;
	} else if (measure_interrupted) {
		outcome = OUTCOME_INTERRUPTED;
	} else {
		*json = verdict(run, &marks, theirs);
		if (!*json)
			outcome = note(OUTCOME_FAILED, test, json);
	}
	if (outcome == OUTCOME_GONE && measure_interrupted)
		outcome = OUTCOME_INTERRUPTED;
	json_object_put(theirs);
	run_free(run);
	return outcome;
}
