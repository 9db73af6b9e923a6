// SPDX-License-Identifier: GPL-2.0
/*
 * What a strict end puts off until its peer's START comes ends when none can come any
 * more: the peer has ended without one, or in the middle of one. Nobody reads here.
 */
#define _GNU_SOURCE
#include <sys/socket.h>

#include "kselftest_harness.h"
#include "tcptest.h"

/* In each of these a different thread may be the first to see the end. */
#define ROUNDS 20

FIXTURE(unstarted) {
	int a;
	int raw;
};

FIXTURE_VARIANT(unstarted) {
	struct tcptest_conf conf;
};

FIXTURE_VARIANT_ADD(unstarted, ipv4) {
	.conf = { NST_CIPHER_AES_GCM, AF_INET, true },
};

FIXTURE_VARIANT_ADD(unstarted, ipv6) {
	.conf = { NST_CIPHER_CHACHA20_POLY1305, AF_INET6, true },
};

FIXTURE_SETUP(unstarted)
{
	ASSERT_EQ(0, nsttest_pair(variant->conf.family, 0, &self->a,
				  &self->raw));
	ASSERT_EQ(0, tcptest_timeout(self->raw, SO_RCVTIMEO, TCPTEST_SOON_MS));
}

FIXTURE_TEARDOWN(unstarted)
{
	close(self->a);
	close(self->raw);
}

/* The errno with which what comes at @raw ends; 0: it ends in an orderly way. */
static int how_it_ends(int raw)
{
	char buf[256];
	ssize_t n;

	while ((n = recv(raw, buf, sizeof(buf), 0)) > 0)
		;
	return n ? errno : 0;
}

/* Keys to send with alone. */
static int key_to_send(int fd, const struct tcptest_conf *conf)
{
	struct nsttest_info ti;
	int err = nsttest_attach(fd);

	nsttest_fill(&ti, conf->cipher_id);
	ti.info.flags = NST_F_STRICT;
	return err ?: setsockopt(fd, SOL_NST, NST_TX, &ti, sizeof(ti)) ?
	       -errno : 0;
}

static void send_waits(struct __test_metadata *_metadata, int a, int raw,
		       bool half)
{
	char byte;
	pid_t pid;

	pid = fork();
	if (!pid)
		_exit(send(a, "x", 1, MSG_NOSIGNAL) < 0 ? errno : 0);
	ASSERT_EQ(0, tcptest_asleep(pid));
	EXPECT_EQ(0, tcptest_poll(a, POLLOUT, 0) & POLLOUT);
	if (half)
		ASSERT_EQ(0, peer_write(raw, "NSTP\1", 5));
	ASSERT_EQ(0, shutdown(raw, SHUT_WR));
	EXPECT_EQ(-EPIPE, tcptest_reap(pid));
	EXPECT_EQ(POLLOUT, tcptest_poll(a, POLLOUT, TCPTEST_SOON_MS) & POLLOUT);
	EXPECT_EQ(-1, send(a, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT));
	EXPECT_EQ(EPIPE, errno);
	EXPECT_EQ(-1, recv(a, &byte, 1, 0));
	EXPECT_EQ(ECONNABORTED, errno);
}

TEST_F(unstarted, send)
{
	ASSERT_EQ(0, tcptest_timeout(self->a, SO_SNDTIMEO, 0));
	ASSERT_EQ(0, tcptest_key(self->a, &variant->conf, 0));
	send_waits(_metadata, self->a, self->raw, false);
}

TEST_F(unstarted, send_half)
{
	ASSERT_EQ(0, tcptest_timeout(self->a, SO_SNDTIMEO, 0));
	ASSERT_EQ(0, tcptest_key(self->a, &variant->conf, 0));
	send_waits(_metadata, self->a, self->raw, true);
}

/* A shutdown() is a reset then, as close() is: the peer waits for this end. */
static void expect_reset(struct __test_metadata *_metadata, int a, int raw)
{
	char byte;

	ASSERT_EQ(0, tcptest_state(a, TCP_CLOSE));
	EXPECT_EQ(ECONNRESET, how_it_ends(raw));
	EXPECT_EQ(-1, recv(a, &byte, 1, 0));
	EXPECT_EQ(ECONNABORTED, errno);
}

TEST_F(unstarted, shutdown_before_the_end)
{
	ASSERT_EQ(0, tcptest_key(self->a, &variant->conf, 0));
	ASSERT_EQ(0, shutdown(self->a, SHUT_WR));
	ASSERT_EQ(0, shutdown(self->raw, SHUT_WR));
	expect_reset(_metadata, self->a, self->raw);
}

TEST_F(unstarted, shutdown_in_the_middle)
{
	ASSERT_EQ(0, tcptest_key(self->a, &variant->conf, 0));
	ASSERT_EQ(0, shutdown(self->a, SHUT_WR));
	ASSERT_EQ(0, peer_write(self->raw, "NSTP\1", 5));
	ASSERT_EQ(0, shutdown(self->raw, SHUT_WR));
	expect_reset(_metadata, self->a, self->raw);
}

TEST_F(unstarted, shutdown_behind_the_end)
{
	char byte;

	ASSERT_EQ(0, tcptest_key(self->a, &variant->conf, 0));
	ASSERT_EQ(0, shutdown(self->raw, SHUT_WR));
	ASSERT_EQ(-1, recv(self->a, &byte, 1, 0));
	ASSERT_EQ(ECONNABORTED, errno);
	ASSERT_EQ(0, shutdown(self->a, SHUT_RDWR));
	expect_reset(_metadata, self->a, self->raw);
}

/* Both at once, now the one first, now the other. */
TEST_F_TIMEOUT(unstarted, shutdown_and_the_end, 120)
{
	int i, a, raw;
	pid_t pid;

	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, nsttest_pair(variant->conf.family, 0, &a, &raw));
		ASSERT_EQ(0, tcptest_timeout(raw, SO_RCVTIMEO,
					     TCPTEST_SOON_MS));
		ASSERT_EQ(0, tcptest_key(a, &variant->conf, 0));
		pid = fork();
		if (!pid) {
			usleep(i % 5 * 100);
			_exit(shutdown(raw, SHUT_WR) ? errno : 0);
		}
		usleep(i / 5 * 100);
		ASSERT_EQ(0, shutdown(a, SHUT_WR));
		ASSERT_EQ(0, tcptest_reap(pid));
		expect_reset(_metadata, a, raw);
		close(a);
		close(raw);
	}
}

/* Nothing is read without a key, and still there is nothing that could come. */
TEST_F(unstarted, shutdown_without_a_key_to_receive)
{
	ASSERT_EQ(0, key_to_send(self->a, &variant->conf));
	ASSERT_EQ(0, shutdown(self->a, SHUT_WR));
	ASSERT_EQ(0, shutdown(self->raw, SHUT_WR));
	EXPECT_EQ(0, tcptest_state(self->a, TCP_CLOSE));
	EXPECT_EQ(ECONNRESET, how_it_ends(self->raw));
}

/* What has come may be a START, for a key that comes yet. */
TEST_F(unstarted, shutdown_before_the_key_to_receive)
{
	struct nsttest_info ti;
	char byte;
	int b;

	ASSERT_EQ(0, nsttest_attach(self->raw));
	nsttest_fill(&ti, variant->conf.cipher_id);
	ASSERT_EQ(0, setsockopt(self->raw, SOL_NST, NST_TX_RX, &ti, sizeof(ti)));
	b = self->raw;
	ASSERT_EQ(0, key_to_send(self->a, &variant->conf));
	ASSERT_EQ(0, shutdown(self->a, SHUT_WR));
	ASSERT_EQ(0, shutdown(b, SHUT_WR));
	ASSERT_EQ(0, tcptest_state(self->a, TCP_CLOSE_WAIT));
	/* Its close record is an unbound START: not for a strict end. */
	usleep(TCPTEST_NEVER_MS * 1000);
	EXPECT_EQ(0, tcptest_state(self->a, TCP_CLOSE_WAIT));
	ti.info.flags = NST_F_STRICT;
	ASSERT_EQ(0, setsockopt(self->a, SOL_NST, NST_RX, &ti, sizeof(ti)));
	EXPECT_EQ(0, tcptest_state(self->a, TCP_CLOSE));
	EXPECT_EQ(-1, recv(b, &byte, 1, 0));
	EXPECT_EQ(ECONNRESET, errno);
}

TEST_HARNESS_MAIN
