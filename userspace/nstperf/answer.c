// SPDX-License-Identifier: GPL-2.0
/* What a server's stream does in each scenario. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "answer.h"
#include "dgram.h"
#include "payload.h"
#include "relay.h"

static int sink(struct stream *stream, char *buf, size_t size)
{
	const struct test *test = &stream->run->test;
	uint64_t file = scenario_info(test->scenario)->file ? test->file_size : 0;
	uint64_t at = 0;
	ssize_t n;

	while ((n = conn_read(&stream->conn, buf, size)) > 0) {
		if (test->verify && payload_check_file(buf, n, at, file))
			return -1;
		at += n;
		atomic_fetch_add_explicit(&stream->bytes, n,
					  memory_order_relaxed);
		atomic_fetch_add_explicit(&stream->ops, 1,
					  memory_order_relaxed);
	}
	return n;
}

/* Bytes after which the server ends a connection; 0: never. */
static uint64_t enough(const struct test *test)
{
	if (test->scenario == SCN_CONNECT)
		return test->size;
	if (test->scenario == SCN_KEEPALIVE)
		return (uint64_t)test->size * test->requests;
	return 0;
}

/*
 * Who ends a connection keeps it for a minute (TIME_WAIT), and a client that had
 * to would run out of ports. So the server does, as servers do.
 */
static int echo(struct stream *stream, char *buf, size_t size)
{
	uint64_t all = 0, limit = enough(&stream->run->test);
	bool verify = stream->run->test.verify;
	ssize_t n;

	while ((n = conn_read(&stream->conn, buf, size)) > 0) {
		if (verify && payload_check(buf, n, all))
			return -1;
		if (conn_write(&stream->conn, buf, n))
			return -1;
		all += n;
		if (limit && all >= limit && conn_end(&stream->conn))
			return -1;
	}
	return n;
}

static int answer(struct stream *stream, char *buf, size_t size)
{
	switch (scenario_info(stream->run->test.scenario)->answer) {
	case ANSWER_SINK:
		return sink(stream, buf, size);
	case ANSWER_SPLICE:
		return conn_splice_back(&stream->conn);
	case ANSWER_RAW:
		return relay(&stream->conn, stream->run->test.verify);
	default:
		return echo(stream, buf, size);
	}
}

/*
 * The next connection of the host that the test is for: 1; 0: it shall stop.
 * Others may come to the port as well, and are sent away.
 */
static int next_connection(struct stream *stream)
{
	struct run *run = stream->run;
	union address from;
	socklen_t len;
	int fd;

	while (!run_stopped(run)) {
		len = sizeof(from);
		fd = accept4(run->listener, &from.any, &len, SOCK_CLOEXEC);
		if (fd < 0 && (errno == EAGAIN || errno == EINTR ||
			       errno == ECONNABORTED))
			continue;
		if (fd < 0)
			return run_stopped(run) ? 0 :
				trouble("accept: %s", strerror(errno));
		if (!address_same_host(&from, &run->peer)) {
			close(fd);
			continue;
		}
		return conn_accepted(&stream->conn, fd, &run->test) ? -1 : 1;
	}
	return 0;
}

static int one_connection(struct stream *stream, char *buf, size_t size)
{
	int rc = next_connection(stream);

	if (rc <= 0)
		return rc;
	rc = answer(stream, buf, size);
	if (!rc)
		rc = conn_end(&stream->conn);
	atomic_fetch_add(&stream->retransmits,
			 conn_retransmits(&stream->conn));
	return rc ? -1 : 1;
}

int answer_stream(struct stream *stream)
{
	const struct test *test = &stream->run->test;
	size_t size = test->size > CONN_BUF ? test->size : CONN_BUF;
	char *buf = malloc(size);
	int rc;

	if (!buf)
		return trouble("no memory");
	if (scenario_info(test->scenario)->datagrams) {
		rc = dgram_receive(stream);
	} else {
		do {
			rc = one_connection(stream, buf, size);
			if (rc > 0)
				conn_close(&stream->conn);
		} while (rc > 0 && scenario_info(test->scenario)->connects);
	}
	free(buf);
	return rc < 0 ? -1 : 0;
}
