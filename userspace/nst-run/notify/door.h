/* SPDX-License-Identifier: GPL-2.0 */
/* Listeners under --forward-secret: connections whose keys are not there yet. */
#ifndef NST_RUN_DOOR_H
#define NST_RUN_DOOR_H

#include <sys/socket.h>
#include "calls.h"

/**
 * struct door_guest - a connection whose keys have been exchanged
 * @fd: it, of the supervisor; blocking
 * @addr: of its peer
 * @len: of @addr
 */
struct door_guest {
	int fd;
	struct sockaddr_storage addr;
	socklen_t len;
};

/* Why one does not fit */
extern const char door_why[];

int door_init(void);
int door_fits(int fd);
void door_know(int fd, int number);
int door_accept(struct call *call, int fd, struct door_guest *guest);
int door_mind(int fd);
void door_back(int fd, const struct door_guest *guest);

#endif /* NST_RUN_DOOR_H */
