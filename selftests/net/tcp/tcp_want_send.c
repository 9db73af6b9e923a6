// SPDX-License-Identifier: GPL-2.0
/*
 * A record that there is no memory to encrypt: nothing of the stream is lost, and it
 * is sent as soon as there is some. A cipher that is broken ends it.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/epoll.h>
#include <time.h>

#include "faulty.h"
#include "kselftest_harness.h"
#include "tcptest.h"

#define BIG	30000
#define SMALL	100

FIXTURE(seal)
{
	int a;
	int b;
};

FIXTURE_SETUP(seal)
{
	ASSERT_EQ(0, faulty_pair(&self->a, &self->b));
}

FIXTURE_TEARDOWN(seal)
{
	EXPECT_EQ(0, faulty_pair_end(self->a, self->b));
}

/* From the program's memory, from copies, and from both. */
static void give(struct __test_metadata *_metadata, int a, int b, int err)
{
	static char in[BIG];

	ASSERT_EQ(0, faulty_seal(err, 3));
	ASSERT_EQ(0, tcptest_send(a, 0, BIG, BIG));
	EXPECT_EQ(0, nsttest_number(FAULTY_PARAM "seal_times"));
	EXPECT_EQ(0, tcptest_recv(b, 0, BIG, BIG));

	ASSERT_EQ(0, faulty_seal(err, 3));
	ASSERT_EQ(0, tcptest_send(a, 1, SMALL, SMALL));
	EXPECT_EQ(0, nsttest_number(FAULTY_PARAM "seal_times"));
	EXPECT_EQ(0, tcptest_recv(b, 1, SMALL, SMALL));

	tcptest_fill(in, BIG, 2);
	ASSERT_EQ(SMALL, send(a, in, SMALL, MSG_MORE));
	ASSERT_EQ(0, faulty_seal(err, 3));
	ASSERT_EQ(BIG - SMALL, send(a, in + SMALL, BIG - SMALL, 0));
	EXPECT_EQ(0, nsttest_number(FAULTY_PARAM "seal_times"));
	EXPECT_EQ(0, tcptest_recv(b, 2, BIG, BIG));
}

TEST_F(seal, of_memory_passes)
{
	struct nst_info before, info;

	/* It is bound from here on. */
	ASSERT_EQ(0, tcptest_send(self->a, 0, SMALL, SMALL));
	ASSERT_EQ(0, tcptest_recv(self->b, 0, SMALL, SMALL));
	ASSERT_EQ(0, tcptest_info(self->a, &before));
	give(_metadata, self->a, self->b, ENOMEM);
	give(_metadata, self->a, self->b, ENOBUFS);
	give(_metadata, self->a, self->b, EAGAIN);
	give(_metadata, self->a, self->b, ENOSPC);
	ASSERT_EQ(0, tcptest_info(self->a, &info));
	/* What was begun under a pair of key and nonce is never begun anew under it. */
	EXPECT_EQ(before.tx.epochs + 36, info.tx.epochs);
	EXPECT_EQ(before.tx.records + 12, info.tx.records);
}

/* What a call could not send is the program's still, what earlier ones could is not. */
TEST_F(seal, of_memory_keeps_what_is_open)
{
	struct epoll_event ev = { .events = EPOLLOUT | EPOLLET };
	int ep = epoll_create1(0);
	char in[SMALL] = "";

	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, self->a, &ev));
	ASSERT_EQ(1, epoll_wait(ep, &ev, 1, TCPTEST_SOON_MS));
	ASSERT_EQ(4, send(self->a, "head", 4, MSG_MORE));
	ASSERT_EQ(2, send(self->a, "er", 2, MSG_MORE));
	ASSERT_EQ(0, faulty_seal(ENOMEM, FAULTY_EVER));
	EXPECT_EQ(-1, send(self->a, "lost", 4, MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(-1, send(self->a, "lost too", 8, MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(-1, send(self->a, "", 0, MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(-EAGAIN, tcptest_send_type(self->a, 77, "control", 7,
					     MSG_DONTWAIT));
	ASSERT_EQ(0, faulty_seal(0, 0));
	EXPECT_EQ(1, epoll_wait(ep, &ev, 1, TCPTEST_SOON_MS));
	ASSERT_EQ(4, send(self->a, "body", 4, 0));
	EXPECT_EQ(10, recv(self->b, in, SMALL, 0));
	EXPECT_STREQ("headerbody", in);
	close(ep);
}

/* Each is sent whole, once, and in its place. */
TEST_F(seal, of_memory_for_a_control_record)
{
	char in[SMALL] = "";
	int type = -1;

	ASSERT_EQ(3, send(self->a, "one", 3, MSG_MORE));
	ASSERT_EQ(0, faulty_seal(ENOMEM, 5));
	ASSERT_EQ(7, tcptest_send_type(self->a, 77, "control", 7, 0));
	EXPECT_EQ(0, nsttest_number(FAULTY_PARAM "seal_times"));
	ASSERT_EQ(0, tcptest_send(self->a, 0, SMALL, SMALL));
	EXPECT_EQ(3, recv(self->b, in, SMALL, 0));
	EXPECT_STREQ("one", in);
	EXPECT_EQ(7, tcptest_recv_type(self->b, &type, in, SMALL, 0));
	EXPECT_EQ(77, type);
	EXPECT_EQ(0, tcptest_recv(self->b, 0, SMALL, SMALL));
}

/* A start record is the worker's. */
TEST_F(seal, of_memory_for_a_start)
{
	int a, b;

	ASSERT_EQ(0, faulty_seal(ENOMEM, 3));
	ASSERT_EQ(0, tcptest_pair(&faulty_strict, &a, &b));
	EXPECT_EQ(0, tcptest_bind(a, b));
	EXPECT_EQ(0, nsttest_number(FAULTY_PARAM "seal_times"));
	close(a);
	close(b);
}

/* What is open and the close record wait, and then they come: a clean end. */
TEST_F(seal, of_memory_for_the_end)
{
	char in[SMALL] = "";

	ASSERT_EQ(3, send(self->a, "end", 3, MSG_MORE));
	ASSERT_EQ(0, faulty_seal(ENOMEM, 4));
	ASSERT_EQ(0, shutdown(self->a, SHUT_WR));
	EXPECT_EQ(3, recv(self->b, in, SMALL, 0));
	EXPECT_STREQ("end", in);
	EXPECT_EQ(0, recv(self->b, in, SMALL, 0));
	EXPECT_EQ(0, nsttest_number(FAULTY_PARAM "seal_times"));
}

TEST_F(seal, of_memory_at_close)
{
	char in[SMALL] = "";

	ASSERT_EQ(3, send(self->a, "end", 3, MSG_MORE));
	/* Of five tries one is to spare: another may own the socket. */
	ASSERT_EQ(0, faulty_seal(ENOMEM, 3));
	close(self->a);
	self->a = -1;
	EXPECT_EQ(0, nsttest_number(FAULTY_PARAM "seal_times"));
	EXPECT_EQ(3, recv(self->b, in, SMALL, 0));
	EXPECT_STREQ("end", in);
	EXPECT_EQ(0, recv(self->b, in, SMALL, 0));
}

/* The peer is not told of a clean end of what it has not got. */
TEST_F(seal, of_memory_for_ever_ends_at_close)
{
	char in[SMALL];

	ASSERT_EQ(3, send(self->a, "end", 3, MSG_MORE));
	ASSERT_EQ(0, faulty_seal(ENOMEM, FAULTY_EVER));
	close(self->a);
	self->a = -1;
	EXPECT_EQ(-1, recv(self->b, in, SMALL, 0));
	EXPECT_EQ(ECONNRESET, errno);
}

#define MANY	40

/*
 * Who closes many waits for one of them: it is tried five times, and while that is in
 * vain each other one once, but for one in a second.
 */
TEST_F(seal, of_memory_for_ever_holds_one_close)
{
	struct timespec from, to;
	int i, fd[MANY][2];
	long tries, waits;

	for (i = 0; i < MANY; i++) {
		ASSERT_EQ(0, tcptest_pair(&faulty_conf, &fd[i][0], &fd[i][1]));
		ASSERT_EQ(0, tcptest_bind(fd[i][0], fd[i][1]));
		ASSERT_EQ(3, send(fd[i][0], "end", 3, MSG_MORE));
	}
	ASSERT_EQ(0, faulty_seal(ENOMEM, FAULTY_EVER));
	clock_gettime(CLOCK_BOOTTIME, &from);
	for (i = 0; i < MANY; i++)
		close(fd[i][0]);
	clock_gettime(CLOCK_BOOTTIME, &to);
	tries = FAULTY_EVER - nsttest_number(FAULTY_PARAM "seal_times");
	waits = 1 + to.tv_sec - from.tv_sec + 1;
	EXPECT_LE(MANY, tries);
	EXPECT_GE(MANY + 4 * waits, tries);
	for (i = 0; i < MANY; i++)
		close(fd[i][1]);
}

#define STRANGER	1000	/* a user */

static void close_as(uid_t uid, int fd)
{
	if (seteuid(uid))
		abort();
	close(fd);
	if (seteuid(0))
		abort();
}

/* Another user's was in vain: that is nothing to this one's. */
TEST_F(seal, of_memory_in_vain_is_the_closers_own)
{
	char in[SMALL] = "";
	int fd[2];

	ASSERT_EQ(0, tcptest_pair(&faulty_conf, &fd[0], &fd[1]));
	ASSERT_EQ(0, tcptest_bind(fd[0], fd[1]));
	ASSERT_EQ(3, send(fd[0], "end", 3, MSG_MORE));
	ASSERT_EQ(3, send(self->a, "end", 3, MSG_MORE));
	ASSERT_EQ(0, faulty_seal(ENOMEM, FAULTY_EVER));
	close_as(STRANGER, fd[0]);
	ASSERT_EQ(0, faulty_seal(ENOMEM, 3));
	/* Not this program's user, whose close() was in vain a test ago. */
	close_as(STRANGER + 1, self->a);
	self->a = -1;
	EXPECT_EQ(-1, recv(fd[1], in, SMALL, 0));
	EXPECT_EQ(ECONNRESET, errno);
	EXPECT_EQ(3, recv(self->b, in, SMALL, 0));
	EXPECT_EQ(0, recv(self->b, in, SMALL, 0));
	close(fd[1]);
}

/* Who waits for memory to seal can be killed, and has no lock meanwhile. */
TEST_F(seal, of_memory_holds_nobody)
{
	pid_t sender;

	ASSERT_EQ(0, faulty_seal(ENOMEM, FAULTY_EVER));
	sender = tcptest_sender(self->a, 0, BIG, BIG);
	ASSERT_LT(0, sender);
	while (nsttest_number(FAULTY_PARAM "seal_times") == FAULTY_EVER)
		usleep(10000);
	EXPECT_EQ(-1, send(self->a, "x", 1, MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(0, tcptest_record_max(self->a, NST_RECORD_MAX_MAX));
	EXPECT_EQ(0, kill(sender, SIGKILL));
	EXPECT_EQ(sender, waitpid(sender, NULL, 0));
	ASSERT_EQ(0, faulty_seal(0, 0));
	ASSERT_EQ(0, tcptest_send(self->a, 0, SMALL, SMALL));
	EXPECT_EQ(0, tcptest_recv(self->b, 0, SMALL, SMALL));
}

TEST_F(seal, of_a_cipher_that_works_does_not_pass)
{
	char in;

	ASSERT_EQ(0, faulty_seal(EIO, FAULTY_EVER));
	EXPECT_EQ(-1, send(self->a, "x", 1, 0));
	EXPECT_EQ(FAULTY_EVER - 1, nsttest_number(FAULTY_PARAM "seal_times"));
	ASSERT_EQ(0, faulty_seal(0, 0));
	EXPECT_EQ(-1, send(self->a, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(EPIPE, errno);
	/* No clean end. */
	close(self->a);
	self->a = -1;
	EXPECT_EQ(-1, recv(self->b, &in, 1, 0));
}

TEST_HARNESS_MAIN
