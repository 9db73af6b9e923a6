/* SPDX-License-Identifier: GPL-2.0 */
/* Pictures in SVG, of cells of one scenario. Made for black and white. */
#ifndef NSTPERF_SVG_H
#define NSTPERF_SVG_H

#include <stdio.h>
#include "series.h"

/* Text of others, in HTML. */
void svg_text(FILE *to, const char *text);

/* A number with three digits and a unit's prefix. */
const char *svg_number(double value, char buf[32]);

/* What pictures in a page need of its style. */
extern const char svg_style[];

/* From now on each picture is a file of its own, or not. */
void svg_alone(bool file);

/*
 * A bar a cell, with a line from the least to the most; and below it an empty one of
 * @more, if that is another quantity and anything tells it.
 */
void svg_bars(FILE *to, const char *title, const struct cell *cells,
	      unsigned int nr, enum quantity quantity, enum quantity more,
	      const char *unit);

/* A line a mode, over sizes. */
void svg_sizes(FILE *to, const char *title, const struct cell *cells,
	       unsigned int nr, enum quantity quantity, const char *unit);

/* A line a cell: latency over the share of calls that took no longer. */
void svg_latency(FILE *to, const char *title, const struct cell *cells,
		 unsigned int nr);

#endif /* NSTPERF_SVG_H */
