// SPDX-License-Identifier: GPL-2.0
/* See cgroup.h. */
#include <errno.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup.h"
#include "nsttest.h"

int cgroup_make(const char *path)
{
	char file[128];

	mkdir(CGROUP_ROOT, 0755);
	if (mount("none", CGROUP_ROOT, "cgroup2", 0, NULL) && errno != EBUSY)
		return -errno;
	nsttest_write_file(CGROUP_ROOT "/cgroup.subtree_control", "+memory");
	if (mkdir(path, 0755) && errno != EEXIST)
		return -errno;
	snprintf(file, sizeof(file), "%s/memory.max", path);
	return access(file, W_OK) ? -ENODEV : 0;
}

int cgroup_enter(const char *path)
{
	char file[128];

	snprintf(file, sizeof(file), "%s/cgroup.procs", path);
	return nsttest_write_file(file, "0");
}

void cgroup_end(void)
{
	cgroup_enter(CGROUP_ROOT);
	umount2(CGROUP_ROOT, MNT_DETACH);
}
