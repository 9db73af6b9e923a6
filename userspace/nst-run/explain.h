/* SPDX-License-Identifier: GPL-2.0 */
/* --explain: what became of the sockets, counted in memory that all share. */
#ifndef NST_RUN_EXPLAIN_H
#define NST_RUN_EXPLAIN_H

#include "attach.h"
#include "program.h"

/* The variable that names the memory to programs under the preload engine. */
#define EXPLAIN_VARIABLE	"NST_RUN_EXPLAIN"

int explain_make(void);
int explain_open(const char *path);
void explain_call(int fd, const struct attach_result *result);
void explain_program(enum program_kind kind, int let);
void explain_begin(void);
void explain_report(void);

#endif /* NST_RUN_EXPLAIN_H */
