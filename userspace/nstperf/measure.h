/* SPDX-License-Identifier: GPL-2.0 */
/* One run: the client's part, from asking the server to what came out. */
#ifndef NSTPERF_MEASURE_H
#define NSTPERF_MEASURE_H

#include <json-c/json.h>
#include <stdbool.h>
#include "options.h"
#include "test.h"

/* How it went. */
enum outcome {
	OUTCOME_OK,
	OUTCOME_REFUSED,	/* not that mode here, or there */
	OUTCOME_FAILED,		/* in the middle */
	OUTCOME_GONE,		/* so is the server */
	OUTCOME_INTERRUPTED,	/* Ctrl-C */
};

/* Set by Ctrl-C. */
extern volatile int measure_interrupted;

/*
 * @json receives what was measured, or of OUTCOME_REFUSED and FAILED why not;
 * else it is NULL.
 */
enum outcome measure(int fd, const struct test *test,
		     const struct options *options,
		     struct json_object **json);

#endif /* NSTPERF_MEASURE_H */
