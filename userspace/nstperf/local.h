/* SPDX-License-Identifier: GPL-2.0 */
/* Both ends on this machine, in two network namespaces of their own. */
#ifndef NSTPERF_LOCAL_H
#define NSTPERF_LOCAL_H

#include "options.h"

/* Exit status of the client. What was made is gone afterwards. */
int local_run(struct options *options);

#endif /* NSTPERF_LOCAL_H */
