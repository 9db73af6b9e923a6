/* SPDX-License-Identifier: GPL-2.0 */
/*
 * System calls past libc: attach and journal use these, so that in a program
 * under the preload engine they never come back to the engine's own functions
 * or to those of another preloaded library. Results are negative errnos, and
 * errno is left alone.
 */
#ifndef NST_RUN_SYS_H
#define NST_RUN_SYS_H

#include <stdint.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
static inline long sys_call(long nr, long a, long b, long c, long d, long e,
			    long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall" : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8),
			   "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}
#elif defined(__aarch64__)
static inline long sys_call(long nr, long a, long b, long c, long d, long e,
			    long f)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc 0" : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
}
#else
#error "nst-run knows the system calls of x86-64 and arm64 only"
#endif

#define SYS_PTR(p)	((long)(uintptr_t)(p))

static inline long sys_getsockopt(int fd, int level, int name, void *val,
				  unsigned int *len)
{
	return sys_call(SYS_getsockopt, fd, level, name, SYS_PTR(val),
			SYS_PTR(len), 0);
}

static inline long sys_setsockopt(int fd, int level, int name, const void *val,
				  unsigned int len)
{
	return sys_call(SYS_setsockopt, fd, level, name, SYS_PTR(val), len, 0);
}

static inline long sys_getsockname(int fd, void *addr, unsigned int *len)
{
	return sys_call(SYS_getsockname, fd, SYS_PTR(addr), SYS_PTR(len), 0, 0,
			0);
}

static inline long sys_getpeername(int fd, void *addr, unsigned int *len)
{
	return sys_call(SYS_getpeername, fd, SYS_PTR(addr), SYS_PTR(len), 0, 0,
			0);
}

static inline long sys_bind(int fd, const void *addr, unsigned int len)
{
	return sys_call(SYS_bind, fd, SYS_PTR(addr), len, 0, 0, 0);
}

static inline long sys_socket(int family, int type, int protocol)
{
	return sys_call(SYS_socket, family, type, protocol, 0, 0, 0);
}

static inline long sys_sendto(int fd, const void *buf, unsigned long len,
			      int flags, const void *addr, unsigned int alen)
{
	return sys_call(SYS_sendto, fd, SYS_PTR(buf), len, flags, SYS_PTR(addr),
			alen);
}

static inline long sys_close(int fd)
{
	return sys_call(SYS_close, fd, 0, 0, 0, 0, 0);
}

#endif /* NST_RUN_SYS_H */
