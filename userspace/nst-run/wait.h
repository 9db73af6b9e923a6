/* SPDX-License-Identifier: GPL-2.0 */
/* Stay behind while the program runs. */
#ifndef NST_RUN_WAIT_H
#define NST_RUN_WAIT_H

#include <signal.h>
#include <sys/types.h>

int wait_for_program(pid_t pid, const sigset_t *old);

#endif /* NST_RUN_WAIT_H */
