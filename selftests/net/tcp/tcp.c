// SPDX-License-Identifier: GPL-2.0
/*
 * Sending and receiving on a TCP socket with NST, over every suite, address
 * family and mode: what a program written for TCP or for kTLS relies on.
 */
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "tcptest.h"

TCPTEST_PAIRS(tcp, TCPTEST_VARIANTS_ALL);

/* --- plain sends and receives --------------------------------------------- */

TEST_F(tcp, small)
{
	char buf[11] = "";

	ASSERT_EQ(10, send(self->a, "test_read", 10, 0));
	ASSERT_EQ(10, recv(self->b, buf, sizeof(buf), 0));
	EXPECT_STREQ("test_read", buf);
	ASSERT_EQ(10, write(self->b, "test_send", 10));
	ASSERT_EQ(10, read(self->a, buf, sizeof(buf)));
	EXPECT_STREQ("test_send", buf);
}

TEST_F(tcp, largest_record)
{
	uint8_t buf[NST_RECORD_MAX_MAX];

	ASSERT_EQ(0, tcptest_record_max(self->a, NST_RECORD_MAX_MAX));
	tcptest_fill(buf, sizeof(buf), 0);
	ASSERT_EQ(sizeof(buf), send(self->a, buf, sizeof(buf), 0));
	memset(buf, 0, sizeof(buf));
	ASSERT_EQ(sizeof(buf), recv(self->b, buf, sizeof(buf), MSG_WAITALL));
	EXPECT_TRUE(tcptest_same(buf, sizeof(buf), 0));
}

TEST_F(tcp, sendmsg_single)
{
	ASSERT_EQ(13, tcptest_sendv(self->a, 0, 1, 13, 0));
	EXPECT_EQ(0, tcptest_recv(self->b, 0, 13, 13));
}

TEST_F(tcp, sendmsg_multiple)
{
	ASSERT_EQ(65, tcptest_sendv(self->a, 0, 5, 13, 0));
	EXPECT_EQ(0, tcptest_recv(self->b, 0, 65, 65));
}

TEST_F(tcp, sendmsg_1024_iovecs)
{
	ASSERT_EQ(1024 * 16, tcptest_sendv(self->a, 0, 1024, 16, 0));
	EXPECT_EQ(0, tcptest_recv(self->b, 0, 1024 * 16, 4000));
}

TEST_F(tcp, sendmsg_every_number_of_iovecs)
{
	size_t nr, at = 0;

	for (nr = 1; nr <= 64; nr++) {
		ASSERT_EQ(13 * nr, tcptest_sendv(self->a, at, nr, 13, 0));
		ASSERT_EQ(0, tcptest_recv(self->b, at, 13 * nr, 13 * nr));
		at += 13 * nr;
	}
}

TEST_F(tcp, sendmsg_empty_iovecs)
{
	char buf[9] = "";
	struct iovec iov[6] = {
		{ NULL, 0 }, { "abc", 3 }, { NULL, 0 }, { buf, 0 },
		{ "defgh", 5 }, { NULL, 0 },
	};
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 6 };

	ASSERT_EQ(8, sendmsg(self->a, &msg, 0));
	ASSERT_EQ(8, recv(self->b, buf, sizeof(buf), 0));
	EXPECT_STREQ("abcdefgh", buf);
}

static void run_recv_iovecs(struct __test_metadata *_metadata, int a, int b,
			    size_t nr, size_t size)
{
	struct iovec *iov = calloc(nr, sizeof(*iov));
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = nr };
	uint8_t *buf = calloc(nr, size);
	size_t i;

	ASSERT_NE(NULL, iov);
	ASSERT_NE(NULL, buf);
	for (i = 0; i < nr; i++) {
		iov[i].iov_base = buf + i * size;
		iov[i].iov_len = size;
	}
	ASSERT_EQ(0, tcptest_send(a, 0, nr * size, nr * size));
	ASSERT_EQ(nr * size, recvmsg(b, &msg, MSG_WAITALL));
	EXPECT_TRUE(tcptest_same(buf, nr * size, 0));
	free(iov);
	free(buf);
}

TEST_F(tcp, recvmsg_single)
{
	run_recv_iovecs(_metadata, self->a, self->b, 1, 16384);
}

TEST_F(tcp, recvmsg_1024_iovecs)
{
	run_recv_iovecs(_metadata, self->a, self->b, 1024, 16);
}

TEST_F(tcp, recvmsg_odd_iovecs)
{
	run_recv_iovecs(_metadata, self->a, self->b, 7, 4099);
}

TEST_F(tcp, one_send_many_receives)
{
	ASSERT_EQ(0, tcptest_send(self->a, 0, 16384, 16384));
	EXPECT_EQ(0, tcptest_recv(self->b, 0, 16384, 1000));
}

TEST_F(tcp, many_sends_one_receive)
{
	uint8_t buf[1000];

	ASSERT_EQ(0, tcptest_send(self->a, 0, sizeof(buf), 100));
	ASSERT_EQ(sizeof(buf), recv(self->b, buf, sizeof(buf), MSG_WAITALL));
	EXPECT_TRUE(tcptest_same(buf, sizeof(buf), 0));
}

/* What has arrived of any number of records fills one receive. */
TEST_F(tcp, records_merge)
{
	uint8_t buf[2000];

	ASSERT_EQ(0, tcptest_send(self->a, 0, 1000, 100));
	ASSERT_EQ(0, tcptest_arrived(self->b, 1000));
	ASSERT_EQ(1000, recv(self->b, buf, sizeof(buf), 0));
	EXPECT_TRUE(tcptest_same(buf, 1000, 0));
}

TEST_F(tcp, receives_do_not_align)
{
	ASSERT_EQ(0, tcptest_send(self->a, 0, 15, 15));
	EXPECT_EQ(0, tcptest_recv(self->b, 0, 15, 10));
}

TEST_F(tcp, part_of_a_record)
{
	uint8_t buf[17];

	ASSERT_EQ(0, tcptest_send(self->a, 0, 17, 17));
	ASSERT_EQ(9, recv(self->b, buf, 9, MSG_WAITALL));
	ASSERT_EQ(8, recv(self->b, buf + 9, 8, MSG_WAITALL));
	EXPECT_TRUE(tcptest_same(buf, 17, 0));
}

TEST_F(tcp, nothing_there)
{
	char byte;

	EXPECT_EQ(-1, recv(self->b, &byte, 1, MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(-1, recv(self->b, &byte, 1, MSG_DONTWAIT | MSG_PEEK));
	EXPECT_EQ(EAGAIN, errno);
}

TEST_F(tcp, both_directions)
{
	ASSERT_EQ(0, tcptest_send(self->a, 0, 5000, 777));
	ASSERT_EQ(0, tcptest_send(self->b, 9, 5000, 5000));
	EXPECT_EQ(0, tcptest_recv(self->a, 9, 5000, 777));
	EXPECT_EQ(0, tcptest_recv(self->b, 0, 5000, 5000));
}

TEST_F(tcp, both_directions_at_once)
{
	size_t len = 300000;
	pid_t pid[3] = {
		tcptest_sender(self->a, 0, len, 10007),
		tcptest_sender(self->b, 5, len, 4096),
		tcptest_receiver(self->a, 5, len, 9999),
	};
	int i;

	EXPECT_EQ(0, tcptest_recv(self->b, 0, len, 65536));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, tcptest_reap(pid[i]));
}

TEST_F(tcp, record_sizes)
{
	static const uint32_t max[] = { 64, 65, 127, 1000, 4095, 4096, 4097,
					16384, 65519, 65535 };
	struct nst_info info;
	uint64_t before;
	size_t i, at = 0;

	for (i = 0; i < sizeof(max) / sizeof(max[0]); i++) {
		ASSERT_EQ(0, tcptest_record_max(self->a, max[i]));
		ASSERT_EQ(0, tcptest_info(self->a, &info));
		EXPECT_EQ(max[i], info.record_max);
		before = info.tx.records;
		/* One full record and one of a single byte. */
		ASSERT_EQ(0, tcptest_send(self->a, at, max[i] + 1, max[i] + 1));
		ASSERT_EQ(0, tcptest_recv(self->b, at, max[i] + 1, 65536));
		ASSERT_EQ(0, tcptest_info(self->a, &info));
		EXPECT_LE(2, info.tx.records - before);
		EXPECT_GE(3, info.tx.records - before);
		at += max[i] + 1;
	}
}

TEST_F(tcp, every_small_size)
{
	size_t len, at = 0;

	for (len = 1; len <= 68; len++) {
		ASSERT_EQ(0, tcptest_send(self->a, at, len, len));
		ASSERT_EQ(0, tcptest_recv(self->b, at, len, len));
		at += len;
	}
}

TEST_F(tcp, zero_length_send)
{
	struct nst_info before, after;
	char buf[3] = "";

	ASSERT_EQ(0, tcptest_info(self->a, &before));
	EXPECT_EQ(0, send(self->a, "", 0, 0));
	EXPECT_EQ(0, send(self->a, "", 0, MSG_MORE));
	EXPECT_EQ(0, send(self->a, "", 0, MSG_EOR));
	ASSERT_EQ(0, tcptest_info(self->a, &after));
	EXPECT_EQ(before.tx.records, after.tx.records);
	EXPECT_EQ(-1, recv(self->b, buf, 1, MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	/* As on a plain TCP socket, which waits for a byte all the same. */
	EXPECT_EQ(-1, recv(self->b, buf, 0, MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	ASSERT_EQ(2, send(self->a, "ok", 2, 0));
	ASSERT_EQ(2, recv(self->b, buf, 2, 0));
	EXPECT_STREQ("ok", buf);
}

/* --- MSG_MORE and MSG_EOR ------------------------------------------------- */

static void expect_nothing_yet(struct __test_metadata *_metadata, int fd)
{
	char byte;

	EXPECT_EQ(0, tcptest_poll(fd, POLLIN, TCPTEST_NEVER_MS));
	EXPECT_EQ(-1, recv(fd, &byte, 1, MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
}

static void expect_text(struct __test_metadata *_metadata, int fd,
			const char *text)
{
	size_t len = strlen(text);
	char buf[64] = "";

	ASSERT_EQ(len, recv(fd, buf, len, MSG_WAITALL));
	EXPECT_STREQ(text, buf);
}

TEST_F(tcp, msg_more)
{
	struct nst_info before, after;

	ASSERT_EQ(0, tcptest_info(self->a, &before));
	ASSERT_EQ(5, send(self->a, "first", 5, MSG_MORE));
	ASSERT_EQ(6, send(self->a, "second", 6, MSG_MORE));
	expect_nothing_yet(_metadata, self->b);
	ASSERT_EQ(5, send(self->a, "third", 5, 0));
	expect_text(_metadata, self->b, "firstsecondthird");
	ASSERT_EQ(0, tcptest_info(self->a, &after));
	EXPECT_EQ(before.tx.records + 1, after.tx.records);
}

TEST_F(tcp, msg_more_then_eor)
{
	ASSERT_EQ(5, send(self->a, "first", 5, MSG_MORE));
	ASSERT_EQ(6, send(self->a, "second", 6, MSG_EOR));
	expect_text(_metadata, self->b, "firstsecond");
	ASSERT_EQ(3, send(self->a, "end", 3, MSG_EOR));
	expect_text(_metadata, self->b, "end");
}

TEST_F(tcp, msg_more_then_empty_send)
{
	ASSERT_EQ(5, send(self->a, "first", 5, MSG_MORE));
	EXPECT_EQ(0, send(self->a, "", 0, MSG_MORE));
	expect_nothing_yet(_metadata, self->b);
	EXPECT_EQ(0, send(self->a, "", 0, 0));
	expect_text(_metadata, self->b, "first");
}

TEST_F(tcp, msg_more_then_shutdown)
{
	char byte;

	ASSERT_EQ(5, send(self->a, "first", 5, MSG_MORE));
	ASSERT_EQ(0, shutdown(self->a, SHUT_WR));
	expect_text(_metadata, self->b, "first");
	EXPECT_EQ(0, recv(self->b, &byte, 1, 0));
}

TEST_F(tcp, msg_more_then_close)
{
	char byte;

	ASSERT_EQ(5, send(self->a, "first", 5, MSG_MORE));
	ASSERT_EQ(0, close(self->a));
	expect_text(_metadata, self->b, "first");
	EXPECT_EQ(0, recv(self->b, &byte, 1, 0));
	self->a = -1;
}

/* Full records need not wait for what follows. */
TEST_F(tcp, msg_more_over_a_record)
{
	ASSERT_EQ(0, tcptest_record_max(self->a, 64));
	ASSERT_EQ(100, tcptest_sendv(self->a, 0, 1, 100, MSG_MORE));
	ASSERT_EQ(0, tcptest_recv(self->b, 0, 64, 64));
	expect_nothing_yet(_metadata, self->b);
	ASSERT_EQ(0, tcptest_send(self->a, 100, 1, 1));
	EXPECT_EQ(0, tcptest_recv(self->b, 64, 37, 37));
}

TEST_F(tcp, msg_more_and_eor_do_not_combine)
{
	EXPECT_EQ(-1, send(self->a, "x", 1, MSG_MORE | MSG_EOR));
	EXPECT_EQ(EINVAL, errno);
	expect_nothing_yet(_metadata, self->b);
	ASSERT_EQ(2, send(self->a, "ok", 2, 0));
	expect_text(_metadata, self->b, "ok");
}

/* Whatever a send has taken, its memory is the program's again. */
TEST_F(tcp, memory_is_free_after_send)
{
	static const size_t sizes[] = { 1, 100, 4096, 8192, 20000, 32767,
					32768, 40000 };
	uint8_t *buf = malloc(40000);
	size_t i, len, at = 0;

	ASSERT_NE(NULL, buf);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		len = sizes[i];
		tcptest_fill(buf, len, at);
		ASSERT_EQ(len, send(self->a, buf, len, MSG_MORE));
		memset(buf, 0x5a, len);
		tcptest_fill(buf, len, at + len);
		ASSERT_EQ(len, send(self->a, buf, len, 0));
		memset(buf, 0x5a, len);
		ASSERT_EQ(0, tcptest_recv(self->b, at, 2 * len, 65536));
		at += 2 * len;
	}
	free(buf);
}

/* --- looking without taking ----------------------------------------------- */

TEST_F(tcp, peek)
{
	char buf[20] = "";

	ASSERT_EQ(9, send(self->a, "test_read", 9, 0));
	ASSERT_EQ(9, recv(self->b, buf, sizeof(buf), MSG_PEEK));
	EXPECT_STREQ("test_read", buf);
	memset(buf, 0, sizeof(buf));
	ASSERT_EQ(9, recv(self->b, buf, sizeof(buf), 0));
	EXPECT_STREQ("test_read", buf);
	expect_nothing_yet(_metadata, self->b);
}

TEST_F(tcp, peek_100_times)
{
	char buf[20];
	int i;

	ASSERT_EQ(9, send(self->a, "test_read", 9, 0));
	for (i = 0; i < 100; i++) {
		memset(buf, 0, sizeof(buf));
		ASSERT_EQ(9, recv(self->b, buf, sizeof(buf), MSG_PEEK));
		ASSERT_STREQ("test_read", buf);
	}
	expect_text(_metadata, self->b, "test_read");
}

TEST_F(tcp, peek_over_records)
{
	char buf[32] = "";

	ASSERT_EQ(10, send(self->a, "test_read_", 10, 0));
	ASSERT_EQ(11, send(self->a, "second_one_", 11, 0));
	ASSERT_EQ(3, send(self->a, "end", 3, 0));
	ASSERT_EQ(24, recv(self->b, buf, 24, MSG_PEEK | MSG_WAITALL));
	EXPECT_STREQ("test_read_second_one_end", buf);
	/* A part of the second record, then the rest. */
	expect_text(_metadata, self->b, "test_read_sec");
	memset(buf, 0, sizeof(buf));
	ASSERT_EQ(11, recv(self->b, buf, sizeof(buf), MSG_PEEK));
	EXPECT_STREQ("ond_one_end", buf);
	expect_text(_metadata, self->b, "ond_one_end");
	expect_nothing_yet(_metadata, self->b);
}

TEST_F(tcp, peek_many_records)
{
	uint8_t buf[5000];
	size_t n;

	ASSERT_EQ(0, tcptest_send(self->a, 0, 5000, 50));
	for (n = 1; n <= 5000; n += 833) {
		ASSERT_EQ(n, recv(self->b, buf, n, MSG_PEEK | MSG_WAITALL));
		ASSERT_TRUE(tcptest_same(buf, n, 0));
	}
	EXPECT_EQ(0, tcptest_recv(self->b, 0, 5000, 333));
}

TEST_F(tcp, trunc_discards)
{
	uint8_t buf[100];

	memset(buf, 0x5a, sizeof(buf));
	ASSERT_EQ(0, tcptest_send(self->a, 0, 300, 150));
	ASSERT_EQ(100, recv(self->b, buf, 100, MSG_TRUNC | MSG_WAITALL));
	EXPECT_EQ(0x5a, buf[0]);
	EXPECT_EQ(0x5a, buf[99]);
	ASSERT_EQ(100, recv(self->b, NULL, 100, MSG_TRUNC | MSG_WAITALL));
	EXPECT_EQ(0, tcptest_recv(self->b, 200, 100, 100));
	expect_nothing_yet(_metadata, self->b);
}

TEST_F(tcp, peek_and_trunc)
{
	ASSERT_EQ(0, tcptest_send(self->a, 0, 30, 10));
	EXPECT_EQ(30, recv(self->b, NULL, 30,
			   MSG_PEEK | MSG_TRUNC | MSG_WAITALL));
	EXPECT_EQ(0, tcptest_recv(self->b, 0, 30, 30));
}

/* --- a reader's memory is not there --------------------------------------- */

static void *bad_page(void)
{
	return mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

TEST_F(tcp, efault_behind_a_record)
{
	uint8_t buf[10] = "";
	struct iovec iov[2] = { { buf, 10 }, { bad_page(), 10 } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };

	ASSERT_EQ(0, tcptest_send(self->a, 0, 20, 10));
	ASSERT_EQ(0, tcptest_arrived(self->b, 20));
	ASSERT_EQ(10, recvmsg(self->b, &msg, 0));
	EXPECT_TRUE(tcptest_same(buf, 10, 0));
	EXPECT_EQ(0, tcptest_recv(self->b, 10, 10, 10));
}

/* No byte is lost, however much of the record was copied. */
static void run_efault(struct __test_metadata *_metadata, int a, int b,
		       size_t good, size_t bad)
{
	uint8_t *buf = malloc(good + 1);
	struct iovec iov[2] = { { buf, good }, { bad_page(), bad } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	size_t got = 0;
	ssize_t n;

	ASSERT_NE(NULL, buf);
	ASSERT_EQ(0, tcptest_send(a, 0, good + bad, good + bad));
	n = recvmsg(b, &msg, 0);
	EXPECT_TRUE(n > 0 || errno == EFAULT);
	if (n > 0)
		got = n;
	EXPECT_GE(good, got);
	EXPECT_TRUE(tcptest_same(buf, got, 0));
	EXPECT_EQ(0, tcptest_recv(b, got, good + bad - got, 65536));
	free(buf);
}

TEST_F(tcp, efault_inside_a_record)
{
	run_efault(_metadata, self->a, self->b, 10, 10);
}

TEST_F(tcp, efault_inside_a_large_record)
{
	run_efault(_metadata, self->a, self->b, 9000, 5000);
}

TEST_F(tcp, efault_when_sending)
{
	struct iovec iov[2] = { { "abcde", 5 }, { bad_page(), 10 } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	char buf[16] = "";
	ssize_t n;

	n = sendmsg(self->a, &msg, 0);
	EXPECT_TRUE(n == 5 || errno == EFAULT);
	ASSERT_EQ(2, send(self->a, "ok", 2, 0));
	if (n == 5)
		expect_text(_metadata, self->b, "abcde");
	ASSERT_EQ(2, recv(self->b, buf, sizeof(buf), 0));
	EXPECT_STREQ("ok", buf);
}

TEST_HARNESS_MAIN
