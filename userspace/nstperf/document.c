// SPDX-License-Identifier: GPL-2.0
/* The document of a plan. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "document.h"
#include "names.h"
#include "object.h"
#include "trouble.h"

static void add_now(struct json_object *json, const char *name)
{
	time_t now = time(NULL);
	char text[32];
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	object_add_text(json, name, text);
}

static struct json_object *settings_to_json(const struct options *o)
{
	struct json_object *json = json_object_new_object();

	if (o->count)
		object_add_count(json, "count", o->count);
	else
		object_add_real(json, "seconds", o->seconds);
	object_add_real(json, "warmup_s", o->warmup);
	object_add_count(json, "repeat", o->repeat);
	object_add_count(json, "streams", o->streams);
	object_add_count(json, "requests", o->requests);
	object_add_count(json, "file_size", o->file_size);
	object_add_bool(json, "verify", o->verify);
	object_add_bool(json, "drop_caches", o->drop_caches);
	object_add_count(json, "client_cpu", o->cpu);
	object_add_count(json, "server_cpu", o->server_cpu);
	return json;
}

/* Beside its place first, so that there is always a whole document there. */
static int write_file(const char *path, const char *text)
{
	char *name;
	mode_t mask;
	FILE *f;
	int fd, e = 0;

	if (asprintf(&name, "%s.XXXXXX", path) < 0)
		return ENOMEM;
	fd = mkostemp(name, O_CLOEXEC);
	f = fd < 0 ? NULL : fdopen(fd, "w");
	if (!f) {
		e = errno;
		if (fd >= 0)
			close(fd);
		goto out;
	}
	mask = umask(0);
	umask(mask);
	if (fputs(text, f) < 0 || fputc('\n', f) < 0 || fflush(f) ||
	    fsync(fd) || fchmod(fd, 0666 & ~mask))
		e = errno;
	if (fclose(f) && !e)
		e = errno;
	if (!e && rename(name, path))
		e = errno;
	if (e)
		unlink(name);
out:
	free(name);
	return e;
}

static const char *text_of(const struct document *doc)
{
	int how = JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED;

	return json_object_to_json_string_ext(doc->json, how);
}

static int write_now(struct document *doc)
{
	int e;

	if (!doc->path || !strcmp(doc->path, "-"))
		return 0;
	e = write_file(doc->path, text_of(doc));
	doc->stale = e;
	return e ? trouble("cannot write %s: %s", doc->path, strerror(e)) : 0;
}

int document_begin(struct document *doc, const struct options *options,
		   struct json_object *client, struct json_object *server,
		   bool same, unsigned int planned)
{
	doc->json = json_object_new_object();
	doc->runs = json_object_new_array();
	doc->path = options->json;
	object_add_text(doc->json, "format", DOCUMENT_FORMAT);
	object_add_count(doc->json, "format_version", DOCUMENT_VERSION);
	add_now(doc->json, "started");
	add_now(doc->json, "ended");
	object_add_bool(doc->json, "complete", false);
	object_add_text(doc->json, "why", "it has not ended");
	object_add_count(doc->json, "planned", planned);
	json_object_object_add(doc->json, "settings",
			       settings_to_json(options));
	json_object_object_add(doc->json, "client", client);
	json_object_object_add(doc->json, "server", server);
	object_add_bool(doc->json, "same_host", same);
	json_object_object_add(doc->json, "runs", doc->runs);
	return write_now(doc);
}

void document_add(struct document *doc, struct json_object *run)
{
	bool was = doc->stale;

	json_object_array_add(doc->runs, run);
	add_now(doc->json, "ended");
	/* Said once; what is measured goes on, there may be room later. */
	if (write_now(doc) && !was)
		fprintf(stderr, "nstperf: %s\n", trouble_text());
}

int document_end(struct document *doc, const char *why)
{
	char reason[TROUBLE_MAX];
	bool was = doc->stale;
	int rc = 0;

	add_now(doc->json, "ended");
	object_add_bool(doc->json, "complete", !why);
	object_add_text(doc->json, "why", why ? why : "");
	if (doc->path && !strcmp(doc->path, "-")) {
		puts(text_of(doc));
		if (fflush(stdout) || ferror(stdout))
			rc = trouble("cannot write to stdout: %s",
				     strerror(errno));
	} else if (write_now(doc)) {
		snprintf(reason, sizeof(reason), "%s", trouble_text());
		rc = trouble("%.300s%s", reason, was ?
			     ": what is there lacks the last runs, and says so" :
			     "");
	}
	json_object_put(doc->json);
	doc->json = NULL;
	return rc;
}
