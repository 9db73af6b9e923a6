// SPDX-License-Identifier: GPL-2.0
/*
 * nst-run enable and disable: NST for a service of systemd, by a drop-in of ours.
 * No file of the unit's own is touched. If systemd does not take the drop-in as it
 * was meant, it is as it was before.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../beside.h"
#include "../options.h"
#include "dropin.h"
#include "service.h"
#include "status.h"
#include "target.h"

/**
 * service_is_verb() - is it a command for services, and no option?
 * @word: the first argument
 *
 * Return: 1 or 0.
 */
int service_is_verb(const char *word)
{
	return word && (!strcmp(word, "enable") || !strcmp(word, "disable") ||
			!strcmp(word, "status"));
}

static const char *own_path(void)
{
	static char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (n <= 0)
		run_refuse(RUN_EXIT_REFUSED, "/proc/self/exe: %s",
			   strerror(errno));
	path[n] = 0;
	return path;
}

static const char *box_path(void)
{
	static char path[4096];
	const char *found = beside("../lib/nst/nst-box");

	if (!found)
		return NULL;
	snprintf(path, sizeof(path), "%s", found);
	return path;
}

static const char *library_path(void)
{
	static char path[4096];
	const char *found = beside("../lib/nst");

	snprintf(path, sizeof(path), "%s", found ? found : NST_RUN_LIBDIR);
	return path;
}

/* What the service's own settings would keep nst-run from. */
static void fit(struct dropin *dropin, const struct target *target)
{
	dropin->box = box_path();
	dropin->notify_all = target_notifies(target);
	dropin->stderr_journal = target_stderr_is_peer(target);
	if (target_names_programs(target))
		dropin->library = library_path();
}

/* What is at its place now: NULL, or ours. Another's ends the process. */
static char *present(const char *path)
{
	char *text = unitfile_read(path);

	if (!text && errno != ENOENT && errno != ENOTDIR)
		run_refuse(RUN_EXIT_REFUSED, "%s: %s", path, strerror(errno));
	if (text && !dropin_is_ours(text))
		run_refuse(RUN_EXIT_REFUSED,
			   "%s was not made by nst-run: move it away first",
			   path);
	return text;
}

static int put(const char *path, const char *text)
{
	return text ? dropin_write(path, text) : dropin_remove(path);
}

/* systemd has it as it was meant, or nothing has changed. */
static void install(const struct target *target, const char *path,
		    const char *text, const char *old, const char *tool)
{
	const char *why = NULL;
	int err = dropin_write(path, text);

	if (err)
		run_refuse(RUN_EXIT_REFUSED, "%s: %s; %s", path, strerror(-err),
			   old ? "it is as it was" : "nothing was changed");
	if (systemd_reload())
		why = "'systemctl daemon-reload' failed";
	else
		why = target_check(target, tool);
	if (!why)
		return;
	err = put(path, old);
	systemd_reload();
	run_refuse(RUN_EXIT_REFUSED, "%s: %s; %s%s", target->unit.name, why,
		   err ? "and it could not be put back: " : "it is as it was",
		   err ? strerror(-err) : "");
}

static void tell_enabled(const struct target *target, const char *path,
			 int changed)
{
	char state[32];

	printf("%s: %s (%s)\n", target->unit.name,
	       changed ? "enabled" : "was enabled so already", path);
	systemd_value(&target->unit, "ActiveState", state, sizeof(state));
	if (changed && (!strcmp(state, "active") || !strcmp(state, "reloading")))
		printf("It runs as it was started: 'systemctl restart %s'\n",
		       target->unit.name);
}

static void check_place(const char *path)
{
	int err = dropin_check_place(path), len = strrchr(path, '/') - path;

	if (err == -ELOOP)
		run_refuse(RUN_EXIT_REFUSED,
			   "%.*s is a symbolic link: what is put there is for other units, too",
			   len, path);
	if (err)
		run_refuse(RUN_EXIT_REFUSED, "%.*s: %s", len, path,
			   strerror(-err));
}

static int enable(int argc, char **argv)
{
	static struct run run;
	const char *given = options_parse_unit(&run, argc, argv);
	struct dropin dropin = { .run = &run, .tool = own_path() };
	struct commands commands = { .nr = 0 };
	struct target target;
	char path[DROPIN_PATH], *text, *old;

	target_find(&target, given);
	dropin_path(path, target.unit.name);
	check_place(path);
	old = present(path);
	target_commands(&target, &commands);
	dropin.commands = &commands;
	fit(&dropin, &target);
	target_note(&target, &run);
	text = dropin_text(&dropin);
	if (!text)
		run_refuse(RUN_EXIT_REFUSED, "no memory");
	if (!old || strcmp(old, text))
		install(&target, path, text, old, dropin.tool);
	tell_enabled(&target, path, !old || strcmp(old, text));
	free(old);
	free(text);
	unitfile_free(&commands);
	target_free(&target);
	return 0;
}

/* The unit may be gone by now: its name alone is enough, if it is there by that. */
static int disable(int argc, char **argv)
{
	char path[DROPIN_PATH], *old;
	struct target target;
	int err, failed;

	if (argc != 2)
		run_refuse(RUN_EXIT_USAGE, "usage: nst-run %s UNIT", argv[0]);
	target_find_enabled(&target, argv[1]);
	dropin_path(path, target.unit.name);
	old = present(path);
	if (!old)
		run_refuse(RUN_EXIT_REFUSED, "%s is not enabled: there is no %s",
			   target.unit.name, path);
	err = dropin_remove(path);
	/* Whatever is gone of it, systemd is to know. */
	failed = systemd_reload();
	if (err)
		run_refuse(RUN_EXIT_REFUSED, "%s: %s", path, strerror(-err));
	if (failed)
		run_refuse(RUN_EXIT_REFUSED,
			   "%s is gone, but 'systemctl daemon-reload' failed",
			   path);
	printf("%s: disabled; what runs goes on with NST until it is restarted\n",
	       target.unit.name);
	free(old);
	target_free(&target);
	return 0;
}

/**
 * service_command() - nst-run enable|disable|status
 * @argc: of what follows, with the verb
 * @argv: of what follows, with the verb
 *
 * Return: the exit status.
 */
int service_command(int argc, char **argv)
{
	int status;

	/* A limit of file size is an error like a full disk, not an end. */
	signal(SIGXFSZ, SIG_IGN);
	if (!strcmp(argv[0], "enable"))
		status = enable(argc, argv);
	else if (!strcmp(argv[0], "disable"))
		status = disable(argc, argv);
	else
		status = status_command(argc, argv);
	if (fflush(stdout) == EOF || ferror(stdout))
		run_refuse(RUN_EXIT_REFUSED, "stdout: %s", strerror(errno));
	return status;
}
