/* SPDX-License-Identifier: GPL-2.0 */
/* What went wrong, as one line of text; each thread has its own. */
#ifndef NSTPERF_TROUBLE_H
#define NSTPERF_TROUBLE_H

#define TROUBLE_MAX	400

/* Notes a line and returns -1, so that a function can end with it. */
int trouble(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The line noted last; never NULL. */
const char *trouble_text(void);

#endif /* NSTPERF_TROUBLE_H */
