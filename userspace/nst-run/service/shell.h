/* SPDX-License-Identifier: GPL-2.0 */
/* Words of ExecStart= and of a shell. */
#ifndef NST_RUN_SERVICE_SHELL_H
#define NST_RUN_SERVICE_SHELL_H

#include <stddef.h>
#include "../text.h"

void shell_word(struct text *to, const char *word, size_t len);
void shell_words(struct text *to, char *words, int plain);
int shell_several(const char *command);

#endif /* NST_RUN_SERVICE_SHELL_H */
