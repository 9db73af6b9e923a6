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

struct json_object *meter_to_json(const struct meter *from,
				  const struct meter *to)
{
	static const char * const names[METER_NR] = {
		"machine_user_s", "machine_system_s", "machine_irq_s",
		"machine_softirq_s", "machine_idle_s", "machine_steal_s",
	};
	struct json_object *json = json_object_new_object();
	int i;

	object_add_real(json, "seconds", (to->at - from->at) / 1e9);
	object_add_real(json, "user_s", to->user - from->user);
	object_add_real(json, "system_s", to->system - from->system);
	for (i = 0; i < METER_NR; i++)
		object_add_real(json, names[i], to->machine[i] - from->machine[i]);
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
