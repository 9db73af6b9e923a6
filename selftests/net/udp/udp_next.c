// SPDX-License-Identifier: GPL-2.0
/*
 * A sender that is known goes on into its next epochs while a stranger invents
 * sessions as fast as he can: what he invents has neither its room nor its turn.
 * And how many new sessions there are in a second, with an empty and a full table.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "udp_hostile.h"

#define JUNK		64	/* invented datagrams in one call */
#define JUNK_BODY	16
#define JUNK_SIZE	(PEER_HDR_SIZE + JUNK_BODY)
#define EPOCHS		40
#define BURST		50	/* datagrams of an epoch */
#define MS		1000000ull
#define STRANGER	1000	/* a user */
#define BATCH		20	/* new sessions, one by one */
#define BATCHES		8
#define BIG		40000	/* bytes */
#define NEWCOMERS	20
#define AHEAD		1000	/* of a line of 1024 */
#define ROUNDS		20
#define KEPT		80	/* per cent of new sessions */
#define KEPT_KNOWN	50	/* and of a known one's rate; with idle processors more */
#define TRIES		3	/* for a rate that others spoil */
#define NEW		50
#define NEW_PACE	40000	/* us: less than what one of two has a share for */

static const struct udpend_conf private_box = {
	.family = AF_INET, .cipher_id = NST_CIPHER_AES_GCM, .private = true,
};

FIXTURE(next)
{
	struct udpend *e;
	pid_t flood;
};

/* What a flood is made of; shared with who makes it. */
struct kind {
	bool garbage;	/* refused by the first check of all */
};

/*
 * From @raw to @to, as fast as it goes, or with pauses of so many us. With @kind it
 * can be changed into garbage, and then nothing waits at @to any more.
 */
static void flood(int raw, const struct udppeer *p,
		  struct sockaddr_storage *to, unsigned int pause,
		  volatile const struct kind *kind, int *fd)
{
	uint8_t junk[JUNK][JUNK_SIZE];
	bool garbage = false;
	struct mmsghdr msgs[JUNK] = { };
	struct iovec iov[JUNK];
	int i;

	for (i = 0; i < JUNK; i++) {
		iov[i].iov_base = junk[i];
		iov[i].iov_len = JUNK_SIZE;
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
		msgs[i].msg_hdr.msg_name = to;
		msgs[i].msg_hdr.msg_namelen = udpend_addr_len(to->ss_family);
	}
	for (;;) {
		if (kind && kind->garbage != garbage) {
			garbage = !garbage;
			close(*fd);
			*fd = udpend_own_socket(to);
		}
		for (i = 0; i < JUNK; i++) {
			udppeer_invent(p, junk[i], JUNK_BODY);
			junk[i][0] ^= garbage;
		}
		if (sendmmsg(raw, msgs, JUNK, 0) < 0)
			_exit(1);
		/* A guest may have one processor; the others are to have some. */
		if (pause)
			usleep(pause);
		else
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
		flood(self->e->raw, &self->e->p, &self->e->to, 0, NULL, NULL);
	wait_until_full(_metadata);
}

FIXTURE_TEARDOWN(next)
{
	kill(self->flood, SIGKILL);
	waitpid(self->flood, NULL, 0);
	end_close(self->e);
}

/* How many of @nr came, in order; one that was not dropped does, in a while. */
static int come(struct __test_metadata *_metadata, struct udpend *e,
		const struct dgram *d, int nr)
{
	uint64_t end = peer_now() + NSTTEST_TIMEOUT * SECOND;
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
		came += come(_metadata, e, &d, 1);
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
		came += come(_metadata, e, d, BURST);
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

/* All that waits has come. */
static void drain(struct udpend *e)
{
	char buf[256];
	int i;

	for (i = 0; i < 20; i++) {
		usleep(50000);
		while (recv(e->k, buf, sizeof(buf), MSG_DONTWAIT) > 0)
			i = 0;
	}
}

/* One after the other, each when the one before has come. How long it takes, ns. */
static uint64_t one_by_one(struct __test_metadata *_metadata, struct udpend *e)
{
	uint64_t begin = peer_now();
	struct dgram d;
	char buf[256];
	int i;

	for (i = 0; i < BATCH; i++) {
		udppeer_epoch(&e->p);
		e->p.nonce += 1 << 20;
		make(&e->p, &d);
		EXPECT_EQ(0, udpend_send(e->raw, &e->to, d.b, d.len));
		EXPECT_EQ((ssize_t)d.plain_len, recv(e->k, buf, sizeof(buf), 0));
	}
	return peer_now() - begin;
}

static void set_bound(struct __test_metadata *_metadata, int sessions)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", sessions);
	ASSERT_EQ(0, nsttest_write_file("/proc/sys/net/nst/udp_sessions_max",
					text));
}

/*
 * Room for one costs the same whether there is some, or another has to go. The best
 * of many short times of either kind, in turns: others disturb only some of them.
 */
TEST_F_TIMEOUT(table, full, 120)
{
	uint64_t took, best[2] = { ~0ull, ~0ull };
	int64_t pushed, known;
	struct udpend *e = self->e;
	unsigned int i;

	/* Also uses up what may be done at once. */
	new_sessions(e, 3000);
	drain(e);
	known = nsttest_stat("NstUdpSessions");
	pushed = nsttest_stat("NstUdpPushed");
	for (i = 0; i < 2 * BATCHES; i++) {
		/* The time for deriving keys fills up. */
		usleep(250000);
		set_bound(_metadata, i & 1 ? (int)known : 65536);
		took = one_by_one(_metadata, e);
		known += i & 1 ? 0 : BATCH;
		if (took < best[i & 1])
			best[i & 1] = took;
	}
	TH_LOG("a new session: %llu us, and %llu us where one of %lld has to go",
	       (unsigned long long)best[0] / BATCH / 1000,
	       (unsigned long long)best[1] / BATCH / 1000, (long long)known);
	EXPECT_GE(2 * best[0], best[1]);
	EXPECT_EQ(known, nsttest_stat("NstUdpSessions"));
	EXPECT_EQ(pushed + BATCH * BATCHES, nsttest_stat("NstUdpPushed"));
}

/* It may be of the next epoch, and takes long to refuse. */
static void invent_next(struct udpend *e)
{
	static uint8_t junk[BIG];
	struct peer_hdr h;

	udppeer_invent(&e->p, junk, sizeof(junk) - PEER_HDR_SIZE);
	peer_hdr_get(&h, junk);
	h.nonce = e->p.nonce + 1 + h.nonce % 1000;
	peer_hdr_put(junk, &h);
	udpend_send(e->raw, &e->to, junk, sizeof(junk));
}

static uint64_t not_authentic(void)
{
	return nsttest_stat("NstRxAuth");
}

/*
 * Those who begin their next epoch have used up their time, and rest; nobody else
 * rests with them. Had he to, one of them would be served before him.
 */
TEST_F_TIMEOUT(table, rests_for_itself, 60)
{
	int size = 4 << 20, before = 0, i;
	struct udpend *e = self->e;
	struct udppeer stranger;
	uint64_t bad;
	char buf[256];
	struct dgram d;

	setsockopt(e->k, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	take_next(_metadata, e, &e->p);
	for (i = 0; i < 60; i++) {
		invent_next(e);
		usleep(5000);
	}
	for (i = 0; i < NEWCOMERS; i++) {
		invent_next(e);
		udppeer_init(&stranger, NST_CIPHER_AES_GCM, &udpend_box[0],
			     NULL);
		make(&stranger, &d);
		bad = not_authentic();
		ASSERT_EQ(0, udpend_send(e->raw, &e->to, d.b, d.len));
		ASSERT_EQ((ssize_t)d.plain_len, recv(e->k, buf, sizeof(buf), 0));
		before += not_authentic() > bad;
	}
	TH_LOG("%d of %d came behind one who had rested", before, NEWCOMERS);
	EXPECT_GE(NEWCOMERS * 3 / 4, before);
}

TEST_F(table, no_room_in_the_socket)
{
	struct udpend *e = self->e;
	int size = 1, i;
	struct dgram d;

	setsockopt(e->k, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	for (i = 0; i < 20; i++) {
		make(&e->p, &d);
		ASSERT_EQ(0, udpend_send(e->raw, &e->to, d.b, d.len));
		usleep(20000);
	}
	udppeer_epoch(&e->p);
	make(&e->p, &d);
	refuse(_metadata, e, &d, "NstRxRcvBuf");
}

static int invent_many(struct udpend *e, const struct sockaddr_storage *to)
{
	uint8_t junk[JUNK_SIZE];
	int i, ret = 0;

	for (i = 0; i < AHEAD && !ret; i++) {
		udppeer_invent(&e->p, junk, sizeof(junk) - PEER_HDR_SIZE);
		ret = udpend_send(e->raw, to, junk, sizeof(junk));
	}
	return ret;
}

/* One invented datagram, larger than half of the room, keeps no known sender out. */
TEST_F_TIMEOUT(table, a_large_one_waits, 60)
{
	int small = 8192, large = 4 << 20, i, k;
	static uint8_t junk[60000];
	struct udpend *e = self->e;
	struct sockaddr_storage at;

	setsockopt(e->k, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	take_next(_metadata, e, &e->p);
	/* Another socket uses up the time, so that it does wait. */
	k = udpend_socket(&private_box);
	ASSERT_LE(0, k);
	ASSERT_EQ(0, udpend_name(k, &at));
	setsockopt(k, SOL_SOCKET, SO_RCVBUFFORCE, &large, sizeof(large));
	ASSERT_EQ(0, invent_many(e, &at));
	for (i = 0; i < 50; i++) {
		struct dgram d;
		char buf[64];

		udppeer_invent(&e->p, junk, sizeof(junk) - PEER_HDR_SIZE);
		ASSERT_EQ(0, udpend_send(e->raw, &e->to, junk, sizeof(junk)));
		make(&e->p, &d);
		ASSERT_EQ(0, udpend_send(e->raw, &e->to, d.b, d.len));
		ASSERT_EQ((ssize_t)d.plain_len, recv(e->k, buf, sizeof(buf), 0))
			TH_LOG("the %dth", i);
	}
	EXPECT_LT(0, nsttest_stat("NstRxRcvBuf") +
		     nsttest_stat("NstRxSessionQueue"));
	close(k);
}

/* What waits now, at whichever socket: all of it is invented. */
static long waiting(void)
{
	long all = nsttest_stat("NstUdpWaited");

	return all - (long)not_authentic();
}

#define CROWD	20

/*
 * Sockets that are filled up one after the other have no more waiting, together, than
 * their user may have; and one more gets its turn all the same.
 */
TEST_F_TIMEOUT(table, one_socket_after_another, 120)
{
	int large = 4 << 20, fd[CROWD], i, k;
	struct udpend *e = self->e;
	struct sockaddr_storage at;
	long most = 0, now;
	char buf[256];
	struct dgram d;

	for (i = 0; i < CROWD; i++) {
		fd[i] = udpend_socket(&private_box);
		ASSERT_LE(0, fd[i]);
		ASSERT_EQ(0, setsockopt(fd[i], SOL_SOCKET, SO_RCVBUFFORCE,
					&large, sizeof(large)));
	}
	/* What may be derived at once after a rest is used up. */
	for (k = 0; k < 3; k++)
		ASSERT_EQ(0, invent_many(e, &e->to));
	for (i = 0; i < CROWD; i++) {
		ASSERT_EQ(0, udpend_name(fd[i], &at));
		ASSERT_EQ(0, invent_many(e, &at));
		now = waiting();
		most = now > most ? now : most;
	}
	TH_LOG("%ld waited", most);
	EXPECT_GE(2 * 1024 + CROWD + 1, most);
	udppeer_epoch(&e->p);
	make(&e->p, &d);
	k = udpend_socket(&private_box);
	ASSERT_EQ(0, udpend_name(k, &at));
	ASSERT_EQ(0, udpend_send(e->raw, &at, d.b, d.len));
	ASSERT_EQ((ssize_t)d.plain_len, recv(k, buf, sizeof(buf), 0));
	close(k);
	for (i = 0; i < CROWD; i++)
		close(fd[i]);
}

/* Larger than SO_RCVBUF, and first of its session: it comes as on a plain socket. */
TEST_F(table, a_large_one_comes)
{
	static uint8_t plain[60000], wire[UDPPEER_MAX], buf[65536];
	struct udpend *e = self->e;
	int small = 8192, i;
	size_t len;

	setsockopt(e->k, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	for (i = 0; i < 5; i++) {
		udppeer_epoch(&e->p);
		len = udppeer_next(&e->p, PEER_DATA, plain, sizeof(plain), wire);
		ASSERT_EQ(0, udpend_send(e->raw, &e->to, wire, len));
		ASSERT_EQ((ssize_t)sizeof(plain), recv(e->k, buf, sizeof(buf), 0));
	}
}

/* What waits at a socket when that is closed is counted, all of it. */
TEST_F_TIMEOUT(table, closes, 60)
{
	uint64_t end = peer_now() + NSTTEST_TIMEOUT * SECOND, all;
	struct nsttest_counters before, now;
	struct udpend *e = self->e;
	struct sockaddr_storage at;
	int size = 4 << 20, i, k;

	ASSERT_EQ(0, nsttest_counters(&before));
	k = udpend_socket(&private_box);
	ASSERT_LE(0, k);
	ASSERT_EQ(0, udpend_name(k, &at));
	setsockopt(k, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	ASSERT_EQ(0, invent_many(e, &at));
	close(k);
	do {
		usleep(20000);
		ASSERT_EQ(0, nsttest_counters(&now));
		for (all = 0, i = 1; i < NST_DROP_MAX; i++)
			all += now.value[i] - before.value[i];
	} while (all < AHEAD && peer_now() < end);
	TH_LOG("%s", nsttest_grown(&before));
	EXPECT_EQ(AHEAD, all);
	EXPECT_LT(before.value[NST_DROP_GONE], now.value[NST_DROP_GONE]);
}

/* Another host sends @d to @to, over a wire that goes then. */
static void other_host(int told, const struct dgram *d,
		       const struct sockaddr_in *to)
{
	int raw;
	char c;

	if (unshare(CLONE_NEWNET) || write(told, "x", 1) != 1 ||
	    read(told, &c, 1) != 1 ||
	    system("ip addr add 10.77.0.2/24 dev nsth && ip link set nsth up"))
		_exit(1);
	raw = socket(AF_INET, SOCK_DGRAM, 0);
	if (write(told, "x", 1) != 1 || read(told, &c, 1) != 1 ||
	    sendto(raw, d->b, d->len, 0, (void *)to, sizeof(*to)) < 0 ||
	    write(told, "x", 1) != 1)
		_exit(2);
	pause();
}

/* The device that a datagram came from goes while it waits. */
TEST_F_TIMEOUT(table, device_goes, 60)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	struct sockaddr_storage lo;
	struct udpend *e = self->e;
	int k, told[2], size = 4 << 20;
	char cmd[160], c;
	struct dgram d;
	pid_t pid;
	FILE *ip;

	k = socket(AF_INET, SOCK_DGRAM, 0);
	ASSERT_EQ(0, udpend_attach(k, AF_INET));
	ASSERT_EQ(0, udpend_install(k, NST_TX_RX, &private_box));
	ASSERT_EQ(0, bind(k, (void *)&at, sizeof(at)));
	setsockopt(k, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	ASSERT_EQ(0, udpend_name(k, &lo));
	at.sin_port = ((struct sockaddr_in *)&lo)->sin_port;
	at.sin_addr.s_addr = htonl(0x0a4d0001);
	((struct sockaddr_in *)&lo)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	make(&e->p, &d);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, told));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		other_host(told[1], &d, &at);
	ASSERT_EQ(1, read(told[0], &c, 1));
	snprintf(cmd, sizeof(cmd),
		 "ip link add nstg type veth peer name nsth netns %d", pid);
	ASSERT_EQ(0, system(cmd));
	ASSERT_EQ(0, system("ip addr add 10.77.0.1/24 dev nstg"));
	ASSERT_EQ(0, system("ip link set nstg up"));
	ASSERT_EQ(1, write(told[0], "x", 1));
	ASSERT_EQ(1, read(told[0], &c, 1));
	/* It is to be quick then: not a program that has to be started. */
	ip = popen("ip -batch -", "w");
	ASSERT_NE(NULL, ip);
	/* All the time is used up, and most of these have to wait still. */
	ASSERT_EQ(0, invent_many(e, &lo));
	ASSERT_EQ(1, write(told[0], "x", 1));
	ASSERT_EQ(1, read(told[0], &c, 1));
	EXPECT_LT(0, fputs("link del nstg\n", ip));
	ASSERT_EQ(0, pclose(ip));
	EXPECT_EQ(1, udpend_stat_wait("NstRxGone", 1));
	expect_nothing(_metadata, k);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(told[0]);
	close(told[1]);
	close(k);
}

/* Figures: how many there are in a second. */
TEST_F_TIMEOUT(table, rate, 60)
{
	struct udpend *e = self->e;
	unsigned int empty, full;
	int known;

	new_sessions(e, 1500);
	empty = new_sessions(e, 2000);
	known = nsttest_stat("NstUdpSessions");
	set_bound(_metadata, known);
	full = new_sessions(e, 2000);
	TH_LOG("new sessions a second: %u, and %u with all %d there",
	       empty / 2, full / 2, known);
	EXPECT_LT(0, empty);
	EXPECT_LT(0, full);
}

/* Another user's socket, under a flood that he has made himself. */
FIXTURE(stranger)
{
	struct udpend *e;
	pid_t flood;
	struct kind *kind;
	int rate[2][ROUNDS];	/* invented, garbage */
};

static void be_flooded(unsigned int pause, const struct kind *kind)
{
	struct sockaddr_storage at;
	struct udppeer p;
	int fd, raw;

	if (setresuid(STRANGER, STRANGER, STRANGER))
		_exit(2);
	fd = udpend_own_socket(&at);
	raw = udpend_plain(AF_INET);
	if (fd < 0 || raw < 0)
		_exit(3);
	udppeer_init(&p, NST_CIPHER_AES_GCM, udpend_own_secret(), NULL);
	flood(raw, &p, &at, pause, kind, &fd);
}

FIXTURE_SETUP(stranger)
{
	self->e = end_open(_metadata, &private_box);
	take_next(_metadata, self->e, &self->e->p);
	self->flood = 0;
	self->kind = mmap(NULL, sizeof(*self->kind), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->kind);
}

FIXTURE_TEARDOWN(stranger)
{
	if (self->flood > 0) {
		kill(self->flood, SIGKILL);
		waitpid(self->flood, NULL, 0);
	}
	end_close(self->e);
}

/* How many of @nr new sessions came, one each @us. */
static int new_at_pace(struct udpend *e, int nr, unsigned int us)
{
	char buf[256];
	int i, came = 0;
	struct dgram d;

	for (i = 0; i < nr; i++) {
		udppeer_epoch(&e->p);
		e->p.nonce += 1 << 20;
		make(&e->p, &d);
		udpend_send(e->raw, &e->to, d.b, d.len);
		usleep(us);
		while (recv(e->k, buf, sizeof(buf), MSG_DONTWAIT) > 0)
			came++;
	}
	usleep(nsttest_patience(1) * 500000);
	while (recv(e->k, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		came++;
	return came;
}

/* Datagrams of a session in @ms, each sent when the one before has come. */
static int known_in(struct udpend *e, unsigned int ms)
{
	uint64_t end = peer_now() + ms * MS;
	char buf[256];
	struct dgram d;
	int came = 0;

	while (peer_now() < end) {
		make(&e->p, &d);
		udpend_send(e->raw, &e->to, d.b, d.len);
		came += recv(e->k, buf, sizeof(buf), 0) > 0;
	}
	return came;
}

/*
 * Per cent of a known session's rate that are left under invented sessions, of that
 * under garbage: both cost the machine the same to send. In turns, for others
 * disturb, too.
 */
static int measure(struct __test_metadata *_metadata,
		   FIXTURE_DATA(stranger) *self)
{
	int i, of[2];

	for (i = 0; i < 2 * ROUNDS; i++) {
		self->kind->garbage = i & 1;
		usleep(50000);
		self->rate[i & 1][i / 2] = known_in(self->e, 100);
	}
	self->kind->garbage = false;
	of[0] = nsttest_median(self->rate[0], ROUNDS);
	of[1] = nsttest_median(self->rate[1], ROUNDS);
	TH_LOG("datagrams a second of one known: %d, and %d under garbage",
	       of[0] * 10, of[1] * 10);
	return of[1] ? 100 * of[0] / of[1] : 0;
}

/* It takes from nobody else: neither new sessions nor those that are known. */
TEST_F_TIMEOUT(stranger, takes_nothing, 120)
{
	struct nsttest_counters before, now;
	struct udpend *e = self->e;
	int alone, flooded, i, kept = 0;

	alone = new_at_pace(e, NEW, NEW_PACE);
	self->flood = fork();
	ASSERT_LE(0, self->flood);
	if (!self->flood)
		be_flooded(20000, self->kind);
	sleep(2);
	ASSERT_EQ(0, nsttest_counters(&before));
	flooded = new_at_pace(e, NEW, NEW_PACE);
	ASSERT_EQ(0, nsttest_counters(&now));
	for (i = 0; i < TRIES && kept < KEPT_KNOWN; i++)
		kept = measure(_metadata, self);
	TH_LOG("new sessions: %d of %d, and %d under a flood", alone, NEW,
	       flooded);
	TH_LOG("invented ones that found no room: %llu",
	       (unsigned long long)(now.value[NST_DROP_SESSION_QUEUE] -
				    before.value[NST_DROP_SESSION_QUEUE] +
				    now.value[NST_DROP_RCVBUF] -
				    before.value[NST_DROP_RCVBUF]));
	EXPECT_LE(NEW * 8 / 10, alone);
	EXPECT_LE(alone * KEPT / 100, flooded);
	EXPECT_LE(KEPT_KNOWN, kept);
}

TEST_HARNESS_MAIN
