/* SPDX-License-Identifier: GPL-2.0 */
/* The drop-in that puts nst-run before a service's command. */
#ifndef NST_RUN_DROPIN_H
#define NST_RUN_DROPIN_H

#include <stddef.h>
#include "../run.h"
#include "unitfile.h"

#define DROPIN_ROOT	"/etc/systemd/system"
/* The last one to be read: what "systemctl edit" makes is override.conf. */
#define DROPIN_NAME	"zz-nst.conf"
#define DROPIN_PATH	512

/**
 * struct dropin - what goes into one
 * @run: the options
 * @commands: the service's own
 * @tool: path of nst-run
 * @box: path of nst-box, or NULL
 * @notify_all: the program is not the process that systemd knows
 * @library: directory of nst-run's library if the service may run only what it
 *	names, else NULL
 * @stderr_journal: standard error is the connection otherwise
 */
struct dropin {
	const struct run *run;
	const struct commands *commands;
	const char *tool;
	const char *box;
	int notify_all;
	const char *library;
	int stderr_journal;
};

void dropin_path(char *path, const char *unit);
char *dropin_text(const struct dropin *dropin);
int dropin_is_ours(const char *text);
int dropin_check_place(const char *path);
int dropin_write(const char *path, const char *text);
int dropin_remove(const char *path);
void dropin_options(const char *line, char *options, size_t size);
int dropin_wraps(const char *line, const char *command);

#endif /* NST_RUN_DROPIN_H */
