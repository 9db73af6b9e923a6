// SPDX-License-Identifier: GPL-2.0
/*
 * Record types of datagrams, by control message; and what of UDP's own options
 * and flags NST refuses, with the socket as it was.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sys/ioctl.h>

#include "kselftest_harness.h"
#include "udptest.h"

UDPTEST_PAIRS(type, UDPTEST_VARIANTS_NST, udptest_met);

FIXTURE_TEARDOWN(type)
{
	EXPECT_TRUE(udptest_silent(self->b));
	EXPECT_EQ(0, udptest_meet(self->a, self->b));
	close(self->a);
	close(self->b);
}

TEST_F(type, every_type)
{
	int type, seen;
	char buf[2];

	for (type = NST_TYPE_APP_MIN; type <= 255; type++) {
		buf[0] = type;
		ASSERT_EQ(1, tcptest_send_type(self->a, type, buf, 1, 0));
		buf[0] = 0;
		ASSERT_EQ(1, tcptest_recv_type(self->b, &seen, buf, 2, 0));
		ASSERT_EQ(type, seen);
		ASSERT_EQ((char)type, buf[0]);
	}
}

TEST_F(type, zero)
{
	char buf[4];
	int seen;

	ASSERT_EQ(4, tcptest_send_type(self->a, NST_TYPE_DATA, "data", 4, 0));
	ASSERT_EQ(4, recv(self->b, buf, 4, 0));
	EXPECT_EQ(4, send(self->a, "more", 4, 0));
	ASSERT_EQ(4, tcptest_recv_type(self->b, &seen, buf, 4, 0));
	EXPECT_EQ(NST_TYPE_DATA, seen);
}

TEST_F(type, reserved)
{
	uint8_t two[2] = { 16, 16 };
	int type;

	for (type = 1; type < NST_TYPE_APP_MIN; type++)
		EXPECT_EQ(-EINVAL, tcptest_send_type(self->a, type, "x", 1, 0));
	EXPECT_EQ(-EINVAL, udptest_send_ctl(self->a, NULL, 1, 10, SOL_NST,
					    NST_SET_RECORD_TYPE, two, 2));
	EXPECT_EQ(-EINVAL, udptest_send_ctl(self->a, NULL, 1, 10, SOL_NST, 7,
					    two, 1));
}

TEST_F(type, empty)
{
	char byte;
	int seen;

	ASSERT_EQ(0, tcptest_send_type(self->a, 99, NULL, 0, 0));
	ASSERT_EQ(0, tcptest_recv_type(self->b, &seen, &byte, 1, 0));
	EXPECT_EQ(99, seen);
}

TEST_F(type, peek)
{
	char buf[8];
	int seen, i;

	ASSERT_EQ(4, tcptest_send_type(self->a, 77, "ctrl", 4, 0));
	ASSERT_EQ(4, send(self->a, "data", 4, 0));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(4, tcptest_recv_type(self->b, &seen, buf, 8,
					       MSG_PEEK));
		EXPECT_EQ(77, seen);
		EXPECT_EQ(0, memcmp(buf, "ctrl", 4));
	}
	ASSERT_EQ(4, tcptest_recv_type(self->b, &seen, buf, 8, 0));
	EXPECT_EQ(77, seen);
	ASSERT_EQ(4, tcptest_recv_type(self->b, &seen, buf, 8, 0));
	EXPECT_EQ(NST_TYPE_DATA, seen);
	EXPECT_EQ(0, memcmp(buf, "data", 4));
}

/* An empty datagram that was looked at is still the next one. */
TEST_F(type, empty_and_peeked)
{
	char buf[8];
	int seen;

	ASSERT_EQ(0, tcptest_send_type(self->a, 99, NULL, 0, 0));
	ASSERT_EQ(4, send(self->a, "data", 4, 0));
	ASSERT_EQ(0, udptest_arrived(self->b));
	ASSERT_EQ(0, recv(self->b, buf, 8, MSG_PEEK));
	ASSERT_EQ(0, tcptest_recv_type(self->b, &seen, buf, 8, 0));
	EXPECT_EQ(99, seen);
	ASSERT_EQ(4, tcptest_recv_type(self->b, &seen, buf, 8, 0));
	EXPECT_EQ(NST_TYPE_DATA, seen);
}

/* With an offset UDP passes over an empty one that was peeked at; once. */
TEST_F(type, empty_at_an_offset)
{
	char buf[8];
	int seen;

	ASSERT_EQ(0, tcptest_set_int(self->b, SOL_SOCKET, SO_PEEK_OFF, 0));
	ASSERT_EQ(0, tcptest_send_type(self->a, 99, NULL, 0, 0));
	ASSERT_EQ(4, tcptest_send_type(self->a, 77, "data", 4, 0));
	ASSERT_EQ(0, tcptest_recv_type(self->b, &seen, buf, 8, MSG_PEEK));
	EXPECT_EQ(99, seen);
	ASSERT_EQ(4, tcptest_recv_type(self->b, &seen, buf, 8, MSG_PEEK));
	EXPECT_EQ(77, seen);
	ASSERT_EQ(0, tcptest_recv_type(self->b, &seen, buf, 8, 0));
	EXPECT_EQ(99, seen);
	ASSERT_EQ(4, tcptest_recv_type(self->b, &seen, buf, 8, 0));
	EXPECT_EQ(77, seen);
	ASSERT_EQ(0, tcptest_set_int(self->b, SOL_SOCKET, SO_PEEK_OFF, -1));
}

/* Room for exactly one control message: the type of data is told. */
TEST_F(type, room_for_one)
{
	char control[CMSG_SPACE(1)] __attribute__((aligned(8)));
	char buf[8];
	struct iovec iov = { .iov_base = buf, .iov_len = sizeof(buf) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = CMSG_LEN(1) };
	struct cmsghdr *cmsg = (void *)control;

	ASSERT_EQ(4, send(self->a, "data", 4, 0));
	ASSERT_EQ(4, recvmsg(self->b, &msg, 0));
	EXPECT_EQ(0, msg.msg_flags & MSG_CTRUNC);
	ASSERT_EQ(CMSG_LEN(1), msg.msg_controllen);
	EXPECT_EQ(SOL_NST, cmsg->cmsg_level);
	EXPECT_EQ(NST_GET_RECORD_TYPE, cmsg->cmsg_type);
	EXPECT_EQ(NST_TYPE_DATA, *CMSG_DATA(cmsg));
}

TEST_F(type, not_there)
{
	char byte;
	int seen;

	EXPECT_EQ(-EAGAIN, tcptest_recv_type(self->b, &seen, &byte, 1,
					     MSG_DONTWAIT));
	ASSERT_EQ(0, tcptest_timeout(self->b, SO_RCVTIMEO, 50));
	EXPECT_EQ(-EAGAIN, tcptest_recv_type(self->b, &seen, &byte, 1, 0));
	ASSERT_EQ(0, tcptest_timeout(self->b, SO_RCVTIMEO, 12000));
}

/* A reader without room for the type is told that something is missing. */
TEST_F(type, no_room)
{
	union {
		char buf[8];
		struct cmsghdr align;
	} small;
	char buf[8];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	ASSERT_EQ(4, tcptest_send_type(self->a, 77, "ctrl", 4, 0));
	EXPECT_EQ(4, recvmsg(self->b, &msg, 0));
	EXPECT_EQ(MSG_CTRUNC, msg.msg_flags & MSG_CTRUNC);
	ASSERT_EQ(4, tcptest_send_type(self->a, 77, "ctrl", 4, 0));
	msg.msg_control = &small;
	msg.msg_controllen = sizeof(small);
	EXPECT_EQ(4, recvmsg(self->b, &msg, 0));
	EXPECT_EQ(MSG_CTRUNC, msg.msg_flags & MSG_CTRUNC);
	/* Data has nothing to tell. */
	ASSERT_EQ(4, send(self->a, "data", 4, 0));
	msg.msg_control = NULL;
	msg.msg_controllen = 0;
	EXPECT_EQ(4, recvmsg(self->b, &msg, 0));
	EXPECT_EQ(0, msg.msg_flags & MSG_CTRUNC);
	ASSERT_EQ(4, send(self->a, "data", 4, 0));
	msg.msg_control = &small;
	msg.msg_controllen = sizeof(small);
	EXPECT_EQ(4, recvmsg(self->b, &msg, 0));
	EXPECT_EQ(0, msg.msg_flags & MSG_CTRUNC);
}

/* Of datagrams with and without, each reader gets type and bytes that match. */
TEST_F(type, several_readers)
{
	pid_t pid[4];
	int i, k, seen;
	char buf[8];

	for (i = 0; i < 4; i++) {
		pid[i] = fork();
		if (pid[i])
			continue;
		for (k = 0; k < 50; k++) {
			if (tcptest_recv_type(self->b, &seen, buf, 8, 0) != 1)
				_exit(1);
			if ((uint8_t)buf[0] != seen)
				_exit(2);
		}
		_exit(0);
	}
	for (i = 0; i < 200; i++) {
		buf[0] = 16 + i;
		ASSERT_EQ(1, tcptest_send_type(self->a, 16 + i, buf, 1, 0));
		if (i % 20 == 19)
			usleep(20000);
	}
	for (i = 0; i < 4; i++)
		EXPECT_EQ(0, tcptest_reap(pid[i]));
}

/* Both of NST's and UDP's messages. */
TEST_F(type, with_others)
{
	bool v6 = udptest_is_v6(&variant->conf), found;
	uint8_t buf[10], type = 0;
	int ttl = 0, seen;

	ASSERT_EQ(0, tcptest_set_int(self->b, v6 ? SOL_IPV6 : SOL_IP,
				     v6 ? IPV6_RECVHOPLIMIT : IP_RECVTTL, 1));
	ASSERT_EQ(4, tcptest_send_type(self->a, 77, "ctrl", 4, 0));
	EXPECT_EQ(4, udptest_recv_ctl(self->b, buf, 10, MSG_PEEK,
				      v6 ? SOL_IPV6 : SOL_IP,
				      v6 ? IPV6_HOPLIMIT : IP_TTL, &ttl,
				      sizeof(ttl), &found));
	EXPECT_TRUE(found);
	EXPECT_LT(0, ttl);
	EXPECT_EQ(4, udptest_recv_ctl(self->b, buf, 10, MSG_PEEK, SOL_NST,
				      NST_GET_RECORD_TYPE, &type, 1, &found));
	EXPECT_TRUE(found);
	EXPECT_EQ(77, type);
	EXPECT_EQ(4, tcptest_recv_type(self->b, &seen, buf, 10, 0));
}

/* --- what is refused ----------------------------------------------------------- */

UDPTEST_PAIRS(refuse, UDPTEST_VARIANTS_NST, udptest_met);

FIXTURE_TEARDOWN(refuse)
{
	EXPECT_TRUE(udptest_silent(self->b));
	EXPECT_EQ(0, udptest_meet(self->a, self->b));
	close(self->a);
	close(self->b);
}

TEST_F(refuse, flags)
{
	static const int flags[] = {
		MSG_OOB, MSG_MORE, MSG_ZEROCOPY, MSG_MORE | MSG_DONTWAIT,
		MSG_ZEROCOPY | MSG_MORE, MSG_OOB | MSG_NOSIGNAL,
	};
	size_t i;

	/* Whether or not the socket lets itself be prepared for it. */
	tcptest_set_int(self->a, SOL_SOCKET, SO_ZEROCOPY, 1);
	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		EXPECT_EQ(-1, send(self->a, "x", 1, flags[i])) {
			TH_LOG("flags %#x", flags[i]);
		}
		EXPECT_EQ(EOPNOTSUPP, errno);
		EXPECT_EQ(-1, send(self->a, "x", 0, flags[i]));
		EXPECT_EQ(EOPNOTSUPP, errno);
	}
}

/* What a send with @flags does: -errno, 0 if nothing comes, else bytes. */
static int try_flags(int from, int to, int flags)
{
	if (send(from, "x", 1, flags | MSG_NOSIGNAL) < 0)
		return -errno;
	return udptest_silent(to) ? 0 : udptest_try(to);
}

/* Any bit at all: refused, or it does what it does in plain UDP. */
TEST_F(refuse, every_send_flag)
{
	struct udptest_conf plain = { .family = variant->conf.family };
	int bit, a, b, nst;

	ASSERT_EQ(0, udptest_pair(&plain, &a, &b));
	for (bit = 0; bit < 32; bit++) {
		nst = try_flags(self->a, self->b, 1u << bit);
		if (nst != -EOPNOTSUPP)
			EXPECT_EQ(try_flags(a, b, 1u << bit), nst) {
				TH_LOG("bit %d", bit);
			}
	}
	close(a);
	close(b);
}

TEST_F(refuse, options)
{
	int one = 1;
	socklen_t len = sizeof(one);

	EXPECT_EQ(-EOPNOTSUPP, tcptest_set_int(self->a, SOL_UDP, UDP_CORK, 1));
	EXPECT_EQ(-EOPNOTSUPP, tcptest_set_int(self->a, SOL_UDP, UDP_ENCAP, 2));
	if (variant->conf.family != UDPTEST_IPV4)
		EXPECT_EQ(-EOPNOTSUPP, tcptest_set_int(self->a, SOL_IPV6,
						       IPV6_ADDRFORM, AF_INET));
	/* Turning off what is off, as programs do. */
	EXPECT_EQ(0, tcptest_set_int(self->a, SOL_UDP, UDP_CORK, 0));
	EXPECT_EQ(0, tcptest_set_int(self->a, SOL_SOCKET, SO_ZEROCOPY, 0));
	ASSERT_EQ(0, getsockopt(self->a, SOL_UDP, UDP_CORK, &one, &len));
	EXPECT_EQ(0, one);
}

/* The other options of UDP are UDP's. */
TEST_F(refuse, not_these)
{
	int value = -1;
	socklen_t len = sizeof(value);

	EXPECT_EQ(0, tcptest_set_int(self->a, SOL_SOCKET, SO_SNDBUF, 100000));
	EXPECT_EQ(0, tcptest_set_int(self->a, SOL_SOCKET, SO_REUSEPORT, 1));
	EXPECT_EQ(0, tcptest_set_int(self->a, SOL_UDP, UDP_GRO, 1));
	EXPECT_EQ(0, tcptest_set_int(self->a, SOL_IP, IP_TOS, 8));
	EXPECT_EQ(-ENOPROTOOPT, tcptest_set_int(self->a, SOL_UDP, 9999, 1));
	ASSERT_EQ(0, getsockopt(self->a, SOL_SOCKET, SO_TYPE, &value, &len));
	EXPECT_EQ(SOCK_DGRAM, value);
	ASSERT_EQ(0, getsockopt(self->a, SOL_SOCKET, SO_PROTOCOL, &value,
				&len));
	EXPECT_EQ(IPPROTO_UDP, value);
}

/* --- the path's MTU -------------------------------------------------------- */

FIXTURE(pmtu)
{
	int a;
	int b;
};

FIXTURE_SETUP(pmtu)
{
	struct udptest_conf conf = {
		.cipher_id = NST_CIPHER_AES_GCM, .family = UDPTEST_IPV6,
	};
	int one = 1;

	ASSERT_EQ(0, nsttest_netns());
	ASSERT_EQ(0, udptest_load_box());
	ASSERT_EQ(0, udptest_lo_mtu(1500));
	ASSERT_EQ(0, udptest_met(&conf, &self->a, &self->b));
	ASSERT_EQ(0, setsockopt(self->b, SOL_IPV6, IPV6_RECVPATHMTU, &one,
				sizeof(one)));
	ASSERT_EQ(0, setsockopt(self->b, SOL_IPV6, IPV6_DONTFRAG, &one,
				sizeof(one)));
}

FIXTURE_TEARDOWN(pmtu)
{
	close(self->a);
	close(self->b);
}

/* What was told beside the bytes, their number at @n. Returns the type, or -1. */
static int recv_told(int fd, char *buf, size_t len, bool *mtu, ssize_t *n)
{
	char control[256] __attribute__((aligned(8)));
	struct iovec iov = { buf, len };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *c;
	int type = -1;

	*mtu = false;
	*n = recvmsg(fd, &msg, 0);
	if (*n < 0)
		return -1;
	for (c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		*mtu |= c->cmsg_level == SOL_IPV6 &&
			c->cmsg_type == IPV6_PATHMTU;
		if (c->cmsg_level == SOL_NST)
			type = *CMSG_DATA(c);
	}
	return type;
}

/* A send that is too long for the path has its own socket told of the MTU. */
static int ask_for_mtu(int fd)
{
	static const char large[3000];

	return send(fd, large, sizeof(large), 0) < 0 && errno == EMSGSIZE ?
	       0 : -1;
}

/* It is told by itself, as on a plain socket: no record's type goes with it. */
TEST_F(pmtu, has_no_type)
{
	char buf[8];
	bool mtu;
	ssize_t n;

	ASSERT_EQ(4, tcptest_send_type(self->a, 77, "ctrl", 4, 0));
	ASSERT_EQ(0, udptest_arrived(self->b));
	ASSERT_EQ(0, ask_for_mtu(self->b));
	EXPECT_EQ(-1, recv_told(self->b, buf, sizeof(buf), &mtu, &n));
	EXPECT_EQ(0, n);
	EXPECT_TRUE(mtu);
	EXPECT_EQ(77, recv_told(self->b, buf, sizeof(buf), &mtu, &n));
	EXPECT_EQ(4, n);
	EXPECT_FALSE(mtu);
	/* Empty ones are no path's MTU. */
	ASSERT_EQ(0, tcptest_send_type(self->a, 78, NULL, 0, 0));
	EXPECT_EQ(78, recv_told(self->b, buf, sizeof(buf), &mtu, &n));
	EXPECT_EQ(0, n);
	EXPECT_FALSE(mtu);
}

static void *ask_again_and_again(void *arg)
{
	int i;

	for (i = 0; i < 3000; i++)
		if (ask_for_mtu(*(int *)arg))
			return arg;
	return NULL;
}

/* It may come between a reader's look at the next datagram and its read. */
TEST_F(pmtu, comes_any_time)
{
	pthread_t thread;
	void *failed;
	char buf[8];
	bool mtu;
	ssize_t n;
	int type;

	ASSERT_EQ(0, pthread_create(&thread, NULL, ask_again_and_again,
				    &self->b));
	for (int i = 0; i < 1500; i++) {
		ASSERT_EQ(4, tcptest_send_type(self->a, 77, "ctrl", 4, 0));
		do {
			type = recv_told(self->b, buf, sizeof(buf), &mtu, &n);
			ASSERT_EQ(mtu ? 0 : 4, n);
			ASSERT_EQ(mtu ? -1 : 77, type);
		} while (mtu);
	}
	ASSERT_EQ(0, pthread_join(thread, &failed));
	EXPECT_EQ(NULL, failed);
}

/*
 * What is sent while a datagram is gathered joins it; not what is of another type, nor
 * what is wrong. (IPv6 on 6.1 gathers nothing.)
 */
TEST(spliced)
{
	uint8_t buf[3000];
	const struct udptest_conf conf = {
		.family = UDPTEST_IPV4, .cipher_id = NST_CIPHER_AES_GCM,
	};
	int pipe_fd[2], got, a, b;

	ASSERT_EQ(0, udptest_met(&conf, &a, &b));
	ASSERT_EQ(0, pipe(pipe_fd));
	udptest_fill(buf, sizeof(buf), 8);
	ASSERT_EQ(3000, write(pipe_fd[1], buf, sizeof(buf)));
	ASSERT_EQ(1000, splice(pipe_fd[0], NULL, a, NULL, 1000,
			       SPLICE_F_MORE));
	EXPECT_TRUE(udptest_silent(b));
	EXPECT_EQ(4, tcptest_send_type(a, 99, "ctrl", 4, 0));
	EXPECT_EQ(-EINVAL, tcptest_send_type(a, 1, "ctrl", 4, 0));
	ASSERT_EQ(2000, splice(pipe_fd[0], NULL, a, NULL, 2000, 0));
	EXPECT_EQ(4, tcptest_recv_type(b, &got, buf, sizeof(buf), 0));
	EXPECT_EQ(99, got);
	EXPECT_EQ(0, memcmp(buf, "ctrl", 4));
	EXPECT_EQ(3000, tcptest_recv_type(b, &got, buf, sizeof(buf), 0));
	EXPECT_EQ(NST_TYPE_DATA, got);
	EXPECT_TRUE(udptest_same(buf, 3000, 8));
	close(pipe_fd[0]);
	close(pipe_fd[1]);
	close(a);
	close(b);
}

TEST_HARNESS_MAIN
