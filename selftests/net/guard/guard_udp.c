// SPDX-License-Identifier: GPL-2.0
/*
 * The guard and UDP: a datagram passes a guarded port if it is a record, with a
 * kid of the namespace's box and of the present time, both ways; in fragments,
 * several in one packet, and from sockets of any kind. Records come from
 * nstpeer. Each test has a network namespace of its own.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/ipv6.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>

#include "kselftest_harness.h"
#include "guardtest.h"
#include "vethtest.h"

#define SEC		1000000000ll
#define PORT_OTHER	(GUARD_PORT + 1)
#define LARGE		60000

FIXTURE(dgram)
{
	struct talk t;
	int in;		/* bound to the guarded port */
	int other;	/* the other end, bound to PORT_OTHER */
	struct sockaddr_storage to_in;
	struct sockaddr_storage to_other;
	socklen_t len;
};

FIXTURE_VARIANT(dgram)
{
	int family;
};

FIXTURE_VARIANT_ADD(dgram, ipv4) { .family = AF_INET };
FIXTURE_VARIANT_ADD(dgram, ipv6) { .family = AF_INET6 };

FIXTURE_SETUP(dgram)
{
	ASSERT_EQ(0, nsttest_netns());
	ASSERT_EQ(0, nl_open(&self->t));
	ASSERT_EQ(0, guard_box(&self->t));
	ASSERT_EQ(0, guard_add(&self->t, IPPROTO_UDP, false));
	self->in = guard_socket(variant->family, SOCK_DGRAM, 1, GUARD_PORT);
	self->other = guard_socket(variant->family, SOCK_DGRAM, 1, PORT_OTHER);
	ASSERT_LE(0, self->in);
	ASSERT_LE(0, self->other);
	self->len = guard_address(&self->to_in, variant->family, 1,
				  GUARD_PORT);
	guard_address(&self->to_other, variant->family, 1, PORT_OTHER);
}

FIXTURE_TEARDOWN(dgram)
{
	nl_close(&self->t);
	close(self->in);
	close(self->other);
}

#define IN(what)	guard_in(&self->t, IPPROTO_UDP, NST_A_PACKETS_##what)
#define OUT(what)	guard_out(&self->t, IPPROTO_UDP, NST_A_PACKETS_##what)

static ssize_t send_to(int fd, const struct sockaddr_storage *to,
		       socklen_t len, const void *buf, size_t n)
{
	ssize_t sent = sendto(fd, buf, n, 0, (void *)to, len);

	return sent < 0 ? -errno : sent;
}

static uint64_t arrived(struct talk *t)
{
	struct guard_counts c;
	uint64_t sum = 0;
	int i;

	if (guard_counts(t, IPPROTO_UDP, &c))
		return 0;
	for (i = 0; i <= NST_A_PACKETS_MAX; i++)
		sum += c.n[NST_DIRECTION_IN][i];
	return sum;
}

/* The same, and waits until the guard has seen it: a softirq may be late. */
static ssize_t send_in(struct talk *t, int fd,
		       const struct sockaddr_storage *to, socklen_t len,
		       const void *buf, size_t n)
{
	uint64_t before = arrived(t);
	ssize_t sent = send_to(fd, to, len, buf, n);
	int i;

	for (i = 0; sent >= 0 && i < nsttest_patience(TCPTEST_SOON_MS); i++) {
		if (arrived(t) != before)
			break;
		usleep(1000);
	}
	return sent;
}

/* To the guarded port, and from it. */
#define SEND_IN(buf, n)							\
	send_in(&self->t, self->other, &self->to_in, self->len, buf, n)
#define SEND_OUT(buf, n) send_to(self->in, &self->to_other, self->len, buf, n)

/* A datagram of @n bytes, the next one; 0 and -EAGAIN: none is there. */
static int received(int fd, const void *want, size_t n)
{
	static uint8_t buf[65536];
	ssize_t got = recv(fd, buf, sizeof(buf), n ? 0 : MSG_DONTWAIT);

	if (got < 0)
		return -errno;
	return got == (ssize_t)n && !memcmp(buf, want, n) ? 0 : -EILSEQ;
}

TEST_F(dgram, plain)
{
	EXPECT_EQ(5, SEND_IN("plain", 5));
	EXPECT_EQ(-EAGAIN, received(self->in, "", 0));
	EXPECT_EQ(1, IN(HEADER));
	EXPECT_EQ(-EPERM, SEND_OUT("plain", 5));
	EXPECT_EQ(-EAGAIN, received(self->other, "", 0));
	EXPECT_EQ(1, OUT(HEADER));
	EXPECT_EQ(0, SEND_IN("", 0));
	EXPECT_EQ(2, IN(HEADER));
	EXPECT_EQ(0, IN(PASSED));
	EXPECT_EQ(0, OUT(PASSED));
	EXPECT_EQ(2, nsttest_stat("NstGuardInDropped"));
	EXPECT_EQ(1, nsttest_stat("NstGuardOutDropped"));
	EXPECT_EQ(3, nsttest_stat("NstGuardHeader"));
}

TEST_F(dgram, record)
{
	uint8_t rec[PEER_RECORD_MAX];
	size_t n, len[] = { 0, 1, 1000, 20000 };
	unsigned int i;

	for (i = 0; i < 4; i++) {
		n = guard_record(rec, len[i]);
		EXPECT_EQ((ssize_t)n, SEND_IN(rec, n));
		EXPECT_EQ(0, received(self->in, rec, n));
		EXPECT_EQ((ssize_t)n, SEND_OUT(rec, n));
		EXPECT_EQ(0, received(self->other, rec, n));
	}
	EXPECT_EQ(4, IN(PASSED));
	EXPECT_EQ(4, OUT(PASSED));
	EXPECT_EQ(0, nsttest_stat("NstGuardInDropped"));
	EXPECT_EQ(0, nsttest_stat("NstGuardOutDropped"));
}

/* CBC suites pad; the length must be that. */
TEST_F(dgram, record_padded)
{
	uint8_t rec[PEER_RECORD_MAX];
	struct peer_hdr h;
	size_t n;

	guard_header(&h, 17);
	h.cipher_id = NST_CIPHER_AES_CBC;
	n = guard_seal(&h, 17, rec);
	ASSERT_EQ(PEER_HDR_SIZE + 32, n);
	EXPECT_EQ((ssize_t)n, SEND_IN(rec, n));
	EXPECT_EQ(0, received(self->in, rec, n));
	EXPECT_EQ((ssize_t)n - 15, SEND_IN(rec, n - 15));
	EXPECT_EQ(1, IN(HEADER));
	EXPECT_EQ(1, IN(PASSED));
}

/* Each flaw of a header by itself. */
static const struct {
	size_t at;
	uint8_t xor;
} flaws[] = {
	{ 0, 1 }, { 1, 1 }, { 2, 1 }, { 3, 1 },	/* magic */
	{ 4, 2 }, { 4, 1 },			/* version */
	{ 5, 8 }, { 5, 1 },			/* suite 9, suite 0 */
	{ 6, 1 }, { 7, 1 },			/* length */
	{ 40, 33 },				/* kpos */
	{ 41, 1 },				/* kval without kpos */
	{ 43, NSTTEST_KID },			/* kid 0 */
	{ 46, 0x80 }, { 46, 0x10 },		/* reserved bits */
	{ 46, 0x0c },				/* both roles */
	{ 46, 0x01 },				/* START */
	{ 46, 0x02 },				/* BOUND */
	{ 47, 1 }, { 47, 2 }, { 47, 3 }, { 47, 15 },	/* types */
};

TEST_F(dgram, header_flaws)
{
	uint8_t rec[PEER_RECORD_MAX];
	size_t n = guard_record(rec, 100);
	long i, nr = sizeof(flaws) / sizeof(flaws[0]);

	for (i = 0; i < nr; i++) {
		rec[flaws[i].at] ^= flaws[i].xor;
		EXPECT_EQ((ssize_t)n, SEND_IN(rec, n));
		EXPECT_EQ(i + 1, IN(HEADER)) {
			TH_LOG("flaw %ld", i);
		}
		EXPECT_EQ(-EPERM, SEND_OUT(rec, n));
		EXPECT_EQ(i + 1, OUT(HEADER));
		rec[flaws[i].at] ^= flaws[i].xor;
	}
	EXPECT_EQ(-EAGAIN, received(self->in, "", 0));
	EXPECT_EQ(-EAGAIN, received(self->other, "", 0));
	EXPECT_EQ((ssize_t)n, SEND_IN(rec, n));
	EXPECT_EQ(0, received(self->in, rec, n));
}

TEST_F(dgram, length_inexact)
{
	uint8_t rec[PEER_RECORD_MAX];
	size_t n = guard_record(rec, 100);

	EXPECT_EQ((ssize_t)n - 1, SEND_IN(rec, n - 1));
	EXPECT_EQ((ssize_t)n + 1, SEND_IN(rec, n + 1));
	EXPECT_EQ(47, SEND_IN(rec, 47));
	EXPECT_EQ(48, SEND_IN(rec, 48));
	EXPECT_EQ(4, IN(HEADER));
	EXPECT_EQ(0, IN(PASSED));
	EXPECT_EQ(-EAGAIN, received(self->in, "", 0));
}

TEST_F(dgram, kid)
{
	uint8_t rec[PEER_RECORD_MAX];
	struct peer_hdr h;
	size_t n;

	guard_header(&h, 10);
	h.kid = NSTTEST_KID_UNKNOWN;
	n = guard_seal(&h, 10, rec);
	EXPECT_EQ((ssize_t)n, SEND_IN(rec, n));
	EXPECT_EQ(1, IN(KID));
	EXPECT_EQ(-EPERM, SEND_OUT(rec, n));
	EXPECT_EQ(1, OUT(KID));
	h.kid = GUARD_KID_RETIRED;
	n = guard_seal(&h, 10, rec);
	EXPECT_EQ((ssize_t)n, SEND_IN(rec, n));
	EXPECT_EQ(2, IN(KID));
	EXPECT_EQ(-EPERM, SEND_OUT(rec, n));
	EXPECT_EQ(2, OUT(KID));
	EXPECT_EQ(4, nsttest_stat("NstGuardKid"));
	/* Retiring acts at once. */
	n = guard_record(rec, 10);
	EXPECT_EQ((ssize_t)n, SEND_IN(rec, n));
	EXPECT_EQ(1, IN(PASSED));
	ASSERT_EQ(0, nl_simple(&self->t, NST_CMD_BOX_FLUSH, NLM_F_ACK));
	EXPECT_EQ((ssize_t)n, SEND_IN(rec, n));
	EXPECT_EQ(3, IN(KID));
}

TEST_F(dgram, time)
{
	static const int64_t bad[] = { -31 * SEC, 35 * SEC, -86400 * SEC,
				       86400 * SEC, INT64_MAX, INT64_MIN };
	static const int64_t good[] = { -25 * SEC, 25 * SEC };
	uint8_t rec[PEER_RECORD_MAX];
	struct peer_hdr h;
	size_t n;
	int i;

	for (i = 0; i < 6; i++) {
		guard_header(&h, 10);
		h.timestamp += bad[i];
		n = guard_seal(&h, 10, rec);
		EXPECT_EQ((ssize_t)n, SEND_IN(rec, n));
		EXPECT_EQ(i + 1, IN(TIME));
		EXPECT_EQ(-EPERM, SEND_OUT(rec, n));
		EXPECT_EQ(i + 1, OUT(TIME));
	}
	for (i = 0; i < 2; i++) {
		guard_header(&h, 10);
		h.timestamp += good[i];
		n = guard_seal(&h, 10, rec);
		EXPECT_EQ((ssize_t)n, SEND_IN(rec, n));
		EXPECT_EQ(i + 1, IN(PASSED));
	}
	/* The window is the sysctl's. */
	ASSERT_EQ(0, nsttest_write_file("/proc/sys/net/nst/timestamp_window",
					"5"));
	EXPECT_EQ((ssize_t)n, SEND_IN(rec, n));
	EXPECT_EQ(7, IN(TIME));
	EXPECT_EQ(12 + 1, nsttest_stat("NstGuardTime"));
}

/* Several sockets on the port: what is judged is the datagram. */
TEST_F(dgram, second_socket)
{
	uint8_t rec[PEER_RECORD_MAX];
	size_t n = guard_record(rec, 10);
	struct sockaddr_storage to = self->to_in;
	int fd;

	close(self->in);
	self->in = -1;
	ASSERT_EQ(0, system("ip addr add fd00::2/128 dev lo nodad"));
	fd = guard_socket(variant->family, SOCK_DGRAM, 2, GUARD_PORT);
	ASSERT_LE(0, fd);
	self->len = guard_address(&to, variant->family, 2, GUARD_PORT);
	EXPECT_EQ(5, send_to(self->other, &to, self->len, "plain", 5));
	EXPECT_EQ(-EAGAIN, received(fd, "", 0));
	EXPECT_EQ((ssize_t)n, send_to(self->other, &to, self->len, rec, n));
	EXPECT_EQ(0, received(fd, rec, n));
	EXPECT_EQ(-EPERM, send_to(fd, &self->to_other, self->len, "x", 1));
	EXPECT_EQ(1, IN(HEADER));
	EXPECT_EQ(1, OUT(HEADER));
	close(fd);
}

/* IPv4 on a socket of IPv6 comes by the hooks of IPv4. */
TEST_F(dgram, dual_stack)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
				    .sin6_port = htons(GUARD_PORT) };
	struct sockaddr_storage to;
	int fd, from;

	close(self->in);
	self->in = -1;
	fd = socket(AF_INET6, SOCK_DGRAM, 0);
	ASSERT_EQ(0, bind(fd, (void *)&in6, sizeof(in6)));
	from = guard_socket(AF_INET, SOCK_DGRAM, 1, 0);
	ASSERT_LE(0, from);
	self->len = guard_address(&to, AF_INET, 1, GUARD_PORT);
	EXPECT_EQ(1, send_to(from, &to, self->len, "x", 1));
	EXPECT_EQ(1, IN(HEADER));
	EXPECT_EQ(-EAGAIN, received(fd, "", 0));
	close(fd);
	close(from);
}

/* What comes in pieces passes a dry run as what is whole, also without defrag. */
TEST_F(dgram, dry_run_pieces)
{
	static uint8_t large[8000];

	ASSERT_EQ(0, system("ip link set lo mtu 1500"));
	ASSERT_EQ(0, guard_add(&self->t, IPPROTO_UDP, true));
	ASSERT_EQ((ssize_t)sizeof(large),
		  send_to(self->other, &self->to_in, self->len, large,
			  sizeof(large)));
	EXPECT_EQ(0, received(self->in, large, sizeof(large)));
	EXPECT_LT(0, nsttest_stat("NstGuardDryRun"));
	EXPECT_EQ(0, nsttest_stat("NstGuardInDropped"));
}

#define FRAG6	"/proc/sys/net/netfilter/nf_conntrack_frag6_"

/* Nor does it cost a dry run anything that there is no memory to gather them. */
TEST_F(dgram, dry_run_pieces_without_memory)
{
	static uint8_t large[8000];
	uint8_t rec[PEER_RECORD_MAX];
	size_t n = guard_record(rec, 4000);

	ASSERT_EQ(0, system("ip link set lo mtu 1500"));
	/* A kernel without these gathers none anyway. */
	if (!access(FRAG6 "high_thresh", F_OK)) {
		ASSERT_EQ(0, nsttest_write_file(FRAG6 "low_thresh", "0"));
		ASSERT_EQ(0, nsttest_write_file(FRAG6 "high_thresh", "0"));
	}
	ASSERT_EQ(0, guard_add(&self->t, IPPROTO_UDP, true));
	ASSERT_EQ((ssize_t)sizeof(large),
		  send_to(self->other, &self->to_in, self->len, large,
			  sizeof(large)));
	EXPECT_EQ(0, received(self->in, large, sizeof(large)));
	EXPECT_LT(0, nsttest_stat("NstGuardDryRun"));
	EXPECT_EQ(0, nsttest_stat("NstGuardInDropped"));
	/* A strict rule takes no part of what it cannot see. */
	ASSERT_EQ(0, guard_del(&self->t, IPPROTO_UDP, GUARD_PORT));
	ASSERT_EQ(0, guard_add(&self->t, IPPROTO_UDP, false));
	EXPECT_EQ((ssize_t)n, SEND_IN(rec, n));
	EXPECT_EQ(variant->family == AF_INET ? 0 : -EAGAIN,
		  received(self->in, rec, n));
}

TEST_F(dgram, dry_run)
{
	uint8_t rec[PEER_RECORD_MAX];
	size_t n = guard_record(rec, 10);

	ASSERT_EQ(0, guard_add(&self->t, IPPROTO_UDP, true));
	EXPECT_EQ(5, SEND_IN("plain", 5));
	EXPECT_EQ(0, received(self->in, "plain", 5));
	EXPECT_EQ(5, SEND_OUT("plain", 5));
	EXPECT_EQ(0, received(self->other, "plain", 5));
	EXPECT_EQ((ssize_t)n, SEND_IN(rec, n));
	EXPECT_EQ(0, received(self->in, rec, n));
	EXPECT_EQ(1, IN(HEADER));
	EXPECT_EQ(1, IN(PASSED));
	EXPECT_EQ(1, OUT(HEADER));
	EXPECT_EQ(2, nsttest_stat("NstGuardDryRun"));
	EXPECT_EQ(0, nsttest_stat("NstGuardInDropped"));
	EXPECT_EQ(0, nsttest_stat("NstGuardOutDropped"));
}

/* One packet of several datagrams: each is looked at. */
TEST_F(dgram, segments)
{
	uint8_t rec[4 * PEER_RECORD_MAX], all[4 * PEER_RECORD_MAX];
	size_t n = 0, last;
	int i;

	for (i = 0; i < 3; i++)
		n += guard_record(rec + n, 1000);
	last = guard_record(rec + n, 500);
	n += last;
	ASSERT_EQ(0, tcptest_set_int(self->in, SOL_UDP, UDP_SEGMENT,
				     PEER_HDR_SIZE + 1000));
	ASSERT_EQ(0, tcptest_set_int(self->other, SOL_UDP, UDP_SEGMENT,
				     PEER_HDR_SIZE + 1000));
	EXPECT_EQ((ssize_t)n, SEND_OUT(rec, n));
	EXPECT_EQ((ssize_t)n, SEND_IN(rec, n));
	for (i = 0; i < 3; i++) {
		const uint8_t *one = rec + i * (PEER_HDR_SIZE + 1000);

		EXPECT_EQ(0, received(self->in, one, PEER_HDR_SIZE + 1000));
		EXPECT_EQ(0, received(self->other, one, PEER_HDR_SIZE + 1000));
	}
	EXPECT_EQ(0, received(self->in, rec + n - last, last));
	EXPECT_EQ(1, IN(PASSED));
	EXPECT_EQ(1, OUT(PASSED));
	/* plaintext in the middle, and at the end */
	memcpy(all, rec, n);
	all[PEER_HDR_SIZE + 1000] ^= 1;
	EXPECT_EQ(-EPERM, SEND_OUT(all, n));
	EXPECT_EQ((ssize_t)n, SEND_IN(all, n));
	memcpy(all, rec, n);
	all[n - last] ^= 1;
	EXPECT_EQ(-EPERM, SEND_OUT(all, n));
	EXPECT_EQ((ssize_t)n, SEND_IN(all, n));
	EXPECT_EQ((ssize_t)n - 1, SEND_IN(rec, n - 1));
	EXPECT_EQ(3, IN(HEADER));
	EXPECT_EQ(2, OUT(HEADER));
	EXPECT_EQ(-EAGAIN, received(self->in, "", 0));
}

/* NST and keys: those of the namespace's box, or of a private one. */
static int key(int fd, bool private)
{
	struct nsttest_conf conf = {
		.cipher_id = NST_CIPHER_AES_GCM,
		.nr_keys = private ? NSTTEST_KEYS : 0,
	};
	int ret = tcptest_set_int(fd, IPPROTO_IP, NST_ATTACH, 1);

	return ret ?: nsttest_install(fd, &conf);
}

/* One that may have to wait for its keys; 0 if it is @n bytes of @want. */
static int came(int fd, const void *want, size_t n)
{
	static uint8_t buf[65536];
	ssize_t got = recv(fd, buf, sizeof(buf), 0);

	if (got < 0)
		return -errno;
	return got == (ssize_t)n && !memcmp(buf, want, n) ? 0 : -EILSEQ;
}

TEST_F(dgram, nst_sockets)
{
	static uint8_t text[5000] = "plaintext";
	int i;

	ASSERT_EQ(0, key(self->in, false));
	ASSERT_EQ(0, key(self->other, false));
	for (i = 0; i < 5; i++) {
		EXPECT_EQ(1000, SEND_IN(text, 1000));
		EXPECT_EQ(0, came(self->in, text, 1000));
		EXPECT_EQ(1000, SEND_OUT(text, 1000));
		EXPECT_EQ(0, came(self->other, text, 1000));
	}
	EXPECT_EQ(5, IN(PASSED));
	EXPECT_EQ(5, OUT(PASSED));
	ASSERT_EQ(0, tcptest_set_int(self->in, SOL_UDP, UDP_SEGMENT, 1000));
	EXPECT_EQ(5000, SEND_OUT(text, 5000));
	for (i = 0; i < 5; i++)
		EXPECT_EQ(0, came(self->other, text + 1000 * i, 1000));
	EXPECT_EQ(0, nsttest_stat("NstGuardInDropped"));
	EXPECT_EQ(0, nsttest_stat("NstGuardOutDropped"));
}

/* The guard does not know the keys of a private box. */
TEST_F(dgram, private_box)
{
	ASSERT_EQ(0, nl_simple(&self->t, NST_CMD_BOX_FLUSH, NLM_F_ACK));
	ASSERT_EQ(0, key(self->in, true));
	ASSERT_EQ(0, key(self->other, true));
	EXPECT_EQ(1, SEND_IN("x", 1));
	EXPECT_EQ(1, IN(KID));
	EXPECT_EQ(-EPERM, SEND_OUT("x", 1));
	EXPECT_EQ(1, OUT(KID));
}

static uint16_t sum(const void *data, size_t len, uint32_t add)
{
	const uint8_t *p = data;

	for (; len > 1; len -= 2, p += 2)
		add += p[0] << 8 | p[1];
	if (len)
		add += p[0] << 8;
	while (add >> 16)
		add = (add & 0xffff) + (add >> 16);
	return htons(~add);
}

/* A whole UDP packet for a raw socket that writes IPv4's header itself. */
static size_t raw4(uint8_t *out, uint16_t udp_len, const void *data, size_t n,
		   uint16_t frag)
{
	struct iphdr ip = {
		.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP,
		.saddr = htonl(INADDR_LOOPBACK),
		.daddr = htonl(INADDR_LOOPBACK),
		.tot_len = htons(sizeof(ip) + sizeof(struct udphdr) + n),
		.frag_off = htons(frag), .id = htons(7),
	};
	struct udphdr udp = {
		.source = htons(GUARD_PORT), .dest = htons(PORT_OTHER),
		.len = htons(udp_len),
	};

	ip.check = sum(&ip, sizeof(ip), 0);
	memcpy(out, &ip, sizeof(ip));
	memcpy(out + sizeof(ip), &udp, sizeof(udp));
	memcpy(out + sizeof(ip) + sizeof(udp), data, n);
	return sizeof(ip) + sizeof(udp) + n;
}

FIXTURE(raw)
{
	struct talk t;
	int fd;
	struct sockaddr_storage to;
	socklen_t len;
};

FIXTURE_SETUP(raw)
{
	ASSERT_EQ(0, nsttest_netns());
	ASSERT_EQ(0, nl_open(&self->t));
	ASSERT_EQ(0, guard_box(&self->t));
	ASSERT_EQ(0, guard_add(&self->t, IPPROTO_UDP, false));
	ASSERT_EQ(0, guard_add(&self->t, IPPROTO_TCP, false));
	self->fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	ASSERT_LE(0, self->fd);
	self->len = guard_address(&self->to, AF_INET, 1, 0);
}

FIXTURE_TEARDOWN(raw)
{
	nl_close(&self->t);
	close(self->fd);
}

#define SEND_RAW(buf, n) send_to(self->fd, &self->to, self->len, buf, n)

TEST_F(raw, datagram)
{
	uint8_t buf[4096], rec[PEER_RECORD_MAX];
	size_t n = guard_record(rec, 100), len;

	len = raw4(buf, 8 + 5, "plain", 5, 0);
	EXPECT_EQ(-EPERM, SEND_RAW(buf, len));
	EXPECT_EQ(1, OUT(HEADER));
	len = raw4(buf, 8 + n, rec, n, 0);
	EXPECT_EQ((ssize_t)len, SEND_RAW(buf, len));
	EXPECT_EQ(1, OUT(PASSED));
	/* plaintext behind the end of a record */
	len = raw4(buf, 8 + n, rec, n, 0);
	memcpy(buf + len, "plain", 5);
	EXPECT_EQ(-EPERM, SEND_RAW(buf, len + 5));
	EXPECT_EQ(1, OUT(MALFORMED));
}

/* Pieces that IP would put together again. */
TEST_F(raw, fragments)
{
	uint8_t buf[4096], rec[PEER_RECORD_MAX];
	size_t n = guard_record(rec, 200), len;

	len = raw4(buf, 8 + n, rec, 64, IP_MF);
	EXPECT_EQ(-EPERM, SEND_RAW(buf, len));
	len = raw4(buf, 8 + n, rec, 64, 16);
	EXPECT_EQ(-EPERM, SEND_RAW(buf, len));
	EXPECT_EQ(2, nsttest_stat("NstGuardFragment"));
	EXPECT_EQ(2, nsttest_stat("NstGuardOutDropped"));
}

/* A segment that no socket of TCP's has made. */
TEST_F(raw, segment)
{
	struct tcphdr th = {
		.source = htons(GUARD_PORT), .dest = htons(PORT_OTHER),
		.doff = 5, .ack = 1,
	};
	uint8_t buf[64];
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_TCP);

	ASSERT_LE(0, fd);
	memcpy(buf, &th, sizeof(th));
	memcpy(buf + sizeof(th), "plain", 5);
	EXPECT_EQ(-EPERM, send_to(fd, &self->to, self->len, buf,
				  sizeof(th) + 5));
	EXPECT_EQ(1, guard_out(&self->t, IPPROTO_TCP, NST_A_PACKETS_PLAIN));
	EXPECT_EQ(sizeof(th), send_to(fd, &self->to, self->len, buf,
				      sizeof(th)));
	/* a header longer than the packet, and one cut off */
	((struct tcphdr *)buf)->doff = 15;
	EXPECT_EQ(-EPERM, send_to(fd, &self->to, self->len, buf,
				  sizeof(th) + 5));
	EXPECT_EQ(-EPERM, send_to(fd, &self->to, self->len, buf, 12));
	EXPECT_EQ(2, guard_out(&self->t, IPPROTO_TCP,
			       NST_A_PACKETS_MALFORMED));
	/* no ports at all */
	EXPECT_EQ(-EPERM, send_to(fd, &self->to, self->len, buf, 3));
	EXPECT_EQ(3, nsttest_stat("NstGuardMalformed"));
	close(fd);
}

static size_t raw6(uint8_t *out, uint8_t next, const void *data, size_t n)
{
	struct ipv6hdr hdr = {
		.version = 6, .nexthdr = next, .hop_limit = 64,
		.payload_len = htons(n),
	};

	memcpy(&hdr.saddr, &in6addr_loopback, 16);
	memcpy(&hdr.daddr, &in6addr_loopback, 16);
	memcpy(out, &hdr, sizeof(hdr));
	memcpy(out + sizeof(hdr), data, n);
	return sizeof(hdr) + n;
}

/* Extension headers do not hide the ports, however many there are. */
TEST_F(raw, extension_headers)
{
	struct udphdr udp = {
		.source = htons(GUARD_PORT), .dest = htons(PORT_OTHER),
		.len = htons(8 + 5),
	};
	struct ip6_frag frag = { .ip6f_nxt = IPPROTO_UDP };
	uint8_t data[1024] = { 0 }, buf[1200];
	int fd = socket(AF_INET6, SOCK_RAW, IPPROTO_RAW), nr;
	size_t at, len;

	self->len = guard_address(&self->to, AF_INET6, 1, 0);
	for (nr = 0; nr <= 20; nr++) {
		at = 8 * nr;
		memset(data, 0, sizeof(data));
		for (int i = 0; i < nr; i++) {
			data[8 * i] = i + 1 < nr ? IPPROTO_DSTOPTS :
					IPPROTO_UDP;
			data[8 * i + 2] = 1;	/* padding of 6 bytes */
			data[8 * i + 3] = 4;
		}
		memcpy(data + at, &udp, sizeof(udp));
		memcpy(data + at + sizeof(udp), "plain", 5);
		len = raw6(buf, nr ? IPPROTO_DSTOPTS : IPPROTO_UDP, data,
			   at + sizeof(udp) + 5);
		EXPECT_EQ(-EPERM, send_to(fd, &self->to, self->len, buf, len));
	}
	EXPECT_EQ(16, OUT(HEADER));
	EXPECT_EQ(5, nsttest_stat("NstGuardMalformed"));
	/* a header cut off, and a fragment that is the whole */
	len = raw6(buf, IPPROTO_DSTOPTS, data, 1);
	EXPECT_EQ(-EPERM, send_to(fd, &self->to, self->len, buf, len));
	EXPECT_EQ(6, nsttest_stat("NstGuardMalformed"));
	memcpy(data, &frag, sizeof(frag));
	memcpy(data + sizeof(frag), &udp, sizeof(udp));
	len = raw6(buf, IPPROTO_FRAGMENT, data, sizeof(frag) + sizeof(udp));
	EXPECT_EQ(-EPERM, send_to(fd, &self->to, self->len, buf, len));
	EXPECT_EQ(1, nsttest_stat("NstGuardFragment"));
	close(fd);
}

FIXTURE(pieces)
{
	struct veth v;
	struct talk t;
	int in;
	int from;
	struct sockaddr_storage to;
	socklen_t len;
};

FIXTURE_VARIANT(pieces)
{
	int family;
};

FIXTURE_VARIANT_ADD(pieces, ipv4) { .family = AF_INET };
FIXTURE_VARIANT_ADD(pieces, ipv6) { .family = AF_INET6 };

/* The guarded host is end 1. */
FIXTURE_SETUP(pieces)
{
	struct veth_conf conf = { .offload = VETH_ALL, .mtu = 1500 };
	struct sockaddr_in6 *in6 = (void *)&self->to;
	struct sockaddr_in *in = (void *)&self->to;
	struct sockaddr_storage any = { .ss_family = variant->family };

	ASSERT_EQ(0, veth_open(&self->v, &conf));
	ASSERT_EQ(0, veth_enter(&self->v, 1));
	ASSERT_EQ(0, nl_open(&self->t));
	ASSERT_EQ(0, guard_box(&self->t));
	ASSERT_EQ(0, guard_add(&self->t, IPPROTO_UDP, false));
	memset(&self->to, 0, sizeof(self->to));
	self->to.ss_family = variant->family;
	if (variant->family == AF_INET6) {
		inet_pton(AF_INET6, "fd00::2", &in6->sin6_addr);
		in6->sin6_port = htons(GUARD_PORT);
		((struct sockaddr_in6 *)&any)->sin6_port = htons(GUARD_PORT);
		self->len = sizeof(*in6);
	} else {
		inet_pton(AF_INET, "10.9.0.2", &in->sin_addr);
		in->sin_port = htons(GUARD_PORT);
		((struct sockaddr_in *)&any)->sin_port = htons(GUARD_PORT);
		self->len = sizeof(*in);
	}
	self->in = socket(variant->family, SOCK_DGRAM, 0);
	ASSERT_LE(0, self->in);
	ASSERT_EQ(0, bind(self->in, (void *)&any, self->len));
	ASSERT_EQ(0, veth_enter(&self->v, 0));
	self->from = socket(variant->family, SOCK_DGRAM, 0);
	ASSERT_LE(0, self->from);
	/* The first one may be lost to finding the neighbour. */
	ASSERT_EQ(1, send_to(self->from, &self->to, self->len, "x", 1));
	ASSERT_EQ(0, veth_enter(&self->v, 1));
	ASSERT_EQ(0, guard_wait(&self->t, IPPROTO_UDP, NST_DIRECTION_IN,
				NST_A_PACKETS_HEADER, 1));
	ASSERT_EQ(0, veth_enter(&self->v, 0));
}

FIXTURE_TEARDOWN(pieces)
{
	nl_close(&self->t);
	close(self->in);
	close(self->from);
	veth_close(&self->v);
}

/* One after the other, each whole before the next. */
#define PIECES(buf, n) send_to(self->from, &self->to, self->len, buf, n)
#define WAIT_IN(what, value)						\
	guard_wait(&self->t, IPPROTO_UDP, NST_DIRECTION_IN,		\
		   NST_A_PACKETS_##what, value)

TEST_F(pieces, large_record)
{
	static uint8_t rec[PEER_RECORD_MAX], got[PEER_RECORD_MAX];
	size_t n = guard_record(rec, LARGE);
	int i;

	ASSERT_EQ(0, tcptest_timeout(self->in, SO_RCVTIMEO,
				     nsttest_patience(TCPTEST_SOON_MS)));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ((ssize_t)n, PIECES(rec, n));
		EXPECT_EQ((ssize_t)n, recv(self->in, got, sizeof(got), 0));
		EXPECT_EQ(0, memcmp(rec, got, n));
	}
	EXPECT_EQ(3, IN(PASSED));
	EXPECT_EQ(1, IN(HEADER));
}

TEST_F(pieces, large_nst)
{
	static uint8_t text[LARGE] = "plaintext";
	struct talk t;

	ASSERT_EQ(0, nl_open(&t));
	ASSERT_EQ(0, guard_box(&t));
	nl_close(&t);
	ASSERT_EQ(0, tcptest_timeout(self->in, SO_RCVTIMEO,
				     nsttest_patience(TCPTEST_SOON_MS)));
	ASSERT_EQ(0, key(self->in, false));
	ASSERT_EQ(0, key(self->from, false));
	ASSERT_EQ(LARGE, PIECES(text, LARGE));
	EXPECT_EQ(0, came(self->in, text, LARGE));
	EXPECT_EQ(1, IN(PASSED));
	EXPECT_EQ(1, IN(HEADER));
}

TEST_F(pieces, large_plain)
{
	static uint8_t text[LARGE] = "plaintext";

	ASSERT_EQ(LARGE, PIECES(text, LARGE));
	EXPECT_EQ(0, WAIT_IN(HEADER, 2));
	ASSERT_EQ(3000, PIECES(text, 3000));
	EXPECT_EQ(0, WAIT_IN(HEADER, 3));
	EXPECT_EQ(-EAGAIN, received(self->in, "", 0));
	EXPECT_EQ(0, IN(PASSED));
}

TEST_F(pieces, dry_run)
{
	static uint8_t text[3000] = "plaintext";

	ASSERT_EQ(0, guard_add(&self->t, IPPROTO_UDP, true));
	ASSERT_EQ(0, tcptest_timeout(self->in, SO_RCVTIMEO,
				     nsttest_patience(TCPTEST_SOON_MS)));
	ASSERT_EQ(3000, PIECES(text, 3000));
	EXPECT_EQ(3000, recv(self->in, text, sizeof(text), 0));
	EXPECT_EQ(2, IN(HEADER));
}

/*
 * Fragments behind other headers, which are read again once it is whole: IPv6's,
 * or options of IPv4.
 */
static int set_headers(int fd, int family, int i)
{
	static const uint8_t opts[8] = { 0, 0, 1, 4 }, nops[4] = { 1, 1, 1, 0 };
	const int where[] = { IPV6_HOPOPTS, IPV6_DSTOPTS, IPV6_RTHDRDSTOPTS };

	if (family == AF_INET)
		return setsockopt(fd, SOL_IP, IP_OPTIONS, nops, sizeof(nops));
	return setsockopt(fd, SOL_IPV6, where[i], opts, sizeof(opts));
}

TEST_F(pieces, behind_headers)
{
	static uint8_t rec[PEER_RECORD_MAX], got[PEER_RECORD_MAX];
	size_t n = guard_record(rec, 5000);
	int i;

	ASSERT_EQ(0, tcptest_timeout(self->in, SO_RCVTIMEO,
				     nsttest_patience(TCPTEST_SOON_MS)));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, set_headers(self->from, variant->family, i));
		ASSERT_EQ((ssize_t)n, PIECES(rec, n));
		EXPECT_EQ((ssize_t)n, recv(self->in, got, sizeof(got), 0));
		EXPECT_EQ(0, memcmp(rec, got, n));
		ASSERT_EQ(5, PIECES("plain", 5));
		EXPECT_EQ(0, WAIT_IN(HEADER, 2 + i));
	}
	EXPECT_EQ(3, IN(PASSED));
}

TEST_HARNESS_MAIN
