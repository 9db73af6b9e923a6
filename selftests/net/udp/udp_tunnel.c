// SPDX-License-Identifier: GPL-2.0
/*
 * UDP_SEGMENT through a tunnel. Who cuts the segments writes the checksum of each, or
 * leaves that to a device, and NST has looked at nothing of it: the inner checksums are
 * right on the wire, and what is received with none, as between devices of one host, is
 * taken also if it has waited for its session.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <sys/ioctl.h>

#include "kselftest_harness.h"
#include "udptest.h"
#include "vethtest.h"

#define VXLAN_PORT	4789
#define VXLAN_HDR	8
#define SEGMENT		1200
#define SEGMENTS	9
#define LEN		(SEGMENT * SEGMENTS - 7)
#define TURNS		5

/* Of both ends: the tunnel knows no other host. */
#define TUNNEL	"ip link add vx type vxlan id 7 dev v local 10.9.0.%d remote 10.9.0.%d "	\
		"dstport 4789 udpcsum && ip addr add 10.8.0.%d/24 dev vx && " \
		"ip link set vx up"

FIXTURE(tunnel)
{
	struct veth v;
	int raw;
	int a;
	int b;
};

FIXTURE_VARIANT(tunnel)
{
	struct udptest_conf conf;
	bool offload;	/* checksums and segments are the device's, which are none */
};

#define VARIANT(name, id, by_device)					\
FIXTURE_VARIANT_ADD(tunnel, name) {					\
	.conf = { .cipher_id = id, .family = UDPTEST_IPV4 },		\
	.offload = by_device,						\
}

VARIANT(plain, 0, false);
VARIANT(plain_offload, 0, true);
VARIANT(aes_gcm, NST_CIPHER_AES_GCM, false);
VARIANT(aes_gcm_offload, NST_CIPHER_AES_GCM, true);
VARIANT(aes_cbc_offload, NST_CIPHER_AES_CBC, true);

/* The device writes no checksum, so the stack has to. */
static int no_checksums(void)
{
	struct ethtool_value value = { .cmd = ETHTOOL_STXCSUM };
	struct ifreq ifr = { .ifr_name = "v", .ifr_data = (void *)&value };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	int ret = ioctl(fd, SIOCETHTOOL, &ifr) ? -errno : 0;

	close(fd);
	return ret;
}

/* All packets that come by the veth, and whether their checksums are written. */
static int watch(void)
{
	struct sockaddr_ll ll = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP),
		.sll_ifindex = if_nametoindex("v"),
	};
	int fd = socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_IP)), size = 8 << 20;

	if (fd < 0 || bind(fd, (void *)&ll, sizeof(ll)) ||
	    tcptest_set_int(fd, SOL_PACKET, PACKET_AUXDATA, 1) ||
	    tcptest_set_int(fd, SOL_SOCKET, SO_RCVBUFFORCE, size))
		return -errno;
	return fd;
}

static int socket_at(const struct udptest_conf *conf, int end)
{
	char near[16], far[16];
	struct udptest_name at, to;
	int fd = udptest_new(conf);

	if (fd < 0)
		return fd;
	snprintf(near, sizeof(near), "10.8.0.%d", end + 1);
	snprintf(far, sizeof(far), "10.8.0.%d", 2 - end);
	udptest_address(conf, near, NULL, 7001 + end, &at);
	udptest_address(conf, far, NULL, 7002 - end, &to);
	if (bind(fd, udptest_sa(&at), at.len) ||
	    connect(fd, udptest_sa(&to), to.len))
		return -errno;
	return fd;
}

FIXTURE_SETUP(tunnel)
{
	struct veth_conf conf = { .offload = VETH_ALL, .mtu = 1500 };
	int end;

	ASSERT_EQ(0, veth_open(&self->v, &conf));
	for (end = 1; end >= 0; end--) {
		char cmd[320];

		ASSERT_EQ(0, veth_enter(&self->v, end));
		if (!variant->offload)
			ASSERT_EQ(0, no_checksums());
		snprintf(cmd, sizeof(cmd), TUNNEL, end + 1, 2 - end, end + 1);
		if (system(cmd))
			NSTTEST_SKIP_FIXTURE("this kernel has no VXLAN");
		if (end) {
			self->raw = watch();
			ASSERT_LE(0, self->raw);
			self->b = socket_at(&variant->conf, end);
			ASSERT_LE(0, self->b);
		}
	}
	self->a = socket_at(&variant->conf, 0);
	ASSERT_LE(0, self->a);
	/* The ends find each other, by ARP, without a datagram. */
	ASSERT_EQ(0, system("ping -c 1 -W 10 10.8.0.2 >/dev/null"));
	ASSERT_EQ(0, tcptest_set_int(self->a, SOL_UDP, UDP_SEGMENT, SEGMENT));
	ASSERT_EQ(0, tcptest_set_int(self->b, SOL_SOCKET, SO_RCVBUFFORCE,
				     8 << 20));
}

FIXTURE_TEARDOWN(tunnel)
{
	close(self->a);
	close(self->b);
	close(self->raw);
	veth_close(&self->v);
}

static uint32_t sum(const uint8_t *p, size_t n)
{
	uint32_t all = 0;

	for (; n > 1; n -= 2, p += 2)
		all += p[0] << 8 | p[1];
	return n ? all + (p[0] << 8) : all;
}

/* Is there a checksum in a datagram, and is it right? */
static bool well_summed(const struct iphdr *ip)
{
	const uint8_t *udp = (const uint8_t *)ip + ip->ihl * 4;
	size_t len = ntohs(ip->tot_len) - ip->ihl * 4;
	uint32_t all = sum(udp, len) + sum((const uint8_t *)&ip->saddr, 8) +
		       IPPROTO_UDP + len;

	while (all >> 16)
		all = (all & 0xffff) + (all >> 16);
	return (udp[6] || udp[7]) && all == 0xffff;
}

/* A packet of the wire. Returns bytes of it; 0: there is none. */
static ssize_t packet(int raw, uint8_t *buf, size_t size, bool *written)
{
	union {
		char buf[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
		struct cmsghdr align;
	} control = {};
	struct iovec iov = { .iov_base = buf, .iov_len = size };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	ssize_t n = recvmsg(raw, &msg, MSG_DONTWAIT);
	struct tpacket_auxdata aux = {};

	if (CMSG_FIRSTHDR(&msg))
		memcpy(&aux, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(aux));
	*written = !(aux.tp_status & TP_STATUS_CSUMNOTREADY);
	return n < 0 ? 0 : n;
}

/* The datagram inside of a packet of the tunnel; NULL: it is none. */
static const struct iphdr *inside(const uint8_t *buf, ssize_t n)
{
	const struct iphdr *out = (const void *)buf, *in;
	const uint8_t *udp = buf + out->ihl * 4;

	in = (const void *)(udp + 8 + VXLAN_HDR + ETH_HLEN);
	if (out->protocol != IPPROTO_UDP ||
	    (udp[2] << 8 | udp[3]) != VXLAN_PORT ||
	    (const uint8_t *)(in + 1) > buf + n ||
	    in->version != 4 || in->protocol != IPPROTO_UDP)
		return NULL;
	return in;
}

static void received(struct __test_metadata *_metadata, int b)
{
	static uint8_t buf[UDPTEST_MAX];
	size_t at, want;

	for (at = 0; at < LEN; at += want) {
		want = LEN - at < SEGMENT ? LEN - at : SEGMENT;
		ASSERT_EQ((ssize_t)want, recv(b, buf, sizeof(buf), 0))
			TH_LOG("at %zu: %s", at, strerror(errno));
		ASSERT_TRUE(tcptest_same(buf, want, at));
	}
}

/* The first row waits for its session, the others do not. */
TEST_F(tunnel, segments)
{
	static uint8_t buf[UDPTEST_MAX];
	int i, good = 0, bad = 0, unwritten = 0;
	const struct iphdr *in;
	bool written;
	ssize_t n;

	tcptest_fill(buf, LEN, 0);
	for (i = 0; i < TURNS; i++) {
		ASSERT_EQ(LEN, send(self->a, buf, LEN, 0));
		received(_metadata, self->b);
	}
	while ((n = packet(self->raw, buf, sizeof(buf), &written))) {
		in = inside(buf, n);
		if (!in)
			continue;
		if (!written)
			unwritten++;
		else if (well_summed(in))
			good++;
		else
			bad++;
	}
	TH_LOG("checksums: %d right, %d wrong, %d not written", good, bad,
	       unwritten);
	EXPECT_EQ(0, bad);
	EXPECT_LE(variant->offload, unwritten);
	EXPECT_LE(variant->offload ? 0 : TURNS * SEGMENTS, good);
}

TEST_HARNESS_MAIN
