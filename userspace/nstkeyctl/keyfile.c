// SPDX-License-Identifier: GPL-2.0
/* Reading and writing box files, a line a key (keyline.c). */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include "keyfile.h"
#include "secure.h"

/**
 * keyfile_alloc() - room for a whole box
 *
 * Return: an empty one; does not return without memory.
 */
struct keyfile *keyfile_alloc(void)
{
	struct keyfile *file = secure_alloc(sizeof(*file));

	if (!file) {
		fprintf(stderr, "nstkeyctl: no memory for a box\n");
		exit(1);
	}
	return file;
}

/**
 * keyfile_free() - wipe and free
 * @file: from keyfile_alloc()
 */
void keyfile_free(struct keyfile *file)
{
	secure_free(file, sizeof(*file));
}

/* What the new key may not have in common with those before it. */
static int check_key(const struct keyfile *file, const struct keyline_key *key,
		     const struct keyline_place *place, enum keyfile_kind kind)
{
	unsigned int i;

	if (kind == KEYFILE_KEY && file->nr)
		return keyline_bad(place,
				   "a second key: only 'load' takes a whole box");
	if (file->nr == NST_BOX_MAX)
		return keyline_bad(place, "too many keys: a box has room for %d",
				   NST_BOX_MAX);
	for (i = 0; i < file->nr; i++) {
		const struct keyline_key *old = &file->key[i];

		if (old->kid == key->kid)
			return keyline_bad(place,
					   "kid %u is on line %u already: take another",
					   key->kid, old->line);
		if (old->state == NST_STATE_ACTIVE &&
		    key->state == NST_STATE_ACTIVE)
			return keyline_bad(place,
					   "active, as line %u is: make one 'accept'",
					   old->line);
	}
	return 0;
}

static int parse_line(struct keyfile *file, const struct keyline_place *place,
		      const char *text, size_t len, enum keyfile_kind kind)
{
	struct keyline_key key = { 0 };
	int err = keyline_parse(&key, place, text, len);

	if (err > 0)
		err = check_key(file, &key, place, kind);
	else if (!err)
		return 0;
	if (!err)
		file->key[file->nr++] = key;
	explicit_bzero(&key, sizeof(key));
	return err;
}

/**
 * keyfile_parse() - read keys from text
 * @file: empty; receives the keys
 * @name: of the text, for messages
 * @text: what to read
 * @len: bytes of it
 * @kind: what it has to be
 *
 * Return: 0; -1 after a message to stderr that names file and line.
 */
int keyfile_parse(struct keyfile *file, const char *name, const char *text,
		  size_t len, enum keyfile_kind kind)
{
	struct keyline_place place = { .name = name, .line = 0 };
	const char *end = text + len;
	unsigned int i, active = 0;

	while (text < end) {
		const char *eol = memchr(text, '\n', end - text);

		if (!eol)
			eol = end;
		place.line++;
		if (parse_line(file, &place, text, eol - text, kind))
			return -1;
		text = eol + 1;
	}
	if (!file->nr) {
		fprintf(stderr, "%s: no key in it: make one with 'nstkeyctl %s'\n",
			name, kind == KEYFILE_BOX ? "genbox" : "genkey");
		return -1;
	}
	for (i = 0; i < file->nr; i++)
		active += file->key[i].state == NST_STATE_ACTIVE;
	if (kind == KEYFILE_BOX && !active) {
		fprintf(stderr, "%s: no key is active: make one of them 'active'\n",
			name);
		return -1;
	}
	return 0;
}

/* Is a file one that only root or we can read and write? */
static int check_mode(int fd, const char *name, int is_stdin)
{
	struct stat st;

	if (fstat(fd, &st) < 0) {
		fprintf(stderr, "%s: %s\n", name, strerror(errno));
		return -1;
	}
	if (S_ISDIR(st.st_mode)) {
		fprintf(stderr, "%s: is a directory: name a file\n", name);
		return -1;
	}
	/* A pipe or terminal that someone else set up is not ours to judge. */
	if (is_stdin && !S_ISREG(st.st_mode))
		return 0;
	if (st.st_mode & 077) {
		fprintf(stderr,
			"%s: others have access (mode %04o), so its keys may be known: 'chmod 600' it\n",
			name, st.st_mode & 07777);
		return -1;
	}
	if (st.st_uid && st.st_uid != geteuid()) {
		fprintf(stderr, "%s: belongs to user %u: 'chown' it to root or to yourself\n",
			name, st.st_uid);
		return -1;
	}
	return 0;
}

/* Reads all of @fd. Return: bytes, or -1 after a message. */
static ssize_t read_all(int fd, const char *name, char *text, size_t size)
{
	size_t len = 0;
	ssize_t n;

	for (;;) {
		n = read(fd, text + len, size - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += n;
		if (len == size) {
			fprintf(stderr, "%s: longer than %u bytes: no box is\n",
				name, KEYFILE_SIZE_MAX);
			return -1;
		}
	}
	if (n < 0) {
		fprintf(stderr, "%s: %s\n", name, strerror(errno));
		return -1;
	}
	return len;
}

/**
 * keyfile_read() - read keys from a file
 * @file: empty; receives the keys
 * @path: of the file; "-": standard input
 * @kind: what it has to be
 *
 * Return: 0; -1 after a message to stderr.
 */
int keyfile_read(struct keyfile *file, const char *path, enum keyfile_kind kind)
{
	size_t size = KEYFILE_SIZE_MAX + 1;
	int is_stdin = !strcmp(path, "-"), err = -1;
	const char *name = is_stdin ? "stdin" : path;
	int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	char *text;
	ssize_t len;

	if (fd < 0) {
		fprintf(stderr, "%s: %s\n", name, strerror(errno));
		return -1;
	}
	text = secure_alloc(size);
	if (!text)
		fprintf(stderr, "%s: %s\n", name, strerror(errno));
	if (text && !check_mode(fd, name, is_stdin)) {
		len = read_all(fd, name, text, size);
		if (len >= 0)
			err = keyfile_parse(file, name, text, len, kind);
	}
	secure_free(text, size);
	if (!is_stdin)
		close(fd);
	return err;
}

/**
 * keyfile_random() - make a key
 * @secret: receives NST_KEY_SIZE bytes of the kernel's seeded generator
 *
 * Return: 0; -1 after a message to stderr.
 */
int keyfile_random(uint8_t *secret)
{
	ssize_t n;

	/* So few bytes come in one piece, or not at all before the seeding. */
	do {
		n = getrandom(secret, NST_KEY_SIZE, 0);
	} while (n < 0 && errno == EINTR);
	if (n != NST_KEY_SIZE) {
		fprintf(stderr, "nstkeyctl: no random numbers: %s\n",
			strerror(errno));
		return -1;
	}
	return 0;
}

static int write_all(int fd, const char *name, const char *text, size_t len)
{
	ssize_t n;

	while (len) {
		n = write(fd, text, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			fprintf(stderr, "%s: %s\n", name, strerror(errno));
			return -1;
		}
		text += n;
		len -= n;
	}
	return 0;
}

/**
 * keyfile_write() - write keys as a box file has them
 * @file: the keys
 * @fd: where to
 * @name: of @fd, for messages
 *
 * Return: 0; -1 after a message to stderr.
 */
int keyfile_write(const struct keyfile *file, int fd, const char *name)
{
	size_t size = (size_t)file->nr * KEYLINE_MAX + 1, len = 0;
	char *text = secure_alloc(size);
	unsigned int i;
	int err;

	if (!text) {
		fprintf(stderr, "%s: %s\n", name, strerror(errno));
		return -1;
	}
	for (i = 0; i < file->nr; i++)
		len += keyline_format(text + len, &file->key[i]);
	err = write_all(fd, name, text, len);
	secure_free(text, size);
	return err;
}
