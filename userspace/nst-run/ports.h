/* SPDX-License-Identifier: GPL-2.0 */
/* A set of ports: ranges in ascending order, none touching the next. */
#ifndef NST_RUN_PORTS_H
#define NST_RUN_PORTS_H

#include <stddef.h>
#include <stdint.h>

/* More than anybody writes; keeps a policy in a variable of the environment. */
#define PORTS_RANGES	256
/* Room for a set in words: "65535-65535," for each range. */
#define PORTS_TEXT	(12 * PORTS_RANGES + 1)

struct port_range {
	uint16_t first;		/* 1..65535 */
	uint16_t last;		/* first or above */
};

struct ports {
	unsigned int nr;
	struct port_range range[PORTS_RANGES];
};

int ports_add(struct ports *ports, unsigned int first, unsigned int last);
int ports_has(const struct ports *ports, uint16_t port);
int ports_parse(struct ports *ports, const char *list, const char *protocol,
		char *error, size_t size);
int ports_read(struct ports *ports, const char *text, size_t len);
size_t ports_write(const struct ports *ports, char *text, size_t size);

#endif /* NST_RUN_PORTS_H */
