/* SPDX-License-Identifier: GPL-2.0 */
/* What documents say, put in order: a cell for each scenario, size and mode. */
#ifndef NSTPERF_SERIES_H
#define NSTPERF_SERIES_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#define SERIES_DOCS	64
#define SERIES_CELLS	4096
#define SERIES_VALUES	1024
#define SERIES_CURVE	16

/* What a run is looked at for. */
enum quantity {
	QUANTITY_RATE, QUANTITY_CPU, QUANTITY_P50, QUANTITY_P99, QUANTITY_P99_9,
	QUANTITY_MAX, NR_QUANTITIES
};

/**
 * struct cell - all runs of one kind
 * @scenario: by name, as documents of a later release may have more
 * @mode: the same
 * @size: of a call
 * @nr: runs
 * @value: of each quantity, a value a run, in order of size
 * @instead: user space carried what a file or pipe had
 * @lost: share of datagrams lost, of all
 * @retransmits: of all
 * @curve: latency at some shares, ns; of the first run
 * @share: which
 * @nr_curve: how many
 */
struct cell {
	char scenario[32];
	char mode[32];
	uint64_t size;
	unsigned int nr;
	double *value[NR_QUANTITIES];
	bool instead;
	double sent, lost;
	double retransmits;
	double curve[SERIES_CURVE];
	double share[SERIES_CURVE];
	unsigned int nr_curve;
};

struct series {
	struct json_object *docs[SERIES_DOCS];
	const char *names[SERIES_DOCS];
	unsigned int nr_docs;
	struct cell *cells;
	unsigned int nr_cells;
};

/* Reads a document; 0, or trouble(). */
int series_read(struct series *series, const char *path);
/* After the last. */
void series_sort(struct series *series);
void series_free(struct series *series);

/* Is speed of that scenario in calls, not in bytes? */
bool series_in_calls(const char *scenario);

double cell_median(const struct cell *cell, enum quantity quantity);
double cell_min(const struct cell *cell, enum quantity quantity);
double cell_max(const struct cell *cell, enum quantity quantity);

/*
 * Is the difference of medians less than what runs of the same kind differ by? So
 * it is, too, where one of them has a single run, and the spread is not known.
 */
bool cell_same(const struct cell *a, const struct cell *b,
	       enum quantity quantity);

#endif /* NSTPERF_SERIES_H */
