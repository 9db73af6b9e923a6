// SPDX-License-Identifier: GPL-2.0
/* Two ends of a connection. */
#include "core/aead.h"
#include "core/keyring.h"
#include "ends.h"
#include "rings.h"

struct end a, b;
u8 record[REC_MAX], plaintext[REC_MAX];
struct nst_hdr opened;

struct nst_box_entry ends_key(u16 kid, enum nst_key_state state)
{
	struct nst_box_entry entry = { .kid = kid, .state = state };

	memset(entry.secret, kid, sizeof(entry.secret));
	return entry;
}

struct nst_conf *conf_new(struct end *end, struct nst_keyring *ring)
{
	struct nst_conf *conf = kzalloc(sizeof(*conf), GFP_KERNEL);

	NEED(conf);
	refcount_set(&conf->ref, 1);
	conf->ring = nst_keyring_get(ring ? ring : end->nn.ring);
	conf->context_len = 4;
	memcpy(conf->context, "host", 4);
	return conf;
}

static void end_begin(struct end *end, u32 flags)
{
	struct nst_box_entry entry[] = {
		ends_key(7, NST_KEY_ACTIVE), ends_key(9, NST_KEY_ACCEPT),
		ends_key(5, NST_KEY_RETIRED),
	};
	struct nst_net *nn = &end->nn;

	memset(end, 0, sizeof(*end));
	nn->stats = alloc_percpu(struct nst_stats);
	NEED(nn->stats && rings_begin(nn, 3600 * SEC));
	NEED_EQ(nst_keyring_replace(nn->ring, entry, 3), 0);
	nn->time_window = NST_TIME_WINDOW;
	nn->start_cache_max = NST_START_CACHE;
	nn->rekey_records = NST_REKEY_RECORDS;
	nn->rekey_bytes = NST_REKEY_BYTES;
	end->st.nn = nn;
	end->st.flags = flags;
	end->st.tx.ep.tx = true;
	end->st.tx.conf = conf_new(end, NULL);
	end->st.tx.conf->suite = NST_CIPHER_AES_GCM;
	end->st.rx.conf = conf_new(end, NULL);
	end->st.tx.conf->flags = flags;
	end->st.rx.conf->flags = flags;
}

static void end_done(struct end *end)
{
	nst_stream_free(&end->st);
	rings_done(&end->nn);
	free_percpu(end->nn.stats);
}

void ends_begin(u32 flags_a, u32 flags_b)
{
	end_begin(&a, flags_a);
	end_begin(&b, flags_b);
}

void ends_done(void)
{
	end_done(&a);
	end_done(&b);
	nst_op_exit();
}

int say(struct end *end, u8 type, const char *text)
{
	int len = rec_stream_seal(&end->st, type, (const u8 *)text,
				  strlen(text), record);

	/* No two records are sealed at the same time. */
	shim_real_ns += 1000;
	shim_boot_ns += 1000;
	return len < 0 ? len : 0;
}

enum nst_drop hear(struct end *end)
{
	static u8 in[REC_MAX];

	memcpy(in, record, sizeof(in));
	return rec_stream_open(&end->st, in, &opened, plaintext);
}

void pass(struct end *from, struct end *to, u8 type, const char *text)
{
	NEED_EQ(say(from, type, text), 0);
	NEED_EQ(hear(to), NST_OK);
	CHECK_EQ(opened.type, type);
	CHECK_EQ(opened.len, strlen(text));
	CHECK_MEM(plaintext, text, strlen(text));
}

void park(struct end *end)
{
	nst_epoch_park(&end->st.tx.ep);
	nst_epoch_park(&end->st.rx.ep);
}

u64 counter(const struct end *end, unsigned int index)
{
	return nst_stats_sum(end->nn.stats, index);
}
