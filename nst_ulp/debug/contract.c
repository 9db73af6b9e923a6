// SPDX-License-Identifier: GPL-2.0
/* What was sealed and what was taken lately, in two bounded sets of hashes. */
#include <linux/bug.h>
#include <linux/module.h>
#include <linux/once.h>
#include <linux/siphash.h>
#include <linux/spinlock.h>
#include "debug/contract.h"

/* Half a megabyte each; the oldest of a bucket gives way. */
#define BUCKETS		(1U << 14)
#define WAYS		4

struct seen {
	spinlock_t lock;
	u64 entry[BUCKETS][WAYS];
	u8 next[BUCKETS];
};

static struct seen sealed = { .lock = __SPIN_LOCK_UNLOCKED(sealed.lock) };
static struct seen taken = { .lock = __SPIN_LOCK_UNLOCKED(taken.lock) };

static unsigned long checked;
module_param(checked, ulong, 0400);
MODULE_PARM_DESC(checked, "checks of the protocol's promises made so far");

static const siphash_key_t *secret(void)
{
	static siphash_key_t key;

	get_random_once(&key, sizeof(key));
	return &key;
}

static u64 print_of(const void *data, size_t len)
{
	/* 0 is an empty place. */
	return siphash(data, len, secret()) | 1;
}

/* Returns true if it was there. Two hashes are the same once in 2^63 pairs. */
static bool note(struct seen *seen, u64 print)
{
	unsigned int i, bucket = (print >> 1) % BUCKETS;
	u64 *entry = seen->entry[bucket];
	bool found = false;

	spin_lock_bh(&seen->lock);
	checked++;
	for (i = 0; i < WAYS && !found; i++)
		found = entry[i] == print;
	if (!found)
		entry[seen->next[bucket]++ % WAYS] = print;
	spin_unlock_bh(&seen->lock);
	return found;
}

/**
 * nst_contract_key() - a cipher has a new key
 * @key: what the checks know it by from now on
 * @okm: its key material
 * @len: bytes of it
 *
 * Context: any.
 */
void nst_contract_key(struct nst_contract_key *key, const void *okm, size_t len)
{
	key->print = print_of(okm, len);
}

/**
 * nst_contract_sealed() - a record is sealed: never again so
 * @key: of its epoch
 * @iv_high: what its IV is made from
 * @iv_low: the rest of that
 *
 * Context: any.
 */
void nst_contract_sealed(const struct nst_contract_key *key, u64 iv_high, u64 iv_low)
{
	u64 pair[3] = { key->print, iv_high, iv_low };

	WARN(note(&sealed, print_of(pair, sizeof(pair))),
	     "nst: a key has sealed twice with one IV\n");
}

/**
 * nst_contract_taken() - an authentic record goes to its receiver: never again so
 * @key: of its epoch or session
 * @receiver: for whom once is once
 * @timestamp: of the record
 * @nonce: of the record
 *
 * Context: any.
 */
void nst_contract_taken(const struct nst_contract_key *key, const void *receiver,
			u64 timestamp, u64 nonce)
{
	u64 pair[4] = { key->print, (unsigned long)receiver, timestamp, nonce };

	WARN(note(&taken, print_of(pair, sizeof(pair))),
	     "nst: a record was taken twice\n");
}

/**
 * nst_contract_unmoved() - nothing has changed since a record was authentic
 * @state: of the last time
 * @now: what only an authentic record changes
 * @len: bytes of it
 *
 * Context: under the lock that protects it.
 */
void nst_contract_unmoved(const struct nst_contract_state *state, const void *now,
			  size_t len)
{
	WARN(state->print && state->print != print_of(now, len),
	     "nst: a receiver's state moved before a record was authentic\n");
}

/**
 * nst_contract_moved() - an authentic record has been taken
 * @state: receives what it is now
 * @now: as for nst_contract_unmoved()
 * @len: bytes of it
 *
 * Context: under the lock that protects it.
 */
void nst_contract_moved(struct nst_contract_state *state, const void *now, size_t len)
{
	state->print = print_of(now, len);
}
