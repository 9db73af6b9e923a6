// SPDX-License-Identifier: GPL-2.0
/* From what a program passes to setsockopt() to a configuration. */
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "core/conf.h"
#include "core/keyring.h"
#include "core/wire.h"
#include "limits.h"

#define ROLE_FLAGS	(NST_F_INITIATOR | NST_F_RESPONDER)

static_assert(sizeof(struct nst_key) == 40);
static_assert(sizeof(struct nst_crypto_info) == 48);

static int check_keys(const struct nst_crypto_info *info)
{
	bool found = !info->kid || !info->nr_keys;
	unsigned int i, j;

	for (i = 0; i < info->nr_keys; i++) {
		const struct nst_key *key = &info->keys[i];

		if (!key->kid || key->flags || key->reserved)
			return -EINVAL;
		for (j = 0; j < i; j++)
			if (info->keys[j].kid == key->kid)
				return -EINVAL;
		found |= key->kid == info->kid;
	}
	return found ? 0 : -ENOKEY;
}

static int check_info(const struct nst_crypto_info *info, unsigned int len,
		      int dirs, u32 flags)
{
	if (info->version != NST_VERSION ||
	    info->cipher_id > NST_WIRE_SUITE_MAX ||
	    (!info->cipher_id && (dirs & NST_SET_TX)))
		return -EINVAL;
	if ((info->flags & ~flags) ||
	    (info->flags & ROLE_FLAGS) == ROLE_FLAGS)
		return -EINVAL;
	if (info->context_len > NST_CONTEXT_MAX ||
	    memchr_inv(info->reserved, 0, sizeof(info->reserved)) ||
	    len != struct_size(info, keys, info->nr_keys))
		return -EINVAL;
	return check_keys(info);
}

/* A private box with the keys of @info. */
static struct nst_keyring *make_ring(struct nst_net *nn,
				     const struct nst_crypto_info *info)
{
	struct nst_owner *owner = nst_net_owner(nn);
	struct nst_keyring *ring = NULL;
	struct nst_box_entry *entry;
	unsigned int i;
	int err = -ENOMEM;

	entry = kcalloc(info->nr_keys, sizeof(*entry), GFP_KERNEL);
	if (owner)
		ring = nst_keyring_alloc(owner, true);
	if (entry && ring) {
		for (i = 0; i < info->nr_keys; i++) {
			entry[i].kid = info->keys[i].kid;
			entry[i].state = NST_KEY_ACTIVE;
			memcpy(entry[i].secret, info->keys[i].key,
			       NST_KEY_SIZE);
		}
		err = nst_keyring_replace(ring, entry, info->nr_keys);
	}
	kfree_sensitive(entry);
	if (!err)
		return ring;
	nst_keyring_put(ring);
	return ERR_PTR(err);
}

static struct nst_conf *make_conf(struct nst_net *nn,
				  const struct nst_crypto_info *info)
{
	struct nst_conf *conf = kzalloc(sizeof(*conf), GFP_KERNEL_ACCOUNT);

	if (!conf)
		return ERR_PTR(-ENOMEM);
	if (info->nr_keys)
		conf->ring = make_ring(nn, info);
	else
		conf->ring = nst_keyring_get(nn->ring);
	if (IS_ERR(conf->ring)) {
		int err = PTR_ERR(conf->ring);

		kfree(conf);
		return ERR_PTR(err);
	}
	refcount_set(&conf->ref, 1);
	conf->suite = info->cipher_id;
	conf->kid = info->kid;
	conf->nr_keys = info->nr_keys;
	conf->flags = info->flags;
	conf->context_len = info->context_len;
	memcpy(conf->context, info->context, info->context_len);
	conf->context_hash = nst_memories_hash(nn->memories, conf->context,
					       conf->context_len);
	return conf;
}

/**
 * nst_conf_parse() - make a configuration of what a program passes
 * @nn: the socket's namespace
 * @optval: struct nst_crypto_info with its keys
 * @len: bytes of it
 * @dirs: NST_SET_*, the directions that it is for
 * @flags: NST_F_* that a socket of this kind knows
 *
 * Context: process.
 * Return: a configuration with one reference, the caller's; an ERR_PTR: -EINVAL
 * for a wrong length, version, flag or byte; -ENOKEY if the kid is none of the
 * private box; -EFAULT; -ENOMEM.
 */
struct nst_conf *nst_conf_parse(struct nst_net *nn, sockptr_t optval,
				unsigned int len, int dirs, u32 flags)
{
	struct nst_crypto_info *info;
	struct nst_conf *conf;
	int err;

	if (len < sizeof(*info) ||
	    len > struct_size(info, keys, NST_PRIVATE_KEYS_MAX))
		return ERR_PTR(-EINVAL);
	info = kmalloc(len, GFP_KERNEL);
	if (!info)
		return ERR_PTR(-ENOMEM);
	err = copy_from_sockptr(info, optval, len) ? -EFAULT : 0;
	if (!err)
		err = check_info(info, len, dirs, flags);
	conf = err ? ERR_PTR(err) : make_conf(nn, info);
	kfree_sensitive(info);
	return conf;
}

/**
 * nst_conf_agree() - may two configurations be of the same socket?
 * @a: of one direction
 * @b: of the other direction
 *
 * Return: true if flags and context are the same.
 */
bool nst_conf_agree(const struct nst_conf *a, const struct nst_conf *b)
{
	return a->flags == b->flags && a->context_len == b->context_len &&
	       !memcmp(a->context, b->context, a->context_len);
}

/**
 * nst_conf_tell() - what a program has set, without the keys
 * @conf: the configuration
 * @info: zeroed; receives all but the keys
 */
void nst_conf_tell(const struct nst_conf *conf, struct nst_crypto_info *info)
{
	info->version = NST_VERSION;
	info->cipher_id = conf->suite;
	info->kid = conf->kid;
	info->flags = conf->flags;
	info->nr_keys = conf->nr_keys;
	info->context_len = conf->context_len;
	memcpy(info->context, conf->context, sizeof(info->context));
}

/**
 * nst_conf_get() - take a reference
 * @conf: or NULL
 *
 * Context: any.
 * Return: @conf.
 */
struct nst_conf *nst_conf_get(struct nst_conf *conf)
{
	if (conf)
		refcount_inc(&conf->ref);
	return conf;
}

/**
 * nst_conf_put() - give a reference back
 * @conf: or NULL
 *
 * Context: any.
 */
void nst_conf_put(struct nst_conf *conf)
{
	if (!conf || !refcount_dec_and_test(&conf->ref))
		return;
	nst_keyring_put(conf->ring);
	kfree(conf);
}
