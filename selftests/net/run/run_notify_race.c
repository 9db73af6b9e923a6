// SPDX-License-Identifier: GPL-2.0
/*
 * nst-run's notify engine against a program that changes, in another thread, what
 * a call was given while the supervisor looks at it: the port in the address, or
 * the socket behind the descriptor's number. What arrives on a covered port must
 * never be the program's plaintext; that the other port gets plaintext shows
 * that the change came through.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "nsttest.h"
#include "undertest.h"

#define OPTIONS		"--engine notify --tcp 7100 --udp 7100"
/* bind() of TCP is not taken then, and is fast. */
#define OPTIONS_TCP	"--engine notify --tcp 7100"
#define ROUNDS		150
#define NUMBER		500	/* of the descriptor that is changed */
#define LONG		(nsttest_patience(20) * 1000)

static atomic_int stop;
static volatile struct sockaddr_in shared;
static int sockets[2];
static atomic_int datagrams;

/* On one processor too each may be what the other threads find. */
static void hold(unsigned int *seed)
{
	volatile int spin;

	for (spin = rand_r(seed) % 2000; spin > 0; spin--)
		;
}

/*
 * The other thread gets its turn, and each port comes up however threads are
 * scheduled.
 */
static void begin_round(int i)
{
	if (i % 4 == 0)
		usleep(100);
	if (i % 8 == 3)
		shared.sin_port = htons(UNDER_COVERED);
	if (i % 8 == 7)
		shared.sin_port = htons(UNDER_OTHER);
}

static void *flip_port(void *unused)
{
	unsigned int seed = getpid();

	while (!atomic_load(&stop)) {
		shared.sin_port = htons(UNDER_COVERED);
		hold(&seed);
		shared.sin_port = htons(UNDER_OTHER);
		hold(&seed);
	}
	return unused;
}

static void *flip_socket(void *unused)
{
	while (!atomic_load(&stop)) {
		dup2(sockets[0], NUMBER);
		dup2(sockets[1], NUMBER);
	}
	return unused;
}

static void say_mark(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };

	if (poll(&poll_fd, 1, LONG) == 1)
		send(fd, UNDER_MARK, strlen(UNDER_MARK), MSG_NOSIGNAL);
}

/* @port TYPE: connect() while the port changes */
static int change_port(int argc, char **argv)
{
	struct sockaddr_in addr = under_addr(UNDER_OTHER);
	int type = argc > 1 ? atoi(argv[1]) : SOCK_STREAM, i, fd;
	pthread_t thread;

	memcpy((void *)&shared, &addr, sizeof(addr));
	if (pthread_create(&thread, NULL, flip_port, NULL))
		return 2;
	for (i = 0; i < ROUNDS; i++) {
		/* Every other one blocks. */
		fd = socket(AF_INET, type | (i % 2 ? SOCK_NONBLOCK : 0), 0);
		begin_round(i);
		if (!connect(fd, (void *)&shared, sizeof(shared)) ||
		    errno == EINPROGRESS)
			say_mark(fd);
		close(fd);
	}
	atomic_store(&stop, 1);
	pthread_join(thread, NULL);
	return 0;
}

/* @send: sendto() and sendmsg() while the port changes */
static int change_send(int argc, char **argv)
{
	struct sockaddr_in addr = under_addr(UNDER_OTHER);
	struct iovec iov = { UNDER_MARK, strlen(UNDER_MARK) };
	struct msghdr msg = {
		.msg_name = (void *)&shared, .msg_namelen = sizeof(shared),
		.msg_iov = &iov, .msg_iovlen = 1,
	};
	pthread_t thread;
	int i, fd;

	(void)argc;
	(void)argv;
	memcpy((void *)&shared, &addr, sizeof(addr));
	if (pthread_create(&thread, NULL, flip_port, NULL))
		return 2;
	for (i = 0; i < ROUNDS; i++) {
		fd = socket(AF_INET, SOCK_DGRAM, 0);
		begin_round(i);
		if (i % 2)
			sendto(fd, UNDER_MARK, strlen(UNDER_MARK), 0,
			       (void *)&shared, sizeof(shared));
		else
			sendmsg(fd, &msg, 0);
		close(fd);
	}
	atomic_store(&stop, 1);
	pthread_join(thread, NULL);
	return 0;
}

/* One of AF_UNIX, and one that would go to a covered port. */
static int make_pair(void)
{
	sockets[0] = socket(AF_UNIX, SOCK_STREAM, 0);
	sockets[1] = socket(AF_INET, SOCK_STREAM, 0);
	return sockets[0] < 0 || sockets[1] < 0 ? -1 : 0;
}

/*
 * @socket: connect() by a number that is a socket of AF_UNIX, on which the
 * supervisor has nothing to do, or one of TCP. The address is that of a covered
 * port: AF_UNIX refuses it, which shows that this was what it met.
 */
static int change_socket(int argc, char **argv)
{
	struct sockaddr_in addr = under_addr(UNDER_COVERED);
	int i, refused = 0, made = 0;
	pthread_t thread;

	(void)argc;
	(void)argv;
	if (make_pair() || pthread_create(&thread, NULL, flip_socket, NULL))
		return 2;
	for (i = 0; i < 100 * ROUNDS && made < ROUNDS; i++) {
		if (i % 8 == 0)
			usleep(100);
		if (connect(NUMBER, (void *)&addr, sizeof(addr))) {
			refused += errno == EINVAL;
			continue;
		}
		made++;
		atomic_store(&stop, 1);
		pthread_join(thread, NULL);
		say_mark(sockets[1]);
		close(sockets[0]);
		close(sockets[1]);
		atomic_store(&stop, 0);
		if (make_pair() ||
		    pthread_create(&thread, NULL, flip_socket, NULL))
			return 3;
	}
	atomic_store(&stop, 1);
	pthread_join(thread, NULL);
	printf("%d %d\n", refused, made);
	return refused && made ? 0 : 4;
}

/* Like flip_socket(), where each must be found however threads are scheduled */
static void *flip_kind(void *unused)
{
	unsigned int seed = getpid();

	while (!atomic_load(&stop)) {
		dup2(sockets[0], NUMBER);
		hold(&seed);
		dup2(atomic_load(&datagrams), NUMBER);
		hold(&seed);
	}
	return unused;
}

/*
 * @kind: sendto() by a number that is a TCP socket, on which the supervisor has
 * nothing to do, or a UDP socket without NST. A send that comes through is one of
 * UDP, EPIPE one of TCP.
 */
static int change_kind(int argc, char **argv)
{
	struct sockaddr_in addr = under_addr(UNDER_COVERED);
	int i, next, piped = 0, sent = 0;
	pthread_t thread;

	(void)argc;
	(void)argv;
	sockets[0] = socket(AF_INET, SOCK_STREAM, 0);
	atomic_store(&datagrams, socket(AF_INET, SOCK_DGRAM, 0));
	if (dup2(sockets[0], NUMBER) < 0 ||
	    pthread_create(&thread, NULL, flip_kind, NULL))
		return 2;
	for (i = 0; i < 100 * ROUNDS; i++) {
		if (i >= 10 * ROUNDS && piped >= ROUNDS && sent >= ROUNDS)
			break;
		if (i % 8 == 0)
			usleep(100);
		if (sendto(NUMBER, UNDER_MARK, strlen(UNDER_MARK), MSG_NOSIGNAL,
			   (void *)&addr, sizeof(addr)) < 0) {
			piped += errno == EPIPE;
			continue;
		}
		/* It may have NST now: another one that has it not. */
		sent++;
		next = socket(AF_INET, SOCK_DGRAM, 0);
		close(atomic_exchange(&datagrams, next));
	}
	atomic_store(&stop, 1);
	pthread_join(thread, NULL);
	printf("of TCP %d, of UDP %d\n", piped, sent);
	return piped && sent ? 0 : 4;
}

static atomic_int unbound = -1;

/*
 * Once for each socket: who tries on and on owns the socket's lock nearly always,
 * and a listen() may wait for it without end.
 */
static void *bind_it(void *unused)
{
	struct sockaddr_in addr = under_addr(UNDER_COVERED);
	unsigned int seed = getpid() + 1;
	int fd, times;

	while (!atomic_load(&stop)) {
		fd = atomic_exchange(&unbound, -1);
		if (fd < 0)
			continue;
		for (times = rand_r(&seed) % 64; times > 0; times--)
			hold(&seed);
		bind(fd, (void *)&addr, sizeof(addr));
	}
	return unused;
}

static int local_port(int fd)
{
	struct sockaddr_in addr = { 0 };
	socklen_t len = sizeof(addr);

	getsockname(fd, (void *)&addr, &len);
	return ntohs(addr.sin_port);
}

/* What is tried on a socket: listen(), or connect() to @server on another port */
static int try_it(int fd, int server)
{
	struct linger none = { .l_onoff = 1 };
	struct sockaddr_in addr = under_addr(UNDER_OTHER);
	int conn;

	if (server < 0)
		return listen(fd, 5);
	/* Nothing of it stays, so that the ports can be had again. */
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	while ((conn = accept(server, NULL, NULL)) >= 0)
		close(conn);
	return connect(fd, (void *)&addr, sizeof(addr));
}

/* @late listen|connect: while another thread binds the socket to a covered port */
static int bind_late(int argc, char **argv)
{
	int server = strcmp(argv[1], "listen") ? under_listen(UNDER_OTHER, 0) : -1;
	int i, fd, one = 1, sealed = 0, other = 0, plain = 0, late = 0;
	/* Of connect() it is one in a hundred that comes at the moment: until then. */
	int rounds = server < 0 ? ROUNDS : 6 * ROUNDS;
	struct sockaddr_in addr = under_addr(UNDER_COVERED);
	unsigned int seed = getpid();
	pthread_t thread;

	(void)argc;
	fcntl(server, F_SETFL, O_NONBLOCK);
	if (pthread_create(&thread, NULL, bind_it, NULL))
		return 2;
	for (i = 0; i < ROUNDS || (i < rounds && !late && !plain); i++) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		/* So that each comes up, however threads are scheduled */
		if (i % 8 == 0)
			bind(fd, (void *)&addr, sizeof(addr));
		if (i % 8 != 1)
			atomic_store(&unbound, fd);
		hold(&seed);
		if (!try_it(fd, server)) {
			if (local_port(fd) != UNDER_COVERED)
				other++;
			else if (under_keyed(fd))
				sealed++;
			else
				plain++;
		} else {
			late += errno == EADDRINUSE;
		}
		atomic_store(&unbound, -1);
		close(fd);
	}
	atomic_store(&stop, 1);
	pthread_join(thread, NULL);
	printf("sockets sealed %d, elsewhere %d, plain %d, too late %d\n",
	       sealed, other, plain, late);
	return sealed && other && !plain ? 0 : 4;
}

UNDER_ROLES({ "@port", change_port }, { "@send", change_send },
	    { "@socket", change_socket }, { "@late", bind_late },
	    { "@kind", change_kind })

FIXTURE(race) {
	struct under under;
	int covered, other;
	int plain_covered, plain_other, sealed, ended;
};

FIXTURE_SETUP(race)
{
	ASSERT_EQ(0, under_box());
}

FIXTURE_TEARDOWN(race)
{
	close(self->covered);
	close(self->other);
}

/* One connection, or one datagram */
static void look(FIXTURE_DATA(race) *self, int fd, int stream)
{
	int conn = stream ? accept4(fd, NULL, NULL, SOCK_CLOEXEC) : fd, plain;
	char buf[4096];
	size_t got = 0;
	ssize_t n;

	if (conn < 0)
		return;
	if (stream) {
		plain = under_plain(conn, LONG, &got);
		close(conn);
	} else {
		n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
		got = n < 0 ? 0 : n;
		plain = !!memmem(buf, got, UNDER_MARK, strlen(UNDER_MARK));
	}
	if (fd == self->other) {
		self->plain_other += plain;
		return;
	}
	self->plain_covered += plain;
	self->sealed += !plain && got;
}

/* Until the program has ended and nothing more is there. */
static void watch(struct __test_metadata *_metadata, FIXTURE_DATA(race) *self,
		  int stream)
{
	struct pollfd poll_fds[] = {
		{ self->covered, POLLIN, 0 }, { self->other, POLLIN, 0 },
		{ self->under.out, 0, 0 },
	};
	char said[256];
	int n;

	for (;;) {
		n = poll(poll_fds, 3, LONG);
		ASSERT_LT(0, n);
		if (poll_fds[0].revents)
			look(self, self->covered, stream);
		if (poll_fds[1].revents)
			look(self, self->other, stream);
		/* All that had the pipe have ended. */
		if (poll_fds[2].revents & POLLHUP && !poll_fds[0].revents &&
		    !poll_fds[1].revents)
			break;
	}
	self->ended = under_end(&self->under, said, sizeof(said));
	TH_LOG("plain on the covered port %d, on the other %d, sealed %d; %s",
	       self->plain_covered, self->plain_other, self->sealed, said);
	EXPECT_EQ(0, self->plain_covered);
	EXPECT_LT(0, self->sealed);
	EXPECT_EQ(0, self->ended);
}

TEST_F(race, connect__port_tcp)
{
	self->covered = under_listen(UNDER_COVERED, 0);
	self->other = under_listen(UNDER_OTHER, 0);
	ASSERT_EQ(0, under_start(&self->under, 0, OPTIONS, "@port 1"));
	watch(_metadata, self, 1);
	EXPECT_LT(0, self->plain_other);
}

TEST_F(race, connect__port_udp)
{
	self->covered = under_udp(UNDER_COVERED, 0);
	self->other = under_udp(UNDER_OTHER, 0);
	ASSERT_EQ(0, under_start(&self->under, 0, OPTIONS, "@port 2"));
	watch(_metadata, self, 0);
	EXPECT_LT(0, self->plain_other);
}

TEST_F(race, sendto__port)
{
	self->covered = under_udp(UNDER_COVERED, 0);
	self->other = under_udp(UNDER_OTHER, 0);
	ASSERT_EQ(0, under_start(&self->under, 0, OPTIONS, "@send"));
	watch(_metadata, self, 0);
	EXPECT_LT(0, self->plain_other);
}

TEST_F(race, connect__socket)
{
	self->covered = under_listen(UNDER_COVERED, 0);
	self->other = under_listen(UNDER_OTHER, 0);
	ASSERT_EQ(0, under_start(&self->under, 0, OPTIONS, "@socket"));
	watch(_metadata, self, 1);
}

TEST_F_TIMEOUT(race, sendto__kind, 120)
{
	self->covered = under_udp(UNDER_COVERED, 0);
	self->other = under_udp(UNDER_OTHER, 0);
	ASSERT_EQ(0, under_start(&self->under, 0, OPTIONS, "@kind"));
	watch(_metadata, self, 0);
}

TEST_F(race, listen__port)
{
	char said[256];

	self->covered = -1;
	self->other = -1;
	EXPECT_EQ(0, under_run(OPTIONS_TCP, "@late listen", said, sizeof(said)));
	TH_LOG("%s", said);
}

TEST_F_TIMEOUT(race, connect__own_port, 120)
{
	char said[256];

	self->covered = -1;
	self->other = -1;
	EXPECT_EQ(0, under_run(OPTIONS_TCP, "@late connect", said, sizeof(said)));
	TH_LOG("%s", said);
}

TEST_HARNESS_MAIN
