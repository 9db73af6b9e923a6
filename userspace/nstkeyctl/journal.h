/* SPDX-License-Identifier: GPL-2.0 */
/* Events as entries of systemd's journal. */
#ifndef NSTKEYCTL_JOURNAL_H
#define NSTKEYCTL_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

/* Longest entry: a message and the fields of an event. */
#define JOURNAL_ENTRY	2048

/**
 * struct journal - an entry under way
 * @fd: socket to the journal
 * @len: of @text
 * @text: "FIELD=value" a line
 */
struct journal {
	int fd;
	size_t len;
	char text[JOURNAL_ENTRY];
};

int journal_open(struct journal *journal);
void journal_begin(struct journal *journal, const char *id, int priority);
void journal_string(struct journal *journal, const char *field,
		    const char *value);
void journal_number(struct journal *journal, const char *field, int64_t value);
int journal_send(struct journal *journal);

#endif /* NSTKEYCTL_JOURNAL_H */
