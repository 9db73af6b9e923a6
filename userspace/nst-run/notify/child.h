/* SPDX-License-Identifier: GPL-2.0 */
/* The process that becomes the program. */
#ifndef NST_RUN_CHILD_H
#define NST_RUN_CHILD_H

#include <signal.h>
#include <stddef.h>
#include <sys/types.h>
#include "../run.h"

/**
 * struct child - a process that has the filter and is about to exec
 * @pid: it
 * @pidfd: it
 * @notify: the supervisor's end of the filter
 * @talk: a socket to it, closed by its exec
 */
struct child {
	pid_t pid;
	int pidfd;
	int notify;
	int talk;
};

void child_follow(pid_t from);
int child_start(struct child *child, const struct run *run,
		const sigset_t *mask, char *why, size_t size);
int child_go(struct child *child);
void child_end(struct child *child);

#endif /* NST_RUN_CHILD_H */
