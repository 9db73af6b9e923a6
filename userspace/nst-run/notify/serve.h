/* SPDX-License-Identifier: GPL-2.0 */
/* The threads that take the program's calls. */
#ifndef NST_RUN_SERVE_H
#define NST_RUN_SERVE_H

#include "../policy.h"

int serve_start(const struct policy *policy, int notify);

#endif /* NST_RUN_SERVE_H */
