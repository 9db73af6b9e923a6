// SPDX-License-Identifier: GPL-2.0
/*
 * owner.c, forget.c: who holds too much has to do with less of his own, and nobody
 * else with less, whatever they share.
 */
#include <linux/user_namespace.h>
#include "core/forget.h"
#include "core/keyring.h"
#include "core/memory.h"
#include "core/owner.h"
#include "receiver.h"
#include "rings.h"

#define LIMIT	NST_SESSIONS_MIN
#define KEYS	4	/* of a box */
#define SHARED	1	/* the kid of a secret that several boxes have */
#define USERS	20
/* With the smallest settings: what an owner may hold, in sessions. */
#define HELD	(NST_OWNER_SECRETS * \
		 (LIMIT + NST_START_CACHE_MIN * NST_START_BYTES / \
		  NST_SESSION_BYTES))

static u16 epoch;

static void begin(void)
{
	receiver_begin(AGE);
	nn.udp_sessions_max = LIMIT;
	nn.start_cache_max = NST_START_CACHE_MIN;
	epoch = 0;
}

/* The box has the user's keys from @first on. */
static void fill(struct nst_keyring *ring, u64 user, u16 first)
{
	struct nst_box_entry entry[KEYS];
	unsigned int n = 0;
	u16 kid;

	for (kid = first; kid <= KEYS; kid++)
		entry[n++] = key_of(kid, NST_KEY_ACTIVE,
				    kid == SHARED ? 200 : user * 10 + kid);
	NEED_EQ(nst_keyring_replace(ring, entry, n), 0);
}

/* A box of the user: kid SHARED with the same secret for all, others his own. */
static struct nst_keyring *box_of(u64 user)
{
	struct nst_keyring *ring = rings_of(&nn, user);

	NEED(ring);
	fill(ring, user, SHARED);
	return ring;
}

/* A new session, whose first datagram is of @timestamp. */
static enum nst_drop fresh(struct nst_keyring *ring, u16 kid, u64 timestamp)
{
	conf.ring = ring;
	datagram(epoch++, NONCE, timestamp)->kid = kid;
	return attempt();
}

/* Sessions that an owner is charged for under a secret. */
static unsigned int charged(const struct nst_claim *claim)
{
	struct nst_session *ses;
	unsigned int n = 0;

	list_for_each_entry(ses, &nn.memories->sessions, all)
		n += ses->claim == claim;
	return n;
}

/* Is one of them that old? */
static bool has_session_of(const struct nst_claim *claim, u64 newest)
{
	struct nst_session *ses;

	list_for_each_entry(ses, &claim->sessions, mine)
		if (ses->newest == newest)
			return true;
	return false;
}

static void done(struct nst_keyring *ring)
{
	nst_keyring_put(ring);
}

static enum nst_drop start(struct nst_keyring *ring, u16 kid, u64 timestamp)
{
	struct nst_bounds bounds = nst_net_bounds(&nn);

	return nst_claim_take_start(ring_claim(ring, kid), timestamp, epoch++,
				    shim_real_ns, &bounds);
}

/* Who has too much loses his own of a secret that he shares, and of what is most. */
TEST(nst_memory_make_room__an_owners_own_sessions)
{
	struct nst_keyring *mine, *yours;
	u64 now = shim_real_ns - SEC;
	unsigned int i;

	begin();
	mine = box_of(1);
	yours = box_of(2);
	for (i = 0; i < 8; i++)
		CHECK_EQ(fresh(yours, SHARED, now++), NST_OK);
	for (i = 0; i < 4; i++)
		CHECK_EQ(fresh(mine, SHARED, now++), NST_OK);
	for (i = 0; i < 3 * LIMIT; i++) {
		CHECK_EQ(fresh(mine, 2 + i % 3, now++), NST_OK);
		CHECK(ring_claim(mine, 2)->owner->bytes <=
		      nst_net_bounds(&nn).owner_bytes);
	}
	CHECK_EQ(known(), 8 + HELD);
	/* Of what there is least, nothing has gone. */
	CHECK_EQ(charged(ring_claim(yours, SHARED)), 8);
	CHECK_EQ(charged(ring_claim(mine, SHARED)), 4);
	CHECK_EQ(ring_claim(mine, SHARED)->mem->sessions.floor, 0);
	done(mine);
	done(yours);
	receiver_done();
}

/*
 * Even if all that an owner has is of a secret that another one uses, too. He gives
 * of that one last, for it is the other's floor as well.
 */
TEST(nst_memory_make_room__nothing_of_others_in_a_shared_memory)
{
	struct nst_keyring *mine, *yours;
	u64 now = shim_real_ns - SEC;
	unsigned int i;

	begin();
	nn.udp_sessions_max = 1000;
	mine = box_of(1);
	yours = box_of(2);
	for (i = 0; i < 8; i++)
		CHECK_EQ(fresh(yours, SHARED, now++), NST_OK);
	for (i = 0; i < HELD; i++)
		CHECK_EQ(fresh(mine, SHARED, now++), NST_OK);
	nn.udp_sessions_max = LIMIT;
	for (i = 0; i < 100; i++)
		CHECK_EQ(fresh(mine, 2, now++), NST_OK);
	CHECK_EQ(charged(ring_claim(yours, SHARED)), 8);
	/* A new secret comes to an eighth before it has to give way itself. */
	CHECK_EQ(charged(ring_claim(mine, SHARED)), HELD - HELD / 8);
	CHECK_EQ(charged(ring_claim(mine, 2)), HELD / 8);
	CHECK_EQ(nst_stats_sum(nn.stats, NST_MIB_UDP_PUSHED), 108 + HELD - known());
	done(mine);
	done(yours);
	receiver_done();
}

/* The oldest of some candidates, though no secret of his has as many. */
TEST(nst_memory_make_room__candidates_of_several_secrets)
{
	struct nst_keyring *mine;
	u64 now = shim_real_ns;
	unsigned int i;

	begin();
	mine = box_of(1);
	for (i = 0; i < 12; i++)
		CHECK_EQ(fresh(mine, 2, now - SEC), NST_OK);
	for (i = 0; i < 11; i++)
		CHECK_EQ(fresh(mine, 3, now - 5 * SEC), NST_OK);
	for (i = 0; i < HELD - 23; i++)
		CHECK_EQ(fresh(mine, 4, now - SEC), NST_OK);
	for (i = 0; i < 3; i++)
		CHECK_EQ(fresh(mine, 1, now), NST_OK);
	CHECK_EQ(charged(ring_claim(mine, 3)), 8);
	CHECK_EQ(ring_claim(mine, 2)->mem->sessions.floor, 0);
	CHECK_EQ(ring_claim(mine, 4)->mem->sessions.floor, 0);
	done(mine);
	receiver_done();
}

/* STARTs that he gives way with are his own, whatever older ones are beside them. */
static void own_starts(bool idle)
{
	struct nst_keyring *mine, *yours;
	u64 now = shim_real_ns - SEC;
	struct nst_claim *claim;
	unsigned int i;

	begin();
	mine = box_of(1);
	yours = box_of(2);
	claim = ring_claim(yours, SHARED);
	nn.start_cache_max = 10000;
	for (i = 0; i < 1000; i++)
		CHECK_EQ(start(yours, SHARED, now++), NST_OK);
	for (i = 0; i < 1150; i++)
		CHECK_EQ(start(mine, SHARED, now++), NST_OK);
	nn.start_cache_max = NST_START_CACHE_MIN;
	CHECK(ring_claim(mine, SHARED)->bytes + NST_SESSION_BYTES >
	      nst_net_bounds(&nn).owner_bytes);
	if (idle) {
		fill(yours, 2, SHARED + 1);
		fill(mine, 1, SHARED + 1);
		CHECK_EQ(nn.memories->nr_idle, 1);
	}
	for (i = 0; i < LIMIT; i++)
		CHECK_EQ(fresh(mine, 2, now++), NST_OK);
	CHECK_EQ(claim->bytes, 1000 * NST_START_BYTES);
	done(mine);
	done(yours);
	receiver_done();
}

TEST(nst_memory_make_room__own_starts_of_a_shared_memory)
{
	own_starts(false);
}

TEST(nst_memory_make_room__own_starts_of_an_idle_memory)
{
	own_starts(true);
}

/* The clock was ahead, and an owner is full of that: a new key is the way out. */
TEST(nst_memory_make_room__a_new_key_after_the_clock_was_ahead)
{
	struct nst_keyring *mine;
	unsigned int i;
	u64 now;

	begin();
	mine = box_of(1);
	shim_real_ns += 3600 * SEC;
	for (i = 0; i < HELD; i++)
		CHECK_EQ(fresh(mine, 2 + i % 2, shim_real_ns), NST_OK);
	shim_real_ns -= 3600 * SEC;
	now = shim_real_ns - SEC;
	for (i = 0; i < 3 * LIMIT; i++)
		CHECK_EQ(fresh(mine, 4, now++), NST_OK);
	CHECK_EQ(charged(ring_claim(mine, 4)), LIMIT);
	CHECK(ring_claim(mine, 4)->mem->sessions.floor < now);
	CHECK(ring_claim(mine, 4)->owner->bytes <=
	      nst_net_bounds(&nn).owner_bytes);
	done(mine);
	receiver_done();
}

/*
 * Also where the old ones are in use: what is not older than the newcomer stays, and
 * hides nothing. What may go by the rule of every day goes before what would end a
 * secret's use.
 */
TEST(nst_memory_make_room__a_new_key_beside_old_ones_in_use)
{
	struct nst_keyring *mine;
	unsigned int i;
	u64 now;

	begin();
	mine = box_of(1);
	shim_real_ns += 3600 * SEC;
	for (i = 0; i < HELD - 3; i++)
		CHECK_EQ(fresh(mine, 2 + i % 2, shim_real_ns), NST_OK);
	shim_real_ns -= 3600 * SEC;
	now = shim_real_ns;
	for (i = 0; i < 3; i++)
		CHECK_EQ(fresh(mine, i ? 3 : 2, i < 2 ? now : now - 3 * SEC), NST_OK);
	/* The last is older than what comes. */
	CHECK_EQ(fresh(mine, 4, now - 2 * SEC), NST_OK);
	CHECK_EQ(ring_claim(mine, 3)->mem->sessions.floor, now - 3 * SEC);
	CHECK_EQ(ring_claim(mine, 2)->mem->sessions.floor, 0);
	/* Of the others none is. */
	for (i = 0; i < LIMIT; i++)
		CHECK_EQ(fresh(mine, 4, now - SEC + i), NST_OK);
	/* It may keep what is not much. */
	CHECK_EQ(charged(ring_claim(mine, 4)), HELD / 8);
	CHECK(ring_claim(mine, 4)->owner->bytes <=
	      nst_net_bounds(&nn).owner_bytes);
	/* They live still, whatever their floor. */
	for (i = 2; i <= 3; i++)
		CHECK(has_session_of(ring_claim(mine, i), now));
	done(mine);
	receiver_done();
}

/* So is one in the place of those, which no box has any more. */
TEST(nst_memory_make_room__rotated_after_the_clock_was_ahead)
{
	struct nst_keyring *mine;
	struct nst_box_entry entry = key_of(1, NST_KEY_ACTIVE, 99);
	unsigned int i;
	u64 now;

	begin();
	mine = box_of(1);
	/* Not so far that it could not be the sender's. */
	for (i = 0; i < HELD; i++)
		CHECK_EQ(fresh(mine, 2 + i % 2, shim_real_ns + 20 * SEC), NST_OK);
	now = shim_real_ns - SEC;
	CHECK_EQ(fresh(mine, 4, now), NST_DROP_OWNER_FULL);
	NEED_EQ(nst_keyring_replace(mine, &entry, 1), 0);
	for (i = 0; i < LIMIT; i++)
		CHECK_EQ(fresh(mine, 1, now + i), NST_OK);
	done(mine);
	receiver_done();
}

/* What is not older than the newcomer stays; then the newcomer goes. */
TEST(nst_memory_make_room__owner_full_of_what_is_newer)
{
	struct nst_keyring *mine;
	u64 now = shim_real_ns;
	unsigned int i;

	begin();
	mine = box_of(1);
	for (i = 0; i < HELD; i++)
		CHECK_EQ(fresh(mine, 1 + i % KEYS, now + 2 * SEC), NST_OK);
	CHECK_EQ(fresh(mine, 1, now + SEC), NST_DROP_OWNER_FULL);
	CHECK_EQ(fresh(mine, 1, now + 3 * SEC), NST_DROP_OWNER_FULL);
	CHECK_EQ(known(), HELD);
	CHECK_EQ(nst_stats_sum(nn.stats, NST_MIB_UDP_PUSHED), 0);
	/* A START is taken all the same, and in bounded memory. */
	for (i = 0; i < 3 * NST_START_CACHE_MIN; i++) {
		CHECK_EQ(start(mine, 1 + i % KEYS, now + i), NST_OK);
		CHECK(ring_claim(mine, 1)->owner->bytes <=
		      nst_net_bounds(&nn).owner_bytes);
	}
	CHECK_EQ(known(), HELD);
	/* Nor does one that is dated ahead push out what is newer than the clock. */
	for (i = 0; i < 3 * NST_START_CACHE_MIN; i++) {
		CHECK_EQ(start(mine, 1 + i % KEYS, now + 20 * SEC + i), NST_OK);
		CHECK(ring_claim(mine, 1)->owner->bytes <=
		      nst_net_bounds(&nn).owner_bytes);
	}
	CHECK_EQ(known(), HELD);
	CHECK(nst_stats_sum(nn.stats, NST_MIB_TCP_PUSHED) > 0);
	done(mine);
	receiver_done();
}

/* Of the fullest secret nothing may go: then of one that has something older. */
TEST(nst_memory_make_room__the_next_secret_gives_way)
{
	struct nst_keyring *mine;
	u64 now = shim_real_ns;
	unsigned int i;

	begin();
	mine = box_of(1);
	for (i = 0; i < LIMIT; i++)
		CHECK_EQ(fresh(mine, 2, now + 2 * SEC), NST_OK);
	for (i = 0; i < HELD - LIMIT; i++)
		CHECK_EQ(fresh(mine, 3 + i % 2, now - SEC), NST_OK);
	CHECK_EQ(fresh(mine, 1, now), NST_OK);
	CHECK_EQ(charged(ring_claim(mine, 2)), LIMIT);
	CHECK_EQ(known(), HELD);
	CHECK_EQ(nst_stats_sum(nn.stats, NST_MIB_UDP_PUSHED), 1);
	done(mine);
	receiver_done();
}

/* The same, where he has too much only because all together have. */
TEST(nst_memory_make_room__total_full_of_what_is_newer)
{
	struct nst_keyring *mine;
	struct nst_bounds bounds;
	u64 now = shim_real_ns;

	begin();
	mine = box_of(1);
	CHECK_EQ(fresh(mine, 1, now + 2 * SEC), NST_OK);
	CHECK_EQ(fresh(mine, 1, now + 2 * SEC), NST_OK);
	bounds = nst_net_bounds(&nn);
	bounds.total_bytes = 2 * NST_SESSION_BYTES;
	spin_lock_bh(&nn.memories->lock);
	CHECK_EQ(nst_memory_make_room(ring_claim(mine, 1), now + SEC, &bounds),
		 NST_DROP_TOTAL_FULL);
	spin_unlock_bh(&nn.memories->lock);
	CHECK_EQ(known(), 2);
	done(mine);
	receiver_done();
}

/* STARTs go for a session, and in one step. */
TEST(nst_memory_make_room__starts_give_way)
{
	struct nst_keyring *mine;
	u64 now = shim_real_ns - SEC;
	unsigned int i;

	begin();
	mine = box_of(1);
	nn.start_cache_max = 10000;
	for (i = 0; i < 2000; i++)
		CHECK_EQ(start(mine, 1, now + i), NST_OK);
	nn.start_cache_max = NST_START_CACHE_MIN;
	/* A bound that was lowered is not reached at once. */
	for (i = 0; i < 100 && fresh(mine, 2, now + 2000) != NST_OK; i++)
		;
	CHECK(i < 100);
	CHECK_EQ(fresh(mine, 2, now + 2001), NST_OK);
	CHECK_EQ(known(), 2);
	CHECK_EQ(ring_claim(mine, 1)->mem->sessions.floor, 0);
	done(mine);
	receiver_done();
}

/*
 * Strangers who hold all that there is, with sessions that their own newcomers may
 * not push out, keep nobody else from having some.
 */
TEST(nst_memory_make_room__who_holds_most_gives_way)
{
	struct nst_keyring *evil[NST_OWNERS_FULL + 1], *mine;
	u64 now = shim_real_ns, bytes;
	unsigned int i, k;

	begin();
	mine = box_of(1);
	for (k = 0; k <= NST_OWNERS_FULL; k++) {
		evil[k] = box_of(3 + k);
		for (i = 0; i < HELD; i++)
			fresh(evil[k], 2 + i % 3, now + 20 * SEC);
	}
	bytes = nn.memories->bytes;
	CHECK(bytes + NST_SESSION_BYTES > nst_net_bounds(&nn).total_bytes);
	for (i = 0; i < LIMIT; i++)
		CHECK_EQ(fresh(mine, 2, now + i), NST_OK);
	CHECK(nn.memories->bytes <= nst_net_bounds(&nn).total_bytes);
	CHECK_EQ(ring_claim(mine, 2)->mem->sessions.floor, 0);
	/* Who holds as much as all the others does not push them out. */
	CHECK(fresh(evil[0], 2, now + 19 * SEC) != NST_OK);
	CHECK_EQ(charged(ring_claim(mine, 2)), LIMIT);
	for (k = 0; k <= NST_OWNERS_FULL; k++)
		done(evil[k]);
	done(mine);
	receiver_done();
}

/* A memory that no box needs is paid for by who has something in it. */
TEST(nst_memory_make_room__idle_memory_of_two)
{
	struct nst_keyring *mine, *yours;
	struct nst_claim *claim;
	u64 now = shim_real_ns - SEC;
	unsigned int i;

	begin();
	mine = box_of(1);
	yours = box_of(2);
	claim = ring_claim(yours, SHARED);
	for (i = 0; i < 8; i++)
		CHECK_EQ(fresh(yours, SHARED, now++), NST_OK);
	fill(yours, 2, SHARED + 1);
	fill(mine, 1, SHARED + 1);
	shim_work_run();
	CHECK_EQ(nn.memories->nr_idle, 1);
	CHECK(claim->mem->payer != claim);
	for (i = 0; i < 3 * LIMIT; i++)
		CHECK_EQ(fresh(mine, 2 + i % 3, now++), NST_OK);
	CHECK_EQ(charged(claim), 8);
	CHECK(claim->mem->payer == claim);
	CHECK_EQ(claim->bytes, 8 * NST_SESSION_BYTES + NST_MEMORY_BYTES);
	/* It goes first when its payer needs room, and leaves its floor. */
	for (i = 0; i < 3 * LIMIT; i++)
		CHECK_EQ(fresh(yours, 2 + i % 3, now++), NST_OK);
	CHECK_EQ(nn.memories->nr_idle, 0);
	done(mine);
	done(yours);
	receiver_done();
}

/* Many keys of a user that was used for one START each. */
#define MANY	1170

/* He lets them all go at once, and is charged for what is kept of them. */
static void let_many_go(u64 user)
{
	struct nst_box_entry entry = key_of(1, NST_KEY_ACTIVE, 201);
	static struct nst_keyring *ring[MANY];
	u64 now = shim_real_ns - SEC;
	u32 i;

	for (i = 0; i < MANY; i++) {
		ring[i] = rings_of(&nn, user);
		NEED(ring[i]);
		memcpy(entry.secret, &i, sizeof(i));
		NEED_EQ(nst_keyring_replace(ring[i], &entry, 1), 0);
		CHECK_EQ(start(ring[i], 1, now + i), NST_OK);
	}
	for (i = 0; i < MANY; i++)
		done(ring[i]);
}

/* What he holds too much of then, he loses, but not what boxes still need. */
TEST(nst_memories_shed__many_keys_let_go)
{
	struct nst_keyring *mine, *his;
	u64 now = shim_real_ns - SEC;
	struct nst_bounds bounds;
	unsigned int i;

	begin();
	bounds = nst_net_bounds(&nn);
	mine = box_of(1);
	his = box_of(2);
	for (i = 0; i < 8; i++) {
		CHECK_EQ(fresh(mine, 2, now + i), NST_OK);
		CHECK_EQ(start(his, 2, now + i), NST_OK);
	}
	let_many_go(2);
	CHECK(ring_claim(his, 2)->owner->bytes > 2 * bounds.owner_bytes);
	nst_memories_shed(nn.memories, &bounds);
	CHECK(ring_claim(his, 2)->owner->bytes <= bounds.owner_bytes);
	CHECK(nn.memories->nr_idle > 0);
	CHECK_EQ(charged(ring_claim(mine, 2)), 8);
	CHECK_EQ(ring_claim(his, 2)->mem->starts.nr, 8);
	done(mine);
	done(his);
	receiver_done();
}

/* Nobody else is refused for it, not even before. */
TEST(nst_memory_make_room__another_lets_many_keys_go)
{
	struct nst_keyring *mine;
	u64 now = shim_real_ns - SEC;
	u64 bytes;
	unsigned int i;

	begin();
	mine = box_of(1);
	let_many_go(2);
	bytes = nn.memories->bytes;
	CHECK(bytes > nst_net_bounds(&nn).total_bytes);
	for (i = 0; i < 8; i++)
		CHECK_EQ(fresh(mine, 2, now + i), NST_OK);
	CHECK_EQ(known(), 8);
	CHECK(nn.memories->bytes < bytes);
	done(mine);
	receiver_done();
}

static bool look_for(u64 id, struct nst_owner_look *look)
{
	unsigned int at[2] = {}, times = 0;
	struct nst_owner_look each;

	while (nst_owner_look(nn.memories, at, &each)) {
		if (each.id != id)
			continue;
		*look = each;
		times++;
	}
	CHECK(times <= 1);
	return times;
}

/* What is told of an owner is what he holds. */
TEST(nst_owner_look__each_once)
{
	struct nst_keyring *ring[USERS];
	struct nst_owner_look look;
	u64 now = shim_real_ns;
	unsigned int i, k;

	begin();
	for (i = 0; i < USERS; i++) {
		ring[i] = box_of(i);
		for (k = 0; k < i % 5; k++)
			CHECK_EQ(fresh(ring[i], 2, now), NST_OK);
		for (k = 0; k < i % 7; k++)
			CHECK_EQ(start(ring[i], 3, now + k), NST_OK);
	}
	for (i = 0; i < USERS; i++) {
		fill(ring[i], i, 3);
		shim_work_run();
		NEED(look_for(i, &look));
		CHECK_EQ(look.sessions, i % 5);
		CHECK_EQ(look.starts, i % 7);
		CHECK_EQ(look.floors, 0);
		CHECK_EQ(look.bytes, i % 5 * NST_SESSION_BYTES +
			 i % 7 * NST_START_BYTES +
			 (i % 5 ? NST_MEMORY_BYTES : 0));
	}
	shim_real_ns += 100 * SEC;
	shim_boot_ns += 100 * SEC;
	expire();
	for (i = 0; i < USERS; i++) {
		NEED(look_for(i, &look));
		CHECK_EQ(look.sessions, 0);
		CHECK_EQ(look.floors, i % 5 ? 1 : 0);
		CHECK_EQ(look.bytes, i % 7 * NST_START_BYTES);
		done(ring[i]);
	}
	CHECK(look_for(NST_OWNER_NETNS, &look));
	CHECK_EQ(look.bytes, 0);
	CHECK(!look_for(USERS, &look));
	receiver_done();
}

/* 65,536 subordinate ids are one owner; so are those of what he nests. */
TEST(nst_owner_id__subordinate_ids)
{
	struct user_namespace host = { .owner = { 0 } };
	struct user_namespace user = { .parent = &host, .owner = { 1000 } };
	struct user_namespace nested = { .parent = &user };
	struct user_namespace other = { .parent = &host, .owner = { 7 } };
	u32 id;

	for (id = 100000; id < 100000 + 65536; id++) {
		CHECK_EQ(nst_owner_id(&host, &user, (kuid_t){ id }), 1000);
		nested.owner.val = id;
		CHECK_EQ(nst_owner_id(&host, &nested, (kuid_t){ id + 1 }),
			 1000);
		/* In a namespace of his own he tells them apart. */
		CHECK_EQ(nst_owner_id(&user, &user, (kuid_t){ id }), id);
		CHECK_EQ(nst_owner_id(&user, &nested, (kuid_t){ 5 }), id);
	}
	CHECK_EQ(nst_owner_id(&host, &host, (kuid_t){ 1001 }), 1001);
	/* From outside. */
	CHECK_EQ(nst_owner_id(&user, &host, (kuid_t){ 0 }), 0);
	CHECK_EQ(nst_owner_id(&user, &other, (kuid_t){ 9 }), 9);
}
