// SPDX-License-Identifier: GPL-2.0
/*
 * Events for whoever listens to the netlink group. What a peer can cause is
 * rate limited for each namespace and type, so that a flood of one kind hides
 * neither another kind nor what the administrator did.
 */
#include <linux/atomic.h>
#include <linux/ratelimit.h>
#include <linux/rcupdate.h>
#include <linux/timekeeping.h>
#include <net/genetlink.h>
#include <net/netns/generic.h>
#include "event.h"
#include "stats.h"

/* A burst shows a pattern; one a second after it shows that it goes on. */
#define EVENT_INTERVAL	(10 * HZ)
#define EVENT_BURST	10

#define NO_SKEW		S64_MIN

/* What an event tells; 0 stands for nothing, but for a skew NO_SKEW. */
struct event {
	enum nst_event type;
	u16 kid;
	unsigned int cause;	/* index of a counter */
	s64 skew;
	u8 protocol;		/* of the guard: */
	u16 port;
	bool guard;
	bool out;
	bool dry_run;
};

struct limiter {
	struct ratelimit_state rate;
	atomic_t missed;
};

/* One for each type that a peer can cause; they are the last of the enum. */
#define FIRST_LIMITED	NST_EVENT_LIMIT
#define NR_LIMITED	(NST_EVENT_GUARD - FIRST_LIMITED + 1)

struct event_net {
	struct limiter limiter[NR_LIMITED];
};

static unsigned int event_id __read_mostly;
static const struct genl_family *event_family;

static int fill_guard(struct sk_buff *skb, const struct event *event)
{
	if (!event->guard)
		return 0;
	if (nla_put_u32(skb, NST_A_EVENT_DIRECTION,
			event->out ? NST_DIRECTION_OUT : NST_DIRECTION_IN) ||
	    (event->protocol &&
	     nla_put_u32(skb, NST_A_EVENT_PROTOCOL, event->protocol)) ||
	    (event->port &&
	     nla_put_u16(skb, NST_A_EVENT_PORT, event->port)) ||
	    (event->dry_run && nla_put_flag(skb, NST_A_EVENT_DRY_RUN)))
		return -EMSGSIZE;
	return 0;
}

static int fill(struct sk_buff *skb, const struct genl_family *family,
		const struct event *event, u32 missed)
{
	void *hdr = genlmsg_put(skb, 0, 0, family, 0, NST_CMD_EVENT);

	if (!hdr ||
	    nla_put_u32(skb, NST_A_EVENT_TYPE, event->type) ||
	    (event->kid && nla_put_u16(skb, NST_A_EVENT_KID, event->kid)) ||
	    (event->cause &&
	     nla_put_string(skb, NST_A_EVENT_CAUSE,
			    nst_stats_name(event->cause))) ||
	    (event->skew != NO_SKEW &&
	     nla_put_s64(skb, NST_A_EVENT_SKEW, event->skew,
			 NST_A_EVENT_PAD)) ||
	    (missed && nla_put_u32(skb, NST_A_EVENT_MISSED, missed)) ||
	    fill_guard(skb, event))
		return -EMSGSIZE;
	genlmsg_end(skb, hdr);
	return 0;
}

/* Is anybody there to be told? */
static const struct genl_family *audience(struct net *net)
{
	const struct genl_family *family = READ_ONCE(event_family);

	return family && genl_has_listeners(family, net, 0) ? family : NULL;
}

/* An event that finds no memory is lost: nothing waits for it. */
static void emit(struct net *net, const struct genl_family *family,
		 const struct event *event, u32 missed)
{
	struct sk_buff *skb = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_ATOMIC);

	if (!skb)
		return;
	if (fill(skb, family, event, missed)) {
		nlmsg_free(skb);
		return;
	}
	genlmsg_multicast_netns(family, net, skb, 0, 0, GFP_ATOMIC);
}

static void emit_limited(struct net *net, const struct event *event)
{
	struct event_net *en = net_generic(net, event_id);
	struct limiter *limiter = &en->limiter[event->type - FIRST_LIMITED];
	const struct genl_family *family = audience(net);

	if (!family)
		return;
	if (!__ratelimit(&limiter->rate)) {
		atomic_inc(&limiter->missed);
		return;
	}
	emit(net, family, event, atomic_xchg(&limiter->missed, 0));
}

static void emit_record(struct net *net, enum nst_event type, u16 kid,
			enum nst_drop cause, s64 skew)
{
	struct event event = {
		.type = type, .kid = kid, .cause = cause, .skew = skew,
	};

	emit_limited(net, &event);
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
	struct event event = { .type = type, .kid = kid, .skew = NO_SKEW };
	const struct genl_family *family = audience(net);

	if (family)
		emit(net, family, &event, 0);
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
	emit_record(net, NST_EVENT_LIMIT, kid, NST_OK, NO_SKEW);
}

/**
 * nst_event_drop() - tell why a record was refused, if that is an event
 * @net: the socket's namespace
 * @cause: why
 * @kid: of the record's header, not authenticated
 * @timestamp: of the same; only looked at for causes that have to do with time
 *
 * Context: any.
 */
void nst_event_drop(struct net *net, enum nst_drop cause, u16 kid, u64 timestamp)
{
	switch (cause) {
	case NST_DROP_EPOCH_LIMIT:
		emit_record(net, NST_EVENT_LIMIT, kid, cause, NO_SKEW);
		break;
	case NST_DROP_AUTH:
	case NST_DROP_PADDING:
		emit_record(net, NST_EVENT_AUTH, kid, cause, NO_SKEW);
		break;
	case NST_DROP_REFLECTED:
	case NST_DROP_REPLAYED:
		emit_record(net, NST_EVENT_REPLAY, kid, cause, NO_SKEW);
		break;
	case NST_DROP_TIME_PAST:
	case NST_DROP_TIME_FUTURE:
	case NST_DROP_CACHE_AGE:
	case NST_DROP_CACHE_FLOOR:
		emit_record(net, NST_EVENT_CLOCK, kid, cause,
			    (s64)(timestamp - ktime_get_real_ns()));
		break;
	default:
		break;
	}
}

/**
 * nst_event_guard() - tell that the guard dropped a packet, or would have
 * @net: where
 * @out: it would have left
 * @protocol: IPPROTO_TCP or IPPROTO_UDP; 0 if that cannot be known
 * @port: the local port of the rule; 0 if that cannot be known
 * @dry_run: it was let through
 * @cause: index of the counter that went up
 *
 * Context: any.
 */
void nst_event_guard(struct net *net, bool out, u8 protocol, u16 port,
		     bool dry_run, unsigned int cause)
{
	struct event event = {
		.type = NST_EVENT_GUARD,
		.cause = cause,
		.skew = NO_SKEW,
		.protocol = protocol,
		.port = port,
		.guard = true,
		.out = out,
		.dry_run = dry_run,
	};

	emit_limited(net, &event);
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
 * nst_event_init() - get ready; before all who tell events
 *
 * Context: process.
 * Return: 0 or a negative errno.
 */
int nst_event_init(void)
{
	return register_pernet_subsys(&event_net_ops);
}

/**
 * nst_event_exit() - after all who tell events are gone
 *
 * Context: process.
 */
void nst_event_exit(void)
{
	unregister_pernet_subsys(&event_net_ops);
}

/**
 * nst_event_listen() - listeners of a family hear of events from now on
 * @family: registered, its group 0 is "events". NULL: they hear nothing any
 *	more; the family may go when this returns, if whoever still tells
 *	events does it under RCU
 *
 * Context: process.
 */
void nst_event_listen(const struct genl_family *family)
{
	WRITE_ONCE(event_family, family);
	if (!family)
		synchronize_rcu();
}
