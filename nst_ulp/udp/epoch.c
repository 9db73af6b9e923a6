// SPDX-License-Identifier: GPL-2.0
/*
 * A UDP socket sends with one counter and in one epoch at a time, whatever the
 * destinations. Senders take nonces under a spinlock and seal without it, so
 * that many threads can send on one socket; an epoch lives until the last of
 * them has sealed.
 */
#include <linux/err.h>
#include <linux/in.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include "core/kdf.h"
#include "core/keyring.h"
#include "event.h"
#include "limits.h"
#include "trace.h"
#include "udp/epoch.h"
#include "udp/room.h"

/**
 * nst_udp_epoch_put() - a sender has sealed, or the socket has done with it
 * @epoch: NULL is allowed. The last reference wipes the keys
 *
 * Context: process.
 */
void nst_udp_epoch_put(struct nst_udp_epoch *epoch)
{
	if (!epoch || !refcount_dec_and_test(&epoch->ref))
		return;
	nst_epoch_free(&epoch->ep);
	kfree_sensitive(epoch);
}

static bool at_limit(const struct nst_udp *nst, const struct nst_epoch *ep)
{
	return ep->records >= READ_ONCE(nst->nn->rekey_records) ||
	       ep->bytes >= READ_ONCE(nst->nn->rekey_bytes);
}

/* Is the present epoch at its end, whatever the box says? */
static bool is_over(const struct nst_udp *nst)
{
	const struct nst_udp_epoch *epoch = nst->epoch;

	lockdep_assert_held(&nst->tx_lock);
	if (!epoch || nst->renew || at_limit(nst, &epoch->ep))
		return true;
	if (epoch->ep.vmfork != nst_epoch_vmforks())
		return true;
	return ktime_get_coarse_boottime_ns() >=
	       epoch->born + NST_EPOCH_SECONDS * NSEC_PER_SEC;
}

static bool looked_up(const struct nst_udp *nst)
{
	return READ_ONCE(nst->tx_conf->ring->gen) == nst->epoch->ep.gen;
}

/*
 * The socket's own epochs from now on: @id, and the earlier ones that a receiver
 * could still take. What the list has no room for is known by its nonces.
 */
static struct nst_udp_own *make_own(const struct nst_udp *nst,
				    const struct nst_epoch_id *id)
{
	u64 window = (u64)READ_ONCE(nst->nn->time_window) * NSEC_PER_SEC;
	const struct nst_udp_own *old;
	u64 now = ktime_get_boottime_ns();
	struct nst_udp_own *own;
	unsigned int i, nr;

	old = rcu_dereference_protected(nst->own,
					lockdep_is_held(&nst->conf_lock));
	nr = min_t(unsigned int, (old ? old->nr : 0) + 1, NST_OWN_EPOCHS);
	own = kmalloc(struct_size(own, entry, nr), GFP_KERNEL_ACCOUNT);
	if (!own)
		return NULL;
	own->entry[0].id = *id;
	own->entry[0].until = U64_MAX;
	own->nr = 1;
	for (i = 0; old && i < old->nr && own->nr < nr; i++) {
		u64 until = i ? old->entry[i].until : now + 2 * window;

		if (until <= now)
			continue;
		own->entry[own->nr].id = old->entry[i].id;
		own->entry[own->nr++].until = until;
	}
	return own;
}

/* Derives an epoch; the reference on @key goes to it, also on an error. */
static struct nst_udp_epoch *make_epoch(struct nst_udp *nst,
					struct nst_boxkey *key, u64 gen)
{
	static const u8 salt[NST_KDF_SALT_LEN];
	struct nst_conf *conf = nst->tx_conf;
	struct nst_epoch_id id = { .suite = conf->suite, .kid = key->kid };
	struct nst_udp_epoch *epoch;
	unsigned int vmfork;
	int err;

	epoch = kzalloc(sizeof(*epoch), GFP_KERNEL_ACCOUNT);
	if (!epoch) {
		nst_boxkey_put(key);
		return ERR_PTR(-ENOMEM);
	}
	refcount_set(&epoch->ref, 1);
	epoch->ep.tx = true;
	epoch->born = ktime_get_boottime_ns();
	vmfork = nst_epoch_pick(&id);
	err = nst_epoch_begin(&epoch->ep, &id, key, gen, IPPROTO_UDP, salt,
			      conf->context, conf->context_len);
	epoch->ep.vmfork = vmfork;
	if (!err)
		return epoch;
	nst_udp_epoch_put(epoch);
	return ERR_PTR(err);
}

/* Puts @epoch in the present one's place. */
static int exchange(struct nst_udp *nst, struct nst_udp_epoch *epoch)
{
	struct nst_udp_own *own = make_own(nst, &epoch->ep.id), *old_own;
	struct nst_udp_epoch *old;
	bool limit;
	u64 nonce;

	if (!own)
		return -ENOMEM;
	if (!nst->epoch) {
		get_random_bytes(&nonce, sizeof(nonce));
		nst->first_nonce = nonce;
		WRITE_ONCE(nst->nonce, nonce);
	}
	/* Before the first datagram of the epoch can leave. */
	old_own = rcu_replace_pointer(nst->own, own,
				      lockdep_is_held(&nst->conf_lock));
	if (old_own)
		kfree_rcu(old_own, rcu);
	spin_lock(&nst->tx_lock);
	old = nst->epoch;
	limit = old && at_limit(nst, &old->ep);
	nst->epoch = epoch;
	nst->renew = false;
	nst->tx_epochs++;
	spin_unlock(&nst->tx_lock);
	if (limit)
		nst_event_limit(sock_net(nst->sk), old->ep.id.kid);
	nst_stats_inc(nst->nn->stats, NST_MIB_TX_EPOCHS);
	trace_nst_epoch(nst->sk, true, epoch->ep.id.suite, epoch->ep.id.kid,
			epoch->ep.id.epoch, false);
	nst_udp_epoch_put(old);
	return 0;
}

static int renew_locked(struct nst_udp *nst)
{
	struct nst_udp_epoch *epoch;
	struct nst_boxkey *key;
	bool over, keep = false;
	u64 gen;
	int err;

	lockdep_assert_held(&nst->conf_lock);
	if (!nst->tx_conf)
		return -ENOKEY;
	spin_lock(&nst->tx_lock);
	over = is_over(nst);
	spin_unlock(&nst->tx_lock);
	/* Another sender may have been here before. */
	if (!over && looked_up(nst))
		return 0;
	err = nst_keyring_find_tx(nst->tx_conf->ring, nst->tx_kid, &key, &gen);
	if (err)
		return err;
	if (!over) {
		spin_lock(&nst->tx_lock);
		keep = nst_epoch_keep(&nst->epoch->ep, key, gen);
		spin_unlock(&nst->tx_lock);
	}
	if (keep)
		return 0;
	epoch = make_epoch(nst, key, gen);
	if (IS_ERR(epoch))
		return PTR_ERR(epoch);
	err = exchange(nst, epoch);
	if (err)
		nst_udp_epoch_put(epoch);
	return err;
}

static int renew(struct nst_udp *nst, bool may_wait)
{
	int err = nst_udp_conf_lock(nst, may_wait);

	if (err)
		return err;
	err = renew_locked(nst);
	nst_udp_conf_unlock(nst);
	return err;
}

/**
 * nst_udp_epoch_take() - nonces and keys for the next datagrams
 * @nst: the socket's state
 * @nr: datagrams, at least 1
 * @bytes: plaintext bytes in them
 * @timeo: jiffies to wait for room; receives what is left. 0: nor for who derives
 * @nonce: receives the first nonce; the others follow it
 *
 * A nonce that is taken and not used is lost, and never used by another. So none is
 * before there is room, which is promised then, until nst_udp_room_give().
 *
 * Context: process.
 * Return: the epoch with a reference, the caller's; an ERR_PTR: -ENOKEY without
 * a key, -EKEYREVOKED if it was retired, -EACCES if it is for receiving only,
 * -ERESTARTSYS, -ENOMEM, ..., or as nst_udp_room_wait()
 */
struct nst_udp_epoch *nst_udp_epoch_take(struct nst_udp *nst, unsigned int nr,
					 unsigned int bytes, long *timeo,
					 u64 *nonce)
{
	unsigned int room = nst_udp_room_for(nr, bytes);
	struct nst_udp_epoch *epoch;
	bool ready;
	int err;

	for (;;) {
		spin_lock(&nst->tx_lock);
		ready = nst->tx_conf && !is_over(nst) && looked_up(nst);
		if (ready && nst_udp_room_take(nst, room))
			break;
		spin_unlock(&nst->tx_lock);
		err = ready ? nst_udp_room_wait(nst, room, timeo) :
			      renew(nst, *timeo);
		if (err)
			return ERR_PTR(err);
	}
	epoch = nst->epoch;
	refcount_inc(&epoch->ref);
	epoch->ep.records += nr;
	epoch->ep.bytes += bytes;
	*nonce = nst->nonce;
	WRITE_ONCE(nst->nonce, *nonce + nr);
	nst->tx_records += nr;
	nst->tx_bytes += bytes;
	spin_unlock(&nst->tx_lock);
	return epoch;
}
