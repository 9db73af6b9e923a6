/* SPDX-License-Identifier: GPL-2.0 */
/* Members of JSON objects, put in, and taken out of what is another's. */
#ifndef NSTPERF_OBJECT_H
#define NSTPERF_OBJECT_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

void object_add_text(struct json_object *json, const char *name,
		     const char *text);
void object_add_count(struct json_object *json, const char *name, int64_t n);
void object_add_real(struct json_object *json, const char *name, double d);
void object_add_bool(struct json_object *json, const char *name, bool b);

/* From a peer, with limits: 0, or trouble(). */
int object_count(struct json_object *json, const char *name, uint64_t min,
		 uint64_t max, uint64_t *value);
int object_seconds(struct json_object *json, const char *name, double max,
		   double *value);

/* What may be missing, or of another type: "", 0, NULL, false. */
const char *object_text(struct json_object *json, const char *name);
double object_real(struct json_object *json, const char *name);
struct json_object *object_object(struct json_object *json, const char *name);
bool object_bool(struct json_object *json, const char *name);

#endif /* NSTPERF_OBJECT_H */
