// SPDX-License-Identifier: GPL-2.0
/*
 * Datagrams to many: what comes to a multicast or broadcast address is taken
 * once by each socket, and by none in another way.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>

#include "cgroup.h"
#include "udp_hostile.h"

#define PORT	5353
#define SOCKETS	3

enum kind { MULTICAST4, MULTICAST6, BROADCAST };

FIXTURE(cast)
{
	struct udpend *e;
	struct udpend_conf conf;
	struct sockaddr_storage group;
	struct sockaddr_storage own;	/* unicast, to the same port */
	int k[SOCKETS];
	struct dgram d;
};

FIXTURE_VARIANT(cast)
{
	enum kind kind;
	uint8_t cipher_id;
	bool private;
};

#define VARIANT(name, what, id, priv)					\
FIXTURE_VARIANT_ADD(cast, name)						\
{									\
	.kind = what, .cipher_id = id, .private = priv,			\
}

VARIANT(multicast4, MULTICAST4, NST_CIPHER_AES_GCM, false);
VARIANT(multicast6, MULTICAST6, NST_CIPHER_SM4_GCM, false);
VARIANT(broadcast, BROADCAST, NST_CIPHER_AES_CBC, false);
VARIANT(multicast4_private, MULTICAST4, NST_CIPHER_CHACHA20_POLY1305, true);

/*
 * Where groups live: IPv4's on loopback, which can do that but does not say so;
 * IPv6's on an interface of their own.
 */
#define DEVICE(kind)	((kind) == MULTICAST6 ? "nstd" : "lo")
#define SETUP6	"ip link add nstd type dummy && ip link set nstd up && " \
		"ip -6 addr add fd4e::1/64 dev nstd nodad"

static int lo_multicast(void)
{
	struct ifreq ifr = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), ret;

	ifr.ifr_flags = IFF_UP | IFF_RUNNING | IFF_LOOPBACK | IFF_MULTICAST;
	ret = ioctl(fd, SIOCSIFFLAGS, &ifr) ? -errno : 0;
	close(fd);
	return ret;
}

/* Where group and unicast of this kind are. */
static void addresses(FIXTURE_DATA(cast) *self, enum kind kind)
{
	struct sockaddr_in6 *in6 = (void *)&self->group;
	struct sockaddr_in *in = (void *)&self->group;

	memset(&self->group, 0, sizeof(self->group));
	self->group.ss_family = kind == MULTICAST6 ? AF_INET6 : AF_INET;
	in->sin_port = htons(PORT);	/* in6's is at the same place */
	self->own = self->group;
	if (kind == MULTICAST6) {
		inet_pton(AF_INET6, "ff05::4e:5354", &in6->sin6_addr);
		in6 = (void *)&self->own;
		inet_pton(AF_INET6, "fd4e::1", &in6->sin6_addr);
		return;
	}
	in->sin_addr.s_addr = htonl(kind == BROADCAST ? 0x7fffffff :
						       0xef4e5354);
	((struct sockaddr_in *)&self->own)->sin_addr.s_addr =
		htonl(INADDR_LOOPBACK);
}

static int join(int fd, const struct sockaddr_storage *group, enum kind kind)
{
	const struct sockaddr_in6 *in6 = (const void *)group;
	const struct sockaddr_in *in = (const void *)group;
	struct ip_mreqn mreq = { .imr_ifindex = if_nametoindex(DEVICE(kind)) };
	struct ipv6_mreq mreq6 = { .ipv6mr_interface = mreq.imr_ifindex };

	if (kind == BROADCAST)
		return 0;
	mreq.imr_multiaddr = in->sin_addr;
	mreq6.ipv6mr_multiaddr = in6->sin6_addr;
	if (kind == MULTICAST6)
		return setsockopt(fd, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP,
				  &mreq6, sizeof(mreq6)) ? -errno : 0;
	return setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &mreq,
			  sizeof(mreq)) ? -errno : 0;
}

/* An NST socket in the group; unicast comes to the last one of them. */
static int member(const FIXTURE_DATA(cast) *self, enum kind kind)
{
	struct timeval tv = { .tv_sec = NSTTEST_TIMEOUT };
	struct sockaddr_storage any = self->group;
	int fd = socket(any.ss_family, SOCK_DGRAM, 0), one = 1, ret;

	if (any.ss_family == AF_INET6)
		((struct sockaddr_in6 *)&any)->sin6_addr = in6addr_any;
	else
		((struct sockaddr_in *)&any)->sin_addr.s_addr = 0;
	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) ||
	    bind(fd, (void *)&any, udpend_addr_len(any.ss_family)))
		return -errno;
	ret = udpend_attach(fd, any.ss_family);
	if (!ret)
		ret = udpend_install(fd, NST_TX_RX, &self->conf);
	if (!ret)
		ret = join(fd, &self->group, kind);
	return ret ? ret : fd;
}

static int sender(int fd, enum kind kind)
{
	struct ip_mreqn mreq = { .imr_ifindex = if_nametoindex(DEVICE(kind)) };
	int one = 1;

	if (kind == BROADCAST)
		return setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &one,
				  sizeof(one));
	if (kind == MULTICAST6)
		return setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF,
				  &mreq.imr_ifindex, sizeof(int));
	return setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &mreq,
			  sizeof(mreq));
}

FIXTURE_SETUP(cast)
{
	int i;

	addresses(self, variant->kind);
	memset(&self->conf, 0, sizeof(self->conf));
	self->conf.family = self->group.ss_family;
	self->conf.cipher_id = variant->cipher_id;
	self->conf.private = variant->private;
	self->e = end_open(_metadata, &self->conf);
	ASSERT_EQ(0, lo_multicast());
	if (variant->kind == MULTICAST6) {
		ASSERT_EQ(0, system(SETUP6));
		/* Not from ::1, which leaves loopback for nowhere. */
		close(self->e->raw);
		self->e->raw = socket(AF_INET6, SOCK_DGRAM, 0);
		ASSERT_LE(0, self->e->raw);
	}
	for (i = 0; i < SOCKETS; i++) {
		self->k[i] = member(self, variant->kind);
		ASSERT_LE(0, self->k[i]);
	}
	ASSERT_EQ(0, sender(self->e->raw, variant->kind));
}

FIXTURE_TEARDOWN(cast)
{
	int i;

	for (i = 0; i < SOCKETS; i++)
		close(self->k[i]);
	end_close(self->e);
}

static void take_all(struct __test_metadata *_metadata,
		     FIXTURE_DATA(cast) *self, int nr)
{
	int i;

	ASSERT_EQ(0, nsttest_counters(&self->e->before));
	ASSERT_EQ(0, udpend_send(self->e->raw, &self->group, self->d.b,
				 self->d.len));
	for (i = 0; i < nr; i++)
		expect_got(_metadata, self->k[i], &self->d);
	EXPECT_STREQ("", nsttest_grown(&self->e->before));
}

/* Each of the @nr sockets that it comes to counts it. */
static void refuse_all(struct __test_metadata *_metadata,
		       FIXTURE_DATA(cast) *self,
		       const struct sockaddr_storage *to, int nr,
		       const char *cause)
{
	char want[64];
	int i;

	snprintf(want, sizeof(want), "%s+%d", cause, nr);
	ASSERT_EQ(0, nsttest_counters(&self->e->before));
	ASSERT_EQ(0, udpend_send(self->e->raw, to, self->d.b, self->d.len));
	EXPECT_EQ(0, udpend_grown_to(&self->e->before, want));
	for (i = 0; i < SOCKETS; i++)
		expect_nothing(_metadata, self->k[i]);
}

TEST_F(cast, once_by_each)
{
	int i;

	for (i = 0; i < 5; i++) {
		make(&self->e->p, &self->d);
		take_all(_metadata, self, SOCKETS);
		refuse_all(_metadata, self, &self->group, SOCKETS,
			   "NstRxReplayed");
	}
}

/* The first datagram of a session: all wait for its keys, all get it. */
TEST_F(cast, each_new_session)
{
	int i;

	for (i = 0; i < 5; i++) {
		udppeer_epoch(&self->e->p);
		make(&self->e->p, &self->d);
		take_all(_metadata, self, SOCKETS);
	}
	refuse_all(_metadata, self, &self->group, SOCKETS, "NstRxReplayed");
}

/* Behind what each has had: a socket's window begins where the session is then. */
TEST_F(cast, out_of_order)
{
	static struct dgram all[20];
	int i;

	make(&self->e->p, &self->d);
	take_all(_metadata, self, SOCKETS);
	for (i = 0; i < 20; i++)
		make(&self->e->p, &all[i]);
	for (i = 19; i >= 0; i--) {
		self->d = all[i];
		take_all(_metadata, self, SOCKETS);
	}
	for (i = 0; i < 20; i++) {
		self->d = all[i];
		refuse_all(_metadata, self, &self->group, SOCKETS,
			   "NstRxReplayed");
	}
}

TEST_F(cast, captured_and_sent_to_one)
{
	make(&self->e->p, &self->d);
	take_all(_metadata, self, SOCKETS);
	refuse_all(_metadata, self, &self->own, 1, "NstRxReplayed");
}

TEST_F(cast, captured_from_one_and_sent_to_all)
{
	char buf[64];
	int i, got = 0;

	make(&self->e->p, &self->d);
	take_all(_metadata, self, SOCKETS);
	make(&self->e->p, &self->d);
	ASSERT_EQ(0, udpend_send(self->e->raw, &self->own, self->d.b,
				 self->d.len));
	/* Any of them may have got it. */
	for (i = 0; i < SOCKETS && !got; i++)
		got = recv(self->k[i], buf, sizeof(buf), MSG_DONTWAIT) > 0;
	ASSERT_EQ(1, got);
	refuse_all(_metadata, self, &self->group, SOCKETS, "NstRxReplayed");
}

/* A socket that is opened anew takes nothing that came before, from nowhere. */
TEST_F(cast, opened_anew)
{
	int i;

	for (i = 0; i < 5; i++) {
		make(&self->e->p, &self->d);
		take_all(_metadata, self, SOCKETS);
		close(self->k[i % SOCKETS]);
		self->k[i % SOCKETS] = member(self, variant->kind);
		ASSERT_LE(0, self->k[i % SOCKETS]);
		refuse_all(_metadata, self, &self->group, SOCKETS,
			   "NstRxReplayed");
	}
}

/* Forged, to all: refused by each, and each takes the real one. */
TEST_F(cast, forged)
{
	make(&self->e->p, &self->d);
	take_all(_metadata, self, SOCKETS);
	make(&self->e->p, &self->d);
	self->d.b[self->d.len - 1] ^= 1;
	refuse_all(_metadata, self, &self->group, SOCKETS, "NstRxAuth");
	self->d.b[self->d.len - 1] ^= 1;
	take_all(_metadata, self, SOCKETS);
}

/* Members come and go; the session lives longer than any of them. */
TEST_F(cast, members_come_and_go)
{
	struct sockaddr_storage *group = &self->group;
	int i;

	make(&self->e->p, &self->d);
	take_all(_metadata, self, SOCKETS);
	for (i = 0; i < 100; i++) {
		close(self->k[2]);
		self->k[2] = member(self, variant->kind);
		ASSERT_LE(0, self->k[2]);
		make(&self->e->p, &self->d);
		ASSERT_EQ(0, udpend_send(self->e->raw, group, self->d.b,
					 self->d.len));
		expect_got(_metadata, self->k[2], &self->d);
		expect_got(_metadata, self->k[0], &self->d);
		expect_got(_metadata, self->k[1], &self->d);
	}
}

#define CGROUP	CGROUP_ROOT "/cast"
#define LIMIT	CGROUP "/memory.max"

/*
 * Anybody of the group may send, and its members pay for what they remember of each
 * session: within the limit of their cgroup. Others take what comes all the same.
 */
TEST_F_TIMEOUT(cast, in_a_full_cgroup, 60)
{
	enum { MEMBERS = 24, MANY = 60, ROOM = 64 << 10 };
	int k[MEMBERS], i;
	long limit, most = 0, now;
	char text[32];

	if (cgroup_make(CGROUP) == -ENODEV) {
		cgroup_end();
		SKIP(return, "this kernel has no memory cgroups");
	}
	ASSERT_EQ(0, cgroup_enter(CGROUP));
	for (i = 0; i < MEMBERS; i++) {
		k[i] = member(self, variant->kind);
		ASSERT_LE(0, k[i]);
	}
	ASSERT_EQ(0, cgroup_enter(CGROUP_ROOT));
	snprintf(text, sizeof(text), "%ld",
		 nsttest_number(CGROUP "/memory.current") + ROOM);
	ASSERT_EQ(0, nsttest_write_file(LIMIT, text));
	limit = nsttest_number(LIMIT);
	ASSERT_EQ(0, nsttest_counters(&self->e->before));
	for (i = 0; i < MANY; i++) {
		udppeer_epoch(&self->e->p);
		make(&self->e->p, &self->d);
		ASSERT_EQ(0, udpend_send(self->e->raw, &self->group, self->d.b,
					 self->d.len));
		expect_got(_metadata, self->k[0], &self->d);
		now = nsttest_number(CGROUP "/memory.current");
		if (now > most)
			most = now;
	}
	TH_LOG("at most %ld of %ld bytes; counted: %s", most, limit,
	       nsttest_grown(&self->e->before));
	/* UDP has a page or two of each queue charged beyond. */
	EXPECT_GE(limit + MEMBERS * 8192, most);
	EXPECT_LT(0, nsttest_stat("NstRxNoMem"));
	EXPECT_EQ(0, nsttest_write_file(LIMIT, "max"));
	for (i = 0; i < MEMBERS; i++)
		close(k[i]);
	cgroup_end();
}

TEST_HARNESS_MAIN
