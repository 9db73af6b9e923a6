// SPDX-License-Identifier: GPL-2.0
/* What went wrong, as one line of text. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include "trouble.h"

static __thread char text[TROUBLE_MAX];

int trouble(const char *format, ...)
{
	char line[TROUBLE_MAX];
	va_list args;
	size_t i;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	/* Part of it may be the peer's: no control characters on a terminal. */
	for (i = 0; line[i]; i++)
		text[i] = iscntrl((unsigned char)line[i]) ? '?' : line[i];
	text[i] = '\0';
	return -1;
}

const char *trouble_text(void)
{
	return text[0] ? text : "unknown trouble";
}
