/* SPDX-License-Identifier: GPL-2.0 */
/* One thing to measure, as both ends know it. */
#ifndef NSTPERF_TEST_H
#define NSTPERF_TEST_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>
#include "names.h"

#define TEST_SIZE_MAX		(1U << 20)
#define TEST_STREAMS_MAX	128
#define TEST_FILE_MAX		(1ULL << 40)
#define TEST_REQUESTS_MAX	1000000
#define TEST_SECONDS_MAX	86400
#define TEST_CPU_MAX		4095
#define TEST_TIMEOUT_MAX	3600

/* A datagram begins with a number, and fits one of UDP with what NST adds. */
#define TEST_DGRAM_MIN		24
#define TEST_DGRAM_MAX		65000
#define TEST_SEGMENTS_MAX	64

/**
 * struct test - what is measured
 * @scenario: SCN_*
 * @mode: number of a mode
 * @size: bytes of a call, a message or a datagram
 * @file_size: bytes of the file, for scenarios that have one
 * @streams: connections at once
 * @requests: messages of a connection, for SCN_KEEPALIVE
 * @count: calls of all streams together, or 0: by time
 * @seconds: how long, if by time
 * @warmup: seconds before that
 * @timeout: seconds without a byte after which a stream has failed
 * @verify: compare each byte
 * @cpu: processor of the server's first stream; -1: any
 */
struct test {
	enum scenario scenario;
	unsigned int mode;
	uint32_t size;
	uint64_t file_size;
	unsigned int streams;
	uint32_t requests;
	uint64_t count;
	double seconds;
	double warmup;
	unsigned int timeout;
	bool verify;
	int cpu;
};

/* What a client asks a server for; from_json judges every value. */
struct json_object *test_to_json(const struct test *test);
int test_from_json(struct test *test, struct json_object *json);

/* Does this size make sense there? 0, or trouble(). */
int test_check_size(enum scenario scenario, uint64_t size);

#endif /* NSTPERF_TEST_H */
