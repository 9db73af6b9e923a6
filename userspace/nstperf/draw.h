/* SPDX-License-Identifier: GPL-2.0 */
/* The pictures of a report: in its page, or each in a file. */
#ifndef NSTPERF_DRAW_H
#define NSTPERF_DRAW_H

#include <stdio.h>
#include "place.h"
#include "series.h"

/**
 * struct drawing - where pictures go
 * @series: what they are of
 * @page: where they go, or NULL
 * @dir: or into files there
 * @file: the one that is being written
 * @path: its name
 * @failed: one could not be written
 */
struct drawing {
	const struct series *series;
	FILE *page;
	const char *dir;
	struct place file;
	char *path;
	bool failed;
};

/* Of cells of one scenario, over sizes; and of one size. */
void draw_sizes(struct drawing *d, const struct cell *cells, unsigned int nr);
void draw_size(struct drawing *d, const struct cell *cells, unsigned int nr);

#endif /* NSTPERF_DRAW_H */
