// SPDX-License-Identifier: GPL-2.0
/*
 * Figures, no judgement: what a sender loses who sends as fast as he can and begins an
 * epoch every thousand datagrams. Not in net/tests.
 */
#define _GNU_SOURCE
#include <pthread.h>

#include "kselftest_harness.h"
#include "udptest.h"

#define NR		48000
#define BYTES		64
#define EACH		"1000"
#define TURNS		3

static const struct udptest_conf aes4 = {
	.family = UDPTEST_IPV4, .cipher_id = NST_CIPHER_AES_GCM,
};

struct reader {
	int fd;
	volatile bool over;
	unsigned long came;
};

static void *read_all(void *arg)
{
	struct reader *r = arg;
	char buf[BYTES];

	/* Its time limit ends it. */
	for (;;) {
		if (recv(r->fd, buf, sizeof(buf), 0) > 0)
			r->came++;
		else if (r->over)
			break;
	}
	return NULL;
}

FIXTURE(change)
{
	int a, b;
};

FIXTURE_VARIANT(change)
{
	const char *rekey;
};

FIXTURE_VARIANT_ADD(change, none) { .rekey = "1048576" };
FIXTURE_VARIANT_ADD(change, often) { .rekey = EACH };

FIXTURE_SETUP(change)
{
	ASSERT_EQ(0, nsttest_netns());
	ASSERT_EQ(0, nsttest_write_file("/proc/sys/net/nst/rekey_records",
					variant->rekey));
	ASSERT_EQ(0, udptest_met(&aes4, &self->a, &self->b));
	ASSERT_EQ(0, tcptest_set_int(self->b, SOL_SOCKET, SO_RCVBUFFORCE,
				     8 << 20));
	ASSERT_EQ(0, tcptest_timeout(self->b, SO_RCVTIMEO, 500));
}

FIXTURE_TEARDOWN(change)
{
	close(self->a);
	close(self->b);
}

TEST_F_TIMEOUT(change, as_fast_as_it_goes, 300)
{
	char buf[BYTES] = "";
	struct nsttest_counters before;
	struct nst_info info;
	pthread_t thread;
	int turn, i;
	long ms;

	for (turn = 0; turn < TURNS; turn++) {
		struct reader r = { .fd = self->b };

		ASSERT_EQ(0, nsttest_counters(&before));
		ASSERT_EQ(0, pthread_create(&thread, NULL, read_all, &r));
		ms = nsttest_now_ms();
		for (i = 0; i < NR; i++)
			ASSERT_EQ(BYTES, send(self->a, buf, BYTES, 0));
		ms = nsttest_now_ms() - ms;
		r.over = true;
		pthread_join(thread, NULL);
		ASSERT_EQ(0, tcptest_info(self->a, &info));
		TH_LOG("%d in %ld ms, %ld lost, %u epochs so far: %s; in the queue %ld",
		       NR, ms, NR - (long)r.came, info.tx.epochs,
		       nsttest_grown(&before),
		       nsttest_mib("/proc/thread-self/net/snmp", "Udp:",
				   "RcvbufErrors"));
	}
}

TEST_HARNESS_MAIN
