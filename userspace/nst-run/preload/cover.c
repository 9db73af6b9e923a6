// SPDX-License-Identifier: GPL-2.0
/* One call of the program, put to the policy. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include "explain.h"
#include "journal.h"
#include "preload.h"
#include "program.h"
#include "sys.h"
#include "text.h"

/* No policy: all of TCP and UDP is refused. */
static int refuse(enum attach_call call, int fd)
{
	int protocol = attach_protocol(fd);

	if (!protocol || (protocol == IPPROTO_TCP && call == ATTACH_BIND))
		return 0;
	journal_line("TCP and UDP are refused: " POLICY_VARIABLE
		     " is missing, or not what nst-run wrote");
	return -EPERM;
}

/**
 * preload_cover() - what must be done before (or behind) a call
 * @call: which one
 * @fd: its descriptor
 * @addr: its address, a copy
 * @len: of @addr
 *
 * Return: 0 if it may go on; -1 with errno if it must fail.
 */
int preload_cover(enum attach_call call, int fd, const void *addr,
		  socklen_t len)
{
	struct attach_result result;
	int err;

	if (preload_refuses()) {
		err = refuse(call, fd);
	} else {
		err = attach_call(preload_policy(), call, fd, addr, len,
				  &result);
		if (err)
			journal_failure(&result);
		else
			journal_keyless(&result);
		explain_call(fd, &result);
	}
	if (!err)
		return 0;
	errno = -err;
	return -1;
}

/**
 * preload_take_addr() - copy an address that other threads may change
 * @copy: receives it
 * @addr: it
 * @len: its length
 *
 * Return: 1; 0 if it is none that a socket of IP takes.
 */
int preload_take_addr(struct preload_addr *copy, const void *addr,
		      socklen_t len)
{
	if (!addr || len > sizeof(copy->addr) || attach_port(addr, len) < 0)
		return 0;
	memcpy(&copy->addr, addr, len);
	copy->len = len;
	return 1;
}

/**
 * preload_deaden() - put a socket that leads nowhere in place of a descriptor
 * @fd: the descriptor
 */
void preload_deaden(int fd)
{
	long flags = sys_call(SYS_fcntl, fd, F_GETFD, 0, 0, 0, 0);
	long dead = sys_socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (dead < 0 ||
	    sys_call(SYS_dup3, dead, fd, flags & FD_CLOEXEC ? O_CLOEXEC : 0, 0,
		     0, 0) < 0)
		sys_close(fd);
	sys_close(dead);
}

/**
 * preload_handed() - a descriptor has come from another process
 * @fd: the descriptor
 *
 * If it is one of a port that was named and cannot have NST, a socket that leads
 * nowhere takes its place.
 */
void preload_handed(int fd)
{
	int err = errno;

	if (preload_cover(ATTACH_HANDED, fd, NULL, 0))
		preload_deaden(fd);
	errno = err;
}

static int out_of_reach(const char *path, const char *why)
{
	char line[512];
	struct text t = { .buf = line, .size = sizeof(line) };

	text_add(&t, *path ? path : "a program");
	text_add(&t, " ");
	text_add(&t, why);
	text_add(&t, preload_policy()->let ?
		 ": it runs without NST" :
		 ": it is not run, for it would have no NST (nst-run --engine notify has, --let-go lets it)");
	journal_line(line);
	if (preload_policy()->let)
		return 0;
	errno = EACCES;
	return -1;
}

/**
 * preload_lost() - a program is to be run, and which file it is cannot be told
 * @path: of the program
 *
 * Return: 0 if it may be run all the same; -1 with errno EACCES if not.
 */
int preload_lost(const char *path)
{
	return out_of_reach(path,
			    "is looked for in a directory that is not known here");
}

/**
 * preload_may_exec() - would the library be in the program that is run?
 * @dir: directory of a relative @path, or the file itself if that is empty
 * @path: of the program
 *
 * Return: 0 if it may be run; -1 with errno EACCES if not.
 */
int preload_may_exec(int dir, const char *path)
{
	enum program_kind kind;

	if (!path)
		return 0;	/* EFAULT */
	kind = program_kind(dir, path);
	if (kind != PROGRAM_DYNAMIC && kind != PROGRAM_UNKNOWN) {
		explain_program(kind, preload_policy()->let);
		return out_of_reach(path, program_kind_text(kind));
	}
	if (!program_library_loads(preload_path()))
		return out_of_reach(path, "cannot have the library from here");
	return 0;
}
