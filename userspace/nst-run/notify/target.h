/* SPDX-License-Identifier: GPL-2.0 */
/* The thread that waits in a system call, as its supervisor sees it. */
#ifndef NST_RUN_TARGET_H
#define NST_RUN_TARGET_H

#include <errno.h>
#include <linux/seccomp.h>
#include <sys/types.h>

/**
 * struct target - one call of one thread
 * @notify: the supervisor's end of the filter
 * @req: the call, from the kernel; its registers cannot change
 * @pidfd: of the process, or of the thread where the kernel has such
 * @leader: @pidfd is good for the table of descriptors of the process's first
 *	thread, and the thread is another one
 */
struct target {
	int notify;
	const struct seccomp_notif *req;
	int pidfd;
	int leader;
};

/* The thread's descriptors are not those of a first thread that still runs. */
#define TARGET_APART	(-EXDEV)

/**
 * struct target_status - of /proc/TID/status
 * @tgid: the process
 * @threads: how many it has; 1: nobody else can change its descriptors
 * @pending: signals that are for the thread alone
 * @shared: signals that are for the process
 * @blocked: by the thread
 * @caps: effective ones
 * @umask: as it is
 * @uid: real, effective, saved, of the file system
 * @gid: the same
 * @nr_groups: how many of
 * @groups: the others
 */
struct target_status {
	pid_t tgid;
	int threads;
	unsigned long long pending, shared, blocked, caps;
	unsigned int umask;
	uid_t uid[4];
	gid_t gid[4];
	int nr_groups;
	gid_t groups[256];
};

int target_has_proc(void);
int target_status(pid_t tid, struct target_status *status);
int target_open(struct target *target, int notify,
		const struct seccomp_notif *req);
void target_close(struct target *target);
int target_valid(const struct target *target);
int target_alone(const struct target *target);
int target_fd(const struct target *target, int number);
int target_socket(const struct target *target);
int target_same(pid_t tid, const char *ns);
int target_confined_alike(pid_t tid);
int target_read(const struct target *target, void *buf,
		unsigned long long from, size_t len);
int target_write(const struct target *target, unsigned long long to,
		 const void *buf, size_t len);

#endif /* NST_RUN_TARGET_H */
