// SPDX-License-Identifier: GPL-2.0
/*
 * The drop-in of a service: written beside its place and moved there when it is
 * whole and on the disk, so that a service never has half of one, which would be
 * a command without nst-run. What is ours begins with a line that says so.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "dropin.h"
#include "shell.h"

static const char first_line[] = "# Made by nst-run(8) enable";
static const char ending[] = " -- ";

/**
 * dropin_path() - where a unit's is
 * @path: receives it, DROPIN_PATH bytes
 * @unit: its name
 */
void dropin_path(char *path, const char *unit)
{
	snprintf(path, DROPIN_PATH, "%s/%s.d/%s", DROPIN_ROOT, unit,
		 DROPIN_NAME);
}

/*
 * A word as systemd takes it back: two signs have a meaning for it behind that of
 * the backslash. @plain: the command's prefix says that $ has none.
 */
static void put_word(FILE *to, const char *word, size_t len, int plain)
{
	static const char as_is[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.,/";
	size_t i;

	for (i = 0; i < len; i++) {
		if (word[i] == '%')
			fputs("%%", to);
		else if (word[i] == '$')
			fputs(plain ? "$" : "$$", to);
		else if (word[i] && strchr(as_is, word[i]))
			fputc(word[i], to);
		else
			fprintf(to, "\\x%02x", (unsigned char)word[i]);
	}
}

static void put_ports(FILE *to, const char *option, const struct ports *ports)
{
	char list[PORTS_TEXT];

	if (!ports->nr)
		return;
	ports_write(ports, list, sizeof(list));
	fprintf(to, " %s %s", option, list);
}

static void put_options(FILE *to, const struct run *run, int plain)
{
	const struct policy *policy = &run->policy;

	put_ports(to, "--tcp", &policy->tcp);
	put_ports(to, "--udp", &policy->udp);
	if (policy->secret)
		fputs(" --forward-secret", to);
	if (policy->group)
		fprintf(to, "=%s", policy_group_name(policy->group));
	if (policy->strict && !policy->secret)
		fputs(" --strict", to);
	if (policy->cipher != NST_CIPHER_AES_GCM)
		fprintf(to, " --cipher %s", policy_cipher_name(policy->cipher));
	if (policy->context_len) {
		fputs(" --context ", to);
		put_word(to, (const char *)policy->context, policy->context_len,
			 plain);
	}
	if (run->engine != RUN_ENGINE_AUTO)
		fprintf(to, " --engine %s", run->engine == RUN_ENGINE_NOTIFY ?
			"notify" : "preload");
	if (policy->let)
		fputs(" --let-go", to);
	if (run->explain)
		fputs(" --explain", to);
}

static void put_command(FILE *to, const struct dropin *dropin,
			const char *command)
{
	size_t prefix = unitfile_prefix(command);
	int plain = !!memchr(command, ':', prefix);

	fprintf(to, "ExecStart=%.*s", (int)prefix, command);
	put_word(to, dropin->tool, strlen(dropin->tool), plain);
	put_options(to, dropin->run, plain);
	fprintf(to, "%s%s\n", ending, command + prefix);
}

static void put_rest(FILE *to, const struct dropin *dropin)
{
	if (dropin->notify_all)
		fputs("NotifyAccess=all\n", to);
	if (dropin->stderr_journal)
		fputs("StandardError=journal\n", to);
	if (!dropin->library)
		return;
	fputs("ExecPaths=", to);
	put_word(to, dropin->tool, strlen(dropin->tool), 0);
	fputc(' ', to);
	put_word(to, dropin->library, strlen(dropin->library), 0);
	fputc('\n', to);
}

/**
 * dropin_text() - what stands in one
 * @dropin: all about it
 *
 * Return: a string, to be freed; NULL without memory.
 */
char *dropin_text(const struct dropin *dropin)
{
	char *text = NULL;
	size_t size;
	unsigned int i;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		return NULL;
	fprintf(to, "%s; \"nst-run disable\" takes it away.\n", first_line);
	fputs("[Unit]\nWants=nst-box.service\nAfter=nst-box.service\n\n[Service]\n",
	      to);
	if (dropin->box) {
		fputs("ExecStartPre=+", to);
		put_word(to, dropin->box, strlen(dropin->box), 0);
		fputs(" check\n", to);
	}
	fputs("ExecStart=\n", to);
	for (i = 0; i < dropin->commands->nr; i++)
		put_command(to, dropin, dropin->commands->line[i]);
	put_rest(to, dropin);
	if (fclose(to)) {
		free(text);
		return NULL;
	}
	return text;
}

/**
 * dropin_is_ours() - was a file made by us?
 * @text: of the file
 *
 * Return: 1 or 0.
 */
int dropin_is_ours(const char *text)
{
	return !strncmp(text, first_line, sizeof(first_line) - 1);
}

/**
 * dropin_options() - those that stand in a line of ExecStart=, for a shell
 * @line: "/usr/bin/nst-run --tcp 80 -- program"
 * @options: receives them
 * @size: of @options
 */
void dropin_options(const char *line, char *options, size_t size)
{
	struct text to = { .buf = options, .size = size };
	const char *end = strstr(line, ending);
	const char *begin = strstr(line, " --");
	char *words;

	*options = 0;
	if (!end || !begin || begin >= end)
		return;
	words = strndup(begin, end - begin);
	if (words)
		shell_words(&to, words,
			    !!memchr(line, ':', unitfile_prefix(line)));
	free(words);
}

/**
 * dropin_wraps() - does a line of ExecStart= run this command?
 * @line: "-/usr/bin/nst-run --tcp 80 -- program"
 * @command: "-program"
 *
 * Return: 1 or 0.
 */
int dropin_wraps(const char *line, const char *command)
{
	const char *end = strstr(line, ending);
	size_t prefix = unitfile_prefix(command);

	return end && unitfile_prefix(line) == prefix &&
		!strncmp(line, command, prefix) &&
		!strcmp(end + sizeof(ending) - 1, command + prefix);
}

static void dir_of(char *dir, const char *path)
{
	snprintf(dir, DROPIN_PATH, "%s", path);
	*strrchr(dir, '/') = 0;
}

/**
 * dropin_check_place() - is a unit's directory its own?
 * @path: of the drop-in, which need not be there
 *
 * A link may lead to another unit's, which would run this one's program then.
 *
 * Return: 0; -ELOOP for a link; another negative errno.
 */
int dropin_check_place(const char *path)
{
	char dir[DROPIN_PATH];
	struct stat st;

	dir_of(dir, path);
	if (lstat(dir, &st))
		return errno == ENOENT ? 0 : -errno;
	if (S_ISLNK(st.st_mode))
		return -ELOOP;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

/* Names what is on the disk: without it a crash may undo a rename. */
static int sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (fsync(fd))
		err = -errno;
	close(fd);
	return err;
}

static int write_all(int fd, const char *text)
{
	size_t len = strlen(text);
	ssize_t n;

	while (len) {
		n = write(fd, text, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= n;
	}
	return fchmod(fd, 0644) || fsync(fd) ? -errno : 0;
}

/* All that one that was killed has left; systemd reads "*.conf" only. */
static void remove_rests(const char *dir)
{
	DIR *entries = opendir(dir);
	struct dirent *entry;

	if (!entries)
		return;
	while ((entry = readdir(entries)))
		if (!strncmp(entry->d_name, "." DROPIN_NAME ".",
			     sizeof("." DROPIN_NAME ".") - 1))
			unlinkat(dirfd(entries), entry->d_name, 0);
	closedir(entries);
}

/**
 * dropin_write() - put one in its place, or leave what is there as it was
 * @path: of it
 * @text: what stands in it
 *
 * Return: 0 or a negative errno.
 */
int dropin_write(const char *path, const char *text)
{
	char dir[DROPIN_PATH], temp[DROPIN_PATH + 32];
	int fd, err = 0, made;

	dir_of(dir, path);
	made = !mkdir(dir, 0755);
	if (!made && errno != EEXIST)
		return -errno;
	snprintf(temp, sizeof(temp), "%s/.%s.XXXXXX", dir, DROPIN_NAME);
	fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0)
		err = -errno;
	if (!err)
		err = write_all(fd, text);
	if (fd >= 0 && close(fd) && !err)
		err = -errno;
	if (!err && rename(temp, path))
		err = -errno;
	if (err && fd >= 0)
		unlink(temp);
	if (!err)
		err = sync_dir(dir);
	if (err && made)
		rmdir(dir);
	return err;
}

/**
 * dropin_remove() - take one away, and its directory if nothing else is there
 * @path: of it
 *
 * Return: 0 or a negative errno.
 */
int dropin_remove(const char *path)
{
	char dir[DROPIN_PATH];

	dir_of(dir, path);
	if (unlink(path))
		return -errno;
	remove_rests(dir);
	sync_dir(dir);
	/* A link of before these were refused stays. */
	if (rmdir(dir) && errno != ENOTEMPTY && errno != EEXIST &&
	    errno != ENOTDIR)
		return -errno;
	return 0;
}
