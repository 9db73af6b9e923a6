// SPDX-License-Identifier: GPL-2.0
/* Sessions: judged before authentication, brought to life only after it. */
#include <linux/in.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include "core/kdf.h"
#include "core/keyring.h"
#include "core/lookup.h"
#include "core/memory.h"
#include "core/session.h"
#include "limits.h"

static struct nst_session_name name_of(const struct nst_conf *conf,
				       const struct nst_hdr *hdr,
				       const struct nst_memory *mem)
{
	return (struct nst_session_name){
		.mem = mem, .epoch = nst_wire_epoch(hdr),
		.upper = hdr->nonce >> 32, .context_hash = conf->context_hash,
	};
}

/* A change of the namespace's box: it shows who still uses which key. */
static void recount(struct nst_session *ses, struct nst_opener *keys,
		    struct nst_boxkey *key)
{
	struct nst_boxkey *old = NULL;

	spin_lock_bh(&ses->lock);
	if (keys->ep.key != key) {
		refcount_inc(&key->ref);
		old = nst_epoch_rekey(&keys->ep, key);
	}
	spin_unlock_bh(&ses->lock);
	/* This may take the lock of the set, which goes before a session's. */
	nst_boxkey_put(old);
}

/**
 * nst_session_find() - the session of a datagram, and may its kid be used?
 * @conf: the receiver's configuration
 * @hdr: of the datagram
 * @found: receives what there is
 *
 * Context: any, under rcu_read_lock().
 * Return: NST_OK, NST_DROP_NO_KID, NST_DROP_KID_RETIRED or
 * NST_DROP_EPOCH_LIMIT.
 */
enum nst_drop nst_session_find(const struct nst_conf *conf,
			       const struct nst_hdr *hdr,
			       struct nst_found *found)
{
	struct nst_session_keys *keys;
	struct nst_claim *claim;
	enum nst_drop drop;

	found->ses = NULL;
	found->keys = NULL;
	drop = nst_keyring_peek_rx(conf->ring, hdr->kid, &found->key);
	if (drop)
		return drop;
	claim = found->key->claim;
	found->id.name = name_of(conf, hdr, claim->mem);
	found->id.context = conf->context;
	found->id.context_len = conf->context_len;
	found->ses = nst_sessions_find(&claim->owner->set->table, &found->id);
	/* One that is about to come to life is none yet. */
	if (!found->ses || !smp_load_acquire(&found->ses->live)) {
		found->ses = NULL;
		return NST_OK;
	}
	if (nst_session_spent(found->ses))
		return NST_DROP_EPOCH_LIMIT;
	keys = rcu_dereference(found->ses->keys);
	if (!keys)
		return NST_OK;
	found->keys = container_of(keys, struct nst_opener, head);
	if (READ_ONCE(found->keys->ep.key) != found->key &&
	    !conf->ring->private)
		recount(found->ses, found->keys, found->key);
	return NST_OK;
}

/**
 * nst_session_judge() - time, floor and window: all before authentication
 * @found: what nst_session_find() found
 * @dgram: the datagram; it is told when it was judged
 * @window: how far its timestamp may be off, either way, ns
 *
 * Context: any, under rcu_read_lock().
 * Return: NST_OK or the first cause that applies.
 */
enum nst_drop nst_session_judge(const struct nst_found *found,
				struct nst_dgram *dgram, u64 window)
{
	/* One look at the clock is enough for three times. */
	ktime_t mono = ktime_get();
	struct nst_now now = {
		.real = ktime_to_ns(ktime_mono_to_real(mono)),
		.boot = ktime_to_ns(ktime_mono_to_any(mono, TK_OFFS_BOOT)),
	};
	enum nst_drop drop;

	dgram->at = ktime_to_ns(mono);
	drop = nst_claim_judge_dgram(found->key->claim, found->ses,
				     dgram->hdr.timestamp, &now, window);
	if (drop || !found->ses)
		return drop;
	return nst_dgram_check(found->ses, dgram);
}

static void free_session(struct nst_session *ses)
{
	kfree(ses->by_group);
	kfree(ses);
}

static void free_keys(struct nst_opener *keys)
{
	nst_epoch_free(&keys->ep);
	kfree_sensitive(keys);
}

/* Those of a driver that may still use them stay. */
static void keys_work(struct work_struct *work)
{
	struct nst_session_keys *head = container_of(to_rcu_work(work),
						     struct nst_session_keys,
						     free);

	if (!READ_ONCE(head->kept))
		free_keys(container_of(head, struct nst_opener, head));
}

static void session_work(struct work_struct *work)
{
	struct nst_session *ses = container_of(to_rcu_work(work),
					       struct nst_session, free);
	struct nst_session_keys *keys;

	/* Nobody can find it any more. */
	keys = rcu_dereference_protected(ses->keys, true);
	if (keys)
		keys_work(&keys->free.work);
	free_session(ses);
}

static struct nst_session *new_session(const struct nst_conf *conf,
				       const struct nst_hdr *hdr)
{
	struct nst_session *ses = kzalloc(sizeof(*ses), NST_GFP_RECEIVED);

	if (!ses)
		return NULL;
	spin_lock_init(&ses->lock);
	INIT_RCU_WORK(&ses->free, session_work);
	ses->context_len = conf->context_len;
	memcpy(ses->context, conf->context, sizeof(ses->context));
	nst_replay_init(&ses->win, hdr->nonce);
	ses->newest = hdr->timestamp;
	return ses;
}

static enum nst_drop derive(struct nst_opener *keys,
			    const struct nst_conf *conf,
			    const struct nst_hdr *hdr)
{
	static const u8 salt[NST_KDF_SALT_LEN];
	struct nst_epoch_id id = nst_wire_epoch(hdr);
	struct nst_boxkey *key;
	enum nst_drop drop;
	u64 gen;
	int err;

	/* One worker serves all: it waits for no algorithm. */
	err = nst_suite_ask_datagrams(hdr->suite);
	if (!err)
		err = nst_cipher_init_atomic(&keys->ep.cipher, hdr->suite);
	if (!err) {
		drop = nst_keyring_find_rx(conf->ring, hdr->kid, &key, &gen);
		if (drop)
			return drop;
		err = nst_epoch_begin(&keys->ep, &id, key, gen, IPPROTO_UDP,
				      salt, conf->context, conf->context_len);
	}
	return nst_cipher_cause(err);
}

/**
 * nst_candidate_derive() - derive keys for a session to be
 * @new: receives both
 * @conf: of a receiver that the datagram came to
 * @hdr: of the datagram, not authenticated yet
 *
 * Context: process.
 * Return: NST_OK; NST_DROP_NO_KID or NST_DROP_KID_RETIRED; NST_DROP_NO_SUITE;
 * NST_DROP_NOMEM.
 */
enum nst_drop nst_candidate_derive(struct nst_candidate *new,
				   const struct nst_conf *conf,
				   const struct nst_hdr *hdr)
{
	enum nst_drop drop = NST_DROP_NOMEM;

	new->ses = new_session(conf, hdr);
	new->keys = kzalloc(sizeof(*new->keys), NST_GFP_RECEIVED);
	if (new->ses && new->keys) {
		INIT_RCU_WORK(&new->keys->head.free, keys_work);
		drop = derive(new->keys, conf, hdr);
	}
	if (drop) {
		nst_candidate_free(new);
		return drop;
	}
	new->ses->name = name_of(conf, hdr, new->keys->ep.key->claim->mem);
	return NST_OK;
}

/**
 * nst_candidate_free() - nothing came of it
 * @new: from nst_candidate_derive(), not given to nst_candidate_add()
 *
 * Context: process.
 */
void nst_candidate_free(struct nst_candidate *new)
{
	if (new->ses)
		free_session(new->ses);
	if (new->keys)
		free_keys(new->keys);
}

/**
 * nst_candidate_add() - its datagram was authentic: it comes to life
 * @new: given away, whatever is returned
 * @bounds: the namespace's settings
 *
 * Context: process.
 * Return: as nst_claim_take_session().
 */
enum nst_drop nst_candidate_add(struct nst_candidate *new,
				const struct nst_bounds *bounds)
{
	struct nst_claim *claim = new->keys->ep.key->claim;

	/* No larger than what its owner is charged, as the allocator rounds it. */
	BUILD_BUG_ON(sizeof(struct nst_session) > 1024);
	BUILD_BUG_ON(sizeof(struct nst_opener) > 256);
	return nst_claim_take_session(claim, new->ses, &new->keys->head,
				      ktime_get_real_ns(), bounds);
}
