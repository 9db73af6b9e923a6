// SPDX-License-Identifier: GPL-2.0
/*
 * Headers of datagrams and what the memory makes of them, against a list of all
 * that was ever taken: the input says which datagrams come to whom and when,
 * how clocks, boxes and limits change, and where memory is short. Nothing is
 * taken twice, the floor never sinks, the table has its bounds, nothing leaks.
 * All datagrams with a sane header count as authentic.
 */
#include <linux/in.h>
#include "core/forget.h"
#include "core/keyring.h"
#include "core/upkeep.h"
#include "core/wire.h"
#include "input.h"
#include "receiver.h"

#define HISTORY	512

static struct {
	struct nst_hdr hdr;
	const struct nst_members *members;	/* NULL: for all */
	u8 secret;
} history[HISTORY];

static unsigned int nr_history;
static u8 nine;			/* fills the secret of kid 9 */

static bool same(const struct nst_hdr *a, const struct nst_hdr *b)
{
	return a->nonce == b->nonce && a->timestamp == b->timestamp &&
	       a->epoch == b->epoch && a->kpos == b->kpos &&
	       a->kval == b->kval && a->kid == b->kid && a->suite == b->suite;
}

static u8 secret_of(u16 kid)
{
	return kid == 9 ? nine : kid;
}

static bool taken_before(void)
{
	unsigned int i;

	for (i = 0; i < nr_history; i++)
		if (same(&history[i].hdr, &dgram.hdr) &&
		    history[i].secret == secret_of(dgram.hdr.kid) &&
		    (!dgram.group || !history[i].members ||
		     history[i].members == dgram.members))
			return true;
	return false;
}

/* As the wire brings it, so that nst_wire_decode() has its say. */
static bool through_wire(struct nst_hdr *hdr)
{
	u8 wire[NST_WIRE_HDR_LEN];
	u8 damage = next();

	nst_wire_encode(wire, hdr);
	if (damage >= 0xe0)
		wire[next() % sizeof(wire)] ^= next();
	return !nst_wire_decode(hdr, wire, IPPROTO_UDP);
}

static void make_datagram(void)
{
	static const s64 leaps[] = { 0, 1, -1, 63, 64, -64, 4031, -4032,
				     1 << 20, -(1 << 20) };
	struct nst_hdr *hdr;
	u8 how = next();

	if (how & 0x80 && nr_history) {
		struct nst_hdr old = history[next() % nr_history].hdr;

		*datagram(0, 0, 0) = old;
		if (how & 0x40)
			dgram.hdr.nonce += leaps[next() % ARRAY_SIZE(leaps)];
		return;
	}
	hdr = datagram(how & 0x1f, NONCE + next(),
		       shim_real_ns + (next() - 128) * (SEC / 4) + next());
	if (how & 0x20)
		hdr->kid = next() & 1 ? 9 : 5;
	if (how & 0x40)
		hdr->nonce += leaps[next() % ARRAY_SIZE(leaps)];
}

static void receive(void)
{
	u64 floor = floor_of_7();
	enum nst_drop drop;
	bool replay;
	u8 whom;

	make_datagram();
	if (!through_wire(&dgram.hdr))
		return;
	whom = next();
	dgram.group = whom & 1;
	dgram.members = &members[1 + whom / 2];
	replay = taken_before();
	drop = attempt();
	must(floor_of_7() >= floor);
	must(drop || !replay);
	if (drop || nr_history == HISTORY)
		return;
	history[nr_history].hdr = dgram.hdr;
	history[nr_history].secret = secret_of(dgram.hdr.kid);
	history[nr_history++].members = dgram.group ? dgram.members : NULL;
}

static void change(void)
{
	struct nst_box_entry entry = key_of(9, NST_KEY_ACCEPT, next() % 4);

	switch (next() % 9) {
	case 0:
		nn.udp_sessions_max = NST_SESSIONS_MIN + next() % 8;
		break;
	case 1:
		nn.time_window = 1 + next();
		break;
	case 2:
		expire();
		break;
	case 3:
		nst_keyring_del(nn.ring, 9);
		nst_memories_park(nn.memories);
		break;
	case 4:
		if (!nst_keyring_add(nn.ring, &entry))
			nine = entry.secret[0];
		break;
	case 5:
		nst_keyring_retire(nn.ring, 9);
		break;
	case 6:
		shim_fail_at(next());
		break;
	case 7:
		conf.context_len = next() % 3;
		memset(conf.context, 0, sizeof(conf.context));
		memset(conf.context, 'c', conf.context_len);
		/* A nonce under another context is another one. */
		nr_history = 0;
		break;
	default:
		shim_real_ns += (next() - 128) * SEC;
	}
	shim_boot_ns += next() * (SEC / 8);
	shim_work_run();
}

void play(void)
{
	nr_history = 0;
	nine = 9;
	receiver_begin(next() * (SEC / 2));
	while (more()) {
		if (next() < 200)
			receive();
		else
			change();
	}
	shim_fail_at(0);
	receiver_done();
}
