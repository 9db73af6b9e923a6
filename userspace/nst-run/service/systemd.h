/* SPDX-License-Identifier: GPL-2.0 */
/* systemd's view of a unit, asked of systemctl. */
#ifndef NST_RUN_SYSTEMD_H
#define NST_RUN_SYSTEMD_H

#include <stddef.h>

/* systemd's own limit, with the end. */
#define UNIT_NAME_SIZE	256

/**
 * struct unit - a unit as systemd has it
 * @name: its real name, or the one that was given for a template
 * @asked: what systemctl was asked for: an instance that is none's of a template
 * @shown: the answer, a line "Name=value" a property
 */
struct unit {
	char name[UNIT_NAME_SIZE];
	char asked[UNIT_NAME_SIZE + 16];
	char *shown;
};

int systemd_name(char *name, const char *given);
int systemd_is(const char *name, const char *suffix);
int systemd_is_template(const char *name);
void systemd_show(struct unit *unit, const char *name);
const char *systemd_value(const struct unit *unit, const char *property,
			  char *value, size_t size);
int systemd_reload(void);
void systemd_free(struct unit *unit);

#endif /* NST_RUN_SYSTEMD_H */
