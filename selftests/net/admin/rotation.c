// SPDX-License-Identifier: GPL-2.0
/*
 * The box of the namespace under sockets that use it: streams are counted under
 * their keys, senders follow the active key at their next record, what is
 * retired or gone is refused at the next record, and keys change under load
 * without a break. And the events that a peer can cause.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "hostile.h"
#include "nltalk.h"

#define FILL(kid)	((uint8_t)(kid))	/* what key_of() gives a kid */
#define SECOND		1000000000ll

static const struct nsttest_conf plain = { .cipher_id = NST_CIPHER_AES_GCM };

static int load_two(struct talk *t)
{
	nl_begin(t, t->family, NST_CMD_BOX_LOAD, NLM_F_ACK);
	nl_put_nest(t, 1, NST_STATE_ACTIVE, FILL(1));
	nl_put_nest(t, 2, NST_STATE_ACCEPT, FILL(2));
	return nl_talk(t);
}

static int add(struct talk *t, uint16_t kid, uint32_t state)
{
	nl_begin(t, t->family, NST_CMD_KEY_ADD, NLM_F_ACK);
	nl_put_key(t, kid, state, FILL(kid));
	return nl_talk(t);
}

static uint32_t get_u32(const void *attr)
{
	uint32_t value = ~0u;

	if (attr)
		memcpy(&value, attr, sizeof(value));
	return value;
}

/* Streams under @kid, sending and receiving, as tx * 100 + rx. */
static int streams(struct talk *t, uint16_t kid)
{
	const struct nlmsghdr *nlh = (void *)t->buf;

	if (nl_kid(t, NST_CMD_KEY_GET, kid))
		return -1;
	return get_u32(nl_find(nlh, NST_A_KEY_TX_STREAMS)) * 100 +
	       get_u32(nl_find(nlh, NST_A_KEY_RX_STREAMS));
}

static atomic_int stop;

/* One direction; @bad, @worse: errno of sender and receiver. */
static struct flow {
	int from;
	int to;
	uint64_t sent;
	uint64_t got;
	int bad;
	int worse;
} flow[2];

static int broken(void)
{
	return flow[0].bad || flow[0].worse || flow[1].bad || flow[1].worse;
}

/* Sockets end a little after their close(). Return: what streams() says. */
static int streams_at_last(struct talk *t, uint16_t kid, int want)
{
	struct timespec ms10 = { .tv_nsec = 10000000 };
	int i, now = -1;

	for (i = 0; i < 1500 && now != want && !broken(); i++) {
		now = streams(t, kid);
		if (now != want)
			nanosleep(&ms10, NULL);
	}
	return now;
}

static struct nst_info info_of(int fd)
{
	struct nst_info info = { .error = -1 };
	socklen_t len = sizeof(info);

	(void)getsockopt(fd, SOL_NST, NST_INFO, &info, &len);
	return info;
}

static int pass(int from, int to, const char *text)
{
	char buf[64] = "";
	ssize_t len = strlen(text);

	if (send(from, text, len, MSG_NOSIGNAL) != len)
		return errno;
	if (recv(to, buf, len, MSG_WAITALL) != len)
		return errno;
	return memcmp(buf, text, len) ? EILSEQ : 0;
}

FIXTURE(rot) {
	struct talk t;
	int a;
	int b;
	struct nsttest_counters before;
};

FIXTURE_SETUP(rot)
{
	ASSERT_EQ(0, nsttest_netns());
	ASSERT_EQ(0, nl_open(&self->t));
	ASSERT_EQ(0, load_two(&self->t));
	ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &self->a, &self->b));
	ASSERT_EQ(0, nsttest_attach(self->a));
	ASSERT_EQ(0, nsttest_attach(self->b));
	ASSERT_EQ(0, nsttest_install(self->a, &plain));
	ASSERT_EQ(0, nsttest_install(self->b, &plain));
	/* Twice: the second one begins a bound epoch. */
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, pass(self->a, self->b, "there"));
		ASSERT_EQ(0, pass(self->b, self->a, "back"));
	}
	ASSERT_EQ(0, nsttest_counters(&self->before));
}

FIXTURE_TEARDOWN(rot)
{
	close(self->a);
	close(self->b);
	nl_close(&self->t);
}

TEST_F(rot, streams_counted)
{
	EXPECT_EQ(202, streams(&self->t, 1));
	EXPECT_EQ(0, streams(&self->t, 2));
	EXPECT_EQ(1, info_of(self->a).tx.kid);
	EXPECT_EQ(1, info_of(self->a).rx.kid);
	close(self->a);
	close(self->b);
	EXPECT_EQ(0, streams_at_last(&self->t, 1, 0));
}

TEST_F(rot, activate_followed)
{
	ASSERT_EQ(0, nl_kid(&self->t, NST_CMD_KEY_ACTIVATE, 2));
	EXPECT_EQ(202, streams(&self->t, 1));
	EXPECT_EQ(0, pass(self->a, self->b, "under the new key"));
	EXPECT_EQ(2, info_of(self->a).tx.kid);
	EXPECT_EQ(2, info_of(self->b).rx.kid);
	/* The other direction has sent nothing since. */
	EXPECT_EQ(1, info_of(self->b).tx.kid);
	EXPECT_EQ(101, streams(&self->t, 1));
	EXPECT_EQ(101, streams(&self->t, 2));
	EXPECT_EQ(0, pass(self->b, self->a, "and back"));
	EXPECT_EQ(0, streams(&self->t, 1));
	EXPECT_EQ(202, streams(&self->t, 2));
	EXPECT_EQ(0, nl_kid(&self->t, NST_CMD_KEY_RETIRE, 1));
	EXPECT_EQ(0, pass(self->a, self->b, "goes on"));
	EXPECT_EQ(0, nl_kid(&self->t, NST_CMD_KEY_DEL, 1));
	EXPECT_EQ(0, pass(self->b, self->a, "goes on"));
	EXPECT_STREQ("", nsttest_grown(&self->before));
}

/* The old key may be retired while a connection that uses it is idle. */
TEST_F(rot, idle_survives_retirement)
{
	ASSERT_EQ(0, nl_kid(&self->t, NST_CMD_KEY_ACTIVATE, 2));
	ASSERT_EQ(0, nl_kid(&self->t, NST_CMD_KEY_RETIRE, 1));
	EXPECT_EQ(0, pass(self->a, self->b, "there"));
	EXPECT_EQ(0, pass(self->b, self->a, "back"));
	EXPECT_EQ(202, streams_at_last(&self->t, 2, 202));
}

/* A change that leaves a stream's key alone begins no epoch. */
TEST_F(rot, same_key_same_epoch)
{
	struct nst_info before = info_of(self->a), after;

	ASSERT_EQ(0, load_two(&self->t));
	ASSERT_EQ(0, add(&self->t, 3, NST_STATE_ACCEPT));
	ASSERT_EQ(0, nl_kid(&self->t, NST_CMD_KEY_DEL, 2));
	EXPECT_EQ(202, streams(&self->t, 1));
	EXPECT_EQ(0, pass(self->a, self->b, "there"));
	EXPECT_EQ(0, pass(self->b, self->a, "back"));
	after = info_of(self->a);
	EXPECT_EQ(before.tx.epochs, after.tx.epochs);
	EXPECT_EQ(before.tx.epoch, after.tx.epoch);
	EXPECT_EQ(before.rx.epochs, after.rx.epochs);
	EXPECT_EQ(202, streams(&self->t, 1));
}

/* Another secret under the same kid is another key. */
TEST_F(rot, same_kid_other_secret)
{
	nl_begin(&self->t, self->t.family, NST_CMD_BOX_LOAD, NLM_F_ACK);
	nl_put_nest(&self->t, 1, NST_STATE_ACTIVE, 0x77);
	ASSERT_EQ(0, nl_talk(&self->t));
	EXPECT_EQ(0, streams(&self->t, 1));
	EXPECT_EQ(0, pass(self->a, self->b, "there"));
	EXPECT_EQ(0, pass(self->b, self->a, "back"));
	EXPECT_EQ(202, streams(&self->t, 1));
}

/* What is under way when its key is retired, or removed, is refused. */
static void refused_in_flight(struct __test_metadata *_metadata,
			      FIXTURE_DATA(rot) *self, uint8_t cmd, int err,
			      const char *counter)
{
	char buf[16];

	ASSERT_EQ(4, send(self->a, "late", 4, 0));
	ASSERT_EQ(0, nl_kid(&self->t, NST_CMD_KEY_ACTIVATE, 2));
	ASSERT_EQ(0, nl_kid(&self->t, cmd, 1));
	EXPECT_EQ(-1, recv(self->b, buf, sizeof(buf), 0));
	EXPECT_EQ(err, errno);
	EXPECT_STREQ(counter, nsttest_grown(&self->before));
}

TEST_F(rot, retired_in_flight)
{
	refused_in_flight(_metadata, self, NST_CMD_KEY_RETIRE, EKEYREVOKED,
			  "NstRxKidRetired+1");
}

TEST_F(rot, deleted_in_flight)
{
	refused_in_flight(_metadata, self, NST_CMD_KEY_DEL, ENOKEY,
			  "NstRxNoKid+1");
}

/* Without a key nothing is sent; with one again, the stream goes on. */
TEST_F(rot, flush_and_load)
{
	ASSERT_EQ(0, nl_simple(&self->t, NST_CMD_BOX_FLUSH, NLM_F_ACK));
	EXPECT_EQ(-1, send(self->a, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(ENOKEY, errno);
	ASSERT_EQ(0, load_two(&self->t));
	EXPECT_EQ(0, pass(self->a, self->b, "there"));
	EXPECT_EQ(0, pass(self->b, self->a, "back"));
}

/* A program that names a key stays with it until it is no more. */
TEST_F(rot, named_key)
{
	struct nst_rekey rekey = { .kid = 2 };

	EXPECT_EQ(-1, setsockopt(self->a, SOL_NST, NST_REKEY, &rekey,
				 sizeof(rekey)));
	EXPECT_EQ(EACCES, errno);
	rekey.kid = 9;
	EXPECT_EQ(-1, setsockopt(self->a, SOL_NST, NST_REKEY, &rekey,
				 sizeof(rekey)));
	EXPECT_EQ(ENOKEY, errno);
	EXPECT_EQ(0, pass(self->a, self->b, "still works"));
	EXPECT_EQ(1, info_of(self->a).tx.kid);
}

/* Private boxes have nothing to do with the namespace's. */
TEST_F(rot, private_box_apart)
{
	static const struct nsttest_conf private = {
		.cipher_id = NST_CIPHER_AES_GCM, .nr_keys = NSTTEST_KEYS,
	};

	ASSERT_EQ(0, nsttest_install(self->a, &private));
	ASSERT_EQ(0, nsttest_install(self->b, &private));
	ASSERT_EQ(0, pass(self->a, self->b, "there"));
	ASSERT_EQ(0, pass(self->b, self->a, "back"));
	EXPECT_EQ(0, streams(&self->t, 1));
	ASSERT_EQ(0, nl_simple(&self->t, NST_CMD_BOX_FLUSH, NLM_F_ACK));
	EXPECT_EQ(0, pass(self->a, self->b, "there"));
	EXPECT_EQ(0, pass(self->b, self->a, "back"));
	EXPECT_EQ(NSTTEST_KID, info_of(self->a).tx.kid);
}

/* What was accepted under a box that a socket has no more is not any more. */
TEST_F(rot, other_box_forgets_the_old_one)
{
	struct nsttest_info ti;
	char buf[8];

	for (int i = 0; i < 2; i++) {
		nsttest_fill(&ti, NST_CIPHER_AES_GCM);
		ASSERT_EQ(0, setsockopt(i ? self->a : self->b, SOL_NST,
					NST_TX_RX, &ti, sizeof(ti)));
	}
	ASSERT_EQ(0, pass(self->a, self->b, "there"));
	ASSERT_EQ(0, pass(self->a, self->b, "there"));
	ti.keys[0].key[5] ^= 1;
	ASSERT_EQ(0, setsockopt(self->b, SOL_NST, NST_TX_RX, &ti, sizeof(ti)));
	ASSERT_EQ(1, send(self->a, "x", 1, 0));
	EXPECT_EQ(-1, recv(self->b, buf, sizeof(buf), 0));
	EXPECT_EQ(EBADMSG, errno);
	EXPECT_STREQ("NstRxAuth+1", nsttest_grown(&self->before));
}

/* --- under load ------------------------------------------------------------ */

#define CHUNK		3000
#define ROTATIONS	20

static uint8_t pattern(uint64_t at)
{
	return at * 7 + (at >> 13);
}

static void *flow_send(void *data)
{
	struct flow *f = data;
	uint8_t buf[CHUNK];
	ssize_t n;

	while (!atomic_load(&stop)) {
		for (size_t i = 0; i < sizeof(buf); i++)
			buf[i] = pattern(f->sent + i);
		n = send(f->from, buf, sizeof(buf), MSG_NOSIGNAL);
		if (n <= 0) {
			f->bad = errno;
			break;
		}
		f->sent += n;
	}
	shutdown(f->from, SHUT_WR);
	return NULL;
}

static void *flow_recv(void *data)
{
	struct flow *f = data;
	uint8_t buf[CHUNK * 2];
	ssize_t n;

	while ((n = recv(f->to, buf, sizeof(buf), 0)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			if (buf[i] != pattern(f->got + i))
				f->worse = EILSEQ;
		f->got += n;
	}
	if (n < 0)
		f->worse = errno;
	return NULL;
}

/* All streams have gone over to @kid, or one has failed. */
static void wait_for(struct __test_metadata *_metadata, struct talk *t,
		     uint16_t kid)
{
	EXPECT_EQ(202, streams_at_last(t, kid, 202)) {
		for (int i = 0; i < 2; i++)
			TH_LOG("flow %d: sent %llu (errno %d), got %llu (errno %d)",
			       i, (unsigned long long)flow[i].sent, flow[i].bad,
			       (unsigned long long)flow[i].got, flow[i].worse);
	}
}

/* One key after the other, each retired when nothing uses it any more. */
static void rotate(struct __test_metadata *_metadata, struct talk *t)
{
	for (int kid = 2; kid < 2 + ROTATIONS && !broken(); kid++) {
		if (kid > 2)
			ASSERT_EQ(0, add(t, kid, NST_STATE_ACCEPT));
		ASSERT_EQ(0, nl_kid(t, NST_CMD_KEY_ACTIVATE, kid));
		wait_for(_metadata, t, kid);
		EXPECT_EQ(0, streams(t, kid - 1));
		ASSERT_EQ(0, nl_kid(t, NST_CMD_KEY_RETIRE, kid - 1));
		ASSERT_EQ(0, nl_kid(t, NST_CMD_KEY_DEL, kid - 1));
	}
}

/* Whole boxes, each with the key of the one before as accept. */
static void replace(struct __test_metadata *_metadata, struct talk *t)
{
	for (int kid = 2; kid < 2 + ROTATIONS && !broken(); kid++) {
		nl_begin(t, t->family, NST_CMD_BOX_LOAD, NLM_F_ACK);
		nl_put_nest(t, kid, NST_STATE_ACTIVE, FILL(kid));
		nl_put_nest(t, kid - 1, NST_STATE_ACCEPT, FILL(kid - 1));
		ASSERT_EQ(0, nl_talk(t));
		wait_for(_metadata, t, kid);
	}
}

static void under_load(struct __test_metadata *_metadata,
		       FIXTURE_DATA(rot) *self,
		       void (*change)(struct __test_metadata *, struct talk *))
{
	pthread_t thread[4];
	int small = 32768;

	atomic_store(&stop, 0);
	flow[0] = (struct flow){ .from = self->a, .to = self->b };
	flow[1] = (struct flow){ .from = self->b, .to = self->a };
	for (int i = 0; i < 2; i++) {
		/* Little under way, so that a receiver soon sees a new key. */
		ASSERT_EQ(0, setsockopt(flow[i].from, SOL_SOCKET, SO_SNDBUF,
					&small, sizeof(small)));
		ASSERT_EQ(0, pthread_create(&thread[2 * i], NULL, flow_send,
					    &flow[i]));
		ASSERT_EQ(0, pthread_create(&thread[2 * i + 1], NULL,
					    flow_recv, &flow[i]));
	}
	change(_metadata, &self->t);
	atomic_store(&stop, 1);
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(0, flow[i].bad);
		EXPECT_EQ(0, flow[i].worse);
		EXPECT_EQ(flow[i].sent, flow[i].got);
		EXPECT_LT(0, flow[i].got);
	}
	EXPECT_STREQ("", nsttest_grown(&self->before));
}

TEST_F_TIMEOUT(rot, rotation_under_load, 90)
{
	under_load(_metadata, self, rotate);
}

TEST_F_TIMEOUT(rot, replacement_under_load, 90)
{
	under_load(_metadata, self, replace);
}

/* --- events ---------------------------------------------------------------- */

FIXTURE(event) {
	struct talk t;
};

FIXTURE_SETUP(event)
{
	ASSERT_EQ(0, nsttest_netns());
	ASSERT_EQ(0, nl_open(&self->t));
	ASSERT_EQ(0, nl_subscribe(&self->t));
}

FIXTURE_TEARDOWN(event)
{
	nl_close(&self->t);
}

static const struct nsttest_conf private = {
	.cipher_id = NST_CIPHER_AES_GCM, .nr_keys = NSTTEST_KEYS,
};

/* A connection of which the first record fails: its START @skew off. */
static void fail_clock(struct __test_metadata *_metadata, int64_t skew)
{
	struct conn *c = conn_open(_metadata, AF_INET, 0, &private);
	struct peer_hdr h;
	char byte;

	peer_prepare(&c->p, &h, PEER_DATA, GOOD_LEN);
	h.timestamp = peer_now() + skew;
	conn_add_hdr(c, &h, GOOD, GOOD_LEN, 0);
	conn_flush(_metadata, c, c->len);
	EXPECT_EQ(-1, recv(c->k, &byte, 1, 0));
	conn_close(c);
}

/* The same with a byte of the body changed. */
static void fail_auth(struct __test_metadata *_metadata)
{
	struct conn *c = conn_open(_metadata, AF_INET, 0, &private);
	char byte;

	conn_add(c, PEER_DATA, GOOD, GOOD_LEN);
	c->out[PEER_HDR_SIZE] ^= 1;
	conn_flush(_metadata, c, c->len);
	EXPECT_EQ(-1, recv(c->k, &byte, 1, 0));
	conn_close(c);
}

static int64_t skew_of(const struct nlmsghdr *nlh)
{
	const void *attr = nl_find(nlh, NST_A_EVENT_SKEW);
	int64_t skew = 0;

	if (attr)
		memcpy(&skew, attr, sizeof(skew));
	return skew;
}

static int kid_of(const struct nlmsghdr *nlh)
{
	const void *attr = nl_find(nlh, NST_A_EVENT_KID);
	uint16_t kid;

	if (!attr)
		return -1;
	memcpy(&kid, attr, sizeof(kid));
	return kid;
}

static const char *cause_of(const struct nlmsghdr *nlh)
{
	return nl_find(nlh, NST_A_EVENT_CAUSE) ?: "none";
}

TEST_F(event, clock)
{
	const struct nlmsghdr *nlh;

	fail_clock(_metadata, -40 * SECOND);
	nlh = nl_event(&self->t, 5000);
	ASSERT_NE(NULL, nlh);
	EXPECT_EQ(NST_EVENT_CLOCK, get_u32(nl_find(nlh, NST_A_EVENT_TYPE)));
	EXPECT_STREQ("NstRxTimePast", cause_of(nlh));
	EXPECT_GT(-40 * SECOND, skew_of(nlh));
	EXPECT_LT(-60 * SECOND, skew_of(nlh));
	fail_clock(_metadata, 3600 * SECOND);
	nlh = nl_event(&self->t, 5000);
	ASSERT_NE(NULL, nlh);
	EXPECT_STREQ("NstRxTimeFuture", cause_of(nlh));
	EXPECT_GT(3600 * SECOND, skew_of(nlh));
	EXPECT_LT(3580 * SECOND, skew_of(nlh));
}

TEST_F(event, replay)
{
	struct conn *c[2];
	const struct nlmsghdr *nlh;
	uint8_t saved[256];
	size_t len;
	char byte;

	for (int i = 0; i < 2; i++)
		c[i] = conn_open(_metadata, AF_INET, 0, &private);
	conn_add(c[0], PEER_DATA, GOOD, GOOD_LEN);
	len = c[0]->len;
	ASSERT_LE(len, sizeof(saved));
	memcpy(saved, c[0]->out, len);
	conn_flush(_metadata, c[0], len);
	expect_data(_metadata, c[0], GOOD);
	ASSERT_EQ(0, peer_write(c[1]->raw, saved, len));
	EXPECT_EQ(-1, recv(c[1]->k, &byte, 1, 0));
	nlh = nl_event(&self->t, 5000);
	ASSERT_NE(NULL, nlh);
	EXPECT_EQ(NST_EVENT_REPLAY, get_u32(nl_find(nlh, NST_A_EVENT_TYPE)));
	EXPECT_STREQ("NstRxReplayed", cause_of(nlh));
	EXPECT_EQ(NULL, nl_find(nlh, NST_A_EVENT_SKEW));
	conn_close(c[0]);
	conn_close(c[1]);
}

/* Does a short file have @words in it? */
static int told(const char *path, const char *words)
{
	char text[4096] = "";
	FILE *f = fopen(path, "r");

	if (!f)
		return 0;
	(void)!fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	return !!strstr(text, words);
}

/* The same in the words of nstkeyctl. */
TEST_F(event, told_by_nstkeyctl)
{
	ASSERT_EQ(0, system("nstkeyctl monitor >/tmp/rot.text & echo $! >/tmp/rot.pid;"
			    "nstkeyctl monitor --json >/tmp/rot.json & echo $! >>/tmp/rot.pid;"
			    "sleep 2"));
	fail_clock(_metadata, -40 * SECOND);
	fail_auth(_metadata);
	EXPECT_EQ(0, system("sleep 1; kill $(cat /tmp/rot.pid)"));
	EXPECT_TRUE(told("/tmp/rot.text",
			 "was not fresh, kid 7, NstRxTimePast, the peer's clock is -4"));
	EXPECT_TRUE(told("/tmp/rot.text",
			 "failed authentication, kid 7, NstRxAuth\n"));
	EXPECT_TRUE(told("/tmp/rot.json", "\"event\":\"clock\",\"kid\":7,"));
	EXPECT_TRUE(told("/tmp/rot.json", "\"skew_ns\":-4"));
	EXPECT_EQ(0, system("jsoncheck -l </tmp/rot.json"));
	EXPECT_EQ(0, system("nstkeyctl doctor | grep -q '^warn  refused .*1 x NstRxTimePast: '"));
	EXPECT_EQ(0, system("nstkeyctl doctor --json | jsoncheck"));
}

/* A flood of one kind: ten are told, then how many were not; others pass. */
TEST_F_TIMEOUT(event, rate_limit, 60)
{
	const struct nlmsghdr *nlh;
	int told = 0;

	for (int i = 0; i < 15; i++)
		fail_auth(_metadata);
	while ((nlh = nl_event(&self->t, 500))) {
		told++;
		EXPECT_EQ(NST_EVENT_AUTH,
			  get_u32(nl_find(nlh, NST_A_EVENT_TYPE)));
		EXPECT_STREQ("NstRxAuth", cause_of(nlh));
		EXPECT_EQ(NSTTEST_KID, kid_of(nlh));
		EXPECT_EQ(NULL, nl_find(nlh, NST_A_EVENT_MISSED));
	}
	EXPECT_EQ(10, told);
	fail_clock(_metadata, -40 * SECOND);
	nlh = nl_event(&self->t, 5000);
	ASSERT_NE(NULL, nlh);
	EXPECT_EQ(NST_EVENT_CLOCK, get_u32(nl_find(nlh, NST_A_EVENT_TYPE)));
	sleep(11);
	fail_auth(_metadata);
	nlh = nl_event(&self->t, 5000);
	ASSERT_NE(NULL, nlh);
	EXPECT_EQ(5, get_u32(nl_find(nlh, NST_A_EVENT_MISSED)));
}

TEST_HARNESS_MAIN
