/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Ways in which programs send and receive a stream, each to its end. The bytes tell
 * their place, and nobody has a time limit: who is not woken sleeps for ever.
 */
#ifndef PATH_MOVE_H
#define PATH_MOVE_H

#include <stdatomic.h>

#include "pathtest.h"

/* One half of one direction. */
struct half {
	int fd;
	unsigned int way;	/* of PATH_SENDS or PATH_RECVS */
	size_t from;		/* place of the first byte in the pattern */
	size_t len;
	struct path_random r;
	atomic_ulong moved;	/* bytes so far; @len + 1: it has seen the end */
};

#define PATH_SENDS	7
#define PATH_RECVS	10

extern const char *const path_send_names[PATH_SENDS];
extern const char *const path_recv_names[PATH_RECVS];

/* Sends all, then shuts down. */
int path_send_all(struct half *h);
/* Receives all, and then the end. */
int path_recv_all(struct half *h);

#endif /* PATH_MOVE_H */
