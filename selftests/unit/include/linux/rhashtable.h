/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Host shim: a hash table that never grows, and whose insertion can fail. What is
 * removed keeps its way on, for readers.
 */
#ifndef _SHIM_LINUX_RHASHTABLE_H
#define _SHIM_LINUX_RHASHTABLE_H

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <shim/env.h>

#define SHIM_RHT_CHAINS	256

struct rhash_head {
	struct rhash_head *next;
};

struct rhashtable {
	struct rhash_head **chain;
	unsigned int nelems;
};

struct rhashtable_compare_arg {
	struct rhashtable *ht;
	const void *key;
};

struct rhashtable_params {
	u16 key_len, key_offset, head_offset;
	bool automatic_shrinking;
	u32 (*hashfn)(const void *data, u32 len, u32 seed);
	int (*obj_cmpfn)(struct rhashtable_compare_arg *arg, const void *obj);
};

static inline int rhashtable_init(struct rhashtable *ht,
				  const struct rhashtable_params *params)
{
	(void)params;
	ht->nelems = 0;
	ht->chain = kcalloc(SHIM_RHT_CHAINS, sizeof(*ht->chain), GFP_KERNEL);
	return ht->chain ? 0 : -ENOMEM;
}

static inline void rhashtable_destroy(struct rhashtable *ht)
{
	WARN_ON(ht->nelems);
	kfree(ht->chain);
	ht->chain = NULL;
}

static inline struct rhash_head **
shim_rht_chain(struct rhashtable *ht, const void *key,
	       const struct rhashtable_params *params)
{
	u32 hash = params->hashfn(key, params->key_len, 0x5eed);

	return &ht->chain[(hash ^ hash >> 16) % SHIM_RHT_CHAINS];
}

static inline void *rhashtable_lookup(struct rhashtable *ht, const void *key,
				      const struct rhashtable_params params)
{
	struct rhashtable_compare_arg arg = { .ht = ht, .key = key };
	struct rhash_head *he;

	WARN_ON(!shim_rcu_depth);
	for (he = *shim_rht_chain(ht, key, &params); he; he = he->next) {
		void *obj = (char *)he - params.head_offset;

		if (!params.obj_cmpfn(&arg, obj))
			return obj;
	}
	return NULL;
}

static inline int rhashtable_insert_fast(struct rhashtable *ht,
					 struct rhash_head *he,
					 const struct rhashtable_params params)
{
	char *obj = (char *)he - params.head_offset;
	struct rhash_head **chain = shim_rht_chain(ht, obj + params.key_offset,
						   &params);

	if (shim_should_fail())
		return -ENOMEM;
	he->next = *chain;
	*chain = he;
	ht->nelems++;
	return 0;
}

static inline int rhashtable_remove_fast(struct rhashtable *ht,
					 struct rhash_head *he,
					 const struct rhashtable_params params)
{
	char *obj = (char *)he - params.head_offset;
	struct rhash_head **at = shim_rht_chain(ht, obj + params.key_offset,
						&params);

	while (*at && *at != he)
		at = &(*at)->next;
	if (!*at) {
		WARN_ON(1);
		return -ENOENT;
	}
	*at = he->next;
	ht->nelems--;
	return 0;
}

#endif /* _SHIM_LINUX_RHASHTABLE_H */
