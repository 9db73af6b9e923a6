// SPDX-License-Identifier: GPL-2.0
/*
 * What cannot work on a TCP socket with NST is refused, and the stream goes on
 * as if nothing had been asked.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/kcm.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "kselftest_harness.h"
#include "tcptest.h"

FIXTURE(refuse)
{
	int a;
	int b;
};

FIXTURE_VARIANT(refuse)
{
	struct tcptest_conf conf;
};

TCPTEST_VARIANTS_FEW(refuse);

FIXTURE_SETUP(refuse)
{
	ASSERT_EQ(0, tcptest_pair(&variant->conf, &self->a, &self->b));
	ASSERT_EQ(0, tcptest_bind(self->a, self->b));
}

/* Whatever a test has tried: not a byte of it went out. */
FIXTURE_TEARDOWN(refuse)
{
	char byte;

	EXPECT_EQ(-1, recv(self->b, &byte, 1, MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(0, tcptest_bind(self->a, self->b));
	ASSERT_EQ(0, shutdown(self->a, SHUT_WR));
	EXPECT_EQ(0, recv(self->b, &byte, 1, 0));
	close(self->a);
	close(self->b);
}

/* --- flags of a call ------------------------------------------------------ */

TEST_F(refuse, send_flags)
{
	static const int flags[] = {
		MSG_OOB, MSG_ZEROCOPY, MSG_FASTOPEN, MSG_OOB | MSG_DONTWAIT,
		MSG_ZEROCOPY | MSG_MORE, MSG_OOB | MSG_EOR,
	};
	size_t i;
	int one = 1;

	/* Whether or not the socket lets itself be prepared for it. */
	setsockopt(self->a, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one));
	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		EXPECT_EQ(-1, send(self->a, "x", 1, flags[i])) {
			TH_LOG("flags %#x", flags[i]);
		}
		EXPECT_EQ(EOPNOTSUPP, errno);
	}
	EXPECT_EQ(-1, send(self->a, "x", 1, MSG_MORE | MSG_EOR));
	EXPECT_EQ(EINVAL, errno);
}

/* Any bit at all: refused, or the byte arrives as it is. */
TEST_F(refuse, every_send_flag)
{
	char in, out;
	int bit;

	for (bit = 0; bit < 32; bit++) {
		out = 'A' + bit;
		if (send(self->a, &out, 1, 1u << bit) < 0) {
			EXPECT_TRUE(errno == EOPNOTSUPP || errno == EINVAL) {
				TH_LOG("bit %d: errno %d", bit, errno);
			}
			continue;
		}
		if (1u << bit == MSG_MORE)
			ASSERT_EQ(0, send(self->a, "", 0, 0));
		ASSERT_EQ(1, recv(self->b, &in, 1, 0));
		EXPECT_EQ(out, in);
	}
}

TEST_F(refuse, recv_flags)
{
	char buf[4];

	EXPECT_EQ(-1, recv(self->b, buf, 4, MSG_OOB | MSG_DONTWAIT));
	EXPECT_EQ(EOPNOTSUPP, errno);
	EXPECT_EQ(-1, recv(self->b, buf, 4, MSG_ERRQUEUE | MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
}

/* Any bit at all: refused, or the bytes are plaintext and none is lost. */
TEST_F(refuse, every_recv_flag)
{
	uint8_t buf[8];
	size_t at = 0;
	ssize_t n;
	int bit;

	ASSERT_EQ(0, tcptest_send(self->a, 0, 100, 100));
	ASSERT_EQ(0, tcptest_arrived(self->b, 100));
	for (bit = 0; bit < 32; bit++) {
		unsigned int flag = 1u << bit;

		n = recv(self->b, buf, 2, flag);
		if (n < 0)
			continue;
		ASSERT_EQ(2, n);
		if (flag != MSG_TRUNC)
			EXPECT_TRUE(tcptest_same(buf, n, at));
		if (flag != MSG_PEEK)
			at += n;
	}
	EXPECT_EQ(0, tcptest_recv(self->b, at, 100 - at, 100));
}

/* --- options -------------------------------------------------------------- */

TEST_F(refuse, options)
{
	static const struct {
		int level;
		int opt;
	} options[] = {
		{ SOL_SOCKET, SO_PEEK_OFF },
		{ SOL_TCP, TCP_REPAIR },
		{ SOL_TCP, TCP_REPAIR_QUEUE },
		{ SOL_TCP, TCP_QUEUE_SEQ },
		{ SOL_TCP, TCP_FASTOPEN_CONNECT },
	};
	size_t i;

	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		EXPECT_EQ(-EOPNOTSUPP,
			  tcptest_set_int(self->a, options[i].level,
					  options[i].opt, 1)) {
			TH_LOG("option %zu", i);
		}
	}
}

/* Nor does a socket get NST that has one of them already. */
TEST_F(refuse, options_from_before)
{
	static const struct {
		int level;
		int opt;
	} options[] = {
		{ SOL_SOCKET, SO_PEEK_OFF },	/* from 6.9 on */
		{ SOL_TCP, TCP_INQ },
		{ SOL_TCP, TCP_FASTOPEN_CONNECT },
	};
	size_t i;
	int fd;

	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		ASSERT_LE(0, fd);
		if (!tcptest_set_int(fd, options[i].level, options[i].opt, 1)) {
			EXPECT_EQ(-EOPNOTSUPP, nsttest_attach(fd)) {
				TH_LOG("option %zu", i);
			}
		} else {
			EXPECT_EQ(0, i);
		}
		close(fd);
	}
}

TEST_F(refuse, zerocopy_receive)
{
	uint8_t zc[64] = {};
	socklen_t len = sizeof(zc);
	void *map;

	EXPECT_EQ(-1, getsockopt(self->a, SOL_TCP, TCP_ZEROCOPY_RECEIVE, zc,
				 &len));
	EXPECT_EQ(EOPNOTSUPP, errno);
	map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, self->a, 0);
	EXPECT_EQ(MAP_FAILED, map);
}

TEST_F(refuse, another_ulp)
{
	EXPECT_EQ(-1, setsockopt(self->a, SOL_TCP, TCP_ULP, "tls", 3));
	EXPECT_EQ(EEXIST, errno);
	EXPECT_EQ(-EEXIST, nsttest_attach(self->a));
}

TEST_F(refuse, options_of_nst)
{
	EXPECT_EQ(-ENOPROTOOPT, tcptest_set_int(self->a, SOL_NST, 99, 1));
	EXPECT_EQ(-EINVAL, tcptest_record_max(self->a, 63));
	EXPECT_EQ(-EINVAL, tcptest_record_max(self->a, 65536));
	EXPECT_EQ(-EINVAL, tcptest_record_max(self->a, 0));
}

TEST_F(refuse, ioctls)
{
	static const unsigned long cmds[] = { SIOCOUTQ, SIOCOUTQNSD,
					      SIOCATMARK };
	size_t i;
	int n;

	for (i = 0; i < sizeof(cmds) / sizeof(cmds[0]); i++) {
		EXPECT_EQ(-1, ioctl(self->a, cmds[i], &n));
		EXPECT_EQ(EOPNOTSUPP, errno);
	}
}

/* --- sockmap -------------------------------------------------------------- */

static int bpf(int cmd, union bpf_attr *attr)
{
	int ret = syscall(SYS_bpf, cmd, attr, sizeof(*attr));

	return ret < 0 ? -errno : ret;
}

static int sockmap(void)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_SOCKMAP;
	attr.key_size = 4;
	attr.value_size = 4;
	attr.max_entries = 4;
	return bpf(BPF_MAP_CREATE, &attr);
}

static int sockmap_add(int map, int fd)
{
	union bpf_attr attr;
	uint32_t key = 0, value = fd;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = map;
	attr.key = (uintptr_t)&key;
	attr.value = (uintptr_t)&value;
	return bpf(BPF_MAP_UPDATE_ELEM, &attr);
}

TEST_F(refuse, sockmap)
{
	int map = sockmap();

	ASSERT_LE(0, map);
	EXPECT_GT(0, sockmap_add(map, self->a));
	close(map);
}

/* A socket that a sockmap has is not ours to take. */
TEST_F(refuse, attach_in_sockmap)
{
	int map = sockmap(), a, b;

	ASSERT_LE(0, map);
	ASSERT_EQ(0, nsttest_pair(variant->conf.family, 0, &a, &b));
	ASSERT_EQ(0, sockmap_add(map, a));
	EXPECT_EQ(-EBUSY, nsttest_attach(a));
	ASSERT_EQ(2, send(a, "ok", 2, 0));
	close(map);
	close(a);
	close(b);
}

/* --- others who take a socket by its descriptor --------------------------- */

#ifndef AF_KCM
#define AF_KCM	41
#endif

/* A program that says nothing about any message. */
static int parser(void)
{
	static const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
	attr.insns = (uintptr_t)insns;
	attr.insn_cnt = 2;
	attr.license = (uintptr_t)"GPL";
	return bpf(BPF_PROG_LOAD, &attr);
}

/* KCM reads and writes a connection in the place of its program. */
static int kcm_attach(int kcm, int fd)
{
	struct kcm_attach attach = { .fd = fd, .bpf_fd = parser() };
	int ret;

	if (attach.bpf_fd < 0)
		return attach.bpf_fd;
	ret = ioctl(kcm, SIOCKCMATTACH, &attach) ? -errno : 0;
	close(attach.bpf_fd);
	return ret;
}

static int open_kcm(void)
{
	int kcm = socket(AF_KCM, SOCK_DGRAM, KCMPROTO_CONNECTED);

	return kcm < 0 ? -errno : kcm;
}

TEST_F(refuse, kcm)
{
	int kcm = open_kcm();

	if (kcm == -EAFNOSUPPORT)
		SKIP(return, "this kernel has no KCM");
	ASSERT_LE(0, kcm);
	EXPECT_EQ(-EALREADY, kcm_attach(kcm, self->a));
	EXPECT_EQ(-EALREADY, kcm_attach(kcm, self->b));
	close(kcm);
}

/* A listener with NST, one that was attached before listen(). */
static int listener(int family)
{
	int fd = socket(family, SOCK_STREAM, 0), one = 1;
	struct sockaddr_storage any = { .ss_family = family };

	if (nsttest_attach(fd) ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) ||
	    bind(fd, (void *)&any, sizeof(any)) || listen(fd, 1))
		return -1;
	return fd;
}

/* One that was accepted, and one that had NST before its connect(). */
TEST_F(refuse, kcm_on_any_connection)
{
	int lfd = listener(variant->conf.family), kcm = open_kcm(), a, b;
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);

	if (kcm == -EAFNOSUPPORT)
		SKIP(return, "this kernel has no KCM");
	ASSERT_LE(0, kcm);
	ASSERT_LE(0, lfd);
	a = socket(variant->conf.family, SOCK_STREAM, 0);
	ASSERT_EQ(0, nsttest_attach(a));
	ASSERT_EQ(0, getsockname(lfd, (void *)&addr, &len));
	ASSERT_EQ(0, connect(a, (void *)&addr, len));
	b = accept(lfd, NULL, NULL);
	ASSERT_LE(0, b);
	EXPECT_EQ(-EALREADY, kcm_attach(kcm, a));
	EXPECT_EQ(-EALREADY, kcm_attach(kcm, b));
	close(a);
	close(b);
	close(lfd);
	close(kcm);
}

TEST_F(refuse, attach_in_kcm)
{
	int kcm = open_kcm(), a, b;

	if (kcm == -EAFNOSUPPORT)
		SKIP(return, "this kernel has no KCM");
	ASSERT_LE(0, kcm);
	ASSERT_EQ(0, nsttest_pair(variant->conf.family, 0, &a, &b));
	ASSERT_EQ(0, kcm_attach(kcm, a));
	EXPECT_EQ(-EBUSY, nsttest_attach(a));
	close(a);
	close(b);
	close(kcm);
}

/* BPF may choose among listeners, which give no bytes away. */
TEST_F(refuse, not_reuseport_array_of_listeners)
{
	int fd = listener(variant->conf.family), map;
	union bpf_attr attr;

	ASSERT_LE(0, fd);
	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_REUSEPORT_SOCKARRAY;
	attr.key_size = 4;
	attr.value_size = 4;
	attr.max_entries = 4;
	map = bpf(BPF_MAP_CREATE, &attr);
	ASSERT_LE(0, map);
	EXPECT_EQ(0, sockmap_add(map, fd));
	close(map);
	close(fd);
}

TEST_HARNESS_MAIN
