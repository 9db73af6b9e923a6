// SPDX-License-Identifier: GPL-2.0
/* nstperf: measures NST, and what it is compared with. Finds the command. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include "client.h"
#include "local.h"
#include "names.h"
#include "options.h"
#include "payload.h"
#include "report.h"
#include "server.h"
#include "trouble.h"

static int help(void)
{
	unsigned int i;

	puts("usage: nstperf server [OPTION...]\n"
	     "       nstperf client HOST [OPTION...]\n"
	     "       nstperf local [OPTION...]\n"
	     "       nstperf report [--output FILE] [--pictures DIR] DOCUMENT...\n"
	     "\nOptions:");
	options_help();
	puts("\nScenarios (--scenario NAME,...; all):");
	for (i = 0; i < NR_SCENARIOS; i++)
		printf("  %-18s %s\n", scenario_info(i)->name,
		       scenario_info(i)->text);
	puts("\nModes (--mode NAME,...; also nst, ktls, tls, dtls for the first of each,\n"
	     "nst-all, ktls-all, tls-all, dtls-all and all):");
	for (i = 0; i < NR_MODES; i++)
		printf("  %s\n", mode_info(i)->name);
	return 0;
}

static int say(int status)
{
	fprintf(stderr, "nstperf: %s\n", trouble_text());
	return status;
}

static int server(int argc, char **argv)
{
	struct options options;
	int fd;

	if (options_parse(&options, COMMAND_SERVER, argc, argv))
		return say(2);
	if (payload_init())
		return say(1);
	fd = server_listen(&options);
	if (fd < 0)
		return say(1);
	return server_run(fd, &options);
}

static int client(int argc, char **argv)
{
	struct options options;

	if (options_parse(&options, COMMAND_CLIENT, argc, argv))
		return say(2);
	return client_run(&options);
}

static int local(int argc, char **argv)
{
	struct options options;

	if (options_parse(&options, COMMAND_LOCAL, argc, argv))
		return say(2);
	return local_run(&options);
}

int main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";

	/* Who cannot write, is told so by the call that does. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	if (argc > 2 && (!strcmp(argv[2], "--help") || !strcmp(argv[2], "-h")))
		return help();
	if (!strcmp(command, "server"))
		return server(argc - 2, argv + 2);
	if (!strcmp(command, "client"))
		return client(argc - 2, argv + 2);
	if (!strcmp(command, "local"))
		return local(argc - 2, argv + 2);
	if (!strcmp(command, "report"))
		return report_run(argc - 2, argv + 2);
	if (!strcmp(command, "--version")) {
		puts("nstperf " NST_VERSION_TEXT);
		return 0;
	}
	if (!strcmp(command, "help") || !strcmp(command, "--help") ||
	    !strcmp(command, "-h"))
		return help();
	trouble(command[0] ? "no command '%s' (nstperf help)" :
		"server or client, local or report? (nstperf help)", command);
	return say(2);
}
