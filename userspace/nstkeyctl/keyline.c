// SPDX-License-Identifier: GPL-2.0
/*
 * Lines of box files. A message about a bad one says where and what to do; it
 * quotes nothing that is long enough to be a part of a key.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "keyline.h"

#define HEX_LEN		(2 * NST_KEY_SIZE)
#define QUOTE_MAX	10	/* bytes of a field that a message may show */
#define NR_FIELDS	3

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

/**
 * keyline_bad() - say what is wrong with a line, and where it is
 * @place: where
 * @fmt: what; may quote nothing that is long enough to be a part of a key
 *
 * Return: -1.
 */
int keyline_bad(const struct keyline_place *place, const char *fmt, ...)
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
 * keyline_state_name() - a state in words
 * @state: enum nst_state, or what a newer kernel says
 *
 * Return: a static string.
 */
const char *keyline_state_name(unsigned int state)
{
	return state < NR_STATES ? state_names[state] : "unknown";
}

/**
 * keyline_kid() - read a kid
 * @text: decimal digits
 * @len: how many
 * @kid: receives 1..65535
 *
 * Return: 0, or -1 if it is none.
 */
int keyline_kid(const char *text, size_t len, uint16_t *kid)
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
 * keyline_state() - read a state
 * @text: its name
 * @len: length of the name
 * @state: receives it
 *
 * Return: 0, or -1 if it is none.
 */
int keyline_state(const char *text, size_t len, enum nst_state *state)
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
			const struct keyline_place *place)
{
	unsigned int i, any = 0, bad = 0;

	if (field->len != HEX_LEN)
		return keyline_bad(place,
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
		return keyline_bad(place, "the key has a character that is no hex digit");
	if (!any)
		return keyline_bad(place, "the key is all zeros: 'nstkeyctl genkey' makes one");
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

static int bad_field(const struct keyline_place *place,
		     const struct field *field, const char *what,
		     const char *wanted)
{
	if (!quotable(field))
		return keyline_bad(place, "the %s has %zu characters: it must be %s",
				   what, field->len, wanted);
	return keyline_bad(place, "the %s is '%.*s': it must be %s", what,
			   (int)field->len, field->text, wanted);
}

static int parse_key(struct keyline_key *key, const struct field *field,
		     const struct keyline_place *place)
{
	if (keyline_kid(field[0].text, field[0].len, &key->kid))
		return bad_field(place, &field[0], "kid",
				 "a number from 1 to 65535");
	if (keyline_state(field[1].text, field[1].len, &key->state))
		return bad_field(place, &field[1], "state",
				 "accept, active or retired");
	key->line = place->line;
	return parse_secret(key->secret, &field[2], place);
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

/**
 * keyline_parse() - read a line
 * @key: receives its key
 * @place: where the line is
 * @text: the line, without its end
 * @len: bytes of it
 *
 * Return: 1; 0 if there is no key in it; -1 after a message to stderr.
 */
int keyline_parse(struct keyline_key *key, const struct keyline_place *place,
		  const char *text, size_t len)
{
	struct field field[NR_FIELDS];
	unsigned int nr;

	if (memchr(text, 0, len))
		return keyline_bad(place, "a zero byte: this is no text file");
	nr = split(field, text, len);
	if (!nr)
		return 0;
	if (nr != NR_FIELDS)
		return keyline_bad(place,
				   "%u fields: a line has three, kid, state and key",
				   nr);
	return parse_key(key, field, place) ?: 1;
}

/**
 * keyline_format() - write a line
 * @text: receives it, its end included; KEYLINE_MAX bytes, and one for a zero
 * @key: its key
 *
 * Return: bytes of it.
 */
size_t keyline_format(char *text, const struct keyline_key *key)
{
	static const char digits[] = "0123456789abcdef";
	size_t len = sprintf(text, "%u %s ", key->kid,
			     keyline_state_name(key->state));
	unsigned int i;

	for (i = 0; i < NST_KEY_SIZE; i++) {
		text[len++] = digits[key->secret[i] >> 4];
		text[len++] = digits[key->secret[i] & 15];
	}
	text[len++] = '\n';
	return len;
}
