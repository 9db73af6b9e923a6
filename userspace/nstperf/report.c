// SPDX-License-Identifier: GPL-2.0
/* One page of documents. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "names.h"
#include "object.h"
#include "page.h"
#include "place.h"
#include "report.h"
#include "series.h"
#include "svg.h"
#include "trouble.h"

/* How many of the cells from @at on are of one scenario. */
static unsigned int group(const struct series *s, unsigned int at)
{
	unsigned int n = 1;

	while (at + n < s->nr_cells &&
	       !strcmp(s->cells[at].scenario, s->cells[at + n].scenario))
		n++;
	return n;
}

/* And of one size too. */
static unsigned int subgroup(const struct cell *cells, unsigned int nr)
{
	unsigned int n = 1;

	while (n < nr && cells[n].size == cells[0].size)
		n++;
	return n;
}

static void heading(FILE *to, const struct cell *cell)
{
	int known = scenario_find(cell->scenario);

	fputs("<section><h2>", to);
	svg_text(to, cell->scenario);
	fputs("</h2>\n", to);
	if (known >= 0)
		fprintf(to, "<p>%s.</p>\n", scenario_info(known)->text);
}

static void one_size(FILE *to, const struct cell *cells, unsigned int nr)
{
	bool calls = series_in_calls(cells->scenario);
	unsigned int i;

	fprintf(to, "<h3>%llu bytes</h3>\n"
		"<figure><figcaption>Speed, %s per second</figcaption>\n",
		(unsigned long long)cells->size, calls ? "calls" : "bytes");
	svg_bars(to, cells, nr, QUANTITY_RATE, calls ? "/s" : "B/s");
	fprintf(to, "</figure>\n<figure>\n"
		"<figcaption>Processor time of both ends, for a %s</figcaption>\n",
		calls ? "call" : "megabyte");
	svg_bars(to, cells, nr, QUANTITY_CPU, "s");
	fputs("</figure>\n<figure><figcaption>Latency of a call: so much was not\n"
	      "exceeded by this share</figcaption>\n",
	      to);
	svg_latency(to, cells, nr);
	fputs("</figure>\n", to);
	for (i = 0; i < nr; i++)
		if (cells[i].instead) {
			fputs("<p>* User space carries here what the kernel\n"
			      "splices or sends at once elsewhere.</p>\n",
			      to);
			break;
		}
	page_table(to, cells, nr);
	page_matrix(to, cells, nr);
}

static void one_scenario(FILE *to, const struct cell *cells, unsigned int nr)
{
	bool calls = series_in_calls(cells->scenario);
	unsigned int i, n = subgroup(cells, nr);

	heading(to, cells);
	if (n < nr) {
		fprintf(to, "<figure><figcaption>Speed by size of a call, %s per\n"
			"second</figcaption>\n",
			calls ? "calls" : "bytes");
		svg_sizes(to, cells, nr, QUANTITY_RATE, "");
		fprintf(to, "</figure>\n<figure><figcaption>Processor time by size,\n"
			"seconds for a %s</figcaption>\n",
			calls ? "call" : "megabyte");
		svg_sizes(to, cells, nr, QUANTITY_CPU, "s");
		fputs("</figure>\n", to);
	}
	for (i = 0; i < nr; i += n) {
		n = subgroup(cells + i, nr - i);
		one_size(to, cells + i, n);
	}
	fputs("</section>\n", to);
}

static void write_page(FILE *to, const struct series *series)
{
	unsigned int i, n;

	page_begin(to, series);
	for (i = 0; i < series->nr_cells; i += n) {
		n = group(series, i);
		one_scenario(to, series->cells + i, n);
	}
	page_end(to, series);
}

static int write_to(const char *path, const struct series *series)
{
	struct place place;

	if (place_open(&place, path))
		return -1;
	write_page(place.to, series);
	return place_close(&place);
}

static int read_all(struct series *series, int argc, char **argv,
		    const char **output)
{
	int i;

	for (i = 0; i < argc; i++) {
		if (!strcmp(argv[i], "--output") && i + 1 < argc)
			*output = argv[++i];
		else if (!strncmp(argv[i], "--output=", 9))
			*output = argv[i] + 9;
		else if (argv[i][0] == '-')
			return trouble("what is '%s'? (nstperf help)",
				       argv[i]);
		else if (series_read(series, argv[i]))
			return -1;
	}
	if (!series->nr_docs)
		return trouble("report wants documents (nstperf help)");
	if (!series->nr_cells)
		return trouble("no run in these documents was done");
	return 0;
}

int report_run(int argc, char **argv)
{
	struct series series = { 0 };
	const char *output = NULL;
	int rc = 0;

	if (read_all(&series, argc, argv, &output)) {
		rc = 2;
	} else {
		series_sort(&series);
		rc = write_to(output, &series) ? 1 : 0;
	}
	if (rc)
		fprintf(stderr, "nstperf: %s\n", trouble_text());
	series_free(&series);
	return rc;
}
