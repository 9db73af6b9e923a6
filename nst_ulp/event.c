// SPDX-License-Identifier: GPL-2.0
/*
 * Events for whoever listens to the netlink group. What a peer can cause is
 * rate limited for each namespace and type, so that a flood of one kind hides
 * neither another kind nor what the administrator did.
 */
#include <linux/atomic.h>
#include <linux/ratelimit.h>
#include <net/genetlink.h>
#include <net/netns/generic.h>
#include "event.h"
#include "stats.h"

/* A burst shows a pattern; one a second after it shows that it goes on. */
#define EVENT_INTERVAL	(10 * HZ)
#define EVENT_BURST	10

#define NO_KID		0
#define NO_CAUSE	NST_OK
#define NO_SKEW		S64_MIN

struct limiter {
	struct ratelimit_state rate;
	atomic_t missed;
};

/* One for each type that a peer can cause; they are the last of the enum. */
#define FIRST_LIMITED	NST_EVENT_LIMIT
#define NR_LIMITED	(NST_EVENT_CLOCK - FIRST_LIMITED + 1)

struct event_net {
	struct limiter limiter[NR_LIMITED];
};

static unsigned int event_id __read_mostly;
static const struct genl_family *event_family;

static int fill(struct sk_buff *skb, enum nst_event type, u16 kid,
		enum nst_drop cause, s64 skew, u32 missed)
{
	void *hdr = genlmsg_put(skb, 0, 0, event_family, 0, NST_CMD_EVENT);

	if (!hdr ||
	    nla_put_u32(skb, NST_A_EVENT_TYPE, type) ||
	    (kid != NO_KID && nla_put_u16(skb, NST_A_EVENT_KID, kid)) ||
	    (cause != NO_CAUSE &&
	     nla_put_string(skb, NST_A_EVENT_CAUSE, nst_stats_name(cause))) ||
	    (skew != NO_SKEW &&
	     nla_put_s64(skb, NST_A_EVENT_SKEW, skew, NST_A_EVENT_PAD)) ||
	    (missed && nla_put_u32(skb, NST_A_EVENT_MISSED, missed)))
		return -EMSGSIZE;
	genlmsg_end(skb, hdr);
	return 0;
}

/* An event that finds no memory is lost: nothing waits for it. */
static void emit(struct net *net, enum nst_event type, u16 kid,
		 enum nst_drop cause, s64 skew, u32 missed)
{
	struct sk_buff *skb = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_ATOMIC);

	if (!skb)
		return;
	if (fill(skb, type, kid, cause, skew, missed)) {
		nlmsg_free(skb);
		return;
	}
	genlmsg_multicast_netns(event_family, net, skb, 0, 0, GFP_ATOMIC);
}

static void emit_limited(struct net *net, enum nst_event type, u16 kid,
			 enum nst_drop cause, s64 skew)
{
	struct event_net *en = net_generic(net, event_id);
	struct limiter *limiter = &en->limiter[type - FIRST_LIMITED];

	if (!genl_has_listeners(event_family, net, 0))
		return;
	if (!__ratelimit(&limiter->rate)) {
		atomic_inc(&limiter->missed);
		return;
	}
	emit(net, type, kid, cause, skew, atomic_xchg(&limiter->missed, 0));
}

/**
 * nst_event_box() - tell that the administrator changed the box
 * @net: whose box
 * @type: NST_EVENT_BOX_* or NST_EVENT_KEY_*
 * @kid: the key; 0 if it is about the whole box
 *
 * Context: any.
 */
void nst_event_box(struct net *net, enum nst_event type, u16 kid)
{
	if (genl_has_listeners(event_family, net, 0))
		emit(net, type, kid, NO_CAUSE, NO_SKEW, 0);
}

/**
 * nst_event_limit() - tell that a sender's epoch has used up its records or bytes
 * @net: the socket's namespace
 * @kid: of the epoch
 *
 * Context: any.
 */
void nst_event_limit(struct net *net, u16 kid)
{
	emit_limited(net, NST_EVENT_LIMIT, kid, NO_CAUSE, NO_SKEW);
}

/**
 * nst_event_drop() - tell why a record was refused, if that is an event
 * @net: the socket's namespace
 * @cause: why
 * @kid: of the record's header, not authenticated
 * @skew: the record's timestamp minus this host's clock, ns; only told for
 *	causes that have to do with time
 *
 * Context: any.
 */
void nst_event_drop(struct net *net, enum nst_drop cause, u16 kid, s64 skew)
{
	switch (cause) {
	case NST_DROP_EPOCH_LIMIT:
		emit_limited(net, NST_EVENT_LIMIT, kid, cause, NO_SKEW);
		break;
	case NST_DROP_AUTH:
	case NST_DROP_PADDING:
		emit_limited(net, NST_EVENT_AUTH, kid, cause, NO_SKEW);
		break;
	case NST_DROP_REFLECTED:
	case NST_DROP_REPLAYED:
		emit_limited(net, NST_EVENT_REPLAY, kid, cause, NO_SKEW);
		break;
	case NST_DROP_TIME_PAST:
	case NST_DROP_TIME_FUTURE:
	case NST_DROP_CACHE_AGE:
	case NST_DROP_CACHE_FLOOR:
		emit_limited(net, NST_EVENT_CLOCK, kid, cause, skew);
		break;
	default:
		break;
	}
}

static __net_init int event_net_init(struct net *net)
{
	struct event_net *en = net_generic(net, event_id);
	unsigned int i;

	for (i = 0; i < NR_LIMITED; i++) {
		struct limiter *limiter = &en->limiter[i];

		ratelimit_state_init(&limiter->rate, EVENT_INTERVAL,
				     EVENT_BURST);
		/* What was left out is told in the next event, not in the log. */
		ratelimit_set_flags(&limiter->rate, RATELIMIT_MSG_ON_RELEASE);
		atomic_set(&limiter->missed, 0);
	}
	return 0;
}

static struct pernet_operations event_net_ops = {
	.init = event_net_init,
	.id = &event_id,
	.size = sizeof(struct event_net),
};

/**
 * nst_event_init() - get ready, before @family is registered
 * @family: its group 0 is "events"
 *
 * Until @family is registered no event may be told.
 *
 * Context: process.
 * Return: 0 or a negative errno.
 */
int nst_event_init(const struct genl_family *family)
{
	event_family = family;
	return register_pernet_subsys(&event_net_ops);
}

/**
 * nst_event_exit() - after the family is gone
 *
 * Context: process.
 */
void nst_event_exit(void)
{
	unregister_pernet_subsys(&event_net_ops);
}
