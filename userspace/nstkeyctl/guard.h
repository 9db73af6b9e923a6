/* SPDX-License-Identifier: GPL-2.0 */
/* The rules of the guard. */
#ifndef NSTKEYCTL_GUARD_H
#define NSTKEYCTL_GUARD_H

#include <linux/nst_netlink.h>
#include <stdint.h>
#include "nl.h"

/**
 * struct guard_rule - a rule, and what it has seen
 * @protocol: IPPROTO_TCP or IPPROTO_UDP
 * @port: local port
 * @dry_run: it counts and does not drop
 * @packets: by direction, NST_DIRECTION_*, and NST_A_PACKETS_*
 */
struct guard_rule {
	uint32_t protocol;
	uint16_t port;
	int dry_run;
	uint64_t packets[2][NST_A_PACKETS_MAX + 1];
};

/**
 * struct guard_rules - the rules of a namespace, or of a file
 * @nr: how many
 * @rule: them
 */
struct guard_rules {
	unsigned int nr;
	struct guard_rule rule[NST_GUARD_MAX];
};

int guard_get(struct nl *nl, struct guard_rules *rules);
uint64_t guard_stopped(const struct guard_rule *rule, unsigned int direction);

#endif /* NSTKEYCTL_GUARD_H */
