/* SPDX-License-Identifier: GPL-2.0 */
/* The machine of an end, and how it is set. */
#ifndef NSTPERF_MACHINE_H
#define NSTPERF_MACHINE_H

#include <json-c/json.h>

/* @fd: a connected socket, whose device is told of; or -1 */
struct json_object *machine_to_json(int fd);

/* What a peer says of its own: known members alone, text cut short. */
struct json_object *machine_from_peer(struct json_object *json);

#endif /* NSTPERF_MACHINE_H */
