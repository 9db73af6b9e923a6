// SPDX-License-Identifier: GPL-2.0
/* What a run has come to. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "object.h"
#include "verdict.h"

static struct json_object *describe(const struct test *test,
				    const char *status)
{
	struct json_object *json = json_object_new_object();

	object_add_text(json, "scenario", scenario_info(test->scenario)->name);
	object_add_text(json, "mode", mode_info(test->mode)->name);
	object_add_count(json, "size", test->size);
	if (scenario_info(test->scenario)->file)
		object_add_count(json, "file_size", test->file_size);
	object_add_count(json, "streams", test->streams);
	object_add_text(json, "status", status);
	return json;
}

struct json_object *verdict_without(const struct test *test,
				    const char *status, const char *why)
{
	struct json_object *json = describe(test, status);

	object_add_text(json, "why", why);
	return json;
}

/* User space carries what the kernel would splice; there is no other way. */
static bool is_instead(const struct test *test)
{
	enum kind kind = mode_info(test->mode)->kind;

	if (kind == KIND_DTLS)
		return test->scenario != SCN_DGRAM;
	return kind == KIND_TLS && (test->scenario == SCN_SENDFILE ||
				    test->scenario == SCN_SPLICE ||
				    test->scenario == SCN_SPLICE_ECHO);
}

/* Numbers of the server's that all this is made of. */
struct theirs {
	uint64_t bytes, ops, all_bytes, all_ops, retransmits, reordered;
	uint64_t duplicates;
	double seconds;
	struct json_object *meter;
};

/* In less nothing can be measured, and speeds would be no numbers. */
#define SECONDS_MIN	1e-6

static int read_theirs(struct theirs *t, struct json_object *json)
{
	struct json_object *meter;

	if (object_count(json, "bytes", 0, INT64_MAX, &t->bytes) ||
	    object_count(json, "ops", 0, INT64_MAX, &t->ops) ||
	    object_count(json, "all_bytes", 0, INT64_MAX, &t->all_bytes) ||
	    object_count(json, "all_ops", 0, INT64_MAX, &t->all_ops) ||
	    object_count(json, "retransmits", 0, INT64_MAX / 2,
			 &t->retransmits) ||
	    object_count(json, "reordered", 0, INT64_MAX, &t->reordered) ||
	    object_count(json, "duplicates", 0, INT64_MAX, &t->duplicates))
		return -1;
	meter = object_object(json, "meter");
	if (!meter)
		return trouble("the server does not say what it took");
	t->meter = meter_from_peer(meter);
	if (!t->meter)
		return -1;
	t->seconds = object_real(t->meter, "seconds");
	if (t->bytes > t->all_bytes || t->ops > t->all_ops)
		return trouble("the server counts more than there was");
	return 0;
}

/* Has a stream failed here or there, or is something missing? */
static int judge(struct run *run, const struct marks *marks,
		 const struct theirs *t, struct json_object *theirs)
{
	const struct scenario_info *info = scenario_info(run->test.scenario);
	const char *ours = marks->failed ? marks->why : run_why(run);
	const char *why = object_text(theirs, "why");
	unsigned long long sent = RUN_SUM(run, bytes);

	/* A reset tells nothing; the end that has said why does. */
	if (why[0] && ours)
		return trouble("%.150s (server: %.150s)", ours, why);
	if (why[0] || ours)
		return trouble("%s%.300s", ours ? "" : "server: ",
			       ours ? ours : why);
	if (!info->datagrams && info->answer == ANSWER_SINK &&
	    t->all_bytes != sent)
		return trouble("of %llu bytes sent the server got %llu", sent,
			       (unsigned long long)t->all_bytes);
	return 0;
}

static void add_datagrams(struct json_object *json, struct run *run,
			  const struct theirs *t)
{
	unsigned long long sent = RUN_SUM(run, ops);

	object_add_count(json, "datagrams_sent", sent);
	object_add_count(json, "datagrams_lost",
			 sent > t->all_ops ? sent - t->all_ops : 0);
	object_add_count(json, "datagrams_reordered", t->reordered);
	object_add_count(json, "datagrams_duplicated", t->duplicates);
}

static void add_latency(struct json_object *json, struct run *run)
{
	struct hist *all = calloc(1, sizeof(*all));
	unsigned int i;

	if (!all)
		return;
	for (i = 0; i < run->test.streams; i++)
		hist_merge(all, &run->streams[i].hist);
	json_object_object_add(json, "latency", hist_to_json(all));
	free(all);
}

/* What was measured, and by whose clock. */
struct done {
	uint64_t bytes, ops;
	double bytes_seconds, ops_seconds;
};

/*
 * One way counts what has arrived, by the server's clock; calls are the client's, in
 * its own time, which begins and ends a message earlier.
 */
static int count_done(struct done *done, const struct run *run,
		      const struct marks *marks, const struct theirs *t)
{
	const struct scenario_info *info = scenario_info(run->test.scenario);
	double seconds = (marks->end.meter.at - marks->begin.meter.at) / 1e9;

	*done = (struct done){
		.bytes = marks->end.bytes - marks->begin.bytes,
		.ops = marks->end.ops - marks->begin.ops,
		.bytes_seconds = seconds, .ops_seconds = seconds,
	};
	if (info->answer == ANSWER_SINK) {
		done->bytes = t->bytes;
		done->bytes_seconds = t->seconds;
	}
	if (info->datagrams) {
		done->ops = t->ops;
		done->ops_seconds = t->seconds;
	}
	if (done->bytes_seconds < SECONDS_MIN || done->ops_seconds < SECONDS_MIN ||
	    !done->ops)
		return trouble("nothing was done in the time: give more");
	return 0;
}

static struct json_object *tell(struct run *run, const struct marks *marks,
				const struct theirs *t, const struct done *done)
{
	struct json_object *json = describe(&run->test, "ok");

	object_add_real(json, "seconds", done->bytes_seconds);
	object_add_count(json, "bytes", done->bytes);
	object_add_count(json, "ops", done->ops);
	object_add_real(json, "bytes_per_s", done->bytes / done->bytes_seconds);
	object_add_real(json, "ops_per_s", done->ops / done->ops_seconds);
	object_add_bool(json, "verified", run->test.verify);
	object_add_bool(json, "carried_by_user_space", is_instead(&run->test));
	object_add_count(json, "retransmits", RUN_SUM(run, retransmits) +
			 t->retransmits);
	if (scenario_info(run->test.scenario)->datagrams)
		add_datagrams(json, run, t);
	add_latency(json, run);
	json_object_object_add(json, "client",
			       meter_to_json(&marks->begin.meter,
					     &marks->end.meter));
	json_object_object_add(json, "server", json_object_get(t->meter));
	return json;
}

struct json_object *verdict(struct run *run, const struct marks *marks,
			    struct json_object *theirs)
{
	struct json_object *json = NULL;
	struct theirs t = { 0 };
	struct done done;

	if (!read_theirs(&t, theirs) && !judge(run, marks, &t, theirs) &&
	    !count_done(&done, run, marks, &t))
		json = tell(run, marks, &t, &done);
	json_object_put(t.meter);
	return json;
}

static double cpu_of(struct json_object *run, const char *end)
{
	struct json_object *meter = object_object(run, end);

	return object_real(meter, "user_s") + object_real(meter, "system_s");
}

void verdict_print(struct json_object *run, unsigned int nr,
		   unsigned int planned)
{
	struct json_object *latency = object_object(run, "latency");
	double lost = object_real(run, "datagrams_lost");

	printf("%u/%u %s %s %.0f", nr, planned,
	       object_text(run, "scenario"), object_text(run, "mode"),
	       object_real(run, "size"));
	if (object_real(run, "file_size") > 0)
		printf(" of %.0f", object_real(run, "file_size"));
	printf(": ");
	if (strcmp(object_text(run, "status"), "ok")) {
		printf("%s: %s\n", object_text(run, "status"),
		       object_text(run, "why"));
		return;
	}
	printf("%.1f MB/s, %.0f calls/s, p50 %.1f p99 %.1f us, processors %.2f + %.2f s",
	       object_real(run, "bytes_per_s") / 1e6, object_real(run, "ops_per_s"),
	       object_real(latency, "p50_ns") / 1e3,
	       object_real(latency, "p99_ns") / 1e3,
	       cpu_of(run, "client"), cpu_of(run, "server"));
	if (object_real(run, "datagrams_sent") > 0)
		printf(", %.1f %% lost",
		       100 * lost / object_real(run, "datagrams_sent"));
	printf("%s\n", object_bool(run, "verified") ? ", verified" : "");
}
