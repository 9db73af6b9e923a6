// SPDX-License-Identifier: GPL-2.0
/* nst-run's arguments. */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "options.h"

static const char help[] =
"usage: nst-run [--tcp PORTS] [--udp PORTS] [OPTION...] -- PROGRAM [ARGUMENT...]\n"
"\n"
"Runs PROGRAM with NST on its sockets to or on these ports. Nothing of theirs\n"
"goes out in plaintext: a call whose attach fails, fails.\n"
"\n"
"  --tcp PORTS, --udp PORTS\n"
"                    numbers, ranges and services: 5432,6000-6010,redis\n"
"  --strict          strict mode, for TCP: both ends must answer first\n"
"  --forward-secret[=GROUP]\n"
"                    for TCP: before the first byte both ends exchange keys that\n"
"                    no box has; strict, and by the notify engine only\n"
"  --cipher NAME     aes-gcm (default), chacha20-poly1305, ...: nstkeyctl caps\n"
"  --context TEXT    names the service, alike at both ends; up to 32 bytes\n"
"  --engine preload|notify\n"
"                    how calls are caught; chosen by what PROGRAM is otherwise\n"
"  --let-go          a child out of the engine's reach is run without NST, and\n"
"                    told of in the journal; it is not run otherwise\n"
"  --explain         say at the end which sockets were attached, and which not\n"
"  --help, --version\n"
"\n"
"       nst-run enable UNIT [--tcp PORTS] [--udp PORTS] [OPTION...]\n"
"       nst-run disable UNIT\n"
"       nst-run status [UNIT]\n"
"\n"
"The same for a service of systemd: from its next start on, until it is disabled.\n"
"\n"
"nst-run(8) has more.\n";

enum {
	OPT_TCP = 256,
	OPT_UDP,
	OPT_STRICT,
	OPT_SECRET,
	OPT_CIPHER,
	OPT_CONTEXT,
	OPT_ENGINE,
	OPT_LET_GO,
	OPT_EXPLAIN,
	OPT_HELP,
	OPT_VERSION
};

static const struct option options[] = {
	{ "tcp", required_argument, NULL, OPT_TCP },
	{ "udp", required_argument, NULL, OPT_UDP },
	{ "strict", no_argument, NULL, OPT_STRICT },
	{ "forward-secret", optional_argument, NULL, OPT_SECRET },
	{ "cipher", required_argument, NULL, OPT_CIPHER },
	{ "context", required_argument, NULL, OPT_CONTEXT },
	{ "engine", required_argument, NULL, OPT_ENGINE },
	{ "let-go", no_argument, NULL, OPT_LET_GO },
	{ "explain", no_argument, NULL, OPT_EXPLAIN },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 },
};

static void take_ports(struct ports *ports, const char *option,
		       const char *list)
{
	char error[256];

	/* "--udp" without an 's', so the protocol is behind the dashes. */
	if (ports_parse(ports, list, option + 2, error, sizeof(error)))
		run_refuse(RUN_EXIT_USAGE, "%s %s: %s", option, list, error);
}

static void take_cipher(struct run *run, const char *name)
{
	int cipher = policy_cipher(name);

	if (cipher < 0)
		run_refuse(RUN_EXIT_USAGE,
			   "--cipher %s: there is no such suite; 'nstkeyctl caps' lists them",
			   name);
	run->policy.cipher = cipher;
}

static void take_context(struct run *run, const char *text)
{
	size_t len = strlen(text);

	if (!len || len > NST_CONTEXT_MAX)
		run_refuse(RUN_EXIT_USAGE, "--context '%s': it has 1 to %d bytes",
			   text, NST_CONTEXT_MAX);
	memset(run->policy.context, 0, sizeof(run->policy.context));
	memcpy(run->policy.context, text, len);
	run->policy.context_len = len;
}

static void take_group(struct run *run, const char *name)
{
	run->policy.secret = 1;
	run->policy.strict = 1;
	run->policy.group = 0;
	if (!name)
		return;
	run->policy.group = policy_group(name);
	if (!run->policy.group)
		run_refuse(RUN_EXIT_USAGE,
			   "--forward-secret=%s: there are x25519 and x25519mlkem768",
			   name);
}

static void take_engine(struct run *run, const char *name)
{
	if (!strcmp(name, "preload"))
		run->engine = RUN_ENGINE_PRELOAD;
	else if (!strcmp(name, "notify"))
		run->engine = RUN_ENGINE_NOTIFY;
	else
		run_refuse(RUN_EXIT_USAGE,
			   "--engine %s: there are preload and notify", name);
}

static void take_option(struct run *run, int opt, const char *arg)
{
	switch (opt) {
	case OPT_TCP:
		take_ports(&run->policy.tcp, "--tcp", arg);
		break;
	case OPT_UDP:
		take_ports(&run->policy.udp, "--udp", arg);
		break;
	case OPT_STRICT:
		run->policy.strict = 1;
		break;
	case OPT_SECRET:
		take_group(run, arg);
		break;
	case OPT_CIPHER:
		take_cipher(run, arg);
		break;
	case OPT_CONTEXT:
		take_context(run, arg);
		break;
	case OPT_ENGINE:
		take_engine(run, arg);
		break;
	case OPT_LET_GO:
		run->policy.let = 1;
		break;
	case OPT_EXPLAIN:
		run->explain = 1;
		break;
	}
}

/* What options say together. */
static void check(const struct run *run)
{
	if (!run->policy.tcp.nr && !run->policy.udp.nr)
		run_refuse(RUN_EXIT_USAGE,
			   "without --tcp or --udp there is nothing to protect; 'nst-run --help' tells how");
	if (run->policy.secret && run->policy.udp.nr)
		run_refuse(RUN_EXIT_USAGE,
			   "--forward-secret is for TCP: datagrams have no exchange of keys, so --udp cannot be with it");
	if (run->policy.strict && !run->policy.tcp.nr)
		run_refuse(RUN_EXIT_USAGE,
			   "--strict is for TCP: datagrams have no strict mode");
}

static void check_program(const struct run *run)
{
	if (!run->argv[0])
		run_refuse(RUN_EXIT_USAGE, "no PROGRAM: nst-run ... -- PROGRAM");
	if (!run->argv[0][0])
		run_refuse(RUN_EXIT_USAGE, "PROGRAM is an empty word");
}

/* What was asked for instead of a program, and the end. */
__attribute__((noreturn))
static void tell(const char *text)
{
	if (fputs(text, stdout) == EOF || fflush(stdout) == EOF)
		run_refuse(RUN_EXIT_REFUSED, "stdout: %s", strerror(errno));
	exit(0);
}

/* @form: "+" if what follows the first word that is no option is another's. */
static void take_all(struct run *run, const char *form, int argc, char **argv)
{
	int opt;

	memset(run, 0, sizeof(*run));
	policy_init(&run->policy);
	opterr = 0;
	while ((opt = getopt_long(argc, argv, form, options, NULL)) != -1) {
		switch (opt) {
		case OPT_HELP:
		case 'h':
			tell(help);
		case OPT_VERSION:
			tell("nst-run " NST_VERSION_TEXT "\n");
		case ':':
			run_refuse(RUN_EXIT_USAGE, "%s needs a value",
				   argv[optind - 1]);
		case '?':
			run_refuse(RUN_EXIT_USAGE,
				   "there is no option '%s'; 'nst-run --help' tells what there is",
				   argv[optind - 1]);
		default:
			take_option(run, opt, optarg);
		}
	}
	run->argv = argv + optind;
	check(run);
}

/**
 * options_parse() - read the arguments; what is wrong ends the process
 * @run: receives them
 * @argc: of main()
 * @argv: of main()
 */
void options_parse(struct run *run, int argc, char **argv)
{
	take_all(run, "+:h", argc, argv);
	check_program(run);
}

/**
 * options_parse_unit() - the same with a unit in place of a program
 * @run: receives them
 * @argc: of what follows, with the verb
 * @argv: of what follows, with the verb
 *
 * Return: the unit's name.
 */
const char *options_parse_unit(struct run *run, int argc, char **argv)
{
	take_all(run, ":h", argc, argv);
	if (!run->argv[0] || run->argv[1])
		run_refuse(RUN_EXIT_USAGE,
			   "%s UNIT of the arguments: nst-run %s UNIT --tcp PORTS ...",
			   run->argv[0] ? "more than one" : "no", argv[0]);
	if (run->policy.secret && run->engine == RUN_ENGINE_PRELOAD)
		run_refuse(RUN_EXIT_USAGE,
			   "--forward-secret: the preload engine cannot exchange keys; --engine notify can");
	return run->argv[0];
}
