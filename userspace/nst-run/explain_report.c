// SPDX-License-Identifier: GPL-2.0
/* --explain: says at the end what was counted, and what the wire carried. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "explain.h"
#include "explain_table.h"

#define STATS	"/proc/net/nst_stat"
#define STATS_MAX	256

struct stats {
	unsigned int nr;
	struct {
		char name[48];
		uint64_t value;
	} of[STATS_MAX];
};

static struct stats before;

static void read_stats(struct stats *stats)
{
	FILE *f = fopen(STATS, "re");

	stats->nr = 0;
	while (f && stats->nr < STATS_MAX &&
	       fscanf(f, "%47s %" SCNu64, stats->of[stats->nr].name,
		      &stats->of[stats->nr].value) == 2)
		stats->nr++;
	if (f)
		fclose(f);
}

/**
 * explain_begin() - remember the namespace's counters
 */
void explain_begin(void)
{
	read_stats(&before);
}

static unsigned int field(uint64_t key, unsigned int at, unsigned int mask)
{
	return key >> at & mask;
}

static enum attach_outcome outcome_of(uint64_t key)
{
	return field(key, EXPLAIN_OUTCOME, 0xff);
}

static int is_program(uint64_t key)
{
	return field(key, EXPLAIN_CALL, 0xff) == ATTACH_CALLS;
}

/* What a process may have put there is checked before it becomes an index. */
static int is_sane(uint64_t key)
{
	unsigned int call = field(key, EXPLAIN_CALL, 0xff);

	return key & EXPLAIN_KEY && call <= ATTACH_CALLS &&
	       outcome_of(key) <= ATTACH_FAILED &&
	       (call < ATTACH_CALLS || field(key, 0, 0xffff) <= PROGRAM_UNKNOWN);
}

static void say_why(uint64_t key)
{
	int err = field(key, EXPLAIN_ERROR, 0xfff);
	const char *name = strerrorname_np(err);

	switch (outcome_of(key)) {
	case ATTACH_FAILED:
		fprintf(stderr, ": %s (%s)", name ? name : "?",
			attach_hint(err));
		break;
	case ATTACH_NOT_NAMED:
		fputs(": the port is not named", stderr);
		break;
	case ATTACH_NOT_INET:
		fputs(": neither TCP nor UDP", stderr);
		break;
	case ATTACH_HAD:
		fputs(": had NST and keys already", stderr);
		break;
	case ATTACH_DONE:
		break;
	}
}

static void say_line(const struct explain_line *line)
{
	static const char *const outcomes[] = {
		[ATTACH_NOT_INET] = "left",
		[ATTACH_NOT_NAMED] = "left",
		[ATTACH_DONE] = "attached",
		[ATTACH_HAD] = "had NST",
		[ATTACH_FAILED] = "refused",
	};
	uint64_t key = line->key;

	if (is_program(key)) {
		fprintf(stderr, "nst-run:   %-8s %8" PRIu64 "  a program that %s\n",
			field(key, EXPLAIN_REMOTE, 1) ? "let go" : "refused",
			line->count, program_kind_text(field(key, 0, 0xffff)));
		return;
	}
	fprintf(stderr, "nst-run:   %-8s %8" PRIu64 "  %s %s port %u/%s",
		outcomes[outcome_of(key)], line->count,
		attach_call_name(field(key, EXPLAIN_CALL, 0xff)),
		field(key, EXPLAIN_REMOTE, 1) ? "to" : "on",
		field(key, 0, 0xffff), field(key, EXPLAIN_UDP, 1) ? "udp" :
		"tcp");
	say_why(key);
	fputc('\n', stderr);
}

static int by_outcome(const void *a, const void *b)
{
	const struct explain_line *x = a, *y = b;
	uint64_t p = x->key >> EXPLAIN_OUTCOME & 0xff;
	uint64_t q = y->key >> EXPLAIN_OUTCOME & 0xff;

	/* What was refused comes first, then what has NST. */
	if (p != q)
		return p < q ? 1 : -1;
	return x->key < y->key ? -1 : x->key > y->key;
}

/* What came and was taken; all else that came was refused. */
static int is_refusal(const char *name)
{
	static const char *const taken[] = { "Records", "Bytes", "Epochs",
					     "Streams", "Copied", "Stalled" };
	unsigned int i;

	if (strncmp(name, "NstRx", 5))
		return 0;
	for (i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		if (!strcmp(name + 5, taken[i]))
			return 0;
	return 1;
}

static void say_counters(void)
{
	static struct stats after;
	unsigned int i, said = 0, refused = 0;

	read_stats(&after);
	for (i = 0; i < after.nr && i < before.nr; i++) {
		if (after.of[i].value == before.of[i].value ||
		    strcmp(after.of[i].name, before.of[i].name))
			continue;
		if (!said++)
			fputs("nst-run: this network namespace's counters rose meanwhile by\n",
			      stderr);
		refused += is_refusal(after.of[i].name);
		fprintf(stderr, "nst-run:   %-24s %" PRIu64 "\n",
			after.of[i].name,
			after.of[i].value - before.of[i].value);
	}
	if (!said)
		fputs("nst-run: nothing of NST went over the wire meanwhile\n",
		      stderr);
	if (refused)
		fprintf(stderr, "nst-run: something that came was refused, or cut off: %s\n",
			"'nstkeyctl doctor' says what that means");
}

/**
 * explain_report() - say it
 */
void explain_report(void)
{
	static struct explain_line line[EXPLAIN_LINES];
	struct explain_table *t = explain_table();
	unsigned int i, nr = 0;

	for (i = 0; i < EXPLAIN_LINES; i++) {
		line[nr] = t->line[i];
		if (line[nr].key && is_sane(line[nr].key))
			nr++;
	}
	qsort(line, nr, sizeof(line[0]), by_outcome);
	fprintf(stderr, "nst-run: calls, and what became of their sockets%s\n",
		nr ? "" : ": none was seen");
	for (i = 0; i < nr; i++)
		say_line(&line[i]);
	if (t->lost)
		fprintf(stderr, "nst-run:   and %" PRIu64 " more, for which there was no room\n",
			t->lost);
	say_counters();
}
