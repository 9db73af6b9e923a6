// SPDX-License-Identifier: GPL-2.0
/*
 * A hostile local user: every option with every length, pointer and value.
 * Each refusal leaves the socket as it was, and the stream works afterwards.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "nsttest.h"

#define PATTERN	0xa5

FIXTURE(opt)
{
	int k;
	int raw;
	struct peer p;
	struct nsttest_info ti;		/* correct; a test spoils it */
};

FIXTURE_VARIANT(opt)
{
	int family;
};

FIXTURE_VARIANT_ADD(opt, ipv4) { .family = AF_INET };
FIXTURE_VARIANT_ADD(opt, ipv6) { .family = AF_INET6 };

FIXTURE_SETUP(opt)
{
	ASSERT_EQ(0, nsttest_pair(variant->family, 0, &self->k, &self->raw));
	ASSERT_EQ(0, nsttest_attach(self->k));
	nsttest_fill(&self->ti, NST_CIPHER_AES_GCM);
	peer_init(&self->p, self->raw, NST_CIPHER_AES_GCM, nsttest_box,
		  NSTTEST_KEYS);
}

FIXTURE_TEARDOWN(opt)
{
	close(self->k);
	close(self->raw);
}

static int set(int fd, int opt, const void *val, socklen_t len)
{
	return setsockopt(fd, SOL_NST, opt, val, len) ? -errno : 0;
}

static int set_info(int fd, int opt, const struct nsttest_info *ti)
{
	return set(fd, opt, ti, sizeof(*ti));
}

static struct nst_info get_info(int fd)
{
	struct nst_info info;
	socklen_t len = sizeof(info);

	memset(&info, 0xff, sizeof(info));
	getsockopt(fd, SOL_NST, NST_INFO, &info, &len);
	return info;
}

/* One message each way. */
static void expect_stream(struct __test_metadata *_metadata,
			  FIXTURE_DATA(opt) *self)
{
	uint8_t plain[256];
	struct peer_hdr h;
	char buf[8];

	ASSERT_EQ(0, peer_send(&self->p, PEER_DATA, "ping", 4));
	ASSERT_EQ(4, recv(self->k, buf, sizeof(buf), 0));
	EXPECT_EQ(0, memcmp(buf, "ping", 4));
	ASSERT_EQ(4, send(self->k, "pong", 4, 0));
	ASSERT_EQ(4, peer_recv(&self->p, &h, plain));
	EXPECT_EQ(0, memcmp(plain, "pong", 4));
}

/* Nothing is set; then correct keys are, and work. */
static void expect_untouched(struct __test_metadata *_metadata,
			     FIXTURE_DATA(opt) *self)
{
	struct nst_info info = get_info(self->k);

	EXPECT_EQ(0, info.flags);
	EXPECT_EQ(0, info.tx.keyed);
	EXPECT_EQ(0, info.rx.keyed);
	EXPECT_EQ(0, info.error);
	nsttest_fill(&self->ti, NST_CIPHER_AES_GCM);
	ASSERT_EQ(0, set_info(self->k, NST_TX_RX, &self->ti));
	expect_stream(_metadata, self);
}

static const int key_opts[] = { NST_TX, NST_RX, NST_TX_RX };
static const int all_opts[] = { NST_TX, NST_RX, NST_REKEY, NST_RECORD_MAX,
				NST_INFO, NST_TX_RX };

#define FOR_EACH(i, array)						\
	for (i = 0; i < sizeof(array) / sizeof((array)[0]); i++)

/* @self->ti is refused with @err by each option that takes it. */
static void expect_refused(struct __test_metadata *_metadata,
			   FIXTURE_DATA(opt) *self, int err, const char *what)
{
	size_t i;

	FOR_EACH(i, key_opts) {
		EXPECT_EQ(-err, set_info(self->k, key_opts[i], &self->ti)) {
			TH_LOG("option %d: %s", key_opts[i], what);
		}
	}
	nsttest_fill(&self->ti, NST_CIPHER_AES_GCM);
}

/* --- lengths -------------------------------------------------------------- */

TEST_F(opt, set_every_length)
{
	uint8_t buf[2 * sizeof(struct nsttest_info)] = { 0 };
	socklen_t len;
	size_t i;

	memcpy(buf, &self->ti, sizeof(self->ti));
	for (len = 0; len <= sizeof(buf); len++) {
		if (len == sizeof(self->ti))
			continue;
		FOR_EACH(i, key_opts) {
			EXPECT_EQ(-EINVAL, set(self->k, key_opts[i], buf,
					       len)) {
				TH_LOG("option %d, length %u", key_opts[i],
				       len);
			}
		}
	}
	expect_untouched(_metadata, self);
	memset(buf, 0, sizeof(buf));
	for (len = 0; len <= 8; len++) {
		if (len == 4)
			continue;
		EXPECT_EQ(-EINVAL, set(self->k, NST_REKEY, buf, len));
		buf[0] = 100;
		EXPECT_EQ(-EINVAL, set(self->k, NST_RECORD_MAX, buf, len));
		buf[0] = 0;
	}
	expect_stream(_metadata, self);
}

TEST_F(opt, set_absurd_length)
{
	static const socklen_t lens[] = { INT_MAX, INT_MIN, UINT_MAX, 1 << 20,
					  48 + 65535 * sizeof(struct nst_key) };
	size_t i, j;

	FOR_EACH(i, lens) {
		FOR_EACH(j, all_opts)
			EXPECT_NE(0, set(self->k, all_opts[j], &self->ti,
					 lens[i]));
	}
	expect_untouched(_metadata, self);
}

/* What is returned fits into what was given; nothing is written behind it. */
TEST_F(opt, get_every_length)
{
	uint8_t buf[512];
	socklen_t given, len;
	size_t i, j;
	int ret;

	ASSERT_EQ(0, set_info(self->k, NST_TX_RX, &self->ti));
	FOR_EACH(i, all_opts) {
		for (given = 0; given <= 256; given++) {
			memset(buf, PATTERN, sizeof(buf));
			len = given;
			ret = getsockopt(self->k, SOL_NST, all_opts[i], buf,
					 &len);
			EXPECT_LE(len, given);
			for (j = ret ? 0 : len; j < sizeof(buf); j++)
				EXPECT_EQ(PATTERN, buf[j]);
		}
	}
	expect_stream(_metadata, self);
}

TEST_F(opt, get_negative_length)
{
	uint8_t buf[512];
	socklen_t len;
	size_t i;

	FOR_EACH(i, all_opts) {
		len = -1;
		EXPECT_EQ(-1, getsockopt(self->k, SOL_NST, all_opts[i], buf,
					 &len));
		len = INT_MIN;
		EXPECT_EQ(-1, getsockopt(self->k, SOL_NST, all_opts[i], buf,
					 &len));
	}
	expect_untouched(_metadata, self);
}

/* --- pointers ------------------------------------------------------------- */

static void *const bad_pointers[] = {
	NULL, (void *)1, (void *)4096, (void *)0x7ffffffff000ul,
	(void *)0x8000000000000000ul, (void *)0xffff888000000000ul, (void *)-1L,
};

TEST_F(opt, bad_pointers)
{
	socklen_t len;
	size_t i, j;

	FOR_EACH(i, bad_pointers) {
		FOR_EACH(j, key_opts)
			EXPECT_EQ(-EFAULT, set(self->k, key_opts[j],
					       bad_pointers[i],
					       sizeof(self->ti)));
		EXPECT_EQ(-EFAULT, set(self->k, NST_REKEY, bad_pointers[i],
				       sizeof(struct nst_rekey)));
		EXPECT_EQ(-EFAULT, set(self->k, NST_RECORD_MAX,
				       bad_pointers[i], sizeof(__u32)));
	}
	ASSERT_EQ(0, set_info(self->k, NST_TX_RX, &self->ti));
	FOR_EACH(i, bad_pointers) {
		len = sizeof(struct nst_info);
		EXPECT_EQ(-1, getsockopt(self->k, SOL_NST, NST_INFO,
					 bad_pointers[i], &len));
		EXPECT_EQ(EFAULT, errno);
		len = sizeof(struct nst_crypto_info);
		EXPECT_EQ(-1, getsockopt(self->k, SOL_NST, NST_TX,
					 bad_pointers[i], &len));
		EXPECT_EQ(EFAULT, errno);
		EXPECT_EQ(-1, getsockopt(self->k, SOL_NST, NST_RECORD_MAX,
					 &len, bad_pointers[i]));
		EXPECT_EQ(EFAULT, errno);
	}
	expect_stream(_metadata, self);
}

/* The value ends in a page that is not there, at every byte. */
TEST_F(opt, value_ends_at_a_hole)
{
	size_t page = sysconf(_SC_PAGESIZE), have, i;
	uint8_t *map;

	map = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, mprotect(map + page, page, PROT_NONE));
	for (have = 0; have < sizeof(self->ti); have++) {
		memcpy(map + page - have, &self->ti, have);
		FOR_EACH(i, key_opts)
			EXPECT_EQ(-EFAULT, set(self->k, key_opts[i],
					       map + page - have,
					       sizeof(self->ti)));
	}
	munmap(map, 2 * page);
	expect_untouched(_metadata, self);
}

/* --- values --------------------------------------------------------------- */

TEST_F(opt, bad_header_fields)
{
	static const uint8_t versions[] = { 0, 2, 255 };
	static const uint8_t ciphers[] = { 8, 9, 128, 255 };
	size_t i;

	FOR_EACH(i, versions) {
		self->ti.info.version = versions[i];
		expect_refused(_metadata, self, EINVAL, "version");
	}
	FOR_EACH(i, ciphers) {
		self->ti.info.cipher_id = ciphers[i];
		expect_refused(_metadata, self, EINVAL, "cipher");
	}
	for (i = 3; i < 32; i++) {
		self->ti.info.flags = 1u << i;
		expect_refused(_metadata, self, EINVAL, "unknown flag");
	}
	self->ti.info.flags = NST_F_INITIATOR | NST_F_RESPONDER;
	expect_refused(_metadata, self, EINVAL, "both roles");
	for (i = 0; i < sizeof(self->ti.info.reserved); i++) {
		self->ti.info.reserved[i] = 1;
		expect_refused(_metadata, self, EINVAL, "reserved byte");
	}
	self->ti.info.context_len = NST_CONTEXT_MAX + 1;
	expect_refused(_metadata, self, EINVAL, "context of 33 bytes");
	self->ti.info.context_len = 255;
	expect_refused(_metadata, self, EINVAL, "context of 255 bytes");
	expect_untouched(_metadata, self);
}

TEST_F(opt, bad_keys)
{
	self->ti.info.nr_keys = 1;
	expect_refused(_metadata, self, EINVAL, "fewer keys than given");
	self->ti.info.nr_keys = 0;
	expect_refused(_metadata, self, EINVAL, "no key, yet some given");
	self->ti.info.nr_keys = 3;
	expect_refused(_metadata, self, EINVAL, "more keys than given");
	self->ti.info.nr_keys = 65535;
	expect_refused(_metadata, self, EINVAL, "all keys there can be");
	self->ti.keys[1].kid = self->ti.keys[0].kid;
	expect_refused(_metadata, self, EINVAL, "one kid twice");
	self->ti.keys[0].kid = 0;
	expect_refused(_metadata, self, EINVAL, "kid 0");
	self->ti.keys[1].flags = 1;
	expect_refused(_metadata, self, EINVAL, "key flags");
	self->ti.keys[1].reserved = 1u << 31;
	expect_refused(_metadata, self, EINVAL, "reserved word of a key");
	expect_untouched(_metadata, self);
}

TEST_F(opt, kid_not_in_box)
{
	self->ti.info.kid = NSTTEST_KID_UNKNOWN;
	EXPECT_EQ(-ENOKEY, set_info(self->k, NST_TX, &self->ti));
	EXPECT_EQ(-ENOKEY, set_info(self->k, NST_TX_RX, &self->ti));
	expect_untouched(_metadata, self);
}

/* Only a receiver can leave the suite open. */
TEST_F(opt, any_suite_to_send)
{
	self->ti.info.cipher_id = 0;
	EXPECT_EQ(-EINVAL, set_info(self->k, NST_TX, &self->ti));
	EXPECT_EQ(-EINVAL, set_info(self->k, NST_TX_RX, &self->ti));
	expect_untouched(_metadata, self);
}

TEST_F(opt, more_keys_than_a_box_holds)
{
	size_t nr = 2000, len, i;
	struct nst_crypto_info *info;

	len = sizeof(*info) + nr * sizeof(info->keys[0]);
	info = calloc(1, len);
	ASSERT_NE(NULL, info);
	memcpy(info, &self->ti, sizeof(*info));
	info->nr_keys = nr;
	for (i = 0; i < nr; i++)
		info->keys[i].kid = i + 1;
	FOR_EACH(i, key_opts)
		EXPECT_EQ(-EINVAL, set(self->k, key_opts[i], info, len));
	free(info);
	expect_untouched(_metadata, self);
}

/* Both directions agree on flags and context, or nothing happens. */
TEST_F(opt, directions_disagree)
{
	struct nst_info before, after;

	self->ti.info.context_len = 4;
	memcpy(self->ti.info.context, "host", 4);
	ASSERT_EQ(0, set_info(self->k, NST_TX, &self->ti));
	before = get_info(self->k);
	self->ti.info.flags = NST_F_INITIATOR;
	EXPECT_EQ(-EINVAL, set_info(self->k, NST_RX, &self->ti));
	self->ti.info.flags = NST_F_STRICT;
	EXPECT_EQ(-EINVAL, set_info(self->k, NST_RX, &self->ti));
	self->ti.info.flags = 0;
	self->ti.info.context_len = 3;
	EXPECT_EQ(-EINVAL, set_info(self->k, NST_RX, &self->ti));
	self->ti.info.context_len = 4;
	self->ti.info.context[3] = 'T';
	EXPECT_EQ(-EINVAL, set_info(self->k, NST_RX, &self->ti));
	after = get_info(self->k);
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));
	EXPECT_EQ(0, after.rx.keyed);
	self->ti.info.context[3] = 't';
	ASSERT_EQ(0, set_info(self->k, NST_RX, &self->ti));
	self->p.context.len = 4;
	memcpy(self->p.context.bytes, "host", 4);
	expect_stream(_metadata, self);
}

TEST_F(opt, record_max_bounds)
{
	static const __u32 bad[] = { 0, 1, 63, 65536, 1 << 20, UINT_MAX };
	uint8_t plain[PEER_RECORD_MAX], big[1000] = { 0 };
	__u32 value = 64, got;
	struct peer_hdr h;
	socklen_t len;
	size_t i;
	int n;

	ASSERT_EQ(0, set(self->k, NST_RECORD_MAX, &value, sizeof(value)));
	FOR_EACH(i, bad)
		EXPECT_EQ(-EINVAL, set(self->k, NST_RECORD_MAX, &bad[i],
				       sizeof(bad[i])));
	len = sizeof(got);
	ASSERT_EQ(0, getsockopt(self->k, SOL_NST, NST_RECORD_MAX, &got, &len));
	EXPECT_EQ(64, got);
	EXPECT_EQ(sizeof(got), len);
	expect_untouched(_metadata, self);
	ASSERT_EQ(1000, send(self->k, big, 1000, 0));
	for (i = 0; i < 1000; i += n) {
		n = peer_recv(&self->p, &h, plain);
		ASSERT_LT(0, n);
		EXPECT_GE(64, n);
	}
	value = 65535;
	EXPECT_EQ(0, set(self->k, NST_RECORD_MAX, &value, sizeof(value)));
	expect_stream(_metadata, self);
}

TEST_F(opt, rekey_refused)
{
	struct nst_rekey rekey = { 0 };

	EXPECT_EQ(-ENOKEY, set(self->k, NST_REKEY, &rekey, sizeof(rekey)));
	expect_untouched(_metadata, self);
	rekey.kid = NSTTEST_KID_UNKNOWN;
	EXPECT_EQ(-ENOKEY, set(self->k, NST_REKEY, &rekey, sizeof(rekey)));
	rekey.kid = NSTTEST_KID_OTHER;
	rekey.reserved = 1;
	EXPECT_EQ(-EINVAL, set(self->k, NST_REKEY, &rekey, sizeof(rekey)));
	expect_stream(_metadata, self);
	rekey.reserved = 0;
	EXPECT_EQ(0, set(self->k, NST_REKEY, &rekey, sizeof(rekey)));
	expect_stream(_metadata, self);
	EXPECT_EQ(NSTTEST_KID_OTHER, get_info(self->k).tx.kid);
}

/* kid 0 is the box's active key, whatever NST_TX was given. */
TEST_F(opt, rekey_to_active)
{
	struct nst_rekey rekey = { 0 };

	self->ti.info.kid = NSTTEST_KID_OTHER;
	ASSERT_EQ(0, set_info(self->k, NST_TX, &self->ti));
	self->ti.info.kid = 0;
	ASSERT_EQ(0, set_info(self->k, NST_RX, &self->ti));
	expect_stream(_metadata, self);
	EXPECT_EQ(NSTTEST_KID_OTHER, get_info(self->k).tx.kid);
	ASSERT_EQ(0, set(self->k, NST_REKEY, &rekey, sizeof(rekey)));
	expect_stream(_metadata, self);
	EXPECT_EQ(NSTTEST_KID, get_info(self->k).tx.kid);
}

/* Keys again and again; each time a new epoch, and the stream goes on. */
TEST_F(opt, keys_again)
{
	int i;

	for (i = 0; i < 20; i++) {
		self->ti.info.kid = nsttest_box[i % 2].kid;
		if (i % 3)
			ASSERT_EQ(0, set_info(self->k, NST_TX, &self->ti));
		self->ti.info.kid = 0;
		ASSERT_EQ(0, set_info(self->k, i % 3 ? NST_RX : NST_TX_RX,
				      &self->ti));
		expect_stream(_metadata, self);
	}
}

/* --- options that cannot be read, or not be set --------------------------- */

TEST_F(opt, wrong_direction)
{
	uint8_t buf[256] = { 0 };
	socklen_t len = sizeof(buf);
	int opt;

	EXPECT_EQ(-ENOPROTOOPT, set(self->k, NST_INFO, buf,
				    sizeof(struct nst_info)));
	EXPECT_EQ(-1, getsockopt(self->k, SOL_NST, NST_REKEY, buf, &len));
	EXPECT_EQ(ENOPROTOOPT, errno);
	EXPECT_EQ(-1, getsockopt(self->k, SOL_NST, NST_TX_RX, buf, &len));
	EXPECT_EQ(ENOPROTOOPT, errno);
	for (opt = -3; opt < 40; opt++) {
		if (opt >= NST_TX && opt <= NST_TX_RX)
			continue;
		EXPECT_EQ(-ENOPROTOOPT, set(self->k, opt, buf, 4));
		EXPECT_EQ(-1, getsockopt(self->k, SOL_NST, opt, buf, &len));
		EXPECT_EQ(ENOPROTOOPT, errno);
	}
	expect_untouched(_metadata, self);
}

static int holds_key(const void *buf, size_t len)
{
	size_t i;

	for (i = 0; i < NSTTEST_KEYS; i++) {
		/* half of one would be too much already */
		if (memmem(buf, len, nsttest_box[i].key, 8))
			return 1;
	}
	return 0;
}

TEST_F(opt, get_never_returns_keys)
{
	struct nst_crypto_info info;
	uint8_t buf[4096];
	socklen_t len;
	size_t i, j;
	int ret;

	self->ti.info.context_len = 3;
	memcpy(self->ti.info.context, "abc", 3);
	self->ti.info.kid = NSTTEST_KID_OTHER;
	ASSERT_EQ(0, set_info(self->k, NST_TX_RX, &self->ti));
	FOR_EACH(i, all_opts) {
		memset(buf, PATTERN, sizeof(buf));
		len = sizeof(buf);
		ret = getsockopt(self->k, SOL_NST, all_opts[i], buf, &len);
		EXPECT_EQ(0, holds_key(buf, sizeof(buf)));
		for (j = ret ? 0 : len; j < sizeof(buf); j++)
			EXPECT_EQ(PATTERN, buf[j]);
		if (all_opts[i] != NST_TX && all_opts[i] != NST_RX)
			continue;
		ASSERT_EQ(0, ret);
		ASSERT_EQ(sizeof(info), len);
		memcpy(&info, buf, sizeof(info));
		EXPECT_EQ(NST_VERSION, info.version);
		EXPECT_EQ(NST_CIPHER_AES_GCM, info.cipher_id);
		EXPECT_EQ(NSTTEST_KID_OTHER, info.kid);
		EXPECT_EQ(3, info.context_len);
		EXPECT_EQ(0, memcmp(info.context, "abc", 3));
	}
}

/* --- attaching ------------------------------------------------------------ */

TEST_F(opt, attach_twice)
{
	EXPECT_EQ(-EEXIST, nsttest_attach(self->k));
	expect_untouched(_metadata, self);
	EXPECT_EQ(-EEXIST, nsttest_attach(self->k));
	expect_stream(_metadata, self);
}

TEST_F(opt, attach_by_state)
{
	struct sockaddr_in6 any = { .sin6_family = variant->family };
	int fd = socket(variant->family, SOCK_STREAM, 0);

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, nsttest_attach(fd));
	close(fd);

	fd = socket(variant->family, SOCK_STREAM, 0);
	ASSERT_EQ(0, bind(fd, (void *)&any, variant->family == AF_INET ?
			  sizeof(struct sockaddr_in) : sizeof(any)));
	ASSERT_EQ(0, listen(fd, 1));
	EXPECT_EQ(0, nsttest_attach(fd));
	EXPECT_EQ(0, set_info(fd, NST_TX_RX, &self->ti));
	close(fd);

	fd = socket(variant->family, SOCK_DGRAM, 0);
	ASSERT_LE(0, fd);
	EXPECT_NE(0, nsttest_attach(fd));
	EXPECT_EQ(-ENOPROTOOPT, set_info(fd, NST_TX_RX, &self->ti));
	close(fd);
}

TEST_F(opt, options_without_attach)
{
	socklen_t len = sizeof(self->ti);

	EXPECT_EQ(-ENOPROTOOPT, set_info(self->raw, NST_TX_RX, &self->ti));
	EXPECT_EQ(-1, getsockopt(self->raw, SOL_NST, NST_TX, &self->ti,
				 &len));
	/* The errno is TCP's, and not the same for IPv4 and IPv6. */
	expect_untouched(_metadata, self);
}

static void expect_nokey(struct __test_metadata *_metadata, int fd, int tx,
			 int rx)
{
	char buf[4];

	if (tx) {
		EXPECT_EQ(-1, send(fd, "x", 1, MSG_NOSIGNAL));
		EXPECT_EQ(ENOKEY, errno);
	}
	if (rx) {
		EXPECT_EQ(-1, recv(fd, buf, sizeof(buf), 0));
		EXPECT_EQ(ENOKEY, errno);
		EXPECT_EQ(-1, recv(fd, buf, sizeof(buf), MSG_PEEK));
		EXPECT_EQ(ENOKEY, errno);
	}
}

/* Nothing in plaintext, in neither direction, before there are keys. */
TEST_F(opt, no_keys)
{
	char byte;

	expect_nokey(_metadata, self->k, 1, 1);
	EXPECT_EQ(-1, recv(self->raw, &byte, 1, MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	ASSERT_EQ(0, set_info(self->k, NST_TX, &self->ti));
	expect_nokey(_metadata, self->k, 0, 1);
	ASSERT_EQ(0, set_info(self->k, NST_RX, &self->ti));
	expect_stream(_metadata, self);
}

TEST_F(opt, no_keys_to_send)
{
	ASSERT_EQ(0, set_info(self->k, NST_RX, &self->ti));
	expect_nokey(_metadata, self->k, 1, 0);
	ASSERT_EQ(0, set_info(self->k, NST_TX, &self->ti));
	expect_stream(_metadata, self);
}

TEST_F(opt, sysctl_enabled)
{
	int fd;

	ASSERT_EQ(0, nsttest_netns());
	ASSERT_EQ(0, nsttest_write_file("/proc/sys/net/nst/enabled", "0\n"));
	fd = socket(variant->family, SOCK_STREAM, 0);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EPERM, nsttest_attach(fd));
	ASSERT_EQ(0, nsttest_write_file("/proc/sys/net/nst/enabled", "1\n"));
	EXPECT_EQ(0, nsttest_attach(fd));
	close(fd);
}

/* --- flags that cannot work ----------------------------------------------- */

TEST_F(opt, refused_message_flags)
{
	char buf[4];
	int one = 1;

	ASSERT_EQ(0, set_info(self->k, NST_TX_RX, &self->ti));
	expect_stream(_metadata, self);
	EXPECT_EQ(-1, send(self->k, "x", 1, MSG_OOB));
	EXPECT_EQ(EOPNOTSUPP, errno);
	EXPECT_EQ(-1, recv(self->k, buf, sizeof(buf), MSG_OOB | MSG_DONTWAIT));
	EXPECT_EQ(EOPNOTSUPP, errno);
	/* Whether or not the socket lets itself be prepared for it. */
	setsockopt(self->k, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one));
	EXPECT_EQ(-1, send(self->k, "x", 1, MSG_ZEROCOPY));
	EXPECT_EQ(EOPNOTSUPP, errno);
	expect_stream(_metadata, self);
}

TEST_F(opt, refused_tcp_options)
{
	uint8_t zc[64] = { 0 };
	socklen_t len = sizeof(zc);
	int one = 1;

	ASSERT_EQ(0, set_info(self->k, NST_TX_RX, &self->ti));
	EXPECT_EQ(-1, setsockopt(self->k, SOL_TCP, TCP_REPAIR, &one,
				 sizeof(one)));
	EXPECT_EQ(EOPNOTSUPP, errno);
	EXPECT_EQ(-1, getsockopt(self->k, SOL_TCP, TCP_ZEROCOPY_RECEIVE, zc,
				 &len));
	EXPECT_EQ(EOPNOTSUPP, errno);
	expect_stream(_metadata, self);
}

TEST_F(opt, fastopen_with_data)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	int fd = socket(variant->family, SOCK_STREAM, 0);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, getsockname(self->raw, (void *)&ss, &len));
	ASSERT_EQ(0, nsttest_attach(fd));
	ASSERT_EQ(0, set_info(fd, NST_TX_RX, &self->ti));
	EXPECT_EQ(-1, sendto(fd, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL,
			     (void *)&ss, len));
	EXPECT_EQ(EOPNOTSUPP, errno);
	close(fd);
	expect_untouched(_metadata, self);
}

static int send_typed(int fd, int cmsg_type, const void *data, size_t len)
{
	char control[CMSG_SPACE(16)] = { 0 };
	struct iovec iov = { "typed", 5 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = CMSG_SPACE(len),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_NST;
	cmsg->cmsg_type = cmsg_type;
	cmsg->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(cmsg), data, len);
	return sendmsg(fd, &msg, 0) < 0 ? -errno : 0;
}

TEST_F(opt, bad_record_types)
{
	uint8_t plain[64], type, wide[4] = { 16 };
	struct peer_hdr h;

	ASSERT_EQ(0, set_info(self->k, NST_TX_RX, &self->ti));
	for (type = 1; type < NST_TYPE_APP_MIN; type++)
		EXPECT_EQ(-EINVAL, send_typed(self->k, NST_SET_RECORD_TYPE,
					      &type, 1));
	EXPECT_EQ(-EINVAL, send_typed(self->k, NST_SET_RECORD_TYPE, wide, 0));
	EXPECT_EQ(-EINVAL, send_typed(self->k, NST_SET_RECORD_TYPE, wide, 4));
	EXPECT_EQ(-EINVAL, send_typed(self->k, NST_GET_RECORD_TYPE, wide, 1));
	EXPECT_EQ(-EINVAL, send_typed(self->k, 99, wide, 1));
	expect_stream(_metadata, self);
	ASSERT_EQ(0, send_typed(self->k, NST_SET_RECORD_TYPE, wide, 1));
	ASSERT_EQ(5, peer_recv(&self->p, &h, plain));
	EXPECT_EQ(16, h.flags & PEER_F_TYPE);
	expect_stream(_metadata, self);
}

/* --- anything ------------------------------------------------------------- */

/* Random options, lengths and values on a keyed socket, a fixed seed each. */
TEST_F(opt, random_values)
{
	uint8_t buf[256];
	socklen_t len;
	int i, opt;

	ASSERT_EQ(0, set_info(self->k, NST_TX_RX, &self->ti));
	srandom(variant->family);
	for (i = 0; i < 5000; i++) {
		for (len = 0; len < sizeof(buf); len++)
			buf[len] = random();
		if (i % 2)
			memcpy(buf, &self->ti, sizeof(self->ti));
		buf[random() % sizeof(self->ti.info)] ^= 1 << random() % 8;
		opt = random() % 8;
		len = random() % sizeof(buf);
		if (i % 4 == 3)
			len = sizeof(self->ti);
		if (random() % 2)
			set(self->k, opt, buf, len);
		else
			getsockopt(self->k, SOL_NST, opt, buf, &len);
	}
	/* Whatever was taken, correct keys put it right. */
	nsttest_fill(&self->ti, NST_CIPHER_AES_GCM);
	set_info(self->k, NST_TX_RX, &self->ti);
	EXPECT_EQ(0, get_info(self->k).error);
}

TEST_HARNESS_MAIN
