// SPDX-License-Identifier: GPL-2.0
/*
 * Floods of datagrams whose sessions do not exist: each would cost a receiver
 * that does not take care a key derivation and some memory. A live session has
 * to keep its datagrams and its rate, the memory has its bounds, and what is
 * dropped is counted. All on one processor, as on a host that has no other.
 *
 * Rates are compared with those under a flood of as many datagrams that the
 * first check of all refuses, in turns: both floods cost the same to send.
 *
 * INVENTED: how many sessions; udp_million is this program with a million.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <time.h>

#include "udp_hostile.h"

#ifndef INVENTED
#define INVENTED	50000
#endif

#define BODY		64
#define JUNK_SIZE	(PEER_HDR_SIZE + BODY)
#define JUNK		1024	/* datagrams of a flood in a round */
#define LIVE		256	/* of the live session, in the same time */
#define CHUNK		64	/* sent in one call */
#define ROUNDS		((INVENTED + JUNK - 1) / JUNK)
#define KEPT		80	/* per cent of its rate */
#define TRIES		3	/* for a rate that others spoil */
#define GROWTH_MAX	(32 << 10)	/* KiB */

FIXTURE(flood)
{
	struct udpend *e;
	uint8_t junk[JUNK][JUNK_SIZE];
	struct dgram live[LIVE];
	uint64_t took[2][ROUNDS];	/* ns */
};

FIXTURE_VARIANT(flood)
{
	struct udpend_conf conf;
};

FIXTURE_VARIANT_ADD(flood, namespace)
{
	.conf = { .family = AF_INET, .cipher_id = NST_CIPHER_AES_GCM },
};

FIXTURE_VARIANT_ADD(flood, private)
{
	.conf = { .family = AF_INET6, .cipher_id = NST_CIPHER_AES_CBC,
		  .private = true },
};

/* One processor, so that nothing is done elsewhere. Those that have one: fine. */
static void second_processor(bool on)
{
	int fd = open("/sys/devices/system/cpu/cpu1/online", O_WRONLY);

	if (fd < 0)
		return;
	if (write(fd, on ? "1" : "0", 1) != 1)
		perror("cpu1");
	close(fd);
}

static struct udpend *flood_begin(struct __test_metadata *_metadata,
				  const struct udpend_conf *conf)
{
	struct udpend *e;
	cpu_set_t one;

	second_processor(false);
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(one), &one));
	e = end_open(_metadata, conf);
	take_next(_metadata, e, &e->p);
	return e;
}

FIXTURE_SETUP(flood)
{
	self->e = flood_begin(_metadata, &variant->conf);
}

FIXTURE_TEARDOWN(flood)
{
	end_close(self->e);
	second_processor(true);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * SECOND + ts.tv_nsec;
}

/* A line of /proc/meminfo, in KiB. */
static long memory(const char *name)
{
	return nsttest_find("/proc/meminfo", name);
}

/* @nr datagrams of @size bytes from @at, @CHUNK in a call. */
static int send_many(struct udpend *e, uint8_t *at, size_t stride,
		     const size_t *sizes, int nr)
{
	struct mmsghdr msgs[CHUNK] = { };
	struct iovec iov[CHUNK];
	int i, sent = 0, n;

	while (sent < nr) {
		for (i = 0; i < CHUNK && sent + i < nr; i++) {
			iov[i].iov_base = at + (sent + i) * stride;
			iov[i].iov_len = sizes ? sizes[sent + i] : stride;
			msgs[i].msg_hdr.msg_iov = &iov[i];
			msgs[i].msg_hdr.msg_iovlen = 1;
			msgs[i].msg_hdr.msg_name = &e->to;
			msgs[i].msg_hdr.msg_namelen =
				udpend_addr_len(e->conf.family);
		}
		n = sendmmsg(e->raw, msgs, i, 0);
		if (n <= 0)
			return -errno;
		sent += n;
	}
	return 0;
}

/* Live datagrams that came, of @nr. */
static int receive_many(struct udpend *e, int nr)
{
	uint8_t buf[256];
	int i;

	for (i = 0; i < nr; i++) {
		if (recv(e->k, buf, sizeof(buf), 0) != BODY)
			break;
	}
	return i;
}

static void prepare(FIXTURE_DATA(flood) *self, bool invented)
{
	char text[BODY];
	int i;

	memset(text, 'l', sizeof(text));
	for (i = 0; i < LIVE; i++)
		make_from(&self->e->p, &self->live[i], text, BODY);
	for (i = 0; i < JUNK; i++) {
		udppeer_invent(&self->e->p, self->junk[i], BODY);
		self->junk[i][0] ^= !invented;
	}
}

/* A round of flood and live datagrams, in turns; ns, 0 if some did not come. */
static uint64_t flood_round(struct __test_metadata *_metadata,
			    FIXTURE_DATA(flood) *self, bool invented)
{
	const int turns = JUNK / CHUNK, live = LIVE / turns;
	struct udpend *e = self->e;
	uint64_t begin;
	size_t sizes[LIVE];
	int i;

	prepare(self, invented);
	for (i = 0; i < LIVE; i++)
		sizes[i] = self->live[i].len;
	begin = now_ns();
	for (i = 0; i < turns; i++) {
		ASSERT_EQ(0, send_many(e, self->junk[i * CHUNK], JUNK_SIZE,
				       NULL, CHUNK));
		ASSERT_EQ(0, send_many(e, self->live[i * live].b,
				       sizeof(self->live[0]), sizes + i * live,
				       live));
		ASSERT_EQ(live, receive_many(e, live));
	}
	return now_ns() - begin;
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static uint64_t median(uint64_t *v, int nr)
{
	qsort(v, nr, sizeof(*v), compare);
	return v[nr / 2];
}

/* What found no room to wait, among those of its user or in its socket. */
static uint64_t no_room(const struct nsttest_counters *c)
{
	return c->value[NST_DROP_SESSION_QUEUE] + c->value[NST_DROP_RCVBUF];
}

/* All that was sent is counted, as refused for one of these causes or waiting. */
static void expect_all_counted(struct __test_metadata *_metadata,
			       const struct nsttest_counters *before,
			       uint64_t junk, uint64_t invented)
{
	uint64_t end = peer_now() + NSTTEST_TIMEOUT * SECOND, all;
	struct nsttest_counters now;
	int i;

	do {
		usleep(50000);
		ASSERT_EQ(0, nsttest_counters(&now));
		all = 0;
		for (i = 1; i < NST_DROP_MAX; i++)
			all += now.value[i] - before->value[i];
	} while (all < junk + invented && peer_now() < end);
	TH_LOG("%s", nsttest_grown(before));
	EXPECT_EQ(junk + invented, all);
	EXPECT_EQ(junk, now.value[NST_DROP_HDR_MAGIC] -
			before->value[NST_DROP_HDR_MAGIC]);
	EXPECT_EQ(invented, no_room(&now) - no_room(before) +
			    now.value[NST_DROP_AUTH] -
			    before->value[NST_DROP_AUTH]);
	/* Most of them were not worth a derivation. */
	EXPECT_LT(0, no_room(&now) - no_room(before));
}

/* A sender that nobody knew gets through soon after, if it tries again. */
static void expect_newcomer(struct __test_metadata *_metadata,
			    struct udpend *e)
{
	uint64_t end = peer_now() + NSTTEST_TIMEOUT * SECOND;
	char buf[256];
	struct dgram d;
	int tries = 0;

	udppeer_epoch(&e->other);
	do {
		make(&e->other, &d);
		ASSERT_EQ(0, udpend_send(e->raw, &e->to, d.b, d.len));
		usleep(20000);
		tries++;
		if (recv(e->k, buf, sizeof(buf), MSG_DONTWAIT) > 0)
			break;
	} while (peer_now() < end);
	EXPECT_GT(end, peer_now());
	TH_LOG("a new session after %d tries", tries);
	while (recv(e->k, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
}

/* The live session, while others are being counted. */
static void expect_alive(struct __test_metadata *_metadata, struct udpend *e)
{
	struct dgram d;

	make(&e->p, &d);
	ASSERT_EQ(0, udpend_send(e->raw, &e->to, d.b, d.len));
	expect_got(_metadata, e->k, &d);
}

/*
 * Rounds of both floods in turns: per cent of the rate under garbage that is
 * left under invented sessions. The median, as others use this machine, too.
 */
static unsigned int measure(struct __test_metadata *_metadata,
			    FIXTURE_DATA(flood) *self, int rounds, long *slab)
{
	uint64_t garbage = 0, invented = 0;
	int i;

	for (i = 0; i < rounds; i++) {
		self->took[0][i] = flood_round(_metadata, self, false);
		self->took[1][i] = flood_round(_metadata, self, true);
		garbage += self->took[0][i];
		invented += self->took[1][i];
		if (memory("Slab") > *slab)
			*slab = memory("Slab");
		EXPECT_EQ(1, nsttest_stat("NstUdpSessions"));
	}
	TH_LOG("all %d rounds: %llu %% of the rate", rounds,
	       (unsigned long long)(100 * garbage / invented));
	garbage = median(self->took[0], rounds);
	invented = median(self->took[1], rounds);
	TH_LOG("a round of %d and %d: garbage %llu us, invented %llu us",
	       JUNK, LIVE, (unsigned long long)garbage / 1000,
	       (unsigned long long)invented / 1000);
	return 100 * garbage / invented;
}

TEST_F_TIMEOUT(flood, invented_sessions, 60 + 3 * ROUNDS)
{
	long slab = memory("Slab"), avail = memory("MemAvailable"), most = slab;
	int64_t derived = nsttest_stat("NstUdpDerived");
	struct udpend *e = self->e;
	struct nsttest_counters before;
	unsigned int kept = 0;
	uint64_t begin;
	int tries;

	/* Both once, untimed: caches and pools fill. */
	flood_round(_metadata, self, false);
	ASSERT_EQ(0, nsttest_counters(&before));
	begin = now_ns();
	for (tries = 0; tries < TRIES && kept < KEPT; tries++)
		kept = measure(_metadata, self, ROUNDS, &most);
	begin = now_ns() - begin;
	derived = nsttest_stat("NstUdpDerived") - derived;
	TH_LOG("%u %% kept; %lld derivations in %llu ms; slab grew by %ld KiB",
	       kept, (long long)derived, (unsigned long long)begin / 1000000,
	       most - slab);
	EXPECT_LE(KEPT, kept);
	EXPECT_GT(GROWTH_MAX, most - slab);
	EXPECT_GT(GROWTH_MAX, avail - memory("MemAvailable"));
	expect_all_counted(_metadata, &before, tries * ROUNDS * JUNK,
			   tries * ROUNDS * JUNK);
	expect_newcomer(_metadata, e);
	take_next(_metadata, e, &e->p);
}

/* Large ones: what waits is bounded in bytes, too. */
TEST_F_TIMEOUT(flood, large_datagrams, 60)
{
	const size_t body = 60000;
	struct udpend *e = self->e;
	long slab = memory("Slab"), avail = memory("MemAvailable");
	long most = 0, now;
	uint8_t *big = malloc(PEER_HDR_SIZE + body);
	struct nsttest_counters before;
	int i;

	ASSERT_NE(NULL, big);
	ASSERT_EQ(0, nsttest_counters(&before));
	for (i = 0; i < 2000; i++) {
		udppeer_invent(&e->p, big, body);
		ASSERT_EQ(0, udpend_send(e->raw, &e->to, big,
					 PEER_HDR_SIZE + body));
		now = avail - memory("MemAvailable");
		if (now > most)
			most = now;
		if (i % 100 == 0)
			expect_alive(_metadata, e);
	}
	TH_LOG("MemAvailable sank by %ld KiB at most, slab grew by %ld",
	       most, memory("Slab") - slab);
	EXPECT_GT(GROWTH_MAX, most);
	expect_all_counted(_metadata, &before, 0, 2000);
	free(big);
	expect_newcomer(_metadata, e);
}

TEST_HARNESS_MAIN
