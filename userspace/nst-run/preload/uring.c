// SPDX-License-Identifier: GPL-2.0
/*
 * io_uring: what a program does by a ring comes by no function of libc. So a ring
 * gets restrictions before it is used: it moves data, and accepts, as before, but
 * the operations by which a socket would get a named port fail with EACCES. A ring
 * that cannot be restricted is not made; programs know that from older kernels.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/io_uring.h>
#include <stddef.h>
#include <string.h>
#include "journal.h"
#include "preload.h"
#include "real.h"
#include "sys.h"
#include "uring.h"

/* Newer than some <linux/io_uring.h>. */
#define SETUP_REGISTERED_FD_ONLY	(1u << 15)
#define USE_REGISTERED_RING		(1u << 31)
#define OP_CONNECT	16
#define OP_SENDMSG	9
#define OP_SEND		26
#define OP_SEND_ZC	47
#define OP_SENDMSG_ZC	48
#define OP_BIND		56
#define OP_LISTEN	57

#define OPS_MAX		128
/* So many kinds of registration are tried, down to what 5.10 knew. */
#define REGISTRATIONS_MAX	48
#define REGISTRATIONS_MIN	13

/* struct io_uring of liburing.so.2 has the descriptor there. */
#define LIBURING_FD	196

struct probe {
	struct io_uring_probe head;
	struct io_uring_probe_op op[OPS_MAX];
};

struct rules {
	struct io_uring_restriction rule[OPS_MAX + REGISTRATIONS_MAX + 1];
	unsigned int nr;
};

static long do_register(int fd, unsigned int flags, unsigned int what,
			void *arg, unsigned int nr)
{
	if (flags & SETUP_REGISTERED_FD_ONLY)
		what |= USE_REGISTERED_RING;
	return sys_call(SYS_io_uring_register, fd, what, SYS_PTR(arg), nr, 0,
			0);
}

/* With an address these are what connect() or sendto() is. */
static int is_refused(unsigned int op)
{
	switch (op) {
	case OP_CONNECT:
	case OP_LISTEN:
		return 1;
	case OP_SENDMSG:
	case OP_SEND:
	case OP_SEND_ZC:
	case OP_SENDMSG_ZC:
	case OP_BIND:
		return !!preload_policy()->udp.nr;
	}
	return 0;
}

static void add(struct rules *rules, unsigned int opcode, unsigned int value)
{
	struct io_uring_restriction *rule = &rules->rule[rules->nr++];

	rule->opcode = opcode;
	rule->sqe_op = value;
}

static int restrict_ring(int fd, unsigned int flags)
{
	struct probe probe = { 0 };
	struct rules rules = { .nr = 0 };
	unsigned int op, nr, base;
	long err;

	err = do_register(fd, flags, IORING_REGISTER_PROBE, &probe, OPS_MAX);
	if (err)
		return err;
	for (op = 0; op <= probe.head.last_op && op < OPS_MAX; op++)
		if (!is_refused(op))
			add(&rules, IORING_RESTRICTION_SQE_OP, op);
	add(&rules, IORING_RESTRICTION_SQE_FLAGS_ALLOWED, 0xff);
	/* The kernel refuses a kind that it does not know, and all with it. */
	base = rules.nr;
	for (nr = REGISTRATIONS_MAX; nr >= REGISTRATIONS_MIN; nr--) {
		rules.nr = base;
		for (op = 0; op < nr; op++)
			add(&rules, IORING_RESTRICTION_REGISTER_OP, op);
		err = do_register(fd, flags, IORING_REGISTER_RESTRICTIONS,
				  rules.rule, rules.nr);
		if (err != -EINVAL)
			break;
	}
	return err;
}

static const char refused[] =
	"io_uring is refused: this kernel cannot keep a ring from connecting past NST";

/* @was: flags that the program asked for. Return: 0, or a negative errno. */
static int make_safe(int fd, unsigned int was)
{
	int err = restrict_ring(fd, was);

	if (!err && !(was & IORING_SETUP_R_DISABLED))
		err = do_register(fd, was, IORING_REGISTER_ENABLE_RINGS, NULL,
				  0);
	if (err)
		journal_line(refused);
	return err;
}

/* No policy: nothing is to be left to a ring. */
static int may_have_rings(void)
{
	preload_ready();
	if (!preload_refuses())
		return 1;
	errno = EPERM;
	return 0;
}

/* What was added to a program's flags is nothing for it to see. */
static void restore(struct io_uring_params *params, unsigned int was)
{
	params->flags &= ~IORING_SETUP_R_DISABLED |
		(was & IORING_SETUP_R_DISABLED);
}

/**
 * uring_setup() - io_uring_setup()
 * @entries: of the ring
 * @params: the program's
 *
 * Return: a descriptor, or -1 with errno.
 */
long uring_setup(unsigned int entries, struct io_uring_params *params)
{
	unsigned int was;
	long fd;
	int err;

	if (!may_have_rings())
		return -1;
	was = params ? params->flags : 0;
	if (params)
		params->flags |= IORING_SETUP_R_DISABLED;
	fd = sys_call(SYS_io_uring_setup, entries, SYS_PTR(params), 0, 0, 0, 0);
	if (params)
		restore(params, was);
	if (fd < 0) {
		errno = -fd;
		return -1;
	}
	err = make_safe(fd, was);
	if (!err)
		return fd;
	if (!(was & SETUP_REGISTERED_FD_ONLY))
		sys_close(fd);
	errno = EPERM;
	return -1;
}

/* What the functions below return is a negative errno. */
struct io_uring;

/* liburing makes its system calls itself, so its functions stand here as well. */
INTERPOSED int io_uring_setup(unsigned int entries,
			      struct io_uring_params *params)
{
	long fd = uring_setup(entries, params);

	return fd < 0 ? -errno : fd;
}

static int safe_ring(const struct io_uring *ring, unsigned int was)
{
	int fd;

	memcpy(&fd, (const char *)ring + LIBURING_FD, sizeof(fd));
	return make_safe(fd, was) ? -EPERM : 0;
}

static void *next(const char *name)
{
	return may_have_rings() ? dlsym(RTLD_NEXT, name) : NULL;
}

INTERPOSED int io_uring_queue_init_params(unsigned int entries,
					  struct io_uring *ring,
					  struct io_uring_params *params)
{
	int (*init)(unsigned int entries, struct io_uring *ring,
		    struct io_uring_params *params);
	unsigned int was = params->flags;
	int err;

	init = (__typeof__(init))next("io_uring_queue_init_params");
	if (!init)
		return -EPERM;
	params->flags |= IORING_SETUP_R_DISABLED;
	err = init(entries, ring, params);
	restore(params, was);
	return err < 0 ? err : safe_ring(ring, was);
}

INTERPOSED int io_uring_queue_init(unsigned int entries, struct io_uring *ring,
				   unsigned int flags)
{
	struct io_uring_params params = { .flags = flags };

	return io_uring_queue_init_params(entries, ring, &params);
}

INTERPOSED int io_uring_queue_init_mem(unsigned int entries,
				       struct io_uring *ring,
				       struct io_uring_params *params,
				       void *buf, size_t size)
{
	int (*init)(unsigned int entries, struct io_uring *ring,
		    struct io_uring_params *params, void *buf, size_t size);
	unsigned int was = params->flags;
	int used, err;

	init = (__typeof__(init))next("io_uring_queue_init_mem");
	if (!init)
		return -EPERM;
	params->flags |= IORING_SETUP_R_DISABLED;
	used = init(entries, ring, params, buf, size);
	restore(params, was);
	if (used < 0)
		return used;
	err = safe_ring(ring, was);
	return err ? err : used;
}
