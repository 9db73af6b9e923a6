// SPDX-License-Identifier: GPL-2.0
/*
 * Unit files as systemd reads them, as far as ExecStart= goes: sections, comments,
 * lines that go on in the next one, and an empty value that takes back what was
 * said before.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "unitfile.h"

/* No unit file is longer than systemd takes a line to be. */
#define FILE_MAX	(1u << 20)

#define BLANK		" \t\r\n"

/**
 * unitfile_read() - a file as one string
 * @path: of it
 *
 * Return: it, to be freed; NULL with errno set.
 */
char *unitfile_read(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;
	char *text = fd < 0 ? NULL : malloc(FILE_MAX + 1);
	size_t len = 0;
	ssize_t n = 1;

	while (text && n > 0 && len < FILE_MAX) {
		n = read(fd, text + len, FILE_MAX - len);
		if (n > 0)
			len += n;
	}
	if (!text || n < 0)
		err = errno;
	else if (n)
		err = EFBIG;
	else if (memchr(text, 0, len))
		err = EINVAL;
	if (fd >= 0)
		close(fd);
	if (err) {
		free(text);
		errno = err;
		return NULL;
	}
	text[len] = 0;
	return text;
}

/* A backslash at the end that no other one stands for. */
static int goes_on(const char *line, size_t len)
{
	size_t n = 0;

	while (n < len && line[len - 1 - n] == '\\')
		n++;
	return n % 2;
}

static int is_comment(const char *line)
{
	line += strspn(line, " \t");
	return *line == '#' || *line == ';';
}

/*
 * Takes one line with those that it goes on in, joined by blanks as systemd does.
 * Comments among them are left out. Return: where the next one begins, or NULL.
 */
static const char *take_line(const char *text, char *line)
{
	int more = 0;
	size_t len;

	if (!*text)
		return NULL;
	do {
		len = strcspn(text, "\n");
		if (!is_comment(text)) {
			memcpy(line, text, len);
			more = goes_on(line, len);
			line += len;
			if (more)
				line[-1] = ' ';
		}
		text += len;
		text += *text == '\n';
	} while (more && *text);
	*line = 0;
	return text;
}

static char *strip(char *text)
{
	size_t len;

	text += strspn(text, BLANK);
	len = strlen(text);
	while (len && strchr(BLANK, text[len - 1]))
		len--;
	text[len] = 0;
	return text;
}

static int add(struct commands *commands, const char *value)
{
	if (!*value) {
		unitfile_free(commands);
		return 0;
	}
	if (commands->nr == COMMANDS_MAX)
		return -E2BIG;
	commands->line[commands->nr] = strdup(value);
	if (!commands->line[commands->nr])
		return -ENOMEM;
	commands->nr++;
	return 0;
}

/* "ExecStart = value", or something else. */
static int take_setting(struct commands *commands, char *line)
{
	char *equals = strchr(line, '=');

	if (!equals)
		return 0;
	*equals = 0;
	if (strcmp(strip(line), "ExecStart"))
		return 0;
	return add(commands, strip(equals + 1));
}

/**
 * unitfile_commands() - go on with another file
 * @commands: what those before it said
 * @text: of the file
 *
 * Return: 0 or a negative errno.
 */
int unitfile_commands(struct commands *commands, const char *text)
{
	char *room = malloc(strlen(text) + 1), *line;
	int in_service = 0, err = room ? 0 : -ENOMEM;

	while (!err && (text = take_line(text, room))) {
		line = strip(room);
		if (*line == '[')
			in_service = !strcmp(line, "[Service]");
		else if (in_service)
			err = take_setting(commands, line);
	}
	free(room);
	return err;
}

/**
 * unitfile_prefix() - the letters before a command's path: "-", "+!", ...
 * @command: as ExecStart= has it
 *
 * Return: how many bytes they and the blanks behind them take.
 */
size_t unitfile_prefix(const char *command)
{
	return strspn(command, "-@:+!| \t");
}

/**
 * unitfile_free() - forget all commands
 * @commands: is empty then
 */
void unitfile_free(struct commands *commands)
{
	while (commands->nr)
		free(commands->line[--commands->nr]);
}
