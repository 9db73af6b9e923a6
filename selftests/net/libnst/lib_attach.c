// SPDX-License-Identifier: GPL-2.0
/*
 * libnst's functions on every kind of socket and in every state: what they
 * return, and what has become of the socket.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <net/ethernet.h>
#include <nst/nst.h>
#include <sys/un.h>

#include "kselftest_harness.h"
#include "nltalk.h"
#include "udptest.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP	262
#endif

/* The private box of all tests. */
static struct nst_key box[NSTTEST_KEYS];

static struct nst_opts private_box(uint32_t flags)
{
	struct nst_opts opts = { .size = sizeof(opts), .flags = flags };
	int i;

	for (i = 0; i < NSTTEST_KEYS; i++) {
		box[i].kid = nsttest_box[i].kid;
		memcpy(box[i].key, nsttest_box[i].key, NST_KEY_SIZE);
	}
	opts.keys = box;
	opts.nr_keys = NSTTEST_KEYS;
	return opts;
}

/* A namespace of the test's own, so that its sysctls and box are too. */
FIXTURE(lib)
{
	struct nst_opts opts;
};

FIXTURE_SETUP(lib)
{
	ASSERT_EQ(0, nsttest_netns());
	self->opts = private_box(0);
}

FIXTURE_TEARDOWN(lib)
{
}

static int sysctl(const char *name, const char *value)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/sys/net/nst/%s", name);
	return nsttest_write_file(path, value);
}

/* Bytes go both ways, and each end says where they went. */
static void expect_works(struct __test_metadata *_metadata, int a, int b)
{
	struct nst_info info;

	EXPECT_EQ(0, tcptest_send(a, 0, 1000, 1000));
	EXPECT_EQ(0, tcptest_recv(b, 0, 1000, 1000));
	EXPECT_EQ(0, tcptest_send(b, 7, 1000, 1000));
	EXPECT_EQ(0, tcptest_recv(a, 7, 1000, 1000));
	EXPECT_EQ(0, nst_info(a, &info));
	EXPECT_LT(0, info.tx.records);
	EXPECT_LT(0, info.rx.records);
}

/* --- TCP ------------------------------------------------------------------ */

static void try_new(struct __test_metadata *_metadata, struct nst_opts *opts,
		    int family)
{
	int fd = socket(family, SOCK_STREAM, 0);

	EXPECT_EQ(0, nst_is_attached(fd));
	EXPECT_EQ(0, nst_tcp(fd, opts));
	EXPECT_EQ(1, nst_is_attached(fd));
	EXPECT_EQ(-EEXIST, nst_tcp(fd, opts));
	EXPECT_EQ(1, nst_is_attached(fd));
	EXPECT_EQ(-EOPNOTSUPP, nst_udp(fd, opts));
	close(fd);
}

TEST_F(lib, tcp_new)
{
	try_new(_metadata, &self->opts, AF_INET);
	try_new(_metadata, &self->opts, AF_INET6);
}

/* What is accepted has what the listener has, and nothing is set twice. */
TEST_F(lib, tcp_listening)
{
	struct sockaddr_storage ss;
	int lis, fd, conn;
	struct nst_info info;
	socklen_t len;

	lis = socket(AF_INET6, SOCK_STREAM, 0);
	len = nsttest_loopback(&ss, AF_INET6, 0);
	ASSERT_EQ(0, bind(lis, (void *)&ss, len));
	ASSERT_EQ(0, listen(lis, 4));
	ASSERT_EQ(0, getsockname(lis, (void *)&ss, &len));
	self->opts.flags = NST_F_INITIATOR;
	EXPECT_EQ(-EINVAL, nst_tcp(lis, &self->opts));
	EXPECT_EQ(-ENOKEY, nst_is_attached(lis));
	self->opts.flags = 0;
	EXPECT_EQ(0, nst_tcp(lis, &self->opts));
	fd = socket(AF_INET6, SOCK_STREAM, 0);
	EXPECT_EQ(0, nst_tcp(fd, &self->opts));
	ASSERT_EQ(0, connect(fd, (void *)&ss, len));
	conn = accept(lis, NULL, NULL);
	ASSERT_LE(0, conn);
	EXPECT_EQ(1, nst_is_attached(conn));
	EXPECT_EQ(-EEXIST, nst_tcp(conn, &self->opts));
	expect_works(_metadata, fd, conn);
	EXPECT_EQ(0, nst_info(conn, &info));
	EXPECT_EQ(NST_F_RESPONDER, info.flags);
	EXPECT_EQ(0, nst_info(fd, &info));
	EXPECT_EQ(NST_F_INITIATOR, info.flags);
	close(conn);
	close(fd);
	close(lis);
}

TEST_F(lib, tcp_connected)
{
	int a, b;

	ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &b, &a));
	self->opts.flags = NST_F_INITIATOR | NST_F_STRICT;
	EXPECT_EQ(0, nst_tcp(a, &self->opts));
	self->opts.flags = NST_F_RESPONDER | NST_F_STRICT;
	EXPECT_EQ(0, nst_tcp(b, &self->opts));
	expect_works(_metadata, a, b);
	/* The peer's end does not take NST away, nor does one's own. */
	close(a);
	EXPECT_EQ(1, nst_is_attached(b));
	EXPECT_EQ(0, shutdown(b, SHUT_RDWR));
	EXPECT_EQ(1, nst_is_attached(b));
	close(b);
}

/* Nobody answers: what is attached then is attached all the same. */
TEST_F(lib, tcp_connecting)
{
	struct sockaddr_storage ss;
	socklen_t len = nsttest_loopback(&ss, AF_INET, 9);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	/* A route to nowhere, so that the SYN is not answered. */
	ASSERT_EQ(0, udptest_run("ip link add d0 up type dummy"));
	ASSERT_EQ(0, udptest_run("ip addr add 192.0.2.1/24 dev d0"));
	ASSERT_EQ(0, udptest_run("ip neigh add 192.0.2.2 dev d0 lladdr 02:00:00:00:00:01"));
	((struct sockaddr_in *)&ss)->sin_addr.s_addr = htonl(0xc0000202);
	ASSERT_EQ(-1, connect(fd, (void *)&ss, len));
	ASSERT_EQ(EINPROGRESS, errno);
	EXPECT_EQ(0, nst_tcp(fd, &self->opts));
	EXPECT_EQ(1, nst_is_attached(fd));
	close(fd);
}

TEST_F(lib, tcp_ending)
{
	int a, b;

	ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &b, &a));
	close(a);
	ASSERT_EQ(0, tcptest_state(b, TCP_CLOSE_WAIT));
	EXPECT_EQ(-ENOTCONN, nst_tcp(b, &self->opts));
	EXPECT_EQ(0, nst_is_attached(b));
	close(b);
}

/* By hand: what has NST and not both keys gets them. */
TEST_F(lib, tcp_without_keys)
{
	struct nsttest_info ti;
	int a, b;

	ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &b, &a));
	ASSERT_EQ(0, nsttest_attach(a));
	EXPECT_EQ(-ENOKEY, nst_is_attached(a));
	ASSERT_EQ(0, nsttest_attach(b));
	nsttest_fill(&ti, NST_CIPHER_AES_GCM);
	ASSERT_EQ(0, setsockopt(b, SOL_NST, NST_TX, &ti, sizeof(ti)));
	EXPECT_EQ(-ENOKEY, nst_is_attached(b));
	EXPECT_EQ(0, nst_tcp(a, &self->opts));
	EXPECT_EQ(0, nst_tcp(b, &self->opts));
	expect_works(_metadata, a, b);
	close(a);
	close(b);
}

TEST_F(lib, tcp_with_another_ulp)
{
	int a, b;

	ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &b, &a));
	ASSERT_EQ(0, setsockopt(a, SOL_TCP, TCP_ULP, "tls", 3));
	EXPECT_EQ(-EEXIST, nst_tcp(a, &self->opts));
	EXPECT_EQ(0, nst_is_attached(a));
	EXPECT_EQ(-ENOPROTOOPT, nst_set_keys(a, &self->opts));
	close(a);
	close(b);
}

/* --- UDP ------------------------------------------------------------------ */

static void try_udp(struct __test_metadata *_metadata, struct nst_opts *opts,
		    const struct udptest_conf *conf)
{
	struct udptest_name name;
	int a = udptest_open(conf), b = udptest_open(conf);

	/* bound, and then new and connected */
	udptest_loopback(conf, 0, &name);
	ASSERT_EQ(0, bind(b, udptest_sa(&name), name.len));
	EXPECT_EQ(0, nst_is_attached(b));
	EXPECT_EQ(0, nst_udp(b, opts));
	EXPECT_EQ(1, nst_is_attached(b));
	ASSERT_EQ(0, udptest_connect(a, b));
	EXPECT_EQ(0, nst_udp(a, opts));
	EXPECT_EQ(1, nst_is_attached(a));
	EXPECT_EQ(-EEXIST, nst_udp(a, opts));
	EXPECT_EQ(-EOPNOTSUPP, nst_tcp(a, opts));
	ASSERT_EQ(0, udptest_connect(b, a));
	expect_works(_metadata, a, b);
	close(a);
	close(b);
}

TEST_F(lib, udp)
{
	struct udptest_conf conf = { .family = UDPTEST_IPV4 };

	try_udp(_metadata, &self->opts, &conf);
	conf.family = UDPTEST_IPV6;
	try_udp(_metadata, &self->opts, &conf);
	conf.family = UDPTEST_DUAL;
	try_udp(_metadata, &self->opts, &conf);
}

/* An attach whose keys are refused is completed by the next call. */
TEST_F(lib, udp_is_not_strict)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	self->opts.flags = NST_F_STRICT;
	EXPECT_EQ(-EINVAL, nst_udp(fd, &self->opts));
	EXPECT_EQ(-ENOKEY, nst_is_attached(fd));
	self->opts.flags = 0;
	EXPECT_EQ(0, nst_udp(fd, &self->opts));
	EXPECT_EQ(1, nst_is_attached(fd));
	close(fd);
}

TEST_F(lib, udp_busy)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	ASSERT_EQ(0, tcptest_set_int(fd, SOL_UDP, UDP_CORK, 1));
	EXPECT_EQ(-EBUSY, nst_udp(fd, &self->opts));
	EXPECT_EQ(0, nst_is_attached(fd));
	ASSERT_EQ(0, tcptest_set_int(fd, SOL_UDP, UDP_CORK, 0));
	EXPECT_EQ(0, nst_udp(fd, &self->opts));
	close(fd);
}

/* --- others --------------------------------------------------------------- */

TEST_F(lib, born_with_nst)
{
	int fd = socket(AF_NST, NST_SOCK_STREAM, AF_INET6);

	ASSERT_LE(0, fd);
	EXPECT_EQ(-ENOKEY, nst_is_attached(fd));
	EXPECT_EQ(-EOPNOTSUPP, nst_udp(fd, &self->opts));
	EXPECT_EQ(0, nst_tcp(fd, &self->opts));
	EXPECT_EQ(1, nst_is_attached(fd));
	close(fd);
	fd = socket(AF_NST, NST_SOCK_DGRAM, 0);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-ENOKEY, nst_is_attached(fd));
	EXPECT_EQ(0, nst_udp(fd, &self->opts));
	EXPECT_EQ(1, nst_is_attached(fd));
	close(fd);
}

/* Neither function does anything to it; @err is what each says. */
static void expect_none(struct __test_metadata *_metadata,
			const struct nst_opts *opts, int fd, int err)
{
	struct nst_info info;
	uint8_t type;
	char c;

	EXPECT_EQ(err ?: -EOPNOTSUPP, nst_tcp(fd, opts));
	EXPECT_EQ(err ?: -EOPNOTSUPP, nst_udp(fd, opts));
	EXPECT_EQ(err, nst_is_attached(fd));
	err = err ?: -ENOPROTOOPT;
	EXPECT_EQ(err, nst_info(fd, &info));
	EXPECT_EQ(err, nst_rekey(fd, 0));
	EXPECT_EQ(err, nst_set_keys(fd, opts));
	EXPECT_EQ(err, nst_send_record(fd, 16, "x", 1, 0));
	EXPECT_EQ(err, nst_recv_record(fd, &type, &c, 1, MSG_DONTWAIT));
	close(fd);
}

TEST_F(lib, no_socket)
{
	int p[2];

	ASSERT_EQ(0, pipe(p));
	expect_none(_metadata, &self->opts, p[0], -ENOTSOCK);
	expect_none(_metadata, &self->opts, p[1], -ENOTSOCK);
	expect_none(_metadata, &self->opts, open("/proc/self/exe", O_RDONLY),
		    -ENOTSOCK);
	expect_none(_metadata, &self->opts, p[0], -EBADF);
	expect_none(_metadata, &self->opts, -1, -EBADF);
}

TEST_F(lib, other_sockets)
{
	static const int kinds[][3] = {
		{ AF_UNIX, SOCK_STREAM, 0 },
		{ AF_UNIX, SOCK_DGRAM, 0 },
		{ AF_NETLINK, SOCK_RAW, 0 },
		{ AF_PACKET, SOCK_RAW, 0 },
		{ AF_INET, SOCK_RAW, IPPROTO_UDP + 100 },
		{ AF_INET6, SOCK_RAW, IPPROTO_ICMPV6 },
		{ AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE },
		{ AF_ALG, SOCK_SEQPACKET, 0 },
	};
	unsigned int i;
	int fd;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		fd = socket(kinds[i][0], kinds[i][1], kinds[i][2]);
		/* Later kernels have no UDP-Lite. */
		if (fd < 0 && kinds[i][2] == IPPROTO_UDPLITE)
			continue;
		ASSERT_LE(0, fd);
		expect_none(_metadata, &self->opts, fd, 0);
	}
}

TEST_F(lib, mptcp)
{
	int fd = socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);

	if (fd < 0) {
		/* A kernel without it, and not one that has it and says no. */
		EXPECT_EQ(-1, access("/proc/sys/net/mptcp", F_OK));
		return;
	}
	expect_none(_metadata, &self->opts, fd, 0);
}

/* What is plain says so, and neither sends nor takes a byte as a record. */
TEST_F(lib, plain)
{
	struct nst_info info;
	uint8_t type;
	char c;
	int a, b;

	ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &b, &a));
	EXPECT_EQ(-ENOPROTOOPT, nst_info(a, &info));
	EXPECT_EQ(-ENOPROTOOPT, nst_rekey(a, 0));
	EXPECT_EQ(-ENOPROTOOPT, nst_set_keys(a, &self->opts));
	EXPECT_EQ(-ENOPROTOOPT, nst_send_record(a, 0, "x", 1, 0));
	EXPECT_EQ(-ENOPROTOOPT, nst_send_record(a, 16, "x", 1, 0));
	ASSERT_EQ(1, send(a, "y", 1, 0));
	ASSERT_EQ(POLLIN, tcptest_poll(b, POLLIN, TCPTEST_SOON_MS));
	EXPECT_EQ(-ENOPROTOOPT, nst_recv_record(b, &type, &c, 1, 0));
	EXPECT_EQ(1, recv(b, &c, 1, 0));
	EXPECT_EQ('y', c);
	close(a);
	close(b);
}

/* --- what the host allows ------------------------------------------------- */

TEST_F(lib, switched_off)
{
	int tcp = socket(AF_INET, SOCK_STREAM, 0);
	int udp = socket(AF_INET6, SOCK_DGRAM, 0);

	ASSERT_EQ(0, sysctl("enabled", "0"));
	EXPECT_EQ(-EPERM, nst_tcp(tcp, &self->opts));
	EXPECT_EQ(-EPERM, nst_udp(udp, &self->opts));
	EXPECT_EQ(0, nst_is_attached(tcp));
	EXPECT_EQ(0, nst_is_attached(udp));
	ASSERT_EQ(0, sysctl("enabled", "1"));
	EXPECT_EQ(0, nst_tcp(tcp, &self->opts));
	EXPECT_EQ(0, nst_udp(udp, &self->opts));
	close(tcp);
	close(udp);
}

TEST_F(lib, strict_only)
{
	int tcp = socket(AF_INET, SOCK_STREAM, 0);
	int udp = socket(AF_INET, SOCK_DGRAM, 0);

	ASSERT_EQ(0, sysctl("strict", "1"));
	EXPECT_EQ(-EPERM, nst_tcp(tcp, &self->opts));
	EXPECT_EQ(-ENOKEY, nst_is_attached(tcp));
	self->opts.flags = NST_F_STRICT;
	EXPECT_EQ(0, nst_tcp(tcp, &self->opts));
	EXPECT_EQ(-EINVAL, nst_udp(udp, &self->opts));
	self->opts.flags = 0;
	EXPECT_EQ(-EPERM, nst_udp(udp, &self->opts));
	EXPECT_EQ(-ENOKEY, nst_is_attached(udp));
	close(tcp);
	close(udp);
}

/* --- keys ----------------------------------------------------------------- */

/* The box is looked at when something is sent, not before. */
TEST_F(lib, no_box)
{
	int a, b;

	ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &b, &a));
	EXPECT_EQ(0, nst_tcp(a, NULL));
	EXPECT_EQ(1, nst_is_attached(a));
	EXPECT_EQ(-1, send(a, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(ENOKEY, errno);
	EXPECT_EQ(-ENOKEY, nst_send_record(a, 16, "x", 1, 0));
	EXPECT_EQ(-ENOKEY, nst_rekey(a, 0));
	ASSERT_EQ(0, udptest_load_box());
	EXPECT_EQ(0, nst_rekey(a, 0));
	EXPECT_EQ(1, send(a, "x", 1, MSG_NOSIGNAL));
	close(a);
	close(b);
}

static int retire(uint16_t kid)
{
	struct talk t;
	int err;

	if (nl_open(&t))
		return -ENOENT;
	err = nl_kid(&t, NST_CMD_KEY_RETIRE, kid);
	nl_close(&t);
	return err;
}

TEST_F(lib, box)
{
	struct nst_opts opts = { .size = sizeof(opts), .kid = 2 };
	struct nst_info info;
	int a, b;

	ASSERT_EQ(0, udptest_load_box());
	ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &b, &a));
	EXPECT_EQ(0, nst_tcp(a, &opts));
	EXPECT_EQ(0, nst_tcp(b, NULL));
	EXPECT_EQ(-EACCES, nst_send_record(a, 16, "x", 1, 0));
	EXPECT_EQ(-EACCES, nst_rekey(a, 2));
	EXPECT_EQ(-ENOKEY, nst_rekey(a, 99));
	ASSERT_EQ(0, retire(2));
	EXPECT_EQ(-EKEYREVOKED, nst_rekey(a, 2));
	EXPECT_EQ(-EKEYREVOKED, nst_send_record(a, 16, "x", 1, 0));
	EXPECT_EQ(0, nst_rekey(a, 0));
	EXPECT_EQ(1, nst_send_record(a, 16, "x", 1, 0));
	EXPECT_EQ(0, nst_info(a, &info));
	EXPECT_EQ(1, info.tx.kid);
	EXPECT_EQ(NST_CIPHER_AES_GCM, info.tx.cipher_id);
	close(a);
	close(b);
}

TEST_F(lib, bad_keys)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	self->opts.kid = NSTTEST_KID_UNKNOWN;
	EXPECT_EQ(-ENOKEY, nst_tcp(fd, &self->opts));
	self->opts.kid = 0;
	box[1].kid = box[0].kid;
	EXPECT_EQ(-EINVAL, nst_tcp(fd, &self->opts));
	box[1].kid = 0;
	EXPECT_EQ(-EINVAL, nst_tcp(fd, &self->opts));
	self->opts = private_box(NST_F_INITIATOR | NST_F_RESPONDER);
	EXPECT_EQ(-EINVAL, nst_tcp(fd, &self->opts));
	self->opts.flags = 0x80000000;
	EXPECT_EQ(-EINVAL, nst_tcp(fd, &self->opts));
	EXPECT_EQ(-ENOKEY, nst_is_attached(fd));
	close(fd);
}

/* Wrong options are seen before the attach. */
TEST_F(lib, bad_options_attach_nothing)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	self->opts.context = "x";
	self->opts.context_len = NST_CONTEXT_MAX + 1;
	EXPECT_EQ(-EINVAL, nst_tcp(fd, &self->opts));
	self->opts = private_box(0);
	self->opts.nr_keys = 65;
	EXPECT_EQ(-EINVAL, nst_tcp(fd, &self->opts));
	self->opts = private_box(0);
	self->opts.cipher = NST_CIPHER_CHACHA20_POLY1305 + 1;
	EXPECT_EQ(-EINVAL, nst_tcp(fd, &self->opts));
	EXPECT_EQ(0, nst_is_attached(fd));
	close(fd);
}

/* As many keys as the library passes are as many as the kernel takes. */
TEST_F(lib, most_keys)
{
	static struct nst_key keys[64];
	int i, fd = socket(AF_INET, SOCK_STREAM, 0);

	for (i = 0; i < 64; i++)
		keys[i].kid = i + 1;
	self->opts.keys = keys;
	self->opts.nr_keys = 64;
	EXPECT_EQ(0, nst_tcp(fd, &self->opts));
	close(fd);
}

/* Who names no suite receives any, also what is there before the keys are. */
TEST_F(lib, any_suite)
{
	char buf[8];
	int a, b;

	ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &b, &a));
	self->opts.cipher = NST_CIPHER_AES_CBC;
	EXPECT_EQ(0, nst_tcp(a, &self->opts));
	EXPECT_EQ(5, send(a, "early", 5, 0));
	ASSERT_EQ(POLLIN, tcptest_poll(b, POLLIN, TCPTEST_SOON_MS));
	self->opts.cipher = 0;
	EXPECT_EQ(0, nst_tcp(b, &self->opts));
	EXPECT_EQ(5, recv(b, buf, sizeof(buf), 0));
	EXPECT_EQ(0, memcmp(buf, "early", 5));
	close(a);
	close(b);
}

TEST_F(lib, set_keys)
{
	struct nst_key next = { .kid = 21, .key = "the next key of these two" };
	struct nst_info info;
	uint32_t epochs;
	int a, b;

	ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &b, &a));
	EXPECT_EQ(0, nst_tcp(a, &self->opts));
	EXPECT_EQ(0, nst_tcp(b, &self->opts));
	/* Before the first record the context is free. */
	self->opts.context = "service";
	self->opts.context_len = 7;
	EXPECT_EQ(0, nst_set_keys(a, &self->opts));
	EXPECT_EQ(0, nst_set_keys(b, &self->opts));
	expect_works(_metadata, a, b);
	EXPECT_EQ(0, nst_info(a, &info));
	epochs = info.tx.epochs;
	self->opts.keys = &next;
	self->opts.nr_keys = 1;
	EXPECT_EQ(0, nst_set_keys(a, &self->opts));
	EXPECT_EQ(0, nst_set_keys(b, &self->opts));
	expect_works(_metadata, a, b);
	EXPECT_EQ(0, nst_info(a, &info));
	EXPECT_LT(epochs, info.tx.epochs);
	EXPECT_EQ(21, info.tx.kid);
	EXPECT_EQ(21, info.rx.kid);
	/* Behind it, it stays, and so does everything else. */
	self->opts.context_len = 6;
	EXPECT_EQ(-EINVAL, nst_set_keys(a, &self->opts));
	self->opts.cipher = NST_CIPHER_AES_GCM;
	EXPECT_EQ(-EINVAL, nst_set_keys(a, &self->opts));
	expect_works(_metadata, a, b);
	close(a);
	close(b);
}

/* --- names ---------------------------------------------------------------- */

/* nst_stat has a line for each cause, in the order of their numbers. */
TEST_F(lib, cause_names)
{
	char name[64], line[128];
	unsigned int cause = 0;
	FILE *f;

	f = fopen("/proc/thread-self/net/nst_stat", "r");
	ASSERT_NE(NULL, f);
	while (fgets(line, sizeof(line), f) && sscanf(line, "%63s", name) == 1) {
		cause++;
		if (!nst_cause_name(cause)) {
			/* The first counter of traffic ends the causes. */
			EXPECT_STREQ("NstTxRecords", name);
			break;
		}
		EXPECT_STREQ(name, nst_cause_name(cause));
	}
	fclose(f);
	EXPECT_LT(40, cause);
	EXPECT_EQ(NULL, nst_cause_name(cause + 1));
}

TEST_F(lib, cause_of_a_refusal)
{
	static const char http[] = "GET / HTTP/1.0\r\n\r\nand so on, 48 bytes or more";
	struct nst_info info;
	uint8_t type;
	char c;
	int a, b;

	ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &b, &a));
	EXPECT_EQ(0, nst_tcp(b, &self->opts));
	ASSERT_EQ(sizeof(http), send(a, http, sizeof(http), 0));
	EXPECT_EQ(-EPROTO, nst_recv_record(b, &type, &c, 1, 0));
	EXPECT_EQ(-EPROTO, nst_recv_record(b, &type, &c, 1, 0));
	EXPECT_EQ(0, nst_info(b, &info));
	EXPECT_EQ(EPROTO, info.error);
	EXPECT_STREQ("NstRxHdrMagic", nst_cause_name(info.cause));
	close(a);
	close(b);
}

TEST_HARNESS_MAIN
