// SPDX-License-Identifier: GPL-2.0
/*
 * The first datagram of a session waits for its keys. What was decided about it
 * when it came in holds: the socket that was chosen for it gets it, once, and
 * nobody else.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <sched.h>

#include "udp_hostile.h"

#ifndef SO_INCOMING_CPU
#define SO_INCOMING_CPU	49
#endif

#define PROXY_PORT	7777
#define ORIGINAL_PORT	9999

static const struct udpend_conf conf4 = {
	.family = AF_INET, .cipher_id = NST_CIPHER_AES_GCM,
};

static void loopback(struct sockaddr_storage *ss, uint16_t port)
{
	struct sockaddr_in *in = (void *)ss;

	memset(ss, 0, sizeof(*ss));
	in->sin_family = AF_INET;
	in->sin_port = htons(port);
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
}

/* Waits a moment for a datagram: its length, or -errno. */
static int got(int fd, unsigned int ms)
{
	struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
	char buf[2048];
	int n;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	n = recv(fd, buf, sizeof(buf), 0);
	return n < 0 ? -errno : n;
}

FIXTURE(steer)
{
	struct udpend *e;
	struct sockaddr_storage original;
	int proxy;
};

static int transparent(uint16_t port)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0), one = 1;
	struct sockaddr_storage at;

	loopback(&at, port);
	if (setsockopt(fd, SOL_IP, IP_TRANSPARENT, &one, sizeof(one)) ||
	    udpend_attach(fd, AF_INET) ||
	    udpend_install(fd, NST_TX_RX, &conf4) ||
	    bind(fd, (void *)&at, sizeof(struct sockaddr_in)))
		return -errno;
	return fd;
}

/* To the proxy instead of the original port. */
static const char * const rules[] = {
	"nft add table ip m",
	"nft 'add chain ip m p { type filter hook prerouting priority -150; }'",
	"nft add rule ip m p udp dport 9999 tproxy to 127.0.0.1:7777 meta mark set 1 accept",
};

FIXTURE_SETUP(steer)
{
	unsigned int i;

	self->e = end_open(_metadata, &conf4);
	loopback(&self->original, ORIGINAL_PORT);
	self->proxy = transparent(PROXY_PORT);
	ASSERT_LE(0, self->proxy);
	for (i = 0; i < sizeof(rules) / sizeof(*rules); i++)
		ASSERT_EQ(0, system(rules[i]));
}

FIXTURE_TEARDOWN(steer)
{
	close(self->proxy);
	end_close(self->e);
}

/* Sends the first datagram of a new session to the original port. */
static void send_first(struct __test_metadata *_metadata, struct udpend *e,
		       const struct sockaddr_storage *to, struct dgram *d)
{
	udppeer_epoch(&e->p);
	make(&e->p, d);
	ASSERT_EQ(0, udpend_send(e->raw, to, d->b, d->len));
}

TEST_F(steer, nobody_at_the_original_port)
{
	struct dgram d;
	int i;

	for (i = 0; i < 3; i++) {
		send_first(_metadata, self->e, &self->original, &d);
		expect_got(_metadata, self->proxy, &d);
	}
	make(&self->e->p, &d);
	ASSERT_EQ(0, udpend_send(self->e->raw, &self->original, d.b, d.len));
	expect_got(_metadata, self->proxy, &d);
}

/* The socket is not the proxy's: it must not get the plaintext, nor ciphertext. */
TEST_F(steer, plain_at_the_original_port)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct dgram d;

	ASSERT_EQ(0, bind(fd, (void *)&self->original,
			  sizeof(struct sockaddr_in)));
	send_first(_metadata, self->e, &self->original, &d);
	expect_got(_metadata, self->proxy, &d);
	EXPECT_EQ(-EAGAIN, got(fd, 100));
	close(fd);
}

TEST_F(steer, nst_at_the_original_port)
{
	int fd = udpend_socket_at(&conf4, &self->original);
	struct dgram d;

	ASSERT_LE(0, fd);
	send_first(_metadata, self->e, &self->original, &d);
	expect_got(_metadata, self->proxy, &d);
	EXPECT_EQ(-EAGAIN, got(fd, 100));
	close(fd);
}

/* What waits for a socket that is closed meanwhile is for nobody. */
TEST_F(steer, closed_while_it_waits)
{
	int64_t before = nsttest_stat("NstSockets");
	struct dgram d;
	int fd, i;

	for (i = 0; i < 20; i++) {
		fd = udpend_socket_at(&conf4, &self->e->to);
		if (fd < 0)
			fd = udpend_socket(&conf4);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, udpend_name(fd, &self->original));
		send_first(_metadata, self->e, &self->original, &d);
		close(fd);
	}
	EXPECT_EQ(before, udpend_stat_wait("NstSockets", before));
	take_next(_metadata, self->e, &self->e->other);
}

/* A plain member of a group gets one copy of what others let wait. */
TEST(plain_member)
{
	struct udpend *e = end_open(_metadata, &conf4);
	int plain = socket(AF_INET, SOCK_DGRAM, 0), one = 1, nst;
	struct sockaddr_storage any, cast;
	struct dgram d;

	loopback(&any, ORIGINAL_PORT);
	cast = any;
	((struct sockaddr_in *)&any)->sin_addr.s_addr = 0;
	((struct sockaddr_in *)&cast)->sin_addr.s_addr = htonl(0x7fffffff);
	nst = socket(AF_INET, SOCK_DGRAM, 0);
	setsockopt(nst, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(plain, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	ASSERT_EQ(0, udpend_attach(nst, AF_INET));
	ASSERT_EQ(0, udpend_install(nst, NST_TX_RX, &conf4));
	ASSERT_EQ(0, bind(nst, (void *)&any, sizeof(struct sockaddr_in)));
	ASSERT_EQ(0, bind(plain, (void *)&any, sizeof(struct sockaddr_in)));
	setsockopt(e->raw, SOL_SOCKET, SO_BROADCAST, &one, sizeof(one));
	make(&e->p, &d);
	ASSERT_EQ(0, udpend_send(e->raw, &cast, d.b, d.len));
	expect_got(_metadata, nst, &d);
	EXPECT_EQ((int)d.len, got(plain, 1000));
	EXPECT_EQ(-EAGAIN, got(plain, 100));
	close(plain);
	close(nst);
	end_close(e);
}

/* A reader may be awake before the socket is told the CPU of what came again. */
static int cpu_told(int fd, int expected)
{
	socklen_t len = sizeof(int);
	int i, cpu = -1;

	for (i = 0; i < 1000 && cpu != expected; i++) {
		if (i)
			usleep(1000);
		if (getsockopt(fd, SOL_SOCKET, SO_INCOMING_CPU, &cpu, &len))
			return -errno;
	}
	return cpu;
}

/* Where a datagram came in is told, not where its keys were derived. */
TEST(incoming_cpu)
{
	struct udpend *e = end_open(_metadata, &conf4);
	struct sockaddr_storage from;
	cpu_set_t set;
	int cpu, i, fd;
	struct dgram d;

	ASSERT_EQ(0, udpend_name(e->raw, &from));
	for (i = 0; i < 8; i++) {
		CPU_ZERO(&set);
		cpu = i % sysconf(_SC_NPROCESSORS_ONLN);
		CPU_SET(cpu, &set);
		ASSERT_EQ(0, sched_setaffinity(0, sizeof(set), &set));
		fd = udpend_socket(&conf4);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, connect(fd, (void *)&from,
				     sizeof(struct sockaddr_in)));
		ASSERT_EQ(0, udpend_name(fd, &e->to));
		send_first(_metadata, e, &e->to, &d);
		expect_got(_metadata, fd, &d);
		EXPECT_EQ(cpu, cpu_told(fd, cpu));
		close(fd);
	}
	end_close(e);
}

#define GROUP		8
#define GROUP_PORT	8888

/* A group of sockets, of which a program takes the one of the CPU it runs on. */
static int group_of_cpus(int *fd, int nr)
{
	struct sock_filter code[] = {
		{ BPF_LD | BPF_W | BPF_ABS, 0, 0, SKF_AD_OFF + SKF_AD_CPU },
		{ BPF_RET | BPF_A, 0, 0, 0 },
	};
	struct sock_fprog prog = { .len = 2, .filter = code };
	struct sockaddr_storage at;
	int i, one = 1;

	loopback(&at, GROUP_PORT);
	for (i = 0; i < nr; i++) {
		fd[i] = socket(AF_INET, SOCK_DGRAM, 0);
		if (fd[i] < 0 || udpend_attach(fd[i], AF_INET) ||
		    udpend_install(fd[i], NST_TX_RX, &conf4) ||
		    setsockopt(fd[i], SOL_SOCKET, SO_REUSEPORT, &one,
			       sizeof(one)) ||
		    bind(fd[i], (void *)&at, sizeof(struct sockaddr_in)))
			return -errno;
	}
	return setsockopt(fd[0], SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &prog,
			  sizeof(prog)) ? -errno : 0;
}

/* The keys of a new session are derived on any CPU; its datagram has its socket. */
TEST(steered_by_cpu)
{
	int cpus = sysconf(_SC_NPROCESSORS_ONLN), fd[GROUP], cpu, i, k;
	struct udpend *e = end_open(_metadata, &conf4);
	struct sockaddr_storage to;
	struct dgram d;
	cpu_set_t set;

	if (cpus > GROUP)
		cpus = GROUP;
	ASSERT_EQ(0, group_of_cpus(fd, GROUP));
	loopback(&to, GROUP_PORT);
	for (i = 0; i < 4 * GROUP; i++) {
		cpu = i % cpus;
		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		ASSERT_EQ(0, sched_setaffinity(0, sizeof(set), &set));
		send_first(_metadata, e, &to, &d);
		EXPECT_EQ((int)d.plain_len, got(fd[cpu], 20000));
		for (k = 0; k < GROUP; k++)
			expect_nothing(_metadata, fd[k]);
	}
	for (k = 0; k < GROUP; k++)
		close(fd[k]);
	end_close(e);
}

TEST_HARNESS_MAIN
