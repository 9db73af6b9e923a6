// SPDX-License-Identifier: GPL-2.0
/*
 * nst-run --forward-secret: the program's first byte comes behind an exchange of
 * keys, however it connects, and on a connection that it was given. Peers are those
 * of libnst-exchange, and others that deviate. run_secret_accept has the other end.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/nst.h>
#include <netinet/tcp.h>
#include <nst/exchange.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "secrettest.h"

/* A child that stays, so that the supervisor does, until standard input ends */
static void leave_one(void)
{
	char c;

	if (fork())
		return;
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
	_exit(0);
}

/* @client block|poll|stays: what connect() says, then sends whatever it said */
static int client(int argc, char **argv)
{
	int type = SOCK_STREAM, fd, ret;
	struct sockaddr_in addr = under_addr(UNDER_COVERED);
	char buf[64] = "";

	(void)argc;
	printf("begun %d\n", getpid());
	if (!strcmp(argv[1], "stays"))
		leave_one();
	if (!strcmp(argv[1], "poll"))
		type |= SOCK_NONBLOCK;
	fd = socket(AF_INET, type, 0);
	ret = connect(fd, (void *)&addr, sizeof(addr));
	printf("%s %s\n", secret_error(ret), secret_keys(fd));
	ret = send(fd, UNDER_MARK, strlen(UNDER_MARK), MSG_NOSIGNAL);
	puts(secret_error(ret));
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
	puts(secret_error(connect(fd, (void *)&addr, sizeof(addr))));
	puts(secret_error(connect(fd, (void *)&addr, sizeof(addr))));
	send(fd, UNDER_MARK, strlen(UNDER_MARK), MSG_NOSIGNAL);
	fcntl(fd, F_SETFL, 0);
	if (recv(fd, buf, sizeof(buf), 0) == 5)
		puts(buf);
	return 0;
}

/* @retry block|poll: refused; behind a word once more, with the same socket */
static int retry(int argc, char **argv)
{
	int type = strcmp(argv[1], "block") ? SOCK_NONBLOCK : 0;
	int fd = socket(AF_INET, SOCK_STREAM | type, 0);
	struct sockaddr_in addr = under_addr(UNDER_COVERED);
	char buf[64] = "";

	(void)argc;
	printf("begun %d\n", getpid());
	puts(secret_error(connect(fd, (void *)&addr, sizeof(addr))));
	if (read(STDIN_FILENO, buf, sizeof(buf)) <= 0)
		return 2;
	puts(secret_error(connect(fd, (void *)&addr, sizeof(addr))));
	puts(secret_keys(fd));
	puts(secret_error(send(fd, UNDER_MARK, strlen(UNDER_MARK),
			       MSG_NOSIGNAL) < 0 ? -1 : 0));
	fcntl(fd, F_SETFL, 0);
	memset(buf, 0, sizeof(buf));
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
	puts(secret_error(connect(fd, (void *)&addr, sizeof(addr))));
	printf("%s\n", secret_state(fd) == TCP_CLOSE ? "closed" : "open");
	return 0;
}

/* @ticks: connect() to far away, with a clock that ticks faster than that is near */
static int ticks(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = nothing,
				    .sa_flags = SA_RESTART };
	struct itimerval timer = { { 0, 40000 }, { 0, 40000 } };
	struct sockaddr_in addr = under_addr(UNDER_COVERED);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char buf[16];

	(void)argc;
	(void)argv;
	printf("begun %d\n", getpid());
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	puts(secret_error(connect(fd, (void *)&addr, sizeof(addr))));
	timer.it_value.tv_usec = 0;
	setitimer(ITIMER_REAL, &timer, NULL);
	send(fd, UNDER_MARK, strlen(UNDER_MARK), MSG_NOSIGNAL);
	return recv(fd, buf, sizeof(buf), 0) == 5 ? 0 : 2;
}

/* @signals: tells of each SIGRTMIN, until SIGTERM */
static int signals(int argc, char **argv)
{
	sigset_t set;
	int sig, n = 0;

	(void)argc;
	(void)argv;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	printf("begun %d\n", getpid());
	for (; !sigwait(&set, &sig) && sig != SIGTERM; n++)
		puts("told");
	/* SIGTERM may have passed one by. */
	while (sigtimedwait(&set, NULL, &(struct timespec){ .tv_sec = 1 }) > 0)
		puts("told");
	return n ? 0 : 1;
}

/* @inetd: a connection is its standard input */
static int inetd(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return secret_serve(STDIN_FILENO) ? 0 : 1;
}

UNDER_ROLES({ "@client", client }, { "@again", again }, { "@retry", retry },
	    { "@ended", ended }, { "@ticks", ticks },
	    { "@signals", signals }, { "@inetd", inetd })

static int listener_of(int nst)
{
	int fd = under_listen(UNDER_COVERED, 0);

	if (fd >= 0 && nst && nst_tcp(fd, &secret_strict))
		return -1;
	return fd;
}

/* What the program is answered, from the connection on */
static void answer(struct __test_metadata *_metadata,
		   FIXTURE_DATA(secret) *self)
{
	char buf[256] = "";
	int conn;

	conn = secret_accept(self->listener);
	EXPECT_EQ(0, nst_exchange(conn, NULL, LONG));
	EXPECT_EQ((ssize_t)strlen(UNDER_MARK), recv(conn, buf, sizeof(buf), 0));
	EXPECT_STREQ(UNDER_MARK, buf);
	EXPECT_EQ(5, send(conn, "reply", 5, 0));
	EXPECT_EQ(0, END());
	close(conn);
}

static void client_of(struct __test_metadata *_metadata,
		      FIXTURE_DATA(secret) *self, const char *role)
{
	self->listener = listener_of(1);
	START(role);
	BEGUN();
	answer(_metadata, self);
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

/* A socket whose connection was refused is as good as new. */
static void refused(struct __test_metadata *_metadata,
		    FIXTURE_DATA(secret) *self, const char *role)
{
	START(role);
	BEGUN();
	LINE_IS("ECONNREFUSED");
	self->listener = listener_of(1);
	ASSERT_EQ(4, write(self->words[1], "word", 4));
	answer(_metadata, self);
	EXPECT_STREQ("0\nown\n0\nreply\n", self->said);
}

TEST_F(secret, connect__refused_before)
{
	refused(_metadata, self, "@retry block");
}

TEST_F(secret, connect__refused_before_nonblocking)
{
	refused(_metadata, self, "@retry poll");
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

/* A peer with the box that knows of no exchange: it has had message 1. */
static int have_begun(struct __test_metadata *_metadata,
		      FIXTURE_DATA(secret) *self, const char *role)
{
	unsigned char body[64];
	uint8_t type = 0;
	int conn;

	self->listener = listener_of(1);
	START(role);
	BEGUN();
	conn = secret_accept(self->listener);
	EXPECT_EQ(35, nst_recv_record(conn, &type, body, sizeof(body), 0));
	EXPECT_EQ(254, type);
	return conn;
}

/* Behind message 1 comes nothing but the end. */
static void expect_end(struct __test_metadata *_metadata, int conn)
{
	unsigned char body[64];
	uint8_t type = 0;

	EXPECT_EQ(0, nst_recv_record(conn, &type, body, sizeof(body), 0));
	EXPECT_EQ(NST_TYPE_DATA, type);
}

TEST_F(secret, connect__silent_peer)
{
	int conn = have_begun(_metadata, self, "@client block");

	expect_end(_metadata, conn);
	close(conn);
	expect_nothing(_metadata, self, "ETIMEDOUT");
}

TEST_F(secret, connect__peer_that_speaks)
{
	int conn = have_begun(_metadata, self, "@client block");

	EXPECT_EQ(5, send(conn, "hello", 5, 0));
	expect_end(_metadata, conn);
	close(conn);
	expect_nothing(_metadata, self, "EPROTO");
}

TEST_F(secret, connect__peer_that_goes)
{
	int conn = have_begun(_metadata, self, "@client poll");

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
	conn = secret_accept(self->listener);
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

/*
 * Packets of lo take 200 ms each way, and the program has a signal every 40: what
 * was begun must not be given up for each of them.
 */
TEST_F(secret, connect__ticking)
{
	ASSERT_EQ(0, system("tc qdisc add dev lo root netem delay 200ms"));
	self->listener = listener_of(1);
	START("@ticks");
	BEGUN();
	answer(_metadata, self);
	EXPECT_EQ(0, system("tc qdisc del dev lo root"));
	EXPECT_STREQ("0\n", self->said);
}

/* Where nst-run writes its lines if it is there */
static int syslog_socket(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX,
				  .sun_path = "/dev/log" };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	unlink(un.sun_path);
	return bind(fd, (void *)&un, sizeof(un)) ? -1 : fd;
}

/*
 * Killed in the middle, its connection goes with it: at once, and not when the time
 * for an exchange is over, of which nst-run would tell.
 */
TEST_F(secret, connect__killed)
{
	struct pollfd log = { .fd = syslog_socket(), .events = POLLIN };
	unsigned char body[64];
	char line[512] = "";
	uint8_t type = 0;
	int conn;

	ASSERT_LE(0, log.fd);
	self->listener = listener_of(1);
	START("@client stays");
	BEGUN();
	conn = secret_accept(self->listener);
	EXPECT_EQ(35, nst_recv_record(conn, &type, body, sizeof(body), 0));
	EXPECT_EQ(0, kill(self->program, SIGKILL));
	EXPECT_EQ(1, secret_ended(conn));
	close(conn);
	EXPECT_EQ(1, poll(&log, 1, LONG));
	EXPECT_LT(0, recv(log.fd, line, sizeof(line) - 1, 0));
	EXPECT_NE(NULL, strstr(line, "refused: ENOENT"));
	close(log.fd);
	unlink("/dev/log");
	close(self->words[1]);
	END();
}

/* A connection that nst-run was given, as by inetd */
TEST_F(secret, handed__connection)
{
	int listener = under_listen(UNDER_COVERED, 0), fd, conn, other;

	fd = secret_dial();
	conn = secret_accept(listener);
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

	fd = secret_dial();
	conn = secret_accept(listener);
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

/* What /proc shows of it is root's: its user may not trace it, nor have a core. */
TEST_F(secret, supervisor__private)
{
	struct stat st = { .st_uid = 1 };
	char path[64];

	self->listener = listener_of(1);
	ASSERT_EQ(0, under_start(&self->under, 65534, OPTIONS, "@client block"));
	BEGUN();
	snprintf(path, sizeof(path), "/proc/%d/environ",
		 under_parent(self->program));
	EXPECT_EQ(0, stat(path, &st));
	EXPECT_EQ(0, st.st_uid);
	answer(_metadata, self);
	EXPECT_STREQ("0 own\n0\nreply\n", self->said);
}

/* Whoever tells all processes of a service, as systemd does, tells it once. */
TEST_F(secret, signal__once)
{
	START("@signals");
	BEGUN();
	EXPECT_EQ(0, kill(under_parent(self->program), SIGRTMIN));
	EXPECT_EQ(0, kill(self->under.pid, SIGRTMIN));
	LINE_IS("told");
	EXPECT_EQ(0, kill(self->under.pid, SIGTERM));
	EXPECT_EQ(0, END());
	EXPECT_STREQ("", self->said);
}

TEST_HARNESS_MAIN
