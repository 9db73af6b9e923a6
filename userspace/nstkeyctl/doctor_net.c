// SPDX-License-Identifier: GPL-2.0
/* doctor in this network namespace: box, guard, and what the counters say. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "doctor.h"
#include "guard.h"
#include "nstkeyctl.h"
#include "ports.h"

#define NS	1000000000ULL	/* of a second */

struct box_info {
	uint32_t keys;
	uint16_t active;
};

static void take_info(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *tb[NST_A_INFO_MAX + 1];
	struct box_info *info = data;

	nl_parse(nlh, tb, NST_A_INFO_MAX);
	info->keys = nl_u32(tb[NST_A_INFO_KEYS]);
	info->active = nl_u16(tb[NST_A_INFO_ACTIVE]);
}

/**
 * check_box() - is there a box?
 * @patient: whose
 */
void check_box(struct patient *patient)
{
	struct box_info info = { 0 };
	int err = nl_simple(&patient->nl, NST_CMD_INFO_GET, NLM_F_ACK,
			    take_info, &info);

	if (err)
		report(patient, "box", FAIL, "netlink: %s", strerror(-err));
	else if (!info.keys)
		report(patient, "box", WARN,
		       "empty in this network namespace; sockets without keys of their own cannot send: 'nstkeyctl genbox FILE', copy it to the peer, 'nstkeyctl load FILE' on both");
	else
		report(patient, "box", GOOD, "%u key%s, kid %u is active",
		       info.keys, info.keys == 1 ? "" : "s", info.active);
}

/* What keys remember that is still to come, by this host's clock. */
struct floors {
	uint64_t tcp;		/* the highest, ns */
	uint64_t udp;
	uint16_t kid;		/* of the higher one */
	unsigned int keys;	/* that refuse something */
};

static void add_floor(struct floors *floors, const struct listed_key *key,
		      uint64_t now)
{
	uint64_t highest = floors->tcp > floors->udp ? floors->tcp :
						       floors->udp;

	if (key->floor <= now && key->session_floor <= now)
		return;
	floors->keys++;
	if (key->floor > highest || key->session_floor > highest)
		floors->kid = key->kid;
	if (key->floor > now && key->floor > floors->tcp)
		floors->tcp = key->floor;
	if (key->session_floor > now && key->session_floor > floors->udp)
		floors->udp = key->session_floor;
}

static const char *refused_by(const struct floors *floors)
{
	if (!floors->udp)
		return "new connections";
	return floors->tcp ? "new connections and datagrams of new sessions" :
			     "datagrams of new sessions";
}

static void report_floors(struct patient *patient, const struct floors *floors,
			  uint64_t now)
{
	uint64_t until = floors->tcp > floors->udp ? floors->tcp : floors->udp;
	time_t date = until / NS + 1;
	char text[32], others[32] = "";
	struct tm tm;

	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S",
		 gmtime_r(&date, &tm));
	if (floors->keys > 1)
		snprintf(others, sizeof(others), " (and %u others)",
			 floors->keys - 1);
	report(patient, "clock", WARN,
	       "was set back: kid %u%s refuses %s (NstRxCacheFloor) until it shows %s UTC, in %llu s. If it was right before, set it right; if it was ahead, give both hosts a new key ('nstkeyctl genkey'), or use strict mode, which needs no clock",
	       floors->kid, others, refused_by(floors), text,
	       (unsigned long long)(date - now / NS));
}

/**
 * check_floors() - does a key remember what is still to come?
 * @patient: whose; it is told that one does
 */
void check_floors(struct patient *patient)
{
	struct listing *listing = calloc(1, sizeof(*listing));
	struct floors floors = { 0 };
	struct timespec ts;
	uint64_t now;
	unsigned int i;

	clock_gettime(CLOCK_REALTIME, &ts);
	now = ts.tv_sec * NS + ts.tv_nsec;
	if (listing && !listing_get(&patient->nl, listing))
		for (i = 0; i < listing->nr; i++)
			add_floor(&floors, &listing->key[i], now);
	if (floors.keys)
		report_floors(patient, &floors, now);
	patient->set_back = !!floors.keys;
	free(listing);
}

static void check_local_ports(struct patient *patient,
			      const struct guard_rules *rules)
{
	struct local_ports *local = malloc(sizeof(*local));

	if (!local)
		return;
	ports_local(local, rules);
	if (local->nr)
		report(patient, "guard", WARN,
		       "plain connections may get guarded ports as their own, and hang: 'sysctl -w net.ipv4.ip_local_reserved_ports=%.400s'",
		       local->reserve);
	free(local);
}

/**
 * check_guard() - what does it guard, and has it stopped anything?
 * @patient: whose
 */
void check_guard(struct patient *patient)
{
	struct guard_rules *rules = calloc(1, sizeof(*rules));
	int err = rules ? guard_get(&patient->nl, rules) : -ENOMEM;
	unsigned int i, dry = 0;
	uint64_t stopped = 0;

	for (i = 0; !err && i < rules->nr; i++) {
		dry += !!rules->rule[i].dry_run;
		stopped += guard_stopped(&rules->rule[i], NST_DIRECTION_IN) +
			   guard_stopped(&rules->rule[i], NST_DIRECTION_OUT);
	}
	if (err)
		report(patient, "guard", FAIL, "netlink: %s", strerror(-err));
	else if (!rules->nr)
		report(patient, "guard", GOOD, "no port is guarded");
	else if (stopped)
		report(patient, "guard", WARN,
		       "ports guarded: %u, %u of them as a dry run; packets that were no NST: %llu ('nstkeyctl guard show')",
		       rules->nr, dry, (unsigned long long)stopped);
	else
		report(patient, "guard", GOOD,
		       "ports guarded: %u, %u of them as a dry run; nothing was stopped",
		       rules->nr, dry);
	if (!err) {
		check_local_ports(patient, rules);
		check_listeners(patient, rules);
		check_firewall(patient, rules);
	}
	free(rules);
}

/* What the commonest refusals mean to who administers. */
static const struct {
	const char *name;
	const char *text;
} refusals[] = {
	{ "NstRxHdrMagic", "the peer does not speak NST" },
	{ "NstRxNoKid",
	  "the peer used a kid that this box lacks: compare 'nstkeyctl show' on both" },
	{ "NstRxKidRetired",
	  "the peer still uses a retired key: activate the new one there" },
	{ "NstRxPolicySuite",
	  "the peer used another suite than the program allows" },
	{ "NstRxPolicyKid", "the peer used another key than the program allows" },
	{ "NstRxNoSuite",
	  "the peer used a suite that is not in this kernel: 'nstkeyctl caps'" },
	{ "NstRxTimePast",
	  "the peer's clock is behind this one, or a start was replayed" },
	{ "NstRxTimeFuture", "the peer's clock is ahead of this one" },
	{ "NstRxCacheAge",
	  "begun before the module was loaded here, or the clock was set back: begin again" },
	{ "NstRxCacheFloor",
	  "more connections or sessions than net.nst.*_max remember, or a clock set back" },
	{ "NstRxAuth",
	  "keys or contexts differ under one kid, or someone meddles: compare fingerprints" },
	{ "NstRxReplayed", "a connection's start was replayed" },
	{ "NstRxTruncated",
	  "peers vanished without closing, or someone cut connections" },
};

#define NR_REFUSALS (sizeof(refusals) / sizeof(refusals[0]))

/* What the counters say. */
struct counters {
	struct patient *patient;
	unsigned int found;	/* refusals */
	uint64_t stale;		/* refused for what is remembered of times */
	uint64_t skewed;	/* and for clocks that differ */
	uint64_t tx_streams;
	uint64_t rx_streams;
};

static void take_counter(struct counters *counters, const char *name,
			 uint64_t value)
{
	unsigned int i;

	if (!strcmp(name, "NstTxStreams"))
		counters->tx_streams = value;
	if (!strcmp(name, "NstRxStreams"))
		counters->rx_streams = value;
	if (!strcmp(name, "NstRxCacheAge") || !strcmp(name, "NstRxCacheFloor"))
		counters->stale += value;
	if (!strcmp(name, "NstRxTimePast") || !strcmp(name, "NstRxTimeFuture"))
		counters->skewed += value;
	for (i = 0; i < NR_REFUSALS; i++) {
		if (!value || strcmp(refusals[i].name, name))
			continue;
		counters->found++;
		report(counters->patient, "refused", WARN,
		       "%" PRIu64 " x %s: %s", value, name, refusals[i].text);
	}
}

static void take_stats(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *tb[NST_A_COUNTER_MAX + 1], *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) != NST_A_STATS_COUNTER)
			continue;
		nl_parse_nest(attr, tb, NST_A_COUNTER_MAX);
		take_counter(data, nl_string(tb[NST_A_COUNTER_NAME]),
			     nl_u64(tb[NST_A_COUNTER_VALUE]));
	}
}

/*
 * A peer that refuses says nothing but a reset, so who connects to one that has
 * another box counts no refusal. What is missing is the answer.
 */
static void check_answers(const struct counters *counters)
{
	if (counters->tx_streams > counters->rx_streams)
		report(counters->patient, "peers", WARN,
		       "sent on %llu connections (NstTxStreams), and only %llu peers sent anything (NstRxStreams): unless these never answer, they refuse; compare 'nstkeyctl show' on both, and see 'nstkeyctl doctor' there",
		       (unsigned long long)counters->tx_streams,
		       (unsigned long long)counters->rx_streams);
	else
		report(counters->patient, "peers", GOOD,
		       "no connection without an answer");
}

/* What was refused for its time, and no key of the box is to blame (any more). */
static void check_set_back(const struct counters *counters)
{
	if (counters->stale && !counters->patient->set_back)
		report(counters->patient, "clock", WARN,
		       "connections or datagrams were refused for their time (above); of the keys in the box none does so now. If the clock was set back, a socket with a box of its own may, until the clock has passed the time again that it had shown: a new key on both hosts, or strict mode, is the way out");
}

/**
 * check_counters() - what was refused that a wrong set-up would cause?
 * @patient: whose
 */
void check_counters(struct patient *patient)
{
	struct counters counters = { .patient = patient };
	int err = nl_simple(&patient->nl, NST_CMD_STATS_GET, NLM_F_ACK,
			    take_stats, &counters);

	if (err) {
		report(patient, "refused", FAIL, "netlink: %s", strerror(-err));
		return;
	}
	if (!counters.found)
		report(patient, "refused", GOOD,
		       "nothing a wrong set-up would cause");
	check_set_back(&counters);
	check_skew(patient, counters.skewed);
	check_answers(&counters);
}
