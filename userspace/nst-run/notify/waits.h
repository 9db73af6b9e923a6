/* SPDX-License-Identifier: GPL-2.0 */
/* Calls that block in the supervisor, and what ends them. */
#ifndef NST_RUN_WAITS_H
#define NST_RUN_WAITS_H

#include <pthread.h>
#include "target.h"

/* What a system call ends with that is begun anew behind a signal's handler. */
#define ERESTARTSYS	512

enum wait_end {
	WAIT_GOES_ON,
	WAIT_GONE,		/* nobody waits for the answer */
	WAIT_SIGNAL,		/* a signal is there for the thread */
	WAIT_SIGNAL_ANY		/* for one of the process's threads */
};

/**
 * struct wait - a call that blocks
 * @thread: of the supervisor, that makes it
 * @target: of the program, that waits for it
 * @deaf: no signal ends it before then (secret_now())
 * @end: why it was ended
 * @seen: how often a signal for the process was there
 * @next: list
 * @back: list
 */
struct wait {
	pthread_t thread;
	const struct target *target;
	long long deaf;
	enum wait_end end;
	int seen;
	struct wait *next, **back;
};

int waits_init(void);
void waits_begin(struct wait *wait, const struct target *target,
		 long long deaf);
int waits_end(struct wait *wait, int err, int timeout);
int waits_connect(const struct target *target, int fd, const void *addr,
		  int len, long long deaf);

#endif /* NST_RUN_WAITS_H */
