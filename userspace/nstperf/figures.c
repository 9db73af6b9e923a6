// SPDX-License-Identifier: GPL-2.0
/*
 * The figures of a run, as a document has them. It may come from anybody: a run
 * with a number that cannot be is left out.
 */
#include <stdlib.h>
#include <string.h>
#include "figures.h"
#include "object.h"
#include "trouble.h"

#define MOST	1e18

/* What is drawn of a run, where it tells it. */
struct figures {
	double value[NR_QUANTITIES];
	bool told[NR_QUANTITIES];
	double sent, lost, retransmits;
};

static bool possible(double value)
{
	return value >= 0 && value <= MOST;
}

int values_add(struct values *values, double value)
{
	unsigned int room = values->room ? 2 * values->room : 16;
	double *more;

	if (values->nr == values->room) {
		more = realloc(values->at, room * sizeof(*more));
		if (!more)
			return trouble("no memory");
		values->at = more;
		values->room = room;
	}
	values->at[values->nr++] = value;
	return 0;
}

/*
 * Of a second. Each end has a clock and a window of its own, so what it took is
 * divided by its own seconds before the ends are added.
 */
static double per_second(struct json_object *run, const char *end,
			 const char * const *names)
{
	struct json_object *meter = object_object(run, end);
	double seconds = object_real(meter, "seconds"), sum = 0, d;

	for (; *names; names++) {
		d = object_real(meter, *names);
		if (!possible(d))
			return -1;
		sum += d;
	}
	seconds = seconds > 0 ? seconds : object_real(run, "seconds");
	return seconds > 0 ? sum / seconds : sum;
}

/* Of both; where they are one machine that is what either says. */
static double both(struct json_object *run, const char * const *names,
		   bool same_machine)
{
	double a = per_second(run, "client", names);
	double b = per_second(run, "server", names);

	if (a < 0 || b < 0)
		return -1;
	return !same_machine ? a + b : a > b ? a : b;
}

static void tell(struct figures *f, enum quantity which, double value)
{
	f->value[which] = value;
	f->told[which] = true;
}

static bool tells(struct json_object *run, const char *end, const char *name)
{
	return json_object_object_get_ex(object_object(run, end), name, NULL);
}

/* A mode that works in the kernel would look cheap if that had not been counted. */
static bool counts_all(struct json_object *run, const char *end)
{
	struct json_object *kernel;

	return tells(run, end, "instructions") &&
	       (!json_object_object_get_ex(object_object(run, end), "counted_kernel",
					   &kernel) ||
		json_object_get_boolean(kernel));
}

static void read_costs(struct figures *f, struct json_object *run, bool calls,
		       bool same_machine)
{
	static const char * const own[] = { "user_s", "system_s", NULL };
	static const char * const all[] = {
		"machine_user_s", "machine_system_s", "machine_irq_s",
		"machine_softirq_s", NULL
	};
	static const char * const counts[] = { "instructions", NULL };
	struct json_object *client = object_object(run, "client");
	double seconds = object_real(client, "seconds");
	double work = f->value[QUANTITY_RATE] / (calls ? 1 : 1e6), ops;

	/* Made by hand, it may have no seconds at all. */
	if (seconds <= 0 && object_real(run, "seconds") <= 0)
		work = object_real(run, calls ? "ops" : "bytes") /
			(calls ? 1 : 1e6);
	if (work <= 0)
		work = -1;
	if (client || object_object(run, "server"))
		tell(f, QUANTITY_CPU, both(run, own, false) / work);
	if (tells(run, "client", all[0]))
		tell(f, QUANTITY_MACHINE, both(run, all, same_machine) / work);
	ops = object_real(run, "ops_per_s");
	if (ops > 0 && counts_all(run, "client") && counts_all(run, "server"))
		tell(f, QUANTITY_INSTRUCTIONS, both(run, counts, false) / ops);
}

static void read_latency(struct figures *f, struct json_object *run)
{
	struct json_object *latency = object_object(run, "latency");

	if (!latency)
		return;
	tell(f, QUANTITY_P50, object_real(latency, "p50_ns") / 1e9);
	tell(f, QUANTITY_P99, object_real(latency, "p99_ns") / 1e9);
	tell(f, QUANTITY_P99_9, object_real(latency, "p99_9_ns") / 1e9);
	tell(f, QUANTITY_MAX, object_real(latency, "max_ns") / 1e9);
}

static bool all_possible(const struct figures *f)
{
	unsigned int q;

	for (q = 0; q < NR_QUANTITIES; q++)
		if (!possible(f->value[q]))
			return false;
	return possible(f->sent) && possible(f->lost) &&
		possible(f->retransmits) && f->lost <= f->sent;
}

/* The curve of a run, if it has the shares of the first that had one. */
static int add_curve(struct cell *cell, struct json_object *run)
{
	struct json_object *curve, *point;
	double share, value;
	size_t i, nr;

	if (!json_object_object_get_ex(object_object(run, "latency"), "curve",
				       &curve) ||
	    !json_object_is_type(curve, json_type_array))
		return 0;
	nr = json_object_array_length(curve);
	for (i = 0; i < nr && i < SERIES_CURVE; i++) {
		point = json_object_array_get_idx(curve, i);
		if (!json_object_is_type(point, json_type_array) ||
		    json_object_array_length(point) != 2)
			break;
		share = json_object_get_double(json_object_array_get_idx(point, 0));
		value = json_object_get_double(json_object_array_get_idx(point, 1));
		if (!(share >= 0 && share <= 1) || !possible(value) ||
		    (i < cell->nr_curve && cell->share[i] != share))
			break;
		if (values_add(&cell->curve[i], value))
			return -1;
		cell->share[i] = share;
		if (i == cell->nr_curve)
			cell->nr_curve++;
	}
	return 0;
}

static int add_to(struct cell *cell, const struct figures *f,
		  struct json_object *run)
{
	unsigned int q;

	for (q = 0; q < NR_QUANTITIES; q++)
		if (f->told[q] && values_add(&cell->value[q], f->value[q]))
			return -1;
	cell->nr++;
	cell->instead = object_bool(run, "carried_by_user_space");
	cell->sent += f->sent;
	cell->lost += f->lost;
	cell->retransmits += f->retransmits;
	return add_curve(cell, run);
}

int figures_add(struct series *series, unsigned int group,
		struct json_object *run)
{
	bool counted = series->groups[group].measured == MEASURED_INSTRUCTIONS;
	struct json_object *doc = series->docs[series->nr_docs - 1];
	struct figures f = { 0 };
	struct cell *cell;

	if (strcmp(object_text(run, "status"), "ok"))
		return 0;
	if (!(object_real(run, "size") >= 1 && object_real(run, "size") <= 1e15) ||
	    !(object_real(run, "file_size") >= 0 &&
	      object_real(run, "file_size") <= 1e15))
		return 1;
	cell = series_cell(series, group, run);
	if (!cell)
		return -1;
	if (counted) {
		tell(&f, QUANTITY_INSTRUCTIONS, object_real(run, "instructions") /
		     (object_real(run, "ops") ?: -1));
	} else {
		tell(&f, QUANTITY_RATE, object_real(run, cell->calls ?
						    "ops_per_s" : "bytes_per_s"));
		read_costs(&f, run, cell->calls, object_bool(doc, "same_host"));
	}
	read_latency(&f, run);
	f.sent = object_real(run, "datagrams_sent");
	f.lost = object_real(run, "datagrams_lost");
	f.retransmits = object_real(run, "retransmits");
	if (!all_possible(&f) || f.value[counted ? QUANTITY_INSTRUCTIONS :
					 QUANTITY_RATE] <= 0)
		return 1;
	return add_to(cell, &f, run);
}
