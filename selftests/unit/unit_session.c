// SPDX-License-Identifier: GPL-2.0
/* session.c: a datagram is taken once; what is forgotten leaves a floor. */
#include "receiver.h"

/* --- time ----------------------------------------------------------------- */

TEST(nst_sessions_judge__edges_of_the_window)
{
	u64 now = shim_real_ns;

	receiver_begin(false, AGE);
	CHECK_EQ(try(1, NONCE, now - WINDOW - 1), NST_DROP_TIME_PAST);
	CHECK_EQ(try(1, NONCE, now + WINDOW + 1), NST_DROP_TIME_FUTURE);
	CHECK_EQ(try(1, NONCE, 0), NST_DROP_TIME_PAST);
	CHECK_EQ(try(1, NONCE, ~0ULL), NST_DROP_TIME_FUTURE);
	CHECK_EQ(table->nr, 0);
	CHECK_EQ(try(1, NONCE, now - WINDOW), NST_OK);
	CHECK_EQ(try(2, NONCE, now + WINDOW), NST_OK);
	/* Of a known session as of an unknown one. */
	CHECK_EQ(try(1, NONCE + 1, now - WINDOW - 1), NST_DROP_TIME_PAST);
	CHECK_EQ(try(1, NONCE + 1, now + WINDOW + 1), NST_DROP_TIME_FUTURE);
	CHECK_EQ(try(1, NONCE + 1, now + WINDOW), NST_OK);
	receiver_done();
}

TEST(nst_sessions_judge__age_of_the_table)
{
	u64 now = shim_real_ns;

	receiver_begin(false, 10 * SEC);
	CHECK_EQ(try(1, NONCE, now - 10 * SEC), NST_DROP_CACHE_AGE);
	CHECK_EQ(try(1, NONCE, now - 20 * SEC), NST_DROP_CACHE_AGE);
	CHECK_EQ(try(1, NONCE, now - 10 * SEC + 1), NST_OK);
	CHECK_EQ(try(1, NONCE + 1, now - 10 * SEC), NST_DROP_CACHE_AGE);
	receiver_done();
}

/* --- once ----------------------------------------------------------------- */

TEST(nst_session_accept__once)
{
	u64 now = shim_real_ns;
	unsigned int i;

	receiver_begin(false, AGE);
	for (i = 0; i < 100; i++)
		CHECK_EQ(try(1, NONCE + i, now), NST_OK);
	for (i = 0; i < 100; i++)
		CHECK_EQ(try(1, NONCE + i, now), NST_DROP_REPLAYED);
	/* Whatever its timestamp says this time. */
	CHECK_EQ(try(1, NONCE, now + 1), NST_DROP_REPLAYED);
	CHECK_EQ(try(1, NONCE - NST_REPLAY_WINDOW, now), NST_DROP_WINDOW);
	CHECK_EQ(table->nr, 1);
	CHECK_EQ(nst_stats_sum(nn.stats, NST_MIB_RX_RECORDS), 100);
	CHECK_EQ(nst_stats_sum(nn.stats, NST_MIB_UDP_SESSIONS), 1);
	receiver_done();
}

/* Checked before authentication, but taken by another CPU meanwhile. */
TEST(nst_session_accept__judges_again)
{
	u64 now = shim_real_ns;
	struct nst_session *ses;

	receiver_begin(false, AGE);
	CHECK_EQ(try(1, NONCE, now), NST_OK);
	datagram(1, NONCE + 1, now);
	rcu_read_lock();
	NEED_EQ(nst_sessions_find(table, &conf, &dgram.hdr, &ses), NST_OK);
	CHECK_EQ(nst_sessions_judge(table, ses, &dgram), NST_OK);
	CHECK_EQ(nst_sessions_judge(table, ses, &dgram), NST_OK);
	CHECK_EQ(nst_session_accept(table, ses, &dgram), NST_OK);
	CHECK_EQ(nst_session_accept(table, ses, &dgram), NST_DROP_REPLAYED);
	rcu_read_unlock();
	receiver_done();
}

/* Forgotten between the two. */
TEST(nst_session_accept__forgotten_meanwhile)
{
	u64 now = shim_real_ns;
	struct nst_session *ses;

	receiver_begin(false, AGE);
	CHECK_EQ(try(1, NONCE, now), NST_OK);
	datagram(1, NONCE + 1, now);
	rcu_read_lock();
	NEED_EQ(nst_sessions_find(table, &conf, &dgram.hdr, &ses), NST_OK);
	shim_real_ns += 2 * WINDOW;
	CHECK_EQ(nst_sessions_expire(table), 0);
	CHECK_EQ(nst_session_accept(table, ses, &dgram), NST_DROP_CACHE_FLOOR);
	rcu_read_unlock();
	shim_work_run();
	receiver_done();
}

/* --- identity ------------------------------------------------------------- */

TEST(nst_sessions_find__every_part_of_the_identity)
{
	u64 now = shim_real_ns;
	unsigned int nr = 1;

	receiver_begin(false, AGE);
	CHECK_EQ(try(1, NONCE, now), NST_OK);
	datagram(1, NONCE, now)->kpos = 4;
	CHECK_EQ(attempt(), NST_OK);
	CHECK_EQ(table->nr, ++nr);
	datagram(1, NONCE, now)->kval = 6;
	CHECK_EQ(attempt(), NST_OK);
	CHECK_EQ(table->nr, ++nr);
	datagram(1, NONCE, now)->kid = 9;
	CHECK_EQ(attempt(), NST_OK);
	CHECK_EQ(table->nr, ++nr);
	datagram(1, NONCE, now)->suite = NST_CIPHER_AES_CBC;
	CHECK_EQ(attempt(), NST_OK);
	CHECK_EQ(table->nr, ++nr);
	CHECK_EQ(try(2, NONCE, now), NST_OK);
	CHECK_EQ(table->nr, ++nr);
	conf.context_len = 4;
	memcpy(conf.context, "host", 4);
	CHECK_EQ(try(1, NONCE, now), NST_OK);
	CHECK_EQ(table->nr, ++nr);
	/* As long as it is, no longer. */
	conf.context_len = 5;
	CHECK_EQ(try(1, NONCE, now), NST_OK);
	CHECK_EQ(table->nr, ++nr);
	/* The role and the type are not part of it. */
	datagram(1, NONCE, now)->role = NST_WIRE_INITIATOR;
	CHECK_EQ(attempt(), NST_DROP_REPLAYED);
	datagram(1, NONCE, now)->type = 16;
	CHECK_EQ(attempt(), NST_DROP_REPLAYED);
	receiver_done();
}

TEST(nst_sessions_find__reach)
{
	static const u64 from[] = { NONCE, 0, -1ULL, 1ULL << 63, 1ULL << 31 };
	u64 now = shim_real_ns;
	unsigned int i;

	receiver_begin(false, AGE);
	for (i = 0; i < ARRAY_SIZE(from); i++) {
		unsigned int nr = table->nr;
		u64 n = from[i];

		CHECK_EQ(try(i, n, now), NST_OK);
		CHECK_EQ(try(i, n - REACH + 1, now), NST_DROP_WINDOW);
		CHECK_EQ(table->nr, nr + 1);
		CHECK_EQ(try(i, n + REACH - 1, now), NST_OK);
		CHECK_EQ(table->nr, nr + 1);
		CHECK_EQ(try(i, n, now), NST_DROP_WINDOW);
		/* Two reaches ahead of where it is now. */
		CHECK_EQ(try(i, n + 3 * REACH, now), NST_OK);
		CHECK_EQ(table->nr, nr + 2);
		CHECK_EQ(try(i, n + 3 * REACH, now), NST_DROP_REPLAYED);
		CHECK_EQ(try(i, n + REACH - 1, now), NST_DROP_REPLAYED);
	}
	receiver_done();
}

TEST(nst_sessions_find__kids)
{
	u64 now = shim_real_ns;

	receiver_begin(false, AGE);
	datagram(1, NONCE, now)->kid = 5;
	CHECK_EQ(attempt(), NST_DROP_KID_RETIRED);
	dgram.hdr.kid = 8;
	CHECK_EQ(attempt(), NST_DROP_NO_KID);
	/* Before the time is looked at. */
	dgram.hdr.timestamp = 0;
	CHECK_EQ(attempt(), NST_DROP_NO_KID);
	CHECK_EQ(table->nr, 0);
	receiver_done();
}

TEST(nst_sessions_find__key_retired_or_gone)
{
	u64 now = shim_real_ns;
	struct nst_box_entry back = key_of(9, NST_KEY_ACCEPT, 9);

	receiver_begin(false, AGE);
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
	CHECK(attempt() != NST_OK);
	datagram(1, NONCE + 1, now + 1)->kid = 9;
	CHECK_EQ(attempt(), NST_OK);
	CHECK_EQ(attempt(), NST_DROP_REPLAYED);
	receiver_done();
}

/* The same kid with another secret: a new session, and the old one is gone. */
TEST(nst_sessions_find__secret_exchanged)
{
	u64 now = shim_real_ns;
	struct nst_box_entry other = key_of(9, NST_KEY_ACCEPT, 0x5a);

	receiver_begin(false, AGE);
	datagram(1, NONCE, now)->kid = 9;
	CHECK_EQ(attempt(), NST_OK);
	NEED_EQ(nst_keyring_del(nn.ring, 9), 0);
	NEED_EQ(nst_keyring_add(nn.ring, &other), 0);
	datagram(1, NONCE + 1, now + 1)->kid = 9;
	CHECK_EQ(attempt(), NST_OK);
	CHECK_EQ(table->nr, 1);
	datagram(1, NONCE, now)->kid = 9;
	CHECK_EQ(attempt(), NST_DROP_CACHE_FLOOR);
	receiver_done();
}

/* A change of the box that leaves the key as it is changes nothing. */
TEST(nst_sessions_find__other_keys_change)
{
	u64 now = shim_real_ns;

	receiver_begin(false, AGE);
	CHECK_EQ(try(1, NONCE, now), NST_OK);
	NEED_EQ(nst_keyring_retire(nn.ring, 9), 0);
	CHECK_EQ(try(1, NONCE, now), NST_DROP_REPLAYED);
	CHECK_EQ(try(1, NONCE + 1, now), NST_OK);
	CHECK_EQ(table->nr, 1);
	CHECK_EQ(table->floor, 0);
	receiver_done();
}

/* --- the limit of an epoch ------------------------------------------------ */

TEST(nst_session_accept__limit_of_records)
{
	u64 now = shim_real_ns, n = NONCE;
	struct nst_session *ses;

	receiver_begin(false, AGE);
	CHECK_EQ(try(1, n++, now), NST_OK);
	rcu_read_lock();
	NEED_EQ(nst_sessions_find(table, &conf, &dgram.hdr, &ses), NST_OK);
	CHECK_EQ(ses->ep.records, 1);
	ses->ep.records = NST_EPOCH_RECORDS_MAX - 2;
	rcu_read_unlock();
	CHECK_EQ(try(1, n++, now), NST_OK);
	CHECK_EQ(try(1, n++, now), NST_OK);
	CHECK_EQ(try(1, n, now), NST_DROP_EPOCH_LIMIT);
	/* Replays as well; it takes nothing any more. */
	CHECK_EQ(try(1, NONCE, now), NST_DROP_EPOCH_LIMIT);
	/* Two that passed the check together: one of them is the last. */
	rcu_read_lock();
	ses->ep.records--;
	datagram(1, n, now);
	NEED_EQ(nst_sessions_find(table, &conf, &dgram.hdr, &ses), NST_OK);
	CHECK_EQ(nst_session_accept(table, ses, &dgram), NST_OK);
	datagram(1, n + 1, now);
	CHECK_EQ(nst_session_accept(table, ses, &dgram), NST_DROP_EPOCH_LIMIT);
	rcu_read_unlock();
	/* Another epoch of the sender. */
	CHECK_EQ(try(2, n + 2, now), NST_OK);
	receiver_done();
}

/* --- groups --------------------------------------------------------------- */

static enum nst_drop to_group(u64 receiver, u64 nonce)
{
	datagram(1, nonce, shim_real_ns);
	dgram.group = true;
	dgram.receiver = receiver;
	return attempt();
}

static enum nst_drop to_one(u64 receiver, u64 nonce)
{
	datagram(1, nonce, shim_real_ns);
	dgram.receiver = receiver;
	return attempt();
}

TEST(nst_session_accept__group)
{
	u64 n, r;

	receiver_begin(false, AGE);
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

/* More sockets, one after the other, than a session tells apart at a time. */
TEST(nst_session_accept__many_members)
{
	u64 r;

	receiver_begin(false, AGE);
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

TEST(nst_session_accept__group_without_memory)
{
	unsigned int at;
	enum nst_drop drop;

	receiver_begin(false, AGE);
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

TEST(nst_session_new__without_memory)
{
	enum nst_drop drop;
	unsigned int at;

	receiver_begin(false, AGE);
	for (at = 1; at < 100; at++) {
		datagram(1, NONCE, shim_real_ns);
		shim_fail_at(at);
		drop = attempt();
		if (!shim_fail_hit())
			break;
		CHECK(drop == NST_DROP_NOMEM || drop == NST_DROP_NO_SUITE);
		CHECK_EQ(table->nr, 0);
	}
	CHECK_EQ(drop, NST_OK);
	CHECK(at > 3);
	receiver_done();
}

TEST(nst_session_new__suite_missing)
{
	receiver_begin(false, AGE);
	shim_crypto_missing = "gcm";
	CHECK_EQ(try(1, NONCE, shim_real_ns), NST_DROP_NO_SUITE);
	CHECK_EQ(table->nr, 0);
	shim_crypto_missing = NULL;
	shim_boot_ns += NST_SUITE_RETRY * NSEC_PER_SEC;
	CHECK_EQ(try(1, NONCE, shim_real_ns), NST_OK);
	receiver_done();
}
