// SPDX-License-Identifier: GPL-2.0
/* Text put together where stdio may not be used: signal handlers, vfork(). */
#include <errno.h>
#include <string.h>
#include "text.h"

/**
 * text_bytes() - add bytes
 * @text: where to
 * @more: them
 * @len: of @more
 */
void text_bytes(struct text *text, const char *more, size_t len)
{
	size_t room = text->size - text->len - 1;

	if (len > room)
		len = room;
	memcpy(text->buf + text->len, more, len);
	text->len += len;
	text->buf[text->len] = 0;
}

/**
 * text_add() - add a string
 * @text: where to
 * @more: it
 */
void text_add(struct text *text, const char *more)
{
	text_bytes(text, more, strlen(more));
}

/**
 * text_number() - add a decimal number
 * @text: where to
 * @number: it
 */
void text_number(struct text *text, unsigned long number)
{
	char digits[24];
	size_t i = sizeof(digits);

	do {
		digits[--i] = '0' + number % 10;
		number /= 10;
	} while (number);
	text_bytes(text, digits + i, sizeof(digits) - i);
}

/**
 * text_hex() - add bytes in hexadecimal
 * @text: where to
 * @bytes: them
 * @len: of @bytes
 */
void text_hex(struct text *text, const void *bytes, size_t len)
{
	static const char digit[] = "0123456789abcdef";
	const unsigned char *b = bytes;
	char pair[2];

	for (; len; len--, b++) {
		pair[0] = digit[*b >> 4];
		pair[1] = digit[*b & 15];
		text_bytes(text, pair, 2);
	}
}

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/**
 * text_unhex() - bytes of what text_hex() wrote
 * @bytes: receives them
 * @text: it
 * @len: of @bytes; @text has twice as many
 *
 * Return: 0 or -EINVAL.
 */
int text_unhex(void *bytes, const char *text, size_t len)
{
	unsigned char *b = bytes;
	int high, low;

	for (; len; len--, text += 2) {
		high = nibble(text[0]);
		low = nibble(text[1]);
		if (high < 0 || low < 0)
			return -EINVAL;
		*b++ = high << 4 | low;
	}
	return 0;
}
