// SPDX-License-Identifier: GPL-2.0
/* netns.c: namespaces come and go, what is taken in them expires, whose it is. */
#include <linux/user_namespace.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>
#include "core/keyring.h"
#include "core/lookup.h"
#include "core/memory.h"
#include "core/netns.h"
#include "core/owner.h"
#include "receiver.h"
#include "rings.h"

static struct user_namespace user_ns;
static struct net net, other;

/* The module is there, and a namespace is. */
static struct nst_net *begin(void)
{
	memset(&net, 0, sizeof(net));
	memset(&other, 0, sizeof(other));
	user_ns = (struct user_namespace){ .parent = &init_user_ns };
	net.user_ns = &user_ns;
	other.user_ns = &init_user_ns;
	NEED_EQ(nst_sessions_module_init(), 0);
	NEED_EQ(nst_netns_init(), 0);
	NEED_EQ(shim_net_add(&net), 0);
	return nst_net(&net);
}

static void done(void)
{
	nst_netns_exit();
	shim_net_del(&net);
	nst_sessions_module_exit();
}

/* The box gets key 7, in place of what it had. */
static void set_key(struct nst_keyring *ring)
{
	struct nst_box_entry entry = key_of(7, NST_KEY_ACTIVE, 7);

	NEED_EQ(nst_keyring_replace(ring, &entry, 1), 0);
}

/* A session comes under it, now. */
static void take_session(struct nst_net *ns, struct nst_keyring *ring)
{
	struct nst_bounds bounds = nst_net_bounds(ns);
	struct nst_conf of = { .ring = ring };
	struct nst_candidate new;

	nst_suite_have(0);
	datagram(1, NONCE, shim_real_ns);
	NEED_EQ(nst_candidate_derive(&new, &of, &dgram.hdr), NST_OK);
	NEED_EQ(nst_candidate_add(&new, &bounds), NST_OK);
}

static void take_start(struct nst_net *ns, struct nst_keyring *ring)
{
	struct nst_bounds bounds = nst_net_bounds(ns);

	NEED_EQ(nst_claim_take_start(ring_claim(ring, 7), shim_real_ns, NONCE,
				     shim_real_ns, &bounds), NST_OK);
}

static void pass(u64 ns)
{
	shim_real_ns += ns;
	shim_boot_ns += ns;
	shim_work_run();
}

/* --- life ------------------------------------------------------------------ */

TEST(nst_netns__each_namespace_has_its_own)
{
	struct nst_net *ns = begin();

	NEED_EQ(shim_net_add(&other), 0);
	CHECK(nst_net(&other) != ns);
	CHECK(nst_net(&other)->ring != ns->ring);
	CHECK(nst_net(&other)->memories != ns->memories);
	CHECK(nst_net(&other)->stats != ns->stats);
	shim_net_del(&other);
	CHECK(nst_net(&net) == ns);
	done();
}

/* Also one that was there before the module. */
TEST(nst_netns_init__finds_namespaces)
{
	begin();
	nst_netns_exit();
	NEED_EQ(shim_net_add(&other), 0);
	NEED_EQ(nst_netns_init(), 0);
	CHECK(nst_net(&net)->ring);
	CHECK(nst_net(&other)->ring);
	done();
	shim_net_del(&other);
}

TEST(netns_init__each_allocation_fails)
{
	long allocs;
	unsigned int n;
	int err;

	begin();
	allocs = shim_live_allocs;
	for (n = 1; ; n++) {
		shim_fail_at(n);
		err = shim_net_add(&other);
		if (!shim_fail_hit())
			break;
		CHECK_EQ(err, -ENOMEM);
		CHECK_EQ(shim_live_allocs, allocs);
	}
	CHECK_EQ(err, 0);
	/* State, counters, memories, their table, owner, keyring, box. */
	CHECK(n > 7);
	shim_net_del(&other);
	CHECK_EQ(shim_live_allocs, allocs);
	done();
}

/* The namespaces before the one that fails are left as they were. */
TEST(nst_netns_init__each_allocation_fails)
{
	long allocs;
	unsigned int n;
	int err;

	begin();
	NEED_EQ(shim_net_add(&other), 0);
	nst_netns_exit();
	allocs = shim_live_allocs;
	for (n = 1; ; n++) {
		shim_fail_at(n);
		err = nst_netns_init();
		if (!shim_fail_hit())
			break;
		CHECK_EQ(err, -ENOMEM);
		CHECK_EQ(shim_live_allocs, allocs);
	}
	CHECK_EQ(err, 0);
	CHECK(n > 14);
	done();
	shim_net_del(&other);
}

TEST(netns_init__what_it_begins_with)
{
	struct nst_net *ns = begin();
	struct nst_bounds bounds = nst_net_bounds(ns);
	unsigned int i;

	CHECK_EQ(ns->enabled, 1);
	CHECK_EQ(ns->strict, 0);
	CHECK_EQ(ns->time_window, NST_TIME_WINDOW);
	CHECK_EQ(ns->start_cache_max, NST_START_CACHE);
	CHECK_EQ(ns->udp_sessions_max, NST_SESSIONS);
	CHECK_EQ(ns->rekey_records, NST_REKEY_RECORDS);
	CHECK_EQ(ns->rekey_bytes, NST_REKEY_BYTES);
	CHECK_EQ(bounds.window, WINDOW);
	CHECK_EQ(bounds.starts, NST_START_CACHE);
	CHECK_EQ(bounds.sessions, NST_SESSIONS);
	CHECK(!ns->sysctl && !ns->sysctl_table);
	CHECK(ns->user_ns == &user_ns);
	/* Softirqs take its lock; numbers begin with 1; a user's memory. */
	CHECK_EQ(ns->udp_sockets.xa_flags, XA_FLAGS_ALLOC1 | XA_FLAGS_LOCK_BH |
		 XA_FLAGS_ACCOUNT);
	CHECK(xa_empty(&ns->udp_sockets));
	CHECK_EQ(nst_memories_begin(ns->memories), shim_boot_ns);
	CHECK_EQ(ns->ring->owner->id, NST_OWNER_NETNS);
	CHECK(!ns->ring->private);
	for (i = 1; i < NST_MIB_MAX; i++)
		CHECK_EQ(nst_stats_sum(ns->stats, i), 0);
	CHECK(!ns->expire.work.queued && !ns->park.queued);
	done();
}

/* --- whose ----------------------------------------------------------------- */

TEST(nst_net_owner__who_acts)
{
	struct user_namespace inner = { .parent = &user_ns, .owner = { 77 } };
	struct nst_net *ns = begin();
	struct nst_owner *owner;

	shim_euid = 5;
	owner = nst_net_owner(ns);
	NEED(owner);
	CHECK_EQ(owner->id, 5);
	CHECK_EQ(owner->users, 1);
	CHECK(nst_net_owner(ns) == owner);
	CHECK_EQ(owner->users, 2);
	nst_owner_put(owner);
	nst_owner_put(owner);
	/* In a user namespace below: who has made that. */
	shim_user_ns = &inner;
	owner = nst_net_owner(ns);
	NEED(owner);
	CHECK_EQ(owner->id, 77);
	nst_owner_put(owner);
	done();
}

TEST(nst_net_owner__without_memory)
{
	struct nst_net *ns = begin();

	shim_fail_at(1);
	CHECK(!nst_net_owner(ns));
	CHECK(shim_fail_hit());
	done();
}

TEST(nst_host_user__who_made_the_first_user_namespace)
{
	struct user_namespace first = { .parent = &init_user_ns,
					.owner = { 1001 } };
	struct user_namespace second = { .parent = &first, .owner = { 77 } };

	shim_euid = 5;
	CHECK_EQ(nst_host_user(), 5);
	shim_user_ns = &second;
	CHECK_EQ(nst_host_user(), 1001);
}

/* --- what is done later ---------------------------------------------------- */

/* A session is looked at again and again, until it is forgotten. */
TEST(expire__from_the_first_session_to_the_last)
{
	struct nst_net *ns = begin();
	unsigned int i;

	set_key(ns->ring);
	CHECK(!ns->expire.work.queued);
	take_session(ns, ns->ring);
	CHECK(ns->expire.work.queued);
	CHECK_EQ(ns->expire.work.due, shim_boot_ns + WINDOW);
	for (i = 0; i < 10 && ns->memories->nr_sessions; i++) {
		CHECK(ns->expire.work.queued);
		pass(WINDOW);
	}
	CHECK(i > 1);
	CHECK_EQ(ns->memories->nr_sessions, 0);
	CHECK(!ns->expire.work.queued);
	done();
}

/* A memory that no box needs ends when its time has come. */
TEST(expire__from_idle_to_the_end)
{
	struct nst_net *ns = begin();
	unsigned int i;

	set_key(ns->ring);
	take_start(ns, ns->ring);
	CHECK(!ns->expire.work.queued);
	NEED_EQ(nst_keyring_flush(ns->ring), 0);
	CHECK_EQ(ns->memories->nr_idle, 1);
	for (i = 0; i < 10 && ns->memories->nr_idle; i++) {
		CHECK(ns->expire.work.queued);
		pass(WINDOW);
	}
	CHECK(i > 1);
	CHECK_EQ(ns->memories->nr_idle, 0);
	CHECK(!ns->expire.work.queued);
	done();
}

/* Soon enough for a window that is lowered, and for one that is long. */
TEST(expire__how_soon)
{
	struct nst_net *ns = begin();

	set_key(ns->ring);
	ns->time_window = 3600;
	take_session(ns, ns->ring);
	CHECK_EQ(ns->expire.work.due, shim_boot_ns + WINDOW);
	ns->time_window = 5;
	pass(WINDOW);
	CHECK_EQ(ns->memories->nr_sessions, 0);
	take_session(ns, ns->ring);
	CHECK_EQ(ns->expire.work.due, shim_boot_ns + 5 * SEC);
	done();
}

/* Each expires by itself. */
TEST(expire__of_one_namespace)
{
	struct nst_net *ns = begin();

	NEED_EQ(shim_net_add(&other), 0);
	set_key(ns->ring);
	set_key(nst_net(&other)->ring);
	take_session(ns, ns->ring);
	CHECK(ns->expire.work.queued);
	CHECK(!nst_net(&other)->expire.work.queued);
	shim_net_del(&other);
	CHECK(ns->expire.work.queued);
	done();
}

/* The keys of sessions go with the box's key, soon; what was taken stays. */
TEST(park__keys_of_sessions)
{
	struct nst_net *ns = begin();
	struct nst_memory *mem;
	long tfms;

	set_key(ns->ring);
	mem = ring_claim(ns->ring, 7)->mem;
	tfms = shim_live_tfms;
	take_session(ns, ns->ring);
	CHECK(shim_live_tfms > tfms);
	CHECK(!ns->park.queued);
	NEED_EQ(nst_keyring_flush(ns->ring), 0);
	CHECK(ns->park.queued);
	CHECK_EQ(mem->sessions.nr_keyed, 1);
	shim_work_run();
	CHECK(!ns->park.queued);
	CHECK_EQ(mem->sessions.nr_keyed, 0);
	CHECK_EQ(mem->sessions.nr, 1);
	CHECK_EQ(shim_live_tfms, tfms);
	done();
}

/* --- the exit -------------------------------------------------------------- */

/* Nothing of it is queued when its memory goes: the shim watches that. */
TEST(netns_exit__cancels)
{
	struct nst_net *ns = begin();

	set_key(ns->ring);
	take_start(ns, ns->ring);
	take_session(ns, ns->ring);
	NEED_EQ(nst_keyring_flush(ns->ring), 0);
	CHECK(ns->expire.work.queued && ns->park.queued);
	done();
}

/* The box's keys go with the namespace, which wakes it once more. */
TEST(netns_exit__with_keys)
{
	struct nst_net *ns = begin();

	set_key(ns->ring);
	take_start(ns, ns->ring);
	take_session(ns, ns->ring);
	done();
}

static struct nst_keyring *late;

static void put_late(void)
{
	nst_keyring_put(late);
	late = NULL;
}

/* Keys that are freed late, when its work has been cancelled, wake nobody. */
TEST(netns_exit__is_silenced)
{
	struct nst_net *ns = begin();

	late = rings_private(ns);
	NEED(late);
	set_key(late);
	take_start(ns, late);
	take_session(ns, late);
	shim_work_cancelled = put_late;
	done();
	CHECK(!late);
}

/* And behind it, what is still held is nobody's and goes by itself. */
TEST(netns_exit__keys_outlive_it)
{
	struct nst_net *ns = begin();
	struct nst_keyring *ring = rings_private(ns);

	NEED(ring);
	set_key(ring);
	take_start(ns, ring);
	take_session(ns, ring);
	nst_netns_exit();
	shim_net_del(&net);
	nst_keyring_put(ring);
	nst_sessions_module_exit();
}
