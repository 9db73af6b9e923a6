/* SPDX-License-Identifier: GPL-2.0 */
/* The parts of a page that are no pictures. */
#ifndef NSTPERF_PAGE_H
#define NSTPERF_PAGE_H

#include <stdio.h>
#include "series.h"

/* Head, machines, settings, and what documents say that they lack. */
void page_begin(FILE *to, const struct series *series);
void page_end(FILE *to, const struct series *series);

/* Whose and of what settings the following is, if there are several. */
void page_group(FILE *to, const struct series *series, unsigned int group);

/* Numbers of cells of one scenario and size. */
void page_table(FILE *to, const struct series *series, const struct cell *cells,
		unsigned int nr);

/* Each mode beside each, in percent; where that says nothing, that is said. */
void page_matrix(FILE *to, const struct series *series,
		 const struct cell *cells, unsigned int nr);

#endif /* NSTPERF_PAGE_H */
