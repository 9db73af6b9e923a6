// SPDX-License-Identifier: GPL-2.0
/*
 * The options of a UDP socket with NST: keys, what they exclude, new epochs,
 * what is told about them, record types, and what is refused.
 */
#define _GNU_SOURCE
#include <sys/ioctl.h>

#include "kselftest_harness.h"
#include "udptest.h"

FIXTURE(opt)
{
	int a;
	int b;
	struct nsttest_info ti;
	struct nsttest_counters before;
};

FIXTURE_VARIANT(opt)
{
	struct udptest_conf conf;
};

UDPTEST_VARIANTS_NST(opt);

FIXTURE_SETUP(opt)
{
	ASSERT_EQ(0, nsttest_netns());
	ASSERT_EQ(0, udptest_met(&variant->conf, &self->a, &self->b));
	nsttest_fill(&self->ti, variant->conf.cipher_id);
	ASSERT_EQ(0, nsttest_counters(&self->before));
}

FIXTURE_TEARDOWN(opt)
{
	close(self->a);
	close(self->b);
}

static int set(int fd, int opt, const void *value, socklen_t len)
{
	return setsockopt(fd, SOL_NST, opt, value, len) ? -errno : 0;
}

static int set_info(int fd, int opt, const struct nsttest_info *ti)
{
	return set(fd, opt, ti, sizeof(ti->info) +
		   ti->info.nr_keys * sizeof(ti->keys[0]));
}

static struct nst_info info_of(int fd)
{
	struct nst_info info;

	memset(&info, 0xff, sizeof(info));
	tcptest_info(fd, &info);
	return info;
}

/* --- one direction ---------------------------------------------------------- */

TEST_F(opt, one_direction)
{
	struct udptest_name to;
	int tx = udptest_open(&variant->conf);
	int rx = udptest_open(&variant->conf);
	char byte;

	ASSERT_LE(0, tx);
	ASSERT_LE(0, rx);
	ASSERT_EQ(0, udptest_attach(tx));
	ASSERT_EQ(0, udptest_attach(rx));
	ASSERT_EQ(0, set_info(tx, NST_TX, &self->ti));
	ASSERT_EQ(0, set_info(rx, NST_RX, &self->ti));
	udptest_loopback(&variant->conf, 0, &to);
	ASSERT_EQ(0, bind(rx, udptest_sa(&to), to.len));
	ASSERT_EQ(0, udptest_name(rx, &to));
	EXPECT_EQ(0, udptest_sendto(tx, &to, 1, 100));
	EXPECT_EQ(0, udptest_recv(rx, 1, 100));
	EXPECT_EQ(-ENOKEY, udptest_sendto(rx, &to, 1, 100));
	EXPECT_EQ(-1, recv(tx, &byte, 1, 0));
	EXPECT_EQ(ENOKEY, errno);
	EXPECT_EQ(1, info_of(tx).tx.keyed);
	EXPECT_EQ(0, info_of(tx).rx.keyed);
	close(tx);
	close(rx);
}

TEST_F(opt, both_directions_at_once)
{
	ASSERT_EQ(0, set_info(self->a, NST_TX_RX, &self->ti));
	ASSERT_EQ(0, set_info(self->b, NST_TX_RX, &self->ti));
	EXPECT_EQ(0, udptest_meet(self->a, self->b));
	EXPECT_STREQ("", nsttest_grown(&self->before));
}

/* --- wrong values ------------------------------------------------------------ */

/* Each is refused for both directions and each, and changes nothing. */
static void refused(struct __test_metadata *_metadata, FIXTURE_DATA(opt) *self,
		    const struct nsttest_info *ti, socklen_t len)
{
	static const int opts[] = { NST_TX, NST_RX, NST_TX_RX };
	struct nst_info before = info_of(self->a), after;
	int i;

	for (i = 0; i < 3; i++)
		EXPECT_EQ(-EINVAL, set(self->a, opts[i], ti, len)) {
			TH_LOG("option %d", opts[i]);
		}
	after = info_of(self->a);
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));
}

TEST_F(opt, wrong_lengths)
{
	socklen_t len, right = sizeof(self->ti);

	for (len = 0; len < right; len += 1 + len / 13)
		refused(_metadata, self, &self->ti, len);
	refused(_metadata, self, &self->ti, right - 1);
	self->ti.info.nr_keys = 1;
	refused(_metadata, self, &self->ti, right);
	self->ti.info.nr_keys = 65535;
	refused(_metadata, self, &self->ti, right);
	EXPECT_EQ(0, udptest_meet(self->a, self->b));
}

#define WRONG(what) do {						\
	struct nsttest_info ti = self->ti;				\
									\
	ti.what;							\
	refused(_metadata, self, &ti, sizeof(ti));			\
} while (0)

TEST_F(opt, wrong_fields)
{
	WRONG(info.version = 0);
	WRONG(info.version = 2);
	WRONG(info.cipher_id = 8);
	WRONG(info.cipher_id = 255);
	WRONG(info.flags = 8);
	WRONG(info.flags = 1u << 31);
	WRONG(info.flags = NST_F_INITIATOR | NST_F_RESPONDER);
	/* What it would take is not there in UDP. */
	WRONG(info.flags = NST_F_STRICT);
	WRONG(info.context_len = 33);
	WRONG(info.reserved[0] = 1);
	WRONG(info.reserved[4] = 1);
	WRONG(keys[0].kid = 0);
	WRONG(keys[1].kid = ti.keys[0].kid);
	WRONG(keys[0].flags = 1);
	WRONG(keys[1].reserved = 1);
	EXPECT_EQ(0, udptest_meet(self->a, self->b));
	EXPECT_STREQ("", nsttest_grown(&self->before));
}

/* Flags and context are the same for both directions of a socket. */
TEST_F(opt, directions_that_differ)
{
	struct nsttest_info ti = self->ti;

	ti.info.context_len = 1;
	ti.info.context[0] = 'x';
	EXPECT_EQ(-EINVAL, set_info(self->a, NST_TX, &ti));
	ti = self->ti;
	ti.info.flags = NST_F_INITIATOR;
	EXPECT_EQ(-EINVAL, set_info(self->a, NST_RX, &ti));
	EXPECT_EQ(0, udptest_meet(self->a, self->b));
}

TEST_F(opt, unknown_key)
{
	self->ti.info.kid = NSTTEST_KID_UNKNOWN;
	EXPECT_EQ(-ENOKEY, set_info(self->a, NST_TX, &self->ti));
	EXPECT_EQ(0, udptest_meet(self->a, self->b));
}

TEST_F(opt, other_options)
{
	uint32_t value = 1000;
	socklen_t len = sizeof(value);
	int opt;

	EXPECT_EQ(-EOPNOTSUPP, set(self->a, NST_RECORD_MAX, &value, 4));
	EXPECT_EQ(-1, getsockopt(self->a, SOL_NST, NST_RECORD_MAX, &value,
				 &len));
	EXPECT_EQ(EOPNOTSUPP, errno);
	EXPECT_EQ(-ENOPROTOOPT, set(self->a, NST_INFO, &value, 4));
	for (opt = -3; opt < 40; opt++) {
		if (opt >= NST_TX && opt <= NST_TX_RX)
			continue;
		EXPECT_EQ(-ENOPROTOOPT, set(self->a, opt, &value, 4));
		len = sizeof(value);
		EXPECT_EQ(-1, getsockopt(self->a, SOL_NST, opt, &value, &len));
		EXPECT_EQ(ENOPROTOOPT, errno);
	}
	EXPECT_EQ(0, udptest_meet(self->a, self->b));
}

/* A namespace that allows strict sockets only allows no datagrams. */
TEST_F(opt, strict_namespace)
{
	ASSERT_EQ(0, nsttest_write_file("/proc/sys/net/nst/strict", "1"));
	EXPECT_EQ(-EPERM, set_info(self->a, NST_TX, &self->ti));
	EXPECT_EQ(-EPERM, set_info(self->a, NST_RX, &self->ti));
	EXPECT_EQ(-EPERM, set_info(self->a, NST_TX_RX, &self->ti));
	/* What has keys already, goes on. */
	EXPECT_EQ(0, udptest_meet(self->a, self->b));
	ASSERT_EQ(0, nsttest_write_file("/proc/sys/net/nst/strict", "0"));
	EXPECT_EQ(0, set_info(self->a, NST_TX_RX, &self->ti));
}

/* --- reading back ------------------------------------------------------------ */

TEST_F(opt, keys_are_never_told)
{
	static const int opts[] = { NST_TX, NST_RX, NST_TX_RX, NST_REKEY,
				    NST_INFO, NST_RECORD_MAX };
	struct nst_crypto_info *info;
	uint8_t buf[512];
	socklen_t len;
	size_t i, k;
	int ret;

	for (i = 0; i < sizeof(opts) / sizeof(opts[0]); i++) {
		memset(buf, 0, sizeof(buf));
		len = sizeof(buf);
		ret = getsockopt(self->a, SOL_NST, opts[i], buf, &len);
		for (k = 0; k < NSTTEST_KEYS; k++)
			EXPECT_EQ(NULL, memmem(buf, sizeof(buf),
					       nsttest_box[k].key, 8));
		if (opts[i] != NST_TX && opts[i] != NST_RX)
			continue;
		ASSERT_EQ(0, ret);
		EXPECT_EQ(sizeof(*info), len);
		info = (void *)buf;
		EXPECT_EQ(NST_VERSION, info->version);
		EXPECT_EQ(opts[i] == NST_TX ? variant->conf.cipher_id : 0,
			  info->cipher_id);
	}
}

TEST_F(opt, info)
{
	struct nst_info a = info_of(self->a), b = info_of(self->b);
	uint32_t nr;

	EXPECT_EQ(0, (int)a.flags);
	EXPECT_EQ(0, a.error);
	EXPECT_EQ(0, (int)a.tx.bound);
	EXPECT_EQ(1, a.tx.keyed);
	EXPECT_EQ(1, a.rx.keyed);
	EXPECT_EQ(variant->conf.cipher_id, a.tx.cipher_id);
	EXPECT_EQ(variant->conf.cipher_id, b.rx.cipher_id);
	EXPECT_EQ(NSTTEST_KID, a.tx.kid);
	EXPECT_EQ(NSTTEST_KID, b.rx.kid);
	EXPECT_EQ(a.tx.epoch, b.rx.epoch);
	EXPECT_EQ(1, (int)a.tx.epochs);
	EXPECT_EQ(1, (int)a.tx.records);
	EXPECT_EQ(10, (int)a.tx.bytes);
	EXPECT_EQ(1, (int)b.rx.records);
	EXPECT_EQ(10, (int)b.rx.bytes);
	for (nr = 0; nr < 7; nr++) {
		ASSERT_EQ(0, udptest_send(self->a, nr, 100));
		ASSERT_EQ(0, udptest_recv(self->b, nr, 100));
	}
	EXPECT_EQ(8, (int)info_of(self->a).tx.records);
	EXPECT_EQ(710, (int)info_of(self->a).tx.bytes);
	EXPECT_EQ(8, (int)info_of(self->b).rx.records);
	EXPECT_EQ(710, (int)info_of(self->b).rx.bytes);
	EXPECT_EQ(1, (int)info_of(self->b).tx.records);
}

TEST_F(opt, info_without_keys)
{
	int fd = udptest_open(&variant->conf);
	struct nst_crypto_info info;
	socklen_t len = sizeof(info);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, udptest_attach(fd));
	EXPECT_EQ(0, info_of(fd).tx.keyed);
	EXPECT_EQ(0, (int)info_of(fd).tx.records);
	EXPECT_EQ(-1, getsockopt(fd, SOL_NST, NST_TX, &info, &len));
	EXPECT_EQ(ENOKEY, errno);
	close(fd);
}

/* --- what the keys exclude ---------------------------------------------------- */

/* What @a sends now is not delivered, and counted as @why. */
static void not_delivered(struct __test_metadata *_metadata,
			  FIXTURE_DATA(opt) *self, const char *why)
{
	struct nsttest_counters before;
	char want[64];
	int i;

	ASSERT_EQ(0, nsttest_counters(&before));
	ASSERT_EQ(0, udptest_send(self->a, 1, 100));
	snprintf(want, sizeof(want), "%s+1", why);
	for (i = 0; i < 300 && strcmp(want, nsttest_grown(&before)); i++)
		usleep(10000);
	EXPECT_STREQ(want, nsttest_grown(&before));
	EXPECT_EQ(-EAGAIN, udptest_try(self->b));
}

TEST_F(opt, context_excludes)
{
	self->ti.info.context_len = 3;
	memcpy(self->ti.info.context, "one", 3);
	ASSERT_EQ(0, set_info(self->a, NST_TX_RX, &self->ti));
	not_delivered(_metadata, self, "NstRxAuth");
	memcpy(self->ti.info.context, "two", 3);
	ASSERT_EQ(0, set_info(self->b, NST_TX_RX, &self->ti));
	not_delivered(_metadata, self, "NstRxAuth");
	memcpy(self->ti.info.context, "one", 3);
	ASSERT_EQ(0, set_info(self->b, NST_TX_RX, &self->ti));
	EXPECT_EQ(0, udptest_meet(self->a, self->b));
}

TEST_F(opt, suite_excludes)
{
	self->ti.info.cipher_id = NST_CIPHER_AES_256_GCM;
	ASSERT_EQ(0, set_info(self->b, NST_RX, &self->ti));
	not_delivered(_metadata, self, "NstRxPolicySuite");
	ASSERT_EQ(0, set_info(self->a, NST_TX, &self->ti));
	ASSERT_EQ(0, udptest_send(self->a, 1, 100));
	EXPECT_EQ(0, udptest_recv(self->b, 1, 100));
}

TEST_F(opt, kid_excludes)
{
	self->ti.info.cipher_id = 0;
	self->ti.info.kid = NSTTEST_KID_OTHER;
	ASSERT_EQ(0, set_info(self->b, NST_RX, &self->ti));
	not_delivered(_metadata, self, "NstRxPolicyKid");
	self->ti.info.cipher_id = variant->conf.cipher_id;
	ASSERT_EQ(0, set_info(self->a, NST_TX, &self->ti));
	ASSERT_EQ(0, udptest_send(self->a, 1, 100));
	EXPECT_EQ(0, udptest_recv(self->b, 1, 100));
	EXPECT_EQ(NSTTEST_KID_OTHER, info_of(self->b).rx.kid);
}

TEST_F(opt, box_excludes)
{
	struct nsttest_info ti = self->ti;

	ti.keys[0].key[0] ^= 1;
	ASSERT_EQ(0, set_info(self->b, NST_TX_RX, &ti));
	not_delivered(_metadata, self, "NstRxAuth");
	ti.keys[0].kid = 12;
	ASSERT_EQ(0, set_info(self->b, NST_TX_RX, &ti));
	not_delivered(_metadata, self, "NstRxNoKid");
}

TEST_F(opt, roles_exclude)
{
	self->ti.info.flags = NST_F_INITIATOR;
	ASSERT_EQ(0, set_info(self->a, NST_TX_RX, &self->ti));
	/* Without a role, the other end takes either. */
	ASSERT_EQ(0, udptest_meet(self->a, self->b));
	ASSERT_EQ(0, set_info(self->b, NST_TX_RX, &self->ti));
	not_delivered(_metadata, self, "NstRxRole");
	self->ti.info.flags = NST_F_RESPONDER;
	ASSERT_EQ(0, set_info(self->b, NST_TX_RX, &self->ti));
	EXPECT_EQ(0, udptest_meet(self->a, self->b));
	EXPECT_EQ(NST_F_RESPONDER, (int)info_of(self->b).flags);
}

/* Keys to send with and none to receive: what comes is counted, not kept. */
TEST_F(opt, no_key_to_receive)
{
	int fd = udptest_open(&variant->conf);
	struct udptest_name to;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, udptest_attach(fd));
	udptest_loopback(&variant->conf, 0, &to);
	ASSERT_EQ(0, bind(fd, udptest_sa(&to), to.len));
	ASSERT_EQ(0, udptest_connect(self->a, fd));
	close(self->b);
	self->b = fd;
	ASSERT_EQ(0, udptest_send(self->a, 1, 100));
	EXPECT_EQ(1, udptest_stat_at_last("NstRxNoKey", 1));
	ASSERT_EQ(0, udptest_install(fd, &variant->conf));
	EXPECT_EQ(-EAGAIN, udptest_try(fd));
	ASSERT_EQ(0, udptest_send(self->a, 2, 100));
	EXPECT_EQ(0, udptest_recv(fd, 2, 100));
}

/* A socket does not take what it has sent itself. */
TEST_F(opt, reflection)
{
	struct udptest_name own;

	ASSERT_EQ(0, udptest_name(self->a, &own));
	ASSERT_EQ(0, udptest_connect(self->a, self->a));
	EXPECT_EQ(0, udptest_send(self->a, 1, 100));
	EXPECT_EQ(1, udptest_stat_at_last("NstRxReflected", 1));
	EXPECT_EQ(-EAGAIN, udptest_try(self->a));
	EXPECT_STREQ("NstRxReflected+1", nsttest_grown(&self->before));
}

/* --- new epochs --------------------------------------------------------------- */

TEST_F(opt, rekey)
{
	struct nst_rekey r = {};
	struct nst_info info;
	uint32_t nr;

	for (nr = 1; nr <= 10; nr++) {
		r.kid = nr % 3 == 2 ? NSTTEST_KID_OTHER : 0;
		ASSERT_EQ(0, set(self->a, NST_REKEY, &r, sizeof(r)));
		ASSERT_EQ(0, udptest_send(self->a, nr, 100));
		ASSERT_EQ(0, udptest_recv(self->b, nr, 100));
		info = info_of(self->a);
		EXPECT_EQ(nr + 1, info.tx.epochs);
		EXPECT_EQ(1, (int)info.tx.epoch_records);
		EXPECT_EQ(r.kid ?: NSTTEST_KID, info.tx.kid);
		EXPECT_EQ(info.tx.epoch, info_of(self->b).rx.epoch);
		EXPECT_EQ(info.tx.kid, info_of(self->b).rx.kid);
	}
	/* The other direction has not changed. */
	EXPECT_EQ(1, (int)info_of(self->b).tx.epochs);
	EXPECT_STREQ("", nsttest_grown(&self->before));
}

TEST_F(opt, bad_rekey)
{
	struct nst_rekey r = { .kid = NSTTEST_KID_UNKNOWN };
	int fd = udptest_open(&variant->conf);

	ASSERT_LE(0, fd);
	EXPECT_EQ(-ENOKEY, set(self->a, NST_REKEY, &r, sizeof(r)));
	r.kid = 0;
	EXPECT_EQ(-EINVAL, set(self->a, NST_REKEY, &r, 3));
	EXPECT_EQ(-EINVAL, set(self->a, NST_REKEY, &r, 8));
	r.reserved = 1;
	EXPECT_EQ(-EINVAL, set(self->a, NST_REKEY, &r, sizeof(r)));
	r.reserved = 0;
	ASSERT_EQ(0, udptest_attach(fd));
	EXPECT_EQ(-ENOKEY, set(fd, NST_REKEY, &r, sizeof(r)));
	close(fd);
	EXPECT_EQ(0, udptest_meet(self->a, self->b));
	EXPECT_EQ(1, (int)info_of(self->a).tx.epochs);
}

/* Keys may be set again; what is under way in the old ones is still good. */
TEST_F(opt, same_keys_again)
{
	uint32_t nr;

	for (nr = 0; nr < 10; nr++) {
		ASSERT_EQ(0, udptest_send(self->a, nr, 100));
		ASSERT_EQ(0, set_info(self->a, NST_TX, &self->ti));
		ASSERT_EQ(0, udptest_recv(self->b, nr, 100));
	}
	EXPECT_STREQ("", nsttest_grown(&self->before));
}

/* --- the other level of UDP's options ------------------------------------------ */

#ifndef SOL_UDPLITE
#define SOL_UDPLITE	136
#endif

TEST_F(opt, level_of_udplite)
{
	static const int levels[] = { SOL_UDPLITE, SOL_UDP };
	socklen_t len;
	int i, value;

	EXPECT_EQ(-EOPNOTSUPP, tcptest_set_int(self->a, SOL_UDPLITE, UDP_CORK, 1));
	EXPECT_EQ(0, tcptest_set_int(self->a, SOL_UDPLITE, UDP_CORK, 0));
	EXPECT_EQ(-EOPNOTSUPP, tcptest_set_int(self->a, SOL_UDPLITE, UDP_ENCAP,
					       UDP_ENCAP_L2TPINUDP));
	EXPECT_EQ(-EOPNOTSUPP, tcptest_set_int(self->a, SOL_UDPLITE, UDP_ENCAP, 0));
	/* NST cuts into segments, not UDP. */
	EXPECT_EQ(0, tcptest_set_int(self->a, SOL_UDPLITE, UDP_SEGMENT, 1000));
	for (i = 0; i < 2; i++) {
		len = sizeof(value);
		EXPECT_EQ(0, getsockopt(self->a, levels[i], UDP_SEGMENT, &value,
					&len));
		EXPECT_EQ(1000, value);
	}
	EXPECT_EQ(0, udptest_meet(self->a, self->b));
	EXPECT_STREQ("", nsttest_grown(&self->before));
}

TEST_HARNESS_MAIN
