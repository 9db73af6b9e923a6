/* SPDX-License-Identifier: GPL-2.0 */
/* Descriptors that a message has with it, when the supervisor sends it. */
#ifndef NST_RUN_RIGHTS_H
#define NST_RUN_RIGHTS_H

#include <sys/socket.h>
#include "target.h"

#define RIGHTS_MAX	253	/* of one message, as the kernel has it */

/**
 * struct rights - copies of what a message has with it
 * @nr: how many
 * @fds: they
 */
struct rights {
	int nr;
	int fds[RIGHTS_MAX];
};

int rights_take(const struct target *target, struct msghdr *msg,
		struct rights *rights);
void rights_drop(struct rights *rights);

#endif /* NST_RUN_RIGHTS_H */
