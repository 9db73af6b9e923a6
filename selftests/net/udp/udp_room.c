// SPDX-License-Identifier: GPL-2.0
/*
 * Who sends waits for room in SO_SNDBUF as on a plain socket, and once; who must not
 * wait does so for nothing. What was promised to one is not given to another, and who
 * waits for a page of his own has nothing that others want.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>

#include "faulty.h"
#include "kselftest_harness.h"
#include "nltalk.h"
#include "udptest.h"

#define LEN	900
#define LARGE	60000
#define ROW	100
#define SLOW	"tc qdisc %s dev lo root tbf rate 2400bit burst 3000 limit 1000000"
#define WAIT_MS	2000
#define HOLD_MS	nsttest_patience(600)

/* A send of LEN bytes, or more, in a thread of its own. */
struct sender {
	pthread_t thread;
	pid_t tid;
	int fd, flags;
	char *mem;
	size_t len;
	long ret, ms;
};

static void *run(void *arg)
{
	struct sender *s = arg;
	long begin = nsttest_now_ms();
	sigset_t all;

	/* system() has children. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	__atomic_store_n(&s->tid, gettid(), __ATOMIC_RELEASE);
	s->ret = send(s->fd, s->mem, s->len, s->flags);
	if (s->ret < 0)
		s->ret = -errno;
	s->ms = nsttest_now_ms() - begin;
	return NULL;
}

static int begin(struct sender *s)
{
	return -pthread_create(&s->thread, NULL, run, s);
}

static long end(struct sender *s)
{
	pthread_join(s->thread, NULL);
	return s->ret;
}

static int asleep(struct sender *s)
{
	while (!__atomic_load_n(&s->tid, __ATOMIC_ACQUIRE))
		usleep(1000);
	return tcptest_asleep(s->tid);
}

/* Until there is no room; how many that were. */
static int fill(int fd)
{
	char buf[LEN] = "";
	int n = 0;

	while (n < 200 && send(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		n++;
	return errno == EAGAIN ? n : -errno;
}

FIXTURE(room)
{
	struct tcptest_hole hole;
	int a;
	int b;
};

FIXTURE_VARIANT(room)
{
	struct udptest_conf conf;
};

UDPTEST_VARIANTS_FEW(room);
UDPTEST_V_BOX(room, box, NST_CIPHER_AES_GCM, UDPTEST_IPV4);

/* Loopback passes on so little that the send buffer fills. */
FIXTURE_SETUP(room)
{
	ASSERT_EQ(0, nsttest_netns());
	if (variant->conf.box)
		ASSERT_EQ(0, udptest_load_box());
	ASSERT_EQ(0, tcptest_hole_open(&self->hole));
	ASSERT_EQ(0, udptest_met(&variant->conf, &self->a, &self->b));
	ASSERT_EQ(0, udptest_lo_mtu(1500));
	ASSERT_EQ(0, udptest_run(SLOW, "add"));
	ASSERT_EQ(0, tcptest_set_int(self->a, SOL_SOCKET, SO_SNDBUF, 1));
}

FIXTURE_TEARDOWN(room)
{
	/* Or the socket, and with it the module, goes when all that has gone. */
	EXPECT_LE(0, system("tc qdisc del dev lo root 2>/dev/null"));
	close(self->a);
	close(self->b);
	tcptest_hole_close(&self->hole);
}

static long refused(const struct udptest_conf *conf)
{
	if (conf->family == UDPTEST_IPV6)
		return nsttest_find("/proc/thread-self/net/snmp6",
				    "Udp6SndbufErrors");
	return nsttest_mib("/proc/thread-self/net/snmp", "Udp:",
			   "SndbufErrors");
}

/* Each that was refused is counted, once. */
TEST_F(room, counted)
{
	long before = refused(&variant->conf);

	ASSERT_LE(0, before);
	ASSERT_LT(0, fill(self->a));
	EXPECT_EQ(before + 1, refused(&variant->conf));
	EXPECT_EQ(-1, send(self->a, "x", 1, MSG_DONTWAIT));
	EXPECT_EQ(before + 2, refused(&variant->conf));
	ASSERT_EQ(0, tcptest_timeout(self->a, SO_SNDTIMEO, 20));
	EXPECT_EQ(-EAGAIN, udptest_send(self->a, 1, LEN));
	EXPECT_EQ(before + 3, refused(&variant->conf));
}

/* That there is no key is told at once, not when there is room. */
TEST_F(room, no_key_is_told_first)
{
	struct talk t;

	if (!variant->conf.box)
		return;
	ASSERT_LT(0, fill(self->a));
	ASSERT_EQ(0, nl_open(&t));
	ASSERT_EQ(0, nl_simple(&t, NST_CMD_BOX_FLUSH, NLM_F_ACK));
	nl_close(&t);
	EXPECT_EQ(-1, send(self->a, "x", 1, MSG_DONTWAIT));
	EXPECT_EQ(ENOKEY, errno);
	ASSERT_EQ(0, tcptest_timeout(self->a, SO_SNDTIMEO, WAIT_MS));
	EXPECT_EQ(-ENOKEY, udptest_send(self->a, 1, LEN));
}

/* Sends what is not there yet, and has what it needs but for that. */
static void held(struct __test_metadata *_metadata, FIXTURE_DATA(room) *self,
		 struct sender *s)
{
	s->fd = self->a;
	s->mem = self->hole.mem;
	s->len = LEN;
	ASSERT_EQ(0, begin(s));
	ASSERT_EQ(0, asleep(s));
}

/* Room for it was found, so it goes, however many others come meanwhile. */
TEST_F(room, is_kept)
{
	struct sender s = { .flags = MSG_DONTWAIT };

	held(_metadata, self, &s);
	ASSERT_LE(0, fill(self->a));
	ASSERT_EQ(0, tcptest_hole_fill(&self->hole, 'x'));
	EXPECT_EQ(LEN, end(&s));
}

/*
 * There was room after three quarters of the time, and is none any more: only the rest
 * of it may be waited for.
 */
TEST_F(room, is_waited_for_once)
{
	struct sender s = { };
	long given;

	if (!variant->conf.cipher_id)
		return;
	ASSERT_EQ(0, tcptest_timeout(self->a, SO_SNDTIMEO, WAIT_MS));
	ASSERT_EQ(0, tcptest_set_int(self->a, SOL_SOCKET, SO_SNDBUF, 20000));
	ASSERT_LT(0, fill(self->a));
	held(_metadata, self, &s);
	usleep(WAIT_MS * 750);
	ASSERT_EQ(0, udptest_run("tc qdisc del dev lo root"));
	usleep(50000);
	/* Now it waits for its bytes. */
	ASSERT_EQ(0, udptest_run(SLOW, "add"));
	ASSERT_LT(0, fill(self->a));
	ASSERT_EQ(0, tcptest_set_int(self->a, SOL_SOCKET, SO_SNDBUF, 1));
	given = nsttest_now_ms();
	ASSERT_EQ(0, tcptest_hole_fill(&self->hole, 'x'));
	EXPECT_EQ(-EAGAIN, end(&s));
	TH_LOG("%ld ms in all", s.ms);
	EXPECT_GE(WAIT_MS * 5 / 8, nsttest_now_ms() - given);
}

/* Who gave up because of one that was under way hears when that is done. */
TEST_F(room, edge)
{
	struct epoll_event ev = { .events = EPOLLOUT | EPOLLET };
	struct sender s = { };
	int ep = epoll_create1(0);

	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, self->a, &ev));
	ASSERT_EQ(1, epoll_wait(ep, &ev, 1, TCPTEST_SOON_MS));
	held(_metadata, self, &s);
	ASSERT_LE(0, fill(self->a));
	while (epoll_wait(ep, &ev, 1, 0) > 0)
		;
	ASSERT_EQ(0, udptest_run("tc qdisc del dev lo root"));
	ASSERT_EQ(0, tcptest_hole_fill(&self->hole, 'x'));
	EXPECT_EQ(LEN, end(&s));
	EXPECT_EQ(1, epoll_wait(ep, &ev, 1, TCPTEST_SOON_MS));
	EXPECT_EQ(1, send(self->a, "x", 1, MSG_DONTWAIT));
	close(ep);
}

/* Another derives the keys of the next epoch, which lasts: who must not wait does not. */
TEST(nobody_waits_for_keys)
{
	const struct udptest_conf conf = {
		.family = UDPTEST_IPV4, .cipher_id = NST_CIPHER_AES_GCM,
	};
	struct epoll_event ev = { .events = EPOLLOUT | EPOLLET };
	struct sender s = { .mem = "x", .len = 1 };
	struct nst_rekey r = {};
	long start, took;
	int a, b, ep;

	ASSERT_EQ(0, faulty_load());
	ASSERT_EQ(0, udptest_met(&conf, &a, &b));
	ep = epoll_create1(0);
	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, a, &ev));
	ASSERT_EQ(0, setsockopt(a, SOL_NST, NST_REKEY, &r, sizeof(r)));
	ASSERT_EQ(0, faulty_key_lasts(HOLD_MS));
	s.fd = a;
	ASSERT_EQ(0, begin(&s));
	ASSERT_EQ(0, asleep(&s));
	while (epoll_wait(ep, &ev, 1, 0) > 0)
		;
	start = nsttest_now_ms();
	EXPECT_EQ(-1, send(a, "y", 1, MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	took = nsttest_now_ms() - start;
	EXPECT_GT(HOLD_MS / 2, took) {
		TH_LOG("it took %ld ms", took);
	}
	EXPECT_EQ(1, epoll_wait(ep, &ev, 1, TCPTEST_SOON_MS));
	EXPECT_EQ(1, send(a, "y", 1, MSG_DONTWAIT));
	EXPECT_EQ(1, end(&s));
	EXPECT_EQ(0, faulty_key_lasts(0));
	close(ep);
	close(a);
	close(b);
	EXPECT_EQ(0, faulty_unload());
}

/* Pages that the kernel has given to whomever. */
static long pages(void)
{
	return nsttest_find("/proc/vmstat", "pgalloc_normal") +
	       nsttest_find("/proc/vmstat", "pgalloc_dma32");
}

/* What a row of large datagrams takes of them. */
static long pages_for_row(struct __test_metadata *_metadata, int a, int b)
{
	static char buf[LARGE];
	long before = pages();
	int i;

	for (i = 0; i < ROW; i++) {
		EXPECT_EQ(LARGE, send(a, buf, LARGE, 0));
		EXPECT_EQ(LARGE, recv(b, buf, LARGE, 0));
	}
	return pages() - before;
}

/* Nobody else on the processor has to allocate for who waits for a page. */
TEST(who_waits_for_a_page_has_no_spare_buffer)
{
	const struct udptest_conf conf = {
		.family = UDPTEST_IPV4, .cipher_id = NST_CIPHER_AES_GCM,
	};
	struct tcptest_hole hole;
	struct sender s = { .len = TCPTEST_HOLE };
	long alone, beside;
	cpu_set_t one;
	int a, b;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(one), &one));
	ASSERT_EQ(0, udptest_met(&conf, &a, &b));
	ASSERT_EQ(0, tcptest_hole_open(&hole));
	pages_for_row(_metadata, a, b);
	alone = pages_for_row(_metadata, a, b);
	s.fd = a;
	s.mem = hole.mem;
	ASSERT_EQ(0, begin(&s));
	ASSERT_EQ(0, asleep(&s));
	beside = pages_for_row(_metadata, a, b);
	TH_LOG("%d datagrams of %d bytes take %ld pages, %ld beside one held",
	       ROW, LARGE, alone, beside);
	EXPECT_GT(alone + ROW * 8, beside);
	ASSERT_EQ(0, tcptest_hole_fill(&hole, 'x'));
	EXPECT_EQ(TCPTEST_HOLE, end(&s));
	tcptest_hole_close(&hole);
	close(a);
	close(b);
}

TEST_HARNESS_MAIN
