// SPDX-License-Identifier: GPL-2.0
/*
 * nst-run's notify engine and datagrams: every call that can give one an address,
 * by a program of one thread and one of two, to ports that are covered and
 * others.
 */
#define _GNU_SOURCE
#include <grp.h>
#include <linux/netlink.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "nsttest.h"
#include "undertest.h"

#define OPTIONS		"--engine notify --udp 7100-7109"
#define LONG		(nsttest_patience(20) * 1000)
#define PIECES		3

static void *idle(void *unused)
{
	pause();
	return unused;
}

static void be_two(const char *threads)
{
	pthread_t thread;

	if (atoi(threads) > 1)
		pthread_create(&thread, NULL, idle, NULL);
}

static void fill(struct msghdr *msg, struct iovec *iov,
		 struct sockaddr_in *addr)
{
	static char words[] = UNDER_MARK;
	size_t len = strlen(words), at = 0;
	int i;

	for (i = 0; i < PIECES; i++) {
		iov[i].iov_base = words + at;
		iov[i].iov_len = i == PIECES - 1 ? len - at : len / PIECES;
		at += iov[i].iov_len;
	}
	*msg = (struct msghdr){
		.msg_name = addr, .msg_namelen = addr ? sizeof(*addr) : 0,
		.msg_iov = iov, .msg_iovlen = PIECES,
	};
}

static long send_by(const char *how, int fd, struct sockaddr_in *addr)
{
	struct mmsghdr many[2] = { 0 };
	struct iovec iov[PIECES];
	struct msghdr msg;
	long n;

	if (!strcmp(how, "sendto"))
		return sendto(fd, UNDER_MARK, strlen(UNDER_MARK), 0,
			      (void *)addr, sizeof(*addr));
	if (!strcmp(how, "connect")) {
		n = connect(fd, (void *)addr, sizeof(*addr));
		return n ? n : send(fd, UNDER_MARK, strlen(UNDER_MARK), 0);
	}
	fill(&msg, iov, addr);
	if (!strcmp(how, "sendmsg"))
		return sendmsg(fd, &msg, 0);
	if (!strcmp(how, "connected")) {
		n = connect(fd, (void *)addr, sizeof(*addr));
		fill(&msg, iov, NULL);
		return n ? n : sendmsg(fd, &msg, 0);
	}
	many[0].msg_hdr = msg;
	many[1].msg_hdr = msg;
	n = sendmmsg(fd, many, 2, 0);
	if (n != 2 || many[0].msg_len != many[1].msg_len)
		return -1;
	return many[1].msg_len;
}

/* @sends PORT THREADS: says what each gave, and whether the socket has NST */
static int sends(int argc, char **argv)
{
	static const char * const how[] = {
		"sendto", "sendmsg", "connect", "connected", "sendmmsg",
	};
	struct sockaddr_in addr = under_addr(atoi(argv[1]));
	unsigned int i, twice;
	long n;
	int fd;

	(void)argc;
	be_two(argv[2]);
	for (i = 0; i < 5; i++) {
		fd = socket(AF_INET, SOCK_DGRAM, 0);
		/* The second one is of a socket that may have NST already. */
		for (twice = 0; twice < 2; twice++) {
			n = send_by(how[i], fd, &addr);
			printf("%s %ld %s\n", how[i], n,
			       n < 0 ? under_error(n) :
			       under_keyed(fd) ? "keyed" : "plain");
		}
		close(fd);
	}
	return 0;
}

static void tell(const char *what, long ret)
{
	printf("%s: %ld %s\n", what, ret, under_error(ret));
}

static void on_pipe(int sig)
{
	(void)sig;
	write(STDOUT_FILENO, "SIGPIPE\n", 8);
}

/* A descriptor goes along, and what is read from it is what is behind it. */
static void tell_rights(int to, int from, int number)
{
	char control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8))) = "";
	struct msghdr msg = {
		.msg_iov = &(struct iovec){ "right", 5 }, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	char buf[16] = "", text[16] = "";
	int got = -1;

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &number, sizeof(int));
	tell("with a right", sendmsg(to, &msg, 0));
	msg.msg_iov = &(struct iovec){ buf, sizeof(buf) };
	if (recvmsg(from, &msg, MSG_DONTWAIT) <= 0 || !msg.msg_controllen)
		return;
	memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(int));
	tell("read by it", read(got, text, sizeof(text) - 1));
	printf("%s %s\n", buf, text);
	close(got);
}

static void *drain(void *arg)
{
	static char buf[4096];
	long all = 0, n;

	while ((n = read(*(int *)arg, buf, sizeof(buf))) > 0)
		all += n;
	tell("drained", all);
	return NULL;
}

/* More than fits in it waits for the reader. */
static void tell_stream(int to, int from)
{
	static char large[250000];
	struct msghdr msg = {
		.msg_iov = &(struct iovec){ large, sizeof(large) },
		.msg_iovlen = 1,
	};
	pthread_t thread;
	int low = 8192;

	setsockopt(to, SOL_SOCKET, SO_SNDBUF, &low, sizeof(low));
	pthread_create(&thread, NULL, drain, &from);
	/* Two threads now, whoever asks. */
	tell("stream", sendmsg(to, &msg, 0));
	shutdown(to, SHUT_WR);
	pthread_join(thread, NULL);
	fflush(stdout);
	tell("behind it", sendmsg(to, &msg, 0));
	fflush(stdout);
	tell("not told", sendmsg(to, &msg, MSG_NOSIGNAL));
}

/* What has nothing to do with UDP */
static void tell_local(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = "dgram" };
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct nlmsghdr done = {
		.nlmsg_len = sizeof(done), .nlmsg_type = NLMSG_NOOP,
		.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
	};
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0), pair[2], ends[2];
	int nl = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	static gid_t groups[2000];
	char buf[256] = "";
	unsigned int i;

	/* /proc is long then. */
	for (i = 0; i < 2000; i++)
		groups[i] = 1000000000 + i;
	tell("groups", setgroups(2000, groups));
	signal(SIGPIPE, on_pipe);
	tell("pair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	tell("pipe", pipe(ends));
	tell("write", write(ends[1], "behind", 6));
	tell_rights(pair[0], pair[1], ends[0]);
	tell_rights(pair[0], pair[1], 888);
	tell_stream(pair[0], pair[1]);
	tell("mkdir", mkdir("/tmp/dgram", 0700) && errno != EEXIST ? -1 : 0);
	tell("chdir", chdir("/tmp/dgram"));
	unlink("dgram");
	tell("bind", bind(fd, (void *)&addr, sizeof(addr)));
	tell("by name", sendto(fd, "x", 1, 0, (void *)&addr, sizeof(addr)));
	tell("come", recv(fd, buf, sizeof(buf), MSG_DONTWAIT));
	tell("netlink", sendto(nl, &done, sizeof(done), 0, (void *)&kernel,
			       sizeof(kernel)));
	tell("answer", recv(nl, buf, sizeof(buf), 0));
	fflush(stdout);
}

/* @tell PORT THREADS: what is wrong, as the kernel says it */
static int tell_all(int argc, char **argv)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "/none" };
	struct sockaddr_in addr = under_addr(atoi(argv[1]));
	struct msghdr msg = { .msg_iov = (void *)8, .msg_iovlen = 1 };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), pair[2];
	static char large[70000];

	(void)argc;
	be_two(argv[2]);
	tell("nowhere", sendto(fd, "x", 1, 0, NULL, 0));
	tell("no address", sendto(fd, "x", 1, 0, (void *)8, sizeof(addr)));
	tell("no data", sendto(fd, (void *)8, 1, 0, (void *)&addr,
			       sizeof(addr)));
	tell("short", sendto(fd, "x", 1, 0, (void *)&addr, 4));
	tell("large", sendto(fd, large, sizeof(large), 0, (void *)&addr,
			     sizeof(addr)));
	tell("other family", sendto(fd, "x", 1, 0, (void *)&un, sizeof(un)));
	tell("no pieces", sendmsg(fd, &msg, 0));
	tell("no message", sendmsg(fd, (void *)8, 0));
	msg.msg_iovlen = 5000;
	tell("many pieces", sendmsg(fd, &msg, 0));
	tell("no messages", sendmmsg(fd, (void *)8, 2, 0));
	tell("none of them", sendmmsg(fd, (void *)8, 0, 0));
	tell("no socket", sendto(0, "x", 1, 0, (void *)&addr, sizeof(addr)));
	tell("nothing", sendmsg(777, &msg, 0));
	tell("pair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	msg = (struct msghdr){
		.msg_iov = &(struct iovec){ "local", 5 }, .msg_iovlen = 1,
	};
	tell("local", sendmsg(pair[0], &msg, 0));
	tell_local();
	tell("bind", bind(fd, (void *)&addr, sizeof(addr)));
	tell("twice", bind(fd, (void *)&addr, sizeof(addr)));
	addr.sin_addr.s_addr = htonl(0x01020304);
	close(fd);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	tell("not here", bind(fd, (void *)&addr, sizeof(addr)));
	tell("no bind", bind(fd, (void *)8, sizeof(addr)));
	return 0;
}

/* @server PORT THREADS: what comes to a socket bound there */
static int server(int argc, char **argv)
{
	struct sockaddr_in addr = under_addr(atoi(argv[1]));
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	char buf[256] = "";

	(void)argc;
	be_two(argv[2]);
	if (bind(fd, (void *)&addr, sizeof(addr)))
		return 2;
	puts(under_keyed(fd) ? "keyed" : "plain");
	if (poll(&poll_fd, 1, LONG) != 1)
		return 3;
	puts(recv(fd, buf, sizeof(buf) - 1, 0) < 0 ? under_error(-1) : buf);
	return 0;
}

/* @port80: what a program without the right may not */
static int port80(int argc, char **argv)
{
	struct sockaddr_in addr = under_addr(80);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	(void)argc;
	(void)argv;
	puts(under_error(bind(fd, (void *)&addr, sizeof(addr))));
	close(fd);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (setuid(65534))
		return 2;
	puts(under_error(bind(fd, (void *)&addr, sizeof(addr))));
	return 0;
}

UNDER_ROLES({ "@sends", sends }, { "@tell", tell_all },
	    { "@server", server }, { "@port80", port80 })

FIXTURE(dgram) {
	char said[8192], other[8192];
	int fd;
};

FIXTURE_VARIANT(dgram) {
	int threads;
};

FIXTURE_VARIANT_ADD(dgram, one) {
	.threads = 1,
};

FIXTURE_VARIANT_ADD(dgram, two) {
	.threads = 2,
};

FIXTURE_SETUP(dgram)
{
	ASSERT_EQ(0, under_box());
	self->fd = -1;
}

FIXTURE_TEARDOWN(dgram)
{
	close(self->fd);
}

static int play(FIXTURE_DATA(dgram) *self, const char *name, int port,
		int threads)
{
	char role[64];

	snprintf(role, sizeof(role), "%s %d %d", name, port, threads);
	return under_run(OPTIONS, role, self->said, sizeof(self->said));
}

/* All five ways twice, sendmmsg() with two datagrams each. */
#define DATAGRAMS	12

static void take(FIXTURE_DATA(dgram) *self, int *plain, int *all)
{
	struct pollfd poll_fd = { .fd = self->fd, .events = POLLIN };
	char buf[4096];
	ssize_t n;

	*plain = 0;
	*all = 0;
	for (;;) {
		/* What was sent may come later than its sender ends. */
		if (*all < DATAGRAMS)
			poll(&poll_fd, 1, LONG);
		n = recv(self->fd, buf, sizeof(buf), MSG_DONTWAIT);
		if (n <= 0)
			break;
		++*all;
		*plain += !!memmem(buf, n, UNDER_MARK, strlen(UNDER_MARK));
	}
}

static void expect_sends(struct __test_metadata *_metadata,
			 FIXTURE_DATA(dgram) *self, const char *has)
{
	static const char * const how[] = {
		"sendto", "sendmsg", "connect", "connected", "sendmmsg",
	};
	char expected[1024] = "";
	int i, at = 0;

	for (i = 0; i < 10; i++)
		at += snprintf(expected + at, sizeof(expected) - at,
			       "%s %zu %s\n", how[i / 2], strlen(UNDER_MARK),
			       has);
	EXPECT_STREQ(expected, self->said);
}

TEST_F(dgram, sends__covered)
{
	int plain, all;

	self->fd = under_udp(UNDER_COVERED, 1);
	ASSERT_LE(0, self->fd);
	EXPECT_EQ(0, play(self, "@sends", UNDER_COVERED, variant->threads));
	expect_sends(_metadata, self, "keyed");
	/* The peer has NST: what it opens is what was sent. */
	take(self, &plain, &all);
	EXPECT_EQ(DATAGRAMS, all);
	EXPECT_EQ(DATAGRAMS, plain);
}

TEST_F(dgram, sends__peer_without)
{
	int plain, all;

	self->fd = under_udp(UNDER_COVERED, 0);
	EXPECT_EQ(0, play(self, "@sends", UNDER_COVERED, variant->threads));
	take(self, &plain, &all);
	EXPECT_EQ(DATAGRAMS, all);
	EXPECT_EQ(0, plain);
}

TEST_F(dgram, sends__other)
{
	int plain, all;

	self->fd = under_udp(UNDER_OTHER, 0);
	EXPECT_EQ(0, play(self, "@sends", UNDER_OTHER, variant->threads));
	expect_sends(_metadata, self, "plain");
	take(self, &plain, &all);
	EXPECT_EQ(DATAGRAMS, plain);
}

TEST_F(dgram, errors__as_without)
{
	char role[32];

	EXPECT_EQ(0, play(self, "@tell", UNDER_OTHER, variant->threads));
	snprintf(role, sizeof(role), "@tell %d %d", UNDER_OTHER,
		 variant->threads);
	EXPECT_EQ(0, under_run(NULL, role, self->other, sizeof(self->other)));
	EXPECT_STREQ(self->other, self->said);
}

static void serve(struct __test_metadata *_metadata, FIXTURE_DATA(dgram) *self,
		  int threads, int port, int nst)
{
	struct sockaddr_in addr = under_addr(port);
	struct under under;
	char role[32], line[64];
	int i, fd;

	snprintf(role, sizeof(role), "@server %d %d", port, threads);
	ASSERT_EQ(0, under_start(&under, 0, OPTIONS, role));
	ASSERT_EQ(0, under_line(&under, line, sizeof(line)));
	EXPECT_STREQ(port == UNDER_COVERED ? "keyed" : "plain", line);
	/* Plaintext first: on a covered port it is not seen. */
	for (i = 0; i <= nst; i++) {
		fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (i)
			ASSERT_EQ(0, under_nst(fd, 1));
		EXPECT_LT(0, sendto(fd, i ? "sealed" : "plain", i ? 6 : 5, 0,
				    (void *)&addr, sizeof(addr)));
		close(fd);
	}
	EXPECT_EQ(0, under_end(&under, self->said, sizeof(self->said)));
}

TEST_F(dgram, bind__covered)
{
	serve(_metadata, self, variant->threads, UNDER_COVERED, 1);
	EXPECT_STREQ("sealed\n", self->said);
}

TEST_F(dgram, bind__other)
{
	serve(_metadata, self, variant->threads, UNDER_OTHER, 0);
	EXPECT_STREQ("plain\n", self->said);
}

/* The supervisor is root, and lends nobody what that may do. */
TEST_F(dgram, bind__without_the_right)
{
	EXPECT_EQ(0, play(self, "@port80", 0, 0));
	EXPECT_STREQ("0\nEACCES\n", self->said);
}

TEST_HARNESS_MAIN
