/* SPDX-License-Identifier: GPL-2.0 */
/* The server: a process for each client, one at a time. */
#ifndef NSTPERF_SERVER_H
#define NSTPERF_SERVER_H

#include "options.h"

/* Listens; -1 after trouble(). */
int server_listen(const struct options *options);

/* Serves for ever, or one client with --once. Exit status. */
int server_run(int listener, const struct options *options);

#endif /* NSTPERF_SERVER_H */
