// SPDX-License-Identifier: GPL-2.0
/* Ports as an administrator writes them, and those that the kernel gives away. */
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "mode.h"
#include "ports.h"

/* A number of at most five digits, and nothing else before @end. */
static int number(const char *text, const char *end)
{
	int value = 0;

	if (text == end || end - text > 5)
		return -1;
	for (; text < end; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		value = 10 * value + (*text - '0');
	}
	return value && value < NR_PORTS ? value : -1;
}

/**
 * ports_parse() - read "5432", "5000-5010" or "postgresql"
 * @ports: receives it
 * @word: what was written
 * @protocol: "tcp" or "udp", for the name of a service
 *
 * Return: 0, or -1 if it is none of these.
 */
int ports_parse(struct ports *ports, const char *word, const char *protocol)
{
	const char *end = word + strlen(word), *dash = strchr(word, '-');
	int first = number(word, dash ? dash : end);
	int last = dash ? number(dash + 1, end) : first;
	const struct servent *service;

	if (first < 0 || last < first) {
		service = *word ? getservbyname(word, protocol) : NULL;
		if (!service || !service->s_port)
			return -1;
		first = ntohs(service->s_port);
		last = first;
	}
	ports->first = first;
	ports->last = last;
	return 0;
}

/**
 * ports_set_add() - put ports into a set
 * @set: of which some may be in it
 * @ports: them
 */
void ports_set_add(struct port_set *set, const struct ports *ports)
{
	unsigned int i;

	for (i = ports->first; i <= ports->last; i++) {
		set->nr += !set->has[i];
		set->has[i] = 1;
	}
}

/* "1,5-9": what the kernel shows, and takes. */
static void set_read(struct port_set *set, char *text)
{
	char *save, *word;
	struct ports ports;

	for (word = strtok_r(text, ",\n", &save); word;
	     word = strtok_r(NULL, ",\n", &save))
		if (!ports_parse(&ports, word, "tcp"))
			ports_set_add(set, &ports);
}

/**
 * ports_set_write() - a set in words
 * @set: it
 * @text: receives "1,5-9", and its end only as far as there is room
 * @size: of @text
 */
void ports_set_write(const struct port_set *set, char *text, size_t size)
{
	unsigned int i, last;
	size_t len = 0;

	text[0] = 0;
	for (i = 1; i < NR_PORTS && len < size; i = last + 1) {
		last = i;
		if (!set->has[i])
			continue;
		while (last + 1 < NR_PORTS && set->has[last + 1])
			last++;
		len += snprintf(text + len, size - len,
				last > i ? "%s%u-%u" : "%s%u", len ? "," : "",
				i, last);
	}
}

/* The file may be long; what does not fit is reserved already, or not shown. */
static void read_reserved(struct port_set *set)
{
	static char text[1 << 17];

	if (!read_line("/proc/sys/net/ipv4/ip_local_reserved_ports", text,
		       sizeof(text)))
		set_read(set, text);
}

/**
 * ports_local() - which guarded ports may a plain connection get as its own?
 * @local: receives them
 * @rules: the guard's
 *
 * The kernel takes the local port of a connect() or of a bind() to port 0 out of
 * a range. A program without NST that happens to get a guarded one hangs.
 */
void ports_local(struct local_ports *local, const struct guard_rules *rules)
{
	static struct port_set reserved, open;
	char text[64];
	unsigned int i;

	memset(local, 0, sizeof(*local));
	memset(&reserved, 0, sizeof(reserved));
	memset(&open, 0, sizeof(open));
	if (read_line("/proc/sys/net/ipv4/ip_local_port_range", text,
		      sizeof(text)) ||
	    sscanf(text, "%u %u", &local->low, &local->high) != 2)
		return;
	read_reserved(&reserved);
	for (i = 0; i < rules->nr; i++) {
		unsigned int port = rules->rule[i].port;

		if (port < local->low || port > local->high ||
		    reserved.has[port])
			continue;
		ports_set_add(&open, &(struct ports){ port, port });
	}
	local->nr = open.nr;
	ports_set_write(&open, local->list, sizeof(local->list));
	for (i = 0; i < NR_PORTS; i++)
		reserved.has[i] |= open.has[i];
	ports_set_write(&reserved, local->reserve, sizeof(local->reserve));
}
