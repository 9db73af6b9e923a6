// SPDX-License-Identifier: GPL-2.0
/* runpoke: io_uring by libc's syscall(), a ring for one request at a time. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "runpoke.h"

struct ring {
	int fd;
	struct io_uring_params p;
	char *sq;
	char *cq;
	struct io_uring_sqe *sqes;
};

static unsigned int *word(char *ring, unsigned int offset)
{
	return (unsigned int *)(ring + offset);
}

static void *map(int fd, size_t size, off_t offset)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_POPULATE, fd, offset);

	NEED(p != MAP_FAILED);
	return p;
}

static void ring_open(struct ring *ring)
{
	memset(ring, 0, sizeof(*ring));
	ring->fd = syscall(__NR_io_uring_setup, 4, &ring->p);
	NEED(ring->fd >= 0);
	NEED(!ring->p.flags);
	ring->sq = map(ring->fd, ring->p.sq_off.array + 64, IORING_OFF_SQ_RING);
	ring->cq = map(ring->fd, ring->p.cq_off.cqes +
		       ring->p.cq_entries * sizeof(struct io_uring_cqe),
		       IORING_OFF_CQ_RING);
	ring->sqes = map(ring->fd, 4 * sizeof(*ring->sqes), IORING_OFF_SQES);
}

/* One request, and what came of it. */
static int request(struct ring *ring, int op, int fd, const void *addr,
		   size_t len, size_t off)
{
	unsigned int *tail = word(ring->sq, ring->p.sq_off.tail);
	unsigned int *head = word(ring->cq, ring->p.cq_off.head);
	struct io_uring_sqe *sqe = &ring->sqes[*tail & 3];
	struct io_uring_cqe *cqe;
	int res;

	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = op;
	sqe->fd = fd;
	sqe->addr = (uintptr_t)addr;
	sqe->len = len;
	sqe->off = off;
	*word(ring->sq, ring->p.sq_off.array + 4 * (*tail & 3)) = *tail & 3;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	NEED(syscall(__NR_io_uring_enter, ring->fd, 1, 1,
		     IORING_ENTER_GETEVENTS, NULL, 0) == 1);
	cqe = (struct io_uring_cqe *)(ring->cq + ring->p.cq_off.cqes) +
	      (*head & (ring->p.cq_entries - 1));
	res = cqe->res;
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return res;
}

/* The sockets are made by libc, accept() and the data go by the ring. */
static int ring_data(char **args)
{
	int lfd = listener(AF_INET, PORT), fd = dial(AF_INET, PORT), conn;
	char buf[sizeof(MARK)];
	struct ring ring;

	(void)args;
	ring_open(&ring);
	conn = request(&ring, IORING_OP_ACCEPT, lfd, NULL, 0, 0);
	NEED(conn >= 0);
	NEED(request(&ring, IORING_OP_SEND, fd, MARK, sizeof(MARK), 0) ==
	     sizeof(MARK));
	NEED(request(&ring, IORING_OP_RECV, conn, buf, sizeof(buf), 0) ==
	     sizeof(buf));
	NEED(!memcmp(buf, MARK, sizeof(buf)));
	return 0;
}

/* ring_refuses: connect() by the ring is refused, and so the wire is silent. */
static int ring_refuses(char **args)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct address addr;
	struct ring ring;

	(void)args;
	listener(AF_INET, PORT);
	ring_open(&ring);
	address_of(&addr, AF_INET, PORT);
	NEED(request(&ring, IORING_OP_CONNECT, fd, &addr.sa, 0, addr.len) ==
	     -EACCES);
	return 0;
}

/* With UDP named, a send may have an address that nobody sees. */
static int ring_no_sends(char **args)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct ring ring;

	(void)args;
	ring_open(&ring);
	NEED(request(&ring, IORING_OP_SEND, fd, MARK, sizeof(MARK), 0) ==
	     -EACCES);
	return 0;
}

/* ring_flags: by liburing (runwrap.c); what it asked for stays as it was. */
static int ring_flags(char **args)
{
	int (*init)(unsigned int entries, void *ring,
		    struct io_uring_params *params);
	struct io_uring_params params = { 0 };
	char ring[256] = { 0 };

	(void)args;
	init = (__typeof__(init))dlsym(RTLD_DEFAULT,
				       "io_uring_queue_init_params");
	NEED(init && !init(4, ring, &params));
	NEED(!(params.flags & IORING_SETUP_R_DISABLED));
	return 0;
}

const struct scenario ring_scenarios[] = {
	{ "ring", ring_data },
	{ "ring_refuses", ring_refuses },
	{ "ring_no_sends", ring_no_sends },
	{ "ring_flags", ring_flags },
	{ NULL, NULL }
};
