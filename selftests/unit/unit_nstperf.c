// SPDX-License-Identifier: GPL-2.0
/*
 * Of nstperf what can be wrong without a kernel: quantiles against sorted values,
 * a payload that shows what is lost, what a peer's message may say, and messages
 * of any shape, which a peer may send. A program of user space, without the shim.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "arrivals.h"
#include "document.h"
#include "frame.h"
#include "hist.h"
#include "machine.h"
#include "meter.h"
#include "names.h"
#include "object.h"
#include "payload.h"
#include "test.h"
#include "trouble.h"

#define VALUES	20000

static unsigned int number;
static int failed;

static void verdict(int good, const char *name)
{
	number++;
	if (!good) {
		failed = 1;
		printf("# trouble: %s\n", trouble_text());
	}
	printf("%sok %u %s\n", good ? "" : "not ", number, name);
}

static uint64_t next(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Values of all magnitudes, of which any is known to one part in 128. */
static void hist_quantile__is_near(void)
{
	static const double shares[] = { .001, .5, .9, .99, .999 };
	static uint64_t value[VALUES];
	struct hist *hist = calloc(1, sizeof(*hist));
	uint64_t x = 88172645463325252ULL, want, got;
	unsigned int i;
	int good = 1;

	for (i = 0; i < VALUES; i++) {
		value[i] = (next(&x) >> 28) >> next(&x) % 36;
		hist_add(hist, value[i]);
	}
	qsort(value, VALUES, sizeof(value[0]), by_value);
	for (i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
		want = value[(unsigned int)(shares[i] * VALUES + 0.5) - 1];
		got = hist_quantile(hist, shares[i]);
		if (got < want || got - want > want / 128 + 1) {
			printf("# %g: %llu, not %llu\n", shares[i],
			       (unsigned long long)got,
			       (unsigned long long)want);
			good = 0;
		}
	}
	verdict(good, "hist_quantile__is_near");
	verdict(hist_quantile(hist, 1) == value[VALUES - 1] &&
		hist->min == value[0], "hist_quantile__ends_are_exact");
	free(hist);
}

static void hist_add__any_value(void)
{
	struct hist *hist = calloc(1, sizeof(*hist));
	int i;

	for (i = 0; i < 64; i++) {
		hist_add(hist, 1ULL << i);
		hist_add(hist, (1ULL << i) - 1);
	}
	hist_add(hist, UINT64_MAX);
	verdict(hist->count == 129 && hist->max == UINT64_MAX,
		"hist_add__any_value");
	free(hist);
}

static void hist_merge__is_the_sum(void)
{
	struct hist *a = calloc(1, sizeof(*a)), *b = calloc(1, sizeof(*b));
	struct hist *both = calloc(1, sizeof(*both));
	uint64_t x = 7, v;
	int i;

	for (i = 0; i < 1000; i++) {
		v = next(&x) >> 40;
		hist_add(i % 3 ? a : b, v);
		hist_add(both, v);
	}
	hist_merge(a, b);
	/* The sum of doubles is the same, too: they are whole and small. */
	verdict(!memcmp(a, both, sizeof(*a)), "hist_merge__is_the_sum");
	free(a);
	free(b);
	free(both);
}

/* 2^33 calls in one bucket: a day of 100,000 a second. */
static void hist_merge__counts_far(void)
{
	struct hist *a = calloc(1, sizeof(*a)), *b = calloc(1, sizeof(*b));
	int i;

	hist_add(a, 1000);
	for (i = 0; i < 33; i++) {
		memcpy(b, a, sizeof(*a));
		hist_merge(a, b);
	}
	hist_add(a, 1 << 20);
	verdict(a->count == (1ULL << 33) + 1 && hist_quantile(a, .5) < 1010,
		"hist_merge__counts_far");
	free(a);
	free(b);
}

/* Each number once, some out of their places, some twice, some far ahead. */
static void arrivals_add__knows_each(void)
{
	struct arrivals *a = calloc(1, sizeof(*a));
	uint64_t i;
	int good = 1;

	for (i = 0; i < 300000; i += 2)
		good &= arrivals_add(a, i) == ARRIVAL_NEW;
	for (i = 300000 - 60000; i < 300000; i++)
		good &= arrivals_add(a, i) == (i % 2 && i < 299999 ?
			ARRIVAL_LATE : i % 2 ? ARRIVAL_NEW : ARRIVAL_AGAIN);
	/* Too late to be known: as if it had come. */
	good &= arrivals_add(a, 1) == ARRIVAL_AGAIN;
	good &= arrivals_add(a, 1ULL << 60) == ARRIVAL_NEW;
	good &= arrivals_add(a, 1ULL << 60) == ARRIVAL_AGAIN;
	good &= arrivals_add(a, (1ULL << 60) - 1) == ARRIVAL_LATE;
	good &= arrivals_add(a, (1ULL << 60) - 1) == ARRIVAL_AGAIN;
	good &= arrivals_add(a, (1ULL << 60) - ARRIVALS_SPAN + 1) == ARRIVAL_LATE;
	verdict(good, "arrivals_add__knows_each");
	free(a);
}

/* Text of others has nothing that a terminal obeys, and is what it was else. */
static void trouble__is_text(void)
{
	static const char * const pairs[][2] = {
		{ "\033[31m", "?[31m" }, { "\23331m", "?31m" },
		{ "\302\23331m", "??31m" }, { "m\xc3\xa4p", "m\xc3\xa4p" },
		{ "\xc3", "?" }, { "\xe2\x82\xac\xff", "\xe2\x82\xac?" },
		{ "\xf0\x9f\x98", "???" }, { "a\nb\x7f", "a?b?" },
	};
	unsigned int i;
	int good = 1;

	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		trouble("%s", pairs[i][0]);
		good &= !strcmp(trouble_text(), pairs[i][1]);
	}
	verdict(good, "trouble__is_text");
}

/* Each member of what a peer's end took missing, of another type, out of range. */
static void meter_from_peer__judges(void)
{
	static const char * const bad[] = {
		"-5e200", "1e300", "-1", "\"x\"", "[]", "null",
	};
	struct meter from = { 0 }, to = { .at = 5000000000, .user = 1 };
	struct json_object *json = meter_to_json(&from, &to), *copy, *got, *value;
	unsigned int i;
	int good;

	object_add_count(json, "instructions", 7);
	object_add_count(json, "cycles", 7);
	object_add_text(json, "more", "<b>");
	got = meter_from_peer(json);
	good = got && object_real(got, "seconds") == 5 &&
		object_real(got, "instructions") == 7 &&
		!object_text(got, "more")[0];
	json_object_put(got);
	json_object_object_foreach(json, key, unused) {
		(void)unused;
		for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
			copy = NULL;
			json_object_deep_copy(json, &copy, NULL);
			value = json_tokener_parse(bad[i]);
			json_object_object_add(copy, key, value);
			got = meter_from_peer(copy);
			if (got && strcmp(key, "more") &&
			    strcmp(key, "counted_kernel")) {
				printf("# %s took %s\n", key, bad[i]);
				good = 0;
			}
			json_object_put(got);
			json_object_put(copy);
		}
	}
	json_object_put(json);
	verdict(good, "meter_from_peer__judges");
}

static void machine_from_peer__keeps_what_it_knows(void)
{
	static const char said[] =
		"{\"host\":\"a\",\"kernel\":null,\"processors\":-3,\"more\":{},\"governor\":[1]}";
	static const char device[] =
		"{\"mtu\":1500,\"tso\":true,\"gso\":1,\"name\":{}}";
	struct json_object *json = json_tokener_parse(said), *got;

	json_object_object_add(json, "device", json_tokener_parse(device));
	got = machine_from_peer(json);
	verdict(!strcmp(json_object_to_json_string_ext(got, 0),
			"{\"host\":\"a\",\"device\":{\"mtu\":1500,\"tso\":true}}"),
		"machine_from_peer__keeps_what_it_knows");
	json_object_put(got);
	json_object_put(json);
}

static unsigned long long written(void)
{
	unsigned long long n = 0;
	FILE *f = fopen("/proc/self/io", "r");
	char line[80];

	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "wchar: %llu", &n);
	if (f)
		fclose(f);
	return n;
}

/* A long plan writes its document some dozens of times, not once for each run. */
static void document_add__writes_little(void)
{
	char path[] = "/tmp/unit_nstperf.XXXXXX";
	struct options options = { .json = path };
	struct document doc = { 0 };
	unsigned long long before, after;
	int fd = mkstemp(path), i, good;
	long size;

	close(fd);
	before = written();
	good = !document_begin(&doc, &options, json_object_new_object(),
			       json_object_new_object(), true, 4000);
	for (i = 0; i < 4000; i++)
		document_add(&doc, json_tokener_parse("{\"status\":\"ok\"}"));
	good &= !document_end(&doc, NULL);
	after = written();
	fd = open(path, O_RDONLY);
	size = lseek(fd, 0, SEEK_END);
	close(fd);
	unlink(path);
	printf("# %llu bytes for a document of %ld\n", after - before, size);
	verdict(good && size > 4000 * 10 &&
		after - before < 150ULL * size, "document_add__writes_little");
}

static void payload_file__stops(void)
{
	volatile int stop = 1;

	verdict(payload_file("/tmp", 1 << 20, &stop) < 0,
		"payload_file__stops");
}

/* Whatever is lost, doubled or changed, in any place, is seen. */
static void payload_check__sees_all(void)
{
	static char buf[200000];
	uint64_t at = 123456789;
	int good = 1, i;

	payload_init();
	for (i = 0; i < 200000; i++)
		buf[i] = *payload_at(at + i);
	good = !payload_check(buf, sizeof(buf), at);
	for (i = 1; i < 70000; i += 977)
		if (i != PAYLOAD_PERIOD &&
		    !payload_check(buf + i, 64, at))
			good = 0;
	for (i = 0; i < 200000; i += 9973) {
		buf[i] ^= 1;
		if (!payload_check(buf, sizeof(buf), at))
			good = 0;
		buf[i] ^= 1;
	}
	verdict(good, "payload_check__sees_all");
	good = 1;
	for (i = 0; i + 128 < 70000; i++)
		if (!memmem(payload_at(i), 160, PAYLOAD_MARK,
			    strlen(PAYLOAD_MARK)))
			good = 0;
	verdict(good, "payload__has_its_mark_everywhere");
}

/* What one end says the other understands. */
static void test_from_json__is_the_same(void)
{
	struct test test = {
		.scenario = SCN_KEEPALIVE, .mode = mode_find("nst"), .size = 99,
		.file_size = 1ULL << 39, .streams = 5, .requests = 77,
		.count = 1ULL << 60, .seconds = 1.5, .warmup = 0.25,
		.timeout = 9, .verify = true, .cpu = -1,
	}, got;
	struct json_object *json = test_to_json(&test);
	int rc = test_from_json(&got, json);

	verdict(!rc && got.scenario == test.scenario &&
		got.mode == test.mode && got.size == 99 &&
		got.file_size == test.file_size && got.streams == 5 &&
		got.requests == 77 && got.count == test.count &&
		got.seconds == 1.5 && got.warmup == 0.25 && got.timeout == 9 &&
		got.verify && got.cpu == -1, "test_from_json__is_the_same");
	json_object_put(json);
}

/* Each member missing, of another type, or out of range. */
static void test_from_json__judges(void)
{
	static const char * const bad[] = { "-1", "1e300", "\"x\"", "[]", "null" };
	struct test test = {
		.scenario = SCN_PING, .mode = 0, .size = 64, .streams = 1,
		.requests = 1, .timeout = 1, .seconds = 1, .cpu = 0,
	}, got;
	struct json_object *json = test_to_json(&test), *copy, *value;
	unsigned int i;
	int good = !test_from_json(&got, json);

	json_object_object_foreach(json, key, unused) {
		(void)unused;
		for (i = 0; i <= sizeof(bad) / sizeof(bad[0]); i++) {
			copy = test_to_json(&test);
			json_object_object_del(copy, key);
			value = i ? json_tokener_parse(bad[i - 1]) : NULL;
			if (i)
				json_object_object_add(copy, key, value);
			if (!test_from_json(&got, copy)) {
				printf("# %s took %s\n", key,
				       i ? bad[i - 1] : "nothing");
				good = 0;
			}
			json_object_put(copy);
		}
	}
	verdict(good, "test_from_json__judges");
	json_object_put(json);
}

/* frame_recv() of @n bytes and then the end. */
static enum frame_type receive(const char *bytes, size_t n)
{
	struct json_object *json = NULL;
	enum frame_type type;
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) ||
	    write(fd[1], bytes, n) != (ssize_t)n)
		return FRAME_NONE;
	close(fd[1]);
	type = frame_recv(fd[0], &json, 1000);
	close(fd[0]);
	json_object_put(json);
	return type;
}

/* A good message cut anywhere, and with any one byte changed in its head. */
static void frame_recv__any_bytes(void)
{
	static const char good[] = "nstP\0\1\0\2\0\0\0\7{\"a\":1}";
	size_t len = sizeof(good) - 1, i;
	char copy[sizeof(good)];
	int rc = receive(good, len) == FRAME_TEST, bit;

	for (i = 0; i < len; i++)
		if (receive(good, i))
			rc = 0;
	for (i = 0; i < len; i++)
		for (bit = 0; bit < 8; bit++) {
			memcpy(copy, good, sizeof(copy));
			copy[i] ^= 1 << bit;
			/* A type may be any; what is in an object, too. */
			if (receive(copy, len) && i != 6 && i != 7 && i < 12)
				rc = 0;
		}
	verdict(rc, "frame_recv__any_bytes");
}

static void lists__name_what_is_wrong(void)
{
	verdict(!mode_list("plain,frob") && strstr(trouble_text(), "'frob'") &&
		!scenario_list("") && !mode_list("nst,") &&
		mode_list("nst-all") == 0xfe &&
		scenario_list("all") == (1 << NR_SCENARIOS) - 1,
		"lists__name_what_is_wrong");
}

int main(void)
{
	hist_quantile__is_near();
	hist_add__any_value();
	hist_merge__is_the_sum();
	hist_merge__counts_far();
	payload_check__sees_all();
	payload_file__stops();
	arrivals_add__knows_each();
	trouble__is_text();
	meter_from_peer__judges();
	machine_from_peer__keeps_what_it_knows();
	document_add__writes_little();
	test_from_json__is_the_same();
	test_from_json__judges();
	frame_recv__any_bytes();
	lists__name_what_is_wrong();
	printf("1..%u\n", number);
	return failed;
}
