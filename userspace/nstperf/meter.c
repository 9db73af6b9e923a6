// SPDX-License-Identifier: GPL-2.0
/* What measuring costs an end. */
#define _GNU_SOURCE
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "clock.h"
#include "meter.h"
#include "object.h"

/* perf_event's counters of this process and its threads; -1: there is none. */
static int instructions_fd = -1, cycles_fd = -1;
static bool user_only;

static int open_counter(uint64_t config, bool exclude_kernel)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE, .size = sizeof(attr),
		.config = config, .inherit = 1,
		.exclude_kernel = exclude_kernel, .exclude_hv = 1,
	};

	return syscall(SYS_perf_event_open, &attr, 0, -1, -1,
		       PERF_FLAG_FD_CLOEXEC);
}

void meter_init(void)
{
	instructions_fd = open_counter(PERF_COUNT_HW_INSTRUCTIONS, false);
	if (instructions_fd < 0) {
		user_only = true;
		instructions_fd = open_counter(PERF_COUNT_HW_INSTRUCTIONS,
					       true);
	}
	cycles_fd = open_counter(PERF_COUNT_HW_CPU_CYCLES, user_only);
}

static uint64_t read_counter(int fd)
{
	uint64_t value;

	if (fd < 0 || read(fd, &value, sizeof(value)) != sizeof(value))
		return 0;
	return value;
}

static void read_machine(double machine[METER_NR])
{
	unsigned long long user, nice, system, idle, wait, irq, softirq, steal;
	double tick = sysconf(_SC_CLK_TCK);
	FILE *f = fopen("/proc/stat", "re");

	memset(machine, 0, METER_NR * sizeof(machine[0]));
	if (!f)
		return;
	if (fscanf(f, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &user,
		   &nice, &system, &idle, &wait, &irq, &softirq, &steal) == 8) {
		machine[METER_USER] = (user + nice) / tick;
		machine[METER_SYSTEM] = system / tick;
		machine[METER_IRQ] = irq / tick;
		machine[METER_SOFTIRQ] = softirq / tick;
		machine[METER_IDLE] = (idle + wait) / tick;
		machine[METER_STEAL] = steal / tick;
	}
	fclose(f);
}

static double seconds(struct timeval t)
{
	return t.tv_sec + t.tv_usec / 1e6;
}

void meter_read(struct meter *meter)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	meter->at = clock_ns();
	meter->user = seconds(usage.ru_utime);
	meter->system = seconds(usage.ru_stime);
	meter->switches = usage.ru_nvcsw;
	meter->preempted = usage.ru_nivcsw;
	meter->instructions = read_counter(instructions_fd);
	meter->cycles = read_counter(cycles_fd);
	read_machine(meter->machine);
}

static const char * const machine_names[METER_NR] = {
	"machine_user_s", "machine_system_s", "machine_irq_s",
	"machine_softirq_s", "machine_idle_s", "machine_steal_s",
};

/* The kernel's count of what is idle may go back a little. */
static double since(double from, double to)
{
	return to > from ? to - from : 0;
}

struct json_object *meter_to_json(const struct meter *from,
				  const struct meter *to)
{
	struct json_object *json = json_object_new_object();
	int i;

	object_add_real(json, "seconds", (to->at - from->at) / 1e9);
	object_add_real(json, "user_s", since(from->user, to->user));
	object_add_real(json, "system_s", since(from->system, to->system));
	for (i = 0; i < METER_NR; i++)
		object_add_real(json, machine_names[i],
				since(from->machine[i], to->machine[i]));
	object_add_count(json, "switches", to->switches - from->switches);
	object_add_count(json, "preempted", to->preempted - from->preempted);
	if (instructions_fd >= 0 && cycles_fd >= 0) {
		object_add_count(json, "instructions",
				 to->instructions - from->instructions);
		object_add_count(json, "cycles", to->cycles - from->cycles);
		object_add_bool(json, "counted_kernel", !user_only);
	}
	return json;
}

static int take_second(struct json_object *to, struct json_object *from,
		       const char *name)
{
	double value;

	if (object_seconds(from, name, 1e9, &value))
		return -1;
	object_add_real(to, name, value);
	return 0;
}

static int take_count(struct json_object *to, struct json_object *from,
		      const char *name)
{
	uint64_t value;

	if (object_count(from, name, 0, INT64_MAX, &value))
		return -1;
	object_add_count(to, name, value);
	return 0;
}

static int take_all(struct json_object *to, struct json_object *from)
{
	int i;

	if (take_second(to, from, "seconds") || take_second(to, from, "user_s") ||
	    take_second(to, from, "system_s"))
		return -1;
	for (i = 0; i < METER_NR; i++)
		if (take_second(to, from, machine_names[i]))
			return -1;
	if (take_count(to, from, "switches") || take_count(to, from, "preempted"))
		return -1;
	if (!json_object_object_get_ex(from, "instructions", NULL))
		return 0;
	object_add_bool(to, "counted_kernel", object_bool(from, "counted_kernel"));
	return take_count(to, from, "instructions") ||
	       take_count(to, from, "cycles") ? -1 : 0;
}

struct json_object *meter_from_peer(struct json_object *json)
{
	struct json_object *mine = json_object_new_object();

	if (!take_all(mine, json))
		return mine;
	json_object_put(mine);
	return NULL;
}
