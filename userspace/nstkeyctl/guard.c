// SPDX-License-Identifier: GPL-2.0
/* guard: the ports on which plaintext neither arrives nor leaves. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "guard.h"
#include "nl.h"
#include "nstkeyctl.h"
#include "ports.h"
#include "rulefile.h"
#include "ruleview.h"

/* How often a listing is asked for that changes while it is read. */
#define TRIES	10

static void put_rule(struct nlmsghdr *nlh, const struct guard_rule *rule)
{
	mnl_attr_put_u32(nlh, NST_A_RULE_PROTOCOL, rule->protocol);
	mnl_attr_put_u16(nlh, NST_A_RULE_PORT, rule->port);
	if (rule->dry_run)
		mnl_attr_put(nlh, NST_A_RULE_DRY_RUN, 0, NULL);
}

static int load(struct nl *nl, const struct guard_rules *rules)
{
	char *buf = calloc(1, NL_REQUEST_MAX);
	struct nlmsghdr *nlh;
	struct nlattr *nest;
	unsigned int i;
	int err;

	if (!buf)
		return -ENOMEM;
	nlh = nl_request(nl, buf, NST_CMD_GUARD_LOAD, NLM_F_ACK);
	for (i = 0; i < rules->nr; i++) {
		nest = mnl_attr_nest_start(nlh, NST_A_RULES_RULE);
		put_rule(nlh, &rules->rule[i]);
		mnl_attr_nest_end(nlh, nest);
	}
	err = nl_talk(nl, nlh, NULL, NULL);
	free(buf);
	return err;
}

static void take_packets(uint64_t *counts, const struct nlattr *nest)
{
	const struct nlattr *tb[NST_A_PACKETS_MAX + 1];
	unsigned int i;

	if (!nest)
		return;
	nl_parse_nest(nest, tb, NST_A_PACKETS_MAX);
	for (i = NST_A_PACKETS_PASSED; i <= NST_A_PACKETS_MAX; i++)
		counts[i] = nl_u64(tb[i]);
}

static void take_rule(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *tb[NST_A_RULE_MAX + 1];
	struct guard_rules *rules = data;
	struct guard_rule *rule;

	if (rules->nr == NST_GUARD_MAX)
		return;
	nl_parse(nlh, tb, NST_A_RULE_MAX);
	rule = &rules->rule[rules->nr++];
	memset(rule, 0, sizeof(*rule));
	rule->protocol = nl_u32(tb[NST_A_RULE_PROTOCOL]);
	rule->port = nl_u16(tb[NST_A_RULE_PORT]);
	rule->dry_run = !!tb[NST_A_RULE_DRY_RUN];
	take_packets(rule->packets[NST_DIRECTION_IN], tb[NST_A_RULE_IN]);
	take_packets(rule->packets[NST_DIRECTION_OUT], tb[NST_A_RULE_OUT]);
}

/**
 * guard_get() - the rules of this namespace with their counters
 * @nl: the conversation
 * @rules: receives them
 *
 * Return: 0 or a negative errno.
 */
int guard_get(struct nl *nl, struct guard_rules *rules)
{
	int i, err = -EINTR;

	for (i = 0; i < TRIES && err == -EINTR; i++) {
		rules->nr = 0;
		err = nl_simple(nl, NST_CMD_GUARD_GET, NLM_F_DUMP, take_rule,
				rules);
	}
	return err;
}

/**
 * guard_stopped() - packets that a rule stopped, or would have
 * @rule: the rule
 * @direction: NST_DIRECTION_*
 *
 * Return: how many.
 */
uint64_t guard_stopped(const struct guard_rule *rule, unsigned int direction)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = NST_A_PACKETS_PASSED + 1; i <= NST_A_PACKETS_MAX; i++)
		sum += rule->packets[direction][i];
	return sum;
}

static int show(struct nl *nl, const struct options *opt,
		struct guard_rules *rules)
{
	int err = guard_get(nl, rules);

	if (err)
		return err;
	if (opt->json)
		ruleview_json(rules);
	else if (opt->prometheus)
		ruleview_prometheus(rules);
	else
		ruleview_text(rules);
	return 0;
}

static int change(struct nl *nl, uint8_t cmd, const struct guard_rule *rule)
{
	char buf[128] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *nlh = nl_request(nl, buf, cmd, NLM_F_ACK);

	put_rule(nlh, rule);
	return nl_talk(nl, nlh, NULL, NULL);
}

/* Takes the first @nr of @rules back: they are as in @old again. */
static void undo(struct nl *nl, const struct guard_rules *rules,
		 unsigned int nr, const struct guard_rules *old)
{
	const struct guard_rule *was;
	char message[sizeof(nl->message)];
	unsigned int i;

	memcpy(message, nl->message, sizeof(message));
	for (i = 0; i < nr; i++) {
		was = rulefile_find(old, &rules->rule[i]);
		if (was)
			change(nl, NST_CMD_GUARD_ADD, was);
		else
			change(nl, NST_CMD_GUARD_DEL, &rules->rule[i]);
	}
	memcpy(nl->message, message, sizeof(message));
}

/* The ports of a range are guarded one after the other, but all or none. */
static int add(struct nl *nl, const struct guard_rules *rules)
{
	struct guard_rules *old = calloc(1, sizeof(*old));
	unsigned int i;
	int err;

	if (!old)
		return -ENOMEM;
	err = guard_get(nl, old);
	for (i = 0; !err && i < rules->nr; i++) {
		err = change(nl, NST_CMD_GUARD_ADD, &rules->rule[i]);
		if (err)
			undo(nl, rules, i, old);
	}
	free(old);
	return err;
}

/* What "guard del" is to remove. */
struct unwanted {
	uint32_t protocol;
	struct port_set ports;
};

/* Some of what was named had a rule. Who mistook a port for another reads so. */
static void warn_absent(const struct unwanted *unwanted,
			const struct port_set *gone)
{
	char list[PORTS_TEXT];

	if (gone->nr == unwanted->ports.nr)
		return;
	ports_set_write(gone, list, sizeof(list));
	fprintf(stderr,
		"nstkeyctl: warning: of %u %s ports only %s had a rule\n",
		unwanted->ports.nr, rulefile_protocol(unwanted->protocol),
		list);
}

static int del_port(struct nl *nl, uint32_t protocol, uint16_t port)
{
	struct guard_rule rule = { .protocol = protocol, .port = port };

	return change(nl, NST_CMD_GUARD_DEL, &rule);
}

/* The kernel says why not, as it does of a single port. */
static int del_first(struct nl *nl, const struct unwanted *unwanted)
{
	uint16_t port = 1;

	while (!unwanted->ports.has[port])
		port++;
	return del_port(nl, unwanted->protocol, port);
}

/* Those that have a rule; there must be one. */
static int del(struct nl *nl, const struct unwanted *unwanted)
{
	struct guard_rules *now = calloc(1, sizeof(*now));
	struct port_set *gone = calloc(1, sizeof(*gone));
	int err = now && gone ? guard_get(nl, now) : -ENOMEM;
	unsigned int i;

	for (i = 0; !err && i < now->nr; i++) {
		const struct guard_rule *rule = &now->rule[i];
		const struct ports one = { rule->port, rule->port };

		if (rule->protocol != unwanted->protocol ||
		    !unwanted->ports.has[rule->port])
			continue;
		err = del_port(nl, rule->protocol, rule->port);
		if (!err)
			ports_set_add(gone, &one);
		else if (err == -ENOENT)
			err = 0; /* another process was first */
	}
	if (!err && !gone->nr)
		err = del_first(nl, unwanted);
	else if (!err)
		warn_absent(unwanted, gone);
	free(gone);
	free(now);
	return err;
}

/* Says which of the ports plain connections may get, if there are such. */
static void warn_local(const struct guard_rules *rules)
{
	struct local_ports *local = malloc(sizeof(*local));

	if (!local)
		return;
	ports_local(local, rules);
	if (local->nr)
		fprintf(stderr,
			"nstkeyctl: warning: port %s is in net.ipv4.ip_local_port_range (%u to %u), so a plain connection\n"
			"or socket may get it as its own, and hangs; to keep it from them:\n"
			"sysctl -w net.ipv4.ip_local_reserved_ports=%s\n",
			local->list, local->low, local->high, local->reserve);
	free(local);
}

/* A range is many requests: no signal but SIGKILL leaves a part of them done. */
static void hold_signals(void)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
}

enum { ADD, DEL, LOAD, FLUSH, SHOW };

/* What follows "guard": its arguments, at least and at most. */
static const struct {
	const char *name;
	int min, max;
	const char *usage;
} verbs[] = {
	[ADD] = { "add", 2, 3, "tcp|udp PORTS [dry-run]" },
	[DEL] = { "del", 2, 2, "tcp|udp PORTS" },
	[LOAD] = { "load", 1, 1, "FILE" },
	[FLUSH] = { "flush", 0, 0, "" },
	[SHOW] = { "show", 0, 0, "[--json | --prometheus]" },
};

#define NR_VERBS (sizeof(verbs) / sizeof(verbs[0]))

/* Which verb the arguments are for; -1, and said why, if for none. */
static int find_verb(const struct options *opt, char **args)
{
	unsigned int i;
	int n = 0;

	for (i = 0; i < NR_VERBS && strcmp(verbs[i].name, args[0]); i++)
		;
	if (i == NR_VERBS) {
		fprintf(stderr,
			"nstkeyctl: guard: there is no '%s'; 'nstkeyctl help guard' tells what there is\n",
			 args[0]);
		return -1;
	}
	while (args[1 + n])
		n++;
	if (n < verbs[i].min || n > verbs[i].max) {
		fprintf(stderr, "usage: nstkeyctl guard %s %s\n",
			verbs[i].name, verbs[i].usage);
		return -1;
	}
	if (i != SHOW && (opt->json || opt->prometheus)) {
		fprintf(stderr, "nstkeyctl: guard: '%s' does not take %s\n",
			args[0], opt->json ? "--json" : "--prometheus");
		return -1;
	}
	return i;
}

static int talk(const struct options *opt, int verb, struct guard_rules *rules,
		const struct unwanted *unwanted)
{
	char what[32];
	struct nl nl;
	int err = nl_open(&nl);

	if (verb == ADD || verb == DEL)
		hold_signals();
	if (!err) {
		switch (verb) {
		case ADD:
			err = add(&nl, rules);
			break;
		case DEL:
			err = del(&nl, unwanted);
			break;
		case LOAD:
			err = load(&nl, rules);
			break;
		case FLUSH:
			err = nl_simple(&nl, NST_CMD_GUARD_FLUSH, NLM_F_ACK,
					NULL, NULL);
			break;
		default:
			err = show(&nl, opt, rules);
		}
	}
	snprintf(what, sizeof(what), "guard %s", verbs[verb].name);
	if (err)
		nl_explain(&nl, what, err);
	else if (verb == ADD || verb == LOAD)
		warn_local(rules);
	nl_close(&nl);
	return err ? EXIT_FAILED : EXIT_OK;
}

/* What the arguments name: EXIT_OK, or another status after a message */
static int read_args(int verb, char **args, struct guard_rules *rules,
		     struct unwanted *unwanted)
{
	switch (verb) {
	case ADD:
		return rulefile_parse(rules, "guard", args) ? EXIT_USAGE :
							      EXIT_OK;
	case DEL:
		return rulefile_ports(&unwanted->ports, &unwanted->protocol,
				      "guard", args) ? EXIT_USAGE : EXIT_OK;
	case LOAD:
		return rulefile_read(rules, args[0]) ? EXIT_FAILED : EXIT_OK;
	}
	return verb < 0 ? EXIT_USAGE : EXIT_OK;
}

/* guard add|del|load|flush|show */
int cmd_guard(const struct options *opt, char **args)
{
	struct guard_rules *rules = calloc(1, sizeof(*rules));
	struct unwanted *unwanted = calloc(1, sizeof(*unwanted));
	int verb = find_verb(opt, args), status = EXIT_FAILED;

	if (!rules || !unwanted)
		fprintf(stderr, "nstkeyctl: guard: %s\n", strerror(ENOMEM));
	else
		status = read_args(verb, args + 1, rules, unwanted);
	if (status == EXIT_OK)
		status = talk(opt, verb, rules, unwanted);
	free(unwanted);
	free(rules);
	return status;
}
