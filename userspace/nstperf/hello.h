/* SPDX-License-Identifier: GPL-2.0 */
/* The first messages: who is there. */
#ifndef NSTPERF_HELLO_H
#define NSTPERF_HELLO_H

#include <json-c/json.h>
#include <stdbool.h>

/* 0, or trouble(), which a client of another version has been told. */
int hello_as_server(int fd);

/* The server's machine, and whether it is this one; NULL after trouble(). */
struct json_object *hello_as_client(int fd, bool *same);

#endif /* NSTPERF_HELLO_H */
