// SPDX-License-Identifier: GPL-2.0
/*
 * systemd's view of a unit, asked of systemctl: its properties are an interface
 * that stays, and no library of systemd's gets into nst-run.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../run.h"
#include "systemd.h"

#define ANSWER_MAX	(1u << 18)

static const char * const properties[] = {
	"Id", "LoadState", "FragmentPath", "DropInPaths", "Type", "NotifyAccess",
	"PIDFile", "ExecStart", "RootDirectory", "RootImage", "PrivateNetwork",
	"NetworkNamespacePath", "Triggers", "Accept", "ActiveState", "MainPID",
	"NoExecPaths", "StandardInput", "StandardError"
};

#define NR_PROPERTIES	(sizeof(properties) / sizeof(properties[0]))

/* Runs it. Return: what it wrote, to be freed; NULL if it failed. */
static char *answer_of(const char **argv)
{
	int ends[2], status = -1;
	size_t len = 0;
	ssize_t n = 0;
	char *text;
	pid_t pid;

	text = malloc(ANSWER_MAX);
	if (!text || pipe(ends))
		run_refuse(RUN_EXIT_REFUSED, "%s: %s", argv[0], strerror(errno));
	pid = fork();
	if (!pid) {
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		close(ends[1]);
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	close(ends[1]);
	while (pid > 0 && len < ANSWER_MAX - 1) {
		n = read(ends[0], text + len, ANSWER_MAX - 1 - len);
		if (n > 0)
			len += n;
		else if (!n || errno != EINTR)
			break;
	}
	close(ends[0]);
	text[len] = 0;
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status || n) {
		free(text);
		return NULL;
	}
	return text;
}

/**
 * systemd_is() - does a unit's name end so?
 * @name: of it
 * @suffix: ".service"
 *
 * Return: 1 or 0.
 */
int systemd_is(const char *name, const char *suffix)
{
	size_t len = strlen(name), n = strlen(suffix);

	return len > n && !strcmp(name + len - n, suffix);
}

/**
 * systemd_is_template() - is it a unit for others to be made of?
 * @name: "getty@.service"
 *
 * Return: 1 or 0.
 */
int systemd_is_template(const char *name)
{
	const char *at = strchr(name, '@');

	return at && at[1] == '.' && !strchr(at + 2, '.');
}

/**
 * systemd_name() - a unit's name as it was given, made whole
 * @name: receives it, UNIT_NAME_SIZE bytes
 * @given: without a suffix it is a service
 *
 * Return: 0; -1 if no unit can have that name.
 */
int systemd_name(char *name, const char *given)
{
	static const char suffixes[][12] = {
		".service", ".socket", ".target", ".timer", ".mount", ".path",
		".slice", ".scope", ".device", ".swap", ".automount"
	};
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.\\@";
	size_t len = strlen(given), i;

	if (!len || given[0] == '.' || given[0] == '@' || given[0] == '-' ||
	    len + sizeof(".service") > UNIT_NAME_SIZE ||
	    strspn(given, allowed) != len)
		return -1;
	for (i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (systemd_is(given, suffixes[i]))
			break;
	sprintf(name, "%s%s", given,
		i < sizeof(suffixes) / sizeof(suffixes[0]) ? "" : ".service");
	return 0;
}

/**
 * systemd_value() - a property
 * @unit: from systemd_show()
 * @property: its name
 * @value: receives it
 * @size: of @value
 *
 * Return: @value; it is empty if there is no such property.
 */
const char *systemd_value(const struct unit *unit, const char *property,
			  char *value, size_t size)
{
	const char *line = unit->shown;
	size_t len, n = strlen(property);

	*value = 0;
	for (; *line; line += len + (line[len] == '\n')) {
		len = strcspn(line, "\n");
		if (strncmp(line, property, n) || line[n] != '=')
			continue;
		len -= n + 1;
		snprintf(value, size, "%.*s", (int)len, line + n + 1);
		break;
	}
	return value;
}

/**
 * systemd_show() - ask for a unit; without an answer the process ends
 * @unit: receives what is known of it
 * @name: of it, from systemd_name()
 *
 * systemd has no properties of a template, but of an instance that is not
 * started, which are the same.
 */
void systemd_show(struct unit *unit, const char *name)
{
	const char *argv[2 * NR_PROPERTIES + 5] = { "systemctl", "show" };
	const char *at = strchr(name, '@');
	size_t i, n = 2;

	for (i = 0; i < NR_PROPERTIES; i++) {
		argv[n++] = "-p";
		argv[n++] = properties[i];
	}
	argv[n++] = "--";
	argv[n++] = unit->asked;

	if (systemd_is_template(name))
		snprintf(unit->asked, sizeof(unit->asked), "%.*s@nst-run%s",
			 (int)(at - name), name, at + 1);
	else
		snprintf(unit->asked, sizeof(unit->asked), "%s", name);
	unit->shown = answer_of(argv);
	if (!unit->shown)
		run_refuse(RUN_EXIT_REFUSED,
			   "%s: systemd does not tell of it ('systemctl show %s' fails)",
			   name, unit->asked);
	/* An alias is not the name that drop-ins go by. */
	if (systemd_is_template(name) ||
	    !*systemd_value(unit, "Id", unit->name, sizeof(unit->name)))
		snprintf(unit->name, sizeof(unit->name), "%s", name);
}

/**
 * systemd_reload() - have systemd read its files again
 *
 * Return: 0, or -1 if it could not be had.
 */
int systemd_reload(void)
{
	const char *argv[3] = { "systemctl", "daemon-reload" };
	char *text = answer_of(argv);

	free(text);
	return text ? 0 : -1;
}

/**
 * systemd_free() - forget what was asked
 * @unit: from systemd_show()
 */
void systemd_free(struct unit *unit)
{
	free(unit->shown);
	unit->shown = NULL;
}
