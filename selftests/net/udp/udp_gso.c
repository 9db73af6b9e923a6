// SPDX-License-Identifier: GPL-2.0
/*
 * UDP_SEGMENT and UDP_GRO, and datagrams that cross a link in fragments or as
 * segments that a device or the stack cuts.
 */
#define _GNU_SOURCE
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include "kselftest_harness.h"
#include "vethtest.h"
#include "udptest.h"

static int segment(int fd, int size)
{
	return tcptest_set_int(fd, SOL_UDP, UDP_SEGMENT, size);
}

/* One send of @len bytes. Bytes or -errno. */
static ssize_t send_bytes(int fd, size_t len)
{
	uint8_t buf[UDPTEST_MAX];
	ssize_t n;

	tcptest_fill(buf, len, 0);
	n = send(fd, buf, len, 0);
	return n < 0 ? -errno : n;
}

/* The same with the size in a control message. */
static ssize_t send_cmsg(int fd, size_t len, uint16_t size)
{
	union {
		char buf[CMSG_SPACE(sizeof(size))];
		struct cmsghdr align;
	} control = {};
	uint8_t buf[UDPTEST_MAX];
	struct iovec iov = { .iov_base = buf, .iov_len = len };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	ssize_t n;

	control.align.cmsg_level = SOL_UDP;
	control.align.cmsg_type = UDP_SEGMENT;
	control.align.cmsg_len = CMSG_LEN(sizeof(size));
	memcpy(CMSG_DATA(&control.align), &size, sizeof(size));
	tcptest_fill(buf, len, 0);
	n = sendmsg(fd, &msg, 0);
	return n < 0 ? -errno : n;
}

/* What send_bytes() sent comes in datagrams of @size, the last one shorter. */
static int recv_segments(int fd, size_t len, size_t size)
{
	uint8_t buf[UDPTEST_MAX];
	size_t at = 0, want;
	ssize_t n;

	while (at < len) {
		want = len - at < size ? len - at : size;
		n = recv(fd, buf, sizeof(buf), 0);
		if (n < 0)
			return -errno;
		if (n != (ssize_t)want) {
			fprintf(stderr, "# %zd bytes at %zu, not %zu\n", n, at,
				want);
			return -EMSGSIZE;
		}
		if (!tcptest_same(buf, n, at))
			return -EILSEQ;
		at += n;
	}
	return 0;
}

FIXTURE(gso)
{
	int a;
	int b;
};

FIXTURE_VARIANT(gso)
{
	struct udptest_conf conf;
};

UDPTEST_VARIANTS_FEW(gso);

FIXTURE_SETUP(gso)
{
	ASSERT_EQ(0, nsttest_netns());
	ASSERT_EQ(0, udptest_lo_mtu(1500));
	ASSERT_EQ(0, udptest_met(&variant->conf, &self->a, &self->b));
	ASSERT_EQ(0, tcptest_set_int(self->b, SOL_SOCKET, SO_RCVBUFFORCE,
				     1 << 20));
}

FIXTURE_TEARDOWN(gso)
{
	EXPECT_TRUE(udptest_silent(self->b));
	EXPECT_EQ(0, segment(self->a, 0));
	EXPECT_EQ(0, udptest_send(self->a, 4711, 1000));
	EXPECT_EQ(0, udptest_recv(self->b, 4711, 1000));
	close(self->a);
	close(self->b);
}

/* --- segments by option and by control message ----------------------------- */

TEST_F(gso, by_option)
{
	static const struct {
		size_t len;
		int size;
	} c[] = {
		{ 1000, 100 }, { 1050, 100 }, { 999, 1000 }, { 1000, 1000 },
		{ 1001, 1000 }, { 30, 1 }, { 500, 16 }, { 1300 * 20, 1300 },
		{ 1300 * 20 + 7, 1300 }, { 50, 100 }, { 1, 1 }, { 640, 10 },
	};
	size_t i;

	for (i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		ASSERT_EQ(0, segment(self->a, c[i].size));
		EXPECT_EQ((ssize_t)c[i].len, send_bytes(self->a, c[i].len)) {
			TH_LOG("%zu in %d", c[i].len, c[i].size);
		}
		ASSERT_EQ(0, recv_segments(self->b, c[i].len, c[i].size));
	}
}

TEST_F(gso, by_cmsg)
{
	EXPECT_EQ(1000, send_cmsg(self->a, 1000, 100));
	EXPECT_EQ(0, recv_segments(self->b, 1000, 100));
	EXPECT_EQ(1234, send_cmsg(self->a, 1234, 500));
	EXPECT_EQ(0, recv_segments(self->b, 1234, 500));
	/* For that one call only. */
	EXPECT_EQ(1000, send_bytes(self->a, 1000));
	EXPECT_EQ(0, recv_segments(self->b, 1000, 1000));
	/* It goes before the option, and 0 turns that off. */
	ASSERT_EQ(0, segment(self->a, 50));
	EXPECT_EQ(1000, send_cmsg(self->a, 1000, 400));
	EXPECT_EQ(0, recv_segments(self->b, 1000, 400));
	EXPECT_EQ(1000, send_cmsg(self->a, 1000, 0));
	EXPECT_EQ(0, recv_segments(self->b, 1000, 1000));
	EXPECT_EQ(1000, send_bytes(self->a, 1000));
	EXPECT_EQ(0, recv_segments(self->b, 1000, 50));
}

TEST_F(gso, zero_length)
{
	ASSERT_EQ(0, segment(self->a, 100));
	EXPECT_EQ(0, send_bytes(self->a, 0));
	EXPECT_EQ(0, recv(self->b, NULL, 0, 0));
}

TEST_F(gso, option_reads_back)
{
	static const int size[] = { 0, 1, 100, 1400, 65535 };
	socklen_t len;
	size_t i;
	int got;

	for (i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
		ASSERT_EQ(0, segment(self->a, size[i]));
		got = -1;
		len = sizeof(got);
		ASSERT_EQ(0, getsockopt(self->a, SOL_UDP, UDP_SEGMENT, &got,
					&len));
		EXPECT_EQ(size[i], got);
		EXPECT_EQ(4, (int)len);
	}
	EXPECT_EQ(-EINVAL, segment(self->a, -1));
	EXPECT_EQ(-EINVAL, segment(self->a, 65536));
	EXPECT_EQ(-1, setsockopt(self->a, SOL_UDP, UDP_SEGMENT, &got, 2));
	EXPECT_EQ(EINVAL, errno);
	ASSERT_EQ(0, getsockopt(self->a, SOL_UDP, UDP_SEGMENT, &got, &len));
	EXPECT_EQ(65535, got);
}

/* --- limits ---------------------------------------------------------------- */

/* What plain UDP says to the same, in the same namespace: 0 or -errno. */
static int plain_says(const struct udptest_conf *conf, size_t len, int size)
{
	struct udptest_conf plain = { .family = conf->family };
	int a, b;
	ssize_t n;

	if (udptest_pair(&plain, &a, &b) || segment(a, size))
		return -ENOTSOCK;
	n = send_bytes(a, len);
	close(a);
	close(b);
	return n < 0 ? n : 0;
}

TEST_F(gso, too_many_segments)
{
	int says = plain_says(&variant->conf, 10 * 129, 10);

	EXPECT_GT(0, says);
	ASSERT_EQ(0, segment(self->a, 10));
	EXPECT_EQ(says, send_bytes(self->a, 10 * 129));
	EXPECT_EQ(640, send_bytes(self->a, 640));
	EXPECT_EQ(0, recv_segments(self->b, 640, 10));
}

/* The most that a segment has room for, and one byte more. */
TEST_F(gso, segments_as_large_as_the_mtu)
{
	size_t fits = udptest_fitting(&variant->conf, 1500);
	struct udptest_conf plain = { .family = variant->conf.family };
	int size = udptest_fitting(&plain, 1500) + 1;
	int says = plain_says(&variant->conf, 2 * size, size);

	EXPECT_GT(0, says);
	ASSERT_EQ(0, segment(self->a, fits));
	EXPECT_EQ((ssize_t)(20 * fits), send_bytes(self->a, 20 * fits));
	EXPECT_EQ(0, recv_segments(self->b, 20 * fits, fits));
	ASSERT_EQ(0, segment(self->a, fits + 1));
	EXPECT_EQ(says, send_bytes(self->a, 2 * (fits + 1)));
}

TEST_F(gso, more_than_a_datagram_holds)
{
	ASSERT_EQ(0, segment(self->a, 1000));
	EXPECT_EQ(-EMSGSIZE, send_bytes(self->a, 65536));
}

/* And to the byte where plain UDP ends. */
TEST_F(gso, the_most_and_one_more)
{
	size_t most = variant->conf.family == UDPTEST_IPV6 ? 65527 : 65507;

	ASSERT_EQ(0, segment(self->a, 1300));
	EXPECT_EQ(-EMSGSIZE, send_bytes(self->a, most + 1));
	EXPECT_EQ((ssize_t)most, send_bytes(self->a, most));
	EXPECT_EQ(0, recv_segments(self->b, most, 1300));
}

/* As much as plain UDP takes, though every segment has a header more. */
TEST_F(gso, as_much_as_plain)
{
	size_t len = 50 * 1300 + 7;

	ASSERT_EQ(0, segment(self->a, 1300));
	EXPECT_EQ((ssize_t)len, send_bytes(self->a, len));
	EXPECT_EQ(0, recv_segments(self->b, len, 1300));
	ASSERT_EQ(0, segment(self->a, 1024));
	EXPECT_EQ(60 * 1024, send_bytes(self->a, 60 * 1024));
	EXPECT_EQ(0, recv_segments(self->b, 60 * 1024, 1024));
}

/* Set before NST was, it goes on; too large a size is not turned on by it. */
TEST_F(gso, from_before_the_attach)
{
	struct udptest_name b;
	int fd;

	ASSERT_EQ(0, udptest_name(self->b, &b));
	fd = udptest_open(&variant->conf);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, segment(fd, 200));
	ASSERT_EQ(0, udptest_key(fd, &variant->conf));
	ASSERT_EQ(0, udptest_disconnect(self->b));
	ASSERT_EQ(0, bind(self->b, udptest_sa(&b), b.len));
	ASSERT_EQ(0, connect(fd, udptest_sa(&b), b.len));
	EXPECT_EQ(500, send_bytes(fd, 500));
	EXPECT_EQ(0, recv_segments(self->b, 500, 200));
	close(fd);
	ASSERT_EQ(0, udptest_connect(self->b, self->a));
}

/* --- UDP_GRO --------------------------------------------------------------- */

/*
 * Plain UDP gives several datagrams in one call then, and tells their size; a
 * datagram of NST may come by itself.
 */
static int recv_merged(int fd, size_t len, size_t size)
{
	uint8_t buf[UDPTEST_MAX];
	size_t at = 0;
	bool found;
	ssize_t n;
	int told;

	while (at < len) {
		n = udptest_recv_ctl(fd, buf, sizeof(buf), 0, SOL_UDP, UDP_GRO,
				     &told, sizeof(told), &found);
		if (n < 0)
			return n;
		if (!tcptest_same(buf, n, at))
			return -EILSEQ;
		if (found ? told != (int)size : n > (ssize_t)size)
			return -EMSGSIZE;
		at += n;
		if (n % size && at < len)
			return -EMSGSIZE;
	}
	return at == len ? 0 : -EIO;
}

TEST_F(gso, gro)
{
	size_t i;

	ASSERT_EQ(0, tcptest_set_int(self->b, SOL_UDP, UDP_GRO, 1));
	ASSERT_EQ(0, segment(self->a, 700));
	for (i = 1; i < 20; i++) {
		EXPECT_EQ((ssize_t)(700 * i + i - 1),
			  send_bytes(self->a, 700 * i + i - 1));
		ASSERT_EQ(0, recv_merged(self->b, 700 * i + i - 1, 700));
	}
	ASSERT_EQ(0, segment(self->a, 0));
	EXPECT_EQ(0, udptest_send(self->a, 1, 700));
	EXPECT_EQ(0, udptest_recv(self->b, 1, 700));
	ASSERT_EQ(0, tcptest_set_int(self->b, SOL_UDP, UDP_GRO, 0));
}

/* --- over a link ----------------------------------------------------------- */

FIXTURE(link)
{
	struct veth v;
	int a;
	int b;
};

FIXTURE_VARIANT(link)
{
	struct udptest_conf conf;
	struct veth_conf veth;
	bool lists;		/* the receiver chains datagrams together */
};

#define LINK_LISTS(name, id, fam, how, chain)				\
FIXTURE_VARIANT_ADD(link, name) {					\
	.conf = { .cipher_id = id, .family = fam },			\
	.veth = { .offload = how, .mtu = 1500 }, .lists = chain		\
}

#define LINK(name, id, fam, how) LINK_LISTS(name, id, fam, how, false)

LINK(plain_ipv4, 0, UDPTEST_IPV4, VETH_ALL);
LINK(plain_ipv6, 0, UDPTEST_IPV6, VETH_ALL);
LINK(plain_ipv4_no_sg, 0, UDPTEST_IPV4, VETH_NO_SG);
LINK(plain_ipv6_gro, 0, UDPTEST_IPV6, VETH_GRO);
LINK(aes_gcm_ipv4, NST_CIPHER_AES_GCM, UDPTEST_IPV4, VETH_ALL);
LINK(aes_cbc_ipv6, NST_CIPHER_AES_CBC, UDPTEST_IPV6, VETH_ALL);
LINK(aes_gcm_ipv4_no_sg, NST_CIPHER_AES_GCM, UDPTEST_IPV4, VETH_NO_SG);
LINK(chacha20_ipv6_gro, NST_CIPHER_CHACHA20_POLY1305, UDPTEST_IPV6, VETH_GRO);
LINK(aes_gcm_ipv4_gro_no_sg, NST_CIPHER_AES_GCM, UDPTEST_IPV4, VETH_GRO_NO_SG);
LINK_LISTS(plain_ipv4_lists, 0, UDPTEST_IPV4, VETH_GRO, true);
LINK_LISTS(aes_gcm_ipv4_lists, NST_CIPHER_AES_GCM, UDPTEST_IPV4, VETH_GRO,
	   true);
LINK_LISTS(aes_cbc_ipv6_lists, NST_CIPHER_AES_CBC, UDPTEST_IPV6, VETH_GRO_NO_SG,
	   true);

#define MAX_FEATURES	256

/* The number of a device's feature, by its name. */
static int find_feature(int fd, struct ifreq *ifr, const char *name)
{
	static struct {
		struct ethtool_gstrings head;
		char name[MAX_FEATURES][ETH_GSTRING_LEN];
	} list;
	struct {
		struct ethtool_sset_info head;
		uint32_t count;
	} info = {
		.head.cmd = ETHTOOL_GSSET_INFO,
		.head.sset_mask = 1ull << ETH_SS_FEATURES,
	};
	uint32_t i;

	ifr->ifr_data = (void *)&info;
	if (ioctl(fd, SIOCETHTOOL, ifr) || info.count > MAX_FEATURES)
		return -EIO;
	list.head = (struct ethtool_gstrings){
		.cmd = ETHTOOL_GSTRINGS, .string_set = ETH_SS_FEATURES,
		.len = info.count,
	};
	ifr->ifr_data = (void *)&list;
	if (ioctl(fd, SIOCETHTOOL, ifr))
		return -errno;
	for (i = 0; i < info.count; i++)
		if (!strncmp(list.name[i], name, ETH_GSTRING_LEN))
			return i;
	return -ENOENT;
}

/* Datagrams of one flow that come together go up as one chain. */
static int chain_datagrams(void)
{
	struct {
		struct ethtool_sfeatures head;
		struct ethtool_set_features_block block[MAX_FEATURES / 32];
	} set = { .head.cmd = ETHTOOL_SFEATURES };
	struct ifreq ifr = { .ifr_name = "v" };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	int nr = find_feature(fd, &ifr, "rx-gro-list");
	int ret = nr;

	if (nr >= 0) {
		ifr.ifr_data = (void *)&set;
		ret = -EINVAL;
		/* As many blocks as the kernel has, which it does not tell. */
		while (ret == -EINVAL && set.head.size < MAX_FEATURES / 32) {
			set.head.size++;
			set.block[nr / 32].valid = 1u << nr % 32;
			set.block[nr / 32].requested = 1u << nr % 32;
			ret = ioctl(fd, SIOCETHTOOL, &ifr);
			/* Above 0: it has not done all that was asked. */
			ret = ret < 0 ? -errno : ret;
		}
	}
	close(fd);
	return ret;
}

FIXTURE_SETUP(link)
{
	struct udptest_name a, b;

	self->a = -1;
	self->b = -1;
	ASSERT_EQ(0, veth_open(&self->v, &variant->veth));
	udptest_address(&variant->conf, "10.9.0.1", "fd00::1", 7001, &a);
	udptest_address(&variant->conf, "10.9.0.2", "fd00::2", 7002, &b);
	ASSERT_EQ(0, veth_enter(&self->v, 1));
	if (variant->lists)
		ASSERT_EQ(0, chain_datagrams());
	self->b = udptest_new(&variant->conf);
	ASSERT_LE(0, self->b);
	ASSERT_EQ(0, bind(self->b, udptest_sa(&b), b.len));
	ASSERT_EQ(0, connect(self->b, udptest_sa(&a), a.len));
	ASSERT_EQ(0, veth_enter(&self->v, 0));
	self->a = udptest_new(&variant->conf);
	ASSERT_LE(0, self->a);
	ASSERT_EQ(0, bind(self->a, udptest_sa(&a), a.len));
	ASSERT_EQ(0, connect(self->a, udptest_sa(&b), b.len));
	ASSERT_EQ(0, udptest_meet(self->a, self->b));
}

FIXTURE_TEARDOWN(link)
{
	if (self->a >= 0)
		close(self->a);
	if (self->b >= 0)
		close(self->b);
	veth_close(&self->v);
}

TEST_F(link, fragments)
{
	size_t most = udptest_longest(&variant->conf);
	size_t len[] = {
		1, 1400, 1424, 1425, 1500, 3000, 20000, 64000, most - 1, most,
	};
	size_t i;

	for (i = 0; i < sizeof(len) / sizeof(len[0]); i++) {
		ASSERT_EQ(0, udptest_send(self->a, i, len[i]));
		ASSERT_EQ(0, udptest_recv(self->b, i, len[i]));
		ASSERT_EQ(0, udptest_send(self->b, i, len[i]));
		ASSERT_EQ(0, udptest_recv(self->a, i, len[i]));
	}
}

TEST_F(link, segments)
{
	static const size_t size[] = { 1, 100, 1000, 1392 };
	size_t i, len;

	for (i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
		for (len = size[i] * 9; len < size[i] * 9 + 3; len++) {
			ASSERT_EQ((ssize_t)len,
				  send_cmsg(self->a, len, size[i]));
			ASSERT_EQ(0, recv_segments(self->b, len, size[i]));
		}
	}
}

TEST_F(link, segments_to_gro)
{
	ASSERT_EQ(0, tcptest_set_int(self->b, SOL_UDP, UDP_GRO, 1));
	ASSERT_EQ(0, segment(self->a, 1200));
	ASSERT_EQ(12345, send_bytes(self->a, 12345));
	EXPECT_EQ(0, recv_merged(self->b, 12345, 1200));
	ASSERT_EQ(0, segment(self->a, 10));
	ASSERT_EQ(325, send_bytes(self->a, 325));
	EXPECT_EQ(0, recv_merged(self->b, 325, 10));
}

/* Unpaced, the other end reading: whatever arrives is whole and right. */
TEST_F(link, bulk)
{
	pid_t pid = fork();
	uint8_t buf[UDPTEST_MAX];
	int i, came = 0;
	ssize_t n;

	if (!pid) {
		for (i = 0; i < 300; i++)
			if (udptest_send(self->a, i, 100 + 37 * i))
				_exit(1);
		_exit(0);
	}
	ASSERT_EQ(0, tcptest_timeout(self->b, SO_RCVTIMEO,
				     nsttest_patience(1000)));
	while (came < 300) {
		n = recv(self->b, buf, sizeof(buf), 0);
		if (n < 0)
			break;
		ASSERT_EQ((n - 100) / 37, udptest_number(buf, n));
		came++;
	}
	EXPECT_LT(20, came);
	EXPECT_EQ(0, tcptest_reap(pid));
}

TEST_HARNESS_MAIN
