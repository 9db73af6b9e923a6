// SPDX-License-Identifier: GPL-2.0
/*
 * Keys of a TCP socket with NST: in any order and again, epochs under load,
 * strict mode in every order of the two ends, and ends that do not match.
 */
#include "kselftest_harness.h"
#include "tcptest.h"

#define SOMETHING	300000	/* bytes that keep both ends busy for a while */

static int set_dir(int fd, int opt, const struct tcptest_conf *conf,
		   uint32_t role)
{
	struct nsttest_info ti;

	nsttest_fill(&ti, conf->cipher_id);
	ti.info.flags = role | (conf->strict ? NST_F_STRICT : 0);
	return setsockopt(fd, SOL_NST, opt, &ti, sizeof(ti)) ? -errno : 0;
}

static int rekey(int fd, uint16_t kid)
{
	struct nst_rekey r = { .kid = kid };

	return setsockopt(fd, SOL_NST, NST_REKEY, &r, sizeof(r)) ? -errno : 0;
}

static int end_status(int fd)
{
	char byte;
	ssize_t n = recv(fd, &byte, 1, 0);

	return n < 0 ? -errno : n;
}

/* --- order of attach and keys --------------------------------------------- */

FIXTURE(order)
{
	int a;
	int b;
};

FIXTURE_VARIANT(order)
{
	struct tcptest_conf conf;
};

TCPTEST_VARIANTS_FEW(order);

FIXTURE_SETUP(order)
{
	ASSERT_EQ(0, nsttest_pair(variant->conf.family, 0, &self->b, &self->a));
}

FIXTURE_TEARDOWN(order)
{
	close(self->a);
	close(self->b);
}

TEST_F(order, nothing_without_keys)
{
	char byte = 0;

	ASSERT_EQ(0, nsttest_attach(self->a));
	EXPECT_EQ(-1, send(self->a, &byte, 1, 0));
	EXPECT_EQ(ENOKEY, errno);
	EXPECT_EQ(-1, recv(self->a, &byte, 1, MSG_DONTWAIT));
	EXPECT_EQ(ENOKEY, errno);
	EXPECT_EQ(-1, recv(self->b, &byte, 1, MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(-ENOKEY, rekey(self->a, 0));
}

TEST_F(order, second_attach)
{
	ASSERT_EQ(0, nsttest_attach(self->a));
	EXPECT_EQ(-EEXIST, nsttest_attach(self->a));
}

TEST_F(order, one_direction)
{
	struct tcptest_conf conf = variant->conf;
	char byte;

	/* Strict mode needs both. */
	conf.strict = false;
	ASSERT_EQ(0, nsttest_attach(self->a));
	ASSERT_EQ(0, nsttest_attach(self->b));
	ASSERT_EQ(0, set_dir(self->a, NST_TX, &conf, NST_F_INITIATOR));
	ASSERT_EQ(0, tcptest_send(self->a, 0, 10, 10));
	EXPECT_EQ(-1, recv(self->b, &byte, 1, 0));
	EXPECT_EQ(ENOKEY, errno);
	ASSERT_EQ(0, set_dir(self->b, NST_RX, &conf, NST_F_RESPONDER));
	EXPECT_EQ(0, tcptest_recv(self->b, 0, 10, 10));
	EXPECT_EQ(-1, send(self->b, "x", 1, 0));
	EXPECT_EQ(ENOKEY, errno);
	ASSERT_EQ(0, set_dir(self->b, NST_TX, &conf, NST_F_RESPONDER));
	ASSERT_EQ(0, tcptest_send(self->b, 0, 10, 10));
	ASSERT_EQ(0, set_dir(self->a, NST_RX, &conf, NST_F_INITIATOR));
	EXPECT_EQ(0, tcptest_recv(self->a, 0, 10, 10));
}

TEST_F(order, rx_before_tx)
{
	int fd[2] = { self->a, self->b };
	uint32_t role[2] = { NST_F_INITIATOR, NST_F_RESPONDER };
	int i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, nsttest_attach(fd[i]));
		ASSERT_EQ(0, set_dir(fd[i], NST_RX, &variant->conf, role[i]));
		ASSERT_EQ(0, set_dir(fd[i], NST_TX, &variant->conf, role[i]));
	}
	EXPECT_EQ(0, tcptest_bind(self->a, self->b));
}

TEST_F(order, both_at_once)
{
	ASSERT_EQ(0, nsttest_attach(self->a));
	ASSERT_EQ(0, nsttest_attach(self->b));
	ASSERT_EQ(0, set_dir(self->b, NST_TX_RX, &variant->conf,
			     NST_F_RESPONDER));
	ASSERT_EQ(0, set_dir(self->a, NST_TX_RX, &variant->conf,
			     NST_F_INITIATOR));
	EXPECT_EQ(0, tcptest_bind(self->b, self->a));
}

/* What was sent before the receiver had NST is read with it. */
TEST_F(order, data_before_attach)
{
	pid_t pid;

	ASSERT_EQ(0, tcptest_key(self->a, &variant->conf, NST_F_INITIATOR));
	pid = tcptest_sender(self->a, 0, 20000, 4000);
	usleep(100000);
	ASSERT_EQ(0, tcptest_key(self->b, &variant->conf, NST_F_RESPONDER));
	EXPECT_EQ(0, tcptest_recv(self->b, 0, 20000, 20000));
	EXPECT_EQ(0, tcptest_reap(pid));
	EXPECT_EQ(0, tcptest_bind(self->a, self->b));
}

/* Attached, but the key comes after the data, the poll and the close. */
TEST_F(order, data_before_key)
{
	struct tcptest_conf conf = variant->conf;

	conf.strict = false;
	ASSERT_EQ(0, tcptest_key(self->a, &conf, NST_F_INITIATOR));
	ASSERT_EQ(0, nsttest_attach(self->b));
	ASSERT_EQ(0, tcptest_send(self->a, 0, 100, 10));
	ASSERT_EQ(0, shutdown(self->a, SHUT_WR));
	EXPECT_EQ(-ENOKEY, end_status(self->b));
	ASSERT_EQ(0, set_dir(self->b, NST_TX_RX, &conf, NST_F_RESPONDER));
	EXPECT_EQ(POLLIN, tcptest_poll(self->b, POLLIN, TCPTEST_SOON_MS));
	EXPECT_EQ(0, tcptest_recv(self->b, 0, 100, 100));
	EXPECT_EQ(0, end_status(self->b));
	EXPECT_EQ(0, tcptest_send(self->b, 0, 10, 10));
	EXPECT_EQ(0, tcptest_recv(self->a, 0, 10, 10));
}

/* A reader who sleeps in TCP itself is sent back, and takes nothing of the stream. */
TEST_F(order, reader_asleep_before_attach)
{
	pid_t pid = fork();
	char buf[4096];
	ssize_t n;

	if (!pid) {
		n = recv(self->b, buf, sizeof(buf), MSG_WAITALL);
		_exit(n < 0 ? errno : EILSEQ);
	}
	ASSERT_EQ(0, tcptest_asleep(pid));
	ASSERT_EQ(0, tcptest_key(self->b, &variant->conf, NST_F_RESPONDER));
	EXPECT_EQ(-EPIPE, tcptest_reap(pid));
	/* Not before: a strict one has a record to send at once. */
	ASSERT_EQ(0, tcptest_key(self->a, &variant->conf, NST_F_INITIATOR));
	EXPECT_EQ(0, tcptest_bind(self->a, self->b));
}

/* --- keys once more ------------------------------------------------------- */

TCPTEST_PAIRS(key, TCPTEST_VARIANTS_SUITES);

TEST_F(key, set_again)
{
	static const int opt[] = { NST_TX, NST_RX, NST_TX_RX };
	size_t at = 0;
	int i;

	for (i = 0; i < 12; i++) {
		ASSERT_EQ(0, set_dir(self->a, opt[i % 3], &variant->conf,
				     NST_F_INITIATOR));
		if (i % 2)
			ASSERT_EQ(0, set_dir(self->b, opt[(i / 2) % 3],
					     &variant->conf, NST_F_RESPONDER));
		ASSERT_EQ(0, tcptest_send(self->a, at, 100, 30));
		ASSERT_EQ(0, tcptest_send(self->b, at, 100, 100));
		ASSERT_EQ(0, tcptest_recv(self->b, at, 100, 100));
		ASSERT_EQ(0, tcptest_recv(self->a, at, 100, 70));
		at += 100;
	}
}

/* Each suite in turn on one stream, as NST_RX was set to one: refused. */
TEST_F(key, other_suite)
{
	struct tcptest_conf conf = variant->conf;
	struct nsttest_info ti;
	uint8_t id;

	nsttest_fill(&ti, 0);
	ti.info.flags = NST_F_RESPONDER | (conf.strict ? NST_F_STRICT : 0);
	ASSERT_EQ(0, setsockopt(self->b, SOL_NST, NST_RX, &ti, sizeof(ti)));
	for (id = 1; id <= 7; id++) {
		conf.cipher_id = id;
		ASSERT_EQ(0, set_dir(self->a, NST_TX, &conf, NST_F_INITIATOR));
		ASSERT_EQ(0, tcptest_send(self->a, 0, 3000, 1000));
		ASSERT_EQ(0, tcptest_recv(self->b, 0, 3000, 3000));
	}
	ASSERT_EQ(0, set_dir(self->b, NST_RX, &variant->conf,
			     NST_F_RESPONDER));
	conf.cipher_id = variant->conf.cipher_id % 7 + 1;
	ASSERT_EQ(0, set_dir(self->a, NST_TX, &conf, NST_F_INITIATOR));
	ASSERT_EQ(0, tcptest_send(self->a, 0, 10, 10));
	EXPECT_EQ(-EACCES, end_status(self->b));
}

TEST_F(key, reader_asleep_when_set_again)
{
	pid_t pid = tcptest_receiver(self->b, 0, 100, 100);

	usleep(50000);
	ASSERT_EQ(0, set_dir(self->b, NST_TX_RX, &variant->conf,
			     NST_F_RESPONDER));
	ASSERT_EQ(0, set_dir(self->a, NST_TX_RX, &variant->conf,
			     NST_F_INITIATOR));
	ASSERT_EQ(0, tcptest_send(self->a, 0, 100, 100));
	EXPECT_EQ(0, tcptest_reap(pid));
}

/* An open record of the old epoch goes out, too. */
TEST_F(key, open_record_when_set_again)
{
	ASSERT_EQ(10, tcptest_sendv(self->a, 0, 1, 10, MSG_MORE));
	ASSERT_EQ(0, set_dir(self->a, NST_TX, &variant->conf,
			     NST_F_INITIATOR));
	ASSERT_EQ(10, tcptest_sendv(self->a, 10, 1, 10, MSG_MORE));
	ASSERT_EQ(0, rekey(self->a, NSTTEST_KID_OTHER));
	ASSERT_EQ(0, tcptest_send(self->a, 20, 10, 10));
	EXPECT_EQ(0, tcptest_recv(self->b, 0, 30, 30));
}

TEST_F(key, epoch_by_hand)
{
	struct nst_info before, after;
	int i;

	ASSERT_EQ(0, tcptest_bind(self->a, self->b));
	ASSERT_EQ(0, tcptest_send(self->a, 0, 1, 1));
	ASSERT_EQ(0, tcptest_recv(self->b, 0, 1, 1));
	ASSERT_EQ(0, tcptest_info(self->b, &before));
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, rekey(self->a, i % 2 ? 0 : NSTTEST_KID_OTHER));
		ASSERT_EQ(0, tcptest_send(self->a, i, 1, 1));
		ASSERT_EQ(0, tcptest_recv(self->b, i, 1, 1));
		ASSERT_EQ(0, tcptest_info(self->b, &after));
		EXPECT_EQ(i % 2 ? NSTTEST_KID : NSTTEST_KID_OTHER,
			  after.rx.kid);
	}
	EXPECT_EQ(before.rx.epochs + 10, after.rx.epochs);
	EXPECT_EQ(1, after.rx.bound);
	EXPECT_EQ(-ENOKEY, rekey(self->a, NSTTEST_KID_UNKNOWN));
	EXPECT_EQ(0, tcptest_bind(self->a, self->b));
}

/* Both ways under load, both ends asked for epochs all the time. */
TEST_F(key, epochs_under_load)
{
	pid_t pid[4] = {
		tcptest_sender(self->a, 0, SOMETHING, 3000),
		tcptest_sender(self->b, 7, SOMETHING, 10000),
		tcptest_receiver(self->a, 7, SOMETHING, 65536),
		tcptest_receiver(self->b, 0, SOMETHING, 1000),
	};
	int i;

	for (i = 0; i < 200; i++) {
		ASSERT_EQ(0, rekey(self->a, i % 3 ? 0 : NSTTEST_KID_OTHER));
		ASSERT_EQ(0, rekey(self->b, i % 2 ? 0 : NSTTEST_KID_OTHER));
		if (i % 10 == 0)
			ASSERT_EQ(0, set_dir(self->a, NST_TX_RX,
					     &variant->conf, NST_F_INITIATOR));
	}
	for (i = 0; i < 4; i++)
		EXPECT_EQ(0, tcptest_reap(pid[i]));
	EXPECT_EQ(0, tcptest_bind(self->a, self->b));
}

TEST_F(key, epochs_by_themselves)
{
	struct nst_info info;
	pid_t pid[3];
	int i;

	ASSERT_EQ(0, nsttest_write_file("/proc/sys/net/nst/rekey_records",
					"3"));
	pid[0] = tcptest_sender(self->a, 0, SOMETHING, 2000);
	pid[1] = tcptest_sender(self->b, 7, SOMETHING, 5000);
	pid[2] = tcptest_receiver(self->a, 7, SOMETHING, 65536);
	EXPECT_EQ(0, tcptest_recv(self->b, 0, SOMETHING, 1000));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, tcptest_reap(pid[i]));
	ASSERT_EQ(0, tcptest_info(self->a, &info));
	EXPECT_LE(info.tx.records / 3, info.tx.epochs);
	EXPECT_GE(3, info.tx.epoch_records);
	EXPECT_LE(info.rx.records / 3, info.rx.epochs);
	ASSERT_EQ(0, nsttest_write_file("/proc/sys/net/nst/rekey_records",
					"1048576"));
}

/* --- strict mode ---------------------------------------------------------- */

FIXTURE(strict)
{
	int a;
	int b;
};

FIXTURE_VARIANT(strict)
{
	bool a;
	bool b;
};

FIXTURE_VARIANT_ADD(strict, both) { .a = true, .b = true };
FIXTURE_VARIANT_ADD(strict, client) { .a = true };
FIXTURE_VARIANT_ADD(strict, server) { .b = true };
FIXTURE_VARIANT_ADD(strict, neither) { };

FIXTURE_SETUP(strict)
{
	struct tcptest_conf a = { NST_CIPHER_AES_GCM, AF_INET, variant->a };
	struct tcptest_conf b = { NST_CIPHER_CHACHA20_POLY1305, AF_INET,
				  variant->b };
	struct nsttest_conf conf = { .nr_keys = NSTTEST_KEYS };

	ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &self->b, &self->a));
	ASSERT_EQ(0, nsttest_attach(self->a));
	ASSERT_EQ(0, nsttest_attach(self->b));
	conf.cipher_id = a.cipher_id;
	conf.flags = NST_F_INITIATOR | (a.strict ? NST_F_STRICT : 0);
	ASSERT_EQ(0, nsttest_install(self->a, &conf));
	conf.cipher_id = b.cipher_id;
	conf.flags = NST_F_RESPONDER | (b.strict ? NST_F_STRICT : 0);
	ASSERT_EQ(0, nsttest_install(self->b, &conf));
	/* Now a strict end has the other's START, and is known to it. */
	ASSERT_EQ(0, tcptest_settle(self->a));
	ASSERT_EQ(0, tcptest_settle(self->b));
}

FIXTURE_TEARDOWN(strict)
{
	close(self->a);
	close(self->b);
}

TEST_F(strict, client_first)
{
	ASSERT_EQ(0, tcptest_send(self->a, 0, 100, 100));
	ASSERT_EQ(0, tcptest_recv(self->b, 0, 100, 100));
	ASSERT_EQ(0, tcptest_send(self->b, 0, 100, 100));
	EXPECT_EQ(0, tcptest_recv(self->a, 0, 100, 100));
}

TEST_F(strict, server_first)
{
	ASSERT_EQ(0, tcptest_send(self->b, 0, 100, 100));
	ASSERT_EQ(0, tcptest_recv(self->a, 0, 100, 100));
	ASSERT_EQ(0, tcptest_send(self->a, 0, 100, 100));
	EXPECT_EQ(0, tcptest_recv(self->b, 0, 100, 100));
}

TEST_F(strict, one_way_to_server)
{
	ASSERT_EQ(0, tcptest_send(self->a, 0, 50000, 1000));
	ASSERT_EQ(0, shutdown(self->a, SHUT_WR));
	ASSERT_EQ(0, tcptest_recv(self->b, 0, 50000, 4000));
	EXPECT_EQ(0, end_status(self->b));
}

TEST_F(strict, one_way_to_client)
{
	ASSERT_EQ(0, tcptest_send(self->b, 0, 50000, 1000));
	ASSERT_EQ(0, shutdown(self->b, SHUT_WR));
	ASSERT_EQ(0, tcptest_recv(self->a, 0, 50000, 4000));
	EXPECT_EQ(0, end_status(self->a));
}

TEST_F(strict, both_at_once)
{
	ASSERT_EQ(0, tcptest_send(self->a, 0, 100, 100));
	ASSERT_EQ(0, tcptest_send(self->b, 0, 100, 100));
	ASSERT_EQ(0, tcptest_recv(self->b, 0, 100, 100));
	EXPECT_EQ(0, tcptest_recv(self->a, 0, 100, 100));
}

/* The end of a stream in which nobody said anything. */
TEST_F(strict, shutdown_at_once)
{
	ASSERT_EQ(0, shutdown(self->a, SHUT_WR));
	ASSERT_EQ(0, shutdown(self->b, SHUT_WR));
	EXPECT_EQ(0, end_status(self->a));
	EXPECT_EQ(0, end_status(self->b));
}

/* What a strict end sends is bound, and so is the answer. */
TEST_F(strict, is_bound)
{
	struct nst_info info;

	ASSERT_EQ(0, tcptest_bind(self->a, self->b));
	ASSERT_EQ(0, tcptest_bind(self->a, self->b));
	ASSERT_EQ(0, tcptest_info(self->a, &info));
	EXPECT_EQ(1, info.tx.bound);
	EXPECT_EQ(1, info.rx.bound);
	EXPECT_EQ(variant->a, info.flags & NST_F_STRICT);
	EXPECT_EQ(0, info.error);
}

/*
 * A strict end is bound by a round trip. Data that the other end sent before
 * it knew of that is early data, which strict mode excludes.
 */
TEST(strict_takes_no_early_data)
{
	struct tcptest_conf strict = { NST_CIPHER_AES_GCM, AF_INET, true };
	struct tcptest_conf loose = { NST_CIPHER_AES_GCM, AF_INET, false };
	int a, b;

	ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &b, &a));
	ASSERT_EQ(0, tcptest_key(b, &loose, NST_F_RESPONDER));
	ASSERT_EQ(0, tcptest_send(b, 0, 10, 10));
	ASSERT_EQ(0, tcptest_key(a, &strict, NST_F_INITIATOR));
	EXPECT_EQ(-EPROTO, end_status(a));
	EXPECT_EQ(-EPROTO, end_status(a));
	close(a);
	close(b);
}

/* --- ends that do not match ----------------------------------------------- */

FIXTURE(match)
{
	int a;
	int b;
	struct nsttest_conf conf;
};

FIXTURE_SETUP(match)
{
	self->conf.cipher_id = NST_CIPHER_AES_GCM;
	self->conf.nr_keys = NSTTEST_KEYS;
	ASSERT_EQ(0, nsttest_pair(AF_INET, 0, &self->b, &self->a));
	ASSERT_EQ(0, nsttest_attach(self->a));
	ASSERT_EQ(0, nsttest_attach(self->b));
}

FIXTURE_TEARDOWN(match)
{
	close(self->a);
	close(self->b);
}

/* @b refuses what @a sends, again and again, and @a is reset. */
static void expect_refused(struct __test_metadata *_metadata, int a, int b,
			   int err)
{
	ASSERT_EQ(5, send(a, "hello", 5, 0));
	EXPECT_EQ(err, end_status(b));
	EXPECT_EQ(err, end_status(b));
	EXPECT_EQ(-ECONNRESET, end_status(a));
	EXPECT_EQ(-1, send(a, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(-1, send(b, "x", 1, MSG_NOSIGNAL));
}

TEST_F(match, same_context)
{
	self->conf.context = "service.example:7";
	ASSERT_EQ(0, nsttest_install(self->a, &self->conf));
	ASSERT_EQ(0, nsttest_install(self->b, &self->conf));
	EXPECT_EQ(0, tcptest_bind(self->a, self->b));
}

TEST_F(match, other_context)
{
	self->conf.context = "service.example:7";
	ASSERT_EQ(0, nsttest_install(self->a, &self->conf));
	self->conf.context = "service.example:8";
	ASSERT_EQ(0, nsttest_install(self->b, &self->conf));
	expect_refused(_metadata, self->a, self->b, -EBADMSG);
}

TEST_F(match, no_context)
{
	ASSERT_EQ(0, nsttest_install(self->b, &self->conf));
	self->conf.context = "x";
	ASSERT_EQ(0, nsttest_install(self->a, &self->conf));
	expect_refused(_metadata, self->a, self->b, -EBADMSG);
}

TEST_F(match, wrong_key)
{
	struct nsttest_info ti;

	ASSERT_EQ(0, nsttest_install(self->a, &self->conf));
	nsttest_fill(&ti, NST_CIPHER_AES_GCM);
	ti.keys[0].key[31] ^= 1;
	ASSERT_EQ(0, setsockopt(self->b, SOL_NST, NST_TX_RX, &ti, sizeof(ti)));
	expect_refused(_metadata, self->a, self->b, -EBADMSG);
}

TEST_F(match, unknown_kid)
{
	struct nsttest_info ti;

	ASSERT_EQ(0, nsttest_install(self->a, &self->conf));
	nsttest_fill(&ti, NST_CIPHER_AES_GCM);
	ti.keys[0].kid = NSTTEST_KID_UNKNOWN;
	ASSERT_EQ(0, setsockopt(self->b, SOL_NST, NST_TX_RX, &ti, sizeof(ti)));
	expect_refused(_metadata, self->a, self->b, -ENOKEY);
}

TEST_F(match, two_initiators)
{
	self->conf.flags = NST_F_INITIATOR;
	ASSERT_EQ(0, nsttest_install(self->a, &self->conf));
	ASSERT_EQ(0, nsttest_install(self->b, &self->conf));
	expect_refused(_metadata, self->a, self->b, -EKEYREJECTED);
}

TEST_F(match, two_responders)
{
	self->conf.flags = NST_F_RESPONDER;
	ASSERT_EQ(0, nsttest_install(self->a, &self->conf));
	ASSERT_EQ(0, nsttest_install(self->b, &self->conf));
	expect_refused(_metadata, self->a, self->b, -EKEYREJECTED);
}

/* Only one of the two says what it is. */
TEST_F(match, one_role)
{
	self->conf.flags = NST_F_INITIATOR;
	ASSERT_EQ(0, nsttest_install(self->a, &self->conf));
	self->conf.flags = 0;
	ASSERT_EQ(0, nsttest_install(self->b, &self->conf));
	EXPECT_EQ(0, tcptest_bind(self->a, self->b));
}

TEST_F(match, other_kid_is_not_wanted)
{
	self->conf.rx_kid = NSTTEST_KID_OTHER;
	ASSERT_EQ(0, nsttest_install(self->b, &self->conf));
	self->conf.rx_kid = 0;
	ASSERT_EQ(0, nsttest_install(self->a, &self->conf));
	expect_refused(_metadata, self->a, self->b, -EACCES);
}

TEST_HARNESS_MAIN
