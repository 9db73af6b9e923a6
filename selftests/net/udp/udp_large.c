// SPDX-License-Identifier: GPL-2.0
/*
 * Large datagrams that come in pieces, or whose bytes somebody else has, too:
 * they arrive as they were sent, and no softirq needs more than single pages of
 * memory for them.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/mount.h>

#include "kselftest_harness.h"
#include "udptest.h"

#define TRACING		"/sys/kernel/tracing"
#define EVENT		TRACING "/events/kmem/mm_page_alloc"
#define ROUNDS		64

/* Behind tc filter: each packet has another byte there. */
#define MUNGE	"protocol all u32 match u32 0 0 action pedit munge offset 1200 u8 set 0x55"

FIXTURE(large)
{
	int a;
	int b;
};

FIXTURE_VARIANT(large)
{
	struct udptest_conf conf;
};

UDPTEST_VARIANTS_FEW(large);
UDPTEST_V(large, sm4_cbc_ipv6, NST_CIPHER_SM4_CBC, UDPTEST_IPV6);

FIXTURE_SETUP(large)
{
	ASSERT_EQ(0, nsttest_netns());
	ASSERT_EQ(0, udptest_load_box());
	ASSERT_EQ(0, udptest_met(&variant->conf, &self->a, &self->b));
}

FIXTURE_TEARDOWN(large)
{
	close(self->a);
	close(self->b);
}

/* Lengths around those where another way is taken, up to the longest. */
static int lengths(const struct udptest_conf *conf, int a, int b)
{
	const size_t longest = udptest_longest(conf), some[] = {
		1, 1400, 2800, 3100, 3200, 3300, 4096, 8191, 8192, 9000,
		16384, 40000, 65535 - 4096 - 100, longest - 4096, longest - 17,
		longest - 1, longest,
	};
	int err;

	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
		err = udptest_send(a, i, some[i]);
		if (!err)
			err = udptest_recv(b, i, some[i]);
		if (err) {
			fprintf(stderr, "# %zu bytes: %d\n", some[i], err);
			return err;
		}
	}
	return 0;
}

TEST_F(large, whole)
{
	EXPECT_EQ(0, lengths(&variant->conf, self->a, self->b));
}

TEST_F(large, fragments)
{
	ASSERT_EQ(0, udptest_lo_mtu(1500));
	EXPECT_EQ(0, lengths(&variant->conf, self->a, self->b));
}

/* Who listens on the device has the same bytes: they stay what they were. */
TEST_F(large, seen_by_another)
{
	size_t len = udptest_longest(&variant->conf), wire;
	uint8_t buf[UDPTEST_MAX + 64], want[UDPTEST_MAX];
	int tap = socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_ALL));
	int size = 8 << 20, n = 0;

	ASSERT_LE(0, tap);
	ASSERT_EQ(0, setsockopt(tap, SOL_SOCKET, SO_RCVBUFFORCE, &size,
				sizeof(size)));
	EXPECT_EQ(0, lengths(&variant->conf, self->a, self->b));
	udptest_fill(want, len, 16);
	wire = udptest_wire(&variant->conf, len);
	/* The datagram of that number and length, coming or going. */
	for (ssize_t got; (got = recv(tap, buf, sizeof(buf), MSG_DONTWAIT)) > 0;)
		if (got > (ssize_t)wire)
			n += !!memmem(buf, got, want, 64);
	EXPECT_EQ(!variant->conf.cipher_id, n > 0);
	close(tap);
}

/* One byte is another on its way: nothing of it is delivered. */
TEST_F(large, bad_one_in_fragments)
{
	long before = nsttest_stat("NstRxAuth");
	int one = 1;

	/* UDP's checksum would catch it before; IPv6 has no datagrams without. */
	if (!variant->conf.cipher_id || udptest_is_v6(&variant->conf))
		return;
	ASSERT_EQ(0, setsockopt(self->a, SOL_SOCKET, SO_NO_CHECK, &one,
				sizeof(one)));
	ASSERT_EQ(0, udptest_lo_mtu(1500));
	ASSERT_EQ(0, udptest_run("tc qdisc add dev lo clsact"));
	ASSERT_EQ(0, udptest_run("tc filter add dev lo ingress " MUNGE));
	ASSERT_EQ(0, udptest_send(self->a, 1, 30000));
	EXPECT_EQ(before + 1, udptest_stat_at_last("NstRxAuth", before + 1));
	EXPECT_TRUE(udptest_silent(self->b));
	ASSERT_EQ(0, udptest_run("tc qdisc del dev lo clsact"));
	ASSERT_EQ(0, udptest_send(self->a, 2, 30000));
	EXPECT_EQ(0, udptest_recv(self->b, 2, 30000));
}

/* --- memory --------------------------------------------------------------- */

static int lines(const char *path, const char *word)
{
	FILE *f = fopen(path, "re");
	char line[1024];
	int n = 0;

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		n += !!strstr(line, word);
	fclose(f);
	return n;
}

static pid_t program;

/*
 * From the third page doubled on, allocations fail once memory is in pieces. The
 * event is there until the program ends: the kernel rewrites its own code for each
 * change.
 */
static int watch(void)
{
	mount("none", TRACING, "tracefs", 0, NULL);
	return (lines(EVENT "/enable", "1") == 1 ? 0 :
		nsttest_write_file(EVENT "/filter", "order > 3") ?:
		nsttest_write_file(EVENT "/enable", "1")) ?:
	       nsttest_write_file(TRACING "/trace", "");
}

static void __attribute__((constructor)) begin_program(void)
{
	program = getpid();
}

static void __attribute__((destructor)) end_program(void)
{
	if (getpid() == program && lines(EVENT "/enable", "1") == 1)
		nsttest_write_file(EVENT "/enable", "0");
}

TEST_F(large, single_pages)
{
	size_t len = udptest_longest(&variant->conf);

	ASSERT_EQ(0, udptest_lo_mtu(1500));
	if (watch())
		SKIP(return, "this kernel has no tracing of pages");
	for (int i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, udptest_send(self->a, i, len));
		ASSERT_EQ(0, udptest_recv(self->b, i, len));
	}
	EXPECT_EQ(1, lines(EVENT "/enable", "1"));
	EXPECT_EQ(0, lines(TRACING "/trace", "mm_page_alloc:"));
}

/* Each is the first of a session: whether it is authentic is tried with a copy. */
TEST_F(large, single_pages_for_the_first)
{
	size_t len = udptest_longest(&variant->conf);
	struct nst_rekey rekey = {};

	ASSERT_EQ(0, udptest_lo_mtu(1500));
	if (watch())
		SKIP(return, "this kernel has no tracing of pages");
	for (int i = 0; i < ROUNDS; i++) {
		if (variant->conf.cipher_id)
			ASSERT_EQ(0, setsockopt(self->a, SOL_NST, NST_REKEY,
						&rekey, sizeof(rekey)));
		ASSERT_EQ(0, udptest_send(self->a, i, len));
		ASSERT_EQ(0, udptest_recv(self->b, i, len));
	}
	EXPECT_EQ(1, lines(EVENT "/enable", "1"));
	EXPECT_EQ(0, lines(TRACING "/trace", "mm_page_alloc:"));
}

TEST_HARNESS_MAIN
