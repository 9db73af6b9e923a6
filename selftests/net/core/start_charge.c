// SPDX-License-Identifier: GPL-2.0
/*
 * Who pays for the STARTs that are remembered: the memory cgroup of who made the
 * socket, whoever's call or worker takes them; also when that cgroup is full.
 */
#define _GNU_SOURCE
#include <signal.h>

#include "cgroup.h"
#include "kselftest_harness.h"
#include "tcptest.h"

#define CGROUP		CGROUP_ROOT "/start"
#define LIMIT		CGROUP "/memory.max"
#define HIGH		CGROUP "/memory.high"
#define BATCH		50	/* connections at a time */
#define BATCHES		16
#define START_BYTES	64	/* what a START takes at least */

static const struct tcptest_conf conf = {
	.cipher_id = NST_CIPHER_AES_GCM, .family = AF_INET,
};

FIXTURE(start)
{
	int kern[BATCH];
	int raw[BATCH];
};

FIXTURE_SETUP(start)
{
	ASSERT_EQ(0, nsttest_netns());
	if (cgroup_make(CGROUP) == -ENODEV) {
		cgroup_end();
		NSTTEST_SKIP_FIXTURE("this kernel has no memory cgroups");
	}
}

FIXTURE_TEARDOWN(start)
{
	nsttest_write_file(LIMIT, "max");
	cgroup_enter(CGROUP_ROOT);
	rmdir(CGROUP);
	cgroup_end();
}

/* Bytes of kernel objects that the cgroup has; to read it makes it exact. */
static long objects(void)
{
	return nsttest_find(CGROUP "/memory.stat", "slab_unreclaimable");
}

/* What sockets leave behind goes a little later: when it sinks no more. */
static long objects_settled(void)
{
	long now = objects(), was;
	int i;

	for (i = 0; i < 40; i++) {
		was = now;
		usleep(250000);
		now = objects();
		if (now >= was && i > 3)
			break;
	}
	return now;
}

/* Connections whose receiving ends are accepted in the cgroup, by who leaves it then. */
static int make_batch(int *kern, int *raw)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int listener = socket(AF_INET, SOCK_STREAM, 0), ret = 0, i;
	socklen_t len = sizeof(sin);

	if (bind(listener, (struct sockaddr *)&sin, len) ||
	    getsockname(listener, (struct sockaddr *)&sin, &len) ||
	    listen(listener, BATCH))
		ret = -errno;
	for (i = 0; i < BATCH && !ret; i++) {
		raw[i] = socket(AF_INET, SOCK_STREAM, 0);
		if (connect(raw[i], (struct sockaddr *)&sin, len))
			ret = -errno;
	}
	ret = ret ?: cgroup_enter(CGROUP);
	for (i = 0; i < BATCH && !ret; i++) {
		kern[i] = accept(listener, NULL, NULL);
		ret = kern[i] < 0 ? -errno :
		      tcptest_key(kern[i], &conf, NST_F_RESPONDER);
	}
	close(listener);
	return cgroup_enter(CGROUP_ROOT) ?: ret;
}

/*
 * Allow the cgroup what it has, and not a page more. What the processors keep ready
 * of it is taken back first, by a mark that kills nobody, as more than all STARTs of
 * the test fit into that.
 */
static int fill_up(void)
{
	char text[32];
	int ret = nsttest_write_file(HIGH, "0") ?:
		  nsttest_write_file(HIGH, "max");

	snprintf(text, sizeof(text), "%ld",
		 nsttest_number(CGROUP "/memory.current"));
	return ret ?: nsttest_write_file(LIMIT, text);
}

static void close_batch(int *kern, int *raw)
{
	int i;

	for (i = 0; i < BATCH; i++) {
		close(raw[i]);
		close(kern[i]);
	}
}

/* A START, with a byte of plaintext or without. */
static int start(int raw, unsigned int len)
{
	struct peer p;

	peer_init(&p, raw, NST_CIPHER_AES_GCM, nsttest_box, NSTTEST_KEYS);
	p.role = PEER_F_INITIATOR;
	return peer_send(&p, PEER_DATA, "x", len);
}

/* Outside of the cgroup a reader is there already, so that his call may take it. */
static pid_t readers(const int *kern)
{
	pid_t pid = fork();
	char in;
	int i;

	if (pid)
		return pid;
	for (i = 0; i < BATCH; i++)
		if (recv(kern[i], &in, 1, 0) != 1)
			_exit(1);
	_exit(0);
}

/* What the cgroup of the maker has more behind the STARTs of some batches. */
static long charged_for(struct __test_metadata *_metadata, int *kern, int *raw)
{
	long before = 0;
	int b, i;
	pid_t pid;

	for (b = 0; b <= BATCHES; b++) {
		ASSERT_EQ(0, make_batch(kern, raw));
		pid = readers(kern);
		ASSERT_LE(0, pid);
		for (i = 0; i < BATCH; i++) {
			/* So that he waits for this one. */
			usleep(2000);
			ASSERT_EQ(0, start(raw[i], 1));
		}
		EXPECT_EQ(0, tcptest_reap(pid));
		close_batch(kern, raw);
		/* The first one fills caches. */
		if (!b)
			before = objects_settled();
	}
	return objects_settled() - before;
}

/* The kernel counts in batches, and frees late: what is true is so in one of three. */
TEST_F_TIMEOUT(start, of_the_maker, 240)
{
	long want = BATCH * BATCHES * START_BYTES / 10 * 9, got = 0;
	int i;

	for (i = 0; i < 3 && got < want; i++) {
		got = charged_for(_metadata, self->kern, self->raw);
		TH_LOG("%d STARTs: %ld bytes in the cgroup of the maker, %ld each",
		       BATCH * BATCHES, got, got / (BATCH * BATCHES));
	}
	EXPECT_LE(want, got);
}

/* Records that the ends have received, once each of them has one. */
static int received(const int *kern)
{
	struct nst_info info;
	int i, n = 0, look;

	for (look = 0; look < TCPTEST_SOON_MS / 10 && n < BATCH; look++) {
		usleep(10000);
		for (i = 0, n = 0; i < BATCH; i++)
			if (!tcptest_info(kern[i], &info))
				n += info.rx.records;
	}
	return n;
}

/* None is lost for want of memory, and none waits until there is some. */
TEST_F_TIMEOUT(start, in_a_full_cgroup, 120)
{
	int i, lost = 0;
	char in;

	ASSERT_EQ(0, make_batch(self->kern, self->raw));
	ASSERT_EQ(0, fill_up());
	for (i = 0; i < BATCH; i++)
		ASSERT_EQ(0, start(self->raw[i], 0));
	EXPECT_EQ(BATCH, received(self->kern));
	EXPECT_EQ(0, nsttest_stat("NstRxStalled"));
	ASSERT_EQ(0, nsttest_write_file(LIMIT, "max"));
	for (i = 0; i < BATCH; i++) {
		struct peer p;

		peer_init(&p, self->raw[i], NST_CIPHER_AES_GCM, nsttest_box,
			  NSTTEST_KEYS);
		lost += send(self->kern[i], "y", 1, MSG_NOSIGNAL) != 1;
		lost += recv(self->kern[i], &in, 1, MSG_DONTWAIT) >= 0 ||
			errno != EAGAIN;
	}
	EXPECT_EQ(0, lost);
	close_batch(self->kern, self->raw);
}

TEST_HARNESS_MAIN
