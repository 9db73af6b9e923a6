/* SPDX-License-Identifier: GPL-2.0 */
/* A line of a box file: "kid state hex". */
#ifndef NSTKEYCTL_KEYLINE_H
#define NSTKEYCTL_KEYLINE_H

#include <linux/nst.h>
#include <linux/nst_netlink.h>
#include <stddef.h>
#include <stdint.h>

/* "65535 retired " and the key, and a line end */
#define KEYLINE_MAX	(5 + 1 + 7 + 1 + 2 * NST_KEY_SIZE + 1)

/**
 * struct keyline_place - where the parser is
 * @name: of the file, for messages
 * @line: from 1
 */
struct keyline_place {
	const char *name;
	unsigned int line;
};

/**
 * struct keyline_key - a key of a box file
 * @kid: 1..65535
 * @line: where it stands, from 1
 * @state: what it may be used for
 * @secret: the key
 */
struct keyline_key {
	uint16_t kid;
	unsigned int line;
	enum nst_state state;
	uint8_t secret[NST_KEY_SIZE];
};

__attribute__((format(printf, 2, 3)))
int keyline_bad(const struct keyline_place *place, const char *fmt, ...);
int keyline_parse(struct keyline_key *key, const struct keyline_place *place,
		  const char *text, size_t len);
size_t keyline_format(char *text, const struct keyline_key *key);

int keyline_kid(const char *text, size_t len, uint16_t *kid);
int keyline_state(const char *text, size_t len, enum nst_state *state);
const char *keyline_state_name(unsigned int state);

#endif /* NSTKEYCTL_KEYLINE_H */
