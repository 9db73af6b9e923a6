/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory cgroups of a test's own, below a mount of its own. Functions return 0
 * or -errno.
 */
#ifndef CGROUP_H
#define CGROUP_H

#define CGROUP_ROOT	"/tmp/cg"

/*
 * Makes @path, CGROUP_ROOT "/name". -ENODEV: this kernel has no cgroups for
 * memory. Whatever it returns, cgroup_end() is for afterwards.
 */
int cgroup_make(const char *path);

/* The program goes there; so does what it takes from then on. */
int cgroup_enter(const char *path);

/* Back to the root, and the mount goes. */
void cgroup_end(void);

#endif /* CGROUP_H */
