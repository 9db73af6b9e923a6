/* SPDX-License-Identifier: GPL-2.0 */
/* What a server's stream does in each scenario. */
#ifndef NSTPERF_ANSWER_H
#define NSTPERF_ANSWER_H

#include "run.h"

/* For run_start(). */
int answer_stream(struct stream *stream);

#endif /* NSTPERF_ANSWER_H */
