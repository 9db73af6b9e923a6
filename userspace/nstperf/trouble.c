// SPDX-License-Identifier: GPL-2.0
/* What went wrong, as one line of text. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "trouble.h"

static __thread char text[TROUBLE_MAX];

/* Bytes of the character there; 0: none that a terminal should see. */
static size_t utf8(const unsigned char *c)
{
	size_t n = c[0] < 0x80 ? 1 : c[0] < 0xc2 ? 0 : c[0] < 0xe0 ? 2 :
		   c[0] < 0xf0 ? 3 : c[0] < 0xf5 ? 4 : 0, i;

	if (n == 1)
		return iscntrl(c[0]) ? 0 : 1;
	for (i = 1; i < n; i++)
		if ((c[i] & 0xc0) != 0x80)
			return 0;
	/* 0x80 to 0x9f are control characters, as many terminals take them. */
	return n == 2 && c[0] == 0xc2 && c[1] < 0xa0 ? 0 : n;
}

int trouble(const char *format, ...)
{
	unsigned char line[TROUBLE_MAX];
	size_t i, n;
	va_list args;

	va_start(args, format);
	vsnprintf((char *)line, sizeof(line), format, args);
	va_end(args);
	/* Part of it may be the peer's: no control characters on a terminal. */
	for (i = 0; line[i]; i += n) {
		n = utf8(line + i);
		if (n)
			memcpy(text + i, line + i, n);
		else
			text[i] = '?';
		n = n ?: 1;
	}
	text[i] = '\0';
	return -1;
}

const char *trouble_text(void)
{
	return text[0] ? text : "unknown trouble";
}
