// SPDX-License-Identifier: GPL-2.0
/* What a client's stream does in each scenario. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "clock.h"
#include "dgram.h"
#include "payload.h"
#include "work.h"

/* Where a stream is, and what it needs to get on. */
struct place {
	uint64_t at;
	char *buf;
	char *map;
};

static void count_op(struct stream *stream, size_t bytes, uint64_t since)
{
	atomic_fetch_add_explicit(&stream->bytes, bytes, memory_order_relaxed);
	atomic_fetch_add_explicit(&stream->ops, 1, memory_order_relaxed);
	if (run_measures(stream->run))
		hist_add(&stream->hist, clock_ns() - since);
}

/* A piece of the file; the last one may be shorter. */
static int send_piece(struct stream *stream, struct place *place)
{
	const struct run *run = stream->run;
	struct conn *conn = &stream->conn;
	uint64_t at = place->at % run->file_size;
	size_t len = run->test.size;
	ssize_t n;

	if (len > run->file_size - at)
		len = run->file_size - at;
	place->at += len;
	switch (run->test.scenario) {
	case SCN_SENDFILE:
		return conn_sendfile(conn, run->file, at, len);
	case SCN_SPLICE:
		return conn_splice(conn, run->file, at, len);
	case SCN_MMAP:
		return conn_write(conn, place->map + at, len);
	default:
		n = pread(run->file, place->buf, len, at);
		if (n != (ssize_t)len)
			return trouble("read: %s", n < 0 ? strerror(errno) :
				       "the file has become shorter");
		return conn_write(conn, place->buf, len);
	}
}

/* The end of a connection: the server's comes after ours, or before. */
static int hang_up(struct stream *stream, bool before)
{
	ssize_t n;
	char c;

	atomic_fetch_add(&stream->retransmits,
			 conn_retransmits(&stream->conn));
	if (!before && conn_end(&stream->conn))
		return -1;
	n = conn_read(&stream->conn, &c, 1);
	if (n)
		return n < 0 ? -1 :
			trouble("the server sent what nobody asked for");
	if (conn_end(&stream->conn))
		return -1;
	conn_close(&stream->conn);
	return 0;
}

/* Sends until it shall stop, then waits until the server has taken all. */
static int send_all(struct stream *stream, struct place *place)
{
	const struct test *test = &stream->run->test;
	uint64_t since, before;

	while (run_more(stream->run)) {
		since = clock_ns();
		before = place->at;
		if (test->scenario != SCN_SEND) {
			if (send_piece(stream, place))
				return -1;
		} else {
			place->at += test->size;
			if (conn_write(&stream->conn, payload_at(before),
				       test->size))
				return -1;
		}
		count_op(stream, place->at - before, since);
	}
	return hang_up(stream, false);
}

/* A message there and back. */
static int round_trip(struct stream *stream, struct place *place)
{
	const struct test *test = &stream->run->test;

	if (conn_write(&stream->conn, payload_at(place->at), test->size) ||
	    conn_read_all(&stream->conn, place->buf, test->size) ||
	    (test->verify && payload_check(place->buf, test->size, place->at)))
		return -1;
	place->at += test->size;
	return 0;
}

static int echo_all(struct stream *stream, struct place *place)
{
	uint64_t since;

	while (run_more(stream->run)) {
		since = clock_ns();
		if (round_trip(stream, place))
			return -1;
		count_op(stream, stream->run->test.size, since);
	}
	return hang_up(stream, false);
}

/* A connection for some messages, over and over. */
static int connect_all(struct stream *stream, struct place *place)
{
	struct run *run = stream->run;
	uint32_t requests = run->test.scenario == SCN_CONNECT ? 1 :
			    run->test.requests, i;
	uint64_t since;

	while (run_more(run)) {
		since = clock_ns();
		if (conn_connect(&stream->conn, &run->peer, &run->test))
			return -1;
		for (i = 0; i < requests && (!i || run_more(run)); i++) {
			if (round_trip(stream, place))
				return -1;
			count_op(stream, run->test.size, since);
			since = clock_ns();
		}
		if (hang_up(stream, i == requests))
			return -1;
		place->at = 0;
	}
	return 0;
}

static int work_in(struct stream *stream, struct place *place)
{
	struct run *run = stream->run;
	enum scenario scenario = run->test.scenario;

	if (scenario_info(scenario)->datagrams)
		return dgram_send(stream, place->buf);
	if (scenario_info(scenario)->connects)
		return connect_all(stream, place);
	if (scenario_info(scenario)->answer != ANSWER_SINK)
		return echo_all(stream, place);
	return send_all(stream, place);
}

int work_stream(struct stream *stream)
{
	struct run *run = stream->run;
	struct place place = { .map = MAP_FAILED };
	int rc = -1;

	place.buf = malloc(TEST_SIZE_MAX);
	if (run->test.scenario == SCN_MMAP)
		place.map = mmap(NULL, run->file_size, PROT_READ, MAP_SHARED,
				 run->file, 0);
	run_hold(run);
	if (!place.buf)
		trouble("no memory");
	else if (run->test.scenario == SCN_MMAP && place.map == MAP_FAILED)
		trouble("mmap: %s", strerror(errno));
	else
		rc = work_in(stream, &place);
	if (place.map != MAP_FAILED)
		munmap(place.map, run->file_size);
	free(place.buf);
	return rc;
}

int work_connect(struct run *run)
{
	unsigned int i;

	if (scenario_info(run->test.scenario)->connects)
		return 0;
	for (i = 0; i < run->test.streams; i++) {
		struct conn *conn = &run->streams[i].conn;
		union address to = run->peer;

		if (scenario_info(run->test.scenario)->datagrams) {
			address_set_port(&to, run->ports[i]);
			if (dgram_connect(conn, &to, &run->test))
				return -1;
		} else if (conn_connect(conn, &to, &run->test)) {
			return -1;
		}
	}
	return 0;
}
