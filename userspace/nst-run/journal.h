/* SPDX-License-Identifier: GPL-2.0 */
/* A line in the journal, or on standard error where there is none. */
#ifndef NST_RUN_JOURNAL_H
#define NST_RUN_JOURNAL_H

#include "attach.h"

void journal_init(void);
void journal_line(const char *line);
void journal_call(const char *call, const struct attach_result *result,
		  const char *hint);
void journal_keyless(const struct attach_result *result);
void journal_failure(const struct attach_result *result);

#endif /* NST_RUN_JOURNAL_H */
