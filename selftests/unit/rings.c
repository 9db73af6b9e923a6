// SPDX-License-Identifier: GPL-2.0
/* Keyrings for tests. See rings.h. */
#include <linux/ktime.h>
#include <shim/test.h>
#include "core/forget.h"
#include "core/keyring.h"
#include "core/owner.h"
#include "core/upkeep.h"
#include "rings.h"

#define USER	1000

/* Of a namespace that has gone. */
static struct nst_stats none;

static void nobody_waits(void *arg, enum nst_wake what)
{
	(void)arg;
	(void)what;
}

static struct nst_keyring *make(struct nst_memories *set, u64 id)
{
	struct nst_owner *owner = nst_owner_get(set, id);

	if (!owner)
		return NULL;
	return nst_keyring_alloc(owner, id != NST_OWNER_NETNS);
}

struct nst_keyring *ring_new(bool private)
{
	struct nst_memories *set = nst_memories_alloc(0, &none, nobody_waits,
						      NULL);
	struct nst_keyring *ring;

	if (!set)
		return NULL;
	ring = make(set, private ? USER : NST_OWNER_NETNS);
	nst_memories_close(set);
	return ring;
}

struct nst_claim *ring_claim(struct nst_keyring *ring, u16 kid)
{
	struct nst_boxkey *key;
	struct nst_claim *claim;
	u64 gen;

	NEED_EQ(nst_keyring_find_rx(ring, kid, &key, &gen), NST_OK);
	claim = key->claim;
	nst_boxkey_put(key);
	return claim;
}

struct nst_starts *ring_starts(struct nst_keyring *ring, u16 kid)
{
	return &ring_claim(ring, kid)->mem->starts;
}

void ring_forgot(struct nst_keyring *ring, u16 kid, u64 floor)
{
	struct nst_memory *mem = ring_claim(ring, kid)->mem;

	if (!mem->made)
		nst_starts_init(&mem->starts, 0);
	mem->made = true;
	mem->starts.floor = floor;
}

bool rings_begin(struct nst_net *nn, u64 age)
{
	nn->memories = nst_memories_alloc(shim_boot_ns - age, nn->stats,
					  nobody_waits, NULL);
	if (!nn->memories)
		return false;
	nn->ring = make(nn->memories, NST_OWNER_NETNS);
	return nn->ring;
}

struct nst_keyring *rings_of(struct nst_net *nn, u64 user)
{
	return make(nn->memories, user);
}

struct nst_keyring *rings_private(struct nst_net *nn)
{
	return make(nn->memories, USER);
}

void rings_done(struct nst_net *nn)
{
	nst_keyring_put(nn->ring);
	nst_memories_close(nn->memories);
}
