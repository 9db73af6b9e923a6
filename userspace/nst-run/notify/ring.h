/* SPDX-License-Identifier: GPL-2.0 */
/* Wake a program whose listener has a connection for it. */
#ifndef NST_RUN_RING_H
#define NST_RUN_RING_H

#include "guest.h"

/* The listener's queue may be full; then the program is awake. */
#define RING_MS		5000
/* When one is tried again that nobody has heard */
#define RING_AGAIN_MS	1000

void ring_for(struct door *door);
void ring_end(struct door *door);
int ring_heard(struct door *door, const struct sockaddr_storage *addr);
int ring_state(const struct door *door);
void ring_look(struct door *door);

#endif /* NST_RUN_RING_H */
