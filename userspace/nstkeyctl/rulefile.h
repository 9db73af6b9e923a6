/* SPDX-License-Identifier: GPL-2.0 */
/* Files of the guard's rules: one a line, "tcp 443 dry-run". */
#ifndef NSTKEYCTL_RULEFILE_H
#define NSTKEYCTL_RULEFILE_H

#include <stdint.h>
#include "guard.h"
#include "ports.h"

const char *rulefile_protocol(uint32_t protocol);
const struct guard_rule *rulefile_find(const struct guard_rules *rules,
				       const struct guard_rule *rule);
int rulefile_parse(struct guard_rules *rules, const char *where, char **words);
int rulefile_ports(struct port_set *set, uint32_t *protocol, const char *where,
		   char **words);
int rulefile_read(struct guard_rules *rules, const char *name);

#endif /* NSTKEYCTL_RULEFILE_H */
