// SPDX-License-Identifier: GPL-2.0
/*
 * sendfile, splice, vmsplice and tee into and out of a TCP socket with NST.
 * Pages that are not the socket's own must come back as they were.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>

#include "kselftest_harness.h"
#include "tcptest.h"

#define FILE_SIZE	300001	/* many records, and no page's multiple */
#define SCRIBBLED	100000	/* bytes that change while being sent */
#define PIPE_SIZE	(128 * 4096)	/* a slot for each fragment */

FIXTURE(splice)
{
	int a;
	int b;
	int p[2];
	int file;
};

FIXTURE_VARIANT(splice)
{
	struct tcptest_conf conf;
};

TCPTEST_VARIANTS_SUITES(splice);

/* A file of the pattern, in the page cache only. */
static int make_file(size_t size)
{
	uint8_t *buf = malloc(size);
	int fd = memfd_create("nst", 0);

	if (!buf || fd < 0)
		return -1;
	tcptest_fill(buf, size, 0);
	if (pwrite(fd, buf, size, 0) != (ssize_t)size)
		return -1;
	free(buf);
	return fd;
}

static bool file_unchanged(int fd, size_t size)
{
	uint8_t *buf = malloc(size);
	bool same = buf && pread(fd, buf, size, 0) == (ssize_t)size &&
		    tcptest_same(buf, size, 0);

	free(buf);
	return same;
}

FIXTURE_SETUP(splice)
{
	ASSERT_EQ(0, tcptest_pair(&variant->conf, &self->a, &self->b));
	ASSERT_EQ(0, pipe(self->p));
	self->file = make_file(FILE_SIZE);
	ASSERT_LE(0, self->file);
}

FIXTURE_TEARDOWN(splice)
{
	EXPECT_TRUE(file_unchanged(self->file, FILE_SIZE));
	close(self->file);
	close(self->p[0]);
	close(self->p[1]);
	close(self->a);
	close(self->b);
}

static void expect_nothing(struct __test_metadata *_metadata, int fd)
{
	char byte;

	EXPECT_EQ(-1, recv(fd, &byte, 1, MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
}

/* --- into the socket ------------------------------------------------------ */

/* Sends @len bytes of @file from @off, however many calls that takes. */
static int send_file(int fd, int file, off_t off, size_t len)
{
	ssize_t n;

	while (len) {
		n = sendfile(fd, file, &off, len);
		if (n <= 0)
			return n ? -errno : -EPIPE;
		len -= n;
	}
	return 0;
}

TEST_F(splice, sendfile)
{
	pid_t pid = tcptest_receiver(self->b, 0, FILE_SIZE, 65536);

	EXPECT_EQ(0, send_file(self->a, self->file, 0, FILE_SIZE));
	EXPECT_EQ(0, tcptest_reap(pid));
}

TEST_F(splice, sendfile_after_send)
{
	ASSERT_EQ(0, tcptest_send(self->a, 0, 10, 10));
	ASSERT_EQ(0, send_file(self->a, self->file, 10, 20000));
	ASSERT_EQ(0, tcptest_send(self->a, 20010, 10, 10));
	EXPECT_EQ(0, tcptest_recv(self->b, 0, 20020, 65536));
}

/* Into a record that is open. */
TEST_F(splice, sendfile_after_more)
{
	ASSERT_EQ(777, tcptest_sendv(self->a, 0, 1, 777, MSG_MORE));
	ASSERT_EQ(0, send_file(self->a, self->file, 777, 5000));
	EXPECT_EQ(0, tcptest_recv(self->b, 0, 5777, 65536));
}

TEST_F(splice, sendfile_odd_chunks)
{
	static const size_t chunk[] = { 1, 15, 16, 17, 4095, 4096, 4097, 8191,
					12288, 16383, 16384, 16385, 32767,
					32768, 32769 };
	off_t off = 0;
	size_t i;

	for (i = 0; i < sizeof(chunk) / sizeof(chunk[0]); i++) {
		ASSERT_EQ(0, send_file(self->a, self->file, off, chunk[i]));
		ASSERT_EQ(0, tcptest_recv(self->b, off, chunk[i], 65536));
		off += chunk[i];
	}
	expect_nothing(_metadata, self->b);
}

TEST_F(splice, sendfile_small_records)
{
	ASSERT_EQ(0, tcptest_record_max(self->a, 64));
	ASSERT_EQ(0, send_file(self->a, self->file, 100, 20000));
	EXPECT_EQ(0, tcptest_recv(self->b, 100, 20000, 65536));
}

/*
 * "Until the end of the file" is asked for with a count that is too large.
 * The last bytes must not wait for more, as they don't on plain TCP.
 */
TEST_F(splice, sendfile_past_the_end)
{
	off_t off = FILE_SIZE - 1000;

	ASSERT_EQ(1000, sendfile(self->a, self->file, &off, 1 << 20));
	EXPECT_EQ(0, tcptest_recv(self->b, FILE_SIZE - 1000, 1000, 65536));
	ASSERT_EQ(0, sendfile(self->a, self->file, &off, 1 << 20));
	expect_nothing(_metadata, self->b);
}

TEST_F(splice, sendfile_nonblocking)
{
	off_t off = 0;
	pid_t pid = 0;
	ssize_t n;

	/* The file is more than what both ends can hold. */
	ASSERT_EQ(0, tcptest_set_int(self->a, SOL_SOCKET, SO_SNDBUF, 1));
	ASSERT_EQ(0, tcptest_set_int(self->b, SOL_SOCKET, SO_RCVBUF, 65536));
	ASSERT_EQ(0, fcntl(self->a, F_SETFL, O_NONBLOCK));
	while (off < FILE_SIZE) {
		n = sendfile(self->a, self->file, &off, FILE_SIZE - off);
		if (n >= 0)
			continue;
		ASSERT_EQ(EAGAIN, errno);
		/* Nobody reads before it is full. */
		if (!pid)
			pid = tcptest_receiver(self->b, 0, FILE_SIZE, 65536);
		ASSERT_EQ(0, tcptest_settle(self->a));
	}
	ASSERT_LT(0, pid);
	/* What a short count left open goes with an empty send. */
	EXPECT_EQ(0, send(self->a, "", 0, 0));
	EXPECT_EQ(0, tcptest_reap(pid));
}

TEST_F(splice, from_pipe)
{
	uint8_t buf[16384];

	tcptest_fill(buf, sizeof(buf), 0);
	ASSERT_EQ(sizeof(buf), write(self->p[1], buf, sizeof(buf)));
	ASSERT_EQ(sizeof(buf), splice(self->p[0], NULL, self->a, NULL,
				      sizeof(buf), 0));
	EXPECT_EQ(0, tcptest_recv(self->b, 0, sizeof(buf), 65536));
}

TEST_F(splice, from_pipe_in_parts)
{
	uint8_t buf[16000];

	tcptest_fill(buf, sizeof(buf), 0);
	ASSERT_EQ(8000, write(self->p[1], buf, 8000));
	ASSERT_EQ(8000, splice(self->p[0], NULL, self->a, NULL, 8000, 0));
	ASSERT_EQ(8000, write(self->p[1], buf + 8000, 8000));
	ASSERT_EQ(8000, splice(self->p[0], NULL, self->a, NULL, 8000, 0));
	EXPECT_EQ(0, tcptest_recv(self->b, 0, sizeof(buf), 65536));
}

TEST_F(splice, send_and_splice)
{
	uint8_t buf[8192];

	tcptest_fill(buf, sizeof(buf), 10);
	ASSERT_EQ(sizeof(buf), write(self->p[1], buf, sizeof(buf)));
	ASSERT_EQ(0, tcptest_send(self->a, 0, 10, 10));
	ASSERT_EQ(0, tcptest_recv(self->b, 0, 10, 10));
	ASSERT_EQ(sizeof(buf), splice(self->p[0], NULL, self->a, NULL,
				      sizeof(buf), 0));
	EXPECT_EQ(0, tcptest_recv(self->b, 10, sizeof(buf), 65536));
}

TEST_F(splice, more_many_times)
{
	size_t i;

	for (i = 0; i < 32; i++) {
		uint8_t byte;

		tcptest_fill(&byte, 1, i);
		ASSERT_EQ(1, write(self->p[1], &byte, 1));
		ASSERT_EQ(1, splice(self->p[0], NULL, self->a, NULL, 1,
				    SPLICE_F_MORE));
	}
	expect_nothing(_metadata, self->b);
	ASSERT_EQ(0, tcptest_send(self->a, 32, 1, 1));
	EXPECT_EQ(0, tcptest_recv(self->b, 0, 33, 33));
}

/* Fills @p with @nr fragments of @size bytes, pages of their own. */
static void vmsplice_frags(struct __test_metadata *_metadata, int p,
			   uint8_t *mem, size_t nr, size_t size)
{
	struct iovec iov;
	size_t i;

	for (i = 0; i < nr; i++) {
		iov.iov_base = mem + i * size;
		iov.iov_len = size;
		ASSERT_EQ(size, vmsplice(p, &iov, 1, 0));
	}
}

/* As many fragments as fill a record's list, then a send on top. */
static void run_full_list(struct __test_metadata *_metadata,
			  FIXTURE_DATA(splice) *self, size_t nr)
{
	uint8_t mem[64 * 100];
	uint8_t buf[65];

	ASSERT_GE(64, nr);
	tcptest_fill(mem, sizeof(mem), 0);
	ASSERT_EQ(0, fcntl(self->p[1], F_SETPIPE_SZ, PIPE_SIZE) < 0);
	vmsplice_frags(_metadata, self->p[1], mem, nr, 100);
	ASSERT_EQ(nr * 100, splice(self->p[0], NULL, self->a, NULL, nr * 100,
				   SPLICE_F_MORE));
	ASSERT_EQ(1, tcptest_sendv(self->a, nr * 100, 1, 1, MSG_MORE));
	tcptest_fill(buf, 65, nr * 100 + 1);
	ASSERT_EQ(65, write(self->p[1], buf, 65));
	ASSERT_EQ(65, splice(self->p[0], NULL, self->a, NULL, 65,
			     SPLICE_F_MORE));
	ASSERT_EQ(0, tcptest_send(self->a, nr * 100 + 66, 10, 10));
	EXPECT_EQ(0, tcptest_recv(self->b, 0, nr * 100 + 76, 65536));
	expect_nothing(_metadata, self->b);
	EXPECT_TRUE(tcptest_same(mem, sizeof(mem), 0));
}

TEST_F(splice, onto_full_list_14)
{
	run_full_list(_metadata, self, 14);
}

TEST_F(splice, onto_full_list_15)
{
	run_full_list(_metadata, self, 15);
}

TEST_F(splice, onto_full_list_16)
{
	run_full_list(_metadata, self, 16);
}

TEST_F(splice, onto_full_list_17)
{
	run_full_list(_metadata, self, 17);
}

TEST_F(splice, onto_full_list_18)
{
	run_full_list(_metadata, self, 18);
}

TEST_F(splice, onto_full_list_32)
{
	run_full_list(_metadata, self, 32);
}

TEST_F(splice, onto_full_list_44)
{
	run_full_list(_metadata, self, 44);
}

TEST_F(splice, onto_full_list_64)
{
	run_full_list(_metadata, self, 64);
}

TEST_F(splice, many_small_fragments)
{
	uint8_t mem[48 + 256];

	tcptest_fill(mem, sizeof(mem), 0);
	ASSERT_EQ(0, fcntl(self->p[1], F_SETPIPE_SZ, PIPE_SIZE) < 0);
	vmsplice_frags(_metadata, self->p[1], mem, 48, 1);
	vmsplice_frags(_metadata, self->p[1], mem + 48, 1, 256);
	ASSERT_EQ(sizeof(mem), splice(self->p[0], NULL, self->a, NULL,
				      sizeof(mem) + 100, SPLICE_F_MORE));
	EXPECT_EQ(0, send(self->a, "", 0, 0));
	EXPECT_EQ(0, tcptest_recv(self->b, 0, sizeof(mem), 65536));
	expect_nothing(_metadata, self->b);
	EXPECT_TRUE(tcptest_same(mem, sizeof(mem), 0));
}

TEST_F(splice, vmsplice_large)
{
	size_t len = 16 * 4096, i;
	uint8_t *mem = mmap(NULL, len, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct iovec iov = { mem, len };

	ASSERT_NE(MAP_FAILED, mem);
	tcptest_fill(mem, len, 0);
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(len, vmsplice(self->p[1], &iov, 1, 0));
		ASSERT_EQ(len, splice(self->p[0], NULL, self->a, NULL, len, 0));
		ASSERT_EQ(0, tcptest_recv(self->b, 0, len, 65536));
	}
	EXPECT_TRUE(tcptest_same(mem, len, 0));
	munmap(mem, len);
}

/* The same pages go to two connections, and to neither twice. */
TEST_F(splice, tee)
{
	uint8_t mem[64];
	int q[2];

	ASSERT_EQ(0, pipe(q));
	tcptest_fill(mem, sizeof(mem), 0);
	ASSERT_EQ(0, fcntl(self->p[1], F_SETPIPE_SZ, PIPE_SIZE) < 0);
	ASSERT_EQ(0, fcntl(q[1], F_SETPIPE_SZ, PIPE_SIZE) < 0);
	vmsplice_frags(_metadata, self->p[1], mem, 60, 1);
	ASSERT_EQ(60, tee(self->p[0], q[1], 100, 0));
	ASSERT_EQ(60, splice(self->p[0], NULL, self->a, NULL, 60, 0));
	ASSERT_EQ(60, splice(q[0], NULL, self->b, NULL, 60, 0));
	EXPECT_EQ(0, tcptest_recv(self->b, 0, 60, 64));
	EXPECT_EQ(0, tcptest_recv(self->a, 0, 60, 64));
	EXPECT_TRUE(tcptest_same(mem, sizeof(mem), 0));
	close(q[0]);
	close(q[1]);
}

/*
 * Whoever changes a page while it is being sent changes what is sent, but the
 * record stays authentic.
 */
TEST_F(splice, page_changes_meanwhile)
{
	uint8_t *map = mmap(NULL, FILE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
			    self->file, 0);
	size_t got = 0;
	pid_t pid[2];
	char buf[4096];
	ssize_t n = 1;

	ASSERT_NE(MAP_FAILED, map);
	pid[0] = fork();
	for (n = 0; !pid[0]; n++)
		map[n * 61 % SCRIBBLED]++;
	pid[1] = fork();
	if (!pid[1])
		_exit(-send_file(self->a, self->file, 0, SCRIBBLED));
	while (got < SCRIBBLED) {
		n = recv(self->b, buf, sizeof(buf), 0);
		ASSERT_LT(0, n);
		got += n;
	}
	EXPECT_EQ(0, tcptest_reap(pid[1]));
	kill(pid[0], SIGKILL);
	tcptest_reap(pid[0]);
	tcptest_fill(map, FILE_SIZE, 0);
	munmap(map, FILE_SIZE);
	ASSERT_EQ(0, tcptest_send(self->a, 0, 10, 10));
	EXPECT_EQ(0, tcptest_recv(self->b, 0, 10, 10));
}

/* --- out of the socket ---------------------------------------------------- */

/* Reads @len bytes of the pattern from @fd. */
static int read_pattern(int fd, size_t from, size_t len)
{
	uint8_t buf[4096];
	ssize_t n;

	while (len) {
		n = read(fd, buf, len < sizeof(buf) ? len : sizeof(buf));
		if (n <= 0)
			return n ? -errno : -EPIPE;
		if (!tcptest_same(buf, n, from))
			return -EILSEQ;
		from += n;
		len -= n;
	}
	return 0;
}

/* Splices @len bytes out and checks them as they come. */
static int splice_out(int fd, const int p[2], size_t from, size_t len)
{
	ssize_t n;
	int ret;

	while (len) {
		n = splice(fd, NULL, p[1], NULL, len, 0);
		if (n <= 0)
			return n ? -errno : -EPIPE;
		ret = read_pattern(p[0], from, n);
		if (ret)
			return ret;
		from += n;
		len -= n;
	}
	return 0;
}

TEST_F(splice, to_pipe)
{
	ASSERT_EQ(0, tcptest_send(self->a, 0, 15000, 15000));
	EXPECT_EQ(0, splice_out(self->b, self->p, 0, 15000));
	expect_nothing(_metadata, self->b);
}

TEST_F(splice, to_small_pipe)
{
	pid_t pid = tcptest_sender(self->a, 0, 50000, 20000);

	ASSERT_EQ(0, fcntl(self->p[1], F_SETPIPE_SZ, 4096) < 0);
	EXPECT_EQ(0, splice_out(self->b, self->p, 0, 50000));
	EXPECT_EQ(0, tcptest_reap(pid));
}

TEST_F(splice, to_pipe_empty)
{
	ASSERT_EQ(0, fcntl(self->b, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(-1, splice(self->b, NULL, self->p[1], NULL, 10, 0));
	EXPECT_EQ(EAGAIN, errno);
	ASSERT_EQ(0, fcntl(self->b, F_SETFL, 0));
	ASSERT_EQ(0, tcptest_timeout(self->b, SO_RCVTIMEO, 50));
	EXPECT_EQ(-1, splice(self->b, NULL, self->p[1], NULL, 10, 0));
	EXPECT_EQ(EAGAIN, errno);
	ASSERT_EQ(0, tcptest_timeout(self->b, SO_RCVTIMEO, 0));
	ASSERT_EQ(0, shutdown(self->a, SHUT_WR));
	EXPECT_EQ(0, splice(self->b, NULL, self->p[1], NULL, 10, 0));
}

TEST_F(splice, recv_then_splice)
{
	ASSERT_EQ(0, tcptest_send(self->a, 0, 10000, 10000));
	ASSERT_EQ(0, tcptest_recv(self->b, 0, 5000, 5000));
	EXPECT_EQ(0, splice_out(self->b, self->p, 5000, 5000));
}

TEST_F(splice, peek_then_splice)
{
	ASSERT_EQ(0, tcptest_send(self->a, 0, 10000, 3333));
	ASSERT_EQ(0, tcptest_arrived(self->b, 10000));
	EXPECT_EQ(0, splice_out(self->b, self->p, 0, 10000));
}

TEST_F(splice, splice_then_recv)
{
	ASSERT_EQ(0, tcptest_send(self->a, 0, 10000, 10000));
	ASSERT_EQ(100, splice(self->b, NULL, self->p[1], NULL, 100, 0));
	EXPECT_EQ(0, tcptest_recv(self->b, 100, 9900, 3000));
	EXPECT_EQ(0, read_pattern(self->p[0], 0, 100));
}

/* File to socket to file, through pipes only. */
TEST_F(splice, into_a_file)
{
	int out = memfd_create("out", 0);
	size_t len = 0;
	pid_t pid;
	ssize_t n;

	ASSERT_LE(0, out);
	pid = fork();
	if (!pid)
		_exit(-send_file(self->a, self->file, 0, FILE_SIZE));
	while (len < FILE_SIZE) {
		n = splice(self->b, NULL, self->p[1], NULL, FILE_SIZE, 0);
		ASSERT_LT(0, n);
		ASSERT_EQ(n, splice(self->p[0], NULL, out, NULL, n, 0));
		len += n;
	}
	EXPECT_EQ(0, tcptest_reap(pid));
	/* Nothing that comes later may write to what was moved. */
	ASSERT_EQ(0, tcptest_send(self->a, 5, 20000, 20000));
	ASSERT_EQ(0, tcptest_recv(self->b, 5, 20000, 20000));
	EXPECT_TRUE(file_unchanged(out, FILE_SIZE));
	close(out);
}

TEST_F(splice, relay)
{
	int c, d;
	pid_t pid[2];
	size_t len = 100000;
	ssize_t n, m;

	ASSERT_EQ(0, tcptest_pair(&variant->conf, &c, &d));
	pid[0] = tcptest_sender(self->a, 0, len, 7777);
	pid[1] = tcptest_receiver(d, 0, len, 65536);
	while (len) {
		n = splice(self->b, NULL, self->p[1], NULL, len,
			   SPLICE_F_MOVE);
		ASSERT_LT(0, n);
		len -= n;
		for (; n; n -= m) {
			m = splice(self->p[0], NULL, c, NULL, n, 0);
			ASSERT_LT(0, m);
		}
	}
	EXPECT_EQ(0, tcptest_reap(pid[0]));
	EXPECT_EQ(0, tcptest_reap(pid[1]));
	close(c);
	close(d);
}

TEST_HARNESS_MAIN
