// SPDX-License-Identifier: GPL-2.0
/* Makes JSON in memory: a document that is cut off by an error never goes out. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "json.h"

/* The document so far; NULL before its first piece. */
static FILE *out;
static char *text;
static size_t size;

/* Is the next value the first one of what it is in? */
static int first = 1;

static void put_string(const char *string)
{
	fputc('"', out);
	for (; *string; string++) {
		unsigned char c = *string;

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			fprintf(out, "\\u%04x", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}

static void begin(const char *name)
{
	if (!out)
		out = open_memstream(&text, &size);
	if (!out) {
		perror("nstkeyctl");
		exit(1);
	}
	if (!first)
		fputc(',', out);
	first = 0;
	if (name) {
		put_string(name);
		fputc(':', out);
	}
}

void json_object(const char *name)
{
	begin(name);
	fputc('{', out);
	first = 1;
}

void json_object_end(void)
{
	fputc('}', out);
	first = 0;
}

void json_array(const char *name)
{
	begin(name);
	fputc('[', out);
	first = 1;
}

void json_array_end(void)
{
	fputc(']', out);
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
	fprintf(out, "%" PRIu64, value);
}

void json_int(const char *name, int64_t value)
{
	begin(name);
	fprintf(out, "%" PRId64, value);
}

void json_bool(const char *name, int value)
{
	begin(name);
	fputs(value ? "true" : "false", out);
}

void json_drop(void)
{
	if (out)
		fclose(out);
	free(text);
	out = NULL;
	text = NULL;
	first = 1;
}

void json_flush(void)
{
	int bad;

	fputc('\n', out);
	bad = fflush(out) == EOF || ferror(out);
	if (!bad)
		fwrite(text, 1, size, stdout);
	json_drop();
	if (bad) {
		fputs("nstkeyctl: no memory for the answer\n", stderr);
		exit(1);
	}
	fflush(stdout);
}
