/* SPDX-License-Identifier: GPL-2.0 */
/* The client: a whole plan against a server. */
#ifndef NSTPERF_CLIENT_H
#define NSTPERF_CLIENT_H

#include "options.h"

/* Exit status: 0 all done, 1 not all. What is wrong has been said. */
int client_run(const struct options *options);

#endif /* NSTPERF_CLIENT_H */
