// SPDX-License-Identifier: GPL-2.0
/*
 * Datagrams between two sockets with NST: sizes up to the largest, addresses,
 * connected or not, multicast and broadcast. Plain UDP does the same.
 */
#define _GNU_SOURCE
#include <net/if.h>

#include "kselftest_harness.h"
#include "udptest.h"

UDPTEST_PAIRS(udp, UDPTEST_VARIANTS_ALL, udptest_pair);

FIXTURE_TEARDOWN(udp)
{
	EXPECT_TRUE(udptest_silent(self->a));
	EXPECT_TRUE(udptest_silent(self->b));
	close(self->a);
	close(self->b);
}

TEST_F(udp, both_ways)
{
	uint32_t nr;

	for (nr = 1; nr <= 20; nr++) {
		ASSERT_EQ(0, udptest_send(self->a, nr, 100));
		ASSERT_EQ(0, udptest_recv(self->b, nr, 100));
		ASSERT_EQ(0, udptest_send(self->b, nr, 1000));
		ASSERT_EQ(0, udptest_recv(self->a, nr, 1000));
	}
}

/* Both ends may speak at once, before either has heard of the other. */
TEST_F(udp, cross)
{
	ASSERT_EQ(0, udptest_send(self->a, 1, 500));
	ASSERT_EQ(0, udptest_send(self->b, 2, 500));
	EXPECT_EQ(0, udptest_recv(self->a, 2, 500));
	EXPECT_EQ(0, udptest_recv(self->b, 1, 500));
}

/* What comes before the receiver knows the sender's session waits. */
TEST_F(udp, burst_at_the_start)
{
	uint8_t buf[UDPTEST_MAX];
	uint32_t nr, seen = 0;
	int64_t got;
	ssize_t n;

	for (nr = 0; nr < 8; nr++)
		ASSERT_EQ(0, udptest_send(self->a, nr, 200));
	for (nr = 0; nr < 8; nr++) {
		n = recv(self->b, buf, sizeof(buf), 0);
		ASSERT_EQ(200, n);
		got = udptest_number(buf, n);
		ASSERT_LE(0, got);
		ASSERT_GT(8, got);
		seen |= 1 << got;
	}
	EXPECT_EQ(0xff, seen);
}

/* A known session keeps the order. */
TEST_F(udp, order)
{
	uint32_t nr;

	ASSERT_EQ(0, udptest_meet(self->a, self->b));
	for (nr = 0; nr < 50; nr++)
		ASSERT_EQ(0, udptest_send(self->a, nr, nr * 7));
	for (nr = 0; nr < 50; nr++)
		ASSERT_EQ(0, udptest_recv(self->b, nr, nr * 7));
}

TEST_F(udp, sizes)
{
	static const size_t around[] = {
		64, 128, 256, 512, 1024, 1452, 1472, 2048, 4096, 8192, 9000,
		16384, 32768, 49152, 65000,
	};
	size_t i, len;

	for (len = 0; len <= 50; len++) {
		ASSERT_EQ(0, udptest_send(self->a, len, len));
		ASSERT_EQ(0, udptest_recv(self->b, len, len));
	}
	for (i = 0; i < sizeof(around) / sizeof(around[0]); i++) {
		for (len = around[i] - 2; len <= around[i] + 2; len++) {
			ASSERT_EQ(0, udptest_send(self->a, len, len));
			ASSERT_EQ(0, udptest_recv(self->b, len, len));
		}
	}
}

TEST_F(udp, largest)
{
	size_t len, most = udptest_longest(&variant->conf);
	size_t more[] = { most + 1, most + 2, most + 16, 65508, 65535, 65536 };
	size_t i;

	for (len = most - 20; len <= most; len++) {
		ASSERT_EQ(0, udptest_send(self->a, len, len));
		ASSERT_EQ(0, udptest_recv(self->b, len, len));
	}
	for (i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
		if (more[i] <= most)
			continue;
		EXPECT_EQ(-EMSGSIZE, udptest_send(self->a, 1, more[i])) {
			TH_LOG("%zu bytes", more[i]);
		}
	}
	EXPECT_EQ(0, udptest_send(self->a, 7, 77));
	EXPECT_EQ(0, udptest_recv(self->b, 7, 77));
	EXPECT_EQ(0, udptest_send(self->a, 8, most));
	EXPECT_EQ(0, udptest_recv(self->b, 8, most));
}

/* Lengths that no buffer has: refused before anything is allocated. */
TEST_F(udp, absurd_length)
{
	static char byte;

	EXPECT_EQ(-1, send(self->a, &byte, 0x7fffffff, 0));
	EXPECT_EQ(EMSGSIZE, errno);
	EXPECT_EQ(-1, send(self->a, &byte, 1 << 20, 0));
	EXPECT_EQ(EMSGSIZE, errno);
}

TEST_F(udp, zero_length)
{
	struct udptest_name from;

	EXPECT_EQ(0, udptest_send(self->a, 0, 0));
	EXPECT_EQ(0, udptest_arrived(self->b));
	EXPECT_EQ(0, udptest_recvfrom(self->b, &from, 0, 0));
	EXPECT_EQ(-EAGAIN, udptest_try(self->b));
	EXPECT_EQ(0, udptest_send(self->a, 0, 0));
	EXPECT_EQ(0, udptest_send(self->a, 5, 5));
	EXPECT_EQ(0, udptest_recv(self->b, 0, 0));
	EXPECT_EQ(0, udptest_recv(self->b, 5, 5));
}

TEST_F(udp, unconnected)
{
	struct udptest_name a, b, from;

	close(self->a);
	close(self->b);
	self->a = udptest_bound(&variant->conf);
	self->b = udptest_bound(&variant->conf);
	ASSERT_EQ(0, udptest_name(self->a, &a));
	ASSERT_EQ(0, udptest_name(self->b, &b));
	EXPECT_EQ(-EDESTADDRREQ, udptest_send(self->a, 1, 1));
	ASSERT_EQ(0, udptest_sendto(self->a, &b, 1, 300));
	ASSERT_EQ(0, udptest_recvfrom(self->b, &from, 1, 300));
	ASSERT_EQ(a.len, from.len);
	EXPECT_EQ(0, memcmp(&a.ss, &from.ss, from.len));
	ASSERT_EQ(0, udptest_sendto(self->b, &from, 2, 400));
	ASSERT_EQ(0, udptest_recvfrom(self->a, &from, 2, 400));
	EXPECT_EQ(0, memcmp(&b.ss, &from.ss, from.len));
}

/* A socket that nobody has bound gets a port by sending. */
TEST_F(udp, bound_by_sending)
{
	int fd = udptest_new(&variant->conf);
	struct udptest_name from, b;

	ASSERT_LE(0, fd);
	close(self->b);
	self->b = udptest_bound(&variant->conf);
	ASSERT_EQ(0, udptest_name(self->b, &b));
	ASSERT_EQ(0, udptest_sendto(fd, &b, 1, 10));
	ASSERT_EQ(0, udptest_recvfrom(self->b, &from, 1, 10));
	ASSERT_EQ(0, udptest_sendto(self->b, &from, 2, 20));
	EXPECT_EQ(0, udptest_recv(fd, 2, 20));
	close(fd);
}

/* One socket, many destinations. */
TEST_F(udp, fan_out)
{
	int fd[6], i, round;
	struct udptest_name to[6];

	for (i = 0; i < 6; i++) {
		fd[i] = udptest_bound(&variant->conf);
		ASSERT_LE(0, fd[i]);
		ASSERT_EQ(0, udptest_name(fd[i], &to[i]));
	}
	for (round = 0; round < 5; round++) {
		for (i = 0; i < 6; i++)
			ASSERT_EQ(0, udptest_sendto(self->a, &to[i],
						    10 * round + i, 600));
		for (i = 0; i < 6; i++)
			ASSERT_EQ(0, udptest_recv(fd[i], 10 * round + i, 600));
	}
	for (i = 0; i < 6; i++) {
		EXPECT_EQ(-EAGAIN, udptest_try(fd[i]));
		close(fd[i]);
	}
}

/* --- a socket of both families --------------------------------------------- */

FIXTURE(dual)
{
	int d;
	int v4;
	int v6;
};

FIXTURE_VARIANT(dual)
{
	uint8_t cipher_id;
};

FIXTURE_VARIANT_ADD(dual, plain) { .cipher_id = 0 };
FIXTURE_VARIANT_ADD(dual, aes_gcm) { .cipher_id = NST_CIPHER_AES_GCM };

FIXTURE_SETUP(dual)
{
	struct udptest_conf conf = { .cipher_id = variant->cipher_id };
	struct sockaddr_in6 any = { .sin6_family = AF_INET6 };

	conf.family = UDPTEST_DUAL;
	self->d = udptest_new(&conf);
	ASSERT_LE(0, self->d);
	ASSERT_EQ(0, bind(self->d, (void *)&any, sizeof(any)));
	conf.family = UDPTEST_IPV4;
	self->v4 = udptest_bound(&conf);
	ASSERT_LE(0, self->v4);
	conf.family = UDPTEST_IPV6;
	self->v6 = udptest_bound(&conf);
	ASSERT_LE(0, self->v6);
}

FIXTURE_TEARDOWN(dual)
{
	close(self->d);
	close(self->v4);
	close(self->v6);
}

TEST_F(dual, hears_both)
{
	static const struct udptest_conf conf[2] = {
		{ .family = UDPTEST_IPV4 }, { .family = UDPTEST_IPV6 },
	};
	int fd[2] = { self->v4, self->v6 };
	struct udptest_name d, to, from;
	uint32_t nr;

	ASSERT_EQ(0, udptest_name(self->d, &d));
	for (nr = 0; nr < 10; nr++) {
		udptest_loopback(&conf[nr % 2], udptest_port(&d), &to);
		ASSERT_EQ(0, udptest_sendto(fd[nr % 2], &to, nr, 100));
		ASSERT_EQ(0, udptest_recvfrom(self->d, &from, nr, 100));
		ASSERT_EQ(0, udptest_sendto(self->d, &from, nr, 99));
		ASSERT_EQ(0, udptest_recv(fd[nr % 2], nr, 99));
	}
}

/* The limit is that of the address, not of the socket. */
TEST_F(dual, largest)
{
	struct udptest_conf conf = { .cipher_id = variant->cipher_id };
	int fd[2] = { self->v4, self->v6 };
	struct udptest_name to;
	size_t most;
	int i;

	for (i = 0; i < 2; i++) {
		conf.family = i ? UDPTEST_IPV6 : UDPTEST_IPV4;
		most = udptest_longest(&conf);
		ASSERT_EQ(0, udptest_name(fd[i], &to));
		if (!i) {
			conf.family = UDPTEST_DUAL;
			udptest_loopback(&conf, udptest_port(&to), &to);
		}
		EXPECT_EQ(0, udptest_sendto(self->d, &to, 1, most));
		EXPECT_EQ(0, udptest_recv(fd[i], 1, most));
		EXPECT_EQ(-EMSGSIZE, udptest_sendto(self->d, &to, 1, most + 1));
	}
}

/* --- multicast and broadcast ----------------------------------------------- */

FIXTURE(cast)
{
	int from;
	int to[3];
	struct udptest_name group;
};

FIXTURE_VARIANT(cast)
{
	struct udptest_conf conf;
};

UDPTEST_V(cast, plain_ipv4, 0, UDPTEST_IPV4);
UDPTEST_V(cast, plain_ipv6, 0, UDPTEST_IPV6);
UDPTEST_V(cast, aes_gcm_ipv4, NST_CIPHER_AES_GCM, UDPTEST_IPV4);
UDPTEST_V(cast, aes_cbc_ipv6, NST_CIPHER_AES_CBC, UDPTEST_IPV6);
UDPTEST_V_BOX(cast, aes_gcm_ipv4_box, NST_CIPHER_AES_GCM, UDPTEST_IPV4);
UDPTEST_V_BOX(cast, chacha20_ipv6_box, NST_CIPHER_CHACHA20_POLY1305,
	      UDPTEST_IPV6);

static int bind_any(int fd, const struct udptest_conf *conf, uint16_t port)
{
	struct udptest_name any;

	udptest_address(conf, "0.0.0.0", "::", port, &any);
	if (tcptest_set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1))
		return -errno;
	return bind(fd, udptest_sa(&any), any.len) ? -errno : 0;
}

FIXTURE_SETUP(cast)
{
	int i;

	ASSERT_EQ(0, nsttest_netns());
	ASSERT_EQ(0, udptest_run("ip link add dum0 type dummy"));
	ASSERT_EQ(0, udptest_run("ip link set dum0 up multicast on"));
	ASSERT_EQ(0, udptest_run("ip addr add 10.8.0.1/24 brd + dev dum0"));
	ASSERT_EQ(0, udptest_run("ip addr add fd08::1/64 dev dum0 nodad"));
	ASSERT_EQ(0, udptest_run("ip route add 224.0.0.0/4 dev dum0"));
	if (variant->conf.box)
		ASSERT_EQ(0, udptest_load_box());
	self->from = udptest_new(&variant->conf);
	ASSERT_LE(0, self->from);
	for (i = 0; i < 3; i++) {
		self->to[i] = udptest_new(&variant->conf);
		ASSERT_LE(0, self->to[i]);
		ASSERT_EQ(0, bind_any(self->to[i], &variant->conf, 7008));
	}
}

FIXTURE_TEARDOWN(cast)
{
	int i;

	for (i = 0; i < 3; i++)
		close(self->to[i]);
	close(self->from);
}

static int join(int fd, bool v6, int leave)
{
	struct ipv6_mreq m6 = {
		.ipv6mr_interface = if_nametoindex("dum0"),
		.ipv6mr_multiaddr.s6_addr = { 0xff, 0x12, [15] = 0x99 },
	};
	struct ip_mreqn m4 = {
		.imr_multiaddr.s_addr = htonl(0xefff0809),
		.imr_ifindex = if_nametoindex("dum0"),
	};

	if (v6)
		return setsockopt(fd, SOL_IPV6, leave ? IPV6_LEAVE_GROUP :
				  IPV6_JOIN_GROUP, &m6, sizeof(m6)) ?
			-errno : 0;
	return setsockopt(fd, SOL_IP, leave ? IP_DROP_MEMBERSHIP :
			  IP_ADD_MEMBERSHIP, &m4, sizeof(m4)) ? -errno : 0;
}

static void group_name(const struct udptest_conf *conf,
		       struct udptest_name *name)
{
	udptest_address(conf, "239.255.8.9", "ff12::99", 7008, name);
	if (udptest_is_v6(conf))
		((struct sockaddr_in6 *)&name->ss)->sin6_scope_id =
			if_nametoindex("dum0");
}

/* Every member gets it, once. */
TEST_F(cast, multicast)
{
	bool v6 = udptest_is_v6(&variant->conf);
	struct udptest_name group;
	uint32_t nr;
	int i;

	group_name(&variant->conf, &group);
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, join(self->to[i], v6, 0));
	for (nr = 0; nr < 6; nr++) {
		ASSERT_EQ(0, udptest_sendto(self->from, &group, nr, 500 * nr));
		for (i = 0; i < 3; i++)
			ASSERT_EQ(0, udptest_recv(self->to[i], nr, 500 * nr));
	}
	for (i = 0; i < 3; i++)
		EXPECT_TRUE(udptest_silent(self->to[i]));
}

/* Who leaves gets no more; IP_MULTICAST_ALL off: only the socket's groups. */
TEST_F(cast, leave)
{
	bool v6 = udptest_is_v6(&variant->conf);
	struct udptest_name group;
	int i;

	group_name(&variant->conf, &group);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, join(self->to[i], v6, 0));
		ASSERT_EQ(0, tcptest_set_int(self->to[i],
					     v6 ? SOL_IPV6 : SOL_IP,
					     v6 ? 29 : IP_MULTICAST_ALL, 0));
	}
	ASSERT_EQ(0, udptest_sendto(self->from, &group, 1, 500));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, udptest_recv(self->to[i], 1, 500));
	ASSERT_EQ(0, join(self->to[1], v6, 1));
	ASSERT_EQ(0, udptest_sendto(self->from, &group, 2, 500));
	EXPECT_EQ(0, udptest_recv(self->to[0], 2, 500));
	EXPECT_EQ(0, udptest_recv(self->to[2], 2, 500));
	EXPECT_TRUE(udptest_silent(self->to[1]));
}

/* The loop of IP_MULTICAST_LOOP can be turned off. */
TEST_F(cast, no_loop)
{
	bool v6 = udptest_is_v6(&variant->conf);
	struct udptest_name group;

	group_name(&variant->conf, &group);
	ASSERT_EQ(0, join(self->to[0], v6, 0));
	ASSERT_EQ(0, tcptest_set_int(self->from, v6 ? SOL_IPV6 : SOL_IP,
				     v6 ? IPV6_MULTICAST_LOOP :
				     IP_MULTICAST_LOOP, 0));
	ASSERT_EQ(0, udptest_sendto(self->from, &group, 1, 500));
	EXPECT_TRUE(udptest_silent(self->to[0]));
}

TEST_F(cast, broadcast)
{
	struct udptest_name all;
	uint32_t nr;
	int i;

	udptest_address(&variant->conf, "10.8.0.255", "fd08::1", 7008, &all);
	if (udptest_is_v6(&variant->conf)) {
		/* IPv6 has no broadcast: one of them gets it. */
		ASSERT_EQ(0, udptest_sendto(self->from, &all, 1, 100));
		for (i = 0, nr = 0; nr == 0 && i < 500; i++) {
			for (int k = 0; k < 3; k++)
				nr += udptest_try(self->to[k]) == 100;
			usleep(10000);
		}
		EXPECT_EQ(1, nr);
		return;
	}
	EXPECT_EQ(-EACCES, udptest_sendto(self->from, &all, 1, 100));
	ASSERT_EQ(0, tcptest_set_int(self->from, SOL_SOCKET, SO_BROADCAST, 1));
	for (nr = 0; nr < 5; nr++) {
		ASSERT_EQ(0, udptest_sendto(self->from, &all, nr, 100));
		for (i = 0; i < 3; i++)
			ASSERT_EQ(0, udptest_recv(self->to[i], nr, 100));
	}
	for (i = 0; i < 3; i++)
		EXPECT_TRUE(udptest_silent(self->to[i]));
}

TEST_HARNESS_MAIN
