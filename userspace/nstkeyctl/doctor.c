// SPDX-License-Identifier: GPL-2.0
/* doctor: why does it not work? One check after the other, each with a way out. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "doctor.h"
#include "json.h"
#include "nstkeyctl.h"

/**
 * report() - tell what a check has found
 * @patient: whose
 * @check: name of the check
 * @verdict: how bad it is
 * @fmt: what it is and what to do, as printf() takes it
 */
void report(struct patient *patient, const char *check, enum verdict verdict,
	    const char *fmt, ...)
{
	static const char *const names[] = { "ok", "warn", "fail" };
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	patient->failed |= verdict == FAIL;
	if (!patient->json) {
		printf("%-4s  %-8s  %s\n", names[verdict], check, text);
		return;
	}
	json_object(NULL);
	json_string("check", check);
	json_string("status", names[verdict]);
	json_string("text", text);
	json_object_end();
}

/**
 * doctor_sysctl() - a setting of this namespace
 * @name: in net.nst
 * @missing: what to say if it cannot be read
 *
 * Return: its value.
 */
long doctor_sysctl(const char *name, long missing)
{
	char path[64], text[32];

	snprintf(path, sizeof(path), "/proc/sys/net/nst/%s", name);
	return read_line(path, text, sizeof(text)) ? missing : atol(text);
}

/* What can be looked at only where the module is. */
static void check_loaded(struct patient *patient)
{
	check_tcp(patient);
	check_udp(patient);
	check_suites(patient);
	check_box(patient);
	check_floors(patient);
	check_guard(patient);
	check_counters(patient);
}

/* doctor */
int cmd_doctor(const struct options *opt, char **args)
{
	struct patient patient = {
		.json = opt->json, .elsewhere = !!opt->netns
	};

	(void)args;
	mode_get(&patient.mode);
	if (opt->json) {
		json_object(NULL);
		json_array("checks");
	}
	check_kernel(&patient);
	check_clock(&patient);
	check_rights(&patient);
	if (!check_module(&patient))
		check_loaded(&patient);
	if (opt->json) {
		json_array_end();
		json_bool("ok", !patient.failed);
		json_object_end();
		json_flush();
	}
	nl_close(&patient.nl);
	return patient.failed ? EXIT_FAILED : EXIT_OK;
}
