// SPDX-License-Identifier: GPL-2.0
/*
 * Who pays for what a stream holds: records that stay open, and those that are
 * gathered because TCP has no room for them. All that is taken from the machine is
 * charged to the memory cgroup of the program.
 *
 * Built with -DNR=10000 it is tcp_charge_many (make check-charge).
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "cgroup.h"
#include "kselftest_harness.h"
#include "tcptest.h"

#ifndef NR
#define NR	500
#endif
#define CGROUP	CGROUP_ROOT "/charge"
#define MSS	1400
#define SMALL	4096		/* SO_RCVBUF, far below a record */
#define PART	20000		/* bytes of a record that come first */

static const struct tcptest_conf conf = {
	.cipher_id = NST_CIPHER_AES_GCM, .family = AF_INET,
};

/* Bytes: what the machine has left, what the cgroup has, and that in sockets. */
struct usage {
	long left;
	long charged;
	long sockets;
};

static struct usage measure(void)
{
	struct usage u;

	/* The kernel counts some of it late. */
	usleep(300000);
	u.left = nsttest_find("/proc/meminfo", "MemFree") * 1024;
	u.charged = nsttest_number(CGROUP "/memory.current");
	/* To read it makes it exact. */
	u.sockets = nsttest_find(CGROUP "/memory.stat", "sock");
	return u;
}

/* That they have more is what would show that another has given back too much. */
#define HELD	(1024 * 1024)

FIXTURE(charge)
{
	int kern[NR];
	int raw[NR];
	int held[2];
	struct usage before;
};

static int hold(int fd)
{
	static char data[HELD];
	ssize_t n = send(fd, data, sizeof(data), 0);

	return n == sizeof(data) ? 0 : n < 0 ? -errno : -EMSGSIZE;
}

FIXTURE_SETUP(charge)
{
	struct rlimit files = { 2 * NR + 100, 2 * NR + 100 };
	int i;

	for (i = 0; i < NR; i++)
		self->kern[i] = self->raw[i] = -1;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &files));
	if (cgroup_make(CGROUP) == -ENODEV) {
		cgroup_end();
		NSTTEST_SKIP_FIXTURE("this kernel has no memory cgroups");
	}
	ASSERT_EQ(0, cgroup_enter(CGROUP));
	ASSERT_EQ(0, nsttest_pair(AF_INET, 2 * HELD, &self->held[0],
				  &self->held[1]));
	ASSERT_EQ(0, hold(self->held[1]));
	self->before = measure();
	ASSERT_LE(HELD, self->before.sockets);
}

FIXTURE_TEARDOWN(charge)
{
	struct usage now;
	int i;

	for (i = 0; i < NR; i++) {
		close(self->raw[i]);
		close(self->kern[i]);
	}
	now = measure();
	/* All is given back, but for what each processor keeps ready. */
	EXPECT_LE(self->before.sockets - HELD / 8, now.sockets);
	EXPECT_GE(self->before.sockets + NR * 1024, now.sockets);
	close(self->held[0]);
	close(self->held[1]);
	cgroup_end();
}

/* At least nine tenths of what is gone since @was must be charged. */
static struct usage expect_charged(struct __test_metadata *_metadata,
				   const struct usage *was, long sockets)
{
	struct usage now = measure();
	long gone = was->left - now.left;
	long charged = now.charged - was->charged;

	TH_LOG("%d: %ld KiB are gone, %ld charged, %ld in sockets", NR,
	       gone / 1024, charged / 1024,
	       (now.sockets - was->sockets) / 1024);
	EXPECT_LE(gone / 10 * 9, charged);
	EXPECT_LE(sockets, now.sockets - was->sockets);
	return now;
}

TEST_F_TIMEOUT(charge, open_records, 1200)
{
	struct usage was, now;
	int other, raw, i;
	char in[4096];

	ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &other, &raw));
	ASSERT_EQ(0, tcptest_key(other, &conf, NST_F_RESPONDER));
	for (i = 0; i < NR; i++) {
		ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &self->kern[i],
					  &self->raw[i]));
		ASSERT_EQ(0, tcptest_key(self->kern[i], &conf,
					 NST_F_RESPONDER));
		ASSERT_EQ(1, send(self->kern[i], "x", 1, 0));
		ASSERT_LT(0, recv(self->raw[i], in, sizeof(in), 0));
	}
	was = measure();
	for (i = 0; i < NR; i++) {
		/* It leaves memory to the next one, and more than that needs. */
		ASSERT_EQ(1, send(other, "z", 1, 0));
		ASSERT_LT(0, recv(raw, in, sizeof(in), 0));
		ASSERT_EQ(1, send(self->kern[i], "x", 1, MSG_MORE));
	}
	now = expect_charged(_metadata, &was, NR * 4096l);
	/* A page, and what describes it; rounded up. */
	EXPECT_GE(NR * 12288l, now.sockets - was.sockets);
	close(other);
	close(raw);
	/* Each of them goes, and is no longer what the socket holds. */
	for (i = 0; i < NR; i++) {
		ASSERT_EQ(1, send(self->kern[i], "y", 1, 0));
		ASSERT_EQ(PEER_HDR_SIZE + 2, recv(self->raw[i], in, sizeof(in),
						  0));
	}
	EXPECT_GE(was.sockets + NR * 1024, measure().sockets);
}

/* One that nobody sends any more is paid for until close(), and not longer. */
TEST_F_TIMEOUT(charge, open_records_at_close, 1200)
{
	static char in[16384];
	int i;

	for (i = 0; i < NR; i++) {
		ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &self->kern[i],
					  &self->raw[i]));
		ASSERT_EQ(0, tcptest_key(self->kern[i], &conf,
					 NST_F_RESPONDER));
		ASSERT_EQ(9000, send(self->kern[i], in, 9000, MSG_MORE));
		/* By a reset half of them. */
		if (i & 1)
			ASSERT_EQ(4, send(self->raw[i], "none", 4, 0));
	}
	EXPECT_LE(self->before.sockets + NR * 9000l, measure().sockets);
}

struct sender {
	struct peer p;
	struct peer_hdr h;
};

/* What is decrypted and not read is the socket's, as what is not decrypted is. */
TEST_F_TIMEOUT(charge, plaintext, 1200)
{
	enum { LEN = 16384 };
	int a, b, i;

	for (i = 0; i < NR; i++) {
		ASSERT_EQ(0, tcptest_pair(&conf, &a, &b));
		self->raw[i] = a;
		self->kern[i] = b;
		ASSERT_EQ(0, tcptest_send(a, 0, LEN, LEN));
		ASSERT_EQ(0, tcptest_recv(b, 0, 1, 1));
	}
	EXPECT_LE(self->before.sockets + NR * (long)LEN, measure().sockets);
	for (i = 0; i < NR; i++)
		ASSERT_EQ(0, tcptest_recv(self->kern[i], 1, LEN - 1, LEN));
	EXPECT_GE(self->before.sockets + NR * 1024, measure().sockets);
}

/* The same bytes each time. */
static const uint8_t *build(struct sender *s)
{
	static uint8_t plain[PEER_PLAIN_MAX], wire[PEER_RECORD_MAX];

	tcptest_fill(plain, sizeof(plain), 0);
	peer_build(&s->p, &s->h, plain, sizeof(plain), 0, wire);
	return wire;
}

/* The stream begins with a record of its own: a START must be fresh to the end. */
static int prepare(struct sender *s, int raw, int kern)
{
	char in;
	int ret;

	peer_init(&s->p, raw, NST_CIPHER_AES_GCM, nsttest_box, NSTTEST_KEYS);
	s->p.role = PEER_F_INITIATOR;
	ret = peer_send(&s->p, PEER_DATA, "x", 1);
	if (ret)
		return ret;
	peer_prepare(&s->p, &s->h, PEER_DATA, PEER_PLAIN_MAX);
	return recv(kern, &in, 1, 0) == 1 ? 0 : -errno;
}

/* All that @raw has sent has been taken. */
static int taken(int raw)
{
	int left = 1, ms;

	for (ms = 0; ms < TCPTEST_SOON_MS; ms += 10) {
		if (ioctl(raw, SIOCOUTQ, &left) || !left)
			break;
		usleep(10000);
	}
	return left ? -EAGAIN : 0;
}

static int finish(struct sender *s, int kern)
{
	const size_t size = PEER_HDR_SIZE + PEER_PLAIN_MAX;
	pid_t pid = fork();
	int ret;

	if (!pid)
		_exit(-peer_write(s->p.fd, build(s) + PART, size - PART));
	ret = tcptest_recv(kern, 0, PEER_PLAIN_MAX, PEER_PLAIN_MAX);
	return ret ?: tcptest_reap(pid);
}

TEST_F_TIMEOUT(charge, gathered_records, 3600)
{
	static struct sender sender[NR];
	struct usage was;
	int i, late = 0;

	for (i = 0; i < NR; i++) {
		ASSERT_EQ(0, nsttest_pair_mss(AF_INET, SMALL, MSS,
					      &self->kern[i], &self->raw[i]));
		ASSERT_EQ(0, tcptest_key(self->kern[i], &conf,
					 NST_F_RESPONDER));
		ASSERT_EQ(0, prepare(&sender[i], self->raw[i],
				     self->kern[i]));
	}
	/* So that this program's own memory is there. */
	build(sender);
	was = measure();
	for (i = 0; i < NR; i++)
		ASSERT_EQ(0, peer_write(self->raw[i], build(&sender[i]), PART));
	for (i = 0; i < NR; i++)
		late += !!taken(self->raw[i]);
	EXPECT_EQ(0, late);
	expect_charged(_metadata, &was, NR * (PART - SMALL));
	for (i = 0; i < NR; i++)
		ASSERT_EQ(0, finish(&sender[i], self->kern[i]))
			TH_LOG("the %dth", i);
}

/*
 * Before accept() only a START is taken off TCP's queue: what accept() charges the
 * cgroup for is what it finds there, and all of that is given back later.
 */
TEST_F_TIMEOUT(charge, children_with_more_than_a_start, 1200)
{
	enum { FEW = 50, LEN = 10000, MORE = 3 };
	struct sockaddr_storage ss = { .ss_family = AF_INET };
	socklen_t len = sizeof(ss);
	int lis = socket(AF_INET, SOCK_STREAM, 0), i, j;
	static char plain[LEN];

	ASSERT_EQ(0, bind(lis, (void *)&ss, len));
	ASSERT_EQ(0, getsockname(lis, (void *)&ss, &len));
	ASSERT_EQ(0, tcptest_key(lis, &conf, 0));
	ASSERT_EQ(0, listen(lis, FEW));
	for (i = 0; i < FEW; i++) {
		struct peer p;

		self->raw[i] = socket(AF_INET, SOCK_STREAM, 0);
		ASSERT_EQ(0, connect(self->raw[i], (void *)&ss, len));
		peer_init(&p, self->raw[i], NST_CIPHER_AES_GCM, nsttest_box,
			  NSTTEST_KEYS);
		p.role = PEER_F_INITIATOR;
		for (j = 0; j <= MORE; j++) {
			tcptest_fill(plain, LEN, j * LEN);
			ASSERT_EQ(0, peer_send(&p, PEER_DATA, plain, LEN));
		}
		ASSERT_EQ(0, taken(self->raw[i]));
	}
	for (i = 0; i < FEW; i++) {
		self->kern[i] = accept(lis, NULL, NULL);
		ASSERT_LE(0, self->kern[i]);
		/* Nobody said in which order they come. */
		ASSERT_EQ(0, tcptest_timeout(self->kern[i], SO_RCVTIMEO,
					     TCPTEST_SOON_MS));
	}
	EXPECT_LE(self->before.sockets + FEW * MORE * (long)LEN,
		  measure().sockets);
	for (i = 0; i < FEW; i++)
		ASSERT_EQ(0, tcptest_recv(self->kern[i], 0, (MORE + 1) * LEN,
					  LEN));
	EXPECT_GE(self->before.sockets + NR * 1024, measure().sockets);
	close(lis);
}

/* --- calls that are in vain ----------------------------------------------- */

/* Pages that all of the host's TCP sockets are charged for. */
static long tcp_pages(void)
{
	FILE *f = fopen("/proc/net/sockstat", "r");
	char line[128];
	long n = -1;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "TCP: inuse %*d orphan %*d tw %*d alloc %*d mem %ld",
			   &n) == 1)
			break;
	if (f)
		fclose(f);
	return n;
}

/* What a call has gathered is not sent if the rest of it cannot be read. */
TEST(faults_behind_an_open_record)
{
	enum { CALLS = 2000, GOOD = 30000, PAGES = 1024 };
	static char good[GOOD];
	struct iovec iov[] = { { good, GOOD }, { (void *)16, 1 } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	int a, b, i, faults = 0;
	char in[2];
	long before;

	ASSERT_EQ(0, tcptest_pair(&conf, &a, &b));
	ASSERT_EQ(1, send(a, "x", 1, MSG_MORE));
	before = tcp_pages();
	ASSERT_LE(0, before);
	for (i = 0; i < CALLS; i++)
		faults += sendmsg(a, &msg, MSG_MORE) < 0 && errno == EFAULT;
	EXPECT_EQ(CALLS, faults);
	/* A call's worth is 8 pages. */
	EXPECT_GT(before + PAGES, tcp_pages());
	ASSERT_EQ(1, send(a, "y", 1, 0));
	EXPECT_EQ(2, recv(b, in, sizeof(in), MSG_WAITALL));
	EXPECT_EQ(0, memcmp(in, "xy", 2));
	close(a);
	close(b);
}

/* --- a cgroup that is full -------------------------------------------------- */

#define FULL	CGROUP_ROOT "/full"
#define LIMIT	FULL "/memory.max"
#define RECORD	30000
#define RECORDS	3
#define PIECE	100	/* less than a record, so that it needs a buffer */

FIXTURE(full)
{
	int enter;	/* cgroup.procs */
	int leave;
};

FIXTURE_SETUP(full)
{
	if (cgroup_make(FULL) == -ENODEV)
		NSTTEST_SKIP_FIXTURE("this kernel has no memory cgroups");
	self->enter = open(FULL "/cgroup.procs", O_WRONLY);
	self->leave = open(CGROUP_ROOT "/cgroup.procs", O_WRONLY);
	ASSERT_LE(0, self->enter);
	ASSERT_LE(0, self->leave);
}

FIXTURE_TEARDOWN(full)
{
	nsttest_write_file(LIMIT, "max");
	close(self->enter);
	close(self->leave);
	rmdir(FULL);
	cgroup_end();
}

/* All that is sent is there, and TCP's. */
static int queued(int fd, int len)
{
	int n = 0, ms;

	for (ms = 0; n != len && ms < TCPTEST_SOON_MS; ms += 10) {
		usleep(10000);
		if (ioctl(fd, FIONREAD, &n))
			return -errno;
	}
	return n == len ? 0 : -ETIME;
}

/* Read what is there, piece by piece, and wait for nothing. */
static int read_pieces(int fd)
{
	static char in[RECORDS * RECORD];
	int got = 0;
	ssize_t n;

	while (got < RECORDS * RECORD) {
		n = recv(fd, in + got, PIECE, MSG_DONTWAIT);
		if (n <= 0)
			return n ? -errno : -EPIPE;
		got += n;
	}
	return tcptest_same(in, got, 0) ? 0 : -EILSEQ;
}

/*
 * What a reader's record takes is none of his cgroup's, which has nothing left: it is
 * the socket's, as it was on TCP's queue.
 */
TEST_F(full, reader_of_anothers_socket)
{
	int a, b, ret;
	pid_t pid;

	ASSERT_EQ(0, tcptest_pair(&conf, &a, &b));
	ASSERT_EQ(0, tcptest_record_max(a, RECORD));
	ASSERT_EQ(0, tcptest_send(a, 0, RECORDS * RECORD, RECORD));
	ASSERT_EQ(0, queued(b, RECORDS * RECORD));
	ASSERT_EQ(0, nsttest_write_file(LIMIT, "0"));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		/* In there no page can be had, not even its own. */
		if (mlockall(MCL_CURRENT) || write(self->enter, "0", 1) != 1)
			_exit(errno);
		ret = read_pieces(b);
		if (write(self->leave, "0", 1) != 1)
			_exit(errno);
		_exit(-ret);
	}
	EXPECT_EQ(0, tcptest_reap(pid));
	close(a);
	close(b);
}

/*
 * A socket's own cgroup has nothing left. What its records were charged with on TCP's
 * queue does for them when they are read, so that it is them who give it back.
 */
TEST_F(full, reader_of_its_socket)
{
	char text[32];
	int a, b;

	ASSERT_EQ(1, write(self->enter, "0", 1));
	ASSERT_EQ(0, tcptest_pair(&conf, &a, &b));
	ASSERT_EQ(1, write(self->leave, "0", 1));
	ASSERT_EQ(0, tcptest_record_max(a, RECORD));
	ASSERT_EQ(0, tcptest_send(a, 0, RECORDS * RECORD, RECORD));
	ASSERT_EQ(0, queued(b, RECORDS * RECORD));
	/* Less than there is the kernel would try to get by killing. */
	snprintf(text, sizeof(text), "%ld",
		 nsttest_number(FULL "/memory.current"));
	ASSERT_EQ(0, nsttest_write_file(LIMIT, text));
	EXPECT_EQ(0, read_pieces(b));
	close(a);
	close(b);
}

/*
 * Before accept() the worker takes a START for the cgroup of who made the listener, of
 * what that has left and no more. The rest is with TCP until it is accepted.
 */
TEST_F_TIMEOUT(full, children_wait, 120)
{
	enum { MANY = 60, ROOM = 512 * 1024 };
	static char plain[PEER_PLAIN_MAX];
	struct sockaddr_storage ss = { .ss_family = AF_INET };
	socklen_t len = sizeof(ss);
	int lis = socket(AF_INET, SOCK_STREAM, 0), a[MANY], b, i, lost = 0;
	struct peer peer;
	char text[32];
	long limit;

	ASSERT_EQ(0, bind(lis, (void *)&ss, len));
	ASSERT_EQ(0, getsockname(lis, (void *)&ss, &len));
	ASSERT_EQ(1, write(self->enter, "0", 1));
	ASSERT_EQ(0, tcptest_key(lis, &conf, 0));
	ASSERT_EQ(1, write(self->leave, "0", 1));
	ASSERT_EQ(0, listen(lis, MANY));
	tcptest_fill(plain, sizeof(plain), 0);
	for (i = 0; i < MANY; i++) {
		a[i] = socket(AF_INET, SOCK_STREAM, 0);
		ASSERT_EQ(0, connect(a[i], (void *)&ss, len));
	}
	limit = nsttest_number(FULL "/memory.current") + ROOM;
	snprintf(text, sizeof(text), "%ld", limit);
	ASSERT_EQ(0, nsttest_write_file(LIMIT, text));
	for (i = 0; i < MANY; i++) {
		peer_init(&peer, a[i], NST_CIPHER_AES_GCM, nsttest_box,
			  NSTTEST_KEYS);
		ASSERT_EQ(0, peer_send(&peer, PEER_DATA, plain,
				       sizeof(plain)));
	}
	usleep(500000);
	/* STARTs that were taken are remembered, and some are opened just now. */
	EXPECT_GE(limit + ROOM, nsttest_number(FULL "/memory.current"));
	ASSERT_EQ(0, nsttest_write_file(LIMIT, "max"));
	for (i = 0; i < MANY; i++) {
		b = accept(lis, NULL, NULL);
		ASSERT_LE(0, b);
		ASSERT_EQ(0, tcptest_timeout(b, SO_RCVTIMEO, TCPTEST_SOON_MS));
		lost += !!tcptest_recv(b, 0, sizeof(plain), sizeof(plain));
		close(b);
		close(a[i]);
	}
	EXPECT_EQ(0, lost);
	close(lis);
}

/*
 * From accept() on a child's records are charged to who has accepted it, and not to who
 * made the listener: those that stay open, and those that nobody has read.
 */
TEST_F_TIMEOUT(full, children_of_who_accepts, 120)
{
	enum { SOME = 50, OPEN = 9000, LEN = 16384 };
	struct sockaddr_storage ss = { .ss_family = AF_INET };
	int lis = socket(AF_INET, SOCK_STREAM, 0), a[SOME], b[SOME], i;
	socklen_t len = sizeof(ss);
	static char data[OPEN];
	long was;

	ASSERT_EQ(0, bind(lis, (void *)&ss, len));
	ASSERT_EQ(0, getsockname(lis, (void *)&ss, &len));
	ASSERT_EQ(0, tcptest_key(lis, &conf, 0));
	ASSERT_EQ(0, listen(lis, SOME));
	was = nsttest_find(FULL "/memory.stat", "sock");
	for (i = 0; i < SOME; i++) {
		a[i] = socket(AF_INET, SOCK_STREAM, 0);
		ASSERT_EQ(0, tcptest_key(a[i], &conf, 0));
		ASSERT_EQ(0, connect(a[i], (void *)&ss, len));
		ASSERT_EQ(1, write(self->enter, "0", 1));
		b[i] = accept(lis, NULL, NULL);
		ASSERT_EQ(1, write(self->leave, "0", 1));
		ASSERT_LE(0, b[i]);
		ASSERT_EQ(OPEN, send(b[i], data, OPEN, MSG_MORE));
		ASSERT_EQ(0, tcptest_send(a[i], 0, LEN, LEN));
		ASSERT_EQ(0, tcptest_recv(b[i], 0, 1, 1));
	}
	usleep(300000);
	EXPECT_LE(was + SOME * (long)(OPEN + LEN),
		  nsttest_find(FULL "/memory.stat", "sock"));
	for (i = 0; i < SOME; i++) {
		close(a[i]);
		close(b[i]);
	}
	close(lis);
	usleep(300000);
	EXPECT_GE(was + SOME * 1024, nsttest_find(FULL "/memory.stat", "sock"));
}

/* An initiator of the cgroup, whose peer is not: the reply is the worker's. */
static int pair_in_cgroup(int *a, int *b, int enter, int leave)
{
	int ret = nsttest_pair(AF_INET, 0, b, a);
	char in;

	if (ret || write(enter, "0", 1) != 1)
		return ret ?: -errno;
	ret = tcptest_key(*a, &conf, NST_F_INITIATOR);
	if (write(leave, "0", 1) != 1)
		return -errno;
	ret = ret ?: tcptest_key(*b, &conf, NST_F_RESPONDER);
	ret = ret ?: tcptest_record_max(*b, RECORD);
	if (ret)
		return ret;
	return send(*a, "x", 1, 0) == 1 && recv(*b, &in, 1, 0) == 1 ? 0 : -errno;
}

/*
 * What the worker takes has to be charged to a cgroup that is full. It waits for
 * none: there are more of these streams than it has places.
 */
TEST_F_TIMEOUT(full, worker_goes_on, 120)
{
	enum { MANY = 300 };
	struct rlimit files = { 2 * MANY + 100, 2 * MANY + 100 };
	const struct tcptest_conf strict = {
		.cipher_id = NST_CIPHER_AES_GCM, .family = AF_INET,
		.strict = true,
	};
	static int a[MANY], b[MANY];
	int c, d, i, lost = 0;
	char text[32];
	long begin;

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &files));
	for (i = 0; i < MANY; i++)
		ASSERT_EQ(0, pair_in_cgroup(&a[i], &b[i], self->enter,
					    self->leave));
	snprintf(text, sizeof(text), "%ld",
		 nsttest_number(FULL "/memory.current"));
	ASSERT_EQ(0, nsttest_write_file(LIMIT, text));
	for (i = 0; i < MANY; i++)
		ASSERT_EQ(0, tcptest_send(b[i], 0, RECORD, RECORD));
	/* Another one, whose start records the worker must judge. */
	begin = nsttest_now_ms();
	EXPECT_EQ(0, tcptest_pair(&strict, &c, &d));
	EXPECT_EQ(0, tcptest_bind(c, d));
	EXPECT_GT(TCPTEST_SOON_MS / 5, nsttest_now_ms() - begin);
	/* By then the worker would have given up. */
	usleep(2500000);
	for (i = 0; i < MANY; i++)
		lost += !!tcptest_recv(a[i], 0, RECORD, RECORD);
	EXPECT_EQ(0, lost);
	for (i = 0; i < MANY; i++) {
		close(a[i]);
		close(b[i]);
	}
	close(c);
	close(d);
}

TEST_HARNESS_MAIN
