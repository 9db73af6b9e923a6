// SPDX-License-Identifier: GPL-2.0
/* epoch.c: from a box key to a keyed cipher, and who holds the key. */
#include <netinet/in.h>
#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/nst.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <shim/test.h>
#include "core/aead.h"
#include "core/epoch.h"
#include "core/kdf.h"
#include "core/keyring.h"
#include "core/suite.h"
#include "limits.h"
#include "record.h"
#include "rings.h"

#define CONTEXT		((const u8 *)"context")
#define CONTEXT_LEN	7

static u8 salt[NST_KDF_SALT_LEN];
static struct nst_keyring *ring;
static struct nst_epoch ep;

static const struct nst_epoch_id some_id = {
	.suite = NST_CIPHER_AES_GCM, .kpos = 5, .kval = 6, .kid = 7,
	.epoch = 0x1234,
};

static void begin(void)
{
	struct nst_box_entry entry[] = {
		{ .kid = 7, .state = NST_KEY_ACTIVE },
		{ .kid = 9, .state = NST_KEY_ACCEPT },
	};

	memset(&ep, 0, sizeof(ep));
	test_random_bytes(salt, sizeof(salt));
	test_random_bytes(entry[0].secret, NST_KEY_SIZE);
	test_random_bytes(entry[1].secret, NST_KEY_SIZE);
	ring = ring_new(false);
	NEED(ring);
	NEED_EQ(nst_keyring_replace(ring, entry, 2), 0);
}

static void done(void)
{
	nst_epoch_free(&ep);
	nst_keyring_put(ring);
	nst_op_exit();
}

/* A reference of the caller. */
static struct nst_boxkey *key_of(u16 kid, u64 *gen)
{
	struct nst_boxkey *key;

	NEED_EQ(nst_keyring_find_rx(ring, kid, &key, gen), NST_OK);
	return key;
}

static int start(struct nst_epoch_id id)
{
	struct nst_boxkey *key;
	u64 gen;

	key = key_of(id.kid, &gen);
	return nst_epoch_begin(&ep, &id, key, gen, IPPROTO_TCP, salt, CONTEXT,
			       CONTEXT_LEN);
}

static void check_counts(u16 kid, int tx, int rx, int refs)
{
	struct nst_boxkey *key;
	u64 gen;

	key = key_of(kid, &gen);
	CHECK_EQ(atomic_read(&key->tx_streams), tx);
	CHECK_EQ(atomic_read(&key->rx_streams), rx);
	CHECK_EQ(refcount_read(&key->ref), refs + 1);
	nst_boxkey_put(key);
}

/* The epoch seals as the key schedule by hand would. */
TEST(nst_epoch_begin__has_the_keys_of_the_key_schedule)
{
	struct nst_epoch_id id = some_id;
	u8 okm[NST_OKM_MAX], one[200], two[200];
	struct nst_cipher cipher = {};
	struct nst_boxkey *key;
	u64 gen;

	begin();
	key = key_of(7, &gen);
	for (id.suite = 1; id.suite <= 7; id.suite++) {
		struct nst_hdr hdr = {
			.timestamp = 1, .nonce = 2, .len = 32,
			.suite = id.suite, .kpos = id.kpos, .kval = id.kval,
			.kid = id.kid, .epoch = id.epoch,
		};
		struct nst_kdf in = {
			.secret = key->secret, .salt = salt,
			.context = CONTEXT, .context_len = CONTEXT_LEN,
			.proto = IPPROTO_TCP, .suite = id.suite,
			.kpos = id.kpos, .kval = id.kval, .kid = id.kid,
			.epoch = id.epoch,
		};

		NEED_EQ(start(id), 0);
		NEED_EQ(nst_kdf_derive(&in, okm, nst_suite(id.suite)->okm_len),
			0);
		NEED_EQ(nst_cipher_init(&cipher, id.suite), 0);
		NEED_EQ(nst_cipher_setkey(&cipher, okm), 0);
		NEED_EQ(rec_seal(&ep.cipher, &hdr, salt, 0, one, NULL), 0);
		NEED_EQ(rec_seal(&cipher, &hdr, salt, 0, two, NULL), 0);
		CHECK_MEM(one, two, rec_len(&hdr));
	}
	nst_cipher_free(&cipher);
	nst_boxkey_put(key);
	done();
}

TEST(nst_epoch_begin__counts_from_zero)
{
	begin();
	NEED_EQ(start(some_id), 0);
	ep.records = 55;
	ep.bytes = 66;
	NEED_EQ(start(some_id), 0);
	CHECK_EQ(ep.records, 0);
	CHECK_EQ(ep.bytes, 0);
	CHECK_EQ(ep.gen, ring->gen);
	CHECK_EQ(ep.id.suite, some_id.suite);
	CHECK_EQ(ep.id.kpos, some_id.kpos);
	CHECK_EQ(ep.id.kval, some_id.kval);
	CHECK_EQ(ep.id.kid, some_id.kid);
	CHECK_EQ(ep.id.epoch, some_id.epoch);
	CHECK_EQ(ep.id.bound, some_id.bound);
	done();
}

TEST(nst_epoch_begin__streams_are_counted_by_direction)
{
	struct nst_epoch_id nine = some_id;

	begin();
	nine.kid = 9;
	check_counts(7, 0, 0, 1);
	NEED_EQ(start(some_id), 0);
	check_counts(7, 0, 1, 2);
	NEED_EQ(start(some_id), 0);
	check_counts(7, 0, 1, 2);
	NEED_EQ(start(nine), 0);
	check_counts(7, 0, 0, 1);
	check_counts(9, 0, 1, 2);
	nst_epoch_end(&ep);
	check_counts(9, 0, 0, 1);
	ep.tx = true;
	NEED_EQ(start(nine), 0);
	check_counts(9, 1, 0, 2);
	nst_epoch_free(&ep);
	check_counts(9, 0, 0, 1);
	done();
}

TEST(nst_epoch_begin__missing_suite)
{
	struct nst_epoch_id id = some_id;

	begin();
	NEED_EQ(start(some_id), 0);
	shim_crypto_missing = "sm4";
	id.suite = NST_CIPHER_SM4_GCM;
	CHECK_EQ(start(id), -ENOPKG);
	CHECK_EQ(ep.id.suite, 0);
	CHECK(!ep.key);
	check_counts(7, 0, 0, 1);
	shim_crypto_missing = NULL;
	/* It is not searched again at once. */
	CHECK_EQ(start(id), -ENOPKG);
	shim_boot_ns += NST_SUITE_RETRY * NSEC_PER_SEC;
	CHECK_EQ(start(id), 0);
	check_counts(7, 0, 1, 2);
	done();
}

/* From one suite to each other, with each allocation failing in turn. */
TEST(nst_epoch_begin__each_allocation_fails)
{
	struct nst_epoch_id id = some_id;
	unsigned int n;
	int err;

	begin();
	for (id.suite = 2; id.suite <= 7; id.suite++) {
		for (n = 1; ; n++) {
			NEED_EQ(start(some_id), 0);
			shim_fail_at(n);
			err = start(id);
			if (!shim_fail_hit())
				break;
			CHECK_EQ(err, -ENOMEM);
			CHECK_EQ(ep.id.suite, 0);
			CHECK(!ep.key);
			check_counts(7, 0, 0, 1);
		}
		CHECK_EQ(err, 0);
		CHECK_EQ(ep.id.suite, id.suite);
		CHECK(n > 2);
		check_counts(7, 0, 1, 2);
	}
	done();
}

TEST(nst_epoch_keep__the_same_secret)
{
	struct nst_boxkey *key;
	u64 gen;

	begin();
	NEED_EQ(start(some_id), 0);
	ep.records = 5;
	NEED_EQ(nst_keyring_activate(ring, 9), 0);
	key = key_of(7, &gen);
	CHECK(gen != ep.gen);
	CHECK(nst_epoch_keep(&ep, key, gen));
	CHECK_EQ(ep.gen, gen);
	CHECK_EQ(ep.records, 5);
	check_counts(7, 0, 1, 2);
	done();
}

/* Deleted and added again: another object, the same secret. */
TEST(nst_epoch_keep__the_same_secret_in_another_key)
{
	struct nst_box_entry entry = { .kid = 9, .state = NST_KEY_ACCEPT };
	struct nst_epoch_id id = some_id;
	struct nst_boxkey *key;
	u64 gen;

	begin();
	id.kid = 9;
	NEED_EQ(start(id), 0);
	memcpy(entry.secret, ep.key->secret, NST_KEY_SIZE);
	NEED_EQ(nst_keyring_del(ring, 9), 0);
	NEED_EQ(nst_keyring_add(ring, &entry), 0);
	key = key_of(9, &gen);
	CHECK(key != ep.key);
	CHECK(nst_epoch_keep(&ep, key, gen));
	CHECK(key == ep.key);
	check_counts(9, 0, 1, 2);
	done();
}

TEST(nst_epoch_keep__another_secret)
{
	struct nst_box_entry entry = { .kid = 9, .state = NST_KEY_ACCEPT };
	struct nst_epoch_id id = some_id;
	struct nst_boxkey *key;
	u64 gen, was;

	begin();
	id.kid = 9;
	NEED_EQ(start(id), 0);
	was = ep.gen;
	memcpy(entry.secret, ep.key->secret, NST_KEY_SIZE);
	entry.secret[31] ^= 0x80;
	NEED_EQ(nst_keyring_del(ring, 9), 0);
	NEED_EQ(nst_keyring_add(ring, &entry), 0);
	key = key_of(9, &gen);
	CHECK(!nst_epoch_keep(&ep, key, gen));
	CHECK_EQ(ep.gen, was);
	nst_boxkey_put(key);
	done();
}

TEST(nst_epoch_keep__another_kid_or_none)
{
	struct nst_boxkey *key;
	u64 gen;

	begin();
	NEED_EQ(start(some_id), 0);
	key = key_of(9, &gen);
	CHECK(!nst_epoch_keep(&ep, key, gen));
	nst_epoch_end(&ep);
	CHECK(!nst_epoch_keep(&ep, key, gen));
	nst_boxkey_put(key);
	done();
}

/* One secret under two kids: they are two keys all the same. */
TEST(nst_epoch_keep__the_same_secret_under_another_kid)
{
	struct nst_box_entry entry = { .kid = 10, .state = NST_KEY_ACCEPT };
	struct nst_boxkey *key;
	u64 gen;

	begin();
	NEED_EQ(start(some_id), 0);
	memcpy(entry.secret, ep.key->secret, NST_KEY_SIZE);
	NEED_EQ(nst_keyring_add(ring, &entry), 0);
	key = key_of(10, &gen);
	CHECK(!nst_epoch_keep(&ep, key, gen));
	nst_boxkey_put(key);
	done();
}

TEST(nst_epoch_end__keeps_the_transforms)
{
	begin();
	NEED_EQ(start(some_id), 0);
	nst_epoch_end(&ep);
	CHECK_EQ(ep.id.suite, 0);
	CHECK_EQ(ep.cipher.suite, some_id.suite);
	nst_epoch_end(&ep);
	nst_epoch_free(&ep);
	CHECK_EQ(shim_live_tfms, 0);
	nst_epoch_free(&ep);
	done();
}

static int unpark(void)
{
	return nst_epoch_unpark(&ep, IPPROTO_TCP, salt, CONTEXT, CONTEXT_LEN);
}

/* The same keys, and all that makes the epoch. */
TEST(nst_epoch_unpark__the_same_epoch_goes_on)
{
	struct nst_epoch_id id = some_id;
	u8 one[200], two[200];
	u64 gen;

	begin();
	ep.tx = true;
	for (id.suite = 1; id.suite <= 7; id.suite++) {
		struct nst_hdr hdr = {
			.timestamp = 1, .nonce = 2, .len = 32,
			.suite = id.suite, .kpos = id.kpos, .kval = id.kval,
			.kid = id.kid, .epoch = id.epoch,
		};

		NEED_EQ(start(id), 0);
		ep.records = 5;
		ep.bytes = 6;
		gen = ep.gen;
		NEED_EQ(rec_seal(&ep.cipher, &hdr, salt, 0, one, NULL), 0);
		CHECK(!nst_epoch_parked(&ep));
		nst_epoch_park(&ep);
		CHECK(nst_epoch_parked(&ep));
		CHECK_EQ(shim_live_tfms, 0);
		CHECK(nst_epoch_is(&ep, &hdr));
		check_counts(7, 1, 0, 2);
		NEED_EQ(unpark(), 0);
		CHECK(!nst_epoch_parked(&ep));
		NEED_EQ(rec_seal(&ep.cipher, &hdr, salt, 0, two, NULL), 0);
		CHECK_MEM(one, two, rec_len(&hdr));
		CHECK(nst_epoch_is(&ep, &hdr));
		CHECK_EQ(ep.records, 5);
		CHECK_EQ(ep.bytes, 6);
		CHECK_EQ(ep.gen, gen);
		check_counts(7, 1, 0, 2);
	}
	done();
}

static bool holds(const void *where, size_t len, const u8 *what, size_t n)
{
	size_t i;

	for (i = 0; i + n <= len; i++)
		if (!memcmp((const u8 *)where + i, what, n))
			return true;
	return false;
}

/* Where the box key no longer says it, what comes back is what was kept. */
TEST(nst_epoch_unpark__by_the_key_that_was_kept)
{
	struct nst_epoch_id id = some_id;
	u8 other[NST_KDF_SALT_LEN] = { 1 }, key[16];
	struct nst_hdr hdr = {
		.timestamp = 1, .nonce = 2, .len = 32, .kid = id.kid,
		.suite = NST_CIPHER_AES_GCM, .kpos = id.kpos, .kval = id.kval,
		.epoch = id.epoch,
	};
	u8 one[200], two[200];

	begin();
	id.suite = NST_CIPHER_AES_GCM;
	NEED_EQ(start(id), 0);
	memcpy(key, ep.cipher.key, sizeof(key));
	NEED_EQ(rec_seal(&ep.cipher, &hdr, salt, 0, one, NULL), 0);
	nst_epoch_park(&ep);
	NEED_EQ(nst_epoch_unpark(&ep, IPPROTO_TCP, other, CONTEXT, CONTEXT_LEN), 0);
	NEED_EQ(rec_seal(&ep.cipher, &hdr, salt, 0, two, NULL), 0);
	CHECK_MEM(one, two, rec_len(&hdr));
	/* Transforms that are there before they are keyed take nothing away. */
	nst_epoch_park(&ep);
	NEED_EQ(nst_cipher_init(&ep.cipher, id.suite), 0);
	NEED_EQ(nst_epoch_unpark(&ep, IPPROTO_TCP, other, CONTEXT, CONTEXT_LEN), 0);
	NEED_EQ(rec_seal(&ep.cipher, &hdr, salt, 0, two, NULL), 0);
	CHECK_MEM(one, two, rec_len(&hdr));
	/* It ends with the epoch, parked or not. */
	nst_epoch_park(&ep);
	CHECK(holds(&ep, sizeof(ep), key, sizeof(key)));
	nst_epoch_end(&ep);
	CHECK(!holds(&ep, sizeof(ep), key, sizeof(key)));
	NEED_EQ(start(id), 0);
	CHECK(holds(ep.cipher.key, NST_CIPHER_KEY_MAX, key, sizeof(key)));
	nst_epoch_end(&ep);
	CHECK(!holds(ep.cipher.key, NST_CIPHER_KEY_MAX, key, sizeof(key)));
	nst_epoch_park(&ep);
	CHECK(!ep.cipher.keeps);
	done();
}

/* Datagrams park nothing, and the CBC suites have more keys than are kept. */
TEST(nst_epoch_park__keeps_no_other_key)
{
	struct nst_epoch_id id = some_id;

	begin();
	id.suite = NST_CIPHER_AES_256_CBC;
	NEED_EQ(start(id), 0);
	nst_epoch_park(&ep);
	CHECK(!ep.cipher.keeps);
	done();
}

TEST(nst_epoch_park__without_an_epoch_or_twice)
{
	begin();
	nst_epoch_park(&ep);
	CHECK(!nst_epoch_parked(&ep));
	NEED_EQ(start(some_id), 0);
	nst_epoch_end(&ep);
	nst_epoch_park(&ep);
	CHECK(!nst_epoch_parked(&ep));
	CHECK_EQ(shim_live_tfms, 0);
	NEED_EQ(start(some_id), 0);
	nst_epoch_park(&ep);
	nst_epoch_park(&ep);
	CHECK(nst_epoch_parked(&ep));
	/* Another one may begin in its place. */
	NEED_EQ(start(some_id), 0);
	CHECK(!nst_epoch_parked(&ep));
	nst_epoch_park(&ep);
	nst_epoch_end(&ep);
	CHECK(!nst_epoch_parked(&ep));
	check_counts(7, 0, 0, 1);
	done();
}

TEST(nst_epoch_unpark__each_allocation_fails)
{
	struct nst_epoch_id id = some_id;
	unsigned int n;
	int err;

	begin();
	for (id.suite = 1; id.suite <= 7; id.suite++) {
		NEED_EQ(start(id), 0);
		for (n = 1; ; n++) {
			nst_epoch_park(&ep);
			shim_fail_at(n);
			err = unpark();
			if (!shim_fail_hit())
				break;
			CHECK_EQ(err, -ENOMEM);
			CHECK(nst_epoch_parked(&ep));
			CHECK_EQ(shim_live_tfms, 0);
			check_counts(7, 0, 1, 2);
		}
		CHECK_EQ(err, 0);
		CHECK(n > 2);
	}
	done();
}

TEST(nst_epoch_unpark__missing_suite)
{
	struct nst_epoch_id id = some_id;

	begin();
	id.suite = NST_CIPHER_SM4_GCM;
	NEED_EQ(start(id), 0);
	nst_epoch_park(&ep);
	shim_crypto_missing = "sm4";
	CHECK_EQ(unpark(), -ENOPKG);
	CHECK(nst_epoch_parked(&ep));
	shim_crypto_missing = NULL;
	shim_boot_ns += NST_SUITE_RETRY * NSEC_PER_SEC;
	CHECK_EQ(unpark(), 0);
	done();
}

TEST(nst_epoch_keep__parked)
{
	struct nst_boxkey *key;
	u64 gen;

	begin();
	NEED_EQ(start(some_id), 0);
	nst_epoch_park(&ep);
	NEED_EQ(nst_keyring_activate(ring, 9), 0);
	key = key_of(7, &gen);
	CHECK(nst_epoch_keep(&ep, key, gen));
	CHECK(nst_epoch_parked(&ep));
	check_counts(7, 0, 1, 2);
	done();
}

TEST(nst_epoch_is__each_field)
{
	struct nst_hdr hdr = {
		.suite = some_id.suite, .kpos = some_id.kpos,
		.kval = some_id.kval, .kid = some_id.kid,
		.epoch = some_id.epoch,
	}, other[6];
	unsigned int i;

	begin();
	CHECK(!nst_epoch_is(&ep, &hdr));
	NEED_EQ(start(some_id), 0);
	CHECK(nst_epoch_is(&ep, &hdr));
	for (i = 0; i < ARRAY_SIZE(other); i++)
		other[i] = hdr;
	other[0].suite++;
	other[1].kpos++;
	other[2].kval++;
	other[3].kid += 0x100;
	other[4].epoch += 0x100;
	other[5].bound = true;
	for (i = 0; i < ARRAY_SIZE(other); i++)
		CHECK(!nst_epoch_is(&ep, &other[i]));
	/* The rest of a header tells no epochs apart. */
	hdr.nonce++;
	hdr.timestamp++;
	hdr.start = true;
	hdr.len = 9;
	hdr.type = 20;
	hdr.role = NST_WIRE_INITIATOR;
	CHECK(nst_epoch_is(&ep, &hdr));
	done();
}

/* 1..32, and all of it: an even choice. */
TEST(nst_epoch_pick__whole_ranges)
{
	unsigned int kpos[33] = {}, kval[256] = {}, high[256] = {}, i;
	struct nst_epoch_id id = {};

	for (i = 0; i < 32000; i++) {
		nst_epoch_pick(&id);
		NEED(id.kpos >= 1 && id.kpos <= 32);
		kpos[id.kpos]++;
		kval[id.kval]++;
		high[id.epoch >> 8]++;
	}
	for (i = 1; i <= 32; i++)
		CHECK(kpos[i] > 700 && kpos[i] < 1300);
	for (i = 0; i < 256; i++)
		CHECK(kval[i] && high[i]);
}

TEST(nst_epoch_vmforks__are_counted_while_listened_to)
{
	unsigned int was = nst_epoch_vmforks();

	begin();
	shim_vmfork();
	CHECK_EQ(nst_epoch_vmforks(), was);
	CHECK_EQ(nst_epoch_init(), 0);
	NEED_EQ(start(some_id), 0);
	CHECK_EQ(ep.vmfork, was);
	shim_vmfork();
	CHECK_EQ(nst_epoch_vmforks(), was + 1);
	NEED_EQ(start(some_id), 0);
	CHECK_EQ(ep.vmfork, was + 1);
	nst_epoch_exit();
	shim_vmfork();
	CHECK_EQ(nst_epoch_vmforks(), was + 1);
	done();
}

/* Each memory is as young then as the clone: its twin may have taken anything. */
TEST(nst_epoch_vmforks__memories_begin_anew)
{
	const struct nst_memories *set;

	begin();
	set = ring->owner->set;
	CHECK_EQ(nst_epoch_init(), 0);
	shim_boot_ns += 5 * NSEC_PER_SEC;
	CHECK(nst_memories_begin(set) < shim_boot_ns);
	shim_vmfork();
	CHECK_EQ(nst_memories_begin(set), shim_boot_ns);
	nst_epoch_exit();
	/* Of no matter to the tests that follow. */
	nst_memories_cloned(0);
	done();
}
