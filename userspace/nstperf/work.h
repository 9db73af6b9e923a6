/* SPDX-License-Identifier: GPL-2.0 */
/* What a client's stream does in each scenario. */
#ifndef NSTPERF_WORK_H
#define NSTPERF_WORK_H

#include "run.h"

/* Connects all streams, those of datagrams too; 0, or trouble(). */
int work_connect(struct run *run);

/* For run_start(). */
int work_stream(struct stream *stream);

#endif /* NSTPERF_WORK_H */
