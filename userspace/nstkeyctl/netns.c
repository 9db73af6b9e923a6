// SPDX-License-Identifier: GPL-2.0
/*
 * Going into another network namespace: what is asked and read from then on is
 * of that one, by netlink and by /proc alike. Files keep their names.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "netns.h"

/* As ip-netns(8) knows it; Docker's and Podman's are told by a process. */
#define NAMED	"/run/netns"

static int open_named(const char *name)
{
	char path[512];
	int n;

	/* A path may be that of a pipe, for whose other end nobody waits. */
	if (strchr(name, '/'))
		return open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	n = snprintf(path, sizeof(path), "%s/%s", NAMED, name);
	if (n >= (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* A name of digits only is one first, as it is for ip(8). */
static int open_any(const char *name)
{
	char path[64];
	int fd = open_named(name);

	if (fd >= 0 || errno != ENOENT || !*name ||
	    strlen(name) > 10 || name[strspn(name, "0123456789")])
		return fd;
	snprintf(path, sizeof(path), "/proc/%s/ns/net", name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static const char *reason(int err)
{
	switch (err) {
	case ENOENT:
		return "there is no network namespace of that name (ip netns), and no such process";
	case EACCES:
	case EPERM:
		return "that takes CAP_SYS_ADMIN, here and there";
	case EINVAL:
		return "this is no network namespace";
	default:
		return strerror(err);
	}
}

/**
 * netns_enter() - act on another network namespace from now on
 * @name: of ip-netns(8), or a path to one, or the number of a process in it
 *
 * Return: 0; -1 after a message to stderr.
 */
int netns_enter(const char *name)
{
	int fd = open_any(name), err = 0;

	if (fd < 0 || setns(fd, CLONE_NEWNET))
		err = errno;
	if (fd >= 0)
		close(fd);
	if (!err)
		return 0;
	fprintf(stderr, "nstkeyctl: --netns %s: %s\n", name, reason(err));
	return -1;
}
