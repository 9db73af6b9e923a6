// SPDX-License-Identifier: GPL-2.0
/*
 * Keys that change under datagrams: limits of an epoch, the box of the
 * namespace, its session table, and what is told of all that.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "kselftest_harness.h"
#include "nltalk.h"
#include "udptest.h"

static const struct udptest_conf box4 = {
	.family = UDPTEST_IPV4, .cipher_id = NST_CIPHER_AES_GCM, .box = true,
};

FIXTURE(rotate)
{
	int a;
	int b;
	struct talk t;
	struct nsttest_counters before;
};

FIXTURE_SETUP(rotate)
{
	ASSERT_EQ(0, nsttest_netns());
	ASSERT_EQ(0, nl_open(&self->t));
	ASSERT_EQ(0, udptest_load_box());
	ASSERT_EQ(0, udptest_met(&box4, &self->a, &self->b));
	ASSERT_EQ(0, nsttest_counters(&self->before));
}

FIXTURE_TEARDOWN(rotate)
{
	close(self->a);
	close(self->b);
	nl_close(&self->t);
}

static struct nst_info info_of(int fd)
{
	struct nst_info info;

	memset(&info, 0xff, sizeof(info));
	tcptest_info(fd, &info);
	return info;
}

static int sysctl(const char *name, const char *value)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/sys/net/nst/%s", name);
	return nsttest_write_file(path, value);
}

/* --- the box -------------------------------------------------------------------- */

TEST_F(rotate, activate_followed)
{
	ASSERT_EQ(0, nl_kid(&self->t, NST_CMD_KEY_ACTIVATE, 2));
	ASSERT_EQ(0, udptest_send(self->a, 1, 100));
	EXPECT_EQ(0, udptest_recv(self->b, 1, 100));
	EXPECT_EQ(2, info_of(self->a).tx.kid);
	EXPECT_EQ(2, info_of(self->b).rx.kid);
	EXPECT_EQ(1, info_of(self->b).tx.kid);
	ASSERT_EQ(0, nl_kid(&self->t, NST_CMD_KEY_RETIRE, 1));
	EXPECT_EQ(0, udptest_meet(self->a, self->b));
	EXPECT_EQ(2, info_of(self->b).tx.kid);
	ASSERT_EQ(0, nl_kid(&self->t, NST_CMD_KEY_DEL, 1));
	EXPECT_EQ(0, udptest_meet(self->a, self->b));
	EXPECT_STREQ("", nsttest_grown(&self->before));
}

/* A socket that keeps to a key: the other end refuses it when it is retired. */
static void refused_under(struct __test_metadata *_metadata,
			  FIXTURE_DATA(rotate) *self, uint8_t cmd,
			  const char *why)
{
	struct nst_crypto_info ci = {
		.version = NST_VERSION, .cipher_id = NST_CIPHER_AES_GCM,
		.nr_keys = 0,
	};
	struct nsttest_info ti;
	int fd = udptest_open(&box4), i;
	char want[64];

	/* The same secret in a box of its own: the peer that has not heard. */
	ASSERT_LE(0, fd);
	nsttest_fill(&ti, NST_CIPHER_AES_GCM);
	ti.info.nr_keys = 1;
	ti.keys[0].kid = 1;
	memset(ti.keys[0].key, 0x51, NST_KEY_SIZE);
	ASSERT_EQ(0, udptest_attach(fd));
	ASSERT_EQ(0, setsockopt(fd, SOL_NST, NST_TX, &ti, sizeof(ti.info) +
				sizeof(ti.keys[0])));
	ASSERT_EQ(0, setsockopt(self->b, SOL_NST, NST_RX, &ci, sizeof(ci)));
	close(self->a);
	self->a = fd;
	ASSERT_EQ(0, udptest_disconnect(self->b));
	close(self->b);
	self->b = udptest_bound(&box4);
	ASSERT_EQ(0, udptest_connect(fd, self->b));
	ASSERT_EQ(0, udptest_send(fd, 1, 100));
	ASSERT_EQ(0, udptest_recv(self->b, 1, 100));
	ASSERT_EQ(0, nl_kid(&self->t, NST_CMD_KEY_ACTIVATE, 2));
	ASSERT_EQ(0, udptest_send(fd, 2, 100));
	ASSERT_EQ(0, udptest_recv(self->b, 2, 100));
	ASSERT_EQ(0, nl_kid(&self->t, cmd, 1));
	ASSERT_EQ(0, udptest_send(fd, 3, 100));
	snprintf(want, sizeof(want), "%s+1", why);
	for (i = 0; i < 300 && strcmp(want, nsttest_grown(&self->before)); i++)
		usleep(10000);
	EXPECT_STREQ(want, nsttest_grown(&self->before));
	EXPECT_EQ(-EAGAIN, udptest_try(self->b));
}

TEST_F(rotate, retired_is_refused)
{
	refused_under(_metadata, self, NST_CMD_KEY_RETIRE, "NstRxKidRetired");
}

TEST_F(rotate, deleted_is_refused)
{
	refused_under(_metadata, self, NST_CMD_KEY_DEL, "NstRxNoKid");
}

TEST_F(rotate, flush_and_load)
{
	ASSERT_EQ(0, nl_simple(&self->t, NST_CMD_BOX_FLUSH, NLM_F_ACK));
	EXPECT_EQ(-ENOKEY, udptest_send(self->a, 1, 100));
	ASSERT_EQ(0, udptest_load_box());
	EXPECT_EQ(0, udptest_meet(self->a, self->b));
}

/* Another secret under the same kid is another key, at both ends at once. */
TEST_F(rotate, same_kid_other_secret)
{
	nl_begin(&self->t, self->t.family, NST_CMD_BOX_LOAD, NLM_F_ACK);
	nl_put_nest(&self->t, 1, NST_STATE_ACTIVE, 0x77);
	ASSERT_EQ(0, nl_talk(&self->t));
	EXPECT_EQ(0, udptest_meet(self->a, self->b));
	EXPECT_EQ(2, (int)info_of(self->a).tx.epochs);
}

TEST_F(rotate, private_box_apart)
{
	struct udptest_conf private = box4;

	private.box = false;
	ASSERT_EQ(0, udptest_install(self->a, &private));
	ASSERT_EQ(0, udptest_install(self->b, &private));
	ASSERT_EQ(0, udptest_meet(self->a, self->b));
	ASSERT_EQ(0, nl_simple(&self->t, NST_CMD_BOX_FLUSH, NLM_F_ACK));
	EXPECT_EQ(0, udptest_meet(self->a, self->b));
	EXPECT_EQ(NSTTEST_KID, info_of(self->a).tx.kid);
}

/* --- under load ------------------------------------------------------------------ */

#define FLIGHT	16

static struct load {
	int from;
	int to;
	atomic_bool stop;	/* the sender */
	atomic_bool last;	/* all has been sent */
	atomic_uint sent;
	atomic_uint got;
	atomic_int bad;
} load;

static void *load_send(void *arg)
{
	uint32_t nr;

	(void)arg;
	for (nr = 0; !atomic_load(&load.stop); nr++) {
		while (nr > atomic_load(&load.got) + FLIGHT &&
		       !atomic_load(&load.bad))
			usleep(100);
		if (atomic_load(&load.bad))
			break;
		if (udptest_send(load.from, nr, 500))
			atomic_store(&load.bad, errno);
		atomic_store(&load.sent, nr + 1);
	}
	return NULL;
}

/* Gives up when nothing has come for long. */
static void *load_recv(void *arg)
{
	uint8_t buf[UDPTEST_MAX];
	ssize_t n;

	(void)arg;
	while (!atomic_load(&load.last) ||
	       atomic_load(&load.got) < atomic_load(&load.sent)) {
		n = recv(load.to, buf, sizeof(buf), 0);
		if (n < 0 || n != 500 || udptest_number(buf, n) < 0) {
			atomic_store(&load.bad, n < 0 ? errno : EILSEQ);
			break;
		}
		atomic_fetch_add(&load.got, 1);
	}
	return NULL;
}

static pthread_t load_thread[2];

static void load_begin(struct __test_metadata *_metadata, int from, int to)
{
	memset(&load, 0, sizeof(load));
	load.from = from;
	load.to = to;
	ASSERT_EQ(0, tcptest_timeout(to, SO_RCVTIMEO, nsttest_patience(3000)));
	ASSERT_EQ(0, pthread_create(&load_thread[0], NULL, load_send, NULL));
	ASSERT_EQ(0, pthread_create(&load_thread[1], NULL, load_recv, NULL));
}

/* @more datagrams go through from now on; false if they do not. */
static bool load_goes_on(unsigned int more)
{
	unsigned int want = atomic_load(&load.got) + more;
	int i;

	for (i = 0; i < 1000 && !atomic_load(&load.bad); i++) {
		if (atomic_load(&load.got) >= want)
			return true;
		usleep(10000);
	}
	return false;
}

/* Nothing was lost. */
static void load_end(struct __test_metadata *_metadata)
{
	atomic_store(&load.stop, true);
	pthread_join(load_thread[0], NULL);
	atomic_store(&load.last, true);
	/* One more, for a receiver that waits already. */
	udptest_send(load.from, 0, 500);
	pthread_join(load_thread[1], NULL);
	EXPECT_EQ(0, atomic_load(&load.bad));
	EXPECT_LE(atomic_load(&load.sent), atomic_load(&load.got));
}

TEST_F_TIMEOUT(rotate, keys_under_load, 90)
{
	int kid;

	load_begin(_metadata, self->a, self->b);
	for (kid = 2; kid < 12; kid++) {
		if (kid > 2) {
			nl_begin(&self->t, self->t.family, NST_CMD_KEY_ADD,
				 NLM_F_ACK);
			nl_put_key(&self->t, kid, NST_STATE_ACCEPT, kid);
			ASSERT_EQ(0, nl_talk(&self->t));
		}
		ASSERT_EQ(0, nl_kid(&self->t, NST_CMD_KEY_ACTIVATE, kid));
		/* Until all that was under way under the old key is there. */
		ASSERT_TRUE(load_goes_on(FLIGHT + 5));
		ASSERT_EQ(0, nl_kid(&self->t, NST_CMD_KEY_RETIRE, kid - 1));
		ASSERT_EQ(0, nl_kid(&self->t, NST_CMD_KEY_DEL, kid - 1));
		EXPECT_EQ(kid, info_of(self->a).tx.kid);
	}
	load_end(_metadata);
	EXPECT_STREQ("", nsttest_grown(&self->before));
	EXPECT_EQ(11, (int)info_of(self->a).tx.epochs);
}

TEST_F_TIMEOUT(rotate, rekey_under_load, 90)
{
	struct nst_rekey r = {};
	int i;

	load_begin(_metadata, self->a, self->b);
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, setsockopt(self->a, SOL_NST, NST_REKEY, &r,
					sizeof(r)));
		ASSERT_TRUE(load_goes_on(5));
	}
	load_end(_metadata);
	EXPECT_STREQ("", nsttest_grown(&self->before));
}

TEST_F_TIMEOUT(rotate, record_limit_under_load, 90)
{
	struct nst_info info;

	ASSERT_EQ(0, sysctl("rekey_records", "10"));
	load_begin(_metadata, self->a, self->b);
	ASSERT_TRUE(load_goes_on(200));
	load_end(_metadata);
	info = info_of(self->a);
	EXPECT_LE(19, (int)info.tx.epochs);
	EXPECT_GE(10, (int)info.tx.epoch_records);
	EXPECT_STREQ("", nsttest_grown(&self->before));
}

/* One segmented send counts every datagram in it. */
TEST_F(rotate, record_limit_and_segments)
{
	struct udptest_name to;
	uint8_t buf[1000];
	int i, k;

	ASSERT_EQ(0, udptest_name(self->b, &to));
	ASSERT_EQ(0, sysctl("rekey_records", "7"));
	ASSERT_EQ(0, tcptest_set_int(self->a, SOL_UDP, UDP_SEGMENT, 100));
	for (i = 0; i < 10; i++) {
		tcptest_fill(buf, sizeof(buf), 0);
		ASSERT_EQ(1000, send(self->a, buf, sizeof(buf), 0));
		for (k = 0; k < 10; k++) {
			uint8_t in[200];

			ASSERT_EQ(100, recv(self->b, in, sizeof(in), 0));
			EXPECT_TRUE(tcptest_same(in, 100, 100 * k));
		}
	}
	EXPECT_LE(10, (int)info_of(self->a).tx.epochs);
	EXPECT_STREQ("", nsttest_grown(&self->before));
}

TEST_F(rotate, byte_limit)
{
	uint32_t nr;

	ASSERT_EQ(0, sysctl("rekey_bytes", "3000"));
	for (nr = 0; nr < 20; nr++) {
		ASSERT_EQ(0, udptest_send(self->a, nr, 1000));
		ASSERT_EQ(0, udptest_recv(self->b, nr, 1000));
	}
	EXPECT_LE(6, (int)info_of(self->a).tx.epochs);
	EXPECT_STREQ("", nsttest_grown(&self->before));
}

/* --- the session table ------------------------------------------------------------ */

TEST_F(rotate, sysctl_of_the_table)
{
	EXPECT_EQ(-EINVAL, sysctl("udp_sessions_max", "15"));
	EXPECT_EQ(-EINVAL, sysctl("udp_sessions_max", "65537"));
	EXPECT_EQ(0, sysctl("udp_sessions_max", "16"));
	EXPECT_EQ(0, sysctl("udp_sessions_max", "4096"));
	EXPECT_EQ(0, udptest_meet(self->a, self->b));
}

/* More peers than it has room for: it stays as small as it shall be. */
TEST_F_TIMEOUT(rotate, small_table, 90)
{
	struct udptest_name to;
	int fd[24], i, round;

	ASSERT_EQ(0, sysctl("udp_sessions_max", "16"));
	close(self->b);
	self->b = udptest_bound(&box4);
	ASSERT_LE(0, self->b);
	ASSERT_EQ(0, udptest_name(self->b, &to));
	for (i = 0; i < 24; i++) {
		fd[i] = udptest_new(&box4);
		ASSERT_LE(0, fd[i]);
	}
	for (round = 0; round < 3; round++) {
		for (i = 0; i < 24; i++) {
			ASSERT_EQ(0, udptest_sendto(fd[i], &to, i, 100));
			ASSERT_EQ(0, udptest_recv(self->b, i, 100)) {
				TH_LOG("round %d, peer %d", round, i);
			}
			EXPECT_GE(16, nsttest_stat("NstUdpSessions"));
		}
	}
	EXPECT_EQ(16, nsttest_stat("NstUdpSessions"));
	for (i = 0; i < 24; i++)
		close(fd[i]);
	EXPECT_STREQ("", nsttest_grown(&self->before));
}

/* --- what is told ------------------------------------------------------------------ */

static const struct {
	const char *name;
	long grows;
} told[] = {
	{ "NstTxRecords", 12 }, { "NstTxBytes", 1210 }, { "NstTxEpochs", 1 },
	{ "NstRxRecords", 12 }, { "NstRxBytes", 1210 }, { "NstUdpDerived", 1 },
	{ "NstUdpSessions", 1 }, { "NstSockets", 0 },
};

#define NR_TOLD	(sizeof(told) / sizeof(told[0]))

TEST_F(rotate, counters)
{
	struct nst_rekey r = {};
	long before[NR_TOLD];
	uint32_t nr;
	size_t i;

	for (i = 0; i < NR_TOLD; i++)
		before[i] = nsttest_stat(told[i].name);
	EXPECT_EQ(2, nsttest_stat("NstUdpSessions"));
	EXPECT_EQ(2, nsttest_stat("NstSockets"));
	ASSERT_EQ(0, setsockopt(self->a, SOL_NST, NST_REKEY, &r, sizeof(r)));
	for (nr = 0; nr < 11; nr++) {
		ASSERT_EQ(0, udptest_send(self->a, nr, 110));
		ASSERT_EQ(0, udptest_recv(self->b, nr, 110));
	}
	ASSERT_EQ(0, udptest_send(self->b, 0, 0));
	ASSERT_EQ(0, udptest_recv(self->a, 0, 0));
	for (i = 0; i < NR_TOLD; i++) {
		long want = before[i] + told[i].grows;

		EXPECT_LE(0, before[i]);
		EXPECT_EQ(want, udptest_stat_at_last(told[i].name, want)) {
			TH_LOG("counter %zu", i);
		}
	}
	EXPECT_STREQ("", nsttest_grown(&self->before));
}

static int sessions_of(struct talk *t, uint16_t kid)
{
	const void *value;
	uint32_t nr;

	if (nl_kid(t, NST_CMD_KEY_GET, kid))
		return -1;
	value = nl_find((const struct nlmsghdr *)t->buf, NST_A_KEY_SESSIONS);
	if (!value)
		return -1;
	memcpy(&nr, value, sizeof(nr));
	return nr;
}

/* Who would lose by it if a key were retired. */
TEST_F(rotate, sessions_counted)
{
	EXPECT_EQ(2, sessions_of(&self->t, 1));
	EXPECT_EQ(0, sessions_of(&self->t, 2));
	ASSERT_EQ(0, nl_kid(&self->t, NST_CMD_KEY_ACTIVATE, 2));
	ASSERT_EQ(0, udptest_meet(self->a, self->b));
	EXPECT_EQ(2, sessions_of(&self->t, 1));
	EXPECT_EQ(2, sessions_of(&self->t, 2));
	EXPECT_EQ(0, udptest_run("nstkeyctl retire 1 2>&1 | grep -q '2 UDP sessions'"));
	EXPECT_EQ(0, udptest_run("! nstkeyctl retire 1 2>/dev/null"));
	EXPECT_EQ(0, udptest_run("nstkeyctl retire --force 1"));
	EXPECT_EQ(0, udptest_run("nstkeyctl retire 1"));
}

/* The kernel's own views of the socket are those of any UDP socket. */
TEST_F(rotate, views)
{
	struct udptest_name b;

	ASSERT_EQ(0, udptest_name(self->b, &b));
	EXPECT_EQ(0, udptest_run("grep -q '0100007F:%04X' /proc/thread-self/net/udp",
				 udptest_port(&b)));
	EXPECT_EQ(0, udptest_run("ss -uanp | grep -q '127.0.0.1:%d '",
				 udptest_port(&b)));
}

static bool traced(const char *what)
{
	char command[128];

	snprintf(command, sizeof(command),
		 "grep -q '%s' /sys/kernel/tracing/trace", what);
	return !system(command);
}

TEST_F(rotate, tracepoints)
{
	struct nst_rekey r = {};

	mkdir("/sys/kernel/tracing", 0700);
	udptest_run("mount -t tracefs t /sys/kernel/tracing 2>/dev/null; true");
	ASSERT_EQ(0, nsttest_write_file("/sys/kernel/tracing/trace", ""));
	ASSERT_EQ(0, nsttest_write_file("/sys/kernel/tracing/events/nst/enable",
					"1"));
	ASSERT_EQ(0, setsockopt(self->a, SOL_NST, NST_REKEY, &r, sizeof(r)));
	EXPECT_EQ(0, udptest_send(self->a, 1, 321));
	EXPECT_EQ(0, udptest_recv(self->b, 1, 321));
	ASSERT_EQ(0, udptest_connect(self->a, self->a));
	EXPECT_EQ(0, udptest_send(self->a, 1, 322));
	EXPECT_EQ(1, udptest_stat_at_last("NstRxReflected", 1));
	ASSERT_EQ(0, nsttest_write_file("/sys/kernel/tracing/events/nst/enable",
					"0"));
	EXPECT_TRUE(traced("nst_record_out: .*len=321"));
	EXPECT_TRUE(traced("nst_record_in: .*len=321"));
	EXPECT_TRUE(traced("nst_epoch: .*tx suite=1 kid=1"));
	EXPECT_TRUE(traced("nst_drop: "));
	/* Addresses are hashed, unless SLUB debugging shows them all. */
	if (system("grep -qs 1 /sys/kernel/slab/kmalloc-64/red_zone"))
		EXPECT_FALSE(traced("sk=ffff"));
}

TEST_HARNESS_MAIN
