// SPDX-License-Identifier: GPL-2.0
/* Descriptors that come from another process in a message (SCM_RIGHTS). */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include "preload.h"
#include "real.h"

static void look_at(struct msghdr *msg)
{
	struct cmsghdr *cmsg;
	size_t n, i;
	int fd;

	for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		if (cmsg->cmsg_level != SOL_SOCKET ||
		    cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		n = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(fd);
		for (i = 0; i < n; i++) {
			memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(fd),
			       sizeof(fd));
			preload_handed(fd);
		}
	}
}

INTERPOSED ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
	ssize_t n;

	if (real_lacks(&real.recvmsg))
		return -1;
	n = real.recvmsg(fd, msg, flags);
	if (n >= 0 && msg->msg_controllen)
		look_at(msg);
	return n;
}

INTERPOSED int recvmmsg(int fd, struct mmsghdr *msgs, unsigned int nr,
			int flags, struct timespec *timeout)
{
	int n, i;

	if (real_lacks(&real.recvmmsg))
		return -1;
	n = real.recvmmsg(fd, msgs, nr, flags, timeout);
	for (i = 0; i < n; i++)
		if (msgs[i].msg_hdr.msg_controllen)
			look_at(&msgs[i].msg_hdr);
	return n;
}
