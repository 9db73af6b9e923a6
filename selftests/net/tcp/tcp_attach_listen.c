// SPDX-License-Identifier: GPL-2.0
/*
 * The children of a listener that is attached late, under load, or beside others
 * that share its port: each that comes out of it has NST.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/filter.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "tcptest.h"

#define CLIENTS	16

FIXTURE(older)
{
	int lis;
	struct sockaddr_storage ss;
	socklen_t len;
};

FIXTURE_VARIANT(older)
{
	struct tcptest_conf conf;
};

TCPTEST_VARIANTS_FEW(older);

static int timeouts(int fd)
{
	return tcptest_timeout(fd, SO_RCVTIMEO, TCPTEST_SOON_MS) ?:
	       tcptest_timeout(fd, SO_SNDTIMEO, TCPTEST_SOON_MS);
}

/* Listens beside others on the port of @ss, or on any. */
static int listen_at(struct sockaddr_storage *ss, socklen_t *len, int family)
{
	int fd = socket(family, SOCK_STREAM, 0);

	ss->ss_family = family;
	*len = sizeof(*ss);
	if (fd < 0 || tcptest_set_int(fd, SOL_SOCKET, SO_REUSEPORT, 1) ||
	    bind(fd, (void *)ss, *len) || timeouts(fd) ||
	    tcptest_set_int(fd, SOL_TCP, TCP_FASTOPEN, CLIENTS) ||
	    listen(fd, 1000) || getsockname(fd, (void *)ss, len))
		return -1;
	return fd;
}

FIXTURE_SETUP(older)
{
	self->lis = listen_at(&self->ss, &self->len, variant->conf.family);
	ASSERT_LE(0, self->lis);
}

FIXTURE_TEARDOWN(older)
{
	if (self->lis >= 0)
		close(self->lis);
}

static int client(FIXTURE_DATA(older) *self, const struct tcptest_conf *conf)
{
	int fd = socket(conf->family, SOCK_STREAM, 0);

	if (fd < 0 || timeouts(fd) || tcptest_key(fd, conf, 0) ||
	    connect(fd, (void *)&self->ss, self->len))
		return -1;
	return fd;
}

static int accept_from(int lis)
{
	int fd = accept(lis, NULL, NULL);

	return fd < 0 || timeouts(fd) ? -1 : fd;
}

/* For what a strict end does not do: say something at once. */
static struct tcptest_conf relaxed(const struct tcptest_conf *conf)
{
	struct tcptest_conf c = *conf;

	c.strict = false;
	return c;
}

/* The one of the clients at the other end of @b: they may come out of order. */
static int client_of(int b, const int *a, int nr)
{
	struct sockaddr_storage at, from;
	socklen_t len = sizeof(at);
	int i;

	if (getpeername(b, (void *)&at, &len))
		return -1;
	for (i = 0; i < nr; i++) {
		len = sizeof(from);
		if (!getsockname(a[i], (void *)&from, &len) &&
		    !memcmp(&at, &from, len))
			return a[i];
	}
	return -1;
}

static bool has_nst(int fd)
{
	char ulp[16] = "";
	socklen_t len = sizeof(ulp);

	return !getsockopt(fd, SOL_TCP, TCP_ULP, ulp, &len) &&
	       !strcmp(ulp, "nst");
}

static void run_echo(struct __test_metadata *_metadata, int a, int b)
{
	ASSERT_EQ(0, tcptest_send(a, 0, 1000, 300));
	ASSERT_EQ(0, tcptest_recv(b, 0, 1000, 1000));
	ASSERT_EQ(0, tcptest_send(b, 5, 1000, 300));
	ASSERT_EQ(0, tcptest_recv(a, 5, 1000, 1000));
}

static int send_early(int fd, const struct tcptest_conf *conf)
{
	/* In strict mode only the start record has come by then. */
	return conf->strict ? 0 : tcptest_send(fd, 0, 1000, 300);
}

static int recv_early(int fd, const struct tcptest_conf *conf)
{
	return conf->strict ? 0 : tcptest_recv(fd, 0, 1000, 1000);
}

/* --- children older than the attach ---------------------------------------- */

/* What wakes a socket-activated service: a connection, and what it has sent. */
TEST_F(older, established)
{
	int a = client(self, &variant->conf), b;
	struct nst_info info;

	ASSERT_LE(0, a);
	ASSERT_EQ(0, send_early(a, &variant->conf));
	ASSERT_EQ(0, tcptest_key(self->lis, &variant->conf, 0));
	ASSERT_EQ(0, tcptest_record_max(self->lis, 777));
	b = accept_from(self->lis);
	ASSERT_LE(0, b);
	ASSERT_TRUE(has_nst(b));
	ASSERT_EQ(0, recv_early(b, &variant->conf));
	run_echo(_metadata, a, b);
	ASSERT_EQ(0, tcptest_info(b, &info));
	EXPECT_EQ(777, info.record_max);
	close(b);
	close(a);
}

TEST_F(older, many)
{
	int a[CLIENTS], b, i;

	for (i = 0; i < CLIENTS; i++) {
		a[i] = client(self, &variant->conf);
		ASSERT_LE(0, a[i]);
		ASSERT_EQ(0, send_early(a[i], &variant->conf));
	}
	ASSERT_EQ(0, tcptest_key(self->lis, &variant->conf, 0));
	for (i = 0; i < CLIENTS; i++) {
		b = accept_from(self->lis);
		ASSERT_LE(0, b);
		ASSERT_EQ(0, recv_early(b, &variant->conf));
		run_echo(_metadata, client_of(b, a, CLIENTS), b);
		close(b);
	}
	for (i = 0; i < CLIENTS; i++)
		close(a[i]);
}

/* The peer has said all and half-closed. */
TEST_F(older, close_wait)
{
	struct tcptest_conf conf = relaxed(&variant->conf);
	int a = client(self, &conf), b;
	char c;

	ASSERT_EQ(0, tcptest_send(a, 0, 1000, 300));
	ASSERT_EQ(0, shutdown(a, SHUT_WR));
	ASSERT_EQ(0, tcptest_key(self->lis, &conf, 0));
	b = accept_from(self->lis);
	ASSERT_LE(0, b);
	ASSERT_TRUE(has_nst(b));
	ASSERT_EQ(0, tcptest_recv(b, 0, 1000, 1000));
	EXPECT_EQ(0, recv(b, &c, 1, 0));
	ASSERT_EQ(0, tcptest_send(b, 7, 100, 100));
	ASSERT_EQ(0, tcptest_recv(a, 7, 100, 100));
	close(b);
	close(a);
}

/* The peer has gone: accept() tells nothing, the first call does. */
TEST_F(older, reset)
{
	struct linger linger = { .l_onoff = 1 };
	int a = client(self, &variant->conf), b;
	char c;

	setsockopt(a, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(a);
	ASSERT_EQ(0, tcptest_key(self->lis, &variant->conf, 0));
	b = accept_from(self->lis);
	ASSERT_LE(0, b);
	EXPECT_TRUE(has_nst(b));
	EXPECT_EQ(-1, recv(b, &c, 1, 0));
	EXPECT_EQ(ECONNRESET, errno);
	EXPECT_EQ(-1, send(b, "plain", 5, MSG_NOSIGNAL));
	close(b);
}

/* A client without NST gets nothing but the end. */
TEST_F(older, plain_client)
{
	int a = socket(variant->conf.family, SOCK_STREAM, 0), b;
	char buf[64];
	ssize_t n;

	ASSERT_EQ(0, connect(a, (void *)&self->ss, self->len));
	ASSERT_EQ(0, timeouts(a));
	ASSERT_EQ(64, send(a, memset(buf, 'x', sizeof(buf)), 64, 0));
	ASSERT_EQ(0, tcptest_key(self->lis, &variant->conf, 0));
	b = accept_from(self->lis);
	ASSERT_LE(0, b);
	EXPECT_EQ(-1, recv(b, buf, sizeof(buf), 0));
	EXPECT_EQ(EPROTO, errno);
	/* At most a start record comes before the reset. */
	do
		n = recv(a, buf, sizeof(buf), 0);
	while (n > 0);
	EXPECT_EQ(-1, n);
	EXPECT_EQ(ECONNRESET, errno);
	close(b);
	close(a);
}

/* SYNs with data that a listener has taken. */
static long fastopens(void)
{
	return nsttest_mib("/proc/net/netstat", "TcpExt:",
			   "TCPFastOpenPassive");
}

/* Fast Open: the first record comes with the SYN, before the child stands. */
static void run_fastopen(struct __test_metadata *_metadata,
			 FIXTURE_DATA(older) *self,
			 const struct tcptest_conf *conf, bool late)
{
	int a = socket(conf->family, SOCK_STREAM, 0), b;
	uint8_t wire[256];
	struct peer peer;
	char in[8] = "";
	long taken;
	size_t n;

	/* Both ends, without a cookie. */
	ASSERT_EQ(0, nsttest_write_file("/proc/sys/net/ipv4/tcp_fastopen",
					"1543"));
	taken = fastopens();
	peer_init(&peer, a, conf->cipher_id, nsttest_box, NSTTEST_KEYS);
	n = peer_append(&peer, NST_TYPE_DATA, "record", 6, wire);
	if (!late)
		ASSERT_EQ(0, tcptest_key(self->lis, conf, 0));
	ASSERT_EQ((ssize_t)n, sendto(a, wire, n, MSG_FASTOPEN,
				     (void *)&self->ss, self->len));
	/* It has come with the SYN, and is there before there is a connection. */
	ASSERT_EQ(taken + 1, fastopens());
	if (late)
		ASSERT_EQ(0, tcptest_key(self->lis, conf, 0));
	b = accept_from(self->lis);
	ASSERT_LE(0, b);
	ASSERT_TRUE(has_nst(b));
	ASSERT_EQ(6, recv(b, in, sizeof(in), 0));
	EXPECT_STREQ("record", in);
	close(b);
	close(a);
}

TEST_F(older, fastopen)
{
	struct tcptest_conf conf = relaxed(&variant->conf);

	run_fastopen(_metadata, self, &conf, true);
}

TEST_F(older, fastopen_after)
{
	struct tcptest_conf conf = relaxed(&variant->conf);

	run_fastopen(_metadata, self, &conf, false);
}

/*
 * Shut down before the connection stands: the end of the stream goes when it does, and
 * no FIN without it.
 */
TEST_F(older, fastopen_shut)
{
	struct tcptest_conf conf = relaxed(&variant->conf);
	struct sock_filter none = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog deaf = { .len = 1, .filter = &none };
	int a = socket(conf.family, SOCK_STREAM, 0), b;
	uint8_t wire[256], plain[PEER_RECORD_MAX];
	struct peer_hdr h;
	struct peer peer;
	char in[8] = "";
	size_t n;

	ASSERT_EQ(0, nsttest_write_file("/proc/sys/net/ipv4/tcp_fastopen",
					"1543"));
	ASSERT_EQ(0, timeouts(a));
	peer_init(&peer, a, conf.cipher_id, nsttest_box, NSTTEST_KEYS);
	n = peer_append(&peer, NST_TYPE_DATA, "record", 6, wire);
	ASSERT_EQ(0, tcptest_key(self->lis, &conf, 0));
	/* The client hears of no SYN-ACK yet, and acknowledges none. */
	ASSERT_EQ(0, setsockopt(a, SOL_SOCKET, SO_ATTACH_FILTER, &deaf,
				sizeof(deaf)));
	ASSERT_EQ((ssize_t)n, sendto(a, wire, n, MSG_FASTOPEN | MSG_DONTWAIT,
				     (void *)&self->ss, self->len));
	b = accept_from(self->lis);
	ASSERT_LE(0, b);
	ASSERT_EQ(0, tcptest_state(b, TCP_SYN_RECV));
	EXPECT_EQ(0, shutdown(b, SHUT_WR));
	EXPECT_EQ(-1, send(b, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT));
	ASSERT_EQ(0, tcptest_set_int(a, SOL_SOCKET, SO_DETACH_FILTER, 0));
	EXPECT_EQ(6, recv(b, in, sizeof(in), 0));
	EXPECT_EQ(0, peer_recv(&peer, &h, plain));
	EXPECT_EQ(PEER_CLOSE, h.flags & PEER_F_TYPE);
	EXPECT_EQ(-EPIPE, peer_recv(&peer, &h, plain));
	close(b);
	close(a);
}

/* A client that hears of no SYN-ACK, and what it has sent with its SYN. */
static int deaf_client(const FIXTURE_DATA(older) *self, const uint8_t *wire,
		       size_t n, int family)
{
	struct sock_filter none = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog deaf = { .len = 1, .filter = &none };
	int fd = socket(family, SOCK_STREAM, 0);

	if (fd < 0 || timeouts(fd) ||
	    nsttest_write_file("/proc/sys/net/ipv4/tcp_fastopen", "1543") ||
	    setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &deaf, sizeof(deaf)) ||
	    sendto(fd, wire, n, MSG_FASTOPEN | MSG_DONTWAIT, (void *)&self->ss,
		   self->len) != (ssize_t)n)
		return -1;
	return fd;
}

/*
 * Closed before the connection stands: it does not wait for that for long, and there is
 * no orderly end, for no close record can have gone.
 */
TEST_F(older, fastopen_closed)
{
	struct tcptest_conf conf = relaxed(&variant->conf);
	uint8_t wire[256];
	struct peer peer;
	char in[8] = "";
	long begin;
	int a, b;

	ASSERT_EQ(0, tcptest_key(self->lis, &conf, 0));
	peer_init(&peer, -1, conf.cipher_id, nsttest_box, NSTTEST_KEYS);
	a = deaf_client(self, wire,
			peer_append(&peer, NST_TYPE_DATA, "record", 6, wire),
			conf.family);
	ASSERT_LE(0, a);
	b = accept_from(self->lis);
	ASSERT_LE(0, b);
	ASSERT_EQ(0, tcptest_state(b, TCP_SYN_RECV));
	/* What has come is looked at when its sender is known to be there. */
	ASSERT_EQ(-1, recv(b, in, sizeof(in), MSG_DONTWAIT));
	ASSERT_EQ(EAGAIN, errno);
	begin = nsttest_now_ms();
	EXPECT_EQ(0, close(b));
	EXPECT_GT(TCPTEST_SOON_MS, nsttest_now_ms() - begin);
	EXPECT_EQ(0, nsttest_stat("NstLingering"));
	/* Nobody answers for it any more, when its client listens and tries again. */
	close(self->lis);
	self->lis = -1;
	ASSERT_EQ(0, tcptest_set_int(a, SOL_SOCKET, SO_DETACH_FILTER, 0));
	EXPECT_EQ(-1, recv(a, in, sizeof(in), 0));
	EXPECT_TRUE(errno == ECONNREFUSED || errno == ECONNRESET)
		TH_LOG("%s", strerror(errno));
	close(a);
}

/*
 * Reset before the connection stands: what has come is there all the same, and nobody
 * is told that somebody else had taken it.
 */
TEST_F(older, fastopen_reset)
{
	struct tcptest_conf conf = relaxed(&variant->conf);
	long foreign = nsttest_stat("NstRxForeign");
	uint8_t wire[256];
	struct peer peer;
	char in[8] = "";
	int a, b, n = 0;

	ASSERT_EQ(0, tcptest_key(self->lis, &conf, 0));
	peer_init(&peer, -1, conf.cipher_id, nsttest_box, NSTTEST_KEYS);
	a = deaf_client(self, wire,
			peer_append(&peer, NST_TYPE_DATA, "record", 6, wire),
			conf.family);
	ASSERT_LE(0, a);
	b = accept_from(self->lis);
	ASSERT_LE(0, b);
	ASSERT_EQ(0, tcptest_state(b, TCP_SYN_RECV));
	/* The next SYN-ACK comes to nobody. */
	close(a);
	ASSERT_EQ(0, tcptest_state(b, TCP_CLOSE));
	ASSERT_EQ(0, ioctl(b, FIONREAD, &n));
	EXPECT_EQ(6, n);
	EXPECT_EQ(6, recv(b, in, sizeof(in), 0));
	EXPECT_STREQ("record", in);
	EXPECT_EQ(-1, recv(b, in, sizeof(in), 0));
	EXPECT_EQ(ECONNRESET, errno);
	EXPECT_EQ(foreign, nsttest_stat("NstRxForeign"));
	close(b);
}

/* A START of its own comes with the SYN; what follows it, and the answer, come later. */
static void run_start_in_syn(struct __test_metadata *_metadata,
			     FIXTURE_DATA(older) *self,
			     const struct tcptest_conf *conf, bool late)
{
	int a = socket(conf->family, SOCK_STREAM, 0), b, n = -1;
	uint8_t wire[256], plain[PEER_RECORD_MAX];
	struct peer_hdr h;
	struct peer peer;
	char in[8] = "";
	size_t len;
	long taken;

	ASSERT_EQ(0, nsttest_write_file("/proc/sys/net/ipv4/tcp_fastopen",
					"1543"));
	ASSERT_EQ(0, timeouts(a));
	taken = fastopens();
	peer_init(&peer, a, conf->cipher_id, nsttest_box, NSTTEST_KEYS);
	len = peer_append(&peer, PEER_STARTREC, NULL, 0, wire);
	if (!late)
		ASSERT_EQ(0, tcptest_key(self->lis, conf, 0));
	ASSERT_EQ((ssize_t)len, sendto(a, wire, len, MSG_FASTOPEN,
				       (void *)&self->ss, self->len));
	ASSERT_EQ(taken + 1, fastopens());
	if (late)
		ASSERT_EQ(0, tcptest_key(self->lis, conf, 0));
	b = accept_from(self->lis);
	ASSERT_LE(0, b);
	ASSERT_TRUE(has_nst(b));
	/* There is nothing to read yet; but what asks for an answer has one. */
	EXPECT_EQ(0, tcptest_poll(b, POLLIN, 100));
	ASSERT_EQ(0, ioctl(b, FIONREAD, &n));
	EXPECT_EQ(0, n);
	ASSERT_EQ(0, peer_recv(&peer, &h, plain));
	EXPECT_EQ(PEER_STARTREC, h.flags & PEER_F_TYPE);
	ASSERT_EQ(0, peer_send(&peer, PEER_DATA, "record", 6));
	ASSERT_EQ(6, recv(b, in, sizeof(in), 0));
	EXPECT_STREQ("record", in);
	ASSERT_EQ(3, send(b, "yes", 3, 0));
	ASSERT_EQ(3, peer_recv(&peer, &h, plain));
	close(b);
	close(a);
}

TEST_F(older, start_in_syn)
{
	run_start_in_syn(_metadata, self, &variant->conf, true);
}

TEST_F(older, start_in_syn_after)
{
	run_start_in_syn(_metadata, self, &variant->conf, false);
}

/* Born between the listener's attach and its keys. */
TEST_F(older, than_the_keys)
{
	struct nsttest_conf keys = {
		.cipher_id = variant->conf.cipher_id, .nr_keys = NSTTEST_KEYS,
		.flags = variant->conf.strict ? NST_F_STRICT : 0,
	};
	int a, b;

	ASSERT_EQ(0, nsttest_attach(self->lis));
	a = client(self, &variant->conf);
	ASSERT_LE(0, a);
	ASSERT_EQ(0, send_early(a, &variant->conf));
	ASSERT_EQ(0, nsttest_install(self->lis, &keys));
	b = accept_from(self->lis);
	ASSERT_LE(0, b);
	ASSERT_EQ(0, recv_early(b, &variant->conf));
	run_echo(_metadata, a, b);
	close(b);
	close(a);
}

/* The keys of one direction come before the other's: it may be born in between. */
static void run_half(struct __test_metadata *_metadata,
		     FIXTURE_DATA(older) *self,
		     const struct tcptest_conf *conf, int first)
{
	struct nsttest_info ti;
	socklen_t len = sizeof(ti.info) + NSTTEST_KEYS * sizeof(ti.keys[0]);
	int a, b;

	nsttest_fill(&ti, conf->cipher_id);
	ti.info.flags = conf->strict ? NST_F_STRICT : 0;
	ASSERT_EQ(0, nsttest_attach(self->lis));
	ASSERT_EQ(0, setsockopt(self->lis, SOL_NST, first, &ti, len));
	a = client(self, conf);
	ASSERT_LE(0, a);
	ASSERT_EQ(0, send_early(a, conf));
	ASSERT_EQ(0, setsockopt(self->lis, SOL_NST, NST_TX + NST_RX - first,
				&ti, len));
	b = accept_from(self->lis);
	ASSERT_LE(0, b);
	ASSERT_EQ(0, recv_early(b, conf));
	run_echo(_metadata, a, b);
	close(b);
	close(a);
}

TEST_F(older, than_the_key_to_receive)
{
	run_half(_metadata, self, &variant->conf, NST_TX);
}

TEST_F(older, than_the_key_to_send)
{
	run_half(_metadata, self, &variant->conf, NST_RX);
}

/* --- under load ------------------------------------------------------------- */

struct load {
	struct sockaddr_storage ss;
	socklen_t len;
	struct tcptest_conf conf;
	int stop;
};

/* Connects, sends and goes, again and again. */
static void *run_load(void *arg)
{
	struct load *load = arg;
	int fd;

	while (!__atomic_load_n(&load->stop, __ATOMIC_RELAXED)) {
		fd = socket(load->conf.family, SOCK_STREAM, 0);
		if (!timeouts(fd) && !tcptest_key(fd, &load->conf, 0) &&
		    !connect(fd, (void *)&load->ss, load->len))
			send(fd, "record", 6, MSG_NOSIGNAL);
		close(fd);
	}
	return NULL;
}

/* Each child either gives what was sent, or tells that its peer has gone. */
static void check_children(struct __test_metadata *_metadata, int lis, int *nr)
{
	char buf[16];
	ssize_t n;
	int fd;

	while ((fd = accept(lis, NULL, NULL)) >= 0) {
		ASSERT_EQ(0, timeouts(fd));
		ASSERT_TRUE(has_nst(fd));
		n = recv(fd, buf, sizeof(buf), 0);
		EXPECT_TRUE(n == 6 || (n < 0 && errno == ECONNRESET))
			TH_LOG("%zd, %s", n, n < 0 ? strerror(errno) : "");
		close(fd);
		++*nr;
	}
	EXPECT_EQ(EAGAIN, errno);
}

TEST_F(older, under_load)
{
	struct load load = { .conf = relaxed(&variant->conf) };
	int round, i, nr = 0;
	pthread_t thread[3];

	for (round = 0; round < 4; round++) {
		close(self->lis);
		self->ss = (struct sockaddr_storage){};
		self->lis = listen_at(&self->ss, &self->len,
				      variant->conf.family);
		load.ss = self->ss;
		load.len = self->len;
		load.stop = 0;
		for (i = 0; i < 3; i++)
			ASSERT_EQ(0, pthread_create(&thread[i], NULL, run_load,
						    &load));
		usleep(50000);
		ASSERT_EQ(0, tcptest_key(self->lis, &load.conf, 0));
		usleep(50000);
		__atomic_store_n(&load.stop, 1, __ATOMIC_RELAXED);
		for (i = 0; i < 3; i++)
			pthread_join(thread[i], NULL);
		ASSERT_EQ(0, fcntl(self->lis, F_SETFL, O_NONBLOCK));
		check_children(_metadata, self->lis, &nr);
	}
	EXPECT_LT(0, nr);
}

/* --- children that go over to another listener ------------------------------ */

static int migrate(void)
{
	return nsttest_write_file("/proc/sys/net/ipv4/tcp_migrate_req", "1");
}

/* Both listeners have some of these; returns how many @lis has, the others' fate. */
static void connect_some(struct __test_metadata *_metadata,
			 FIXTURE_DATA(older) *self, int *fds, int family)
{
	int i;

	for (i = 0; i < CLIENTS; i++) {
		fds[i] = socket(family, SOCK_STREAM, 0);
		ASSERT_EQ(0, timeouts(fds[i]));
		ASSERT_EQ(0, connect(fds[i], (void *)&self->ss, self->len));
	}
}

static int count_children(int lis, bool *all_nst)
{
	int fd, nr = 0;

	*all_nst = true;
	fcntl(lis, F_SETFL, O_NONBLOCK);
	while ((fd = accept(lis, NULL, NULL)) >= 0) {
		*all_nst &= has_nst(fd);
		close(fd);
		nr++;
	}
	return nr;
}

/* Nothing comes from a listener with NST to one without, however it ends. */
static void run_from_nst(struct __test_metadata *_metadata,
			 FIXTURE_DATA(older) *self,
			 const struct tcptest_conf *conf, int (*end)(int fd))
{
	int fds[CLIENTS], other, i, kept = 0, children;
	socklen_t len;
	bool all_nst;
	ssize_t n;
	char byte;

	ASSERT_EQ(0, migrate());
	other = listen_at(&self->ss, &len, conf->family);
	ASSERT_LE(0, other);
	ASSERT_EQ(0, tcptest_key(self->lis, conf, 0));
	connect_some(_metadata, self, fds, conf->family);
	ASSERT_EQ(0, end(self->lis));
	children = count_children(other, &all_nst);
	/* Its own are closed now; those of the one that has gone are reset. */
	for (i = 0; i < CLIENTS; i++) {
		n = recv(fds[i], &byte, 1, 0);
		kept += n == 0;
		EXPECT_TRUE(n == 0 || (n < 0 && errno == ECONNRESET))
			TH_LOG("%zd, %s", n, n < 0 ? strerror(errno) : "");
		close(fds[i]);
	}
	EXPECT_GT(CLIENTS, kept);
	EXPECT_EQ(kept, children);
	EXPECT_TRUE(!kept || !all_nst);
	close(other);
}

static int end_by_close(int fd)
{
	/* The number stays in use, for the fixture. */
	int null = open("/dev/null", O_RDONLY);
	int ret = dup2(null, fd) == fd ? 0 : -1;

	close(null);
	return ret;
}

static int end_by_shutdown(int fd)
{
	return shutdown(fd, SHUT_RD);
}

TEST_F(older, migrate_from_closed)
{
	run_from_nst(_metadata, self, &variant->conf, end_by_close);
}

TEST_F(older, migrate_from_shut)
{
	run_from_nst(_metadata, self, &variant->conf, end_by_shutdown);
}

/* What comes from a listener without NST to one that has it gets NST. */
TEST_F(older, migrate_to_nst)
{
	int fds[CLIENTS], other, i;
	socklen_t len;
	bool all_nst;

	ASSERT_EQ(0, migrate());
	other = listen_at(&self->ss, &len, variant->conf.family);
	ASSERT_LE(0, other);
	ASSERT_EQ(0, tcptest_key(other, &variant->conf, 0));
	connect_some(_metadata, self, fds, variant->conf.family);
	ASSERT_EQ(0, end_by_close(self->lis));
	EXPECT_EQ(CLIENTS, count_children(other, &all_nst));
	EXPECT_TRUE(all_nst);
	for (i = 0; i < CLIENTS; i++)
		close(fds[i]);
	close(other);
}

/* --- an accept() that sleeps over the attach ------------------------------- */

struct sleeper {
	int lis;
	int fd;
	pid_t tid;
	pthread_t thread;
	struct sockaddr_storage ss;
	socklen_t len;
};

/* It runs only when nobody else does, so the child waits for it for a while. */
static void *accept_idly(void *arg)
{
	struct sched_param none = {};
	struct sleeper *s = arg;

	sched_setscheduler(0, SCHED_IDLE, &none);
	__atomic_store_n(&s->tid, syscall(SYS_gettid), __ATOMIC_SEQ_CST);
	s->fd = accept(s->lis, NULL, NULL);
	return NULL;
}

static int fall_asleep(struct sleeper *s)
{
	s->lis = listen_at(&s->ss, &s->len, AF_INET);
	if (s->lis < 0 || pthread_create(&s->thread, NULL, accept_idly, s))
		return -errno;
	while (!__atomic_load_n(&s->tid, __ATOMIC_SEQ_CST))
		usleep(1000);
	return tcptest_asleep(s->tid);
}

/* Long enough for what TCP and NST do without a program. */
static void keep_busy(long ms)
{
	long from = nsttest_now_ms();

	while (nsttest_now_ms() - from < ms)
		sched_yield();
}

static int connect_keyed(const struct sleeper *s, const struct tcptest_conf *conf)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || timeouts(fd) || tcptest_key(fd, conf, 0) ||
	    connect(fd, (void *)&s->ss, s->len))
		return -1;
	return fd;
}

/* Both ends are strict: each waits for the other's START. */
TEST(asleep_strict)
{
	const struct tcptest_conf conf = {
		.cipher_id = NST_CIPHER_AES_GCM, .family = AF_INET,
		.strict = true,
	};
	struct sleeper s = { .fd = -1 };
	char buf[8];
	int fd;

	ASSERT_EQ(0, fall_asleep(&s));
	ASSERT_EQ(0, tcptest_key(s.lis, &conf, 0));
	fd = connect_keyed(&s, &conf);
	ASSERT_LE(0, fd);
	keep_busy(300);
	ASSERT_EQ(0, pthread_join(s.thread, NULL));
	ASSERT_LE(0, s.fd);
	ASSERT_EQ(0, timeouts(s.fd));
	EXPECT_EQ(5, send(fd, "hello", 5, 0));
	EXPECT_EQ(5, recv(s.fd, buf, sizeof(buf), 0));
	EXPECT_EQ(3, send(s.fd, "yes", 3, 0));
	EXPECT_EQ(3, recv(fd, buf, sizeof(buf), 0));
	close(fd);
	close(s.fd);
	close(s.lis);
}

/* What has failed before it had a program is reset as soon as it has one. */
TEST(asleep_refused)
{
	const struct tcptest_conf conf = {
		.cipher_id = NST_CIPHER_AES_GCM, .family = AF_INET,
	};
	struct sleeper s = { .fd = -1 };
	char rubbish[64] = "GET / HTTP/1.0";
	int raw;

	ASSERT_EQ(0, fall_asleep(&s));
	ASSERT_EQ(0, tcptest_key(s.lis, &conf, 0));
	raw = socket(AF_INET, SOCK_STREAM, 0);
	ASSERT_EQ(0, connect(raw, (void *)&s.ss, s.len));
	ASSERT_EQ(sizeof(rubbish), send(raw, rubbish, sizeof(rubbish), 0));
	keep_busy(300);
	ASSERT_EQ(0, pthread_join(s.thread, NULL));
	ASSERT_LE(0, s.fd);
	EXPECT_NE(0, tcptest_poll(raw, POLLERR, TCPTEST_SOON_MS) & POLLERR);
	close(raw);
	close(s.fd);
	close(s.lis);
}

enum first {
	READS,
	SENDS,
	POLLS,		/* and the keys come when it is accepted */
	POLLS_STRICT,	/* and its peer waits for its START */
};

static void talk(struct __test_metadata *_metadata, int client, int server,
		 enum first first)
{
	char buf[8];

	if (first == SENDS) {
		EXPECT_EQ(3, send(server, "yes", 3, 0));
		EXPECT_EQ(3, recv(client, buf, sizeof(buf), 0));
		return;
	}
	if (first != POLLS)
		EXPECT_EQ(5, send(client, "hello", 5, 0));
	if (first != READS)
		EXPECT_EQ(POLLIN, tcptest_poll(server, POLLIN, TCPTEST_SOON_MS));
	EXPECT_EQ(5, recv(server, buf, sizeof(buf), 0));
}

/* The child is born behind the attach, and before the keys. */
static void born_before_keys(struct __test_metadata *_metadata, enum first first)
{
	const struct tcptest_conf conf = {
		.cipher_id = NST_CIPHER_AES_GCM, .family = AF_INET,
		.strict = first == POLLS_STRICT,
	};
	const struct nsttest_conf keys = {
		.cipher_id = NST_CIPHER_AES_GCM, .nr_keys = NSTTEST_KEYS,
		.flags = first == POLLS_STRICT ? NST_F_STRICT : 0,
	};
	struct sleeper s = { .fd = -1 };
	int fd;

	ASSERT_EQ(0, fall_asleep(&s));
	ASSERT_EQ(0, nsttest_attach(s.lis));
	fd = connect_keyed(&s, &conf);
	ASSERT_LE(0, fd);
	if (first == POLLS)
		EXPECT_EQ(5, send(fd, "hello", 5, 0));
	if (first >= POLLS)
		ASSERT_EQ(0, pthread_join(s.thread, NULL));
	/* The key may come behind accept(), but then it is the listener's alone. */
	ASSERT_EQ(0, nsttest_install(s.lis, &keys));
	if (first < POLLS)
		ASSERT_EQ(0, pthread_join(s.thread, NULL));
	ASSERT_LE(0, s.fd);
	ASSERT_EQ(0, timeouts(s.fd));
	talk(_metadata, fd, s.fd, first);
	close(fd);
	close(s.fd);
	close(s.lis);
}

TEST(asleep_reads)
{
	born_before_keys(_metadata, READS);
}

TEST(asleep_sends)
{
	born_before_keys(_metadata, SENDS);
}

TEST(asleep_polls)
{
	born_before_keys(_metadata, POLLS);
}

TEST(asleep_polls_strict)
{
	born_before_keys(_metadata, POLLS_STRICT);
}

/*
 * Without keys nobody works for it but when the listener gets some: no timer asks again
 * and again. Nor when others of its namespace get keys of their own.
 */
TEST(asleep_without_keys)
{
	const struct tcptest_conf conf = {
		.cipher_id = NST_CIPHER_AES_GCM, .family = AF_INET,
	};
	const struct nsttest_conf keys = {
		.cipher_id = NST_CIPHER_AES_GCM, .nr_keys = NSTTEST_KEYS,
	};
	struct sleeper s = { .fd = -1 };
	int fd, ret;
	char in[8];
	long was;

	ASSERT_EQ(0, fall_asleep(&s));
	ASSERT_EQ(0, nsttest_attach(s.lis));
	fd = connect_keyed(&s, &conf);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, pthread_join(s.thread, NULL));
	ASSERT_LE(0, s.fd);
	usleep(200000);
	ret = nsttest_count_calls("nst_tcp_serve");
	if (ret == -ENOENT)
		SKIP(return, "this kernel has no kprobes");
	ASSERT_EQ(0, ret);
	was = nsttest_calls();
	usleep(2000000);
	TH_LOG("%ld calls of the worker", nsttest_calls() - was);
	EXPECT_GE(5, nsttest_calls() - was);
	ASSERT_EQ(0, nsttest_install(s.lis, &keys));
	EXPECT_EQ(5, send(fd, "hello", 5, 0));
	EXPECT_EQ(POLLIN, tcptest_poll(s.fd, POLLIN, TCPTEST_SOON_MS));
	/* That the probe is there; before that it would have counted nothing. */
	EXPECT_LT(was, nsttest_calls());
	nsttest_count_no_more();
	EXPECT_EQ(5, recv(s.fd, in, sizeof(in), 0));
	close(fd);
	close(s.fd);
	close(s.lis);
}

/* A listener that has gone has no keys for it any more, and nobody waits for that. */
TEST(asleep_and_its_listener_goes)
{
	const struct tcptest_conf conf = {
		.cipher_id = NST_CIPHER_AES_GCM, .family = AF_INET,
	};
	struct sleeper s = { .fd = -1 };
	char in[8];
	int fd;

	ASSERT_EQ(0, fall_asleep(&s));
	ASSERT_EQ(0, nsttest_attach(s.lis));
	fd = connect_keyed(&s, &conf);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, pthread_join(s.thread, NULL));
	ASSERT_LE(0, s.fd);
	usleep(100000);
	close(s.lis);
	EXPECT_EQ(-1, recv(s.fd, in, sizeof(in), 0));
	EXPECT_EQ(ENOKEY, errno);
	close(s.fd);
	close(fd);
}

TEST_HARNESS_MAIN
