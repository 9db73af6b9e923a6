// SPDX-License-Identifier: GPL-2.0
/*
 * A sender that is known goes on into its next epochs while a stranger invents
 * sessions as fast as he can: what he invents has neither its room nor its turn.
 * And how many new sessions there are in a second, with an empty and a full table.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#include "udp_hostile.h"

#define JUNK		64	/* invented datagrams in one call */
#define JUNK_SIZE	(PEER_HDR_SIZE + 16)
#define EPOCHS		40
#define BURST		50	/* datagrams of an epoch */
#define TRIES		5	/* for rates that others spoil */
#define MS		1000000ull

static const struct udpend_conf private_box = {
	.family = AF_INET, .cipher_id = NST_CIPHER_AES_GCM, .private = true,
};

FIXTURE(next)
{
	struct udpend *e;
	pid_t flood;
};

/* A session that does not exist, in a header without fault. */
static void invent(const struct udppeer *u, uint8_t *out)
{
	uint8_t dice[12 + PEER_TOKEN_SIZE];
	struct peer_hdr h;

	peer_random(dice, sizeof(dice));
	udppeer_prepare(u, &h, PEER_DATA, JUNK_SIZE - PEER_HDR_SIZE);
	h.kpos = 1 + dice[0] % PEER_KEY_SIZE;
	h.kval = dice[1];
	h.flags = (uint32_t)dice[2] << 24 | (uint32_t)dice[3] << 16;
	memcpy(&h.nonce, dice + 4, sizeof(h.nonce));
	memcpy(h.token, dice + 12, sizeof(h.token));
	memset(out, 0, JUNK_SIZE);
	peer_hdr_put(out, &h);
}

static void flood(struct udpend *e)
{
	uint8_t junk[JUNK][JUNK_SIZE];
	struct mmsghdr msgs[JUNK] = { };
	struct iovec iov[JUNK];
	int i;

	for (i = 0; i < JUNK; i++) {
		iov[i].iov_base = junk[i];
		iov[i].iov_len = JUNK_SIZE;
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
		msgs[i].msg_hdr.msg_name = &e->to;
		msgs[i].msg_hdr.msg_namelen = udpend_addr_len(e->conf.family);
	}
	for (;;) {
		for (i = 0; i < JUNK; i++)
			invent(&e->p, junk[i]);
		if (sendmmsg(e->raw, msgs, JUNK, 0) < 0)
			_exit(1);
		/* A guest may have one processor; the others are to have some. */
		sched_yield();
	}
}

/* Until nothing more fits, and the work has used up all that it may. */
static void wait_until_full(struct __test_metadata *_metadata)
{
	struct nsttest_counters before, now;
	uint64_t end = peer_now() + NSTTEST_TIMEOUT * SECOND;

	ASSERT_EQ(0, nsttest_counters(&before));
	do {
		usleep(50000);
		ASSERT_EQ(0, nsttest_counters(&now));
		ASSERT_GT(end, peer_now());
	} while (now.value[NST_DROP_SESSION_QUEUE] -
		 before.value[NST_DROP_SESSION_QUEUE] < 3000);
	usleep(500000);
}

FIXTURE_SETUP(next)
{
	int size = 4 << 20;

	self->e = end_open(_metadata, &private_box);
	setsockopt(self->e->k, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	take_next(_metadata, self->e, &self->e->p);
	self->flood = fork();
	ASSERT_LE(0, self->flood);
	if (!self->flood)
		flood(self->e);
	wait_until_full(_metadata);
}

FIXTURE_TEARDOWN(next)
{
	kill(self->flood, SIGKILL);
	waitpid(self->flood, NULL, 0);
	end_close(self->e);
}

/* How many of @nr came within @ms; in order. */
static int come(struct __test_metadata *_metadata, struct udpend *e,
		const struct dgram *d, int nr, unsigned int ms)
{
	uint64_t end = peer_now() + nsttest_patience(ms) * MS;
	char buf[256];
	ssize_t n;
	int i = 0;

	while (i < nr && peer_now() < end) {
		n = recv(e->k, buf, sizeof(buf), MSG_DONTWAIT);
		if (n < 0) {
			usleep(500);
			continue;
		}
		EXPECT_EQ((ssize_t)d[i].plain_len, n);
		EXPECT_EQ(0, memcmp(buf, d[i].plain, d[i].plain_len));
		i++;
	}
	return i;
}

/* Each is sent once. */
TEST_F_TIMEOUT(next, epochs, 60)
{
	struct udpend *e = self->e;
	uint64_t begin, took = 0;
	struct dgram d;
	int i, came = 0;

	for (i = 0; i < EPOCHS; i++) {
		udppeer_epoch(&e->p);
		make(&e->p, &d);
		begin = peer_now();
		ASSERT_EQ(0, udpend_send(e->raw, &e->to, d.b, d.len));
		came += come(_metadata, e, &d, 1, 300);
		took += peer_now() - begin;
		usleep(50000);
	}
	TH_LOG("%d of %d epochs, %llu us each", came, EPOCHS,
	       (unsigned long long)took / EPOCHS / 1000);
	EXPECT_LE(EPOCHS - 1, came);
}

/* Also what comes before its keys are derived. */
TEST_F_TIMEOUT(next, bursts, 60)
{
	static struct dgram d[BURST];
	struct udpend *e = self->e;
	int i, k, came = 0;

	for (i = 0; i < EPOCHS; i++) {
		udppeer_epoch(&e->p);
		for (k = 0; k < BURST; k++)
			make(&e->p, &d[k]);
		for (k = 0; k < BURST; k++)
			ASSERT_EQ(0, udpend_send(e->raw, &e->to, d[k].b,
						 d[k].len));
		came += come(_metadata, e, d, BURST, 500);
		usleep(50000);
	}
	TH_LOG("%d of %d datagrams", came, EPOCHS * BURST);
	EXPECT_LE(EPOCHS * BURST * 99 / 100, came);
}

/* New sessions in @ms; there are always more than the receiver has time for. */
static unsigned int new_sessions(struct udpend *e, unsigned int ms)
{
	uint64_t end = peer_now() + ms * MS;
	unsigned int nr = 0;
	char buf[256];
	struct dgram d;

	while (peer_now() < end) {
		udppeer_epoch(&e->p);
		e->p.nonce += 1 << 20;
		make(&e->p, &d);
		udpend_send(e->raw, &e->to, d.b, d.len);
		while (recv(e->k, buf, sizeof(buf), MSG_DONTWAIT) > 0)
			nr++;
		usleep(200);
	}
	return nr;
}

FIXTURE(table)
{
	struct udpend *e;
};

FIXTURE_SETUP(table)
{
	self->e = end_open(_metadata, &private_box);
}

FIXTURE_TEARDOWN(table)
{
	end_close(self->e);
}

/* Room for one costs the same whether there is some, or another has to go. */
TEST_F_TIMEOUT(table, full, 120)
{
	struct udpend *e = self->e;
	unsigned int empty, full = 0, tries;
	char most[16];

	/* What may be done at once is used up. */
	new_sessions(e, 3000);
	for (tries = 0; tries < TRIES; tries++) {
		ASSERT_EQ(0, nsttest_write_file("/proc/sys/net/nst/udp_sessions_max",
						"65536"));
		empty = new_sessions(e, 4000);
		snprintf(most, sizeof(most), "%d",
			 (int)udpend_stat("NstUdpSessions"));
		ASSERT_EQ(0, nsttest_write_file("/proc/sys/net/nst/udp_sessions_max",
						most));
		full = new_sessions(e, 4000);
		TH_LOG("new sessions a second: %u, and %u with all %s there",
		       empty / 4, full / 4, most);
		if (full * 10 >= empty * 8)
			break;
	}
	EXPECT_LE(empty * 8 / 10, full);
}

TEST_HARNESS_MAIN
