/* SPDX-License-Identifier: GPL-2.0 */
/* Makes JSON, and writes it to stdout when it is whole; keeps track of commas. */
#ifndef NSTKEYCTL_JSON_H
#define NSTKEYCTL_JSON_H

#include <stdint.h>

/* @name: of the member; NULL in an array and at the top. */
void json_object(const char *name);
void json_object_end(void);
void json_array(const char *name);
void json_array_end(void);
void json_string(const char *name, const char *value);
void json_uint(const char *name, uint64_t value);
void json_int(const char *name, int64_t value);
void json_bool(const char *name, int value);

/* Ends a document with a newline and writes it. */
void json_flush(void);

/* Forgets a document that cannot be ended. */
void json_drop(void);

#endif /* NSTKEYCTL_JSON_H */
