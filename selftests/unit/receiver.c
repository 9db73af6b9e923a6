// SPDX-License-Identifier: GPL-2.0
/* A receiver of datagrams. See receiver.h. */
#include "receiver.h"
#include "rings.h"

struct nst_net nn;
struct nst_sessions *table;
struct nst_conf conf;
struct nst_dgram dgram;

struct nst_box_entry key_of(u16 kid, enum nst_key_state state, u8 fill)
{
	struct nst_box_entry entry = { .kid = kid, .state = state };

	memset(entry.secret, fill, sizeof(entry.secret));
	return entry;
}

struct nst_hdr *datagram(u16 epoch, u64 nonce, u64 timestamp)
{
	memset(&dgram, 0, sizeof(dgram));
	dgram.receiver = 1;
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

void receiver_begin(bool private, u64 age)
{
	struct nst_box_entry entry[] = {
		key_of(7, NST_KEY_ACTIVE, 7), key_of(9, NST_KEY_ACCEPT, 9),
		key_of(5, NST_KEY_RETIRED, 5),
	};

	memset(&nn, 0, sizeof(nn));
	NEED_EQ(nst_session_init(), 0);
	nn.stats = alloc_percpu(struct nst_stats);
	nn.ring = ring_new(private);
	NEED(nn.stats && nn.ring);
	NEED_EQ(nst_keyring_replace(nn.ring, entry, 3), 0);
	nn.time_window = NST_TIME_WINDOW;
	nn.udp_sessions_max = NST_SESSIONS;
	memset(&conf, 0, sizeof(conf));
	refcount_set(&conf.ref, 1);
	conf.ring = nn.ring;
	shim_boot_ns -= age;
	table = nst_sessions_alloc(&nn, private);
	shim_boot_ns += age;
	NEED(table);
}

void receiver_done(void)
{
	nst_sessions_free(table);
	nst_session_exit();
	CHECK_EQ((s64)nst_stats_sum(nn.stats, NST_MIB_UDP_SESSIONS), 0);
	nst_keyring_put(nn.ring);
	free_percpu(nn.stats);
}

enum nst_drop attempt(void)
{
	struct nst_session *ses = NULL, *new;
	enum nst_drop drop;

	rcu_read_lock();
	drop = nst_sessions_find(table, &conf, &dgram.hdr, &ses);
	if (!drop)
		drop = nst_sessions_judge(table, ses, &dgram);
	if (!drop && ses)
		drop = nst_session_accept(table, ses, &dgram);
	rcu_read_unlock();
	shim_work_run();
	if (drop || ses)
		return drop;
	drop = nst_session_new(&conf, &dgram.hdr, &new);
	if (drop)
		return drop;
	drop = nst_sessions_add(table, new, &dgram.hdr);
	if (drop) {
		nst_session_free(new);
		return drop;
	}
	/* It comes in again, and is this session's. */
	rcu_read_lock();
	drop = nst_sessions_find(table, &conf, &dgram.hdr, &ses);
	if (CHECK_EQ(drop, NST_OK) && CHECK_EQ(ses, new))
		drop = nst_sessions_judge(table, ses, &dgram);
	if (!drop)
		drop = nst_session_accept(table, ses, &dgram);
	rcu_read_unlock();
	shim_work_run();
	return drop;
}

enum nst_drop try(u16 epoch, u64 nonce, u64 timestamp)
{
	datagram(epoch, nonce, timestamp);
	return attempt();
}
