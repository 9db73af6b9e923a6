// SPDX-License-Identifier: GPL-2.0
/*
 * How a UDP socket becomes one of NST, and which do not.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/bpf.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "kselftest_harness.h"
#include "udptest.h"

#ifndef UDP_ENCAP_ESPINUDP
#define UDP_ENCAP_ESPINUDP	2
#endif

static const struct udptest_conf aes4 = {
	.family = UDPTEST_IPV4, .cipher_id = NST_CIPHER_AES_GCM,
};

static const struct udptest_conf plain4 = { .family = UDPTEST_IPV4 };

static int enable(int on)
{
	return nsttest_write_file("/proc/sys/net/nst/enabled", on ? "1" : "0");
}

/* --- every kind of socket, by every level ---------------------------------- */

FIXTURE(attach)
{
	int fd;
	int peer;
};

FIXTURE_VARIANT(attach)
{
	struct udptest_conf conf;
	int level;
};

#define ATTACH(name, fam, lvl)						\
FIXTURE_VARIANT_ADD(attach, name) {					\
	.conf = { .cipher_id = NST_CIPHER_AES_GCM, .family = fam },	\
	.level = lvl							\
}

ATTACH(ipv4, UDPTEST_IPV4, IPPROTO_IP);
ATTACH(ipv6, UDPTEST_IPV6, IPPROTO_IPV6);
ATTACH(ipv6_by_ip, UDPTEST_IPV6, IPPROTO_IP);
ATTACH(dual, UDPTEST_DUAL, IPPROTO_IPV6);
ATTACH(dual_by_ip, UDPTEST_DUAL, IPPROTO_IP);

FIXTURE_SETUP(attach)
{
	ASSERT_EQ(0, nsttest_netns());
	self->fd = udptest_open(&variant->conf);
	ASSERT_LE(0, self->fd);
	self->peer = udptest_bound(&variant->conf);
	ASSERT_LE(0, self->peer);
}

FIXTURE_TEARDOWN(attach)
{
	close(self->fd);
	close(self->peer);
}

static int bind_loopback(int fd, const struct udptest_conf *conf)
{
	struct udptest_name name;

	udptest_loopback(conf, 0, &name);
	return bind(fd, udptest_sa(&name), name.len) ? -errno : 0;
}

/* Attached and keyed, it talks to its peer. */
static void works(struct __test_metadata *_metadata, int fd, int peer,
		  const struct udptest_conf *conf)
{
	struct udptest_name to, from;

	ASSERT_EQ(0, udptest_install(fd, conf));
	ASSERT_EQ(0, udptest_name(peer, &to));
	ASSERT_EQ(0, udptest_sendto(fd, &to, 1, 100));
	ASSERT_EQ(0, udptest_recvfrom(peer, &from, 1, 100));
	ASSERT_EQ(0, udptest_sendto(peer, &from, 2, 200));
	ASSERT_EQ(0, udptest_recv(fd, 2, 200));
}

TEST_F(attach, new)
{
	ASSERT_EQ(0, tcptest_set_int(self->fd, variant->level, NST_ATTACH, 1));
	works(_metadata, self->fd, self->peer, &variant->conf);
}

TEST_F(attach, bound)
{
	ASSERT_EQ(0, bind_loopback(self->fd, &variant->conf));
	ASSERT_EQ(0, tcptest_set_int(self->fd, variant->level, NST_ATTACH, 1));
	works(_metadata, self->fd, self->peer, &variant->conf);
}

TEST_F(attach, connected)
{
	ASSERT_EQ(0, udptest_connect(self->fd, self->peer));
	ASSERT_EQ(0, tcptest_set_int(self->fd, variant->level, NST_ATTACH, 1));
	works(_metadata, self->fd, self->peer, &variant->conf);
	ASSERT_EQ(0, udptest_send(self->fd, 3, 300));
	EXPECT_EQ(0, udptest_recv(self->peer, 3, 300));
}

TEST_F(attach, connected_after)
{
	ASSERT_EQ(0, tcptest_set_int(self->fd, variant->level, NST_ATTACH, 1));
	ASSERT_EQ(0, udptest_connect(self->fd, self->peer));
	works(_metadata, self->fd, self->peer, &variant->conf);
}

TEST_F(attach, twice)
{
	ASSERT_EQ(0, tcptest_set_int(self->fd, variant->level, NST_ATTACH, 1));
	EXPECT_EQ(-EEXIST, tcptest_set_int(self->fd, variant->level,
					   NST_ATTACH, 1));
	works(_metadata, self->fd, self->peer, &variant->conf);
	EXPECT_EQ(-EEXIST, tcptest_set_int(self->fd, variant->level,
					   NST_ATTACH, 1));
}

TEST_F(attach, bad_values)
{
	int value[2] = { 1, 0 };

	EXPECT_EQ(-EINVAL, tcptest_set_int(self->fd, variant->level,
					   NST_ATTACH, 0));
	EXPECT_EQ(-EINVAL, tcptest_set_int(self->fd, variant->level,
					   NST_ATTACH, 2));
	EXPECT_EQ(-EINVAL, tcptest_set_int(self->fd, variant->level,
					   NST_ATTACH, -1));
	EXPECT_EQ(-1, setsockopt(self->fd, variant->level, NST_ATTACH, value,
				 3));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, setsockopt(self->fd, variant->level, NST_ATTACH, value,
				 8));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, setsockopt(self->fd, variant->level, NST_ATTACH, value,
				 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, setsockopt(self->fd, variant->level, NST_ATTACH, NULL,
				 4));
	EXPECT_EQ(EFAULT, errno);
	/* None of that has attached it. */
	EXPECT_EQ(0, tcptest_set_int(self->fd, variant->level, NST_ATTACH, 1));
}

TEST_F(attach, neighbours_in_number)
{
	EXPECT_EQ(-ENOPROTOOPT, tcptest_set_int(self->fd, variant->level,
						NST_ATTACH + 1, 1));
	EXPECT_EQ(-ENOPROTOOPT, tcptest_set_int(self->fd, variant->level,
						NST_ATTACH - 1, 1));
}

TEST_F(attach, disabled)
{
	ASSERT_EQ(0, enable(0));
	EXPECT_EQ(-EPERM, tcptest_set_int(self->fd, variant->level, NST_ATTACH,
					  1));
	/* What is attached goes on. */
	ASSERT_EQ(0, enable(1));
	ASSERT_EQ(0, tcptest_set_int(self->fd, variant->level, NST_ATTACH, 1));
	ASSERT_EQ(0, enable(0));
	works(_metadata, self->fd, self->peer, &variant->conf);
}

TEST_F(attach, without_rights)
{
	pid_t pid = fork();

	if (!pid) {
		struct udptest_name to;

		if (setgid(65534) || setuid(65534) ||
		    udptest_name(self->peer, &to) ||
		    tcptest_set_int(self->fd, variant->level, NST_ATTACH, 1) ||
		    udptest_install(self->fd, &variant->conf) ||
		    udptest_sendto(self->fd, &to, 1, 100))
			_exit(errno ?: 1);
		_exit(0);
	}
	EXPECT_EQ(0, tcptest_reap(pid));
	EXPECT_EQ(0, udptest_recv(self->peer, 1, 100));
}

/* From the attach on nothing leaves or enters in plaintext. */
TEST_F(attach, no_keys_yet)
{
	struct udptest_conf plain = { .family = variant->conf.family };
	int raw = udptest_bound(&plain);
	struct udptest_name to;
	char byte;

	ASSERT_LE(0, raw);
	ASSERT_EQ(0, bind_loopback(self->fd, &variant->conf));
	ASSERT_EQ(0, udptest_connect(self->fd, raw));
	ASSERT_EQ(0, tcptest_set_int(self->fd, variant->level, NST_ATTACH, 1));
	EXPECT_EQ(-ENOKEY, udptest_send(self->fd, 1, 100));
	EXPECT_EQ(-ENOKEY, udptest_send(self->fd, 1, 0));
	EXPECT_EQ(-1, recv(self->fd, &byte, 1, 0));
	EXPECT_EQ(ENOKEY, errno);
	EXPECT_EQ(-1, recv(self->fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK));
	EXPECT_EQ(ENOKEY, errno);
	ASSERT_EQ(0, udptest_name(self->fd, &to));
	ASSERT_EQ(0, udptest_sendto(raw, &to, 1, 100));
	EXPECT_TRUE(udptest_silent(raw));
	EXPECT_TRUE(udptest_silent(self->fd));
	close(raw);
}

/* What is there is gone by the attach, and the socket works. */
static void attach_empties(struct __test_metadata *_metadata,
			   const FIXTURE_DATA(attach) *self,
			   const FIXTURE_VARIANT(attach) *variant)
{
	int bytes = -1;

	ASSERT_EQ(0, tcptest_set_int(self->fd, variant->level, NST_ATTACH, 1));
	EXPECT_EQ(0, tcptest_poll(self->fd, POLLIN, 0));
	ASSERT_EQ(0, ioctl(self->fd, FIONREAD, &bytes));
	EXPECT_EQ(0, bytes);
	ASSERT_EQ(0, udptest_install(self->fd, &variant->conf));
	EXPECT_EQ(-EAGAIN, udptest_try(self->fd));
	works(_metadata, self->fd, self->peer, &variant->conf);
}

/* A datagram that came before belongs to nobody. */
TEST_F(attach, queued_before)
{
	struct udptest_conf plain = { .family = variant->conf.family };
	int raw = udptest_bound(&plain), i, bytes = -1;
	struct udptest_name to;

	ASSERT_LE(0, raw);
	ASSERT_EQ(0, bind_loopback(self->fd, &variant->conf));
	ASSERT_EQ(0, udptest_name(self->fd, &to));
	for (i = 0; i < 5; i++)
		ASSERT_EQ(0, udptest_sendto(raw, &to, i, 500));
	ASSERT_EQ(0, udptest_arrived(self->fd));
	/* One of them is looked at already. */
	ASSERT_LT(0, recv(self->fd, &bytes, sizeof(bytes), MSG_PEEK));
	attach_empties(_metadata, self, variant);
	close(raw);
}

/* Nor does one that came while it had an address for the time being. */
TEST_F(attach, queued_before_disconnect)
{
	struct udptest_conf plain = { .family = variant->conf.family };
	int raw = udptest_bound(&plain);
	struct udptest_name to;

	ASSERT_LE(0, raw);
	ASSERT_EQ(0, udptest_connect(self->fd, raw));
	ASSERT_EQ(0, udptest_name(self->fd, &to));
	ASSERT_EQ(0, udptest_sendto(raw, &to, 1, 500));
	ASSERT_EQ(0, udptest_arrived(self->fd));
	ASSERT_EQ(0, udptest_disconnect(self->fd));
	attach_empties(_metadata, self, variant);
	close(raw);
}

TEST_F(attach, then_closed_at_once)
{
	int i, fd;

	for (i = 0; i < 50; i++) {
		fd = udptest_open(&variant->conf);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, tcptest_set_int(fd, variant->level, NST_ATTACH,
					     1));
		if (i % 2)
			ASSERT_EQ(0, udptest_install(fd, &variant->conf));
		ASSERT_EQ(0, close(fd));
	}
	EXPECT_EQ(1, udptest_stat_at_last("NstSockets", 1));
}

/* --- what is not attached --------------------------------------------------- */

static int try_socket(int family, int type, int protocol, int level)
{
	int ret, fd = socket(family, type, protocol);

	if (fd < 0)
		return -errno;
	ret = tcptest_set_int(fd, level, NST_ATTACH, 1);
	close(fd);
	return ret;
}

TEST(other_sockets)
{
	EXPECT_EQ(-EOPNOTSUPP, try_socket(AF_INET, SOCK_STREAM, 0,
					  IPPROTO_IP));
	EXPECT_EQ(-EOPNOTSUPP, try_socket(AF_INET6, SOCK_STREAM, 0,
					  IPPROTO_IPV6));
	EXPECT_EQ(-EOPNOTSUPP, try_socket(AF_INET, SOCK_RAW, IPPROTO_UDP,
					  IPPROTO_IP));
	EXPECT_EQ(-EOPNOTSUPP, try_socket(AF_INET6, SOCK_RAW, IPPROTO_UDP,
					  IPPROTO_IPV6));
	/* No such level there. */
	EXPECT_GT(0, try_socket(AF_INET, SOCK_DGRAM, 0, IPPROTO_IPV6));
	EXPECT_GT(0, try_socket(AF_UNIX, SOCK_DGRAM, 0, IPPROTO_IP));
}

/* UDP-Lite, while there is one (7.3 has none), is not UDP. */
TEST(udplite)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 136);

	if (fd < 0) {
		EXPECT_EQ(EPROTONOSUPPORT, errno);
		return;
	}
	EXPECT_EQ(-EOPNOTSUPP, udptest_attach(fd));
	close(fd);
}

/* Somebody else handles what arrives there. */
TEST(encapsulation)
{
	int fd = udptest_open(&plain4);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, tcptest_set_int(fd, SOL_UDP, UDP_ENCAP,
				     UDP_ENCAP_ESPINUDP));
	EXPECT_EQ(-EBUSY, udptest_attach(fd));
	close(fd);
}

/* What is corked would leave in plaintext. */
TEST(corked)
{
	int a = udptest_bound(&plain4), b = udptest_bound(&plain4);

	ASSERT_LE(0, a);
	ASSERT_EQ(0, udptest_connect(a, b));
	ASSERT_EQ(3, send(a, "abc", 3, MSG_MORE));
	EXPECT_EQ(-EBUSY, udptest_attach(a));
	ASSERT_EQ(3, send(a, "def", 3, 0));
	EXPECT_EQ(6, recv(b, (char [8]){}, 8, 0));
	/* The option is not taken over either. */
	ASSERT_EQ(0, tcptest_set_int(a, SOL_UDP, UDP_CORK, 1));
	EXPECT_EQ(-EBUSY, udptest_attach(a));
	ASSERT_EQ(0, tcptest_set_int(a, SOL_UDP, UDP_CORK, 0));
	EXPECT_EQ(0, udptest_attach(a));
	close(a);
	close(b);
}

static long bpf(int cmd, union bpf_attr *attr)
{
	return syscall(__NR_bpf, cmd, attr, sizeof(*attr));
}

static int sockmap_put(int map, int fd)
{
	union bpf_attr attr = {};
	uint32_t key = 0;
	uint64_t value = fd;

	attr.map_fd = map;
	attr.key = (uint64_t)(uintptr_t)&key;
	attr.value = (uint64_t)(uintptr_t)&value;
	return bpf(BPF_MAP_UPDATE_ELEM, &attr) ? -errno : 0;
}

TEST(sockmap)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_SOCKMAP, .key_size = 4,
		.value_size = 8, .max_entries = 1,
	};
	int map = bpf(BPF_MAP_CREATE, &attr);
	int a = udptest_bound(&plain4), b = udptest_bound(&plain4);

	ASSERT_LE(0, map);
	ASSERT_EQ(0, udptest_connect(a, b));
	ASSERT_EQ(0, sockmap_put(map, a));
	EXPECT_EQ(-EBUSY, udptest_attach(a));
	ASSERT_EQ(0, udptest_connect(b, a));
	ASSERT_EQ(0, udptest_key(b, &aes4));
	EXPECT_GT(0, sockmap_put(map, b));
	EXPECT_EQ(0, udptest_send(b, 1, 10));
	close(a);
	close(b);
	close(map);
}

/* --- the module ------------------------------------------------------------- */

static int remove_module(void)
{
	return syscall(__NR_delete_module, "nst_ulp", O_NONBLOCK) ? -errno : 0;
}

static int references_at_last(int want)
{
	int i;

	for (i = 0; i < 500 && nsttest_number(NSTTEST_USERS) != want; i++)
		usleep(10000);
	return nsttest_number(NSTTEST_USERS);
}

/* A socket holds the module, however it goes away. */
TEST(module_is_held)
{
	int fd, other, before = references_at_last(0);
	pid_t pid;

	EXPECT_EQ(0, before);
	fd = udptest_bound(&aes4);
	ASSERT_LE(0, fd);
	EXPECT_LT(before, nsttest_number(NSTTEST_USERS));
	EXPECT_EQ(-EAGAIN, remove_module());
	other = dup(fd);
	close(fd);
	EXPECT_EQ(-EAGAIN, remove_module());
	close(other);
	EXPECT_EQ(before, references_at_last(before));
	pid = fork();
	if (!pid) {
		udptest_bound(&aes4);
		raise(SIGKILL);
	}
	tcptest_reap(pid);
	EXPECT_EQ(before, references_at_last(before));
}

/* And when none is left, it goes and comes. */
TEST(module_is_removed)
{
	int a, b, i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, udptest_met(&aes4, &a, &b));
		close(a);
		close(b);
		ASSERT_EQ(0, references_at_last(0));
		ASSERT_EQ(0, remove_module());
		a = udptest_open(&plain4);
		EXPECT_EQ(-ENOPROTOOPT, udptest_attach(a));
		close(a);
		ASSERT_EQ(0, udptest_run("modprobe nst_ulp"));
	}
}

TEST_HARNESS_MAIN
