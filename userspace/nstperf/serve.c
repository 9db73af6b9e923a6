// SPDX-License-Identifier: GPL-2.0
/* What the server does for one client: a test after another. */
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include "answer.h"
#include "clock.h"
#include "frame.h"
#include "hello.h"
#include "meter.h"
#include "object.h"
#include "serve.h"
#include "tls.h"

/* A client that says nothing for so long is gone. */
#define IDLE_MS		(600 * 1000)
/* How often who waits looks at his streams, and what a client may be late. */
#define LOOK_MS		500
#define LATE_MS		20000

/* Where the counts stood. */
struct mark {
	struct meter meter;
	unsigned long long bytes;
	unsigned long long ops;
	bool set;
};

/* Of one test. */
struct session {
	int fd;
	uint64_t until;
	struct run *run;
	struct mark begin;
	struct mark end;
};

static void mark(struct run *run, struct mark *mark)
{
	meter_read(&mark->meter);
	mark->bytes = RUN_SUM(run, bytes);
	mark->ops = RUN_SUM(run, ops);
	mark->set = true;
}

/* One listener for streams, a socket for each of datagrams. */
static int open_ports(struct run *run, const union address *local,
		      unsigned int data_port)
{
	bool datagrams = scenario_info(run->test.scenario)->datagrams;
	unsigned int i, nr = datagrams ? run->test.streams : 1;
	union address at = *local;
	socklen_t len;
	int fd;

	for (i = 0; i < nr; i++) {
		address_set_port(&at, data_port ? data_port + i : 0);
		fd = datagrams ? conn_udp_socket(&at, &run->test) :
				 conn_listen(&at, &run->test);
		if (fd < 0)
			return -1;
		if (datagrams)
			run->sockets[i] = fd;
		else
			run->listener = fd;
		len = sizeof(at);
		if (getsockname(fd, &at.any, &len))
			return trouble("getsockname: %s", strerror(errno));
		run->ports[i] = address_port(&at);
	}
	return 0;
}

static int prepare(struct session *session, const struct test *test,
		   unsigned int data_port)
{
	enum kind kind = mode_info(test->mode)->kind;
	union address local;
	socklen_t len = sizeof(local);

	session->run = run_alloc(test);
	if (!session->run)
		return -1;
	session->run->cpu = test->cpu;
	if (run_check_cpu(test->cpu))
		return -1;
	if (getsockname(session->fd, &local.any, &len))
		return trouble("getsockname: %s", strerror(errno));
	len = sizeof(session->run->peer);
	if (getpeername(session->fd, &session->run->peer.any, &len))
		return trouble("the client is gone: %s", strerror(errno));
	if (kind != KIND_PLAIN && kind != KIND_NST && tls_prepare(true))
		return -1;
	if (open_ports(session->run, &local, data_port))
		return -1;
	return run_start(session->run, answer_stream);
}

static int tell_ready(struct session *session)
{
	const struct run *run = session->run;
	bool datagrams = scenario_info(run->test.scenario)->datagrams;
	unsigned int i, nr = datagrams ? run->test.streams : 1;
	struct json_object *json = json_object_new_object();
	struct json_object *ports = json_object_new_array();

	for (i = 0; i < nr; i++)
		json_object_array_add(ports, json_object_new_int(run->ports[i]));
	json_object_object_add(json, "ports", ports);
	return frame_send(session->fd, FRAME_READY, json);
}

static int tell_result(struct session *session)
{
	struct run *run = session->run;
	struct json_object *json = json_object_new_object();
	const char *why = run_why(run);

	object_add_count(json, "bytes", session->end.bytes - session->begin.bytes);
	object_add_count(json, "ops", session->end.ops - session->begin.ops);
	object_add_count(json, "all_bytes", RUN_SUM(run, bytes));
	object_add_count(json, "all_ops", RUN_SUM(run, ops));
	object_add_count(json, "retransmits", RUN_SUM(run, retransmits));
	object_add_count(json, "reordered", RUN_SUM(run, reordered));
	object_add_count(json, "duplicates", RUN_SUM(run, duplicates));
	json_object_object_add(json, "meter",
			       meter_to_json(&session->begin.meter,
					     &session->end.meter));
	if (why)
		object_add_text(json, "why", why);
	return frame_send(session->fd, FRAME_RESULT, json);
}

/*
 * Of datagrams nobody says which is the last: they have ended when one came last, not
 * when their streams had looked for more in vain.
 */
static void mark_end(struct run *run, struct mark *end, uint64_t since)
{
	uint64_t last = since;
	unsigned int i;

	mark(run, end);
	for (i = 0; i < run->test.streams; i++)
		if (run->streams[i].last > last)
			last = run->streams[i].last;
	if (last > since)
		end->meter.at = last;
}

/* The client has sent all: streams end by themselves, others are told to. */
static int finish(struct session *session)
{
	struct run *run = session->run;
	const struct scenario_info *info = scenario_info(run->test.scenario);

	if (info->datagrams || info->connects) {
		run_phase(run, PHASE_STOP);
		if (run->listener >= 0)
			shutdown(run->listener, SHUT_RDWR);
	}
	if (!run_ended(run, run->test.timeout * 1000))
		run_abort(run);
	run_join(run);
	if (!session->begin.set)
		mark(run, &session->begin);
	if (!session->end.set)
		mark_end(run, &session->end, session->begin.meter.at);
	return tell_result(session);
}

/*
 * By time it is known how long a client has nothing to say, by count it is not; but
 * when a stream has failed it has.
 */
static void set_limit(struct session *session, double seconds)
{
	const struct test *test = &session->run->test;
	uint64_t ms = seconds * 1000 + test->timeout * 1000ULL + LATE_MS;

	if (test->count && session->begin.set)
		ms = TEST_SECONDS_MAX * 1000ULL;
	session->until = clock_ns() + ms * 1000000;
}

/* Until the client says something: 0, or trouble() when it should have. */
static int wait_client(struct session *session)
{
	struct pollfd p = { .fd = session->fd, .events = POLLIN };
	bool failed = false;

	while (poll(&p, 1, LOOK_MS) <= 0) {
		if (!failed && run_why(session->run)) {
			failed = true;
			session->until = clock_ns() + 1000000ULL *
				(session->run->test.timeout * 1000ULL + LATE_MS);
		}
		if (clock_ns() > session->until)
			return trouble("the client says nothing any more");
	}
	return 0;
}

/* 1: the test goes on, 0: it has ended, -1: so has the client. */
static int step(struct session *session)
{
	struct json_object *json;
	enum frame_type type = FRAME_NONE;

	if (!wait_client(session)) {
		type = frame_recv(session->fd, &json, LATE_MS);
		json_object_put(json);
	}
	switch (type) {
	case FRAME_BEGIN:
		mark(session->run, &session->begin);
		set_limit(session, session->run->test.seconds);
		run_phase(session->run, PHASE_MEASURE);
		return frame_send(session->fd, FRAME_BEGIN, NULL) ? -1 : 1;
	case FRAME_END:
		mark(session->run, &session->end);
		set_limit(session, 0);
		return frame_send(session->fd, FRAME_END, NULL) ? -1 : 1;
	case FRAME_FINISH:
		return finish(session) ? -1 : 0;
	case FRAME_NONE:
		break;
	default:
		trouble("the client sent message %d in the middle of a test",
			type);
	}
	run_abort(session->run);
	run_join(session->run);
	return -1;
}

/* 0, also when the test was refused; -1: the client is gone. */
static int serve_test(int fd, struct json_object *json, unsigned int data_port)
{
	struct session session = { .fd = fd };
	struct test test;
	int rc;

	if (test_from_json(&test, json) ||
	    prepare(&session, &test, data_port)) {
		rc = frame_refuse(fd);
	} else if (tell_ready(&session)) {
		run_abort(session.run);
		run_join(session.run);
		rc = -1;
	} else {
		set_limit(&session, test.warmup);
		do {
			rc = step(&session);
		} while (rc > 0);
	}
	run_free(session.run);
	return rc;
}

int serve_client(int fd, unsigned int data_port)
{
	struct json_object *json;
	enum frame_type type;
	int rc;

	if (hello_as_server(fd))
		return -1;
	for (;;) {
		type = frame_recv(fd, &json, IDLE_MS);
		/* The way that a client ends. */
		if (!type)
			return 0;
		rc = type == FRAME_TEST ? serve_test(fd, json, data_port) :
			trouble("the client sent message %d", type);
		json_object_put(json);
		if (rc)
			return -1;
	}
}
