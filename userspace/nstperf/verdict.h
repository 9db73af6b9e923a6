/* SPDX-License-Identifier: GPL-2.0 */
/* What a run has come to. */
#ifndef NSTPERF_VERDICT_H
#define NSTPERF_VERDICT_H

#include <json-c/json.h>
#include "meter.h"
#include "run.h"

struct mark {
	struct meter meter;
	unsigned long long bytes;
	unsigned long long ops;
};

/**
 * struct marks - the client's side of what was measured
 * @begin: when the server began, too
 * @end: and ended
 * @failed: it did not come to it
 * @why: of that
 */
struct marks {
	struct mark begin;
	struct mark end;
	bool failed;
	char why[TROUBLE_MAX];
};

/* NULL after trouble(): a stream has failed, or what came is not what was sent. */
struct json_object *verdict(struct run *run, const struct marks *marks,
			    struct json_object *theirs);

/* Of a run that was not: what it would have been, and why not. */
struct json_object *verdict_without(const struct test *test,
				    const char *status, const char *why);

/* A line for people. */
void verdict_print(struct json_object *run, unsigned int nr,
		   unsigned int planned);

#endif /* NSTPERF_VERDICT_H */
