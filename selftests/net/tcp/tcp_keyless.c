// SPDX-License-Identifier: GPL-2.0
/*
 * Strict ends whose START no key may send yet: it goes as soon as one may, also if
 * their programs only wait for something to read.
 */
#define _GNU_SOURCE
#include <sys/resource.h>

#include "kselftest_harness.h"
#include "nltalk.h"
#include "tcptest.h"

#define NR	1000	/* connections in the namespace, of two strict ends each */
#define FEW	200
#define FILL(kid)	((uint8_t)(kid))

FIXTURE(keyless)
{
	struct talk t;
	int a[NR];
	int b[NR];
	int nr;
};

/* Box: 1 is active, 2 is not. */
static int load_two(struct talk *t)
{
	nl_begin(t, t->family, NST_CMD_BOX_LOAD, NLM_F_ACK);
	nl_put_nest(t, 1, NST_STATE_ACTIVE, FILL(1));
	nl_put_nest(t, 2, NST_STATE_ACCEPT, FILL(2));
	return nl_talk(t);
}

FIXTURE_SETUP(keyless)
{
	struct rlimit files = { 2 * NR + 100, 2 * NR + 100 };

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &files));
	ASSERT_EQ(0, nsttest_netns());
	ASSERT_EQ(0, nl_open(&self->t));
}

FIXTURE_TEARDOWN(keyless)
{
	while (self->nr--) {
		close(self->a[self->nr]);
		close(self->b[self->nr]);
	}
	nl_close(&self->t);
}

/* The key of the namespace's box with the number @kid; 0: the active one. */
static int install(int fd, uint16_t kid)
{
	struct nst_crypto_info info = {
		.version = 1, .cipher_id = NST_CIPHER_AES_GCM,
		.flags = NST_F_STRICT,
	};
	int err;

	err = setsockopt(fd, SOL_NST, NST_RX, &info, sizeof(info));
	info.kid = kid;
	return err ?: setsockopt(fd, SOL_NST, NST_TX, &info, sizeof(info));
}

static void connect_all(struct __test_metadata *_metadata,
			FIXTURE_DATA(keyless) *self, int nr, uint16_t kid)
{
	for (; self->nr < nr; self->nr++) {
		int *a = &self->a[self->nr], *b = &self->b[self->nr];

		ASSERT_EQ(0, nsttest_pair(AF_INET, 0, a, b));
		ASSERT_EQ(0, nsttest_attach(*a));
		ASSERT_EQ(0, nsttest_attach(*b));
		ASSERT_EQ(0, install(*a, kid));
		ASSERT_EQ(0, install(*b, kid));
	}
}

/* Both have the other's START. */
static void expect_bound(struct __test_metadata *_metadata, int a, int b)
{
	EXPECT_EQ(POLLOUT, tcptest_poll(a, POLLOUT, TCPTEST_SOON_MS));
	EXPECT_EQ(POLLOUT, tcptest_poll(b, POLLOUT, TCPTEST_SOON_MS));
	EXPECT_EQ(0, tcptest_send(a, 0, 100, 100));
	EXPECT_EQ(0, tcptest_recv(b, 0, 100, 100));
}

/* The worker has looked in vain, and a while has passed. */
static void expect_unbound(struct __test_metadata *_metadata, int a, int b)
{
	EXPECT_EQ(0, tcptest_poll(a, POLLOUT, 300));
	EXPECT_EQ(0, tcptest_poll(b, POLLOUT, 0));
}

TEST_F(keyless, until_it_is_active)
{
	ASSERT_EQ(0, load_two(&self->t));
	connect_all(_metadata, self, 1, 2);
	expect_unbound(_metadata, self->a[0], self->b[0]);
	/* Another change of the box is in vain, and it goes on to wait. */
	nl_begin(&self->t, self->t.family, NST_CMD_KEY_ADD, NLM_F_ACK);
	nl_put_key(&self->t, 3, NST_STATE_ACCEPT, FILL(3));
	ASSERT_EQ(0, nl_talk(&self->t));
	expect_unbound(_metadata, self->a[0], self->b[0]);
	ASSERT_EQ(0, nl_kid(&self->t, NST_CMD_KEY_ACTIVATE, 2));
	expect_bound(_metadata, self->a[0], self->b[0]);
}

TEST_F(keyless, until_a_box_is_loaded)
{
	connect_all(_metadata, self, 1, 0);
	expect_unbound(_metadata, self->a[0], self->b[0]);
	ASSERT_EQ(0, load_two(&self->t));
	expect_bound(_metadata, self->a[0], self->b[0]);
}

TEST_F(keyless, until_one_is_added)
{
	connect_all(_metadata, self, 1, 0);
	expect_unbound(_metadata, self->a[0], self->b[0]);
	nl_begin(&self->t, self->t.family, NST_CMD_KEY_ADD, NLM_F_ACK);
	nl_put_key(&self->t, 7, NST_STATE_ACTIVE, FILL(7));
	ASSERT_EQ(0, nl_talk(&self->t));
	expect_bound(_metadata, self->a[0], self->b[0]);
}

/* The program names another one, which may send. */
TEST_F(keyless, until_another_is_named)
{
	struct nst_rekey rekey = { .kid = 1 };

	ASSERT_EQ(0, load_two(&self->t));
	connect_all(_metadata, self, 1, 2);
	expect_unbound(_metadata, self->a[0], self->b[0]);
	ASSERT_EQ(0, setsockopt(self->a[0], SOL_NST, NST_REKEY, &rekey,
				sizeof(rekey)));
	ASSERT_EQ(0, setsockopt(self->b[0], SOL_NST, NST_REKEY, &rekey,
				sizeof(rekey)));
	expect_bound(_metadata, self->a[0], self->b[0]);
}

/* A program that sleeps in recv() is told. */
TEST_F(keyless, while_a_reader_sleeps)
{
	pid_t pid;

	ASSERT_EQ(0, load_two(&self->t));
	connect_all(_metadata, self, 1, 2);
	pid = tcptest_receiver(self->b[0], 0, 100, 100);
	ASSERT_EQ(0, tcptest_asleep(pid));
	ASSERT_EQ(0, nl_kid(&self->t, NST_CMD_KEY_ACTIVATE, 2));
	/* Its START lets this end send, which waits for that. */
	EXPECT_EQ(0, tcptest_send(self->a[0], 0, 100, 100));
	EXPECT_EQ(0, tcptest_reap(pid));
}

/* All of a namespace that wait, but for those that are gone by then. */
TEST_F_TIMEOUT(keyless, all_of_a_namespace, 120)
{
	int i;

	ASSERT_EQ(0, load_two(&self->t));
	connect_all(_metadata, self, FEW, 2);
	expect_unbound(_metadata, self->a[FEW - 1], self->b[FEW - 1]);
	while (self->nr > FEW / 2) {
		self->nr--;
		close(self->a[self->nr]);
		close(self->b[self->nr]);
	}
	ASSERT_EQ(0, nl_kid(&self->t, NST_CMD_KEY_ACTIVATE, 2));
	for (i = 0; i < self->nr; i++)
		expect_bound(_metadata, self->a[i], self->b[i]);
}

/* How many of those that waited have sent their START. */
static int started(FIXTURE_DATA(keyless) *self)
{
	struct nst_info info;
	int i, nr = 0;

	for (i = 0; i < self->nr; i++) {
		if (!tcptest_info(self->a[i], &info))
			nr += !!info.tx.records;
		if (!tcptest_info(self->b[i], &info))
			nr += !!info.tx.records;
	}
	return nr;
}

/*
 * They all want the worker at once, which serves other streams, too: these, which have
 * keys of their own, do not wait until it has served all the others.
 */
TEST_F_TIMEOUT(keyless, others_move_in_between, 240)
{
	const struct tcptest_conf strict = {
		.cipher_id = NST_CIPHER_AES_GCM, .family = AF_INET,
		.strict = true,
	};
	int a, b, nr, i;

	/* The worker does all of them before this program may go on. */
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "wants two processors");
	ASSERT_EQ(0, load_two(&self->t));
	connect_all(_metadata, self, NR, 2);
	expect_unbound(_metadata, self->a[NR - 1], self->b[NR - 1]);
	EXPECT_EQ(0, started(self));
	ASSERT_EQ(0, nl_kid(&self->t, NST_CMD_KEY_ACTIVATE, 2));
	ASSERT_EQ(0, tcptest_pair(&strict, &a, &b));
	expect_bound(_metadata, a, b);
	nr = started(self);
	TH_LOG("%d of %d have gone first", nr, 2 * NR);
	EXPECT_GT(NR, nr);
	for (i = 0; i < NR; i++)
		expect_bound(_metadata, self->a[i], self->b[i]);
	close(a);
	close(b);
}

TEST_HARNESS_MAIN
