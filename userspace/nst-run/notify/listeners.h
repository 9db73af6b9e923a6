/* SPDX-License-Identifier: GPL-2.0 */
/* Listeners of a program under --forward-secret that its connect() holds up. */
#ifndef NST_RUN_LISTENERS_H
#define NST_RUN_LISTENERS_H

#include <poll.h>
#include <stdint.h>
#include "target.h"

/* So many listeners are known; of more the one known longest is forgotten. */
#define LISTENERS_MAX	64

void listeners_know(uint64_t cookie, int number);
void listeners_missed(uint64_t cookie);
int listeners_was_missed(uint64_t cookie);
void listeners_sleeps(uint64_t cookie);
int listeners_is_asleep(uint64_t cookie);

unsigned int listeners_mind(const struct target *target, struct pollfd *fds,
			    int *again);
void listeners_leave(const struct pollfd *fds, unsigned int nr);

#endif /* NST_RUN_LISTENERS_H */
