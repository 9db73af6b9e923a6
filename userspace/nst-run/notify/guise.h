/* SPDX-License-Identifier: GPL-2.0 */
/* Calls that the supervisor makes with no more rights than the program has. */
#ifndef NST_RUN_GUISE_H
#define NST_RUN_GUISE_H

#include "target.h"

int guise_run(const struct target *target, int (*make)(void *arg), void *arg);
int guise_call(const struct target *target, int fd, const void *addr, int len);
void guise_caps(const struct target *target);
void guise_caps_off(void);

#endif /* NST_RUN_GUISE_H */
