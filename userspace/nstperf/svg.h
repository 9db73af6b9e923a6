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

/* A bar a cell, with a line from the least to the most. */
void svg_bars(FILE *to, const struct cell *cells, unsigned int nr,
	      enum quantity quantity, const char *unit);

/* A line a mode, over sizes. */
void svg_sizes(FILE *to, const struct cell *cells, unsigned int nr,
	       enum quantity quantity, const char *unit);

/* A line a cell: latency over the share of calls that took no longer. */
void svg_latency(FILE *to, const struct cell *cells, unsigned int nr);

#endif /* NSTPERF_SVG_H */
