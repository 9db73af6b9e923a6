// SPDX-License-Identifier: GPL-2.0
/* One thing to measure, as both ends know it. */
#include "object.h"
#include "test.h"
#include "trouble.h"

int test_check_size(enum scenario scenario, uint64_t size)
{
	uint64_t min = 1, max = TEST_SIZE_MAX;

	if (scenario_info(scenario)->datagrams) {
		min = TEST_DGRAM_MIN;
		max = TEST_DGRAM_MAX;
	}
	/* What is there and back must fit the buffers on the way. */
	if (scenario_info(scenario)->answer != ANSWER_SINK)
		max = 65536;
	if (size < min || size > max)
		return trouble("%s takes sizes from %llu to %llu",
			       scenario_info(scenario)->name,
			       (unsigned long long)min,
			       (unsigned long long)max);
	return 0;
}

struct json_object *test_to_json(const struct test *test)
{
	struct json_object *json = json_object_new_object();

	object_add_text(json, "scenario", scenario_info(test->scenario)->name);
	object_add_text(json, "mode", mode_info(test->mode)->name);
	object_add_count(json, "size", test->size);
	object_add_count(json, "file_size", test->file_size);
	object_add_count(json, "streams", test->streams);
	object_add_count(json, "requests", test->requests);
	object_add_count(json, "count", test->count);
	object_add_count(json, "timeout", test->timeout);
	object_add_count(json, "verify", test->verify);
	object_add_count(json, "cpu", test->cpu + 1);
	object_add_real(json, "seconds", test->seconds);
	object_add_real(json, "warmup", test->warmup);
	return json;
}

/* The names, which decide what the numbers may be. */
static int names_from_json(struct test *test, struct json_object *json)
{
	int scenario = scenario_find(object_text(json, "scenario"));
	int mode = mode_find(object_text(json, "mode"));

	if (scenario < 0)
		return trouble("this end has no scenario '%.32s'",
			       object_text(json, "scenario"));
	if (mode < 0)
		return trouble("this end has no mode '%.32s'",
			       object_text(json, "mode"));
	if (!mode_can(mode, scenario))
		return trouble("%s has no mode %s",
			       scenario_info(scenario)->name,
			       mode_info(mode)->name);
	test->scenario = scenario;
	test->mode = mode;
	return 0;
}

int test_from_json(struct test *test, struct json_object *json)
{
	uint64_t size, file, streams, requests, timeout, verify, cpu;

	*test = (struct test){ 0 };
	if (names_from_json(test, json) ||
	    object_count(json, "size", 1, TEST_SIZE_MAX, &size) ||
	    test_check_size(test->scenario, size) ||
	    object_count(json, "file_size", 0, TEST_FILE_MAX, &file) ||
	    object_count(json, "streams", 1, TEST_STREAMS_MAX, &streams) ||
	    object_count(json, "requests", 1, TEST_REQUESTS_MAX, &requests) ||
	    object_count(json, "count", 0, INT64_MAX, &test->count) ||
	    object_count(json, "timeout", 1, TEST_TIMEOUT_MAX, &timeout) ||
	    object_count(json, "verify", 0, 1, &verify) ||
	    object_count(json, "cpu", 0, TEST_CPU_MAX + 1, &cpu) ||
	    object_seconds(json, "seconds", TEST_SECONDS_MAX, &test->seconds) ||
	    object_seconds(json, "warmup", TEST_SECONDS_MAX, &test->warmup))
		return -1;
	test->size = size;
	test->file_size = file;
	test->streams = streams;
	test->requests = requests;
	test->timeout = timeout;
	test->verify = verify;
	test->cpu = (int)cpu - 1;
	return 0;
}
