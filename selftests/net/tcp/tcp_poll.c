// SPDX-License-Identifier: GPL-2.0
/*
 * poll, epoll and SIOCINQ on a TCP socket with NST: readable means a plaintext
 * byte, an end or an error, and is told once.
 */
#define _GNU_SOURCE
#include <linux/sockios.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

#include "kselftest_harness.h"
#include "tcptest.h"

TCPTEST_PAIRS(poll, TCPTEST_VARIANTS_FEW);

TEST_F(poll, readable_then_not)
{
	ASSERT_EQ(0, tcptest_send(self->a, 0, 10, 10));
	EXPECT_EQ(POLLIN, tcptest_poll(self->b, POLLIN, TCPTEST_SOON_MS));
	ASSERT_EQ(0, tcptest_recv(self->b, 0, 10, 10));
	EXPECT_EQ(0, tcptest_poll(self->b, POLLIN, TCPTEST_NEVER_MS));
}

TEST_F(poll, rest_of_a_record)
{
	ASSERT_EQ(0, tcptest_send(self->a, 0, 20, 20));
	EXPECT_EQ(POLLIN, tcptest_poll(self->b, POLLIN, TCPTEST_SOON_MS));
	ASSERT_EQ(0, tcptest_recv(self->b, 0, 10, 10));
	EXPECT_EQ(POLLIN, tcptest_poll(self->b, POLLIN, 0));
	ASSERT_EQ(0, tcptest_recv(self->b, 10, 10, 10));
	EXPECT_EQ(0, tcptest_poll(self->b, POLLIN, TCPTEST_NEVER_MS));
}

TEST_F(poll, peeked)
{
	char buf[10];

	ASSERT_EQ(0, tcptest_send(self->a, 0, 10, 10));
	ASSERT_EQ(10, recv(self->b, buf, 10, MSG_PEEK));
	EXPECT_EQ(POLLIN, tcptest_poll(self->b, POLLIN, 0));
	ASSERT_EQ(0, tcptest_recv(self->b, 0, 10, 10));
	EXPECT_EQ(0, tcptest_poll(self->b, POLLIN, 0));
}

TEST_F(poll, end_of_file)
{
	char byte;

	ASSERT_EQ(0, tcptest_send(self->a, 0, 10, 10));
	ASSERT_EQ(0, shutdown(self->a, SHUT_WR));
	ASSERT_EQ(0, tcptest_recv(self->b, 0, 10, 10));
	EXPECT_EQ(POLLIN, tcptest_poll(self->b, POLLIN, TCPTEST_SOON_MS));
	EXPECT_EQ(0, recv(self->b, &byte, 1, 0));
	EXPECT_EQ(POLLRDHUP | POLLIN,
		  tcptest_poll(self->b, POLLRDHUP | POLLIN, TCPTEST_SOON_MS));
	ASSERT_EQ(0, shutdown(self->b, SHUT_WR));
	EXPECT_EQ(0, recv(self->a, &byte, 1, 0));
	EXPECT_EQ(POLLHUP, tcptest_poll(self->b, 0, TCPTEST_SOON_MS));
}

TEST_F(poll, writable)
{
	uint8_t buf[4096] = {};
	ssize_t n;

	ASSERT_EQ(0, tcptest_set_int(self->a, SOL_SOCKET, SO_SNDBUF, 1));
	EXPECT_EQ(POLLOUT, tcptest_poll(self->a, POLLOUT, TCPTEST_SOON_MS));
	/* Until the peer's buffer is full as well. */
	while (tcptest_poll(self->a, POLLOUT, TCPTEST_NEVER_MS)) {
		n = send(self->a, buf, sizeof(buf), MSG_DONTWAIT);
		ASSERT_TRUE(n > 0 || errno == EAGAIN);
	}
	EXPECT_EQ(-1, send(self->a, buf, sizeof(buf), MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	do {
		n = recv(self->b, buf, sizeof(buf), MSG_DONTWAIT);
	} while (n > 0 || tcptest_poll(self->b, POLLIN, 300));
	EXPECT_EQ(POLLOUT, tcptest_poll(self->a, POLLOUT, TCPTEST_SOON_MS));
}

/* --- epoll ---------------------------------------------------------------- */

static int epoll_on(int fd, uint32_t events)
{
	struct epoll_event ev = { .events = events };
	int ep = epoll_create1(0);

	if (ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev))
		return -1;
	return ep;
}

static uint32_t epoll_next(int ep, int ms)
{
	struct epoll_event ev = {};

	return epoll_wait(ep, &ev, 1, ms) == 1 ? ev.events : 0;
}

TEST_F(poll, epoll_level)
{
	int ep = epoll_on(self->b, EPOLLIN);

	ASSERT_LE(0, ep);
	EXPECT_EQ(0, epoll_next(ep, TCPTEST_NEVER_MS));
	ASSERT_EQ(0, tcptest_send(self->a, 0, 10, 10));
	EXPECT_EQ(EPOLLIN, epoll_next(ep, TCPTEST_SOON_MS));
	EXPECT_EQ(EPOLLIN, epoll_next(ep, TCPTEST_SOON_MS));
	ASSERT_EQ(0, tcptest_recv(self->b, 0, 10, 10));
	EXPECT_EQ(0, epoll_next(ep, TCPTEST_NEVER_MS));
	close(ep);
}

TEST_F(poll, epoll_edge)
{
	int ep = epoll_on(self->b, EPOLLIN | EPOLLET);
	int i;

	ASSERT_LE(0, ep);
	for (i = 0; i < 5; i++) {
		EXPECT_EQ(0, epoll_next(ep, TCPTEST_NEVER_MS));
		ASSERT_EQ(0, tcptest_send(self->a, 0, 10, 10));
		EXPECT_EQ(EPOLLIN, epoll_next(ep, TCPTEST_SOON_MS));
		EXPECT_EQ(0, epoll_next(ep, TCPTEST_NEVER_MS));
		ASSERT_EQ(0, tcptest_recv(self->b, 0, 10, 10));
		TCPTEST_EXPECT_AGAIN(self->b, MSG_DONTWAIT);
	}
	close(ep);
}

/* The loop of every edge-triggered server: read until EAGAIN, then wait. */
TEST_F(poll, epoll_edge_loop)
{
	size_t len = 200000, got = 0, chunk = 1000;
	int ep = epoll_on(self->b, EPOLLIN | EPOLLET);
	uint8_t buf[1500];
	pid_t pid;
	ssize_t n;

	ASSERT_LE(0, ep);
	pid = tcptest_sender(self->a, 0, len, chunk);
	while (got < len) {
		n = recv(self->b, buf, sizeof(buf), MSG_DONTWAIT);
		if (n < 0) {
			ASSERT_EQ(EAGAIN, errno);
			ASSERT_EQ(EPOLLIN, epoll_next(ep, TCPTEST_SOON_MS));
			continue;
		}
		ASSERT_TRUE(tcptest_same(buf, n, got));
		got += n;
	}
	EXPECT_EQ(0, tcptest_reap(pid));
	close(ep);
}

/* Writing until EAGAIN, then waiting, with the smallest of buffers. */
TEST_F(poll, epoll_edge_write_loop)
{
	size_t len = 200000, sent = 0;
	int ep = epoll_on(self->a, EPOLLOUT | EPOLLET), full = 0;
	uint8_t buf[5000];
	pid_t pid;
	ssize_t n;

	ASSERT_LE(0, ep);
	ASSERT_EQ(0, tcptest_set_int(self->a, SOL_SOCKET, SO_SNDBUF, 1));
	pid = tcptest_receiver(self->b, 0, len, 1000);
	while (sent < len) {
		n = len - sent < sizeof(buf) ? len - sent : sizeof(buf);
		tcptest_fill(buf, n, sent);
		n = send(self->a, buf, n, MSG_DONTWAIT);
		if (n < 0) {
			full++;
			ASSERT_EQ(EAGAIN, errno);
			ASSERT_NE(0, epoll_next(ep, TCPTEST_SOON_MS));
			continue;
		}
		sent += n;
	}
	EXPECT_LT(0, full);
	EXPECT_EQ(0, tcptest_reap(pid));
	close(ep);
}

/* --- a record that arrives in parts --------------------------------------- */

FIXTURE(part)
{
	struct tcptest_proxy p;
	uint8_t rec[512];
	size_t len;
};

FIXTURE_VARIANT(part)
{
	struct tcptest_conf conf;
	size_t at;		/* so many bytes of the record come first */
};

#define PART(name, bytes, id, fam, is_strict)				\
FIXTURE_VARIANT_ADD(part, name) {					\
	.conf = { .cipher_id = id, .family = fam, .strict = is_strict },\
	.at = bytes,							\
}

PART(one_byte, 1, NST_CIPHER_AES_GCM, AF_INET, true);
PART(most_of_header, 47, NST_CIPHER_AES_CBC, AF_INET6, false);
PART(header, 48, NST_CIPHER_CHACHA20_POLY1305, AF_INET, false);
PART(one_of_body, 49, NST_CIPHER_AES_256_GCM, AF_INET6, true);
PART(all_but_one, 147, NST_CIPHER_AES_GCM, AF_INET, false);

/* A record of 100 bytes has left @a, and a part of it has come to @b. */
FIXTURE_SETUP(part)
{
	struct tcptest_proxy *p = &self->p;

	ASSERT_EQ(0, tcptest_proxy_open(p, &variant->conf));
	ASSERT_EQ(0, tcptest_key(p->a, &variant->conf, NST_F_INITIATOR));
	ASSERT_EQ(0, tcptest_key(p->b, &variant->conf, NST_F_RESPONDER));
	ASSERT_EQ(0, tcptest_proxy_settle(p));
	/* Get the STARTs out of the way. */
	ASSERT_EQ(0, tcptest_send(p->a, 0, 1, 1));
	ASSERT_EQ(0, tcptest_send(p->b, 0, 1, 1));
	ASSERT_EQ(0, tcptest_proxy_pump(p, 100));
	ASSERT_EQ(0, tcptest_recv(p->a, 0, 1, 1));
	ASSERT_EQ(0, tcptest_recv(p->b, 0, 1, 1));
	ASSERT_EQ(0, tcptest_send(p->a, 0, 100, 100));
	self->len = tcptest_fetch(p->a_raw, self->rec, sizeof(self->rec), 100);
	ASSERT_LE(148, self->len);
	ASSERT_EQ(0, peer_write(p->b_raw, self->rec, variant->at));
}

FIXTURE_TEARDOWN(part)
{
	tcptest_proxy_close(&self->p);
}

static int send_rest(FIXTURE_DATA(part) *self, size_t at)
{
	return peer_write(self->p.b_raw, self->rec + at, self->len - at);
}

static int plain_there(int fd)
{
	int n = -1;

	return ioctl(fd, SIOCINQ, &n) ? -errno : n;
}

TEST_F(part, poll)
{
	int b = self->p.b;

	EXPECT_EQ(0, tcptest_poll(b, POLLIN, TCPTEST_NEVER_MS));
	TCPTEST_EXPECT_AGAIN(b, MSG_DONTWAIT);
	TCPTEST_EXPECT_AGAIN(b, MSG_DONTWAIT | MSG_PEEK);
	EXPECT_EQ(0, plain_there(b));
	ASSERT_EQ(0, send_rest(self, variant->at));
	EXPECT_EQ(POLLIN, tcptest_poll(b, POLLIN, TCPTEST_SOON_MS));
	EXPECT_EQ(100, plain_there(b));
	EXPECT_EQ(0, tcptest_recv(b, 0, 100, 100));
	EXPECT_EQ(0, plain_there(b));
}

/* Byte by byte: not one wakeup before the last. */
TEST_F(part, epoll_edge)
{
	int ep = epoll_on(self->p.b, EPOLLIN | EPOLLET);
	size_t i;

	ASSERT_LE(0, ep);
	EXPECT_EQ(0, epoll_next(ep, TCPTEST_NEVER_MS));
	for (i = variant->at; i < self->len - 1; i++)
		ASSERT_EQ(0, peer_write(self->p.b_raw, self->rec + i, 1));
	EXPECT_EQ(0, epoll_next(ep, TCPTEST_NEVER_MS));
	ASSERT_EQ(0, send_rest(self, self->len - 1));
	EXPECT_EQ(EPOLLIN, epoll_next(ep, TCPTEST_SOON_MS));
	EXPECT_EQ(0, epoll_next(ep, TCPTEST_NEVER_MS));
	EXPECT_EQ(0, tcptest_recv(self->p.b, 0, 100, 100));
	close(ep);
}

TEST_F(part, epoll_level)
{
	int ep = epoll_on(self->p.b, EPOLLIN);

	ASSERT_LE(0, ep);
	EXPECT_EQ(0, epoll_next(ep, TCPTEST_NEVER_MS));
	ASSERT_EQ(0, send_rest(self, variant->at));
	EXPECT_EQ(EPOLLIN, epoll_next(ep, TCPTEST_SOON_MS));
	EXPECT_EQ(0, tcptest_recv(self->p.b, 0, 100, 100));
	EXPECT_EQ(0, epoll_next(ep, TCPTEST_NEVER_MS));
	close(ep);
}

/* A second record behind the whole first one adds no readable state. */
TEST_F(part, behind_a_whole_record)
{
	size_t len = self->len;

	ASSERT_EQ(0, send_rest(self, variant->at));
	ASSERT_EQ(0, tcptest_send(self->p.a, 100, 100, 100));
	self->len = tcptest_fetch(self->p.a_raw, self->rec, sizeof(self->rec),
				  100);
	ASSERT_EQ(len, self->len);
	ASSERT_EQ(0, peer_write(self->p.b_raw, self->rec, variant->at));
	EXPECT_EQ(POLLIN, tcptest_poll(self->p.b, POLLIN, TCPTEST_SOON_MS));
	EXPECT_EQ(0, tcptest_recv(self->p.b, 0, 100, 100));
	EXPECT_EQ(0, tcptest_poll(self->p.b, POLLIN, TCPTEST_NEVER_MS));
	ASSERT_EQ(0, send_rest(self, variant->at));
	EXPECT_EQ(POLLIN, tcptest_poll(self->p.b, POLLIN, TCPTEST_SOON_MS));
	EXPECT_EQ(0, tcptest_recv(self->p.b, 100, 100, 100));
}

TEST_F(part, blocked_reader)
{
	pid_t pid = tcptest_receiver(self->p.b, 0, 100, 100);

	usleep(30000);
	ASSERT_EQ(0, send_rest(self, variant->at));
	EXPECT_EQ(0, tcptest_reap(pid));
}

/* An edge on the end of file, which comes with no plaintext. */
TEST_F(part, epoll_edge_then_eof)
{
	int ep = epoll_on(self->p.b, EPOLLIN | EPOLLET);
	char byte;

	ASSERT_LE(0, ep);
	ASSERT_EQ(0, send_rest(self, variant->at));
	EXPECT_EQ(EPOLLIN, epoll_next(ep, TCPTEST_SOON_MS));
	EXPECT_EQ(0, tcptest_recv(self->p.b, 0, 100, 100));
	TCPTEST_EXPECT_AGAIN(self->p.b, MSG_DONTWAIT);
	ASSERT_EQ(0, shutdown(self->p.a, SHUT_WR));
	self->len = tcptest_fetch(self->p.a_raw, self->rec, sizeof(self->rec),
				  100);
	ASSERT_EQ(0, send_rest(self, 0));
	EXPECT_EQ(EPOLLIN, epoll_next(ep, TCPTEST_SOON_MS) & EPOLLIN);
	EXPECT_EQ(0, recv(self->p.b, &byte, 1, MSG_DONTWAIT));
	close(ep);
}

/* --- byte counts ---------------------------------------------------------- */

TEST_F(poll, byte_counts)
{
	int n;

	EXPECT_EQ(0, plain_there(self->b));
	ASSERT_EQ(0, tcptest_send(self->a, 0, 1000, 1000));
	EXPECT_EQ(POLLIN, tcptest_poll(self->b, POLLIN, TCPTEST_SOON_MS));
	EXPECT_EQ(1000, plain_there(self->b));
	ASSERT_EQ(0, tcptest_recv(self->b, 0, 1, 1));
	EXPECT_EQ(999, plain_there(self->b));
	ASSERT_EQ(0, tcptest_recv(self->b, 1, 999, 999));
	EXPECT_EQ(0, plain_there(self->b));
	EXPECT_EQ(-1, ioctl(self->a, SIOCOUTQ, &n));
	EXPECT_EQ(EOPNOTSUPP, errno);
	EXPECT_EQ(-1, ioctl(self->a, SIOCOUTQNSD, &n));
	EXPECT_EQ(EOPNOTSUPP, errno);
}

/* Waits until SIOCINQ says @len; returns what it says in the end. */
static int wait_plain(int fd, int len)
{
	int i;

	for (i = 0; i < TCPTEST_SOON_MS && plain_there(fd) != len; i++)
		usleep(1000);
	return plain_there(fd);
}

TEST_F(poll, counts_all_records)
{
	size_t total = 0, i;

	for (i = 1; i <= 20; i++) {
		ASSERT_EQ(0, tcptest_send(self->a, total, i * 100, i * 100));
		total += i * 100;
		EXPECT_EQ(total, wait_plain(self->b, total));
	}
	/* In the middle of a record, then at its end. */
	ASSERT_EQ(0, tcptest_recv(self->b, 0, 150, 150));
	EXPECT_EQ(total - 150, plain_there(self->b));
	ASSERT_EQ(0, tcptest_recv(self->b, 150, 150, 150));
	EXPECT_EQ(total - 300, plain_there(self->b));
	ASSERT_EQ(0, tcptest_recv(self->b, 300, total - 300, total));
	EXPECT_EQ(0, plain_there(self->b));
}

TEST_F(poll, counts_up_to_a_control_record)
{
	char buf[8];
	int type;

	ASSERT_EQ(0, tcptest_send(self->a, 0, 10, 10));
	ASSERT_EQ(4, tcptest_send_type(self->a, TCPTEST_CTL, "ctl", 4, 0));
	ASSERT_EQ(0, tcptest_send(self->a, 10, 30, 30));
	ASSERT_EQ(0, shutdown(self->a, SHUT_WR));
	EXPECT_EQ(POLLRDHUP, tcptest_poll(self->b, POLLRDHUP,
					  TCPTEST_SOON_MS));
	EXPECT_EQ(10, plain_there(self->b));
	ASSERT_EQ(0, tcptest_recv(self->b, 0, 10, 10));
	EXPECT_EQ(0, plain_there(self->b));
	ASSERT_EQ(4, tcptest_recv_type(self->b, &type, buf, sizeof(buf),
				       MSG_PEEK));
	EXPECT_EQ(0, plain_there(self->b));
	ASSERT_EQ(4, tcptest_recv_type(self->b, &type, buf, sizeof(buf), 0));
	EXPECT_EQ(TCPTEST_CTL, type);
	EXPECT_EQ(30, plain_there(self->b));
	ASSERT_EQ(0, tcptest_recv(self->b, 10, 30, 30));
	EXPECT_EQ(0, plain_there(self->b));
}

/* What was sent has come; on a busy machine later than send() returns. */
static int wait_arrived(int fd)
{
	struct tcp_info info;
	socklen_t len;
	int i;

	for (i = 0; i < TCPTEST_SOON_MS; i++) {
		len = sizeof(info);
		if (getsockopt(fd, SOL_TCP, TCP_INFO, &info, &len))
			return -errno;
		if (!info.tcpi_unacked)
			return 0;
		usleep(1000);
	}
	return -ETIMEDOUT;
}

/* The first record is there as soon as it has come, whoever judges it. */
TEST(first_record_at_once)
{
	struct tcptest_conf conf = {
		.cipher_id = NST_CIPHER_AES_GCM, .family = AF_INET,
	};
	int missed = 0, uncounted = 0, a, b, i;

	for (i = 0; i < 50; i++) {
		ASSERT_EQ(0, tcptest_pair(&conf, &a, &b));
		ASSERT_EQ(0, tcptest_send(a, 0, 10, 10));
		ASSERT_EQ(0, wait_arrived(a));
		/* This takes the lock under which the record has come. */
		uncounted += plain_there(b) != 10;
		missed += tcptest_poll(b, POLLIN, 0) != POLLIN;
		EXPECT_EQ(0, tcptest_recv(b, 0, 10, 10));
		close(a);
		close(b);
	}
	EXPECT_EQ(0, missed);
	EXPECT_EQ(0, uncounted);
}

/* --- edges for a reader that trusts SIOCINQ -------------------------------- */

/*
 * As nginx does: what SIOCINQ counted is read, and not a byte more is tried; if
 * a read brings more than that, something new has come and an edge with it.
 * Reads at most @size at once until the edges bring no more or @len is there.
 */
static size_t read_trusting(struct __test_metadata *_metadata, int fd, int ep,
			    size_t len, size_t size)
{
	uint8_t buf[65536];
	size_t got = 0;
	int avail;
	ssize_t n;

	while (got < len && epoll_next(ep, TCPTEST_SOON_MS)) {
		for (avail = -1; avail; ) {
			n = recv(fd, buf, size, MSG_DONTWAIT);
			if (n <= 0)
				break;
			EXPECT_TRUE(tcptest_same(buf, n, got));
			got += n;
			if ((size_t)n < size)
				break;
			if (avail < 0) {
				avail = plain_there(fd);
				continue;
			}
			avail -= n;
			if (avail < 0)
				break;
		}
	}
	return got;
}

/* All is there before the first read: there will be one edge. */
TEST_F(poll, edge_trusting_siocinq)
{
	size_t len = 8 * 4000;
	int ep;

	ASSERT_EQ(0, tcptest_send(self->a, 0, len, 4000));
	EXPECT_EQ(len, wait_plain(self->b, len));
	ep = epoll_on(self->b, EPOLLIN | EPOLLET);
	ASSERT_LE(0, ep);
	EXPECT_EQ(len, read_trusting(_metadata, self->b, ep, len, 3000));
	close(ep);
}

TEST_F(poll, edge_trusting_siocinq_stream)
{
	size_t len = 3000000;
	int ep = epoll_on(self->b, EPOLLIN | EPOLLET);
	pid_t pid;

	ASSERT_LE(0, ep);
	pid = tcptest_sender(self->a, 0, len, 20000);
	EXPECT_EQ(len, read_trusting(_metadata, self->b, ep, len, 12000));
	EXPECT_EQ(0, tcptest_reap(pid));
	close(ep);
}

/* Between the count and the last read another record becomes complete. */
TEST_F(poll, edge_behind_the_count)
{
	int ep = epoll_on(self->b, EPOLLIN | EPOLLET);

	ASSERT_LE(0, ep);
	ASSERT_EQ(0, tcptest_send(self->a, 0, 100, 100));
	EXPECT_EQ(EPOLLIN, epoll_next(ep, TCPTEST_SOON_MS));
	ASSERT_EQ(0, tcptest_recv(self->b, 0, 50, 50));
	EXPECT_EQ(50, plain_there(self->b));
	ASSERT_EQ(0, tcptest_send(self->a, 100, 100, 100));
	EXPECT_EQ(150, wait_plain(self->b, 150));
	ASSERT_EQ(0, tcptest_recv(self->b, 50, 50, 50));
	EXPECT_EQ(EPOLLIN, epoll_next(ep, TCPTEST_SOON_MS));
	/* Each further record, while the one before is not read. */
	ASSERT_EQ(0, tcptest_send(self->a, 200, 100, 100));
	EXPECT_EQ(EPOLLIN, epoll_next(ep, TCPTEST_SOON_MS));
	EXPECT_EQ(0, epoll_next(ep, TCPTEST_NEVER_MS));
	ASSERT_EQ(0, tcptest_recv(self->b, 100, 200, 200));
	close(ep);
}

/* A short read is all that such a program waits for. */
TEST_F(poll, edge_of_another_type)
{
	int ep, type;
	char buf[8];

	ASSERT_EQ(0, tcptest_send(self->a, 0, 10, 10));
	ASSERT_EQ(4, tcptest_send_type(self->a, TCPTEST_CTL, "ctl", 4, 0));
	ASSERT_EQ(0, tcptest_send(self->a, 10, 10, 10));
	ASSERT_EQ(0, shutdown(self->a, SHUT_WR));
	EXPECT_EQ(POLLRDHUP, tcptest_poll(self->b, POLLRDHUP,
					  TCPTEST_SOON_MS));
	ep = epoll_on(self->b, EPOLLIN | EPOLLET);
	ASSERT_LE(0, ep);
	EXPECT_EQ(EPOLLIN, epoll_next(ep, TCPTEST_SOON_MS));
	EXPECT_EQ(0, epoll_next(ep, TCPTEST_NEVER_MS));
	ASSERT_EQ(0, tcptest_recv(self->b, 0, 10, 10));
	EXPECT_EQ(EPOLLIN, epoll_next(ep, TCPTEST_SOON_MS));
	ASSERT_EQ(4, tcptest_recv_type(self->b, &type, buf, sizeof(buf), 0));
	EXPECT_EQ(EPOLLIN, epoll_next(ep, TCPTEST_SOON_MS));
	ASSERT_EQ(0, tcptest_recv(self->b, 10, 10, 10));
	EXPECT_EQ(EPOLLIN, epoll_next(ep, TCPTEST_SOON_MS));
	EXPECT_EQ(0, recv(self->b, buf, sizeof(buf), MSG_DONTWAIT));
	close(ep);
}

/* A record whose rest is still to come is neither counted nor told. */
TEST_F(part, not_counted)
{
	size_t len = self->len;
	int ep;

	ASSERT_EQ(0, send_rest(self, variant->at));
	ASSERT_EQ(0, tcptest_send(self->p.a, 100, 100, 100));
	self->len = tcptest_fetch(self->p.a_raw, self->rec, sizeof(self->rec),
				  100);
	ASSERT_EQ(len, self->len);
	ASSERT_EQ(0, peer_write(self->p.b_raw, self->rec, variant->at));
	EXPECT_EQ(100, wait_plain(self->p.b, 100));
	ep = epoll_on(self->p.b, EPOLLIN | EPOLLET);
	ASSERT_LE(0, ep);
	EXPECT_EQ(EPOLLIN, epoll_next(ep, TCPTEST_SOON_MS));
	EXPECT_EQ(0, epoll_next(ep, TCPTEST_NEVER_MS));
	ASSERT_EQ(0, send_rest(self, variant->at));
	EXPECT_EQ(EPOLLIN, epoll_next(ep, TCPTEST_SOON_MS));
	EXPECT_EQ(200, plain_there(self->p.b));
	ASSERT_EQ(0, tcptest_recv(self->p.b, 0, 200, 200));
	close(ep);
}

/* A call for no byte waits for one all the same, and takes none. */
TEST_F(poll, no_bytes)
{
	char byte;

	EXPECT_EQ(-1, recv(self->b, &byte, 0, MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	ASSERT_EQ(0, tcptest_send(self->a, 0, 10, 10));
	EXPECT_EQ(0, recv(self->b, &byte, 0, 0));
	EXPECT_EQ(10, plain_there(self->b));
	ASSERT_EQ(0, tcptest_recv(self->b, 0, 10, 10));
}

TEST_HARNESS_MAIN
