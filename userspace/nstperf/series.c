// SPDX-License-Identifier: GPL-2.0
/* What documents say, put in order. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "document.h"
#include "figures.h"
#include "names.h"
#include "object.h"
#include "series.h"
#include "trouble.h"

/* A run is some 3 KB. */
#define DOCUMENT_BYTES_MAX	(256UL << 20)

static const char * const measured_names[] = {
	[MEASURED_TIME] = "time",
	[MEASURED_CPU_TIME] = "cpu-time",
	[MEASURED_INSTRUCTIONS] = "instructions",
};

#define NR_MEASURED	(sizeof(measured_names) / sizeof(measured_names[0]))

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

/* Is speed of it in calls, not in bytes? So it is where a datagram is the unit. */
static bool in_calls(const char *scenario, enum measured measured)
{
	static const char * const calls[] = {
		"ping", "connect", "setup", "wake", "refuse",
	};
	unsigned int i;

	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (begins(scenario, calls[i]))
			return true;
	return measured != MEASURED_TIME &&
		(begins(scenario, "dgram") || begins(scenario, "gso") ||
		 begins(scenario, "gro"));
}

static struct cell *find_cell(struct series *series, unsigned int group,
			      const char *scenario, const char *mode,
			      uint64_t size, uint64_t file_size)
{
	struct cell *cell;
	unsigned int i;

	for (i = 0; i < series->nr_cells; i++) {
		cell = &series->cells[i];
		if (cell->group == group && cell->size == size &&
		    cell->file_size == file_size &&
		    !strcmp(cell->scenario, scenario) &&
		    !strcmp(cell->mode, mode))
			return cell;
	}
	return NULL;
}

struct cell *series_cell(struct series *series, unsigned int group,
			 struct json_object *run)
{
	char scenario[sizeof(series->cells->scenario)];
	char mode[sizeof(series->cells->mode)];
	uint64_t size = object_real(run, "size");
	uint64_t file_size = object_real(run, "file_size");
	struct cell *cell;

	snprintf(scenario, sizeof(scenario), "%s", object_text(run, "scenario"));
	snprintf(mode, sizeof(mode), "%s", object_text(run, "mode"));
	cell = find_cell(series, group, scenario, mode, size, file_size);
	if (cell)
		return cell;
	if (series->nr_cells == SERIES_CELLS) {
		trouble("these documents have more than %d kinds of runs",
			SERIES_CELLS);
		return NULL;
	}
	cell = &series->cells[series->nr_cells++];
	memset(cell, 0, sizeof(*cell));
	memcpy(cell->scenario, scenario, sizeof(scenario));
	memcpy(cell->mode, mode, sizeof(mode));
	cell->group = group;
	cell->size = size;
	cell->file_size = file_size;
	cell->calls = in_calls(scenario, series->groups[group].measured);
	return cell;
}

static int measured_of(struct json_object *doc)
{
	const char *name = object_text(doc, "measured");
	unsigned int i;

	for (i = 0; i < NR_MEASURED; i++)
		if (!strcmp(name[0] ? name : measured_names[0],
			    measured_names[i]))
			return i;
	return trouble("its figures are '%.40s', which this nstperf does not know",
		       name);
}

static const char *as_text(struct json_object *json)
{
	return json ? json_object_to_json_string_ext(json,
						     JSON_C_TO_STRING_PLAIN) : "";
}

/* All that has to be alike where runs are rounds of the same; NULL: no memory. */
static char *key_of(struct json_object *doc)
{
	static const char * const members[] = {
		"measured", "client", "server", "same_host",
	};
	struct json_object *settings = object_object(doc, "settings"), *json;
	size_t size = 0, i;
	char *key = NULL;
	FILE *to = open_memstream(&key, &size);

	if (!to)
		return NULL;
	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		json_object_object_get_ex(doc, members[i], &json);
		fprintf(to, "%s\n", as_text(json));
	}
	/* More rounds are more of the same. */
	if (settings) {
		json_object_object_foreach(settings, name, value) {
			if (strcmp(name, "repeat"))
				fprintf(to, "%s %s\n", name, as_text(value));
		}
	}
	if (fclose(to)) {
		free(key);
		return NULL;
	}
	return key;
}

/* The group of a document, or -1 after trouble(). */
static int group_of(struct series *series, struct json_object *doc)
{
	int measured = measured_of(doc);
	char *key = measured < 0 ? NULL : key_of(doc);
	struct group *group;
	unsigned int i;

	if (!key)
		return measured < 0 ? -1 : trouble("no memory");
	for (i = 0; i < series->nr_groups; i++)
		if (!strcmp(series->groups[i].key, key)) {
			free(key);
			return i;
		}
	group = &series->groups[series->nr_groups];
	*group = (struct group){ key, measured, series->nr_docs };
	return series->nr_groups++;
}

/* The same measurement twice would look like twice as many rounds. */
static int not_twice(const struct series *series, struct json_object *doc,
		     unsigned int group, const char *path)
{
	const char *started = object_text(doc, "started");
	unsigned int i;

	for (i = 0; i < series->nr_docs; i++) {
		if (json_object_equal(doc, series->docs[i]) ||
		    (started[0] && group == series->group_of[i] &&
		     !strcmp(started, object_text(series->docs[i], "started"))))
			return trouble("%s: is of the same measurement as %s",
				       path, series->names[i]);
	}
	return 0;
}

/*
 * Piece by piece: json-c's own call takes all there is before it looks at it, and of
 * an endless file that is all the memory.
 */
static struct json_object *parse(struct json_tokener *tok, FILE *from,
				 const char *path)
{
	struct json_object *doc = NULL;
	static char part[65536];
	size_t n, all = 0;

	do {
		n = fread(part, 1, sizeof(part), from);
		all += n;
		if (ferror(from))
			trouble("%s: no JSON: %s", path, strerror(errno));
		else if (!n)
			trouble("%s: no JSON: it is not whole", path);
		else if (all > DOCUMENT_BYTES_MAX)
			trouble("%s: is too long for a document of nstperf", path);
		else
			doc = json_tokener_parse_ex(tok, part, n);
		if (!n || all > DOCUMENT_BYTES_MAX)
			return NULL;
	} while (!doc && json_tokener_get_error(tok) == json_tokener_continue);
	if (!doc)
		trouble("%s: no JSON: %s", path,
			json_tokener_error_desc(json_tokener_get_error(tok)));
	return doc;
}

static struct json_object *read_json(const char *path)
{
	struct json_tokener *tok = json_tokener_new();
	struct json_object *doc = NULL;
	FILE *from = fopen(path, "re");

	if (!from)
		trouble("%s: no JSON: %s", path, strerror(errno));
	else if (!tok)
		trouble("no memory");
	else
		doc = parse(tok, from, path);
	if (from)
		fclose(from);
	if (tok)
		json_tokener_free(tok);
	return doc;
}

static struct json_object *read_document(const char *path)
{
	struct json_object *doc = read_json(path), *runs;

	if (!doc)
		return NULL;
	if (!json_object_is_type(doc, json_type_object) ||
	    strcmp(object_text(doc, "format"), DOCUMENT_FORMAT) ||
	    !json_object_object_get_ex(doc, "runs", &runs) ||
	    !json_object_is_type(runs, json_type_array))
		trouble("%s: is no document of nstperf", path);
	else if (object_real(doc, "format_version") != DOCUMENT_VERSION)
		trouble("%s: has format version %.0f, this nstperf knows %d",
			path, object_real(doc, "format_version"),
			DOCUMENT_VERSION);
	else
		return doc;
	json_object_put(doc);
	return NULL;
}

static int add_runs(struct series *series, unsigned int group,
		    struct json_object *runs)
{
	size_t i;
	int rc;

	for (i = 0; i < json_object_array_length(runs); i++) {
		rc = figures_add(series, group,
				 json_object_array_get_idx(runs, i));
		if (rc < 0)
			return -1;
		series->impossible += rc;
	}
	return 0;
}

int series_read(struct series *series, const char *path)
{
	struct json_object *doc;
	int group;

	if (series->nr_docs == SERIES_DOCS)
		return trouble("more than %d documents", SERIES_DOCS);
	if (!series->cells)
		series->cells = calloc(SERIES_CELLS, sizeof(*series->cells));
	if (!series->cells)
		return trouble("no memory");
	doc = read_document(path);
	if (!doc)
		return -1;
	group = group_of(series, doc);
	if (group < 0 || not_twice(series, doc, group, path)) {
		json_object_put(doc);
		return -1;
	}
	series->names[series->nr_docs] = path;
	series->group_of[series->nr_docs] = group;
	series->docs[series->nr_docs++] = doc;
	return add_runs(series, group, json_object_object_get(doc, "runs"));
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* As nstperf lists them; what it does not know comes last. */
static int rank(int found)
{
	return found < 0 ? 1000 : found;
}

static int by_row(const void *a, const void *b)
{
	const struct cell *x = a, *y = b;
	int d = (x->group > y->group) - (x->group < y->group);

	d = d ?: rank(scenario_find(x->scenario)) -
		rank(scenario_find(y->scenario));
	d = d ?: strcmp(x->scenario, y->scenario);
	d = d ?: (x->file_size > y->file_size) - (x->file_size < y->file_size);
	d = d ?: (x->size > y->size) - (x->size < y->size);
	d = d ?: rank(mode_find(x->mode)) - rank(mode_find(y->mode));
	return d ?: strcmp(x->mode, y->mode);
}

static void sort(struct values *values)
{
	if (values->nr)
		qsort(values->at, values->nr, sizeof(double), by_value);
}

void series_sort(struct series *series)
{
	unsigned int i, j, n = 0;

	for (i = 0; i < series->nr_cells; i++) {
		for (j = 0; j < NR_QUANTITIES; j++)
			sort(&series->cells[i].value[j]);
		for (j = 0; j < SERIES_CURVE; j++)
			sort(&series->cells[i].curve[j]);
	}
	/* One all of whose runs were impossible has nothing. */
	for (i = 0; i < series->nr_cells; i++)
		if (series->cells[i].nr)
			series->cells[n++] = series->cells[i];
	series->nr_cells = n;
	qsort(series->cells, n, sizeof(*series->cells), by_row);
}

void series_free(struct series *series)
{
	unsigned int i, j;

	for (i = 0; i < series->nr_cells; i++) {
		for (j = 0; j < NR_QUANTITIES; j++)
			free(series->cells[i].value[j].at);
		for (j = 0; j < SERIES_CURVE; j++)
			free(series->cells[i].curve[j].at);
	}
	free(series->cells);
	for (i = 0; i < series->nr_groups; i++)
		free(series->groups[i].key);
	for (i = 0; i < series->nr_docs; i++)
		json_object_put(series->docs[i]);
}

static double median(const struct values *v)
{
	return v->nr ? (v->at[(v->nr - 1) / 2] + v->at[v->nr / 2]) / 2 : 0;
}

bool cell_has(const struct cell *cell, enum quantity quantity)
{
	return cell->value[quantity].nr;
}

double cell_median(const struct cell *cell, enum quantity quantity)
{
	return median(&cell->value[quantity]);
}

double cell_min(const struct cell *cell, enum quantity quantity)
{
	return cell_has(cell, quantity) ? cell->value[quantity].at[0] : 0;
}

double cell_max(const struct cell *cell, enum quantity quantity)
{
	unsigned int nr = cell->value[quantity].nr;

	return nr ? cell->value[quantity].at[nr - 1] : 0;
}

double cell_curve(const struct cell *cell, unsigned int nr)
{
	return median(&cell->curve[nr]);
}

bool cell_same(const struct cell *a, const struct cell *b,
	       enum quantity quantity)
{
	double d = cell_median(a, quantity) - cell_median(b, quantity);
	double sa = cell_max(a, quantity) - cell_min(a, quantity);
	double sb = cell_max(b, quantity) - cell_min(b, quantity);

	if (a->nr < 2 || b->nr < 2)
		return true;
	return (d < 0 ? -d : d) <= (sa > sb ? sa : sb);
}
