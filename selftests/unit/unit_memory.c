// SPDX-License-Identifier: GPL-2.0
/*
 * memory.c, owner.c: nothing is taken twice under a secret, whoever holds it, and
 * no stranger changes what is taken. unit_memory_model.c has the random histories.
 */
#include <linux/ktime.h>
#include <linux/nst.h>
#include <linux/slab.h>
#include <shim/test.h>
#include "core/claim.h"
#include "core/forget.h"
#include "core/memory.h"
#include "core/owner.h"
#include "core/upkeep.h"
#include "limits.h"

#define SEC	((u64)NSEC_PER_SEC)
#define WINDOW	(30 * SEC)

static struct nst_memories *set;
static struct nst_now now;
static struct nst_bounds bounds;
static unsigned int woken, unsettled;

static struct nst_stats stats;

static void wake(void *arg, enum nst_wake what)
{
	CHECK(arg == &woken);
	if (what == NST_WAKE_EXPIRE)
		woken++;
	else if (what == NST_WAKE_PARK)
		unsettled++;
}

static void begin(u64 age)
{
	now.real = 1000000 * SEC;
	now.boot = 1000000000 * SEC;
	bounds = (struct nst_bounds){
		.window = WINDOW, .starts = 16, .sessions = 16,
		.owner_bytes = ~0ULL, .total_bytes = ~0ULL,
	};
	woken = unsettled = 0;
	set = nst_memories_alloc(now.boot - age, &stats, wake, &woken);
	NEED(set);
}

static void done(void)
{
	nst_memories_close(set);
}

/* The user's box has secret number @n. */
static struct nst_claim *hold(u64 user, u32 n)
{
	struct nst_owner *owner = nst_owner_get(set, user);
	u8 secret[NST_KEY_SIZE] = {};
	struct nst_claim *claim;

	NEED(owner);
	memcpy(secret, &n, sizeof(n));
	claim = nst_claim_new(owner, secret);
	NEED(claim);
	nst_owner_put(owner);
	return claim;
}

static void drop(struct nst_claim *claim)
{
	nst_claim_release(claim, now.boot);
	nst_claim_put(claim);
}

static enum nst_drop judge(struct nst_claim *claim, u64 timestamp)
{
	return nst_claim_judge_start(claim, timestamp, &now, bounds.window);
}

static enum nst_drop take(struct nst_claim *claim, u64 timestamp, u64 nonce)
{
	return nst_claim_take_start(claim, timestamp, nonce, now.real, &bounds);
}

static void expire(void)
{
	nst_memories_expire(set, &now, &bounds);
}

static void pass(u64 ns)
{
	now.real += ns;
	now.boot += ns;
}

TEST(nst_now_judge__window)
{
	begin(3600 * SEC);
	CHECK_EQ(nst_now_judge(&now, now.real, WINDOW, 0), NST_OK);
	CHECK_EQ(nst_now_judge(&now, now.real - WINDOW, WINDOW, 0), NST_OK);
	CHECK_EQ(nst_now_judge(&now, now.real - WINDOW - 1, WINDOW, 0),
		 NST_DROP_TIME_PAST);
	CHECK_EQ(nst_now_judge(&now, now.real + WINDOW, WINDOW, 0), NST_OK);
	CHECK_EQ(nst_now_judge(&now, now.real + WINDOW + 1, WINDOW, 0),
		 NST_DROP_TIME_FUTURE);
	CHECK_EQ(nst_now_judge(&now, 0, WINDOW, 0), NST_DROP_TIME_PAST);
	CHECK_EQ(nst_now_judge(&now, ~0ULL, WINDOW, 0), NST_DROP_TIME_FUTURE);
	CHECK_EQ(nst_now_judge(&now, 1ULL << 63, WINDOW, 0),
		 NST_DROP_TIME_FUTURE);
	done();
}

/* A clock near either end of its range must not wrap. */
TEST(nst_now_judge__window_at_the_ends_of_time)
{
	struct nst_now n = { .real = 10 * SEC, .boot = 3600 * SEC };

	CHECK_EQ(nst_now_judge(&n, 1, WINDOW, 0), NST_OK);
	CHECK_EQ(nst_now_judge(&n, 40 * SEC, WINDOW, 0), NST_OK);
	CHECK_EQ(nst_now_judge(&n, 40 * SEC + 1, WINDOW, 0),
		 NST_DROP_TIME_FUTURE);
	n.real = ~0ULL - 10 * SEC;
	CHECK_EQ(nst_now_judge(&n, ~0ULL, WINDOW, 0), NST_OK);
	CHECK_EQ(nst_now_judge(&n, n.real - WINDOW - 1, WINDOW, 0),
		 NST_DROP_TIME_PAST);
}

TEST(nst_claim_judge_start__older_than_the_namespace)
{
	struct nst_claim *claim;

	begin(10 * SEC);
	claim = hold(1, 1);
	CHECK_EQ(judge(claim, now.real - 10 * SEC + 1), NST_OK);
	CHECK_EQ(judge(claim, now.real - 10 * SEC), NST_DROP_CACHE_AGE);
	CHECK_EQ(judge(claim, now.real + 1), NST_OK);
	CHECK_EQ(judge(claim, now.real - 31 * SEC), NST_DROP_TIME_PAST);
	drop(claim);
	done();
}

/* A box that is set now is as good as one that was always there. */
TEST(nst_claim_judge_start__a_new_box_is_not_young)
{
	struct nst_claim *claim;

	begin(3600 * SEC);
	claim = hold(1, 1);
	CHECK_EQ(judge(claim, now.real - 29 * SEC), NST_OK);
	drop(claim);
	done();
}

TEST(nst_memories_cloned__the_age_begins_anew)
{
	struct nst_claim *claim;

	begin(3600 * SEC);
	claim = hold(1, 1);
	nst_memories_cloned(now.boot - 5 * SEC);
	CHECK_EQ(judge(claim, now.real - 5 * SEC + 1), NST_OK);
	CHECK_EQ(judge(claim, now.real - 5 * SEC), NST_DROP_CACHE_AGE);
	nst_memories_cloned(0);
	drop(claim);
	done();
}

TEST(nst_claim_take_start__once_whoever_holds_the_secret)
{
	struct nst_claim *mine, *yours, *other;

	begin(3600 * SEC);
	mine = hold(1, 1);
	yours = hold(2, 1);
	other = hold(2, 2);
	CHECK_EQ(take(mine, now.real, 7), NST_OK);
	CHECK_EQ(take(mine, now.real, 7), NST_DROP_REPLAYED);
	CHECK_EQ(take(yours, now.real, 7), NST_DROP_REPLAYED);
	CHECK_EQ(take(other, now.real, 7), NST_OK);
	drop(mine);
	CHECK_EQ(take(yours, now.real, 7), NST_DROP_REPLAYED);
	drop(yours);
	drop(other);
	done();
}

/* 2,068 STARTs of one user made everybody else's ESTALE. */
TEST(nst_claim_take_start__a_stranger_raises_no_floor)
{
	struct nst_claim *evil, *mine;
	unsigned int i;

	begin(3600 * SEC);
	mine = hold(1, 1);
	evil = hold(2, 2);
	CHECK_EQ(take(mine, now.real - SEC, 1), NST_OK);
	for (i = 0; i < 5000; i++)
		CHECK_EQ(take(evil, now.real + 29 * SEC + i, 0), NST_OK);
	CHECK_EQ(judge(mine, now.real - 2 * SEC), NST_OK);
	CHECK_EQ(take(mine, now.real - 2 * SEC, 1), NST_OK);
	CHECK_EQ(take(mine, now.real - SEC, 1), NST_DROP_REPLAYED);
	drop(mine);
	drop(evil);
	done();
}

TEST(nst_claim_take_start__what_is_full_forgets_its_oldest)
{
	struct nst_claim *claim;
	unsigned int i;

	begin(3600 * SEC);
	claim = hold(1, 1);
	for (i = 0; i < 20; i++)
		CHECK_EQ(take(claim, now.real + i, 7), NST_OK);
	CHECK_EQ(claim->mem->starts.nr, 16);
	CHECK_EQ(claim->mem->starts.floor, now.real + 3);
	CHECK_EQ(judge(claim, now.real + 3), NST_DROP_CACHE_FLOOR);
	CHECK_EQ(take(claim, now.real + 3, 8), NST_DROP_CACHE_FLOOR);
	CHECK_EQ(take(claim, now.real + 4, 8), NST_OK);
	bounds.starts = 2;
	CHECK_EQ(take(claim, now.real + 30, 8), NST_OK);
	CHECK_EQ(claim->mem->starts.nr, 2);
	drop(claim);
	done();
}

/* The one that is taken may be the oldest: taken, and forgotten at once. */
TEST(nst_claim_take_start__the_new_one_is_the_oldest)
{
	struct nst_claim *claim;
	unsigned int i;

	begin(3600 * SEC);
	claim = hold(1, 1);
	for (i = 0; i < 16; i++)
		CHECK_EQ(take(claim, now.real + i, 0), NST_OK);
	CHECK_EQ(take(claim, now.real - 5, 0), NST_OK);
	CHECK_EQ(take(claim, now.real - 5, 0), NST_DROP_CACHE_FLOOR);
	drop(claim);
	done();
}

TEST(nst_claim_take_start__without_memory)
{
	struct nst_claim *claim;

	begin(3600 * SEC);
	claim = hold(1, 1);
	CHECK_EQ(take(claim, now.real, 0), NST_OK);
	shim_fail_at(1);
	CHECK_EQ(take(claim, now.real, 1), NST_DROP_NOMEM);
	CHECK(shim_fail_hit());
	CHECK_EQ(claim->mem->starts.floor, 0);
	CHECK_EQ(take(claim, now.real, 0), NST_DROP_REPLAYED);
	CHECK_EQ(take(claim, now.real, 1), NST_OK);
	drop(claim);
	done();
}

/* The key left the box between judgement and authentication. */
TEST(nst_claim_take_start__no_box_has_the_secret_any_more)
{
	struct nst_claim *claim;

	begin(3600 * SEC);
	claim = hold(1, 1);
	nst_claim_release(claim, now.boot);
	CHECK_EQ(take(claim, now.real, 0), NST_DROP_NO_KID);
	nst_claim_put(claim);
	done();
}

TEST(nst_claim_new__each_allocation_fails)
{
	struct nst_owner *owner;
	u8 secret[NST_KEY_SIZE] = {};
	unsigned int n;

	begin(3600 * SEC);
	owner = nst_owner_get(set, 1);
	for (n = 1; n <= 2; n++) {
		shim_fail_at(n);
		CHECK(!nst_claim_new(owner, secret));
		CHECK(shim_fail_hit());
	}
	shim_fail_at(1);
	CHECK(!nst_owner_get(set, 2));
	CHECK(shim_fail_hit());
	nst_owner_put(owner);
	done();
}

TEST(nst_memories_silence__nobody_is_woken)
{
	struct nst_claim *claim;

	begin(3600 * SEC);
	claim = hold(1, 1);
	CHECK_EQ(take(claim, now.real, 0), NST_OK);
	nst_memories_silence(set);
	drop(claim);
	CHECK_EQ(set->nr_idle, 1);
	CHECK_EQ(woken, 0);
	done();
}

TEST(nst_claim_release__the_memory_lives_on_for_two_windows)
{
	struct nst_claim *claim;
	u64 taken;

	begin(3600 * SEC);
	claim = hold(1, 1);
	taken = now.real;
	CHECK_EQ(take(claim, taken, 0), NST_OK);
	drop(claim);
	CHECK_EQ(woken, 1);
	CHECK_EQ(set->nr_idle, 1);
	pass(2 * WINDOW - 1);
	CHECK(nst_memories_expire(set, &now, &bounds));
	pass(1);
	CHECK(!nst_memories_expire(set, &now, &bounds));
	CHECK_EQ(set->bytes, 0);
	/* It has left its newest timestamp, whatever the clock says then. */
	now.real = taken;
	claim = hold(1, 1);
	CHECK_EQ(judge(claim, taken), NST_DROP_CACHE_FLOOR);
	CHECK_EQ(judge(claim, taken + 1), NST_OK);
	drop(claim);
	done();
}

/* The clock was set back: the newest timestamp is not old yet. */
TEST(nst_memories_expire__not_before_its_newest_is_old)
{
	struct nst_claim *claim;

	begin(3600 * SEC);
	claim = hold(1, 1);
	CHECK_EQ(take(claim, now.real, 0), NST_OK);
	drop(claim);
	now.boot += 100 * WINDOW;
	CHECK(nst_memories_expire(set, &now, &bounds));
	now.real += WINDOW;
	CHECK(nst_memories_expire(set, &now, &bounds));
	now.real += 1;
	CHECK(!nst_memories_expire(set, &now, &bounds));
	done();
}

TEST(nst_claim_new__a_box_that_comes_back_finds_everything)
{
	struct nst_claim *claim;

	begin(3600 * SEC);
	claim = hold(1, 1);
	CHECK_EQ(take(claim, now.real, 0), NST_OK);
	drop(claim);
	pass(WINDOW);
	claim = hold(2, 1);
	CHECK_EQ(set->nr_idle, 0);
	pass(10 * WINDOW);
	expire();
	now.real -= 11 * WINDOW;
	CHECK_EQ(take(claim, now.real, 0), NST_DROP_REPLAYED);
	CHECK_EQ(take(claim, now.real - 1, 0), NST_OK);
	drop(claim);
	done();
}

/* Nothing was taken under it: no trace. */
TEST(nst_claim_release__an_unused_secret_has_no_past)
{
	struct nst_claim *claim;

	begin(3600 * SEC);
	claim = hold(1, 1);
	drop(claim);
	CHECK_EQ(set->nr_idle, 0);
	CHECK_EQ(woken, 0);
	claim = hold(1, 1);
	CHECK_EQ(judge(claim, now.real - WINDOW), NST_OK);
	drop(claim);
	done();
}

/* Takes one START at the clock's time under the secret, and lets it end. */
static void use_up(u64 user, u32 n)
{
	struct nst_claim *claim = hold(user, n);

	CHECK_EQ(take(claim, now.real, n), NST_OK);
	drop(claim);
	pass(3 * WINDOW);
	expire();
}

TEST(nst_owner_leave__at_least_1024)
{
	CHECK(NST_LEFT_MAX >= 1024);
	begin(3600 * SEC);
	CHECK_EQ(set->left_max, NST_LEFT_MAX);
	done();
}

/* What is given up is a floor of all that this owner makes, and of no other. */
TEST(nst_owner_leave__gives_the_lowest_up)
{
	u64 first = 0, second = 0;
	struct nst_claim *claim;
	unsigned int i;

	begin(3600 * SEC);
	set->left_max = 4;
	for (i = 0; i < 6; i++) {
		if (!i)
			first = now.real;
		if (i == 1)
			second = now.real;
		use_up(1, i);
	}
	now.real = first;
	/* Another's new memory; this one's; one that it keeps a floor of. */
	claim = hold(2, 100);
	CHECK_EQ(judge(claim, first), NST_OK);
	drop(claim);
	claim = hold(1, 100);
	now.real = second;
	CHECK_EQ(judge(claim, second), NST_DROP_CACHE_FLOOR);
	CHECK_EQ(judge(claim, second + 1), NST_OK);
	CHECK_EQ(take(claim, second + 1, 0), NST_OK);
	drop(claim);
	claim = hold(1, 2);
	CHECK_EQ(judge(claim, second + 1), NST_DROP_CACHE_FLOOR);
	drop(claim);
	/* Another owner, who never held the secret whose floor was given up. */
	claim = hold(2, 1);
	CHECK_EQ(judge(claim, second), NST_OK);
	drop(claim);
	done();
}

/* All who held the secret keep its floor. */
TEST(nst_memories_expire__leaves_to_each_owner)
{
	struct nst_claim *mine, *yours, *third;
	unsigned int i;
	u64 taken;

	begin(3600 * SEC);
	set->left_max = 2;
	taken = now.real;
	mine = hold(1, 1);
	yours = hold(2, 1);
	CHECK_EQ(take(mine, taken, 0), NST_OK);
	drop(mine);
	pass(10 * WINDOW);
	drop(yours);
	pass(10 * WINDOW);
	expire();
	CHECK_EQ(set->nr_idle, 0);
	for (i = 10; i < 13; i++)
		use_up(1, i);
	now.real = taken;
	/* The first gave it up; the other has it for everybody. */
	third = hold(3, 1);
	CHECK_EQ(judge(third, taken), NST_DROP_CACHE_FLOOR);
	drop(third);
	done();
}

/* One owner's bytes are his own to lose. */
TEST(nst_claim_take_start__an_owner_over_his_bytes_loses_his_own)
{
	struct nst_claim *a, *b, *mine;
	unsigned int i;

	begin(3600 * SEC);
	bounds.starts = 100000;
	bounds.owner_bytes = 100 * NST_START_BYTES;
	mine = hold(1, 1);
	a = hold(2, 2);
	b = hold(2, 3);
	for (i = 0; i < 50; i++)
		CHECK_EQ(take(mine, now.real + i, 0), NST_OK);
	for (i = 0; i < 200; i++) {
		CHECK_EQ(take(a, now.real + i, 0), NST_OK);
		CHECK_EQ(take(b, now.real + i, 0), NST_OK);
	}
	CHECK(a->owner->bytes <= bounds.owner_bytes);
	CHECK_EQ(mine->owner->bytes, 50 * NST_START_BYTES);
	CHECK_EQ(mine->mem->starts.floor, 0);
	/* Nothing was taken twice for that. */
	for (i = 0; i < 200; i++)
		CHECK(take(a, now.real + i, 0));
	drop(mine);
	drop(a);
	drop(b);
	done();
}

/* The namespace is full: who holds most gives way, not who comes. */
TEST(nst_claim_take_start__who_holds_most_gives_way)
{
	struct nst_claim *big, *mine;
	unsigned int i;

	begin(3600 * SEC);
	bounds.starts = 100000;
	bounds.total_bytes = 100 * NST_START_BYTES;
	mine = hold(1, 1);
	big = hold(2, 2);
	for (i = 0; i < 100; i++)
		CHECK_EQ(take(big, now.real + i, 0), NST_OK);
	for (i = 0; i < 40; i++)
		CHECK_EQ(take(mine, now.real + i, 0), NST_OK);
	CHECK_EQ(set->bytes, bounds.total_bytes);
	CHECK_EQ(mine->bytes, 40 * NST_START_BYTES);
	CHECK_EQ(mine->mem->starts.floor, 0);
	CHECK_EQ(big->mem->starts.floor, now.real + 39);
	drop(mine);
	drop(big);
	done();
}

/* Memories that no box needs go first, and leave the same behind. */
TEST(nst_claim_take_start__idle_memories_go_first)
{
	struct nst_claim *live, *idle;
	u64 taken;

	begin(3600 * SEC);
	idle = hold(1, 1);
	live = hold(1, 2);
	taken = now.real;
	CHECK_EQ(take(live, taken, 0), NST_OK);
	CHECK_EQ(take(idle, taken, 0), NST_OK);
	drop(idle);
	bounds.owner_bytes = 2 * NST_START_BYTES;
	CHECK_EQ(take(live, taken, 1), NST_OK);
	CHECK_EQ(set->nr_idle, 0);
	CHECK_EQ(live->mem->starts.nr, 2);
	idle = hold(1, 1);
	CHECK_EQ(judge(idle, taken), NST_DROP_CACHE_FLOOR);
	drop(idle);
	drop(live);
	done();
}

/* Many memories end in steps, and nothing of them is left in memory. */
TEST(nst_memories_expire__many)
{
	struct nst_claim *claim;
	unsigned int i;

	begin(3600 * SEC);
	set->left_max = 1;
	for (i = 0; i < 1000; i++) {
		claim = hold(1, i);
		CHECK_EQ(take(claim, now.real, i), NST_OK);
		CHECK_EQ(take(claim, now.real, i + 1), NST_OK);
		drop(claim);
	}
	CHECK_EQ(set->nr_idle, 1000);
	pass(3 * WINDOW);
	CHECK(!nst_memories_expire(set, &now, &bounds));
	CHECK_EQ(set->bytes, 0);
	done();
}

/* However many there are, each is found again, and nothing is left of those that go. */
TEST(nst_claim_new__many_secrets)
{
	enum { MANY = 20000 };
	struct nst_claim **claim = kcalloc(MANY, sizeof(*claim), GFP_KERNEL);
	u32 i, n;

	NEED(claim);
	begin(86400 * SEC);
	for (i = 0; i < MANY; i++)
		claim[i] = hold(i % 7, i);
	for (i = 0; i < MANY; i += 13)
		CHECK(hold(i % 7, i) == claim[i]);
	for (i = 0; i < MANY; i += 13)
		drop(claim[i]);
	/* In another order than they came. */
	for (i = 0, n = 0; i < MANY; i++, n = (n + 7919) % MANY)
		drop(claim[n]);
	CHECK(RB_EMPTY_ROOT(&set->memory));
	kfree(claim);
	done();
}

/* Keyrings outlive their namespace: an old box waits for its readers. */
TEST(nst_memories_close__before_the_last_claim)
{
	struct nst_claim *claim, *other;

	begin(3600 * SEC);
	claim = hold(1, 1);
	other = hold(2, 1);
	CHECK_EQ(take(claim, now.real, 0), NST_OK);
	done();
	CHECK_EQ(take(claim, now.real, 1), NST_DROP_NO_KID);
	nst_claim_hold(claim);
	nst_claim_release(claim, now.boot);
	drop(claim);
	drop(other);
}

/* --- many owners of one secret -------------------------------------------- */

#define MANY	500

/* How many floors owners keep, all together. */
static unsigned int floors(void)
{
	struct nst_owner_look look;
	unsigned int at[2] = {}, n = 0;

	while (nst_owner_look(set, at, &look))
		n += look.floors;
	return n;
}

/* What was taken at @then is refused to each of them. */
static void refused_to_all(u64 then)
{
	struct nst_claim *claim;
	unsigned int i;

	for (i = 0; i < MANY; i += 7) {
		claim = hold(100 + i, 7);
		CHECK_EQ(judge(claim, then), NST_DROP_CACHE_FLOOR);
		CHECK_EQ(judge(claim, then + 1), NST_OK);
		drop(claim);
	}
}

/* A step under the lock is bounded, and what is left to do changes no answer. */
TEST(nst_memories_settle__many_owners_of_one_secret)
{
	struct nst_claim *claim[MANY];
	unsigned int i;
	u64 then;

	begin(3600 * SEC);
	then = now.real;
	for (i = 0; i < MANY; i++)
		claim[i] = hold(100 + i, 7);
	CHECK_EQ(take(claim[3], then, 1), NST_OK);
	for (i = 0; i < MANY; i++)
		drop(claim[i]);
	pass(3 * WINDOW);
	expire();
	CHECK_EQ(floors(), NST_SETTLE_STEP);
	CHECK_EQ(unsettled, 1);
	now.real = then;
	refused_to_all(then);
	nst_memories_settle(set);
	CHECK_EQ(floors(), MANY);
	refused_to_all(then);
	/* It begins anew, and knows itself what they have kept. */
	claim[0] = hold(100, 7);
	CHECK_EQ(take(claim[0], then + 1, 1), NST_OK);
	CHECK_EQ(floors(), MANY - NST_SETTLE_STEP);
	CHECK_EQ(unsettled, 2);
	refused_to_all(then);
	nst_memories_settle(set);
	CHECK_EQ(floors(), 0);
	refused_to_all(then);
	drop(claim[0]);
	done();
}

#define OWNERS	80
#define SECRETS	3
#define TAKEN	3000

static struct nst_claim *held[OWNERS][SECRETS];

static struct {
	unsigned int secret;
	u64 timestamp;
	u64 nonce;
} taken[TAKEN];

static enum nst_drop try(struct nst_claim *claim, u64 timestamp, u64 nonce)
{
	return judge(claim, timestamp) ?: take(claim, timestamp, nonce);
}

static void change_boxes(unsigned int owner, unsigned int n)
{
	if (held[owner][n]) {
		drop(held[owner][n]);
		held[owner][n] = NULL;
	} else {
		held[owner][n] = hold(100 + owner, n);
	}
}

static void drop_all(void)
{
	unsigned int i;

	for (i = 0; i < OWNERS * SECRETS; i++)
		if (held[i % OWNERS][i / OWNERS])
			change_boxes(i % OWNERS, i / OWNERS);
}

/* Up to two windows. */
static u64 some_time(void)
{
	return (u64)test_random(2 * NST_TIME_WINDOW * 1000) * NSEC_PER_MSEC;
}

static void clocks_go_on(void)
{
	pass(test_random(50) ? test_random(SEC) : some_time());
	if (!test_random(20))
		now.real += some_time() - WINDOW;
	if (!test_random(10))
		expire();
	if (!test_random(10))
		nst_memories_settle(set);
}

/* Whenever the others are told. */
TEST(nst_memories_settle__nothing_is_taken_twice)
{
	unsigned int i, k, n, nr = 0, again = 0;
	struct nst_claim *claim;

	begin(3600 * SEC);
	for (i = 0; i < 200000 && nr < TAKEN; i++) {
		clocks_go_on();
		n = test_random(SECRETS);
		k = test_random(OWNERS);
		change_boxes(k, n);
		if (!test_random(200)) {
			drop_all();
			pass(2 * WINDOW + some_time());
			expire();
		}
		claim = held[k][n];
		if (!claim)
			continue;
		if (nr && test_random(2)) {
			k = test_random(nr);
			if (taken[k].secret == n)
				again += try(claim, taken[k].timestamp,
					     taken[k].nonce) == NST_OK;
			continue;
		}
		taken[nr].secret = n;
		taken[nr].timestamp = now.real + some_time() - WINDOW;
		taken[nr].nonce = i;
		nr += try(claim, taken[nr].timestamp, i) == NST_OK;
	}
	CHECK(nr > 500);
	CHECK(unsettled > 20);
	CHECK_EQ(again, 0);
	drop_all();
	done();
}
