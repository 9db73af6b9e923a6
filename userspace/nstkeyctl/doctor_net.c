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
		report(patient, "box", GOOD, "%u keys, kid %u is active",
		       info.keys, info.active);
}

/* The key that refuses longest what begins now. NULL: none does. */
static const struct listed_key *highest_floor(const struct listing *listing)
{
	const struct listed_key *highest = NULL;
	struct timespec now;
	unsigned int i;

	clock_gettime(CLOCK_REALTIME, &now);
	for (i = 0; i < listing->nr; i++) {
		const struct listed_key *key = &listing->key[i];

		if (key->floor / 1000000000 > (uint64_t)now.tv_sec &&
		    (!highest || key->floor > highest->floor))
			highest = key;
	}
	return highest;
}

/**
 * check_floors() - does a key remember what is still to come?
 * @patient: whose
 */
void check_floors(struct patient *patient)
{
	struct listing *listing = calloc(1, sizeof(*listing));
	const struct listed_key *key = NULL;
	struct tm tm = { 0 };
	char date[32];
	time_t until;

	if (listing && !listing_get(&patient->nl, listing))
		key = highest_floor(listing);
	if (key) {
		until = key->floor / 1000000000 + 1;
		gmtime_r(&until, &tm);
		strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &tm);
		report(patient, "clock", WARN,
		       "was set back: kid %u refuses new connections (NstRxCacheFloor) until it shows %s UTC. If it was right before, set it right; if it was ahead, give both hosts a new key ('nstkeyctl genkey'), or use strict mode, which needs no clock",
		       key->kid, date);
	}
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
		       "%u ports guarded, %u of them as a dry run; %" PRIu64
		       " packets were no NST: 'nstkeyctl guard show'",
		       rules->nr, dry, stopped);
	else
		report(patient, "guard", GOOD,
		       "%u ports guarded, %u of them as a dry run; nothing was stopped",
		       rules->nr, dry);
	if (!err)
		check_local_ports(patient, rules);
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

/* What was refused for its time may come from a clock that was set back. */
static void check_set_back(const struct counters *counters)
{
	if (counters->stale)
		report(counters->patient, "clock", WARN,
		       "if it was set back: new connections and datagrams that are no newer than what was seen are refused until it has passed that time again; before that, a new key on both hosts is the way out ('nstkeyctl genkey'), or strict mode, which needs no clock");
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
	check_answers(&counters);
}
