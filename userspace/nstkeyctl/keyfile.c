// SPDX-License-Identifier: GPL-2.0
/*
 * Reading and writing box files. A message about a bad line says where and what
 * to do; it quotes nothing that is long enough to be a part of a key.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include "keyfile.h"
#include "secure.h"

#define HEX_LEN		(2 * NST_KEY_SIZE)
#define QUOTE_MAX	10	/* bytes of a field that a message may show */
#define NR_FIELDS	3

/* "65535 retired " and the key, and a line end */
#define LINE_MAX_LEN	(5 + 1 + 7 + 1 + HEX_LEN + 1)

static const char *const state_names[] = {
	[NST_STATE_ACCEPT] = "accept",
	[NST_STATE_ACTIVE] = "active",
	[NST_STATE_RETIRED] = "retired",
};

#define NR_STATES (sizeof(state_names) / sizeof(state_names[0]))

/* A piece of a line. */
struct field {
	const char *text;
	size_t len;
};

/* Where the parser is. */
struct place {
	const char *name;	/* of the file, for messages */
	unsigned int line;
};

__attribute__((format(printf, 2, 3)))
static int bad_line(const struct place *place, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s:%u: ", place->name, place->line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return -1;
}

/**
 * keyfile_state_name() - a state in words
 * @state: enum nst_state, or what a newer kernel says
 *
 * Return: a static string.
 */
const char *keyfile_state_name(unsigned int state)
{
	return state < NR_STATES ? state_names[state] : "unknown";
}

/**
 * keyfile_kid() - read a kid
 * @text: decimal digits
 * @len: how many
 * @kid: receives 1..65535
 *
 * Return: 0, or -1 if it is none.
 */
int keyfile_kid(const char *text, size_t len, uint16_t *kid)
{
	unsigned int value = 0;
	size_t i;

	if (!len || len > 5)
		return -1;
	for (i = 0; i < len; i++) {
		if (!isdigit((unsigned char)text[i]))
			return -1;
		value = value * 10 + (text[i] - '0');
	}
	if (!value || value > UINT16_MAX)
		return -1;
	*kid = value;
	return 0;
}

/**
 * keyfile_state() - read a state
 * @text: its name
 * @len: length of the name
 * @state: receives it
 *
 * Return: 0, or -1 if it is none.
 */
int keyfile_state(const char *text, size_t len, enum nst_state *state)
{
	unsigned int i;

	for (i = 0; i < NR_STATES; i++) {
		if (strlen(state_names[i]) == len &&
		    !memcmp(state_names[i], text, len)) {
			*state = i;
			return 0;
		}
	}
	return -1;
}

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

/* 1 if @a < @b, else 0, in constant time; both are below 2^31. */
static unsigned int below(unsigned int a, unsigned int b)
{
	return (a - b) >> 31;
}

/*
 * The value of a hex digit; of anything else one above 255. No branch and no
 * lookup depends on it, because it is a part of a key.
 */
static unsigned int hex_digit(unsigned char c)
{
	uint8_t digit = c - '0', letter = (c | 32) - 'a';
	unsigned int is_digit = below(digit, 10);
	unsigned int is_letter = below(letter, 6);

	return (digit & -is_digit) | ((letter + 10U) & -is_letter) |
	       (0x100 & -(1U ^ (is_digit | is_letter)));
}

static int parse_secret(uint8_t *secret, const struct field *field,
			const struct place *place)
{
	unsigned int i, any = 0, bad = 0;

	if (field->len != HEX_LEN)
		return bad_line(place,
				"the key has %zu characters: it must have %d hex digits",
				field->len, HEX_LEN);
	for (i = 0; i < NST_KEY_SIZE; i++) {
		unsigned int high = hex_digit(field->text[2 * i]);
		unsigned int low = hex_digit(field->text[2 * i + 1]);

		bad |= (high | low) >> 8;
		any |= high | low;
		secret[i] = high << 4 | low;
	}
	if (bad)
		return bad_line(place, "the key has a character that is no hex digit");
	if (!any)
		return bad_line(place, "the key is all zeros: 'nstkeyctl genkey' makes one");
	return 0;
}

/* May a message show it? */
static int quotable(const struct field *field)
{
	size_t i;

	for (i = 0; i < field->len; i++)
		if (!isgraph((unsigned char)field->text[i]))
			return 0;
	return field->len <= QUOTE_MAX;
}

static int bad_field(const struct place *place, const struct field *field,
		     const char *what, const char *wanted)
{
	if (!quotable(field))
		return bad_line(place, "the %s has %zu characters: it must be %s",
				what, field->len, wanted);
	return bad_line(place, "the %s is '%.*s': it must be %s", what,
			(int)field->len, field->text, wanted);
}

static int parse_key(struct keyfile_key *key, const struct field *field,
		     const struct place *place)
{
	if (keyfile_kid(field[0].text, field[0].len, &key->kid))
		return bad_field(place, &field[0], "kid",
				 "a number from 1 to 65535");
	if (keyfile_state(field[1].text, field[1].len, &key->state))
		return bad_field(place, &field[1], "state",
				 "accept, active or retired");
	key->line = place->line;
	return parse_secret(key->secret, &field[2], place);
}

/* What the new key may not have in common with those before it. */
static int check_key(const struct keyfile *file, const struct keyfile_key *key,
		     const struct place *place, enum keyfile_kind kind)
{
	unsigned int i;

	if (kind == KEYFILE_KEY && file->nr)
		return bad_line(place,
				"a second key: only 'load' takes a whole box");
	if (file->nr == NST_BOX_MAX)
		return bad_line(place, "too many keys: a box has room for %d",
				NST_BOX_MAX);
	for (i = 0; i < file->nr; i++) {
		const struct keyfile_key *old = &file->key[i];

		if (old->kid == key->kid)
			return bad_line(place,
					"kid %u is on line %u already: take another",
					key->kid, old->line);
		if (old->state == NST_STATE_ACTIVE &&
		    key->state == NST_STATE_ACTIVE)
			return bad_line(place,
					"active, as line %u is: make one 'accept'",
					old->line);
	}
	return 0;
}

static int is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Cuts a line, without its comment, into fields. More than fit are counted. */
static unsigned int split(struct field *field, const char *text, size_t len)
{
	const char *comment = memchr(text, '#', len);
	const char *end = comment ? comment : text + len;
	unsigned int nr = 0;

	while (text < end) {
		const char *start = text;

		while (text < end && !is_blank(*text))
			text++;
		if (text > start) {
			if (nr < NR_FIELDS)
				field[nr] = (struct field){ start,
							    text - start };
			nr++;
		}
		while (text < end && is_blank(*text))
			text++;
	}
	return nr;
}

static int parse_line(struct keyfile *file, const struct place *place,
		      const char *text, size_t len, enum keyfile_kind kind)
{
	struct keyfile_key key = { 0 };
	struct field field[NR_FIELDS];
	unsigned int nr;
	int err;

	if (memchr(text, 0, len))
		return bad_line(place, "a zero byte: this is no text file");
	nr = split(field, text, len);
	if (!nr)
		return 0;
	if (nr != NR_FIELDS)
		return bad_line(place, "%u fields: a line has three, kid, state and key",
				nr);
	err = parse_key(&key, field, place);
	if (!err)
		err = check_key(file, &key, place, kind);
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
	struct place place = { .name = name, .line = 0 };
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

static size_t format_key(char *text, const struct keyfile_key *key)
{
	static const char digits[] = "0123456789abcdef";
	size_t len = sprintf(text, "%u %s ", key->kid,
			     keyfile_state_name(key->state));
	unsigned int i;

	for (i = 0; i < NST_KEY_SIZE; i++) {
		text[len++] = digits[key->secret[i] >> 4];
		text[len++] = digits[key->secret[i] & 15];
	}
	text[len++] = '\n';
	return len;
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
	size_t size = (size_t)file->nr * LINE_MAX_LEN + 1, len = 0;
	char *text = secure_alloc(size);
	unsigned int i;
	int err;

	if (!text) {
		fprintf(stderr, "%s: %s\n", name, strerror(errno));
		return -1;
	}
	for (i = 0; i < file->nr; i++)
		len += format_key(text + len, &file->key[i]);
	err = write_all(fd, name, text, len);
	secure_free(text, size);
	return err;
}
