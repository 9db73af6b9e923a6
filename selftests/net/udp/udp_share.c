// SPDX-License-Identifier: GPL-2.0
/*
 * One socket used by many, many sockets on one port, and sockets apart from
 * each other: every datagram arrives exactly once, where it belongs.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>

#include "kselftest_harness.h"
#include "udptest.h"

FIXTURE(share)
{
	int a;
	int b;
};

FIXTURE_VARIANT(share)
{
	struct udptest_conf conf;
};

UDPTEST_VARIANTS_FEW(share);

FIXTURE_SETUP(share)
{
	ASSERT_EQ(0, udptest_met(&variant->conf, &self->a, &self->b));
	ASSERT_EQ(0, tcptest_set_int(self->b, SOL_SOCKET, SO_RCVBUFFORCE,
				     4 << 20));
}

FIXTURE_TEARDOWN(share)
{
	close(self->a);
	close(self->b);
}

/* --- many threads ------------------------------------------------------------ */

#define THREADS		4
#define EACH		100
#define FLIGHT		32	/* datagrams under way at most */

static struct crowd {
	int from;
	int to;
	atomic_uint next;		/* number to send */
	atomic_uint got;
	atomic_uchar seen[THREADS * EACH];
	atomic_int bad;
	bool rekey;
} crowd;

static void *crowd_send(void *arg)
{
	struct nst_rekey r = {};
	uint32_t nr;
	int ret;

	(void)arg;
	while ((nr = atomic_fetch_add(&crowd.next, 1)) < THREADS * EACH) {
		while (nr > atomic_load(&crowd.got) + FLIGHT &&
		       !atomic_load(&crowd.bad))
			usleep(100);
		if (crowd.rekey && nr % 10 == 0)
			setsockopt(crowd.from, SOL_NST, NST_REKEY, &r,
				   sizeof(r));
		ret = udptest_send(crowd.from, nr, 20 + nr % 1500);
		if (ret)
			atomic_store(&crowd.bad, -ret);
	}
	return NULL;
}

static void *crowd_recv(void *arg)
{
	uint8_t buf[UDPTEST_MAX];
	int64_t nr;
	ssize_t n;

	(void)arg;
	while (atomic_load(&crowd.got) < THREADS * EACH) {
		n = recv(crowd.to, buf, sizeof(buf), 0);
		if (n <= 0)
			break;
		nr = udptest_number(buf, n);
		if (nr < 0 || nr >= THREADS * EACH || n != 20 + nr % 1500 ||
		    atomic_exchange(&crowd.seen[nr], 1))
			atomic_store(&crowd.bad, EILSEQ);
		atomic_fetch_add(&crowd.got, 1);
	}
	return NULL;
}

/* All that the senders sent has come, each once, or somebody failed. */
static void crowd_run(struct __test_metadata *_metadata, int from, int to,
		      bool rekey)
{
	pthread_t tx[THREADS], rx[THREADS];
	int i;

	memset(&crowd, 0, sizeof(crowd));
	crowd.from = from;
	crowd.to = to;
	crowd.rekey = rekey;
	for (i = 0; i < THREADS; i++) {
		ASSERT_EQ(0, pthread_create(&rx[i], NULL, crowd_recv, NULL));
		ASSERT_EQ(0, pthread_create(&tx[i], NULL, crowd_send, NULL));
	}
	for (i = 0; i < THREADS; i++)
		pthread_join(tx[i], NULL);
	for (i = 0; i < 1000 && atomic_load(&crowd.got) < THREADS * EACH; i++)
		usleep(10000);
	/* Those who still wait are let go. */
	shutdown(to, SHUT_RD);
	for (i = 0; i < THREADS; i++)
		pthread_join(rx[i], NULL);
	EXPECT_EQ(0, atomic_load(&crowd.bad));
	EXPECT_EQ(THREADS * EACH, (int)atomic_load(&crowd.got));
}

TEST_F(share, threads)
{
	crowd_run(_metadata, self->a, self->b, false);
}

/* Epochs that change under way lose nothing, where the load leaves room. */
TEST_F(share, threads_and_new_epochs)
{
	crowd_run(_metadata, self->a, self->b, variant->conf.cipher_id);
}

/* --- descriptors that are passed on ------------------------------------------- */

TEST_F(share, dup)
{
	int fd = dup(self->a);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, udptest_send(fd, 1, 100));
	ASSERT_EQ(0, udptest_send(self->a, 2, 100));
	ASSERT_EQ(0, close(self->a));
	self->a = fd;
	EXPECT_EQ(0, udptest_recv(self->b, 1, 100));
	EXPECT_EQ(0, udptest_recv(self->b, 2, 100));
	EXPECT_EQ(0, udptest_meet(self->a, self->b));
}

/* A child sends with the same counter: never the same nonce twice. */
TEST_F(share, fork)
{
	uint8_t buf[UDPTEST_MAX];
	uint32_t nr, seen = 0;
	ssize_t n;
	pid_t pid = fork();

	if (!pid) {
		for (nr = 0; nr < 16; nr++)
			if (udptest_send(self->a, nr, 100))
				_exit(1);
		_exit(0);
	}
	for (nr = 16; nr < 32; nr++)
		ASSERT_EQ(0, udptest_send(self->a, nr, 100));
	EXPECT_EQ(0, tcptest_reap(pid));
	for (nr = 0; nr < 32; nr++) {
		n = recv(self->b, buf, sizeof(buf), 0);
		ASSERT_EQ(100, n);
		seen |= 1u << udptest_number(buf, n);
	}
	EXPECT_EQ(~0u, seen);
}

/* --- several sockets on one port ----------------------------------------------- */

FIXTURE(port)
{
	int from[8];
	int to[3];
};

FIXTURE_VARIANT(port)
{
	struct udptest_conf conf;
};

UDPTEST_V(port, plain_ipv4, 0, UDPTEST_IPV4);
UDPTEST_V(port, plain_ipv6, 0, UDPTEST_IPV6);
UDPTEST_V(port, aes_gcm_ipv4, NST_CIPHER_AES_GCM, UDPTEST_IPV4);
UDPTEST_V(port, aes_cbc_ipv6, NST_CIPHER_AES_CBC, UDPTEST_IPV6);
UDPTEST_V_BOX(port, aes_gcm_ipv4_box, NST_CIPHER_AES_GCM, UDPTEST_IPV4);
UDPTEST_V_BOX(port, chacha20_ipv6_box, NST_CIPHER_CHACHA20_POLY1305,
	      UDPTEST_IPV6);

FIXTURE_SETUP(port)
{
	struct udptest_name to;
	int i;

	ASSERT_EQ(0, nsttest_netns());
	if (variant->conf.box)
		ASSERT_EQ(0, udptest_load_box());
	udptest_loopback(&variant->conf, 7009, &to);
	for (i = 0; i < 3; i++) {
		self->to[i] = udptest_new(&variant->conf);
		ASSERT_LE(0, self->to[i]);
		ASSERT_EQ(0, tcptest_set_int(self->to[i], SOL_SOCKET,
					     SO_REUSEPORT, 1));
		ASSERT_EQ(0, bind(self->to[i], udptest_sa(&to), to.len));
	}
	for (i = 0; i < 8; i++) {
		self->from[i] = udptest_new(&variant->conf);
		ASSERT_LE(0, self->from[i]);
		ASSERT_EQ(0, connect(self->from[i], udptest_sa(&to), to.len));
	}
}

FIXTURE_TEARDOWN(port)
{
	int i;

	for (i = 0; i < 3; i++)
		close(self->to[i]);
	for (i = 0; i < 8; i++)
		close(self->from[i]);
}

/* What comes to any of @nr sockets; -ETIMEDOUT if nothing does. */
static int recv_any(const int *fd, int nr, uint32_t want, size_t len)
{
	struct pollfd pfd[3];
	int i;

	for (i = 0; i < nr; i++)
		pfd[i] = (struct pollfd){ .fd = fd[i], .events = POLLIN };
	if (poll(pfd, nr, nsttest_patience(TCPTEST_SOON_MS)) <= 0)
		return -ETIMEDOUT;
	for (i = 0; i < nr; i++)
		if (pfd[i].revents)
			return udptest_recv(fd[i], want, len);
	return -EIO;
}

TEST_F(port, every_datagram_arrives)
{
	uint32_t nr;
	int i;

	for (nr = 0; nr < 80; nr++) {
		ASSERT_EQ(0, udptest_send(self->from[nr % 8], nr, 300));
		ASSERT_EQ(0, recv_any(self->to, 3, nr, 300));
	}
	for (i = 0; i < 3; i++)
		EXPECT_EQ(-EAGAIN, udptest_try(self->to[i]));
}

/* One of them ends; the others take over its peers. */
TEST_F(port, one_goes)
{
	uint32_t nr;

	for (nr = 0; nr < 16; nr++) {
		ASSERT_EQ(0, udptest_send(self->from[nr % 8], nr, 300));
		ASSERT_EQ(0, recv_any(self->to, 3, nr, 300));
	}
	close(self->to[2]);
	self->to[2] = -1;
	for (nr = 0; nr < 40; nr++) {
		ASSERT_EQ(0, udptest_send(self->from[nr % 8], nr, 300));
		ASSERT_EQ(0, recv_any(self->to, 2, nr, 300));
	}
}

/* --- namespaces ---------------------------------------------------------------- */

#define SPACES	16

static int enter(int fd)
{
	return setns(fd, CLONE_NEWNET) ? -errno : 0;
}

static const struct udptest_conf box4 = {
	.family = UDPTEST_IPV4, .cipher_id = NST_CIPHER_AES_GCM, .box = true,
};

/* A box is its namespace's only, and so are sessions and counters. */
TEST(namespaces_are_apart)
{
	int ns[SPACES], a[SPACES], b[SPACES], i;

	for (i = 0; i < SPACES; i++) {
		ASSERT_EQ(0, nsttest_netns());
		ns[i] = open("/proc/thread-self/ns/net", O_RDONLY);
		ASSERT_LE(0, ns[i]);
		if (i % 2)
			ASSERT_EQ(0, udptest_load_box());
		a[i] = udptest_open(&box4);
		b[i] = udptest_bound(&(struct udptest_conf){});
		ASSERT_LE(0, a[i]);
		ASSERT_LE(0, b[i]);
		ASSERT_EQ(0, udptest_connect(a[i], b[i]));
		ASSERT_EQ(0, udptest_connect(b[i], a[i]));
		ASSERT_EQ(0, udptest_attach(a[i]));
		ASSERT_EQ(0, udptest_attach(b[i]));
		ASSERT_EQ(0, udptest_install(a[i], &box4));
		ASSERT_EQ(0, udptest_install(b[i], &box4));
	}
	for (i = 0; i < SPACES; i++) {
		ASSERT_EQ(0, enter(ns[i]));
		EXPECT_EQ(i % 2 ? 0 : -ENOKEY, udptest_meet(a[i], b[i]));
		EXPECT_EQ(i % 2 ? 2 : 0, nsttest_stat("NstTxRecords"));
		EXPECT_EQ(i % 2 ? 2 : 0, nsttest_stat("NstRxRecords"));
		EXPECT_EQ(i % 2 ? 2 : 0, nsttest_stat("NstUdpSessions"));
		EXPECT_EQ(2, nsttest_stat("NstSockets"));
	}
	for (i = 0; i < SPACES; i++) {
		close(a[i]);
		close(b[i]);
		close(ns[i]);
	}
}

/* A socket keeps the namespace that it was made in, box and all. */
TEST(socket_keeps_its_namespace)
{
	int a, b, home;

	ASSERT_EQ(0, nsttest_netns());
	home = open("/proc/thread-self/ns/net", O_RDONLY);
	ASSERT_EQ(0, udptest_load_box());
	ASSERT_EQ(0, udptest_met(&box4, &a, &b));
	ASSERT_EQ(0, nsttest_netns());
	EXPECT_EQ(0, udptest_meet(a, b));
	EXPECT_EQ(0, nsttest_stat("NstTxRecords"));
	close(home);
	EXPECT_EQ(0, udptest_meet(a, b));
	close(a);
	close(b);
}

TEST_HARNESS_MAIN
