// SPDX-License-Identifier: GPL-2.0
/* monitor: what happens in the namespace, as it happens. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <time.h>
#include "json.h"
#include "nl.h"
#include "nstkeyctl.h"

static const struct {
	const char *name;	/* for a machine */
	const char *text;
} types[] = {
	[NST_EVENT_BOX_LOADED] = { "box-loaded", "a box was loaded" },
	[NST_EVENT_BOX_FLUSHED] = { "box-flushed", "the box was emptied" },
	[NST_EVENT_KEY_ADDED] = { "key-added", "key added" },
	[NST_EVENT_KEY_ACTIVATED] = { "key-activated", "key activated" },
	[NST_EVENT_KEY_RETIRED] = { "key-retired", "key retired" },
	[NST_EVENT_KEY_DELETED] = { "key-deleted", "key deleted" },
	[NST_EVENT_LIMIT] = { "limit", "an epoch used up its records or bytes" },
	[NST_EVENT_AUTH] = { "auth", "a record failed authentication" },
	[NST_EVENT_REPLAY] = { "replay", "a connection's start was replayed" },
	[NST_EVENT_CLOCK] = { "clock", "a connection's start was not fresh" },
	[NST_EVENT_GUARD] = { "guard", "the guard stopped a packet" },
};

#define NR_TYPES (sizeof(types) / sizeof(types[0]))

static const char *direction(const struct nlattr **tb)
{
	return nl_u32(tb[NST_A_EVENT_DIRECTION]) == NST_DIRECTION_OUT ?
		"out" : "in";
}

static const char *protocol(const struct nlattr **tb)
{
	return nl_u32(tb[NST_A_EVENT_PROTOCOL]) == IPPROTO_TCP ? "tcp" : "udp";
}

static void timestamp(char *text, size_t size)
{
	time_t now = time(NULL);
	struct tm tm;

	strftime(text, size, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
}

/* What only events of the guard have. */
static void guard_json(const struct nlattr **tb)
{
	if (tb[NST_A_EVENT_DIRECTION])
		json_string("direction", direction(tb));
	if (tb[NST_A_EVENT_PROTOCOL])
		json_string("protocol", protocol(tb));
	if (tb[NST_A_EVENT_PORT])
		json_uint("port", nl_u16(tb[NST_A_EVENT_PORT]));
	if (tb[NST_A_EVENT_DIRECTION])
		json_bool("dry_run", !!tb[NST_A_EVENT_DRY_RUN]);
}

static void guard_text(const struct nlattr **tb)
{
	if (tb[NST_A_EVENT_DIRECTION])
		printf(" going %s", direction(tb));
	if (tb[NST_A_EVENT_PROTOCOL])
		printf(", %s", protocol(tb));
	if (tb[NST_A_EVENT_PORT])
		printf(" %u", nl_u16(tb[NST_A_EVENT_PORT]));
	if (tb[NST_A_EVENT_DRY_RUN])
		printf(", or would have");
}

static void event_json(const struct nlattr **tb, const char *when)
{
	unsigned int type = nl_u32(tb[NST_A_EVENT_TYPE]);

	json_object(NULL);
	json_string("time", when);
	json_string("event", type < NR_TYPES ? types[type].name : "unknown");
	if (tb[NST_A_EVENT_KID])
		json_uint("kid", nl_u16(tb[NST_A_EVENT_KID]));
	guard_json(tb);
	if (tb[NST_A_EVENT_CAUSE])
		json_string("cause", nl_string(tb[NST_A_EVENT_CAUSE]));
	if (tb[NST_A_EVENT_SKEW])
		json_int("skew_ns", (int64_t)nl_u64(tb[NST_A_EVENT_SKEW]));
	if (tb[NST_A_EVENT_MISSED])
		json_uint("missed", nl_u32(tb[NST_A_EVENT_MISSED]));
	json_object_end();
	json_flush();
}

static void event_text(const struct nlattr **tb, const char *when)
{
	unsigned int type = nl_u32(tb[NST_A_EVENT_TYPE]);

	printf("%s %s", when,
	       type < NR_TYPES ? types[type].text : "unknown event");
	guard_text(tb);
	if (tb[NST_A_EVENT_KID])
		printf(", kid %u", nl_u16(tb[NST_A_EVENT_KID]));
	if (tb[NST_A_EVENT_CAUSE])
		printf(", %s", nl_string(tb[NST_A_EVENT_CAUSE]));
	if (tb[NST_A_EVENT_SKEW])
		printf(", the peer's clock is %+.3f s from this one",
		       (double)(int64_t)nl_u64(tb[NST_A_EVENT_SKEW]) / 1e9);
	if (tb[NST_A_EVENT_MISSED])
		printf(" (%u like it left out before)",
		       nl_u32(tb[NST_A_EVENT_MISSED]));
	putchar('\n');
	fflush(stdout);
}

static void take_event(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *tb[NST_A_EVENT_MAX + 1];
	const struct options *opt = data;
	char when[32];

	nl_parse(nlh, tb, NST_A_EVENT_MAX);
	timestamp(when, sizeof(when));
	if (opt->json)
		event_json(tb, when);
	else
		event_text(tb, when);
}

/* monitor: until a signal, or until nobody reads what it writes. */
int cmd_monitor(const struct options *opt, char **args)
{
	struct nl nl;
	int err = nl_open(&nl);

	(void)args;
	if (!err)
		err = nl_subscribe(&nl);
	while (!err && !ferror(stdout)) {
		err = nl_listen(&nl, take_event, (void *)opt);
		if (err == -ENOBUFS) {
			fputs("nstkeyctl: monitor: some events were lost\n",
			      stderr);
			err = 0;
		} else if (err == -EINTR) {
			err = 0;
		}
	}
	if (err)
		nl_explain(&nl, "monitor", err);
	nl_close(&nl);
	return EXIT_FAILED;
}
