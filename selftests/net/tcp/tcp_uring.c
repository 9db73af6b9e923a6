// SPDX-License-Identifier: GPL-2.0
/*
 * io_uring on a socket with NST. The ring is driven by bare system calls, so
 * that the guest needs no library.
 */
#include <linux/io_uring.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "kselftest_harness.h"
#include "tcptest.h"

#define ENTRIES	8

struct ring {
	int fd;
	unsigned int *sq_tail;
	unsigned int *sq_array;
	unsigned int sq_mask;
	unsigned int *cq_head;
	unsigned int *cq_tail;
	unsigned int cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
};

static void *map(int fd, size_t size, off_t offset)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_POPULATE, fd, offset);

	return p == MAP_FAILED ? NULL : p;
}

static int ring_open(struct ring *ring)
{
	struct io_uring_params p = {};
	char *sq, *cq;

	ring->fd = syscall(__NR_io_uring_setup, ENTRIES, &p);
	if (ring->fd < 0)
		return -errno;
	sq = map(ring->fd, p.sq_off.array + p.sq_entries * sizeof(unsigned int),
		 IORING_OFF_SQ_RING);
	cq = map(ring->fd, p.cq_off.cqes + p.cq_entries * sizeof(*ring->cqes),
		 IORING_OFF_CQ_RING);
	ring->sqes = map(ring->fd, p.sq_entries * sizeof(*ring->sqes),
			 IORING_OFF_SQES);
	if (!sq || !cq || !ring->sqes)
		return -ENOMEM;
	ring->sq_tail = (void *)(sq + p.sq_off.tail);
	ring->sq_mask = *(unsigned int *)(sq + p.sq_off.ring_mask);
	ring->sq_array = (void *)(sq + p.sq_off.array);
	ring->cq_head = (void *)(cq + p.cq_off.head);
	ring->cq_tail = (void *)(cq + p.cq_off.tail);
	ring->cq_mask = *(unsigned int *)(cq + p.cq_off.ring_mask);
	ring->cqes = (void *)(cq + p.cq_off.cqes);
	return 0;
}

/* The next request, to be filled in; @id comes back with its result. */
static struct io_uring_sqe *next_request(struct ring *ring, uint64_t id)
{
	unsigned int i = *ring->sq_tail & ring->sq_mask;
	struct io_uring_sqe *sqe = &ring->sqes[i];

	memset(sqe, 0, sizeof(*sqe));
	sqe->user_data = id;
	ring->sq_array[i] = i;
	return sqe;
}

/* Hands it over. */
static int hand_over(struct ring *ring)
{
	atomic_store_explicit((_Atomic unsigned int *)ring->sq_tail,
			      *ring->sq_tail + 1, memory_order_release);
	return syscall(__NR_io_uring_enter, ring->fd, 1, 0, 0, NULL, 0) == 1 ?
	       0 : -errno;
}

/* Sends or receives. */
static int submit(struct ring *ring, int op, int fd, void *buf, size_t len,
		  int msg_flags, uint64_t id)
{
	struct io_uring_sqe *sqe = next_request(ring, id);

	sqe->opcode = op;
	sqe->fd = fd;
	sqe->addr = (uintptr_t)buf;
	sqe->len = len;
	sqe->msg_flags = msg_flags;
	return hand_over(ring);
}

/* Waits for one result: that of @id, or the test ends with -EBADE. */
static int result(struct ring *ring, uint64_t id)
{
	unsigned int head = *ring->cq_head;
	struct io_uring_cqe *cqe;
	int res;

	if (syscall(__NR_io_uring_enter, ring->fd, 0, 1, IORING_ENTER_GETEVENTS,
		    NULL, 0) < 0)
		return -errno;
	if (head == atomic_load_explicit((_Atomic unsigned int *)ring->cq_tail,
					 memory_order_acquire))
		return -ENODATA;
	cqe = &ring->cqes[head & ring->cq_mask];
	res = cqe->user_data == id ? cqe->res : -EBADE;
	atomic_store_explicit((_Atomic unsigned int *)ring->cq_head, head + 1,
			      memory_order_release);
	return res;
}

FIXTURE(uring) {
	struct ring ring;
	int a;
	int b;
};

FIXTURE_VARIANT(uring) {
	struct tcptest_conf conf;
};

TCPTEST_V(uring, aes_gcm, NST_CIPHER_AES_GCM, AF_INET, false);
TCPTEST_V(uring, aes_cbc_ipv6_strict, NST_CIPHER_AES_CBC, AF_INET6, true);
TCPTEST_V(uring, chacha20, NST_CIPHER_CHACHA20_POLY1305, AF_INET, false);

FIXTURE_SETUP(uring)
{
	ASSERT_EQ(0, ring_open(&self->ring));
	ASSERT_EQ(0, tcptest_pair(&variant->conf, &self->a, &self->b));
	ASSERT_EQ(0, tcptest_bind(self->a, self->b));
}

FIXTURE_TEARDOWN(uring)
{
	close(self->a);
	close(self->b);
	close(self->ring.fd);
}

/* Asks to be told of @events at @fd, each time. */
static int submit_poll(struct ring *ring, int fd, int events, uint64_t id)
{
	struct io_uring_sqe *sqe = next_request(ring, id);

	sqe->opcode = IORING_OP_POLL_ADD;
	sqe->fd = fd;
	sqe->len = IORING_POLL_ADD_MULTI;
	sqe->poll32_events = events;
	return hand_over(ring);
}

/* Waits until that request has told of POLLIN; of a hangup it may have before. */
static int told_of_input(struct ring *ring, uint64_t id)
{
	int res;

	do {
		res = result(ring, id);
	} while (res > 0 && !(res & POLLIN));
	return res < 0 ? res : 0;
}

/*
 * Who has been waiting on a socket since before its listen() or connect() is no
 * obstacle to an attach, and is told all the same.
 */
TEST_F(uring, poll_before_listen)
{
	struct sockaddr_storage ss;
	socklen_t len = nsttest_loopback(&ss, variant->conf.family, 0);
	int lis = socket(variant->conf.family, SOCK_STREAM, 0), a;

	ASSERT_EQ(0, submit_poll(&self->ring, lis, POLLIN, 20));
	ASSERT_EQ(0, bind(lis, (void *)&ss, len));
	ASSERT_EQ(0, listen(lis, 5));
	ASSERT_EQ(0, getsockname(lis, (void *)&ss, &len));
	ASSERT_EQ(0, tcptest_key(lis, &variant->conf, 0));
	a = socket(variant->conf.family, SOCK_STREAM, 0);
	ASSERT_EQ(0, connect(a, (void *)&ss, len));
	EXPECT_EQ(0, told_of_input(&self->ring, 20));
	close(a);
	close(lis);
}

TEST_F(uring, poll_before_connect)
{
	struct sockaddr_storage ss;
	socklen_t len = nsttest_loopback(&ss, variant->conf.family, 0);
	int lis = socket(variant->conf.family, SOCK_STREAM, 0), a, b;

	ASSERT_EQ(0, bind(lis, (void *)&ss, len));
	ASSERT_EQ(0, listen(lis, 5));
	ASSERT_EQ(0, getsockname(lis, (void *)&ss, &len));
	a = socket(variant->conf.family, SOCK_STREAM, 0);
	ASSERT_EQ(0, submit_poll(&self->ring, a, POLLIN, 21));
	ASSERT_EQ(0, connect(a, (void *)&ss, len));
	ASSERT_EQ(0, tcptest_key(a, &variant->conf, NST_F_INITIATOR));
	b = accept(lis, NULL, NULL);
	ASSERT_LE(0, b);
	ASSERT_EQ(0, tcptest_key(b, &variant->conf, NST_F_RESPONDER));
	ASSERT_EQ(0, tcptest_settle(b));
	ASSERT_EQ(1, send(b, "x", 1, 0));
	EXPECT_EQ(0, told_of_input(&self->ring, 21));
	close(a);
	close(b);
	close(lis);
}

TEST_F(uring, send_recv)
{
	static char out[40000], in[40000];

	tcptest_fill(out, sizeof(out), 0);
	ASSERT_EQ(0, submit(&self->ring, IORING_OP_SEND, self->a, out,
			    sizeof(out), 0, 1));
	ASSERT_EQ(sizeof(out), result(&self->ring, 1));
	ASSERT_EQ(0, submit(&self->ring, IORING_OP_RECV, self->b, in,
			    sizeof(in), MSG_WAITALL, 2));
	ASSERT_EQ(sizeof(in), result(&self->ring, 2));
	EXPECT_TRUE(tcptest_same(in, sizeof(in), 0));
}

/* The request waits in the kernel's poll until a whole record is there. */
TEST_F(uring, recv_before_send)
{
	char in[500];

	ASSERT_EQ(0, submit(&self->ring, IORING_OP_RECV, self->b, in,
			    sizeof(in), 0, 3));
	usleep(20000);
	ASSERT_EQ(0, tcptest_send(self->a, 0, sizeof(in), sizeof(in)));
	ASSERT_EQ(sizeof(in), result(&self->ring, 3));
	EXPECT_TRUE(tcptest_same(in, sizeof(in), 0));
}

TEST_F(uring, recv_then_end)
{
	char in[10];

	ASSERT_EQ(0, submit(&self->ring, IORING_OP_RECV, self->b, in,
			    sizeof(in), 0, 4));
	ASSERT_EQ(0, shutdown(self->a, SHUT_WR));
	EXPECT_EQ(0, result(&self->ring, 4));
}

/* Zero-copy sending would pin plaintext that TCP sends later: refused. */
TEST_F(uring, send_zc_refused)
{
	char out[100] = {};

	ASSERT_EQ(0, submit(&self->ring, IORING_OP_SEND_ZC, self->a, out,
			    sizeof(out), 0, 5));
	EXPECT_EQ(-EOPNOTSUPP, result(&self->ring, 5));
	ASSERT_EQ(0, tcptest_send(self->a, 0, 100, 100));
	EXPECT_EQ(0, tcptest_recv(self->b, 0, 100, 100));
}

/* socket() by a ring, which takes its type where others have an offset. */
static int submit_socket(struct ring *ring, int type, int protocol, uint64_t id)
{
	struct io_uring_sqe *sqe = next_request(ring, id);

	sqe->opcode = IORING_OP_SOCKET;
	sqe->fd = AF_NST;
	sqe->off = type;
	sqe->len = protocol;
	return hand_over(ring);
}

TEST_F(uring, socket_af_nst)
{
	int family = variant->conf.family, fd;
	struct nst_info info;

	ASSERT_EQ(0, submit_socket(&self->ring, NST_SOCK_STREAM, family, 6));
	fd = result(&self->ring, 6);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, tcptest_info(fd, &info));
	EXPECT_EQ(-1, send(fd, "plaintext", 9, MSG_NOSIGNAL));
	close(fd);
	ASSERT_EQ(0, submit_socket(&self->ring, SOCK_RAW, family, 7));
	EXPECT_EQ(-ESOCKTNOSUPPORT, result(&self->ring, 7));
}

TEST_HARNESS_MAIN
