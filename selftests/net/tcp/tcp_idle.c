// SPDX-License-Identifier: GPL-2.0
/*
 * Connections that rest longer than NST_IDLE_SECONDS: each direction gives its
 * transforms back, and goes on as if nothing had been with its next record.
 * /proc/crypto tells how many transforms there are.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/syscall.h>
#include <time.h>

#include "kselftest_harness.h"
#include "nst_ulp/limits.h"
#include "nltalk.h"
#include "tcptest.h"

#define PAIRS		14	/* each suite, strict and not */
#define MANY		100
#define TESTS_S		120	/* for a case: some rests */
#define REST_S		nsttest_patience(40)

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* --- how many transforms there are ---------------------------------------- */

static bool is_ours(const char *name)
{
	static const char *const aead[] = {
		"gcm(aes)", "authenc(hmac(sha256),cbc(aes))", "gcm(sm4)",
		"authenc(hmac(sm3),cbc(sm4))", "rfc7539(chacha20,poly1305)",
	};
	size_t i;

	for (i = 0; i < sizeof(aead) / sizeof(*aead); i++)
		if (!strcmp(name, aead[i]))
			return true;
	return false;
}

/* Transforms of NST's AEADs; each algorithm has one reference by itself. */
static int transforms(void)
{
	FILE *f = fopen("/proc/crypto", "r");
	char line[300], name[200] = "";
	int sum = 0, refs;

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "name : %199s", name) == 1)
			continue;
		if (sscanf(line, "refcnt : %d", &refs) == 1 && is_ours(name))
			sum += refs - 1;
	}
	fclose(f);
	return sum;
}

/* Waits until there are @want; what there are then, or after long. */
static int transforms_at_last(int want)
{
	double end = now() + REST_S;
	int n;

	while ((n = transforms()) != want && now() < end)
		usleep(50000);
	return n;
}

/* --- connections ---------------------------------------------------------- */

struct pair {
	int a;
	int b;
};

static int key(int fd, uint8_t suite, uint32_t flags)
{
	struct nsttest_conf conf = { .cipher_id = suite, .flags = flags };
	int ret = nsttest_attach(fd);

	return ret ?: nsttest_install(fd, &conf);
}

/* With the box of the namespace. */
static int open_pair(struct pair *p, int family, uint8_t suite, uint32_t flags)
{
	int ret = nsttest_pair(family, 0, &p->b, &p->a);

	if (!ret)
		ret = key(p->a, suite, flags | NST_F_INITIATOR);
	if (!ret)
		ret = key(p->b, suite, flags | NST_F_RESPONDER);
	if (!ret)
		ret = tcptest_settle(p->a);
	return ret ?: tcptest_settle(p->b);
}

static int pass(int from, int to, const char *text)
{
	char buf[64] = "";
	ssize_t len = strlen(text);

	if (send(from, text, len, MSG_NOSIGNAL) != len)
		return -errno;
	if (recv(to, buf, len, MSG_WAITALL) != len)
		return -errno;
	return memcmp(buf, text, len) ? -EILSEQ : 0;
}

static int both_ways(const struct pair *p)
{
	return pass(p->a, p->b, "there") ?: pass(p->b, p->a, "and back");
}

static struct nst_info info_of(int fd)
{
	struct nst_info info = { .error = -1 };

	tcptest_info(fd, &info);
	return info;
}

static int load(struct talk *t, uint16_t active, uint8_t fill)
{
	nl_begin(t, t->family, NST_CMD_BOX_LOAD, NLM_F_ACK);
	nl_put_nest(t, active, NST_STATE_ACTIVE, fill);
	nl_put_nest(t, 3 - active, NST_STATE_ACCEPT, 22);
	return nl_talk(t);
}

FIXTURE(idle)
{
	struct pair p[PAIRS];
	struct nsttest_counters before;
	struct talk t;
};

FIXTURE_SETUP(idle)
{
	int i;

	ASSERT_EQ(0, nsttest_netns());
	ASSERT_EQ(0, nl_open(&self->t));
	ASSERT_EQ(0, load(&self->t, 1, 11));
	for (i = 0; i < PAIRS; i++) {
		ASSERT_EQ(0, open_pair(&self->p[i], i & 1 ? AF_INET6 : AF_INET,
				       1 + i / 2, i & 1 ? NST_F_STRICT : 0));
		/* Twice: then both directions are bound. */
		ASSERT_EQ(0, both_ways(&self->p[i]));
		ASSERT_EQ(0, both_ways(&self->p[i]));
	}
	ASSERT_EQ(0, nsttest_counters(&self->before));
}

static void close_all(FIXTURE_DATA(idle) *self)
{
	int i;

	for (i = 0; i < PAIRS; i++) {
		if (self->p[i].a >= 0)
			close(self->p[i].a);
		if (self->p[i].b >= 0)
			close(self->p[i].b);
		self->p[i].a = -1;
		self->p[i].b = -1;
	}
}

FIXTURE_TEARDOWN(idle)
{
	close_all(self);
	nl_close(&self->t);
}

static void expect_parked(struct __test_metadata *_metadata)
{
	EXPECT_EQ(0, transforms_at_last(0));
}

static void expect_alive(struct __test_metadata *_metadata,
			 FIXTURE_DATA(idle) *self)
{
	int i;

	for (i = 0; i < PAIRS; i++) {
		EXPECT_EQ(0, both_ways(&self->p[i])) {
			TH_LOG("pair %d", i);
		}
	}
	EXPECT_STREQ("", nsttest_grown(&self->before));
}

/* --- rest, and go on ------------------------------------------------------ */

/* The same epochs, twice; a sleeping reader is woken as ever. */
TEST_F_TIMEOUT(idle, goes_on, TESTS_S)
{
	struct nst_info before[PAIRS], after;
	pid_t pid;
	int i;

	for (i = 0; i < PAIRS; i++)
		before[i] = info_of(self->p[i].a);
	EXPECT_LT(0, transforms());
	expect_parked(_metadata);
	expect_alive(_metadata, self);
	EXPECT_LT(0, transforms());
	/* However long the machine takes to come to rest. */
	ASSERT_EQ(0, tcptest_timeout(self->p[0].b, SO_RCVTIMEO, 0));
	pid = tcptest_receiver(self->p[0].b, 0, 10, 10);
	expect_parked(_metadata);
	ASSERT_EQ(0, tcptest_send(self->p[0].a, 0, 10, 10));
	EXPECT_EQ(0, tcptest_reap(pid));
	expect_alive(_metadata, self);
	for (i = 0; i < PAIRS; i++) {
		after = info_of(self->p[i].a);
		EXPECT_EQ(before[i].tx.epochs, after.tx.epochs);
		EXPECT_EQ(before[i].tx.epoch, after.tx.epoch);
		EXPECT_EQ(before[i].rx.epochs, after.rx.epochs);
		EXPECT_EQ(before[i].rx.epoch, after.rx.epoch);
		EXPECT_EQ(before[i].rx.epoch_records + 2,
			  after.rx.epoch_records);
		EXPECT_EQ(before[i].tx.epoch_records + 2 + !i,
			  after.tx.epoch_records);
	}
}

/* A direction at work does not keep the other one's. */
TEST_F_TIMEOUT(idle, one_way, TESTS_S)
{
	double end = now() + REST_S;
	int i, n = -1;

	while (n != 2 * PAIRS && now() < end) {
		for (i = 0; i < PAIRS; i++)
			ASSERT_EQ(0, pass(self->p[i].a, self->p[i].b, "there"));
		n = transforms();
		usleep(200000);
	}
	EXPECT_EQ(2 * PAIRS, n);
	expect_alive(_metadata, self);
}

/* Only one end has sent: its epoch stays unbound, and the same. */
TEST_F_TIMEOUT(idle, unbound, TESTS_S)
{
	struct nst_info info;
	struct pair p;

	close_all(self);
	ASSERT_EQ(0, open_pair(&p, AF_INET, NST_CIPHER_AES_GCM, 0));
	ASSERT_EQ(0, pass(p.a, p.b, "early"));
	expect_parked(_metadata);
	EXPECT_EQ(0, pass(p.a, p.b, "early, too"));
	info = info_of(p.b);
	EXPECT_EQ(1, info.rx.epochs);
	EXPECT_EQ(0, info.rx.bound);
	expect_parked(_metadata);
	EXPECT_EQ(0, both_ways(&p));
	EXPECT_EQ(0, both_ways(&p));
	info = info_of(p.b);
	EXPECT_EQ(2, info.rx.epochs);
	EXPECT_EQ(1, info.rx.bound);
	close(p.a);
	close(p.b);
}

/* An open record rests, too, and so does the end of a stream. */
TEST_F_TIMEOUT(idle, open_record_and_end, TESTS_S)
{
	char byte;
	int i;

	for (i = 0; i < PAIRS; i++)
		ASSERT_EQ(10, tcptest_sendv(self->p[i].a, 0, 1, 10, MSG_MORE));
	expect_parked(_metadata);
	for (i = 0; i < PAIRS; i++) {
		ASSERT_EQ(0, tcptest_send(self->p[i].a, 10, 10, 10));
		EXPECT_EQ(0, tcptest_recv(self->p[i].b, 0, 20, 20));
	}
	expect_parked(_metadata);
	for (i = 0; i < PAIRS; i++) {
		ASSERT_EQ(0, shutdown(self->p[i].a, SHUT_WR));
		EXPECT_EQ(0, recv(self->p[i].b, &byte, 1, 0));
		EXPECT_EQ(0, pass(self->p[i].b, self->p[i].a, "to the end"));
	}
	EXPECT_STREQ("", nsttest_grown(&self->before));
}

TEST_F_TIMEOUT(idle, many, TESTS_S)
{
	static struct pair p[MANY];
	int i;

	close_all(self);
	ASSERT_EQ(0, transforms_at_last(0));
	for (i = 0; i < MANY; i++) {
		ASSERT_EQ(0, open_pair(&p[i], AF_INET, NST_CIPHER_AES_GCM, 0));
		ASSERT_EQ(0, both_ways(&p[i]));
	}
	EXPECT_LT(0, transforms());
	expect_parked(_metadata);
	for (i = 0; i < MANY; i++)
		EXPECT_EQ(0, both_ways(&p[i]));
	expect_parked(_metadata);
	for (i = 0; i < MANY; i++) {
		close(p[i].a);
		close(p[i].b);
	}
}

/* --- what changes meanwhile ----------------------------------------------- */

/* Keys by hand and by rotation; in either case a new epoch, and no break. */
TEST_F_TIMEOUT(idle, new_epochs, TESTS_S)
{
	struct nst_rekey same = { .kid = 0 };
	int i;

	expect_parked(_metadata);
	for (i = 0; i < PAIRS; i++)
		ASSERT_EQ(0, setsockopt(self->p[i].a, SOL_NST, NST_REKEY, &same,
					sizeof(same)));
	expect_alive(_metadata, self);
	for (i = 0; i < PAIRS; i++)
		EXPECT_EQ(info_of(self->p[i].b).rx.epoch_records, 1);
	expect_parked(_metadata);
	ASSERT_EQ(0, nl_kid(&self->t, NST_CMD_KEY_ACTIVATE, 2));
	ASSERT_EQ(0, nl_kid(&self->t, NST_CMD_KEY_RETIRE, 1));
	expect_alive(_metadata, self);
	for (i = 0; i < PAIRS; i++) {
		EXPECT_EQ(2, info_of(self->p[i].a).tx.kid);
		EXPECT_EQ(2, info_of(self->p[i].a).rx.kid);
	}
	expect_parked(_metadata);
	/* Another secret under the same kid, as both find when they go on. */
	ASSERT_EQ(0, load(&self->t, 2, 33));
	expect_alive(_metadata, self);
}

/* The receiver's keys go while it rests and a record is on its way. */
TEST_F_TIMEOUT(idle, key_gone, TESTS_S)
{
	char byte;
	int i;

	expect_parked(_metadata);
	for (i = 0; i < PAIRS; i++)
		ASSERT_EQ(1, send(self->p[i].a, "x", 1, 0));
	ASSERT_EQ(0, nl_kid(&self->t, NST_CMD_KEY_ACTIVATE, 2));
	ASSERT_EQ(0, nl_kid(&self->t, NST_CMD_KEY_RETIRE, 1));
	for (i = 0; i < PAIRS / 2; i++) {
		EXPECT_EQ(-1, recv(self->p[i].b, &byte, 1, 0));
		EXPECT_EQ(EKEYREVOKED, errno);
	}
	EXPECT_STREQ("NstRxKidRetired+7", nsttest_grown(&self->before));
	ASSERT_EQ(0, nl_kid(&self->t, NST_CMD_KEY_DEL, 1));
	for (; i < PAIRS; i++) {
		EXPECT_EQ(-1, recv(self->p[i].b, &byte, 1, 0));
		EXPECT_EQ(ENOKEY, errno);
	}
	EXPECT_STREQ("NstRxNoKid+7 NstRxKidRetired+7",
		     nsttest_grown(&self->before));
}

/* --- ends ----------------------------------------------------------------- */

static int unload(void)
{
	return syscall(SYS_delete_module, "nst_ulp", O_NONBLOCK) ? -errno : 0;
}

/*
 * The module goes once all is closed, which must not wait for the next look at
 * idle sockets.
 */
static void expect_unload(struct __test_metadata *_metadata)
{
	double begin = now();
	int err;

	while ((err = unload()) && now() < begin + REST_S)
		usleep(10000);
	EXPECT_EQ(0, err);
	/* Where the guest is slow by design, time tells nothing. */
	if (nsttest_patience(1) == 1)
		EXPECT_GT(NST_IDLE_SECONDS - 1, now() - begin);
	ASSERT_EQ(0, system("modprobe nst_ulp"));
}

TEST_F_TIMEOUT(idle, closed_before, TESTS_S)
{
	nl_close(&self->t);
	close_all(self);
	expect_unload(_metadata);
	ASSERT_EQ(0, nl_open(&self->t));
}

TEST_F_TIMEOUT(idle, closed_in_rest, TESTS_S)
{
	nl_close(&self->t);
	expect_parked(_metadata);
	close_all(self);
	expect_unload(_metadata);
	ASSERT_EQ(0, nl_open(&self->t));
}

/* Children that nobody has accepted have keys as soon as a START comes. */
TEST_F_TIMEOUT(idle, never_accepted, TESTS_S)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(addr);
	int lis = socket(AF_INET, SOCK_STREAM, 0), fd[PAIRS], i;

	nl_close(&self->t);
	close_all(self);
	ASSERT_EQ(0, transforms_at_last(0));
	ASSERT_EQ(0, bind(lis, (void *)&addr, len));
	ASSERT_EQ(0, key(lis, NST_CIPHER_AES_GCM, 0));
	ASSERT_EQ(0, listen(lis, PAIRS));
	ASSERT_EQ(0, getsockname(lis, (void *)&addr, &len));
	for (i = 0; i < PAIRS; i++) {
		fd[i] = socket(AF_INET, SOCK_STREAM, 0);
		ASSERT_EQ(0, connect(fd[i], (void *)&addr, len));
		ASSERT_EQ(0, key(fd[i], NST_CIPHER_AES_GCM, NST_F_INITIATOR));
		ASSERT_EQ(1, send(fd[i], "x", 1, 0));
	}
	/* Both ends of the direction that has a START. */
	EXPECT_EQ(2 * PAIRS, transforms_at_last(2 * PAIRS));
	close(lis);
	for (i = 0; i < PAIRS; i++)
		close(fd[i]);
	expect_unload(_metadata);
	ASSERT_EQ(0, nl_open(&self->t));
}

TEST_HARNESS_MAIN
