// SPDX-License-Identifier: GPL-2.0
/* What the user wants, from arguments and from files with a whole plan. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "names.h"
#include "options.h"
#include "test.h"
#include "trouble.h"

/* Plans that read plans. */
#define DEPTH_MAX	4
/* Bytes of one. */
#define PLAN_MAX	65536

#define SERVER	COMMAND_SERVER
#define CLIENT	(COMMAND_CLIENT | COMMAND_LOCAL)
#define FAR	(COMMAND_CLIENT | COMMAND_SERVER)
#define ANY	(CLIENT | SERVER)

static int read_plan(struct options *options, enum command command,
		     const char *path, unsigned int depth);

/* A number with k, m or g behind it, of 1024. */
static int whole(const char *text, uint64_t min, uint64_t max,
		 uint64_t *value)
{
	static const char units[] = "kmg";
	unsigned long long n;
	const char *unit;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (end == text || errno || text[0] < '0' || text[0] > '9')
		return trouble("'%s' is no number", text);
	unit = *end ? strchr(units, *end | 0x20) : NULL;
	if (unit) {
		unsigned int shift = 10 * (unit - units + 1);

		if (n > UINT64_MAX >> shift)
			return trouble("'%s' is too much", text);
		n <<= shift;
		end++;
	}
	if (*end)
		return trouble("'%s' is no number", text);
	if (n < min || n > max)
		return trouble("%s is not from %llu to %llu", text,
			       (unsigned long long)min,
			       (unsigned long long)max);
	*value = n;
	return 0;
}

static int small(const char *text, uint64_t min, uint64_t max,
		 unsigned int *value)
{
	uint64_t n;

	if (whole(text, min, max, &n))
		return -1;
	*value = n;
	return 0;
}

static int real(const char *text, double min, double *value)
{
	char *end;
	double d = strtod(text, &end);

	if (end == text || *end || !(d >= min && d <= TEST_SECONDS_MAX))
		return trouble("'%s' is no number of seconds from %g to %d",
			       text, min, TEST_SECONDS_MAX);
	*value = d;
	return 0;
}

/* Sizes from 1 to @max, OPTIONS_SIZES at most, with commas between them. */
static int size_list(const char *list, uint64_t max, uint64_t *sizes,
		     unsigned int *nr)
{
	char text[32];
	size_t n;

	*nr = 0;
	for (;; list += n + 1) {
		n = strcspn(list, ",");
		snprintf(text, sizeof(text), "%.*s", (int)(n < 31 ? n : 31),
			 list);
		if (*nr == OPTIONS_SIZES)
			return trouble("more than %d sizes", OPTIONS_SIZES);
		if (whole(text, 1, max, &sizes[*nr]))
			return -1;
		(*nr)++;
		if (!list[n])
			return 0;
	}
}

/* "C" or "C,S": processors of client and server. */
static int processors(struct options *options, const char *text)
{
	const char *comma = strchr(text, ',');
	char first[16];
	unsigned int n;

	snprintf(first, sizeof(first), "%.*s",
		 comma ? (int)(comma - text) : 15, text);
	if (small(first, 0, TEST_CPU_MAX, &n))
		return -1;
	options->cpu = n;
	if (comma) {
		if (small(comma + 1, 0, TEST_CPU_MAX, &n))
			return -1;
		options->server_cpu = n;
	}
	return 0;
}

enum word {
	PORT, BIND, DATA_PORT, ONCE, SCENARIOS, MODES, SIZES, TIME, COUNT,
	WARMUP, REPEAT, STREAMS, REQUESTS, FILE_SIZE, FILE_DIR, DROP_CACHES,
	VERIFY, CPU, TIMEOUT, JSON, QUIET, IPV4, IPV6, RC,
};

static const struct {
	const char *name;
	const char *value;	/* what it is called, or NULL for none */
	int commands;
	const char *text;
} words[] = {
	[PORT] = { "port", "N", FAR, "of the server (20051)" },
	[BIND] = { "bind", "ADDRESS", SERVER, "listen there only" },
	[DATA_PORT] = { "data-port", "N", SERVER,
		"take ports for data from N on, not any" },
	[ONCE] = { "once", NULL, SERVER, "end after one client" },
	[SCENARIOS] = { "scenario", "LIST", CLIENT, "what to do (send,ping)" },
	[MODES] = { "mode", "LIST", CLIENT, "who encrypts (plain,nst)" },
	[SIZES] = { "size", "LIST", CLIENT,
		"bytes of a call, as 64,1k,16k (usual ones)" },
	[TIME] = { "time", "SECONDS", CLIENT, "measure so long (5)" },
	[COUNT] = { "count", "N", CLIENT, "or so many calls" },
	[WARMUP] = { "warmup", "SECONDS", CLIENT, "before that (1; with --count 0)" },
	[REPEAT] = { "repeat", "N", CLIENT, "rounds over all modes (3)" },
	[STREAMS] = { "streams", "N", CLIENT, "connections at once (1)" },
	[REQUESTS] = { "requests", "N", CLIENT,
		"messages of a connection of connect-keepalive (100)" },
	[FILE_SIZE] = { "file-size", "LIST", CLIENT, "of what is sent (16m)" },
	[FILE_DIR] = { "file-dir", "DIR", CLIENT, "where it is made ($TMPDIR)" },
	[DROP_CACHES] = { "drop-caches", NULL, CLIENT,
		"the system's, before each run (root)" },
	[VERIFY] = { "verify", NULL, CLIENT, "every byte, on both ends" },
	[CPU] = { "cpu", "C[,S]", CLIENT,
		"processors of client and server" },
	[TIMEOUT] = { "timeout", "SECONDS", CLIENT,
		"give up when nothing moves (20)" },
	[JSON] = { "json", "FILE", CLIENT, "write all there, - is stdout" },
	[QUIET] = { "quiet", NULL, CLIENT, "say what is wrong only" },
	[IPV4] = { "ipv4", NULL, ANY, "IPv4 only; also -4" },
	[IPV6] = { "ipv6", NULL, ANY, "IPv6 only; also -6" },
	[RC] = { "rc", "FILE", CLIENT, "options from a file, one a line" },
};

#define NR_WORDS	(sizeof(words) / sizeof(words[0]))

void options_help(void)
{
	char left[32];
	unsigned int i;

	for (i = 0; i < NR_WORDS; i++) {
		snprintf(left, sizeof(left), "--%s %s", words[i].name,
			 words[i].value ? words[i].value : "");
		printf("  %-22s %s%s\n", left, words[i].text,
		       words[i].commands == SERVER ? " [server]" : "");
	}
}

static int set_what(struct options *o, enum word which, const char *value)
{
	switch (which) {
	case SCENARIOS:
		o->scenarios = scenario_list(value);
		return o->scenarios ? 0 : -1;
	case MODES:
		o->modes = mode_list(value);
		return o->modes ? 0 : -1;
	case SIZES:
		return size_list(value, TEST_SIZE_MAX, o->sizes, &o->nr_sizes);
	case TIME:
		o->count = 0;
		return real(value, 0.01, &o->seconds);
	case COUNT:
		return whole(value, 1, INT64_MAX, &o->count);
	case WARMUP:
		return real(value, 0, &o->warmup);
	case REPEAT:
		return small(value, 1, OPTIONS_REPEAT_MAX, &o->repeat);
	case STREAMS:
		return small(value, 1, TEST_STREAMS_MAX, &o->streams);
	case REQUESTS:
		return small(value, 1, TEST_REQUESTS_MAX, &o->requests);
	case FILE_SIZE:
		return size_list(value, TEST_FILE_MAX, o->file_sizes,
				 &o->nr_file_sizes);
	case CPU:
		return processors(o, value);
	case TIMEOUT:
		return small(value, 1, TEST_TIMEOUT_MAX, &o->timeout);
	default:
		return -1;
	}
}

static int set(struct options *o, enum word which, const char *value)
{
	switch (which) {
	case PORT:
		return small(value, 1, 65535, &o->port);
	case DATA_PORT:
		return small(value, 1, 65535 - TEST_STREAMS_MAX,
			     &o->data_port);
	case BIND:
		if (!*value)
			return trouble("'' is no address");
		o->host = value;
		break;
	case ONCE:
		o->once = true;
		break;
	case FILE_DIR:
		o->file_dir = value;
		break;
	case DROP_CACHES:
		o->drop_caches = true;
		break;
	case VERIFY:
		o->verify = true;
		break;
	case JSON:
		o->json = value;
		break;
	case QUIET:
		o->quiet = true;
		break;
	case IPV4:
		o->family = AF_INET;
		break;
	case IPV6:
		o->family = AF_INET6;
		break;
	default:
		return set_what(o, which, value);
	}
	return 0;
}

/* The number of an option of this command, or -1 after trouble(). */
static int find(const char *name, size_t len, enum command command)
{
	unsigned int i;

	for (i = 0; i < NR_WORDS; i++) {
		if (strlen(words[i].name) != len ||
		    strncmp(words[i].name, name, len))
			continue;
		if (words[i].commands & command)
			return i;
		return trouble("--%s is not for this command", words[i].name);
	}
	return trouble("no option --%.*s (nstperf help)", (int)len, name);
}

/* With the option's name in front of what was wrong. */
static int set_named(struct options *options, enum command command, int i,
		     const char *value, unsigned int depth)
{
	char why[TROUBLE_MAX];
	int rc;

	if (i == RC)
		rc = read_plan(options, command, value, depth + 1);
	else
		rc = set(options, i, value);
	if (rc && i != RC) {
		snprintf(why, sizeof(why), "%s", trouble_text());
		trouble("--%s: %.300s", words[i].name, why);
	}
	return rc;
}

/* A line of a plan: a name, and its value behind a blank or "=". */
static int plan_line(struct options *options, enum command command,
		     char *line, unsigned int depth)
{
	static const char blanks[] = " \t\r";
	size_t len = strlen(line);
	char *value;
	int i;

	while (len && strchr(blanks, line[len - 1]))
		line[--len] = '\0';
	line += strspn(line, blanks);
	if (!*line || *line == '#')
		return 0;
	len = strcspn(line, " \t=");
	value = line + len + strspn(line + len, " \t=");
	i = find(line, len, command);
	if (i < 0)
		return -1;
	if (!!*value != !!words[i].value)
		return trouble(*value ? "%s takes no value" :
			       "%s wants a value", words[i].name);
	/* Options keep pointers to their words for good. */
	return set_named(options, command, i, strdup(value), depth);
}

/* All of a plan, with a 0 behind; its length, or -1 after trouble(). */
static ssize_t plan_text(const char *path, char *text)
{
	FILE *f = fopen(path, "re");
	ssize_t n;

	if (!f)
		return trouble("%s: %s", path, strerror(errno));
	n = fread(text, 1, PLAN_MAX + 1, f);
	if (ferror(f))
		n = trouble("%s: %s", path, strerror(errno));
	else if (n > PLAN_MAX)
		n = trouble("%s: is too long for a plan", path);
	else
		text[n] = '\0';
	fclose(f);
	return n;
}

static int plan_lines(struct options *options, enum command command,
		      const char *path, char *text, size_t len,
		      unsigned int depth)
{
	char why[TROUBLE_MAX], *end, *last = text + len;
	unsigned int nr = 1;
	int rc;

	for (; text < last; text = end + 1, nr++) {
		end = memchr(text, '\n', last - text) ?: last;
		*end = '\0';
		rc = strlen(text) != (size_t)(end - text) ?
			trouble("it has a NUL: a plan is text") :
			plan_line(options, command, text, depth);
		if (!rc)
			continue;
		snprintf(why, sizeof(why), "%s", trouble_text());
		return trouble("%s:%u: %.300s", path, nr, why);
	}
	return 0;
}

static int read_plan(struct options *options, enum command command,
		     const char *path, unsigned int depth)
{
	char *text;
	ssize_t len;
	int rc;

	if (depth > DEPTH_MAX)
		return trouble("%s: plans in plans in plans", path);
	text = malloc(PLAN_MAX + 1);
	if (!text)
		return trouble("no memory");
	len = plan_text(path, text);
	rc = len < 0 ? -1 : plan_lines(options, command, path, text, len, depth);
	free(text);
	return rc;
}

static void defaults(struct options *o)
{
	const char *dir = getenv("TMPDIR");

	*o = (struct options){
		.port = OPTIONS_PORT, .scenarios = scenario_list("send,ping"),
		.modes = mode_list("plain,nst"), .file_sizes = { 16 << 20 },
		.nr_file_sizes = 1,
		.file_dir = dir && *dir ? dir : "/tmp", .seconds = 5,
		.warmup = -1, .repeat = 3, .streams = 1, .requests = 100,
		.timeout = 20, .cpu = -1, .server_cpu = -1,
	};
}

/* An option in argv[0]; how many words it took, or -1. */
static int argument(struct options *options, enum command command, char **argv)
{
	const char *name = argv[0] + 2, *equal = strchr(name, '=');
	size_t len = equal ? (size_t)(equal - name) : strlen(name);
	const char *value = equal ? equal + 1 : argv[1];
	int i = find(name, len, command);

	if (i < 0)
		return -1;
	if (!words[i].value) {
		if (equal)
			return trouble("--%s takes no value", words[i].name);
		value = NULL;
	} else if (!value) {
		return trouble("--%s wants a value", words[i].name);
	}
	if (set_named(options, command, i, value, 0))
		return -1;
	return words[i].value && !equal ? 2 : 1;
}

int options_parse(struct options *options, enum command command, int argc,
		  char **argv)
{
	int i, n;

	defaults(options);
	for (i = 0; i < argc; i += n) {
		n = 1;
		if (!strcmp(argv[i], "-4"))
			options->family = AF_INET;
		else if (!strcmp(argv[i], "-6"))
			options->family = AF_INET6;
		else if (!strncmp(argv[i], "--", 2) && argv[i][2])
			n = argument(options, command, argv + i);
		else if (argv[i][0] == '-' || command != COMMAND_CLIENT ||
			 options->host)
			return trouble("what is '%s'? (nstperf help)",
				       argv[i]);
		else
			options->host = argv[i];
		if (n < 0)
			return -1;
	}
	if (command == COMMAND_CLIENT && (!options->host || !*options->host))
		return trouble("client wants the server's name (nstperf help)");
	if (options->warmup < 0)
		options->warmup = options->count ? 0 : 1;
	return 0;
}
