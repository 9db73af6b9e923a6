// SPDX-License-Identifier: GPL-2.0
/*
 * memory.c beside a naive model of the protocol's words: lists that are searched
 * from end to end. Both see the same random history; each answer must be the same.
 */
#include <linux/ktime.h>
#include <linux/nst.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <shim/test.h>
#include "core/claim.h"
#include "core/dgram.h"
#include "core/forget.h"
#include "core/memory.h"
#include "core/owner.h"
#include "core/upkeep.h"
#include "limits.h"
#include "model.h"

#define SEC	((u64)NSEC_PER_SEC)
#define NAMESPACES	2
#define HISTORY	20000

struct nst_now now;
struct nst_bounds bounds;

/* A namespace: the real one, the model of it, and all that was ever taken. */
static struct namespace {
	struct nst_memories *set;
	struct nst_owner *owner[USERS];
	/* Of each box; a secret may be in several of a user. */
	struct nst_claim *claim[SECRETS][USERS];
	struct model m;
	struct start starts[SECRETS][HISTORY];
	unsigned int nr_starts[SECRETS];
	struct piece pieces[SECRETS][HISTORY];
	unsigned int nr_pieces[SECRETS];
} *ns, spaces[NAMESPACES];

static struct nst_stats stats;

static void nobody_waits(void *arg, enum nst_wake what)
{
	(void)arg;
	(void)what;
}

static void hold(unsigned int n, unsigned int user)
{
	u8 secret[NST_KEY_SIZE] = { n + 1 };
	struct nst_claim *got = nst_claim_new(ns->owner[user], secret);

	if (!got)
		return;
	CHECK(!ns->claim[n][user] || ns->claim[n][user] == got);
	ns->claim[n][user] = got;
	ns->m.secret[n].boxes[user]++;
	if (ns->m.secret[n].made)
		ns->m.secret[n].held[user] = true;
}

static void release(unsigned int n, unsigned int user)
{
	struct secret *s = &ns->m.secret[n];

	if (!s->boxes[user])
		return;
	nst_claim_release(ns->claim[n][user], now.boot);
	nst_claim_put(ns->claim[n][user]);
	if (!--s->boxes[user])
		ns->claim[n][user] = NULL;
	if (!boxes_of(s))
		s->unheld = now.boot;
}

static bool strict_clock;
static unsigned int taken, refused[NST_DROP_MAX];

static u64 some_time(void)
{
	return now.real + test_random(66) * SEC - 33 * SEC + test_random(3);
}

/* --- STARTs --------------------------------------------------------------- */

static bool start_taken(unsigned int n, const struct start *start)
{
	unsigned int i;

	for (i = 0; i < ns->nr_starts[n]; i++)
		if (!memcmp(&ns->starts[n][i], start, sizeof(*start)))
			return true;
	return false;
}

/* One START, new or an old one, as anybody might send it. */
static struct start some_start(unsigned int n)
{
	struct start start = {
		.timestamp = some_time(), .nonce = test_random(4),
	};
	unsigned int nr = ns->nr_starts[n];

	if (nr && test_random(2))
		start = ns->starts[n][nr - 1 - test_random(min(nr, 40u))];
	return start;
}

static void receive_start(unsigned int n, unsigned int user)
{
	struct nst_claim *claim = ns->claim[n][user];
	struct start start = some_start(n);
	enum nst_drop drop;
	bool fails;

	drop = nst_claim_judge_start(claim, start.timestamp, &now,
				     bounds.window);
	if (!CHECK_EQ(drop, model_judge(&ns->m, n, user, start.timestamp)))
		test_abort();
	refused[drop]++;
	if (drop)
		return;
	fails = !test_random(50);
	shim_fail_at(fails);
	drop = nst_claim_take_start(claim, start.timestamp, start.nonce,
				    now.real, &bounds);
	shim_fail_at(0);
	if (fails ? !CHECK_EQ(drop, NST_DROP_NOMEM) :
		    !CHECK_EQ(drop, model_take(&ns->m, n, user, &start)))
		test_abort();
	refused[drop]++;
	if (drop)
		return;
	taken++;
	if (strict_clock && !CHECK(!start_taken(n, &start)))
		test_abort();
	if (ns->nr_starts[n] < HISTORY)
		ns->starts[n][ns->nr_starts[n]++] = start;
}

/* --- datagrams ------------------------------------------------------------ */

static void free_session(struct work_struct *work)
{
	struct nst_session *ses = container_of(to_rcu_work(work),
					       struct nst_session, free);

	kfree(ses->keys);
	kfree(ses);
}

static void free_keys(struct work_struct *work)
{
	kfree(container_of(to_rcu_work(work), struct nst_session_keys, free));
}

static struct nst_session_name name_of(const struct nst_claim *claim,
				       const struct piece *piece)
{
	return (struct nst_session_name){
		.mem = claim->mem, .epoch = { .epoch = piece->epoch },
		.upper = piece->nonce >> 32,
	};
}

static bool piece_taken(unsigned int n, const struct piece *piece)
{
	unsigned int i;

	for (i = 0; i < ns->nr_pieces[n]; i++)
		if (ns->pieces[n][i].nonce == piece->nonce &&
		    ns->pieces[n][i].epoch == piece->epoch)
			return true;
	return false;
}

/* A sender's counter goes on, so that only what is replayed has been there. */
static struct piece some_piece(unsigned int n)
{
	static u64 counter;
	struct piece piece = {
		.timestamp = some_time(), .epoch = test_random(24),
	};
	unsigned int nr = ns->nr_pieces[n];

	counter += test_random(40) ? test_random(3) + 1 : 3000;
	if (!test_random(2000))
		counter += 0xffffff00;
	piece.nonce = counter - (test_random(4) ? 0 : test_random(20000));
	/* No two sessions are equally old. */
	piece.timestamp = piece.timestamp / 4096 * 4096 + (counter & 4095);
	if (nr && test_random(2))
		piece = ns->pieces[n][nr - 1 - test_random(min(nr, 60u))];
	return piece;
}

/* The real one: as far as it comes without a session. */
static enum nst_drop judge_piece(struct nst_claim *claim,
				 const struct piece *piece,
				 struct nst_session **ses)
{
	struct nst_session_id id = {
		.name = name_of(claim, piece), .context = (const u8 *)"",
	};
	struct nst_dgram dgram = { .hdr.nonce = piece->nonce };
	enum nst_drop drop;

	*ses = nst_sessions_find(&ns->set->table, &id);
	drop = nst_claim_judge_dgram(claim, *ses, piece->timestamp, &now,
				     bounds.window);
	return drop || !*ses ? drop : nst_dgram_check(*ses, &dgram);
}

static enum nst_drop new_session(struct nst_claim *claim,
				 const struct piece *piece, bool fails)
{
	struct nst_session_keys *keys = kzalloc(sizeof(*keys), GFP_KERNEL);
	struct nst_session *ses = kzalloc(sizeof(*ses), GFP_KERNEL);
	enum nst_drop drop;

	spin_lock_init(&ses->lock);
	INIT_RCU_WORK(&ses->free, free_session);
	INIT_RCU_WORK(&keys->free, free_keys);
	ses->name = name_of(claim, piece);
	ses->newest = piece->timestamp;
	nst_replay_init(&ses->win, piece->nonce);
	shim_fail_at(fails);
	drop = nst_claim_take_session(claim, ses, keys, now.real, &bounds);
	shim_fail_at(0);
	return drop;
}

static void take_piece(unsigned int n, struct nst_session *ses,
		       const struct piece *piece)
{
	struct nst_dgram dgram = {
		.hdr.nonce = piece->nonce, .hdr.timestamp = piece->timestamp,
	};

	if (!CHECK_EQ(nst_dgram_take(ses, &dgram), NST_OK))
		test_abort();
	model_take_dgram(&ns->m, n, piece);
	taken++;
	if (strict_clock && !CHECK(!piece_taken(n, piece)))
		test_abort();
	if (ns->nr_pieces[n] < HISTORY)
		ns->pieces[n][ns->nr_pieces[n]++] = *piece;
}

static void receive_piece(unsigned int n, unsigned int user)
{
	struct nst_claim *claim = ns->claim[n][user];
	struct piece piece = some_piece(n);
	struct nst_session *ses;
	enum nst_drop drop;
	bool fails;

	rcu_read_lock();
	drop = judge_piece(claim, &piece, &ses);
	if (!CHECK_EQ(drop, model_judge_dgram(&ns->m, n, user, &piece)))
		test_abort();
	refused[drop]++;
	if (!drop && ses && ses->keys)
		take_piece(n, ses, &piece);
	rcu_read_unlock();
	if (drop || (ses && ses->keys))
		return;
	fails = !ses && !test_random(50);
	drop = new_session(claim, &piece, fails);
	if (fails ? !CHECK_EQ(drop, NST_DROP_NOMEM) :
		    !CHECK_EQ(drop, ses ? NST_OK :
			      model_new_session(&ns->m, n, user, &piece)))
		test_abort();
	refused[drop]++;
	if (drop)
		return;
	rcu_read_lock();
	if (!CHECK_EQ(judge_piece(claim, &piece, &ses), NST_OK) ||
	    !CHECK(ses && ses->keys))
		test_abort();
	take_piece(n, ses, &piece);
	rcu_read_unlock();
}

/* --- all of it ------------------------------------------------------------ */

static void compare_secret(unsigned int n)
{
	const struct secret *s = &ns->m.secret[n];
	const struct nst_memory *mem;
	unsigned int u;

	for (u = 0; u < USERS && !ns->claim[n][u]; u++)
		;
	if (u == USERS)
		return;
	mem = ns->claim[n][u]->mem;
	CHECK_EQ(mem->made, s->made);
	CHECK_EQ(mem->boxes, boxes_of(s));
	if (!s->made)
		return;
	CHECK_EQ(mem->starts.nr, s->nr);
	CHECK_EQ(mem->starts.floor, s->floor);
	CHECK_EQ(mem->sessions.nr, s->nr_ses);
	CHECK_EQ(mem->sessions.floor, s->ses_floor);
}

/* No key is there that no box has, and what is charged is what is there. */
static void compare_all(void)
{
	u64 bytes = ns->set->nr_idle * NST_MEMORY_BYTES;
	unsigned int n, u, nr = 0;

	for (n = 0; n < SECRETS; n++) {
		const struct secret *s = &ns->m.secret[n];

		compare_secret(n);
		if (!s->made)
			continue;
		nr += s->nr_ses;
		bytes += s->nr * NST_START_BYTES +
			 s->nr_ses * NST_SESSION_BYTES;
	}
	CHECK_EQ(ns->set->nr_sessions, nr);
	CHECK_EQ(ns->set->bytes, bytes);
	for (u = 0; u < USERS; u++)
		CHECK_EQ(ns->owner[u]->given_up, ns->m.given_up[u]);
}

static void clocks(void)
{
	u64 passed = test_random(4) * SEC / 2 + test_random(2);

	if (!test_random(40))
		passed = test_random(200) * SEC;
	now.boot += passed;
	now.real += passed;
	if (strict_clock || test_random(60))
		return;
	/* Any reading: near, or far. */
	if (test_random(2))
		now.real += test_random(400) * SEC - 200 * SEC;
	else
		now.real += test_random(2) ? 3600 * SEC : -3600 * SEC;
}

static void receive(unsigned int n, unsigned int u)
{
	if (!ns->m.secret[n].boxes[u])
		return;
	if (test_random(2))
		receive_start(n, u);
	else
		receive_piece(n, u);
	shim_work_run();
}

static void step(void)
{
	unsigned int n = test_random(SECRETS), u = test_random(USERS);

	ns = &spaces[test_random(NAMESPACES)];
	switch (test_random(16)) {
	case 0:
		if (ns->m.secret[n].boxes[u] < 3)
			hold(n, u);
		break;
	case 1:
		release(n, u);
		break;
	case 2:
		/* All of one secret, so that memories end. */
		for (u = 0; u < USERS; u++)
			while (ns->m.secret[n].boxes[u])
				release(n, u);
		break;
	case 3:
		nst_memories_expire(ns->set, &now, &bounds);
		model_expire(&ns->m);
		compare_all();
		break;
	case 4:
		clocks();
		break;
	case 5:
		shim_fail_at(1 + test_random(2));
		hold(n, u);
		shim_fail_at(0);
		break;
	case 6:
		nst_memories_park(ns->set);
		break;
	default:
		receive(n, u);
	}
}

static void begin(void)
{
	static const u64 ids[USERS] = { NST_OWNER_NETNS, 1000, 1001 };
	unsigned int u;

	memset(ns, 0, sizeof(*ns));
	ns->m.born = now.boot - test_random(40) * SEC;
	ns->set = nst_memories_alloc(ns->m.born, &stats, nobody_waits, NULL);
	NEED(ns->set);
	ns->set->left_max = LEFT;
	for (u = 0; u < USERS; u++)
		ns->owner[u] = nst_owner_get(ns->set, ids[u]);
}

static void end(void)
{
	unsigned int n, u;

	for (n = 0; n < SECRETS; n++)
		for (u = 0; u < USERS; u++)
			while (ns->m.secret[n].boxes[u])
				release(n, u);
	for (u = 0; u < USERS; u++)
		nst_owner_put(ns->owner[u]);
	nst_memories_close(ns->set);
}

static void run(unsigned int starts, unsigned int sessions,
		unsigned int steps)
{
	unsigned int i;

	now.real = 100000000 * SEC;
	now.boot = 100000000 * SEC;
	bounds = (struct nst_bounds){
		.window = 30 * SEC, .starts = starts, .sessions = sessions,
		.owner_bytes = ~0ULL, .total_bytes = ~0ULL,
	};
	NEED_EQ(nst_sessions_module_init(), 0);
	for (ns = spaces; ns < spaces + NAMESPACES; ns++)
		begin();
	for (i = 0; i < steps; i++)
		step();
	for (ns = spaces; ns < spaces + NAMESPACES; ns++)
		end();
	nst_sessions_module_exit();
}

static void each_was_met(void)
{
	CHECK(taken > 1000);
	CHECK(refused[NST_DROP_REPLAYED] > 100);
	CHECK(refused[NST_DROP_WINDOW] > 100);
	CHECK(refused[NST_DROP_CACHE_FLOOR] > 100);
	CHECK(refused[NST_DROP_CACHE_AGE] > 0);
	CHECK(refused[NST_DROP_TIME_PAST] > 100);
	CHECK(refused[NST_DROP_TIME_FUTURE] > 100);
	CHECK(refused[NST_DROP_SESSION_FULL] > 100);
	CHECK(refused[NST_DROP_NOMEM] > 100);
	memset(refused, 0, sizeof(refused));
	taken = 0;
}

/* The clock goes as clocks should: never anything twice. */
TEST(model__a_good_clock)
{
	unsigned int i;

	strict_clock = true;
	for (i = 0; i < 40; i++)
		run(1 + test_random(KNOWN - 1), 1 + test_random(SESSIONS),
		    25000);
	each_was_met();
}

TEST(model__a_clock_set_to_any_reading)
{
	unsigned int i;

	strict_clock = false;
	for (i = 0; i < 40; i++)
		run(1 + test_random(KNOWN - 1), 1 + test_random(SESSIONS),
		    50000);
	each_was_met();
}
