/* SPDX-License-Identifier: GPL-2.0 */
/* nst-run as it was called, for both engines. */
#ifndef NST_RUN_RUN_H
#define NST_RUN_RUN_H

#include "policy.h"

enum run_engine {
	RUN_ENGINE_AUTO,
	RUN_ENGINE_PRELOAD,
	RUN_ENGINE_NOTIFY
};

/* As a shell has it: 126 cannot be run, 127 is not there. */
#define RUN_EXIT_USAGE	2
#define RUN_EXIT_REFUSED	125
#define RUN_EXIT_CANNOT	126
#define RUN_EXIT_MISSING	127

/**
 * struct run - all that was asked for, and what was found at start
 * @policy: from the options
 * @engine: AUTO until it has been chosen
 * @explain: say at the end what was attached
 * @argv: the program and its arguments, ended by NULL
 * @path: the program's file
 */
struct run {
	struct policy policy;
	enum run_engine engine;
	int explain;
	char **argv;
	const char *path;
};

__attribute__((noreturn, format(printf, 2, 3)))
void run_refuse(int status, const char *fmt, ...);
__attribute__((format(printf, 1, 2)))
void run_note(const char *fmt, ...);

#endif /* NST_RUN_RUN_H */
