// SPDX-License-Identifier: GPL-2.0
/*
 * Putting a box file in its place, whole or not at all. The keys are written
 * under another name in the same directory and get theirs when they are on the
 * disk; until then what was there before is untouched.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "keyfile.h"

static int complain(const char *path, const char *what)
{
	fprintf(stderr, "%s: %s\n", path, what);
	return -1;
}

/* A device or a directory is not to be replaced, --force or not. */
static int check_place(const char *path, int force)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : complain(path, strerror(errno));
	if (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode))
		return complain(path, "is no ordinary file: name one, or a new one");
	if (!force)
		return complain(path, "is there already: '--force' replaces it");
	return 0;
}

/* Gives the new file its name. Without @force another one may have come. */
static int put_in_place(const char *temp, const char *path, int force)
{
	if (force)
		return rename(temp, path);
	if (!renameat2(AT_FDCWD, temp, AT_FDCWD, path, RENAME_NOREPLACE))
		return 0;
	/* Not every file system can do that, nor what follows. */
	if (errno != EINVAL)
		return -1;
	if (link(temp, path) < 0)
		return -1;
	return unlink(temp);
}

/* The name must outlive a crash, too; where that cannot be had, it need not. */
static void sync_directory(const char *path)
{
	char *copy = strdup(path);
	int fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) :
			-1;

	if (fd >= 0) {
		(void)fsync(fd);
		close(fd);
	}
	free(copy);
}

static int save_as(const struct keyfile *file, char *temp, const char *path,
		   int force)
{
	int fd = mkostemp(temp, O_CLOEXEC), err;	/* mode 0600 */

	if (fd < 0)
		return complain(path, strerror(errno));
	err = keyfile_write(file, fd, path);
	if (!err && fsync(fd) < 0)
		err = complain(path, strerror(errno));
	if (close(fd) < 0 && !err)
		err = complain(path, strerror(errno));
	if (!err && put_in_place(temp, path, force) < 0)
		err = complain(path, errno == EEXIST ?
			       "is there already: '--force' replaces it" :
			       strerror(errno));
	if (err)
		unlink(temp);
	else
		sync_directory(path);
	return err;
}

/**
 * keyfile_save() - write keys to a file that only its owner can read
 * @file: the keys
 * @path: of the file
 * @force: replace one that is there
 *
 * Signals wait until it is done, so that none leaves keys under another name.
 *
 * Return: 0; -1 after a message to stderr, and what was there is as it was.
 */
int keyfile_save(const struct keyfile *file, const char *path, int force)
{
	sigset_t all, old;
	char *temp;
	int err;

	if (check_place(path, force))
		return -1;
	if (asprintf(&temp, "%s.XXXXXX", path) < 0)
		return complain(path, strerror(ENOMEM));
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	err = save_as(file, temp, path, force);
	sigprocmask(SIG_SETMASK, &old, NULL);
	free(temp);
	return err;
}
