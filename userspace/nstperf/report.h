/* SPDX-License-Identifier: GPL-2.0 */
/* One page of documents: pictures, tables, and what they may be taken for. */
#ifndef NSTPERF_REPORT_H
#define NSTPERF_REPORT_H

/* The words behind "report": [--output FILE] DOCUMENT... Exit status. */
int report_run(int argc, char **argv);

#endif /* NSTPERF_REPORT_H */
