// SPDX-License-Identifier: GPL-2.0
/* Begin and end epochs: from a box key to a keyed cipher. */
#include <crypto/algapi.h>
#include <linux/in.h>
#include <linux/notifier.h>
#include <linux/random.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include "core/epoch.h"
#include "core/kdf.h"
#include "core/suite.h"

/* How often this machine was cloned, as far as the kernel tells. */
static atomic_t vmforks = ATOMIC_INIT(0);

static int count_vmfork(struct notifier_block *nb, unsigned long action,
			void *data)
{
	atomic_inc(&vmforks);
	nst_memories_cloned(ktime_get_boottime_ns());
	return NOTIFY_DONE;
}

static struct notifier_block vmfork_nb = { .notifier_call = count_vmfork };

static atomic_t *streams_of(struct nst_epoch *ep)
{
	return ep->tx ? &ep->key->tx_streams : &ep->key->rx_streams;
}

static void set_key(struct nst_epoch *ep, struct nst_boxkey *key, u64 gen)
{
	if (ep->key) {
		atomic_dec(streams_of(ep));
		nst_boxkey_put(ep->key);
	}
	ep->key = key;
	ep->gen = gen;
	if (key)
		atomic_inc(streams_of(ep));
}

/*
 * Key the transforms for @id under @ep->key: by the key that was kept when they were
 * given back in the middle of the epoch, or derived.
 */
static int derive(struct nst_epoch *ep, const struct nst_epoch_id *id,
		  u8 proto, const u8 *salt, const u8 *context, u8 context_len)
{
	struct nst_kdf in = {
		.secret = ep->key->secret, .salt = salt,
		.context = context, .context_len = context_len,
		.proto = proto, .suite = id->suite,
		.kpos = id->kpos, .kval = id->kval,
		.kid = id->kid, .epoch = id->epoch,
	};
	u8 okm[NST_OKM_MAX];
	int err;

	err = nst_cipher_init(&ep->cipher, id->suite);
	if (!err && !nst_cipher_kept(&ep->cipher, okm))
		err = nst_kdf_derive(&in, okm, nst_suite(id->suite)->okm_len);
	if (!err)
		err = nst_cipher_setkey(&ep->cipher, okm);
	/* Of datagrams nothing is parked. */
	if (!err && proto == IPPROTO_TCP)
		err = nst_cipher_keep(&ep->cipher, okm);
	memzero_explicit(okm, sizeof(okm));
	return err;
}

/**
 * nst_epoch_begin() - derive an epoch's keys
 * @ep: takes the new epoch; what it held has ended
 * @id: the new epoch
 * @key: its box key; the reference passes to the epoch, also on an error
 * @gen: generation of the keyring under which @key was found
 * @proto: IPPROTO_TCP or IPPROTO_UDP
 * @salt: NST_KDF_SALT_LEN bytes
 * @context: the application's context
 * @context_len: its length
 *
 * After an error there is no epoch.
 *
 * Context: process, under the direction's lock.
 * Return: 0; -ENOPKG if this kernel cannot do the suite; another errno.
 */
int nst_epoch_begin(struct nst_epoch *ep, const struct nst_epoch_id *id,
		    struct nst_boxkey *key, u64 gen, u8 proto,
		    const u8 *salt, const u8 *context, u8 context_len)
{
	unsigned int vmfork = nst_epoch_vmforks();
	int err;

	nst_epoch_end(ep);
	set_key(ep, key, gen);
	err = derive(ep, id, proto, salt, context, context_len);
	if (err) {
		nst_epoch_end(ep);
		return err;
	}
	ep->id = *id;
	ep->vmfork = vmfork;
	ep->records = 0;
	ep->bytes = 0;
	return 0;
}

/**
 * nst_epoch_keep() - the box has changed: does the epoch go on?
 * @ep: an epoch under way
 * @key: what its kid stands for now; the reference passes to the epoch if it
 *	goes on, and stays with the caller if not
 * @gen: generation of the keyring under which @key was found
 *
 * Return: true if the secret is the same as before.
 */
bool nst_epoch_keep(struct nst_epoch *ep, struct nst_boxkey *key, u64 gen)
{
	if (!ep->key || ep->key->kid != key->kid ||
	    crypto_memneq(ep->key->secret, key->secret, sizeof(key->secret)))
		return false;
	set_key(ep, key, gen);
	return true;
}

/**
 * nst_epoch_rekey() - the same secret, but another object
 * @ep: an epoch under way
 * @key: of the same secret and kid; the reference passes to the epoch
 *
 * From now on it counts among the streams of @key.
 *
 * Context: any, under the direction's lock.
 * Return: the object until now; its reference passes to the caller.
 */
struct nst_boxkey *nst_epoch_rekey(struct nst_epoch *ep, struct nst_boxkey *key)
{
	struct nst_boxkey *old = ep->key;

	atomic_dec(streams_of(ep));
	WRITE_ONCE(ep->key, key);
	atomic_inc(streams_of(ep));
	return old;
}

/**
 * nst_epoch_park() - give the transforms back
 * @ep: an epoch, or none
 *
 * The epoch goes on: its identity, box key and counts stay, and its own key, if that
 * is all that the suite takes. Before its next record someone must call
 * nst_epoch_unpark().
 *
 * Context: process, under the direction's lock.
 */
void nst_epoch_park(struct nst_epoch *ep)
{
	nst_cipher_park(&ep->cipher);
}

/**
 * nst_epoch_unpark() - have a parked epoch's keys again
 * @ep: parked, or its transforms are there but not keyed
 * @proto: as for nst_epoch_begin() when the epoch began, as all that follows
 * @salt: NST_KDF_SALT_LEN bytes
 * @context: the application's context
 * @context_len: its length
 *
 * After an error the epoch is parked.
 *
 * Context: process, under the direction's lock.
 * Return: 0; -ENOPKG if this kernel cannot do the suite any more; another
 * errno.
 */
int nst_epoch_unpark(struct nst_epoch *ep, u8 proto, const u8 *salt,
		     const u8 *context, u8 context_len)
{
	int err = derive(ep, &ep->id, proto, salt, context, context_len);

	if (err)
		nst_epoch_park(ep);
	return err;
}

/**
 * nst_epoch_end() - forget the epoch, keep the transforms
 * @ep: an epoch, or none
 *
 * The keys stay in the transforms, which nothing uses without an epoch, until
 * the next epoch sets its own or nst_epoch_free() wipes them, but nowhere else.
 */
void nst_epoch_end(struct nst_epoch *ep)
{
	set_key(ep, NULL, 0);
	nst_cipher_forget(&ep->cipher);
	memset(&ep->id, 0, sizeof(ep->id));
}

/**
 * nst_epoch_free() - end the epoch and free the transforms
 * @ep: an epoch, or none
 *
 * Context: process.
 */
void nst_epoch_free(struct nst_epoch *ep)
{
	nst_epoch_end(ep);
	nst_cipher_free(&ep->cipher);
}

/**
 * nst_epoch_pick() - choose the random part of a new epoch
 * @id: receives kpos, kval and epoch
 *
 * If the machine is cloned behind this, its twin has picked the same. The kernel
 * may tell of it before the epoch begins, so what was told until now is what counts.
 *
 * Return: VM forks reported before it chose, for the epoch's @vmfork.
 */
unsigned int nst_epoch_pick(struct nst_epoch_id *id)
{
	unsigned int vmfork = nst_epoch_vmforks();
	u32 pick;

	/*
	 * Pairs with count_vmfork(): the kernel has new randomness then, and gives no
	 * numbers that it has made before.
	 */
	smp_rmb();
	pick = get_random_u32();
	id->kpos = pick % NST_WIRE_KPOS_MAX + 1;
	id->kval = pick >> 8;
	id->epoch = pick >> 16;
	return vmfork;
}

/**
 * nst_epoch_vmforks() - VM forks that the kernel has reported so far
 *
 * An epoch that began under another number may live on in the machine's twin.
 *
 * Return: a count that only grows (and wraps).
 */
unsigned int nst_epoch_vmforks(void)
{
	return atomic_read(&vmforks);
}

/**
 * nst_epoch_init() - listen for VM forks
 *
 * Return: 0 or an errno.
 */
int nst_epoch_init(void)
{
	return register_random_vmfork_notifier(&vmfork_nb);
}

/**
 * nst_epoch_exit() - undo nst_epoch_init()
 */
void nst_epoch_exit(void)
{
	unregister_random_vmfork_notifier(&vmfork_nb);
}
