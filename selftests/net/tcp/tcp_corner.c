// SPDX-License-Identifier: GPL-2.0
/*
 * Corners of a socket's life that a review found open once: attaching in the
 * middle of something, floods without content, calls of many messages.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#include "kselftest_harness.h"
#include "tcptest.h"

#ifndef TCP_ULP
#define TCP_ULP 31
#endif

static const struct tcptest_conf plain_conf = {
	.cipher_id = NST_CIPHER_AES_GCM, .family = AF_INET,
};

FIXTURE(corner) {
	int lis;
	int client;
	struct sockaddr_in addr;
};

FIXTURE_SETUP(corner)
{
	socklen_t len = sizeof(self->addr);

	memset(&self->addr, 0, sizeof(self->addr));
	self->addr.sin_family = AF_INET;
	self->addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	self->lis = socket(AF_INET, SOCK_STREAM, 0);
	self->client = socket(AF_INET, SOCK_STREAM, 0);
	ASSERT_EQ(0, bind(self->lis, (void *)&self->addr, len));
	ASSERT_EQ(0, listen(self->lis, 4));
	ASSERT_EQ(0, getsockname(self->lis, (void *)&self->addr, &len));
}

FIXTURE_TEARDOWN(corner)
{
	close(self->lis);
	close(self->client);
}

TEST_F(corner, refused_connect_again)
{
	struct sockaddr_in addr = self->addr;

	ASSERT_EQ(0, nsttest_attach(self->client));
	addr.sin_port = htons(1);
	EXPECT_EQ(-1, connect(self->client, (void *)&addr, sizeof(addr)));
	EXPECT_EQ(ECONNREFUSED, errno);
	EXPECT_EQ(0, connect(self->client, (void *)&self->addr,
			     sizeof(self->addr)));
}

TEST(sendmmsg_takes_all)
{
	char out[3][100], in[300];
	struct mmsghdr msgs[3] = {};
	struct iovec iov[3];
	int a, b, i;

	ASSERT_EQ(0, tcptest_pair(&plain_conf, &a, &b));
	for (i = 0; i < 3; i++) {
		tcptest_fill(out[i], 100, 100 * i);
		iov[i] = (struct iovec){ .iov_base = out[i], .iov_len = 100 };
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	ASSERT_EQ(3, sendmmsg(a, msgs, 3, 0));
	ASSERT_EQ(sizeof(in), recv(b, in, sizeof(in), MSG_WAITALL));
	EXPECT_TRUE(tcptest_same(in, sizeof(in), 0));
	close(a);
	close(b);
}

/* 0: told that @fd is readable. (poll() looks once more when its time is over.) */
static int wait_told(int fd)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int ep = epoll_create1(0);

	if (ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev))
		return -errno;
	return epoll_wait(ep, &ev, 1, 2 * TCPTEST_SOON_MS) != 1;
}

/* What a poller has waited for is less now, and there: nobody else would tell him. */
TEST(lowat_lowered)
{
	pid_t pid;
	int a, b;

	ASSERT_EQ(0, tcptest_pair(&plain_conf, &a, &b));
	ASSERT_EQ(0, tcptest_bind(a, b));
	ASSERT_EQ(0, tcptest_send(a, 0, 600, 600));
	/* The rest is decrypted, and none of it on TCP's queue. */
	ASSERT_EQ(0, tcptest_recv(b, 0, 100, 100));
	ASSERT_EQ(0, tcptest_set_int(b, SOL_SOCKET, SO_RCVLOWAT, 1000));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(wait_told(b));
	ASSERT_EQ(0, tcptest_asleep(pid));
	ASSERT_EQ(0, tcptest_set_int(b, SOL_SOCKET, SO_RCVLOWAT, 1));
	EXPECT_EQ(0, tcptest_reap(pid));
	EXPECT_EQ(0, tcptest_recv(b, 100, 500, 500));
	close(a);
	close(b);
}

/* A poller waits for SO_RCVLOWAT bytes, in however many records they come. */
TEST(lowat_over_records)
{
	pid_t pid;
	int a, b;

	ASSERT_EQ(0, tcptest_pair(&plain_conf, &a, &b));
	ASSERT_EQ(0, tcptest_bind(a, b));
	ASSERT_EQ(0, tcptest_set_int(b, SOL_SOCKET, SO_RCVLOWAT, 3000));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		for (int i = 0; i < 4; i++) {
			usleep(100000);
			if (tcptest_send(a, 1000 * i, 1000, 1000))
				_exit(1);
		}
		_exit(0);
	}
	EXPECT_EQ(POLLIN, tcptest_poll(b, POLLIN, TCPTEST_SOON_MS));
	EXPECT_EQ(0, tcptest_recv(b, 0, 4000, 4000));
	EXPECT_EQ(0, tcptest_reap(pid));
	close(a);
	close(b);
}

FIXTURE(flood) {
	int kern;
	pid_t pid;
};

/*
 * A peer that holds a key and sends nothing but records without plaintext, as
 * fast as it can. The first ones are made beforehand, so that many are there at once
 * when it writes to @ready.
 */
static void flood(int raw, int ready)
{
	static uint8_t buf[1 << 20];
	struct peer p;

	peer_init(&p, raw, NST_CIPHER_AES_GCM, nsttest_box, NSTTEST_KEYS);
	for (;;) {
		size_t n = 0;

		while (n + 100 < sizeof(buf))
			n += peer_append(&p, NST_TYPE_DATA, NULL, 0, buf + n);
		if (peer_write(raw, buf, n / 4) || write(ready, "", 1) != 1 ||
		    peer_write(raw, buf + n / 4, n - n / 4))
			_exit(0);
	}
}

FIXTURE_SETUP(flood)
{
	struct nsttest_conf conf = {
		.cipher_id = NST_CIPHER_AES_GCM, .nr_keys = NSTTEST_KEYS,
	};
	int raw, ready[2];
	char byte;

	ASSERT_EQ(0, pipe(ready));
	ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &self->kern, &raw));
	ASSERT_EQ(0, nsttest_attach(self->kern));
	ASSERT_EQ(0, nsttest_install(self->kern, &conf));
	self->pid = fork();
	ASSERT_LE(0, self->pid);
	if (!self->pid) {
		close(self->kern);
		flood(raw, ready[1]);
	}
	close(raw);
	ASSERT_EQ(1, read(ready[0], &byte, 1));
}

FIXTURE_TEARDOWN(flood)
{
	EXPECT_EQ(0, close(self->kern));
	kill(self->pid, SIGKILL);
	EXPECT_EQ(self->pid, waitpid(self->pid, NULL, 0));
}

/* It keeps nobody in a call that is not to wait, nor in close(). */
TEST_F(flood, does_not_hold_a_call)
{
	char byte;
	int i;

	for (i = 0; i < 20; i++) {
		EXPECT_EQ(-1, recv(self->kern, &byte, 1, MSG_DONTWAIT));
		EXPECT_EQ(EAGAIN, errno);
	}
}

/* Nor does it make a call impatient. */
TEST_F(flood, does_not_end_a_call)
{
	const int ms = 2000;
	struct timespec begin, now;
	char byte;
	long gone;

	ASSERT_EQ(0, tcptest_timeout(self->kern, SO_RCVTIMEO, ms));
	clock_gettime(CLOCK_MONOTONIC, &begin);
	EXPECT_EQ(-1, recv(self->kern, &byte, 1, 0));
	EXPECT_EQ(EAGAIN, errno);
	clock_gettime(CLOCK_MONOTONIC, &now);
	gone = (now.tv_sec - begin.tv_sec) * 1000 +
	       (now.tv_nsec - begin.tv_nsec) / 1000000;
	/* Ticks come late on a machine that is busy; a pause comes much sooner. */
	EXPECT_LE(ms / 2, gone);
}

/* --- a router's message ------------------------------------------------------ */

static int sequence(int raw, uint32_t *seq)
{
	int on = 1, off = -1, queue = 1 /* TCP_RECV_QUEUE */;
	socklen_t len = sizeof(*seq);

	if (setsockopt(raw, SOL_TCP, TCP_REPAIR, &on, sizeof(on)) ||
	    setsockopt(raw, SOL_TCP, TCP_REPAIR_QUEUE, &queue, sizeof(queue)) ||
	    getsockopt(raw, SOL_TCP, TCP_QUEUE_SEQ, seq, &len) ||
	    setsockopt(raw, SOL_TCP, TCP_REPAIR, &off, sizeof(off)))
		return -errno;
	return 0;
}

static uint16_t checksum(const uint16_t *data, size_t size)
{
	uint32_t sum = 0;
	size_t i;

	for (i = 0; i < size / 2; i++)
		sum += data[i];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* Tells @kern by ICMP that the host of its peer @raw cannot be reached. */
static int tell_unreachable(int kern, int raw)
{
	struct {
		struct icmphdr icmp;
		struct iphdr ip;
		uint16_t source;
		uint16_t dest;
		uint32_t seq;
	} __attribute__((packed, aligned(4))) m = {
		.icmp = { .type = ICMP_DEST_UNREACH, .code = ICMP_HOST_UNREACH },
		.ip = { .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP,
			.tot_len = htons(40) },
	};
	struct sockaddr_in here, there;
	socklen_t len = sizeof(here);
	int fd, ret = sequence(raw, &m.seq);

	if (ret || getsockname(kern, (void *)&here, &len) ||
	    getpeername(kern, (void *)&there, &len))
		return ret ?: -errno;
	m.ip.saddr = here.sin_addr.s_addr;
	m.ip.daddr = there.sin_addr.s_addr;
	m.source = here.sin_port;
	m.dest = there.sin_port;
	m.seq = htonl(m.seq);
	m.icmp.checksum = checksum((void *)&m, sizeof(m));
	here.sin_port = 0;
	fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	if (fd < 0 || sendto(fd, &m, sizeof(m), 0, (void *)&here, len) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

static int by_so_error(int fd)
{
	socklen_t len = sizeof(int);
	int err = -1;

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
	return err;
}

static int by_recv(int fd)
{
	char c;

	return recv(fd, &c, 1, 0) < 0 ? errno : 0;
}

static int by_send(int fd)
{
	return send(fd, "lost", 4, MSG_NOSIGNAL) < 0 ? errno : 0;
}

/*
 * With IP_RECVERR an error stands on a connection that lives. The worker has a START
 * to send then: it does not take the error for the program's, and loses nothing.
 */
static void run_router(struct __test_metadata *_metadata, int (*told)(int fd))
{
	struct tcptest_conf strict = plain_conf;
	struct nst_info info;
	int a, b, i;

	strict.strict = true;
	ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &b, &a));
	ASSERT_EQ(0, tcptest_set_int(a, IPPROTO_IP, IP_RECVERR, 1));
	ASSERT_EQ(0, tcptest_key(a, &plain_conf, NST_F_INITIATOR));
	ASSERT_EQ(0, tell_unreachable(a, b));
	EXPECT_EQ(POLLERR, tcptest_poll(a, 0, TCPTEST_SOON_MS) & POLLERR);
	ASSERT_EQ(0, tcptest_key(b, &strict, NST_F_RESPONDER));
	/* Its START is judged, and will be answered. */
	for (i = 0; i < TCPTEST_SOON_MS; i++) {
		ASSERT_EQ(0, tcptest_info(a, &info));
		if (info.rx.started && info.tx.started)
			break;
		usleep(1000);
	}
	EXPECT_NE(TCPTEST_SOON_MS, i);
	usleep(100000);
	EXPECT_EQ(EHOSTUNREACH, told(a));
	EXPECT_EQ(0, tcptest_settle(b));
	EXPECT_EQ(0, tcptest_bind(a, b));
	close(a);
	close(b);
}

/*
 * Nobody has asked for the error when the program closes: the connection lives, and
 * ends as any other, with all that was sent.
 */
static void run_router_end(struct __test_metadata *_metadata, int how)
{
	char data[16384];
	int a, b;

	ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &b, &a));
	ASSERT_EQ(0, tcptest_set_int(a, IPPROTO_IP, IP_RECVERR, 1));
	ASSERT_EQ(0, tcptest_key(a, &plain_conf, NST_F_INITIATOR));
	tcptest_fill(data, sizeof(data), 0);
	ASSERT_EQ(sizeof(data), send(a, data, sizeof(data), 0));
	ASSERT_EQ(POLLIN, tcptest_poll(b, POLLIN, TCPTEST_SOON_MS));
	ASSERT_EQ(0, tell_unreachable(a, b));
	ASSERT_EQ(POLLERR, tcptest_poll(a, 0, TCPTEST_SOON_MS) & POLLERR);
	ASSERT_EQ(0, tcptest_key(b, &plain_conf, NST_F_RESPONDER));
	if (how >= 0)
		EXPECT_EQ(0, shutdown(a, how));
	EXPECT_EQ(0, close(a));
	EXPECT_EQ(0, tcptest_recv(b, 0, sizeof(data), sizeof(data)));
	EXPECT_EQ(0, recv(b, data, 1, 0));
	close(b);
}

TEST(router_not_told_before_close)
{
	run_router_end(_metadata, -1);
}

TEST(router_not_told_before_shutdown)
{
	run_router_end(_metadata, SHUT_WR);
}

TEST(router_told_by_so_error)
{
	run_router(_metadata, by_so_error);
}

TEST(router_told_by_recv)
{
	run_router(_metadata, by_recv);
}

TEST(router_told_by_send)
{
	run_router(_metadata, by_send);
}

/* A call that has bytes already returns them, and leaves the error for the next. */
TEST(router_told_behind_bytes)
{
	struct peer peer;
	char in[20];
	pid_t pid;
	int a, b;

	ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &a, &b));
	ASSERT_EQ(0, tcptest_set_int(a, IPPROTO_IP, IP_RECVERR, 1));
	ASSERT_EQ(0, tcptest_key(a, &plain_conf, NST_F_INITIATOR));
	peer_init(&peer, b, plain_conf.cipher_id, nsttest_box, NSTTEST_KEYS);
	ASSERT_EQ(0, peer_send(&peer, NST_TYPE_DATA, "ten bytes.", 10));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(recv(a, in, sizeof(in), MSG_WAITALL) != 10);
	ASSERT_EQ(0, tcptest_asleep(pid));
	ASSERT_EQ(0, tell_unreachable(a, b));
	EXPECT_EQ(0, tcptest_reap(pid));
	EXPECT_EQ(EHOSTUNREACH, by_recv(a));
	ASSERT_EQ(0, peer_send(&peer, NST_TYPE_DATA, "more", 4));
	EXPECT_EQ(4, recv(a, in, sizeof(in), 0));
	close(a);
	close(b);
}

TEST_HARNESS_MAIN
