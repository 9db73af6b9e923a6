// SPDX-License-Identifier: GPL-2.0
/*
 * A record that there is no memory to decrypt: nothing of the stream is lost, and
 * the record is read as soon as there is some. A cipher that is broken ends it.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <time.h>

#include "faulty.h"
#include "kselftest_harness.h"
#include "tcptest.h"

#define BIG	30000
#define SMALL	100

/* What @faulty_conf gives the responder. */
static const struct nsttest_conf keys = {
	.cipher_id = NST_CIPHER_AES_GCM, .nr_keys = NSTTEST_KEYS,
	.flags = NST_F_RESPONDER,
};

FIXTURE(want)
{
	int a;
	int b;
};

FIXTURE_SETUP(want)
{
	/* What is made from now on uses it. */
	ASSERT_EQ(0, faulty_pair(&self->a, &self->b));
	/* What the pair has done so far is of no matter. */
	ASSERT_EQ(0, nsttest_write_file(FAULTY_PARAM "wide", "0"));
}

FIXTURE_TEARDOWN(want)
{
	EXPECT_EQ(0, faulty_pair_end(self->a, self->b));
}

/* Straight into the program's memory, through a buffer, and to the list. */
static void take(struct __test_metadata *_metadata, int a, int b, int err)
{
	static char in[BIG];

	ASSERT_EQ(0, tcptest_send(a, 0, BIG, BIG));
	ASSERT_EQ(0, faulty_open(err, 3));
	EXPECT_EQ(0, tcptest_recv(b, 0, BIG, BIG));
	EXPECT_EQ(0, nsttest_number(FAULTY_PARAM "times"));

	ASSERT_EQ(0, tcptest_send(a, 1, SMALL, SMALL));
	ASSERT_EQ(0, faulty_open(err, 3));
	EXPECT_EQ(0, tcptest_recv(b, 1, SMALL, SMALL));
	EXPECT_EQ(0, nsttest_number(FAULTY_PARAM "times"));

	ASSERT_EQ(0, tcptest_send(a, 2, BIG, BIG));
	ASSERT_EQ(0, faulty_open(err, 3));
	EXPECT_EQ(BIG, recv(b, in, BIG, MSG_PEEK | MSG_WAITALL));
	EXPECT_EQ(0, nsttest_number(FAULTY_PARAM "times"));
	EXPECT_EQ(0, tcptest_recv(b, 2, BIG, BIG));
}

TEST_F(want, of_memory_passes)
{
	long stalled = nsttest_stat("NstRxStalled");

	take(_metadata, self->a, self->b, ENOMEM);
	take(_metadata, self->a, self->b, ENOBUFS);
	take(_metadata, self->a, self->b, EAGAIN);
	take(_metadata, self->a, self->b, ENOSPC);
	/* Four times three times three. */
	EXPECT_EQ(stalled + 36, nsttest_stat("NstRxStalled"));
}

/* The worker judges a start record. */
TEST_F(want, of_memory_for_a_start_passes)
{
	int a, b;

	ASSERT_EQ(0, faulty_open(ENOMEM, 5));
	ASSERT_EQ(0, tcptest_pair(&faulty_strict, &a, &b));
	EXPECT_EQ(0, tcptest_bind(a, b));
	EXPECT_EQ(0, nsttest_number(FAULTY_PARAM "times"));
	close(a);
	close(b);
}

/* No acknowledgment will tell a writer that waits for an edge: nothing is sent. */
TEST_F(want, of_memory_for_a_key_gives_an_edge)
{
	struct epoll_event ev = { .events = EPOLLOUT | EPOLLET };
	int a, b, ep = epoll_create1(0);
	char in[2];
	ssize_t n;

	ASSERT_EQ(0, tcptest_pair(&faulty_conf, &a, &b));
	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, a, &ev));
	ASSERT_EQ(1, epoll_wait(ep, &ev, 1, 0));
	ASSERT_EQ(0, epoll_wait(ep, &ev, 1, 0));
	ASSERT_EQ(0, nsttest_write_file(FAULTY_PARAM "key_err", "12"));
	EXPECT_EQ(-1, send(a, "x", 1, MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(1, epoll_wait(ep, &ev, 1, TCPTEST_SOON_MS));
	EXPECT_EQ(EPOLLOUT, ev.events);
	ASSERT_EQ(0, nsttest_write_file(FAULTY_PARAM "key_err", "0"));
	/* The stream rests a little after a failure, and gives an edge each time. */
	while ((n = send(a, "x", 1, MSG_DONTWAIT)) == -1 && errno == EAGAIN)
		ASSERT_EQ(1, epoll_wait(ep, &ev, 1, TCPTEST_SOON_MS));
	EXPECT_EQ(1, n);
	EXPECT_EQ(1, recv(b, in, sizeof(in), 0));
	close(ep);
	close(a);
	close(b);
}

/* Nothing can seal what was held back, and it is lost. */
TEST_F(want, of_a_key_is_told_by_shutdown)
{
	char in[2];
	int a, b;

	ASSERT_EQ(0, tcptest_pair(&faulty_conf, &a, &b));
	ASSERT_EQ(1, send(a, "x", 1, MSG_MORE));
	/* EINVAL */
	ASSERT_EQ(0, nsttest_write_file(FAULTY_PARAM "key_err", "22"));
	EXPECT_EQ(-1, shutdown(a, SHUT_WR));
	EXPECT_NE(ENOTCONN, errno);
	ASSERT_EQ(0, nsttest_write_file(FAULTY_PARAM "key_err", "0"));
	/* No clean end: there is no close record. */
	EXPECT_EQ(-1, recv(b, in, sizeof(in), 0));
	close(a);
	close(b);
}

/*
 * What a splice has left open when its file was shorter than it thought goes as soon
 * as there is memory, though no call comes any more. (6.1 does not tell of that end.)
 */
static bool kernel_has(const char *symbol)
{
	FILE *f = fopen("/proc/kallsyms", "r");
	char line[256], name[128];
	bool has = false;

	while (f && !has && fgets(line, sizeof(line), f))
		has = sscanf(line, "%*s %*s %127s", name) == 1 &&
		      !strcmp(name, symbol);
	if (f)
		fclose(f);
	return has;
}

TEST_F(want, of_memory_for_the_tail_of_a_splice)
{
	char in[16] = "";
	int a, b, fd;

	if (!kernel_has("inet_splice_eof"))
		SKIP(return, "no splice_eof");
	fd = open("/tmp/tcp_want", O_RDWR | O_CREAT | O_TRUNC, 0600);
	ASSERT_EQ(4, write(fd, "tail", 4));
	ASSERT_EQ(0, lseek(fd, 0, SEEK_SET));
	ASSERT_EQ(0, tcptest_pair(&faulty_conf, &a, &b));
	ASSERT_EQ(0, nsttest_write_file(FAULTY_PARAM "key_err", "12"));
	EXPECT_EQ(4, sendfile(a, fd, NULL, 4096));
	EXPECT_EQ(0, tcptest_poll(b, POLLIN, TCPTEST_NEVER_MS));
	ASSERT_EQ(0, nsttest_write_file(FAULTY_PARAM "key_err", "0"));
	EXPECT_EQ(4, recv(b, in, sizeof(in), 0));
	EXPECT_STREQ("tail", in);
	unlink("/tmp/tcp_want");
	close(fd);
	close(a);
	close(b);
}

static int queued(int fd)
{
	int n = -1;

	return ioctl(fd, FIONREAD, &n) ? -errno : n;
}

/* As if it were still with TCP: it is counted, it is readable, it is not lost. */
TEST_F(want, of_memory_leaves_the_record_readable)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
	int ep = epoll_create1(0);
	char in[BIG];

	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, self->b, &ev));
	ASSERT_EQ(0, faulty_open(ENOMEM, FAULTY_EVER));
	ASSERT_EQ(0, tcptest_send(self->a, 0, BIG, BIG));
	ASSERT_EQ(0, tcptest_send(self->a, 1, SMALL, SMALL));
	ASSERT_EQ(1, epoll_wait(ep, &ev, 1, TCPTEST_SOON_MS));
	/* To the program's memory, to a bounce buffer, to the list. */
	EXPECT_EQ(-1, recv(self->b, in, BIG, MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_GT(FAULTY_EVER, nsttest_number(FAULTY_PARAM "times"));
	EXPECT_EQ(-1, recv(self->b, in, SMALL, MSG_DONTWAIT));
	EXPECT_EQ(-1, recv(self->b, in, BIG, MSG_DONTWAIT | MSG_PEEK));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(BIG + SMALL, queued(self->b));
	EXPECT_EQ(POLLIN, tcptest_poll(self->b, POLLIN, 0));
	ASSERT_EQ(0, faulty_open(0, 0));
	/* Who was sent away is told again. */
	EXPECT_EQ(1, epoll_wait(ep, &ev, 1, TCPTEST_SOON_MS));
	EXPECT_EQ(SMALL, recv(self->b, in, SMALL, MSG_PEEK));
	EXPECT_TRUE(tcptest_same(in, SMALL, 0));
	EXPECT_EQ(0, tcptest_recv(self->b, 0, BIG, BIG));
	EXPECT_EQ(0, tcptest_recv(self->b, 1, SMALL, SMALL));
	EXPECT_EQ(0, queued(self->b));
	close(ep);
}

/* Who waits for memory has no lock that a call of another thread needs. */
TEST_F(want, of_memory_holds_nobody_else)
{
	struct nst_info info;
	pid_t reader;
	char in;

	ASSERT_EQ(0, faulty_open(ENOMEM, FAULTY_EVER));
	reader = tcptest_receiver(self->b, 0, BIG, BIG);
	ASSERT_LT(0, reader);
	ASSERT_EQ(0, tcptest_send(self->a, 0, BIG, BIG));
	while (nsttest_number(FAULTY_PARAM "times") == FAULTY_EVER)
		usleep(10000);
	EXPECT_EQ(-1, recv(self->b, &in, 1, MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	ASSERT_EQ(0, tcptest_timeout(self->b, SO_RCVTIMEO, 50));
	EXPECT_EQ(-1, recv(self->b, &in, 1, 0));
	EXPECT_EQ(EAGAIN, errno);
	ASSERT_EQ(0, tcptest_timeout(self->b, SO_RCVTIMEO, 0));
	/* It takes both locks. */
	EXPECT_EQ(0, nsttest_install(self->b, &keys));
	EXPECT_EQ(0, tcptest_info(self->b, &info));
	ASSERT_EQ(0, faulty_open(0, 0));
	EXPECT_EQ(0, tcptest_reap(reader));
}

/* A record comes, of SMALL bytes, and a reader is sent away who wants it in @in. */
static void stall_one(struct __test_metadata *_metadata,
		      const FIXTURE_DATA(want) *self, char *in)
{
	ASSERT_EQ(0, faulty_open(ENOMEM, FAULTY_EVER));
	ASSERT_EQ(0, tcptest_send(self->a, 0, SMALL, SMALL));
	ASSERT_EQ(POLLIN, tcptest_poll(self->b, POLLIN, TCPTEST_SOON_MS));
	EXPECT_EQ(-1, recv(self->b, in, SMALL, MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
}

/* A record that was not read is judged by the keys that are set meanwhile. */
TEST_F(want, of_memory_keeps_no_old_key)
{
	struct nsttest_info ti;
	char in[SMALL];

	stall_one(_metadata, self, in);
	nsttest_fill(&ti, NST_CIPHER_AES_GCM);
	ti.info.flags = NST_F_RESPONDER;
	ti.keys[0].key[0] ^= 1;
	ti.keys[1].key[0] ^= 1;
	ASSERT_EQ(0, setsockopt(self->b, SOL_NST, NST_RX, &ti, sizeof(ti)));
	ASSERT_EQ(0, faulty_open(0, 0));
	EXPECT_EQ(-1, recv(self->b, in, SMALL, 0));
	EXPECT_EQ(EBADMSG, errno);
	EXPECT_EQ(0, queued(self->b));
}

/* The same keys again, but their driver needs more memory for a record now. */
TEST_F(want, of_memory_fits_a_larger_request)
{
	char in[SMALL];

	stall_one(_metadata, self, in);
	ASSERT_EQ(0, nsttest_write_file(FAULTY_PARAM "room", "16384"));
	EXPECT_EQ(0, nsttest_install(self->b, &keys));
	EXPECT_EQ(-1, recv(self->b, in, SMALL, MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	ASSERT_EQ(0, nsttest_write_file(FAULTY_PARAM "room", "0"));
	ASSERT_EQ(0, faulty_open(0, 0));
	EXPECT_EQ(0, tcptest_recv(self->b, 0, SMALL, SMALL));
}

/* Plaintext that came and was not read: the peer is told, and not of a clean end. */
TEST_F(want, of_memory_at_close_resets)
{
	char in[SMALL];

	stall_one(_metadata, self, in);
	close(self->b);
	self->b = -1;
	EXPECT_EQ(-1, recv(self->a, in, SMALL, 0));
	EXPECT_EQ(ECONNRESET, errno);
}

/* The end of file waits as data do. */
TEST_F(want, of_memory_for_the_end_passes)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
	int ep = epoll_create1(0);
	char in;

	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, self->b, &ev));
	ASSERT_EQ(0, faulty_open(ENOMEM, FAULTY_EVER));
	ASSERT_EQ(0, shutdown(self->a, SHUT_WR));
	while (nsttest_number(FAULTY_PARAM "times") == FAULTY_EVER) {
		EXPECT_EQ(-1, recv(self->b, &in, 1, MSG_DONTWAIT));
		EXPECT_EQ(EAGAIN, errno);
		usleep(10000);
	}
	ASSERT_EQ(0, faulty_open(0, 0));
	while (recv(self->b, &in, 1, MSG_DONTWAIT) < 0) {
		ASSERT_EQ(EAGAIN, errno);
		ASSERT_EQ(1, epoll_wait(ep, &ev, 1, TCPTEST_SOON_MS));
	}
	close(ep);
}

static int lay_storage(int fd)
{
	char text[32];

	snprintf(text, sizeof(text), "%d storage", fd);
	return nsttest_write_file("/proc/nst_intruder", text);
}

/*
 * Nothing waits for storage on behalf of a socket that storage lies on: neither a
 * call nor the worker, to derive keys, to seal or to open. Reserves are the worker's
 * alone, as a caller has opened his own.
 */
TEST_F(want, of_memory_does_not_wait_for_storage)
{
	char in[SMALL];
	int a, b;

	ASSERT_EQ(0, system("modprobe nst_intruder"));
	ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &b, &a));
	ASSERT_EQ(0, lay_storage(a));
	ASSERT_EQ(0, lay_storage(b));
	/* The start records are the worker's. */
	ASSERT_EQ(0, tcptest_key(a, &faulty_strict, NST_F_INITIATOR));
	ASSERT_EQ(0, tcptest_key(b, &faulty_strict, NST_F_RESPONDER));
	ASSERT_EQ(0, tcptest_settle(a));
	ASSERT_EQ(0, tcptest_settle(b));
	EXPECT_LT(0, nsttest_number(FAULTY_PARAM "narrow_work"));
	EXPECT_LT(0, nsttest_number(FAULTY_PARAM "reserve_work"));
	EXPECT_EQ(0, nsttest_number(FAULTY_PARAM "wide"));
	/* All that follows is called by this program, but for some of the end. */
	ASSERT_EQ(0, nsttest_write_file(FAULTY_PARAM "narrow_call", "0"));
	ASSERT_EQ(0, tcptest_send(a, 0, BIG, BIG));
	ASSERT_EQ(0, tcptest_recv(b, 0, BIG, BIG));
	EXPECT_LT(1, nsttest_number(FAULTY_PARAM "narrow_call"));
	ASSERT_EQ(0, tcptest_send(b, 0, SMALL, SMALL));
	ASSERT_EQ(SMALL, recv(a, in, SMALL, MSG_PEEK));
	ASSERT_EQ(0, shutdown(a, SHUT_WR));
	EXPECT_EQ(0, recv(b, in, 1, 0));
	close(a);
	close(b);
	EXPECT_EQ(0, nsttest_number(FAULTY_PARAM "wide"));
	EXPECT_EQ(0, nsttest_number(FAULTY_PARAM "reserve_call"));
	ASSERT_EQ(0, system("rmmod nst_intruder"));
}

/* What waits for memory can be killed. */
TEST_F(want, does_not_outlast_its_program)
{
	static char in[BIG];
	pid_t pid;

	ASSERT_EQ(0, faulty_open(ENOMEM, FAULTY_EVER));
	ASSERT_EQ(0, tcptest_send(self->a, 0, BIG, BIG));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		recv(self->b, in, BIG, 0);
		_exit(0);
	}
	usleep(300000);
	EXPECT_EQ(0, waitpid(pid, NULL, WNOHANG));
	EXPECT_GT(FAULTY_EVER, nsttest_number(FAULTY_PARAM "times"));
	EXPECT_EQ(0, kill(pid, SIGKILL));
	EXPECT_EQ(pid, waitpid(pid, NULL, 0));
	/* Others who have the socket lose nothing by that. */
	ASSERT_EQ(0, faulty_open(0, 0));
	EXPECT_EQ(0, tcptest_recv(self->b, 0, BIG, BIG));
}

TEST_F(want, of_a_cipher_that_works_does_not_pass)
{
	static char in[BIG];

	ASSERT_EQ(0, tcptest_send(self->a, 0, BIG, BIG));
	ASSERT_EQ(0, faulty_open(EIO, 100));
	EXPECT_EQ(-1, recv(self->b, in, BIG, 0));
	EXPECT_EQ(ENOMEM, errno);
	/* Once is enough. */
	EXPECT_EQ(99, nsttest_number(FAULTY_PARAM "times"));
	EXPECT_EQ(-1, recv(self->b, in, BIG, 0));
}

/* As with a suite that is not there: nobody tries again and again. */
TEST_F(want, of_a_cipher_that_takes_no_key_does_not_pass)
{
	int kern, raw;
	struct peer p;
	char in;

	ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &kern, &raw));
	ASSERT_EQ(0, tcptest_key(kern, &faulty_conf, NST_F_RESPONDER));
	ASSERT_EQ(0, nsttest_write_file(FAULTY_PARAM "key_err", "5"));
	peer_init(&p, raw, NST_CIPHER_AES_GCM, nsttest_box, NSTTEST_KEYS);
	p.role = PEER_F_INITIATOR;
	EXPECT_EQ(0, peer_send(&p, PEER_DATA, "x", 1));
	EXPECT_EQ(-1, recv(kern, &in, 1, 0));
	EXPECT_EQ(ENOPKG, errno);
	EXPECT_EQ(0, nsttest_write_file(FAULTY_PARAM "key_err", "0"));
	EXPECT_EQ(-1, recv(kern, &in, 1, 0));
	EXPECT_EQ(ENOPKG, errno);
	close(raw);
	close(kern);
}

TEST_HARNESS_MAIN
