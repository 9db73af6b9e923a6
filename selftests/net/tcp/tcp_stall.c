// SPDX-License-Identifier: GPL-2.0
/*
 * A record that is off TCP's queue and waits for memory: the socket pays for it so
 * long, and what a reader has of it already is not told again, and not lost.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "cgroup.h"
#include "faulty.h"
#include "kselftest_harness.h"
#include "tcptest.h"
#include "vethtest.h"

#define CGROUP	CGROUP_ROOT "/stall"
#define NR	50
#define BIG	60000
#define SHARED	25000	/* with what stands before it no more than a segment */

static const struct nsttest_conf keys = {
	.cipher_id = NST_CIPHER_AES_GCM, .nr_keys = NSTTEST_KEYS,
	.flags = NST_F_RESPONDER,
};

/* --- who pays --------------------------------------------------------------- */

FIXTURE(pays)
{
	int kern[NR];
	int raw[NR];
};

FIXTURE_SETUP(pays)
{
	int i;

	for (i = 0; i < NR; i++)
		self->kern[i] = self->raw[i] = -1;
	if (cgroup_make(CGROUP) == -ENODEV) {
		cgroup_end();
		NSTTEST_SKIP_FIXTURE("this kernel has no memory cgroups");
	}
	ASSERT_EQ(0, faulty_load());
	ASSERT_EQ(0, cgroup_enter(CGROUP));
}

/* Bytes that sockets of the cgroup are charged for; to read them makes it exact. */
static long sockets(void)
{
	return nsttest_find(CGROUP "/memory.stat", "sock");
}

/* The kernel counts some of it late: until it is @least at least and @most at most. */
static long sockets_soon(long least, long most)
{
	long ms = nsttest_patience(10) * 1000, n;

	while ((n = sockets()) < least || n > most) {
		if (ms <= 0)
			break;
		usleep(50000);
		ms -= 50;
	}
	return n;
}

FIXTURE_TEARDOWN(pays)
{
	int i;

	for (i = 0; i < NR; i++) {
		close(self->raw[i]);
		close(self->kern[i]);
	}
	/* All is given back, but for what each processor keeps ready. */
	EXPECT_LE(0, sockets_soon(0, NR * 1024));
	EXPECT_GE(NR * 1024, sockets());
	EXPECT_EQ(0, faulty_unload());
	cgroup_end();
}

/* A record of BIG bytes from each peer waits for memory, of how many. */
static int stall_all(const FIXTURE_DATA(pays) *self)
{
	int i, waiting = 0;
	char in;

	for (i = 0; i < NR; i++)
		if (tcptest_poll(self->kern[i], POLLIN, TCPTEST_SOON_MS) == POLLIN &&
		    recv(self->kern[i], &in, 1, MSG_DONTWAIT) == -1 &&
		    errno == EAGAIN)
			waiting++;
	return waiting;
}

static int send_all(const FIXTURE_DATA(pays) *self)
{
	static char plain[BIG];
	int i, ret = 0;

	for (i = 0; i < NR && !ret; i++) {
		struct peer p;

		peer_init(&p, self->raw[i], NST_CIPHER_AES_GCM, nsttest_box,
			  NSTTEST_KEYS);
		p.role = PEER_F_INITIATOR;
		tcptest_fill(plain, BIG, i);
		ret = peer_send(&p, PEER_DATA, plain, BIG);
	}
	return ret;
}

/* Of what waits nothing is on TCP's queue any more. */
TEST_F_TIMEOUT(pays, for_a_record_that_waits, 300)
{
	long before = sockets();
	int i;

	for (i = 0; i < NR; i++) {
		ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &self->kern[i],
					  &self->raw[i]));
		ASSERT_EQ(0, tcptest_key(self->kern[i], &faulty_conf,
					 NST_F_RESPONDER));
	}
	ASSERT_EQ(0, faulty_open(ENOMEM, FAULTY_EVER));
	ASSERT_EQ(0, send_all(self));
	ASSERT_EQ(NR, stall_all(self));
	EXPECT_LE(before + NR * BIG, sockets_soon(before + NR * BIG, LONG_MAX));
	ASSERT_EQ(0, faulty_open(0, 0));
	/* Half of them are read, the others lost. */
	for (i = 0; i < NR / 2; i++)
		ASSERT_EQ(0, tcptest_recv(self->kern[i], i, BIG, BIG));
	EXPECT_GE(before + NR / 2 * 100000l,
		  sockets_soon(0, before + NR / 2 * 100000l));
	for (; i < NR; i++) {
		close(self->kern[i]);
		self->kern[i] = -1;
	}
	EXPECT_GE(before + NR * 8192l, sockets_soon(0, before + NR * 8192l));
}

/* What accept() charges to the cgroup is what TCP has: it is not charged before. */
TEST_F_TIMEOUT(pays, for_a_start_from_before_accept, 300)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int listener = socket(AF_INET, SOCK_STREAM, 0), i;
	long stalled = nsttest_stat("NstRxStalled"), before = sockets();
	socklen_t len = sizeof(sin);

	ASSERT_EQ(0, bind(listener, (struct sockaddr *)&sin, len));
	ASSERT_EQ(0, getsockname(listener, (struct sockaddr *)&sin, &len));
	ASSERT_EQ(0, listen(listener, NR));
	ASSERT_EQ(0, nsttest_attach(listener));
	ASSERT_EQ(0, nsttest_install(listener, &keys));
	ASSERT_EQ(0, faulty_open(ENOMEM, FAULTY_EVER));
	for (i = 0; i < NR; i++) {
		self->raw[i] = socket(AF_INET, SOCK_STREAM, 0);
		ASSERT_EQ(0, connect(self->raw[i], (struct sockaddr *)&sin,
				     len));
	}
	ASSERT_EQ(0, send_all(self));
	/* The worker has taken each of them off the queue. */
	for (i = nsttest_patience(20) * 20; i > 0; i--) {
		if (nsttest_stat("NstRxStalled") >= stalled + 2 * NR)
			break;
		usleep(50000);
	}
	EXPECT_LT(0, i);
	for (i = 0; i < NR; i++) {
		self->kern[i] = accept(listener, NULL, NULL);
		ASSERT_LE(0, self->kern[i]);
	}
	EXPECT_LE(before + NR * BIG, sockets_soon(before + NR * BIG, LONG_MAX));
	ASSERT_EQ(0, faulty_open(0, 0));
	for (i = 0; i < NR; i++)
		ASSERT_EQ(0, tcptest_recv(self->kern[i], i, BIG, BIG));
	close(listener);
}

/* Bytes of buffers that TCP counts for what is on its queues. */
static long on_queues(const FIXTURE_DATA(pays) *self)
{
	__u32 mem[SK_MEMINFO_VARS];
	socklen_t len = sizeof(mem);
	long sum = 0;
	int i;

	for (i = 0; i < NR; i++, len = sizeof(mem)) {
		if (getsockopt(self->kern[i], SOL_SOCKET, SO_MEMINFO, mem, &len))
			return -1;
		sum += mem[SK_MEMINFO_RMEM_ALLOC];
	}
	return sum;
}

/*
 * In one linear buffer, which cannot be held but whole: a short record, which waits,
 * and the long one behind it, for which TCP counts all of the buffer already.
 */
TEST_F_TIMEOUT(pays, once_for_a_buffer_that_others_share, 300)
{
	static const struct veth_conf linear = {
		.offload = VETH_NO_SG, .mtu = 65000,
	};
	static char plain[BIG];
	long before, queued;
	struct peer p;
	struct veth v;
	int i;

	ASSERT_EQ(0, veth_open(&v, &linear));
	ASSERT_EQ(0, veth_enter(&v, 1));
	for (i = 0; i < NR; i++) {
		ASSERT_EQ(0, veth_connect(&v, AF_INET, 0, 0, &self->raw[i],
					  &self->kern[i]));
		ASSERT_EQ(0, tcptest_key(self->kern[i], &faulty_conf,
					 NST_F_RESPONDER));
	}
	before = sockets();
	ASSERT_EQ(0, faulty_open(ENOMEM, FAULTY_EVER));
	tcptest_fill(plain, SHARED, 1);
	for (i = 0; i < NR; i++) {
		int cork = 1;

		peer_init(&p, self->raw[i], NST_CIPHER_AES_GCM, nsttest_box,
			  NSTTEST_KEYS);
		p.role = PEER_F_INITIATOR;
		ASSERT_EQ(0, setsockopt(self->raw[i], SOL_TCP, TCP_CORK, &cork,
					sizeof(cork)));
		ASSERT_EQ(0, peer_send(&p, PEER_DATA, "short", 5));
		ASSERT_EQ(0, peer_send(&p, PEER_DATA, plain, SHARED));
		cork = 0;
		ASSERT_EQ(0, setsockopt(self->raw[i], SOL_TCP, TCP_CORK, &cork,
					sizeof(cork)));
	}
	ASSERT_EQ(NR, stall_all(self));
	queued = on_queues(self);
	ASSERT_LE((long)NR * SHARED, queued);
	EXPECT_GE(before + queued + queued / 2,
		  sockets_soon(0, before + queued + queued / 2));
	ASSERT_EQ(0, faulty_open(0, 0));
	for (i = 0; i < NR; i++) {
		ASSERT_EQ(5, recv(self->kern[i], plain, 5, 0));
		ASSERT_EQ(0, tcptest_recv(self->kern[i], 1, SHARED, SHARED));
	}
	veth_close(&v);
}

/* --- in part ---------------------------------------------------------------- */

#define LEN	100
#define HALF	50

FIXTURE(part)
{
	int a;
	int b;
	char *end;	/* there memory ends */
};

FIXTURE_SETUP(part)
{
	char *mem = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_EQ(0, faulty_load());
	if (access(FAULTY_PARAM "no_buffer", F_OK)) {
		faulty_unload();
		NSTTEST_SKIP_FIXTURE("this kernel has no probes");
	}
	ASSERT_NE(MAP_FAILED, mem);
	self->end = mem + 4096;
	ASSERT_EQ(0, munmap(self->end, 4096));
	ASSERT_EQ(0, tcptest_pair(&faulty_conf, &self->a, &self->b));
	ASSERT_EQ(0, tcptest_bind(self->a, self->b));
	/* The reader's memory takes half of it, and for the rest there is none. */
	ASSERT_EQ(0, tcptest_send(self->a, 0, LEN, LEN));
	ASSERT_EQ(0, tcptest_send(self->a, LEN, LEN, LEN));
	ASSERT_EQ(0, nsttest_write_file(FAULTY_PARAM "no_buffer", "1000000"));
	ASSERT_EQ(HALF, recv(self->b, self->end - HALF, LEN, 0));
	ASSERT_TRUE(tcptest_same(self->end - HALF, HALF, 0));
}

FIXTURE_TEARDOWN(part)
{
	nsttest_write_file(FAULTY_PARAM "no_buffer", "0");
	close(self->a);
	close(self->b);
	EXPECT_EQ(0, faulty_unload());
}

static int queued(int fd)
{
	int n = -1;

	return ioctl(fd, FIONREAD, &n) ? -errno : n;
}

TEST_F(part, is_readable)
{
	char in[LEN];

	EXPECT_EQ(HALF + LEN, queued(self->b));
	EXPECT_EQ(POLLIN, tcptest_poll(self->b, POLLIN, 0));
	EXPECT_EQ(-1, recv(self->b, in, LEN, MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(-1, recv(self->b, in, LEN, MSG_DONTWAIT | MSG_PEEK));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(HALF + LEN, queued(self->b));
	ASSERT_EQ(0, nsttest_write_file(FAULTY_PARAM "no_buffer", "0"));
	EXPECT_EQ(HALF, recv(self->b, in, HALF, MSG_PEEK));
	EXPECT_TRUE(tcptest_same(in, HALF, HALF));
	EXPECT_EQ(0, tcptest_recv(self->b, HALF, HALF + LEN, HALF + LEN));
	EXPECT_EQ(0, queued(self->b));
}

/* It was read with the keys of then, and what comes next is with those of now. */
TEST_F(part, is_not_judged_again)
{
	struct nsttest_info ti;
	char in[LEN];

	nsttest_fill(&ti, NST_CIPHER_AES_GCM);
	ti.info.flags = NST_F_RESPONDER;
	ti.keys[0].key[0] ^= 1;
	ti.keys[1].key[0] ^= 1;
	ASSERT_EQ(0, setsockopt(self->b, SOL_NST, NST_RX, &ti, sizeof(ti)));
	ASSERT_EQ(0, nsttest_write_file(FAULTY_PARAM "no_buffer", "0"));
	EXPECT_EQ(HALF, recv(self->b, in, HALF, 0));
	EXPECT_TRUE(tcptest_same(in, HALF, HALF));
	EXPECT_EQ(-1, recv(self->b, in, LEN, 0));
	EXPECT_EQ(EBADMSG, errno);
}

TEST_F(part, is_unread_at_close)
{
	char in;

	close(self->b);
	self->b = -1;
	EXPECT_EQ(-1, recv(self->a, &in, 1, 0));
	EXPECT_EQ(ECONNRESET, errno);
}

TEST_HARNESS_MAIN
