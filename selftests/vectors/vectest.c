// SPDX-License-Identifier: GPL-2.0
/* Every record and every stream of the vectors, both directions. */
#include <linux/err.h>
#include <linux/in.h>
#include <linux/kernel.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "core/aead.h"
#include "core/forget.h"
#include "core/kdf.h"
#include "core/keyring.h"
#include "core/owner.h"
#include "core/stream.h"
#include "core/suite.h"
#include "core/upkeep.h"
#include "record.h"
#include "vectest.h"
#include "vectors_data.h"

/* Longest record tried, and room for what an AEAD might write behind it. */
#define BUF_LEN		(REC_MAX + NST_WIRE_BLOCK)

/**
 * struct work - buffers and keys of the record under test
 * @cipher: keyed for it
 * @in: plaintext, where it may be changed
 * @out: plaintext that comes out
 * @record: record that comes out
 * @copy: record that goes in, where it may be changed
 */
struct work {
	struct nst_cipher cipher;
	u8 *in;
	u8 *out;
	u8 *record;
	u8 *copy;
};

/* Out of place, in place, and cut in odd pieces with some of them aliased. */
static const struct rec_cut cuts[] = {
	{ .pieces = 1 },
	{ .pieces = 1, .alias = ~0ULL },
	{ .pieces = 3, .seed = 1 },
	{ .pieces = 7, .alias = 0x55, .seed = 2 },
	{ .pieces = 16, .alias = 0xf0f0, .seed = 3 },
	{ .pieces = 36, .alias = 0x924924924ULL, .seed = 4 },
	{ .pieces = 36, .alias = ~0ULL, .seed = 5 },
};

static unsigned int nr_cases, nr_failed;

static void report(bool ok, const char *what, unsigned int index, u8 suite,
		   const char *detail)
{
	nr_cases++;
	nr_failed += !ok;
	vec_env_print("%sok %u %s_%u__%s%s\n", ok ? "" : "not ", nr_cases, what,
		      index, nst_suite(suite)->name, detail);
}

static bool expect(bool ok, const char *what, int value)
{
	if (!ok)
		vec_env_print("# %s: %d\n", what, value);
	return ok;
}

static void work_free(struct work *w)
{
	nst_cipher_free(&w->cipher);
	kfree(w->in);
	kfree(w->out);
	kfree(w->record);
	kfree(w->copy);
	kfree(w);
}

static struct work *work_alloc(void)
{
	struct work *w = kzalloc(sizeof(*w), GFP_KERNEL);

	if (!w)
		return NULL;
	w->in = kzalloc(BUF_LEN, GFP_KERNEL);
	w->out = kzalloc(BUF_LEN, GFP_KERNEL);
	w->record = kzalloc(BUF_LEN, GFP_KERNEL);
	w->copy = kzalloc(BUF_LEN, GFP_KERNEL);
	if (w->in && w->out && w->record && w->copy)
		return w;
	work_free(w);
	return NULL;
}

/* Keys of a record with this header under the secrets of @v. */
static int derive(struct work *w, const struct vec_record *v,
		  const struct nst_hdr *hdr, u8 *okm)
{
	u8 salt[NST_KDF_SALT_LEN] = {};
	struct nst_kdf in = {
		.secret = v->secret, .salt = salt, .context = v->context,
		.context_len = v->context_len, .proto = v->proto,
		.suite = hdr->suite, .kpos = hdr->kpos, .kval = hdr->kval,
		.kid = hdr->kid, .epoch = hdr->epoch,
	};
	int err;

	if (v->s_own)
		memcpy(salt, v->s_own, NST_WIRE_START_LEN);
	if (v->s_peer)
		memcpy(salt + NST_WIRE_START_LEN, v->s_peer,
		       NST_WIRE_START_LEN);
	err = nst_kdf_derive(&in, okm, nst_suite(hdr->suite)->okm_len);
	if (!err)
		err = nst_cipher_init(&w->cipher, hdr->suite);
	if (!err)
		err = nst_cipher_setkey(&w->cipher, okm);
	return err;
}

static bool try_seal(struct work *w, const struct vec_record *v,
		     const struct nst_hdr *hdr, unsigned int cut)
{
	int err;

	memcpy(w->in, v->plaintext, v->plaintext_len);
	memset(w->record, 0xee, v->record_len);
	err = rec_seal(&w->cipher, hdr, w->in, 0, w->record, &cuts[cut]);
	return expect(!err, "sealing gives errno", err) &&
	       expect(!memcmp(w->record, v->record, v->record_len),
		      "sealed bytes differ, cut", cut);
}

static bool try_open(struct work *w, const struct vec_record *v,
		     const struct nst_hdr *hdr, unsigned int cut)
{
	unsigned int body = v->record_len - NST_WIRE_HDR_LEN;
	int err;

	memcpy(w->copy, v->record, v->record_len);
	memset(w->out, 0xee, BUF_LEN);
	err = rec_open(&w->cipher, hdr, w->copy, w->out, &cuts[cut]);
	return expect(!err, "opening gives errno", err) &&
	       expect(!memcmp(w->out, v->plaintext, v->plaintext_len),
		      "plaintext differs, cut", cut) &&
	       expect(!memchr_inv(w->out + v->plaintext_len, 0,
				  body - v->plaintext_len),
		      "padding is not zero, cut", cut) &&
	       expect(!memchr_inv(w->out + body, 0xee, BUF_LEN - body),
		      "written behind the body, cut", cut);
}

/*
 * A bit of the byte at @at flipped: refused for the header, or not authentic,
 * also with the keys that the changed header asks for.
 */
static bool try_mutation(struct work *w, const struct vec_record *v,
			 unsigned int at)
{
	u8 okm[NST_OKM_MAX];
	struct nst_hdr hdr;
	int err;

	memcpy(w->copy, v->record, v->record_len);
	w->copy[at] ^= 1 << (at * 5 + 1) % 8;
	if (nst_wire_decode(&hdr, w->copy, v->proto))
		return true;
	err = derive(w, v, &hdr, okm);
	if (!expect(!err, "keys of a changed header give errno", err))
		return false;
	err = rec_open(&w->cipher, &hdr, w->copy, w->out, NULL);
	return expect(err == -EBADMSG, "is authentic though changed at", at);
}

/* Every byte of the header but suite and length; some of the body. */
static bool try_mutations(struct work *w, const struct vec_record *v)
{
	unsigned int at;
	bool ok = true;

	for (at = 8; at < NST_WIRE_HDR_LEN; at++)
		ok &= try_mutation(w, v, at);
	for (at = NST_WIRE_HDR_LEN; at < v->record_len; at = at * 2 - 47)
		ok &= try_mutation(w, v, at);
	if (v->record_len > NST_WIRE_HDR_LEN)
		ok &= try_mutation(w, v, v->record_len - 1);
	return ok;
}

static bool run_record(struct work *w, const struct vec_record *v)
{
	u8 aad[NST_WIRE_AAD_LEN], okm[NST_OKM_MAX];
	enum nst_drop drop;
	struct nst_hdr hdr;
	bool ok = true;
	unsigned int i;
	int err;

	drop = nst_wire_decode(&hdr, v->record, v->proto);
	if (!expect(!drop, "header refused", drop) ||
	    !expect(rec_len(&hdr) == v->record_len, "length", rec_len(&hdr)) ||
	    !expect(hdr.len == v->plaintext_len, "transport_len", hdr.len))
		return false;
	nst_wire_aad(aad, v->record);
	ok &= expect(v->aad_len == NST_WIRE_AAD_LEN &&
		     !memcmp(aad, v->aad, sizeof(aad)), "AAD", v->aad_len);
	err = derive(w, v, &hdr, okm);
	if (!expect(!err, "keys give errno", err))
		return false;
	ok &= expect(v->okm_len == nst_suite(hdr.suite)->okm_len &&
		     !memcmp(okm, v->okm, v->okm_len), "OKM", v->okm_len);
	for (i = 0; ok && i < ARRAY_SIZE(cuts); i++)
		ok = try_seal(w, v, &hdr, i) && try_open(w, v, &hdr, i);
	return ok && try_mutations(w, v);
}

/*
 * Records as long as they get, cut anywhere: the vectors are short. The record
 * that was sealed in one piece is the measure of the others.
 */
static bool run_long(struct work *w, u8 suite, unsigned int len)
{
	struct nst_hdr hdr = {
		.timestamp = 0x123456789abcdefULL, .nonce = ~0ULL,
		.len = len, .kid = 7, .epoch = 8, .suite = suite, .kpos = 9,
	};
	struct vec_record v = {
		.secret = w->in, .proto = IPPROTO_UDP, .context = w->in,
		.suite = suite, .plaintext_len = len,
	};
	u8 okm[NST_OKM_MAX], *plaintext, *record;
	bool ok = false;
	unsigned int i;
	int err;

	plaintext = kmalloc(BUF_LEN, GFP_KERNEL);
	record = kmalloc(BUF_LEN, GFP_KERNEL);
	if (!plaintext || !record)
		goto out;
	for (i = 0; i < BUF_LEN; i++)
		plaintext[i] = i * 7 + i / 251 + suite;
	v.plaintext = plaintext;
	v.record = record;
	v.record_len = rec_len(&hdr);
	err = derive(w, &v, &hdr, okm);
	if (!err)
		err = rec_seal(&w->cipher, &hdr, plaintext, 0, record, NULL);
	ok = expect(!err, "errno", err);
	for (i = 0; ok && i < ARRAY_SIZE(cuts); i++)
		ok = try_seal(w, &v, &hdr, i) && try_open(w, &v, &hdr, i);
out:
	kfree(plaintext);
	kfree(record);
	return ok;
}

/* Both ends of a connection, in one namespace. */
struct ends {
	struct nst_net nn;
	struct nst_stream a;
	struct nst_stream b;
};

static void nobody_waits(void *arg, enum nst_wake what)
{
}

static struct nst_keyring *make_ring(struct nst_net *nn,
				     const struct vec_stream *v)
{
	struct nst_owner *owner = nst_owner_get(nn->memories, 0);
	struct nst_keyring *ring = NULL;
	struct nst_box_entry *entry;
	unsigned int i;
	int err = -ENOMEM;

	entry = kcalloc(v->nr_keys, sizeof(*entry), GFP_KERNEL);
	if (owner)
		ring = nst_keyring_alloc(owner, true);
	if (ring && entry) {
		for (i = 0; i < v->nr_keys; i++) {
			entry[i].kid = v->key[i].kid;
			entry[i].state = NST_KEY_ACTIVE;
			memcpy(entry[i].secret, v->key[i].secret, NST_KEY_SIZE);
		}
		err = nst_keyring_replace(ring, entry, v->nr_keys);
	}
	kfree(entry);
	if (err) {
		nst_keyring_put(ring);
		ring = NULL;
	}
	return ring;
}

static struct nst_conf *make_conf(struct nst_net *nn,
				  const struct vec_stream *v)
{
	struct nst_conf *conf = kzalloc(sizeof(*conf), GFP_KERNEL);

	if (!conf)
		return NULL;
	refcount_set(&conf->ref, 1);
	conf->suite = v->suite;
	conf->flags = v->strict ? NST_F_STRICT : 0;
	conf->context_len = v->context_len;
	memcpy(conf->context, v->context, v->context_len);
	conf->ring = make_ring(nn, v);
	if (!conf->ring) {
		kfree(conf);
		return NULL;
	}
	return conf;
}

static int end_init(struct nst_stream *st, struct nst_net *nn,
		    const struct vec_stream *v, u32 role)
{
	st->nn = nn;
	st->role = role;
	st->flags = v->strict ? NST_F_STRICT : 0;
	st->tx.conf = make_conf(nn, v);
	if (!st->tx.conf)
		return -ENOMEM;
	st->rx.conf = nst_conf_get(st->tx.conf);
	return 0;
}

static void ends_free(struct ends *e)
{
	nst_stream_free(&e->a);
	nst_stream_free(&e->b);
	if (e->nn.memories)
		nst_memories_close(e->nn.memories);
	free_percpu(e->nn.stats);
	kfree(e);
}

static struct ends *ends_alloc(const struct vec_stream *v)
{
	struct ends *e = kzalloc(sizeof(*e), GFP_KERNEL);

	if (!e)
		return NULL;
	e->nn.stats = alloc_percpu(struct nst_stats);
	e->nn.memories = nst_memories_alloc(0, e->nn.stats, nobody_waits, NULL);
	e->nn.time_window = 30;
	e->nn.start_cache_max = 1024;
	e->nn.rekey_records = ULONG_MAX;
	e->nn.rekey_bytes = ULONG_MAX;
	if (e->nn.stats && e->nn.memories && !end_init(&e->a, &e->nn, v, v->role_a) &&
	    !end_init(&e->b, &e->nn, v, v->role_b))
		return e;
	ends_free(e);
	return NULL;
}

/* Lets @st choose as the sender of the vector did. */
static void steer(struct nst_stream *st, const struct nst_hdr *hdr)
{
	struct {
		u8 kpos;
		u8 kval;
		u16 epoch;
	} pick = { hdr->kpos - 1, hdr->kval, hdr->epoch };

	if (hdr->start)
		vec_env_random(&hdr->nonce, sizeof(hdr->nonce));
	if (nst_epoch_is(&st->tx.ep, hdr))
		return;
	st->tx.renew = true;
	st->tx.kid = hdr->kid;
	vec_env_random(&pick, sizeof(pick));
}

/* As if @st had sent the record. */
static void pretend_sent(struct nst_stream *st, const struct nst_hdr *hdr)
{
	if (!hdr->start)
		return;
	nst_wire_ts_nonce(st->tx.start, hdr->timestamp, hdr->nonce);
	st->tx.started = true;
	st->tx_started = true;
}

static bool receive_step(struct work *w, struct nst_stream *st,
			 const struct vec_step *step)
{
	enum nst_drop drop;
	struct nst_hdr hdr;

	memcpy(w->copy, step->record, step->record_len);
	drop = rec_stream_open(st, w->copy, &hdr, w->out);
	return expect(!drop, "receiver refuses", drop) &&
	       expect(hdr.type == step->type, "type", hdr.type) &&
	       expect(hdr.len == step->plaintext_len, "length", hdr.len) &&
	       expect(!memcmp(w->out, step->plaintext, hdr.len), "plaintext",
		      0);
}

static bool send_step(struct work *w, struct nst_stream *st,
		      const struct vec_step *step)
{
	int len;

	memcpy(w->in, step->plaintext, step->plaintext_len);
	len = rec_stream_seal(st, step->type, w->in, step->plaintext_len,
			      w->record);
	return expect(len == (int)step->record_len, "sealed length or errno",
		      len) &&
	       expect(!memcmp(w->record, step->record, len), "sealed bytes", 0);
}

/* Replays a connection; with @both ends' sending side, else receiving only. */
static bool run_stream(struct work *w, const struct vec_stream *v, bool both)
{
	struct ends *e = ends_alloc(v);
	unsigned int i;
	bool ok = e;

	for (i = 0; ok && i < v->nr_steps; i++) {
		const struct vec_step *step = &v->step[i];
		struct nst_stream *from = step->from_a ? &e->a : &e->b;
		struct nst_stream *to = step->from_a ? &e->b : &e->a;
		struct nst_hdr hdr;

		ok = expect(!nst_wire_decode(&hdr, step->record, IPPROTO_TCP),
			    "header of record", i);
		if (!ok)
			break;
		vec_env_clock(hdr.timestamp);
		if (both) {
			steer(from, &hdr);
			ok = send_step(w, from, step);
		} else {
			pretend_sent(from, &hdr);
		}
		ok = ok && receive_step(w, to, step);
		expect(ok, "failed at record", i);
	}
	if (e) {
		if (ok)
			ok = expect(e->a.rx.closed && e->b.rx.closed,
				    "both ends have seen a close", 0);
		ends_free(e);
	}
	return ok;
}

/**
 * vec_run() - run all vectors, print TAP
 *
 * Context: process.
 * Return: how many cases failed.
 */
unsigned int vec_run(void)
{
	static const unsigned int lens[] = { 4096, 16384, 65535 };
	struct work *w = work_alloc();
	unsigned int i, suite;

	nr_cases = 0;
	nr_failed = 0;
	vec_env_print("TAP version 13\n1..%zu\n", ARRAY_SIZE(vec_records) +
		      ARRAY_SIZE(vec_streams) * 2 +
		      NST_WIRE_SUITE_MAX * ARRAY_SIZE(lens));
	if (!w) {
		vec_env_print("Bail out! no memory\n");
		return 1;
	}
	for (i = 0; i < ARRAY_SIZE(vec_records); i++)
		report(run_record(w, &vec_records[i]), "record", i,
		       vec_records[i].suite,
		       vec_records[i].proto == IPPROTO_UDP ? "_udp" : "_tcp");
	for (suite = 1; suite <= NST_WIRE_SUITE_MAX; suite++)
		for (i = 0; i < ARRAY_SIZE(lens); i++)
			report(run_long(w, suite, lens[i]), "long", lens[i],
			       suite, "");
	for (i = 0; i < ARRAY_SIZE(vec_streams); i++) {
		const struct vec_stream *v = &vec_streams[i];

		report(run_stream(w, v, false), "stream", i, v->suite,
		       v->strict ? "_strict_received" : "_received");
		report(run_stream(w, v, true), "stream", i, v->suite,
		       v->strict ? "_strict_sent" : "_sent");
	}
	work_free(w);
	nst_op_exit();
	return nr_failed;
}
