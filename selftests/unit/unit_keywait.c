// SPDX-License-Identifier: GPL-2.0
/*
 * keywait.c, keyroom.c: who waits for a change of a box is woken by the next one, once,
 * and when it is his turn.
 */
#include <shim/test.h>
#include "core/keyring.h"
#include "core/keywait.h"
#include "limits.h"
#include "rings.h"

struct waiter {
	struct nst_keywait wait;
	int woken;
};

/* Who is being woken still waits: by that its owner knows that he may not free it. */
static void count(struct nst_keywait *wait)
{
	CHECK(nst_keyroom_has(wait));
	container_of(wait, struct waiter, wait)->woken++;
}

static struct waiter some[3];
static struct nst_keyring *ring;

static void begin_all(void)
{
	unsigned int i;

	ring = ring_new(false);
	NEED(ring);
	memset(some, 0, sizeof(some));
	for (i = 0; i < ARRAY_SIZE(some); i++) {
		some[i].wait.wake = count;
		nst_keywait_begin(&some[i].wait, ring);
	}
}

static void end_all(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(some); i++)
		nst_keywait_end(&some[i].wait);
}

TEST(nst_keywait_wake__each_once)
{
	unsigned int i;

	begin_all();
	nst_keywait_wake(ring);
	nst_keywait_wake(ring);
	for (i = 0; i < ARRAY_SIZE(some); i++) {
		CHECK_EQ(some[i].woken, 1);
		nst_keywait_done(&some[i].wait);
		CHECK(!nst_keyroom_has(&some[i].wait));
	}
	CHECK_EQ(refcount_read(&ring->ref), 1);
	nst_keyring_put(ring);
}

TEST(nst_keywait_end__is_not_woken)
{
	begin_all();
	nst_keywait_end(&some[1].wait);
	nst_keywait_end(&some[1].wait);
	nst_keywait_wake(ring);
	CHECK_EQ(some[0].woken, 1);
	CHECK_EQ(some[1].woken, 0);
	CHECK_EQ(some[2].woken, 1);
	nst_keywait_done(&some[0].wait);
	nst_keywait_done(&some[2].wait);
	CHECK_EQ(refcount_read(&ring->ref), 1);
	nst_keyring_put(ring);
}

TEST(nst_keywait_begin__again_is_once)
{
	begin_all();
	nst_keywait_begin(&some[0].wait, ring);
	nst_keywait_wake(ring);
	CHECK_EQ(some[0].woken, 1);
	nst_keywait_begin(&some[0].wait, ring);
	nst_keywait_wake(ring);
	CHECK_EQ(some[0].woken, 2);
	CHECK_EQ(some[1].woken, 1);
	end_all();
	CHECK_EQ(refcount_read(&ring->ref), 1);
	nst_keyring_put(ring);
}

TEST(nst_keywait_begin__at_another_ring)
{
	struct nst_keyring *other = ring_new(true);

	NEED(other);
	begin_all();
	nst_keywait_begin(&some[0].wait, other);
	nst_keywait_wake(ring);
	CHECK_EQ(some[0].woken, 0);
	nst_keywait_wake(other);
	CHECK_EQ(some[0].woken, 1);
	end_all();
	nst_keyring_put(other);
	nst_keyring_put(ring);
}

/* The box lives as long as somebody waits for it. */
TEST(nst_keywait_end__puts_the_ring)
{
	begin_all();
	nst_keyring_put(ring);
	nst_keywait_end(&some[0].wait);
	nst_keywait_end(&some[1].wait);
	CHECK_EQ(refcount_read(&ring->ref), 1);
	nst_keywait_end(&some[2].wait);
}

/* --- turns ------------------------------------------------------------------ */

#define AT_ONCE	NST_KEYWAITS_AT_ONCE
#define MANY	(3 * AT_ONCE)

static struct waiter many[MANY];

static void begin_many(void)
{
	unsigned int i;

	ring = ring_new(false);
	NEED(ring);
	memset(many, 0, sizeof(many));
	for (i = 0; i < MANY; i++) {
		many[i].wait.wake = count;
		nst_keywait_begin(&many[i].wait, ring);
	}
}

/* Those up to @nr were woken once, and no others. */
static void check_woken(unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < MANY; i++)
		CHECK_EQ(many[i].woken, i < nr);
}

TEST(nst_keywait_done__is_the_turn_of_the_next)
{
	unsigned int i;

	begin_many();
	nst_keywait_wake(ring);
	check_woken(AT_ONCE);
	nst_keywait_done(&many[0].wait);
	check_woken(AT_ONCE + 1);
	/* It was not woken anew, and who is not woken is not done. */
	nst_keywait_done(&many[0].wait);
	nst_keywait_done(&many[MANY - 1].wait);
	check_woken(AT_ONCE + 1);
	for (i = 1; i < MANY; i++)
		nst_keywait_done(&many[i].wait);
	check_woken(MANY);
	CHECK_EQ(refcount_read(&ring->ref), 1);
	nst_keyring_put(ring);
}

/* Who goes, or finds no key and waits on, is done with his turn. */
TEST(nst_keywait_end__is_the_turn_of_the_next)
{
	unsigned int i;

	begin_many();
	nst_keywait_wake(ring);
	nst_keywait_end(&many[1].wait);
	check_woken(AT_ONCE + 1);
	nst_keywait_begin(&many[2].wait, ring);
	check_woken(AT_ONCE + 2);
	/* It waits for another change. */
	nst_keywait_done(&many[2].wait);
	CHECK(nst_keyroom_has(&many[2].wait));
	for (i = 3; i < MANY; i++)
		nst_keywait_done(&many[i].wait);
	check_woken(MANY);
	nst_keywait_wake(ring);
	CHECK_EQ(many[2].woken, 2);
	for (i = 0; i < MANY; i++)
		nst_keywait_end(&many[i].wait);
	CHECK_EQ(refcount_read(&ring->ref), 1);
	nst_keyring_put(ring);
}

/* Who leaves before it is his turn was never woken. */
TEST(nst_keywait_end__before_its_turn)
{
	unsigned int i;

	begin_many();
	nst_keywait_wake(ring);
	nst_keywait_end(&many[AT_ONCE].wait);
	nst_keywait_end(&many[0].wait);
	CHECK_EQ(many[AT_ONCE].woken, 0);
	CHECK_EQ(many[AT_ONCE + 1].woken, 1);
	for (i = 0; i < MANY; i++)
		nst_keywait_end(&many[i].wait);
	CHECK_EQ(refcount_read(&ring->ref), 1);
	nst_keyring_put(ring);
}
