// SPDX-License-Identifier: GPL-2.0
/* dgram.c and member.c: what comes to a group is taken once by each socket. */
#include "receiver.h"

static enum nst_drop to(struct nst_members *socket, bool group, u16 epoch,
			u64 nonce)
{
	datagram(epoch, nonce, shim_real_ns);
	dgram.group = group;
	dgram.members = socket;
	shim_boot_ns++;
	return attempt();
}

static enum nst_drop to_group(unsigned int r, u64 nonce)
{
	return to(&members[r], true, 1, nonce);
}

static enum nst_drop to_one(unsigned int r, u64 nonce)
{
	return to(&members[r], false, 1, nonce);
}

static void open_anew(unsigned int r)
{
	nst_members_free(&members[r]);
	nst_members_init(&members[r]);
	nst_members_rekey(&members[r]);
	shim_boot_ns++;
}

TEST(nst_dgram_take__first_copy_to_one_is_for_all)
{
	unsigned int r;

	receiver_begin(AGE);
	CHECK_EQ(to_one(1, NONCE), NST_OK);
	for (r = 1; r < 4; r++) {
		CHECK_EQ(to_group(r, NONCE), NST_DROP_REPLAYED);
		CHECK_EQ(to_one(r, NONCE), NST_DROP_REPLAYED);
	}
	/* A group's, sent on by unicast to who has not had it yet. */
	CHECK_EQ(to_group(1, NONCE + 1), NST_OK);
	CHECK_EQ(to_one(2, NONCE + 1), NST_DROP_REPLAYED);
	CHECK_EQ(to_group(2, NONCE + 1), NST_OK);
	CHECK_EQ(to_group(2, NONCE + 1), NST_DROP_REPLAYED);
	receiver_done();
}

/* Who has its keys since before takes the highest; who has not, does not. */
TEST(nst_members_check__begins_at_the_highest)
{
	receiver_begin(AGE);
	CHECK_EQ(to_group(1, NONCE), NST_OK);
	CHECK_EQ(to_group(1, NONCE + 1), NST_OK);
	open_anew(3);
	/* 2 was there before both. */
	CHECK_EQ(to_group(2, NONCE), NST_DROP_REPLAYED);
	CHECK_EQ(to_group(2, NONCE + 1), NST_OK);
	CHECK_EQ(to_group(2, NONCE + 1), NST_DROP_REPLAYED);
	CHECK_EQ(to_group(2, NONCE), NST_DROP_REPLAYED);
	CHECK_EQ(to_group(3, NONCE + 1), NST_DROP_REPLAYED);
	CHECK_EQ(to_group(1, NONCE + 2), NST_OK);
	CHECK_EQ(to_group(3, NONCE + 2), NST_OK);
	CHECK_EQ(to_group(3, NONCE + 2), NST_DROP_REPLAYED);
	CHECK_EQ(to_group(3, NONCE + 1), NST_DROP_REPLAYED);
	receiver_done();
}

/* The same at the ends of the range of nonces. */
TEST(nst_members_check__at_the_ends)
{
	static const u64 at[] = { 0, ~0ULL, 1ULL << 63, 0xffffffff, 1ULL << 32 };
	unsigned int i;

	receiver_begin(AGE);
	for (i = 0; i < ARRAY_SIZE(at); i++) {
		CHECK_EQ(to_group(1, at[i]), NST_OK);
		CHECK_EQ(to_group(2, at[i]), NST_OK);
		CHECK_EQ(to_group(1, at[i]), NST_DROP_REPLAYED);
		CHECK_EQ(to_group(2, at[i]), NST_DROP_REPLAYED);
	}
	receiver_done();
}

/* A socket that is opened anew, for ever. */
TEST(nst_members_check__opened_anew)
{
	u64 n;

	receiver_begin(AGE);
	for (n = 0; n < 100; n++) {
		CHECK_EQ(to_group(1, NONCE + n), NST_OK);
		CHECK_EQ(to_group(2, NONCE + n), NST_OK);
		open_anew(1 + n % 2);
		CHECK_EQ(to_group(1, NONCE + n), NST_DROP_REPLAYED);
		CHECK_EQ(to_group(2, NONCE + n), NST_DROP_REPLAYED);
	}
	receiver_done();
}

/* Keys set again on a socket that goes on: it forgets nothing, and loses nothing. */
TEST(nst_members_rekey__windows_stay)
{
	receiver_begin(AGE);
	CHECK_EQ(to_group(1, NONCE), NST_OK);
	CHECK_EQ(to_group(2, NONCE), NST_OK);
	CHECK_EQ(to_group(1, NONCE + 1), NST_OK);
	nst_members_rekey(&members[2]);
	CHECK_EQ(to_group(2, NONCE), NST_DROP_REPLAYED);
	CHECK_EQ(to_group(2, NONCE + 1), NST_OK);
	CHECK_EQ(to_group(2, NONCE + 1), NST_DROP_REPLAYED);
	receiver_done();
}

/* More senders than a socket has windows for: never twice, and nothing is lost. */
TEST(nst_members_take__more_senders_than_windows)
{
	unsigned int s, n;

	receiver_begin(AGE);
	for (n = 0; n < 5; n++)
		for (s = 0; s < 2 * NST_MEMBERS_MAX; s++) {
			CHECK_EQ(to(&members[1], true, s, NONCE + n), NST_OK);
			CHECK_EQ(to(&members[2], true, s, NONCE + n), NST_OK);
			CHECK_EQ(members[1].nr, min(n ? ~0U : s + 1,
						    (unsigned int)NST_MEMBERS_MAX));
		}
	for (s = 0; s < 2 * NST_MEMBERS_MAX; s++)
		for (n = 0; n < 5; n++) {
			CHECK_EQ(to(&members[1], true, s, NONCE + n),
				 NST_DROP_REPLAYED);
			CHECK_EQ(to(&members[2], true, s, NONCE + n),
				 NST_DROP_REPLAYED);
		}
	receiver_done();
}

/* A window that goes for want of room costs other sessions nothing. */
TEST(nst_members_take__room_for_one_costs_no_other)
{
	unsigned int s;

	receiver_begin(AGE);
	for (s = 0; s < NST_MEMBERS_MAX; s++) {
		shim_boot_ns++;
		CHECK_EQ(to(&members[2], true, s, NONCE), NST_OK);
	}
	shim_boot_ns++;
	CHECK_EQ(to(&members[1], true, 1000, NONCE), NST_OK);
	CHECK_EQ(to(&members[1], true, 1001, NONCE), NST_OK);
	shim_boot_ns++;
	/* The first of these two takes the place of session 0's. */
	CHECK_EQ(to(&members[2], true, 1001, NONCE), NST_OK);
	CHECK_EQ(to(&members[2], true, 1000, NONCE), NST_OK);
	CHECK_EQ(to(&members[2], true, 1000, NONCE), NST_DROP_REPLAYED);
	CHECK_EQ(to(&members[2], true, 0, NONCE), NST_DROP_REPLAYED);
	receiver_done();
}

/* A record counts once, whoever takes a copy of it. */
TEST(nst_dgram_take__copies_are_no_records)
{
	struct nst_found found;
	unsigned int r;

	receiver_begin(AGE);
	for (r = 1; r < 50; r++)
		CHECK_EQ(to_group(r, NONCE), NST_OK);
	rcu_read_lock();
	NEED_EQ(nst_session_find(&conf, &dgram.hdr, &found), NST_OK);
	CHECK_EQ(found.ses->records, 1);
	rcu_read_unlock();
	receiver_done();
}

#define SENDERS	(NST_MEMBERS_MAX + 6)
#define NONCES	400

/* Any order of anything, beside a list of all that was taken. */
TEST(nst_members__random_history_has_no_replay)
{
	static bool for_all[SENDERS][NONCES], taken[SENDERS][NONCES][8];
	unsigned int i, s, n, r, got = 0, top = 1;

	receiver_begin(AGE);
	for (i = 0; i < 200000; i++) {
		bool group = test_random(4);
		enum nst_drop drop;

		if (!test_random(500))
			open_anew(test_random(8));
		if (!test_random(500))
			nst_members_rekey(&members[test_random(8)]);
		if (!test_random(500) && top < NONCES)
			top++;
		s = test_random(SENDERS);
		n = test_random(3) ? test_random(top) : top - 1;
		r = test_random(8);
		shim_boot_ns += test_random(2);
		drop = to(&members[r], group, s, NONCE + n);
		if (drop)
			continue;
		got++;
		/* A socket that was opened anew is another one, but gets nothing old. */
		if (!CHECK(!taken[s][n][r]) || !CHECK(!for_all[s][n]))
			test_abort();
		if (group)
			taken[s][n][r] = true;
		else
			for_all[s][n] = true;
	}
	CHECK(got > 20000);
	receiver_done();
}
