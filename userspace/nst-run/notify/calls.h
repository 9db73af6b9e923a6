/* SPDX-License-Identifier: GPL-2.0 */
/* What the supervisor does for each call that the filter sends it. */
#ifndef NST_RUN_CALLS_H
#define NST_RUN_CALLS_H

#include "../attach.h"
#include "target.h"

/**
 * struct call - a call of the program
 * @target: the thread that made it
 * @policy: what is covered
 * @may_block: another thread of the supervisor is there for other calls
 * @result: of the attach
 * @go_on: the kernel may make it with what it finds then
 * @value: what it returns if the supervisor made it
 */
struct call {
	struct target target;
	const struct policy *policy;
	int may_block;
	struct attach_result result;
	int go_on;
	long value;
};

int call_make(struct call *call);

/* for accepts.c, connects.c and sends.c */
int call_refuse(const struct call *call, const char *line);
void call_name(const struct target *target);
int call_attach(struct call *call, enum attach_call what, int fd,
		const void *addr, unsigned int len);
int call_protocol(int fd, int *domain);
int call_has_nst(int fd);
int call_blocks(int fd);
int call_send(struct call *call, int fd);

#endif /* NST_RUN_CALLS_H */
