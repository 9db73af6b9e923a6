// SPDX-License-Identifier: GPL-2.0
/*
 * nst-run --forward-secret: the program's first byte comes behind an exchange of
 * keys, at either end, however it connects, accepts and waits. Peers are those of
 * libnst-exchange, and others that deviate.
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
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "nsttest.h"
#include "undertest.h"

#define OPTIONS		"--forward-secret --tcp 7100-7109"
#define LONG		(nsttest_patience(40) * 1000)

static const char *error_name(long ret)
{
	return ret < 0 ? strerrorname_np(errno) : "0";
}

/* Has it keys of its own, in both directions, and not those of the box? */
static const char *keys_of(int fd)
{
	struct nst_crypto_info tx, rx;
	socklen_t len = sizeof(tx);

	if (getsockopt(fd, SOL_NST, NST_TX, &tx, &len) ||
	    getsockopt(fd, SOL_NST, NST_RX, &rx, &len))
		return "none";
	return tx.nr_keys == 1 && rx.nr_keys == 1 ? "own" : "box";
}

static int state_of(int fd)
{
	struct tcp_info info = { .tcpi_state = 99 };
	socklen_t len = sizeof(info);

	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);
	return info.tcpi_state;
}

static int dial(int port, int flags)
{
	struct sockaddr_in addr = under_addr(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

	if (fd < 0 || (connect(fd, (void *)&addr, sizeof(addr)) &&
		       errno != EINPROGRESS))
		return -1;
	return fd;
}

static int has_ended(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	char buf[4096];
	ssize_t n;

	for (;;) {
		if (poll(&poll_fd, 1, LONG) != 1)
			return 0;
		n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
		if (n <= 0)
			return 1;
	}
}

/* --- programs --------------------------------------------------------------- */

/* @client block|poll|epoll: what connect() says, then sends whatever it said */
static int client(int argc, char **argv)
{
	int type = SOCK_STREAM, fd, ret;
	struct sockaddr_in addr = under_addr(UNDER_COVERED);
	char buf[64] = "";

	(void)argc;
	printf("begun %d\n", getpid());
	if (strcmp(argv[1], "block"))
		type |= SOCK_NONBLOCK;
	fd = socket(AF_INET, type, 0);
	ret = connect(fd, (void *)&addr, sizeof(addr));
	printf("%s %s\n", error_name(ret), keys_of(fd));
	ret = send(fd, UNDER_MARK, strlen(UNDER_MARK), MSG_NOSIGNAL);
	puts(error_name(ret));
	fcntl(fd, F_SETFL, 0);
	if (ret > 0 && recv(fd, buf, sizeof(buf), 0) == 5)
		puts(buf);
	return 0;
}

/* @again: a second connect() on what stands says so, and breaks nothing */
static int again(int argc, char **argv)
{
	struct sockaddr_in addr = under_addr(UNDER_COVERED);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	char buf[64] = "";

	(void)argc;
	(void)argv;
	printf("begun %d\n", getpid());
	puts(error_name(connect(fd, (void *)&addr, sizeof(addr))));
	puts(error_name(connect(fd, (void *)&addr, sizeof(addr))));
	send(fd, UNDER_MARK, strlen(UNDER_MARK), MSG_NOSIGNAL);
	fcntl(fd, F_SETFL, 0);
	if (recv(fd, buf, sizeof(buf), 0) == 5)
		puts(buf);
	return 0;
}

static void nothing(int sig)
{
	(void)sig;
}

/* @ended signal|time: a connect() to silence, and what it leaves */
static int ended(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = nothing };
	struct itimerval timer = { { 0, 300000 }, { 0, 300000 } };
	struct sockaddr_in addr = under_addr(UNDER_COVERED);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct timeval tv = { .tv_usec = 300000 };

	(void)argc;
	addr.sin_addr.s_addr = htonl(0x0a4d0002);
	if (!strcmp(argv[1], "time")) {
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	} else if (!strcmp(argv[1], "signal")) {
		sigaction(SIGALRM, &action, NULL);
		setitimer(ITIMER_REAL, &timer, NULL);
	} else {
		fcntl(fd, F_SETFL, O_NONBLOCK);
	}
	puts(error_name(connect(fd, (void *)&addr, sizeof(addr))));
	printf("%s\n", state_of(fd) == TCP_CLOSE ? "closed" : "open");
	return 0;
}

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

static int serve(int conn)
{
	char buf[256] = "";
	ssize_t n;

	fcntl(conn, F_SETFL, 0);
	n = recv(conn, buf, sizeof(buf) - 1, 0);
	printf("%s %s\n", keys_of(conn), n > 0 ? buf : error_name(n));
	send(conn, "reply", 5, MSG_NOSIGNAL);
	close(conn);
	return n == 3 && !memcmp(buf, "end", 3);
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
			if (serve(conn))
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
		puts(error_name(fd));
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
		if (serve(conn))
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
			if (conn >= 0 && serve(conn))
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
	puts(error_name(accept(fd, NULL, NULL)));
	close(fds[--n]);
	conn = accept(fd, (void *)&addr, &len);
	printf("%s %d %d\n", error_name(conn), addr.ss_family, len);
	printf("%d\n", fcntl(conn, F_GETFD) | (fcntl(conn, F_GETFL) & O_NONBLOCK));
	close(conn);
	conn = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	printf("%d\n", fcntl(conn, F_GETFD) |
	       (fcntl(conn, F_GETFL) & O_NONBLOCK ? 2 : 0));
	close(conn);
	puts(error_name(accept4(fd, NULL, NULL, 12345)));
	len = -1;
	puts(error_name(accept(fd, (void *)&addr, &len)));
	len = 16;
	puts(error_name(accept(fd, (void *)8, &len)));
	return 0;
}

static void *other_thread(void *unused)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "\0secret" };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (connect(fd, (void *)&un, 20) || send(fd, "unix", 4, 0) != 4)
		puts(error_name(-1));
	fd = dial(UNDER_OTHER, 0);
	if (fd < 0 || send(fd, "tcp", 3, 0) != 3)
		puts(error_name(-1));
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

/* @inetd: a connection is its standard input */
static int inetd(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return serve(STDIN_FILENO) ? 0 : 1;
}

UNDER_ROLES({ "@client", client }, { "@again", again }, { "@ended", ended },
	    { "@server", server }, { "@listeners", listeners },
	    { "@full", full }, { "@threads", threads },
	    { "@inetd", inetd })

/* --- tests ------------------------------------------------------------------ */

FIXTURE(secret) {
	struct under under;
	char said[8192], line[256];
	int listener, words[2];
	pid_t program;
};

/* "begun PID" */
static pid_t begun_by(const char *line)
{
	return strncmp(line, "begun ", 6) ? -1 : atoi(line + 6);
}

FIXTURE_SETUP(secret)
{
	ASSERT_EQ(0, under_box());
	self->listener = -1;
	ASSERT_EQ(0, pipe2(self->words, O_CLOEXEC));
	dup2(self->words[0], STDIN_FILENO);
}

FIXTURE_TEARDOWN(secret)
{
	close(self->listener);
	close(self->words[0]);
	close(self->words[1]);
}

#define END()		under_end(&self->under, self->said, sizeof(self->said))
#define START(role)	ASSERT_EQ(0, under_start(&self->under, 0, OPTIONS, role))
#define LINE()		ASSERT_EQ(0, under_line(&self->under, self->line, \
						sizeof(self->line)))
#define BEGUN()		do {						\
	LINE();								\
	self->program = begun_by(self->line);				\
	ASSERT_LT(0, self->program);					\
} while (0)
#define LINE_IS(s)	do { LINE(); EXPECT_STREQ(s, self->line); } while (0)

static const struct nst_opts strict = {
	.size = sizeof(strict), .flags = NST_F_STRICT,
};

static int listener_of(int nst)
{
	int fd = under_listen(UNDER_COVERED, 0);

	if (fd >= 0 && nst && nst_tcp(fd, &strict))
		return -1;
	return fd;
}

static int accept_one(int listener)
{
	struct pollfd poll_fd = { .fd = listener, .events = POLLIN };

	if (poll(&poll_fd, 1, LONG) != 1)
		return -1;
	return accept4(listener, NULL, NULL, SOCK_CLOEXEC);
}

static int dial_nst(void)
{
	struct sockaddr_in addr = under_addr(UNDER_COVERED);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (nst_tcp(fd, &strict) ||
	    connect(fd, (void *)&addr, sizeof(addr)))
		return -1;
	return fd;
}

/* A peer as it should be: says a word, and is answered. */
static int good_peer(const char *word)
{
	int fd = dial_nst(), err;
	char buf[16] = "";

	err = fd < 0 ? -1 : nst_exchange(fd, NULL, LONG);
	if (!err && (send(fd, word, strlen(word), MSG_NOSIGNAL) < 0 ||
		     recv(fd, buf, sizeof(buf), 0) != 5))
		err = -1;
	close(fd);
	return err;
}

static void client_of(struct __test_metadata *_metadata,
		      FIXTURE_DATA(secret) *self, const char *role)
{
	char buf[256] = "";
	int conn;

	self->listener = listener_of(1);
	START(role);
	BEGUN();
	conn = accept_one(self->listener);
	EXPECT_EQ(0, nst_exchange(conn, NULL, LONG));
	EXPECT_EQ((ssize_t)strlen(UNDER_MARK), recv(conn, buf, sizeof(buf), 0));
	EXPECT_STREQ(UNDER_MARK, buf);
	EXPECT_EQ(5, send(conn, "reply", 5, 0));
	EXPECT_EQ(0, END());
	close(conn);
}

TEST_F(secret, connect__blocking)
{
	client_of(_metadata, self, "@client block");
	EXPECT_STREQ("0 own\n0\nreply\n", self->said);
}

TEST_F(secret, connect__nonblocking)
{
	client_of(_metadata, self, "@client poll");
	EXPECT_STREQ("0 own\n0\nreply\n", self->said);
}

TEST_F(secret, connect__twice)
{
	client_of(_metadata, self, "@again");
	EXPECT_STREQ("0\nEISCONN\nreply\n", self->said);
}

/* The program sends in spite of what connect() says, and nothing comes. */
static void expect_nothing(struct __test_metadata *_metadata,
			   FIXTURE_DATA(secret) *self, const char *error)
{
	char expected[64];

	EXPECT_EQ(0, END());
	snprintf(expected, sizeof(expected), "%s box\nEPIPE\n", error);
	EXPECT_NE(NULL, strstr(self->said, expected));
	EXPECT_NE(NULL, strstr(self->said, "connect() to port 7100/tcp refused: "));
	EXPECT_NE(NULL, strstr(self->said, error));
}

/* A peer with the box that knows of no exchange, and waits for the program */
TEST_F(secret, connect__silent_peer)
{
	unsigned char body[64];
	uint8_t type = 0;
	int conn;

	self->listener = listener_of(1);
	START("@client block");
	BEGUN();
	conn = accept_one(self->listener);
	/* message 1, and then nothing but the end */
	EXPECT_EQ(35, nst_recv_record(conn, &type, body, sizeof(body), 0));
	EXPECT_EQ(254, type);
	EXPECT_EQ(0, nst_recv_record(conn, &type, body, sizeof(body), 0));
	EXPECT_EQ(NST_TYPE_DATA, type);
	close(conn);
	expect_nothing(_metadata, self, "ETIMEDOUT");
}

TEST_F(secret, connect__peer_that_speaks)
{
	unsigned char body[64];
	uint8_t type = 0;
	int conn;

	self->listener = listener_of(1);
	START("@client block");
	BEGUN();
	conn = accept_one(self->listener);
	EXPECT_EQ(35, nst_recv_record(conn, &type, body, sizeof(body), 0));
	EXPECT_EQ(5, send(conn, "hello", 5, 0));
	EXPECT_EQ(0, nst_recv_record(conn, &type, body, sizeof(body), 0));
	close(conn);
	expect_nothing(_metadata, self, "EPROTO");
}

TEST_F(secret, connect__peer_that_goes)
{
	unsigned char body[64];
	uint8_t type = 0;
	int conn;

	self->listener = listener_of(1);
	START("@client poll");
	BEGUN();
	conn = accept_one(self->listener);
	EXPECT_EQ(35, nst_recv_record(conn, &type, body, sizeof(body), 0));
	close(conn);
	expect_nothing(_metadata, self, "ECONNABORTED");
}

/* A peer without NST sees one empty record, and an end. */
TEST_F(secret, connect__plain_peer)
{
	size_t got;
	int conn;

	self->listener = listener_of(0);
	START("@client poll");
	BEGUN();
	conn = accept_one(self->listener);
	EXPECT_EQ(0, under_plain(conn, LONG, &got));
	EXPECT_EQ(48, got);
	close(conn);
	EXPECT_EQ(0, END());
	EXPECT_NE(NULL, strstr(self->said, "ETIMEDOUT box\nEPIPE\n"));
}

/* A call that ends before there is a connection leaves none to come. */
TEST_F(secret, connect__ended)
{
	if (system("ip link show dummy0 >/tmp/dummy 2>&1")) {
		ASSERT_EQ(0, system("ip link add dummy0 type dummy"));
		ASSERT_EQ(0, system("ip addr add 10.77.0.1/24 dev dummy0"));
		ASSERT_EQ(0, system("ip link set dummy0 up arp off"));
	}
	EXPECT_EQ(0, under_run(OPTIONS, "@ended signal", self->said,
			       sizeof(self->said)));
	EXPECT_STREQ("EINTR\nclosed\n", self->said);
	EXPECT_EQ(0, under_run(OPTIONS, "@ended time", self->said,
			       sizeof(self->said)));
	EXPECT_STREQ("EINPROGRESS\nclosed\n", self->said);
	EXPECT_EQ(0, under_run(OPTIONS, "@ended nonblock", self->said,
			       sizeof(self->said)));
	EXPECT_NE(NULL, strstr(self->said, "ETIMEDOUT\nclosed\n"));
}

/* Killed in the middle: its connection goes with it. */
TEST_F(secret, connect__killed)
{
	unsigned char body[64];
	uint8_t type = 0;
	int conn;

	self->listener = listener_of(1);
	START("@client block");
	BEGUN();
	conn = accept_one(self->listener);
	EXPECT_EQ(35, nst_recv_record(conn, &type, body, sizeof(body), 0));
	EXPECT_EQ(0, kill(self->program, SIGKILL));
	EXPECT_EQ(1, has_ended(conn));
	close(conn);
	END();
}

/* @how: as the server waits */
static void server_of(struct __test_metadata *_metadata,
		      FIXTURE_DATA(secret) *self, const char *role)
{
	int i;

	START(role);
	BEGUN();
	for (i = 0; i < 5; i++) {
		EXPECT_EQ(0, good_peer("hello"));
		LINE_IS("own hello");
	}
	EXPECT_EQ(0, good_peer("end"));
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
		fds[i] = i % 2 ? dial_nst() : dial(UNDER_COVERED, 0);
		ASSERT_LE(0, fds[i]);
	}
	EXPECT_EQ(0, good_peer("hello"));
	LINE_IS("own hello");
	if (loops) {
		ASSERT_EQ(4, write(self->words[1], "word", 4));
		LINE_IS("word");
	}
	/* They stood all the time, or it would prove nothing. */
	EXPECT_EQ(TCP_ESTABLISHED, state_of(fds[SILENT - 1]));
	if (loops > 1)
		EXPECT_EQ(1, has_ended(fds[0]) && has_ended(fds[1]));
	EXPECT_EQ(0, good_peer("end"));
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

/* More than may wait: those that are silent for longest go, and not the good. */
TEST_F(secret, accept__crowd)
{
	int i, fds[600];

	START("@server epoll");
	BEGUN();
	for (i = 0; i < 600; i++) {
		fds[i] = dial(UNDER_COVERED, 0);
		ASSERT_LE(0, fds[i]);
	}
	EXPECT_EQ(0, good_peer("end"));
	EXPECT_EQ(1, has_ended(fds[0]));
	EXPECT_EQ(0, END());
	EXPECT_NE(NULL, strstr(self->said, "own end\n"));
	for (i = 0; i < 600; i++)
		close(fds[i]);
}

/* What a peer says that exchanges no keys the program never has. */
TEST_F(secret, accept__peer_without)
{
	int fd;

	START("@server poll");
	BEGUN();
	fd = dial_nst();
	ASSERT_LE(0, fd);
	EXPECT_EQ((ssize_t)strlen(UNDER_MARK),
		  send(fd, UNDER_MARK, strlen(UNDER_MARK), MSG_NOSIGNAL));
	EXPECT_EQ(1, has_ended(fd));
	close(fd);
	fd = dial(UNDER_COVERED, 0);
	send(fd, UNDER_MARK, strlen(UNDER_MARK), MSG_NOSIGNAL);
	EXPECT_EQ(1, has_ended(fd));
	close(fd);
	EXPECT_EQ(0, good_peer("end"));
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
		fd = dial_nst();
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, nst_exchange_new(&ex, fd, NULL));
		if (i)
			EXPECT_LE(0, nst_exchange_step(ex));
		if (i > 1)
			usleep(100000);
		nst_exchange_free(ex);
		close(fd);
	}
	EXPECT_EQ(0, good_peer("end"));
	EXPECT_EQ(0, END());
	EXPECT_NE(NULL, strstr(self->said, "own end\n"));
}

/* The program goes in the middle: so do those that waited for it. */
TEST_F(secret, accept__killed)
{
	int fd, done;

	START("@server poll");
	BEGUN();
	fd = dial_nst();
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, good_peer("hello"));
	kill(self->program, SIGSTOP);
	done = dial_nst();
	kill(self->program, SIGKILL);
	EXPECT_EQ(1, has_ended(fd));
	EXPECT_EQ(1, has_ended(done));
	close(fd);
	close(done);
	END();
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
			good_peer("hello");
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

/* A connection that nst-run was given, as by inetd */
TEST_F(secret, handed__connection)
{
	int listener = under_listen(UNDER_COVERED, 0), fd, conn, other;

	fd = dial_nst();
	conn = accept_one(listener);
	ASSERT_LE(0, conn);
	dup2(conn, STDIN_FILENO);
	/* And by another number */
	other = dup(conn);
	close(conn);
	close(listener);
	START("@inetd");
	close(STDIN_FILENO);
	close(other);
	EXPECT_EQ(0, nst_exchange(fd, NULL, LONG));
	EXPECT_EQ(3, send(fd, "end", 3, 0));
	EXPECT_EQ(0, END());
	EXPECT_STREQ("own end\n", self->said);
	close(fd);
}

TEST_F(secret, handed__connection_of_a_peer_without)
{
	int listener = under_listen(UNDER_COVERED, 0), fd, conn;

	fd = dial_nst();
	conn = accept_one(listener);
	ASSERT_LE(0, conn);
	dup2(conn, STDIN_FILENO);
	close(conn);
	close(listener);
	START("@inetd");
	close(STDIN_FILENO);
	EXPECT_EQ(5, send(fd, "hello", 5, 0));
	EXPECT_EQ(125 << 8, END());
	EXPECT_NE(NULL, strstr(self->said, "keys were not exchanged: EPROTO"));
	close(fd);
}

TEST_HARNESS_MAIN
