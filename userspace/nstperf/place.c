// SPDX-License-Identifier: GPL-2.0
/* Where something is written. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "place.h"
#include "trouble.h"

bool place_is_special(const char *path)
{
	struct stat st;

	return !strcmp(path, "-") || (!stat(path, &st) && !S_ISREG(st.st_mode));
}

int place_check(const char *path)
{
	struct stat st;

	if (!path || !strcmp(path, "-") || stat(path, &st))
		return 0;
	if (S_ISDIR(st.st_mode))
		return trouble("cannot write %s: %s", path, strerror(EISDIR));
	if (!S_ISREG(st.st_mode) && access(path, W_OK))
		return trouble("cannot write %s: %s", path, strerror(errno));
	return 0;
}

/* What is there stays there: never truncated, never made. */
static int open_special(struct place *place)
{
	int fd = open(place->path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return trouble("cannot write %s: %s", place->path,
			       strerror(errno));
	/* Somebody may have put another one there meanwhile. */
	if (fstat(fd, &st) || S_ISREG(st.st_mode)) {
		close(fd);
		return trouble("cannot write %s: it has changed", place->path);
	}
	place->to = fdopen(fd, "w");
	if (place->to)
		return 0;
	close(fd);
	return trouble("no memory");
}

/* A name that nobody can have foreseen, readable by nobody else until it is whole. */
static int open_beside(struct place *place)
{
	int fd;

	if (asprintf(&place->temp, "%s.XXXXXX", place->path) < 0) {
		place->temp = NULL;
		return trouble("no memory");
	}
	fd = mkostemp(place->temp, O_CLOEXEC);
	place->to = fd < 0 ? NULL : fdopen(fd, "w");
	if (place->to)
		return 0;
	trouble("cannot write %s: %s", place->path, strerror(errno));
	if (fd >= 0) {
		close(fd);
		unlink(place->temp);
	}
	free(place->temp);
	place->temp = NULL;
	return -1;
}

static mode_t usual_mode(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return 0666 & ~mask;
}

int place_open(struct place *place, const char *path)
{
	struct stat st;

	*place = (struct place){ .to = stdout };
	if (!path || !strcmp(path, "-"))
		return 0;
	place->path = path;
	if (place_is_special(path))
		return open_special(place);
	place->mode = usual_mode();
	if (!lstat(path, &st)) {
		/* It may be another's, who wants a file of ours replaced. */
		if (S_ISLNK(st.st_mode))
			return trouble("cannot write %s: it is a symbolic link: name its target",
				       path);
		if (st.st_uid == geteuid())
			place->mode = st.st_mode & 0777;
	}
	return open_beside(place);
}

int place_close(struct place *place)
{
	const char *path = place->path ? place->path : "to stdout";
	int e = 0;

	if (fflush(place->to) || ferror(place->to))
		e = errno ?: EIO;
	if (place->temp && !e && (fchmod(fileno(place->to), place->mode) ||
				  fsync(fileno(place->to))))
		e = errno;
	if (place->path && fclose(place->to) && !e)
		e = errno;
	if (place->temp && !e && rename(place->temp, place->path))
		e = errno;
	if (place->temp && e)
		unlink(place->temp);
	free(place->temp);
	place->temp = NULL;
	return e ? trouble("cannot write %s: %s", path, strerror(e)) : 0;
}
