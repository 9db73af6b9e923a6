/* SPDX-License-Identifier: GPL-2.0 */
/* Which system calls a program under the notify engine may make by itself. */
#ifndef NST_RUN_FILTER_H
#define NST_RUN_FILTER_H

#include <linux/filter.h>

#define FILTER_MAX	256

/**
 * struct filter - a program of classic BPF
 * @code: its instructions
 * @nr: how many
 */
struct filter {
	struct sock_filter code[FILTER_MAX];
	unsigned int nr;
};

void filter_build(struct filter *filter, int udp);
int filter_install(const struct filter *filter);

#endif /* NST_RUN_FILTER_H */
