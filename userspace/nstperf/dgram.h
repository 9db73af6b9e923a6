/* SPDX-License-Identifier: GPL-2.0 */
/* Datagrams: both ends. */
#ifndef NSTPERF_DGRAM_H
#define NSTPERF_DGRAM_H

#include "run.h"

/* Client: a socket, and a greeting until the server has answered. */
int dgram_connect(struct conn *conn, const union address *to,
		  const struct test *test);

/* Client: sends until it shall stop. @buf has TEST_SIZE_MAX bytes. */
int dgram_send(struct stream *stream, char *buf);

/* Server: waits for the greeting, and receives until it shall stop. */
int dgram_receive(struct stream *stream);

#endif /* NSTPERF_DGRAM_H */
