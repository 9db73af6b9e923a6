// SPDX-License-Identifier: GPL-2.0
/*
 * A set of ports. All but ports_parse() is also for a process under the preload
 * engine: no allocation, no stdio.
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include "ports.h"
#include "text.h"

#define WORD_MAX	64

/**
 * ports_add() - put a range into a set
 * @ports: the set
 * @first: 1..65535
 * @last: @first or above
 *
 * Return: 0, -EINVAL or -E2BIG (more than PORTS_RANGES ranges).
 */
int ports_add(struct ports *ports, unsigned int first, unsigned int last)
{
	struct port_range *r = ports->range;
	unsigned int i = 0, end;

	if (!first || last < first || last > UINT16_MAX)
		return -EINVAL;
	while (i < ports->nr && r[i].last + 1u < first)
		i++;
	/* [i, end) touch the new one and become a part of it. */
	for (end = i; end < ports->nr && r[end].first <= last + 1u; end++) {
		if (r[end].first < first)
			first = r[end].first;
		if (r[end].last > last)
			last = r[end].last;
	}
	if (end == i && ports->nr == PORTS_RANGES)
		return -E2BIG;
	memmove(&r[i + 1], &r[end], (ports->nr - end) * sizeof(*r));
	ports->nr += 1 + i - end;
	r[i].first = first;
	r[i].last = last;
	return 0;
}

/**
 * ports_has() - is a port in a set?
 * @ports: the set
 * @port: 0 is in none
 *
 * Return: 1 or 0.
 */
int ports_has(const struct ports *ports, uint16_t port)
{
	unsigned int low = 0, high = ports->nr, mid;

	while (low < high) {
		mid = (low + high) / 2;
		if (port < ports->range[mid].first)
			high = mid;
		else if (port > ports->range[mid].last)
			low = mid + 1;
		else
			return 1;
	}
	return 0;
}

/* A number of at most five digits, and nothing else before @end; or -1. */
static long number(const char *text, const char *end)
{
	long value = 0;

	if (text == end || end - text > 5)
		return -1;
	for (; text < end; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		value = 10 * value + (*text - '0');
	}
	return value && value <= UINT16_MAX ? value : -1;
}

/* "5432" or "5000-5010", @len bytes. */
static int read_range(struct port_range *range, const char *text, size_t len)
{
	const char *dash = memchr(text, '-', len), *end = text + len;
	long first = number(text, dash ? dash : end);
	long last = dash ? number(dash + 1, end) : first;

	if (first < 0 || last < first)
		return -EINVAL;
	range->first = first;
	range->last = last;
	return 0;
}

/* A name of /etc/services. */
static int read_service(struct port_range *range, const char *word,
			const char *protocol)
{
	const struct servent *service = getservbyname(word, protocol);

	if (!service || !service->s_port)
		return -EINVAL;
	range->first = ntohs(service->s_port);
	range->last = range->first;
	return 0;
}

static int parse_word(struct ports *ports, const char *word, size_t len,
		      const char *protocol, char *error, size_t size)
{
	struct port_range range;
	char name[WORD_MAX];
	int err;

	if (!len || len >= sizeof(name)) {
		snprintf(error, size, len ? "a word of it is too long" :
			 "a word of it is empty");
		return -EINVAL;
	}
	memcpy(name, word, len);
	name[len] = 0;
	if (read_range(&range, word, len) &&
	    read_service(&range, name, protocol)) {
		snprintf(error, size,
			 "'%s' is no port (1-65535), range or %s service", name,
			 protocol);
		return -EINVAL;
	}
	err = ports_add(ports, range.first, range.last);
	if (err)
		snprintf(error, size, "these are more than %d ranges",
			 PORTS_RANGES);
	return err;
}

/**
 * ports_parse() - add what a person wrote: "5432,5000-5010,postgresql"
 * @ports: the set
 * @list: what was written
 * @protocol: "tcp" or "udp", for the names of services
 * @error: receives what is wrong, without the argument's name
 * @size: of @error
 *
 * Return: 0 or a negative errno.
 */
int ports_parse(struct ports *ports, const char *list, const char *protocol,
		char *error, size_t size)
{
	size_t len;
	int err;

	for (;; list += len + 1) {
		len = strcspn(list, ",");
		err = parse_word(ports, list, len, protocol, error, size);
		if (err || !list[len])
			return err;
	}
}

/**
 * ports_read() - add numbers and ranges, as ports_write() writes them
 * @ports: the set
 * @text: them
 * @len: of @text
 *
 * Return: 0 or a negative errno.
 */
int ports_read(struct ports *ports, const char *text, size_t len)
{
	const char *end = text + len, *comma;
	struct port_range range;
	int err;

	for (;; text = comma + 1) {
		comma = memchr(text, ',', end - text);
		err = read_range(&range, text, (comma ? comma : end) - text);
		if (!err)
			err = ports_add(ports, range.first, range.last);
		if (err || !comma)
			return err;
	}
}

/**
 * ports_write() - "80,5000-5010"
 * @ports: the set
 * @text: receives it
 * @size: of @text; PORTS_TEXT is always enough
 *
 * Return: its length.
 */
size_t ports_write(const struct ports *ports, char *text, size_t size)
{
	struct text t = { .buf = text, .size = size };
	unsigned int i;

	text_add(&t, "");
	for (i = 0; i < ports->nr; i++) {
		if (i)
			text_add(&t, ",");
		text_number(&t, ports->range[i].first);
		if (ports->range[i].last == ports->range[i].first)
			continue;
		text_add(&t, "-");
		text_number(&t, ports->range[i].last);
	}
	return t.len;
}
