// SPDX-License-Identifier: GPL-2.0
/* nstkeyctl: the key box and the guard of NST. Finds the command and checks its form. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
#include "keyfile.h"
#include "netns.h"
#include "nstkeyctl.h"

/* What a command may be given. */
#define MAY_JSON	1
#define MAY_PROMETHEUS	2
#define MAY_FORCE	4
#define MAY_KEYS	8
#define MAY_JOURNAL	16

static const struct {
	const char *name;
	command_fn run;
	int min, max;		/* arguments */
	unsigned int may;
	const char *usage;
	const char *text;
} commands[] = {
	{ "genkey", cmd_genkey, 1, 3, MAY_FORCE,
	  "[--force] KID [accept|active|retired [FILE]]", "make a key, a line of a box file" },
	{ "genbox", cmd_genbox, 0, 1, MAY_FORCE | MAY_KEYS,
	  "[--force] [--keys N] [FILE]", "make a box of N keys (1), the first one active" },
	{ "load", cmd_load, 1, 1, 0,
	  "FILE", "put the box of FILE in place of the present one" },
	{ "add", cmd_add, 1, 1, 0, "FILE", "add the one key of FILE" },
	{ "activate", cmd_activate, 1, 1, 0, "KID", "let senders use a key" },
	{ "retire", cmd_retire, 1, 1, MAY_FORCE, "[--force] KID",
	  "refuse a key from now on; with --force also if it is in use" },
	{ "del", cmd_del, 1, 1, 0, "KID", "remove a key" },
	{ "flush", cmd_flush, 0, 0, 0, "", "remove all keys" },
	{ "show", cmd_show, 0, 1, MAY_JSON,
	  "[KID] [--json]", "keys with state, fingerprint, and who uses them" },
	{ "guard", cmd_guard, 1, 4, MAY_JSON | MAY_PROMETHEUS,
	  "add tcp|udp PORTS [dry-run] | del tcp|udp PORTS | load FILE | flush | show [--json|--prometheus]",
	  "ports on which plaintext neither arrives nor leaves" },
	{ "sockets", cmd_sockets, 0, 0, MAY_JSON, "[--json]", "UDP sockets that have NST" },
	{ "owners", cmd_owners, 0, 0, MAY_JSON, "[--json]",
	  "who holds how much of what is remembered" },
	{ "caps", cmd_caps, 0, 0, MAY_JSON, "[--json]", "suites and their drivers" },
	{ "stats", cmd_stats, 0, 0, MAY_JSON | MAY_PROMETHEUS,
	  "[--json|--prometheus]", "counters of this network namespace" },
	{ "monitor", cmd_monitor, 0, 0, MAY_JSON | MAY_JOURNAL,
	  "[--json|--journal]", "print events as they happen" },
	{ "doctor", cmd_doctor, 0, 0, MAY_JSON, "[--json]", "find out why it does not work" },
};

#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))
#define MAX_ARGS	4

static void help_line(FILE *to, unsigned int i)
{
	const char *usage = commands[i].usage;

	fprintf(to, "  %s%s%s\n      %s\n", commands[i].name,
		*usage ? " " : "", usage, commands[i].text);
}

static void help_words(FILE *to)
{
	fputs("\nFILE may be -, standard input or output; one that is there is replaced only with\n"
	      "--force. PORTS is a number, a range or a service, or some of these\n"
	      "(80,5000-5010,redis). It all acts on the network namespace that it runs in,\n"
	      "or on that of --netns NAME|PID (of ip-netns(8), or of a process).\n"
	      "'nstkeyctl doctor' says what is wrong. nstkeyctl(8) has more.\n",
	      to);
}

static void help_all(FILE *to)
{
	unsigned int i;

	fputs("usage: nstkeyctl COMMAND [ARGUMENT...]\n"
	      "       nstkeyctl help [COMMAND] | --version\n\n", to);
	for (i = 0; i < NR_COMMANDS; i++)
		help_line(to, i);
	help_words(to);
}

__attribute__((noreturn, format(printf, 1, 2)))
static void refuse(const char *fmt, ...)
{
	va_list ap;

	fputs("nstkeyctl: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputs("; 'nstkeyctl help' tells what there is\n", stderr);
	exit(EXIT_USAGE);
}

static unsigned int parse_count(const char *text)
{
	uint16_t n;

	/* A number as a kid is one: digits, and no more. */
	if (keyline_kid(text, strlen(text), &n) || n > NST_BOX_MAX)
		refuse("--keys '%s': it must be a number from 1 to %d", text,
		       NST_BOX_MAX);
	return n;
}

static unsigned int find_command(const char *name)
{
	unsigned int i;

	for (i = 0; i < NR_COMMANDS; i++)
		if (!strcmp(commands[i].name, name))
			return i;
	refuse("there is no command '%s'", name);
}

/* help [COMMAND]; NULL: all of them */
static int help_command(const char *name)
{
	unsigned int i;

	if (!name) {
		help_all(stdout);
		return EXIT_OK;
	}
	i = find_command(name);
	fputs("usage: nstkeyctl COMMAND [ARGUMENT...]\n\n", stdout);
	help_line(stdout, i);
	help_words(stdout);
	return EXIT_OK;
}

/* Options without a value. */
static const struct {
	const char *name;
	unsigned int bit;	/* MAY_*; 0: with every command */
	size_t value;		/* its place in struct options */
} flags[] = {
	{ "--help", 0, offsetof(struct options, help) },
	{ "-h", 0, offsetof(struct options, help) },
	{ "--json", MAY_JSON, offsetof(struct options, json) },
	{ "--prometheus", MAY_PROMETHEUS, offsetof(struct options, prometheus) },
	{ "--journal", MAY_JOURNAL, offsetof(struct options, journal) },
	{ "--force", MAY_FORCE, offsetof(struct options, force) },
};

#define NR_FLAGS (sizeof(flags) / sizeof(flags[0]))

/* --keys N, --keys=N. Return: arguments used up, 0 if it is none. */
static int take_keys(struct options *opt, char **arg)
{
	if (!strncmp(arg[0], "--keys=", 7)) {
		opt->keys = parse_count(arg[0] + 7);
		return 1;
	}
	if (strcmp(arg[0], "--keys"))
		return 0;
	opt->keys = parse_count(arg[1] ? arg[1] : "");
	return 2;
}

/* --netns NAME, --netns=NAME. Return: arguments used up, 0 if it is none. */
static int take_netns(struct options *opt, char **arg)
{
	int n = 1;

	if (!strncmp(arg[0], "--netns=", 8)) {
		opt->netns = arg[0] + 8;
	} else if (!strcmp(arg[0], "--netns")) {
		opt->netns = arg[1] ? arg[1] : "";
		n = 2;
	} else {
		return 0;
	}
	if (!*opt->netns)
		refuse("--netns needs a name or a process");
	return n;
}

/* Takes one option. Return: arguments used up, 0 if it is none. */
static int take_option(struct options *opt, unsigned int *used, char **arg)
{
	unsigned int i;
	int n;

	for (i = 0; i < NR_FLAGS; i++) {
		if (strcmp(arg[0], flags[i].name))
			continue;
		*(int *)((char *)opt + flags[i].value) = 1;
		*used |= flags[i].bit;
		return 1;
	}
	n = take_netns(opt, arg);
	if (n)
		return n;
	n = take_keys(opt, arg);
	if (n)
		*used |= MAY_KEYS;
	else if (arg[0][0] == '-' && arg[0][1])
		refuse("there is no option %s", arg[0]);
	return n;
}

/* Sorts the command line. Return: number of the command's arguments, or -1. */
static int take_args(struct options *opt, unsigned int *used, char **argv,
		     const char **command, char **args)
{
	int n, nr = -1, all_options = 0;

	while (*argv) {
		n = !all_options && !strcmp(*argv, "--");
		all_options |= n;
		if (!all_options)
			n = take_option(opt, used, argv);
		argv += n;
		if (n)
			continue;
		/* A variable of a script that is not set. */
		if (!**argv)
			refuse("an argument is an empty word");
		if (nr == MAX_ARGS)
			refuse("too many arguments, from '%s' on", *argv);
		if (nr < 0)
			*command = *argv;
		else
			args[nr] = *argv;
		nr++;
		argv++;
	}
	return nr;
}

/* Names the first option that a command does not take. */
static void check_options(const char *command, unsigned int not_taken)
{
	unsigned int i;

	if (not_taken & MAY_KEYS)
		refuse("'%s' does not take --keys", command);
	for (i = 0; i < NR_FLAGS; i++)
		if (not_taken & flags[i].bit)
			refuse("'%s' does not take %s", command, flags[i].name);
}

static int run(const char *command, const struct options *opt,
	       unsigned int used, char **args, int nr)
{
	unsigned int i = find_command(command);

	if (opt->help)
		return help_command(command);
	check_options(command, used & ~commands[i].may);
	if (opt->json && opt->prometheus)
		refuse("--json and --prometheus do not go together");
	if (opt->json && opt->journal)
		refuse("--json and --journal do not go together");
	if (nr < commands[i].min || nr > commands[i].max) {
		fprintf(stderr, "usage: nstkeyctl %s%s%s\n", command,
			*commands[i].usage ? " " : "", commands[i].usage);
		return EXIT_USAGE;
	}
	if (opt->netns && netns_enter(opt->netns))
		return EXIT_FAILED;
	return commands[i].run(opt, args);
}

/* What stands in place of a command. Return: the exit status, or -1. */
static int other_than_command(char **argv)
{
	if (!argv[1])
		return -1;
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts("nstkeyctl " NST_VERSION_TEXT);
		return EXIT_OK;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") ||
	    !strcmp(argv[1], "help")) {
		/* "help guard add": the first word is enough. */
		return help_command(argv[2]);
	}
	return -1;
}

static int work(char **argv)
{
	struct options opt = { .keys = 1 };
	char *args[MAX_ARGS + 1] = { NULL };
	const char *command = NULL;
	unsigned int used = 0;
	int nr = other_than_command(argv);

	if (nr >= 0)
		return nr;
	nr = take_args(&opt, &used, argv + 1, &command, args);
	if (nr >= 0)
		return run(command, &opt, used, args, nr);
	help_all(opt.help ? stdout : stderr);
	return opt.help ? EXIT_OK : EXIT_USAGE;
}

/*
 * What the caller has closed must not become the number of a file or a socket
 * that is opened later: a message would go there. Used, it fails as if closed.
 */
static void fill_standard_files(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_PATH | O_CLOEXEC);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	int status;

	(void)argc;
	fill_standard_files();
	/* Keys must not reach a core dump or a debugger of the same user. */
	prctl(PR_SET_DUMPABLE, 0);
	/* A limit of file size is an error like a full disk, not an end. */
	signal(SIGXFSZ, SIG_IGN);
	status = work(argv);
	if (fflush(stdout) == EOF || ferror(stdout)) {
		fprintf(stderr, "nstkeyctl: stdout: %s\n", strerror(errno));
		return EXIT_FAILED;
	}
	return status;
}
