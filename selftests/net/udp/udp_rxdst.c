// SPDX-License-Identifier: GPL-2.0
/*
 * The route that early demultiplexing gives a datagram is that of one before it. A
 * datagram that has waited for its session leaves none that is wrong for others,
 * and none makes a datagram for one host pass for one that came to a group.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/udp.h>

#include "faulty.h"
#include "kselftest_harness.h"
#include "udptest.h"
#include "vethtest.h"

#define GROUP		"239.1.2.3"
#define BROADCAST	"10.9.0.255"
#define NEAR		"10.9.0.1"
#define FAR		"10.9.0.2"
#define FAR_NUMBER	0x0a090002
#define PORT_A		7001
#define PORT_B		7002	/* and those of others at B's end */
#define PORT_VICTIM	7003
#define PORT_WAKE	7004
#define SECRET		"unicast"
#define SECRET_LEN	7
#define HEADERS		(20 + 8)	/* of IP and UDP */
#define WIRE_HDR	48
#define LONG		4000	/* bytes: it takes a while to open */
#define ROW		200	/* datagrams that wait */
#define KEYS_MS		500	/* so long */

static struct sockaddr_in at(const char *ip, uint16_t port)
{
	struct sockaddr_in in = {
		.sin_family = AF_INET, .sin_port = htons(port),
	};

	inet_pton(AF_INET, ip, &in.sin_addr);
	return in;
}

static int sock_at(const struct udptest_conf *conf, const char *ip,
		   uint16_t port)
{
	struct timeval limit = { .tv_sec = 60 };
	struct sockaddr_in in = at(ip, port);
	int fd = udptest_new(conf), one = 1;

	if (fd < 0)
		return fd;
	if (setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &one, sizeof(one)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) ||
	    bind(fd, (void *)&in, sizeof(in)))
		return -errno;
	return fd;
}

/* 0 or -errno */
static int send_to(int fd, const char *ip, uint16_t port, const void *b,
		   size_t n)
{
	struct sockaddr_in in = at(ip, port);

	return sendto(fd, b, n, 0, (void *)&in, sizeof(in)) == (ssize_t)n ?
	       0 : -errno;
}

/* Receives a datagram: its ipi_spec_dst in the host's order. 0: none came. */
static uint32_t spec_dst(int fd)
{
	char b[256], control[256];
	struct iovec iov = { b, sizeof(b) };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct in_pktinfo info;
	struct cmsghdr *c;

	if (recvmsg(fd, &m, 0) < 0)
		return 0;
	for (c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
		if (c->cmsg_level == SOL_IP && c->cmsg_type == IP_PKTINFO) {
			memcpy(&info, CMSG_DATA(c), sizeof(info));
			return ntohl(info.ipi_spec_dst.s_addr);
		}
	return 1;
}

FIXTURE(rxdst)
{
	struct veth v;
	int a, b;
};

FIXTURE_VARIANT(rxdst)
{
	struct udptest_conf conf;
};

FIXTURE_VARIANT_ADD(rxdst, plain)
{
	.conf = { .family = UDPTEST_IPV4 },
};

FIXTURE_VARIANT_ADD(rxdst, nst)
{
	.conf = {
		.family = UDPTEST_IPV4, .cipher_id = NST_CIPHER_AES_GCM,
	},
};

FIXTURE_SETUP(rxdst)
{
	struct veth_conf conf = { .offload = VETH_ALL, .mtu = 1500 };
	struct sockaddr_in near = at(NEAR, 0);

	ASSERT_EQ(0, veth_open(&self->v, &conf));
	ASSERT_EQ(0, veth_enter(&self->v, 1));
	ASSERT_EQ(0, system("ip addr change " FAR "/24 broadcast " BROADCAST
			    " dev v"));
	self->b = sock_at(&variant->conf, "0.0.0.0", PORT_B);
	ASSERT_LE(0, self->b);
	ASSERT_EQ(0, veth_enter(&self->v, 0));
	ASSERT_EQ(0, system("ip addr change " NEAR "/24 broadcast " BROADCAST
			    " dev v"));
	self->a = sock_at(&variant->conf, NEAR, PORT_A);
	ASSERT_LE(0, self->a);
	ASSERT_EQ(0, setsockopt(self->a, SOL_IP, IP_MULTICAST_IF,
				&near.sin_addr, sizeof(near.sin_addr)));
}

FIXTURE_TEARDOWN(rxdst)
{
	close(self->a);
	close(self->b);
	veth_close(&self->v);
}

static int join(int fd)
{
	struct ip_mreq mreq = {
		.imr_multiaddr = at(GROUP, 0).sin_addr,
		.imr_interface = at(FAR, 0).sin_addr,
	};

	return setsockopt(fd, SOL_IP, IP_ADD_MEMBERSHIP, &mreq, sizeof(mreq));
}

/* The first datagram waits. Those to a group behind it are as without NST. */
TEST_F(rxdst, pktinfo)
{
	int one = 1, i;

	ASSERT_EQ(0, join(self->b));
	ASSERT_EQ(0, setsockopt(self->b, SOL_IP, IP_PKTINFO, &one,
				sizeof(one)));
	ASSERT_EQ(0, send_to(self->a, FAR, PORT_B, "u", 1));
	EXPECT_EQ(FAR_NUMBER, spec_dst(self->b));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, send_to(self->a, GROUP, PORT_B, "m", 1));
		EXPECT_EQ(FAR_NUMBER, spec_dst(self->b));
	}
}

/*
 * B takes a datagram that came to @first, is connected, and takes SECRET. Leaves
 * the datagram as it came over the wire, from UDP's body on; its bytes.
 */
static int capture(struct __test_metadata *_metadata, int a, int b,
		   const char *first, unsigned char *body, int size)
{
	struct sockaddr_in near = at(NEAR, PORT_A);
	unsigned char pkt[512];
	char x[16];
	int raw, n;

	EXPECT_EQ(0, send_to(a, first, PORT_B, "b", 1));
	EXPECT_EQ(1, recv(b, x, sizeof(x), 0));
	EXPECT_EQ(0, connect(b, (void *)&near, sizeof(near)));
	raw = socket(AF_INET, SOCK_RAW, IPPROTO_UDP);
	EXPECT_LE(0, raw);
	EXPECT_EQ(0, send_to(a, FAR, PORT_B, SECRET, SECRET_LEN));
	EXPECT_EQ(SECRET_LEN, recv(b, x, sizeof(x), 0));
	/* It came here before UDP had it. */
	n = recv(raw, pkt, sizeof(pkt), MSG_DONTWAIT) - HEADERS;
	close(raw);
	EXPECT_LT(WIRE_HDR, n);
	if (n <= WIRE_HDR || n > size)
		return -1;
	memcpy(body, pkt + HEADERS, n);
	return n;
}

/*
 * Whoever has captured a datagram sends it to all in the network. Another socket
 * with the same keys must not take it; what is sent to all behind it, it takes.
 */
static void replay(struct __test_metadata *_metadata,
		   const struct udptest_conf *conf, struct veth *v, int a,
		   int b, const char *first)
{
	unsigned char body[512];
	int victim, stranger, n, one = 1;
	char x[16] = "";

	ASSERT_EQ(0, veth_enter(v, 1));
	victim = sock_at(conf, "0.0.0.0", PORT_VICTIM);
	ASSERT_LE(0, victim);
	n = capture(_metadata, a, b, first, body, sizeof(body));
	ASSERT_LT(0, n);
	ASSERT_EQ(0, veth_enter(v, 0));
	stranger = socket(AF_INET, SOCK_DGRAM, 0);
	ASSERT_EQ(0, setsockopt(stranger, SOL_SOCKET, SO_BROADCAST, &one,
				sizeof(one)));
	ASSERT_EQ(0, send_to(stranger, BROADCAST, PORT_VICTIM, body, n));
	ASSERT_EQ(0, send_to(a, BROADCAST, PORT_VICTIM, "all", 3));
	EXPECT_EQ(3, recv(victim, x, sizeof(x), 0));
	EXPECT_EQ(0, memcmp(x, "all", 3));
	close(stranger);
	close(victim);
}

TEST_F(rxdst, replay_after_unicast)
{
	if (variant->conf.cipher_id)
		replay(_metadata, &variant->conf, &self->v, self->a, self->b,
		       FAR);
}

/* It waits, and so goes to a socket that it has already. */
TEST_F(rxdst, replay_after_broadcast)
{
	if (variant->conf.cipher_id)
		replay(_metadata, &variant->conf, &self->v, self->a, self->b,
		       BROADCAST);
}

/* It waits for nothing: early demultiplexing looks for its socket. */
TEST_F(rxdst, replay_after_multicast)
{
	int wake;
	char x[8];

	if (!variant->conf.cipher_id)
		return;
	ASSERT_EQ(0, join(self->b));
	ASSERT_EQ(0, veth_enter(&self->v, 1));
	wake = sock_at(&variant->conf, "0.0.0.0", PORT_WAKE);
	ASSERT_LE(0, wake);
	ASSERT_EQ(0, send_to(self->a, FAR, PORT_WAKE, "w", 1));
	ASSERT_EQ(1, recv(wake, x, sizeof(x), 0));
	close(wake);
	replay(_metadata, &variant->conf, &self->v, self->a, self->b, GROUP);
}

/* ROW of @from's, which wait for their keys. */
static void wait_in_row(struct __test_metadata *_metadata, int from)
{
	static char b[LONG];
	int i;

	ASSERT_EQ(0, faulty_key_lasts(KEYS_MS));
	for (i = 0; i < ROW; i++)
		ASSERT_EQ(0, send_to(from, GROUP, PORT_B, b, sizeof(b)));
	ASSERT_EQ(0, faulty_key_lasts(0));
}

/*
 * One sender's datagram leaves the socket its route; another's is given that, takes
 * some that wait along, each of which has a route of its own, and waits itself.
 */
TEST_F_TIMEOUT(rxdst, group_of_two, 60)
{
	int other, i, size = 32 << 20;
	static char b[LONG];

	if (!variant->conf.cipher_id)
		return;
	ASSERT_EQ(0, faulty_load());
	ASSERT_EQ(0, join(self->b));
	ASSERT_EQ(0, setsockopt(self->b, SOL_SOCKET, SO_RCVBUFFORCE, &size,
				sizeof(size)));
	ASSERT_EQ(0, system("ip link set v mtu 9000"));
	ASSERT_EQ(0, veth_enter(&self->v, 1));
	ASSERT_EQ(0, system("ip link set v mtu 9000"));
	ASSERT_EQ(0, veth_enter(&self->v, 0));
	other = sock_at(&variant->conf, NEAR, PORT_WAKE);
	ASSERT_EQ(0, send_to(self->a, GROUP, PORT_B, "m", 1));
	ASSERT_EQ(1, recv(self->b, b, sizeof(b), 0));
	wait_in_row(_metadata, other);
	/* The keys are there, and most of the row still waits. */
	ASSERT_EQ(LONG, recv(self->b, b, sizeof(b), 0));
	for (i = 0; i < ROW; i++) {
		ASSERT_EQ(0, send_to(self->a, GROUP, PORT_B, "m", 1));
		ASSERT_EQ(0, send_to(other, GROUP, PORT_B, b, sizeof(b)));
	}
	for (i = 1; i < 3 * ROW; i++)
		ASSERT_LT(0, recv(self->b, b, sizeof(b), 0))
			TH_LOG("%d have come", i);
	ASSERT_EQ(0, veth_enter(&self->v, 1));
	EXPECT_EQ(0, nsttest_stat("NstRxGone"));
	close(self->a);
	close(self->b);
	close(other);
	EXPECT_EQ(0, faulty_unload());
}

TEST_HARNESS_MAIN
