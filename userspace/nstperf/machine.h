/* SPDX-License-Identifier: GPL-2.0 */
/* The machine of an end, and how it is set. */
#ifndef NSTPERF_MACHINE_H
#define NSTPERF_MACHINE_H

#include <json-c/json.h>

/* @fd: a connected socket, whose device is told of; or -1 */
struct json_object *machine_to_json(int fd);

#endif /* NSTPERF_MACHINE_H */
