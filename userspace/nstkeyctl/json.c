// SPDX-License-Identifier: GPL-2.0
/* Makes JSON in memory: a document that is cut off by an error never goes out. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "json.h"

/* The document so far. A stream in memory would not tell where memory ended. */
static char *text;
static size_t len, size;

/* Is the next value the first one of what it is in? */
static int first = 1;

static void put(const char *piece, size_t n)
{
	char *bigger;

	if (n > size - len) {
		size = 2 * (len + n) + 1024;
		bigger = realloc(text, size);
		if (!bigger) {
			fputs("nstkeyctl: no memory for the answer\n", stderr);
			exit(1);
		}
		text = bigger;
	}
	memcpy(text + len, piece, n);
	len += n;
}

static void put_char(char c)
{
	put(&c, 1);
}

static void put_text(const char *piece)
{
	put(piece, strlen(piece));
}

static void put_string(const char *string)
{
	char code[8];

	put_char('"');
	for (; *string; string++) {
		unsigned char c = *string;

		if (c == '"' || c == '\\') {
			put_char('\\');
			put_char(c);
		} else if (c < 0x20 || c == 0x7f) {
			snprintf(code, sizeof(code), "\\u%04x", c);
			put_text(code);
		} else {
			put_char(c);
		}
	}
	put_char('"');
}

static void begin(const char *name)
{
	if (!first)
		put_char(',');
	first = 0;
	if (name) {
		put_string(name);
		put_char(':');
	}
}

void json_object(const char *name)
{
	begin(name);
	put_char('{');
	first = 1;
}

void json_object_end(void)
{
	put_char('}');
	first = 0;
}

void json_array(const char *name)
{
	begin(name);
	put_char('[');
	first = 1;
}

void json_array_end(void)
{
	put_char(']');
	first = 0;
}

void json_string(const char *name, const char *value)
{
	begin(name);
	put_string(value);
}

void json_uint(const char *name, uint64_t value)
{
	char number[24];

	begin(name);
	snprintf(number, sizeof(number), "%" PRIu64, value);
	put_text(number);
}

void json_int(const char *name, int64_t value)
{
	char number[24];

	begin(name);
	snprintf(number, sizeof(number), "%" PRId64, value);
	put_text(number);
}

void json_bool(const char *name, int value)
{
	begin(name);
	put_text(value ? "true" : "false");
}

void json_drop(void)
{
	free(text);
	text = NULL;
	len = 0;
	size = 0;
	first = 1;
}

void json_flush(void)
{
	put_char('\n');
	fwrite(text, 1, len, stdout);
	json_drop();
	fflush(stdout);
}
