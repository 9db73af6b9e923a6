/* SPDX-License-Identifier: GPL-2.0 */
/* What measuring costs an end: time of processors, context switches, instructions. */
#ifndef NSTPERF_METER_H
#define NSTPERF_METER_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

/* Of all processors of the machine, from /proc/stat. */
enum { METER_USER, METER_SYSTEM, METER_IRQ, METER_SOFTIRQ, METER_IDLE,
	METER_STEAL, METER_NR };

/**
 * struct meter - a reading
 * @at: when, ns
 * @user: processor seconds of this process
 * @system: the same in the kernel
 * @switches: voluntary context switches
 * @preempted: involuntary ones
 * @machine: seconds of all processors
 * @instructions: of this process, where perf_event may
 * @cycles: the same
 */
struct meter {
	uint64_t at;
	double user;
	double system;
	long switches;
	long preempted;
	double machine[METER_NR];
	uint64_t instructions;
	uint64_t cycles;
};

/* Opens the counters; before there are threads. Where it may not, none are told. */
void meter_init(void);

void meter_read(struct meter *meter);

/* What is between two readings. */
struct json_object *meter_to_json(const struct meter *from,
				  const struct meter *to);

/* The same as a peer says it: only what it may be, or NULL after trouble(). */
struct json_object *meter_from_peer(struct json_object *json);

#endif /* NSTPERF_METER_H */
