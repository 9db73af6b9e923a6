// SPDX-License-Identifier: GPL-2.0
/* A receiver of datagrams. See receiver.h. */
#include "core/forget.h"
#include "core/keyring.h"
#include "core/lookup.h"
#include "core/upkeep.h"
#include "receiver.h"
#include "rings.h"

struct nst_net nn;
struct nst_conf conf;
struct nst_dgram dgram;
struct nst_members members[RECEIVERS];

struct nst_box_entry key_of(u16 kid, enum nst_key_state state, u8 fill)
{
	struct nst_box_entry entry = { .kid = kid, .state = state };

	memset(entry.secret, fill, sizeof(entry.secret));
	return entry;
}

struct nst_hdr *datagram(u16 epoch, u64 nonce, u64 timestamp)
{
	memset(&dgram, 0, sizeof(dgram));
	dgram.members = &members[1];
	dgram.hdr.suite = NST_CIPHER_AES_GCM;
	dgram.hdr.kid = 7;
	dgram.hdr.kpos = 3;
	dgram.hdr.kval = 5;
	dgram.hdr.epoch = epoch;
	dgram.hdr.nonce = nonce;
	dgram.hdr.timestamp = timestamp;
	dgram.hdr.len = 10;
	return &dgram.hdr;
}

void receiver_begin(u64 age)
{
	struct nst_box_entry entry[] = {
		key_of(7, NST_KEY_ACTIVE, 7), key_of(9, NST_KEY_ACCEPT, 9),
		key_of(5, NST_KEY_RETIRED, 5),
	};
	unsigned int i;

	memset(&nn, 0, sizeof(nn));
	NEED_EQ(nst_sessions_module_init(), 0);
	nst_suite_have(0);
	nn.stats = alloc_percpu(struct nst_stats);
	NEED(nn.stats && rings_begin(&nn, age));
	NEED_EQ(nst_keyring_replace(nn.ring, entry, 3), 0);
	nn.time_window = NST_TIME_WINDOW;
	nn.start_cache_max = NST_START_CACHE;
	nn.udp_sessions_max = NST_SESSIONS;
	memset(&conf, 0, sizeof(conf));
	refcount_set(&conf.ref, 1);
	conf.ring = nn.ring;
	for (i = 0; i < RECEIVERS; i++)
		nst_members_init(&members[i]);
}

void receiver_done(void)
{
	unsigned int i;

	for (i = 0; i < RECEIVERS; i++)
		nst_members_free(&members[i]);
	rings_done(&nn);
	nst_sessions_module_exit();
	CHECK_EQ((s64)nst_stats_sum(nn.stats, NST_MIB_UDP_SESSIONS), 0);
	free_percpu(nn.stats);
}

unsigned int known(void)
{
	return nn.memories->nr_sessions;
}

u64 floor_of_7(void)
{
	struct nst_memory *mem = ring_claim(nn.ring, 7)->mem;

	return mem->made ? mem->sessions.floor : 0;
}

void expire(void)
{
	struct nst_bounds bounds = nst_net_bounds(&nn);
	struct nst_now now = { .real = shim_real_ns, .boot = shim_boot_ns };

	nst_memories_expire(nn.memories, &now, &bounds);
	shim_work_run();
}

/* As far as it goes without deriving keys. */
static enum nst_drop receive(struct nst_found *found)
{
	enum nst_drop drop = nst_session_find(&conf, &dgram.hdr, found);

	if (!drop)
		drop = nst_session_judge(found, &dgram, nst_net_window(&nn));
	if (!drop && found->keys)
		drop = nst_dgram_take(found->ses, &dgram);
	return drop;
}

enum nst_drop attempt(void)
{
	struct nst_bounds bounds = nst_net_bounds(&nn);
	struct nst_candidate new;
	struct nst_found found;
	enum nst_drop drop;

	rcu_read_lock();
	drop = receive(&found);
	rcu_read_unlock();
	shim_work_run();
	if (drop || found.keys)
		return drop;
	drop = nst_candidate_derive(&new, &conf, &dgram.hdr);
	if (!drop)
		drop = nst_candidate_add(&new, &bounds);
	shim_work_run();
	if (drop)
		return drop;
	/* It comes in again, and is this session's. */
	rcu_read_lock();
	drop = receive(&found);
	CHECK(found.keys);
	rcu_read_unlock();
	shim_work_run();
	return drop;
}

enum nst_drop try(u16 epoch, u64 nonce, u64 timestamp)
{
	datagram(epoch, nonce, timestamp);
	return attempt();
}
