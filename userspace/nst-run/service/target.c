// SPDX-License-Identifier: GPL-2.0
/* The service that is meant, and whether nst-run can stand before its command. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "dropin.h"
#include "shell.h"
#include "target.h"

#define VALUE_SIZE	4096

static int is(const struct target *target, const char *property,
	      const char *value)
{
	char found[VALUE_SIZE];

	return !strcmp(systemd_value(&target->unit, property, found,
				     sizeof(found)), value);
}

static void take_name(char *name, const char *given)
{
	if (systemd_name(name, given))
		run_refuse(RUN_EXIT_USAGE, "'%s' is no unit's name", given);
	if (!systemd_is(name, ".service") && !systemd_is(name, ".socket"))
		run_refuse(RUN_EXIT_USAGE,
			   "%s: only services run programs; name one, or a socket of one",
			   name);
}

static void check_loaded(const struct target *target)
{
	const char *name = target->unit.name;
	char state[32];

	systemd_value(&target->unit, "LoadState", state, sizeof(state));
	if (!strcmp(state, "loaded"))
		return;
	if (!strcmp(state, "masked"))
		run_refuse(RUN_EXIT_REFUSED,
			   "%s is masked, so it never starts: 'systemctl unmask %s' first",
			   name, name);
	if (!strcmp(state, "not-found"))
		run_refuse(RUN_EXIT_REFUSED, "there is no unit %s", name);
	run_refuse(RUN_EXIT_REFUSED,
		   "%s: systemd cannot load it (%s): 'systemctl status %s' has more",
		   name, state, target->unit.asked);
}

/* "x.socket" with Accept=yes starts instances of "x@.service". */
static void service_of(const struct target *target, char *name)
{
	char triggers[VALUE_SIZE], *at;
	size_t len = strlen(target->socket) - strlen(".socket");

	if (is(target, "Accept", "yes")) {
		at = strchr(target->socket, '@');
		if (at)
			len = at - target->socket;
		snprintf(name, UNIT_NAME_SIZE, "%.*s@.service", (int)len,
			 target->socket);
		return;
	}
	systemd_value(&target->unit, "Triggers", triggers, sizeof(triggers));
	if (strchr(triggers, ' ') || systemd_name(name, triggers))
		run_refuse(RUN_EXIT_REFUSED,
			   "%s starts no service that is known ('%s')",
			   target->socket, triggers);
	at = strstr(name, "@nst-run.");
	if (at && systemd_is_template(target->socket))
		strcpy(at + 1, ".service");
}

/**
 * target_find() - the service of a name; what is none ends the process
 * @target: receives it
 * @given: the name; of a socket unit, the service is that which it starts
 */
void target_find(struct target *target, const char *given)
{
	char name[UNIT_NAME_SIZE];

	*target->socket = 0;
	take_name(name, given);
	systemd_show(&target->unit, name);
	check_loaded(target);
	if (!systemd_is(target->unit.name, ".socket"))
		return;
	strcpy(target->socket, target->unit.name);
	service_of(target, name);
	systemd_free(&target->unit);
	systemd_show(&target->unit, name);
	check_loaded(target);
}

static int has_dropin(const char *name)
{
	char path[DROPIN_PATH];

	dropin_path(path, name);
	return !access(path, F_OK);
}

/**
 * target_find_enabled() - the service of a name, which may be gone by now
 * @target: receives it
 * @given: the name
 */
void target_find_enabled(struct target *target, const char *given)
{
	char name[UNIT_NAME_SIZE];

	*target->socket = 0;
	take_name(name, given);
	systemd_show(&target->unit, name);
	/* Masked later, or removed: what was made for it is still there. */
	if (has_dropin(target->unit.name))
		return;
	if (has_dropin(name)) {
		strcpy(target->unit.name, name);
		return;
	}
	systemd_free(&target->unit);
	target_find(target, given);
}

/* The program of a command, past nothing but its prefix. */
static int runs_nst_run(const char *command)
{
	static const char tool[] = "nst-run";
	const char *program = command + unitfile_prefix(command);
	size_t len = strcspn(program, " \t");

	len = program[0] == '"' ? 0 : len;
	return len >= sizeof(tool) - 1 &&
		!strncmp(program + len - (sizeof(tool) - 1), tool,
			 sizeof(tool) - 1) &&
		(len == sizeof(tool) - 1 ||
		 program[len - sizeof(tool)] == '/');
}

static void check_command(const struct target *target, const char *command)
{
	const char *name = target->unit.name;

	if (!strncmp(name, "nst-box", 7))
		run_refuse(RUN_EXIT_REFUSED, "%s is what loads the keys", name);
	if (memchr(command, '@', unitfile_prefix(command)))
		run_refuse(RUN_EXIT_REFUSED,
			   "%s gives its program another name (ExecStart=@): nst-run cannot",
			   name);
	if (shell_several(command))
		run_refuse(RUN_EXIT_REFUSED,
			   "%s has several commands in one ExecStart= (' ; '): part them into lines of their own",
			   name);
	if (runs_nst_run(command))
		run_refuse(RUN_EXIT_REFUSED,
			   "%s runs nst-run already, not by 'enable': 'systemctl cat %s'",
			   name, target->unit.asked);
}

/* Return: NULL, or why it cannot be read. */
static const char *add_file(struct commands *commands, const char *path)
{
	static char why[VALUE_SIZE];
	const char *base = strrchr(path, '/');
	char *text = unitfile_read(path);
	int err = 0;

	if (!text)
		err = -errno;
	else if (!base || strcmp(base + 1, DROPIN_NAME) || !dropin_is_ours(text))
		err = unitfile_commands(commands, text);
	free(text);
	if (!err)
		return NULL;
	snprintf(why, sizeof(why), "%s: %s", path, strerror(-err));
	return why;
}

/**
 * target_read_commands() - the lines of ExecStart= without ours
 * @target: a service
 * @commands: empty; receives them
 *
 * Return: NULL, or what is wrong.
 */
const char *target_read_commands(const struct target *target,
				 struct commands *commands)
{
	static char paths[16 * VALUE_SIZE];
	const char *why;
	char *path, *rest;

	systemd_value(&target->unit, "FragmentPath", paths, sizeof(paths));
	if (!*paths)
		return "it has no file";
	why = add_file(commands, paths);
	systemd_value(&target->unit, "DropInPaths", paths, sizeof(paths));
	for (path = strtok_r(paths, " ", &rest); path && !why;
	     path = strtok_r(NULL, " ", &rest))
		why = add_file(commands, path);
	if (!why && !commands->nr)
		why = "it has no ExecStart=";
	return why;
}

/**
 * target_commands() - the same; what nst-run cannot stand before ends the process
 * @target: a service
 * @commands: empty; receives them
 */
void target_commands(const struct target *target, struct commands *commands)
{
	const char *why = target_read_commands(target, commands);
	unsigned int i;

	if (why)
		run_refuse(RUN_EXIT_REFUSED, "%s: %s", target->unit.name, why);
	for (i = 0; i < commands->nr; i++)
		check_command(target, commands->line[i]);
}

/**
 * target_notifies() - does the program report, and must be let?
 * @target: a service
 *
 * Under the notify engine systemd's main process is nst-run.
 *
 * Return: 1 or 0.
 */
int target_notifies(const struct target *target)
{
	return is(target, "Type", "notify") || is(target, "Type", "notify-reload");
}

/**
 * target_stderr_is_peer() - does standard error go to the connection?
 * @target: a service
 *
 * As with Accept=yes, if nothing else is said. What nst-run says before it has
 * attached the connection would go out as plaintext.
 *
 * Return: 1 or 0.
 */
int target_stderr_is_peer(const struct target *target)
{
	return is(target, "StandardInput", "socket") &&
		(is(target, "StandardError", "inherit") ||
		 is(target, "StandardError", "socket"));
}

/**
 * target_names_programs() - may it run only what it names (NoExecPaths=)?
 * @target: a service
 *
 * Return: 1 or 0.
 */
int target_names_programs(const struct target *target)
{
	return !is(target, "NoExecPaths", "");
}

/**
 * target_note() - say what an administrator should know of this service
 * @target: it
 * @run: the options
 */
void target_note(const struct target *target, const struct run *run)
{
	const char *name = target->unit.name;

	if (*target->socket)
		run_note("%s hands its listener to %s, which gets NST",
			 target->socket, name);
	if (!is(target, "RootDirectory", "") || !is(target, "RootImage", ""))
		run_note("%s has a root directory of its own: nst-run must be in it, too",
			 name);
	if (is(target, "PrivateNetwork", "yes") ||
	    !is(target, "NetworkNamespacePath", ""))
		run_note("%s has a network namespace of its own, which needs a box: see nst-run(8)",
			 name);
	if (is(target, "Type", "forking") && is(target, "PIDFile", "") &&
	    run->engine != RUN_ENGINE_PRELOAD)
		run_note("%s forks and has no PIDFile=: see the notify engine in nst-run(8)",
			 name);
}

/**
 * target_check() - does systemd start nst-run now?
 * @target: a service, as it was before
 * @tool: path of nst-run
 *
 * Return: NULL, or why not.
 */
const char *target_check(const struct target *target, const char *tool)
{
	static const char start[] = "ExecStart={ path=";
	const char *line, *why = NULL;
	struct unit unit;
	size_t len = strlen(tool);

	systemd_show(&unit, systemd_is_template(target->unit.name) ?
		     target->unit.name : target->unit.asked);
	if (!strstr(unit.shown, "LoadState=loaded"))
		why = "systemd cannot load it with the drop-in";
	line = strstr(unit.shown, start);
	if (!why && !line)
		why = "systemd does not know its command";
	for (; line && !why; line = strstr(line, start)) {
		line += sizeof(start) - 1;
		if (strncmp(line, tool, len) || line[len] != ' ')
			why = "another drop-in sets ExecStart= behind ours";
	}
	systemd_free(&unit);
	return why;
}

/**
 * target_free() - forget a service
 * @target: it
 */
void target_free(struct target *target)
{
	systemd_free(&target->unit);
}
