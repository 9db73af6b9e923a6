// SPDX-License-Identifier: GPL-2.0
/* stream.c, sending: START, nonces, binding, epochs, limits, failures. */
#include <linux/jiffies.h>
#include "core/keyring.h"
#include "ends.h"
#include "limits.h"

static struct nst_hdr sent(void)
{
	struct nst_hdr hdr;

	NEED_EQ(nst_wire_decode(&hdr, record, 6), NST_OK);
	return hdr;
}

/* Sends one record; tells whether it began a new epoch. */
static bool say_new_epoch(struct end *end)
{
	u32 epochs = end->st.tx.epochs;

	NEED_EQ(say(end, 0, "x"), 0);
	CHECK(end->st.tx.epochs - epochs <= 1);
	return end->st.tx.epochs != epochs;
}

TEST(nst_stream_tx_begin__without_a_key)
{
	ends_begin(0, 0);
	nst_conf_put(a.st.tx.conf);
	a.st.tx.conf = NULL;
	CHECK_EQ(say(&a, 0, "x"), -ENOKEY);
	CHECK(!a.st.tx_started);
	ends_done();
}

TEST(nst_stream_tx_begin__the_first_record_has_start)
{
	struct nst_hdr hdr;
	u64 nonce;

	ends_begin(0, 0);
	shim_real_ns = 0x1122334455667788ULL;
	NEED_EQ(say(&a, 0, "one"), 0);
	hdr = sent();
	CHECK(hdr.start && !hdr.bound && !hdr.role);
	CHECK_EQ(hdr.timestamp, 0x1122334455667788ULL);
	CHECK_EQ(hdr.kid, 7);
	CHECK_EQ(hdr.suite, NST_CIPHER_AES_GCM);
	CHECK(hdr.kpos >= 1 && hdr.kpos <= 32);
	CHECK(a.st.tx_started);
	nonce = hdr.nonce;
	NEED_EQ(say(&a, 23, "two"), 0);
	hdr = sent();
	CHECK(!hdr.start);
	CHECK_EQ(hdr.type, 23);
	CHECK_EQ(hdr.len, 3);
	CHECK_EQ(hdr.nonce, nonce + 1);
	ends_done();
}

TEST(nst_stream_tx_begin__nonces_begin_anywhere_and_wrap)
{
	u64 last = ~0ULL;

	ends_begin(0, 0);
	shim_random_inject(&last, sizeof(last));
	pass(&a, &b, 0, "one");
	CHECK_EQ(sent().nonce, ~0ULL);
	pass(&a, &b, 0, "two");
	CHECK_EQ(sent().nonce, 0);
	a.st.tx.renew = true;
	pass(&a, &b, 0, "three");
	CHECK_EQ(sent().nonce, 1);
	ends_done();
}

/* What was begun and not sealed leaves no gap. */
TEST(nst_stream_tx_begin__again_without_commit)
{
	struct nst_hdr one, two;

	ends_begin(0, 0);
	NEED_EQ(nst_stream_tx_begin(&a.st, &one, 0, 5), 0);
	CHECK(!a.st.tx_started);
	NEED_EQ(nst_stream_tx_begin(&a.st, &one, 0, 5), 0);
	CHECK(one.start);
	pass(&a, &b, 0, "start");
	NEED_EQ(nst_stream_tx_begin(&a.st, &one, 0, 5), 0);
	NEED_EQ(nst_stream_tx_begin(&a.st, &two, 0, 6), 0);
	CHECK_EQ(one.nonce, two.nonce);
	pass(&a, &b, 0, "next");
	ends_done();
}

/* Who tries again all the time derives no more epochs than who waits. */
TEST(nst_stream_tx_fail__costs_an_epoch_in_a_while)
{
	unsigned int pause = msecs_to_jiffies(NST_SEAL_PAUSE), i, tries = 0;
	u64 tick = NSEC_PER_SEC / HZ;
	struct nst_hdr hdr;
	u32 epochs;

	ends_begin(0, 0);
	pass(&a, &b, 0, "start");
	epochs = a.st.tx.epochs;
	for (i = 0; i < 10 * pause - 1; i++) {
		if (!nst_stream_tx_begin(&a.st, &hdr, 0, 5))
			tries++;
		nst_stream_tx_fail(&a.st, true);
		shim_boot_ns += tick;
	}
	CHECK_EQ(tries, 10);
	CHECK_EQ(a.st.tx.epochs, epochs + 9);
	CHECK_EQ(nst_stream_tx_begin(&a.st, &hdr, 0, 5), -EAGAIN);
	shim_boot_ns += pause * tick;
	/* The stream goes on, and is not slower for it. */
	pass(&a, &b, 0, "next");
	pass(&a, &b, 0, "next");
	CHECK_EQ(a.st.tx.epochs, epochs + 10);
	ends_done();
}

TEST(nst_stream_tx_begin__nothing_behind_the_close_record)
{
	ends_begin(0, 0);
	pass(&a, &b, 0, "x");
	pass(&a, &b, NST_TYPE_CLOSE, "");
	CHECK(a.st.tx.closed && b.st.rx.closed);
	CHECK_EQ(say(&a, 0, "x"), -EPIPE);
	CHECK_EQ(say(&a, NST_TYPE_CLOSE, ""), -EPIPE);
	/* The other direction goes on. */
	pass(&b, &a, 0, "answer");
	ends_done();
}

TEST(nst_stream_tx_begin__close_as_the_first_record)
{
	ends_begin(0, 0);
	pass(&a, &b, NST_TYPE_CLOSE, "");
	CHECK(opened.start);
	CHECK(b.st.rx.closed);
	ends_done();
}

TEST(nst_stream_tx_begin__role_in_every_record)
{
	ends_begin(0, 0);
	a.st.role = NST_WIRE_INITIATOR;
	b.st.role = NST_WIRE_RESPONDER;
	pass(&a, &b, 0, "x");
	CHECK_EQ(sent().role, NST_WIRE_INITIATOR);
	pass(&b, &a, 0, "y");
	CHECK_EQ(sent().role, NST_WIRE_RESPONDER);
	pass(&a, &b, NST_TYPE_CLOSE, "");
	CHECK_EQ(sent().role, NST_WIRE_INITIATOR);
	ends_done();
}

TEST(nst_stream_tx_begin__bound_once_the_peers_start_is_known)
{
	struct nst_hdr hdr;

	ends_begin(0, 0);
	pass(&a, &b, 0, "early");
	CHECK(!sent().bound);
	pass(&a, &b, 0, "early too");
	hdr = sent();
	CHECK(!hdr.bound);
	pass(&b, &a, 0, "bound from the first");
	CHECK(sent().start && sent().bound);
	pass(&a, &b, 0, "bound now");
	CHECK(sent().bound && !sent().start);
	CHECK(!(sent().epoch == hdr.epoch && sent().kpos == hdr.kpos &&
		sent().kval == hdr.kval));
	CHECK_EQ(a.st.tx.epochs, 2);
	CHECK_EQ(b.st.tx.epochs, 1);
	pass(&a, &b, 0, "and stays");
	CHECK_EQ(a.st.tx.epochs, 2);
	ends_done();
}

/* Both begin at once: neither START is bound, all that follows is. */
TEST(nst_stream_tx_begin__crossing_starts)
{
	static u8 from_a[REC_MAX];

	ends_begin(0, 0);
	NEED_EQ(say(&a, 0, "from a"), 0);
	memcpy(from_a, record, sizeof(from_a));
	NEED_EQ(say(&b, 0, "from b"), 0);
	CHECK(!sent().bound);
	CHECK_EQ(hear(&a), NST_OK);
	memcpy(record, from_a, sizeof(from_a));
	CHECK_EQ(hear(&b), NST_OK);
	pass(&a, &b, 0, "x");
	CHECK(sent().bound);
	pass(&b, &a, 0, "y");
	CHECK(sent().bound);
	ends_done();
}

TEST(nst_stream_tx_begin__new_epoch_when_asked)
{
	ends_begin(0, 0);
	pass(&a, &b, 0, "x");
	CHECK(!say_new_epoch(&a));
	NEED_EQ(hear(&b), NST_OK);
	a.st.tx.renew = true;
	CHECK(say_new_epoch(&a));
	NEED_EQ(hear(&b), NST_OK);
	CHECK(!say_new_epoch(&a));
	NEED_EQ(hear(&b), NST_OK);
	CHECK_EQ(b.st.rx.epochs, 2);
	ends_done();
}

TEST(nst_stream_tx_begin__new_epoch_with_another_kid)
{
	ends_begin(0, 0);
	NEED_EQ(nst_keyring_activate(a.nn.ring, 9), 0);
	NEED_EQ(nst_keyring_activate(a.nn.ring, 7), 0);
	pass(&a, &b, 0, "x");
	CHECK_EQ(sent().kid, 7);
	NEED_EQ(nst_keyring_activate(a.nn.ring, 9), 0);
	CHECK(say_new_epoch(&a));
	CHECK_EQ(sent().kid, 9);
	NEED_EQ(hear(&b), NST_OK);
	/* A change that is not of this key is no new epoch. */
	NEED_EQ(nst_keyring_retire(a.nn.ring, 7), 0);
	CHECK(!say_new_epoch(&a));
	NEED_EQ(hear(&b), NST_OK);
	ends_done();
}

TEST(nst_stream_tx_begin__new_epoch_when_the_secret_changes)
{
	struct nst_box_entry entry = ends_key(7, NST_KEY_ACTIVE);

	ends_begin(0, 0);
	pass(&a, &b, 0, "x");
	entry.secret[3] ^= 1;
	NEED_EQ(nst_keyring_replace(a.nn.ring, &entry, 1), 0);
	CHECK(say_new_epoch(&a));
	CHECK_EQ(hear(&b), NST_DROP_AUTH);
	ends_done();
}

TEST(nst_stream_tx_begin__new_epoch_after_so_many_records)
{
	ends_begin(0, 0);
	pass(&a, &b, 0, "x");
	a.st.tx.ep.records = NST_REKEY_RECORDS - 1;
	CHECK(!say_new_epoch(&a));
	NEED_EQ(hear(&b), NST_OK);
	CHECK(say_new_epoch(&a));
	NEED_EQ(hear(&b), NST_OK);
	CHECK_EQ(a.st.tx.ep.records, 1);
	a.nn.rekey_records = 3;
	CHECK(!say_new_epoch(&a));
	CHECK(!say_new_epoch(&a));
	CHECK(say_new_epoch(&a));
	a.nn.rekey_records = 1;
	CHECK(say_new_epoch(&a));
	CHECK(say_new_epoch(&a));
	ends_done();
}

TEST(nst_stream_tx_begin__new_epoch_after_so_many_bytes)
{
	ends_begin(0, 0);
	pass(&a, &b, 0, "x");
	a.st.tx.ep.bytes = NST_REKEY_BYTES - 1;
	CHECK(!say_new_epoch(&a));
	CHECK_EQ(a.st.tx.ep.bytes, NST_REKEY_BYTES);
	CHECK(say_new_epoch(&a));
	CHECK_EQ(a.st.tx.ep.bytes, 1);
	ends_done();
}

TEST(nst_stream_tx_begin__new_epoch_after_a_vm_fork)
{
	ends_begin(0, 0);
	NEED_EQ(nst_epoch_init(), 0);
	pass(&a, &b, 0, "x");
	shim_vmfork();
	CHECK(say_new_epoch(&a));
	NEED_EQ(hear(&b), NST_OK);
	CHECK(!say_new_epoch(&a));
	nst_epoch_exit();
	ends_done();
}

/* Both twins have picked the same epoch when the kernel tells of the fork. */
TEST(nst_stream_tx_begin__new_epoch_after_a_vm_fork_behind_the_pick)
{
	ends_begin(0, 0);
	NEED_EQ(nst_epoch_init(), 0);
	pass(&a, &b, 0, "x");
	a.st.tx.renew = true;
	shim_vmfork_behind_random();
	CHECK(say_new_epoch(&a));
	NEED_EQ(hear(&b), NST_OK);
	CHECK(say_new_epoch(&a));
	NEED_EQ(hear(&b), NST_OK);
	CHECK(!say_new_epoch(&a));
	nst_epoch_exit();
	ends_done();
}

TEST(nst_stream_tx_begin__another_suite)
{
	u8 suite;

	ends_begin(0, 0);
	for (suite = 7; suite; suite--) {
		a.st.tx.conf->suite = suite;
		pass(&a, &b, 0, "some text");
		CHECK_EQ(sent().suite, suite);
		pass(&a, &b, 0, "more");
	}
	CHECK_EQ(a.st.tx.epochs, 7);
	CHECK_EQ(b.st.rx.epochs, 7);
	ends_done();
}

/* Without a key that may be sent with nothing is sent, and nothing is lost. */
TEST(nst_stream_tx_begin__the_key_goes_and_comes)
{
	struct nst_box_entry entry = ends_key(9, NST_KEY_ACTIVE);
	struct nst_hdr hdr;

	ends_begin(0, 0);
	pass(&a, &b, 0, "x");
	hdr = sent();
	NEED_EQ(nst_keyring_flush(a.nn.ring), 0);
	CHECK_EQ(say(&a, 0, "y"), -ENOKEY);
	CHECK_EQ(say(&a, 0, "y"), -ENOKEY);
	NEED_EQ(nst_keyring_replace(a.nn.ring, &entry, 1), 0);
	pass(&a, &b, 0, "y");
	CHECK_EQ(sent().kid, 9);
	CHECK_EQ(sent().nonce, hdr.nonce + 1);
	ends_done();
}

TEST(nst_stream_tx_begin__a_named_kid)
{
	ends_begin(0, 0);
	a.st.tx.kid = 9;
	CHECK_EQ(say(&a, 0, "x"), -EACCES);
	a.st.tx.kid = 5;
	CHECK_EQ(say(&a, 0, "x"), -EKEYREVOKED);
	a.st.tx.kid = 4;
	CHECK_EQ(say(&a, 0, "x"), -ENOKEY);
	a.st.tx.kid = 7;
	pass(&a, &b, 0, "x");
	NEED_EQ(nst_keyring_activate(a.nn.ring, 9), 0);
	/* It does not follow the active one, which 7 no longer is. */
	CHECK_EQ(say(&a, 0, "x"), -EACCES);
	ends_done();
}

/* Every allocation of a START, then of a change of epoch and suite. */
TEST(nst_stream_tx_begin__each_allocation_fails)
{
	unsigned int round, n;
	struct nst_hdr hdr;
	int err;

	ends_begin(0, 0);
	for (round = 0; round < 7; round++) {
		a.st.tx.conf->suite = 1 + round;
		for (n = 1; ; n++) {
			u64 records = a.st.tx.records;

			a.st.tx.renew = true;
			shim_fail_at(n);
			err = nst_stream_tx_begin(&a.st, &hdr, 0, 1);
			if (!shim_fail_hit())
				break;
			CHECK_EQ(err, -ENOMEM);
			CHECK_EQ(a.st.tx.records, records);
			CHECK_EQ(a.st.tx.started, round > 0);
			CHECK_EQ(a.st.tx_started, round > 0);
		}
		CHECK_EQ(err, 0);
		CHECK(n > 2);
		pass(&a, &b, 0, "after all");
	}
	ends_done();
}

TEST(nst_stream_tx_begin__missing_suite)
{
	ends_begin(0, 0);
	shim_crypto_missing = "sm4";
	a.st.tx.conf->suite = NST_CIPHER_SM4_GCM;
	CHECK_EQ(say(&a, 0, "x"), -ENOPKG);
	CHECK(!a.st.tx_started);
	shim_crypto_missing = NULL;
	shim_boot_ns += NST_SUITE_RETRY * SEC;
	pass(&a, &b, 0, "x");
	ends_done();
}

/* The same epoch goes on, bound or not; nobody sees it on the wire. */
TEST(nst_stream_tx_begin__parked)
{
	struct nst_hdr hdr;

	ends_begin(0, 0);
	park(&a);
	pass(&a, &b, 0, "a START");
	hdr = sent();
	park(&a);
	pass(&a, &b, 0, "unbound");
	CHECK_EQ(sent().epoch, hdr.epoch);
	CHECK_EQ(sent().nonce, hdr.nonce + 1);
	CHECK_EQ(a.st.tx.epochs, 1);
	CHECK_EQ(a.st.tx.ep.records, 2);
	pass(&b, &a, 0, "bound");
	park(&a);
	/* Bound from now on, so that is another one. */
	pass(&a, &b, 0, "bound");
	CHECK(sent().bound);
	CHECK_EQ(a.st.tx.epochs, 2);
	hdr = sent();
	park(&a);
	pass(&a, &b, 0, "bound");
	CHECK_EQ(sent().epoch, hdr.epoch);
	CHECK_EQ(a.st.tx.epochs, 2);
	CHECK_EQ(b.st.rx.epochs, 2);
	CHECK_EQ(counter(&a, NST_MIB_TX_EPOCHS), 2);
	ends_done();
}

/* While nothing was sent the box changed. */
TEST(nst_stream_tx_begin__parked_and_another_box)
{
	struct nst_box_entry entry = ends_key(7, NST_KEY_ACTIVE);
	u16 epoch;

	ends_begin(0, 0);
	pass(&a, &b, 0, "x");
	epoch = sent().epoch;
	/* The same secret in a new object: nothing has happened. */
	park(&a);
	NEED_EQ(nst_keyring_flush(a.nn.ring), 0);
	NEED_EQ(nst_keyring_replace(a.nn.ring, &entry, 1), 0);
	pass(&a, &b, 0, "x");
	CHECK_EQ(sent().epoch, epoch);
	CHECK_EQ(a.st.tx.epochs, 1);
	/* Another is active. */
	entry = ends_key(9, NST_KEY_ACCEPT);
	NEED_EQ(nst_keyring_add(a.nn.ring, &entry), 0);
	park(&a);
	NEED_EQ(nst_keyring_activate(a.nn.ring, 9), 0);
	pass(&a, &b, 0, "x");
	CHECK_EQ(sent().kid, 9);
	CHECK_EQ(a.st.tx.epochs, 2);
	/* None is; parked it stays. */
	park(&a);
	NEED_EQ(nst_keyring_flush(a.nn.ring), 0);
	CHECK_EQ(say(&a, 0, "x"), -ENOKEY);
	CHECK(nst_epoch_parked(&a.st.tx.ep));
	/* Another secret. */
	entry = ends_key(9, NST_KEY_ACTIVE);
	entry.secret[0] ^= 1;
	NEED_EQ(nst_keyring_replace(a.nn.ring, &entry, 1), 0);
	CHECK(say_new_epoch(&a));
	CHECK_EQ(hear(&b), NST_DROP_AUTH);
	ends_done();
}

/* Whatever else ends an epoch ends it also if it is parked. */
TEST(nst_stream_tx_begin__parked_and_over)
{
	ends_begin(0, 0);
	NEED_EQ(nst_epoch_init(), 0);
	pass(&a, &b, 0, "x");
	park(&a);
	a.st.tx.renew = true;
	CHECK(say_new_epoch(&a));
	NEED_EQ(hear(&b), NST_OK);
	park(&a);
	shim_vmfork();
	CHECK(say_new_epoch(&a));
	NEED_EQ(hear(&b), NST_OK);
	park(&a);
	a.st.tx.ep.records = NST_REKEY_RECORDS;
	CHECK(say_new_epoch(&a));
	NEED_EQ(hear(&b), NST_OK);
	park(&a);
	a.st.tx.conf->suite = NST_CIPHER_AES_CBC;
	CHECK(say_new_epoch(&a));
	NEED_EQ(hear(&b), NST_OK);
	park(&a);
	CHECK(!say_new_epoch(&a));
	NEED_EQ(hear(&b), NST_OK);
	nst_epoch_exit();
	ends_done();
}

TEST(nst_stream_tx_begin__parked_and_each_allocation_fails)
{
	unsigned int n, suite;
	struct nst_hdr hdr;
	int err;

	ends_begin(0, 0);
	for (suite = 1; suite <= 7; suite++) {
		a.st.tx.conf->suite = suite;
		pass(&a, &b, 0, "x");
		for (n = 1; ; n++) {
			park(&a);
			shim_fail_at(n);
			err = nst_stream_tx_begin(&a.st, &hdr, 0, 1);
			if (!shim_fail_hit())
				break;
			CHECK_EQ(err, -ENOMEM);
			CHECK(nst_epoch_parked(&a.st.tx.ep));
		}
		CHECK_EQ(err, 0);
		CHECK(n > 2);
		pass(&a, &b, 0, "after all");
		CHECK_EQ(a.st.tx.epochs, suite);
	}
	ends_done();
}

TEST(nst_stream_tx_wants_start__default_end)
{
	ends_begin(0, 0);
	CHECK(!nst_stream_tx_wants_start(&b.st));
	pass(&a, &b, 0, "x");
	CHECK(!nst_stream_tx_wants_start(&b.st));
	ends_done();
}

TEST(nst_stream_tx_wants_start__strict_end_with_both_keys)
{
	struct nst_conf *rx;

	ends_begin(NST_F_STRICT, 0);
	CHECK(nst_stream_tx_wants_start(&a.st));
	rx = a.st.rx.conf;
	a.st.rx.conf = NULL;
	CHECK(!nst_stream_tx_wants_start(&a.st));
	a.st.rx.conf = rx;
	pass(&a, &b, NST_TYPE_START, "");
	CHECK(!nst_stream_tx_wants_start(&a.st));
	ends_done();
}

TEST(nst_stream_tx_wants_start__peer_of_a_strict_end)
{
	ends_begin(NST_F_STRICT, 0);
	pass(&a, &b, NST_TYPE_START, "");
	CHECK(nst_stream_tx_wants_start(&b.st));
	pass(&b, &a, NST_TYPE_START, "");
	CHECK(sent().bound);
	CHECK(!nst_stream_tx_wants_start(&b.st));
	/* And all goes on bound. */
	pass(&a, &b, 0, "x");
	CHECK(sent().bound);
	pass(&b, &a, 0, "y");
	CHECK(sent().bound);
	ends_done();
}

TEST(nst_stream_tx_wants_start__without_a_sending_key)
{
	ends_begin(NST_F_STRICT, NST_F_STRICT);
	nst_conf_put(b.st.tx.conf);
	b.st.tx.conf = NULL;
	CHECK(!nst_stream_tx_wants_start(&b.st));
	pass(&a, &b, NST_TYPE_START, "");
	CHECK(!nst_stream_tx_wants_start(&b.st));
	ends_done();
}

TEST(nst_stream_tx_commit__counters)
{
	ends_begin(0, 0);
	pass(&a, &b, 0, "12345");
	pass(&a, &b, 20, "678");
	pass(&b, &a, 0, "9");
	pass(&a, &b, NST_TYPE_CLOSE, "");
	CHECK_EQ(a.st.tx.records, 3);
	CHECK_EQ(a.st.tx.bytes, 8);
	CHECK_EQ(counter(&a, NST_MIB_TX_RECORDS), 3);
	CHECK_EQ(counter(&a, NST_MIB_TX_BYTES), 8);
	CHECK_EQ(counter(&a, NST_MIB_TX_EPOCHS), 2);
	CHECK_EQ(counter(&a, NST_MIB_TX_STREAMS), 1);
	CHECK_EQ(counter(&a, NST_MIB_RX_RECORDS), 1);
	CHECK_EQ(counter(&b, NST_MIB_RX_RECORDS), 3);
	CHECK_EQ(counter(&b, NST_MIB_RX_BYTES), 8);
	CHECK_EQ(counter(&b, NST_MIB_RX_EPOCHS), 2);
	CHECK_EQ(counter(&b, NST_MIB_RX_STREAMS), 1);
	CHECK_EQ(b.st.rx.records, 3);
	CHECK_EQ(b.st.rx.bytes, 8);
	ends_done();
}

/* Anything that both may do, in any order, for long. */
TEST(nst_stream__random_traffic)
{
	static char text[3000];
	unsigned int i;

	ends_begin(0, 0);
	a.nn.rekey_records = 50;
	b.nn.rekey_bytes = 5000;
	for (i = 0; i < 20000; i++) {
		struct end *from = test_random(2) ? &a : &b;
		struct end *to = from == &a ? &b : &a;
		unsigned int len = test_random(test_random(20) ? 60 : 2999);

		memset(text, 1 + test_random(255), len);
		text[len] = 0;
		switch (test_random(40)) {
		case 0:
			from->st.tx.renew = true;
			break;
		case 1:
			NEED_EQ(nst_keyring_activate(from->nn.ring,
						     test_random(2) ? 7 : 9),
				0);
			break;
		case 2:
			from->st.tx.conf->suite = 1 + test_random(7);
			break;
		case 3:
			park(&a);
			break;
		case 4:
			park(&b);
			break;
		}
		pass(from, to, test_random(5) ? 0 : 16 + test_random(240),
		     text);
	}
	CHECK(b.st.rx.epochs > 500 && a.st.rx.epochs > 500);
	CHECK_EQ(b.st.rx.records, a.st.tx.records);
	CHECK_EQ(b.st.rx.bytes, a.st.tx.bytes);
	ends_done();
}
