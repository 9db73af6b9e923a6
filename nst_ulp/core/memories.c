// SPDX-License-Identifier: GPL-2.0
/* The memories of a namespace: the set that they are in. */
#include <linux/minmax.h>
#include <linux/random.h>
#include <linux/siphash.h>
#include <linux/slab.h>
#include "core/memories.h"
#include "limits.h"

/* CLOCK_BOOTTIME in ns when this machine was last cloned; 0: never. */
static u64 cloned;

/**
 * nst_memories_alloc() - begin to remember
 * @boot: CLOCK_BOOTTIME in ns
 * @stats: counters of the namespace, there until nst_memories_close()
 * @wake: called when nst_memories_expire() or _park() has something to do; any
 *	context, under the lock
 * @arg: passed to @wake
 *
 * Context: process.
 * Return: a set without memories; NULL without memory.
 */
struct nst_memories *nst_memories_alloc(u64 boot,
					struct nst_stats __percpu *stats,
					void (*wake)(void *arg,
						     enum nst_wake what),
					void *arg)
{
	struct nst_memories *set = kvzalloc(sizeof(*set), GFP_KERNEL_ACCOUNT);

	if (!set)
		return NULL;
	if (nst_sessions_table(&set->table)) {
		kvfree(set);
		return NULL;
	}
	set->stats = stats;
	refcount_set(&set->ref, 1);
	set->born = boot;
	set->wake = wake;
	set->wake_arg = arg;
	set->left_max = NST_LEFT_MAX;
	get_random_bytes(set->key, sizeof(set->key));
	spin_lock_init(&set->lock);
	set->memory = RB_ROOT;
	set->by_bytes = RB_ROOT;
	INIT_LIST_HEAD(&set->idle);
	INIT_LIST_HEAD(&set->parking);
	INIT_LIST_HEAD(&set->settling);
	INIT_LIST_HEAD(&set->sessions);
	return set;
}

/**
 * nst_memories_cloned() - this machine may have a twin from now on
 * @boot: CLOCK_BOOTTIME in ns
 *
 * What was sealed before that may have been taken by the twin.
 *
 * Context: any.
 */
void nst_memories_cloned(u64 boot)
{
	WRITE_ONCE(cloned, boot);
}

/**
 * nst_memories_hash() - a hash that nobody outside can foresee
 * @set: the set
 * @data: what to hash
 * @len: bytes of it
 *
 * Context: any.
 */
u32 nst_memories_hash(const struct nst_memories *set, const u8 *data,
		      unsigned int len)
{
	return siphash(data, len, &set->key[0]);
}

/**
 * nst_memories_put() - give a reference back
 * @set: the set
 *
 * Context: any.
 */
void nst_memories_put(struct nst_memories *set)
{
	if (refcount_dec_and_test(&set->ref))
		kvfree(set);
}

/**
 * nst_memories_begin() - since when what was taken is remembered
 * @set: the set
 *
 * Context: any.
 * Return: CLOCK_BOOTTIME in ns.
 */
u64 nst_memories_begin(const struct nst_memories *set)
{
	return max(set->born, READ_ONCE(cloned));
}
