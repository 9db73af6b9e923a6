// SPDX-License-Identifier: GPL-2.0
/*
 * The filter sees registers, never memory. What it can judge by them it judges
 * itself, which costs a program nothing; what needs a look at an address or a
 * socket goes to the supervisor. Calls that are not named here are allowed by
 * their number alone, and the kernel remembers that (since 5.11), so that read()
 * and write() are as fast as without a filter.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "filter.h"

#ifndef IPPROTO_SMC
#define IPPROTO_SMC	256
#endif
#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP	262
#endif
#ifndef AF_SMC
#define AF_SMC		43
#endif

#if defined(__x86_64__)
#define ARCH_NATIVE	AUDIT_ARCH_X86_64
#define X32_BIT		0x40000000
#elif defined(__aarch64__)
#define ARCH_NATIVE	AUDIT_ARCH_AARCH64
#else
#error "nst-run knows the system calls of x86-64 and arm64 only"
#endif

/* Both are little endian: the lower half comes first. */
#define ARG_LOW(n)	(offsetof(struct seccomp_data, args) + 8 * (n))
#define ARG_HIGH(n)	(ARG_LOW(n) + 4)

#define ALLOW		SECCOMP_RET_ALLOW
#define ASK		SECCOMP_RET_USER_NOTIF
#define FAIL(err)	(SECCOMP_RET_ERRNO | (err))

#ifdef __x86_64__
/* Calls of 32-bit programs, which unistd.h of 64 bits does not have. */
enum {
	I386_SOCKETCALL = 102, I386_CLONE = 120, I386_SENDMMSG = 345,
	I386_SOCKET = 359, I386_BIND = 361, I386_CONNECT, I386_LISTEN,
	I386_ACCEPT4 = 364, I386_SETSOCKOPT = 366, I386_SENDTO = 369, I386_SENDMSG,
};
#endif

static void emit(struct filter *f, unsigned short code, unsigned int k,
		 unsigned char yes, unsigned char no)
{
	f->code[f->nr++] = (struct sock_filter)BPF_JUMP(code, k, yes, no);
}

static void load(struct filter *f, unsigned int offset)
{
	emit(f, BPF_LD | BPF_W | BPF_ABS, offset, 0, 0);
}

static void end(struct filter *f, unsigned int verdict)
{
	emit(f, BPF_RET | BPF_K, verdict, 0, 0);
}

/* @verdict for what was loaded if it is @k; else on */
static void equal(struct filter *f, unsigned int k, unsigned int verdict)
{
	emit(f, BPF_JMP | BPF_JEQ | BPF_K, k, 0, 1);
	end(f, verdict);
}

/* @verdict for what was loaded if it has a bit of @k; else on */
static void bits(struct filter *f, unsigned int k, unsigned int verdict)
{
	emit(f, BPF_JMP | BPF_JSET | BPF_K, k, 0, 1);
	end(f, verdict);
}

/*
 * call() ... done(): what is between is for the system call @nr only, and ends
 * with a verdict. The accumulator has the number before and behind.
 */
static unsigned int call(struct filter *f, unsigned int nr)
{
	emit(f, BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 0);
	return f->nr;
}

static void done(struct filter *f, unsigned int start, unsigned int verdict)
{
	end(f, verdict);
	f->code[start - 1].jf = f->nr - start;
}

/*
 * An own table of descriptors belongs to a process, and to nobody else: then it
 * is known who can change what a number means. Threads have their process's
 * one. The flags of clone3() are in memory; libc goes on with clone().
 */
static void clones(struct filter *f, unsigned int nr)
{
	unsigned int start = call(f, nr);

	load(f, ARG_LOW(0));
	emit(f, BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 0, 2);
	bits(f, CLONE_FILES, ALLOW);
	/* what is left with either bit has one without the other */
	bits(f, CLONE_FILES | CLONE_THREAD, FAIL(EPERM));
	done(f, start, ALLOW);
}

/* A send that connects. @flags: which argument has them */
static void send_flags(struct filter *f, int flags)
{
	load(f, ARG_LOW(flags));
	bits(f, MSG_FASTOPEN, FAIL(EOPNOTSUPP));
}

static void sends(struct filter *f, int udp)
{
	unsigned int start;

	/* Without an address it goes where connect() went. */
	start = call(f, SYS_sendto);
	send_flags(f, 3);
	if (udp) {
		load(f, ARG_LOW(4));
		emit(f, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
		end(f, ASK);
		load(f, ARG_HIGH(4));
		equal(f, 0, ALLOW);
	}
	done(f, start, udp ? ASK : ALLOW);
	start = call(f, SYS_sendmsg);
	send_flags(f, 2);
	done(f, start, udp ? ASK : ALLOW);
	start = call(f, SYS_sendmmsg);
	send_flags(f, 3);
	done(f, start, udp ? ASK : ALLOW);
}

/* As a kernel that has no Fast Open would say it. */
static void options(struct filter *f)
{
	unsigned int start = call(f, SYS_setsockopt);

	load(f, ARG_LOW(1));
	emit(f, BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 1, 0);
	end(f, ALLOW);
	load(f, ARG_LOW(2));
	equal(f, TCP_FASTOPEN, FAIL(ENOPROTOOPT));
	equal(f, TCP_FASTOPEN_CONNECT, FAIL(ENOPROTOOPT));
	equal(f, TCP_REPAIR, FAIL(EPERM));
	done(f, start, ALLOW);
}

/* Families and protocols that have a TCP or UDP socket of their own inside. */
static void sockets(struct filter *f, int udp)
{
	unsigned int start = call(f, SYS_socket);

	load(f, ARG_LOW(0));
	equal(f, AF_SMC, FAIL(EAFNOSUPPORT));
	if (udp)
		equal(f, AF_RXRPC, FAIL(EAFNOSUPPORT));
	load(f, ARG_LOW(2));
	equal(f, IPPROTO_SMC, FAIL(EPROTONOSUPPORT));
	equal(f, IPPROTO_MPTCP, ASK);
	done(f, start, ALLOW);
}

/*
 * A ring's calls pass no filter. Programs that can do without a kernel that has
 * rings take ENOSYS for one.
 */
static void rings(struct filter *f)
{
	equal(f, SYS_io_uring_setup, FAIL(ENOSYS));
	equal(f, SYS_io_uring_enter, FAIL(ENOSYS));
	equal(f, SYS_io_uring_register, FAIL(ENOSYS));
	equal(f, SYS_clone3, FAIL(ENOSYS));
}

/*
 * Sockets of other processes have not been looked at. Those that come in a
 * message nobody sees, so a listener is looked at when it is asked for what it
 * has; those that are fetched do not come.
 */
static void strangers(struct filter *f)
{
	equal(f, SYS_accept, ASK);
	equal(f, SYS_accept4, ASK);
	equal(f, SYS_pidfd_getfd, FAIL(EPERM));
}

#ifdef __x86_64__
/*
 * Programs of 32 bits on x86-64 have no sockets of their own, but may use
 * what they were given. Numbers from 424 on are those of 64 bits.
 */
static void compat(struct filter *f)
{
	static const unsigned short direct[] = {
		I386_SOCKET, I386_BIND, I386_CONNECT, I386_LISTEN, I386_SENDTO,
		I386_SENDMSG, I386_SENDMMSG, I386_SETSOCKOPT, I386_ACCEPT4,
	};
	/* <linux/net.h>: SYS_SOCKET ... SYS_SENDMMSG */
	static const unsigned char multiplexed[] = {
		1, 2, 3, 4, 5, 11, 14, 16, 18, 20
	};
	unsigned int start, i;

	load(f, offsetof(struct seccomp_data, nr));
	for (i = 0; i < sizeof(direct) / sizeof(direct[0]); i++)
		equal(f, direct[i], FAIL(EPERM));
	start = call(f, I386_SOCKETCALL);
	load(f, ARG_LOW(0));
	for (i = 0; i < sizeof(multiplexed); i++)
		equal(f, multiplexed[i], FAIL(EPERM));
	done(f, start, ALLOW);
	clones(f, I386_CLONE);
	rings(f);
	equal(f, SYS_pidfd_getfd, FAIL(EPERM));
	end(f, ALLOW);
}

static void narrow(struct filter *f)
{
	unsigned int start = call(f, AUDIT_ARCH_I386);

	compat(f);
	done(f, start, ALLOW);
}
#else
/* A program of another machine is killed, and so is one of 32 bits. */
static void narrow(struct filter *f)
{
	(void)f;
}
#endif

/**
 * filter_build() - the filter for a policy
 * @f: receives it
 * @udp: are there ports of UDP in the policy? Without, the calls that only
 *	matter to datagrams are left alone.
 */
void filter_build(struct filter *f, int udp)
{
	f->nr = 0;
	load(f, offsetof(struct seccomp_data, arch));
	narrow(f);
	emit(f, BPF_JMP | BPF_JEQ | BPF_K, ARCH_NATIVE, 1, 0);
	end(f, SECCOMP_RET_KILL_PROCESS);
	load(f, offsetof(struct seccomp_data, nr));
#ifdef X32_BIT
	emit(f, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1);
	end(f, FAIL(ENOSYS));
#endif
	equal(f, SYS_connect, ASK);
	equal(f, SYS_listen, ASK);
	if (udp)
		equal(f, SYS_bind, ASK);
	sends(f, udp);
	options(f);
	sockets(f, udp);
	strangers(f);
	clones(f, SYS_clone);
	rings(f);
	end(f, ALLOW);
}

/**
 * filter_install() - put it on this process
 * @f: it
 *
 * A blocked call is told of signals by the supervisor: what that has done is not
 * lost then, as it is where the kernel ends the wait.
 *
 * Return: the descriptor of the supervisor's end, or a negative errno.
 */
int filter_install(const struct filter *f)
{
	struct sock_fprog prog = {
		.len = f->nr,
		.filter = (struct sock_filter *)f->code,
	};
	long fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			  SECCOMP_FILTER_FLAG_NEW_LISTENER |
			  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, &prog);

	return fd < 0 ? -errno : fd;
}
