/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Listeners and their guests, as the parts of door.c share them. All of it is
 * under the lock.
 */
#ifndef NST_RUN_GUEST_H
#define NST_RUN_GUEST_H

#include <pthread.h>
#include <stdint.h>
#include <sys/socket.h>

#include "../secret.h"
#include "door.h"

/* For each listener: exchanges under way, and connections that are done. */
#define PENDING_MAX	256
#define DONE_MAX	256

/**
 * struct guest - a connection that was accepted, and is not the program's yet
 * @fd: it
 * @addr: of its peer
 * @len: of @addr
 * @ex: the exchange, NULL when it is done
 * @events: what that waits for
 * @polled: where the keeper's list has it, or -1
 * @until: it must be done by then
 * @proved: 1: it sent a start record under the box; 2: it is also there
 * @next: at the same door, older ones first
 */
struct guest {
	int fd;
	struct sockaddr_storage addr;
	socklen_t len;
	struct nst_exchange *ex;
	short events;
	int polled;
	long long until;
	int proved;
	struct guest *next;
};

/**
 * struct door - a listener
 * @cookie: the kernel's name of the socket
 * @family: of it
 * @addr: its address
 * @len: of @addr
 * @ipv4: one of IPv6 that takes IPv4, too
 * @shared: others may have the same port
 * @taking: a thread is in an accept() that may last, without the lock
 * @guests: all of them
 * @pending: how many are not done
 * @done: how many are
 * @failed: how many were sent away, ever
 * @rings: how many rings came, ever, for this listener or another one
 * @waiting: threads of the program in an accept() that blocks
 * @users: calls that are looking at the door
 * @event: for those in an accept() that blocks; a semaphore
 * @ring: a connection to wake the program, or -1
 * @ring_addr: its own address
 * @ring_at: since when; with no ring, not before then
 * @unheard: rings without an answer
 * @next: list
 */
struct door {
	uint64_t cookie;
	int family;
	struct sockaddr_storage addr;
	socklen_t len;
	int ipv4, shared, taking;
	struct guest *guests;
	unsigned int pending, done, failed, rings, waiting, users;
	int event;
	int ring;
	struct sockaddr_storage ring_addr;
	long long ring_at;
	unsigned int unheard;
	struct door *next;
};

/**
 * struct guests - all of them
 * @lock: on everything here
 * @doors: those with guests, a ring or users
 * @wake: tells the keeper to look anew
 */
struct guests {
	pthread_mutex_t lock;
	struct door *doors;
	int wake;
};

extern struct guests guests;

void guest_tell(int event, uint64_t n);
void guest_failed(const struct door *door, int err);
int guest_door(int fd, struct door **found);
void guest_free_doors(void);
struct guest **guest_worst(struct door *door);
void guest_enter(struct door *door, struct guest *guest);
void guest_send_away(struct door *door, struct guest **at);
void guest_receive(struct door *door, int fd,
		   const struct sockaddr_storage *addr, socklen_t len);
int guest_take_out(struct door *door, struct door_guest *taken);

#endif /* NST_RUN_GUEST_H */
