// SPDX-License-Identifier: GPL-2.0
/*
 * libc's syscall(): programs that pass its functions by this way come back to the
 * library's own. Whatever else it is asked for goes on by a jump, not a call: the
 * system call may be a clone() that returns on another stack.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "preload.h"
#include "real.h"
#include "sys.h"
#include "uring.h"

#define P(x)	((void *)(uintptr_t)(x))

static int wants(long nr)
{
	switch (nr) {
	case SYS_socket:
	case SYS_connect:
	case SYS_bind:
	case SYS_listen:
	case SYS_setsockopt:
	case SYS_sendto:
	case SYS_sendmsg:
	case SYS_sendmmsg:
	case SYS_recvmsg:
	case SYS_recvmmsg:
	case SYS_execve:
	case SYS_execveat:
	case SYS_pidfd_getfd:
	case SYS_io_uring_setup:
		return 1;
	}
	return 0;
}

static long take_pidfd(long pidfd, long target, long flags)
{
	long fd = sys_call(SYS_pidfd_getfd, pidfd, target, flags, 0, 0, 0);

	if (fd < 0) {
		errno = -fd;
		return -1;
	}
	preload_handed(fd);
	return fd;
}

static long redirect(long nr, long a, long b, long c, long d, long e, long f)
{
	switch (nr) {
	case SYS_socket:
		return socket(a, b, c);
	case SYS_connect:
		return connect(a, P(b), c);
	case SYS_bind:
		return bind(a, P(b), c);
	case SYS_listen:
		return listen(a, b);
	case SYS_setsockopt:
		return setsockopt(a, b, c, P(d), e);
	case SYS_sendto:
		return sendto(a, P(b), c, d, P(e), f);
	case SYS_sendmsg:
		return sendmsg(a, P(b), c);
	case SYS_sendmmsg:
		return sendmmsg(a, P(b), c, d);
	case SYS_recvmsg:
		return recvmsg(a, P(b), c);
	case SYS_recvmmsg:
		return recvmmsg(a, P(b), c, d, P(e));
	case SYS_execve:
		return execve(P(a), P(b), P(c));
	case SYS_execveat:
		return execveat(a, P(b), P(c), P(d), e);
	case SYS_io_uring_setup:
		return uring_setup(a, P(b));
	}
	return take_pidfd(a, b, c);
}

/* Only a jump may do for these. */
static int clones(long nr)
{
#ifdef SYS_vfork
	if (nr == SYS_vfork)
		return 1;
#endif
	return nr == SYS_clone || nr == SYS_clone3;
}

/*
 * The library is not ready. It may be looking libc up just now, and by that it
 * came here; or an allocator is starting, as jemalloc does, which holds its lock:
 * what dlsym() does not find, it tells of in memory that it allocates.
 */
static long directly(long nr, long a, long b, long c, long d, long e, long f)
{
	long ret = sys_call(nr, a, b, c, d, e, f);

	if (ret >= 0 || ret < -4095)
		return ret;
	errno = -ret;
	return -1;
}

/* Not as <unistd.h> has it, which is "...": the same registers, and a jump. */
INTERPOSED long nst_preload_syscall(long nr, long a, long b, long c, long d,
				    long e, long f) __asm__("syscall");

long nst_preload_syscall(long nr, long a, long b, long c, long d, long e,
			 long f)
{
	long (*next)(long nr, long a, long b, long c, long d, long e, long f);

	if (wants(nr)) {
		preload_ready();
		return redirect(nr, a, b, c, d, e, f);
	}
	next = (__typeof__(next))real.syscall;
	if (!next && clones(nr)) {
		preload_ready();
		next = (__typeof__(next))real.syscall;
	}
	if (!next)
		return directly(nr, a, b, c, d, e, f);
	return next(nr, a, b, c, d, e, f);
}

/* glibc has it since 2.36. */
INTERPOSED int pidfd_getfd(int pidfd, int target, unsigned int flags)
{
	preload_ready();
	return take_pidfd(pidfd, target, flags);
}
