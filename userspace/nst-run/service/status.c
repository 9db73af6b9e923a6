// SPDX-License-Identifier: GPL-2.0
/* nst-run status: which services have NST, and is it as it should be? */
#define _GNU_SOURCE
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "dropin.h"
#include "shell.h"
#include "status.h"
#include "target.h"

/* Exit statuses beside 0, all is well. */
#define STATUS_WRONG	1
#define STATUS_NOT	3

#define DEPTH		64

/* Of which a line of "smaps" and "maps" ends: the library is in the process. */
static const char library[] = "/libnst-preload.so";

/* 1, 0, or -1 if it may not be known. */
static int has_library(const char *pid)
{
	char path[64], *line = NULL;
	size_t size = 0;
	int found = 0;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%.20s/maps", pid);
	maps = fopen(path, "r");
	if (!maps)
		return -1;
	while (!found && getline(&line, &size, maps) > 0)
		found = !!strstr(line, library);
	if (ferror(maps))
		found = -1;
	free(line);
	fclose(maps);
	return found;
}

static int is_nst_run(const char *pid)
{
	char path[64], exe[4096], *base;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%.20s/exe", pid);
	n = readlink(path, exe, sizeof(exe) - 1);
	if (n <= 0)
		return 0;
	exe[n] = 0;
	base = strrchr(exe, '/');
	return base && !strncmp(base, "/nst-run", 8);
}

static int parent_of(char *pid, size_t size)
{
	char path[64], line[256];
	FILE *status;
	int found = 0;

	snprintf(path, sizeof(path), "/proc/%.20s/status", pid);
	status = fopen(path, "r");
	while (status && !found && fgets(line, sizeof(line), status))
		if (!strncmp(line, "PPid:\t", 6)) {
			snprintf(pid, size, "%.*s",
				 (int)strcspn(line + 6, "\n"), line + 6);
			found = 1;
		}
	if (status)
		fclose(status);
	return found;
}

/* One of the engines: the library in it, or nst-run at it or above it. */
static int runs_with_nst(const char *main_pid)
{
	char pid[32];
	int depth, has = has_library(main_pid);

	if (has > 0)
		return 1;
	snprintf(pid, sizeof(pid), "%s", main_pid);
	for (depth = 0; depth < DEPTH && strcmp(pid, "1") && strcmp(pid, "0");
	     depth++) {
		if (is_nst_run(pid))
			return 1;
		if (!parent_of(pid, sizeof(pid)))
			break;
	}
	return has;
}

static int tell_running(const struct target *target)
{
	char pid[32];
	int with;

	if (systemd_is_template(target->unit.name))
		return 0;
	systemd_value(&target->unit, "MainPID", pid, sizeof(pid));
	if (!*pid || !strcmp(pid, "0")) {
		printf("  process: none\n");
		return 0;
	}
	with = runs_with_nst(pid);
	if (with > 0)
		printf("  process: %s, with NST\n", pid);
	else if (!with)
		printf("  process: %s, WITHOUT NST: 'systemctl restart %s'\n",
		       pid, target->unit.name);
	else
		printf("  process: %s, with NST or not: that only root may know\n",
		       pid);
	return with ? 0 : STATUS_WRONG;
}

/* The drop-in has the command of a day: a package may have changed its own. */
static int is_of_today(const struct commands *theirs, const char *text)
{
	struct commands ours = { .nr = 0 };
	unsigned int i;
	int same = !unitfile_commands(&ours, text) && ours.nr == theirs->nr;

	for (i = 0; same && i < ours.nr; i++)
		same = dropin_wraps(ours.line[i], theirs->line[i]);
	unitfile_free(&ours);
	return same;
}

/* A unit's name may have a backslash in it. */
static void tell_changed(const char *name, const char *options)
{
	char word[4 * UNIT_NAME_SIZE];
	struct text to = { .buf = word, .size = sizeof(word) };

	shell_word(&to, name, strlen(name));
	printf("  command: NOT THE UNIT'S, which has changed: nst-run enable %s %s\n",
	       word, options);
}

static int tell_command(const struct target *target, const char *text,
			const char *options)
{
	struct commands theirs = { .nr = 0 };
	const char *why = target_read_commands(target, &theirs);
	int wrong = STATUS_WRONG;

	if (why)
		printf("  command: NOT KNOWN: %s\n", why);
	else if (!is_of_today(&theirs, text))
		tell_changed(target->unit.name, options);
	else
		wrong = 0;
	unitfile_free(&theirs);
	return wrong;
}

static void tell_options(const char *text, char *options, size_t size)
{
	struct commands ours = { .nr = 0 };

	*options = 0;
	if (!unitfile_commands(&ours, text) && ours.nr)
		dropin_options(ours.line[0], options, size);
	printf("  options: %s\n", options);
	unitfile_free(&ours);
}

static int tell_loaded(const struct target *target)
{
	char state[32], tool[4096];
	const char *why;
	ssize_t n;

	systemd_value(&target->unit, "LoadState", state, sizeof(state));
	if (strcmp(state, "loaded")) {
		printf("  unit:    NOT LOADED (%s)\n", state);
		return STATUS_WRONG;
	}
	n = readlink("/proc/self/exe", tool, sizeof(tool) - 1);
	tool[n > 0 ? n : 0] = 0;
	why = target_check(target, tool);
	if (why)
		printf("  unit:    NOT SO: %s\n", why);
	return why ? STATUS_WRONG : 0;
}

static int tell(const struct target *target)
{
	char path[DROPIN_PATH], options[2 * PORTS_TEXT + 512], *text;
	int wrong;

	dropin_path(path, target->unit.name);
	text = unitfile_read(path);
	if (!text || !dropin_is_ours(text)) {
		printf("%s: not enabled\n", target->unit.name);
		free(text);
		return STATUS_NOT;
	}
	printf("%s: enabled\n  drop-in: %s\n", target->unit.name, path);
	tell_options(text, options, sizeof(options));
	wrong = tell_loaded(target);
	if (!wrong)
		wrong = tell_command(target, text, options);
	wrong |= tell_running(target);
	free(text);
	return wrong;
}

static int tell_all(void)
{
	glob_t found;
	int status = 0;
	size_t i;

	if (glob(DROPIN_ROOT "/*.d/" DROPIN_NAME, 0, NULL, &found)) {
		puts("No service is enabled.");
		return 0;
	}
	for (i = 0; i < found.gl_pathc; i++) {
		char *name = found.gl_pathv[i] + sizeof(DROPIN_ROOT);
		char whole[UNIT_NAME_SIZE];
		struct target target = { .socket = "" };

		*strrchr(name, '/') = 0;
		name[strlen(name) - 2] = 0;
		if (systemd_name(whole, name))
			continue;
		systemd_show(&target.unit, whole);
		/* Its place has the name, even if it is an alias today. */
		strcpy(target.unit.name, whole);
		status |= tell(&target);
		target_free(&target);
	}
	globfree(&found);
	return status;
}

/**
 * status_command() - nst-run status [UNIT]
 * @argc: of what follows, with the verb
 * @argv: of what follows, with the verb
 *
 * Return: 0 if all that is enabled is as it should be, 1 if not, 3 if the unit
 * is not enabled.
 */
int status_command(int argc, char **argv)
{
	struct target target;
	int status;

	if (argc > 2)
		run_refuse(RUN_EXIT_USAGE, "usage: nst-run status [UNIT]");
	if (argc < 2)
		return tell_all();
	target_find_enabled(&target, argv[1]);
	status = tell(&target);
	target_free(&target);
	return status;
}
