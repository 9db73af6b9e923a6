/* SPDX-License-Identifier: GPL-2.0 */
/* connect(), when it is known what the socket needs. */
#ifndef NST_RUN_CONNECTS_H
#define NST_RUN_CONNECTS_H

#include "calls.h"

int connects_make(struct call *call, int fd, const void *addr, int len);
int connects_secret(struct call *call, int fd, const void *addr, int len);

#endif /* NST_RUN_CONNECTS_H */
