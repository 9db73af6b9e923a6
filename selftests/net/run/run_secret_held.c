// SPDX-License-Identifier: GPL-2.0
/*
 * nst-run --forward-secret: a program that is held up in connect() until keys are
 * there is served at its listeners meanwhile, so that two that connect to each other
 * do not wait for each other; and what accept() says of connections that came when
 * nobody was in it.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <netinet/tcp.h>
#include <nst/exchange.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "secrettest.h"

#define THIS	UNDER_COVERED
#define OTHER	(UNDER_COVERED + 1)

static void *idle(void *unused)
{
	pause();
	return unused;
}

static int dial(int port, int flags)
{
	struct sockaddr_in addr = under_addr(port);
	int fd = socket(AF_INET, SOCK_STREAM | flags, 0);

	puts(secret_error(connect(fd, (void *)&addr, sizeof(addr))));
	fcntl(fd, F_SETFL, 0);
	return fd;
}

static int accept_one(int listener, int flags)
{
	struct pollfd poll_fd = { .fd = listener, .events = POLLIN };
	int conn;

	fcntl(listener, F_SETFL, flags ? O_NONBLOCK : 0);
	do {
		if (flags)
			poll(&poll_fd, 1, -1);
		conn = accept(listener, NULL, NULL);
	} while (conn < 0 && flags && errno == EAGAIN);
	return conn;
}

/*
 * @cross PORT PORT block|poll|threads: listens at the first, and behind a byte of
 * standard input connects to the second, says hello there, accepts and answers
 */
static int cross(int argc, char **argv)
{
	int listener = under_listen(atoi(argv[1]), 0), fd, conn;
	int flags = strcmp(argv[3], "poll") ? 0 : SOCK_NONBLOCK;
	char buf[16] = "";
	pthread_t thread;

	(void)argc;
	if (!strcmp(argv[3], "threads"))
		pthread_create(&thread, NULL, idle, NULL);
	printf("begun %d\n", getpid());
	if (listener < 0 || read(STDIN_FILENO, buf, 1) != 1)
		return 2;
	fd = dial(atoi(argv[2]), flags);
	send(fd, "hello", 5, MSG_NOSIGNAL);
	conn = accept_one(listener, flags);
	if (conn < 0)
		return 3;
	secret_serve(conn);
	memset(buf, 0, sizeof(buf));
	if (recv(fd, buf, sizeof(buf) - 1, 0) > 0)
		puts(buf);
	return 0;
}

/* @held block|poll|inherits: connects to OTHER, and then accepts until "end" */
static int held(int argc, char **argv)
{
	int flags = strcmp(argv[1], "poll") ? 0 : SOCK_NONBLOCK;
	int listener = strcmp(argv[1], "inherits") ? under_listen(THIS, 0) :
		STDIN_FILENO;
	int conn;

	(void)argc;
	printf("begun %d\n", getpid());
	dial(OTHER, flags);
	do {
		conn = accept_one(listener, flags);
	} while (conn >= 0 && !secret_serve(conn));
	return conn < 0 ? 2 : 0;
}

/* @busy: has slept in accept(), and has other work for a byte behind each peer */
static int busy(int argc, char **argv)
{
	int listener = under_listen(THIS, 0), conn;
	struct timeval tv = { .tv_usec = 100000 };
	char c;

	(void)argc;
	(void)argv;
	setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	puts(secret_error(accept(listener, NULL, NULL)));
	tv.tv_usec = 0;
	setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	printf("begun %d\n", getpid());
	for (;;) {
		conn = accept(listener, NULL, NULL);
		puts(secret_error(conn));
		if (conn < 0)
			return 2;
		if (secret_serve(conn))
			return 0;
		if (read(STDIN_FILENO, &c, 1) != 1)
			return 3;
	}
}

/* @looks: by poll(), at a listener that blocks, each time before it accepts */
static int looks(int argc, char **argv)
{
	struct pollfd poll_fd = { .events = POLLIN };
	int conn;

	(void)argc;
	(void)argv;
	poll_fd.fd = under_listen(THIS, 0);
	printf("begun %d\n", getpid());
	do {
		poll(&poll_fd, 1, -1);
		conn = accept(poll_fd.fd, NULL, NULL);
		puts(secret_error(conn));
	} while (conn < 0 ? errno == EINTR : !secret_serve(conn));
	return conn < 0 ? 2 : 0;
}

UNDER_ROLES({ "@cross", cross }, { "@held", held }, { "@busy", busy },
	    { "@looks", looks })

/* Each is in connect() until the other one has been served. */
static void cross_of(struct __test_metadata *_metadata,
		     FIXTURE_DATA(secret) *self, const char *how)
{
	char role[64], said[4096];
	struct under other;

	snprintf(role, sizeof(role), "@cross %d %d %s", OTHER, THIS, how);
	ASSERT_EQ(0, under_start(&other, 0, OPTIONS, role));
	ASSERT_EQ(0, under_line(&other, self->line, sizeof(self->line)));
	snprintf(role, sizeof(role), "@cross %d %d %s", THIS, OTHER, how);
	START(role);
	BEGUN();
	ASSERT_EQ(2, write(self->words[1], "xx", 2));
	EXPECT_EQ(0, END());
	EXPECT_EQ(0, under_end(&other, said, sizeof(said)));
	EXPECT_STREQ("0\nown hello\nreply\n", self->said);
	EXPECT_STREQ("0\nown hello\nreply\n", said);
}

TEST_F(secret, cross__blocking)
{
	cross_of(_metadata, self, "block");
}

TEST_F(secret, cross__nonblocking)
{
	cross_of(_metadata, self, "poll");
}

TEST_F(secret, cross__threads)
{
	cross_of(_metadata, self, "threads");
}

#define PEERS	5

/*
 * Peers exchange keys with a program that is in connect(): one behind the other, so
 * that most find some that are done, and a ring, before them.
 */
static void peers_of(struct __test_metadata *_metadata,
		     FIXTURE_DATA(secret) *self, const char *role)
{
	int listener = under_listen(OTHER, 0), conn, fds[PEERS], i;
	char buf[16];

	ASSERT_EQ(0, nst_tcp(listener, &secret_strict));
	START(role);
	BEGUN();
	conn = secret_accept(listener);
	ASSERT_LE(0, conn);
	for (i = 0; i < PEERS; i++) {
		fds[i] = secret_dial();
		ASSERT_LE(0, fds[i]);
		EXPECT_EQ(0, nst_exchange(fds[i], NULL, LONG));
		EXPECT_LT(0, send(fds[i], i < PEERS - 1 ? "hello" : "end",
				  i < PEERS - 1 ? 5 : 3, 0));
	}
	/* It was held up all the time. */
	EXPECT_EQ(0, nst_exchange(conn, NULL, LONG));
	LINE_IS("0");
	for (i = 0; i < PEERS; i++)
		EXPECT_EQ(5, recv(fds[i], buf, sizeof(buf), 0));
	EXPECT_EQ(0, END());
	EXPECT_STREQ("own hello\nown hello\nown hello\nown hello\nown end\n",
		     self->said);
	for (i = 0; i < PEERS; i++)
		close(fds[i]);
	close(conn);
	close(listener);
}

TEST_F(secret, held__peers)
{
	peers_of(_metadata, self, "@held block");
}

TEST_F(secret, held__peers_poll)
{
	peers_of(_metadata, self, "@held poll");
}

TEST_F(secret, held__peers_inherited)
{
	int listener = under_listen(THIS, 0);

	dup2(listener, STDIN_FILENO);
	close(listener);
	peers_of(_metadata, self, "@held inherits");
	close(STDIN_FILENO);
}

static pid_t parent_of(pid_t pid)
{
	char path[64];
	int parent = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "r");
	if (!file || fscanf(file, "%*d (%*[^)]) %*c %d", &parent) != 1)
		parent = -1;
	if (file)
		fclose(file);
	return parent;
}

/*
 * While nst-run has no descriptor to spare it cannot look at the listener; when it
 * has one again it does, and not when the program's own peer answers.
 */
TEST_F(secret, held__descriptors)
{
	int listener = under_listen(OTHER, 0), conn, fd;
	struct rlimit limit, none;
	pid_t supervisor;

	ASSERT_EQ(0, nst_tcp(listener, &secret_strict));
	START("@held block");
	BEGUN();
	conn = secret_accept(listener);
	ASSERT_LE(0, conn);
	supervisor = parent_of(self->program);
	ASSERT_LT(1, supervisor);
	ASSERT_EQ(0, prlimit(supervisor, RLIMIT_NOFILE, NULL, &limit));
	/* All that are below it are in use. */
	none = limit;
	none.rlim_cur = 3;
	ASSERT_EQ(0, prlimit(supervisor, RLIMIT_NOFILE, &none, NULL));
	fd = secret_dial();
	ASSERT_LE(0, fd);
	/* Time for it to find that; on a machine without, nothing is tried. */
	usleep(500000);
	ASSERT_EQ(0, prlimit(supervisor, RLIMIT_NOFILE, &limit, NULL));
	EXPECT_EQ(0, nst_exchange(fd, NULL, LONG));
	EXPECT_EQ(3, send(fd, "end", 3, 0));
	EXPECT_EQ(0, nst_exchange(conn, NULL, LONG));
	LINE_IS("0");
	EXPECT_EQ(0, END());
	EXPECT_STREQ("own end\n", self->said);
	close(fd);
	close(conn);
	close(listener);
}

/* Strangers come and go, to the queue of a listener that nobody looks at. */
static void strangers(struct __test_metadata *_metadata)
{
	int i, fd;

	for (i = 0; i < 5; i++) {
		fd = i % 2 ? secret_dial() : secret_plain(THIS, 0);
		ASSERT_LE(0, fd);
		close(fd);
	}
}

/* Who sleeps in accept() hears of none of them, also if it was elsewhere just then. */
TEST_F(secret, strangers__busy)
{
	START("@busy");
	LINE_IS("EAGAIN");
	BEGUN();
	EXPECT_EQ(0, secret_peer("hello"));
	LINE_IS("0");
	LINE_IS("own hello");
	strangers(_metadata);
	ASSERT_EQ(1, write(self->words[1], "x", 1));
	EXPECT_EQ(0, secret_peer("end"));
	EXPECT_EQ(0, END());
	EXPECT_EQ(NULL, strstr(self->said, "EINTR"));
	EXPECT_NE(NULL, strstr(self->said, "own end\n"));
}

/* Who was told by poll() of a stranger is not kept in accept(). */
TEST_F(secret, strangers__looks)
{
	START("@looks");
	BEGUN();
	strangers(_metadata);
	do {
		LINE();
	} while (strcmp(self->line, "EINTR"));
	EXPECT_EQ(0, secret_peer("end"));
	EXPECT_EQ(0, END());
	EXPECT_NE(NULL, strstr(self->said, "own end\n"));
}

TEST_HARNESS_MAIN
