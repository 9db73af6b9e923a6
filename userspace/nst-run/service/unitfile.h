/* SPDX-License-Identifier: GPL-2.0 */
/* What systemd's unit files say that a service runs. */
#ifndef NST_RUN_UNITFILE_H
#define NST_RUN_UNITFILE_H

#include <stddef.h>

/* Of a service: one, or some of Type=oneshot. */
#define COMMANDS_MAX	64

/**
 * struct commands - the lines of ExecStart= that are in force
 * @nr: how many
 * @line: each as it is written, continued lines joined
 */
struct commands {
	unsigned int nr;
	char *line[COMMANDS_MAX];
};

char *unitfile_read(const char *path);
int unitfile_commands(struct commands *commands, const char *text);
size_t unitfile_prefix(const char *command);
void unitfile_free(struct commands *commands);

#endif /* NST_RUN_UNITFILE_H */
