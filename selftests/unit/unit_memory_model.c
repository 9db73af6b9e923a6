// SPDX-License-Identifier: GPL-2.0
/*
 * memory.c beside a naive model of the protocol's words: lists that are searched
 * from end to end. Both see the same random history; each answer must be the same.
 */
#include <linux/ktime.h>
#include <linux/nst.h>
#include <linux/slab.h>
#include <shim/test.h>
#include "memory.h"

#define SEC	((u64)NSEC_PER_SEC)
#define SECRETS	6
#define USERS	3
#define LEFT	3	/* floors that an owner keeps */
#define KNOWN	64
#define HISTORY	20000

struct start {
	u64 timestamp;
	u64 nonce;
};

/* What the protocol says about one secret. */
struct secret {
	bool made;
	struct start known[KNOWN];
	unsigned int nr;
	u64 floor;
	unsigned int boxes[USERS];
	bool held[USERS];	/* in the life of the memory */
	u64 unheld;
	bool has_left[USERS];
	u64 left;
};

static struct secret model[SECRETS];
static u64 given_up[USERS];
static struct start history[SECRETS][HISTORY];
static unsigned int nr_history[SECRETS];

static struct nst_memories *set;
static struct nst_owner *owner[USERS];
/* Of each box; a secret may be in several of a user. */
static struct nst_claim *claim[SECRETS][USERS];
static struct nst_now now;
static struct nst_bounds bounds;
static u64 born;

static void nobody_waits(void *arg)
{
	(void)arg;
}

static unsigned int boxes_of(const struct secret *s)
{
	unsigned int u, n = 0;

	for (u = 0; u < USERS; u++)
		n += s->boxes[u];
	return n;
}

static void model_leave(unsigned int user, unsigned int n, u64 left)
{
	unsigned int i, nr = 0, lowest = SECRETS;

	model[n].has_left[user] = true;
	model[n].left = left;
	for (i = 0; i < SECRETS; i++) {
		if (!model[i].has_left[user])
			continue;
		nr++;
		if (lowest == SECRETS || model[i].left < model[lowest].left)
			lowest = i;
	}
	if (nr <= LEFT)
		return;
	model[lowest].has_left[user] = false;
	if (model[lowest].left > given_up[user])
		given_up[user] = model[lowest].left;
}

static u64 model_newest(const struct secret *s)
{
	u64 newest = s->floor;
	unsigned int i;

	for (i = 0; i < s->nr; i++)
		if (s->known[i].timestamp > newest)
			newest = s->known[i].timestamp;
	return newest;
}

static void model_expire(void)
{
	unsigned int n, u;

	for (n = 0; n < SECRETS; n++) {
		struct secret *s = &model[n];
		u64 newest = model_newest(s);

		if (!s->made || boxes_of(s) || newest >= now.real ||
		    now.real - newest <= bounds.window ||
		    now.boot - s->unheld < 2 * bounds.window)
			continue;
		s->made = false;
		s->nr = 0;
		for (u = 0; u < USERS; u++)
			if (s->held[u])
				model_leave(u, n, newest);
		memset(s->held, 0, sizeof(s->held));
	}
}

static u64 model_floor(unsigned int n, unsigned int user)
{
	const struct secret *s = &model[n];
	u64 floor = given_up[user];
	unsigned int u;

	if (s->made)
		return s->floor;
	for (u = 0; u < USERS; u++)
		if (s->has_left[u] && s->left > floor)
			floor = s->left;
	return floor;
}

static enum nst_drop model_judge(unsigned int n, unsigned int user,
				 u64 timestamp)
{
	s64 age = now.real - timestamp;

	if (age > (s64)bounds.window)
		return NST_DROP_TIME_PAST;
	if (-age > (s64)bounds.window)
		return NST_DROP_TIME_FUTURE;
	if (age >= (s64)(now.boot - born))
		return NST_DROP_CACHE_AGE;
	return timestamp > model_floor(n, user) ? NST_OK : NST_DROP_CACHE_FLOOR;
}

static void model_make(unsigned int n, unsigned int user)
{
	struct secret *s = &model[n];
	unsigned int u;

	s->floor = model_floor(n, user);
	s->made = true;
	for (u = 0; u < USERS; u++)
		s->held[u] = s->boxes[u] || s->has_left[u];
	memset(s->has_left, 0, sizeof(s->has_left));
}

static void model_forget(struct secret *s)
{
	unsigned int i, oldest = 0;

	for (i = 1; i < s->nr; i++)
		if (s->known[i].timestamp < s->known[oldest].timestamp ||
		    (s->known[i].timestamp == s->known[oldest].timestamp &&
		     s->known[i].nonce < s->known[oldest].nonce))
			oldest = i;
	if (s->known[oldest].timestamp > s->floor)
		s->floor = s->known[oldest].timestamp;
	s->known[oldest] = s->known[--s->nr];
}

static enum nst_drop model_take(unsigned int n, unsigned int user,
				const struct start *start)
{
	struct secret *s = &model[n];
	unsigned int i;

	if (start->timestamp <= model_floor(n, user))
		return NST_DROP_CACHE_FLOOR;
	if (!s->made)
		model_make(n, user);
	for (i = 0; i < s->nr; i++)
		if (!memcmp(&s->known[i], start, sizeof(*start)))
			return NST_DROP_REPLAYED;
	s->known[s->nr++] = *start;
	while (s->nr > bounds.starts)
		model_forget(s);
	return NST_OK;
}

static void hold(unsigned int n, unsigned int user)
{
	u8 secret[NST_KEY_SIZE] = { n + 1 };
	struct nst_claim *got = nst_claim_new(owner[user], secret);

	if (!got)
		return;
	CHECK(!claim[n][user] || claim[n][user] == got);
	claim[n][user] = got;
	model[n].boxes[user]++;
	if (model[n].made)
		model[n].held[user] = true;
}

static void release(unsigned int n, unsigned int user)
{
	struct secret *s = &model[n];

	if (!s->boxes[user])
		return;
	nst_claim_release(claim[n][user], now.boot);
	nst_claim_put(claim[n][user]);
	if (!--s->boxes[user])
		claim[n][user] = NULL;
	if (!boxes_of(s))
		s->unheld = now.boot;
}

static bool was_taken(unsigned int n, const struct start *start)
{
	unsigned int i;

	for (i = 0; i < nr_history[n]; i++)
		if (!memcmp(&history[n][i], start, sizeof(*start)))
			return true;
	return false;
}

/* One START, new or an old one, as anybody might send it. */
static struct start some_start(unsigned int n)
{
	struct start start = {
		.timestamp = now.real + test_random(66) * SEC - 33 * SEC +
			     test_random(3),
		.nonce = test_random(4),
	};

	if (nr_history[n] && test_random(2)) {
		unsigned int back = min(nr_history[n], 40u);

		start = history[n][nr_history[n] - 1 - test_random(back)];
	}
	return start;
}

static bool strict_clock;
static unsigned int taken, refused[NST_DROP_MAX];

static void receive(unsigned int n, unsigned int user)
{
	struct start start = some_start(n);
	enum nst_drop drop;
	bool fails;

	if (!model[n].boxes[user])
		return;
	drop = nst_claim_judge_start(claim[n][user], start.timestamp, &now,
				     bounds.window);
	if (!CHECK_EQ(drop, model_judge(n, user, start.timestamp)))
		test_abort();
	if (drop) {
		refused[drop]++;
		return;
	}
	fails = !test_random(50);
	shim_fail_at(fails);
	drop = nst_claim_take_start(claim[n][user], start.timestamp,
				    start.nonce, &bounds);
	shim_fail_at(0);
	if (fails ? !CHECK_EQ(drop, NST_DROP_NOMEM) :
		    !CHECK_EQ(drop, model_take(n, user, &start)))
		test_abort();
	refused[drop]++;
	if (drop)
		return;
	taken++;
	if (strict_clock && !CHECK(!was_taken(n, &start)))
		test_abort();
	if (nr_history[n] < HISTORY)
		history[n][nr_history[n]++] = start;
}

static void compare(void)
{
	unsigned int n, u;

	for (n = 0; n < SECRETS; n++) {
		for (u = 0; u < USERS && !claim[n][u]; u++)
			;
		if (u == USERS)
			continue;
		CHECK_EQ(claim[n][u]->mem->made, model[n].made);
		CHECK_EQ(claim[n][u]->mem->boxes, boxes_of(&model[n]));
		if (!model[n].made)
			continue;
		CHECK_EQ(claim[n][u]->mem->starts.nr, model[n].nr);
		CHECK_EQ(claim[n][u]->mem->starts.floor, model[n].floor);
	}
	for (u = 0; u < USERS; u++)
		CHECK_EQ(owner[u]->given_up, given_up[u]);
}

static void clocks(void)
{
	u64 ns = test_random(4) * SEC / 2 + test_random(2);

	if (!test_random(40))
		ns = test_random(200) * SEC;
	now.boot += ns;
	now.real += ns;
	if (strict_clock || test_random(60))
		return;
	/* Any reading: near, or far. */
	if (test_random(2))
		now.real += test_random(400) * SEC - 200 * SEC;
	else
		now.real += test_random(2) ? 3600 * SEC : -3600 * SEC;
}

static void step(void)
{
	unsigned int n = test_random(SECRETS), u = test_random(USERS);

	switch (test_random(16)) {
	case 0:
		if (model[n].boxes[u] < 3)
			hold(n, u);
		break;
	case 1:
		release(n, u);
		break;
	case 2:
		/* All of one secret, so that memories end. */
		for (u = 0; u < USERS; u++)
			while (model[n].boxes[u])
				release(n, u);
		break;
	case 3:
		nst_memories_expire(set, &now, &bounds);
		model_expire();
		compare();
		break;
	case 4:
		clocks();
		break;
	case 5:
		shim_fail_at(1 + test_random(2));
		hold(n, u);
		shim_fail_at(0);
		break;
	default:
		receive(n, u);
	}
}

static void run(unsigned int starts, unsigned int steps)
{
	static const u64 ids[USERS] = { NST_OWNER_NETNS, 1000, 1001 };
	unsigned int n, u, i;

	memset(model, 0, sizeof(model));
	memset(given_up, 0, sizeof(given_up));
	memset(nr_history, 0, sizeof(nr_history));
	memset(claim, 0, sizeof(claim));
	now.real = 100000000 * SEC;
	now.boot = 100000000 * SEC;
	born = now.boot - test_random(40) * SEC;
	bounds = (struct nst_bounds){
		.window = 30 * SEC, .starts = starts,
		.owner_bytes = ~0ULL, .total_bytes = ~0ULL,
	};
	set = nst_memories_alloc(born, nobody_waits, NULL);
	NEED(set);
	set->left_max = LEFT;
	for (u = 0; u < USERS; u++)
		owner[u] = nst_owner_get(set, ids[u]);
	for (i = 0; i < steps; i++)
		step();
	for (n = 0; n < SECRETS; n++)
		for (u = 0; u < USERS; u++)
			while (model[n].boxes[u])
				release(n, u);
	for (u = 0; u < USERS; u++)
		nst_owner_put(owner[u]);
	nst_memories_close(set);
}

static void each_was_met(void)
{
	CHECK(taken > 1000);
	CHECK(refused[NST_DROP_REPLAYED] > 100);
	CHECK(refused[NST_DROP_CACHE_FLOOR] > 100);
	CHECK(refused[NST_DROP_CACHE_AGE] > 0);
	CHECK(refused[NST_DROP_TIME_PAST] > 100);
	CHECK(refused[NST_DROP_TIME_FUTURE] > 100);
	memset(refused, 0, sizeof(refused));
	taken = 0;
}

/* The clock goes as clocks should: never anything twice. */
TEST(model__a_good_clock)
{
	unsigned int i;

	strict_clock = true;
	for (i = 0; i < 40; i++)
		run(1 + test_random(KNOWN - 1), 25000);
	each_was_met();
}

TEST(model__a_clock_set_to_any_reading)
{
	unsigned int i;

	strict_clock = false;
	for (i = 0; i < 40; i++)
		run(1 + test_random(KNOWN - 1), 50000);
	each_was_met();
}
