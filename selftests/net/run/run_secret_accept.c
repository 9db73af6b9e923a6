// SPDX-License-Identifier: GPL-2.0
/*
 * nst-run --forward-secret: what a program accepts has exchanged keys, however it
 * waits, and whatever peers do that exchange none.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/nst.h>
#include <netinet/tcp.h>
#include <nst/exchange.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "secrettest.h"

static int wait_poll(int fd, int other)
{
	struct pollfd fds[] = { { .fd = fd, .events = POLLIN },
				{ .fd = other, .events = POLLIN } };

	poll(fds, 2, -1);
	return fds[1].revents ? other : fd;
}

static int wait_select(int fd, int other)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(fd, &set);
	FD_SET(other, &set);
	select((fd > other ? fd : other) + 1, &set, NULL, NULL, NULL);
	return FD_ISSET(other, &set) ? other : fd;
}

/* Edges alone, so one that is lost is the end. */
static int wait_epoll(int fd, int other)
{
	static int epfd = -1;
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };

	if (epfd < 0) {
		epfd = epoll_create1(0);
		event.data.fd = fd;
		epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &event);
		event.data.fd = other;
		epoll_ctl(epfd, EPOLL_CTL_ADD, other, &event);
	}
	if (epoll_wait(epfd, &event, 1, -1) < 0)
		return -1;
	return event.data.fd;
}

/* One thread for all: connections, and words of standard input that it echoes */
static int loop(int fd, int (*wait_for)(int fd, int other))
{
	char word[16];
	int at, conn;
	ssize_t n;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	for (;;) {
		at = wait_for(fd, STDIN_FILENO);
		if (at == STDIN_FILENO) {
			n = read(STDIN_FILENO, word, sizeof(word));
			if (n <= 0)
				return 0;
			printf("%.*s\n", (int)n, word);
			continue;
		}
		while ((conn = accept4(fd, NULL, NULL, SOCK_CLOEXEC)) >= 0)
			if (secret_serve(conn))
				return 0;
		if (errno != EAGAIN)
			return 3;
	}
}

/* @server block|poll|select|epoll: until one says "end" */
static int server(int argc, char **argv)
{
	int fd = under_listen(UNDER_COVERED, 0), conn;
	struct sockaddr_storage addr;
	socklen_t len;

	(void)argc;
	if (fd < 0)
		puts(secret_error(fd));
	else
		printf("begun %d\n", getpid());
	if (!strcmp(argv[1], "poll"))
		return loop(fd, wait_poll);
	if (!strcmp(argv[1], "select"))
		return loop(fd, wait_select);
	if (!strcmp(argv[1], "epoll"))
		return loop(fd, wait_epoll);
	for (;;) {
		len = sizeof(addr);
		conn = accept(fd, (void *)&addr, &len);
		if (conn < 0 && errno == EINTR)
			continue;
		if (conn < 0 || addr.ss_family != AF_INET ||
		    len != sizeof(struct sockaddr_in))
			return 2;
		if (secret_serve(conn))
			return 0;
	}
}

static int listen_more(int family, int option)
{
	struct sockaddr_in6 in6 = {
		.sin6_family = AF_INET6, .sin6_port = htons(UNDER_COVERED),
	};
	struct sockaddr_in in = under_addr(UNDER_COVERED);
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
	void *addr = family == AF_INET ? (void *)&in : (void *)&in6;
	socklen_t len = family == AF_INET ? sizeof(in) : sizeof(in6);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (option == SO_REUSEPORT)
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	if (bind(fd, addr, len) || listen(fd, 10))
		return -1;
	if (option == TCP_DEFER_ACCEPT)
		setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &(int){ 30 },
			   sizeof(int));
	return fd;
}

/* @listeners six|shared|defer: as "@server poll", with such ones */
static int listeners(int argc, char **argv)
{
	int fds[4], nr = 1, i, at, conn;
	struct pollfd poll_fds[4];

	(void)argc;
	if (!strcmp(argv[1], "shared"))
		nr = 4;
	for (i = 0; i < nr; i++) {
		fds[i] = !strcmp(argv[1], "six") ? listen_more(AF_INET6, 0) :
			listen_more(AF_INET, nr > 1 ? SO_REUSEPORT :
				    TCP_DEFER_ACCEPT);
		if (fds[i] < 0)
			return 2;
		poll_fds[i] = (struct pollfd){ .fd = fds[i], .events = POLLIN };
	}
	printf("begun %d\n", getpid());
	for (;;) {
		poll(poll_fds, nr, -1);
		for (at = 0; at < nr; at++) {
			if (!poll_fds[at].revents)
				continue;
			/* One for each time that it is told of one */
			conn = accept(fds[at], NULL, NULL);
			if (conn < 0 && errno != EAGAIN)
				return 3;
			if (conn >= 0 && secret_serve(conn))
				return 0;
		}
	}
}

/* @full: accept() with no descriptor left, then with one; and other arguments */
static int full(int argc, char **argv)
{
	int fd = under_listen(UNDER_COVERED, 0), conn, n = 0;
	struct rlimit limit = { 64, 64 };
	struct sockaddr_storage addr = { 0 };
	socklen_t len = 2;
	int fds[64];

	(void)argc;
	(void)argv;
	setrlimit(RLIMIT_NOFILE, &limit);
	printf("begun %d\n", getpid());
	while (n < 64 && (fds[n] = dup(0)) >= 0)
		n++;
	puts(secret_error(accept(fd, NULL, NULL)));
	close(fds[--n]);
	conn = accept(fd, (void *)&addr, &len);
	printf("%s %d %d\n", secret_error(conn), addr.ss_family, len);
	printf("%d\n", fcntl(conn, F_GETFD) | (fcntl(conn, F_GETFL) & O_NONBLOCK));
	close(conn);
	conn = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	printf("%d\n", fcntl(conn, F_GETFD) |
	       (fcntl(conn, F_GETFL) & O_NONBLOCK ? 2 : 0));
	close(conn);
	puts(secret_error(accept4(fd, NULL, NULL, 12345)));
	len = -1;
	puts(secret_error(accept(fd, (void *)&addr, &len)));
	len = 16;
	puts(secret_error(accept(fd, (void *)8, &len)));
	return 0;
}

static void *other_thread(void *unused)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "\0secret" };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (connect(fd, (void *)&un, 20) || send(fd, "unix", 4, 0) != 4)
		puts(secret_error(-1));
	fd = secret_plain(UNDER_OTHER, 0);
	if (fd < 0 || send(fd, "tcp", 3, 0) != 3)
		puts(secret_error(-1));
	pause();
	return unused;
}

/* @threads: accept() of a program with two, on what is not covered */
static int threads(int argc, char **argv)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "\0secret" };
	int unix_fd = socket(AF_UNIX, SOCK_STREAM, 0), conn;
	int tcp = under_listen(UNDER_OTHER, 0);
	pthread_t thread;
	char buf[16] = "";

	(void)argc;
	(void)argv;
	if (bind(unix_fd, (void *)&un, 20) || listen(unix_fd, 1) || tcp < 0)
		return 2;
	pthread_create(&thread, NULL, other_thread, NULL);
	conn = accept(unix_fd, NULL, NULL);
	if (recv(conn, buf, sizeof(buf), 0) > 0)
		puts(buf);
	memset(buf, 0, sizeof(buf));
	conn = accept(tcp, NULL, NULL);
	if (recv(conn, buf, sizeof(buf), 0) > 0)
		puts(buf);
	printf("%s\n", under_keyed(conn) ? "keyed" : "plain");
	return 0;
}

UNDER_ROLES({ "@server", server }, { "@listeners", listeners },
	    { "@full", full }, { "@threads", threads })

/* @how: as the server waits */
static void server_of(struct __test_metadata *_metadata,
		      FIXTURE_DATA(secret) *self, const char *role)
{
	int i;

	START(role);
	BEGUN();
	for (i = 0; i < 5; i++) {
		EXPECT_EQ(0, secret_peer("hello"));
		LINE_IS("own hello");
	}
	EXPECT_EQ(0, secret_peer("end"));
	EXPECT_EQ(0, END());
	EXPECT_STREQ("own end\n", self->said);
}

TEST_F(secret, accept__blocking)
{
	server_of(_metadata, self, "@server block");
}

TEST_F(secret, accept__poll)
{
	server_of(_metadata, self, "@server poll");
}

TEST_F(secret, accept__select)
{
	server_of(_metadata, self, "@server select");
}

TEST_F(secret, accept__epoll)
{
	server_of(_metadata, self, "@server epoll");
}

TEST_F(secret, accept__ipv6)
{
	server_of(_metadata, self, "@listeners six");
}

TEST_F(secret, accept__shared_port)
{
	server_of(_metadata, self, "@listeners shared");
}

TEST_F(secret, accept__deferred)
{
	server_of(_metadata, self, "@listeners defer");
}

#define SILENT	20

/*
 * Peers that say nothing, without NST and with it, hold up neither another one
 * nor whatever else the server's one thread does; then they are sent away (if
 * @loops is 2, to save the time of waiting for that everywhere).
 */
static void silence(struct __test_metadata *_metadata,
		    FIXTURE_DATA(secret) *self, const char *role, int loops)
{
	int i, fds[SILENT];

	START(role);
	BEGUN();
	for (i = 0; i < SILENT; i++) {
		fds[i] = i % 2 ? secret_dial() : secret_plain(UNDER_COVERED, 0);
		ASSERT_LE(0, fds[i]);
	}
	EXPECT_EQ(0, secret_peer("hello"));
	LINE_IS("own hello");
	if (loops) {
		ASSERT_EQ(4, write(self->words[1], "word", 4));
		LINE_IS("word");
	}
	/* They stood all the time, or it would prove nothing. */
	EXPECT_EQ(TCP_ESTABLISHED, secret_state(fds[SILENT - 1]));
	if (loops > 1)
		EXPECT_EQ(1, secret_ended(fds[0]) && secret_ended(fds[1]));
	EXPECT_EQ(0, secret_peer("end"));
	for (i = 0; i < SILENT; i++)
		close(fds[i]);
	EXPECT_EQ(0, END());
	if (loops > 1)
		EXPECT_NE(NULL, strstr(self->said, "accept() on port 7100/tcp refused: ETIMEDOUT"));
	EXPECT_NE(NULL, strstr(self->said, "own end\n"));
}

TEST_F(secret, accept__silent_peers)
{
	silence(_metadata, self, "@server block", 0);
}

TEST_F(secret, accept__silent_peers_poll)
{
	silence(_metadata, self, "@server poll", 2);
}

TEST_F(secret, accept__silent_peers_epoll)
{
	silence(_metadata, self, "@server epoll", 1);
}

/* What a peer says that exchanges no keys the program never has. */
TEST_F(secret, accept__peer_without)
{
	int fd;

	START("@server poll");
	BEGUN();
	fd = secret_dial();
	ASSERT_LE(0, fd);
	EXPECT_EQ((ssize_t)strlen(UNDER_MARK),
		  send(fd, UNDER_MARK, strlen(UNDER_MARK), MSG_NOSIGNAL));
	EXPECT_EQ(1, secret_ended(fd));
	close(fd);
	fd = secret_plain(UNDER_COVERED, 0);
	send(fd, UNDER_MARK, strlen(UNDER_MARK), MSG_NOSIGNAL);
	EXPECT_EQ(1, secret_ended(fd));
	close(fd);
	EXPECT_EQ(0, secret_peer("end"));
	EXPECT_EQ(0, END());
	EXPECT_NE(NULL, strstr(self->said, "accept() on port 7100/tcp refused: EPROTO"));
	EXPECT_EQ(NULL, strstr(self->said, UNDER_MARK));
}

/* A peer that goes in the middle, at each step. */
TEST_F(secret, accept__peer_that_goes)
{
	struct nst_exchange *ex;
	int i, fd;

	START("@server block");
	BEGUN();
	for (i = 0; i < 3; i++) {
		fd = secret_dial();
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, nst_exchange_new(&ex, fd, NULL));
		if (i)
			EXPECT_LE(0, nst_exchange_step(ex));
		if (i > 1)
			usleep(100000);
		nst_exchange_free(ex);
		close(fd);
	}
	EXPECT_EQ(0, secret_peer("end"));
	EXPECT_EQ(0, END());
	EXPECT_NE(NULL, strstr(self->said, "own end\n"));
}

TEST_F(secret, accept__arguments)
{
	pid_t child;
	int i;

	START("@full");
	BEGUN();
	child = fork();
	if (!child) {
		for (i = 0; i < 4; i++)
			secret_peer("hello");
		_exit(0);
	}
	EXPECT_EQ(0, END());
	EXPECT_STREQ("EMFILE\n0 2 16\n0\n3\nEINVAL\nEINVAL\nEFAULT\n",
		     self->said);
	waitpid(child, NULL, 0);
}

TEST_F(secret, accept__of_threads)
{
	EXPECT_EQ(0, under_run(OPTIONS, "@threads", self->said,
			       sizeof(self->said)));
	EXPECT_STREQ("unix\ntcp\nplain\n", self->said);
}

TEST_F(secret, accept__in_a_namespace)
{
	EXPECT_EQ(2, under_run("--forward-secret --tcp 7100 -- unshare -n",
			       "@server block", self->said, sizeof(self->said)));
	EXPECT_NE(NULL, strstr(self->said, "another network namespace"));
	EXPECT_NE(NULL, strstr(self->said, "EACCES\n"));
}

TEST_HARNESS_MAIN
