/* SPDX-License-Identifier: GPL-2.0 */
/* How long something takes, and whether it was held up by anything else. */
#ifndef _NST_UDP_WATCH_H
#define _NST_UDP_WATCH_H

#include <linux/types.h>

/**
 * struct nst_watch - when something has begun
 * @others: how much else had run on its processor
 * @began: CLOCK_MONOTONIC in ns
 */
struct nst_watch {
	u64 others;
	u64 began;
};

struct nst_watch nst_watch_start(void);
u64 nst_watch_stop(const struct nst_watch *watch, bool *disturbed);

#endif /* _NST_UDP_WATCH_H */
