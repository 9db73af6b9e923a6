/* SPDX-License-Identifier: GPL-2.0 */
/* What the parts of load share. All die with a message on errors. */
#ifndef _BENCH_LOAD_H
#define _BENCH_LOAD_H

#include <netinet/in.h>
#include <stddef.h>

enum mode { PLAIN, KTLS, KTLS_NOPAD, NST, NR_MODES };

void die(const char *what);

/* Attaches, and keys both directions. */
void key_socket(int fd, enum mode mode);

/* A byte there and back. */
void round_trip(int a, int b);

/* On the loopback; addr receives where. */
int listen_socket(struct sockaddr_in *addr);
void connect_pair(int listener, struct sockaddr_in *addr, int *a, int *b);

/* load_idle.c: memory of count connections, printed. */
void idle_measure(enum mode mode, const char *mode_name, size_t count);

#endif
