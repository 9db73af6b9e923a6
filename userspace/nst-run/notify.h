/* SPDX-License-Identifier: GPL-2.0 */
/* The engine of seccomp's user notification. */
#ifndef NST_RUN_NOTIFY_H
#define NST_RUN_NOTIFY_H

#include <stddef.h>
#include "run.h"

int notify_works(const struct run *run, char *why, size_t size);
int notify_run(const struct run *run);

#endif /* NST_RUN_NOTIFY_H */
