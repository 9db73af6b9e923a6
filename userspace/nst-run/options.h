/* SPDX-License-Identifier: GPL-2.0 */
/* nst-run's arguments. */
#ifndef NST_RUN_OPTIONS_H
#define NST_RUN_OPTIONS_H

#include "run.h"

void options_parse(struct run *run, int argc, char **argv);
const char *options_parse_unit(struct run *run, int argc, char **argv);

#endif /* NST_RUN_OPTIONS_H */
