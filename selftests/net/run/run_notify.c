// SPDX-License-Identifier: GPL-2.0
/*
 * nst-run's notify engine: each call that it takes, on every shape of it, gives
 * what the kernel gives, and what goes to a covered port has NST.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "nsttest.h"
#include "undertest.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP	262
#endif

#define OPTIONS		"--engine notify --tcp 7100-7109"
#define LABEL		"/proc/self/attr/current"
#define LONG		(nsttest_patience(20) * 1000)

static int finish_connect(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };
	socklen_t len = sizeof(int);
	int err = -1;

	if (poll(&poll_fd, 1, LONG) != 1 ||
	    getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len))
		return -1;
	return err;
}

/* @client PORT block|nonblock: sends the mark, says whether it has NST */
static int client(int argc, char **argv)
{
	struct sockaddr_in addr = under_addr(atoi(argv[1]));
	int type = SOCK_STREAM, fd, ret;
	char buf[64] = "";

	(void)argc;
	if (!strcmp(argv[2], "nonblock"))
		type |= SOCK_NONBLOCK;
	fd = socket(AF_INET, type, 0);
	ret = connect(fd, (void *)&addr, sizeof(addr));
	if (type & SOCK_NONBLOCK) {
		if (ret && errno != EINPROGRESS)
			return 2;
		if (finish_connect(fd))
			return 3;
		fcntl(fd, F_SETFL, 0);
	} else if (ret) {
		puts(under_error(ret));
		return 4;
	}
	puts(under_keyed(fd) ? "keyed" : "plain");
	if (send(fd, UNDER_MARK, strlen(UNDER_MARK), MSG_NOSIGNAL) < 0)
		return 5;
	shutdown(fd, SHUT_WR);
	if (recv(fd, buf, sizeof(buf), 0) != 5 || memcmp(buf, "reply", 5))
		return 6;
	return 0;
}

/* @server PORT: one connection, its first words and an answer */
static int server(int argc, char **argv)
{
	int fd = under_listen(atoi(argv[1]), 0), conn;
	char buf[256] = "";

	(void)argc;
	if (fd < 0)
		return 2;
	puts(under_keyed(fd) ? "keyed" : "plain");
	conn = accept(fd, NULL, NULL);
	if (conn < 0)
		return 3;
	if (recv(conn, buf, sizeof(buf) - 1, 0) < 0) {
		puts(under_error(-1));
		return 0;
	}
	puts(buf);
	send(conn, "reply", 5, MSG_NOSIGNAL);
	return 0;
}

static void tell(const char *what, long ret)
{
	printf("%s: %s\n", what, under_error(ret));
}

static void tell_connects(int port)
{
	struct sockaddr_in addr = under_addr(port), other = under_addr(port + 5);
	struct sockaddr_storage wide = { .ss_family = AF_INET };
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	int fd = socket(AF_INET, SOCK_STREAM, 0), file = open("/", O_RDONLY);

	tell("no descriptor", connect(-1, (void *)&addr, sizeof(addr)));
	tell("closed one", connect(999, (void *)&addr, sizeof(addr)));
	tell("no socket", connect(file, (void *)&addr, sizeof(addr)));
	tell("no memory", connect(fd, (void *)8, sizeof(addr)));
	tell("NULL", connect(fd, NULL, sizeof(addr)));
	tell("no length", connect(fd, (void *)&addr, 0));
	tell("one byte", connect(fd, (void *)&addr, 1));
	tell("short", connect(fd, (void *)&addr, 8));
	tell("below 0", syscall(SYS_connect, fd, &addr, -1));
	tell("above all", syscall(SYS_connect, fd, &wide, sizeof(wide) + 1));
	wide.ss_family = AF_UNIX;
	tell("other family", connect(fd, (void *)&wide, sizeof(wide)));
	tell("disconnect at first", connect(fd, &none, sizeof(none)));
	tell("refused", connect(fd, (void *)&other, sizeof(other)));
	close(fd);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	tell("connect", connect(fd, (void *)&addr, sizeof(addr)));
	tell("again", connect(fd, (void *)&addr, sizeof(addr)));
	tell("elsewhere", connect(fd, (void *)&other, sizeof(other)));
	tell("listen", listen(fd, 1));
	/* NST does not let go of a connection. */
	if (port != UNDER_COVERED) {
		tell("disconnect", connect(fd, &none, sizeof(none)));
		tell("anew", connect(fd, (void *)&addr, sizeof(addr)));
	}
	close(fd);
	close(file);
}

static void tell_listens(int port)
{
	int fd = under_listen(port + 1, 0), again, udp;
	struct sockaddr_in addr = under_addr(port + 1);

	tell("listen", fd);
	tell("twice", listen(fd, 5));
	tell("connect it", connect(fd, (void *)&addr, sizeof(addr)));
	again = under_listen(port + 1, 0);
	tell("same port", again);
	udp = socket(AF_INET, SOCK_DGRAM, 0);
	tell("datagrams", listen(udp, 5));
	tell("no socket", listen(0, 5));
	tell("nothing", listen(998, 5));
	close(fd);
	close(udp);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	tell("unbound", listen(fd, -1));
	close(fd);
}

static void *idle(void *unused)
{
	pause();
	return unused;
}

static void tell_unix(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = "sock" };
	int a = socket(AF_UNIX, SOCK_STREAM, 0);
	int b = socket(AF_UNIX, SOCK_STREAM, 0);
	struct ucred cred = { 0 };
	socklen_t len = sizeof(cred);

	tell("mkdir", mkdir("/tmp/unix", 0700) && errno != EEXIST ? -1 : 0);
	tell("chdir", chdir("/tmp/unix"));
	unlink("sock");
	tell("refused", connect(b, (void *)&addr, sizeof(addr)));
	tell("bind", bind(a, (void *)&addr, sizeof(addr)));
	tell("listen", listen(a, 5));
	tell("connect", connect(b, (void *)&addr, sizeof(addr)));
	tell("again", connect(b, (void *)&addr, sizeof(addr)));
	a = accept(a, NULL, NULL);
	tell("peer", getsockopt(a, SOL_SOCKET, SO_PEERCRED, &cred, &len));
	printf("uid %u gid %u\n", cred.uid, cred.gid);
	tell("chdir", chdir("/"));
}

/* @tell PORT THREADS: what many calls give, as text */
static int tell_all(int argc, char **argv)
{
	int port = atoi(argv[1]);
	pthread_t thread;

	(void)argc;
	if (atoi(argv[2]))
		pthread_create(&thread, NULL, idle, NULL);
	tell_connects(port);
	tell_listens(port);
	tell_unix();
	return 0;
}

/* Nobody gets to it but root. */
static int closed_door(struct sockaddr_un *addr)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	mkdir("/tmp/closed", 0700);
	*addr = (struct sockaddr_un){ AF_UNIX, "/tmp/closed/sock" };
	unlink(addr->sun_path);
	return bind(fd, (void *)addr, sizeof(*addr)) || listen(fd, 5);
}

/* @user THREADS: a program that has given up its rights */
static int tell_user(int argc, char **argv)
{
	struct sockaddr_un addr;
	pthread_t thread;

	(void)argc;
	if (closed_door(&addr))
		return 2;
	if (atoi(argv[1]))
		pthread_create(&thread, NULL, idle, NULL);
	tell("open", connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&addr,
			     sizeof(addr)));
	if (setgid(65534) || setuid(65534))
		return 3;
	tell("closed", connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&addr,
			       sizeof(addr)));
	return 0;
}

/* @root THREADS: another root, and in it a directory and a user of its own */
static int tell_root(int argc, char **argv)
{
	pthread_t thread;

	(void)argc;
	mkdir("/tmp/door", 0755);
	mkdir("/tmp/door/tmp", 0755);
	if (chown("/tmp/door/tmp", 65534, 65534) || chroot("/tmp/door") ||
	    chdir("/") || setgid(65534) || setuid(65534))
		return 2;
	if (atoi(argv[1]))
		pthread_create(&thread, NULL, idle, NULL);
	tell_unix();
	return 0;
}

#define GIVEN	700	/* an end of a pair, through which listeners come */

static int take_right(int from)
{
	char control[CMSG_SPACE(sizeof(int))] = "", byte;
	struct msghdr msg = {
		.msg_iov = &(struct iovec){ &byte, 1 }, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	int fd = -1;

	if (recvmsg(from, &msg, 0) == 1 && msg.msg_controllen)
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(int));
	return fd;
}

/* @given: accept() on what others have made */
static int tell_given(int argc, char **argv)
{
	int i, fd, self = syscall(SYS_pidfd_open, getpid(), 0);

	(void)argc;
	(void)argv;
	for (i = 0; i < 2; i++) {
		fd = take_right(GIVEN);
		tell("accept", accept(fd, NULL, NULL));
		fcntl(fd, F_SETFL, O_NONBLOCK);
		tell("accept4", accept4(fd, NULL, NULL, 0));
	}
	tell("fetch", syscall(SYS_pidfd_getfd, self, GIVEN, 0));
	return 0;
}

/*
 * @label: connect() before and after the process has another label. It is put
 * over the kernel's own, so no security module needs a policy for this.
 */
static int tell_label(int argc, char **argv)
{
	struct sockaddr_in addr = under_addr(UNDER_OTHER);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	FILE *file = fopen("/tmp/label", "w");

	(void)argc;
	(void)argv;
	if (!file)
		return 2;
	fputs("confined (enforce)\n", file);
	fclose(file);
	tell("before", connect(fd, (void *)&addr, sizeof(addr)));
	tell("label", mount("/tmp/label", LABEL, NULL, MS_BIND, NULL));
	tell("after", connect(fd, (void *)&addr, sizeof(addr)));
	return 0;
}

UNDER_ROLES({ "@user", tell_user }, { "@root", tell_root },
	    { "@client", client }, { "@server", server },
	    { "@tell", tell_all }, { "@given", tell_given },
	    { "@label", tell_label })

FIXTURE(run) {
	char said[16384];
};

FIXTURE_SETUP(run)
{
	ASSERT_EQ(0, under_box());
}

FIXTURE_TEARDOWN(run)
{
}

static void answer_one(struct __test_metadata *_metadata, int listener)
{
	int conn = accept(listener, NULL, NULL);
	char buf[256] = "";

	ASSERT_LE(0, conn);
	ASSERT_EQ(strlen(UNDER_MARK), recv(conn, buf, sizeof(buf), 0));
	EXPECT_STREQ(UNDER_MARK, buf);
	EXPECT_EQ(5, send(conn, "reply", 5, MSG_NOSIGNAL));
	close(conn);
}

static void give(struct __test_metadata *_metadata, int to, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = "";
	struct msghdr msg = {
		.msg_iov = &(struct iovec){ "x", 1 }, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	ASSERT_EQ(1, sendmsg(to, &msg, 0));
}

FIXTURE_VARIANT(run) {
	const char *mode;
};

FIXTURE_VARIANT_ADD(run, blocks) {
	.mode = "block",
};

FIXTURE_VARIANT_ADD(run, not) {
	.mode = "nonblock",
};

TEST_F(run, connect__covered)
{
	int listener = under_listen(UNDER_COVERED, 1);
	struct under under;
	char role[64];

	ASSERT_LE(0, listener);
	snprintf(role, sizeof(role), "@client 7100 %s", variant->mode);
	ASSERT_EQ(0, under_start(&under, 0, OPTIONS, role));
	answer_one(_metadata, listener);
	EXPECT_EQ(0, under_end(&under, self->said, sizeof(self->said)));
	EXPECT_STREQ("keyed\n", self->said);
}

TEST_F(run, connect__other)
{
	int listener = under_listen(UNDER_OTHER, 0);
	struct under under;
	char role[64];

	ASSERT_LE(0, listener);
	snprintf(role, sizeof(role), "@client 7200 %s", variant->mode);
	ASSERT_EQ(0, under_start(&under, 0, OPTIONS, role));
	answer_one(_metadata, listener);
	EXPECT_EQ(0, under_end(&under, self->said, sizeof(self->said)));
	EXPECT_STREQ("plain\n", self->said);
}

TEST_F(run, connect__peer_without)
{
	int listener = under_listen(UNDER_COVERED, 0), conn;
	struct under under;
	char role[64];
	size_t got;

	ASSERT_LE(0, listener);
	snprintf(role, sizeof(role), "@client 7100 %s", variant->mode);
	ASSERT_EQ(0, under_start(&under, 0, OPTIONS, role));
	conn = accept(listener, NULL, NULL);
	ASSERT_LE(0, conn);
	EXPECT_EQ(0, under_plain(conn, LONG, &got));
	EXPECT_LT(strlen(UNDER_MARK), got);
	close(conn);
	EXPECT_NE(0, under_end(&under, self->said, sizeof(self->said)));
}

FIXTURE(one) {
	char said[16384];
	char other[16384];
};

FIXTURE_SETUP(one)
{
	ASSERT_EQ(0, under_box());
}

FIXTURE_TEARDOWN(one)
{
}

static int dial(int port, int nst)
{
	struct sockaddr_in addr = under_addr(port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if ((nst && under_nst(fd, 0)) ||
	    connect(fd, (void *)&addr, sizeof(addr)))
		return -1;
	return fd;
}

/* The server waits in accept() meanwhile, and is not disturbed. */
static void serve_one(struct __test_metadata *_metadata, int port, int nst,
		      char *said, size_t size)
{
	struct under under;
	char role[32], line[64];
	int fd;

	snprintf(role, sizeof(role), "@server %d", port);
	ASSERT_EQ(0, under_start(&under, 0, OPTIONS, role));
	ASSERT_EQ(0, under_line(&under, line, sizeof(line)));
	EXPECT_STREQ(port == UNDER_COVERED ? "keyed" : "plain", line);
	fd = dial(port, nst);
	ASSERT_LE(0, fd);
	ASSERT_LT(0, send(fd, UNDER_MARK, strlen(UNDER_MARK), MSG_NOSIGNAL));
	EXPECT_EQ(0, under_end(&under, said, size));
	close(fd);
}

TEST_F(one, listen__covered)
{
	serve_one(_metadata, UNDER_COVERED, 1, self->said, sizeof(self->said));
	EXPECT_STREQ(UNDER_MARK "\n", self->said);
}

TEST_F(one, listen__other)
{
	serve_one(_metadata, UNDER_OTHER, 0, self->said, sizeof(self->said));
	EXPECT_STREQ(UNDER_MARK "\n", self->said);
}

TEST_F(one, listen__peer_without)
{
	serve_one(_metadata, UNDER_COVERED, 0, self->said, sizeof(self->said));
	EXPECT_EQ(NULL, strstr(self->said, UNDER_MARK));
	EXPECT_EQ('E', self->said[0]);
}

/* Each call under nst-run says what it says without. */
static void compare(struct __test_metadata *_metadata, int port, int threads,
		    char *said, char *other, size_t size)
{
	int listener = under_listen(port, port == UNDER_COVERED);
	char role[32];

	ASSERT_LE(0, listener);
	snprintf(role, sizeof(role), "@tell %d %d", port, threads);
	EXPECT_EQ(0, under_run(OPTIONS, role, said, size));
	EXPECT_EQ(0, under_run(NULL, role, other, size));
	EXPECT_STREQ(other, said);
	EXPECT_NE(NULL, strstr(said, "again: EISCONN"));
	close(listener);
}

TEST_F(one, errors__covered)
{
	compare(_metadata, UNDER_COVERED, 0, self->said, self->other,
		sizeof(self->said));
}

TEST_F(one, errors__other)
{
	compare(_metadata, UNDER_OTHER, 0, self->said, self->other,
		sizeof(self->said));
}

TEST_F(one, errors__threads)
{
	compare(_metadata, UNDER_COVERED, 1, self->said, self->other,
		sizeof(self->said));
}

/* What nst-run does for a program it does with no more rights than that has. */
static void as_user(struct __test_metadata *_metadata, const char *role,
		    char *said, char *other, size_t size)
{
	EXPECT_EQ(0, under_run(OPTIONS, role, said, size));
	EXPECT_EQ(0, under_run(NULL, role, other, size));
	EXPECT_STREQ(other, said);
}

TEST_F(one, rights__of_the_user)
{
	as_user(_metadata, "@user 0", self->said, self->other, 4096);
	EXPECT_STREQ("open: 0\nclosed: EACCES\n", self->said);
	as_user(_metadata, "@user 1", self->said, self->other, 4096);
	EXPECT_STREQ("open: 0\nclosed: EACCES\n", self->said);
}

TEST_F(one, rights__in_another_root)
{
	as_user(_metadata, "@root 0", self->said, self->other, 4096);
	EXPECT_NE(NULL, strstr(self->said, "uid 65534 gid 65534"));
	as_user(_metadata, "@root 1", self->said, self->other, 4096);
	EXPECT_NE(NULL, strstr(self->said, "uid 65534 gid 65534"));
}

/* Listeners of this process, each with a connection that waits in it */
TEST_F(one, accept__given)
{
	int ports[] = { UNDER_COVERED, UNDER_OTHER }, pair[2], fds[4], i;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair));
	ASSERT_EQ(GIVEN, dup2(pair[0], GIVEN));
	for (i = 0; i < 2; i++) {
		fds[i] = under_listen(ports[i], 0);
		ASSERT_LE(0, fds[i]);
		fds[2 + i] = dial(ports[i], 0);
		ASSERT_LE(0, fds[2 + i]);
		give(_metadata, pair[1], fds[i]);
		/* Not as what is there at the start. */
		fcntl(fds[i], F_SETFD, FD_CLOEXEC);
		fcntl(fds[2 + i], F_SETFD, FD_CLOEXEC);
	}
	EXPECT_EQ(0, under_run(OPTIONS, "@given", self->said,
			       sizeof(self->said)));
	/* The journal's lines are between these. */
	EXPECT_TRUE(strstr(self->said, "\naccept: EACCES\n"));
	EXPECT_TRUE(strstr(self->said, "\naccept4: EACCES\n"
			   "accept: 0\naccept4: EAGAIN\nfetch: EPERM\n"));
	for (i = 0; i < 4; i++)
		close(fds[i]);
	close(pair[0]);
	close(pair[1]);
	close(GIVEN);
}

TEST_F(one, label__other)
{
	const char *said = self->said;

	EXPECT_EQ(0, under_run(OPTIONS, "@label", self->said,
			       sizeof(self->said)));
	EXPECT_EQ(said, strstr(said, "before: ECONNREFUSED\n"));
	/* A kernel without security modules has no labels. */
	if (access(LABEL, F_OK)) {
		EXPECT_TRUE(strstr(said, "label: ENOENT\n"
				   "after: ECONNREFUSED\n"));
		return;
	}
	EXPECT_TRUE(strstr(said, "label: 0\n"));
	EXPECT_TRUE(strstr(said, "\nafter: EACCES\n"));
}

TEST_HARNESS_MAIN
