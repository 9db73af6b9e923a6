// SPDX-License-Identifier: GPL-2.0
/*
 * What came to one socket's own address is taken once, by whomever. What came
 * to a group's is taken once by each socket that it comes to in that way.
 */
#include <linux/slab.h>
#include "core/dgram.h"
#include "limits.h"

static struct nst_mark mark_of(const struct nst_session *ses)
{
	return (struct nst_mark){
		.session = ses->number, .top = ses->win.top, .at = ses->top_at,
	};
}

/* @first: receives whether nobody at all has taken it. */
static enum nst_drop check(struct nst_session *ses,
			   const struct nst_dgram *dgram, bool *first)
{
	u64 nonce = dgram->hdr.nonce;
	enum nst_drop drop = nst_replay_check(&ses->win, nonce);
	struct nst_mark mark;

	lockdep_assert_held(&ses->lock);
	nst_contract_unmoved(&ses->last, &ses->win, sizeof(ses->win));
	*first = !drop;
	if (drop != NST_DROP_REPLAYED || !dgram->group || !ses->by_group ||
	    nst_replay_check(ses->by_group, nonce) != NST_DROP_REPLAYED)
		return drop;
	mark = mark_of(ses);
	return nst_members_check(dgram->members, &mark, nonce);
}

/**
 * nst_dgram_check() - was it taken before?
 * @ses: its session, borrowed under RCU
 * @dgram: the datagram, not authenticated yet
 *
 * Context: any, under rcu_read_lock().
 * Return: NST_OK, NST_DROP_WINDOW or NST_DROP_REPLAYED.
 */
enum nst_drop nst_dgram_check(struct nst_session *ses,
			      const struct nst_dgram *dgram)
{
	enum nst_drop drop;
	bool first;

	spin_lock_bh(&ses->lock);
	drop = check(ses, dgram, &first);
	spin_unlock_bh(&ses->lock);
	return drop;
}

static enum nst_drop take_of_group(struct nst_session *ses,
				   const struct nst_dgram *dgram)
{
	struct nst_mark mark = mark_of(ses);
	u64 nonce = dgram->hdr.nonce;
	enum nst_drop drop;

	if (!ses->by_group) {
		ses->by_group = kmalloc(sizeof(*ses->by_group),
					NST_GFP_RECEIVED);
		if (!ses->by_group)
			return NST_DROP_NOMEM;
		nst_replay_init(ses->by_group, nonce);
	}
	drop = nst_members_take(dgram->members, &mark, nonce);
	if (!drop)
		nst_replay_take(ses->by_group, nonce);
	return drop;
}

/* Further copies change nothing for anybody but the socket that takes them. */
static void take_first(struct nst_session *ses, const struct nst_dgram *dgram)
{
	const struct nst_hdr *hdr = &dgram->hdr;
	struct nst_session *twin;

	/* The very first is where the window was put, and not ahead of it. */
	if (!ses->records || (s64)(hdr->nonce - ses->win.top) > 0)
		ses->top_at = dgram->at;
	nst_replay_take(&ses->win, hdr->nonce);
	nst_contract_moved(&ses->last, &ses->win, sizeof(ses->win));
	WRITE_ONCE(ses->records, ses->records + 1);
	twin = rcu_dereference(ses->twin);
	if (unlikely(twin))
		WRITE_ONCE(twin->others, ses->records);
}

static enum nst_drop take(struct nst_session *ses,
			  const struct nst_dgram *dgram)
{
	enum nst_drop drop;
	bool first;

	/* Forgotten meanwhile, and the floor stands above what it had taken. */
	if (ses->dead)
		return NST_DROP_CACHE_FLOOR;
	if (nst_session_spent(ses))
		return NST_DROP_EPOCH_LIMIT;
	drop = check(ses, dgram, &first);
	if (!drop && dgram->group)
		drop = take_of_group(ses, dgram);
	if (drop)
		return drop;
	/*
	 * Of copies, too: what a clone of the sender has sealed under the same nonce
	 * may be newer, and is not to be taken again when the session is forgotten.
	 */
	if (dgram->hdr.timestamp > ses->newest)
		WRITE_ONCE(ses->newest, dgram->hdr.timestamp);
	if (first)
		take_first(ses, dgram);
	return NST_OK;
}

/**
 * nst_dgram_take() - a datagram is authentic: judge once more, and take it
 * @ses: its session, borrowed under RCU
 * @dgram: the datagram
 *
 * Context: any, under rcu_read_lock().
 * Return: NST_OK, and it will not be taken again; or why it is refused.
 */
enum nst_drop nst_dgram_take(struct nst_session *ses,
			     const struct nst_dgram *dgram)
{
	enum nst_drop drop;

	spin_lock_bh(&ses->lock);
	drop = take(ses, dgram);
	spin_unlock_bh(&ses->lock);
	return drop;
}
