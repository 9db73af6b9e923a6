// SPDX-License-Identifier: GPL-2.0
/*
 * stream.c between two ends with an attacker in the middle: the input says what
 * the ends send, when their boxes and clocks change, and what becomes of each
 * record on its way. Whatever that is, what a stream accepts is what the other
 * one has sealed, whole and in order; and nothing leaks.
 */
#include "core/keyring.h"
#include "ends.h"
#include "input.h"

#define RECORDS_MAX	64
#define LEN_MAX		80

/* A direction: what was sealed, and how far the receiver has accepted it. */
static struct way {
	struct end *from, *to;
	unsigned int nr, accepted;
	bool dead;
	u8 record[RECORDS_MAX][NST_WIRE_HDR_LEN + LEN_MAX + 16];
	u8 plaintext[RECORDS_MAX][LEN_MAX];
	struct nst_hdr hdr[RECORDS_MAX];
} ways[2];

static void seal(struct way *way)
{
	static const u8 types[] = { 0, 0, 0, 0, 23, 255, NST_TYPE_CLOSE,
				    NST_TYPE_START };
	u8 type = types[next() % ARRAY_SIZE(types)], text[LEN_MAX];
	unsigned int len = next() % LEN_MAX;

	if (way->nr == RECORDS_MAX)
		return;
	if (type == NST_TYPE_CLOSE || type == NST_TYPE_START)
		len = 0;
	if (type == NST_TYPE_START && way->from->st.tx.started)
		return;
	memset(text, next(), sizeof(text));
	memcpy(way->plaintext[way->nr], text, len);
	if (rec_stream_seal(&way->from->st, type, text, len, record) < 0)
		return;
	must(!nst_wire_decode(&way->hdr[way->nr], record, 6));
	memcpy(way->record[way->nr], record, rec_len(&way->hdr[way->nr]));
	way->nr++;
	shim_real_ns += 1 + next() * 1000;
	shim_boot_ns += 1;
}

/* Once something is refused the connection is gone, as a socket sees to it. */
static void deliver(struct way *way, u8 *bytes)
{
	struct nst_hdr hdr;
	enum nst_drop drop;
	unsigned int i = way->accepted;

	if (way->dead)
		return;
	drop = rec_stream_open(&way->to->st, bytes, &hdr, plaintext);
	if (drop) {
		/* Only memory may be short for a while. */
		way->dead = drop != NST_DROP_NOMEM;
		return;
	}
	must(i < way->nr);
	must(hdr.len == way->hdr[i].len && hdr.type == way->hdr[i].type &&
	     hdr.nonce == way->hdr[i].nonce &&
	     hdr.bound == way->hdr[i].bound);
	must(!memcmp(plaintext, way->plaintext[i], hdr.len));
	way->accepted++;
}

/* A record that is there, of either direction, at times damaged. */
static void transport(struct way *way)
{
	static u8 bytes[REC_MAX];
	u8 how = next();
	struct way *of = how & 1 ? &ways[next() & 1] : way;
	unsigned int which = how & 2 ? next() : way->accepted;
	unsigned int at;

	if (which >= of->nr)
		return;
	memcpy(bytes, of->record[which], sizeof(of->record[which]));
	for (; how >= 0xc0; how = next()) {
		at = next() % sizeof(of->record[which]);
		bytes[at] ^= next();
	}
	deliver(way, bytes);
}

static void change(struct end *end)
{
	struct nst_box_entry entry = ends_key(9, NST_KEY_ACCEPT);

	switch (next() % 10) {
	case 0:
		end->st.tx.renew = true;
		break;
	case 1:
		nst_keyring_activate(end->nn.ring, next() & 1 ? 7 : 9);
		break;
	case 2:
		nst_keyring_retire(end->nn.ring, next() & 1 ? 7 : 9);
		break;
	case 3:
		nst_keyring_del(end->nn.ring, next() & 1 ? 7 : 9);
		break;
	case 4:
		nst_keyring_add(end->nn.ring, &entry);
		break;
	case 5:
		end->st.tx.conf->suite = 1 + next() % 7;
		break;
	case 6:
		end->nn.rekey_records = 1 + next();
		break;
	case 7:
		shim_fail_at(next());
		break;
	case 8:
		end->st.rx.ep.records += (u64)next() << 17;
		break;
	default:
		shim_real_ns += (next() - 128) * SEC;
	}
}

void play(void)
{
	static const u32 roles[] = { 0, NST_WIRE_INITIATOR,
				     NST_WIRE_RESPONDER };
	u8 flags;

	flags = next();
	ends_begin(flags & 1 ? NST_F_STRICT : 0, flags & 2 ? NST_F_STRICT : 0);
	a.st.role = roles[(flags >> 2) % 3];
	b.st.role = roles[(flags >> 5) % 3];
	memset(ways, 0, sizeof(ways));
	ways[0].from = ways[1].to = &a;
	ways[1].from = ways[0].to = &b;
	while (more()) {
		u8 what = next();
		struct way *way = &ways[what & 1];

		if (what < 100)
			seal(way);
		else if (what < 200)
			transport(way);
		else
			change(way->from);
	}
	shim_fail_at(0);
	ends_done();
}
