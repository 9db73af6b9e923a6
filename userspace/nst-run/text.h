/* SPDX-License-Identifier: GPL-2.0 */
/* Text put together where stdio may not be used. */
#ifndef NST_RUN_TEXT_H
#define NST_RUN_TEXT_H

#include <stddef.h>

/**
 * struct text - what does not fit is cut off
 * @buf: always ends with 0 behind the first text_add()
 * @size: of @buf
 * @len: used
 */
struct text {
	char *buf;
	size_t size;
	size_t len;
};

void text_bytes(struct text *text, const char *more, size_t len);
void text_add(struct text *text, const char *more);
void text_number(struct text *text, unsigned long number);
void text_hex(struct text *text, const void *bytes, size_t len);
int text_unhex(void *bytes, const char *text, size_t len);

#endif /* NST_RUN_TEXT_H */
