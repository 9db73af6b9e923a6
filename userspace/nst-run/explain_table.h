/* SPDX-License-Identifier: GPL-2.0 */
/* The memory that --explain counts in. */
#ifndef NST_RUN_EXPLAIN_TABLE_H
#define NST_RUN_EXPLAIN_TABLE_H

#include <stdint.h>

#define EXPLAIN_MAGIC	0x316e6c707865736eull
/* A line for each call, port and outcome: enough for a cluster's services. */
#define EXPLAIN_LINES	2048
#define EXPLAIN_TRIES	64

/* A key is never 0; its port is in the lowest 16 bits. */
#define EXPLAIN_KEY	(1ull << 63)
#define EXPLAIN_CALL	48	/* enum attach_call; ATTACH_CALLS: a program */
#define EXPLAIN_OUTCOME	40	/* enum attach_outcome */
#define EXPLAIN_UDP	37
#define EXPLAIN_REMOTE	36
#define EXPLAIN_ERROR	20	/* 12 bits */

struct explain_line {
	uint64_t key;
	uint64_t count;
};

struct explain_table {
	uint64_t magic;
	uint64_t lost;
	struct explain_line line[EXPLAIN_LINES];
};

struct explain_table *explain_table(void);

#endif /* NST_RUN_EXPLAIN_TABLE_H */
