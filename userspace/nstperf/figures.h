/* SPDX-License-Identifier: GPL-2.0 */
/* The figures of a run, as a document has them. */
#ifndef NSTPERF_FIGURES_H
#define NSTPERF_FIGURES_H

#include "series.h"

/* 0; 1: its numbers cannot be; -1 after trouble(). One that was not done is 0. */
int figures_add(struct series *series, unsigned int group,
		struct json_object *run);

/* One more; -1 after trouble(). */
int values_add(struct values *values, double value);

#endif /* NSTPERF_FIGURES_H */
