/* SPDX-License-Identifier: GPL-2.0 */
/* The preload engine, from outside of the program. */
#ifndef NST_RUN_PRELOAD_RUN_H
#define NST_RUN_PRELOAD_RUN_H

#include <stddef.h>
#include "run.h"

int preload_works(const struct run *run, char *why, size_t size);
int preload_run(const struct run *run);

#endif /* NST_RUN_PRELOAD_RUN_H */
