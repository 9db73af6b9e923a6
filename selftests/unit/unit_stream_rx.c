// SPDX-License-Identifier: GPL-2.0
/* stream.c, receiving: each refusal by name, and which one comes first. */
#include <linux/in.h>
#include "core/keyring.h"
#include "core/memory.h"
#include "core/stream_rx.h"
#include "ends.h"
#include "rings.h"

/* Set flags of the sealed record anew; its token is wrong from then on. */
static void reflag(u32 set, u32 clear)
{
	u32 flags = (u32)record[44] << 24 | record[45] << 16 |
		    record[46] << 8 | record[47];

	flags = (flags & ~clear) | set;
	record[44] = flags >> 24;
	record[45] = flags >> 16;
	record[46] = flags >> 8;
	record[47] = flags;
}

/* Both ends have spoken and are bound. */
static void ends_bound(void)
{
	ends_begin(0, 0);
	pass(&a, &b, 0, "early");
	pass(&b, &a, 0, "bound");
	pass(&a, &b, 0, "bound");
}

TEST(nst_stream_rx_judge__first_record_without_start)
{
	ends_begin(0, 0);
	NEED_EQ(say(&a, 0, "x"), 0);
	reflag(0, NST_WIRE_START);
	CHECK_EQ(hear(&b), NST_DROP_START_MISSING);
	ends_done();
}

TEST(nst_stream_rx_judge__second_start)
{
	ends_begin(0, 0);
	pass(&a, &b, 0, "x");
	CHECK_EQ(hear(&b), NST_DROP_START_REPEATED);
	NEED_EQ(say(&a, 0, "y"), 0);
	reflag(NST_WIRE_START, 0);
	CHECK_EQ(hear(&b), NST_DROP_START_REPEATED);
	ends_done();
}

TEST(nst_stream_rx_judge__nonce_gap_and_repeat)
{
	ends_begin(0, 0);
	pass(&a, &b, 0, "x");
	pass(&a, &b, 0, "y");
	CHECK_EQ(hear(&b), NST_DROP_NONCE);
	NEED_EQ(say(&a, 0, "lost"), 0);
	NEED_EQ(say(&a, 0, "z"), 0);
	CHECK_EQ(hear(&b), NST_DROP_NONCE);
	ends_done();
}

TEST(nst_stream_rx_judge__nonce_goes_on_over_epochs)
{
	ends_begin(0, 0);
	pass(&a, &b, 0, "x");
	a.st.tx.renew = true;
	a.st.tx.nonce++;
	NEED_EQ(say(&a, 0, "y"), 0);
	CHECK_EQ(hear(&b), NST_DROP_NONCE);
	ends_done();
}

TEST(nst_stream_rx_judge__data_after_close)
{
	ends_begin(0, 0);
	pass(&a, &b, NST_TYPE_CLOSE, "");
	a.st.tx.closed = false;
	NEED_EQ(say(&a, 0, "x"), 0);
	CHECK_EQ(hear(&b), NST_DROP_AFTER_CLOSE);
	NEED_EQ(say(&a, NST_TYPE_CLOSE, ""), 0);
	CHECK_EQ(hear(&b), NST_DROP_NONCE);
	ends_done();
}

TEST(nst_stream_rx_judge__unbound_after_bound)
{
	ends_bound();
	/* As if the sender had forgotten what it knows of the peer. */
	a.st.rx_started = false;
	a.st.tx.renew = true;
	NEED_EQ(say(&a, 0, "x"), 0);
	CHECK_EQ(hear(&b), NST_DROP_UNBOUND);
	ends_done();
}

TEST(nst_stream_rx_judge__bound_before_the_own_start)
{
	ends_begin(0, 0);
	/* a pretends to know a START of b. */
	a.st.rx_started = true;
	NEED_EQ(say(&a, 0, "x"), 0);
	CHECK_EQ(hear(&b), NST_DROP_EARLY_BOUND);
	ends_done();
}

/* The salt holds the START of this connection, not of another. */
TEST(nst_stream_rx_judge__bound_to_another_connection)
{
	ends_begin(0, 0);
	NEED_EQ(say(&b, 0, "of b"), 0);
	NEED_EQ(hear(&a), NST_OK);
	a.st.rx.start[15] ^= 1;
	NEED_EQ(say(&a, 0, "x"), 0);
	CHECK_EQ(hear(&b), NST_DROP_AUTH);
	ends_done();
}

TEST(nst_stream_rx_judge__roles)
{
	static const struct {
		u32 from, to;
		enum nst_drop want;
	} pairs[] = {
		{ 0, 0, NST_OK },
		{ NST_WIRE_INITIATOR, 0, NST_OK },
		{ NST_WIRE_RESPONDER, 0, NST_OK },
		{ 0, NST_WIRE_INITIATOR, NST_OK },
		{ 0, NST_WIRE_RESPONDER, NST_OK },
		{ NST_WIRE_INITIATOR, NST_WIRE_RESPONDER, NST_OK },
		{ NST_WIRE_RESPONDER, NST_WIRE_INITIATOR, NST_OK },
		{ NST_WIRE_INITIATOR, NST_WIRE_INITIATOR, NST_DROP_ROLE },
		{ NST_WIRE_RESPONDER, NST_WIRE_RESPONDER, NST_DROP_ROLE },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pairs); i++) {
		ends_begin(0, 0);
		a.st.role = pairs[i].from;
		b.st.role = pairs[i].to;
		NEED_EQ(say(&a, 0, "x"), 0);
		CHECK_EQ(hear(&b), pairs[i].want);
		ends_done();
	}
}

TEST(nst_stream_rx_judge__policy_of_suite)
{
	ends_begin(0, 0);
	b.st.rx.conf->suite = NST_CIPHER_AES_GCM;
	pass(&a, &b, 0, "x");
	a.st.tx.conf->suite = NST_CIPHER_AES_256_GCM;
	NEED_EQ(say(&a, 0, "x"), 0);
	CHECK_EQ(hear(&b), NST_DROP_POLICY_SUITE);
	ends_done();
}

TEST(nst_stream_rx_judge__policy_of_kid)
{
	ends_begin(0, 0);
	b.st.rx.conf->kid = 7;
	pass(&a, &b, 0, "x");
	NEED_EQ(nst_keyring_activate(a.nn.ring, 9), 0);
	NEED_EQ(say(&a, 0, "x"), 0);
	CHECK_EQ(hear(&b), NST_DROP_POLICY_KID);
	ends_done();
}

TEST(nst_stream_rx_judge__unknown_kid)
{
	struct nst_box_entry entry = ends_key(8, NST_KEY_ACTIVE);

	ends_begin(0, 0);
	NEED_EQ(nst_keyring_add(a.nn.ring, &entry), 0);
	NEED_EQ(say(&a, 0, "x"), 0);
	CHECK_EQ(hear(&b), NST_DROP_NO_KID);
	ends_done();
}

/* Looked up for every record: retiring acts on the next one. */
TEST(nst_stream_rx_judge__kid_retired_in_mid_epoch)
{
	ends_begin(0, 0);
	pass(&a, &b, 0, "x");
	NEED_EQ(nst_keyring_activate(b.nn.ring, 9), 0);
	pass(&a, &b, 0, "accepted still");
	NEED_EQ(nst_keyring_retire(b.nn.ring, 7), 0);
	NEED_EQ(say(&a, 0, "y"), 0);
	CHECK_EQ(hear(&b), NST_DROP_KID_RETIRED);
	ends_done();
}

TEST(nst_stream_rx_judge__kid_deleted_in_mid_epoch)
{
	ends_begin(0, 0);
	pass(&a, &b, 0, "x");
	NEED_EQ(nst_keyring_flush(b.nn.ring), 0);
	NEED_EQ(say(&a, 0, "y"), 0);
	CHECK_EQ(hear(&b), NST_DROP_NO_KID);
	ends_done();
}

TEST(nst_stream_rx_judge__box_replaced_with_the_same_secret)
{
	struct nst_box_entry entry = ends_key(7, NST_KEY_ACTIVE);

	ends_begin(0, 0);
	pass(&a, &b, 0, "x");
	NEED_EQ(nst_keyring_flush(b.nn.ring), 0);
	NEED_EQ(nst_keyring_replace(b.nn.ring, &entry, 1), 0);
	pass(&a, &b, 0, "y");
	CHECK_EQ(b.st.rx.epochs, 1);
	ends_done();
}

TEST(nst_stream_rx_judge__box_replaced_with_another_secret)
{
	struct nst_box_entry entry = ends_key(7, NST_KEY_ACTIVE);

	ends_begin(0, 0);
	pass(&a, &b, 0, "x");
	entry.secret[31] ^= 1;
	NEED_EQ(nst_keyring_replace(b.nn.ring, &entry, 1), 0);
	NEED_EQ(say(&a, 0, "y"), 0);
	CHECK_EQ(hear(&b), NST_DROP_AUTH);
	ends_done();
}

TEST(nst_stream_rx_judge__hard_limit_of_an_epoch)
{
	ends_begin(0, 0);
	a.nn.rekey_records = ULONG_MAX;
	pass(&a, &b, 0, "x");
	b.st.rx.ep.records = NST_EPOCH_RECORDS_MAX - 1;
	pass(&a, &b, 0, "the last one");
	CHECK_EQ(b.st.rx.ep.records, NST_EPOCH_RECORDS_MAX);
	NEED_EQ(say(&a, 0, "y"), 0);
	CHECK_EQ(hear(&b), NST_DROP_EPOCH_LIMIT);
	ends_done();
}

TEST(nst_stream_rx_judge__a_new_epoch_counts_anew)
{
	ends_begin(0, 0);
	pass(&a, &b, 0, "x");
	b.st.rx.ep.records = NST_EPOCH_RECORDS_MAX;
	a.st.tx.renew = true;
	pass(&a, &b, 0, "y");
	CHECK_EQ(b.st.rx.ep.records, 1);
	ends_done();
}

TEST(nst_stream_rx_judge__reflected_start)
{
	ends_begin(0, 0);
	NEED_EQ(say(&a, 0, "x"), 0);
	CHECK_EQ(hear(&a), NST_DROP_REFLECTED);
	ends_done();
}

TEST(nst_stream_rx_judge__reflected_start_record)
{
	ends_begin(NST_F_STRICT, 0);
	NEED_EQ(say(&a, NST_TYPE_START, ""), 0);
	CHECK_EQ(hear(&a), NST_DROP_REFLECTED);
	ends_done();
}

TEST(nst_stream_rx_judge__window_of_a_start)
{
	static const struct {
		s64 off;
		enum nst_drop want;
	} at[] = {
		{ 0, NST_OK }, { 30 * (s64)SEC, NST_OK },
		{ 30 * (s64)SEC + 1, NST_DROP_TIME_PAST },
		{ -30 * (s64)SEC, NST_OK },
		{ -30 * (s64)SEC - 1, NST_DROP_TIME_FUTURE },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(at); i++) {
		ends_begin(0, 0);
		NEED_EQ(say(&a, 0, "x"), 0);
		shim_real_ns += at[i].off - 1000;
		CHECK_EQ(hear(&b), at[i].want);
		ends_done();
		shim_reset();
	}
}

TEST(nst_stream_rx_judge__window_is_a_setting)
{
	ends_begin(0, 0);
	b.nn.time_window = 3600;
	NEED_EQ(say(&a, 0, "x"), 0);
	shim_real_ns += 3000 * SEC;
	CHECK_EQ(hear(&b), NST_OK);
	ends_done();
}

/* Time is judged at a START only. */
TEST(nst_stream_rx_judge__later_records_need_no_clock)
{
	ends_begin(0, 0);
	pass(&a, &b, 0, "x");
	shim_real_ns -= 86400 * SEC;
	NEED_EQ(say(&a, 0, "y"), 0);
	shim_real_ns += 9 * 86400 * SEC;
	CHECK_EQ(hear(&b), NST_OK);
	ends_done();
}

TEST(nst_stream_rx_judge__older_than_the_cache)
{
	ends_begin(0, 0);
	NEED_EQ(say(&a, 0, "x"), 0);
	b.nn.memories->born = shim_boot_ns;
	CHECK_EQ(hear(&b), NST_DROP_CACHE_AGE);
	ends_done();
}

TEST(nst_stream_rx_judge__not_above_the_floor)
{
	ends_begin(0, 0);
	ring_forgot(b.nn.ring, 7, shim_real_ns);
	NEED_EQ(say(&a, 0, "x"), 0);
	CHECK_EQ(hear(&b), NST_DROP_CACHE_FLOOR);
	ends_done();
}

TEST(nst_stream_rx_accept__replayed_start)
{
	static u8 first[REC_MAX];

	ends_begin(0, 0);
	pass(&a, &b, 0, "x");
	memcpy(first, record, sizeof(first));
	/* Another connection to the same host. */
	nst_stream_free(&b.st);
	memset(&b.st, 0, sizeof(b.st));
	b.st.nn = &b.nn;
	b.st.rx.conf = conf_new(&b, NULL);
	memcpy(record, first, sizeof(record));
	CHECK_EQ(hear(&b), NST_DROP_REPLAYED);
	CHECK(!b.st.rx_started && !b.st.rx.started);
	CHECK_EQ(ring_starts(b.nn.ring, 7)->nr, 1);
	ends_done();
}

/* A START that is not authentic must not keep the true one out. */
TEST(nst_stream_rx_accept__a_forged_start_is_not_remembered)
{
	ends_begin(0, 0);
	NEED_EQ(say(&a, 0, "x"), 0);
	record[30] ^= 1;
	CHECK_EQ(hear(&b), NST_DROP_AUTH);
	CHECK_EQ(ring_starts(b.nn.ring, 7)->nr, 0);
	CHECK(!b.st.rx_started);
	record[30] ^= 1;
	CHECK_EQ(hear(&b), NST_OK);
	ends_done();
}

/* Another owner's box, another secret: what the namespace's took is nothing. */
TEST(nst_stream_rx_accept__each_secret_has_a_memory_of_its_own)
{
	struct nst_box_entry entry = ends_key(7, NST_KEY_ACTIVE);
	struct nst_keyring *ring;

	ends_begin(0, 0);
	ring = rings_private(&b.nn);
	NEED(ring);
	entry.secret[3] ^= 1;
	NEED_EQ(nst_keyring_replace(ring, &entry, 1), 0);
	nst_conf_put(b.st.rx.conf);
	nst_conf_put(a.st.tx.conf);
	b.st.rx.conf = conf_new(&b, ring);
	a.st.tx.conf = conf_new(&a, ring);
	a.st.tx.conf->suite = NST_CIPHER_AES_GCM;
	ring_forgot(b.nn.ring, 7, ~0ULL);
	pass(&a, &b, 0, "x");
	CHECK_EQ(ring_starts(b.nn.ring, 7)->nr, 0);
	CHECK_EQ(ring_starts(ring, 7)->nr, 1);
	nst_keyring_put(ring);
	ends_done();
}

/* The same secret in another owner's box: one memory. */
TEST(nst_stream_rx_accept__one_memory_whoever_has_the_secret)
{
	struct nst_box_entry entry = ends_key(7, NST_KEY_ACTIVE);
	struct nst_keyring *ring;

	ends_begin(0, 0);
	ring = rings_private(&b.nn);
	NEED(ring);
	NEED_EQ(nst_keyring_replace(ring, &entry, 1), 0);
	nst_conf_put(b.st.rx.conf);
	b.st.rx.conf = conf_new(&b, ring);
	nst_keyring_put(ring);
	ring_forgot(b.nn.ring, 7, ~0ULL);
	NEED_EQ(say(&a, 0, "x"), 0);
	CHECK_EQ(hear(&b), NST_DROP_CACHE_FLOOR);
	ends_done();
}

TEST(nst_stream_rx_accept__cache_limit_is_a_setting)
{
	struct nst_bounds bounds;

	ends_begin(0, 0);
	b.nn.start_cache_max = 1;
	bounds = nst_net_bounds(&b.nn);
	NEED_EQ(nst_claim_take_start(ring_claim(b.nn.ring, 7), shim_real_ns - 5,
				     0, shim_real_ns, &bounds), NST_OK);
	pass(&a, &b, 0, "x");
	CHECK_EQ(ring_starts(b.nn.ring, 7)->nr, 1);
	CHECK_EQ(ring_starts(b.nn.ring, 7)->floor, shim_real_ns - 1000 - 5);
	ends_done();
}

/* Bound or of type 2: neither clock nor cache. */
TEST(nst_stream_rx_accept__a_bound_start_needs_no_clock)
{
	ends_begin(0, 0);
	pass(&a, &b, 0, "x");
	NEED_EQ(say(&b, 0, "y"), 0);
	shim_real_ns += 86400 * SEC;
	ring_forgot(a.nn.ring, 7, ~0ULL);
	a.nn.memories->born = shim_boot_ns;
	CHECK_EQ(hear(&a), NST_OK);
	CHECK_EQ(ring_starts(a.nn.ring, 7)->nr, 0);
	ends_done();
}

TEST(nst_stream_rx_accept__a_start_record_needs_no_clock)
{
	ends_begin(NST_F_STRICT, NST_F_STRICT);
	NEED_EQ(say(&a, NST_TYPE_START, ""), 0);
	shim_real_ns += 86400 * SEC;
	ring_forgot(b.nn.ring, 7, ~0ULL);
	b.nn.memories->born = shim_boot_ns;
	CHECK_EQ(hear(&b), NST_OK);
	CHECK_EQ(ring_starts(b.nn.ring, 7)->nr, 0);
	pass(&b, &a, NST_TYPE_START, "");
	pass(&a, &b, 0, "x");
	ends_done();
}

TEST(nst_stream_rx_judge__a_start_record_binds_its_stream)
{
	ends_begin(0, 0);
	pass(&a, &b, NST_TYPE_START, "");
	CHECK(b.st.peer_strict);
	NEED_EQ(say(&a, 0, "unbound"), 0);
	CHECK_EQ(hear(&b), NST_DROP_UNBOUND);
	ends_done();
}

TEST(nst_stream_rx_judge__a_strict_end_takes_nothing_unbound)
{
	ends_begin(0, NST_F_STRICT);
	NEED_EQ(say(&a, 0, "x"), 0);
	CHECK_EQ(hear(&b), NST_DROP_UNBOUND);
	reflag(NST_TYPE_CLOSE, 0);
	record[7] = 0;
	CHECK_EQ(hear(&b), NST_DROP_UNBOUND);
	reflag(NST_TYPE_START, NST_WIRE_TYPE);
	CHECK_EQ(hear(&b), NST_DROP_AUTH);
	ends_done();
}

TEST(nst_stream_rx_judge__a_strict_end_takes_a_bound_start)
{
	ends_begin(NST_F_STRICT, 0);
	pass(&a, &b, NST_TYPE_START, "");
	/* The peer may have had data at hand already. */
	pass(&b, &a, 0, "bound data");
	CHECK(opened.start && opened.bound);
	ends_done();
}

TEST(nst_stream_rx_accept__padding)
{
	struct nst_hdr hdr;
	static u8 in[REC_MAX];

	ends_begin(0, 0);
	a.st.tx.conf->suite = NST_CIPHER_AES_CBC;
	NEED_EQ(nst_stream_tx_begin(&a.st, &hdr, 0, 5), 0);
	NEED_EQ(rec_seal(&a.st.tx.ep.cipher, &hdr, in, 1, record, NULL), 0);
	CHECK_EQ(hear(&b), NST_DROP_PADDING);
	CHECK(!b.st.rx_started);
	ends_done();
}

TEST(nst_stream_rx_keys__missing_suite)
{
	ends_begin(0, 0);
	a.st.tx.conf->suite = NST_CIPHER_SM4_CBC;
	NEED_EQ(say(&a, 0, "x"), 0);
	shim_crypto_missing = "sm4";
	CHECK_EQ(hear(&b), NST_DROP_NO_SUITE);
	CHECK_EQ(hear(&b), NST_DROP_NO_SUITE);
	/* Loaded meanwhile, and not searched again at once. */
	shim_crypto_missing = NULL;
	CHECK_EQ(hear(&b), NST_DROP_NO_SUITE);
	shim_boot_ns += NST_SUITE_RETRY * SEC;
	CHECK_EQ(hear(&b), NST_OK);
	ends_done();
}

TEST(nst_stream_rx_keys__each_allocation_fails)
{
	unsigned int n, suite, round;

	ends_begin(0, 0);
	for (suite = 1; suite <= 7; suite++)
		for (round = 0; round < 2; round++) {
			a.st.tx.conf->suite = suite;
			a.st.tx.renew = true;
			NEED_EQ(say(&a, 0, "some text"), 0);
			for (n = 1; ; n++) {
				u64 records = b.st.rx.records;
				enum nst_drop drop;

				shim_fail_at(n);
				drop = hear(&b);
				if (!shim_fail_hit()) {
					CHECK_EQ(drop, NST_OK);
					break;
				}
				CHECK_EQ(drop, NST_DROP_NOMEM);
				CHECK_EQ(b.st.rx.records, records);
			}
			CHECK(n > 1);
		}
	CHECK_EQ(b.st.rx.records, 14);
	ends_done();
}

/* The same epoch goes on, bound or not. */
TEST(nst_stream_rx_keys__parked)
{
	struct nst_hdr hdr;

	ends_begin(0, 0);
	park(&b);
	pass(&a, &b, 0, "a START");
	park(&b);
	pass(&a, &b, 0, "unbound");
	CHECK_EQ(b.st.rx.epochs, 1);
	CHECK_EQ(b.st.rx.ep.records, 2);
	pass(&b, &a, 0, "bound");
	park(&b);
	pass(&a, &b, 0, "another epoch");
	park(&b);
	NEED_EQ(say(&a, 0, "bound"), 0);
	NEED_EQ(nst_wire_decode(&hdr, record, IPPROTO_TCP), NST_OK);
	CHECK_EQ(nst_stream_rx_judge(&b.st, &hdr), NST_OK);
	CHECK(!nst_stream_rx_has_keys(&b.st, &hdr));
	CHECK_EQ(nst_stream_rx_keys(&b.st, &hdr), NST_OK);
	CHECK(nst_stream_rx_has_keys(&b.st, &hdr));
	CHECK_EQ(hear(&b), NST_OK);
	CHECK_EQ(b.st.rx.epochs, 2);
	CHECK_EQ(b.st.rx.ep.records, 2);
	/* Another suite, and another epoch of the same one. */
	park(&b);
	a.st.tx.conf->suite = NST_CIPHER_AES_CBC;
	pass(&a, &b, 0, "x");
	park(&b);
	a.st.tx.renew = true;
	pass(&a, &b, 0, "x");
	CHECK_EQ(b.st.rx.epochs, 4);
	CHECK_EQ(counter(&b, NST_MIB_RX_EPOCHS), 4);
	ends_done();
}

TEST(nst_stream_rx_keys__parked_and_another_box)
{
	struct nst_box_entry entry = ends_key(7, NST_KEY_ACTIVE);

	ends_begin(0, 0);
	pass(&a, &b, 0, "x");
	park(&b);
	NEED_EQ(nst_keyring_activate(b.nn.ring, 9), 0);
	pass(&a, &b, 0, "another is active");
	park(&b);
	NEED_EQ(nst_keyring_flush(b.nn.ring), 0);
	NEED_EQ(nst_keyring_replace(b.nn.ring, &entry, 1), 0);
	pass(&a, &b, 0, "the same secret");
	CHECK_EQ(b.st.rx.epochs, 1);
	park(&b);
	entry.secret[31] ^= 1;
	NEED_EQ(nst_keyring_replace(b.nn.ring, &entry, 1), 0);
	NEED_EQ(say(&a, 0, "another secret"), 0);
	CHECK_EQ(hear(&b), NST_DROP_AUTH);
	ends_done();
}

TEST(nst_stream_rx_keys__parked_and_retired_or_deleted)
{
	ends_begin(0, 0);
	pass(&a, &b, 0, "x");
	NEED_EQ(nst_keyring_activate(b.nn.ring, 9), 0);
	park(&b);
	NEED_EQ(nst_keyring_retire(b.nn.ring, 7), 0);
	NEED_EQ(say(&a, 0, "y"), 0);
	CHECK_EQ(hear(&b), NST_DROP_KID_RETIRED);
	CHECK(nst_epoch_parked(&b.st.rx.ep));
	NEED_EQ(nst_keyring_del(b.nn.ring, 7), 0);
	CHECK_EQ(hear(&b), NST_DROP_NO_KID);
	ends_done();
}

TEST(nst_stream_rx_keys__parked_and_spoilt)
{
	ends_bound();
	park(&b);
	NEED_EQ(say(&a, 0, "some text"), 0);
	record[NST_WIRE_HDR_LEN] ^= 1;
	CHECK_EQ(hear(&b), NST_DROP_AUTH);
	ends_done();
}

TEST(nst_stream_rx_keys__parked_and_each_allocation_fails)
{
	unsigned int n, suite;

	ends_begin(0, 0);
	for (suite = 1; suite <= 7; suite++) {
		a.st.tx.conf->suite = suite;
		pass(&a, &b, 0, "x");
		NEED_EQ(say(&a, 0, "some text"), 0);
		for (n = 1; ; n++) {
			enum nst_drop drop;

			park(&b);
			shim_fail_at(n);
			drop = hear(&b);
			if (!shim_fail_hit()) {
				CHECK_EQ(drop, NST_OK);
				break;
			}
			CHECK_EQ(drop, NST_DROP_NOMEM);
			CHECK_EQ(b.st.rx.ep.records, 1);
		}
		CHECK(n > 2);
		CHECK_EQ(b.st.rx.ep.records, 2);
		CHECK_EQ(b.st.rx.epochs, suite);
	}
	ends_done();
}

/*
 * Which cause counts if several apply: each of these spoils a record or the
 * end that gets it, in the order of the protocol. None is authentic.
 */
struct spoil {
	enum nst_drop cause;
	void (*apply)(struct nst_hdr *hdr);
};

static void no_start(struct nst_hdr *hdr)
{
	hdr->start = false;
}

static void a_start(struct nst_hdr *hdr)
{
	hdr->start = true;
}

static void gap(struct nst_hdr *hdr)
{
	hdr->nonce++;
}

static void after_close(struct nst_hdr *hdr)
{
	(void)hdr;
	b.st.rx.closed = true;
}

static void unbound(struct nst_hdr *hdr)
{
	hdr->bound = false;
	b.st.flags |= NST_F_STRICT;
}

static void early_bound(struct nst_hdr *hdr)
{
	hdr->bound = true;
	b.st.tx_started = false;
}

static void own_role(struct nst_hdr *hdr)
{
	b.st.role = NST_WIRE_RESPONDER;
	hdr->role = NST_WIRE_RESPONDER;
}

static void policy_suite(struct nst_hdr *hdr)
{
	b.st.rx.conf->suite = hdr->suite + 1;
}

static void policy_kid(struct nst_hdr *hdr)
{
	b.st.rx.conf->kid = hdr->kid + 1;
}

static void missing_suite(struct nst_hdr *hdr)
{
	if (b.st.rx.conf->suite)
		b.st.rx.conf->suite = NST_CIPHER_AES_GCM;
	hdr->suite = NST_CIPHER_SM4_GCM;
	shim_crypto_missing = "sm4";
}

static void unknown_kid(struct nst_hdr *hdr)
{
	if (b.st.rx.conf->kid)
		b.st.rx.conf->kid = 1;
	hdr->kid = 1000;
}

static void retired_kid(struct nst_hdr *hdr)
{
	if (b.st.rx.conf->kid)
		b.st.rx.conf->kid = 1;
	hdr->kid = 5;
}

static void limit(struct nst_hdr *hdr)
{
	(void)hdr;
	b.st.rx.ep.records = NST_EPOCH_RECORDS_MAX;
}

static void reflected(struct nst_hdr *hdr)
{
	nst_wire_ts_nonce(b.st.tx.start, hdr->timestamp, hdr->nonce);
	b.st.tx_started = true;
}

static void too_old(struct nst_hdr *hdr)
{
	hdr->timestamp = shim_real_ns - 31 * SEC;
}

static void too_new(struct nst_hdr *hdr)
{
	hdr->timestamp = shim_real_ns + 31 * SEC;
}

static void cache_is_young(struct nst_hdr *hdr)
{
	(void)hdr;
	b.nn.memories->born = shim_boot_ns;
}

static void floor_is_high(struct nst_hdr *hdr)
{
	(void)hdr;
	ring_forgot(b.nn.ring, 7, shim_real_ns + 60 * SEC);
}

static void seen(struct nst_hdr *hdr)
{
	struct nst_bounds bounds = nst_net_bounds(&b.nn);

	NEED_EQ(nst_claim_take_start(ring_claim(b.nn.ring, 7), hdr->timestamp,
				     hdr->nonce, shim_real_ns, &bounds), NST_OK);
}

/* Of a first record; what two of them set alike cannot go together. */
static const struct spoil of_start[] = {
	{ NST_DROP_START_MISSING, no_start },
	{ NST_DROP_UNBOUND, unbound },
	{ NST_DROP_EARLY_BOUND, early_bound },
	{ NST_DROP_ROLE, own_role },
	{ NST_DROP_POLICY_SUITE, policy_suite },
	{ NST_DROP_POLICY_KID, policy_kid },
	{ NST_DROP_NO_SUITE, missing_suite },
	{ NST_DROP_NO_KID, unknown_kid },
	{ NST_DROP_KID_RETIRED, retired_kid },
	{ NST_DROP_REFLECTED, reflected },
	{ NST_DROP_TIME_PAST, too_old },
	{ NST_DROP_TIME_FUTURE, too_new },
	{ NST_DROP_CACHE_AGE, cache_is_young },
	{ NST_DROP_CACHE_FLOOR, floor_is_high },
	{ NST_DROP_AUTH, NULL },
	{ NST_DROP_REPLAYED, seen },
};

/* Of a record in the middle of a bound stream. */
static const struct spoil of_later[] = {
	{ NST_DROP_START_REPEATED, a_start },
	{ NST_DROP_NONCE, gap },
	{ NST_DROP_AFTER_CLOSE, after_close },
	{ NST_DROP_UNBOUND, unbound },
	{ NST_DROP_ROLE, own_role },
	{ NST_DROP_POLICY_SUITE, policy_suite },
	{ NST_DROP_POLICY_KID, policy_kid },
	{ NST_DROP_NO_SUITE, missing_suite },
	{ NST_DROP_NO_KID, unknown_kid },
	{ NST_DROP_KID_RETIRED, retired_kid },
	{ NST_DROP_EPOCH_LIMIT, limit },
	{ NST_DROP_AUTH, NULL },
};

/* A limit is one of the epoch that the record names. */
static bool excludes(enum nst_drop first, enum nst_drop then)
{
	switch (then) {
	case NST_DROP_EARLY_BOUND:
		return first == NST_DROP_UNBOUND;
	case NST_DROP_KID_RETIRED:
		return first == NST_DROP_NO_KID;
	case NST_DROP_TIME_FUTURE:
		return first == NST_DROP_TIME_PAST;
	case NST_DROP_REFLECTED:
		/* Sends a START, so nothing is early any more. */
		return first == NST_DROP_EARLY_BOUND;
	default:
		return false;
	}
}

static bool parked;

static void check_pair(const struct spoil *first, const struct spoil *then,
		       bool start)
{
	struct nst_hdr hdr;

	if (start)
		ends_begin(0, 0);
	else
		ends_bound();
	NEED_EQ(say(&a, 0, "some text"), 0);
	NEED_EQ(nst_wire_decode(&hdr, record, IPPROTO_TCP), NST_OK);
	if (parked)
		park(&b);
	/* The later cause first, so that the earlier one sees its work. */
	if (then->apply)
		then->apply(&hdr);
	if (first->apply)
		first->apply(&hdr);
	nst_wire_encode(record, &hdr);
	if (!CHECK_EQ(hear(&b), first->cause))
		printf("# with cause %u\n", then->cause);
	ends_done();
	shim_crypto_missing = NULL;
}

static void check_order(const struct spoil *spoil, unsigned int n, bool start)
{
	unsigned int i, k;

	for (i = 0; i < n; i++)
		for (k = i; k < n; k++)
			if (!excludes(spoil[i].cause, spoil[k].cause))
				check_pair(&spoil[i], &spoil[k], start);
}

TEST(nst_stream_rx__order_of_causes_at_a_start)
{
	/* Alone, a replay is authentic; that has its own case. */
	check_order(of_start, ARRAY_SIZE(of_start) - 1, true);
	check_pair(&of_start[ARRAY_SIZE(of_start) - 2],
		   &of_start[ARRAY_SIZE(of_start) - 1], true);
}

TEST(nst_stream_rx__order_of_causes_in_the_middle)
{
	check_order(of_later, ARRAY_SIZE(of_later), false);
}

/* The same order if the keys are not at hand. */
TEST(nst_stream_rx__order_of_causes_parked)
{
	parked = true;
	check_order(of_later, ARRAY_SIZE(of_later), false);
	parked = false;
}

/* The header is judged before all else. */
TEST(nst_stream_rx__header_goes_first)
{
	ends_begin(0, NST_F_STRICT);
	NEED_EQ(say(&a, 0, "x"), 0);
	reflag(NST_WIRE_RESERVED, NST_WIRE_START);
	CHECK_EQ(hear(&b), NST_DROP_HDR_RESERVED);
	ends_done();
}
