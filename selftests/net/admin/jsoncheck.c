// SPDX-License-Identifier: GPL-2.0
/*
 * jsoncheck [-l]: is standard input one JSON text (RFC 8259)? With -l: is each
 * of its lines one? Strict, so that what passes here passes any parser. Exit
 * status 0 or 1, with the place of the first error.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

static char text[1 << 20];
static const char *p;

static int value(int depth);

static void blanks(void)
{
	while (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')
		p++;
}

static int literal(const char *word)
{
	size_t len = strlen(word);

	if (strncmp(p, word, len))
		return 0;
	p += len;
	return 1;
}

static int escape(void)
{
	int i;

	if (*p != 'u')
		return *p && strchr("\"\\/bfnrt", *p++);
	for (p++, i = 0; i < 4; i++, p++)
		if (!isxdigit((unsigned char)*p))
			return 0;
	return 1;
}

static int string(void)
{
	if (*p++ != '"')
		return 0;
	while (*p != '"') {
		if ((unsigned char)*p < 0x20)
			return 0;
		if (*p++ == '\\' && !escape())
			return 0;
	}
	p++;
	return 1;
}

static int digits(void)
{
	const char *start = p;

	while (isdigit((unsigned char)*p))
		p++;
	return p > start;
}

static int number(void)
{
	if (*p == '-')
		p++;
	if (*p == '0')
		p++;
	else if (!digits())
		return 0;
	if (*p == '.' && (p++, !digits()))
		return 0;
	if (*p == 'e' || *p == 'E') {
		p++;
		if (*p == '+' || *p == '-')
			p++;
		return digits();
	}
	return 1;
}

/* What stands between @open and @close, separated by commas. */
static int list(char close, int depth)
{
	p++;
	blanks();
	if (*p == close)
		return !!p++;
	for (;;) {
		blanks();
		if (close == '}') {
			if (!string())
				return 0;
			blanks();
			if (*p++ != ':')
				return 0;
		}
		if (!value(depth + 1))
			return 0;
		if (*p == close)
			return !!p++;
		if (*p++ != ',')
			return 0;
	}
}

static int value(int depth)
{
	int good;

	if (depth > 32)
		return 0;
	blanks();
	if (*p == '{')
		good = list('}', depth);
	else if (*p == '[')
		good = list(']', depth);
	else if (*p == '"')
		good = string();
	else if (*p == '-' || isdigit((unsigned char)*p))
		good = number();
	else
		good = literal("true") || literal("false") || literal("null");
	blanks();
	return good;
}

static int whole(size_t len)
{
	text[len] = 0;
	p = text;
	if (value(0) && p == text + len)
		return 1;
	printf("# no JSON from byte %zu on: %.40s\n", (size_t)(p - text), p);
	return 0;
}

int main(int argc, char **argv)
{
	int lines = argc > 1 && !strcmp(argv[1], "-l"), seen = 0;
	size_t len;

	if (!lines) {
		len = fread(text, 1, sizeof(text) - 1, stdin);
		return whole(len) ? 0 : 1;
	}
	while (fgets(text, sizeof(text), stdin)) {
		if (!whole(strlen(text)))
			return 1;
		seen = 1;
	}
	return seen ? 0 : 1;
}
