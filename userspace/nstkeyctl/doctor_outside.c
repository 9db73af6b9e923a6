// SPDX-License-Identifier: GPL-2.0
/*
 * doctor: what others know. The journal has the events that nst-events.service saw,
 * with how far peers' clocks are off; nft(8) has the counters of its rules. Where
 * either is not there, nothing is said of it.
 */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "doctor.h"
#include "guard.h"

#define RULES_TOLD	5
#define NAME_SIZE	80
/* The field of the journal that monitor puts it into, in nanoseconds. */
#define SKEW		"NST_SKEW_NS"

/* Constant texts for a shell: nothing of anybody's is in them. */
static const char ask_journal[] =
	"timeout 20 journalctl -qn 1000 --since=-1d -o cat --output-fields=" SKEW
	" NST_EVENT=clock 2>/dev/null";
static const char ask_nft[] = "LC_ALL=C timeout 20 nft list ruleset 2>/dev/null";

/* Peers' clocks, in seconds from this one. */
struct skews {
	unsigned int nr;
	double least;
	double most;
};

static void add_skew(struct skews *skews, const char *line)
{
	char *end;
	double skew = strtoll(line, &end, 10) / 1e9;

	if (end == line || (*end && *end != '\n'))
		return;
	if (!skews->nr || skew < skews->least)
		skews->least = skew;
	if (!skews->nr || skew > skews->most)
		skews->most = skew;
	skews->nr++;
}

/**
 * check_skew() - how far are the clocks of peers from this one?
 * @patient: whose
 * @refused: how many were refused for their time, by the counters
 */
void check_skew(struct patient *patient, uint64_t refused)
{
	struct skews skews = { 0 };
	char line[128];
	FILE *journal;

	/* Events in the journal are of the host's namespace. */
	journal = patient->elsewhere ? NULL : popen(ask_journal, "re");
	while (journal && fgets(line, sizeof(line), journal))
		add_skew(&skews, line);
	if (journal)
		pclose(journal);
	if (skews.nr)
		report(patient, "clock", WARN,
		       "peers' clocks are %+.3f to %+.3f s from this one, by %u events of the last day in the journal: %s",
		       skews.least, skews.most, skews.nr,
		       skews.least > 0 || skews.most < 0 ?
		       "all to one side; if they are of several peers, this clock is wrong" :
		       "to both sides, so it is theirs that differ");
	else if (refused)
		report(patient, "clock", WARN,
		       "starts refused for their time (above): 'nstkeyctl monitor' tells by how much when it happens, 'systemctl enable --now nst-events' has it in the journal");
}

/* Where in nft's output, and what was found. */
struct drops {
	struct patient *patient;
	const struct guard_rules *rules;
	char table[NAME_SIZE];
	char chain[NAME_SIZE];
	unsigned int told;
	unsigned int named;	/* of a guarded port */
	unsigned int others;
};

static int is_guarded(const struct guard_rules *rules, uint32_t protocol,
		      unsigned long first, unsigned long last)
{
	unsigned int i;

	for (i = 0; i < rules->nr; i++)
		if ((!protocol || rules->rule[i].protocol == protocol) &&
		    rules->rule[i].port >= first && rules->rule[i].port <= last)
			return 1;
	return 0;
}

/* "80", "{ 80, 443-445 }": is one of them guarded? */
static int has_guarded(const struct guard_rules *rules, uint32_t protocol,
		       const char *list)
{
	unsigned long first, last;
	char *end;

	list += strspn(list, "{ ");
	for (;;) {
		first = strtoul(list, &end, 10);
		if (end == list)
			return 0;
		last = *end == '-' ? strtoul(end + 1, &end, 10) : first;
		if (is_guarded(rules, protocol, first, last))
			return 1;
		list = end + strspn(end, ", ");
	}
}

/* "tcp dport 80 counter packets 3 bytes 180 drop" */
static int names_guarded(const struct guard_rules *rules, const char *line)
{
	static const struct {
		const char *word;
		uint32_t protocol;
	} words[] = {
		{ "tcp dport ", IPPROTO_TCP }, { "tcp sport ", IPPROTO_TCP },
		{ "udp dport ", IPPROTO_UDP }, { "udp sport ", IPPROTO_UDP },
		{ "th dport ", 0 }, { "th sport ", 0 },
	};
	const char *at;
	unsigned int i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		at = strstr(line, words[i].word);
		if (at && has_guarded(rules, words[i].protocol,
				      at + strlen(words[i].word)))
			return 1;
	}
	return 0;
}

/* A name may hold anything. */
static void make_printable(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

static int is_drop(const char *line)
{
	const char *at = strstr(line, " drop");

	if (!at)
		at = strstr(line, " reject");
	return at && strstr(line, "counter packets ") &&
		strtoull(strstr(line, "counter packets ") + 16, NULL, 10) > 0;
}

static void take_rule(struct drops *drops, char *line)
{
	char *comment = strstr(line, " comment \"");

	/* What a comment says is not what the rule does. */
	if (comment)
		*comment = 0;
	if (!is_drop(line))
		return;
	if (!names_guarded(drops->rules, line)) {
		drops->others++;
		return;
	}
	drops->named++;
	if (drops->told++ < RULES_TOLD)
		report(drops->patient, "firewall", WARN,
		       "nft drops packets of a guarded port, in table %s, chain %s: %.300s",
		       drops->table, drops->chain, line);
}

/* "inet filter {" */
static void take_name(char *name, const char *line)
{
	size_t len = strcspn(line, "{");

	while (len && line[len - 1] == ' ')
		len--;
	snprintf(name, NAME_SIZE, "%.*s", (int)len, line);
}

static void take_line(struct drops *drops, char *line)
{
	line += strspn(line, " \t");
	line[strcspn(line, "\n")] = 0;
	make_printable(line);
	if (!strncmp(line, "table ", 6))
		take_name(drops->table, line + 6);
	else if (!strncmp(line, "chain ", 6))
		take_name(drops->chain, line + 6);
	else
		take_rule(drops, line);
}

/**
 * check_firewall() - does nft drop packets of guarded ports?
 * @patient: whose
 * @rules: of the guard
 */
void check_firewall(struct patient *patient, const struct guard_rules *rules)
{
	struct drops drops = { .patient = patient, .rules = rules };
	char *line = NULL;
	size_t size = 0;
	FILE *nft;

	if (!rules->nr)
		return;
	nft = popen(ask_nft, "re");
	while (nft && getline(&line, &size, nft) > 0)
		take_line(&drops, line);
	free(line);
	if (!nft || pclose(nft))
		return;
	if (drops.named > RULES_TOLD)
		report(patient, "firewall", WARN,
		       "and %u more rules of nft do: 'nft list ruleset'",
		       drops.named - RULES_TOLD);
	else if (!drops.named)
		report(patient, "firewall", GOOD,
		       "no rule of nft with a counter has dropped packets of a guarded port (of others: %u rules); what drops without a counter does not show",
		       drops.others);
}
