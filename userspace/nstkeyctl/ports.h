/* SPDX-License-Identifier: GPL-2.0 */
/* Ports as an administrator writes them, and those that the kernel gives away. */
#ifndef NSTKEYCTL_PORTS_H
#define NSTKEYCTL_PORTS_H

#include <stddef.h>
#include <stdint.h>
#include "guard.h"

/* Room for a list of ports in words: 256 rules, "65535," each, and more. */
#define PORTS_TEXT	4096

/**
 * struct ports - the ports of a word
 * @first: 1..65535
 * @last: @first or above
 */
struct ports {
	uint16_t first;
	uint16_t last;
};

#define NR_PORTS	65536

/**
 * struct port_set - a set of ports
 * @nr: how many are in it
 * @has: by port, whether it is
 */
struct port_set {
	unsigned int nr;
	uint8_t has[NR_PORTS];
};

/**
 * struct local_ports - guarded ports that plain connections may get
 * @low: net.ipv4.ip_local_port_range, from ...
 * @high: ... to
 * @nr: guarded ports in it that are not reserved
 * @list: them, "45000,45002-45010"
 * @reserve: what net.ipv4.ip_local_reserved_ports should be
 */
struct local_ports {
	unsigned int low;
	unsigned int high;
	unsigned int nr;
	char list[PORTS_TEXT];
	char reserve[2 * PORTS_TEXT];
};

int ports_parse(struct ports *ports, const char *word, const char *protocol);
void ports_set_add(struct port_set *set, const struct ports *ports);
void ports_set_write(const struct port_set *set, char *text, size_t size);
void ports_local(struct local_ports *local, const struct guard_rules *rules);

#endif /* NSTKEYCTL_PORTS_H */
