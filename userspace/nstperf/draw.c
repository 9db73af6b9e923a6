// SPDX-License-Identifier: GPL-2.0
/* The pictures of a report: in its page, or each in a file. */
#define _GNU_SOURCE
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "draw.h"
#include "svg.h"
#include "trouble.h"

/* Part of a file's name. What a document calls its scenarios may be anything. */
static void put_name(FILE *to, const char *text)
{
	for (; *text; text++)
		fputc(isalnum((unsigned char)*text) ? *text : '-', to);
}

/* DIR/DOCUMENT-SCENARIO[-fFILE][-SIZE]-WHAT.svg; the document is the first of the group. */
static char *path_of(const struct drawing *d, const struct cell *cell,
		     bool sizes, const char *what)
{
	const struct group *group = &d->series->groups[cell->group];
	const char *name = basename(d->series->names[group->first]);
	char *path = NULL, *base = strndup(name, strcspn(name, "."));
	size_t size;
	FILE *to = base ? open_memstream(&path, &size) : NULL;

	if (to) {
		fprintf(to, "%s/", d->dir);
		put_name(to, base);
		fputc('-', to);
		put_name(to, cell->scenario);
		if (cell->file_size)
			fprintf(to, "-f%llu",
				(unsigned long long)cell->file_size);
		if (!sizes)
			fprintf(to, "-%llu", (unsigned long long)cell->size);
		fprintf(to, "-%s.svg", what);
		if (fclose(to)) {
			free(path);
			path = NULL;
		}
	}
	free(base);
	return path;
}

/* Where to draw; NULL: nowhere, and no more. */
static FILE *begin(struct drawing *d, const struct cell *cell, bool sizes,
		   const char *what, const char *caption)
{
	if (d->failed)
		return NULL;
	if (d->page) {
		fprintf(d->page, "<figure><figcaption>%s</figcaption>\n", caption);
		return d->page;
	}
	d->path = path_of(d, cell, sizes, what);
	if (!d->path)
		trouble("no memory");
	d->failed = !d->path || place_open(&d->file, d->path);
	if (!d->failed)
		return d->file.to;
	free(d->path);
	return NULL;
}

static void end(struct drawing *d)
{
	if (d->page) {
		fputs("</figure>\n", d->page);
		return;
	}
	d->failed = place_close(&d->file);
	free(d->path);
}

static void bars(struct drawing *d, const struct cell *cells, unsigned int nr,
		 enum quantity quantity, const char *what, const char *caption,
		 const char *unit)
{
	bool cpu = quantity == QUANTITY_CPU;
	FILE *to;
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (cell_has(&cells[i], quantity))
			break;
	if (i == nr)
		return;
	to = begin(d, cells, false, what, caption);
	if (!to)
		return;
	svg_bars(to, caption, cells, nr, quantity,
		 cpu ? QUANTITY_MACHINE : quantity, unit);
	end(d);
}

static void sizes(struct drawing *d, const struct cell *cells, unsigned int nr,
		  enum quantity quantity, const char *what, const char *caption,
		  const char *unit)
{
	FILE *to;
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (cell_has(&cells[i], quantity))
			break;
	to = i < nr ? begin(d, cells, true, what, caption) : NULL;
	if (!to)
		return;
	svg_sizes(to, caption, cells, nr, quantity, unit);
	end(d);
}

static void latency(struct drawing *d, const struct cell *cells,
		    unsigned int nr)
{
	static const char caption[] =
		"Latency of a call: so much was not exceeded by this share";
	FILE *to;
	unsigned int i;

	for (i = 0; i < nr && !cells[i].nr_curve; i++)
		;
	to = i < nr ? begin(d, cells, false, "latency", caption) : NULL;
	if (!to)
		return;
	svg_latency(to, caption, cells, nr);
	end(d);
}

/* What a second is. */
static const char *unit_of_time(const struct drawing *d, const struct cell *cell)
{
	return d->series->groups[cell->group].measured == MEASURED_CPU_TIME ?
		"second of processor time" : "second";
}

static void all(struct drawing *d, const struct cell *cells, unsigned int nr,
		const char *by,
		void (*one)(struct drawing *d, const struct cell *cells,
			    unsigned int nr, enum quantity quantity,
			    const char *what, const char *caption,
			    const char *unit))
{
	const char *unit = cells->calls ? "call" : "megabyte";
	char caption[160];

	snprintf(caption, sizeof(caption), "Speed%s, %s per %s", by,
		 cells->calls ? "calls" : "bytes", unit_of_time(d, cells));
	one(d, cells, nr, QUANTITY_RATE, "speed", caption,
	    cells->calls ? "/s" : "B/s");
	snprintf(caption, sizeof(caption), "Processor time%s, of both ends for a %s",
		 by, unit);
	one(d, cells, nr, QUANTITY_CPU, "processors", caption, "s");
	snprintf(caption, sizeof(caption), "Instructions%s, of both ends for a call",
		 by);
	one(d, cells, nr, QUANTITY_INSTRUCTIONS, "instructions", caption, "");
}

void draw_sizes(struct drawing *d, const struct cell *cells, unsigned int nr)
{
	all(d, cells, nr, " by size of a call", sizes);
}

void draw_size(struct drawing *d, const struct cell *cells, unsigned int nr)
{
	all(d, cells, nr, "", bars);
	latency(d, cells, nr);
}
