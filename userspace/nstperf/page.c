// SPDX-License-Identifier: GPL-2.0
/* The parts of a page that are no pictures. */
#include <json-c/json.h>
#include <math.h>
#include <string.h>
#include "object.h"
#include "page.h"
#include "svg.h"

/* Readable on a phone, and in black and white; nothing comes from elsewhere. */
static const char style[] =
	"body{font:16px/1.5 system-ui,sans-serif;color:#111;background:#fff;\n"
	"max-width:46rem;margin:0 auto;padding:0 .8rem 3rem}\n"
	"h1,h2,h3{line-height:1.2}section{border-top:2px solid #111;margin-top:2rem}\n"
	"figure{margin:1rem 0}figcaption{font-weight:600;margin-bottom:.3rem}\n"
	"svg{width:100%;max-width:36rem;height:auto;display:block;font:13px system-ui,sans-serif}\n"
	".bar{fill:#bbb;stroke:#111}.nst{fill:#111}\n"
	".spread{stroke:#111;stroke-width:1.5;fill:none}\n"
	".nst+.spread{stroke:#777}.end{text-anchor:end}.middle{text-anchor:middle}\n"
	".line{fill:none;stroke:#111;stroke-width:2}.hollow{fill:#fff;stroke:#111;\n"
	"stroke-width:1.5}.grid{stroke:#ccc}\n"
	".wide{overflow-x:auto}table{border-collapse:collapse;font-size:14px}\n"
	"td,th{padding:.2rem .5rem;border-bottom:1px solid #bbb;text-align:right;\n"
	"white-space:nowrap}th:first-child,td:first-child{text-align:left}\n"
	".note{border:2px solid #111;padding:.5rem .8rem}ul.note{padding-left:1.6rem}\n"
	"dl{display:grid;grid-template-columns:auto 1fr;gap:0 .8rem}dd{margin:0;\n"
	"overflow-wrap:anywhere}@media print{section{break-inside:avoid-page}}";

static void member(FILE *to, const char *name, struct json_object *value)
{
	fputs("<dt>", to);
	svg_text(to, name);
	fputs("</dt><dd>", to);
	svg_text(to, json_object_get_string(value));
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

/* Runs that were refused or failed, each kind once would hide how many. */
static void bad_runs(FILE *to, struct json_object *doc)
{
	struct json_object *runs = json_object_object_get(doc, "runs"), *run;
	unsigned int bad = 0;
	size_t i;

	for (i = 0; i < json_object_array_length(runs); i++) {
		run = json_object_array_get_idx(runs, i);
		if (!strcmp(object_text(run, "status"), "ok"))
			continue;
		fputs(bad++ ? "<li>" : "<ul class=\"note\"><li>", to);
		svg_text(to, object_text(run, "scenario"));
		fputs(", ", to);
		svg_text(to, object_text(run, "mode"));
		fprintf(to, ", %.0f bytes: ", object_real(run, "size"));
		svg_text(to, object_text(run, "why"));
		fputs("</li>\n", to);
	}
	if (bad)
		fputs("</ul>\n", to);
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
		"<title>nstperf</title><style>%s</style></head><body>\n<h1>nstperf</h1>\n",
		style);
	fputs("<p>Bars and points are medians of all rounds, the thin line goes\n"
	      "from the least to the most. A difference that is smaller than this\n"
	      "spread says nothing, and is called <i>same</i> below. NST is black,\n"
	      "the others are grey. Processor time is that of the two programs, user\n"
	      "and kernel; what the machine did beside, as in soft interrupts, is in\n"
	      "the document only.</p>\n", to);
	for (i = 0; i < series->nr_docs; i++) {
		tell_lack(to, series->names[i], series->docs[i]);
		if (object_bool(series->docs[i], "same_host"))
			fputs("<p class=\"note\">Both ends were on one machine,\n"
			      "and took its processors from each other.</p>\n",
			      to);
	}
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
		fputs("</section>\n", to);
	}
	fputs("</body></html>\n", to);
}

static void value(FILE *to, const struct cell *cell, enum quantity quantity,
		  const char *unit)
{
	char buf[32];

	fprintf(to, "<td>%s%s</td>",
		svg_number(cell_median(cell, quantity), buf), unit);
}

void page_table(FILE *to, const struct cell *cells, unsigned int nr)
{
	bool calls = series_in_calls(cells->scenario);
	double median;
	unsigned int i;

	fprintf(to, "<div class=\"wide\"><table><tr><th>mode</th><th>runs</th>\n"
		"<th>speed</th><th>spread</th><th>processors</th>\n"
		"<th>p50</th><th>p99</th><th>p99.9</th><th>most</th>\n"
		"<th>%s</th></tr>\n",
		cells->sent > 0 ? "lost" : "retransmits");
	for (i = 0; i < nr; i++) {
		median = cell_median(&cells[i], QUANTITY_RATE);
		fputs("<tr><td>", to);
		svg_text(to, cells[i].mode);
		fprintf(to, "</td><td>%u</td>", cells[i].nr);
		value(to, &cells[i], QUANTITY_RATE, calls ? "/s" : "B/s");
		if (cells[i].nr > 1)
			fprintf(to, "<td>%.1f %%</td>",
				100 * (cell_max(&cells[i], QUANTITY_RATE) -
				cell_min(&cells[i], QUANTITY_RATE)) / median);
		else
			fputs("<td>unknown</td>", to);
		value(to, &cells[i], QUANTITY_CPU, calls ? "s" : "s/MB");
		value(to, &cells[i], QUANTITY_P50, "s");
		value(to, &cells[i], QUANTITY_P99, "s");
		value(to, &cells[i], QUANTITY_P99_9, "s");
		value(to, &cells[i], QUANTITY_MAX, "s");
		if (cells->sent > 0)
			fprintf(to, "<td>%.2f %%</td></tr>\n", 100 *
				cells[i].lost / fmax(cells[i].sent, 1));
		else
			fprintf(to, "<td>%.0f</td></tr>\n",
				cells[i].retransmits);
	}
	fputs("</table></div>\n", to);
}

static void matrix_cell(FILE *to, const struct cell *a, const struct cell *b)
{
	double percent = 100 * cell_median(a, QUANTITY_RATE) /
			 cell_median(b, QUANTITY_RATE);

	if (a == b)
		fputs("<td></td>", to);
	else if (cell_same(a, b, QUANTITY_RATE))
		fprintf(to, "<td><i>same</i> (%.0f)</td>", percent);
	else
		fprintf(to, "<td>%.0f</td>", percent);
}

void page_matrix(FILE *to, const struct cell *cells, unsigned int nr)
{
	unsigned int i, j;

	if (nr < 2)
		return;
	fputs("<p>Speed of the mode at the left, in percent of the one above.\n"
	      "<i>same</i>: the difference is smaller than the spread, or there is\n"
	      "only one run and the spread is not known.</p>\n"
	      "<div class=\"wide\"><table><tr><th></th>", to);
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
			matrix_cell(to, &cells[i], &cells[j]);
		fputs("</tr>\n", to);
	}
	fputs("</table></div>\n", to);
}
