// SPDX-License-Identifier: GPL-2.0
/*
 * Figures, no judgement: what a flood of a stranger costs others, in turns with
 * none and with as large a flood of a plain UDP socket, which is what the machine
 * itself takes for that. Not in net/tests.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "udp_hostile.h"

#define BODY		16
#define SIZE		(PEER_HDR_SIZE + BODY)
#define JUNK		4096	/* datagrams of a flood, again and again */
#define CHUNK		64	/* sent in one call */
#define LIVE		256	/* of the known session, in a round */
#define ROUNDS		24
#define STRANGER	1000	/* a user */

static const struct udpend_conf private_box = {
	.family = AF_INET, .cipher_id = NST_CIPHER_AES_GCM, .private = true,
};

/* What is flooded, and with what. */
enum flood { NONE, PLAIN, GARBAGE, INVENTED, FLOODS };

static const char *const names[] = { "none", "plain", "garbage", "invented" };

/* Who is told of a flood. */
struct told {
	volatile enum flood flood;
	volatile unsigned int pause;	/* us behind each call */
	volatile unsigned long sent;
};

FIXTURE(rate)
{
	struct udpend *e;
	int plain;
	struct sockaddr_storage plain_at;
	pid_t flood;
	struct told *told;
	struct dgram live[LIVE];
};

static void send_chunk(int raw, uint8_t (*junk)[SIZE], struct sockaddr_storage *to)
{
	struct mmsghdr msgs[CHUNK] = { };
	struct iovec iov[CHUNK];
	int i;

	for (i = 0; i < CHUNK; i++) {
		iov[i].iov_base = junk[i];
		iov[i].iov_len = SIZE;
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
		msgs[i].msg_hdr.msg_name = to;
		msgs[i].msg_hdr.msg_namelen = udpend_addr_len(AF_INET);
	}
	if (sendmmsg(raw, msgs, CHUNK, 0) < 0)
		_exit(1);
}

/* His two sockets, that nobody reads, and what comes to them. */
static void be_flooded(struct told *told)
{
	static uint8_t junk[FLOODS][JUNK][SIZE];
	struct sockaddr_storage at, plain_at;
	int plain, nst, raw, i, next = 0;
	enum flood flood;
	struct udppeer p;

	if (setresuid(STRANGER, STRANGER, STRANGER))
		_exit(2);
	nst = udpend_own_socket(&at);
	plain = udpend_plain(AF_INET);
	raw = udpend_plain(AF_INET);
	if (nst < 0 || plain < 0 || raw < 0 || udpend_name(plain, &plain_at))
		_exit(3);
	udppeer_init(&p, NST_CIPHER_AES_GCM, udpend_own_secret(), NULL);
	for (i = 0; i < JUNK; i++) {
		udppeer_invent(&p, junk[INVENTED][i], BODY);
		udppeer_invent(&p, junk[GARBAGE][i], BODY);
		junk[GARBAGE][i][0] ^= 1;
		udppeer_invent(&p, junk[PLAIN][i], BODY);
	}
	for (;; next = (next + CHUNK) % JUNK) {
		flood = told->flood;
		if (flood == NONE) {
			usleep(1000);
			continue;
		}
		send_chunk(raw, &junk[flood][next],
			   flood == PLAIN ? &plain_at : &at);
		told->sent += CHUNK;
		if (told->pause)
			usleep(told->pause);
		else
			sched_yield();
	}
}

FIXTURE_SETUP(rate)
{
	self->e = end_open(_metadata, &private_box);
	take_next(_metadata, self->e, &self->e->p);
	self->plain = udpend_plain(AF_INET);
	ASSERT_LE(0, self->plain);
	ASSERT_EQ(0, udpend_name(self->plain, &self->plain_at));
	self->told = mmap(NULL, sizeof(*self->told), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->told);
	self->flood = fork();
	ASSERT_LE(0, self->flood);
	if (!self->flood)
		be_flooded(self->told);
	sleep(2);
}

FIXTURE_TEARDOWN(rate)
{
	kill(self->flood, SIGKILL);
	waitpid(self->flood, NULL, 0);
	close(self->plain);
	end_close(self->e);
}

/* One at a time to @fd, which is at @at; ns each. */
static int round_of(FIXTURE_DATA(rate) *self, int fd, struct sockaddr_storage *at)
{
	uint64_t begin;
	char buf[256];
	int i;

	for (i = 0; i < LIVE; i++)
		make(&self->e->p, &self->live[i]);
	begin = peer_now();
	for (i = 0; i < LIVE; i++) {
		udpend_send(self->e->raw, at, self->live[i].b, self->live[i].len);
		if (recv(fd, buf, sizeof(buf), 0) < 0)
			return -1;
	}
	return (peer_now() - begin) / LIVE;
}

static void compare_floods(struct __test_metadata *_metadata,
			   FIXTURE_DATA(rate) *self, unsigned int pause)
{
	static int took[2][FLOODS][ROUNDS];
	unsigned long sent[FLOODS] = { }, was;
	int i, f, plain[FLOODS], nst[FLOODS];
	uint64_t ns[FLOODS] = { }, begin;

	self->told->pause = pause;
	for (i = 0; i < ROUNDS * FLOODS; i++) {
		f = i % FLOODS;
		self->told->flood = f;
		usleep(60000);
		was = self->told->sent;
		begin = peer_now();
		took[0][f][i / FLOODS] = round_of(self, self->plain,
						  &self->plain_at);
		took[1][f][i / FLOODS] = round_of(self, self->e->k, &self->e->to);
		sent[f] += self->told->sent - was;
		ns[f] += peer_now() - begin;
		ASSERT_LT(0, took[0][f][i / FLOODS]);
		ASSERT_LT(0, took[1][f][i / FLOODS]);
	}
	self->told->flood = NONE;
	for (f = 0; f < FLOODS; f++) {
		plain[f] = nsttest_median(took[0][f], ROUNDS);
		nst[f] = nsttest_median(took[1][f], ROUNDS);
		TH_LOG("%-8s %6lu/s: plain UDP %7d ns, %3d %% of its rate; NST %7d ns, %3d %%",
		       names[f], (unsigned long)(sent[f] * SECOND / ns[f]),
		       plain[f], 100 * plain[0] / plain[f],
		       nst[f], 100 * nst[0] / nst[f]);
	}
}

TEST_F_TIMEOUT(rate, slow_flood, 300)
{
	compare_floods(_metadata, self, 20000);
}

TEST_F_TIMEOUT(rate, fast_flood, 300)
{
	compare_floods(_metadata, self, 0);
}

TEST_HARNESS_MAIN
