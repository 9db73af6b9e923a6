/* SPDX-License-Identifier: GPL-2.0 */
/* accept() and accept4(). */
#ifndef NST_RUN_ACCEPTS_H
#define NST_RUN_ACCEPTS_H

#include "calls.h"

int accepts_make(struct call *call, int fd);

#endif /* NST_RUN_ACCEPTS_H */
