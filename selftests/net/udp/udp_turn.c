// SPDX-License-Identifier: GPL-2.0
/*
 * One user keeps the worker that derives keys busy without end: what he sends
 * waits behind the first datagram of an epoch, is large, and takes long to refuse.
 * Others have their turn all the same, and who waits for the worker, as a
 * namespace that goes, waits for what it has begun and not for what comes in. And
 * who sends faster than it opens does not wait any more when his keys are there.
 */
#define _GNU_SOURCE
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "udp_hostile.h"

#define STRANGER	1000	/* a user */
#define BIG		40000	/* bytes */
#define BEHIND		48	/* forged ones in one epoch */
#define SESSIONS	15
#define LONG		8000	/* bytes: it takes a while to open */
#define ROW		400	/* datagrams of a sender */
#define ROW_FIRST	100	/* of those, before the keys are there at most */
#define TURN_MAX	40	/* forged ones that are refused before another's comes */

static const struct udpend_conf private_box = {
	.family = AF_INET, .cipher_id = NST_CIPHER_AES_GCM, .private = true,
};

FIXTURE(turn)
{
	struct udpend *e;
	pid_t flood;
};

/* Of @p's epoch, but not sealed. */
static size_t forge(struct udppeer *p, uint8_t *out)
{
	struct peer_hdr h;

	udppeer_prepare(p, &h, PEER_DATA, BIG);
	h.nonce = ++p->nonce;
	peer_random(h.token, sizeof(h.token));
	peer_hdr_put(out, &h);
	return PEER_HDR_SIZE + BIG;
}

/*
 * Epochs of @p without end. What is forged waits behind the first datagram, which is
 * none: when its keys are there it is opened by the worker, one after the other.
 */
static void flood(int raw, struct udppeer *p, const struct sockaddr_storage *to)
{
	static uint8_t big[PEER_HDR_SIZE + BIG];
	struct dgram d;
	int i;

	for (;;) {
		udppeer_epoch(p);
		make(p, &d);
		if (udpend_send(raw, to, d.b, d.len))
			_exit(1);
		for (i = 0; i < BEHIND; i++)
			if (udpend_send(raw, to, big, forge(p, big)))
				_exit(2);
		/* A guest may have one processor; the others are to have some. */
		sched_yield();
	}
}

/* What is authentic is read, so that there is room. */
static void be_flooded(void)
{
	int fd, raw, size = 4 << 20;
	struct sockaddr_storage at;
	struct udppeer p;
	char buf[64];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fd = udpend_own_socket(&at);
	raw = udpend_plain(AF_INET);
	if (fd < 0 || raw < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE,
					    &size, sizeof(size)))
		_exit(3);
	udppeer_init(&p, NST_CIPHER_AES_GCM, udpend_own_secret(), NULL);
	if (!fork()) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			recv(fd, buf, sizeof(buf), 0);
	}
	flood(raw, &p, &at);
}

static int64_t refused(void)
{
	return nsttest_stat("NstRxAuth");
}

/* That so many more are refused, as the worker does. */
static void goes_on(struct __test_metadata *_metadata, int64_t more)
{
	uint64_t end = peer_now() + NSTTEST_TIMEOUT * SECOND;
	int64_t want = refused() + more;

	while (refused() < want) {
		ASSERT_GT(end, peer_now());
		usleep(10000);
	}
}

FIXTURE_SETUP(turn)
{
	self->e = end_open(_metadata, &private_box);
	take_next(_metadata, self->e, &self->e->p);
	self->flood = fork();
	ASSERT_LE(0, self->flood);
	if (!self->flood)
		be_flooded();
	goes_on(_metadata, 200);
}

FIXTURE_TEARDOWN(turn)
{
	kill(self->flood, SIGKILL);
	waitpid(self->flood, NULL, 0);
	end_close(self->e);
}

static int compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/*
 * How many forged ones are refused between a new session's first datagram and its
 * delivery: those of a turn or two, not all that waits.
 */
TEST_F_TIMEOUT(turn, another_user_has_his, 120)
{
	int64_t before[SESSIONS];
	struct udpend *e = self->e;
	struct dgram d;
	char buf[64];
	int i;

	for (i = 0; i < SESSIONS; i++) {
		goes_on(_metadata, 60);
		udppeer_epoch(&e->p);
		e->p.nonce += 1 << 20;
		make(&e->p, &d);
		before[i] = refused();
		ASSERT_EQ(0, udpend_send(e->raw, &e->to, d.b, d.len));
		ASSERT_EQ((ssize_t)d.plain_len, recv(e->k, buf, sizeof(buf), 0));
		before[i] = refused() - before[i];
	}
	qsort(before, SESSIONS, sizeof(before[0]), compare);
	TH_LOG("refused before a new session came: %lld to %lld, median %lld",
	       (long long)before[0], (long long)before[SESSIONS - 1],
	       (long long)before[SESSIONS / 2]);
	EXPECT_GE(TURN_MAX, before[SESSIONS / 2]);
}

/* A namespace, and a wire from here to there that goes with it. */
static pid_t namespace(struct __test_metadata *_metadata, const char *wire)
{
	int told[2];
	char cmd[128], c;
	pid_t pid;

	ASSERT_EQ(0, pipe(told));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (unshare(CLONE_NEWNET) || write(told[1], "x", 1) != 1)
			_exit(1);
		pause();
	}
	ASSERT_EQ(1, read(told[0], &c, 1));
	close(told[0]);
	close(told[1]);
	snprintf(cmd, sizeof(cmd),
		 "ip link add %s type veth peer name there netns %d", wire, pid);
	ASSERT_EQ(0, system(cmd));
	return pid;
}

static bool gone(const char *wire)
{
	uint64_t end = peer_now() + NSTTEST_TIMEOUT * SECOND;

	while (if_nametoindex(wire)) {
		if (peer_now() > end)
			return false;
		usleep(10000);
	}
	return true;
}

/*
 * The kernel takes them apart one after the other, and in each the devices first:
 * when the second one's wire is gone, the first one is.
 */
TEST_F_TIMEOUT(turn, a_namespace_goes, 120)
{
	pid_t first = namespace(_metadata, "nst1");
	pid_t second = namespace(_metadata, "nst2");

	kill(first, SIGKILL);
	waitpid(first, NULL, 0);
	EXPECT_TRUE(gone("nst1"));
	goes_on(_metadata, 100);
	kill(second, SIGKILL);
	waitpid(second, NULL, 0);
	EXPECT_TRUE(gone("nst2"));
	/* All the time. */
	goes_on(_metadata, 100);
}

/* What waits at a socket is no reason for its close() to wait; all is counted. */
TEST_F_TIMEOUT(turn, a_socket_closes, 120)
{
	struct udpend *e = self->e;
	int i;

	for (i = 0; i < 10; i++) {
		struct sockaddr_storage at;
		struct dgram d;
		int k = udpend_socket(&private_box);

		ASSERT_LE(0, k);
		ASSERT_EQ(0, udpend_name(k, &at));
		udppeer_epoch(&e->p);
		make(&e->p, &d);
		ASSERT_EQ(0, udpend_send(e->raw, &at, d.b, d.len));
		close(k);
		goes_on(_metadata, 10);
	}
}

FIXTURE(line)
{
	struct udpend *e;
	cpu_set_t cpus;
};

FIXTURE_VARIANT(line)
{
	int forged;	/* of so many datagrams, all but one, once the keys are there */
};

FIXTURE_VARIANT_ADD(line, authentic) { .forged = 1, };
FIXTURE_VARIANT_ADD(line, forged) { .forged = 8, };

FIXTURE_SETUP(line)
{
	int size = 32 << 20;
	cpu_set_t first;

	self->e = end_open(_metadata, &private_box);
	setsockopt(self->e->k, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	take_next(_metadata, self->e, &self->e->p);
	/* The other one is the work's. */
	ASSERT_EQ(0, sched_getaffinity(0, sizeof(self->cpus), &self->cpus));
	CPU_ZERO(&first);
	CPU_SET(0, &first);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(first), &first));
}

FIXTURE_TEARDOWN(line)
{
	sched_setaffinity(0, sizeof(self->cpus), &self->cpus);
	end_close(self->e);
}

/* The next one of a row, whose number is in it. Returns 1 if it has come, 0 if not. */
static int next_came(struct __test_metadata *_metadata, int fd, uint32_t want,
		     int flags)
{
	static uint8_t buf[LONG + 1];
	uint32_t nr;

	if (recv(fd, buf, sizeof(buf), flags) != LONG)
		return 0;
	memcpy(&nr, buf, sizeof(nr));
	EXPECT_EQ(want, nr);
	return 1;
}

/*
 * Faster than the work opens, a sender goes on in an epoch that is new. When the first
 * datagram of that has come, what waits still is all that has to, but for some that
 * each take more along: also if they are forged. The order is kept.
 */
TEST_F_TIMEOUT(line, ends, 60)
{
	static uint8_t wire[ROW][PEER_HDR_SIZE + LONG], plain[LONG];
	struct udpend *e = self->e;
	uint32_t i, first, sent = 0, good = 0, came = 0;
	int64_t waited;

	udppeer_epoch(&e->p);
	for (i = 0; i < ROW; i++) {
		bool forged = i >= ROW_FIRST && i % variant->forged;

		memcpy(plain, &good, sizeof(good));
		good += !forged;
		ASSERT_EQ(sizeof(wire[i]), udppeer_next(&e->p, PEER_DATA, plain,
							LONG, wire[i]));
		wire[i][PEER_HDR_SIZE] ^= forged;
	}
	while (!came && sent < ROW_FIRST) {
		ASSERT_EQ(0, udpend_send(e->raw, &e->to, wire[sent],
					 sizeof(wire[sent])));
		sent++;
		came = next_came(_metadata, e->k, 0, MSG_DONTWAIT);
	}
	if (!came)
		came = next_came(_metadata, e->k, 0, 0);
	ASSERT_EQ(1, came);
	first = sent;
	waited = nsttest_stat("NstUdpWaited");
	for (; sent < ROW; sent++)
		ASSERT_EQ(0, udpend_send(e->raw, &e->to, wire[sent],
					 sizeof(wire[sent])));
	while (came < good) {
		ASSERT_EQ(1, next_came(_metadata, e->k, came, 0))
			TH_LOG("the %uth", came);
		came++;
	}
	waited = nsttest_stat("NstUdpWaited") - waited;
	TH_LOG("%lld of %u waited, behind %u", (long long)waited, ROW - first,
	       first);
	EXPECT_GE(first / 3 + 1, waited);
}

TEST_HARNESS_MAIN
