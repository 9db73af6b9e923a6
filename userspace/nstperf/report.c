// SPDX-License-Identifier: GPL-2.0
/* One page of documents. */
#include <stdio.h>
#include <string.h>
#include "draw.h"
#include "names.h"
#include "page.h"
#include "place.h"
#include "report.h"
#include "series.h"
#include "svg.h"
#include "trouble.h"

/* How many of the cells from @at on are of one scenario, file, machines and settings. */
static unsigned int of_scenario(const struct series *s, unsigned int at)
{
	unsigned int n = 1;

	while (at + n < s->nr_cells &&
	       s->cells[at].group == s->cells[at + n].group &&
	       s->cells[at].file_size == s->cells[at + n].file_size &&
	       !strcmp(s->cells[at].scenario, s->cells[at + n].scenario))
		n++;
	return n;
}

/* And of one size too. */
static unsigned int of_size(const struct cell *cells, unsigned int nr)
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
	if (cell->file_size)
		fprintf(to, ", a file of %llu bytes",
			(unsigned long long)cell->file_size);
	fputs("</h2>\n", to);
	if (known >= 0)
		fprintf(to, "<p>%s.</p>\n", scenario_info(known)->text);
}

static void one_size(struct drawing *d, const struct cell *cells,
		     unsigned int nr)
{
	unsigned int i;

	if (d->page)
		fprintf(d->page, "<h3>%llu bytes</h3>\n",
			(unsigned long long)cells->size);
	draw_size(d, cells, nr);
	if (!d->page)
		return;
	for (i = 0; i < nr; i++)
		if (cells[i].instead) {
			fputs("<p>* User space carries here what the kernel\n"
			      "splices or sends at once elsewhere.</p>\n",
			      d->page);
			break;
		}
	page_table(d->page, d->series, cells, nr);
	page_matrix(d->page, d->series, cells, nr);
}

static void one_scenario(struct drawing *d, const struct cell *cells,
			 unsigned int nr)
{
	unsigned int i, n = of_size(cells, nr);

	if (d->page)
		heading(d->page, cells);
	if (n < nr)
		draw_sizes(d, cells, nr);
	for (i = 0; i < nr; i += n) {
		n = of_size(cells + i, nr - i);
		one_size(d, cells + i, n);
	}
	if (d->page)
		fputs("</section>\n", d->page);
}

static void draw(struct drawing *d)
{
	const struct series *series = d->series;
	unsigned int i, n;

	for (i = 0; i < series->nr_cells; i += n) {
		n = of_scenario(series, i);
		if (d->page && (!i || series->cells[i].group !=
				series->cells[i - 1].group))
			page_group(d->page, series, series->cells[i].group);
		one_scenario(d, series->cells + i, n);
	}
}

static int write_page(const char *path, const struct series *series)
{
	struct drawing d = { .series = series };
	struct place place;

	if (place_open(&place, path))
		return -1;
	d.page = place.to;
	page_begin(place.to, series);
	draw(&d);
	page_end(place.to, series);
	return place_close(&place);
}

/* Each in a file of its own, for pages of others. */
static int write_pictures(const char *dir, const struct series *series)
{
	struct drawing d = { .series = series, .dir = dir };

	svg_alone(true);
	draw(&d);
	svg_alone(false);
	return d.failed ? -1 : 0;
}

/* Where it goes: a page, or pictures into a directory. */
struct wanted {
	const char *output;
	const char *pictures;
};

/* @value: that of the option, if argv[*i] is it: 1. 0 if it is not; or trouble(). */
static int value_of(const char *name, int argc, char **argv, int *i,
		    const char **value)
{
	size_t len = strlen(name);

	if (strncmp(argv[*i], name, len) ||
	    (argv[*i][len] && argv[*i][len] != '='))
		return 0;
	if (argv[*i][len])
		*value = argv[*i] + len + 1;
	else
		*value = *i + 1 < argc ? argv[++*i] : "";
	return **value ? 1 : trouble("%s wants a value", name);
}

/* As `report --output *.json` takes the first of them for the page. */
static bool is_document(const char *path)
{
	const char *end = strrchr(path, '.');

	return end && !strcmp(end, ".json");
}

static int read_all(struct series *series, int argc, char **argv,
		    struct wanted *wanted)
{
	int i, n;

	for (i = 0; i < argc; i++) {
		n = value_of("--output", argc, argv, &i, &wanted->output);
		if (!n)
			n = value_of("--pictures", argc, argv, &i,
				     &wanted->pictures);
		if (n < 0)
			return -1;
		if (n)
			continue;
		if (argv[i][0] == '-')
			return trouble("what is '%s'? (nstperf help)",
				       argv[i]);
		if (series_read(series, argv[i]))
			return -1;
	}
	if (wanted->output && is_document(wanted->output))
		return trouble("--output: %s is a document, which the page would replace",
			       wanted->output);
	if (!series->nr_docs)
		return trouble("report wants documents (nstperf help)");
	series_sort(series);
	if (!series->nr_cells)
		return trouble("no run in these documents was done");
	return 0;
}

int report_run(int argc, char **argv)
{
	struct series series = { 0 };
	struct wanted wanted = { 0 };
	int rc = 0;

	if (read_all(&series, argc, argv, &wanted))
		rc = 2;
	else if (wanted.pictures && write_pictures(wanted.pictures, &series))
		rc = 1;
	else if ((wanted.output || !wanted.pictures) &&
		 write_page(wanted.output, &series))
		rc = 1;
	if (rc)
		fprintf(stderr, "nstperf: %s\n", trouble_text());
	series_free(&series);
	return rc;
}
