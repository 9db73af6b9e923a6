/* SPDX-License-Identifier: GPL-2.0 */
/* Commands that only list what the kernel dumps. */
#ifndef NSTKEYCTL_LIST_H
#define NSTKEYCTL_LIST_H

#include <stdint.h>
#include "nl.h"
#include "nstkeyctl.h"

/**
 * struct list - such a command
 * @name: its name
 * @array: the list's name in JSON
 * @none: a line of text for a list of nothing, or NULL
 * @cmd: NST_CMD_*, which dumps a message an entry
 * @text: writes an entry as text
 * @json: writes it as an object
 */
struct list {
	const char *name;
	const char *array;
	const char *none;
	uint8_t cmd;
	nl_cb text;
	nl_cb json;
};

int list_command(const struct list *list, const struct options *opt,
		 void *data);

#endif /* NSTKEYCTL_LIST_H */
