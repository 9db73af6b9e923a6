// SPDX-License-Identifier: GPL-2.0
/* The document of a plan. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "clock.h"
#include "document.h"
#include "names.h"
#include "object.h"
#include "place.h"
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

/* One is a number, more are an array. */
static void add_file_sizes(struct json_object *json, const struct options *o)
{
	struct json_object *sizes;
	unsigned int i;

	if (o->nr_file_sizes == 1) {
		object_add_count(json, "file_size", o->file_sizes[0]);
		return;
	}
	sizes = json_object_new_array();
	for (i = 0; i < o->nr_file_sizes; i++)
		json_object_array_add(sizes,
				      json_object_new_int64(o->file_sizes[i]));
	json_object_object_add(json, "file_sizes", sizes);
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
	add_file_sizes(json, o);
	object_add_bool(json, "verify", o->verify);
	object_add_bool(json, "drop_caches", o->drop_caches);
	object_add_count(json, "client_cpu", o->cpu);
	object_add_count(json, "server_cpu", o->server_cpu);
	return json;
}

static const char *text_of(const struct document *doc)
{
	int how = JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED;

	return json_object_to_json_string_ext(doc->json, how);
}

static int write_now(struct document *doc)
{
	struct place place;
	int rc;

	doc->unwritten = 0;
	doc->written_at = clock_ns();
	doc->stale = true;
	if (place_open(&place, doc->path))
		return -1;
	fputs(text_of(doc), place.to);
	fputc('\n', place.to);
	rc = place_close(&place);
	doc->stale = rc;
	return rc;
}

/* What is no file cannot be written anew: it gets one document, at the end. */
static bool only_at_end(const struct document *doc)
{
	return !doc->path || place_is_special(doc->path);
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
	return only_at_end(doc) ? place_check(doc->path) : write_now(doc);
}

/*
 * The more runs there are the longer it takes to write them all, so not all of them
 * are waited for on the disk: the last fiftieth may be missing, or the last minute,
 * for whom no signal tells to end.
 */
static bool can_wait(const struct document *doc)
{
	return doc->unwritten <= json_object_array_length(doc->runs) / 50 &&
		clock_ns() - doc->written_at < 60 * 1000000000ULL;
}

void document_add(struct document *doc, struct json_object *run)
{
	bool was = doc->stale;

	json_object_array_add(doc->runs, run);
	add_now(doc->json, "ended");
	doc->unwritten++;
	if (only_at_end(doc) || can_wait(doc))
		return;
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
	if (doc->path && write_now(doc)) {
		snprintf(reason, sizeof(reason), "%s", trouble_text());
		rc = trouble("%.300s%s", reason, was ?
			     ": what is there lacks the last runs, and says so" :
			     "");
	}
	json_object_put(doc->json);
	doc->json = NULL;
	return rc;
}
