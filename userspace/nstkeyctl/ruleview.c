// SPDX-License-Identifier: GPL-2.0
/* The guard's rules and what they have seen, for people and for machines. */
#include <inttypes.h>
#include <stdio.h>
#include "json.h"
#include "rulefile.h"
#include "ruleview.h"

/* The counters of a rule, in words. */
static const struct {
	const char *name;	/* for a machine */
	const char *text;
} packets[NST_A_PACKETS_MAX + 1] = {
	[NST_A_PACKETS_PASSED] = { "passed", "passed" },
	[NST_A_PACKETS_PLAIN] = { "plain", "no NST keys" },
	[NST_A_PACKETS_SYN_DATA] = { "syn_data", "data in a SYN" },
	[NST_A_PACKETS_HEADER] = { "header", "no record" },
	[NST_A_PACKETS_KID] = { "kid", "kid unknown or retired" },
	[NST_A_PACKETS_TIME] = { "time", "outside the time window" },
	[NST_A_PACKETS_MALFORMED] = { "malformed", "malformed" },
};

static void show_causes(const struct guard_rule *rule, unsigned int direction)
{
	unsigned int i;

	for (i = NST_A_PACKETS_PASSED + 1; i <= NST_A_PACKETS_MAX; i++)
		if (rule->packets[direction][i])
			printf("          %s: %" PRIu64 " x %s\n",
			       direction == NST_DIRECTION_IN ? "in" : "out",
			       rule->packets[direction][i], packets[i].text);
}

/**
 * ruleview_text() - write the rules as a table, with causes
 * @rules: from guard_get()
 */
void ruleview_text(const struct guard_rules *rules)
{
	unsigned int i;

	if (!rules->nr) {
		puts("No port is guarded.");
		return;
	}
	puts("RULE                  IN PASSED     STOPPED  OUT PASSED     STOPPED");
	for (i = 0; i < rules->nr; i++) {
		const struct guard_rule *rule = &rules->rule[i];
		const uint64_t (*n)[NST_A_PACKETS_MAX + 1] = rule->packets;

		printf("%s %-5u %-8s %12" PRIu64 " %11" PRIu64 " %11" PRIu64
		       " %11" PRIu64 "\n",
		       rulefile_protocol(rule->protocol), rule->port,
		       rule->dry_run ? "dry-run" : "",
		       n[NST_DIRECTION_IN][NST_A_PACKETS_PASSED],
		       guard_stopped(rule, NST_DIRECTION_IN),
		       n[NST_DIRECTION_OUT][NST_A_PACKETS_PASSED],
		       guard_stopped(rule, NST_DIRECTION_OUT));
		show_causes(rule, NST_DIRECTION_IN);
		show_causes(rule, NST_DIRECTION_OUT);
	}
}

static void direction_json(const char *name, const uint64_t *counts)
{
	unsigned int i;

	json_object(name);
	for (i = NST_A_PACKETS_PASSED; i <= NST_A_PACKETS_MAX; i++)
		json_uint(packets[i].name, counts[i]);
	json_object_end();
}

/**
 * ruleview_json() - write them as JSON
 * @rules: from guard_get()
 */
void ruleview_json(const struct guard_rules *rules)
{
	unsigned int i;

	json_object(NULL);
	json_array("rules");
	for (i = 0; i < rules->nr; i++) {
		const struct guard_rule *rule = &rules->rule[i];

		json_object(NULL);
		json_string("protocol", rulefile_protocol(rule->protocol));
		json_uint("port", rule->port);
		json_bool("dry_run", rule->dry_run);
		direction_json("in", rule->packets[NST_DIRECTION_IN]);
		direction_json("out", rule->packets[NST_DIRECTION_OUT]);
		json_object_end();
	}
	json_array_end();
	json_object_end();
	json_flush();
}

static void rule_prometheus(const struct guard_rule *rule,
			    unsigned int direction)
{
	unsigned int i;

	for (i = NST_A_PACKETS_PASSED; i <= NST_A_PACKETS_MAX; i++) {
		printf("nst_guard_packets_total{protocol=\"%s\",port=\"%u\",",
		       rulefile_protocol(rule->protocol), rule->port);
		printf("dry_run=\"%d\",direction=\"%s\",result=\"%s\"} %"
		       PRIu64 "\n", rule->dry_run,
		       direction == NST_DIRECTION_IN ? "in" : "out",
		       packets[i].name, rule->packets[direction][i]);
	}
}

/**
 * ruleview_prometheus() - write the rules' counters in Prometheus's text format
 * @rules: from guard_get()
 */
void ruleview_prometheus(const struct guard_rules *rules)
{
	unsigned int i;

	puts("# HELP nst_guard_packets_total packets with payload on a guarded port\n"
	     "# TYPE nst_guard_packets_total counter");
	for (i = 0; i < rules->nr; i++) {
		rule_prometheus(&rules->rule[i], NST_DIRECTION_IN);
		rule_prometheus(&rules->rule[i], NST_DIRECTION_OUT);
	}
}
