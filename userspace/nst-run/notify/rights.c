// SPDX-License-Identifier: GPL-2.0
/*
 * Numbers of descriptors in a control message are the program's. What the
 * supervisor sends has its own numbers for the same files; one that stayed as it
 * was would hand the program a file of the supervisor's.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "rights.h"

static int take(const struct target *target, struct cmsghdr *cmsg,
		struct rights *rights)
{
	size_t nr = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int), i;
	unsigned char *at = CMSG_DATA(cmsg);
	int number, fd;

	for (i = 0; i < nr; i++, at += sizeof(int)) {
		if (rights->nr == RIGHTS_MAX)
			return -EINVAL;
		memcpy(&number, at, sizeof(int));
		fd = target_fd(target, number);
		if (fd < 0)
			return fd == TARGET_APART ? -EACCES : fd;
		rights->fds[rights->nr++] = fd;
		memcpy(at, &fd, sizeof(int));
	}
	return 0;
}

/**
 * rights_take() - put the supervisor's numbers into a message
 * @target: whose message it is
 * @msg: the copy of it
 * @rights: becomes what rights_drop() is to close, on failure, too
 *
 * Control messages are looked through as the kernel does it: libc's CMSG_NXTHDR()
 * leaves out a last one that the kernel takes.
 *
 * Return: 0, or a negative errno.
 */
int rights_take(const struct target *target, struct msghdr *msg,
		struct rights *rights)
{
	unsigned char *at = msg->msg_control;
	size_t left = msg->msg_controllen, step;
	struct cmsghdr *cmsg;
	int err;

	while (left >= sizeof(*cmsg)) {
		cmsg = (struct cmsghdr *)at;
		if (cmsg->cmsg_len < CMSG_LEN(0) || cmsg->cmsg_len > left)
			return -EINVAL;
		if (cmsg->cmsg_level == SOL_SOCKET &&
		    cmsg->cmsg_type == SCM_RIGHTS) {
			err = take(target, cmsg, rights);
			if (err)
				return err;
		}
		step = CMSG_ALIGN(cmsg->cmsg_len);
		if (step >= left)
			break;
		at += step;
		left -= step;
	}
	return 0;
}

/**
 * rights_drop() - close the copies
 * @rights: they
 */
void rights_drop(struct rights *rights)
{
	while (rights->nr)
		close(rights->fds[--rights->nr]);
}
