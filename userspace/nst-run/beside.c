// SPDX-License-Identifier: GPL-2.0
/* What is installed, or was built, together with nst-run. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "beside.h"

/**
 * beside() - a file near nst-run's own
 * @where: from the directory that nst-run is in; "../" may come first
 *
 * Return: its path, until the next call; NULL if there is none to be read.
 */
const char *beside(const char *where)
{
	static char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;

	if (n <= 0)
		return NULL;
	path[n] = 0;
	slash = strrchr(path, '/');
	*slash = 0;
	/* PREFIX/bin/nst-run, PREFIX/lib/nst/... */
	if (!strncmp(where, "../", 3)) {
		where += 3;
		slash = strrchr(path, '/');
		if (!slash)
			return NULL;
	}
	if (slash + strlen(where) + 2 > path + sizeof(path))
		return NULL;
	sprintf(slash, "/%s", where);
	return access(path, R_OK) ? NULL : path;
}
