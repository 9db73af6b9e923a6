// SPDX-License-Identifier: GPL-2.0
/* stats: the counters of the namespace. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "guard.h"
#include "json.h"
#include "keyfile.h"
#include "nl.h"
#include "nstkeyctl.h"
#include "ruleview.h"

/* @gauge: it may fall */
typedef void (*counter_fn)(const char *name, uint64_t value, int gauge);

static void counter_text(const char *name, uint64_t value, int gauge)
{
	(void)gauge;
	printf("%-32s%" PRIu64 "\n", name, value);
}

static void counter_json(const char *name, uint64_t value, int gauge)
{
	(void)gauge;
	json_uint(name, value);
}

/* NstRxAuth is nst_rx_auth_total there. */
static void counter_prometheus(const char *name, uint64_t value, int gauge)
{
	char metric[96];
	size_t len = 0;
	const char *p;

	for (p = name; *p && len + 2 < sizeof(metric); p++) {
		if (isupper((unsigned char)*p) && p != name)
			metric[len++] = '_';
		metric[len++] = tolower((unsigned char)*p);
	}
	metric[len] = 0;
	printf("# HELP %s%s %s of /proc/net/nst_stat\n# TYPE %s%s %s\n%s%s %"
	       PRIu64 "\n", metric, gauge ? "" : "_total", name,
	       metric, gauge ? "" : "_total", gauge ? "gauge" : "counter",
	       metric, gauge ? "" : "_total", value);
}

static void take_stats(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *tb[NST_A_COUNTER_MAX + 1], *attr;
	counter_fn *counter = data;

	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) != NST_A_STATS_COUNTER)
			continue;
		nl_parse_nest(attr, tb, NST_A_COUNTER_MAX);
		(*counter)(nl_string(tb[NST_A_COUNTER_NAME]),
			   nl_u64(tb[NST_A_COUNTER_VALUE]),
			   !!tb[NST_A_COUNTER_GAUGE]);
	}
}

static void keys_prometheus(const struct listing *listing)
{
	unsigned int i;

	puts("# HELP nst_key_streams live streams whose present epoch comes from the key\n"
	     "# TYPE nst_key_streams gauge");
	for (i = 0; i < listing->nr; i++) {
		const struct listed_key *key = &listing->key[i];
		const char *state = keyline_state_name(key->state);

		printf("nst_key_streams{kid=\"%u\",state=\"%s\",direction=\"tx\"} %u\n"
		       "nst_key_streams{kid=\"%u\",state=\"%s\",direction=\"rx\"} %u\n",
		       key->kid, state, key->tx_streams,
		       key->kid, state, key->rx_streams);
	}
}

static int print_stats(struct nl *nl, counter_fn counter)
{
	return nl_simple(nl, NST_CMD_STATS_GET, NLM_F_ACK, take_stats,
			 &counter);
}

static int print_prometheus(struct nl *nl)
{
	struct listing *listing = calloc(1, sizeof(*listing));
	struct guard_rules *rules = calloc(1, sizeof(*rules));
	int err = -ENOMEM;

	if (listing && rules)
		err = listing_get(nl, listing);
	if (!err)
		err = guard_get(nl, rules);
	if (!err)
		err = print_stats(nl, counter_prometheus);
	if (!err) {
		keys_prometheus(listing);
		ruleview_prometheus(rules);
	}
	free(rules);
	free(listing);
	return err;
}

static int print_json(struct nl *nl)
{
	int err;

	json_object(NULL);
	err = print_stats(nl, counter_json);
	if (err) {
		json_drop();
		return err;
	}
	json_object_end();
	json_flush();
	return 0;
}

/* stats */
int cmd_stats(const struct options *opt, char **args)
{
	struct nl nl;
	int err = nl_open(&nl);

	(void)args;
	if (!err && opt->prometheus)
		err = print_prometheus(&nl);
	else if (!err && opt->json)
		err = print_json(&nl);
	else if (!err)
		err = print_stats(&nl, counter_text);
	if (err)
		nl_explain(&nl, "stats", err);
	nl_close(&nl);
	return err ? EXIT_FAILED : EXIT_OK;
}
