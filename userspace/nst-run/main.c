// SPDX-License-Identifier: GPL-2.0
/* nst-run: NST for programs that do not know of it. Chooses an engine. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "notify.h"
#include "options.h"
#include "preload_run.h"
#include "secret.h"
#include "service/service.h"
#include "start.h"

static void say(const char *fmt, va_list ap)
{
	fputs("nst-run: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

/**
 * run_refuse() - say why not, in one line, and end
 * @status: exit status, RUN_EXIT_*
 * @fmt: as printf() has it
 */
void run_refuse(int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
	exit(status);
}

/**
 * run_note() - say what the user should know, and go on
 * @fmt: as printf() has it
 */
void run_note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

/* glibc's resolver calls itself, past any preloaded library. */
#define PORT_DNS	53

static const char no_dns[] =
	"queries of the C library's own resolver stay plain under this engine; --engine notify";

static int names_dns(const struct policy *policy)
{
	return ports_has(&policy->tcp, PORT_DNS) ||
	       ports_has(&policy->udp, PORT_DNS);
}

/*
 * The exchange needs a process beside the program, which holds each connection
 * until its keys are there; the preload engine has none. nst-run(8) has more.
 */
static void prepare_secret(struct run *run)
{
	char why[1024] = "";

	if (!run->policy.secret)
		return;
	if (run->engine == RUN_ENGINE_PRELOAD)
		run_refuse(RUN_EXIT_REFUSED,
			   "--forward-secret: the preload engine cannot exchange keys; --engine notify can");
	if (secret_load(run->policy.group, why, sizeof(why)))
		run_refuse(RUN_EXIT_REFUSED, "--forward-secret: %s", why);
	run->engine = RUN_ENGINE_NOTIFY;
}

/* The preload engine costs less, so it is the first choice. */
static void choose_engine(struct run *run)
{
	char no_preload[5000] = "", no_notify[5000] = "";

	if (run->engine == RUN_ENGINE_NOTIFY) {
		if (!notify_works(run, no_notify, sizeof(no_notify)))
			run_refuse(RUN_EXIT_REFUSED, "the notify engine %s",
				   no_notify);
		return;
	}
	if (preload_works(run, no_preload, sizeof(no_preload))) {
		if (run->engine == RUN_ENGINE_PRELOAD ||
		    !names_dns(&run->policy) ||
		    !notify_works(run, no_notify, sizeof(no_notify)))
			run->engine = RUN_ENGINE_PRELOAD;
		else
			run->engine = RUN_ENGINE_NOTIFY;
		return;
	}
	if (run->engine == RUN_ENGINE_PRELOAD)
		run_refuse(RUN_EXIT_REFUSED,
			   "the preload engine %s; try --engine notify",
			   no_preload);
	if (!notify_works(run, no_notify, sizeof(no_notify)))
		run_refuse(RUN_EXIT_REFUSED,
			   "the preload engine %s, and the notify engine %s",
			   no_preload, no_notify);
	run->engine = RUN_ENGINE_NOTIFY;
}

static void offer_guard_for(const char *protocol, const struct ports *ports)
{
	char list[PORTS_TEXT];

	if (!ports->nr)
		return;
	ports_write(ports, list, sizeof(list));
	run_note("calls past the C library are not caught; for a server: nstkeyctl guard add %s %s",
		 protocol, list);
}

/* For people, and not in the output of whoever calls many programs. */
static void offer_guard(const struct run *run)
{
	if (!run->explain && !isatty(STDERR_FILENO))
		return;
	offer_guard_for("tcp", &run->policy.tcp);
	offer_guard_for("udp", &run->policy.udp);
}

int main(int argc, char **argv)
{
	static struct run run;

	start_fill_standard_files();
	if (service_is_verb(argv[1]))
		return service_command(argc - 1, argv + 1);
	options_parse(&run, argc, argv);
	start_find_program(&run);
	prepare_secret(&run);
	choose_engine(&run);
	start_check_nst(&run);
	start_attach_handed(&run);
	if (run.engine == RUN_ENGINE_NOTIFY)
		return notify_run(&run);
	if (names_dns(&run.policy))
		run_note("%s", no_dns);
	offer_guard(&run);
	return preload_run(&run);
}
