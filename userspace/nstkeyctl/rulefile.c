// SPDX-License-Identifier: GPL-2.0
/* The guard's rules as an administrator writes them, in words or in a file. */
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "rulefile.h"

/**
 * rulefile_protocol() - a protocol in words
 * @protocol: IPPROTO_*
 *
 * Return: a static string.
 */
const char *rulefile_protocol(uint32_t protocol)
{
	return protocol == IPPROTO_TCP ? "tcp" :
		protocol == IPPROTO_UDP ? "udp" : "?";
}

__attribute__((format(printf, 2, 3)))
static int complain(const char *where, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "nstkeyctl: %s: ", where);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return -EINVAL;
}

/**
 * rulefile_find() - the rule for a protocol and port
 * @rules: where
 * @rule: of the same protocol and port
 *
 * Return: it, or NULL.
 */
const struct guard_rule *rulefile_find(const struct guard_rules *rules,
				       const struct guard_rule *rule)
{
	unsigned int i;

	for (i = 0; i < rules->nr; i++)
		if (rules->rule[i].protocol == rule->protocol &&
		    rules->rule[i].port == rule->port)
			return &rules->rule[i];
	return NULL;
}

static int add_ports(struct guard_rules *rules, const char *where,
		     const struct guard_rule *like, const struct ports *ports)
{
	unsigned int port;

	for (port = ports->first; port <= ports->last; port++) {
		struct guard_rule rule = *like;

		rule.port = port;
		if (rulefile_find(rules, &rule))
			return complain(where, "a second rule for %s %u",
					rulefile_protocol(rule.protocol), port);
		if (rules->nr == NST_GUARD_MAX)
			return complain(where, "too many rules, the guard has room for %d",
					NST_GUARD_MAX);
		rules->rule[rules->nr++] = rule;
	}
	return 0;
}

static int read_protocol(uint32_t *protocol, const char *where,
			 const char *word)
{
	if (!strcmp(word, "tcp"))
		*protocol = IPPROTO_TCP;
	else if (!strcmp(word, "udp"))
		*protocol = IPPROTO_UDP;
	else
		return complain(where, "'%s' is neither tcp nor udp", word);
	return 0;
}

/*
 * The next of "80,5000-5010,postgresql", which @list is moved behind; it becomes
 * NULL with the last one. @protocol is for names of services.
 */
static int next_ports(struct ports *ports, const char **list,
		      const char *where, const char *protocol)
{
	size_t len = strcspn(*list, ",");
	char word[64];

	snprintf(word, sizeof(word), "%.*s", (int)len, *list);
	if (len >= sizeof(word) || ports_parse(ports, word, protocol))
		return complain(where,
				"'%.*s' is no port from 1 to 65535, no range of them and no service",
				(int)len, *list);
	*list = (*list)[len] ? *list + len + 1 : NULL;
	return 0;
}

/**
 * rulefile_ports() - read protocol and ports, without rules for them
 * @set: empty; receives the ports, each of which may be named more than once
 * @protocol: receives IPPROTO_*
 * @where: they stand, for messages
 * @words: protocol and ports
 *
 * Return: 0; a negative errno after a message to stderr.
 */
int rulefile_ports(struct port_set *set, uint32_t *protocol, const char *where,
		   char **words)
{
	const char *list = words[1];
	int err = read_protocol(protocol, where, words[0]);
	struct ports ports;

	while (!err && list) {
		err = next_ports(&ports, &list, where, words[0]);
		if (!err)
			ports_set_add(set, &ports);
	}
	return err;
}

/**
 * rulefile_parse() - add the rules of a line
 * @rules: to these
 * @where: the line is, for messages
 * @words: protocol, ports and perhaps "dry-run"; NULL for each that is absent
 *
 * Return: 0; a negative errno after a message to stderr.
 */
int rulefile_parse(struct guard_rules *rules, const char *where, char **words)
{
	struct guard_rule rule = { 0 };
	const char *list = words[1];
	struct ports ports;
	int err;

	if (!words[0] || !list)
		return complain(where, "a rule is 'tcp' or 'udp' and a port");
	err = read_protocol(&rule.protocol, where, words[0]);
	if (err)
		return err;
	if (words[2] && strcmp(words[2], "dry-run"))
		return complain(where, "'%s' is not 'dry-run'", words[2]);
	rule.dry_run = !!words[2];
	while (!err && list) {
		err = next_ports(&ports, &list, where, words[0]);
		if (!err)
			err = add_ports(rules, where, &rule, &ports);
	}
	return err;
}

/* One line of a file, which may have no rule. */
static int parse_line(struct guard_rules *rules, char *line, const char *where)
{
	char *words[4] = { NULL }, *save, *word;
	unsigned int n = 0;

	line[strcspn(line, "#\n")] = 0;
	for (word = strtok_r(line, " \t\r", &save); word;
	     word = strtok_r(NULL, " \t\r", &save)) {
		if (n == 3)
			return complain(where, "'%s' is too much", word);
		words[n++] = word;
	}
	return n ? rulefile_parse(rules, where, words) : 0;
}

static int read_rules(struct guard_rules *rules, FILE *f, const char *name)
{
	char line[128], where[320];
	unsigned int nr;

	for (nr = 1; fgets(line, sizeof(line), f); nr++) {
		snprintf(where, sizeof(where), "%.256s:%u", name, nr);
		if (!strchr(line, '\n') && !feof(f))
			return complain(where, "the line is too long");
		if (parse_line(rules, line, where))
			return -EINVAL;
	}
	if (ferror(f))
		return complain(name, "%s", strerror(errno));
	if (!rules->nr)
		return complain(name, "no rule in it; 'guard flush' removes all");
	return 0;
}

/**
 * rulefile_read() - read rules from a file
 * @rules: empty; receives them
 * @name: of the file; "-": standard input
 *
 * Return: 0; a negative errno after a message to stderr.
 */
int rulefile_read(struct guard_rules *rules, const char *name)
{
	FILE *f = strcmp(name, "-") ? fopen(name, "re") : stdin;
	int err;

	if (!f)
		return complain(name, "%s", strerror(errno));
	err = read_rules(rules, f, f == stdin ? "standard input" : name);
	if (f != stdin)
		fclose(f);
	return err;
}
