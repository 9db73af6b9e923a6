// SPDX-License-Identifier: GPL-2.0
/*
 * One TCP socket with NST in many hands: processes and threads that share it,
 * descriptors that are passed on, and calls that block while it goes away.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/sock_diag.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/sendfile.h>

#include "kselftest_harness.h"
#include "tcptest.h"

#define PROCESSES	16
#define ROUNDS		40	/* records of each process */
#define REC_MAX		3000

TCPTEST_PAIRS(share, TCPTEST_VARIANTS_FEW);

static int one_recv(int fd)
{
	char buf[64];
	ssize_t n = recv(fd, buf, sizeof(buf), 0);

	return n < 0 ? -errno : n;
}

/* --- 16 processes --------------------------------------------------------- */

/*
 * Records of an application's type go out and come in whole, so each one
 * tells whose it is, whichever process reads it.
 */
static size_t rec_len(int who, int round)
{
	return 4 + (who * 977 + round * 131) % (REC_MAX - 4);
}

static void rec_fill(uint8_t *buf, int who, int round)
{
	tcptest_fill(buf, rec_len(who, round), who * 100 + round);
	buf[0] = who;
	buf[1] = round;
}

static int write_records(int fd, int who)
{
	uint8_t buf[REC_MAX];
	ssize_t n;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		rec_fill(buf, who, i);
		n = tcptest_send_type(fd, TCPTEST_CTL + who, buf,
				      rec_len(who, i), 0);
		if (n != (ssize_t)rec_len(who, i))
			return n < 0 ? n : -EMSGSIZE;
	}
	return 0;
}

/* Marks in @seen which records came. */
static int read_records(int fd, int nr, uint8_t *seen)
{
	uint8_t buf[REC_MAX], want[REC_MAX];
	int type, who, round;
	ssize_t n;

	while (nr--) {
		n = tcptest_recv_type(fd, &type, buf, sizeof(buf), 0);
		if (n < 0)
			return n;
		who = buf[0];
		round = buf[1];
		if (n < 4 || who >= PROCESSES || round >= ROUNDS ||
		    type != TCPTEST_CTL + who || n != (ssize_t)rec_len(who, round))
			return -EPROTO;
		rec_fill(want, who, round);
		if (memcmp(buf, want, n))
			return -EILSEQ;
		seen[who * ROUNDS + round]++;
	}
	return 0;
}

static void run_records(struct __test_metadata *_metadata, int to, int from,
			int writers, int readers)
{
	int i, each = writers * ROUNDS / readers;
	pid_t pid[2 * PROCESSES];
	uint8_t *seen = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, seen);
	ASSERT_EQ(writers * ROUNDS, each * readers);
	for (i = 0; i < writers + readers; i++) {
		pid[i] = fork();
		if (pid[i])
			continue;
		if (i < writers)
			_exit(-write_records(to, i));
		_exit(-read_records(from, each, seen));
	}
	for (i = 0; i < writers + readers; i++)
		EXPECT_EQ(0, tcptest_reap(pid[i]));
	for (i = 0; i < writers * ROUNDS; i++)
		EXPECT_EQ(1, seen[i]);
	munmap(seen, 4096);
}

TEST_F(share, even)
{
	run_records(_metadata, self->a, self->b, 8, 8);
}

TEST_F(share, many_readers)
{
	run_records(_metadata, self->a, self->b, 4, 16);
}

TEST_F(share, many_writers)
{
	run_records(_metadata, self->a, self->b, 16, 2);
}

/* Sender and receiver are the same socket's processes on both ends. */
TEST_F(share, both_ways)
{
	pid_t pid = fork();

	if (!pid) {
		run_records(_metadata, self->b, self->a, 8, 8);
		_exit(!_metadata->passed);
	}
	run_records(_metadata, self->a, self->b, 8, 8);
	EXPECT_EQ(0, tcptest_reap(pid));
}

/* --- data of many: only the sum can be known ------------------------------ */

struct sum {
	uint64_t bytes;
	uint64_t value;
};

static int write_sum(int fd, int who, size_t len, bool by_file)
{
	uint8_t buf[4096];
	ssize_t n;
	int file;

	memset(buf, who + 1, sizeof(buf));
	file = memfd_create("nst", 0);
	if (write(file, buf, sizeof(buf)) != sizeof(buf))
		return -errno;
	while (len) {
		size_t now = len < sizeof(buf) ? len : sizeof(buf);
		off_t off = 0;

		n = by_file ? sendfile(fd, file, &off, now) :
			      send(fd, buf, now, MSG_NOSIGNAL);
		if (n <= 0)
			return -errno;
		len -= n;
	}
	return 0;
}

static int read_sum(int fd, struct sum *sum)
{
	uint8_t buf[3000];
	ssize_t n, i;

	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0) {
		__atomic_fetch_add(&sum->bytes, n, __ATOMIC_RELAXED);
		for (i = 0; i < n; i++)
			__atomic_fetch_add(&sum->value, buf[i],
					   __ATOMIC_RELAXED);
	}
	return n ? -errno : 0;
}

static void run_sum(struct __test_metadata *_metadata, int to, int from,
		    int writers, int readers, bool by_file)
{
	struct sum *sum = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid[2 * PROCESSES];
	size_t len = 20000;
	int i;

	ASSERT_NE(MAP_FAILED, sum);
	for (i = 0; i < writers + readers; i++) {
		pid[i] = fork();
		if (pid[i])
			continue;
		if (i < writers)
			_exit(-write_sum(to, i, len, by_file));
		_exit(-read_sum(from, sum));
	}
	for (i = 0; i < writers; i++)
		EXPECT_EQ(0, tcptest_reap(pid[i]));
	ASSERT_EQ(0, shutdown(to, SHUT_WR));
	for (; i < writers + readers; i++)
		EXPECT_EQ(0, tcptest_reap(pid[i]));
	EXPECT_EQ(writers * len, sum->bytes);
	EXPECT_EQ(len * writers * (writers + 1) / 2, sum->value);
	munmap(sum, 4096);
}

TEST_F(share, bytes)
{
	run_sum(_metadata, self->a, self->b, 8, 8, false);
}

TEST_F(share, sendfile)
{
	run_sum(_metadata, self->a, self->b, 8, 8, true);
}

TEST_F(share, sendfile_many_readers)
{
	run_sum(_metadata, self->b, self->a, 2, 14, true);
}

/* Readers, peekers, byte counts and epochs all at once. */
TEST_F(share, everything_at_once)
{
	pid_t pid[4];
	int i, n;

	for (i = 0; i < 4; i++) {
		struct nst_rekey r = {};
		struct nst_info info;
		char buf[100];

		pid[i] = fork();
		if (pid[i])
			continue;
		for (;;) {
			if (i == 0)
				recv(self->b, buf, sizeof(buf),
				     MSG_PEEK | MSG_DONTWAIT);
			else if (i == 1)
				setsockopt(self->a, SOL_NST, NST_REKEY, &r,
					   sizeof(r));
			else if (i == 2)
				tcptest_info(self->b, &info);
			else
				tcptest_poll(self->b, POLLIN, 1);
		}
	}
	n = tcptest_sender(self->a, 0, 100000, 1000);
	EXPECT_EQ(0, tcptest_recv(self->b, 0, 100000, 1500));
	EXPECT_EQ(0, tcptest_reap(n));
	for (i = 0; i < 4; i++) {
		kill(pid[i], SIGKILL);
		tcptest_reap(pid[i]);
	}
}

/*
 * A program that writes to its memory while it is being sent changes what is
 * sent, but each record stays authentic.
 */
static void *scribble(void *arg)
{
	volatile uint8_t *mem = arg;
	size_t i;

	for (i = 0; mem[0]; i++)
		mem[1 + i * 61 % 60000]++;
	return NULL;
}

TEST_F(share, memory_changes_meanwhile)
{
	uint8_t *mem = malloc(60001);
	pthread_t thread;
	pid_t pid;
	int i;

	ASSERT_NE(NULL, mem);
	memset(mem, 1, 60001);
	pid = fork();
	if (!pid) {
		struct sum sum = {};
		int ret = read_sum(self->b, &sum);

		_exit(ret ? -ret : sum.bytes != 10 * 60000);
	}
	ASSERT_EQ(0, pthread_create(&thread, NULL, scribble, mem));
	for (i = 0; i < 10; i++)
		EXPECT_EQ(60000, send(self->a, mem + 1, 60000, 0));
	mem[0] = 0;
	pthread_join(thread, NULL);
	ASSERT_EQ(0, shutdown(self->a, SHUT_WR));
	EXPECT_EQ(0, tcptest_reap(pid));
	free(mem);
}

/* --- descriptors that are passed on --------------------------------------- */

TEST_F(share, dup)
{
	int fd = dup(self->a);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, tcptest_bind(self->a, self->b));
	ASSERT_EQ(0, close(fd));
	ASSERT_EQ(0, tcptest_bind(self->a, self->b));
	fd = dup(self->a);
	ASSERT_EQ(0, close(self->a));
	self->a = fd;
	EXPECT_EQ(0, tcptest_bind(self->a, self->b));
}

/* The parent's close ends nothing while a child has the socket. */
TEST_F(share, fork)
{
	pid_t pid = fork();

	if (!pid) {
		usleep(50000);
		_exit(-tcptest_bind(self->a, self->b));
	}
	ASSERT_EQ(0, close(self->a));
	ASSERT_EQ(0, close(self->b));
	self->a = self->b = -1;
	EXPECT_EQ(0, tcptest_reap(pid));
}

static int pass_fd(int un, int fd)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} ctl = {};
	struct iovec iov = { "x", 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = ctl.buf, .msg_controllen = sizeof(ctl.buf),
	};

	ctl.align.cmsg_level = SOL_SOCKET;
	ctl.align.cmsg_type = SCM_RIGHTS;
	ctl.align.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&ctl.align), &fd, sizeof(fd));
	return sendmsg(un, &msg, 0) == 1 ? 0 : -errno;
}

static int take_fd(int un)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} ctl = {};
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = ctl.buf, .msg_controllen = sizeof(ctl.buf),
	};
	int fd;

	if (recvmsg(un, &msg, 0) != 1 || !CMSG_FIRSTHDR(&msg))
		return -1;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	return fd;
}

TEST_F(share, scm_rights)
{
	int un[2], fd;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, un));
	ASSERT_EQ(0, tcptest_send(self->b, 0, 100, 100));
	ASSERT_EQ(0, tcptest_recv(self->a, 0, 50, 50));
	ASSERT_EQ(0, pass_fd(un[0], self->a));
	/* Between sending and receiving it exists in a message only. */
	ASSERT_EQ(0, close(self->a));
	self->a = -1;
	ASSERT_EQ(0, tcptest_send(self->b, 100, 100, 100));
	fd = take_fd(un[1]);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, tcptest_recv(fd, 50, 150, 100));
	ASSERT_EQ(0, tcptest_bind(fd, self->b));
	/* And a descriptor that nobody takes is closed with its message. */
	ASSERT_EQ(0, pass_fd(un[0], fd));
	close(fd);
	close(un[0]);
	close(un[1]);
	EXPECT_EQ(0, one_recv(self->b));
}

/* --- calls that block while the socket goes away -------------------------- */

struct blocked {
	pthread_t thread;
	pid_t tid;
	int fd;
	int result;
};

static pid_t tid_of(struct blocked *b)
{
	return __atomic_load_n(&b->tid, __ATOMIC_SEQ_CST);
}

static void here_i_am(struct blocked *b)
{
	__atomic_store_n(&b->tid, gettid(), __ATOMIC_SEQ_CST);
}

static void *block_recv(void *arg)
{
	struct blocked *b = arg;

	here_i_am(b);
	b->result = one_recv(b->fd);
	return NULL;
}

static void *block_send(void *arg)
{
	struct blocked *b = arg;
	char buf[4096] = {};
	ssize_t n;

	here_i_am(b);
	do {
		n = send(b->fd, buf, sizeof(buf), MSG_NOSIGNAL);
	} while (n > 0);
	b->result = -errno;
	return NULL;
}

static void *block_poll(void *arg)
{
	struct blocked *b = arg;

	here_i_am(b);
	b->result = tcptest_poll(b->fd, POLLIN, TCPTEST_SOON_MS);
	return NULL;
}

static void block(struct __test_metadata *_metadata, struct blocked *b,
		  void *(*fn)(void *arg), int fd)
{
	int i;

	b->fd = fd;
	b->tid = 0;
	b->result = -ENODATA;
	/* So that a sender has nothing to do before long. */
	ASSERT_EQ(0, tcptest_set_int(fd, SOL_SOCKET, SO_SNDBUF, 1));
	ASSERT_EQ(0, pthread_create(&b->thread, NULL, fn, b));
	for (i = 0; i < TCPTEST_SOON_MS && !tid_of(b); i++)
		usleep(1000);
	ASSERT_EQ(0, tcptest_asleep(tid_of(b)));
}

static int unblocked(struct blocked *b)
{
	pthread_join(b->thread, NULL);
	return b->result;
}

/* As in TCP: the call holds the socket, and gets what still comes. */
TEST_F(share, close_against_recv)
{
	struct blocked b;

	block(_metadata, &b, block_recv, self->b);
	ASSERT_EQ(0, close(self->b));
	self->b = -1;
	ASSERT_EQ(0, tcptest_send(self->a, 0, 10, 10));
	EXPECT_EQ(10, unblocked(&b));
	EXPECT_EQ(0, one_recv(self->a));
}

TEST_F(share, close_against_poll)
{
	struct blocked b;

	block(_metadata, &b, block_poll, self->b);
	ASSERT_EQ(0, close(self->b));
	self->b = -1;
	ASSERT_EQ(0, tcptest_send(self->a, 0, 10, 10));
	/* Woken, it finds the descriptor gone. */
	EXPECT_EQ(POLLNVAL, unblocked(&b));
}

TEST_F(share, close_against_send)
{
	struct blocked b;

	block(_metadata, &b, block_send, self->b);
	ASSERT_EQ(0, close(self->b));
	self->b = -1;
	ASSERT_EQ(0, close(self->a));
	self->a = -1;
	b.result = unblocked(&b);
	EXPECT_TRUE(b.result == -EPIPE || b.result == -ECONNRESET) {
		TH_LOG("%d", b.result);
	}
}

TEST_F(share, shutdown_against_recv)
{
	struct blocked b;

	block(_metadata, &b, block_recv, self->b);
	ASSERT_EQ(0, shutdown(self->b, SHUT_RD));
	EXPECT_EQ(0, unblocked(&b));
}

TEST_F(share, shutdown_against_send)
{
	struct blocked b;

	block(_metadata, &b, block_send, self->b);
	ASSERT_EQ(0, shutdown(self->b, SHUT_WR));
	EXPECT_EQ(-EPIPE, unblocked(&b));
}

TEST_F(share, shutdown_against_poll)
{
	struct blocked b;

	block(_metadata, &b, block_poll, self->b);
	ASSERT_EQ(0, shutdown(self->b, SHUT_RDWR));
	EXPECT_EQ(POLLIN, unblocked(&b) & POLLIN);
}

TEST_F(share, peer_closes_against_recv)
{
	struct blocked b[3];
	int i;

	for (i = 0; i < 3; i++)
		block(_metadata, &b[i], block_recv, self->b);
	ASSERT_EQ(0, close(self->a));
	self->a = -1;
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, unblocked(&b[i]));
}

TEST_F(share, peer_resets_against_send)
{
	struct linger now = { .l_onoff = 1 };
	struct blocked b;

	block(_metadata, &b, block_send, self->b);
	ASSERT_EQ(0, setsockopt(self->a, SOL_SOCKET, SO_LINGER, &now,
				sizeof(now)));
	ASSERT_EQ(0, close(self->a));
	self->a = -1;
	EXPECT_EQ(-ECONNRESET, unblocked(&b));
}

/* A signal ends a call that waits; the stream is as it was. */
static void on_alarm(int sig)
{
	(void)sig;
}

TEST_F(share, signal_against_recv)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	pid_t pid;

	pid = fork();
	if (!pid) {
		sigaction(SIGUSR1, &sa, NULL);
		_exit(-one_recv(self->b));
	}
	ASSERT_EQ(0, tcptest_asleep(pid));
	kill(pid, SIGUSR1);
	EXPECT_EQ(-EINTR, tcptest_reap(pid));
	EXPECT_EQ(0, tcptest_bind(self->a, self->b));
}

struct hole_send {
	struct tcptest_hole hole;
	int fd;
	pid_t tid;
	ssize_t ret;
};

static void *send_hole(void *arg)
{
	struct hole_send *s = arg;

	__atomic_store_n(&s->tid, gettid(), __ATOMIC_RELEASE);
	s->ret = send(s->fd, s->hole.mem, TCPTEST_HOLE, 0);
	return NULL;
}

/* As a plain socket's, shutdown() waits for one who sends, and does its work. */
TEST_F(share, signal_against_shutdown)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	char in[TCPTEST_HOLE];
	pthread_t thread;
	struct hole_send s = { .fd = self->b };
	pid_t pid;

	ASSERT_EQ(0, tcptest_bind(self->a, self->b));
	ASSERT_EQ(0, tcptest_hole_open(&s.hole));
	ASSERT_EQ(0, pthread_create(&thread, NULL, send_hole, &s));
	while (!__atomic_load_n(&s.tid, __ATOMIC_ACQUIRE))
		usleep(1000);
	ASSERT_EQ(0, tcptest_asleep(s.tid));
	pid = fork();
	if (!pid) {
		sigaction(SIGUSR1, &sa, NULL);
		_exit(shutdown(self->b, SHUT_WR) ? errno : 0);
	}
	ASSERT_EQ(0, tcptest_asleep(pid));
	kill(pid, SIGUSR1);
	usleep(100000);
	EXPECT_EQ(0, waitpid(pid, NULL, WNOHANG));
	ASSERT_EQ(0, tcptest_hole_fill(&s.hole, 'P'));
	pthread_join(thread, NULL);
	EXPECT_EQ(TCPTEST_HOLE, s.ret);
	EXPECT_EQ(0, tcptest_reap(pid));
	EXPECT_EQ(TCPTEST_HOLE, recv(self->a, in, sizeof(in), MSG_WAITALL));
	EXPECT_EQ(0, recv(self->a, in, sizeof(in), 0));
	tcptest_hole_close(&s.hole);
}

/* --- disconnecting under others ---------------------------------------------- */

static const struct sockaddr nowhere = { .sa_family = AF_UNSPEC };

/* What is refused has no effect: who sends goes on, and gets no signal. */
TEST_F(share, disconnect_against_send)
{
	struct blocked b;
	char buf[65536];
	size_t sent = 0;
	ssize_t n;

	ASSERT_EQ(0, tcptest_bind(self->a, self->b));
	block(_metadata, &b, block_send, self->b);
	ASSERT_EQ(-1, connect(self->b, &nowhere, sizeof(nowhere)));
	EXPECT_EQ(EOPNOTSUPP, errno);
	EXPECT_EQ(0, tcptest_asleep(b.tid));
	/* Only the peer's end is an end. */
	for (n = 1; n > 0 && sent < 10 * sizeof(buf); sent += n)
		n = recv(self->a, buf, sizeof(buf), 0);
	EXPECT_LT(0, n);
	EXPECT_EQ(-ENODATA, __atomic_load_n(&b.result, __ATOMIC_RELAXED));
	ASSERT_EQ(0, close(self->a));
	self->a = -1;
	n = unblocked(&b);
	EXPECT_TRUE(n == -ECONNRESET || n == -EPIPE);
}

TEST_F(share, disconnect_against_recv)
{
	struct blocked b;

	block(_metadata, &b, block_recv, self->b);
	ASSERT_EQ(-1, connect(self->b, &nowhere, sizeof(nowhere)));
	EXPECT_EQ(EOPNOTSUPP, errno);
	EXPECT_EQ(0, tcptest_asleep(b.tid));
	EXPECT_EQ(0, tcptest_send(self->a, 0, 10, 10));
	EXPECT_EQ(10, unblocked(&b));
}

/* --- a program that owns the socket ------------------------------------------ */

struct owner {
	struct tcptest_hole hole;
	int fd;
	pid_t tid;
};

/* An option of the kernel's own, which reads the program's memory under the lock. */
static void *own(void *arg)
{
	struct owner *o = arg;
	socklen_t len = TCPTEST_HOLE;

	__atomic_store_n(&o->tid, gettid(), __ATOMIC_RELEASE);
	getsockopt(o->fd, IPPROTO_IP, IP_MSFILTER, o->hole.mem, &len);
	return NULL;
}

/*
 * While a page fault keeps the socket owned the worker cannot have it. What it was
 * to do it does when the socket is free: here it resets, for what came meanwhile.
 */
TEST(worker_waits_for_owner)
{
	struct tcptest_conf conf = {
		.cipher_id = NST_CIPHER_AES_GCM, .family = AF_INET,
		.strict = true,
	};
	struct owner owner = {};
	char junk[PEER_HDR_SIZE];
	pthread_t thread;
	int raw, i;

	memset(junk, 'X', sizeof(junk));
	ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &owner.fd, &raw));
	ASSERT_EQ(0, tcptest_key(owner.fd, &conf, NST_F_RESPONDER));
	/* Its start record. */
	ASSERT_EQ(PEER_HDR_SIZE, recv(raw, junk, sizeof(junk), MSG_WAITALL));
	ASSERT_EQ(0, tcptest_hole_open(&owner.hole));
	ASSERT_EQ(0, pthread_create(&thread, NULL, own, &owner));
	for (i = 0; i < TCPTEST_SOON_MS; i++) {
		if (__atomic_load_n(&owner.tid, __ATOMIC_ACQUIRE))
			break;
		usleep(1000);
	}
	ASSERT_EQ(0, tcptest_asleep(owner.tid));
	/* It is put off, and the worker is called. */
	EXPECT_EQ(0, shutdown(owner.fd, SHUT_WR));
	memset(junk, 'X', sizeof(junk));
	ASSERT_EQ(sizeof(junk), send(raw, junk, sizeof(junk), 0));
	EXPECT_EQ(0, tcptest_poll(raw, POLLIN, TCPTEST_NEVER_MS));
	ASSERT_EQ(0, tcptest_hole_fill(&owner.hole, 0));
	pthread_join(thread, NULL);
	EXPECT_EQ(-1, recv(raw, junk, sizeof(junk), 0));
	EXPECT_EQ(ECONNRESET, errno);
	EXPECT_EQ(-EPROTO, one_recv(owner.fd));
	tcptest_hole_close(&owner.hole);
	close(owner.fd);
	close(raw);
}

/* --- room for a record, as others see it ------------------------------------ */

#define ROOM_ROUNDS	1500
#define ROOM_SNDBUF	4608	/* of which the kernel makes twice as much */
#define ROOM_RECORD	16384

/* Who looks at a socket's send buffer while records pass its limit. */
struct room {
	int fd;
	int sndbuf;
	int round;
	bool stop;
	int most;	/* SO_SNDBUF seen */
	int spurious;	/* POLLOUT of a buffer that is full */
};

static int so_sndbuf(int fd)
{
	socklen_t len = sizeof(int);
	int val = -1;

	getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &val, &len);
	return val;
}

static int queued(int fd)
{
	uint32_t mem[SK_MEMINFO_VARS] = {};
	socklen_t len = sizeof(mem);

	getsockopt(fd, SOL_SOCKET, SO_MEMINFO, mem, &len);
	return mem[SK_MEMINFO_WMEM_QUEUED];
}

/*
 * In a round the queue grows, and then only shrinks: if it is full before a look
 * and behind, it was meanwhile.
 */
static void *look_at_room(void *arg)
{
	struct room *r = arg;
	int round, val;
	bool full;

	while (!__atomic_load_n(&r->stop, __ATOMIC_ACQUIRE)) {
		val = so_sndbuf(r->fd);
		if (val > r->most)
			r->most = val;
		round = __atomic_load_n(&r->round, __ATOMIC_ACQUIRE);
		full = queued(r->fd) >= r->sndbuf;
		if (!full || !tcptest_poll(r->fd, POLLOUT, 0))
			continue;
		if (queued(r->fd) >= r->sndbuf &&
		    round == __atomic_load_n(&r->round, __ATOMIC_ACQUIRE))
			r->spurious++;
	}
	return NULL;
}

/*
 * A record that was begun goes to TCP whole, beyond SO_SNDBUF. Nobody else takes
 * that for room, or for another SO_SNDBUF than there is but for that record.
 */
TEST(room_seen_by_others)
{
	struct tcptest_conf conf = {
		.cipher_id = NST_CIPHER_AES_GCM, .family = AF_INET,
	};
	struct room room = {};
	pthread_t thread;
	int a, b, i;

	ASSERT_EQ(0, tcptest_pair(&conf, &a, &b));
	ASSERT_EQ(0, tcptest_set_int(a, SOL_SOCKET, SO_SNDBUF, ROOM_SNDBUF));
	room.fd = a;
	room.sndbuf = so_sndbuf(a);
	ASSERT_GT(ROOM_RECORD, room.sndbuf);
	ASSERT_EQ(0, pthread_create(&thread, NULL, look_at_room, &room));
	for (i = 0; i < ROOM_ROUNDS; i++) {
		ASSERT_EQ(0, tcptest_send(a, i * ROOM_RECORD, ROOM_RECORD,
					  ROOM_RECORD));
		ASSERT_EQ(0, tcptest_recv(b, i * ROOM_RECORD, ROOM_RECORD,
					  ROOM_RECORD));
		while (queued(a))
			usleep(100);
		__atomic_store_n(&room.round, i + 1, __ATOMIC_RELEASE);
	}
	__atomic_store_n(&room.stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, room.spurious);
	EXPECT_LE(room.most, room.sndbuf + 3 * ROOM_RECORD);
	close(a);
	close(b);
}

TEST_HARNESS_MAIN
