// SPDX-License-Identifier: GPL-2.0
/* keywait.c: who waits for a change of a box is woken by the next one, once. */
#include <shim/test.h>
#include "core/keyring.h"
#include "core/keywait.h"
#include "rings.h"

struct waiter {
	struct nst_keywait wait;
	int woken;
};

/* Who is being woken still waits: by that its owner knows that he may not free it. */
static void count(struct nst_keywait *wait)
{
	CHECK(nst_keywait_waits(wait));
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

TEST(nst_keywait_wake__each_once)
{
	unsigned int i;

	begin_all();
	nst_keywait_wake(ring);
	nst_keywait_wake(ring);
	for (i = 0; i < ARRAY_SIZE(some); i++) {
		CHECK_EQ(some[i].woken, 1);
		CHECK(!nst_keywait_waits(&some[i].wait));
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
