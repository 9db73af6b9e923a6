// SPDX-License-Identifier: GPL-2.0
/*
 * Events as entries of systemd's journal, in its own protocol: a datagram, with a
 * field a line. No value of ours has an end of line in it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "journal.h"

/**
 * journal_open() - find the journal
 * @journal: receives it
 *
 * Return: 0 or a negative errno.
 */
int journal_open(struct journal *journal)
{
	struct sockaddr_un addr = {
		.sun_family = AF_UNIX,
		.sun_path = "/run/systemd/journal/socket",
	};
	int err;

	journal->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (journal->fd < 0)
		return -errno;
	if (!connect(journal->fd, (struct sockaddr *)&addr, sizeof(addr)))
		return 0;
	err = -errno;
	close(journal->fd);
	return err;
}

/**
 * journal_string() - add a field
 * @journal: an entry that was begun
 * @field: its name
 * @value: of one line
 */
void journal_string(struct journal *journal, const char *field,
		    const char *value)
{
	size_t room = sizeof(journal->text) - journal->len;
	int n = snprintf(journal->text + journal->len, room, "%s=%s\n", field,
			 value);

	/* Half a field would be another one. */
	if (n > 0 && (size_t)n < room)
		journal->len += n;
}

/**
 * journal_number() - add a field
 * @journal: an entry that was begun
 * @field: its name
 * @value: of it
 */
void journal_number(struct journal *journal, const char *field, int64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRId64, value);
	journal_string(journal, field, text);
}

/**
 * journal_begin() - begin an entry
 * @journal: it
 * @id: MESSAGE_ID, 32 hexadecimal digits, for the catalogue
 * @priority: as syslog(3) has it
 */
void journal_begin(struct journal *journal, const char *id, int priority)
{
	journal->len = 0;
	journal_string(journal, "SYSLOG_IDENTIFIER", "nstkeyctl");
	journal_string(journal, "MESSAGE_ID", id);
	journal_number(journal, "PRIORITY", priority);
}

/**
 * journal_send() - the entry is whole
 * @journal: it
 *
 * Return: 0 or a negative errno.
 */
int journal_send(struct journal *journal)
{
	ssize_t n;

	do {
		n = send(journal->fd, journal->text, journal->len,
			 MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}
