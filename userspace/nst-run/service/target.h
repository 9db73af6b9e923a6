/* SPDX-License-Identifier: GPL-2.0 */
/* The service that is meant, and whether nst-run can stand before its command. */
#ifndef NST_RUN_SERVICE_TARGET_H
#define NST_RUN_SERVICE_TARGET_H

#include "../run.h"
#include "systemd.h"
#include "unitfile.h"

/**
 * struct target - a service
 * @unit: it
 * @socket: the socket unit that was named instead, or empty
 */
struct target {
	struct unit unit;
	char socket[UNIT_NAME_SIZE];
};

void target_find(struct target *target, const char *given);
void target_find_enabled(struct target *target, const char *given);
void target_commands(const struct target *target, struct commands *commands);
const char *target_read_commands(const struct target *target,
				 struct commands *commands);
int target_notifies(const struct target *target);
int target_stderr_is_peer(const struct target *target);
int target_names_programs(const struct target *target);
void target_note(const struct target *target, const struct run *run);
const char *target_check(const struct target *target, const char *tool);
void target_free(struct target *target);

#endif /* NST_RUN_SERVICE_TARGET_H */
