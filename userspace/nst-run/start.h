/* SPDX-License-Identifier: GPL-2.0 */
/* What must be so before a program is started. */
#ifndef NST_RUN_START_H
#define NST_RUN_START_H

#include "run.h"

void start_fill_standard_files(void);
void start_find_program(struct run *run);
void start_check_nst(const struct run *run);
void start_attach_handed(const struct run *run);

#endif /* NST_RUN_START_H */
