// SPDX-License-Identifier: GPL-2.0
/*
 * Connections that come about with NST: listeners and their children, sockets
 * that have NST before connect(), many of them, and the module that cannot go while
 * they live.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/syscall.h>

#include "kselftest_harness.h"
#include "tcptest.h"

#define CHILDREN	40
#define MANY		100

FIXTURE(lis)
{
	int lis;
	struct sockaddr_storage ss;
	socklen_t len;
};

FIXTURE_VARIANT(lis)
{
	struct tcptest_conf conf;
};

TCPTEST_VARIANTS_FEW(lis);

static int one_recv(int fd)
{
	char buf[64];
	ssize_t n = recv(fd, buf, sizeof(buf), 0);

	return n < 0 ? -errno : n;
}

static int timeouts(int fd)
{
	return tcptest_timeout(fd, SO_RCVTIMEO, TCPTEST_SOON_MS) ?:
	       tcptest_timeout(fd, SO_SNDTIMEO, TCPTEST_SOON_MS);
}

/* Listens on any port, without NST yet. */
static void listen_any(struct __test_metadata *_metadata,
		       FIXTURE_DATA(lis) *self, int family)
{
	self->lis = socket(family, SOCK_STREAM, 0);
	ASSERT_LE(0, self->lis);
	self->ss.ss_family = family;
	self->len = sizeof(self->ss);
	ASSERT_EQ(0, bind(self->lis, (void *)&self->ss, self->len));
	ASSERT_EQ(0, timeouts(self->lis));
	ASSERT_EQ(0, listen(self->lis, CHILDREN));
	ASSERT_EQ(0, getsockname(self->lis, (void *)&self->ss, &self->len));
}

/* A client that has NST and keys, but no role of its own choice. */
static int client(const struct tcptest_conf *conf)
{
	int fd = socket(conf->family, SOCK_STREAM, 0);

	if (fd < 0 || timeouts(fd) || tcptest_key(fd, conf, 0))
		return -1;
	return fd;
}

static int connect_to(FIXTURE_DATA(lis) *self, int fd)
{
	return connect(fd, (void *)&self->ss, self->len) ? -errno : 0;
}

static int accept_from(FIXTURE_DATA(lis) *self)
{
	int fd = accept(self->lis, NULL, NULL);

	return fd < 0 || timeouts(fd) ? -1 : fd;
}

FIXTURE_SETUP(lis)
{
	listen_any(_metadata, self, variant->conf.family);
	ASSERT_EQ(0, tcptest_key(self->lis, &variant->conf, 0));
}

FIXTURE_TEARDOWN(lis)
{
	if (self->lis >= 0)
		close(self->lis);
}

static void run_echo(struct __test_metadata *_metadata, int a, int b)
{
	ASSERT_EQ(0, tcptest_send(a, 0, 1000, 300));
	ASSERT_EQ(0, tcptest_recv(b, 0, 1000, 1000));
	ASSERT_EQ(0, tcptest_send(b, 5, 1000, 300));
	ASSERT_EQ(0, tcptest_recv(a, 5, 1000, 1000));
}

/* --- listeners ------------------------------------------------------------ */

TEST_F(lis, child_inherits)
{
	int a = client(&variant->conf), b;
	struct nst_info info;
	char ulp[16] = "";
	socklen_t len = sizeof(ulp);

	ASSERT_LE(0, a);
	ASSERT_EQ(0, tcptest_record_max(self->lis, 777));
	ASSERT_EQ(0, connect_to(self, a));
	b = accept_from(self);
	ASSERT_LE(0, b);
	ASSERT_EQ(0, getsockopt(b, SOL_TCP, TCP_ULP, ulp, &len));
	EXPECT_STREQ("nst", ulp);
	run_echo(_metadata, a, b);
	ASSERT_EQ(0, tcptest_info(b, &info));
	EXPECT_EQ(777, info.record_max);
	EXPECT_EQ(variant->conf.strict, info.flags & NST_F_STRICT);
	EXPECT_EQ(variant->conf.cipher_id, info.tx.cipher_id);
	close(a);
	EXPECT_EQ(0, one_recv(b));
	close(b);
}

/* The server speaks first, before the client says anything. */
TEST_F(lis, server_first)
{
	int a = client(&variant->conf), b;

	ASSERT_EQ(0, connect_to(self, a));
	b = accept_from(self);
	ASSERT_LE(0, b);
	ASSERT_EQ(0, tcptest_send(b, 0, 100, 100));
	ASSERT_EQ(0, tcptest_recv(a, 0, 100, 100));
	run_echo(_metadata, a, b);
	close(b);
	EXPECT_EQ(0, one_recv(a));
	close(a);
}

/* Roles come by themselves: a child does not take what a child sends. */
TEST_F(lis, roles_by_themselves)
{
	struct tcptest_conf conf = variant->conf;
	int a = socket(conf.family, SOCK_STREAM, 0), b, ret;

	ASSERT_LE(0, a);
	ASSERT_EQ(0, timeouts(a));
	ASSERT_EQ(0, connect_to(self, a));
	b = accept_from(self);
	ASSERT_LE(0, b);
	ASSERT_EQ(0, tcptest_key(a, &conf, NST_F_RESPONDER));
	send(a, "x", 1, MSG_DONTWAIT);
	ret = one_recv(b);
	/* In strict mode @a has heard as much from @b, and may be faster. */
	EXPECT_TRUE(ret == -EKEYREJECTED ||
		    (conf.strict && ret == -ECONNRESET)) {
		TH_LOG("%d", ret);
	}
	close(a);
	close(b);
}

TEST_F(lis, without_keys)
{
	struct tcptest_conf conf = variant->conf;
	struct nsttest_conf keys = {
		.cipher_id = conf.cipher_id,
		.nr_keys = NSTTEST_KEYS,
		.flags = conf.strict ? NST_F_STRICT : 0,
	};
	int a = client(&conf), b;

	close(self->lis);
	listen_any(_metadata, self, conf.family);
	ASSERT_EQ(0, nsttest_attach(self->lis));
	ASSERT_EQ(0, connect_to(self, a));
	b = accept_from(self);
	ASSERT_LE(0, b);
	EXPECT_EQ(-ENOKEY, one_recv(b));
	EXPECT_EQ(-1, send(b, "x", 1, 0));
	EXPECT_EQ(ENOKEY, errno);
	ASSERT_EQ(0, nsttest_install(b, &keys));
	run_echo(_metadata, a, b);
	close(a);
	close(b);
}

/* Other keys for the listener are for later children only. */
TEST_F(lis, keys_change)
{
	struct nsttest_info keys;
	int a[2] = { client(&variant->conf), client(&variant->conf) }, b[2];
	int i;

	nsttest_fill(&keys, variant->conf.cipher_id);
	keys.info.flags = variant->conf.strict ? NST_F_STRICT : 0;
	keys.info.context_len = 5;
	memcpy(keys.info.context, "other", 5);
	ASSERT_EQ(0, connect_to(self, a[0]));
	b[0] = accept_from(self);
	ASSERT_LE(0, b[0]);
	ASSERT_EQ(0, setsockopt(self->lis, SOL_NST, NST_TX_RX, &keys,
				sizeof(keys)));
	ASSERT_EQ(0, setsockopt(a[1], SOL_NST, NST_TX_RX, &keys,
				sizeof(keys)));
	ASSERT_EQ(0, connect_to(self, a[1]));
	b[1] = accept_from(self);
	ASSERT_LE(0, b[1]);
	for (i = 0; i < 2; i++) {
		run_echo(_metadata, a[i], b[i]);
		close(a[i]);
		close(b[i]);
	}
}

TEST_F(lis, defer_accept)
{
	int a = client(&variant->conf), b;

	ASSERT_EQ(0, tcptest_set_int(self->lis, SOL_TCP, TCP_DEFER_ACCEPT, 5));
	ASSERT_EQ(0, connect_to(self, a));
	/* In strict mode the START is what accept() waits for. */
	if (!variant->conf.strict)
		ASSERT_EQ(0, tcptest_send(a, 0, 1, 1));
	b = accept_from(self);
	ASSERT_LE(0, b);
	if (!variant->conf.strict)
		ASSERT_EQ(0, tcptest_recv(b, 0, 1, 1));
	run_echo(_metadata, a, b);
	close(a);
	close(b);
}

TEST_F(lis, no_stream_itself)
{
	EXPECT_EQ(-ENOTCONN, one_recv(self->lis));
	EXPECT_EQ(-1, send(self->lis, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(EPIPE, errno);
	EXPECT_EQ(0, tcptest_poll(self->lis, POLLIN | POLLOUT, 0));
}

TEST_F(lis, gone_before_accept)
{
	struct tcptest_conf conf = variant->conf;
	int a = client(&conf), b;

	ASSERT_EQ(0, connect_to(self, a));
	/* A strict end may not send before the other one is accepted. */
	if (!conf.strict)
		ASSERT_EQ(0, tcptest_send(a, 0, 100, 50));
	close(a);
	usleep(50000);
	b = accept_from(self);
	ASSERT_LE(0, b);
	if (!conf.strict) {
		EXPECT_EQ(0, tcptest_recv(b, 0, 100, 100));
		EXPECT_EQ(0, one_recv(b));
	} else {
		EXPECT_EQ(-ECONNRESET, one_recv(b));
	}
	close(b);
}

/* Clients connect and send; nobody ever accepts them. */
static void fill_backlog(struct __test_metadata *_metadata,
			 FIXTURE_DATA(lis) *self,
			 const struct tcptest_conf *conf, int *fd)
{
	int i;

	for (i = 0; i < CHILDREN; i++) {
		fd[i] = client(conf);
		ASSERT_LE(0, fd[i]);
		ASSERT_EQ(0, connect_to(self, fd[i]));
		send(fd[i], "hello", 5, MSG_DONTWAIT);
		if (i % 4 == 1)
			shutdown(fd[i], SHUT_WR);
	}
}

static void expect_all_gone(struct __test_metadata *_metadata, const int *fd)
{
	int i, ret;

	for (i = 0; i < CHILDREN; i++) {
		ret = one_recv(fd[i]);
		EXPECT_TRUE(ret == -ECONNRESET || ret == -EPIPE) {
			TH_LOG("client %d: %d", i, ret);
		}
		close(fd[i]);
	}
}

TEST_F(lis, never_accepted)
{
	int fd[CHILDREN];

	fill_backlog(_metadata, self, &variant->conf, fd);
	close(self->lis);
	self->lis = -1;
	expect_all_gone(_metadata, fd);
}

TEST_F(lis, shutdown)
{
	int fd[CHILDREN];

	fill_backlog(_metadata, self, &variant->conf, fd);
	ASSERT_EQ(0, shutdown(self->lis, SHUT_RDWR));
	EXPECT_EQ(-1, accept(self->lis, NULL, NULL));
	EXPECT_EQ(EINVAL, errno);
	expect_all_gone(_metadata, fd);
	/* As with TCP it may listen again, and still has its keys. */
	ASSERT_EQ(0, listen(self->lis, CHILDREN));
	ASSERT_EQ(0, getsockname(self->lis, (void *)&self->ss, &self->len));
	fd[0] = client(&variant->conf);
	ASSERT_EQ(0, connect_to(self, fd[0]));
	fd[1] = accept_from(self);
	ASSERT_LE(0, fd[1]);
	run_echo(_metadata, fd[0], fd[1]);
	close(fd[0]);
	close(fd[1]);
}

/* --- connecting ----------------------------------------------------------- */

TEST_F(lis, nonblocking_connect)
{
	int a = client(&variant->conf), b, err = -1;
	socklen_t len = sizeof(err);

	ASSERT_EQ(0, fcntl(a, F_SETFL, O_NONBLOCK));
	ASSERT_TRUE(!connect(a, (void *)&self->ss, self->len) ||
		    errno == EINPROGRESS);
	b = accept_from(self);
	ASSERT_LE(0, b);
	ASSERT_EQ(0, tcptest_settle(a));
	ASSERT_EQ(0, getsockopt(a, SOL_SOCKET, SO_ERROR, &err, &len));
	EXPECT_EQ(0, err);
	ASSERT_EQ(0, fcntl(a, F_SETFL, 0));
	run_echo(_metadata, a, b);
	close(a);
	close(b);
}

TEST_F(lis, refused_connect)
{
	int a = client(&variant->conf), b;
	char byte;

	close(self->lis);
	self->lis = -1;
	EXPECT_EQ(-ECONNREFUSED, connect_to(self, a));
	EXPECT_EQ(-1, send(a, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(EPIPE, errno);
	EXPECT_EQ(-1, recv(a, &byte, 1, 0));
	/* The next try may have more luck. */
	listen_any(_metadata, self, variant->conf.family);
	ASSERT_EQ(0, tcptest_key(self->lis, &variant->conf, 0));
	ASSERT_EQ(0, connect_to(self, a));
	b = accept_from(self);
	ASSERT_LE(0, b);
	run_echo(_metadata, a, b);
	close(a);
	close(b);
}

/* What one connection was shut for is not the next one's. */
TEST_F(lis, shut_before)
{
	struct sockaddr_storage none = { .ss_family = AF_UNSPEC };
	struct linger now = { .l_onoff = 1 };
	int a = client(&variant->conf), b, ret;

	ASSERT_EQ(0, connect_to(self, a));
	b = accept_from(self);
	ASSERT_LE(0, b);
	if (variant->conf.strict) {
		close(a);
		close(b);
		return;		/* it has sent its START by itself */
	}
	ASSERT_EQ(0, shutdown(a, SHUT_RD));
	ASSERT_EQ(0, setsockopt(b, SOL_SOCKET, SO_LINGER, &now, sizeof(now)));
	close(b);
	ASSERT_EQ(0, tcptest_state(a, TCP_CLOSE));
	/* The worker may have it in hand for a moment. */
	do
		ret = connect(a, (void *)&none, sizeof(none));
	while (ret && errno == EBUSY);
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, connect_to(self, a));
	b = accept_from(self);
	ASSERT_LE(0, b);
	EXPECT_EQ(0, tcptest_poll(a, POLLIN | POLLRDHUP, TCPTEST_NEVER_MS));
	run_echo(_metadata, a, b);
	close(a);
	close(b);
}

/* Who has listened and then connects is the initiator, as any who connects. */
TEST_F(lis, listener_becomes_client)
{
	struct sockaddr_storage none = { .ss_family = AF_UNSPEC };
	int a = socket(variant->conf.family, SOCK_STREAM, 0), b;
	struct nst_info info;

	ASSERT_EQ(0, listen(a, 1));
	ASSERT_EQ(0, timeouts(a));
	ASSERT_EQ(0, tcptest_key(a, &variant->conf, 0));
	ASSERT_EQ(0, connect(a, (void *)&none, sizeof(none)));
	ASSERT_EQ(0, connect_to(self, a));
	b = accept_from(self);
	ASSERT_LE(0, b);
	run_echo(_metadata, a, b);
	ASSERT_EQ(0, tcptest_info(a, &info));
	EXPECT_EQ(NST_F_INITIATOR, info.flags & (NST_F_INITIATOR | NST_F_RESPONDER));
	ASSERT_EQ(0, tcptest_info(b, &info));
	EXPECT_EQ(NST_F_RESPONDER, info.flags & (NST_F_INITIATOR | NST_F_RESPONDER));
	close(a);
	close(b);
}

TEST_F(lis, not_connected)
{
	struct sockaddr_storage none = { .ss_family = AF_UNSPEC };
	int a = client(&variant->conf), b;

	EXPECT_EQ(-ENOTCONN, one_recv(a));
	EXPECT_EQ(-1, send(a, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(EPIPE, errno);
	EXPECT_EQ(-1, shutdown(a, SHUT_WR));
	EXPECT_EQ(ENOTCONN, errno);
	/* There is nothing to disconnect yet, so that is no harm. */
	EXPECT_EQ(0, connect(a, (void *)&none, sizeof(none)));
	ASSERT_EQ(0, connect_to(self, a));
	b = accept_from(self);
	ASSERT_LE(0, b);
	run_echo(_metadata, a, b);
	EXPECT_EQ(-1, connect(a, (void *)&none, sizeof(none)));
	EXPECT_EQ(EOPNOTSUPP, errno);
	run_echo(_metadata, a, b);
	close(a);
	close(b);
}

TEST_F(lis, many_at_once)
{
	int a[MANY], b[MANY], i;

	for (i = 0; i < MANY; i++) {
		a[i] = client(&variant->conf);
		ASSERT_LE(0, a[i]);
		ASSERT_EQ(0, connect_to(self, a[i]));
		b[i] = accept_from(self);
		ASSERT_LE(0, b[i]);
	}
	for (i = 0; i < MANY; i++)
		ASSERT_EQ(0, tcptest_send(a[i], i, 100, 100));
	for (i = MANY; i--;)
		ASSERT_EQ(0, tcptest_send(b[i], i, 100, 100));
	for (i = 0; i < MANY; i++) {
		ASSERT_EQ(0, tcptest_recv(a[i], i, 100, 100));
		ASSERT_EQ(0, tcptest_recv(b[i], i, 100, 100));
		close(i % 2 ? a[i] : b[i]);
	}
	for (i = 0; i < MANY; i++) {
		EXPECT_EQ(0, one_recv(i % 2 ? b[i] : a[i]));
		close(i % 2 ? b[i] : a[i]);
	}
}

/* The program dies with everything open. */
TEST_F(lis, killed)
{
	int a[8], b[8], i;
	pid_t pid;

	for (i = 0; i < 8; i++) {
		a[i] = client(&variant->conf);
		ASSERT_EQ(0, connect_to(self, a[i]));
	}
	pid = fork();
	if (!pid) {
		for (i = 0; i < 8; i++) {
			close(a[i]);
			b[i] = accept_from(self);
			tcptest_send(b[i], 0, 10, 10);
		}
		raise(SIGKILL);
	}
	EXPECT_EQ(-EINTR, tcptest_reap(pid));
	for (i = 0; i < 8; i++) {
		EXPECT_EQ(0, tcptest_recv(a[i], 0, 10, 10));
		EXPECT_EQ(0, one_recv(a[i]));
		close(a[i]);
	}
}

/* --- the module ----------------------------------------------------------- */

static int unload(void)
{
	return syscall(SYS_delete_module, "nst_ulp", O_NONBLOCK) ? -errno : 0;
}

TEST_F(lis, module_stays)
{
	int a = client(&variant->conf), b;

	EXPECT_EQ(-EWOULDBLOCK, unload());
	ASSERT_EQ(0, connect_to(self, a));
	close(self->lis);
	self->lis = -1;
	EXPECT_EQ(-EWOULDBLOCK, unload());
	close(a);
	a = client(&variant->conf);
	EXPECT_EQ(-EWOULDBLOCK, unload());
	b = dup(a);
	close(a);
	EXPECT_EQ(-EWOULDBLOCK, unload());
	close(b);
}

TEST_HARNESS_MAIN
