// SPDX-License-Identifier: GPL-2.0
/* keybox.c: states, order of checks, references, failures. */
#include <linux/nst.h>
#include <linux/slab.h>
#include <shim/test.h>
#include "core/keybox.h"
#include "core/keyring.h"
#include "limits.h"
#include "rings.h"

#define ACTIVE	NST_KEY_ACTIVE
#define ACCEPT	NST_KEY_ACCEPT
#define RETIRED	NST_KEY_RETIRED

static struct nst_keyring *ring;

/* The secret of a kid, and another one if @other. */
static struct nst_box_entry entry_of(u16 kid, enum nst_key_state state,
				     bool other)
{
	struct nst_box_entry entry = { .kid = kid, .state = state };

	memset(entry.secret, kid ^ kid >> 8, sizeof(entry.secret));
	entry.secret[0] = kid;
	entry.secret[1] = other;
	return entry;
}

static int add(u16 kid, enum nst_key_state state)
{
	struct nst_box_entry entry = entry_of(kid, state, false);

	return nst_keyring_add(ring, &entry);
}

static void new_ring(bool private)
{
	ring = ring_new(private);
	NEED(ring);
}

/* 7 active, 5 and 9 accept, 3 retired. */
static void usual_ring(void)
{
	new_ring(false);
	NEED_EQ(add(7, ACTIVE), 0);
	NEED_EQ(add(5, ACCEPT), 0);
	NEED_EQ(add(9, ACCEPT), 0);
	NEED_EQ(add(3, RETIRED), 0);
}

/* The kid that a sender gets, or an errno. */
static int tx(u16 kid)
{
	struct nst_boxkey *key;
	int err, got;
	u64 gen;

	err = nst_keyring_find_tx(ring, kid, &key, &gen);
	if (err)
		return err;
	CHECK_EQ(gen, ring->gen);
	got = key->kid;
	nst_boxkey_put(key);
	return got;
}

/* 0, or the cause for which a receiver refuses the kid. */
static enum nst_drop rx(u16 kid)
{
	struct nst_boxkey *key;
	enum nst_drop drop;
	u64 gen;

	drop = nst_keyring_find_rx(ring, kid, &key, &gen);
	if (drop)
		return drop;
	CHECK_EQ(gen, ring->gen);
	CHECK_EQ(key->kid, kid);
	nst_boxkey_put(key);
	return NST_OK;
}

/* What must be true of any box. */
static void check_box(void)
{
	unsigned int i, active = 0;
	const struct nst_box *box;

	mutex_lock(&ring->lock);
	box = nst_keyring_box(ring);
	for (i = 0; i < box->nr; i++) {
		if (i)
			CHECK(box->slot[i].key->kid >
			      box->slot[i - 1].key->kid);
		active += box->slot[i].state == ACTIVE;
		if (box->slot[i].key == box->active)
			CHECK_EQ(box->slot[i].state, ACTIVE);
	}
	CHECK_EQ(!!box->active, box->nr > 0);
	if (!ring->private)
		CHECK_EQ(active, box->nr > 0);
	mutex_unlock(&ring->lock);
}

static unsigned int count(void)
{
	unsigned int nr;

	mutex_lock(&ring->lock);
	nr = nst_keyring_box(ring)->nr;
	mutex_unlock(&ring->lock);
	return nr;
}

TEST(nst_keyring_alloc__is_empty)
{
	new_ring(false);
	CHECK_EQ(count(), 0);
	CHECK_EQ(tx(0), -ENOKEY);
	CHECK_EQ(tx(1), -ENOKEY);
	CHECK_EQ(rx(1), NST_DROP_NO_KID);
	nst_keyring_put(ring);
}

TEST(nst_keyring_alloc__each_allocation_fails)
{
	unsigned int n;

	for (n = 1; ; n++) {
		shim_fail_at(n);
		ring = ring_new(true);
		if (!shim_fail_hit())
			break;
		CHECK(!ring);
		CHECK_EQ(shim_live_allocs, 0);
	}
	CHECK_EQ(n, 6);
	nst_keyring_put(ring);
}

TEST(nst_keyring_put__the_last_one_frees)
{
	long before = shim_live_allocs;

	usual_ring();
	CHECK(nst_keyring_get(ring) == ring);
	nst_keyring_put(ring);
	CHECK_EQ(tx(0), 7);
	nst_keyring_put(ring);
	CHECK_EQ(shim_live_allocs, before);
	nst_keyring_put(NULL);
}

TEST(nst_boxkey_put__wipes_the_secret)
{
	struct nst_box_entry entry = entry_of(1, ACTIVE, false);

	test_random_bytes(entry.secret, sizeof(entry.secret));
	shim_secret_add(entry.secret, sizeof(entry.secret));
	new_ring(false);
	CHECK_EQ(nst_keyring_add(ring, &entry), 0);
	CHECK_EQ(nst_keyring_flush(ring), 0);
	CHECK_EQ(nst_keyring_replace(ring, &entry, 1), 0);
	nst_keyring_put(ring);
	nst_boxkey_put(NULL);
}

/* An epoch's key outlives the box, and the keyring. */
TEST(nst_boxkey_put__a_key_outlives_its_box)
{
	struct nst_boxkey *key;
	u64 gen;

	usual_ring();
	CHECK_EQ(nst_keyring_find_rx(ring, 5, &key, &gen), NST_OK);
	CHECK_EQ(nst_keyring_del(ring, 5), 0);
	nst_keyring_put(ring);
	CHECK_EQ(key->kid, 5);
	CHECK_EQ(key->secret[2], 5);
	nst_boxkey_put(key);
}

TEST(nst_keyring_find_tx__each_state)
{
	usual_ring();
	CHECK_EQ(tx(0), 7);
	CHECK_EQ(tx(7), 7);
	CHECK_EQ(tx(5), -EACCES);
	CHECK_EQ(tx(3), -EKEYREVOKED);
	CHECK_EQ(tx(4), -ENOKEY);
	CHECK_EQ(tx(65535), -ENOKEY);
	nst_keyring_put(ring);
}

TEST(nst_keyring_find_rx__each_state)
{
	usual_ring();
	CHECK_EQ(rx(7), NST_OK);
	CHECK_EQ(rx(5), NST_OK);
	CHECK_EQ(rx(9), NST_OK);
	CHECK_EQ(rx(3), NST_DROP_KID_RETIRED);
	CHECK_EQ(rx(4), NST_DROP_NO_KID);
	CHECK_EQ(rx(0), NST_DROP_NO_KID);
	CHECK_EQ(rx(65535), NST_DROP_NO_KID);
	nst_keyring_put(ring);
}

TEST(nst_keyring_add__keeps_the_order_of_kids)
{
	static const u16 kids[] = { 500, 1, 65535, 2, 499, 501, 65534 };
	unsigned int i;

	new_ring(false);
	for (i = 0; i < ARRAY_SIZE(kids); i++) {
		CHECK_EQ(add(kids[i], i ? ACCEPT : ACTIVE), 0);
		check_box();
	}
	for (i = 0; i < ARRAY_SIZE(kids); i++)
		CHECK_EQ(rx(kids[i]), NST_OK);
	CHECK_EQ(tx(0), 500);
	nst_keyring_put(ring);
}

TEST(nst_keyring_add__an_active_key_takes_over)
{
	usual_ring();
	CHECK_EQ(add(8, ACTIVE), 0);
	check_box();
	CHECK_EQ(tx(0), 8);
	CHECK_EQ(tx(7), -EACCES);
	CHECK_EQ(rx(7), NST_OK);
	nst_keyring_put(ring);
}

TEST(nst_keyring_add__refusals_change_nothing)
{
	struct nst_box_entry entry = entry_of(7, ACCEPT, true);
	u64 gen;

	usual_ring();
	gen = ring->gen;
	CHECK_EQ(nst_keyring_add(ring, &entry), -EEXIST);
	CHECK_EQ(add(7, ACTIVE), -EEXIST);
	CHECK_EQ(add(3, ACTIVE), -EEXIST);
	CHECK_EQ(add(0, ACCEPT), -EINVAL);
	CHECK_EQ(add(1, (enum nst_key_state)3), -EINVAL);
	CHECK_EQ(add(1, (enum nst_key_state)77), -EINVAL);
	CHECK_EQ(ring->gen, gen);
	CHECK_EQ(count(), 4);
	nst_keyring_put(ring);
}

TEST(nst_keyring_add__the_first_must_be_active)
{
	new_ring(false);
	CHECK_EQ(add(1, ACCEPT), -ENOKEY);
	CHECK_EQ(add(1, RETIRED), -ENOKEY);
	CHECK_EQ(count(), 0);
	CHECK_EQ(add(1, ACTIVE), 0);
	nst_keyring_put(ring);
}

TEST(nst_keyring_add__until_the_box_is_full)
{
	unsigned int kid;

	new_ring(false);
	for (kid = 1; kid <= NST_BOX_KEYS_MAX; kid++)
		NEED_EQ(add(kid, kid == 1 ? ACTIVE : ACCEPT), 0);
	CHECK_EQ(add(kid, ACCEPT), -ENOSPC);
	CHECK_EQ(add(5, ACCEPT), -EEXIST);
	check_box();
	CHECK_EQ(nst_keyring_del(ring, 500), 0);
	CHECK_EQ(add(kid, ACCEPT), 0);
	check_box();
	nst_keyring_put(ring);
}

TEST(nst_keyring_activate__each_state)
{
	usual_ring();
	CHECK_EQ(nst_keyring_activate(ring, 4), -ENOKEY);
	CHECK_EQ(nst_keyring_activate(ring, 0), -ENOKEY);
	CHECK_EQ(nst_keyring_activate(ring, 3), -EKEYREVOKED);
	CHECK_EQ(tx(0), 7);
	CHECK_EQ(nst_keyring_activate(ring, 9), 0);
	check_box();
	CHECK_EQ(tx(0), 9);
	CHECK_EQ(tx(7), -EACCES);
	CHECK_EQ(rx(7), NST_OK);
	CHECK_EQ(nst_keyring_activate(ring, 7), 0);
	CHECK_EQ(tx(0), 7);
	nst_keyring_put(ring);
}

TEST(nst_keyring_activate__active_already)
{
	u64 gen;

	usual_ring();
	gen = ring->gen;
	shim_fail_at(1);
	CHECK_EQ(nst_keyring_activate(ring, 7), 0);
	CHECK(!shim_fail_hit());
	CHECK_EQ(ring->gen, gen);
	nst_keyring_put(ring);
}

TEST(nst_keyring_retire__each_state)
{
	u64 gen;

	usual_ring();
	CHECK_EQ(nst_keyring_retire(ring, 4), -ENOKEY);
	CHECK_EQ(nst_keyring_retire(ring, 7), -EBUSY);
	CHECK_EQ(tx(0), 7);
	CHECK_EQ(nst_keyring_retire(ring, 5), 0);
	check_box();
	CHECK_EQ(rx(5), NST_DROP_KID_RETIRED);
	gen = ring->gen;
	CHECK_EQ(nst_keyring_retire(ring, 5), 0);
	CHECK_EQ(ring->gen, gen);
	CHECK_EQ(nst_keyring_activate(ring, 5), -EKEYREVOKED);
	nst_keyring_put(ring);
}

TEST(nst_keyring_del__each_state)
{
	usual_ring();
	CHECK_EQ(nst_keyring_del(ring, 4), -ENOKEY);
	CHECK_EQ(nst_keyring_del(ring, 7), -EBUSY);
	CHECK_EQ(nst_keyring_del(ring, 3), 0);
	check_box();
	CHECK_EQ(rx(3), NST_DROP_NO_KID);
	CHECK_EQ(nst_keyring_del(ring, 9), 0);
	CHECK_EQ(nst_keyring_del(ring, 5), 0);
	check_box();
	CHECK_EQ(nst_keyring_del(ring, 7), 0);
	check_box();
	CHECK_EQ(count(), 0);
	CHECK_EQ(tx(0), -ENOKEY);
	nst_keyring_put(ring);
}

TEST(nst_keyring_flush__nothing_is_left)
{
	usual_ring();
	CHECK_EQ(nst_keyring_flush(ring), 0);
	check_box();
	CHECK_EQ(count(), 0);
	CHECK_EQ(tx(0), -ENOKEY);
	CHECK_EQ(rx(7), NST_DROP_NO_KID);
	CHECK_EQ(nst_keyring_flush(ring), 0);
	nst_keyring_put(ring);
}

TEST(nst_keyring_replace__any_order)
{
	struct nst_box_entry entry[] = {
		entry_of(900, ACCEPT, false), entry_of(1, RETIRED, false),
		entry_of(40, ACTIVE, false), entry_of(7, ACCEPT, false),
	};

	usual_ring();
	CHECK_EQ(nst_keyring_replace(ring, entry, 4), 0);
	check_box();
	CHECK_EQ(count(), 4);
	CHECK_EQ(tx(0), 40);
	CHECK_EQ(rx(1), NST_DROP_KID_RETIRED);
	CHECK_EQ(rx(7), NST_OK);
	CHECK_EQ(rx(9), NST_DROP_NO_KID);
	nst_keyring_put(ring);
}

TEST(nst_keyring_replace__refusals_change_nothing)
{
	struct nst_box_entry good[] = {
		entry_of(1, ACTIVE, false), entry_of(2, ACCEPT, false),
		entry_of(3, ACCEPT, false),
	}, entry[3];
	u64 gen;

	usual_ring();
	gen = ring->gen;
	memcpy(entry, good, sizeof(good));
	entry[2].kid = 0;
	CHECK_EQ(nst_keyring_replace(ring, entry, 3), -EINVAL);
	memcpy(entry, good, sizeof(good));
	entry[1].state = (enum nst_key_state)3;
	CHECK_EQ(nst_keyring_replace(ring, entry, 3), -EINVAL);
	memcpy(entry, good, sizeof(good));
	entry[2].kid = 1;
	CHECK_EQ(nst_keyring_replace(ring, entry, 3), -EEXIST);
	memcpy(entry, good, sizeof(good));
	entry[2].state = ACTIVE;
	CHECK_EQ(nst_keyring_replace(ring, entry, 3), -ENOTUNIQ);
	memcpy(entry, good, sizeof(good));
	entry[0].state = RETIRED;
	CHECK_EQ(nst_keyring_replace(ring, entry, 3), -ENOKEY);
	CHECK_EQ(nst_keyring_replace(ring, good, NST_BOX_KEYS_MAX + 1), -E2BIG);
	CHECK_EQ(ring->gen, gen);
	CHECK_EQ(tx(0), 7);
	CHECK_EQ(count(), 4);
	nst_keyring_put(ring);
}

/* So that its streams go on being counted under it. */
TEST(nst_keyring_replace__a_secret_that_stays_is_the_same_key)
{
	struct nst_box_entry entry[] = {
		entry_of(5, ACCEPT, true), entry_of(7, ACTIVE, false),
	};
	struct nst_boxkey *five, *seven, *now;
	u64 gen;

	usual_ring();
	CHECK_EQ(nst_keyring_find_rx(ring, 5, &five, &gen), NST_OK);
	CHECK_EQ(nst_keyring_find_rx(ring, 7, &seven, &gen), NST_OK);
	CHECK_EQ(nst_keyring_replace(ring, entry, 2), 0);
	CHECK_EQ(nst_keyring_find_rx(ring, 5, &now, &gen), NST_OK);
	CHECK(now != five);
	CHECK_EQ(now->secret[1], 1);
	CHECK_EQ(five->secret[1], 0);
	nst_boxkey_put(now);
	CHECK_EQ(nst_keyring_find_rx(ring, 7, &now, &gen), NST_OK);
	CHECK(now == seven);
	nst_boxkey_put(now);
	nst_boxkey_put(five);
	nst_boxkey_put(seven);
	nst_keyring_put(ring);
}

TEST(nst_keyring_replace__private_box)
{
	struct nst_box_entry entry[] = {
		entry_of(900, RETIRED, false), entry_of(1, ACCEPT, false),
	};

	new_ring(true);
	CHECK_EQ(nst_keyring_replace(ring, entry, 0), -EINVAL);
	CHECK_EQ(nst_keyring_replace(ring, entry, NST_PRIVATE_KEYS_MAX + 1),
		 -E2BIG);
	CHECK_EQ(nst_keyring_replace(ring, entry, 2), 0);
	/* All may be sent with; the first is the one for kid 0. */
	CHECK_EQ(tx(0), 900);
	CHECK_EQ(tx(1), 1);
	CHECK_EQ(rx(900), NST_OK);
	CHECK_EQ(rx(1), NST_OK);
	entry[1].kid = 900;
	CHECK_EQ(nst_keyring_replace(ring, entry, 2), -EEXIST);
	CHECK_EQ(tx(0), 900);
	nst_keyring_put(ring);
}

/* A change is seen as one by whoever compares generations. */
TEST(nst_keyring__each_change_is_a_new_generation)
{
	struct nst_box_entry entry = entry_of(1, ACTIVE, false);
	u64 gen;

	usual_ring();
	gen = ring->gen;
	CHECK_EQ(add(20, ACCEPT), 0);
	CHECK_EQ(ring->gen, gen + 1);
	CHECK_EQ(nst_keyring_activate(ring, 20), 0);
	CHECK_EQ(ring->gen, gen + 2);
	CHECK_EQ(nst_keyring_retire(ring, 7), 0);
	CHECK_EQ(ring->gen, gen + 3);
	CHECK_EQ(nst_keyring_del(ring, 7), 0);
	CHECK_EQ(ring->gen, gen + 4);
	CHECK_EQ(nst_keyring_replace(ring, &entry, 1), 0);
	CHECK_EQ(ring->gen, gen + 5);
	CHECK_EQ(nst_keyring_flush(ring), 0);
	CHECK_EQ(ring->gen, gen + 6);
	nst_keyring_put(ring);
}

/* A key that a reader has looked up is its own, whatever becomes of the box. */
TEST(nst_keyring__a_reader_keeps_its_key)
{
	struct nst_boxkey *key;
	u64 gen;

	usual_ring();
	CHECK_EQ(nst_keyring_find_tx(ring, 0, &key, &gen), 0);
	CHECK_EQ(nst_keyring_flush(ring), 0);
	CHECK_EQ(key->kid, 7);
	CHECK_EQ(key->secret[2], 7);
	CHECK(ring->gen != gen);
	nst_boxkey_put(key);
	nst_keyring_put(ring);
}

static int change(unsigned int which)
{
	struct nst_box_entry entry[] = {
		entry_of(5, ACTIVE, true), entry_of(7, ACCEPT, false),
	};

	switch (which) {
	case 0:
		return add(20, ACTIVE);
	case 1:
		return nst_keyring_activate(ring, 9);
	case 2:
		return nst_keyring_retire(ring, 9);
	case 3:
		return nst_keyring_del(ring, 9);
	case 4:
		return nst_keyring_replace(ring, entry, 2);
	default:
		return nst_keyring_flush(ring);
	}
}

TEST(nst_keyring__each_allocation_of_each_change_fails)
{
	unsigned int which, n;

	for (which = 0; which < 6; which++) {
		int err;

		usual_ring();
		for (n = 1; ; n++) {
			u64 gen = ring->gen;
			long live = shim_live_allocs;

			shim_fail_at(n);
			err = change(which);
			if (!shim_fail_hit())
				break;
			CHECK_EQ(err, -ENOMEM);
			CHECK_EQ(ring->gen, gen);
			CHECK_EQ(shim_live_allocs, live);
			CHECK_EQ(tx(0), 7);
			CHECK_EQ(rx(9), NST_OK);
			check_box();
		}
		CHECK_EQ(err, 0);
		CHECK(n > 1);
		nst_keyring_put(ring);
	}
}

/* State of each kid by a model that is as dumb as can be. */
#define MODEL_KIDS	12
static struct {
	bool there;
	enum nst_key_state state;
} model[MODEL_KIDS + 1];

static unsigned int model_active(void)
{
	unsigned int kid;

	for (kid = 1; kid <= MODEL_KIDS; kid++)
		if (model[kid].there && model[kid].state == ACTIVE)
			return kid;
	return 0;
}

static unsigned int model_count(void)
{
	unsigned int kid, n = 0;

	for (kid = 1; kid <= MODEL_KIDS; kid++)
		n += model[kid].there;
	return n;
}

static void model_activate(u16 kid)
{
	unsigned int was = model_active();

	if (was)
		model[was].state = ACCEPT;
	model[kid].there = true;
	model[kid].state = ACTIVE;
}

static int model_add(u16 kid, enum nst_key_state state)
{
	if (model[kid].there)
		return -EEXIST;
	if (!model_count() && state != ACTIVE)
		return -ENOKEY;
	if (state == ACTIVE) {
		model_activate(kid);
		return 0;
	}
	model[kid].there = true;
	model[kid].state = state;
	return 0;
}

static int model_set(u16 kid, enum nst_key_state state)
{
	if (!model[kid].there)
		return -ENOKEY;
	if (model[kid].state == state)
		return 0;
	if (model[kid].state == RETIRED)
		return -EKEYREVOKED;
	if (model[kid].state == ACTIVE)
		return -EBUSY;
	if (state == ACTIVE)
		model_activate(kid);
	else
		model[kid].state = state;
	return 0;
}

static int model_del(u16 kid)
{
	if (!model[kid].there)
		return -ENOKEY;
	if (model[kid].state == ACTIVE && model_count() > 1)
		return -EBUSY;
	model[kid].there = false;
	return 0;
}

TEST(nst_keyring__random_changes_against_a_model)
{
	static const int tx_err[] = { -EACCES, 0, -EKEYREVOKED };
	unsigned int i;

	memset(model, 0, sizeof(model));
	new_ring(false);
	for (i = 0; i < 20000; i++) {
		u16 kid = 1 + test_random(MODEL_KIDS), k;
		enum nst_key_state state = test_random(3);

		switch (test_random(4)) {
		case 0:
			CHECK_EQ(add(kid, state), model_add(kid, state));
			break;
		case 1:
			CHECK_EQ(nst_keyring_activate(ring, kid),
				 model_set(kid, ACTIVE));
			break;
		case 2:
			CHECK_EQ(nst_keyring_retire(ring, kid),
				 model_set(kid, RETIRED));
			break;
		default:
			CHECK_EQ(nst_keyring_del(ring, kid), model_del(kid));
		}
		check_box();
		CHECK_EQ(tx(0), (int)model_active() ?: -ENOKEY);
		k = 1 + test_random(MODEL_KIDS);
		if (!model[k].there)
			CHECK_EQ(tx(k), -ENOKEY);
		else
			CHECK_EQ(tx(k), tx_err[model[k].state] ?: k);
	}
	nst_keyring_put(ring);
}
