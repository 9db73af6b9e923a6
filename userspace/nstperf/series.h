/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What documents say, put in order: a cell for each scenario, file, size and mode. Runs of
 * other machines or settings are no rounds of the same, so those have cells of
 * their own: a group for each.
 */
#ifndef NSTPERF_SERIES_H
#define NSTPERF_SERIES_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#define SERIES_DOCS	64
#define SERIES_CELLS	4096
#define SERIES_CURVE	16

/* What a run is looked at for. */
enum quantity {
	QUANTITY_RATE, QUANTITY_CPU, QUANTITY_MACHINE, QUANTITY_INSTRUCTIONS,
	QUANTITY_P50, QUANTITY_P99, QUANTITY_P99_9, QUANTITY_MAX, NR_QUANTITIES
};

/* What a document's figures are. */
enum measured { MEASURED_TIME, MEASURED_CPU_TIME, MEASURED_INSTRUCTIONS };

/* In order of size, once all are there. */
struct values {
	double *at;
	unsigned int nr;
	unsigned int room;
};

/**
 * struct cell - all runs of one kind
 * @group: of machines and settings
 * @scenario: by name, as documents of a later release may have more
 * @mode: the same
 * @size: of a call
 * @file_size: of the file that was sent; 0: none
 * @calls: speed is in calls, not in bytes
 * @nr: runs
 * @value: of each quantity, a value a run; none, where a run does not tell it
 * @instead: user space carried what a file or pipe had
 * @sent: datagrams of all runs
 * @lost: and lost
 * @retransmits: of all
 * @curve: latency at some shares, ns, a value a run
 * @share: which
 * @nr_curve: how many
 */
struct cell {
	unsigned int group;
	char scenario[32];
	char mode[32];
	uint64_t size;
	uint64_t file_size;
	bool calls;
	unsigned int nr;
	struct values value[NR_QUANTITIES];
	bool instead;
	double sent, lost;
	double retransmits;
	struct values curve[SERIES_CURVE];
	double share[SERIES_CURVE];
	unsigned int nr_curve;
};

/**
 * struct group - what has the same machines and settings
 * @key: all of them, as text
 * @measured: what its figures are
 * @first: the first document of it
 */
struct group {
	char *key;
	enum measured measured;
	unsigned int first;
};

struct series {
	struct json_object *docs[SERIES_DOCS];
	const char *names[SERIES_DOCS];
	unsigned int group_of[SERIES_DOCS];
	unsigned int nr_docs;
	struct group groups[SERIES_DOCS];
	unsigned int nr_groups;
	struct cell *cells;
	unsigned int nr_cells;
	unsigned int impossible;	/* runs whose numbers cannot be */
};

/* Reads a document; 0, or trouble(): also if it is one that is there already. */
int series_read(struct series *series, const char *path);
/* After the last. */
void series_sort(struct series *series);
void series_free(struct series *series);

/* The cell of a run, made if there is none yet; NULL after trouble(). */
struct cell *series_cell(struct series *series, unsigned int group,
			 struct json_object *run);

bool cell_has(const struct cell *cell, enum quantity quantity);
double cell_median(const struct cell *cell, enum quantity quantity);
double cell_min(const struct cell *cell, enum quantity quantity);
double cell_max(const struct cell *cell, enum quantity quantity);
/* Of the curve's @nr-th share, ns. */
double cell_curve(const struct cell *cell, unsigned int nr);

/*
 * Is the difference of medians less than what runs of the same kind differ by? So
 * it is, too, where one of them has a single run, and the spread is not known.
 */
bool cell_same(const struct cell *a, const struct cell *b,
	       enum quantity quantity);

#endif /* NSTPERF_SERIES_H */
