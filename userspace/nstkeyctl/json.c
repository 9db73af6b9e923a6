// SPDX-License-Identifier: GPL-2.0
/* Writes JSON to stdout. */
#include <inttypes.h>
#include <stdio.h>
#include "json.h"

/* Is the next value the first one of what it is in? */
static int first = 1;

static void put_string(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		unsigned char c = *text;

		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

static void begin(const char *name)
{
	if (!first)
		putchar(',');
	first = 0;
	if (name) {
		put_string(name);
		putchar(':');
	}
}

void json_object(const char *name)
{
	begin(name);
	putchar('{');
	first = 1;
}

void json_object_end(void)
{
	putchar('}');
	first = 0;
}

void json_array(const char *name)
{
	begin(name);
	putchar('[');
	first = 1;
}

void json_array_end(void)
{
	putchar(']');
	first = 0;
}

void json_string(const char *name, const char *value)
{
	begin(name);
	put_string(value);
}

void json_uint(const char *name, uint64_t value)
{
	begin(name);
	printf("%" PRIu64, value);
}

void json_int(const char *name, int64_t value)
{
	begin(name);
	printf("%" PRId64, value);
}

void json_bool(const char *name, int value)
{
	begin(name);
	fputs(value ? "true" : "false", stdout);
}

void json_flush(void)
{
	putchar('\n');
	fflush(stdout);
	first = 1;
}
