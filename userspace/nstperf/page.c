// SPDX-License-Identifier: GPL-2.0
/* The parts of a page that are no pictures. */
#include <json-c/json.h>
#include <math.h>
#include <string.h>
#include "object.h"
#include "page.h"
#include "svg.h"

/* Kinds of runs that went wrong, for one document. */
#define BAD_MAX	100
/* Modes, each beside each. */
#define MATRIX_MAX	64

/* Readable on a phone, and in black and white; nothing comes from elsewhere. */
static const char style[] =
	"body{font:16px/1.5 system-ui,sans-serif;color:#111;background:#fff;\n"
	"max-width:46rem;margin:0 auto;padding:0 .8rem 3rem}\n"
	"h1,h2,h3{line-height:1.2}section{border-top:2px solid #111;margin-top:2rem}\n"
	"figure{margin:1rem 0}figcaption{font-weight:600;margin-bottom:.3rem}\n"
	"svg{width:100%;max-width:36rem;height:auto;display:block;font:13px system-ui,sans-serif}\n"
	".wide{overflow-x:auto}table{border-collapse:collapse;font-size:14px}\n"
	"td,th{padding:.2rem .5rem;border-bottom:1px solid #bbb;text-align:right;\n"
	"white-space:nowrap}th:first-child,td:first-child{text-align:left}\n"
	".note{border:2px solid #111;padding:.5rem .8rem}\n"
	".note,h2{overflow-wrap:anywhere}ul.note{padding-left:1.6rem}\n"
	"dl{display:grid;grid-template-columns:auto 1fr;gap:0 .8rem}dd{margin:0;\n"
	"overflow-wrap:anywhere}@media print{section{break-inside:avoid-page}}";

static void member(FILE *to, const char *name, struct json_object *value)
{
	fputs("<dt>", to);
	svg_text(to, name);
	fputs("</dt><dd>", to);
	svg_text(to, value ? json_object_get_string(value) : "unknown");
	fputs("</dd>\n", to);
}

/* All that an object says, its objects too. */
static void members(FILE *to, const char *before, struct json_object *object)
{
	char name[80];

	if (!object)
		return;
	json_object_object_foreach(object, key, value) {
		snprintf(name, sizeof(name), "%s%s", before, key);
		if (json_object_is_type(value, json_type_object)) {
			strncat(name, " ", sizeof(name) - strlen(name) - 1);
			if (before[0] == '\0')
				members(to, name, value);
		} else {
			member(to, name, value);
		}
	}
}

static void list(FILE *to, const char *title, struct json_object *object)
{
	fprintf(to, "<h3>%s</h3>\n<dl>\n", title);
	members(to, "", object);
	fputs("</dl>\n", to);
}

static bool same_bad(struct json_object *a, struct json_object *b)
{
	static const char * const texts[] = { "status", "scenario", "mode", "why" };
	unsigned int i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strcmp(object_text(a, texts[i]), object_text(b, texts[i])))
			return false;
	return object_real(a, "size") == object_real(b, "size") &&
	       object_real(a, "file_size") == object_real(b, "file_size");
}

/* How many of the runs are like the @at-th; 0, if one before it is. */
static unsigned int alike(struct json_object *runs, size_t at)
{
	struct json_object *run = json_object_array_get_idx(runs, at);
	unsigned int n = 0;
	size_t i;

	for (i = 0; i < json_object_array_length(runs); i++) {
		if (!same_bad(run, json_object_array_get_idx(runs, i)))
			continue;
		if (i < at)
			return 0;
		n++;
	}
	return n;
}

/* Runs that were refused or failed, each kind once, and how many they were. */
static void bad_runs(FILE *to, struct json_object *doc)
{
	struct json_object *runs = json_object_object_get(doc, "runs"), *run;
	unsigned int bad = 0, times;
	size_t i;

	for (i = 0; i < json_object_array_length(runs); i++) {
		run = json_object_array_get_idx(runs, i);
		if (!strcmp(object_text(run, "status"), "ok"))
			continue;
		times = alike(runs, i);
		if (!times)
			continue;
		fputs(bad++ ? "<li>" : "<ul class=\"note\"><li>", to);
		svg_text(to, object_text(run, "scenario"));
		fputs(", ", to);
		svg_text(to, object_text(run, "mode"));
		fprintf(to, ", %.0f bytes", object_real(run, "size"));
		if (object_real(run, "file_size") > 0)
			fprintf(to, " of a file of %.0f",
				object_real(run, "file_size"));
		fprintf(to, ", %u %s: ", times, times > 1 ? "runs" : "run");
		svg_text(to, object_text(run, "why"));
		fputs("</li>\n", to);
		if (bad == BAD_MAX) {
			fputs("<li>and more</li>\n", to);
			break;
		}
	}
	if (bad)
		fputs("</ul>\n", to);
}

/* Documents of which both ends were one machine. */
static void tell_same(FILE *to, const struct series *series)
{
	unsigned int i, n = 0;

	for (i = 0; i < series->nr_docs; i++) {
		if (!object_bool(series->docs[i], "same_host"))
			continue;
		fputs(n++ ? ", " : "<p class=\"note\"><b>", to);
		svg_text(to, series->names[i]);
	}
	if (n)
		fputs("</b>: Both ends were on one machine, and took its\n"
		      "processors from each other.</p>\n", to);
}

static void tell_lack(FILE *to, const char *name, struct json_object *doc)
{
	if (!object_bool(doc, "complete")) {
		fputs("<p class=\"note\"><b>", to);
		svg_text(to, name);
		fputs(" is not complete:</b> ", to);
		svg_text(to, object_text(doc, "why"));
		fputs("</p>\n", to);
	}
	bad_runs(to, doc);
}

void page_begin(FILE *to, const struct series *series)
{
	unsigned int i;

	fprintf(to, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
		"<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
		"<title>nstperf</title><style>%s\n%s</style></head><body>\n<h1>nstperf</h1>\n",
		style, svg_style);
	fputs("<p>Bars and points are medians of all rounds, the thin line goes\n"
	      "from the least to the most. A difference that is smaller than this\n"
	      "spread says nothing, and is called <i>same</i> below. NST is black,\n"
	      "the others are grey. Processor time is that of the two programs, user\n"
	      "and kernel; the dashed bar below is all that the machines' processors\n"
	      "did meanwhile, soft interrupts, kernel threads and whatever else ran\n"
	      "there, so a mode that works in the kernel is judged by that one.</p>\n",
	      to);
	if (series->impossible)
		fprintf(to, "<p class=\"note\">%u runs have numbers that cannot be, and\n"
			"are left out.</p>\n", series->impossible);
	for (i = 0; i < series->nr_docs; i++)
		tell_lack(to, series->names[i], series->docs[i]);
	tell_same(to, series);
}

static void source(FILE *to, struct json_object *doc)
{
	struct json_object *source = object_object(doc, "source");

	if (source)
		list(to, "Source", source);
}

void page_group(FILE *to, const struct series *series, unsigned int group)
{
	static const char * const of[] = {
		[MEASURED_TIME] = "",
		[MEASURED_CPU_TIME] = " Speed is of processor time, not by the clock.",
		[MEASURED_INSTRUCTIONS] = " What was counted are instructions.",
	};
	struct json_object *doc = series->docs[series->groups[group].first];
	struct json_object *settings = object_object(doc, "settings");
	unsigned int i, n = 0;

	if (series->nr_groups < 2 && !*of[series->groups[group].measured])
		return;
	fputs("<p class=\"note\"><b>", to);
	for (i = 0; i < series->nr_docs; i++) {
		if (series->group_of[i] != group)
			continue;
		fputs(n++ ? ", " : "", to);
		svg_text(to, series->names[i]);
	}
	fputs("</b>: ", to);
	svg_text(to, object_text(object_object(doc, "client"), "host"));
	fputs(" to ", to);
	svg_text(to, object_text(object_object(doc, "server"), "host"));
	if (object_real(settings, "streams") > 0)
		fprintf(to, ", streams: %.0f", object_real(settings, "streams"));
	fprintf(to, ".%s%s</p>\n", of[series->groups[group].measured],
		series->nr_groups > 1 ?
		" Documents of other machines or settings have sections of their own." :
		"");
}

void page_end(FILE *to, const struct series *series)
{
	unsigned int i;

	for (i = 0; i < series->nr_docs; i++) {
		fputs("<section><h2>", to);
		svg_text(to, series->names[i]);
		fputs("</h2>\n<p>", to);
		svg_text(to, object_text(series->docs[i], "started"));
		fputs(" to ", to);
		svg_text(to, object_text(series->docs[i], "ended"));
		fputs("</p>\n", to);
		list(to, "Settings", object_object(series->docs[i],
						   "settings"));
		list(to, "Client", object_object(series->docs[i], "client"));
		list(to, "Server", object_object(series->docs[i], "server"));
		source(to, series->docs[i]);
		fputs("</section>\n", to);
	}
	fputs("</body></html>\n", to);
}

/* An empty field, where none of the runs tells it. */
static void value(FILE *to, const struct cell *cell, enum quantity quantity,
		  const char *unit)
{
	char buf[32];

	if (cell_has(cell, quantity))
		fprintf(to, "<td>%s%s</td>",
			svg_number(cell_median(cell, quantity), buf), unit);
	else
		fputs("<td></td>", to);
}

/* By what modes are compared. */
static enum quantity figure_of(const struct series *series,
			       const struct cell *cell)
{
	return series->groups[cell->group].measured == MEASURED_INSTRUCTIONS ?
		QUANTITY_INSTRUCTIONS : QUANTITY_RATE;
}

static void table_row(FILE *to, const struct cell *cell, enum quantity figure,
		      bool datagrams)
{
	double median = cell_median(cell, figure);
	const char *cost = cell->calls ? "s" : "s/MB";

	fputs("<tr><td>", to);
	svg_text(to, cell->mode);
	fprintf(to, "</td><td>%u</td>", cell->nr);
	value(to, cell, QUANTITY_RATE, cell->calls ? "/s" : "B/s");
	if (cell->nr > 1)
		fprintf(to, "<td>%.1f %%</td>", 100 *
			(cell_max(cell, figure) - cell_min(cell, figure)) / median);
	else
		fputs("<td>unknown</td>", to);
	value(to, cell, QUANTITY_CPU, cost);
	value(to, cell, QUANTITY_MACHINE, cost);
	value(to, cell, QUANTITY_INSTRUCTIONS, "");
	value(to, cell, QUANTITY_P50, "s");
	value(to, cell, QUANTITY_P99, "s");
	value(to, cell, QUANTITY_P99_9, "s");
	value(to, cell, QUANTITY_MAX, "s");
	if (datagrams)
		fprintf(to, "<td>%.2f %%</td></tr>\n",
			100 * cell->lost / fmax(cell->sent, 1));
	else
		fprintf(to, "<td>%.0f</td></tr>\n", cell->retransmits);
}

void page_table(FILE *to, const struct series *series, const struct cell *cells,
		unsigned int nr)
{
	unsigned int i;

	fprintf(to, "<div class=\"wide\"><table><tr><th>mode</th><th>runs</th>\n"
		"<th>speed</th><th>spread</th><th>programs</th><th>machines</th>\n"
		"<th>instructions</th><th>p50</th><th>p99</th><th>p99.9</th>\n"
		"<th>most</th><th>%s</th></tr>\n",
		cells->sent > 0 ? "lost" : "retransmits");
	for (i = 0; i < nr; i++)
		table_row(to, &cells[i], figure_of(series, cells),
			  cells->sent > 0);
	fputs("</table></div>\n", to);
}

static void matrix_cell(FILE *to, const struct cell *a, const struct cell *b,
			enum quantity figure)
{
	double percent = 100 * cell_median(a, figure) / cell_median(b, figure);

	if (a == b)
		fputs("<td></td>", to);
	else if (cell_same(a, b, figure))
		fprintf(to, "<td><i>same</i> (%.0f)</td>", percent);
	else
		fprintf(to, "<td>%.0f</td>", percent);
}

void page_matrix(FILE *to, const struct series *series,
		 const struct cell *cells, unsigned int nr)
{
	enum quantity figure = figure_of(series, cells);
	unsigned int i, j;

	/* Nobody has so many; a page of all of them would be for nobody. */
	if (nr < 2 || nr > MATRIX_MAX)
		return;
	fprintf(to, "<p>%s of the mode at the left, in percent of the one above.\n"
		"<i>same</i>: the difference is smaller than the spread, or there is\n"
		"only one run and the spread is not known.</p>\n"
		"<div class=\"wide\"><table><tr><th></th>",
		figure == QUANTITY_RATE ? "Speed" : "Instructions");
	for (i = 0; i < nr; i++) {
		fputs("<th>", to);
		svg_text(to, cells[i].mode);
		fputs("</th>", to);
	}
	fputs("</tr>\n", to);
	for (i = 0; i < nr; i++) {
		fputs("<tr><td>", to);
		svg_text(to, cells[i].mode);
		fputs("</td>", to);
		for (j = 0; j < nr; j++)
			matrix_cell(to, &cells[i], &cells[j], figure);
		fputs("</tr>\n", to);
	}
	fputs("</table></div>\n", to);
}
