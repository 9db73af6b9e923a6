// SPDX-License-Identifier: GPL-2.0
/* Members of JSON objects, put in, and taken out of what is another's. */
#include "object.h"
#include "trouble.h"

void object_add_text(struct json_object *json, const char *name,
		     const char *text)
{
	json_object_object_add(json, name, json_object_new_string(text));
}

void object_add_count(struct json_object *json, const char *name, int64_t n)
{
	json_object_object_add(json, name, json_object_new_int64(n));
}

void object_add_real(struct json_object *json, const char *name, double d)
{
	json_object_object_add(json, name, json_object_new_double(d));
}

void object_add_bool(struct json_object *json, const char *name, bool b)
{
	json_object_object_add(json, name, json_object_new_boolean(b));
}

int object_count(struct json_object *json, const char *name, uint64_t min,
		 uint64_t max, uint64_t *value)
{
	struct json_object *o;
	int64_t n;

	if (!json_object_object_get_ex(json, name, &o) ||
	    !json_object_is_type(o, json_type_int))
		return trouble("the peer's message has no number '%s'", name);
	n = json_object_get_int64(o);
	if (n < 0 || (uint64_t)n < min || (uint64_t)n > max)
		return trouble("the peer's '%s' is out of range", name);
	*value = n;
	return 0;
}

/* A number, whole or not. */
static bool is_number(struct json_object *o)
{
	return json_object_is_type(o, json_type_double) ||
	       json_object_is_type(o, json_type_int);
}

int object_seconds(struct json_object *json, const char *name, double max,
		   double *value)
{
	struct json_object *o;
	double d;

	if (!json_object_object_get_ex(json, name, &o) || !is_number(o))
		return trouble("the peer's message has no number '%s'", name);
	d = json_object_get_double(o);
	if (!(d >= 0 && d <= max))
		return trouble("the peer's '%s' is out of range", name);
	*value = d;
	return 0;
}

const char *object_text(struct json_object *json, const char *name)
{
	struct json_object *o;

	if (!json_object_object_get_ex(json, name, &o) ||
	    !json_object_is_type(o, json_type_string))
		return "";
	return json_object_get_string(o);
}

double object_real(struct json_object *json, const char *name)
{
	struct json_object *o;
	double d;

	if (!json_object_object_get_ex(json, name, &o) || !is_number(o))
		return 0;
	d = json_object_get_double(o);
	/* Not one that is no number, or without end: pictures are made of it. */
	return d > -1e300 && d < 1e300 ? d : 0;
}

struct json_object *object_object(struct json_object *json, const char *name)
{
	struct json_object *o;

	if (!json_object_object_get_ex(json, name, &o) ||
	    !json_object_is_type(o, json_type_object))
		return NULL;
	return o;
}

bool object_bool(struct json_object *json, const char *name)
{
	struct json_object *o;

	return json_object_object_get_ex(json, name, &o) &&
	       json_object_get_boolean(o);
}
