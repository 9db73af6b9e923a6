/* SPDX-License-Identifier: GPL-2.0 */
/* The document of a plan: who measured what, and what came out. */
#ifndef NSTPERF_DOCUMENT_H
#define NSTPERF_DOCUMENT_H

#include <json-c/json.h>
#include <stdbool.h>
#include "options.h"

#define DOCUMENT_FORMAT		"nstperf"
#define DOCUMENT_VERSION	1

/**
 * struct document - what is written, over and over as it grows
 * @json: all of it
 * @runs: its array of runs
 * @path: where, "-" for stdout, or NULL
 * @stale: the file lacks runs, as it could not be written
 * @unwritten: runs that it lacks because there was no need yet
 * @written_at: when it was written, ns
 */
struct document {
	struct json_object *json;
	struct json_object *runs;
	const char *path;
	bool stale;
	unsigned int unwritten;
	uint64_t written_at;
};

/* Takes @server. Writes it once, so that what is wrong with the file shows now. */
int document_begin(struct document *doc, const struct options *options,
		   struct json_object *client, struct json_object *server,
		   bool same, unsigned int planned);

/* Takes @run. */
void document_add(struct document *doc, struct json_object *run);

/* All that was to be done is done (@why is NULL), or why not. 0, or trouble(). */
int document_end(struct document *doc, const char *why);

#endif /* NSTPERF_DOCUMENT_H */
