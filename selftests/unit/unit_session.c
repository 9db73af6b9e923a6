// SPDX-License-Identifier: GPL-2.0
/* session.c: a datagram is taken once; what is forgotten leaves a floor. */
#include <linux/module.h>
#include "core/forget.h"
#include "core/keyring.h"
#include "core/lookup.h"
#include "core/suite.h"
#include "core/upkeep.h"
#include "receiver.h"

/* --- time ----------------------------------------------------------------- */

TEST(nst_session_judge__edges_of_the_window)
{
	u64 now = shim_real_ns;

	receiver_begin(AGE);
	CHECK_EQ(try(1, NONCE, now - WINDOW - 1), NST_DROP_TIME_PAST);
	CHECK_EQ(try(1, NONCE, now + WINDOW + 1), NST_DROP_TIME_FUTURE);
	CHECK_EQ(try(1, NONCE, 0), NST_DROP_TIME_PAST);
	CHECK_EQ(try(1, NONCE, ~0ULL), NST_DROP_TIME_FUTURE);
	CHECK_EQ(known(), 0);
	CHECK_EQ(try(1, NONCE, now - WINDOW), NST_OK);
	CHECK_EQ(try(2, NONCE, now + WINDOW), NST_OK);
	/* Of a known session as of an unknown one. */
	CHECK_EQ(try(1, NONCE + 1, now - WINDOW - 1), NST_DROP_TIME_PAST);
	CHECK_EQ(try(1, NONCE + 1, now + WINDOW + 1), NST_DROP_TIME_FUTURE);
	CHECK_EQ(try(1, NONCE + 1, now + WINDOW), NST_OK);
	receiver_done();
}

TEST(nst_session_judge__age_of_the_namespace)
{
	u64 now = shim_real_ns;

	receiver_begin(10 * SEC);
	CHECK_EQ(try(1, NONCE, now - 10 * SEC), NST_DROP_CACHE_AGE);
	CHECK_EQ(try(1, NONCE, now - 20 * SEC), NST_DROP_CACHE_AGE);
	CHECK_EQ(try(1, NONCE, now - 10 * SEC + 1), NST_OK);
	CHECK_EQ(try(1, NONCE + 1, now - 10 * SEC), NST_DROP_CACHE_AGE);
	receiver_done();
}

/* --- once ----------------------------------------------------------------- */

TEST(nst_dgram_take__once)
{
	u64 now = shim_real_ns;
	unsigned int i;

	receiver_begin(AGE);
	for (i = 0; i < 100; i++)
		CHECK_EQ(try(1, NONCE + i, now), NST_OK);
	for (i = 0; i < 100; i++)
		CHECK_EQ(try(1, NONCE + i, now), NST_DROP_REPLAYED);
	/* Whatever its timestamp says this time. */
	CHECK_EQ(try(1, NONCE, now + 1), NST_DROP_REPLAYED);
	CHECK_EQ(try(1, NONCE - NST_REPLAY_WINDOW, now), NST_DROP_WINDOW);
	CHECK_EQ(known(), 1);
	CHECK_EQ(nst_stats_sum(nn.stats, NST_MIB_UDP_SESSIONS), 1);
	receiver_done();
}

/* Checked before authentication, but taken by another CPU meanwhile. */
TEST(nst_dgram_take__judges_again)
{
	u64 now = shim_real_ns;
	struct nst_found found;

	receiver_begin(AGE);
	CHECK_EQ(try(1, NONCE, now), NST_OK);
	datagram(1, NONCE + 1, now);
	rcu_read_lock();
	NEED_EQ(nst_session_find(&conf, &dgram.hdr, &found), NST_OK);
	CHECK_EQ(nst_session_judge(&found, &dgram, WINDOW), NST_OK);
	CHECK_EQ(nst_session_judge(&found, &dgram, WINDOW), NST_OK);
	CHECK_EQ(nst_dgram_take(found.ses, &dgram), NST_OK);
	CHECK_EQ(nst_dgram_take(found.ses, &dgram), NST_DROP_REPLAYED);
	rcu_read_unlock();
	receiver_done();
}

/* Forgotten between the two. */
TEST(nst_dgram_take__forgotten_meanwhile)
{
	u64 now = shim_real_ns;
	struct nst_bounds bounds;
	struct nst_found found;

	receiver_begin(AGE);
	bounds = nst_net_bounds(&nn);
	CHECK_EQ(try(1, NONCE, now), NST_OK);
	datagram(1, NONCE + 1, now);
	shim_real_ns += 2 * WINDOW;
	rcu_read_lock();
	NEED_EQ(nst_session_find(&conf, &dgram.hdr, &found), NST_OK);
	spin_lock_bh(&nn.memories->lock);
	bounds.sessions = 1;
	CHECK_EQ(nst_memory_make_room(found.key->claim, shim_real_ns, &bounds),
		 NST_OK);
	spin_unlock_bh(&nn.memories->lock);
	CHECK_EQ(known(), 0);
	CHECK_EQ(nst_dgram_take(found.ses, &dgram), NST_DROP_CACHE_FLOOR);
	rcu_read_unlock();
	shim_work_run();
	receiver_done();
}

/* --- identity ------------------------------------------------------------- */

TEST(nst_session_find__every_part_of_the_identity)
{
	u64 now = shim_real_ns;
	unsigned int nr = 1;

	receiver_begin(AGE);
	CHECK_EQ(try(1, NONCE, now), NST_OK);
	datagram(1, NONCE, now)->kpos = 4;
	CHECK_EQ(attempt(), NST_OK);
	CHECK_EQ(known(), ++nr);
	datagram(1, NONCE, now)->kval = 6;
	CHECK_EQ(attempt(), NST_OK);
	CHECK_EQ(known(), ++nr);
	datagram(1, NONCE, now)->kid = 9;
	CHECK_EQ(attempt(), NST_OK);
	CHECK_EQ(known(), ++nr);
	datagram(1, NONCE, now)->suite = NST_CIPHER_AES_CBC;
	CHECK_EQ(attempt(), NST_OK);
	CHECK_EQ(known(), ++nr);
	CHECK_EQ(try(2, NONCE, now), NST_OK);
	CHECK_EQ(known(), ++nr);
	conf.context_len = 4;
	memcpy(conf.context, "host", 4);
	CHECK_EQ(try(1, NONCE, now), NST_OK);
	CHECK_EQ(known(), ++nr);
	/* As long as it is, no longer. */
	conf.context_len = 5;
	CHECK_EQ(try(1, NONCE, now), NST_OK);
	CHECK_EQ(known(), ++nr);
	/* The role and the type are not part of it. */
	datagram(1, NONCE, now)->role = NST_WIRE_INITIATOR;
	CHECK_EQ(attempt(), NST_DROP_REPLAYED);
	datagram(1, NONCE, now)->type = 16;
	CHECK_EQ(attempt(), NST_DROP_REPLAYED);
	receiver_done();
}

/* A sender whose counter passes a multiple of 2^32 gets another. */
TEST(nst_session_find__upper_half_of_the_nonce)
{
	static const u64 from[] = { 0, 1ULL << 32, -(1ULL << 32), 1ULL << 63 };
	u64 now = shim_real_ns;
	unsigned int i;

	receiver_begin(AGE);
	for (i = 0; i < ARRAY_SIZE(from); i++) {
		unsigned int nr = known();
		u64 n = from[i], last = n + 0xffffffff;

		CHECK_EQ(try(i, last, now), NST_OK);
		CHECK_EQ(try(i, n, now), NST_DROP_WINDOW);
		CHECK_EQ(known(), nr + 1);
		CHECK_EQ(try(i, last + 1, now), NST_OK);
		CHECK_EQ(known(), nr + 2);
		/* Each knows its own, and nothing of the other's. */
		CHECK_EQ(try(i, last, now), NST_DROP_REPLAYED);
		CHECK_EQ(try(i, last - 1, now), NST_OK);
		CHECK_EQ(try(i, last - 1, now), NST_DROP_REPLAYED);
		CHECK_EQ(try(i, last + 1, now), NST_DROP_REPLAYED);
		CHECK_EQ(try(i, last + 2, now), NST_OK);
		CHECK_EQ(known(), nr + 2);
	}
	receiver_done();
}

/* Two contexts whose hashes meet are two all the same. */
TEST(nst_session_find__contexts_of_one_hash)
{
	receiver_begin(AGE);
	conf.context_hash = 5;
	CHECK_EQ(try(1, NONCE, shim_real_ns), NST_OK);
	conf.context_len = 1;
	CHECK_EQ(try(1, NONCE, shim_real_ns), NST_OK);
	CHECK_EQ(try(1, NONCE, shim_real_ns), NST_DROP_REPLAYED);
	conf.context[0] = 1;
	CHECK_EQ(try(1, NONCE, shim_real_ns), NST_OK);
	CHECK_EQ(known(), 3);
	receiver_done();
}

TEST(nst_session_find__kids)
{
	u64 now = shim_real_ns;

	receiver_begin(AGE);
	datagram(1, NONCE, now)->kid = 5;
	CHECK_EQ(attempt(), NST_DROP_KID_RETIRED);
	dgram.hdr.kid = 8;
	CHECK_EQ(attempt(), NST_DROP_NO_KID);
	/* Before the time is looked at. */
	dgram.hdr.timestamp = 0;
	CHECK_EQ(attempt(), NST_DROP_NO_KID);
	CHECK_EQ(known(), 0);
	receiver_done();
}

TEST(nst_session_find__key_retired_or_gone)
{
	u64 now = shim_real_ns;
	struct nst_box_entry back = key_of(9, NST_KEY_ACCEPT, 9);

	receiver_begin(AGE);
	datagram(1, NONCE, now)->kid = 9;
	CHECK_EQ(attempt(), NST_OK);
	NEED_EQ(nst_keyring_retire(nn.ring, 9), 0);
	datagram(1, NONCE + 1, now + 1)->kid = 9;
	CHECK_EQ(attempt(), NST_DROP_KID_RETIRED);
	NEED_EQ(nst_keyring_del(nn.ring, 9), 0);
	CHECK_EQ(attempt(), NST_DROP_NO_KID);
	/* Others do not notice. */
	CHECK_EQ(try(2, NONCE, now), NST_OK);
	NEED_EQ(nst_keyring_add(nn.ring, &back), 0);
	datagram(1, NONCE, now)->kid = 9;
	CHECK_EQ(attempt(), NST_DROP_REPLAYED);
	datagram(1, NONCE + 1, now + 1)->kid = 9;
	CHECK_EQ(attempt(), NST_OK);
	CHECK_EQ(attempt(), NST_DROP_REPLAYED);
	CHECK_EQ(known(), 2);
	receiver_done();
}

/* The same kid with another secret: another memory, and the first is kept. */
TEST(nst_session_find__secret_exchanged)
{
	u64 now = shim_real_ns;
	struct nst_box_entry first = key_of(9, NST_KEY_ACCEPT, 9);
	struct nst_box_entry other = key_of(9, NST_KEY_ACCEPT, 0x5a);

	receiver_begin(AGE);
	datagram(1, NONCE, now)->kid = 9;
	CHECK_EQ(attempt(), NST_OK);
	NEED_EQ(nst_keyring_del(nn.ring, 9), 0);
	NEED_EQ(nst_keyring_add(nn.ring, &other), 0);
	CHECK_EQ(attempt(), NST_OK);
	CHECK_EQ(attempt(), NST_DROP_REPLAYED);
	CHECK_EQ(known(), 2);
	NEED_EQ(nst_keyring_del(nn.ring, 9), 0);
	NEED_EQ(nst_keyring_add(nn.ring, &first), 0);
	CHECK_EQ(attempt(), NST_DROP_REPLAYED);
	CHECK_EQ(known(), 2);
	receiver_done();
}

/* No key is held once no box has the secret; what was taken stays known. */
TEST(nst_memories_park__gives_up_keys)
{
	struct nst_box_entry back = key_of(9, NST_KEY_ACCEPT, 9);
	u64 now = shim_real_ns;
	long tfms;
	u16 i;

	receiver_begin(AGE);
	CHECK_EQ(try(1, NONCE, now), NST_OK);
	tfms = shim_live_tfms;
	for (i = 0; i < 100; i++) {
		datagram(i, NONCE, now)->kid = 9;
		CHECK_EQ(attempt(), NST_OK);
	}
	nst_memories_park(nn.memories);
	CHECK(shim_live_tfms > tfms);
	NEED_EQ(nst_keyring_del(nn.ring, 9), 0);
	nst_memories_park(nn.memories);
	shim_work_run();
	CHECK_EQ(shim_live_tfms, tfms);
	CHECK_EQ(known(), 101);
	NEED_EQ(nst_keyring_add(nn.ring, &back), 0);
	for (i = 0; i < 100; i++) {
		datagram(i, NONCE, now)->kid = 9;
		CHECK_EQ(attempt(), NST_DROP_REPLAYED);
		CHECK_EQ(shim_live_tfms, tfms);
	}
	datagram(1, NONCE + 1, now)->kid = 9;
	CHECK_EQ(attempt(), NST_OK);
	CHECK_EQ(attempt(), NST_DROP_REPLAYED);
	CHECK(shim_live_tfms > tfms);
	CHECK_EQ(known(), 101);
	/* The one that has keys again gives them up once more. */
	NEED_EQ(nst_keyring_del(nn.ring, 9), 0);
	nst_memories_park(nn.memories);
	shim_work_run();
	CHECK_EQ(shim_live_tfms, tfms);
	receiver_done();
}

/* It shows under the box key that is there now who uses it. */
TEST(nst_session_find__counts_under_the_present_key)
{
	struct nst_box_entry back = key_of(7, NST_KEY_ACTIVE, 7);
	struct nst_boxkey *key;

	receiver_begin(AGE);
	CHECK_EQ(try(1, NONCE, shim_real_ns), NST_OK);
	NEED_EQ(nst_keyring_flush(nn.ring), 0);
	NEED_EQ(nst_keyring_add(nn.ring, &back), 0);
	CHECK_EQ(try(1, NONCE, shim_real_ns), NST_DROP_REPLAYED);
	rcu_read_lock();
	NEED_EQ(nst_keyring_peek_rx(nn.ring, 7, &key), NST_OK);
	CHECK_EQ(atomic_read(&key->rx_streams), 1);
	rcu_read_unlock();
	receiver_done();
}

/* A change of the box that leaves the key as it is changes nothing. */
TEST(nst_session_find__other_keys_change)
{
	u64 now = shim_real_ns;

	receiver_begin(AGE);
	CHECK_EQ(try(1, NONCE, now), NST_OK);
	NEED_EQ(nst_keyring_retire(nn.ring, 9), 0);
	CHECK_EQ(try(1, NONCE, now), NST_DROP_REPLAYED);
	CHECK_EQ(try(1, NONCE + 1, now), NST_OK);
	CHECK_EQ(known(), 1);
	CHECK_EQ(floor_of_7(), 0);
	receiver_done();
}

/* --- the limit of an epoch ------------------------------------------------ */

TEST(nst_dgram_take__limit_of_records)
{
	u64 now = shim_real_ns, n = NONCE;
	struct nst_found found;

	receiver_begin(AGE);
	CHECK_EQ(try(1, n++, now), NST_OK);
	rcu_read_lock();
	NEED_EQ(nst_session_find(&conf, &dgram.hdr, &found), NST_OK);
	CHECK_EQ(found.ses->records, 1);
	found.ses->records = NST_EPOCH_RECORDS_MAX - 2;
	rcu_read_unlock();
	CHECK_EQ(try(1, n++, now), NST_OK);
	CHECK_EQ(try(1, n++, now), NST_OK);
	CHECK_EQ(try(1, n, now), NST_DROP_EPOCH_LIMIT);
	/* Replays as well; it takes nothing any more. */
	CHECK_EQ(try(1, NONCE, now), NST_DROP_EPOCH_LIMIT);
	/* Two that passed the check together: one of them is the last. */
	rcu_read_lock();
	found.ses->records--;
	datagram(1, n, now);
	NEED_EQ(nst_session_find(&conf, &dgram.hdr, &found), NST_OK);
	CHECK_EQ(nst_dgram_take(found.ses, &dgram), NST_OK);
	datagram(1, n + 1, now);
	CHECK_EQ(nst_dgram_take(found.ses, &dgram), NST_DROP_EPOCH_LIMIT);
	rcu_read_unlock();
	/* Another epoch of the sender. */
	CHECK_EQ(try(2, n + 2, now), NST_OK);
	receiver_done();
}

/* An epoch that passes a multiple of 2^32 has two sessions, and one limit. */
TEST(nst_dgram_take__limit_of_an_epoch_with_two_sessions)
{
	u64 now = shim_real_ns, top = 7ULL << 32;
	struct nst_found found;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		/* Whichever comes first. */
		u64 a = i ? top : top - 2, b = i ? top - 2 : top;

		receiver_begin(AGE);
		CHECK_EQ(try(1, a, now), NST_OK);
		rcu_read_lock();
		NEED_EQ(nst_session_find(&conf, &dgram.hdr, &found), NST_OK);
		found.ses->records = NST_EPOCH_RECORDS_MAX - 4;
		rcu_read_unlock();
		CHECK_EQ(try(1, b, now), NST_OK);
		CHECK_EQ(known(), 2);
		CHECK_EQ(try(1, b + 1, now), NST_OK);
		CHECK_EQ(try(1, a + 1, now), NST_OK);
		/* The last one of all is for nobody: both might take it. */
		CHECK_EQ(try(1, a + 1, now), NST_DROP_EPOCH_LIMIT);
		CHECK_EQ(try(1, top + 2, now), NST_DROP_EPOCH_LIMIT);
		CHECK_EQ(try(1, top - 3, now), NST_DROP_EPOCH_LIMIT);
		/* Other epochs of the same nonces. */
		CHECK_EQ(try(2, top + 2, now), NST_OK);
		CHECK_EQ(try(2, top - 3, now), NST_OK);
		receiver_done();
	}
}

/* What one of the two took counts when it is forgotten, too. */
TEST(nst_sessions_pair__one_is_forgotten)
{
	u64 now = shim_real_ns, top = 7ULL << 32;
	struct nst_found found;

	receiver_begin(AGE);
	CHECK_EQ(try(1, top - 2, now - 20 * SEC), NST_OK);
	rcu_read_lock();
	NEED_EQ(nst_session_find(&conf, &dgram.hdr, &found), NST_OK);
	found.ses->records = NST_EPOCH_RECORDS_MAX - 3;
	rcu_read_unlock();
	CHECK_EQ(try(1, top, now), NST_OK);
	shim_real_ns += 15 * SEC;
	expire();
	CHECK_EQ(known(), 1);
	CHECK_EQ(try(1, top + 1, now), NST_OK);
	CHECK_EQ(try(1, top + 2, now), NST_DROP_EPOCH_LIMIT);
	receiver_done();
}

/* --- groups --------------------------------------------------------------- */

static enum nst_drop to_group(u64 receiver, u64 nonce)
{
	datagram(1, nonce, shim_real_ns);
	dgram.group = true;
	dgram.members = &members[receiver];
	return attempt();
}

static enum nst_drop to_one(u64 receiver, u64 nonce)
{
	datagram(1, nonce, shim_real_ns);
	dgram.members = &members[receiver];
	return attempt();
}

TEST(nst_dgram_take__group)
{
	u64 n, r;

	receiver_begin(AGE);
	for (n = 0; n < 50; n++)
		for (r = 1; r <= 3; r++)
			CHECK_EQ(to_group(r, NONCE + n), NST_OK);
	for (n = 0; n < 50; n++) {
		for (r = 1; r <= 3; r++) {
			CHECK_EQ(to_group(r, NONCE + n), NST_DROP_REPLAYED);
			CHECK_EQ(to_one(r, NONCE + n), NST_DROP_REPLAYED);
		}
		CHECK_EQ(to_one(4, NONCE + n), NST_DROP_REPLAYED);
	}
	/* What came to one has been taken for all. */
	CHECK_EQ(to_one(1, NONCE + 50), NST_OK);
	for (r = 1; r <= 4; r++) {
		CHECK_EQ(to_one(r, NONCE + 50), NST_DROP_REPLAYED);
		CHECK_EQ(to_group(r, NONCE + 50), NST_DROP_REPLAYED);
	}
	receiver_done();
}

/* A clone of the sender seals another datagram under a nonce that one has taken. */
TEST(nst_dgram_take__newer_copy_of_a_clone)
{
	u64 then = shim_real_ns, newer = then + WINDOW - SEC;

	receiver_begin(AGE);
	CHECK_EQ(to_group(1, NONCE), NST_OK);
	datagram(1, NONCE, newer);
	dgram.group = true;
	dgram.members = &members[2];
	CHECK_EQ(attempt(), NST_OK);
	/* The first is too old by now, and the second is not. */
	shim_real_ns = then + WINDOW + SEC;
	shim_boot_ns += WINDOW + SEC;
	expire();
	shim_work_run();
	datagram(1, NONCE, newer);
	dgram.group = true;
	dgram.members = &members[2];
	CHECK_EQ(attempt(), NST_DROP_REPLAYED);
	receiver_done();
}

/* More sockets, one after the other, than a session tells apart at a time. */
TEST(nst_dgram_take__many_members)
{
	u64 r;

	receiver_begin(AGE);
	for (r = 1; r <= 300; r++) {
		NEED_EQ(to_group(r, NONCE + r), NST_OK);
		CHECK_EQ(to_group(r, NONCE + r), NST_DROP_REPLAYED);
		CHECK_EQ(to_one(r, NONCE + r), NST_DROP_REPLAYED);
	}
	/* Nobody is forgotten so that it could be taken again. */
	for (r = 1; r <= 300; r++)
		CHECK(to_group(r, NONCE + r) != NST_OK);
	receiver_done();
}

TEST(nst_dgram_take__group_without_memory)
{
	unsigned int at;
	enum nst_drop drop;

	receiver_begin(AGE);
	CHECK_EQ(to_one(1, NONCE), NST_OK);
	for (at = 1; at < 10; at++) {
		shim_fail_at(at);
		drop = to_group(1, NONCE + at);
		if (!shim_fail_hit()) {
			CHECK_EQ(drop, NST_OK);
			break;
		}
		CHECK_EQ(drop, NST_DROP_NOMEM);
	}
	CHECK(at > 1);
	/* What found no memory was not taken. */
	CHECK_EQ(to_group(1, NONCE + 1), NST_OK);
	CHECK_EQ(to_group(1, NONCE + 1), NST_DROP_REPLAYED);
	receiver_done();
}

/* --- failures ------------------------------------------------------------- */

TEST(nst_candidate_derive__without_memory)
{
	enum nst_drop drop;
	unsigned int at;

	receiver_begin(AGE);
	for (at = 1; at < 100; at++) {
		datagram(1, NONCE, shim_real_ns);
		shim_fail_at(at);
		drop = attempt();
		if (!shim_fail_hit())
			break;
		CHECK_EQ(drop, NST_DROP_NOMEM);
		CHECK_EQ(known(), 0);
	}
	CHECK_EQ(drop, NST_OK);
	CHECK(at > 3);
	receiver_done();
}

TEST(nst_candidate_derive__suite_missing)
{
	receiver_begin(AGE);
	shim_crypto_missing = "gcm";
	CHECK_EQ(try(1, NONCE, shim_real_ns), NST_DROP_NO_SUITE);
	CHECK_EQ(known(), 0);
	shim_crypto_missing = NULL;
	shim_boot_ns += NST_SUITE_RETRY * NSEC_PER_SEC;
	/* It is not looked for here; nor what a module that comes may have changed. */
	CHECK_EQ(try(1, NONCE, shim_real_ns), NST_DROP_NOMEM);
	shim_work_run();
	CHECK_EQ(try(1, NONCE, shim_real_ns), NST_OK);
	NEED_EQ(nst_suite_init(), 0);
	shim_module_event(MODULE_STATE_LIVE);
	CHECK_EQ(try(2, NONCE, shim_real_ns), NST_DROP_NOMEM);
	shim_work_run();
	CHECK_EQ(try(2, NONCE, shim_real_ns), NST_OK);
	nst_suite_ask_exit();
	nst_suite_exit();
	receiver_done();
}

/* Want passes; what a driver cannot do, it cannot do. */
TEST(nst_candidate_derive__cipher_takes_no_key)
{
	static const struct {
		int err;
		enum nst_drop drop;
	} list[] = {
		{ -ENOMEM, NST_DROP_NOMEM }, { -ENOBUFS, NST_DROP_NOMEM },
		{ -EAGAIN, NST_DROP_NOMEM }, { -ENOSPC, NST_DROP_NOMEM },
		{ -ETIMEDOUT, NST_DROP_NOMEM }, { -EINTR, NST_DROP_NOMEM },
		{ -EIO, NST_DROP_NO_SUITE }, { -EINVAL, NST_DROP_NO_SUITE },
		{ -ENODEV, NST_DROP_NO_SUITE },
	};
	size_t i;

	receiver_begin(AGE);
	for (i = 0; i < ARRAY_SIZE(list); i++) {
		shim_crypto_key_err = list[i].err;
		CHECK_EQ(try(1, NONCE, shim_real_ns), list[i].drop);
		CHECK_EQ(known(), 0);
	}
	shim_crypto_key_err = 0;
	CHECK_EQ(try(1, NONCE, shim_real_ns), NST_OK);
	receiver_done();
}
