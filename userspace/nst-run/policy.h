/* SPDX-License-Identifier: GPL-2.0 */
/* What nst-run was told: which ports, and how their sockets are keyed. */
#ifndef NST_RUN_POLICY_H
#define NST_RUN_POLICY_H

#include <linux/nst.h>
#include "ports.h"

/* The variable that carries a policy to programs under the preload engine. */
#define POLICY_VARIABLE	"NST_RUN_POLICY"
/* Room for it in words, with the longest of all. */
#define POLICY_TEXT	(2 * PORTS_TEXT + 256)

struct policy {
	struct ports tcp;
	struct ports udp;
	uint8_t cipher;			/* NST_CIPHER_* */
	uint8_t strict;
	uint8_t let;			/* programs out of reach are let go */
	uint8_t secret;			/* keys are exchanged; never in words */
	uint16_t group;			/* by this one alone; 0: X25519, or the peer's */
	uint8_t context_len;
	uint8_t context[NST_CONTEXT_MAX];
};

int policy_cipher(const char *name);
const char *policy_cipher_name(unsigned int cipher);
uint16_t policy_group(const char *name);
const char *policy_group_name(uint16_t group);
void policy_init(struct policy *policy);
int policy_read(struct policy *policy, const char *text);
size_t policy_write(const struct policy *policy, char *text, size_t size);

#endif /* NST_RUN_POLICY_H */
