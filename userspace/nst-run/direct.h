/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The parts of libnst that are in nst-run and its library are compiled with this
 * before them: their system calls go past libc, as all of attach.c's do (sys.h).
 * They have errno, as with libc; attach.c gives the program its own back.
 */
#ifndef NST_RUN_DIRECT_H
#define NST_RUN_DIRECT_H

#include <errno.h>
#include <sys/socket.h>
#include "sys.h"

static inline int direct_result(long ret)
{
	if (ret >= 0)
		return ret;
	errno = -ret;
	return -1;
}

#define getsockopt(fd, level, name, val, len)				\
	direct_result(sys_getsockopt(fd, level, name, val, len))
#define setsockopt(fd, level, name, val, len)				\
	direct_result(sys_setsockopt(fd, level, name, val, len))

#endif /* NST_RUN_DIRECT_H */
