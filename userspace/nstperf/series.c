// SPDX-License-Identifier: GPL-2.0
/* What documents say, put in order. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "document.h"
#include "names.h"
#include "object.h"
#include "series.h"
#include "trouble.h"

bool series_in_calls(const char *scenario)
{
	return !strcmp(scenario, "ping") || !strncmp(scenario, "connect", 7);
}

static struct cell *find_cell(struct series *series, const char *scenario,
			      const char *mode, uint64_t size)
{
	struct cell *cell;
	unsigned int i;

	for (i = 0; i < series->nr_cells; i++) {
		cell = &series->cells[i];
		if (cell->size == size && !strcmp(cell->scenario, scenario) &&
		    !strcmp(cell->mode, mode))
			return cell;
	}
	if (series->nr_cells == SERIES_CELLS)
		return NULL;
	cell = &series->cells[series->nr_cells];
	memset(cell, 0, sizeof(*cell));
	for (i = 0; i < NR_QUANTITIES; i++) {
		cell->value[i] = calloc(SERIES_VALUES, sizeof(double));
		if (!cell->value[i])
			return NULL;
	}
	snprintf(cell->scenario, sizeof(cell->scenario), "%s", scenario);
	snprintf(cell->mode, sizeof(cell->mode), "%s", mode);
	cell->size = size;
	series->nr_cells++;
	return cell;
}

static double cpu_of(struct json_object *run, const char *end)
{
	struct json_object *meter = object_object(run, end);

	return object_real(meter, "user_s") + object_real(meter, "system_s");
}

static double seconds_of(struct json_object *json, const char *name)
{
	return object_real(json, name) / 1e9;
}

static void read_curve(struct cell *cell, struct json_object *latency)
{
	struct json_object *curve, *point, *share, *value;
	size_t i, nr;

	if (cell->nr_curve ||
	    !json_object_object_get_ex(latency, "curve", &curve) ||
	    !json_object_is_type(curve, json_type_array))
		return;
	nr = json_object_array_length(curve);
	for (i = 0; i < nr && i < SERIES_CURVE; i++) {
		point = json_object_array_get_idx(curve, i);
		if (!json_object_is_type(point, json_type_array) ||
		    json_object_array_length(point) != 2)
			break;
		share = json_object_array_get_idx(point, 0);
		value = json_object_array_get_idx(point, 1);
		cell->share[i] = json_object_get_double(share);
		cell->curve[i] = json_object_get_double(value);
		if (!(cell->share[i] >= 0 && cell->share[i] <= 1 &&
		      cell->curve[i] >= 0 && cell->curve[i] < 1e15))
			break;
		cell->nr_curve++;
	}
}

static void add_run(struct series *series, struct json_object *run)
{
	const char *scenario = object_text(run, "scenario");
	struct json_object *latency = object_object(run, "latency");
	double cpu = cpu_of(run, "client") + cpu_of(run, "server");
	bool calls = series_in_calls(scenario);
	double work = object_real(run, calls ? "ops" : "bytes");
	double size = object_real(run, "size");
	struct cell *cell;

	if (strcmp(object_text(run, "status"), "ok") || work <= 0 ||
	    !(size >= 1 && size <= 1e15))
		return;
	cell = find_cell(series, scenario, object_text(run, "mode"), size);
	if (!cell || cell->nr == SERIES_VALUES)
		return;
	cell->value[QUANTITY_RATE][cell->nr] =
		object_real(run, calls ? "ops_per_s" : "bytes_per_s");
	/* Seconds for a call, or for a megabyte. */
	cell->value[QUANTITY_CPU][cell->nr] = cpu / work * (calls ? 1 : 1e6);
	cell->value[QUANTITY_P50][cell->nr] = seconds_of(latency, "p50_ns");
	cell->value[QUANTITY_P99][cell->nr] = seconds_of(latency, "p99_ns");
	cell->value[QUANTITY_P99_9][cell->nr] =
		seconds_of(latency, "p99_9_ns");
	cell->value[QUANTITY_MAX][cell->nr] = seconds_of(latency, "max_ns");
	cell->nr++;
	cell->instead = object_bool(run, "carried_by_user_space");
	cell->sent += object_real(run, "datagrams_sent");
	cell->lost += object_real(run, "datagrams_lost");
	cell->retransmits += object_real(run, "retransmits");
	read_curve(cell, latency);
}

int series_read(struct series *series, const char *path)
{
	struct json_object *doc, *runs;
	size_t i;

	if (series->nr_docs == SERIES_DOCS)
		return trouble("more than %d documents", SERIES_DOCS);
	if (!series->cells)
		series->cells = calloc(SERIES_CELLS, sizeof(*series->cells));
	if (!series->cells)
		return trouble("no memory");
	doc = json_object_from_file(path);
	if (!doc)
		return trouble("%s: no JSON: %s", path,
			       json_util_get_last_err() ?: "");
	if (!json_object_is_type(doc, json_type_object) ||
	    strcmp(object_text(doc, "format"), DOCUMENT_FORMAT) ||
	    !json_object_object_get_ex(doc, "runs", &runs) ||
	    !json_object_is_type(runs, json_type_array)) {
		json_object_put(doc);
		return trouble("%s: is no document of nstperf", path);
	}
	if (object_real(doc, "format_version") != DOCUMENT_VERSION) {
		trouble("%s: has format version %.0f, this nstperf knows %d",
			path, object_real(doc, "format_version"),
			DOCUMENT_VERSION);
		json_object_put(doc);
		return -1;
	}
	series->names[series->nr_docs] = path;
	series->docs[series->nr_docs++] = doc;
	for (i = 0; i < json_object_array_length(runs); i++)
		add_run(series, json_object_array_get_idx(runs, i));
	return 0;
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
	int d = rank(scenario_find(x->scenario)) -
		rank(scenario_find(y->scenario));

	d = d ?: strcmp(x->scenario, y->scenario);
	d = d ?: (x->size > y->size) - (x->size < y->size);
	return d ?: rank(mode_find(x->mode)) - rank(mode_find(y->mode));
}

void series_sort(struct series *series)
{
	unsigned int i, q;

	for (i = 0; i < series->nr_cells; i++)
		for (q = 0; q < NR_QUANTITIES; q++)
			qsort(series->cells[i].value[q], series->cells[i].nr,
			      sizeof(double), by_value);
	qsort(series->cells, series->nr_cells, sizeof(*series->cells), by_row);
}

void series_free(struct series *series)
{
	unsigned int i, q;

	for (i = 0; i < series->nr_cells; i++)
		for (q = 0; q < NR_QUANTITIES; q++)
			free(series->cells[i].value[q]);
	free(series->cells);
	for (i = 0; i < series->nr_docs; i++)
		json_object_put(series->docs[i]);
}

double cell_median(const struct cell *cell, enum quantity quantity)
{
	const double *v = cell->value[quantity];

	return (v[(cell->nr - 1) / 2] + v[cell->nr / 2]) / 2;
}

double cell_min(const struct cell *cell, enum quantity quantity)
{
	return cell->value[quantity][0];
}

double cell_max(const struct cell *cell, enum quantity quantity)
{
	return cell->value[quantity][cell->nr - 1];
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
