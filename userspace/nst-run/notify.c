// SPDX-License-Identifier: GPL-2.0
/* The engine of seccomp's user notification. */
#include <stdio.h>
#include "notify.h"

/**
 * notify_works() - can this engine run the program here?
 * @run: what was asked for
 * @why: receives what is in the way, as words behind "the notify engine"
 * @size: of @why
 *
 * Return: 1 or 0.
 */
int notify_works(const struct run *run, char *why, size_t size)
{
	(void)run;
	snprintf(why, size, "is not a part of this build");
	return 0;
}

/**
 * notify_run() - run the program under the engine
 * @run: what was asked for
 *
 * Return: the exit status.
 */
int notify_run(const struct run *run)
{
	(void)run;
	return RUN_EXIT_CANNOT;
}
