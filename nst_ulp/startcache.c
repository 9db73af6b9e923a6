// SPDX-License-Identifier: GPL-2.0
/*
 * The STARTs that were accepted, so that none is accepted again. What the
 * cache can no longer tell from a replay it refuses: a START that was sealed
 * before the cache was born, and one not above the newest that it forgot.
 *
 * Pure logic: the same file is compiled into the module and the unit tests.
 */
#include <linux/rbtree.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include "startcache.h"

/*
 * How many STARTs one call forgets at most. More than one, so that a cache
 * whose limit was lowered shrinks; not many, because a lock is held.
 */
#define FORGET_MAX	32

struct start {
	struct rb_node node;
	u64 timestamp;
	u64 nonce;
};

/**
 * nst_startcache_init() - begin to remember
 * @cache: the cache
 * @boot: CLOCK_BOOTTIME in ns
 */
void nst_startcache_init(struct nst_startcache *cache, u64 boot)
{
	spin_lock_init(&cache->lock);
	cache->root = RB_ROOT;
	cache->nr = 0;
	cache->floor = 0;
	cache->born = boot;
}

/**
 * nst_startcache_exit() - free what is remembered
 * @cache: without users
 */
void nst_startcache_exit(struct nst_startcache *cache)
{
	struct start *start, *next;

	rbtree_postorder_for_each_entry_safe(start, next, &cache->root, node)
		kfree(start);
	cache->root = RB_ROOT;
	cache->nr = 0;
}

/**
 * nst_now_judge() - is a timestamp one that a memory of accepted ones can judge?
 * @now: the clocks
 * @timestamp: of a START or a datagram, not authenticated yet
 * @window_ns: how far it may be off, either way
 * @born: CLOCK_BOOTTIME in ns when the memory began
 *
 * What was sealed before the memory began may have been accepted before, and
 * nobody would know. Clocks may be anywhere.
 *
 * Context: any.
 * Return: NST_OK, NST_DROP_TIME_PAST, NST_DROP_TIME_FUTURE or
 * NST_DROP_CACHE_AGE.
 */
enum nst_drop nst_now_judge(const struct nst_now *now, u64 timestamp,
			    u64 window_ns, u64 born)
{
	u64 remembers = now->boot > born ? now->boot - born : 0;

	/* One from the future has a negative age. */
	if (timestamp > now->real)
		return timestamp - now->real > window_ns ?
		       NST_DROP_TIME_FUTURE : NST_OK;
	if (now->real - timestamp > window_ns)
		return NST_DROP_TIME_PAST;
	return now->real - timestamp >= remembers ? NST_DROP_CACHE_AGE :
						    NST_OK;
}

/**
 * nst_startcache_check() - may a START still be taken as fresh?
 * @cache: of the namespace's box or of private boxes
 * @timestamp: of the START, not authenticated yet
 * @now: the clocks
 * @window_ns: how far the timestamp may be off, either way
 *
 * Whether it has been here before is not looked at: that is done in one step
 * with remembering it, by nst_startcache_add(), after authentication.
 *
 * Context: process or softirq, does not sleep.
 * Return: NST_OK, NST_DROP_TIME_PAST, NST_DROP_TIME_FUTURE, NST_DROP_CACHE_AGE
 * or NST_DROP_CACHE_FLOOR.
 */
enum nst_drop nst_startcache_check(struct nst_startcache *cache, u64 timestamp,
				   const struct nst_now *now, u64 window_ns)
{
	enum nst_drop drop;
	u64 floor;

	drop = nst_now_judge(now, timestamp, window_ns, cache->born);
	if (drop)
		return drop;
	spin_lock_bh(&cache->lock);
	floor = cache->floor;
	spin_unlock_bh(&cache->lock);
	return timestamp > floor ? NST_OK : NST_DROP_CACHE_FLOOR;
}

/* Links @new in unless an equal one is there; says whether it did. */
static bool insert(struct rb_root *root, struct start *new)
{
	struct rb_node **link = &root->rb_node, *parent = NULL;

	while (*link) {
		struct start *start = rb_entry(*link, struct start, node);

		parent = *link;
		if (new->timestamp == start->timestamp &&
		    new->nonce == start->nonce)
			return false;
		if (new->timestamp < start->timestamp ||
		    (new->timestamp == start->timestamp &&
		     new->nonce < start->nonce))
			link = &parent->rb_left;
		else
			link = &parent->rb_right;
	}
	rb_link_node(&new->node, parent, link);
	rb_insert_color(&new->node, root);
	return true;
}

/*
 * Forgets the oldest while there are more than @max. The oldest may be the one
 * just added: that one is accepted all the same, and the floor keeps it from
 * being accepted again.
 */
static void forget(struct nst_startcache *cache, unsigned int max)
{
	unsigned int i;

	for (i = 0; i < FORGET_MAX && cache->nr > max; i++) {
		struct start *oldest = rb_entry(rb_first(&cache->root),
						struct start, node);

		if (oldest->timestamp > cache->floor)
			cache->floor = oldest->timestamp;
		rb_erase(&oldest->node, &cache->root);
		cache->nr--;
		kfree(oldest);
	}
}

/**
 * nst_startcache_add() - take an authenticated START, once
 * @cache: the cache that nst_startcache_check() judged it by
 * @timestamp: of the START
 * @nonce: of the START
 * @max: how many to remember, at least 1
 *
 * Context: process, may sleep.
 * Return: NST_OK if it was new and is remembered now; NST_DROP_CACHE_FLOOR if
 * the floor has risen above it meanwhile; NST_DROP_REPLAYED; NST_DROP_NOMEM.
 */
enum nst_drop nst_startcache_add(struct nst_startcache *cache, u64 timestamp,
				 u64 nonce, unsigned int max)
{
	struct start *new = kmalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	enum nst_drop drop = NST_OK;

	if (!new)
		return NST_DROP_NOMEM;
	new->timestamp = timestamp;
	new->nonce = nonce;
	spin_lock_bh(&cache->lock);
	if (timestamp <= cache->floor) {
		drop = NST_DROP_CACHE_FLOOR;
	} else if (!insert(&cache->root, new)) {
		drop = NST_DROP_REPLAYED;
	} else {
		new = NULL;	/* the cache's now */
		cache->nr++;
		forget(cache, max);
	}
	spin_unlock_bh(&cache->lock);
	kfree(new);
	return drop;
}
